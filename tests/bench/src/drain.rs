//! A terminal that takes everything at once and shows nothing. Must not: interpret a byte.

use std::os::fd::OwnedFd;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context;
use rustix::process::{WaitOptions, getpid, set_child_subreaper, wait};
use rustix::pty::OpenptFlags;
use rustix::termios::{Winsize, tcsetwinsize};

use crate::status::children;

/// How long what a command left behind may take to end.
const LINGERS: Duration = Duration::from_secs(60);

/// What a run took.
#[derive(Debug, Clone, Copy)]
pub struct Run {
    /// Bytes that came out.
    pub bytes: usize,
    /// From the start to the last byte.
    pub wall: Duration,
    /// Seconds of the processor of all processes that it was made of, to their end.
    pub cpu: f64,
}

/// Opens a terminal: its master and its slave.
pub fn open() -> anyhow::Result<(OwnedFd, OwnedFd)> {
    let master = rustix::pty::openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
    rustix::pty::unlockpt(&master)?;
    let name = rustix::pty::ptsname(&master, Vec::new())?;
    use rustix::fs::{Mode, OFlags};
    let slave = rustix::fs::open(name, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty())?;
    tcsetwinsize(&slave, Winsize { ws_col: 120, ws_row: 40, ws_xpixel: 0, ws_ypixel: 0 })?;
    Ok((master, slave))
}

/// A command whose controlling terminal will be its standard input, as a shell's would.
pub fn on_terminal(words: &[String]) -> Command {
    let mut command = Command::new("setsid");
    command.args(["--ctty", "--wait"]).args(words);
    command.env("TERM", "xterm-256color").env_remove("TMUX").env_remove("STY");
    command
}

/// Runs a command in a draining terminal, to its end and that of all that it left behind.
pub fn run(command: &mut Command) -> anyhow::Result<Run> {
    // What it puts in the background is waited for as well, and so counted.
    set_child_subreaper(Some(getpid()))?;
    let (master, slave) = open()?;
    let before = children()?;
    command.stdin(Stdio::from(slave.try_clone()?)).stdout(Stdio::from(slave.try_clone()?));
    let begun = Instant::now();
    let mut child = command.spawn().with_context(|| format!("cannot run {command:?}"))?;
    // The command holds copies of the slave, which would keep the terminal open.
    command.stdin(Stdio::null()).stdout(Stdio::null());
    drop(slave);
    let mut bytes = 0;
    let mut last = begun;
    let mut buffer = vec![0; 64 << 10];
    // Ends when nobody has the terminal open any more.
    while let Ok(n @ 1..) = rustix::io::read(&master, &mut buffer[..]) {
        bytes += n;
        last = Instant::now();
    }
    let wall = last - begun;
    child.wait()?;
    let begun = Instant::now();
    loop {
        match wait(WaitOptions::NOHANG) {
            Ok(Some(_)) => {}
            Ok(None) if begun.elapsed() < LINGERS => std::thread::sleep(Duration::from_millis(2)),
            Ok(None) | Err(_) => break,
        }
    }
    Ok(Run { bytes, wall, cpu: children()? - before })
}
