//! Sessions that ended with nobody left to report it: their wrapper was killed whole, or the machine went down.
//!
//! Owns: finding them, and what an observer needs to read them. Must not: touch a session that somebody observes.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::Context;
use wire::place::Place;
use wire::{SessionId, UnixMillis};

use super::subject::Subject;
use crate::control::Spec;
use crate::journal;
use crate::log;
use crate::recording::{Follow, Reader, Record};

/// Numbers the observer of an orphan: above all that a holder ever started.
const EPOCH: u64 = 1 << 40;

/// Observers that crashed over an orphan's output after which the next leaves it alone.
const CRASHES_MAX: u64 = 3;

/// Starts an observer for every session that is over but not told to the server.
pub fn adopt(place: &Place, own: &SessionId) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(place.sessions())? {
        let entry = entry?;
        let id = SessionId(entry.file_name().to_string_lossy().into_owned());
        if id == *own || !journal::is_left(&entry.path()) || place.lives(&id) {
            continue;
        }
        let mut command = tokio::process::Command::new(std::env::current_exe()?);
        command.args(["observer", "--orphan", &id.0]).stdin(Stdio::null()).stdout(Stdio::null());
        command.stderr(
            log::open(&entry.path().join("observer.log")).map_or_else(|_| Stdio::null(), Stdio::from),
        );
        command.spawn()?;
    }
    Ok(())
}

/// An orphan's recording is being read: one more crash, until that is through. Kept as a file of so many bytes.
pub struct Reading(PathBuf);

impl Reading {
    /// Counts it, by who holds the session's lock.
    pub fn begin(folder: &Path) -> std::io::Result<Self> {
        use std::io::Write;
        use std::os::unix::fs::OpenOptionsExt;
        let path = crashes(folder);
        let mut file = std::fs::OpenOptions::new().create(true).append(true).mode(0o600).open(&path)?;
        file.write_all(b".")?;
        Ok(Self(path))
    }

    /// The recording crashed nobody.
    pub fn through(self) {
        if let Err(fault) = std::fs::remove_file(&self.0) {
            tracing::warn!(%fault, "a reading counts as a crash that was none");
        }
    }
}

fn crashes(folder: &Path) -> PathBuf {
    folder.join("orphan.crashes")
}

fn is_poisoned(folder: &Path) -> bool {
    std::fs::metadata(crashes(folder)).is_ok_and(|file| file.len() >= CRASHES_MAX)
}

/// What there is to observe of an orphan.
pub fn subject(place: &Place, id: &str) -> anyhow::Result<Subject> {
    let folder = place.session(&SessionId(id.to_owned()));
    let first = Reader::open(&folder).next()?;
    let Follow::Moment(moment) = first else { anyhow::bail!("{} holds no recording", folder.display()) };
    let Record::Header(header) = moment.record else {
        anyhow::bail!("{} has no beginning", folder.display())
    };
    let spec = Spec {
        session: header.session,
        name: header.name,
        agent: header.agent,
        role: None,
        caps: Vec::new(),
        pool: None,
        fixed: true,
        watched: false,
        argv: header.argv.into_iter().map(String::into_bytes).collect(),
        injected: None,
        telemetry: Default::default(),
        dir: b"/".to_vec(),
        size: (header.cols, header.rows),
        started: UnixMillis(header.started_ms),
        record_input: false,
        no_server: false,
        headless: false,
    };
    let own = std::process::id().try_into().context("the process id is a number")?;
    Ok(Subject {
        spec,
        pid: own,
        epoch: EPOCH,
        quarantined: is_poisoned(&folder),
        conversation: None,
        ear: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a52_only_readings_that_did_not_come_through_count() {
        let folder = tempfile::tempdir().unwrap();
        for _ in 0..5 {
            Reading::begin(folder.path()).unwrap().through();
            assert!(!is_poisoned(folder.path()), "it crashed nobody, however often its end is told in vain");
        }
        for _ in 0..CRASHES_MAX {
            assert!(!is_poisoned(folder.path()));
            drop(Reading::begin(folder.path()).unwrap());
        }
        assert!(is_poisoned(folder.path()));
    }
}
