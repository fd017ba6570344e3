//! The clocks. Must not: be called from a pure core.

use std::time::{Duration, SystemTime};

use rustix::time::{ClockId, clock_gettime};
use wire::UnixMillis;

/// Time on the machine's monotonic clock, the same in all processes.
pub fn monotonic() -> Duration {
    let now = clock_gettime(ClockId::Monotonic);
    Duration::new(u64::try_from(now.tv_sec).unwrap_or(0), u32::try_from(now.tv_nsec).unwrap_or(0))
}

/// Time of day.
pub fn now() -> UnixMillis {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    UnixMillis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
