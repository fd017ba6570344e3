//! A terminal that takes everything at once and shows nothing. Must not: interpret a byte.

use std::os::fd::OwnedFd;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context;
use rustix::pty::OpenptFlags;
use rustix::termios::{Winsize, tcsetwinsize};

/// What a run took.
#[derive(Debug, Clone, Copy)]
pub struct Run {
    /// Bytes that came out.
    pub bytes: usize,
    /// From the start to the last byte.
    pub wall: Duration,
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

/// Runs a command in a draining terminal, to its end.
pub fn run(command: &mut Command) -> anyhow::Result<Run> {
    let (master, slave) = open()?;
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
    child.wait()?;
    Ok(Run { bytes, wall: last - begun })
}
