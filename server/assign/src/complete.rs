//! Completion of what is typed, with the names that live now. Must not: start a server, or wait long for one.
//!
//! A shell asks this program itself, through [`VARIABLE`], so what it offers is what there is at that moment.

use std::time::Duration;

use clap::{Command, CommandFactory};
use clap_complete::env::Shells;
use clap_complete::{ArgValueCandidates, CompleteEnv, CompletionCandidate, Shell};
use serde::de::DeserializeOwned;
use wire::admin::{Template, TokenRow};
use wire::alert::Sink;
use wire::pool::Pool;
use wire::prompt::Prompt;
use wire::session::Session;
use wire::text::{cut, escape};

use crate::cli::Cli;
use crate::client::Client;
use crate::failure::Failure;

/// Set by the shell's script when it asks; our own, as other programs use `COMPLETE`.
const VARIABLE: &str = "MUSTER_COMPLETE";
/// How long a person waits for a list of names.
const PATIENCE: Duration = Duration::from_secs(1);
/// How many prompts are offered, the newest.
const PROMPTS: u32 = 30;

/// Answers a shell that asks, and ends the process; does nothing when none asks.
pub fn answer() {
    CompleteEnv::with_factory(|| with_names("", Cli::command())).var(VARIABLE).complete();
}

/// What a shell must be told so that it asks.
pub fn script(shell: Shell) -> Result<Vec<u8>, Failure> {
    let mut out = Vec::new();
    let shells = Shells::builtins();
    let shell = shells.completer(&shell.to_string());
    let shell = shell.ok_or_else(|| Failure::Usage("there are no completions for this shell".to_owned()))?;
    shell.write_registration(VARIABLE, "assign", "assign", "assign", &mut out).map_err(Failure::output)?;
    Ok(out)
}

/// Says of each argument that takes a name where the names come from.
fn with_names(parent: &str, command: Command) -> Command {
    let verb = command.get_name().to_owned();
    let command = command.mut_args(|arg| {
        let names: fn() -> Vec<CompletionCandidate> = match (arg.get_id().as_str(), parent, verb.as_str()) {
            ("session" | "target" | "to", ..) => sessions,
            ("id", "assign", _) => prompts,
            ("name", "pool", "rm") => pools,
            ("name", "sink", "test" | "rm") => sinks,
            ("name", "token", "rm") => tokens,
            ("name", "template", "rm") => templates,
            _ => return arg,
        };
        arg.add(ArgValueCandidates::new(names))
    });
    command.mut_subcommands(|sub| with_names(&verb, sub))
}

fn sessions() -> Vec<CompletionCandidate> {
    let told = |s: Session| candidate(&s.name, &format!("{}, {}", s.claim.state, s.context.dir));
    named("/v1/sessions", told)
}

fn prompts() -> Vec<CompletionCandidate> {
    let told = |p: Prompt| candidate(&p.id.to_string(), &format!("{}: {}", p.state, p.asked.text));
    named(&format!("/v1/prompts?limit={PROMPTS}"), told)
}

fn pools() -> Vec<CompletionCandidate> {
    named("/v1/pools", |pool: Pool| candidate(&pool.asked.name, ""))
}

fn sinks() -> Vec<CompletionCandidate> {
    named("/v1/sinks", |sink: Sink| candidate(&sink.asked.name, &sink.asked.kind.to_string()))
}

fn tokens() -> Vec<CompletionCandidate> {
    named("/v1/tokens", |token: TokenRow| candidate(&token.name, ""))
}

fn templates() -> Vec<CompletionCandidate> {
    named("/v1/templates", |template: Template| candidate(&template.name, &template.prompt.text))
}

/// A name, and what is said of it in one short line.
fn candidate(name: &str, about: &str) -> CompletionCandidate {
    let about = escape(about);
    CompletionCandidate::new(escape(name)).help((!about.is_empty()).then(|| cut(&about, 60).into()))
}

/// What the server tells there; nothing when it does not run, or takes long.
fn named<T: DeserializeOwned>(
    path: &str,
    told: impl FnMut(T) -> CompletionCandidate,
) -> Vec<CompletionCandidate> {
    let ask = || -> Option<Vec<T>> {
        let client = Client::new(None).ok()?.of_running();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
        runtime.block_on(async { tokio::time::timeout(PATIENCE, client.get(path)).await }).ok()?.ok()
    };
    ask().unwrap_or_default().into_iter().map(told).collect()
}
