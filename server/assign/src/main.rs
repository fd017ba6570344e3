//! `assign`: sends prompts, and shows what became of them.
//!
//! Owns: the process: arguments in, exit code out; the one place where an error is printed.
//! Must not: know how a prompt is routed, or reach the database.

mod agree;
mod alerts;
mod answer;
mod approvals;
mod audit;
mod change;
mod cli;
mod client;
mod complete;
mod credential;
mod doctor;
mod events;
mod failure;
#[cfg(test)]
mod help_tests;
mod logs;
mod mcp;
mod notice;
mod plan;
mod policy;
mod pools;
mod print;
mod purge;
mod queued;
mod result;
mod run;
mod schema;
mod search;
mod seek;
mod send;
mod sending;
mod show;
mod tables;
mod tasks;
mod templates;
mod tmux;
mod tokens;
mod wait;
mod watch;

use std::process::ExitCode;

use assign::{asked, tree};
use clap::{CommandFactory, Parser};
use wire::http::{LoginLink, Selection};

use cli::{Cli, Command};
use client::Client;
use failure::Failure;
use print::{Printer, note};

fn main() -> ExitCode {
    complete::answer();
    let cli = Cli::parse();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let done = match runtime {
        Ok(runtime) => runtime.block_on(run(cli)),
        Err(e) => Err(Failure::failed(format!("cannot start: {e}"))),
    };
    match done {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            if let Some(text) = failure.text() {
                note!("assign: {text}");
            }
            ExitCode::from(failure.code())
        }
    }
}

async fn run(cli: Cli) -> Result<u8, Failure> {
    if let Some(mistake) = cli.mistake(std::env::args_os().any(|word| word == "--")) {
        return Err(Failure::Usage(mistake));
    }
    let print = Printer::new(cli.json);
    let client = || Client::new(cli.token_file.as_deref());
    let Some(command) = cli.command else {
        return send::send(&client()?, &print.lasting(), cli.send).await;
    };
    match command {
        Command::Completions { shell } => {
            print.bytes(&complete::script(shell)?)?;
        }
        Command::Man => {
            let mut page = Vec::new();
            clap_mangen::Man::new(Cli::command()).render(&mut page).map_err(Failure::output)?;
            print.bytes(&page)?;
        }
        Command::Run(args) => return run::run(&client()?, &print.lasting(), args).await,
        Command::WatchDir(args) => return tasks::watch(&client()?, &print.lasting(), args).await,
        Command::Task { verb } => return tasks::run(&print, verb),
        Command::Tmux(args) => tmux::run(client(), &print, args).await?,
        Command::Doctor => return doctor::run(client(), &print).await,
        Command::Schema { command } => schema::print(&print, &command)?,
        Command::Events(wanted) => events::events(client()?, &print, wanted).await?,
        Command::Mcp(args) => mcp::serve(client()?, args).await?,
        Command::Watch { counts: false, notify } => return watch::watch(client()?, &print, notify).await,
        command => talk(command, &client()?, &print).await?,
    }
    Ok(0)
}

async fn talk(command: Command, client: &Client, print: &Printer) -> Result<(), Failure> {
    match command {
        Command::Status => show::status(client, print).await,
        Command::Sessions { all } => show::sessions(client, print, all).await,
        Command::Prompts { state, session, tag, thread, key, before, limit } => {
            let which = Selection { state, session, tag, thread, key, ..Selection::default() };
            show::prompts(client, print, &which, before, limit).await
        }
        Command::Show { id } => show::prompt(client, print, id).await,
        Command::Why { id } => show::why(client, print, id).await,
        Command::Plan { limit } => plan::plan(client, print, limit).await,
        Command::Edit { id, text, priority, after, at } => {
            change::edit(client, print, id, change::Wanted { text, priority, after, at }).await
        }
        Command::Cancel(which) => change::cancel(client, print, which).await,
        Command::Retry(which) => change::retry(client, print, which).await,
        Command::Clear { state, older } => change::clear(client, print, state, older).await,
        Command::Purge(args) => purge::purge(client, print, args).await,
        Command::Pause { session } => change::pause(client, print, session, true).await,
        Command::Resume { session } => change::pause(client, print, session, false).await,
        Command::Reassign { id, to } => change::reassign(client, print, id, to).await,
        Command::Approvals { all, session, limit } => {
            approvals::list(client, print, all, session.as_deref(), limit).await
        }
        Command::Approve { session } => answer::approve(client, print, &session).await,
        Command::Deny { session } => answer::deny(client, print, &session).await,
        Command::Answer { session, number: Some(number), .. } => {
            answer::choose(client, print, &session, number).await
        }
        Command::Answer { session, text, .. } => {
            answer::say(client, print, &session, text.unwrap_or_default()).await
        }
        Command::Policy { verb } => policy::run(client, print, verb).await,
        Command::Alerts { all } => alerts::list(client, print, all).await,
        Command::Sink { verb } => alerts::sinks(client, print, verb).await,
        Command::Pool { verb } => pools::run(client, print, verb).await,
        Command::Template { verb } => templates::run(client, print, verb).await,
        Command::Token { verb } => tokens::run(client, print, verb).await,
        Command::Search { words, kind, session, limit } => {
            search::search(client, print, search::Wanted { words, kind, session, limit }).await
        }
        Command::Audit { limit, check } => audit::list(client, print, limit, check).await,
        Command::Context { session, limit } => show::contexts(client, print, &session, limit).await,
        Command::Logs { session, follow, limit } => logs::logs(client, print, &session, follow, limit).await,
        Command::Watch { counts: true, .. } => watch::counts(client, print).await,
        Command::Login => login(client, print).await,
        // Those that need no server, or more of it, were done before.
        Command::Run(_)
        | Command::Mcp(_)
        | Command::WatchDir(_)
        | Command::Task { .. }
        | Command::Tmux(_)
        | Command::Events(_)
        | Command::Watch { counts: false, .. }
        | Command::Schema { .. }
        | Command::Doctor
        | Command::Completions { .. }
        | Command::Man => Ok(()),
    }
}

async fn login(client: &Client, print: &Printer) -> Result<(), Failure> {
    let link: LoginLink = client.post("/v1/login-links", None).await?;
    print.object_or(&link, || wire::text::escape(&link.url))?;
    note!("It logs one browser in, once, within {} seconds.", link.expires_s);
    Ok(())
}
