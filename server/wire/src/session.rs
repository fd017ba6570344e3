//! A session as everyone sees it: state with its cause, link, context, dialog.
//! Must not: decide anything.

use std::collections::BTreeMap;

use crate::{HostId, PromptId, SessionId, UnixMillis};

words! {
    /// What the agent is doing, as far as it is known.
    pub enum State {
        /// The program runs but does not take input yet.
        Starting = "starting",
        /// It waits for a prompt.
        Idle = "idle",
        /// It works on a turn.
        Busy = "busy",
        /// It asks whether it may do something.
        WaitingPermission = "waiting_permission",
        /// It asks something else: a choice, trust, a login, a plan's approval.
        WaitingInput = "waiting_input",
        /// The program has ended.
        Exited = "exited",
        /// Evidence is missing or contradicts itself.
        Unknown = "unknown",
    }
}

impl State {
    /// Whether a person has to act before the agent goes on.
    pub fn waits(self) -> bool {
        matches!(self, State::WaitingPermission | State::WaitingInput)
    }
}

words! {
    /// Where a state came from, strongest first.
    pub enum Source {
        /// The process ended.
        Exit = "exit",
        /// A hook of the agent.
        Hook = "hook",
        /// The program status protocol, OSC 7501.
        Status = "status",
        /// Title, notification, shell marks, terminal modes.
        Terminal = "terminal",
        /// A rule of the agent's profile over a region of the emulated screen.
        Screen = "screen",
        /// A key that the wrapper saw.
        Input = "input",
        /// Time without output, the process tree.
        Silence = "silence",
    }
}

words! {
    /// Whether the session's wrapper is connected to the server.
    pub enum Link {
        /// Connected.
        Connected = "connected",
        /// Not connected; the session may well be alive.
        Disconnected = "disconnected",
    }
}

words! {
    /// What a dialog asks for.
    pub enum DialogKind {
        /// To run a tool or change a file.
        Permission = "permission",
        /// To choose or to answer.
        Question = "question",
        /// To trust a folder.
        Trust = "trust",
        /// To approve a plan.
        Plan = "plan",
        /// To log in.
        Login = "login",
        /// Anything else that takes the keyboard (a start-up notice, a menu).
        Other = "other",
    }
}

words! {
    /// What a tool is about to do, in the words of policies.
    pub enum Action {
        /// To run a command.
        Shell = "shell",
        /// To change or make files.
        Edit = "edit",
        /// To read files.
        Read = "read",
        /// To fetch something from the network.
        Fetch = "fetch",
        /// Anything else.
        Other = "other",
    }
}

words! {
    /// How a session can be brought into another context.
    pub enum Moves {
        /// Not at all: a person sits in front of it, or it was started so.
        None = "none",
        /// By `cd` and `export`, typed into a shell.
        Shell = "shell",
        /// By starting its program anew.
        Relaunch = "relaunch",
    }
}

wire! {
    /// A state with its cause. Invariant: never printed without `source` and `since`.
    pub struct Claim {
        /// The state.
        pub state: State,
        /// What kind of evidence it rests on.
        pub source: Source,
        /// The rule that matched, for example `claude.title.busy`.
        pub rule: String,
        /// What the rule saw, cut to 200 characters.
        pub evidence: String,
        /// When the state began.
        pub since: UnixMillis,
        /// Idle, but work goes on in the background.
        #[serde(default)]
        pub background: bool,
    }

    /// One line of a dialog that can be chosen.
    pub struct DialogOption {
        /// Place in the list, from 0.
        pub index: u32,
        /// Its text.
        pub label: String,
        /// Whether it is highlighted now.
        pub selected: bool,
    }

    /// The call of a tool that permission is needed for, as the agent told it outside its terminal.
    pub struct ToolRequest {
        /// The tool's name.
        pub tool: String,
        /// What it would work on: a command, a file.
        pub detail: String,
        /// All its arguments, as JSON; at most 16,000 characters.
        pub arguments: String,
        /// What kind of thing it would do, by the agent's profile.
        #[serde(default = "other_action")]
        pub action: Action,
        /// For a command: its text. Only a whole command that the agent told as such.
        #[serde(default)]
        pub command: Option<String>,
        /// For files: their real paths, absolute, links resolved by the wrapper when it was asked.
        #[serde(default)]
        pub paths: Vec<String>,
    }

    /// What the agent asks.
    pub struct Dialog {
        /// Hash of kind, body, options, tool and arguments, and the place in the session's output at which it
        /// appeared: an answer is bound to it, and a later one that reads the same is another.
        pub id: String,
        /// What it asks for.
        pub kind: DialogKind,
        /// First line, for lists.
        pub title: String,
        /// The whole request, lines joined by `\n`.
        pub body: String,
        /// What can be chosen; empty when the profile does not know.
        pub options: Vec<DialogOption>,
        /// Whether `approve` and `deny` are known for it.
        pub answerable: bool,
        /// The structured request behind it, when the agent told it.
        #[serde(default)]
        pub request: Option<ToolRequest>,
    }

    /// Where a session works, read from the process and from git.
    pub struct Context {
        /// Working directory of the agent's process, absolute.
        pub dir: String,
        /// Branch of the repository at `dir`; `None` outside one or with a detached head.
        pub branch: Option<String>,
        /// Root of the repository at `dir`.
        pub repo: Option<String>,
        /// Variables that tasks asked for and that are set, and a few that name an environment (`VIRTUAL_ENV`).
        #[serde(default)]
        pub env: BTreeMap<String, String>,
        /// Hash of the rest, 12 hexadecimal digits: another context is another hash.
        #[serde(default)]
        pub hash: String,
    }

    /// Columns and rows of a terminal.
    #[derive(Copy, Eq)]
    pub struct Size {
        /// Columns.
        pub cols: u16,
        /// Rows.
        pub rows: u16,
    }

    /// How a program ended.
    #[derive(Copy, Eq)]
    #[serde(tag = "how", rename_all = "snake_case")]
    pub enum Exit {
        /// It returned a status.
        Code {
            /// 0 to 255.
            code: i32,
        },
        /// A signal ended it.
        Signal {
            /// The signal's number.
            signal: i32,
        },
    }

    /// A session: what `assign sessions` and the dashboard list.
    pub struct Session {
        /// Identity.
        pub id: SessionId,
        /// Unique among the live sessions of its host.
        pub name: String,
        /// Where it runs.
        pub host: HostId,
        /// Name of that host.
        pub host_name: String,
        /// Profile in use, for example `claude`.
        pub agent: String,
        /// The command, argument by argument.
        pub argv: Vec<String>,
        /// Role that it declared.
        pub role: Option<String>,
        /// Capabilities that it declared.
        pub caps: Vec<String>,
        /// The pool that it was started for.
        #[serde(default)]
        pub pool: Option<String>,
        /// How it can be brought into another context.
        pub moves: Moves,
        /// Whether it runs what it is given, line by line, as commands: a shell.
        #[serde(default)]
        pub interpreter: bool,
        /// Whether it is given no prompts until a person says otherwise.
        #[serde(default)]
        pub paused: bool,
        /// Until when its provider's limit of use lasts, as far as it is known.
        pub limited: Option<UnixMillis>,
        /// What it is doing.
        pub claim: Claim,
        /// Whether its wrapper is connected.
        pub link: Link,
        /// Since when the link is as it is.
        pub link_since: UnixMillis,
        /// Where it works.
        pub context: Context,
        /// Window title, as text.
        pub title: String,
        /// What it asks, if it asks.
        pub dialog: Option<Dialog>,
        /// The prompt it works on.
        pub prompt: Option<PromptId>,
        /// Terminal size.
        pub size: Size,
        /// Whether a user's terminal is attached.
        pub attached: bool,
        /// Whether the person at its terminal keeps others from typing.
        #[serde(default)]
        pub kept: bool,
        /// Who holds the keyboard from a dashboard, if anyone.
        pub keyboard: Option<String>,
        /// The last settled line of its screen.
        pub last_line: String,
        /// Latest figures by name: `tokens_in`, `tokens_out`, `cost_usd`, `context_left_percent`; `tokens_in@MODEL` and
        /// `tokens_out@MODEL` are those of one model.
        pub metrics: BTreeMap<String, f64>,
        /// When the program started.
        pub started: UnixMillis,
        /// When anything last changed.
        pub active: UnixMillis,
        /// How it ended.
        pub exit: Option<Exit>,
    }
}

impl Exit {
    /// The status a shell would report: the code, or 128 plus the signal.
    pub fn status(self) -> i32 {
        match self {
            Exit::Code { code } => code,
            Exit::Signal { signal } => 128 + signal,
        }
    }
}

fn other_action() -> Action {
    Action::Other
}
