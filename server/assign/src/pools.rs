//! Pools of sessions: started when prompts wait for them, ended when none does. Must not: start one.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use hyper::Method;
use wire::HostId;
use wire::http::Done;
use wire::pool::{NewPool, Pool};
use wire::text::escape;

use crate::client::{Client, segment};
use crate::failure::Failure;
use crate::print::Printer;
use crate::sending::{absolute, duration, variable};
use crate::tables::now;

/// What is done with pools.
#[derive(Debug, Subcommand)]
pub enum PoolVerb {
    /// List the pools with what they do now
    Ls,
    /// Keep a pool, in the place of the one of its name: its sessions are started when prompts wait, and ended when idle
    Add(Box<PoolArgs>),
    /// Forget a pool; its sessions go on
    Rm {
        /// Its name
        name: String,
    },
}

/// A pool.
#[derive(Debug, Args)]
pub struct PoolArgs {
    /// Its name: lower-case letters, digits and dashes; its sessions are called NAME-1, NAME-2, …
    name: String,
    /// The agent's command
    #[arg(long, required_unless_present = "command", conflicts_with = "command")]
    agent: Option<String>,
    /// Where its sessions work (default: here)
    #[arg(short = 'C', long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// At least so many, idle or not
    #[arg(long, default_value_t = 0)]
    min: u32,
    /// Never more
    #[arg(long, default_value_t = 1)]
    max: u32,
    /// End an idle one above the least after so long
    #[arg(long, default_value = "15m", value_name = "TIME", value_parser = duration)]
    idle: u64,
    /// Role that its sessions declare
    #[arg(long)]
    role: Option<String>,
    /// Capabilities that they declare, for example tests,browser
    #[arg(long = "cap", value_name = "CAP", value_delimiter = ',')]
    caps: Vec<String>,
    /// A variable that they are started with
    #[arg(long, value_name = "NAME=VALUE", value_parser = variable)]
    env: Vec<(String, String)>,
    /// Id of the host, as `assign sessions --json` tells it (default: the server's)
    #[arg(long)]
    host: Option<String>,
    /// The command with its arguments, instead of --agent
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<String>,
}

/// Shows, keeps or forgets pools.
pub async fn run(client: &Client, print: &Printer, verb: PoolVerb) -> Result<(), Failure> {
    match verb {
        PoolVerb::Ls => {
            let pools: Vec<Pool> = client.get("/v1/pools").await?;
            print.objects_or(&pools, || match &pools[..] {
                [] => "no pools; `assign pool add NAME --agent AGENT --dir DIR --max 3` keeps one".to_owned(),
                pools => pools.iter().map(lines).collect::<Vec<_>>().join("\n"),
            })
        }
        PoolVerb::Add(args) => {
            let asked = asked(*args)?;
            let path = format!("/v1/pools/{}", segment(&asked.name));
            let body = serde_json::to_string(&asked).map_err(|e| Failure::failed(e.to_string()))?;
            let kept: Pool = client.ask(Method::PUT, &path, Some(body), None).await?;
            print.object_or(&kept, || lines(&kept))
        }
        PoolVerb::Rm { name } => {
            let path = format!("/v1/pools/{}", segment(&name));
            let done: Done = client.ask(Method::DELETE, &path, None, None).await?;
            print.object_or(&done, || "forgotten; its sessions go on".to_owned())
        }
    }
}

fn asked(args: PoolArgs) -> Result<NewPool, Failure> {
    Ok(NewPool {
        name: args.name,
        command: args.agent.map_or(args.command, |agent| vec![agent]),
        dir: absolute(&args.dir.unwrap_or_else(|| PathBuf::from(".")))?,
        host: args.host.map(HostId),
        role: args.role,
        caps: args.caps,
        env: args.env.into_iter().collect(),
        min: args.min,
        max: args.max,
        idle_ms: args.idle,
    })
}

fn lines(pool: &Pool) -> String {
    let asked = &pool.asked;
    let command = asked.command.iter().map(|word| escape(word)).collect::<Vec<_>>().join(" ");
    let mut line = format!(
        "{:<16}  {} of {} to {}  {command}  {}",
        escape(&asked.name),
        pool.sessions.len(),
        asked.min,
        asked.max,
        escape(&asked.dir)
    );
    if pool.starting > 0 {
        line.push_str(&format!("  {} starting", pool.starting));
    }
    if pool.waiting > 0 {
        line.push_str(&format!("  {} waiting", pool.waiting));
    }
    if let Some(failure) = pool.last_failure.as_deref().filter(|_| pool.failures > 0) {
        line.push_str(&format!("\n{:18}failed {} in a row: {}", "", pool.failures, escape(failure)));
        if let Some(until) = pool.resting_until.filter(|until| *until > now()) {
            line.push_str(&format!("; tried again in {} s", until.since(now()) / 1000 + 1));
        }
    }
    line
}
