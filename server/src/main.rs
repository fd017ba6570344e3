//! `assigner`: keeps the queue, routes prompts to sessions, feeds the dashboard.
//!
//! Owns: the process: arguments in, exit code out; the one place where an error is printed.
//! Must not: know what any command does.

use std::io::Write;
use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use server::cli::{Cli, Command, ConfigVerb};
use server::{client, configured, detach, serve, unit};

/// It failed.
const FAILED: u8 = 1;
/// It cannot serve, or no server can be reached.
const UNREACHABLE: u8 = 3;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let (done, code) = match cli.command {
        Command::Serve(args) if args.detach => (detach::start(&args), UNREACHABLE),
        Command::Serve(args) => (serve::serve(&args), UNREACHABLE),
        Command::Stop => (client::stop(), UNREACHABLE),
        Command::Login => (client::login(), UNREACHABLE),
        Command::Status { json } => (client::status(json), UNREACHABLE),
        Command::Config { verb: ConfigVerb::Show { origin, json, said } } => {
            (configured::print(&said, origin, json), FAILED)
        }
        Command::Unit => (unit::print(), FAILED),
        Command::Completions { shell } => (completions(shell), FAILED),
        Command::Man => (manual(), FAILED),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("assigner: {error:#}");
            ExitCode::from(code)
        }
    }
}

fn completions(shell: clap_complete::Shell) -> anyhow::Result<()> {
    let mut out = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "assigner", &mut out);
    Ok(std::io::stdout().write_all(&out)?)
}

fn manual() -> anyhow::Result<()> {
    let mut out = Vec::new();
    clap_mangen::Man::new(Cli::command()).render(&mut out)?;
    Ok(std::io::stdout().write_all(&out)?)
}
