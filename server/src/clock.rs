//! When the clock was set or the machine slept. Must not: read a clock.

use std::time::{Duration, Instant};

use wire::UnixMillis;

use crate::keep::DAY;

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

/// By how many milliseconds the time of day has to leap ahead to be doubted, and how long it is.
const DOUBTED_MS: i64 = DAY.cast_signed();
const DOUBTS: Duration = Duration::from_millis(DAY);

/// The time of day for what cannot be undone: a leap ahead of more than a day counts only a day later, as it may be a clock
/// that was set wrong and is set right again.
#[derive(Debug)]
pub struct Cautious {
    clock: Clock,
    /// The last leap, and when it was found.
    ahead: i64,
    leapt: Instant,
}

impl Cautious {
    /// `last`: when something was last written down by whoever ran before.
    pub fn new(steady: Instant, day: UnixMillis, last: Option<UnixMillis>) -> Self {
        Self { clock: Clock::new(steady, last.unwrap_or(day)), ahead: 0, leapt: steady }
    }

    /// What may count as the time of day now.
    pub fn now(&mut self, steady: Instant, day: UnixMillis) -> UnixMillis {
        match self.clock.keep(steady, day) {
            Some(off) if off > DOUBTED_MS => (self.ahead, self.leapt) = (off, steady),
            Some(off) if off < 0 => self.ahead = self.ahead.saturating_add(off).max(0),
            Some(_) | None => {}
        }
        if steady.saturating_duration_since(self.leapt) >= DOUBTS {
            self.ahead = 0;
        }
        UnixMillis(day.0.saturating_sub(self.ahead))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: u64 = 60 * 60;

    #[test]
    fn g17_a72_a_day_that_leaps_far_ahead_counts_only_when_it_stays() {
        let (begin, day) = (Instant::now(), |hours: i64| UnixMillis(hours * 3_600_000));
        let mut cautious = Cautious::new(begin, day(0), None);
        let mut now =
            |hours: u64, told: i64| cautious.now(begin + Duration::from_secs(hours * HOUR), day(told));
        assert_eq!(now(1, 1), day(1));
        assert_eq!(now(2, 10), day(10), "a night's sleep is no leap");
        assert_eq!(now(3, 1_011), day(11), "it may be set wrong");
        assert_eq!(now(4, 12), day(12), "it was");
        assert_eq!(now(5, 1_013), day(13));
        assert_eq!(now(28, 1_036), day(36), "not a day yet");
        assert_eq!(now(29, 1_037), day(1_037), "it stays");
        assert_eq!(now(30, 1_100), day(1_038), "days of sleep count when it has been awake as long");
        assert_eq!(now(31, 2_000), day(1_101), "those before are believed then");
    }

    #[test]
    fn g17_a72_a_clock_that_was_wrong_before_the_start_is_doubted_as_well() {
        let (begin, day) = (Instant::now(), UnixMillis(90 * DOUBTED_MS));
        let last = |days: i64| Some(UnixMillis(days * DOUBTED_MS));
        assert_eq!(Cautious::new(begin, day, None).now(begin, day), day);
        assert_eq!(Cautious::new(begin, day, last(89)).now(begin, day), day);
        assert_eq!(Cautious::new(begin, day, last(80)).now(begin, day), last(80).unwrap());
        assert_eq!(Cautious::new(begin, day, last(99)).now(begin, day), day, "it was set back");
    }

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
