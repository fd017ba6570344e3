//! Two ways to tell a time: the day's, which is told to others, and the recording's own, by which limits are counted: no
//! setting of the clock changes it, and the hours that a machine slept are no part of it. Must not: read a clock.

use std::time::Duration;

use wire::UnixMillis;

/// The clock was set, or the machine slept, when it is off by so many milliseconds; less is its slow correction.
const SET_MS: i64 = 1_000;

/// The present.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Time {
    /// How long the recording goes on.
    pub at: Duration,
    /// The time of day.
    pub day: UnixMillis,
}

/// Times of a recording, and those of the day.
#[derive(Debug, Clone, Copy)]
pub struct Calendar {
    /// When the recording began.
    start: UnixMillis,
    /// When it would have begun, had the clock never been set and the machine never slept.
    began: UnixMillis,
}

impl Calendar {
    /// Of a recording that begins now.
    pub fn new(start: UnixMillis) -> Self {
        Self { start, began: start }
    }

    /// The time of day of a moment.
    pub fn wall(&self, at: Duration) -> UnixMillis {
        self.began.after(at)
    }

    /// A moment as limits are counted, in milliseconds from the beginning on as if no clock had been set.
    pub fn steady(&self, at: Duration) -> UnixMillis {
        self.start.after(at)
    }

    /// The time of day of what was counted so.
    pub fn told(&self, steady: UnixMillis) -> UnixMillis {
        UnixMillis(steady.0 - self.start.0 + self.began.0)
    }

    /// What is now.
    pub fn keep(&mut self, now: Time) {
        let off = now.day.0 - self.wall(now.at).0;
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
        let mut keep = |at: u64, day: i64| {
            calendar.keep(Time { at: second(at), day: UnixMillis(day) });
            calendar
        };
        assert_eq!(keep(10, 1_010_900).wall(second(10)), UnixMillis(1_010_000));
        let hour = 3_600_000;
        assert_eq!(
            keep(11, 1_011_000 + hour).wall(second(12)),
            UnixMillis(1_012_000 + hour),
            "it slept for an hour"
        );
        let calendar = keep(12, 1_012_000 - hour);
        assert_eq!(calendar.wall(second(12)), UnixMillis(1_012_000 - hour), "it was set back");
        assert_eq!(calendar.steady(second(12)), UnixMillis(1_012_000), "and nothing is counted twice");
        assert_eq!(calendar.told(calendar.steady(second(12))), calendar.wall(second(12)));
    }
}
