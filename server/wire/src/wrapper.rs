//! What a session's wrapper and the server say to each other, on `/v1/wrapper`.
//!
//! The wrapper speaks first ([`ToServer::Hello`]); the server answers with [`ToWrapper::Welcome`] or
//! [`ToWrapper::Refused`]. Reports carry consecutive sequence numbers from 1 per session; the server
//! acknowledges what it has committed, and the wrapper sends again from there after a reconnect.
//! Must not: hold logic.

use std::collections::BTreeMap;

use crate::admin::Resources;
use crate::event::Event;
use crate::pool::NewPool;
use crate::prompt::{Failed, Hold, PromptResult, Receipt, WorktreePolicy};
use crate::session::{Claim, Context, Dialog, Exit, Moves, Size};
use crate::{AttemptId, HostId, PromptId, SessionId, UnixMillis};

wire! {
    /// Who is calling, and where it stands.
    pub struct Hello {
        /// Newest version spoken.
        pub protocol: u32,
        /// Oldest version spoken.
        pub protocol_oldest: u32,
        /// Version of the wrapper.
        pub version: String,
        /// The session.
        pub session: SessionId,
        /// Its name.
        pub name: String,
        /// Host.
        pub host: HostId,
        /// Host's name.
        pub host_name: String,
        /// Profile in use.
        pub agent: String,
        /// The command.
        pub argv: Vec<String>,
        /// Role that was declared.
        #[serde(default)]
        pub role: Option<String>,
        /// Capabilities that were declared.
        #[serde(default)]
        pub caps: Vec<String>,
        /// The pool that it was started for.
        #[serde(default)]
        pub pool: Option<String>,
        /// When the program started.
        pub started: UnixMillis,
        /// Number of this observer of the session, from 1: a newer one replaces an older.
        #[cfg_attr(feature = "ts", ts(type = "number"))]
        pub epoch: u64,
        /// Highest sequence number written so far.
        #[cfg_attr(feature = "ts", ts(type = "number"))]
        pub last_seq: u64,
        /// Highest fence ever seen.
        #[cfg_attr(feature = "ts", ts(type = "number"))]
        pub fence: u64,
        /// The attempt it holds, if it holds one: the server must not lease it elsewhere.
        pub holds: Option<AttemptId>,
        /// Everything that is true now, so that a new server knows at once.
        pub now: Now,
    }

    /// The present of a session, replaced as a whole.
    pub struct Now {
        /// State.
        pub claim: Claim,
        /// Context.
        pub context: Context,
        /// Title.
        pub title: String,
        /// Open dialog.
        pub dialog: Option<Dialog>,
        /// Terminal size.
        pub size: Size,
        /// Whether a terminal is attached.
        pub attached: bool,
        /// Whether that terminal keeps others from typing.
        #[serde(default)]
        pub kept: bool,
        /// How it can be brought into another context now.
        #[serde(default = "no_moves")]
        pub moves: Moves,
        /// Whether it runs what it is given, line by line, as commands: a shell.
        #[serde(default)]
        pub interpreter: bool,
        /// Last settled line.
        pub last_line: String,
        /// Figures by name; see [`crate::session::Session::metrics`].
        pub metrics: BTreeMap<String, f64>,
        /// How the program ended, if it did.
        pub exit: Option<Exit>,
    }

    /// A durable report, numbered.
    pub struct Numbered {
        /// Consecutive from 1 within the session.
        #[cfg_attr(feature = "ts", ts(type = "number"))]
        pub seq: u64,
        /// When.
        pub at: UnixMillis,
        /// What.
        pub report: Report,
    }

    /// What a wrapper reports for ever.
    #[serde(tag = "type", rename_all = "snake_case")]
    pub enum Report {
        /// The state changed.
        State {
            /// The new one.
            claim: Claim,
            /// What it asks, when it waits.
            dialog: Option<Dialog>,
        },
        /// Something was found in the output.
        Event {
            /// What.
            event: Event,
        },
        /// Lines that settled on the screen or scrolled off it, each once, without secrets. Spoken from protocol 2 on.
        Text {
            /// The byte of the output before which the first of them began to settle.
            #[cfg_attr(feature = "ts", ts(type = "number"))]
            offset: u64,
            /// The lines, joined by `\n`; at most 8 KiB.
            text: String,
        },
        /// Directory or branch changed.
        Context {
            /// The new one.
            context: Context,
        },
        /// An attempt came a step further.
        Receipt {
            /// Which.
            attempt: AttemptId,
            /// The step.
            receipt: Receipt,
        },
        /// The gate refused an attempt or it got stuck; see [`crate::prompt::HoldCode::transient`].
        Held {
            /// Which.
            attempt: AttemptId,
            /// Why.
            hold: Hold,
        },
        /// An attempt ended.
        Ended {
            /// Which.
            attempt: AttemptId,
            /// How.
            result: PromptResult,
        },
        /// The program ended.
        Exited {
            /// How.
            exit: Exit,
        },
    }

    /// From wrapper to server.
    #[serde(tag = "type", rename_all = "snake_case")]
    pub enum ToServer {
        /// First message.
        Hello(Hello),
        /// Durable reports, consecutive.
        Reports {
            /// At least one.
            reports: Vec<Numbered>,
        },
        /// The present, sent when it changed, at most ten times a second; not durable.
        Now(Now),
        /// Renews the leases; every 5 seconds.
        Heartbeat {
            /// The attempt still held.
            holds: Option<AttemptId>,
            /// What the host can spare.
            #[serde(default)]
            resources: Option<Resources>,
        },
        /// Answer to a request.
        Reply {
            /// Which request.
            #[cfg_attr(feature = "ts", ts(type = "number"))]
            request: u64,
            /// `None` when done, else why not.
            refused: Option<Hold>,
        },
        /// A part of a recording, without secrets.
        Recording {
            /// Which request.
            #[cfg_attr(feature = "ts", ts(type = "number"))]
            request: u64,
            /// The part.
            part: crate::http::RecordingPart,
        },
    }

    /// From server to wrapper.
    #[serde(tag = "type", rename_all = "snake_case")]
    pub enum ToWrapper {
        /// The answer to hello.
        Welcome {
            /// Version to speak.
            protocol: u32,
            /// Version of the server.
            version: String,
            /// Last sequence number committed; send from the next.
            #[cfg_attr(feature = "ts", ts(type = "number"))]
            ack: u64,
        },
        /// The connection is refused for good; do not retry with the same build.
        Refused {
            /// Why, and what to do.
            text: String,
        },
        /// All reports up to here are committed.
        Ack {
            /// Sequence number.
            #[cfg_attr(feature = "ts", ts(type = "number"))]
            seq: u64,
        },
        /// Type this prompt, if the gate allows.
        Offer(Offer),
        /// Call an attempt off: not typed yet, it ends as cancelled; running, it is interrupted.
        Cancel {
            /// Which.
            attempt: AttemptId,
        },
        /// The server does not know this attempt any more (it was decided otherwise): let go of it.
        Forget {
            /// Which.
            attempt: AttemptId,
        },
        /// Answer a dialog, if it is still the same.
        Answer {
            /// For the reply.
            #[cfg_attr(feature = "ts", ts(type = "number"))]
            request: u64,
            /// Identity of the dialog that was shown to the person.
            dialog: String,
            /// What they chose.
            choice: Choice,
            /// A rule over the structured request decided, not a person at a screen: what has just appeared is
            /// answered a little later instead of refused.
            #[serde(default)]
            rule: bool,
        },
        /// Send terminal bytes: first a snapshot, then what follows.
        Watch,
        /// Nobody watches any more.
        Unwatch,
        /// A viewer fell behind: send a new snapshot.
        Snapshot,
        /// Send a part of a recording of this host, as [`ToServer::Recording`].
        Recording {
            /// For the reply.
            #[cfg_attr(feature = "ts", ts(type = "number"))]
            request: u64,
            /// Which session's; need not be the wrapper's own, and may have ended.
            session: SessionId,
            /// From this byte of its output.
            #[cfg_attr(feature = "ts", ts(type = "number"))]
            from: u64,
            /// At most so many bytes.
            length: u32,
        },
        /// Keys from a viewer that holds the keyboard.
        Keys {
            /// For the reply.
            #[cfg_attr(feature = "ts", ts(type = "number"))]
            request: u64,
            /// What to write, as UTF-8.
            text: String,
        },
        /// End the session, if it rests and nobody uses it; only said to sessions of a pool.
        End {
            /// For the reply.
            #[cfg_attr(feature = "ts", ts(type = "number"))]
            request: u64,
        },
        /// Start another session on this host; only said to wrappers that know pools.
        Start {
            /// For the reply.
            #[cfg_attr(feature = "ts", ts(type = "number"))]
            request: u64,
            /// The session's name.
            name: String,
            /// What is to be started.
            pool: NewPool,
        },
    }

    /// A prompt to be typed.
    pub struct Offer {
        /// The attempt.
        pub attempt: AttemptId,
        /// Its prompt.
        pub prompt: PromptId,
        /// 1 for the first try of the prompt.
        #[serde(default)]
        pub number: u32,
        /// Must be newer than any seen.
        #[cfg_attr(feature = "ts", ts(type = "number"))]
        pub fence: u64,
        /// Text, cleaned; cleaned again by the wrapper.
        pub text: String,
        /// How the attempt before failed: told to the agent, where its profile says that it reads prose.
        #[serde(default)]
        pub failed: Option<Failed>,
        /// Directory that must match, absolute.
        pub dir: Option<String>,
        /// Branch that must match.
        pub branch: Option<String>,
        /// Variables that must be set.
        #[serde(default)]
        pub env: BTreeMap<String, String>,
        /// Commands that must end with 0 before.
        #[serde(default)]
        pub prerequisites: Vec<String>,
        /// Run in a fresh work tree.
        #[serde(default)]
        pub worktree: Option<WorktreePolicy>,
        /// The session may be brought into the context by its [`Moves`], and another branch checked out in a clean
        /// tree. Else a mismatch is a refusal.
        #[serde(default)]
        pub may_move: bool,
        /// Command that decides whether it was done.
        #[serde(default)]
        pub verify: Option<String>,
        /// A leading prefix character is meant as the agent's own command.
        pub command: bool,
        /// Longest time from the offer to accepted; 0: no limit of its own.
        #[serde(default)]
        #[cfg_attr(feature = "ts", ts(type = "number"))]
        pub accept_ms: u64,
        /// Longest time from accepted to ended.
        #[cfg_attr(feature = "ts", ts(type = "number"))]
        pub timeout_ms: u64,
        /// Longest time without a sign of progress in the turn; 0: no limit.
        #[serde(default)]
        #[cfg_attr(feature = "ts", ts(type = "number"))]
        pub silence_ms: u64,
        /// What continues the prompt's trace from this attempt, as W3C writes it; empty when the server names none.
        #[serde(default)]
        pub trace: String,
    }

    /// What a person chose in a dialog.
    #[serde(tag = "type", rename_all = "snake_case")]
    pub enum Choice {
        /// The profile's way to say yes, once.
        Approve,
        /// The profile's way to say no.
        Deny,
        /// An option by its index.
        Option {
            /// From 0.
            index: u32,
        },
        /// Words of the person's own, for what an agent asks beside its terminal: no dialog takes them.
        Words {
            /// At most 4,000 characters.
            #[cfg_attr(feature = "schema", schemars(length(min = 1, max = 4_000)))]
            text: String,
        },
    }
}

impl Offer {
    /// An offer that asks for nothing but to type a text.
    pub fn new(attempt: AttemptId, prompt: PromptId, fence: u64, text: impl Into<String>) -> Self {
        Self {
            attempt,
            prompt,
            number: 1,
            fence,
            text: text.into(),
            failed: None,
            dir: None,
            branch: None,
            env: BTreeMap::new(),
            prerequisites: Vec::new(),
            worktree: None,
            may_move: false,
            verify: None,
            command: false,
            accept_ms: 0,
            timeout_ms: 30 * 60_000,
            silence_ms: 0,
            trace: String::new(),
        }
    }
}

fn no_moves() -> Moves {
    Moves::None
}
