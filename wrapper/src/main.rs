//! `wrap`: runs an agent in a PTY, records it, knows its state, types its prompts.
//!
//! One binary in three roles, each its own process: the client in the user's terminal, the holder that owns the
//! PTY, the observer that thinks. Errors are printed here and nowhere else.

mod cli;
mod client;
mod clock;
mod context;
mod control;
mod delivery;
mod detach;
mod drive;
mod holder;
mod host;
mod journal;
mod keys;
mod list;
mod log;
mod modes;
mod names;
mod observer;
mod pty;
mod recording;
mod report;
mod sys;
mod tty;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};
use wire::place::Place;

use cli::{Cli, Verb};
use client::Left;

/// wrap itself failed: the convention of env(1), nohup(1) and timeout(1).
const OWN_FAILURE: u8 = 125;

fn main() -> ExitCode {
    let cli = Cli::parse();
    match act(cli) {
        Ok(status) => ExitCode::from(status),
        Err(fault) if is_closed_pipe(&fault) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("wrap: {}", wire::text::escape(&format!("{fault:#}")));
            ExitCode::from(OWN_FAILURE)
        }
    }
}

fn act(cli: Cli) -> anyhow::Result<u8> {
    let place = Place::from_env()?;
    match cli.command {
        None => client::run(&place, &cli.run).map(status),
        Some(Verb::Attach { name }) => client::attach(&place, &name).map(status),
        Some(Verb::Ls { json }) => list::print(&place, json).map(|()| 0),
        Some(Verb::Kill { names, signal }) => list::kill(&place, &names, signal).map(|()| 0),
        Some(Verb::Export { .. } | Verb::Replay { .. } | Verb::Agents) => Ok(0),
        Some(Verb::Completions { shell }) => {
            clap_complete::generate(shell, &mut Cli::command(), "wrap", &mut std::io::stdout());
            Ok(0)
        }
        Some(Verb::Man) => {
            clap_mangen::Man::new(Cli::command()).render(&mut std::io::stdout())?;
            Ok(0)
        }
        Some(Verb::Holder) => holder::main(&place).map(|()| 0),
        Some(Verb::Observer) => observer::main(place).map(|()| 0),
    }
}

fn status(left: Left) -> u8 {
    match left {
        Left::Ended(status) => u8::try_from(status).unwrap_or(OWN_FAILURE),
        Left::Detached => 0,
    }
}

fn is_closed_pipe(fault: &anyhow::Error) -> bool {
    fault.chain().any(|e| e.downcast_ref::<std::io::Error>().is_some_and(|e| e.kind() == std::io::ErrorKind::BrokenPipe))
}
