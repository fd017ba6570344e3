//! `wrap`: runs an agent in a PTY, records it, knows its state, types its prompts.
//!
//! One binary in three roles, each its own process: the client in the user's terminal, the holder that owns the
//! PTY, the observer that thinks. Errors are printed here and nowhere else.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{CommandFactory, Parser};
use wire::SessionId;
use wire::place::Place;

use wrapper::cli::{Cli, ProfileVerb, Verb};
use wrapper::client::{self, Left};
use wrapper::redaction::Redaction;
use wrapper::{
    complete, explain, export, holder, hook, installed, list, names, observer, profile_check, profiles,
    relay, replay, why,
};

/// wrap itself failed: the convention of env(1), nohup(1) and timeout(1).
const OWN_FAILURE: u8 = 125;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    if let [verb, rest @ ..] = &arguments[..]
        && verb == hook::VERB
    {
        // Before anything can fail: an agent reads statuses of its hooks as orders.
        return hook::main(rest);
    }
    complete::answer();
    let cli = Cli::parse();
    // A pipe that these lose is not their output, but what they are there for.
    let prints = !matches!(
        cli.command,
        None | Some(Verb::Attach { .. } | Verb::Kill { .. } | Verb::Holder | Verb::Observer { .. })
    );
    match act(cli) {
        Ok(status) => ExitCode::from(status),
        Err(fault) if prints && is_closed_pipe(&fault) => ExitCode::SUCCESS,
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
        Some(Verb::Relay(args)) => relay::run(&place, &args).map(|()| 0),
        Some(Verb::Ls { json }) => list::print(&place, json).map(|()| 0),
        Some(Verb::Kill { names, signal }) => list::kill(&place, &names, signal).map(|()| 0),
        Some(Verb::Export { session, format: _, output, redact }) => {
            export(&place, &session, output, redact).map(|()| 0)
        }
        Some(Verb::Replay { file, agent, jsonl }) => {
            let path = recording(&place, &file.to_string_lossy()).unwrap_or(file);
            replay::run(&place, &path, agent.as_deref(), jsonl).map(|()| 0).map_err(Into::into)
        }
        Some(Verb::Why { session, json, last }) => {
            let folder = folder(&place, &session)?;
            why::read(&place, &folder)?.print(json, last, &mut std::io::stdout().lock())?;
            Ok(0)
        }
        Some(Verb::Explain { agent, size, prompt, json, file }) => {
            let agent = profiles::named(&place, &agent)?;
            let asked = explain::Asked { agent, size, prompt: prompt.as_deref(), file: &file, json };
            explain::run(&asked, &mut std::io::stdout().lock()).map(|()| 0)
        }
        Some(Verb::Profile { verb: ProfileVerb::Check { file, recordings } }) => {
            profile_check::run(&file, &recordings, &mut std::io::stdout().lock())
        }
        Some(Verb::Agents { installed: true, json }) => installed::print(&place, json).map(|()| 0),
        Some(Verb::Agents { .. }) => list::agents(&place).map(|()| 0),
        Some(Verb::Completions { shell }) => {
            std::io::stdout().write_all(&complete::script(shell)?)?;
            Ok(0)
        }
        Some(Verb::Man) => {
            clap_mangen::Man::new(Cli::command()).render(&mut std::io::stdout())?;
            Ok(0)
        }
        Some(Verb::Holder) => holder::main(&place).map(|()| 0),
        Some(Verb::Observer { orphan }) => observer::main(place, orphan.as_deref()).map(|()| 0),
    }
}

/// The folder of a recording, given by the name or id of its session, or as such.
///
/// The name comes first: a session is often called like the project's folder, in which it holds no recording.
fn recording(place: &Place, text: &str) -> Option<PathBuf> {
    let id = names::owner(place, text).unwrap_or_else(|| SessionId(text.to_owned()));
    let session = Some(place.session(&id)).filter(|folder| id.is_plain() && folder.is_dir());
    session.or_else(|| Some(PathBuf::from(text)).filter(|given| given.is_dir()))
}

fn folder(place: &Place, session: &str) -> anyhow::Result<PathBuf> {
    let found = recording(place, session);
    found.with_context(|| format!("no recording is named '{session}'; give a session's name or id"))
}

fn export(place: &Place, session: &str, output: Option<PathBuf>, redact: bool) -> anyhow::Result<()> {
    let folder = folder(place, session)?;
    let redaction = redact.then(|| Redaction::start(place, std::env::vars_os())).transpose()?;
    let redactor = redaction.as_ref().map(Redaction::redactor);
    match output {
        Some(path) => {
            let file = File::create(&path).with_context(|| format!("cannot create {}", path.display()))?;
            Ok(export::asciicast_v3(&folder, redactor, &mut BufWriter::new(file))?)
        }
        None => Ok(export::asciicast_v3(&folder, redactor, &mut BufWriter::new(std::io::stdout().lock()))?),
    }
}

fn status(left: Left) -> u8 {
    match left {
        Left::Ended(status) => u8::try_from(status).unwrap_or(OWN_FAILURE),
        Left::Detached => 0,
    }
}

fn is_closed_pipe(fault: &anyhow::Error) -> bool {
    fault.chain().any(|e| {
        e.downcast_ref::<std::io::Error>().is_some_and(|e| e.kind() == std::io::ErrorKind::BrokenPipe)
    })
}
