//! What can be written after `assign`. Must not: act.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;

const AFTER: &str = "\
Examples:
  assign \"Fix the bug in login.py\"         the best session gets it; prints the prompt's number
  assign --wait --to api --dir ~/api \"...\"  waits; prints the agent's answer
  git diff | assign --wait -                reads the prompt from standard input
  assign -- status                          sends the word `status`

When no server runs, one is started, unless MUSTER_NO_SERVER=1 is set.

Exit codes:
    0  done; with --wait: the prompt was completed
    1  failed
    2  wrong usage
    3  no server can be reached
    4  no such prompt or session
    5  refused: not possible in its present state, or not allowed
    6  held: a person has to look (--wait)
    7  cancelled (--wait)
  124  the turn took longer than --timeout (--wait)";

/// Sends prompts to coding agents that run under `wrap`, and shows what became of them.
#[derive(Debug, Parser)]
#[command(name = "assign", version, after_help = AFTER, max_term_width = 100)]
#[command(subcommand_precedence_over_arg = true, disable_help_subcommand = true)]
pub struct Cli {
    /// What to do, unless a prompt is given.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// A prompt.
    #[command(flatten)]
    pub send: Send,
    /// Print one JSON object, or one per line.
    #[arg(long, global = true)]
    pub json: bool,
}

/// A prompt and what it asks for.
#[derive(Debug, Default, PartialEq, Eq, Args)]
pub struct Send {
    /// The prompt; `-` reads standard input.
    pub text: Option<String>,
    /// Words after the prompt: a prompt that was not quoted.
    #[arg(hide = true)]
    pub rest: Vec<String>,
    /// Read the prompt from a file.
    #[arg(long, short, value_name = "FILE", conflicts_with = "text")]
    pub file: Option<PathBuf>,
    /// Wait until it has ended; print progress on standard error and the answer on standard output.
    #[arg(long, short)]
    pub wait: bool,
    /// 0 (last) to 10 (first). [default: 5]
    #[arg(long, short, value_parser = clap::value_parser!(u8).range(0..=10))]
    pub priority: Option<u8>,
    /// The session that shall have it, by name or id.
    #[arg(long, visible_alias = "to", value_name = "SESSION")]
    pub target: Option<String>,
    /// The directory that the session must work in.
    #[arg(long, short)]
    pub dir: Option<PathBuf>,
    /// The branch that must be checked out there.
    #[arg(long, short)]
    pub branch: Option<String>,
    /// The agent that must be running, for example `claude`.
    #[arg(long, short)]
    pub agent: Option<String>,
    /// Longest time for the turn, for example `45m`. [default: 30m]
    #[arg(long, value_parser = duration)]
    pub timeout: Option<u64>,
    /// Tries in all. [default: 3]
    #[arg(long)]
    pub attempts: Option<u32>,
    /// A leading `/`, `!`, `#` or `@` is meant as the agent's own command.
    #[arg(long)]
    pub command: bool,
    /// Sent again under the same key, it stays one prompt.
    #[arg(long, value_name = "KEY")]
    pub idempotency_key: Option<String>,
}

/// What can be asked besides.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show the server in numbers.
    Status,
    /// List the live sessions.
    Sessions {
        /// Also those that have ended.
        #[arg(long, short)]
        all: bool,
    },
    /// List prompts, newest first.
    Prompts {
        /// Only those in this state: pending, assigned, in_progress, held, completed, failed, cancelled.
        #[arg(long, short)]
        state: Option<wire::prompt::PromptState>,
        /// How many.
        #[arg(long, short = 'n', default_value_t = 30)]
        limit: u32,
    },
    /// Show a prompt with its tries and its answer.
    Show {
        /// Its number.
        id: i64,
    },
    /// Show why a prompt is where it is: scores of the sessions, hold, receipts.
    Why {
        /// Its number.
        id: i64,
    },
    /// Call a prompt off.
    Cancel {
        /// Its number.
        id: i64,
    },
    /// Try a prompt again that is held, failed or cancelled.
    Retry {
        /// Its number.
        id: i64,
    },
    /// Give a prompt to another session.
    Reassign {
        /// Its number.
        id: i64,
        /// The session, by name or id; the router chooses when it is left out.
        #[arg(long, value_name = "SESSION")]
        to: Option<String>,
    },
    /// Say yes, once, to what a session asks.
    Approve {
        /// Its name or id.
        session: String,
    },
    /// Say no to what a session asks.
    Deny {
        /// Its name or id.
        session: String,
    },
    /// Choose one of the options that a session shows.
    Answer {
        /// Its name or id.
        session: String,
        /// The option, counted from 1.
        #[arg(value_parser = clap::value_parser!(u32).range(1..))]
        number: u32,
    },
    /// Print what happened in a session.
    Logs {
        /// Its name or id.
        session: String,
        /// Go on with what happens.
        #[arg(long, short)]
        follow: bool,
        /// How many to begin with.
        #[arg(long, short = 'n', default_value_t = 100)]
        limit: u32,
    },
    /// Show sessions and prompts as they change.
    Watch {
        /// Print one line of counts whenever they change, for a status line
        #[arg(long)]
        counts: bool,
    },
    /// Print a link that logs one browser in, once, within a minute.
    Login,
    /// Print the completions of a shell.
    Completions {
        /// Which shell.
        shell: Shell,
    },
    /// Print the manual page.
    Man,
}

impl Cli {
    /// Says what is wrong with a combination that can be parsed but not meant.
    pub fn mistake(&self) -> Option<String> {
        if !self.send.rest.is_empty() {
            return Some("a prompt is one argument: put it in quotes".to_owned());
        }
        if self.command.is_some() && self.send != Send::default() {
            let hint =
                "a subcommand takes no prompt and none of its options; `--` before a prompt sends any word";
            return Some(hint.to_owned());
        }
        None
    }
}

/// Milliseconds of `90s`, `30m`, `1h 30m`.
fn duration(text: &str) -> Result<u64, String> {
    let parsed: jiff::SignedDuration =
        text.parse().map_err(|_| "write it like 90s, 30m or 1h30m".to_owned())?;
    u64::try_from(parsed.as_millis()).map_err(|_| "it must not be negative".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &[&str]) -> Cli {
        Cli::try_parse_from([&["assign"], args].concat()).unwrap()
    }

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }

    #[test]
    fn what_is_no_subcommand_is_a_prompt() {
        assert!(matches!(parse(&["status"]).command, Some(Command::Status)));
        assert!(parse(&["sessions", "--json"]).json);
        let sent = parse(&["fix it", "--wait", "--to", "api", "--timeout", "1h30m"]);
        assert!(sent.command.is_none());
        assert_eq!(sent.send.text.as_deref(), Some("fix it"));
        assert_eq!((sent.send.target.as_deref(), sent.send.timeout), (Some("api"), Some(5_400_000)));
        let first = parse(&["--json", "prompts"]);
        assert!(first.json && matches!(first.command, Some(Command::Prompts { .. })));
        let word = parse(&["--", "status"]);
        assert_eq!((word.command.is_none(), word.send.text.as_deref()), (true, Some("status")));
    }

    #[test]
    fn a_prompt_without_quotes_is_not_sent() {
        for args in [&["fix", "it"][..], &["fix", "status"], &["--wait", "status"], &["fix", "--wait", "it"]]
        {
            assert!(parse(args).mistake().is_some(), "{args:?}");
        }
        for args in [&["fix it"][..], &["--wait", "-"], &["--json", "status"], &["--", "--wait"]] {
            assert_eq!(parse(args).mistake(), None, "{args:?}");
        }
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for args in [
            &["--priority", "11", "x"][..],
            &["--timeout", "soon", "x"],
            &["prompts", "-s", "odd"],
            &["answer", "s", "0"],
        ] {
            assert!(Cli::try_parse_from([&["assign"], args].concat()).is_err(), "{args:?}");
        }
    }
}
