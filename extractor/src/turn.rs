//! The life of a turn: one enum, changed by one function that takes an event and returns effects.
//! Must not: look at the screen or a clock.

use std::time::Duration;

use crate::observation::{Cause, Source, State, TurnOutcome};

/// How long after an interrupt key a turn's end is taken for its effect. On a loaded machine it takes seconds.
const INTERRUPT_COUNTS: Duration = Duration::from_secs(20);

/// How long work that nobody asked for must go on to be a turn: agents work for a moment when they start.
const UNASKED_COUNTS: Duration = Duration::from_secs(3);

/// The same for a program that is starting, when somebody has typed a prompt already.
const START_COUNTS: Duration = Duration::from_secs(1);

fn counts(entered: bool) -> Duration {
    if entered { START_COUNTS } else { UNASKED_COUNTS }
}

/// Where the session stands between two prompts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// None runs; `entered` when Enter was pressed since the last one.
    None {
        /// Whether somebody pressed Enter.
        entered: bool,
    },
    /// It works although nobody pressed Enter: its start, or something it does by itself.
    Unasked {
        /// Since when.
        since: Duration,
        /// What told so.
        source: Source,
        /// Somebody pressed Enter while it started.
        entered: bool,
    },
    /// One runs.
    Running {
        /// Since when.
        began: Duration,
        /// When somebody pressed the interrupt key or refused a dialog.
        interrupted: Option<Duration>,
        /// Whether another prompt was entered meanwhile.
        queued: bool,
        /// Whether it was ever seen at work: a dialog alone may be anybody's.
        worked: bool,
    },
}

/// What the end of a turn left on the screen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict {
    /// The agent's line of failure, or its status.
    pub failed: Option<String>,
    /// What failed is a command, whose status tells so.
    pub status: bool,
    /// The agent's line of interruption.
    pub interrupted: Option<String>,
    /// A sentence in which the answer says that it is not done.
    pub refused: Option<String>,
    /// The agent's own end mark is the last thing of the turn.
    pub ended: bool,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The state changed.
    State {
        /// From.
        from: State,
        /// To.
        to: State,
        /// What told so.
        source: Source,
        /// What the screen holds, when the agent rests.
        verdict: Verdict,
    },
    /// Somebody pressed Enter.
    Enter,
    /// A prompt was entered while a turn runs.
    Queued,
    /// Somebody pressed the interrupt key.
    Interrupt,
    /// Time passed.
    Time,
    /// The agent's end mark appeared while the next turn runs already.
    Next {
        /// What the screen holds.
        verdict: Verdict,
    },
    /// A command began and ended between two looks.
    Short {
        /// What the screen holds.
        verdict: Verdict,
    },
}

/// What follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// A turn began.
    Began(Source),
    /// It ended.
    Ended {
        /// How.
        outcome: TurnOutcome,
        /// Why.
        reason: String,
        /// Why, as far as the turn itself tells.
        cause: Option<Cause>,
        /// How long the turn took.
        took: Duration,
        /// What told so.
        source: Source,
    },
}

impl Default for Turn {
    fn default() -> Self {
        Self::None { entered: false }
    }
}

impl Turn {
    /// The turn after an event, and what follows from it.
    pub fn on(self, now: Duration, event: Event) -> (Self, Vec<Effect>) {
        match self {
            Self::None { entered } => Self::at_rest(entered, now, event),
            Self::Unasked { since, source, entered } => Self::unasked(since, source, entered, now, event),
            Self::Running { .. } => self.running(now, event),
        }
    }

    /// When [`Event::Time`] must come at the latest.
    pub fn due(self) -> Option<Duration> {
        match self {
            Self::Unasked { since, entered, .. } => Some(since + counts(entered)),
            Self::None { .. } | Self::Running { .. } => None,
        }
    }

    /// Whether work now would be work that somebody asked for.
    pub fn expected(self) -> bool {
        self != Self::None { entered: false }
    }

    /// Whether one runs of which only a dialog was seen.
    pub fn is_unworked(self) -> bool {
        matches!(self, Self::Running { worked: false, .. })
    }

    fn begin(began: Duration) -> Self {
        Self::Running { began, interrupted: None, queued: false, worked: true }
    }

    fn begin_by_dialog(began: Duration) -> Self {
        Self::Running { began, interrupted: None, queued: false, worked: false }
    }

    fn at_rest(entered: bool, now: Duration, event: Event) -> (Self, Vec<Effect>) {
        let rest = Self::None { entered };
        match event {
            Event::State { from, to, source, .. } => match (from, to) {
                (State::Starting, State::Busy) => (Self::Unasked { since: now, source, entered }, Vec::new()),
                (_, State::Busy) if entered => (Self::begin(now), vec![Effect::Began(source)]),
                (_, State::Busy) => (Self::Unasked { since: now, source, entered }, Vec::new()),
                (State::Idle | State::Unknown, State::WaitingPermission) => {
                    (Self::begin_by_dialog(now), vec![Effect::Began(source)])
                }
                (_, State::WaitingPermission | State::WaitingInput | State::Starting) => (rest, Vec::new()),
                (_, State::Idle | State::Exited | State::Unknown) => (rest, Vec::new()),
            },
            Event::Enter => (Self::None { entered: true }, Vec::new()),
            Event::Short { verdict } => {
                let ended = Self::begin(now).end(now, Source::Input, verdict);
                (Self::default(), vec![Effect::Began(Source::Input), ended])
            }
            Event::Interrupt | Event::Next { .. } | Event::Time | Event::Queued => (rest, Vec::new()),
        }
    }

    fn unasked(
        since: Duration,
        source: Source,
        entered: bool,
        now: Duration,
        event: Event,
    ) -> (Self, Vec<Effect>) {
        let began = (Self::begin(since), vec![Effect::Began(source)]);
        let same = Self::Unasked { since, source, entered };
        match event {
            Event::State { to: State::WaitingPermission, .. } | Event::Enter | Event::Interrupt => began,
            Event::Time if now >= since + counts(entered) => began,
            Event::State { to: State::Busy | State::WaitingInput | State::Unknown, .. } => (same, Vec::new()),
            Event::State { to: State::Idle | State::Starting | State::Exited, .. } => {
                (Self::None { entered }, Vec::new())
            }
            Event::Time | Event::Next { .. } | Event::Short { .. } | Event::Queued => (same, Vec::new()),
        }
    }

    fn running(mut self, now: Duration, event: Event) -> (Self, Vec<Effect>) {
        match event {
            Event::State { to: State::Idle, source, verdict, .. } => {
                (Self::default(), vec![self.end(now, source, verdict)])
            }
            Event::State { to: State::Exited, source, .. } => {
                let reason = "the program ended during the turn".to_owned();
                let (outcome, cause, took) = (TurnOutcome::Failed, Some(Cause::Exited), self.took(now));
                (Self::default(), vec![Effect::Ended { outcome, reason, cause, took, source }])
            }
            Event::State { from, to: State::Busy, .. } => {
                if let Self::Running { interrupted, worked, .. } = &mut self {
                    *worked = true;
                    // It was refused something, and goes on without it.
                    if matches!(from, State::WaitingPermission | State::WaitingInput) {
                        *interrupted = None;
                    }
                }
                (self, Vec::new())
            }
            Event::Interrupt => {
                if let Self::Running { interrupted, .. } = &mut self {
                    *interrupted = Some(now);
                }
                (self, Vec::new())
            }
            Event::Queued => {
                if let Self::Running { queued, .. } = &mut self {
                    *queued = true;
                }
                (self, Vec::new())
            }
            Event::Next { verdict } => (
                Self::begin(now),
                vec![self.end(now, Source::Screen, verdict), Effect::Began(Source::Screen)],
            ),
            Event::State { .. } | Event::Enter | Event::Short { .. } | Event::Time => (self, Vec::new()),
        }
    }

    fn end(self, now: Duration, source: Source, verdict: Verdict) -> Effect {
        let key = match self {
            Self::Running { interrupted: Some(at), .. } => now <= at + INTERRUPT_COUNTS && !verdict.ended,
            Self::Running { interrupted: None, .. } | Self::Unasked { .. } | Self::None { .. } => false,
        };
        let (outcome, reason, cause) = if let Some(reason) = verdict.interrupted {
            (TurnOutcome::Interrupted, reason, None)
        } else if let Some(reason) = verdict.failed {
            (TurnOutcome::Failed, reason, verdict.status.then_some(Cause::Status))
        } else if key {
            (TurnOutcome::Interrupted, "interrupt key".to_owned(), None)
        } else if let Some(reason) = verdict.refused {
            (TurnOutcome::Failed, reason, Some(Cause::Refused))
        } else {
            let unworked = self.is_unworked() && !verdict.ended;
            (TurnOutcome::Completed, String::new(), unworked.then_some(Cause::Unworked))
        };
        Effect::Ended { outcome, reason, cause, took: self.took(now), source }
    }

    fn took(self, now: Duration) -> Duration {
        match self {
            Self::Running { began, .. } => now.saturating_sub(began),
            Self::None { .. } | Self::Unasked { .. } => Duration::ZERO,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(from: State, to: State, ended: bool) -> Event {
        let verdict = Verdict { ended, ..Verdict::default() };
        Event::State { from, to, source: Source::Screen, verdict }
    }

    /// The cause of the end that follows from these events, of a prompt that was entered.
    fn cause(events: &[Event]) -> Option<Cause> {
        let mut turn = Turn::None { entered: true };
        let mut ends = Vec::new();
        for (second, event) in (1..).zip(events) {
            let (next, effects) = turn.on(Duration::from_secs(second), event.clone());
            turn = next;
            ends.extend(effects.into_iter().filter_map(|effect| match effect {
                Effect::Ended { outcome, cause, .. } => Some((outcome, cause)),
                Effect::Began(_) => None,
            }));
        }
        assert!(matches!(ends.as_slice(), [(TurnOutcome::Completed, _)]), "{ends:?}");
        ends[0].1
    }

    #[test]
    fn a_dialog_that_came_and_went_proves_no_work() {
        let asked = || change(State::Idle, State::WaitingPermission, false);
        assert_eq!(
            cause(&[asked(), change(State::WaitingPermission, State::Idle, false)]),
            Some(Cause::Unworked)
        );
        assert_eq!(cause(&[asked(), change(State::WaitingPermission, State::Idle, true)]), None);
        let worked = change(State::WaitingPermission, State::Busy, false);
        assert_eq!(cause(&[asked(), worked, change(State::Busy, State::Idle, false)]), None);
    }
}
