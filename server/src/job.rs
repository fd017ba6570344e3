//! The life of one prompt, as a pure state machine.
//!
//! Owns: which event leads from which phase to which, and what has to be done then.
//! Must not: read a clock, a database or a socket; write a log.
//!
//! Invariant: a lease ends only by the wrapper's word or by a person's. Invariant: after a byte may have reached the
//! agent, the prompt is never offered again without a person's word, unless its turn is known to have ended.

use wire::prompt::{Hold, HoldCode, Outcome, PromptResult, PromptState, Step};
use wire::{AttemptId, UnixMillis};

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
    /// A new prompt, to be offered at once; the database makes them otherwise.
    #[cfg(test)]
    pub fn new(attempts: u32, now: UnixMillis) -> Self {
        Self { phase: Phase::Pending { due: now, refused: None }, tried: 0, attempts, refusals: 0 }
    }

    /// The word for the phase.
    pub fn state(&self) -> PromptState {
        match self.phase {
            Phase::Pending { .. } => PromptState::Pending,
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
            Phase::Pending { .. } | Phase::Completed(_) | Phase::Failed(_) | Phase::Cancelled(_) => None,
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
        self.phase = match (result.outcome, wish) {
            (Outcome::Completed, _) => Phase::Completed(result),
            (Outcome::Unknown, Wish::None | Wish::Reassign) => {
                Phase::Held { hold: unknown_hold(), then: Then::Person }
            }
            (_, Wish::Cancel) => Phase::Cancelled(PromptResult { outcome: Outcome::Cancelled, ..result }),
            (_, Wish::Reassign) => Phase::Pending { due: now, refused: None },
            (Outcome::Cancelled, Wish::None) => Phase::Cancelled(result),
            (Outcome::NotTyped, Wish::None) => {
                Phase::Pending { due: after(now, REFUSED_PAUSE), refused: None }
            }
            (Outcome::Failed | Outcome::TimedOut, Wish::None) if self.tried < self.attempts => {
                Phase::Pending { due: after(now, retry_pause(self.tried, spread)), refused: None }
            }
            (Outcome::Failed | Outcome::TimedOut | Outcome::Interrupted, Wish::None) => Phase::Failed(result),
        };
        effects
    }

    fn cancel(&mut self, reach: Reach) -> Result<Vec<Effect>, NotNow> {
        match &mut self.phase {
            Phase::Pending { .. } | Phase::Held { then: Then::Again { .. } | Then::Person, .. } => {
                self.phase = Phase::Cancelled(cancelled("cancelled while it waited"));
                Ok(Vec::new())
            }
            Phase::Assigned { .. } | Phase::InProgress { .. } => Ok(self.ask(Wish::Cancel, reach)),
            Phase::Held { then: Then::Leased(lease), .. } => match reach {
                Reach::Connected => Ok(self.ask(Wish::Cancel, reach)),
                Reach::Gone => {
                    let attempt = lease.attempt;
                    self.phase = Phase::Cancelled(cancelled("given up while its session was out of reach"));
                    Ok(vec![Effect::EndLease(attempt, given_up())])
                }
            },
            Phase::Completed(_) | Phase::Failed(_) | Phase::Cancelled(_) => {
                Err(NotNow { why: "it has ended already" })
            }
        }
    }

    fn retry(&mut self, reach: Reach, now: UnixMillis) -> Result<Vec<Effect>, NotNow> {
        let effects = match &self.phase {
            Phase::Held { then: Then::Leased(lease), .. } if reach == Reach::Gone => {
                vec![Effect::EndLease(lease.attempt, given_up())]
            }
            Phase::Held { then: Then::Again { .. } | Then::Person, .. } => Vec::new(),
            Phase::Failed(_) | Phase::Cancelled(_) => Vec::new(),
            Phase::Pending { .. } => Vec::new(),
            Phase::Held { .. } | Phase::Assigned { .. } | Phase::InProgress { .. } => {
                return Err(NotNow { why: "a session still has it; cancel or reassign it instead" });
            }
            Phase::Completed(_) => {
                return Err(NotNow {
                    why: "it was completed; send its text as a new prompt to run it again",
                });
            }
        };
        self.again(now);
        Ok(effects)
    }

    fn reassign(&mut self, reach: Reach, now: UnixMillis) -> Result<Vec<Effect>, NotNow> {
        match &self.phase {
            Phase::Assigned { .. } | Phase::InProgress { .. } => Ok(self.ask(Wish::Reassign, reach)),
            Phase::Held { then: Then::Leased(_), .. } if reach == Reach::Connected => {
                Ok(self.ask(Wish::Reassign, reach))
            }
            Phase::Completed(_) => Err(NotNow { why: "it was completed" }),
            Phase::Held { .. } | Phase::Pending { .. } | Phase::Failed(_) | Phase::Cancelled(_) => {
                self.retry(reach, now)
            }
        }
    }

    /// Queues it again on a person's word, with one try at least.
    fn again(&mut self, now: UnixMillis) {
        self.phase = Phase::Pending { due: now, refused: None };
        self.refusals = 0;
        self.attempts = self.attempts.max(self.tried + 1);
    }

    /// Asks the wrapper to let go, or notes the wish until it is back.
    fn ask(&mut self, wish: Wish, reach: Reach) -> Vec<Effect> {
        let Some(mut lease) = self.lease() else { return Vec::new() };
        lease.wish = wish;
        match reach {
            Reach::Connected => {
                match &mut self.phase {
                    Phase::Assigned { lease: l, .. } | Phase::InProgress { lease: l } => *l = lease,
                    Phase::Held { then, .. } => *then = Then::Leased(lease),
                    Phase::Pending { .. } | Phase::Completed(_) | Phase::Failed(_) | Phase::Cancelled(_) => {}
                }
                vec![Effect::AskCancel(lease.attempt)]
            }
            Reach::Gone => {
                self.phase = Phase::Held { hold: gone_hold(), then: Then::Leased(lease) };
                Vec::new()
            }
        }
    }
}

/// Pause before the next try after `tried` tries: doubling, capped, spread by up to a quarter.
pub fn retry_pause(tried: u32, spread: f64) -> u64 {
    let base = RETRY_PAUSE.saturating_mul(1 << tried.saturating_sub(1).min(16)).min(RETRY_PAUSE_MAX);
    base + (base as f64 / 4.0 * spread.clamp(0.0, 1.0)) as u64
}

/// The hold of a prompt of which nobody knows whether it was typed.
pub fn unknown_hold() -> Hold {
    Hold {
        code: HoldCode::Unknown,
        text: "nobody knows whether it was typed: look at the session, then retry or cancel it".to_owned(),
    }
}

/// A result that the server itself came to.
pub fn server_result(outcome: Outcome, reason: &str) -> PromptResult {
    PromptResult::new(outcome, reason, "server")
}

fn gone_hold() -> Hold {
    Hold {
        code: HoldCode::SessionGone,
        text: "its session is out of reach and may still have it: it is settled when the session is back; \
               asking once more gives the session up"
            .to_owned(),
    }
}

fn cancelled(reason: &str) -> PromptResult {
    server_result(Outcome::Cancelled, reason)
}

fn given_up() -> PromptResult {
    server_result(Outcome::Unknown, "a person gave the session up while it was out of reach")
}

/// What a refusal says about the attempt.
fn refusal_result(hold: &Hold) -> PromptResult {
    let outcome = match hold.code {
        code if code.transient() => Outcome::NotTyped,
        HoldCode::TextRefused => Outcome::NotTyped,
        HoldCode::Person => Outcome::Cancelled,
        _ => Outcome::Unknown,
    };
    PromptResult { source: "wrapper".to_owned(), ..server_result(outcome, &hold.text) }
}

fn after(now: UnixMillis, pause: u64) -> UnixMillis {
    UnixMillis(now.0.saturating_add_unsigned(pause))
}

#[cfg(test)]
#[path = "job_tests.rs"]
mod tests;
