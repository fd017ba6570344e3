//! A pseudo-terminal with a program in it, which gets only the environment that was set on purpose.
//! Must not: know what is written to it or why.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::Context;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};
use rustix::pty::OpenptFlags;
use rustix::termios::{Winsize, tcsetwinsize};

/// A terminal and its program.
pub struct Pty {
    master: OwnedFd,
    child: Child,
}

impl Pty {
    /// Starts a program as the leader of a session of its own.
    pub fn start(
        program: &Path,
        args: &[String],
        env: &BTreeMap<String, String>,
        folder: &Path,
        size: (u16, u16),
    ) -> anyhow::Result<Self> {
        let master = rustix::pty::openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        rustix::pty::unlockpt(&master)?;
        let name = rustix::pty::ptsname(&master, Vec::new())?;
        let slave = rustix::fs::open(name, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty())?;
        tcsetwinsize(&master, winsize(size))?;
        let mut session = Command::new("setsid");
        // Who starts the recorder in the background hands down ignored signals, and then Ctrl-C would do nothing.
        session
            .args(["--ctty", "--wait", "env", "--default-signal"])
            .arg(program)
            .args(args)
            .env_clear()
            .envs(env)
            .current_dir(folder);
        session.stdin(Stdio::from(slave.try_clone()?)).stdout(Stdio::from(slave.try_clone()?));
        session.stderr(Stdio::from(slave));
        let child = session.spawn().context("setsid is needed; it is util-linux's")?;
        Ok(Self { master, child })
    }

    /// Waits for output; none within the time gives an empty read, and the end of all output `None`.
    pub fn read(&self, within: Duration) -> anyhow::Result<Option<Vec<u8>>> {
        let within =
            Timespec { tv_sec: i64::try_from(within.as_secs())?, tv_nsec: i64::from(within.subsec_nanos()) };
        let mut fds = [PollFd::from_borrowed_fd(self.master.as_fd(), PollFlags::IN)];
        match poll(&mut fds, Some(&within)) {
            Ok(1..) => {}
            Ok(0) | Err(rustix::io::Errno::INTR) => return Ok(Some(Vec::new())),
            Err(e) => return Err(e.into()),
        }
        let mut bytes = vec![0; 64 << 10];
        match rustix::io::read(&self.master, &mut bytes[..]) {
            Ok(0) | Err(rustix::io::Errno::IO) => Ok(None),
            Ok(n) => {
                bytes.truncate(n);
                Ok(Some(bytes))
            }
            Err(e) => Err(e.into()),
        }
    }

    /// Writes all of it.
    pub fn write(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let written = rustix::io::write(&self.master, bytes)?;
            bytes = &bytes[written..];
        }
        Ok(())
    }

    /// Changes the size.
    pub fn resize(&self, size: (u16, u16)) -> io::Result<()> {
        Ok(tcsetwinsize(&self.master, winsize(size))?)
    }

    /// The program's exit status once it has ended.
    pub fn ended(&mut self) -> io::Result<Option<i32>> {
        Ok(self.child.try_wait()?.map(|status| status.code().unwrap_or(-1)))
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        // Closing the terminal's side hangs up on what runs in it; what does not hear that is ended with its session.
        if !matches!(self.child.try_wait(), Ok(Some(_))) {
            let pid = rustix::process::Pid::from_child(&self.child);
            for signal in [rustix::process::Signal::TERM, rustix::process::Signal::KILL] {
                for child in children(pid.as_raw_nonzero().get()) {
                    if let Some(child) = rustix::process::Pid::from_raw(child) {
                        let _ = rustix::process::kill_process(child, signal);
                    }
                }
                std::thread::sleep(Duration::from_millis(500));
            }
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// The children of a process.
fn children(pid: i32) -> Vec<i32> {
    let list = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    list.split_whitespace().filter_map(|word| word.parse().ok()).collect()
}

fn winsize((cols, rows): (u16, u16)) -> Winsize {
    Winsize { ws_col: cols, ws_row: rows, ws_xpixel: 0, ws_ypixel: 0 }
}
