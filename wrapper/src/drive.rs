//! Gives an extractor its time: the same way live and in replay. Must not: know where the time comes from.

use std::time::Duration;

use extractor::{Extractor, Observation};

/// Lets time pass up to `at`: everything that was due before happens at the moment it was due.
pub fn advance(extractor: &mut Extractor, at: Duration, seen: &mut Vec<Observation>) {
    while let Some(due) = extractor.due().filter(|due| *due <= at) {
        extractor.tick(due, seen);
        // An extractor that stays due has nothing more to say at this moment.
        if extractor.due().is_some_and(|next| next <= due) {
            return;
        }
    }
}
