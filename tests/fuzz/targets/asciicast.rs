//! Asciicasts, versions 2 and 3. Promises: any file is read or refused with the line that is wrong; times never go back; whatever was
//! read can be replayed, to its end, in a time that does not depend on the times that it tells.

#![no_main]

use std::sync::Arc;
use std::time::Duration;

use extractor::{Extractor, Observation};
use libfuzzer_sys::fuzz_target;
use patterns::Library;
use wrapper::asciicast::{Error, Reader};
use wrapper::drive;

/// Observations that come of one record at most, and of a number of bytes.
const MOST: usize = 2_000;

fuzz_target!(|bytes: &[u8]| {
    let lines = 1 + bytes.iter().filter(|byte| **byte == b'\n').count();
    let wrong = |error: Error| match error {
        Error::Read { line, .. } | Error::Record { line, .. } => assert!((1..=lines).contains(&line)),
        Error::Header(_) | Error::Version(_) => {}
    };
    let reader = match Reader::new(bytes) {
        Ok(reader) => reader,
        Err(error) => return wrong(error),
    };
    let agents = Library::builtin().agents();
    let agent = Arc::clone(&agents[bytes.len() % agents.len()]);
    let mut extractor = Extractor::new(agent, reader.cols, reader.rows);
    let (mut last, mut seen): (_, Vec<Observation>) = (Duration::ZERO, Vec::new());
    for moment in reader {
        match moment {
            Ok(moment) => {
                assert!(moment.at >= last);
                last = moment.at;
                seen.clear();
                drive::apply(&mut extractor, moment.at, &moment.record, &mut seen);
                assert!(seen.len() <= MOST + bytes.len(), "{} observations of one record", seen.len());
            }
            Err(error) => return wrong(error),
        }
    }
});
