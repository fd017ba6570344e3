//! The life of one prompt, as a pure state machine.
//!
//! Owns: which event leads from which phase to which, and what has to be done then.
//! Must not: read a clock, a database or a socket; write a log.
//!
//! Invariant: a lease ends only by the wrapper's word or by a person's. Invariant: after a byte may have reached the
//! agent, the prompt is never offered again without a person's word, unless its turn is known to have ended.

mod wishes;
mod words;

pub use words::{retry_pause, server_result, unknown_hold};

use wire::prompt::{Cause, Hold, HoldCode, Outcome, PromptResult, PromptState, Step};
use wire::{AttemptId, UnixMillis};

use words::{cancelled, refusal_result};

/// Shortest pause before a prompt that a gate refused is offered again, in milliseconds.
pub const REFUSED_PAUSE: u64 = 2_000;
/// Longest such pause.
pub const REFUSED_PAUSE_MAX: u64 = 30_000;
/// Pause before the second try, in milliseconds; doubles with each further one.
pub const RETRY_PAUSE: u64 = 30_000;
/// Longest such pause.
pub const RETRY_PAUSE_MAX: u64 = 30 * 60_000;

/// What a person wants to become of a prompt that a wrapper still has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// Nothing: let it run.
    None,
    /// End it.
    Cancel,
    /// Give it to another session.
    Reassign,
}

/// A try that holds a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// Which try.
    pub attempt: AttemptId,
    /// What is to happen once the wrapper lets go.
    pub wish: Wish,
}

/// What ends a hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// Time: it is offered again.
    Again {
        /// Not before.
        due: UnixMillis,
    },
    /// Only a person.
    Person,
    /// The wrapper's word, or a person who gives it up.
    Leased(Lease),
}

/// Where a prompt is.
#[derive(Debug, Clone, PartialEq)]
pub enum Phase {
    /// Waits for other prompts to complete.
    Blocked,
    /// Waits for a session.
    Pending {
        /// Not offered before.
        due: UnixMillis,
        /// Why the last offer was refused.
        refused: Option<Hold>,
    },
    /// A session has it.
    Assigned {
        /// By which lease.
        lease: Lease,
        /// Why the last offer was refused.
        refused: Option<Hold>,
    },
    /// The agent works on it.
    InProgress {
        /// By which lease.
        lease: Lease,
    },
    /// Stands still.
    Held {
        /// Why.
        hold: Hold,
        /// Until when.
        then: Then,
    },
    /// Done.
    Completed(PromptResult),
    /// Not done, and not tried again.
    Failed(PromptResult),
    /// Called off.
    Cancelled(PromptResult),
}

/// A prompt's life: what its decisions read.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// Where it is.
    pub phase: Phase,
    /// Tries so far that count.
    pub tried: u32,
    /// Tries in all.
    pub attempts: u32,
    /// Refusals by the gate in a row.
    pub refusals: u32,
    /// Longest wait for a session, in milliseconds.
    pub wait_ms: u64,
    /// When the present wait ends without a session.
    pub wait_until: UnixMillis,
}

/// Whether the session's wrapper can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// It is connected.
    Connected,
    /// It is not.
    Gone,
}

/// What happens to a prompt.
#[derive(Debug, Clone, PartialEq)]
pub enum JobEvent {
    /// The router gave it a session.
    Leased(AttemptId),
    /// Its attempt came a step further.
    Reached(AttemptId, Step),
    /// The wrapper's gate refused it, or it got stuck; the wrapper has let go.
    Refused(AttemptId, Hold),
    /// The attempt ended; the wrapper has let go.
    Ended(AttemptId, PromptResult),
    /// All prompts that it waited for are completed; not offered before this instant.
    Unblocked(UnixMillis),
    /// One of them will not complete by itself.
    Broken(Hold),
    /// Nobody took it in time.
    Expired,
    /// Nothing was heard about its attempt for longer than it may take; the lease stays.
    Overdue(AttemptId, Hold),
    /// The wrapper still has its attempt after all; whether the agent had accepted it.
    Found(AttemptId, bool),
    /// A person calls it off.
    Cancel(Reach),
    /// A person wants another try.
    Retry(Reach),
    /// A person wants it elsewhere.
    Reassign(Reach),
}

/// What has to be done.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// The lease is over, with this result of its attempt.
    EndLease(AttemptId, PromptResult),
    /// The wrapper is to be asked to call the attempt off.
    AskCancel(AttemptId),
}

/// Why a person's wish cannot be met.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct NotNow {
    /// For people.
    pub why: &'static str,
}

impl Job {
    /// A new prompt: it waits for others, or for a session from `due` on.
    pub fn queued(attempts: u32, wait_ms: u64, due: UnixMillis, blocked: bool) -> Self {
        let phase = if blocked { Phase::Blocked } else { Phase::Pending { due, refused: None } };
        Self { phase, tried: 0, attempts, refusals: 0, wait_ms, wait_until: after(due, wait_ms) }
    }

    /// A new prompt, to be offered at once.
    #[cfg(test)]
    pub fn new(attempts: u32, now: UnixMillis) -> Self {
        Self::queued(attempts, 60_000, now, false)
    }

    /// The word for the phase.
    pub fn state(&self) -> PromptState {
        match self.phase {
            Phase::Blocked | Phase::Pending { .. } => PromptState::Pending,
            Phase::Assigned { .. } => PromptState::Assigned,
            Phase::InProgress { .. } => PromptState::InProgress,
            Phase::Held { .. } => PromptState::Held,
            Phase::Completed(_) => PromptState::Completed,
            Phase::Failed(_) => PromptState::Failed,
            Phase::Cancelled(_) => PromptState::Cancelled,
        }
    }

    /// The lease, while there is one.
    pub fn lease(&self) -> Option<Lease> {
        match self.phase {
            Phase::Assigned { lease, .. } | Phase::InProgress { lease } => Some(lease),
            Phase::Held { then: Then::Leased(lease), .. } => Some(lease),
            Phase::Held { then: Then::Again { .. } | Then::Person, .. } => None,
            Phase::Blocked
            | Phase::Pending { .. }
            | Phase::Completed(_)
            | Phase::Failed(_)
            | Phase::Cancelled(_) => None,
        }
    }

    /// When it may be offered next by itself.
    pub fn due(&self) -> Option<UnixMillis> {
        match self.phase {
            Phase::Pending { due, .. } | Phase::Held { then: Then::Again { due }, .. } => Some(due),
            Phase::Blocked
            | Phase::Assigned { .. }
            | Phase::InProgress { .. }
            | Phase::Held { then: Then::Person | Then::Leased(_), .. }
            | Phase::Completed(_)
            | Phase::Failed(_)
            | Phase::Cancelled(_) => None,
        }
    }

    /// Changes the life by one event. `spread` in 0..1 moves retries apart.
    ///
    /// Errors when a person's wish does not fit the phase. Words of a wrapper about an attempt that is not the
    /// current one change nothing.
    pub fn apply(&mut self, event: JobEvent, now: UnixMillis, spread: f64) -> Result<Vec<Effect>, NotNow> {
        match event {
            JobEvent::Leased(attempt) => {
                self.leased(attempt);
                Ok(Vec::new())
            }
            JobEvent::Reached(attempt, step) => {
                if self.has(attempt) && step >= Step::Accepted {
                    self.accepted();
                }
                Ok(Vec::new())
            }
            JobEvent::Refused(attempt, hold) if self.has(attempt) => Ok(self.refused(attempt, hold, now)),
            JobEvent::Ended(attempt, result) if self.has(attempt) => {
                Ok(self.ended(attempt, result, now, spread))
            }
            JobEvent::Refused(..) | JobEvent::Ended(..) => Ok(Vec::new()),
            JobEvent::Unblocked(due) => {
                self.unblocked(due, now);
                Ok(Vec::new())
            }
            JobEvent::Broken(hold) => {
                if self.phase == Phase::Blocked {
                    self.phase = Phase::Held { hold, then: Then::Person };
                }
                Ok(Vec::new())
            }
            JobEvent::Expired => {
                if self.due().is_some() {
                    let why = "no session took it within the time that it may wait";
                    self.phase = Phase::Failed(server_result(Outcome::TimedOut, why));
                }
                Ok(Vec::new())
            }
            JobEvent::Overdue(attempt, hold) => {
                self.overdue(attempt, hold);
                Ok(Vec::new())
            }
            JobEvent::Found(attempt, accepted) => {
                self.found(attempt, accepted);
                Ok(Vec::new())
            }
            JobEvent::Cancel(reach) => self.cancel(reach),
            JobEvent::Retry(reach) => self.retry(reach, now),
            JobEvent::Reassign(reach) => self.reassign(reach, now),
        }
    }

    fn has(&self, attempt: AttemptId) -> bool {
        self.lease().is_some_and(|l| l.attempt == attempt)
    }

    fn leased(&mut self, attempt: AttemptId) {
        let refused = match &self.phase {
            Phase::Pending { refused, .. } => refused.clone(),
            Phase::Held { hold, then: Then::Again { .. } } => Some(hold.clone()),
            _ => return,
        };
        self.phase = Phase::Assigned { lease: Lease { attempt, wish: Wish::None }, refused };
        self.tried += 1;
    }

    fn unblocked(&mut self, due: UnixMillis, now: UnixMillis) {
        let broken = |hold: &Hold| hold.code == HoldCode::AfterFailed;
        let waits = match &self.phase {
            Phase::Blocked => true,
            Phase::Held { hold, then: Then::Person } => broken(hold),
            _ => false,
        };
        if waits {
            self.phase = Phase::Pending { due: due.max(now), refused: None };
            self.wait_until = after(due.max(now), self.wait_ms);
        }
    }

    fn overdue(&mut self, attempt: AttemptId, hold: Hold) {
        if let Phase::Assigned { lease, .. } | Phase::InProgress { lease } = self.phase
            && lease.attempt == attempt
        {
            self.phase = Phase::Held { hold, then: Then::Leased(lease) };
        }
    }

    fn found(&mut self, attempt: AttemptId, accepted: bool) {
        if let Phase::Held { then: Then::Leased(lease), .. } = self.phase
            && lease.attempt == attempt
        {
            self.phase = match accepted {
                true => Phase::InProgress { lease },
                false => Phase::Assigned { lease, refused: None },
            };
        }
    }

    fn accepted(&mut self) {
        if let Some(lease) = self.lease() {
            self.phase = Phase::InProgress { lease };
            self.refusals = 0;
        }
    }

    fn refused(&mut self, attempt: AttemptId, hold: Hold, now: UnixMillis) -> Vec<Effect> {
        let wish = self.lease().map_or(Wish::None, |l| l.wish);
        let result = refusal_result(&hold);
        let untyped = result.outcome == Outcome::NotTyped;
        if untyped {
            self.tried = self.tried.saturating_sub(1);
        }
        self.phase = match wish {
            Wish::Cancel => Phase::Cancelled(cancelled("cancelled before the agent had it")),
            Wish::Reassign if untyped => Phase::Pending { due: now, refused: None },
            Wish::None | Wish::Reassign if hold.code.transient() => {
                let pause = REFUSED_PAUSE.saturating_mul(1 << self.refusals.min(8)).min(REFUSED_PAUSE_MAX);
                self.refusals = self.refusals.saturating_add(1);
                Phase::Held { hold, then: Then::Again { due: after(now, pause) } }
            }
            Wish::None | Wish::Reassign => Phase::Held { hold, then: Then::Person },
        };
        vec![Effect::EndLease(attempt, result)]
    }

    fn ended(
        &mut self,
        attempt: AttemptId,
        result: PromptResult,
        now: UnixMillis,
        spread: f64,
    ) -> Vec<Effect> {
        let wish = self.lease().map_or(Wish::None, |l| l.wish);
        let effects = vec![Effect::EndLease(attempt, result.clone())];
        self.refusals = 0;
        if result.outcome == Outcome::NotTyped {
            self.tried = self.tried.saturating_sub(1);
        }
        if wish == Wish::None && result.cause == Some(Cause::RateLimited) && result.outcome == Outcome::Failed
        {
            self.park(&result, now);
            return effects;
        }
        self.phase = match (result.outcome, wish) {
            (Outcome::Completed, _) => Phase::Completed(result),
            (Outcome::Unknown, Wish::None | Wish::Reassign) => {
                Phase::Held { hold: unknown_hold(), then: Then::Person }
            }
            (_, Wish::Cancel) => Phase::Cancelled(PromptResult { outcome: Outcome::Cancelled, ..result }),
            (_, Wish::Reassign) => self.wait(now, now),
            (Outcome::Cancelled, Wish::None) => Phase::Cancelled(result),
            (Outcome::NotTyped, Wish::None) => {
                Phase::Pending { due: after(now, REFUSED_PAUSE), refused: None }
            }
            (Outcome::Failed | Outcome::TimedOut, Wish::None) if self.tried < self.attempts => {
                self.wait(after(now, retry_pause(self.tried, spread)), now)
            }
            (Outcome::Failed | Outcome::TimedOut | Outcome::Interrupted, Wish::None) => Phase::Failed(result),
        };
        effects
    }

    /// The next wait for a session begins.
    fn wait(&mut self, due: UnixMillis, now: UnixMillis) -> Phase {
        self.wait_until = after(due.max(now), self.wait_ms);
        Phase::Pending { due, refused: None }
    }

    /// A limit of use was reached: that costs no try. The router knows until when the provider is limited, and may
    /// find another.
    fn park(&mut self, result: &PromptResult, now: UnixMillis) {
        self.tried = self.tried.saturating_sub(1);
        let ends = result.until_at.unwrap_or(now).max(now);
        self.wait_until = self.wait_until.max(after(ends, self.wait_ms));
        let text = match &result.until {
            Some(until) => format!("a limit of use was reached; it ends: {until}"),
            None => "a limit of use was reached; nobody says for how long".to_owned(),
        };
        let hold = Hold { code: HoldCode::RateLimited, text };
        self.phase = Phase::Held { hold, then: Then::Again { due: now } };
    }
}

fn after(now: UnixMillis, pause: u64) -> UnixMillis {
    UnixMillis(now.0.saturating_add_unsigned(pause))
}

#[cfg(test)]
mod tests;
