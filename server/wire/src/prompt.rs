//! The life of a prompt, as everyone sees it. Must not: decide anything.

use std::collections::BTreeMap;

pub use crate::result::{
    Cause, Changes, FileChange, ModelUse, Outcome, Phases, PromptResult, Summary, Verification, Worktree,
};
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
        /// It waits for other prompts to complete.
        After = "after",
        /// A prompt that it waits for did not complete.
        AfterFailed = "after_failed",
        /// A limit of use of the agent's provider is reached.
        RateLimited = "rate_limited",
        /// The work tree has changes that nobody committed, so no other branch is checked out in it.
        DirtyTree = "dirty_tree",
        /// The branch asked for is not there.
        MissingBranch = "missing_branch",
        /// The directory asked for is not there.
        MissingDir = "missing_dir",
        /// A prerequisite failed.
        Prerequisite = "prerequisite",
        /// The session could not be brought into the context asked for.
        NotPrepared = "not_prepared",
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
            | HoldCode::Storage
            | HoldCode::After
            | HoldCode::RateLimited
            | HoldCode::DirtyTree => true,
            HoldCode::NotSeen
            | HoldCode::NotAccepted
            | HoldCode::Unknown
            | HoldCode::TextRefused
            | HoldCode::Person
            | HoldCode::AfterFailed
            | HoldCode::MissingBranch
            | HoldCode::MissingDir
            | HoldCode::Prerequisite
            | HoldCode::NotPrepared => false,
        }
    }

    /// Whether a wrapper that holds a prompt for this has certainly not written a byte of it.
    pub fn untyped(self) -> bool {
        match self {
            HoldCode::NotSeen | HoldCode::NotAccepted | HoldCode::Unknown | HoldCode::Person => false,
            HoldCode::TextRefused
            | HoldCode::AfterFailed
            | HoldCode::MissingBranch
            | HoldCode::MissingDir
            | HoldCode::Prerequisite
            | HoldCode::NotPrepared => true,
            transient => transient.transient(),
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
        /// The session is in the context asked for, and the prerequisites are met.
        Prepared = "prepared",
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
        /// The verification has run.
        Verified = "verified",
    }
}

words! {
    /// What becomes of the work tree that was made for one attempt.
    pub enum WorktreePolicy {
        /// It stays, with its branch.
        Keep = "keep",
        /// It is removed once its changes are with the result; its branch stays when it has commits.
        Remove = "remove",
    }
}

impl NewPrompt {
    /// A prompt that asks for nothing but its text.
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            target: None,
            priority: default_priority(),
            dir: None,
            branch: None,
            env: BTreeMap::new(),
            prerequisites: Vec::new(),
            worktree: None,
            agent: None,
            prefer: None,
            role: None,
            caps: Vec::new(),
            thread: None,
            tags: Vec::new(),
            after: Vec::new(),
            not_before: None,
            verify: None,
            wait_ms: None,
            accept_ms: None,
            timeout_ms: None,
            silence_ms: None,
            attempts: None,
            command: false,
            prose: false,
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

    /// How the attempt before this one failed.
    pub struct Failed {
        /// Its number.
        pub number: u32,
        /// Why.
        pub reason: String,
        /// The end of what its verification said, if that failed.
        #[serde(default)]
        pub output: String,
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
        /// What its agent last said of it.
        #[serde(default)]
        #[cfg_attr(feature = "ts", ts(optional))]
        pub progress: Option<Progress>,
    }

    /// What an agent says of what it works on.
    pub struct Progress {
        /// What it does, in its own words.
        pub text: String,
        /// How much of it is done.
        pub percent: Option<u8>,
        /// When it said so.
        pub at: UnixMillis,
    }

    /// Where a prompt comes from that an agent queued.
    pub struct Parent {
        /// The name of the agent's credential.
        pub by: String,
        /// The prompt that the agent worked on, if it did.
        pub prompt: Option<PromptId>,
        /// How many agents are between it and a person.
        pub depth: u32,
    }

    /// A prompt to be queued. Only `text` is required.
    #[serde(deny_unknown_fields)]
    pub struct NewPrompt {
        /// What to type; cleaned by [`crate::text::clean_prompt`].
        #[cfg_attr(feature = "schema", schemars(length(min = 1, max = 262_144)))]
        pub text: String,
        /// A session's name or id; `None` lets the router choose.
        #[serde(default)]
        #[cfg_attr(feature = "schema", schemars(length(min = 1, max = 4096)))]
        pub target: Option<String>,
        /// 0 (last) to 10 (first).
        #[serde(default = "default_priority")]
        #[cfg_attr(feature = "schema", schemars(range(max = 10)))]
        pub priority: u8,
        /// Absolute directory the session must work in.
        #[serde(default)]
        #[cfg_attr(feature = "schema", schemars(length(min = 1, max = 4096)))]
        pub dir: Option<String>,
        /// Branch that must be checked out there.
        #[serde(default)]
        #[cfg_attr(feature = "schema", schemars(length(min = 1, max = 4096)))]
        pub branch: Option<String>,
        /// Variables that must be set for the agent.
        #[serde(default)]
        #[cfg_attr(feature = "schema", schemars(length(max = 100)))]
        pub env: BTreeMap<String, String>,
        /// Commands for `sh -c` that must end with 0 before; what they export is set for the agent.
        #[serde(default)]
        #[cfg_attr(feature = "schema", schemars(length(max = 100)))]
        pub prerequisites: Vec<String>,
        /// Run each attempt in a fresh git work tree of `branch`, or of the one checked out.
        #[serde(default)]
        pub worktree: Option<WorktreePolicy>,
        /// Profile that must be running, for example `claude`.
        #[serde(default)]
        #[cfg_attr(feature = "schema", schemars(length(min = 1, max = 4096)))]
        pub agent: Option<String>,
        /// Profile that is preferred; another one will do.
        #[serde(default)]
        #[cfg_attr(feature = "schema", schemars(length(min = 1, max = 4096)))]
        pub prefer: Option<String>,
        /// Role that the session must have declared.
        #[serde(default)]
        #[cfg_attr(feature = "schema", schemars(length(min = 1, max = 4096)))]
        pub role: Option<String>,
        /// Capabilities that the session must have declared.
        #[serde(default)]
        #[cfg_attr(feature = "schema", schemars(length(max = 100)))]
        pub caps: Vec<String>,
        /// Prompts of one thread go to one session, if they can.
        #[serde(default)]
        #[cfg_attr(feature = "schema", schemars(length(min = 1, max = 4096)))]
        pub thread: Option<String>,
        /// What kind of task it is: records of success are kept by tag.
        #[serde(default)]
        #[cfg_attr(feature = "schema", schemars(length(max = 100)))]
        pub tags: Vec<String>,
        /// Prompts that must be completed before.
        #[serde(default)]
        #[cfg_attr(feature = "schema", schemars(length(max = 100)))]
        pub after: Vec<PromptId>,
        /// Not offered before this instant.
        #[serde(default)]
        pub not_before: Option<UnixMillis>,
        /// Command for `sh -c` that decides, in the task's directory, whether it was done.
        #[serde(default)]
        #[cfg_attr(feature = "schema", schemars(length(min = 1, max = 16_384)))]
        pub verify: Option<String>,
        /// Longest wait for a session; 24 hours when absent.
        #[serde(default)]
        #[cfg_attr(feature = "ts", ts(type = "number | null"))]
        #[cfg_attr(feature = "schema", schemars(range(min = 1_000, max = 2_592_000_000_u64)))]
        pub wait_ms: Option<u64>,
        /// Longest time from leased to accepted; 10 minutes when absent.
        #[serde(default)]
        #[cfg_attr(feature = "ts", ts(type = "number | null"))]
        #[cfg_attr(feature = "schema", schemars(range(min = 1_000, max = 2_592_000_000_u64)))]
        pub accept_ms: Option<u64>,
        /// Longest time from accepted to ended; 30 minutes when absent.
        #[serde(default)]
        #[cfg_attr(feature = "ts", ts(type = "number | null"))]
        #[cfg_attr(feature = "schema", schemars(range(min = 1_000, max = 2_592_000_000_u64)))]
        pub timeout_ms: Option<u64>,
        /// Longest time without a sign of progress in a turn; 30 minutes when absent.
        #[serde(default)]
        #[cfg_attr(feature = "ts", ts(type = "number | null"))]
        #[cfg_attr(feature = "schema", schemars(range(min = 1_000, max = 2_592_000_000_u64)))]
        pub silence_ms: Option<u64>,
        /// Tries in all; 3 when absent.
        #[serde(default)]
        #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 20)))]
        pub attempts: Option<u32>,
        /// It is meant as a command: a leading `/`, `!`, `#` or `@` is the agent's own, and a shell may have it without being asked for.
        #[serde(default)]
        pub command: bool,
        /// It is words and nothing else: no shell gets it, not even one that is asked for.
        #[serde(default)]
        pub prose: bool,
    }

    /// A prompt: what `assign prompts` and the dashboard list.
    pub struct Prompt {
        /// Identity.
        pub id: PromptId,
        /// What was asked, with the text cleaned and the defaults filled in.
        pub asked: NewPrompt,
        /// Where it is in its life.
        pub state: PromptState,
        /// Why it is held, what it waits for, or why the last offer was refused.
        pub hold: Option<Hold>,
        /// When it may be offered next by itself.
        pub due: Option<UnixMillis>,
        /// Session that has it or had it last.
        pub session: Option<SessionId>,
        /// Tries so far; refusals by the gate do not count.
        pub tried: u32,
        /// Tries in all; a person's wish for another adds to what was asked.
        pub attempts: u32,
        /// The latest attempt, with its receipts.
        pub attempt: Option<Attempt>,
        /// What came of it, once it is final.
        pub result: Option<PromptResult>,
        /// When a person took note of how it ended.
        #[serde(default)]
        pub seen: Option<UnixMillis>,
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
