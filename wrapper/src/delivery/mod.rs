//! The life of one prompt in one session, from the server's offer to the verdict.
//!
//! Pure: takes what happened and what the screen shows, returns what to do. No I/O, no clock. All its times are steady: limits
//! are counted by them, so a clock that is set and a machine that sleeps change none (`observer/calendar.rs` tells them on).
//! Invariant: per attempt the text is written at most once, an Enter is written only while exactly that text was
//! seen in the composer and no dialog is open, and the intent is durable before the first byte.

mod attempt;
mod ending;
mod moving;
mod text;
mod turn;
mod typing;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use wire::prompt::{HoldCode, PromptResult};
use wire::wrapper::{Offer, Report};
use wire::{AttemptId, UnixMillis};

use crate::chore::{Chore, Done, Prepared};
use crate::gate::{View, hold};
use attempt::Attempt;

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// The server offers a prompt.
    Offer(Offer),
    /// The server calls an attempt off.
    Cancel(AttemptId),
    /// The server has decided otherwise about an attempt.
    Forget(AttemptId),
    /// The holder wrote what was asked for last, or refused because something had happened.
    Typed(bool),
    /// A chore of an attempt is done.
    Done(AttemptId, Done),
    /// The agent took a prompt.
    Began,
    /// The turn ended.
    Ended(PromptResult),
    /// The program ended.
    Exited(i32),
    /// Time passed or the screen changed.
    Look,
}

/// What is to be done, in this order.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Remember the lease, so that a new observer knows it.
    Lease(Offer),
    /// Remember what goes beyond the receipts, so that a new observer can go on.
    Keep(Kept),
    /// Write a report down, on the disk before anything that follows when it is an intent.
    Report(Report),
    /// Have the holder write these bytes, unless anything happened since the view was made.
    Type(Vec<u8>),
    /// Have the holder write these bytes in any case.
    Interrupt(Vec<u8>),
    /// Do a chore of this attempt; [`Input::Done`] is awaited.
    Run(AttemptId, Chore),
    /// Call the chores of this attempt off.
    Abort(AttemptId),
    /// Start the program anew, there and with these variables.
    Relaunch {
        /// Where.
        dir: String,
        /// Variables to set besides those that it was first started with.
        env: BTreeMap<String, String>,
    },
    /// These variables were typed into the shell.
    Exported(BTreeMap<String, String>),
}

/// What an observer must know of an attempt in order to go on with it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Kept {
    /// What was prepared, if anything was.
    pub prepared: Option<Prepared>,
    /// Where the session was before it was brought elsewhere.
    pub former: Option<String>,
    /// Where the prompt was typed.
    pub dir: String,
    /// The commit that was checked out there.
    pub base: Option<String>,
    /// How the turn ended, once it has.
    pub result: Option<PromptResult>,
}

/// The life of a session's prompts, one after the other.
#[derive(Debug)]
pub struct Delivery {
    fence: u64,
    attempt: Option<Attempt>,
    /// What the recording told of the turn before the Enter was known to be written.
    early: Vec<Input>,
}

impl Delivery {
    /// Nothing held; only fences above `fence` are taken.
    pub fn new(fence: u64) -> Self {
        Self { fence, attempt: None, early: Vec::new() }
    }

    /// Continues an attempt that was running when the observer before this one ended.
    pub fn resume(&mut self, offer: &Offer, kept: Option<Kept>, accepted: UnixMillis) {
        self.attempt = Some(Attempt::resume(offer.clone(), kept, accepted));
    }

    /// Continues an attempt whose turn had ended, and whose verdict had not been found.
    pub fn conclude(&mut self, offer: &Offer, kept: Kept, accepted: UnixMillis) -> Vec<Effect> {
        let mut effects = Vec::new();
        let mut attempt = Attempt::resume(offer.clone(), Some(kept), accepted);
        attempt.conclude(&mut effects);
        self.attempt = Some(attempt).filter(|attempt| !attempt.is_over());
        effects
    }

    /// Highest fence seen.
    pub fn fence(&self) -> u64 {
        self.fence
    }

    /// The attempt that is held.
    pub fn holds(&self) -> Option<AttemptId> {
        self.attempt.as_ref().map(Attempt::id)
    }

    /// How often [`Input::Look`] is wanted, in milliseconds; `None` while time alone changes nothing.
    pub fn patience_ms(&self) -> Option<u64> {
        self.attempt.as_ref().and_then(Attempt::patience_ms)
    }

    /// Whether the session is on its way into another context, so that its context must be read often.
    pub fn is_moving(&self) -> bool {
        self.attempt.as_ref().is_some_and(Attempt::is_moving)
    }

    /// Whether a turn is over and it is waited for what it used.
    pub fn is_counting(&self) -> bool {
        self.attempt.as_ref().is_some_and(Attempt::is_counting)
    }

    /// Takes what happened; returns what to do.
    pub fn apply(&mut self, now: UnixMillis, view: &View, input: Input) -> Vec<Effect> {
        let mut effects = Vec::new();
        self.take(now, view, input, &mut effects);
        effects
    }

    fn take(&mut self, now: UnixMillis, view: &View, input: Input, out: &mut Vec<Effect>) {
        if let Input::Offer(offer) = input {
            return self.offered(now, view, offer, out);
        }
        let Some(attempt) = &mut self.attempt else { return };
        let written = matches!(input, Input::Typed(true));
        let answered = matches!(input, Input::Typed(_));
        match input {
            // The recording may tell of the turn before the holder tells that the Enter was written.
            Input::Began | Input::Ended(_) if attempt.is_entering() => return self.early.push(input),
            Input::Cancel(id) | Input::Forget(id) | Input::Done(id, _) if id != attempt.id() => return,
            Input::Cancel(_) => attempt.cancelled(now, view, out),
            Input::Forget(_) => attempt.forgotten(view, out),
            Input::Typed(written) => attempt.typed(now, view, written, out),
            Input::Done(_, done) => attempt.done(now, view, done, out),
            Input::Began => attempt.began(now, out),
            Input::Ended(result) => attempt.ended(now, view, result, out),
            Input::Exited(status) => attempt.exited(now, view, status, out),
            Input::Look => attempt.look(now, view, out),
            Input::Offer(_) => {}
        }
        if attempt.is_over() {
            self.attempt = None;
            self.early.clear();
        }
        if answered {
            for early in std::mem::take(&mut self.early).into_iter().filter(|_| written) {
                self.take(now, view, early, out);
            }
        }
    }

    fn offered(&mut self, now: UnixMillis, view: &View, offer: Offer, out: &mut Vec<Effect>) {
        let attempt = offer.attempt;
        if self.holds() == Some(attempt) {
            return;
        }
        if offer.fence <= self.fence || self.holds().is_some() {
            let hold = hold(HoldCode::StaleFence, "a newer lease of this session was seen");
            return out.push(Effect::Report(Report::Held { attempt, hold }));
        }
        self.fence = offer.fence;
        out.push(Effect::Lease(offer.clone()));
        self.attempt = Some(Attempt::begin(now, view, offer, out)).filter(|attempt| !attempt.is_over());
    }
}

#[cfg(test)]
mod random_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod way_tests;
