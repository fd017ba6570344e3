//! Completion of what is typed, with the sessions that live now. Must not: ask the server.

use clap::{Command, CommandFactory};
use clap_complete::env::Shells;
use clap_complete::{ArgValueCandidates, CompleteEnv, CompletionCandidate, Shell};
use wire::place::Place;

use crate::cli::Cli;
use crate::list;

/// Set by the shell's script when it asks; our own, as other programs use `COMPLETE`.
const VARIABLE: &str = "MUSTER_COMPLETE";

/// Answers a shell that asks, and ends the process; does nothing when none asks.
pub fn answer() {
    CompleteEnv::with_factory(command).var(VARIABLE).complete();
}

/// What a shell must be told so that it asks.
pub fn script(shell: Shell) -> anyhow::Result<Vec<u8>> {
    let mut out = Vec::new();
    let shells = Shells::builtins();
    let shell = shells.completer(&shell.to_string());
    let shell = shell.ok_or_else(|| anyhow::anyhow!("there are no completions for this shell"))?;
    shell.write_registration(VARIABLE, "wrap", "wrap", "wrap", &mut out)?;
    Ok(out)
}

fn command() -> Command {
    Cli::command().mut_subcommands(|verb| {
        verb.mut_args(|arg| match arg.get_id().as_str() {
            "name" | "names" | "session" => arg.add(ArgValueCandidates::new(sessions)),
            _ => arg,
        })
    })
}

fn sessions() -> Vec<CompletionCandidate> {
    let live = Place::from_env().ok().and_then(|place| list::sessions(&place).ok()).unwrap_or_default();
    live.into_iter().map(|info| CompletionCandidate::new(info.spec.name)).collect()
}
