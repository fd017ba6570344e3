//! The life of one prompt in one session, from the server's offer to the end of the turn.
//!
//! Pure: takes what happened and what the screen shows, returns what to do. No I/O, no clock.
//! Invariant: per attempt the text is written at most once, an Enter is written only while exactly that text was
//! seen in the composer and no dialog is open, and the intent is durable before the first byte.

use extractor::{Shown, State};
use patterns::Paste;
use wire::prompt::{Cause, Hold, HoldCode, Outcome, PromptResult, Receipt, Step};
use wire::text::clean_prompt;
use wire::wrapper::{Offer, Report};
use wire::{AttemptId, UnixMillis};

use crate::gate::{self, PERSON_MS, View, hold};

/// How long the gate may be found closed by mere movement on the screen before the offer is given back.
const UNSETTLED_MS: u64 = 2_000;

/// How long a written text may take to appear in the composer. Agents on a loaded machine take seconds.
const SEE_MS: u64 = 30_000;

/// After this long without a sign, and with the text still in the composer, the Enter was lost.
const ENTER_AGAIN_MS: u64 = 4_000;

/// Enters per attempt: the first, and two for those that get lost.
const ENTERS_MAX: u32 = 3;

/// How long a submitted text may take to be accepted.
const ACCEPT_MS: u64 = 60_000;

/// How long an interrupt may take to end the turn before it is sent again.
const INTERRUPT_MS: u64 = 5_000;

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
    /// Write a report down, on the disk before anything that follows when it is an intent.
    Report(Report),
    /// Have the holder write these bytes, unless anything happened since the view was made.
    Type(Vec<u8>),
    /// Have the holder write these bytes in any case.
    Interrupt(Vec<u8>),
}

/// Where an attempt stands.
#[derive(Debug, Clone, PartialEq)]
enum Phase {
    /// No attempt.
    Free,
    /// The holder was asked to write the text.
    Pasting { offer: Offer, text: String, since: UnixMillis },
    /// The text was written; it is not in the composer yet.
    Pasted { offer: Offer, text: String, at: UnixMillis },
    /// It stands there.
    Seen { offer: Offer, text: String, at: UnixMillis, enters: u32 },
    /// The holder was asked to write the Enter.
    Entering { offer: Offer, text: String, at: UnixMillis, enters: u32 },
    /// The Enter was written.
    Submitted { offer: Offer, text: String, at: UnixMillis, first: UnixMillis, enters: u32 },
    /// The agent took it.
    Running { attempt: AttemptId, accepted: UnixMillis, timeout_ms: u64, stop: Option<Stop> },
}

/// A running turn that is to be ended.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Stop {
    outcome: Outcome,
    /// When the interrupt was last sent.
    sent: UnixMillis,
}

/// The life of a session's prompts, one after the other.
#[derive(Debug)]
pub struct Delivery {
    fence: u64,
    phase: Phase,
    /// What runs is a command of the agent's own, which may be done without a word.
    command: bool,
    /// What the recording told of the turn before the Enter was known to be written.
    early: Vec<Input>,
}

impl Delivery {
    /// Nothing held; only fences above `fence` are taken.
    pub fn new(fence: u64) -> Self {
        Self { fence, phase: Phase::Free, command: false, early: Vec::new() }
    }

    /// Continues an attempt that was running when the observer before this one ended.
    pub fn resume(&mut self, offer: &Offer, accepted: UnixMillis) {
        let Offer { attempt, timeout_ms, command, .. } = *offer;
        self.command = command;
        self.phase = Phase::Running { attempt, accepted, timeout_ms, stop: None };
    }

    /// Highest fence seen.
    pub fn fence(&self) -> u64 {
        self.fence
    }

    /// The attempt that is held.
    pub fn holds(&self) -> Option<AttemptId> {
        match &self.phase {
            Phase::Free => None,
            Phase::Pasting { offer, .. }
            | Phase::Pasted { offer, .. }
            | Phase::Seen { offer, .. }
            | Phase::Entering { offer, .. }
            | Phase::Submitted { offer, .. } => Some(offer.attempt),
            Phase::Running { attempt, .. } => Some(*attempt),
        }
    }

    /// How often [`Input::Look`] is wanted, in milliseconds; `None` while time alone changes nothing.
    pub fn patience_ms(&self) -> Option<u64> {
        match self.phase {
            Phase::Free => None,
            Phase::Pasting { .. } | Phase::Pasted { .. } | Phase::Seen { .. } | Phase::Entering { .. } => {
                Some(20)
            }
            Phase::Submitted { .. } => Some(50),
            Phase::Running { .. } => Some(500),
        }
    }

    /// Takes what happened; returns what to do.
    pub fn apply(&mut self, now: UnixMillis, view: &View, input: Input) -> Vec<Effect> {
        if matches!(self.phase, Phase::Entering { .. }) && matches!(input, Input::Began | Input::Ended(_)) {
            // The recording may tell of the turn before the holder tells that the Enter was written.
            self.early.push(input);
            return Vec::new();
        }
        match input {
            Input::Offer(offer) => self.offered(now, view, offer),
            Input::Cancel(attempt) if self.holds() == Some(attempt) => self.cancelled(now, view),
            Input::Forget(attempt) if self.holds() == Some(attempt) => {
                self.phase = Phase::Free;
                Vec::new()
            }
            Input::Cancel(_) | Input::Forget(_) => Vec::new(),
            Input::Typed(written) => {
                let mut effects = self.typed(now, view, written);
                for early in std::mem::take(&mut self.early).into_iter().filter(|_| written) {
                    effects.extend(self.apply(now, view, early));
                }
                effects
            }
            Input::Began => self.began(now),
            Input::Ended(result) => self.ended(now, result),
            Input::Exited(status) => self.exited(now, status),
            Input::Look => self.look(now, view),
        }
    }

    fn offered(&mut self, now: UnixMillis, view: &View, offer: Offer) -> Vec<Effect> {
        let attempt = offer.attempt;
        if self.holds() == Some(attempt) {
            return Vec::new();
        }
        if offer.fence <= self.fence || self.holds().is_some() {
            return vec![held(attempt, HoldCode::StaleFence, "a newer lease of this session was seen")];
        }
        self.fence = offer.fence;
        let mut effects = vec![Effect::Lease(offer.clone()), step(attempt, Step::Offered, now)];
        match gate::open(now, view, &offer).and_then(|()| prepare(view, &offer)) {
            Ok(text) => {
                // Whoever follows a crash from here on must not type again.
                effects.push(step(attempt, Step::Intent, now));
                effects.push(Effect::Type(paste(view, &text)));
                self.phase = Phase::Pasting { offer, text, since: now };
            }
            Err(hold) => effects.push(Effect::Report(Report::Held { attempt, hold })),
        }
        effects
    }

    fn typed(&mut self, now: UnixMillis, view: &View, written: bool) -> Vec<Effect> {
        match (std::mem::replace(&mut self.phase, Phase::Free), written) {
            (Phase::Pasting { offer, text, .. }, true) => {
                let written = step(offer.attempt, Step::Written, now);
                self.phase = Phase::Pasted { offer, text, at: now };
                vec![written]
            }
            (Phase::Pasting { offer, text, since }, false) => self.paste_again(now, view, offer, text, since),
            (Phase::Entering { offer, text, at, enters }, true) => {
                let submitted = (enters == 0).then(|| step(offer.attempt, Step::Submitted, now));
                self.phase = Phase::Submitted { offer, text, at: now, first: at, enters: enters + 1 };
                submitted.into_iter().collect()
            }
            (Phase::Entering { offer, text, at, enters }, false) => {
                self.phase = Phase::Seen { offer, text, at, enters };
                Vec::new()
            }
            (other, _) => {
                self.phase = other;
                Vec::new()
            }
        }
    }

    /// The screen moved between the look and the write: nothing was written, so the gate decides anew.
    fn paste_again(
        &mut self,
        now: UnixMillis,
        view: &View,
        offer: Offer,
        text: String,
        since: UnixMillis,
    ) -> Vec<Effect> {
        let attempt = offer.attempt;
        let gate = gate::open(now, view, &offer).and_then(|()| {
            let unsettled = "the screen does not come to rest; it is tried again";
            if now.since(since) > UNSETTLED_MS { Err(hold(HoldCode::NotIdle, unsettled)) } else { Ok(()) }
        });
        match gate {
            Ok(()) => {
                let bytes = paste(view, &text);
                self.phase = Phase::Pasting { offer, text, since };
                vec![Effect::Type(bytes)]
            }
            Err(hold) => vec![Effect::Report(Report::Held { attempt, hold })],
        }
    }

    fn look(&mut self, now: UnixMillis, view: &View) -> Vec<Effect> {
        match std::mem::replace(&mut self.phase, Phase::Free) {
            Phase::Pasted { offer, text, at } => self.look_for_text(now, view, offer, text, at),
            Phase::Seen { offer, text, at, enters } => {
                self.look_before_enter(now, view, offer, text, at, enters)
            }
            Phase::Submitted { offer, text, at, first, enters } => {
                self.look_for_acceptance(now, view, offer, text, (at, first), enters)
            }
            Phase::Running { attempt, accepted, timeout_ms, stop } => {
                self.look_at_turn(now, view, attempt, accepted, timeout_ms, stop)
            }
            other @ (Phase::Free | Phase::Pasting { .. } | Phase::Entering { .. }) => {
                self.phase = other;
                Vec::new()
            }
        }
    }

    fn look_for_text(
        &mut self,
        now: UnixMillis,
        view: &View,
        offer: Offer,
        text: String,
        at: UnixMillis,
    ) -> Vec<Effect> {
        if !view.dialog && (view.shows)(&text) != Shown::No {
            let seen = step(offer.attempt, Step::Seen, now);
            self.phase = Phase::Seen { offer, text, at: now, enters: 0 };
            return vec![seen];
        }
        if now.since(at) > SEE_MS {
            let why = "the text was written but never seen in the composer, so no Enter was sent; look at the session, \
                       then retry or cancel";
            return vec![held(offer.attempt, HoldCode::NotSeen, why)];
        }
        self.phase = Phase::Pasted { offer, text, at };
        Vec::new()
    }

    fn look_before_enter(
        &mut self,
        now: UnixMillis,
        view: &View,
        offer: Offer,
        text: String,
        at: UnixMillis,
        enters: u32,
    ) -> Vec<Effect> {
        let since_person = view.person.map(|person| now.since(person));
        let person_came = since_person.is_some_and(|ms| ms < PERSON_MS);
        let stands = !view.dialog && (view.shows)(&text) != Shown::No;
        if !stands || person_came {
            if now.since(at) > SEE_MS {
                let why = "the text stood in the composer, but then a dialog or a person came, and no Enter was sent; \
                           look at the session, then retry or cancel";
                return vec![held(offer.attempt, HoldCode::NotSeen, why)];
            }
            self.phase = Phase::Seen { offer, text, at, enters };
            return Vec::new();
        }
        if now.since(at) < view.recipe.settle_ms {
            self.phase = Phase::Seen { offer, text, at, enters };
            return Vec::new();
        }
        self.phase = Phase::Entering { offer, text, at, enters };
        vec![Effect::Type(view.recipe.enter.clone())]
    }

    fn look_for_acceptance(
        &mut self,
        now: UnixMillis,
        view: &View,
        offer: Offer,
        text: String,
        (at, first): (UnixMillis, UnixMillis),
        enters: u32,
    ) -> Vec<Effect> {
        let stands = (view.shows)(&text) != Shown::No;
        if !stands && view.state == State::Busy {
            self.phase = Phase::Submitted { offer, text, at, first, enters };
            return self.began(now);
        }
        let lost = stands && view.state == State::Idle && !view.dialog && now.since(at) > ENTER_AGAIN_MS;
        if lost && enters < ENTERS_MAX {
            self.phase = Phase::Seen { offer, text, at: first, enters };
            return Vec::new();
        }
        if now.since(first) > ACCEPT_MS {
            let why = "Enter was sent, but no turn began; look at the session, then retry or cancel";
            return vec![held(offer.attempt, HoldCode::NotAccepted, why)];
        }
        self.phase = Phase::Submitted { offer, text, at, first, enters };
        Vec::new()
    }

    fn look_at_turn(
        &mut self,
        now: UnixMillis,
        view: &View,
        attempt: AttemptId,
        accepted: UnixMillis,
        timeout_ms: u64,
        stop: Option<Stop>,
    ) -> Vec<Effect> {
        let stop = match stop {
            Some(stop) if now.since(stop.sent) > INTERRUPT_MS && !view.dialog => {
                Some(Stop { sent: now, ..stop })
            }
            None if now.since(accepted) > timeout_ms => Some(Stop { outcome: Outcome::TimedOut, sent: now }),
            same => {
                self.phase = Phase::Running { attempt, accepted, timeout_ms, stop: same };
                return Vec::new();
            }
        };
        self.phase = Phase::Running { attempt, accepted, timeout_ms, stop };
        // An idle agent may take an interrupt for the wish to quit.
        match view.state {
            State::Idle | State::Exited => Vec::new(),
            _ => vec![Effect::Interrupt(view.recipe.interrupt.clone())],
        }
    }

    fn began(&mut self, now: UnixMillis) -> Vec<Effect> {
        let Phase::Submitted { offer, .. } = &self.phase else { return Vec::new() };
        let Offer { attempt, timeout_ms, command, .. } = *offer;
        self.command = command;
        self.phase = Phase::Running { attempt, accepted: now, timeout_ms, stop: None };
        vec![step(attempt, Step::Accepted, now), step(attempt, Step::Started, now)]
    }

    fn ended(&mut self, now: UnixMillis, mut result: PromptResult) -> Vec<Effect> {
        // A turn may be over before anything was drawn of it.
        let mut effects = self.began(now);
        let Phase::Running { attempt, accepted, stop, .. } = self.phase else { return effects };
        self.phase = Phase::Free;
        result.duration_ms = now.since(accepted);
        if result.outcome == Outcome::Completed && result.cause == Some(Cause::Empty) && !self.command {
            result.outcome = Outcome::Failed;
            result.reason =
                "the turn was over in a moment, without a word and without a call of a tool".to_owned();
        }
        if let Some(stop) = stop {
            result.outcome = stop.outcome;
            result.reason = match stop.outcome {
                Outcome::TimedOut => "it took longer than allowed and was interrupted".to_owned(),
                _ => "called off and interrupted".to_owned(),
            };
        }
        effects.extend([step(attempt, Step::Ended, now), Effect::Report(Report::Ended { attempt, result })]);
        effects
    }

    fn exited(&mut self, now: UnixMillis, status: i32) -> Vec<Effect> {
        let reason = format!("the agent ended with status {status}");
        match std::mem::replace(&mut self.phase, Phase::Free) {
            Phase::Free => Vec::new(),
            running @ Phase::Running { .. } => {
                self.phase = running;
                let cause = Some(Cause::Exited);
                self.ended(now, PromptResult { cause, ..PromptResult::new(Outcome::Failed, reason, "exit") })
            }
            Phase::Pasting { offer, .. } => vec![held(offer.attempt, HoldCode::SessionGone, &reason)],
            Phase::Pasted { offer, .. }
            | Phase::Seen { offer, .. }
            | Phase::Entering { offer, .. }
            | Phase::Submitted { offer, .. } => {
                let why = format!("{reason} while the prompt was being typed; retry or cancel it");
                vec![held(offer.attempt, HoldCode::Unknown, &why)]
            }
        }
    }

    fn cancelled(&mut self, now: UnixMillis, view: &View) -> Vec<Effect> {
        match std::mem::replace(&mut self.phase, Phase::Free) {
            Phase::Free => Vec::new(),
            Phase::Running { attempt, accepted, timeout_ms, .. } => {
                let stop = Some(Stop { outcome: Outcome::Cancelled, sent: now });
                self.phase = Phase::Running { attempt, accepted, timeout_ms, stop };
                vec![Effect::Interrupt(view.recipe.interrupt.clone())]
            }
            Phase::Submitted { offer, .. } => {
                let (attempt, timeout_ms) = (offer.attempt, offer.timeout_ms);
                let stop = Some(Stop { outcome: Outcome::Cancelled, sent: now });
                self.phase = Phase::Running { attempt, accepted: now, timeout_ms, stop };
                vec![Effect::Interrupt(view.recipe.interrupt.clone())]
            }
            Phase::Pasting { offer, .. }
            | Phase::Pasted { offer, .. }
            | Phase::Seen { offer, .. }
            | Phase::Entering { offer, .. } => {
                let reason = "called off; its text may still stand in the composer, unsent";
                vec![called_off(offer.attempt, reason)]
            }
        }
    }
}

/// The text as it will be typed, or why it must not be.
fn prepare(view: &View, offer: &Offer) -> Result<String, Hold> {
    let text = clean_prompt(&offer.text);
    if text.trim().is_empty() {
        return Err(hold(HoldCode::TextRefused, "nothing is left of the text after cleaning it"));
    }
    if text.contains('\n') && !brackets(view) {
        let why = "the program does not take a text of several lines as one; send it as one line";
        return Err(hold(HoldCode::TextRefused, why));
    }
    let switches = text.starts_with(|c| view.recipe.prefixes.contains(&c));
    match (switches && !offer.command, &view.recipe.guard) {
        (false, _) => Ok(text),
        (true, Some(guard)) => Ok(format!("{guard}{text}")),
        (true, None) => {
            let why =
                "its first character would switch the agent's mode; send it with --command if that is meant";
            Err(hold(HoldCode::TextRefused, why))
        }
    }
}

fn brackets(view: &View) -> bool {
    match view.recipe.paste {
        Paste::Always => true,
        Paste::WhenAsked => view.bracketed_paste,
        Paste::Never => false,
    }
}

fn paste(view: &View, text: &str) -> Vec<u8> {
    if brackets(view) {
        [b"\x1b[200~", text.as_bytes(), b"\x1b[201~"].concat()
    } else {
        text.as_bytes().to_vec()
    }
}

fn step(attempt: AttemptId, step: Step, at: UnixMillis) -> Effect {
    Effect::Report(Report::Receipt { attempt, receipt: Receipt { step, at } })
}

fn held(attempt: AttemptId, code: HoldCode, text: &str) -> Effect {
    Effect::Report(Report::Held { attempt, hold: hold(code, text) })
}

fn called_off(attempt: AttemptId, reason: &str) -> Effect {
    let result = PromptResult::new(Outcome::Cancelled, reason, "server");
    Effect::Report(Report::Ended { attempt, result })
}

#[cfg(test)]
#[path = "delivery_tests.rs"]
mod tests;
