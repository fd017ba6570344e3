//! A turn that a prompt began, until it ends or is given up. Must not: judge what it did.

use extractor::State;
use wire::UnixMillis;
use wire::prompt::{Cause, Outcome, PromptResult};
use wire::wrapper::Offer;

use crate::gate::View;

/// How long an interrupt may take to end the turn before it is sent again.
const INTERRUPT_MS: u64 = 5_000;

/// How long it is tried to interrupt a turn.
const GIVE_UP_MS: u64 = 60_000;

/// A running turn.
#[derive(Debug, Clone, PartialEq)]
pub struct Turn {
    accepted: UnixMillis,
    stop: Option<Stop>,
}

/// A turn that is to be ended.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Stop {
    why: Why,
    /// When the interrupt was first and last sent.
    first: UnixMillis,
    last: UnixMillis,
}

/// Why a turn is interrupted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Why {
    /// Somebody called it off.
    CalledOff,
    /// It took longer than allowed.
    TooLong,
    /// Nothing was heard of it for longer than allowed.
    Silent,
}

/// What is to be done about it.
#[derive(Debug, Clone, PartialEq)]
pub enum Next {
    /// Nothing.
    Nothing,
    /// Interrupt it.
    Interrupt,
    /// It does not end: this is what came of it.
    GiveUp(Box<PromptResult>),
}

impl Turn {
    /// A turn that was accepted at this moment.
    pub fn new(accepted: UnixMillis) -> Self {
        Self { accepted, stop: None }
    }

    /// It is to be ended.
    pub fn stop(&mut self, now: UnixMillis, why: Why) {
        self.stop = Some(Stop { why, first: now, last: now });
    }

    /// Time passed.
    pub fn look(&mut self, now: UnixMillis, view: &View, offer: &Offer) -> Next {
        let Some(stop) = &mut self.stop else {
            let Some(why) = self.overdue(now, view, offer) else { return Next::Nothing };
            self.stop(now, why);
            return interrupt(view);
        };
        if now.since(stop.first) > GIVE_UP_MS {
            let (outcome, cause, because) = stop.why.verdict();
            let reason = match view.state {
                State::Idle => format!("{because}; its end was not seen"),
                _ => format!("{because}, but the agent did not heed that and may still be working"),
            };
            let result = PromptResult { cause, ..PromptResult::new(outcome, reason, "silence") };
            return Next::GiveUp(Box::new(PromptResult { duration_ms: now.since(self.accepted), ..result }));
        }
        if now.since(stop.last) > INTERRUPT_MS && !view.dialog {
            stop.last = now;
            return interrupt(view);
        }
        Next::Nothing
    }

    fn overdue(&self, now: UnixMillis, view: &View, offer: &Offer) -> Option<Why> {
        if now.since(self.accepted) > offer.timeout_ms {
            return Some(Why::TooLong);
        }
        // A person who is asked takes their time.
        let waits = view.dialog || matches!(view.state, State::WaitingPermission | State::WaitingInput);
        let heard = self.accepted.max(view.progress);
        let silent = offer.silence_ms > 0 && !waits && now.since(heard) > offer.silence_ms;
        silent.then_some(Why::Silent)
    }

    /// Whether it was told to stop.
    pub fn is_stopping(&self) -> bool {
        self.stop.is_some()
    }

    /// The turn ended like this: what that means for the prompt. `command` says that it was a command of the agent's
    /// own, which may be done without a word.
    pub fn ended(&self, now: UnixMillis, mut result: PromptResult, command: bool) -> PromptResult {
        result.duration_ms = now.since(self.accepted);
        if result.outcome == Outcome::Completed && result.cause == Some(Cause::Empty) && !command {
            result.outcome = Outcome::Failed;
            result.reason =
                "the turn was over in a moment, without a word and without a call of a tool".to_owned();
        }
        if let Some(stop) = self.stop {
            let (outcome, cause, reason) = stop.why.verdict();
            result.outcome = outcome;
            result.cause = cause.or(result.cause);
            result.reason = reason.to_owned();
        }
        result
    }
}

impl Why {
    fn verdict(self) -> (Outcome, Option<Cause>, &'static str) {
        match self {
            Why::CalledOff => (Outcome::Cancelled, None, "called off and interrupted"),
            Why::TooLong => (Outcome::TimedOut, None, "it took longer than allowed and was interrupted"),
            Why::Silent => {
                let reason = "nothing was heard of it for longer than allowed, and it was interrupted";
                (Outcome::Failed, Some(Cause::Silent), reason)
            }
        }
    }
}

/// An idle agent may take an interrupt for the wish to quit.
fn interrupt(view: &View) -> Next {
    match view.state {
        State::Idle | State::Exited => Next::Nothing,
        _ => Next::Interrupt,
    }
}
