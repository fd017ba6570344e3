//! What the program says beside drawing: the last status, title, mark and modes. Must not: look at the screen or
//! decide a state.

use std::collections::BTreeMap;
use std::time::Duration;

use patterns::{Agent, StateWord};

use crate::osc::{Item, Query};
use crate::signal::{self, Mark, Status, StatusWord, Title, Told};

/// The last of each signal.
#[derive(Debug, Default)]
pub struct Hearing {
    /// The status, until the program takes it back.
    pub status: Option<Status>,
    /// The title, when a rule knows it.
    pub told: Option<Title>,
    /// The window title as it is.
    pub title: String,
    /// The shell's mark.
    pub mark: Option<Mark>,
    /// The status of the shell's last command.
    pub code: Option<i32>,
    /// The program said that its turn is done.
    pub done: bool,
    /// Since when a synchronized frame is open.
    pub frame: Option<Duration>,
    /// Modes that the emulator does not keep.
    pub modes: BTreeMap<u16, bool>,
}

/// What an item was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// A title.
    Title {
        /// Its text, when it is another than before.
        new: Option<String>,
        /// It rested for a moment and goes back to work.
        flash: bool,
    },
    /// A status.
    Status {
        /// It ended a turn and works again at once.
        next: bool,
        /// It says for the first time that a turn is done or has failed.
        rest: bool,
    },
    /// The program takes its status back: it says goodbye.
    Clear,
    /// A mark of a shell.
    Mark,
    /// It asked for something.
    Query(Query),
    /// A frame ended.
    Frame,
    /// Nothing that matters at once.
    Nothing,
}

impl Hearing {
    /// Takes an item, except that a status that is taken back stays until [`Self::clear`].
    pub fn take(&mut self, agent: &Agent, version: Option<&str>, now: Duration, item: Item) -> Heard {
        match item {
            Item::Title(text) => self.title(agent, version, now, text),
            // What a tool prints must not speak for the agent.
            Item::Status(body) if agent.status_protocol => self.status(&body, now),
            Item::Status(_) => Heard::Nothing,
            Item::Mark(..) if !agent.shell_marks => Heard::Nothing,
            Item::Mark(letter, rest) => match signal::mark(letter, &rest) {
                Some(mark) => {
                    if let Mark::Ended(code) = mark {
                        self.code = code;
                    }
                    self.mark = Some(mark);
                    Heard::Mark
                }
                None => Heard::Nothing,
            },
            Item::Query(query) => Heard::Query(query),
            Item::Frame(true) => {
                self.frame = Some(now);
                Heard::Nothing
            }
            Item::Frame(false) => {
                self.frame = None;
                Heard::Frame
            }
            Item::Mode(mode, on) => {
                self.modes.insert(mode, on);
                Heard::Nothing
            }
            Item::Notice(_) => Heard::Nothing,
        }
    }

    /// Forgets the status.
    pub fn clear(&mut self) {
        self.status = None;
    }

    /// Why a turn failed, when the program said that it did.
    pub fn failure(&self) -> Option<String> {
        let status = self.status.as_ref().filter(|status| {
            status.word == StatusWord::Error || (status.word == StatusWord::Blocked && status.kind == "auth")
        })?;
        let silent = status.message.is_empty();
        Some(if silent { "the agent reported an error".to_owned() } else { status.message.clone() })
    }

    fn title(&mut self, agent: &Agent, version: Option<&str>, now: Duration, text: String) -> Heard {
        let told = signal::title(agent, version, &text, now);
        let state = |title: &Option<Title>| title.as_ref().map(|title| title.state);
        let flash = state(&told) == Some(StateWord::Busy) && state(&self.told) == Some(StateWord::Idle);
        let since = match &self.told {
            Some(old) if state(&told) == Some(old.state) => old.since,
            Some(_) | None => now,
        };
        self.told = told.map(|told| Title { since, ..told });
        let new = (text != self.title).then(|| text.clone());
        self.title = text;
        Heard::Title { new, flash }
    }

    fn status(&mut self, body: &str, now: Duration) -> Heard {
        match signal::status(body, now) {
            Told::Status(status) => {
                let rest = |s: &Status| matches!(s.word, StatusWord::Done | StatusWord::Error);
                let next = status.word == StatusWord::Working && self.status.as_ref().is_some_and(rest);
                match status.word {
                    StatusWord::Done => self.done = true,
                    StatusWord::Working if !next => self.done = false,
                    StatusWord::Working | StatusWord::Idle | StatusWord::Blocked | StatusWord::Error => {}
                }
                let first = rest(&status) && !self.status.as_ref().is_some_and(rest);
                self.status = Some(status);
                Heard::Status { next, rest: first }
            }
            Told::Clear => Heard::Clear,
            Told::Nothing => Heard::Nothing,
        }
    }
}
