//! What an extractor knows, for those who ask. Must not: change anything.

use std::collections::BTreeMap;

use patterns::Means;
use patterns::fact::{FactRule, From};

use crate::composer;
use crate::extractor::Extractor;
use crate::observation::{Claim, Composer, Dialog, Shown};

impl Extractor {
    /// The state.
    pub fn claim(&self) -> &Claim {
        self.belief.claim()
    }

    /// The dialog that is open.
    pub fn dialog(&self) -> Option<&Dialog> {
        self.asked.as_ref()
    }

    /// Whether anything was written that has not been looked at yet: a dialog may have come.
    pub fn has_unseen(&self) -> bool {
        self.unseen && !self.ended
    }

    /// Path of the agent's transcript, when it told that.
    pub fn transcript(&self) -> Option<&str> {
        self.telling.transcript.as_deref()
    }

    /// What stands where a prompt would be typed, as of the last look.
    pub fn composer(&self) -> Composer {
        match (&self.agent.composer, &self.sight.reading.composer) {
            (None, _) => Composer::Unreadable,
            (Some(_), None) => Composer::Absent,
            (Some(_), Some(field)) => field.composer(),
        }
    }

    /// Whether this prompt stands in the composer.
    pub fn shows(&self, text: &str) -> Shown {
        match (&self.agent.composer, &self.sight.reading.composer) {
            (Some(rule), Some(field)) => composer::shows(rule, field, text),
            _ => Shown::No,
        }
    }

    /// Whether the program asked for bracketed paste.
    pub fn bracketed_paste(&self) -> bool {
        self.vt.bracketed_paste()
    }

    /// Whether the agent compacts its context.
    pub fn compacting(&self) -> bool {
        self.sight.reading.compacting || self.telling.compacting
    }

    /// The window title.
    pub fn title(&self) -> &str {
        &self.heard.title
    }

    /// The last row above the composer that is not blank.
    pub fn last_line(&self) -> &str {
        self.sight.last_line()
    }

    /// Numbers that the agent shows or tells, by name; what it tells stands before what it shows.
    pub fn metrics(&self) -> BTreeMap<String, f64> {
        let mut all = self.sight.metrics.clone();
        all.extend(self.telling.usage.figures());
        all
    }

    /// Whether the transcript tells all that was used in the turn that ended, or the profile does not say when it does.
    pub fn is_written_down(&self) -> bool {
        let ends = |rule: &FactRule| {
            rule.from == From::Transcript
                && matches!(rule.means, Means::Counted | Means::Done | Means::Failed)
        };
        self.telling.counted || !self.agent.facts.iter().any(ends)
    }

    /// Whether telemetry has told of all that the transcript told of since the turn began.
    pub fn is_measured(&self) -> bool {
        self.telling.usage.is_measured()
    }

    /// The agent's version, when its screen told.
    pub fn version(&self) -> Option<&str> {
        self.sight.version.as_deref()
    }

    /// The agent's answer to this prompt, as far as the screen and what scrolled off it show it.
    pub fn answer_to(&self, prompt: &str) -> String {
        self.sight.answer_to(&self.agent, prompt)
    }

    /// Whether the emulator failed on some output: from there on the screen is what was drawn since.
    pub fn has_failed(&self) -> bool {
        self.vt.has_failed()
    }

    /// Bytes of output taken so far.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Columns and rows.
    pub fn size(&self) -> (u16, u16) {
        self.vt.size()
    }

    /// Bytes that draw the present screen, its modes and title on a fresh terminal.
    pub fn snapshot(&self) -> Vec<u8> {
        let mut out = self.vt.redraw();
        for mode in self.heard.modes.iter().filter(|(_, on)| **on).map(|(mode, _)| mode) {
            out.extend_from_slice(format!("\x1b[?{mode}h").as_bytes());
        }
        out.extend_from_slice(format!("\x1b]2;{}\x07", self.heard.title).as_bytes());
        out
    }

    /// The rows of the present screen.
    pub fn screen_text(&self) -> Vec<String> {
        self.vt.screen().rows
    }
}
