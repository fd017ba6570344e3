//! What can be written after `assigner`. Must not: act.

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use clap_complete::Shell;

const AFTER: &str = "\
Files:
  config/assigner.toml   port, weights of the router, preferred agent
  state/muster.db        prompts, sessions, events
  state/assigner.log     what `serve --detach` writes
  state/*.token          credentials of `assign` and `wrap`; a new one is made when it is removed
  run/assigner.sock      local clients; run/assigner.json says which port the dashboard has
With MUSTER_HOME set these folders are in it; otherwise they are the ones of the XDG standard.

Exit codes:
  0  done, or already serving
  1  failed
  2  wrong usage
  3  cannot serve, or no server can be reached";

/// The server of Muster: keeps the queue, routes prompts to sessions, feeds the dashboard.
#[derive(Debug, Parser)]
#[command(name = "assigner", version, after_help = AFTER, max_term_width = 100)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What `assigner` does.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve until stopped.
    Serve(Serve),
    /// End the server; sessions go on without it.
    Stop,
    /// Print a link that logs one browser in, once, within a minute.
    Login,
    /// Show whether the server runs, and what it has.
    Status {
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Print a unit for systemd's user manager, under which the server starts at login.
    Unit,
    /// Print the completions of a shell.
    #[command(hide = true)]
    Completions {
        /// Which shell.
        shell: Shell,
    },
    /// Print the manual page.
    #[command(hide = true)]
    Man,
}

/// How a line of the log is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object, for programs.
    Json,
}

/// How to serve.
#[derive(Debug, Default, clap::Args)]
pub struct Serve {
    /// Port of the dashboard on 127.0.0.1; 0 takes any free one. [default: 8151, or the next free one]
    #[arg(long, env = "MUSTER_PORT")]
    pub port: Option<u16>,
    /// Start in the background; return when it listens.
    #[arg(long, conflicts_with = "foreground")]
    pub detach: bool,
    /// Stay in this terminal (the default).
    #[arg(long)]
    pub foreground: bool,
    /// The configuration file. [default: assigner.toml in the configuration folder]
    #[arg(long, env = "MUSTER_CONFIG")]
    pub config: Option<PathBuf>,
    /// What to log, for example `debug` or `assigner=trace`.
    #[arg(long, env = "MUSTER_LOG", default_value = "info")]
    pub log: String,
    /// How to log: `text`, or `json` for one object a line. [default: text]
    #[arg(long, env = "MUSTER_LOG_FORMAT", value_enum)]
    pub log_format: Option<LogFormat>,
    /// Leave the terminal's session: the second half of `--detach`.
    #[arg(long, hide = true)]
    pub leave: bool,
}
