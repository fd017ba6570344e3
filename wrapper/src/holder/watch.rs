//! Keeps an observer running beside the holder. Must not: know what it does.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// Longest pause before an observer that keeps failing is started again.
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// An observer that lived this long did not fail at its start.
const LIVED: Duration = Duration::from_secs(10);

/// Crashes in a row after which the next observer is told to leave the output alone.
const CRASHES_MAX: u32 = 3;

/// Bytes of log after which it is begun anew.
const LOG_MAX: u64 = 1 << 20;

/// Starts observers, one after the other.
pub struct Watch {
    program: PathBuf,
    log: PathBuf,
    child: Option<Child>,
    /// Observers started so far.
    pub epoch: u64,
    started: Instant,
    crashes: u32,
    pause: Duration,
    due: Option<Instant>,
}

impl Watch {
    /// Will start `program observer`, its messages going to `log`.
    pub fn new(program: PathBuf, log: PathBuf) -> Self {
        let now = Instant::now();
        let pause = Duration::from_millis(50);
        Self { program, log, child: None, epoch: 0, started: now, crashes: 0, pause, due: Some(now) }
    }

    /// The running observer's process.
    pub fn pid(&self) -> Option<i32> {
        self.child.as_ref().map(|child| child.id() as i32)
    }

    /// Whether the next one should leave the output alone, because the ones before it crashed over it.
    pub fn quarantined(&self) -> bool {
        self.crashes >= CRASHES_MAX
    }

    /// When the next one is to be started.
    pub fn deadline(&self) -> Option<Instant> {
        self.due
    }

    /// Makes the next one due now.
    pub fn hurry(&mut self) {
        self.due = Some(Instant::now());
    }

    /// Starts the next one now if it is due; its end of the conversation is returned.
    pub fn start(&mut self, now: Instant) -> io::Result<Option<UnixStream>> {
        if self.child.is_some() || self.due.is_none_or(|due| due > now) {
            return Ok(None);
        }
        let (ours, theirs) = UnixStream::pair()?;
        let mut command = Command::new(&self.program);
        command.arg("observer").stdin(Stdio::from(OwnedFd::from(theirs))).stdout(Stdio::null());
        command.stderr(self.open_log().map_or_else(|_| Stdio::null(), Stdio::from));
        self.due = Some(now + self.pause);
        self.child = Some(command.spawn()?);
        self.due = None;
        self.started = now;
        self.epoch += 1;
        Ok(Some(ours))
    }

    /// Looks whether the observer has ended, and plans the next one.
    pub fn reap(&mut self) {
        let Some(child) = self.child.as_mut() else { return };
        let Ok(Some(status)) = child.try_wait() else { return };
        self.child = None;
        let now = Instant::now();
        if now - self.started > LIVED {
            (self.crashes, self.pause) = (0, Duration::from_millis(50));
        } else {
            self.pause = (self.pause * 2).min(PAUSE_MAX);
        }
        if is_crash(status) {
            self.crashes += 1;
        }
        // The first failure is healed at once; only repeated ones wait.
        self.due = Some(if now - self.started > LIVED { now } else { now + self.pause / 2 });
    }

    fn open_log(&self) -> io::Result<File> {
        if std::fs::metadata(&self.log).is_ok_and(|m| m.len() > LOG_MAX) {
            std::fs::remove_file(&self.log)?;
        }
        OpenOptions::new().create(true).append(true).mode(0o600).open(&self.log)
    }
}

/// A fault of its own, as opposed to a kill from outside.
fn is_crash(status: ExitStatus) -> bool {
    match status.signal() {
        Some(signal) => {
            matches!(signal, libc::SIGABRT | libc::SIGSEGV | libc::SIGBUS | libc::SIGILL | libc::SIGFPE)
        }
        None => !status.success(),
    }
}
