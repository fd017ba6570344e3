//! What can be written after `assign`. Must not: act.

use std::path::PathBuf;

use clap::{Args, CommandFactory, Parser, Subcommand};
use clap_complete::Shell;

use crate::sending::{self, Send};

const AFTER: &str = "\
Examples:
  assign \"Fix the bug in login.py\"         the best session gets it; prints the prompt's number
  assign --wait --to api --dir ~/api \"...\"  waits; prints the agent's answer
  assign --after 41,42 --verify 'make test' \"...\"   when those are done; done when the tests pass
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
  124  it took longer than it may: --timeout, or --wait-timeout for a session (--wait)";

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
    /// Use the token in this file, or else that in MUSTER_TOKEN, instead of the command line's own.
    #[arg(long, global = true, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
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
        /// Only those that this session has, had or is asked for.
        #[arg(long)]
        session: Option<String>,
        /// Only those with this tag.
        #[arg(long)]
        tag: Option<String>,
        /// Only those of this thread.
        #[arg(long)]
        thread: Option<String>,
        /// Only those whose idempotency key begins so; `assign run` prints that of its prompts.
        #[arg(long)]
        key: Option<String>,
        /// Only those that were queued before this one: the next page.
        #[arg(long, value_name = "ID")]
        before: Option<i64>,
        /// How many.
        #[arg(long, short = 'n', default_value_t = 30)]
        limit: u32,
    },
    /// Show who would get which prompt now, and why the others wait. Changes nothing.
    Plan {
        /// How many prompts.
        #[arg(long, short = 'n', default_value_t = 30)]
        limit: u32,
    },
    /// Run many prompts that depend on each other, from one file.
    Run(crate::run::RunArgs),
    /// Turn files of a folder into prompts, and write their results beside them.
    WatchDir(crate::tasks::WatchArgs),
    /// Write, check and clear away task files.
    Task {
        /// What to do.
        #[command(subcommand)]
        verb: crate::tasks::TaskVerb,
    },
    /// Show, start and use the panes of tmux, those that Muster did not start as well.
    Tmux(crate::tmux::TmuxArgs),
    /// Serve an agent that manages others: the Model Context Protocol on standard input and output.
    Mcp(crate::mcp::McpArgs),
    /// Change what a prompt asks for that no session has yet.
    Edit {
        /// Its number.
        id: i64,
        /// Its text anew; `-` reads standard input.
        #[arg(long)]
        text: Option<String>,
        /// 0 (last) to 10 (first).
        #[arg(long, short, value_parser = clap::value_parser!(u8).range(0..=10))]
        priority: Option<u8>,
        /// Prompts that must be completed before; an empty word: none.
        #[arg(long, value_name = "ID,ID", value_delimiter = ',')]
        after: Option<Vec<String>>,
        /// Not before this time, for example `2026-05-01T09:00` or `18:30`.
        #[arg(long, value_name = "TIME", value_parser = sending::instant)]
        at: Option<i64>,
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
    /// Call a prompt off, or with --all many.
    Cancel(Which),
    /// Try a prompt again that is held, failed or cancelled; with --all many: without --state, those that failed.
    Retry(Which),
    /// Forget prompts that have ended, with their results.
    Clear {
        /// Only those in this state: completed, failed, cancelled.
        #[arg(long, short)]
        state: Option<wire::prompt::PromptState>,
        /// Only those that have not changed for so long, for example `7d`.
        #[arg(long, value_name = "TIME", value_parser = sending::duration)]
        older: Option<u64>,
    },
    /// Delete for good what ended sessions and prompts left: recordings, reports, results, texts.
    Purge(crate::purge::Args),
    /// Give a prompt to another session.
    Reassign {
        /// Its number.
        id: i64,
        /// The session, by name or id; the router chooses when it is left out.
        #[arg(long, value_name = "SESSION")]
        to: Option<String>,
    },
    /// Give out no prompts any longer, to any session or to one; what runs goes on.
    Pause {
        /// Its name or id; all sessions when it is left out.
        session: Option<String>,
    },
    /// Give out prompts again.
    Resume {
        /// The session's name or id; all sessions when it is left out.
        session: Option<String>,
    },
    /// List what agents ask and nobody has answered.
    Approvals {
        /// Also what was answered or is gone.
        #[arg(long, short)]
        all: bool,
        /// Only what this session asks.
        #[arg(long)]
        session: Option<String>,
        /// How many.
        #[arg(long, short = 'n', default_value_t = 30)]
        limit: u32,
    },
    /// Say yes, once, to what a session asks.
    Approve {
        /// Its name or id, or the number of an approval.
        session: String,
    },
    /// Say no to what a session asks.
    Deny {
        /// Its name or id, or the number of an approval.
        session: String,
    },
    /// Choose one of the options that a session shows.
    Answer {
        /// Its name or id, or the number of an approval.
        session: String,
        /// The option, counted from 1.
        #[arg(value_parser = clap::value_parser!(u32).range(1..), required_unless_present = "text")]
        number: Option<u32>,
        /// Words of your own, for what an agent asks beside its terminal.
        #[arg(long, conflicts_with = "number")]
        text: Option<String>,
    },
    /// Show or set the rules that answer what agents ask.
    Policy {
        /// What to do.
        #[command(subcommand)]
        verb: PolicyVerb,
    },
    /// List the conditions that you should know of.
    Alerts {
        /// Also those that are over.
        #[arg(long, short)]
        all: bool,
    },
    /// Say where alerts are told: a command, a webhook, ntfy, Slack, Discord, Telegram, the desktop.
    Sink {
        /// What to do.
        #[command(subcommand)]
        verb: crate::alerts::SinkVerb,
    },
    /// Keep sessions at hand: started when prompts wait for them, ended when idle.
    Pool {
        /// What to do.
        #[command(subcommand)]
        verb: crate::pools::PoolVerb,
    },
    /// Keep prompts to begin with, with blanks that are filled in when they are sent.
    Template {
        /// What to do.
        #[command(subcommand)]
        verb: crate::templates::TemplateVerb,
    },
    /// Give programs and people credentials of their own, with roles.
    Token {
        /// What to do.
        #[command(subcommand)]
        verb: crate::tokens::TokenVerb,
    },
    /// Find words in prompts, results, events and what settled on the screens of sessions.
    Search {
        /// The words; all must be there, and the last may be the beginning of one.
        #[arg(required = true)]
        words: Vec<String>,
        /// Only there: prompt, result, event, text.
        #[arg(long, short)]
        kind: Option<wire::search::HitKind>,
        /// Only in this session.
        #[arg(long)]
        session: Option<String>,
        /// How many.
        #[arg(long, short = 'n', default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=200))]
        limit: u32,
    },
    /// Show who did what: assigned, cancelled, approved, took a keyboard.
    Audit {
        /// How many entries, the newest first.
        #[arg(long, short = 'n', default_value_t = 50)]
        limit: u32,
        /// Check that no entry was changed or removed.
        #[arg(long)]
        check: bool,
    },
    /// Show where a session worked: directory, branch, environment.
    Context {
        /// Its name or id.
        session: String,
        /// How many changes, the newest first.
        #[arg(long, short = 'n', default_value_t = 30)]
        limit: u32,
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
    /// Print what happens in all sessions, one JSON object a line, to be followed and resumed.
    Events(crate::events::Wanted),
    /// Show sessions and prompts as they change; on a terminal a full screen, where requests are answered too.
    Watch {
        /// Print one line of counts whenever they change, for a status line
        #[arg(long)]
        counts: bool,
        /// Tell what comes to wait for you as a notice of your terminal: kinds and names, each once
        #[arg(long, value_name = "WAY", num_args = 0..=1, default_missing_value = "auto", conflicts_with = "counts")]
        notify: Option<crate::notice::Wish>,
    },
    /// Look at this machine and say what to mend: versions, access, agents, terminal, limits.
    Doctor,
    /// Print a link that logs one browser in, once, within a minute.
    Login,
    /// Print the JSON Schema of each line that a command prints with --json; without a command, list those there are.
    Schema {
        /// Which, for example `sessions` or `policy show`; `send` is the one without a name.
        command: Vec<String>,
    },
    /// Print the completions of a shell.
    Completions {
        /// Which shell.
        shell: Shell,
    },
    /// Print the manual page.
    Man,
}

/// One prompt, or many.
#[derive(Debug, Args)]
pub struct Which {
    /// Its number.
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    pub id: Option<i64>,
    /// Many: all that the other options leave.
    #[arg(long)]
    pub all: bool,
    /// Those in this state.
    #[arg(long, short, requires = "all")]
    pub state: Option<wire::prompt::PromptState>,
    /// Those that this session has, had or is asked for.
    #[arg(long, requires = "all")]
    pub session: Option<String>,
    /// Those with this tag.
    #[arg(long, requires = "all")]
    pub tag: Option<String>,
    /// Those of this thread.
    #[arg(long, requires = "all")]
    pub thread: Option<String>,
    /// Those whose idempotency key begins so.
    #[arg(long, requires = "all")]
    pub key: Option<String>,
}

/// What can be done with rules.
#[derive(Debug, Subcommand)]
pub enum PolicyVerb {
    /// Show the rules in force.
    Show,
    /// Say what rules would have answered to what was asked lately, and change nothing.
    Test {
        /// A file of rules; the rules in force when it is left out.
        file: Option<PathBuf>,
        /// How many requests.
        #[arg(long, short = 'n', default_value_t = 100)]
        limit: u32,
    },
    /// Print rules to begin with: all that ship, by name, or one of them as a file.
    Examples {
        /// Which.
        name: Option<String>,
    },
    /// Set the rules: what matches is answered without a person from now on.
    Set {
        /// A file of rules; an empty one takes all rules away.
        file: PathBuf,
    },
}

/// What others call a command that has another name here.
const ELSEWHERE: [(&str, &str); 5] =
    [("queue", "prompts"), ("jobs", "prompts"), ("list", "sessions"), ("ls", "sessions"), ("ps", "sessions")];

impl Cli {
    /// Says what is wrong with a combination that can be parsed but not meant. `literal`: a `--` says that no word is a
    /// command.
    pub fn mistake(&self, literal: bool) -> Option<String> {
        if !self.send.rest.is_empty() {
            return Some("a prompt is one argument: put it in quotes".to_owned());
        }
        if self.command.is_some() && self.send != Send::default() {
            let hint =
                "a subcommand takes no prompt and none of its options; `--` before a prompt sends any word";
            return Some(hint.to_owned());
        }
        let word = self.send.text.as_deref().filter(|_| !literal)?;
        if self.send != (Send { text: self.send.text.clone(), ..Send::default() }) {
            return None;
        }
        let meant = meant(word)?;
        Some(format!(
            "there is no command '{word}'; did you mean '{meant}'? `assign -- {word}` sends it as a prompt"
        ))
    }
}

/// The command that a word was probably meant for: a slip must not become a prompt, which costs and disturbs.
fn meant(word: &str) -> Option<String> {
    let commands = Cli::command();
    let mut names = commands.get_subcommands().map(clap::Command::get_name);
    // A word of three letters is one letter away from too many.
    let slip = |name: &&str| word.len() > 3 && strsim::osa_distance(word, name) == 1;
    let other = ELSEWHERE.iter().find(|(other, _)| *other == word).map(|(_, name)| *name);
    names.find(slip).or(other).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &[&str]) -> Cli {
        Cli::try_parse_from([&["assign"], args].concat()).unwrap()
    }

    #[test]
    fn the_command_line_is_consistent() {
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
            assert!(parse(args).mistake(false).is_some(), "{args:?}");
        }
        for args in [&["fix it"][..], &["--wait", "-"], &["--json", "status"], &["--", "--wait"]] {
            assert_eq!(parse(args).mistake(args.contains(&"--")), None, "{args:?}");
        }
    }

    #[test]
    fn a_slip_of_the_fingers_is_no_prompt() {
        let mistake = |args: &[&str], literal| parse(args).mistake(literal);
        for (word, meant) in [
            ("stauts", "status"),
            ("Status", "status"),
            ("session", "sessions"),
            ("queue", "prompts"),
            ("ls", "sessions"),
        ] {
            let said = mistake(&[word], false).unwrap();
            assert!(said.contains(&format!("'{meant}'")) && said.contains(&format!("-- {word}")), "{said}");
            assert_eq!(mistake(&["--", word], true), None);
            assert_eq!(mistake(&[word, "--to", "api"], false), None, "with a prompt's options it is one");
        }
        for prompt in ["continue", "yes", "go", "fix", "why not"] {
            assert_eq!(mistake(&[prompt], false), None, "{prompt}");
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
