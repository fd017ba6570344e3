//! What came of a prompt: outcome, answer, verification, changes, figures. Must not: decide anything.

use crate::UnixMillis;

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
        /// A dialog came and went, and nobody saw the agent work before or after.
        Unworked = "unworked",
        /// The command that was to verify it ended with a status other than 0.
        VerifyFailed = "verify_failed",
        /// Nothing was heard of the turn for longer than allowed.
        Silent = "silent",
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
            until_at: None,
            source: source.into(),
            evidence: String::new(),
            answer: String::new(),
            duration_ms: 0,
            verification: None,
            changes: None,
            worktree: None,
            figures: std::collections::BTreeMap::new(),
            summary: None,
        }
    }
}

wire! {
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
        /// The same as an instant, when it could be read.
        #[serde(default)]
        pub until_at: Option<UnixMillis>,
        /// What told so: a [`crate::session::Source`] word, `verify` or `server`.
        pub source: String,
        /// What that source saw, cut to 200 characters.
        #[serde(default)]
        pub evidence: String,
        /// The agent's last answer, plain text, cut to 64 KiB.
        pub answer: String,
        /// From accepted to ended.
        #[cfg_attr(feature = "ts", ts(type = "number"))]
        pub duration_ms: u64,
        /// What the command said that was to verify it.
        #[serde(default)]
        pub verification: Option<Verification>,
        /// What changed in the work tree meanwhile, when the task named a directory under git.
        #[serde(default)]
        pub changes: Option<Changes>,
        /// The work tree that was made for it.
        #[serde(default)]
        pub worktree: Option<Worktree>,
        /// The session's figures at that moment ([`crate::session::Session::metrics`]), as the wrapper reports them; the
        /// server makes the summary of them and keeps them not.
        #[serde(default, skip_serializing_if = "std::collections::BTreeMap::is_empty")]
        #[cfg_attr(feature = "ts", ts(skip))]
        #[cfg_attr(feature = "schema", schemars(skip))]
        pub figures: std::collections::BTreeMap<String, f64>,
        /// What the session reported meanwhile; the server adds it.
        #[serde(default)]
        pub summary: Option<Summary>,
    }

    /// How a verification went.
    pub struct Verification {
        /// The command, for `sh -c`.
        pub command: String,
        /// Its exit status; `None` when it was ended because it took too long.
        pub status: Option<i32>,
        /// The end of its output, plain text, at most 8 KiB.
        pub output: String,
        /// How long it took.
        #[cfg_attr(feature = "ts", ts(type = "number"))]
        pub duration_ms: u64,
    }

    /// What changed in a work tree between two moments, committed or not.
    pub struct Changes {
        /// The commit from which it was counted.
        pub base: String,
        /// Files that differ from it, by path from the root of the repository; at most 500.
        pub files: Vec<FileChange>,
        /// The difference as a patch, at most 256 KiB; empty when it was not asked for.
        pub diff: String,
        /// Whether files or patch were cut.
        pub cut: bool,
    }

    /// One file that changed.
    pub struct FileChange {
        /// Path from the root of the repository.
        pub path: String,
        /// Git's letter: `A`, `M`, `D`, `R`, `T`, or `?` for one that git does not follow.
        pub status: String,
    }

    /// A work tree that was made for one attempt.
    pub struct Worktree {
        /// Where it is, or was.
        pub path: String,
        /// The branch that was made in it.
        pub branch: String,
        /// Whether it is still there.
        pub kept: bool,
    }

    /// What a session reported while it worked on a prompt.
    #[derive(Default)]
    pub struct Summary {
        /// Files that were edited, as the agent named them; at most 200.
        pub files: Vec<String>,
        /// Tests that passed, by the last report of each kind of test run.
        pub tests_passed: u32,
        /// Tests that failed.
        pub tests_failed: u32,
        /// Errors.
        pub errors: u32,
        /// The last error.
        pub last_error: Option<String>,
        /// Tokens read by the model, when the agent tells.
        pub tokens_in: Option<f64>,
        /// Tokens written by it.
        pub tokens_out: Option<f64>,
        /// Cost in US dollars.
        pub cost_usd: Option<f64>,
        /// The same tokens by model, when the agent tells which; at most 16.
        #[serde(default)]
        pub models: Vec<ModelUse>,
        /// Where the time went.
        pub phases: Phases,
    }

    /// What one model used.
    pub struct ModelUse {
        /// Its name, as the agent tells it.
        pub model: String,
        /// Tokens read.
        pub tokens_in: f64,
        /// Tokens written.
        pub tokens_out: f64,
        /// What it cost in US dollars, when the agent tells.
        #[serde(default)]
        pub cost_usd: Option<f64>,
    }

    /// How long a prompt was in each phase of its last attempt, in milliseconds.
    #[derive(Default)]
    pub struct Phases {
        /// From queued to leased, earlier attempts included.
        #[cfg_attr(feature = "ts", ts(type = "number"))]
        pub waiting: u64,
        /// From leased to accepted.
        #[cfg_attr(feature = "ts", ts(type = "number"))]
        pub delivery: u64,
        /// From accepted to the turn's end.
        #[cfg_attr(feature = "ts", ts(type = "number"))]
        pub running: u64,
        /// From the turn's end to the verdict.
        #[cfg_attr(feature = "ts", ts(type = "number"))]
        pub verification: u64,
    }
}
