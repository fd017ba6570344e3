//! The past in numbers, for a range of time: what came of prompts, where time went, what it cost. Must not: count.
//!
//! Each number belongs to a list: the filters that give it are the range and the fields beside it.

use crate::result::Outcome;
use crate::{SessionId, UnixMillis};

wire! {
    /// Everything about one range of time.
    pub struct Insight {
        /// First instant.
        pub from: UnixMillis,
        /// First instant after it.
        pub to: UnixMillis,
        /// Length of the range's steps, in milliseconds: an hour up to two days, else a day.
        #[cfg_attr(feature = "ts", ts(type = "number"))]
        pub step_ms: u64,
        /// Ends of prompts, step by step, without steps in which none ended.
        pub ends: Vec<Ends>,
        /// How long prompts that ended in the range were in each phase.
        pub phases: Vec<PhaseTimes>,
        /// What sessions did, busiest first; at most 200.
        pub utilisation: Vec<Utilisation>,
        /// Changes of context, by hour and session; hours without one are left out.
        pub switches: Vec<Switches>,
        /// Whether prompts met a session that already was where they wanted to run.
        pub matches: Matches,
        /// What agents asked.
        pub approvals: ApprovalTimes,
        /// Errors by what they are, most frequent first; at most 200.
        pub errors: Vec<ErrorGroup>,
        /// Tokens and cost by day, agent and project.
        pub usage: Vec<Usage>,
    }

    /// How many prompts ended how in one step of time.
    pub struct Ends {
        /// Its first instant.
        pub at: UnixMillis,
        /// How.
        pub outcome: Outcome,
        /// How many.
        pub count: u32,
    }

    /// How long something took, over all that was counted; milliseconds.
    #[derive(Copy, Default)]
    pub struct Spread {
        /// How many were counted.
        pub count: u32,
        /// Half took no longer.
        #[cfg_attr(feature = "ts", ts(type = "number"))]
        pub p50_ms: u64,
        /// Nine of ten took no longer.
        #[cfg_attr(feature = "ts", ts(type = "number"))]
        pub p90_ms: u64,
        /// The longest.
        #[cfg_attr(feature = "ts", ts(type = "number"))]
        pub max_ms: u64,
    }

    /// One phase of a prompt's life; see [`crate::result::Phases`].
    pub struct PhaseTimes {
        /// `waiting`, `delivery`, `running` or `verification`.
        pub phase: String,
        /// How long.
        pub took: Spread,
    }

    /// Where one session's time in the range went, in milliseconds.
    pub struct Utilisation {
        /// Which.
        pub session: SessionId,
        /// Its name.
        pub name: String,
        /// Its agent.
        pub agent: String,
        /// At work.
        #[cfg_attr(feature = "ts", ts(type = "number"))]
        pub busy_ms: u64,
        /// Waiting for a person.
        #[cfg_attr(feature = "ts", ts(type = "number"))]
        pub waiting_ms: u64,
        /// Idle.
        #[cfg_attr(feature = "ts", ts(type = "number"))]
        pub idle_ms: u64,
        /// Anything else: starting, unknown.
        #[cfg_attr(feature = "ts", ts(type = "number"))]
        pub other_ms: u64,
    }

    /// How often one session changed its context in one hour.
    pub struct Switches {
        /// Which.
        pub session: SessionId,
        /// The hour's first instant.
        pub hour: UnixMillis,
        /// How often.
        pub count: u32,
    }

    /// Leases of prompts that asked for a directory or a branch.
    #[derive(Copy, Default)]
    pub struct Matches {
        /// The session was there already.
        pub in_context: u32,
        /// It had to be brought there.
        pub moved: u32,
    }

    /// What agents asked in the range.
    pub struct ApprovalTimes {
        /// How many a person answered.
        pub by_person: u32,
        /// How many a rule answered.
        pub by_rule: u32,
        /// How many went away unanswered, or were answered in the terminal.
        pub elsewhere: u32,
        /// How many are open now.
        pub open: u32,
        /// How long a person's answer took.
        pub waited: Spread,
    }

    /// The same error, wherever it happened.
    pub struct ErrorGroup {
        /// What makes it the same.
        pub fingerprint: String,
        /// The rule that found it.
        pub rule: String,
        /// Its line, as it was last seen.
        pub text: String,
        /// How often in the range.
        pub count: u32,
        /// First time in the range.
        pub first: UnixMillis,
        /// Last time in it.
        pub last: UnixMillis,
        /// Where; at most 20.
        pub sessions: Vec<SessionId>,
    }

    /// What was used up.
    pub struct Usage {
        /// The day's first instant, in the time zone that was asked for.
        pub day: UnixMillis,
        /// By which agent.
        pub agent: String,
        /// In which project: the repository, or the directory outside one.
        pub project: String,
        /// Prompts that ended.
        pub prompts: u32,
        /// Tokens read.
        pub tokens_in: f64,
        /// Tokens written.
        pub tokens_out: f64,
        /// US dollars.
        pub cost_usd: f64,
    }
}
