//! Code that may fail on hostile input without a word. Must not: be used for what we should hear of.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// Runs it; `None` when it panicked. The screen's panic hook says nothing of that.
///
/// Whatever it changed is in doubt then: the caller throws it away.
pub fn quietly<T>(act: impl FnOnce() -> T) -> Option<T> {
    let before = QUIET.replace(true);
    let done = catch_unwind(AssertUnwindSafe(act));
    QUIET.set(before);
    done.ok()
}

/// Whether a panic on this thread now is one that is caught and expected.
pub fn is_quiet() -> bool {
    QUIET.get()
}
