//! How the prompts of a run ended, and the exit code that it makes. Pure. Must not: know the steps.

use schemars::JsonSchema;
use serde::Serialize;

use crate::wait::{CANCELLED, HELD, TIMED_OUT};

/// How many ended how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Counts {
    /// Well.
    pub completed: usize,
    /// Otherwise, time-outs and refusals included.
    pub failed: usize,
    /// Of those, by time.
    pub timed_out: usize,
    /// Called off.
    pub cancelled: usize,
    /// Left out.
    pub skipped: usize,
    /// Held for a person.
    pub held: usize,
    /// Waiting for one that is held.
    pub waiting: usize,
}

/// The exit code: as `--wait` gives it for one prompt, the worst for many.
pub fn code(counts: &Counts) -> u8 {
    match counts {
        Counts { failed, timed_out, .. } if *failed > 0 && failed == timed_out => TIMED_OUT,
        Counts { failed, .. } if *failed > 0 => 1,
        Counts { held, waiting, .. } if *held + *waiting > 0 => HELD,
        Counts { cancelled, .. } if *cancelled > 0 => CANCELLED,
        // Left out without a failure here: what failed was no prompt of this run.
        Counts { skipped, .. } if *skipped > 0 => 1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_says_how_it_ended() {
        let all = Counts { completed: 3, ..Counts::default() };
        assert_eq!(code(&all), 0);
        assert_eq!(code(&Counts { cancelled: 1, ..all }), 7);
        assert_eq!(code(&Counts { cancelled: 1, held: 1, ..all }), 6);
        assert_eq!(code(&Counts { failed: 2, held: 1, skipped: 4, ..all }), 1);
        assert_eq!(code(&Counts { failed: 2, timed_out: 2, ..all }), 124);
        assert_eq!(code(&Counts { failed: 2, timed_out: 1, ..all }), 1);
    }
}
