//! The command line of `wrap`. Must not: act.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use rustix::fs::RawMode;

/// Longest role or capability.
const WORD_MAX: usize = 40;

/// Run a coding agent in a terminal that others can watch, and prompt when it is ready.
///
/// The agent behaves as it does without `wrap`: same output, same keys, same exit status. Everything after the
/// command is the command's own. Detach with Ctrl-\ and then d; the agent works on, and `wrap attach` shows it again.
/// Ctrl-\ and then k keeps everybody else from typing there, the queue and dashboards alike; Ctrl-\ and then l lets them.
#[derive(Debug, Parser)]
#[command(name = "wrap", version, args_conflicts_with_subcommands = true, arg_required_else_help = true)]
#[command(after_help = "Exit status: the command's own; 128 plus the number of the signal that ended it; \
    125 when wrap itself failed, 126 when the command cannot be run, 127 when it is not found.")]
pub struct Cli {
    /// What else to do.
    #[command(subcommand)]
    pub command: Option<Verb>,
    /// What to run.
    #[command(flatten)]
    pub run: Run,
}

/// A session to start.
#[derive(Debug, Clone, Args)]
pub struct Run {
    /// Run headless; print the session's name and return
    #[arg(short, long = "detach")]
    pub detached: bool,
    /// Name the session (default: the command with a number)
    #[arg(long)]
    pub name: Option<String>,
    /// Run in this directory
    #[arg(short = 'C', long = "dir", value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// Use this profile (default: by the command's name)
    #[arg(long)]
    pub agent: Option<String>,
    /// Declare a role, which rules for approvals and prompts can ask for
    #[arg(long, value_parser = parse_word)]
    pub role: Option<String>,
    /// Declare capabilities, which prompts can ask for, for example tests,browser
    #[arg(long = "cap", value_name = "CAP", value_delimiter = ',', value_parser = parse_word)]
    pub caps: Vec<String>,
    /// The mask for new files that the program gets, in octal (default: this process's)
    #[arg(long, hide = true, value_parser = parse_umask)]
    pub umask: Option<RawMode>,
    /// The pool that it is started for
    #[arg(long, hide = true)]
    pub pool: Option<String>,
    /// Stay in this directory: never be brought into another context for a prompt
    #[arg(long)]
    pub fixed: bool,
    /// The command that runs in the terminal that this session stands in for: its profile, and its name
    #[arg(long, hide = true, value_name = "COMMAND")]
    pub stand_in: Option<String>,
    /// Take no input: neither prompts nor keys
    #[arg(long, hide = true)]
    pub watched: bool,
    /// Size of the terminal, for example 120x40 (default: the user's terminal's)
    #[arg(long, value_name = "COLSxROWS", value_parser = parse_size)]
    pub size: Option<(u16, u16)>,
    /// Record what is typed, too, except passwords
    #[arg(long)]
    pub record_input: bool,
    /// Do not speak to the server
    #[arg(long, env = "MUSTER_NO_SERVER", value_parser = clap::builder::FalseyValueParser::new())]
    pub no_server: bool,
    /// Do not ask the agent to call hooks of ours
    #[arg(long, env = "MUSTER_NO_HOOKS", value_parser = clap::builder::FalseyValueParser::new())]
    pub no_hooks: bool,
    /// Do not ask the agent what it costs, over OpenTelemetry on loopback
    #[arg(long, env = "MUSTER_NO_TELEMETRY", value_parser = clap::builder::FalseyValueParser::new())]
    pub no_telemetry: bool,
    /// The command and its arguments
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
}

/// What `wrap` can do besides running a command. A command that has the name of one of these: `wrap -- ls`.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Show a running session on this terminal
    Attach {
        /// Its name or id
        name: String,
    },
    /// List the running sessions
    Ls {
        /// One JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// End sessions: SIGTERM to their programs, or another signal
    Kill {
        /// Names or ids
        #[arg(required = true)]
        names: Vec<String>,
        /// Name or number of the signal
        #[arg(short, long, default_value = "TERM", value_parser = parse_signal)]
        signal: i32,
    },
    /// Write a session's recording as an asciicast
    Export {
        /// Name or id of a session, or a recording's folder
        session: String,
        /// Format
        #[arg(long, default_value = "asciicast-v3", value_parser = ["asciicast-v3"])]
        format: String,
        /// File to write (default: standard output)
        #[arg(short, long)]
        output: Option<PathBuf>,
        /// Mask secrets with asterisks, and leave out what was typed
        #[arg(long)]
        redact: bool,
    },
    /// Run extractor and detector over a recording: ours, or asciicast v2 or v3
    Replay {
        /// A recording's folder, a session's name, or an asciicast file
        file: PathBuf,
        /// Profile (default: the recording's own, else by its command)
        #[arg(long)]
        agent: Option<String>,
        /// One JSON object a line
        #[arg(long)]
        jsonl: bool,
    },
    /// Say what a session's state rests on, and how it came to be
    Why {
        /// A session's name or id, or a recording's folder
        session: String,
        /// One JSON object
        #[arg(long)]
        json: bool,
        /// How many changes to show
        #[arg(long, value_name = "N", default_value_t = 20)]
        last: usize,
    },
    /// Say what Muster makes of one screen: state, cause, composer, dialog, whether a prompt could be typed
    Explain {
        /// Profile
        #[arg(long)]
        agent: String,
        /// Size of the terminal, for example 120x40 (default: 120x40; of plain text, its own)
        #[arg(long, value_name = "COLSxROWS", value_parser = parse_size)]
        size: Option<(u16, u16)>,
        /// File of a prompt: say how the agent answered it
        #[arg(long, value_name = "FILE")]
        prompt: Option<PathBuf>,
        /// One JSON object
        #[arg(long)]
        json: bool,
        /// Raw terminal bytes, or the plain text of a screen; - reads standard input
        file: PathBuf,
    },
    /// Work on profiles of agents
    Profile {
        /// What to do
        #[command(subcommand)]
        verb: ProfileVerb,
    },
    /// List the profiles of agents
    Agents {
        /// Only those on the search path, with their versions and whether these were measured
        #[arg(long)]
        installed: bool,
        /// One JSON object a line
        #[arg(long, requires = "installed")]
        json: bool,
    },
    /// Print completions for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    Man,
    /// Own a session's terminal; started by `wrap` itself
    #[command(hide = true)]
    Holder,
    /// Show what a tmux pane shows; the program of a session that `assign tmux adopt` starts
    #[command(hide = true)]
    Relay(RelayArgs),
    /// Follow a session's recording; started by a holder
    #[command(hide = true)]
    Observer {
        /// The session whose holder is gone
        #[arg(long)]
        orphan: Option<String>,
    },
}

/// A pane that is shown.
#[derive(Debug, Args)]
pub struct RelayArgs {
    /// The tmux server
    #[arg(long, required_unless_present = "feed")]
    pub socket: Option<PathBuf>,
    /// The pane's id
    #[arg(long, required_unless_present = "feed", value_parser = parse_pane)]
    pub pane: Option<String>,
    /// Type into it what is typed into the session
    #[arg(long)]
    pub may_type: bool,
    /// Be the other end of tmux's pipe instead, and bring what comes to this socket
    #[arg(long, conflicts_with = "may_type")]
    pub feed: Option<PathBuf>,
}

/// What can be done with a profile.
#[derive(Debug, Subcommand)]
pub enum ProfileVerb {
    /// Test a profile against its own examples, and against labelled recordings
    Check {
        /// The profile
        file: PathBuf,
        /// Folders with NAME.cast and NAME.labels.jsonl
        recordings: Vec<PathBuf>,
    },
}

/// A word that stands in rules, lists and filters.
fn parse_word(text: &str) -> Result<String, String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let good = (1..=WORD_MAX).contains(&text.len()) && text.chars().all(plain) && !text.starts_with('-');
    good.then(|| text.to_owned()).ok_or_else(|| {
        format!("use 1 to {WORD_MAX} letters, digits, '-', '_' or '.', not beginning with '-'")
    })
}

fn parse_umask(text: &str) -> Result<RawMode, String> {
    let mask = RawMode::from_str_radix(text, 8).ok().filter(|mask| *mask <= 0o777);
    mask.ok_or_else(|| "use an octal number up to 777".to_owned())
}

fn parse_pane(text: &str) -> Result<String, String> {
    let number = text.strip_prefix('%').unwrap_or_default();
    let good = (1..=9).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit());
    good.then(|| text.to_owned()).ok_or_else(|| "a pane is named by its id, for example %3".to_owned())
}

fn parse_size(text: &str) -> Result<(u16, u16), String> {
    let size = text.split_once('x').and_then(|(cols, rows)| Some((cols.parse().ok()?, rows.parse().ok()?)));
    size.filter(|(cols, rows)| (1..=1000).contains(cols) && (1..=1000).contains(rows))
        .ok_or_else(|| "give columns and rows from 1 to 1000, for example 120x40".to_owned())
}

fn parse_signal(text: &str) -> Result<i32, String> {
    let name = text.to_ascii_uppercase();
    let is_named = |number: &i32| {
        let known = signal_hook::low_level::signal_name(*number);
        known.is_some_and(|known| known == name || known.strip_prefix("SIG") == Some(&name))
    };
    let number = text.parse().ok().filter(|number| (1..64).contains(number));
    number
        .or_else(|| (1..64).find(is_named))
        .ok_or_else(|| "give a signal by its name or number, for example KILL or 9".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(line: &[&str]) -> Vec<OsString> {
        let all = std::iter::once("wrap").chain(line.iter().copied());
        let cli = Cli::try_parse_from(all).unwrap();
        assert!(cli.command.is_none(), "{line:?}");
        cli.run.command
    }

    #[test]
    fn a47_everything_after_the_command_is_its_own() {
        assert_eq!(
            command(&["claude", "--resume", "x", "-d", "--", "--name"]),
            ["claude", "--resume", "x", "-d", "--", "--name"]
        );
        assert_eq!(command(&["-d", "--name", "api", "-C", "/x", "codex", "-C", "/y"]), ["codex", "-C", "/y"]);
        assert_eq!(command(&["--", "ls", "--json"]), ["ls", "--json"]);
        assert_eq!(command(&["bash", "ls"]), ["bash", "ls"]);
    }

    #[test]
    fn roles_and_capabilities_are_short_words() {
        let run = |line: &[&str]| {
            let all = std::iter::once("wrap").chain(line.iter().copied()).chain(["bash"]);
            Cli::try_parse_from(all).map(|cli| (cli.run.role, cli.run.caps, cli.run.fixed))
        };
        let caps = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let worker = Some("worker".to_owned());
        assert_eq!(
            run(&["--role", "worker", "--cap", "tests,browser", "--cap", "gpu.a_1", "--fixed"]).unwrap(),
            (worker, caps(&["tests", "browser", "gpu.a_1"]), true)
        );
        assert_eq!(run(&[]).unwrap(), (None, Vec::new(), false));
        let long = "x".repeat(41);
        for bad in ["", "-x", "a b", "a/b", "é", "a\u{1b}", &long] {
            assert!(run(&[&format!("--role={bad}")]).is_err(), "{bad:?}");
            assert!(run(&[&format!("--cap=tests,{bad}")]).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_signal_is_given_by_name_or_number() {
        for (text, number) in [("KILL", 9), ("SIGTERM", 15), ("int", 2), ("sighup", 1), ("9", 9), ("63", 63)]
        {
            assert_eq!(parse_signal(text), Ok(number), "{text}");
        }
        for bad in ["", "SIG", "0", "64", "-9", "SIGSIGKILL", "KILLER", "9.0"] {
            assert!(parse_signal(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_command_line_is_consistent() {
        <Cli as clap::CommandFactory>::command().debug_assert();
    }
}
