//! Points where a test kills a process, to see what is left behind. Must not: exist in a release.
//!
//! With `MUSTER_FAULT_KILL=POINT:N:FILE` a process dies when it comes to POINT for the Nth time, counted from 1, and
//! makes FILE as it dies. Nobody dies once FILE is there: so that who takes the place of the dead one lives.

/// Dies here, if a test asked for that.
#[cfg(debug_assertions)]
pub fn point(name: &str) {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicUsize, Ordering};
    static ASKED: OnceLock<Option<(String, usize, String)>> = OnceLock::new();
    static PASSED: AtomicUsize = AtomicUsize::new(0);
    let asked = ASKED.get_or_init(|| {
        let asked = std::env::var("MUSTER_FAULT_KILL").ok()?;
        let mut parts = asked.splitn(3, ':');
        Some((parts.next()?.to_owned(), parts.next()?.parse().ok()?, parts.next()?.to_owned()))
    });
    let Some((point, nth, file)) = asked else { return };
    if point == name
        && PASSED.fetch_add(1, Ordering::SeqCst) + 1 == *nth
        && std::fs::File::create_new(file).is_ok()
    {
        // Nothing is unwound and nothing is flushed, as with kill -9.
        std::process::abort();
    }
}

/// Nothing.
#[cfg(not(debug_assertions))]
pub fn point(_: &str) {}
