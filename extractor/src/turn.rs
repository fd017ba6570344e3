//! The life of a turn: one enum, changed by one function that takes an event and returns effects.
//! Must not: look at the screen or a clock.

use std::time::Duration;

use crate::observation::{Source, State, TurnOutcome};

/// How long after an interrupt key a turn's end is taken for its effect. On a loaded machine it takes seconds.
const INTERRUPT_COUNTS: Duration = Duration::from_secs(20);

/// Where the session stands between two prompts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Turn {
    /// None runs.
    #[default]
    None,
    /// One runs.
    Running {
        /// Since when.
        began: Duration,
        /// When somebody pressed the interrupt key or refused a dialog.
        interrupted: Option<Duration>,
    },
}

/// What the end of a turn left on the screen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict {
    /// The agent's line of failure, or its status.
    pub failed: Option<String>,
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
    /// Somebody pressed the interrupt key.
    Interrupt,
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
        /// What told so.
        source: Source,
    },
}

impl Turn {
    /// The turn after an event, and what follows from it.
    pub fn on(self, now: Duration, event: Event) -> (Self, Vec<Effect>) {
        let began = Self::Running { began: now, interrupted: None };
        match (self, event) {
            (Self::None, Event::State { from, to, source, .. }) => match (from, to) {
                (_, State::Busy) | (State::Idle | State::Unknown, State::WaitingPermission) => {
                    (began, vec![Effect::Began(source)])
                }
                (_, State::WaitingPermission | State::WaitingInput) => (self, Vec::new()),
                (_, State::Starting | State::Idle | State::Exited | State::Unknown) => (self, Vec::new()),
            },
            (Self::Running { .. }, Event::State { to: State::Idle, source, verdict, .. }) => {
                (Self::None, vec![self.end(now, source, verdict)])
            }
            (Self::Running { .. }, Event::State { to: State::Exited, source, .. }) => {
                let reason = "the program ended during the turn".to_owned();
                (Self::None, vec![Effect::Ended { outcome: TurnOutcome::Failed, reason, source }])
            }
            (Self::Running { .. }, Event::State { .. }) => (self, Vec::new()),
            (Self::Running { began, .. }, Event::Interrupt) => {
                (Self::Running { began, interrupted: Some(now) }, Vec::new())
            }
            (Self::None, Event::Interrupt | Event::Next { .. }) => (self, Vec::new()),
            (Self::Running { .. }, Event::Next { verdict }) => {
                (began, vec![self.end(now, Source::Screen, verdict), Effect::Began(Source::Screen)])
            }
            (Self::None, Event::Short { verdict }) => {
                let ended = began.end(now, Source::Input, verdict);
                (self, vec![Effect::Began(Source::Input), ended])
            }
            (Self::Running { .. }, Event::Short { .. }) => (self, Vec::new()),
        }
    }

    fn end(self, now: Duration, source: Source, verdict: Verdict) -> Effect {
        let key = match self {
            Self::Running { interrupted: Some(at), .. } => now <= at + INTERRUPT_COUNTS && !verdict.ended,
            Self::Running { interrupted: None, .. } | Self::None => false,
        };
        let (outcome, reason) = if let Some(reason) = verdict.interrupted {
            (TurnOutcome::Interrupted, reason)
        } else if let Some(reason) = verdict.failed {
            (TurnOutcome::Failed, reason)
        } else if key {
            (TurnOutcome::Interrupted, "interrupt key".to_owned())
        } else if let Some(reason) = verdict.refused {
            (TurnOutcome::Failed, reason)
        } else {
            (TurnOutcome::Completed, String::new())
        };
        Effect::Ended { outcome, reason, source }
    }
}
