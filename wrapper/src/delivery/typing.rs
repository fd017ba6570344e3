//! One text on its way into an agent: pasted, seen, entered, gone from the composer. Must not: know what it is for.
//!
//! Invariant: the text is written once, and an Enter only while exactly it was seen in the composer and no dialog is
//! open.

use extractor::{Shown, State};
use patterns::Paste;
use wire::UnixMillis;
use wire::prompt::{Hold, HoldCode, Step};

use crate::gate::{PERSON_MS, View, hold};

/// How long the gate may be found closed by mere movement on the screen before the text is given up.
const UNSETTLED_MS: u64 = 2_000;

/// How long a written text may take to appear in the composer. Agents on a loaded machine take seconds.
const SEE_MS: u64 = 30_000;

/// After this long without a sign, and with the text still in the composer, the Enter was lost.
const ENTER_AGAIN_MS: u64 = 4_000;

/// Enters per text: the first, and two for those that get lost.
pub const ENTERS_MAX: u32 = 3;

/// How long a submitted text may take to be accepted.
const ACCEPT_MS: u64 = 60_000;

/// A text being typed.
#[derive(Debug, Clone, PartialEq)]
pub struct Typing {
    text: String,
    /// When it was last asked to be written: what a person typed later stands behind it, or nothing was written.
    asked: UnixMillis,
    stage: Stage,
}

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Stage {
    /// The holder was asked to write the text.
    Pasting { since: UnixMillis },
    /// The text was written; it is not in the composer yet.
    Pasted { at: UnixMillis },
    /// It stands there.
    Seen { at: UnixMillis, enters: u32 },
    /// The holder was asked to write the Enter.
    Entering { at: UnixMillis, enters: u32 },
    /// The Enter was written.
    Submitted { at: UnixMillis, first: UnixMillis, enters: u32 },
}

/// What came of a look.
#[derive(Debug, Clone, PartialEq)]
pub enum Progress {
    /// Nothing.
    Nothing,
    /// It came a step further.
    Reached(Step),
    /// The holder is to write this, if nothing happened meanwhile.
    Write(Vec<u8>),
    /// It is given up.
    Stuck(Hold),
    /// The agent took it and works.
    Taken,
}

impl Typing {
    /// Begins: the bytes are to be written, guarded.
    pub fn begin(now: UnixMillis, view: &View, text: String) -> (Self, Vec<u8>) {
        let bytes = paste(view, &text);
        (Self { text, asked: now, stage: Stage::Pasting { since: now } }, bytes)
    }

    /// Whether the Enter was asked for, and nobody knows yet whether it was written.
    pub fn is_entering(&self) -> bool {
        matches!(self.stage, Stage::Entering { .. })
    }

    /// Whether the Enter was written.
    pub fn is_submitted(&self) -> bool {
        matches!(self.stage, Stage::Submitted { .. })
    }

    /// Whether a byte of it may have reached the agent.
    pub fn is_written(&self) -> bool {
        !matches!(self.stage, Stage::Pasting { .. })
    }

    /// The holder wrote what was asked for, or refused; `gate` says whether anything may be typed now.
    pub fn written(
        &mut self,
        now: UnixMillis,
        view: &View,
        written: bool,
        gate: Result<(), Hold>,
    ) -> Progress {
        match (self.stage, written) {
            (Stage::Pasting { .. }, true) => {
                self.stage = Stage::Pasted { at: now };
                Progress::Reached(Step::Written)
            }
            (Stage::Pasting { since }, false) => self.paste_again(now, view, since, gate),
            (Stage::Entering { at, enters }, true) => {
                self.stage = Stage::Submitted { at: now, first: at, enters: enters + 1 };
                if enters == 0 { Progress::Reached(Step::Submitted) } else { Progress::Nothing }
            }
            (Stage::Entering { at, enters }, false) => {
                self.stage = Stage::Seen { at, enters };
                Progress::Nothing
            }
            (Stage::Pasted { .. } | Stage::Seen { .. } | Stage::Submitted { .. }, _) => Progress::Nothing,
        }
    }

    /// The screen moved between the look and the write: nothing was written, so the gate decides anew.
    fn paste_again(
        &mut self,
        now: UnixMillis,
        view: &View,
        since: UnixMillis,
        gate: Result<(), Hold>,
    ) -> Progress {
        match gate {
            Err(hold) => Progress::Stuck(hold),
            Ok(()) if now.since(since) > UNSETTLED_MS => {
                let why = "the screen does not come to rest; it is tried again";
                Progress::Stuck(hold(HoldCode::NotIdle, why))
            }
            Ok(()) => {
                self.asked = now;
                Progress::Write(paste(view, &self.text))
            }
        }
    }

    /// Time passed or the screen changed; `late` says that it took longer than the sender allows.
    pub fn look(&mut self, now: UnixMillis, view: &View, late: bool) -> Progress {
        match self.stage {
            Stage::Pasting { .. } | Stage::Entering { .. } => Progress::Nothing,
            Stage::Pasted { at } => self.look_for_text(now, view, at, late),
            Stage::Seen { at, enters } => self.look_before_enter(now, view, at, enters, late),
            Stage::Submitted { at, first, enters } => {
                self.look_for_acceptance(now, view, (at, first), enters, late)
            }
        }
    }

    fn stands(&self, view: &View) -> bool {
        (view.shows)(&self.text) != Shown::No
    }

    /// Whether it stands there and nothing else: when a person has typed since, nothing else may be hidden.
    fn stands_alone(&self, view: &View) -> bool {
        match (view.shows)(&self.text) {
            Shown::Text => true,
            Shown::Part | Shown::Placeholder => view.person.is_none_or(|person| person < self.asked),
            Shown::No => false,
        }
    }

    fn look_for_text(&mut self, now: UnixMillis, view: &View, at: UnixMillis, late: bool) -> Progress {
        if !view.dialog && self.stands_alone(view) {
            self.stage = Stage::Seen { at: now, enters: 0 };
            return Progress::Reached(Step::Seen);
        }
        if late || now.since(at) > SEE_MS {
            let why = "the text was written but never seen in the composer, so no Enter was sent; look at the session, \
                       then retry or cancel";
            return Progress::Stuck(hold(HoldCode::NotSeen, why));
        }
        Progress::Nothing
    }

    fn look_before_enter(
        &mut self,
        now: UnixMillis,
        view: &View,
        at: UnixMillis,
        enters: u32,
        late: bool,
    ) -> Progress {
        let person_came = view.person.is_some_and(|person| now.since(person) < PERSON_MS);
        // A dialog that the agent tells of need not be known by its looks yet.
        let asks = view.dialog || matches!(view.state, State::WaitingPermission | State::WaitingInput);
        if asks || person_came || !self.stands_alone(view) {
            if late || now.since(at) > SEE_MS {
                let why = "the text stood in the composer, but then a dialog or a person came, and no Enter was sent; \
                           look at the session, then retry or cancel";
                return Progress::Stuck(hold(HoldCode::NotSeen, why));
            }
            return Progress::Nothing;
        }
        if now.since(at) < view.recipe.settle_ms {
            return Progress::Nothing;
        }
        self.stage = Stage::Entering { at, enters };
        Progress::Write(view.recipe.enter.clone())
    }

    fn look_for_acceptance(
        &mut self,
        now: UnixMillis,
        view: &View,
        (at, first): (UnixMillis, UnixMillis),
        enters: u32,
        late: bool,
    ) -> Progress {
        let stands = self.stands(view);
        if !stands && view.state == State::Busy {
            return Progress::Taken;
        }
        let lost = stands && view.state == State::Idle && !view.dialog && now.since(at) > ENTER_AGAIN_MS;
        if lost && enters < ENTERS_MAX {
            self.stage = Stage::Seen { at: first, enters };
            return Progress::Nothing;
        }
        if late || now.since(first) > ACCEPT_MS {
            let why = "Enter was sent, but no turn began; look at the session, then retry or cancel";
            return Progress::Stuck(hold(HoldCode::NotAccepted, why));
        }
        Progress::Nothing
    }

    /// Whether the Enter was written this long ago, and the text is gone from the composer.
    pub fn is_gone(&self, now: UnixMillis, view: &View, for_ms: u64) -> bool {
        let Stage::Submitted { at, .. } = self.stage else { return false };
        now.since(at) >= for_ms && !self.stands(view)
    }
}

/// Whether the program takes a text of several lines as one.
pub fn brackets(view: &View) -> bool {
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
