//! Another program takes the place of the one that runs, in the same session: same socket, same recording, same
//! terminal. Must not: decide that.
//!
//! The end of the one is not the end of the session; only when the other cannot be started the session ends with it.

use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use extractor::Exit;
use rustix::process::Signal;

use super::{HUNG, Holder, Program};
use crate::control::Relaunch;
use crate::recording::{Begun, Record};
use crate::tty;

/// How long the program may take to end before it is killed.
const PATIENCE: Duration = Duration::from_secs(10);

impl Holder {
    /// Ends the program, so that another one can take its place.
    pub(super) fn end_for(&mut self, next: Relaunch) {
        if !matches!(self.program, Program::Running | Program::Stopped) || self.kill_at.is_some() {
            return;
        }
        self.next = Some(next);
        let _ = self.pty.signal(Signal::TERM);
        let _ = self.pty.signal(Signal::CONT);
        self.kill_at = Some(Instant::now() + PATIENCE);
    }

    /// Starts what waits for the program's end, once all that the program wrote has been read.
    pub(super) fn succeed(&mut self) {
        if !matches!(self.program, Program::Drained(_)) {
            return;
        }
        let Some(next) = self.next.take() else { return };
        self.clean_terminal();
        self.program = match self.start_next(&next) {
            Ok(()) => Program::Running,
            Err(fault) => {
                tracing::error!(%fault, "the next program cannot be started");
                Program::Drained(Exit::Code(status(&fault)))
            }
        };
    }

    /// Undoes on the user's terminal what the program left switched on.
    fn clean_terminal(&mut self) {
        if self.terminal.is_none() {
            return;
        }
        let recorded = self.writer.holds_all(HUNG);
        let left_on = tty::left_on(&self.folder, recorded);
        let shown = self.terminal.as_mut().map_or(Ok(()), |terminal| terminal.show(&left_on));
        self.or_lose_terminal(shown);
    }

    fn start_next(&mut self, next: &Relaunch) -> io::Result<()> {
        let dir = PathBuf::from(OsString::from_vec(next.dir.clone()));
        let asked = next.env.iter().map(|(name, value)| (name.clone(), OsString::from(value)));
        let env: Vec<_> = self.stage.env.iter().cloned().chain(asked).collect();
        (self.kill_at, self.master_away) = (None, None);
        self.typed.clear();
        self.pty.renew(&self.stage.start(&next.argv, &dir, &env, self.size))?;
        self.spec.dir.clone_from(&next.dir);
        let at = self.at();
        let begun = Begun {
            pid: self.pty.pid.as_raw_nonzero().get(),
            dir: dir.to_string_lossy().into_owned(),
            env: next.env.keys().cloned().collect(),
        };
        self.writer.record(at, &Record::Relaunched(Box::new(begun)));
        Ok(())
    }
}

/// As a shell says it of a program that it cannot start.
fn status(fault: &io::Error) -> i32 {
    if fault.kind() == io::ErrorKind::PermissionDenied { 126 } else { 127 }
}
