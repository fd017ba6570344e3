//! When a turn last showed that it gets on. Must not: take an animation for work.

use std::time::Duration;

use patterns::{Agent, StateWord};

/// The last sign of progress.
#[derive(Debug)]
pub struct Progress {
    last: Option<Duration>,
    /// Letters of the line that was last seen to stand there.
    line: String,
}

impl Progress {
    /// None yet.
    pub fn new() -> Self {
        Self { last: None, line: String::new() }
    }

    /// When it was, since the recording's beginning.
    pub fn last(&self) -> Option<Duration> {
        self.last
    }

    /// A state, an event, something that was told.
    pub fn heard(&mut self, at: Duration) {
        self.last = self.last.max(Some(at));
    }

    /// This line stands above the composer. A stuck agent still counts seconds and turns its wheel: neither that nor the
    /// line that says that it works is a sign.
    pub fn shows(&mut self, agent: &Agent, line: &str, at: Duration) {
        let letters = || line.chars().filter(|c| c.is_alphabetic());
        if letters().eq(self.line.chars()) {
            return;
        }
        let busy = |rule: &&patterns::ScreenRule| rule.state == Some(StateWord::Busy);
        if agent.screens.iter().filter(busy).any(|rule| rule.pattern.is_match(line)) {
            return;
        }
        self.line = letters().collect();
        self.heard(at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_progress_and_a_clock_that_ticks_is_none() {
        let agent = patterns::Library::builtin().agent("claude").unwrap();
        let mut progress = Progress::new();
        let mut shown = |line: &str, at: u64| {
            progress.shows(&agent, line, Duration::from_secs(at));
            progress.last().unwrap().as_secs()
        };
        assert_eq!(shown("Reading the file", 1), 1);
        assert_eq!(shown("Reading the file", 2), 1);
        assert_eq!(shown("\u{2722} Thinking\u{2026} (3s)", 3), 1, "that it works is told by its state");
        assert_eq!(shown("Compiling 3 of 9", 4), 4);
        assert_eq!(shown("Compiling 4 of 9", 5), 4);
        assert_eq!(shown("It is done.", 6), 6);
    }
}
