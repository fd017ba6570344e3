//! The program under the terminal: another takes its place, or it ends. Must not: judge what it does.

use std::sync::Arc;
use std::time::Duration;

use crate::evidence::Candidate;
use crate::extractor::Extractor;
use crate::observation::{Exit, Observation, Seen};

impl Extractor {
    /// Another program takes the place of this one, on a terminal of its own: nothing that was known of the one holds
    /// for the other.
    pub fn restart(&mut self, at: Duration, out: &mut Vec<Observation>) {
        self.pass(at, out);
        let (cols, rows) = self.size();
        let fresh = Self::new(Arc::clone(&self.agent), cols, rows);
        let old = std::mem::replace(self, fresh);
        (self.offset, self.now, self.output) = (old.offset, old.now, old.now);
        let asked = old.asked.is_some();
        self.belief.believe(self.now, Candidate::starting());
        if asked {
            self.emit(Seen::Dialog(None), out);
        }
        self.emit(Seen::State(self.belief.claim().clone()), out);
        self.judge(out);
    }

    /// Takes the end of the program.
    pub fn exit(&mut self, at: Duration, exit: Exit, out: &mut Vec<Observation>) {
        self.pass(at, out);
        if self.ended {
            return;
        }
        if self.look.take().is_some() {
            self.read(out);
        }
        self.ended = true;
        self.recheck = None;
        let candidate = Candidate::exited(exit);
        let change = self.belief.believe(self.now, candidate);
        self.follow(change, out);
    }
}
