//! Sessions that ended with nobody left to report it: their wrapper was killed whole, or the machine went down.
//!
//! Owns: finding them, and what an observer needs to read them. Must not: touch a session that somebody observes.

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

/// Starts an observer for every session that is over but not told to the server.
pub fn adopt(place: &Place, own: &SessionId) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(place.sessions())? {
        let entry = entry?;
        let id = SessionId(entry.file_name().to_string_lossy().into_owned());
        let lives = || std::os::unix::net::UnixStream::connect(place.session_socket(&id)).is_ok();
        if id == *own || !journal::is_left(&entry.path()) || lives() {
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
    Ok(Subject { spec, pid: own, epoch: EPOCH, quarantined: false, conversation: None, ear: None })
}
