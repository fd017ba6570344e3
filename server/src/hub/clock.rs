//! When the clock was set or the machine slept. Must not: read a clock.

use std::time::Instant;

use wire::UnixMillis;

/// The clock was set when it is off by so many milliseconds; less is its slow correction.
const SET_MS: i64 = 1_000;

/// The time of day as it was last, beside one that goes on steadily.
#[derive(Debug)]
pub struct Clock {
    steady: Instant,
    day: UnixMillis,
}

impl Clock {
    /// Both as they are.
    pub fn new(steady: Instant, day: UnixMillis) -> Self {
        Self { steady, day }
    }

    /// Both as they are now: by how many milliseconds the day's went away from the other, when that is much.
    pub fn keep(&mut self, steady: Instant, day: UnixMillis) -> Option<i64> {
        let expected = self.day.after(steady.saturating_duration_since(self.steady));
        let off = day.0.saturating_sub(expected.0);
        let set = off.abs() >= SET_MS;
        // A slow correction adds up until it is much.
        if set {
            *self = Self::new(steady, day);
        }
        set.then_some(off)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn g17_a_clock_that_is_set_is_told_once_and_a_slow_one_in_steps() {
        let begin = Instant::now();
        let mut clock = Clock::new(begin, UnixMillis(1_000_000));
        let mut keep = |s: u64, day: i64| clock.keep(begin + Duration::from_secs(s), UnixMillis(day));
        assert_eq!(keep(10, 1_010_000), None);
        assert_eq!(keep(20, 1_020_900), None);
        assert_eq!(keep(30, 1_031_100), Some(1_100), "it is fast");
        assert_eq!(keep(40, 1_041_100), None);
        assert_eq!(keep(50, 30_051_100), Some(29_000_000), "it slept");
        assert_eq!(keep(51, 52_100), Some(-30_000_000), "it was set back");
        assert_eq!(keep(52, 53_100), None);
    }
}
