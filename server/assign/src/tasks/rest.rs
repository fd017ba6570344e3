//! Whether a file that was seen is still being written. Pure. Must not: look at a file or a clock.

use std::os::unix::fs::MetadataExt;

/// How long a file must not have changed before it is read, in milliseconds.
const REST: u64 = 500;
/// The same for one that looks cut off.
const LONG_REST: u64 = 5_000;

/// What a file looks like from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sight {
    /// Bytes.
    pub size: u64,
    inode: u64,
    /// When it was written last, in nanoseconds since the epoch.
    written: i128,
    /// When anything of it changed last: it was written, renamed, given away.
    changed: i128,
}

/// A file over time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rest {
    /// As it was seen last.
    pub sight: Sight,
    /// Since when it looks so, by the clock that does not go back.
    since: u64,
}

impl Sight {
    /// From what the system says.
    pub fn of(meta: &std::fs::Metadata) -> Self {
        let nanos = |seconds: i64, nanos: i64| i128::from(seconds) * 1_000_000_000 + i128::from(nanos);
        Self {
            size: meta.len(),
            inode: meta.ino(),
            written: nanos(meta.mtime(), meta.mtime_nsec()),
            changed: nanos(meta.ctime(), meta.ctime_nsec()),
        }
    }

    /// When anything of it changed last, in milliseconds since the epoch.
    pub fn changed_ms(&self) -> i64 {
        i64::try_from(self.changed / 1_000_000).unwrap_or(i64::MAX)
    }

    /// A rename leaves the time of the last writing behind that of the last change; so do copies that keep times, when
    /// they are complete. Whoever still writes moves both.
    fn put_in_place(&self) -> bool {
        self.changed > self.written
    }
}

impl Rest {
    /// Looks again; `tick` counts milliseconds from any moment.
    pub fn look(before: Option<Rest>, sight: Sight, tick: u64) -> Self {
        match before {
            Some(before) if before.sight == sight => before,
            Some(_) | None => Self { sight, since: tick },
        }
    }

    /// Whether it can be read: `clock` is the time of day, for files that have been there for long.
    pub fn rests(&self, tick: u64, clock: i64) -> bool {
        self.sight.put_in_place() || self.unchanged(tick, clock) >= REST
    }

    /// Whether one that looks cut off will not be written on.
    pub fn rests_long(&self, tick: u64, clock: i64) -> bool {
        self.unchanged(tick, clock) >= LONG_REST
    }

    fn unchanged(&self, tick: u64, clock: i64) -> u64 {
        let by_clock = u64::try_from(clock.saturating_sub(self.sight.changed_ms())).unwrap_or_default();
        tick.saturating_sub(self.since).max(by_clock)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sight(size: u64, written: i64, changed: i64) -> Sight {
        let nanos = |ms: i64| i128::from(ms) * 1_000_000;
        Sight { size, inode: 1, written: nanos(written), changed: nanos(changed) }
    }

    #[test]
    fn a_file_that_grows_is_waited_for() {
        let clock = 1_000_000;
        let mut rest = Rest::look(None, sight(1, clock, clock), 0);
        for tick in 1..10 {
            let now = clock + tick * 300;
            rest = Rest::look(Some(rest), sight(1 + tick as u64, now, now), tick as u64 * 300);
            assert!(!rest.rests(tick as u64 * 300, now));
        }
        assert!(rest.rests(2_700 + 500, clock + 2_700 + 500));
        assert!(!rest.rests_long(2_700 + 500, clock + 2_700 + 500));
        assert!(rest.rests_long(2_700 + 5_000, clock + 2_700 + 5_000));
    }

    #[test]
    fn a_file_that_was_renamed_into_place_is_taken_at_once() {
        let clock = 1_000_000;
        assert!(Rest::look(None, sight(1, clock - 20, clock), 0).rests(0, clock));
        assert!(
            Rest::look(None, sight(1, clock - 9_000, clock - 9_000), 0).rests(0, clock),
            "it was there before"
        );
    }

    #[test]
    fn a_clock_that_is_wrong_makes_nobody_wait_for_ever() {
        let rest = Rest::look(None, sight(1, 2_000_000, 2_000_000), 0);
        assert!(!rest.rests(0, 1_000_000));
        assert!(rest.rests(600, 1_000_000));
    }
}
