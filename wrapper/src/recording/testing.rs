//! Recordings for tests. Must not: be in a release.

use std::path::Path;

use super::{Header, Writer};

/// The header of a session that begins with the day.
pub fn header() -> Header {
    Header {
        session: "s".into(),
        name: "n".into(),
        agent: "any".into(),
        argv: vec!["true".into()],
        term: "xterm".into(),
        started_ms: 0,
        started_mono_us: 0,
        at_us: 0,
        offset: 0,
        cols: 80,
        rows: 24,
    }
}

/// A recording in a folder, and what wakes whoever reads it.
pub fn writer(dir: &Path) -> (Writer, std::io::PipeReader) {
    let (grown, wake) = std::io::pipe().expect("a pipe");
    (Writer::start(dir, header(), wake.into()).expect("a thread"), grown)
}
