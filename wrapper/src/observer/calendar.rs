//! The time of day of a recording's moments, whose own times go on steadily. Must not: read a clock.

use std::time::Duration;

use wire::UnixMillis;

/// The clock was set, or the machine slept, when it is off by so many milliseconds; less is its slow correction.
const SET_MS: i64 = 1_000;

/// Times of a recording, and those of the day.
#[derive(Debug, Clone, Copy)]
pub struct Calendar {
    /// When the recording would have begun, had the clock never been set and the machine never slept.
    began: UnixMillis,
}

impl Calendar {
    /// Of a recording that begins now.
    pub fn new(began: UnixMillis) -> Self {
        Self { began }
    }

    /// The time of day of a moment.
    pub fn wall(&self, at: Duration) -> UnixMillis {
        UnixMillis(self.began.0 + at.as_millis() as i64)
    }

    /// It is `now`, and `at` in the recording.
    pub fn keep(&mut self, at: Duration, now: UnixMillis) {
        let off = now.0 - self.wall(at).0;
        if off.abs() >= SET_MS {
            self.began = UnixMillis(self.began.0 + off);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn g17_a_clock_that_is_set_and_a_machine_that_sleeps_are_followed_and_a_slow_correction_is_not() {
        let mut calendar = Calendar::new(UnixMillis(1_000_000));
        let second = |n: u64| Duration::from_secs(n);
        calendar.keep(second(10), UnixMillis(1_010_900));
        assert_eq!(calendar.wall(second(10)), UnixMillis(1_010_000));
        let hour = 3_600_000;
        calendar.keep(second(11), UnixMillis(1_011_000 + hour));
        assert_eq!(calendar.wall(second(12)), UnixMillis(1_012_000 + hour), "it slept for an hour");
        calendar.keep(second(12), UnixMillis(1_012_000 - hour));
        assert_eq!(calendar.wall(second(12)), UnixMillis(1_012_000 - hour), "it was set back");
    }
}
