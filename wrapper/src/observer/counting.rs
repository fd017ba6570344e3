//! Whether all that a turn used has been told, which comes a moment after its end: the transcript's last lines, the last
//! figures of telemetry. Must not: wait.

/// What is still to come of the turn that ended.
#[derive(Debug, Default)]
pub struct Counting {
    /// The agent's transcript.
    pub transcript: Source,
    /// Its telemetry.
    pub telemetry: Source,
}

/// A source of figures.
#[derive(Debug, Default)]
pub struct Source {
    /// It is listened to.
    pub heard: bool,
    /// The last time it was waited for in vain: until it says something again it is not waited for.
    silent: bool,
}

impl Counting {
    /// Whether nothing more is to be waited for; the words say that the source told all of the turn.
    pub fn is_done(&self, written: bool, measured: bool) -> bool {
        let done = |source: &Source, told: bool| told || source.silent || !source.heard;
        done(&self.transcript, written) && done(&self.telemetry, measured)
    }

    /// A result is told, without waiting longer.
    pub fn told(&mut self, written: bool, measured: bool) {
        self.transcript.silent |= !written;
        // Nothing can be measured that is not written down: then nobody knows whether telemetry came.
        self.telemetry.silent |= written && !measured;
    }
}

impl Source {
    /// It said something.
    pub fn speaks(&mut self) {
        self.silent = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_listened_to_is_waited_for() {
        let mut counting = Counting::default();
        assert!(counting.is_done(false, false));
        counting.transcript.heard = true;
        assert!(!counting.is_done(false, true) && counting.is_done(true, false));
        counting.telemetry.heard = true;
        assert!(!counting.is_done(true, false) && counting.is_done(true, true));
    }

    #[test]
    fn a_source_that_does_not_speak_is_waited_for_once() {
        let mut counting = Counting::default();
        (counting.transcript.heard, counting.telemetry.heard) = (true, true);
        counting.told(true, false);
        assert!(counting.is_done(true, false), "it was waited for in vain");
        assert!(!counting.is_done(false, false), "the other one speaks");
        counting.telemetry.speaks();
        assert!(!counting.is_done(true, false));
        counting.told(true, true);
        assert!(!counting.is_done(true, false), "it came in time");
    }
}
