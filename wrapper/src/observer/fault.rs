//! The fault that a test puts into an observer. Must not: exist in a release.

use crate::recording::Record;

/// Panics over output that holds what `MUSTER_FAULT_POISON` says, as a fault of the extractor's would.
#[cfg(debug_assertions)]
pub fn poison(record: &Record) {
    static POISON: std::sync::OnceLock<Option<String>> = std::sync::OnceLock::new();
    let poison =
        POISON.get_or_init(|| std::env::var("MUSTER_FAULT_POISON").ok().filter(|text| !text.is_empty()));
    if let (Record::Output(bytes), Some(text)) = (record, poison)
        && bytes.windows(text.len()).any(|window| window == text.as_bytes())
    {
        panic!("a test poisoned this output");
    }
}

/// Nothing.
#[cfg(not(debug_assertions))]
pub fn poison(_: &Record) {}
