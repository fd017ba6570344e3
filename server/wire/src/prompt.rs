//! The life of a prompt, as everyone sees it. Must not: decide anything.

use crate::{AttemptId, PromptId, SessionId, UnixMillis};

words! {
    /// Where a prompt is in its life.
    pub enum PromptState {
        /// Waits for a session.
        Pending = "pending",
        /// A session has it, but the agent has not accepted it yet.
        Assigned = "assigned",
        /// The agent works on it.
        InProgress = "in_progress",
        /// Stopped with a reason; see [`Hold`].
        Held = "held",
        /// The turn ended well.
        Completed = "completed",
        /// It ended otherwise, and no attempt is left.
        Failed = "failed",
        /// Somebody called it off.
        Cancelled = "cancelled",
    }
}

impl PromptState {
    /// Whether nothing further happens by itself or by delivery.
    pub fn is_final(self) -> bool {
        matches!(self, PromptState::Completed | PromptState::Failed | PromptState::Cancelled)
    }
}

words! {
    /// Why nothing was typed, or why a prompt stands still.
    pub enum HoldCode {
        /// The session is not idle.
        NotIdle = "not_idle",
        /// A dialog is open; typing would answer it.
        DialogOpen = "dialog_open",
        /// The composer holds a draft that is not ours.
        Draft = "draft",
        /// A person typed in the session a moment ago.
        HumanTyping = "human_typing",
        /// The composer cannot be found or read.
        ComposerUnreadable = "composer_unreadable",
        /// The text was pasted but never seen in the composer; no Enter was sent.
        NotSeen = "not_seen",
        /// The Enter was sent but the agent did not accept it.
        NotAccepted = "not_accepted",
        /// The wrapper lost track between intent and proof; never typed again by itself.
        Unknown = "unknown",
        /// The session is in another directory or on another branch.
        WrongContext = "wrong_context",
        /// The session ended or is out of reach.
        SessionGone = "session_gone",
        /// A newer lease was seen.
        StaleFence = "stale_fence",
        /// The agent's profile refuses this text, for example a leading `!`.
        TextRefused = "text_refused",
        /// The wrapper could not write its intent to disk.
        Storage = "storage",
        /// A person asked for it.
        Person = "person",
    }
}

impl HoldCode {
    /// Whether the prompt may be offered again without a person's word.
    ///
    /// Invariant: false for every code after which a byte may have reached the agent.
    pub fn transient(self) -> bool {
        match self {
            HoldCode::NotIdle
            | HoldCode::DialogOpen
            | HoldCode::Draft
            | HoldCode::HumanTyping
            | HoldCode::ComposerUnreadable
            | HoldCode::WrongContext
            | HoldCode::SessionGone
            | HoldCode::StaleFence
            | HoldCode::Storage => true,
            HoldCode::NotSeen
            | HoldCode::NotAccepted
            | HoldCode::Unknown
            | HoldCode::TextRefused
            | HoldCode::Person => false,
        }
    }
}

words! {
    /// How far an attempt has come; each is a receipt with its time.
    pub enum Step {
        /// The server leased the session for it.
        Leased = "leased",
        /// The wrapper has it.
        Offered = "offered",
        /// The intent is on the wrapper's disk; the first byte may follow.
        Intent = "intent",
        /// The text was written.
        Written = "written",
        /// The text stands in the composer.
        Seen = "seen",
        /// One Enter was sent.
        Submitted = "submitted",
        /// The agent took it.
        Accepted = "accepted",
        /// The turn began.
        Started = "started",
        /// The turn ended.
        Ended = "ended",
    }
}

words! {
    /// How an attempt ended.
    pub enum Outcome {
        /// The turn ended well.
        Completed = "completed",
        /// API error, refusal, exhausted context, failed verification, exit.
        Failed = "failed",
        /// Somebody interrupted the turn.
        Interrupted = "interrupted",
        /// The gate refused; no byte was written.
        NotTyped = "not_typed",
        /// Nobody knows whether it was typed.
        Unknown = "unknown",
        /// It took longer than allowed.
        TimedOut = "timed_out",
        /// Called off before it was typed.
        Cancelled = "cancelled",
    }
}

words! {
    /// Why a turn failed, or why its end was not trusted.
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
    }
}

impl PromptResult {
    /// A result without an answer.
    pub fn new(outcome: Outcome, reason: impl Into<String>, source: impl Into<String>) -> Self {
        Self {
            outcome,
            reason: reason.into(),
            cause: None,
            until: None,
            source: source.into(),
            answer: String::new(),
            duration_ms: 0,
        }
    }
}

wire! {
    /// Why a prompt is held.
    pub struct Hold {
        /// The reason, for programs.
        pub code: HoldCode,
        /// The reason and what to do, for people.
        pub text: String,
    }

    /// What came of a prompt.
    pub struct PromptResult {
        /// How it ended.
        pub outcome: Outcome,
        /// Why, for people.
        pub reason: String,
        /// Why it failed, for programs.
        #[serde(default)]
        pub cause: Option<Cause>,
        /// When a limit of use ends, as the agent put it.
        #[serde(default)]
        pub until: Option<String>,
        /// What told so: a [`crate::session::Source`] word, `verify` or `server`.
        pub source: String,
        /// The agent's last answer, plain text, cut to 64 KiB.
        pub answer: String,
        /// From accepted to ended.
        #[cfg_attr(feature = "ts", ts(type = "number"))]
        pub duration_ms: u64,
    }

    /// A step with its time.
    #[derive(Copy)]
    pub struct Receipt {
        /// The step.
        pub step: Step,
        /// When it was reached, by the wrapper's clock.
        pub at: UnixMillis,
    }

    /// One try.
    pub struct Attempt {
        /// Identity.
        pub id: AttemptId,
        /// What is tried.
        pub prompt: PromptId,
        /// Where.
        pub session: SessionId,
        /// Grows with each lease of the session; a wrapper refuses what is not newer.
        #[cfg_attr(feature = "ts", ts(type = "number"))]
        pub fence: u64,
        /// 1 for the first try of the prompt.
        pub number: u32,
        /// How far it came.
        pub receipts: Vec<Receipt>,
        /// How it ended.
        pub result: Option<PromptResult>,
    }

    /// A prompt to be queued. Only `text` is required.
    #[serde(deny_unknown_fields)]
    pub struct NewPrompt {
        /// What to type; cleaned by [`crate::text::clean_prompt`].
        pub text: String,
        /// A session's name or id; `None` lets the router choose.
        #[serde(default)]
        pub target: Option<String>,
        /// 0 (last) to 10 (first).
        #[serde(default = "default_priority")]
        pub priority: u8,
        /// Absolute directory the session must work in.
        #[serde(default)]
        pub dir: Option<String>,
        /// Branch that must be checked out there.
        #[serde(default)]
        pub branch: Option<String>,
        /// Profile that must be running, for example `claude`.
        #[serde(default)]
        pub agent: Option<String>,
        /// Longest time from accepted to ended; 30 minutes when absent.
        #[serde(default)]
        #[cfg_attr(feature = "ts", ts(type = "number | null"))]
        pub timeout_ms: Option<u64>,
        /// Tries in all; 3 when absent.
        #[serde(default)]
        pub attempts: Option<u32>,
        /// Send a leading `/`, `!`, `#` or `@` as the agent's own command instead of as text.
        #[serde(default)]
        pub command: bool,
    }

    /// A prompt: what `assign prompts` and the dashboard list.
    pub struct Prompt {
        /// Identity.
        pub id: PromptId,
        /// What to type, cleaned.
        pub text: String,
        /// Where it is in its life.
        pub state: PromptState,
        /// Why it is held, or why the last offer was refused.
        pub hold: Option<Hold>,
        /// Session asked for, by name or id.
        pub target: Option<String>,
        /// Session that has it or had it last.
        pub session: Option<SessionId>,
        /// 0 (last) to 10 (first).
        pub priority: u8,
        /// Directory asked for.
        pub dir: Option<String>,
        /// Branch asked for.
        pub branch: Option<String>,
        /// Profile asked for.
        pub agent: Option<String>,
        /// Longest time from accepted to ended.
        #[cfg_attr(feature = "ts", ts(type = "number"))]
        pub timeout_ms: u64,
        /// Tries so far; refusals by the gate do not count.
        pub tried: u32,
        /// Tries in all.
        pub attempts: u32,
        /// See [`NewPrompt::command`].
        pub command: bool,
        /// The latest attempt, with its receipts.
        pub attempt: Option<Attempt>,
        /// What came of it, once it is final.
        pub result: Option<PromptResult>,
        /// When it was queued.
        pub created: UnixMillis,
        /// When anything last changed.
        pub changed: UnixMillis,
    }

    /// How one session scored for one prompt.
    pub struct Score {
        /// The session.
        pub session: SessionId,
        /// Its name.
        pub name: String,
        /// Why it cannot have the prompt, if it cannot.
        pub refused: Option<String>,
        /// Points by criterion, for example `same directory +20`.
        pub points: Vec<ScorePoint>,
        /// Sum of the points.
        pub total: i32,
    }

    /// One criterion of a score.
    pub struct ScorePoint {
        /// What was met.
        pub what: String,
        /// Its weight.
        pub points: i32,
    }
}

/// Middle of the range.
pub fn default_priority() -> u8 {
    5
}
