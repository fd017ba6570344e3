//! The pseudo-terminal and the program in it. The only file with `unsafe`.
//!
//! Owns: opening the PTY, starting the program as a job of the holder's session, waiting for it.
//! Must not: relay bytes.
//!
//! The holder is the session leader and owns the PTY as its controlling terminal; the program is the foreground job
//! in a process group of its own, as under a shell. A session leader in the program's place would make its group an
//! orphan, and the kernel does not stop orphans: Ctrl-Z would be lost.
#![allow(unsafe_code)]

use std::ffi::OsString;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use extractor::Exit;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitOptions, WaitStatus};
use rustix::pty::OpenptFlags;
use rustix::termios::{LocalModes, OptionalActions, OutputModes, Termios, Winsize};

/// How long a process may take from its start to its own program.
const FORKED: Duration = Duration::from_secs(5);

/// A program in its terminal.
pub struct Pty {
    /// The terminal's other side; does not block.
    pub master: OwnedFd,
    /// The program.
    pub pid: Pid,
}

/// What the kernel says of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It was stopped by job control.
    Stopped,
    /// It ended.
    Ended(Exit),
}

/// What is to be started.
pub struct Start<'a> {
    /// Program and arguments.
    pub argv: &'a [Vec<u8>],
    /// Working directory.
    pub dir: &'a Path,
    /// Variables set in addition to the holder's own.
    pub env: &'a [(String, OsString)],
    /// Terminal settings; `None` takes the kernel's.
    pub termios: Option<&'a Termios>,
    /// Input is echoed: false when it comes from a pipe.
    pub echo: bool,
    /// A line feed is written as carriage return and line feed: false when nobody's terminal shows it.
    pub newlines: bool,
    /// Columns and rows.
    pub size: (u16, u16),
}

impl Pty {
    /// Starts a program. The calling process must be a session leader without a controlling terminal; it gets the
    /// new one. Errors are those of `exec` (`NotFound`, `PermissionDenied`) or of the PTY.
    pub fn start(start: &Start) -> io::Result<Self> {
        let master = rustix::pty::openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        rustix::pty::grantpt(&master)?;
        rustix::pty::unlockpt(&master)?;
        let name = rustix::pty::ptsname(&master, Vec::new())?;
        use rustix::fs::{Mode, OFlags};
        let slave = rustix::fs::open(name, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty())?;
        set_up(&slave, start)?;
        resize(&slave, start.size)?;
        take_terminal(&slave)?;

        let (program, arguments) = start.argv.split_first().ok_or(io::ErrorKind::InvalidInput)?;
        let os = |bytes: &Vec<u8>| OsString::from_vec(bytes.clone());
        let mut command = Command::new(os(program));
        command.args(arguments.iter().map(os)).current_dir(start.dir).process_group(0);
        command.env_remove(wire::place::TOKEN_VARIABLE);
        command.envs(start.env.iter().map(|(name, value)| (name, value)));
        command.stdin(slave.try_clone()?).stdout(slave.try_clone()?).stderr(Stdio::from(slave));
        // SAFETY: the closure runs in the child between fork and exec; it calls only sigemptyset, sigaddset,
        // sigprocmask and tcsetpgrp, which are async-signal-safe, and touches no memory but its own stack.
        unsafe {
            command.pre_exec(to_foreground);
        }
        let child = command.spawn()?;
        let pid = Pid::from_child(&child);
        rustix::io::ioctl_fionbio(&master, true)?;
        Ok(Self { master, pid })
    }

    /// Starts another program in the place of one that has ended, on a terminal of its own.
    pub fn renew(&mut self, start: &Start) -> io::Result<()> {
        // With the old terminal's end the session has no controlling terminal any more, and can take the new one.
        self.master = std::fs::File::open("/dev/null")?.into();
        *self = Self::start(start)?;
        Ok(())
    }

    /// Sets the terminal's size; the kernel tells the program.
    pub fn resize(&self, size: (u16, u16)) -> io::Result<()> {
        resize(&self.master, size)
    }

    /// Sends a signal to the program's process group.
    pub fn signal(&self, signal: Signal) -> io::Result<()> {
        Ok(rustix::process::kill_process_group(self.pid, signal)?)
    }

    /// Sends a signal to whatever runs in the foreground of the terminal, else to the program's group.
    pub fn signal_foreground(&self, signal: Signal) -> io::Result<()> {
        let group = rustix::termios::tcgetpgrp(&self.master).unwrap_or(self.pid);
        Ok(rustix::process::kill_process_group(group, signal)?)
    }

    /// Whether the program reads a line without echo: a password prompt.
    pub fn hides_input(&self) -> bool {
        rustix::termios::tcgetattr(&self.master).is_ok_and(|t| {
            t.local_modes.contains(LocalModes::ICANON) && !t.local_modes.contains(LocalModes::ECHO)
        })
    }

    /// Whether the program has written what was not read yet.
    pub fn has_output(&self) -> bool {
        let mut ready = [PollFd::new(&self.master, PollFlags::IN)];
        poll(&mut ready, Some(&Timespec::default())).is_ok() && ready[0].revents().contains(PollFlags::IN)
    }

    /// What happened to the program since the last call, if anything.
    pub fn wait(&self) -> Option<Change> {
        let options = WaitOptions::NOHANG | WaitOptions::UNTRACED;
        let (_, status) = rustix::process::waitpid(Some(self.pid), options).ok()??;
        change(status)
    }
}

/// Makes it the session's terminal. A process that is just being started holds a copy of the old one's other end until it runs
/// its own program, and for so long the old one has no end: it is tried again.
fn take_terminal(slave: &OwnedFd) -> io::Result<()> {
    let until = Instant::now() + FORKED;
    loop {
        match rustix::process::ioctl_tiocsctty(slave) {
            Err(Errno::PERM) if Instant::now() < until => std::thread::sleep(Duration::from_millis(1)),
            taken => return Ok(taken?),
        }
    }
}

fn set_up(slave: &OwnedFd, start: &Start) -> io::Result<()> {
    let own = rustix::termios::tcgetattr(slave)?;
    let mut termios = start.termios.cloned().unwrap_or(own);
    if !start.echo {
        termios.local_modes.remove(LocalModes::ECHO);
    }
    if !start.newlines {
        termios.output_modes.remove(OutputModes::ONLCR);
    }
    Ok(rustix::termios::tcsetattr(slave, OptionalActions::Now, &termios)?)
}

fn change(status: WaitStatus) -> Option<Change> {
    if let Some(code) = status.exit_status() {
        Some(Change::Ended(Exit::Code(code)))
    } else if let Some(signal) = status.terminating_signal() {
        Some(Change::Ended(Exit::Signal(signal)))
    } else if status.stopped() {
        Some(Change::Stopped)
    } else {
        None
    }
}

fn resize(terminal: impl AsFd, (cols, rows): (u16, u16)) -> io::Result<()> {
    let size = Winsize { ws_row: rows.max(1), ws_col: cols.max(1), ws_xpixel: 0, ws_ypixel: 0 };
    Ok(rustix::termios::tcsetwinsize(terminal, size)?)
}

/// Makes the calling child the foreground job of its terminal. It is still in the background when it asks, so the
/// kernel would stop it with SIGTTOU unless that is blocked.
fn to_foreground() -> io::Result<()> {
    // SAFETY: `set` is initialised by sigemptyset before any other use; all pointers are to live locals; none of the
    // calls allocates or locks.
    unsafe {
        let mut set = std::mem::zeroed::<libc::sigset_t>();
        libc::sigemptyset(&mut set);
        libc::sigaddset(&mut set, libc::SIGTTOU);
        libc::sigprocmask(libc::SIG_BLOCK, &set, std::ptr::null_mut());
        let done = libc::tcsetpgrp(libc::STDIN_FILENO, libc::getpid());
        let fault = io::Error::last_os_error();
        libc::sigprocmask(libc::SIG_UNBLOCK, &set, std::ptr::null_mut());
        if done == 0 { Ok(()) } else { Err(fault) }
    }
}
