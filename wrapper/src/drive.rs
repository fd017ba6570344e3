//! Gives an extractor its time and its input: the same way live and in replay. Must not: know where they come from.

use std::time::Duration;

use extractor::{Extractor, Observation};
use patterns::fact;

use crate::processes;
use crate::recording::{From, Record};

/// Lets time pass up to `at`: what was due before happens at the moment it was due.
pub fn advance(extractor: &mut Extractor, at: Duration, seen: &mut Vec<Observation>) {
    while let Some(due) = extractor.due().filter(|due| *due < at) {
        extractor.tick(due, seen);
        // An extractor that stays due has nothing more to say at this moment.
        if extractor.due().is_some_and(|next| next <= due) {
            return;
        }
    }
}

/// Lets time pass up to `at`, and then a record happen.
pub fn apply(extractor: &mut Extractor, at: Duration, record: &Record, seen: &mut Vec<Observation>) {
    advance(extractor, at, seen);
    match record {
        Record::Header(header) => {
            if extractor.size() != (header.cols, header.rows) {
                extractor.resize(at, header.cols, header.rows, seen);
            }
        }
        Record::Output(bytes) => extractor.output(at, bytes, seen),
        Record::Input(keys, _) => extractor.input(at, *keys, seen),
        Record::Resize(cols, rows) => extractor.resize(at, *cols, *rows, seen),
        Record::Told(From::Hook, payload) => extractor.fact(at, fact::From::Hook, payload, seen),
        Record::Told(From::Transcript(_), payload) => {
            extractor.fact(at, fact::From::Transcript, payload, seen);
        }
        Record::Told(From::Telemetry, payload) => {
            extractor.fact(at, fact::From::Telemetry, payload, seen);
        }
        Record::Told(From::Processes, payload) => {
            if let Some(doing) = processes::read(payload) {
                extractor.processes(at, doing, seen);
            }
        }
        Record::Relaunched(_) => extractor.restart(at, seen),
        Record::Exit(exit) => extractor.exit(at, *exit, seen),
        Record::Attached(_) | Record::Kept(_) | Record::Gap(_) => {}
    }
}
