//! What the extractor takes in and gives out. Must not: decide anything.
//!
//! Times are durations since the start of the recording; offsets count bytes of output from its start.

use std::collections::BTreeMap;
use std::time::Duration;

macro_rules! words {
    ($(#[$meta:meta])* pub enum $name:ident { $($(#[$vmeta:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$vmeta])* $variant),+ }

        impl $name {
            /// Every member, in the order of declaration.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The word in JSON and on the screen.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }
    };
}

words! {
    /// What the agent is doing.
    pub enum State {
        /// The program runs but does not take input yet.
        Starting = "starting",
        /// It waits for a prompt.
        Idle = "idle",
        /// It works on a turn.
        Busy = "busy",
        /// It asks whether it may do something.
        WaitingPermission = "waiting_permission",
        /// It asks something else.
        WaitingInput = "waiting_input",
        /// The program has ended.
        Exited = "exited",
        /// Evidence is missing or contradicts itself.
        Unknown = "unknown",
    }
}

words! {
    /// Where evidence came from, strongest first.
    pub enum Source {
        /// The process ended.
        Exit = "exit",
        /// A hook of the agent.
        Hook = "hook",
        /// The program status protocol, OSC 7501.
        Status = "status",
        /// Title, notification, shell marks, terminal modes.
        Terminal = "terminal",
        /// A rule over a region of the emulated screen.
        Screen = "screen",
        /// A key that the wrapper saw.
        Input = "input",
        /// Time without output.
        Silence = "silence",
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
        /// Anything else that takes the keyboard.
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
    /// How a turn ended.
    pub enum TurnOutcome {
        /// Well.
        Completed = "completed",
        /// API error, refusal, exhausted context, exit.
        Failed = "failed",
        /// Somebody interrupted it.
        Interrupted = "interrupted",
    }
}

words! {
    /// Why a turn failed, or why its end is not to be trusted.
    pub enum Cause {
        /// The model's interface failed.
        ApiError = "api_error",
        /// A limit of use is reached.
        RateLimited = "rate_limited",
        /// The conversation does not fit into the model's context any more.
        ContextExhausted = "context_exhausted",
        /// Nobody is logged in, or the key or the account does not allow it.
        Auth = "auth",
        /// The agent itself says that it did not do it.
        Refused = "refused",
        /// A command ended with a status other than 0.
        Status = "status",
        /// The program ended during the turn.
        Exited = "exited",
        /// The turn was over in a moment, without a word and without a call of a tool.
        Empty = "empty",
        /// A dialog came and went, and nobody saw the agent work before or after.
        Unworked = "unworked",
    }
}

words! {
    /// What an event is about.
    pub enum EventKind {
        /// An error message.
        Error = "error",
        /// A stack trace.
        StackTrace = "stack_trace",
        /// Result of a test or a run of tests.
        TestResult = "test_result",
        /// Start, progress or result of a build.
        Build = "build",
        /// A file was changed.
        FileEdit = "file_edit",
        /// A file was read.
        FileRead = "file_read",
        /// A command ran.
        Command = "command",
        /// A block of code.
        CodeBlock = "code_block",
        /// The agent called a tool.
        ToolCall = "tool_call",
        /// Tokens, cost, context left, progress.
        Metric = "metric",
        /// A link.
        Url = "url",
        /// Something in a repository.
        Git = "git",
        /// The agent asked for permission.
        Permission = "permission",
    }
}

words! {
    /// How much an event matters.
    pub enum Severity {
        /// For the record.
        Info = "info",
        /// Worth a look.
        Warning = "warning",
        /// Something failed.
        Error = "error",
    }
}

words! {
    /// Who said it.
    pub enum Origin {
        /// A tool's or command's output.
        Tool = "tool",
        /// The agent's own words.
        Agent = "agent",
        /// The user's text.
        User = "user",
        /// The screen does not tell.
        Unknown = "unknown",
    }
}

/// A state with its cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The state.
    pub state: State,
    /// What kind of evidence it rests on.
    pub source: Source,
    /// The rule that matched, for example `NAME.title.busy`.
    pub rule: String,
    /// What the rule saw, at most 200 characters.
    pub evidence: String,
    /// When the state began.
    pub since: Duration,
    /// Idle, but work goes on in the background.
    pub background: bool,
}

/// One line of a dialog that can be chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DialogOption {
    /// Its text.
    pub label: String,
    /// Whether it is highlighted.
    pub selected: bool,
    /// The bytes that choose it, when the profile knows them.
    pub keys: Option<Vec<u8>>,
}

/// The call of a tool that permission is needed for, as the agent told it outside its terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolRequest {
    /// The tool's name.
    pub tool: String,
    /// What it would work on: a command, a file.
    pub detail: String,
    /// All its arguments, as JSON; at most 16,000 characters.
    pub arguments: String,
    /// What kind of thing it would do, by the agent's profile.
    pub action: Action,
    /// For a command: its text, whole.
    pub command: Option<String>,
    /// For files: their paths as the agent gave them; `.` is where it works.
    pub paths: Vec<String>,
    /// Counts the requests of the session, from 1.
    pub number: u64,
    /// No other request of this turn waits for its outcome, so that the dialog can be about no other.
    pub alone: bool,
}

/// What the agent asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dialog {
    /// Hash of kind, body and options' labels, 16 hex digits: the same dialog redrawn has the same id.
    pub id: String,
    /// Bytes of output up to its appearance: one that reads the same later stands at another place.
    pub place: u64,
    /// What it asks for.
    pub kind: DialogKind,
    /// First line, for lists.
    pub title: String,
    /// The whole request, lines joined by `\n`, borders removed.
    pub body: String,
    /// What can be chosen.
    pub options: Vec<DialogOption>,
    /// The bytes that say yes, once; `None` when the profile does not know.
    pub approve: Option<Vec<u8>>,
    /// The bytes that say no.
    pub deny: Option<Vec<u8>>,
    /// The structured request behind it, when the agent told it.
    pub request: Option<ToolRequest>,
}

/// What stands where a prompt would be typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Composer {
    /// There is none on the screen (a dialog is open, the program has not drawn it yet).
    Absent,
    /// The profile does not say where it is.
    Unreadable,
    /// It takes text and holds none; grey ghost text is not text.
    Empty,
    /// It holds this text, its visible lines joined by `\n`.
    Holds(String),
}

/// Whether a given text stands in the composer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// Yes, as text, and nothing else (wrapping and white space do not count).
    Text,
    /// Yes, as far as the composer shows it: what stands outside of that part is not known.
    Part,
    /// Yes, as the agent's placeholder for a paste.
    Placeholder,
    /// Something else stands there, or nothing.
    No,
}

/// One thing the extractor concluded.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// When.
    pub at: Duration,
    /// Output bytes up to and including the cause.
    pub offset: u64,
    /// What.
    pub what: Seen,
}

/// What was concluded.
#[derive(Debug, Clone, PartialEq)]
pub enum Seen {
    /// The state, or its cause, changed.
    State(Claim),
    /// A dialog opened, changed or closed.
    Dialog(Option<Dialog>),
    /// The agent took a prompt and its turn began.
    TurnBegan {
        /// What told so.
        source: Source,
    },
    /// The turn ended.
    TurnEnded {
        /// How.
        outcome: TurnOutcome,
        /// Why, for people; the agent's error line when it failed.
        reason: String,
        /// Why, for programs; of a turn that completed, why its end is not to be trusted.
        cause: Option<Cause>,
        /// When a limit ends, as the agent put it.
        until: Option<String>,
        /// What told so.
        source: Source,
        /// The last answer, plain text without borders, spinners and colour.
        answer: String,
    },
    /// Something was found in the output.
    Event(Event),
    /// The window title changed.
    Title(String),
    /// The program asked its terminal something; these bytes would answer. Only the party that answers for the
    /// terminal at this moment may write them.
    Query(Vec<u8>),
}

/// A thing found in the output, once however often it was drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// What it is about.
    pub kind: EventKind,
    /// How much it matters.
    pub severity: Severity,
    /// Who said it.
    pub origin: Origin,
    /// The rule that found it.
    pub rule: String,
    /// The line, at most 500 characters.
    pub text: String,
    /// What the rule captured, by name.
    pub fields: BTreeMap<String, String>,
    /// Same for repeats of the same thing: 16 hex digits.
    pub fingerprint: String,
}

/// What a person, the queue or a terminal wrote to the program, without the text itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Keys {
    /// Written by the queue, not by a person.
    pub queue: bool,
    /// Only a terminal's replies to queries; nobody pressed a key.
    pub reply: bool,
    /// Holds an Enter outside a paste.
    pub enter: bool,
    /// Is a lone Escape.
    pub escape: bool,
    /// Holds Ctrl-C.
    pub interrupt: bool,
    /// Holds text or other keys.
    pub text: bool,
}

/// What the program's processes do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Doing {
    /// Another process group than the program's own has the terminal.
    pub away: bool,
    /// One of its processes uses the processor.
    pub works: bool,
    /// Which, for people.
    pub what: String,
}

/// How the program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// With a status.
    Code(i32),
    /// By a signal.
    Signal(i32),
}
