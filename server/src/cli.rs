//! What can be written after `assigner`. Must not: act.

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use clap_complete::Shell;

/// The variable that says the port.
pub const PORT: &str = "MUSTER_PORT";
/// The variable that says how to log.
pub const LOG_FORMAT: &str = "MUSTER_LOG_FORMAT";

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
  1  failed, or the configuration is wrong
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
    /// Show the configuration.
    Config {
        /// What.
        #[command(subcommand)]
        verb: ConfigVerb,
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

/// What is done with the configuration.
#[derive(Debug, Subcommand)]
pub enum ConfigVerb {
    /// Show what a server that is started now would take, as it can be written into the file.
    Show {
        /// Say of each where it comes from.
        #[arg(long)]
        origin: bool,
        /// Print one JSON object a line.
        #[arg(long)]
        json: bool,
        /// What is said besides the file.
        #[command(flatten)]
        said: Said,
    },
}

/// What stands before the configuration file.
#[derive(Debug, Default, clap::Args)]
pub struct Said {
    /// Port of the dashboard on 127.0.0.1; 0 takes any free one. [default: 8151, or the next free one]
    #[arg(long, env = PORT)]
    pub port: Option<u16>,
    /// The configuration file. [default: assigner.toml in the configuration folder]
    #[arg(long, env = "MUSTER_CONFIG")]
    pub config: Option<PathBuf>,
    /// How to log: `text`, or `json` for one object a line. [default: text]
    #[arg(long, env = LOG_FORMAT, value_enum)]
    pub log_format: Option<LogFormat>,
}

/// How to serve.
#[derive(Debug, Default, clap::Args)]
pub struct Serve {
    /// What stands before the configuration file.
    #[command(flatten)]
    pub said: Said,
    /// Start in the background; return when it listens.
    #[arg(long, conflicts_with = "foreground")]
    pub detach: bool,
    /// Stay in this terminal (the default).
    #[arg(long)]
    pub foreground: bool,
    /// What to log, for example `debug` or `assigner=trace`.
    #[arg(long, env = "MUSTER_LOG", default_value = "info")]
    pub log: String,
    /// Leave the terminal's session: the second half of `--detach`.
    #[arg(long, hide = true)]
    pub leave: bool,
}
