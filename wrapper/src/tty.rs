//! The user's terminal: raw mode, size, and bringing it back.
//!
//! Invariant: whoever made the terminal raw restores it in every ending; what the program switched on and did not
//! switch off is found in the recording, so that an orderly program's output stays untouched.

use std::io::{self, IsTerminal};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{Mode, OFlags};
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};

use crate::modes::{self, Modes};
use crate::recording::{Reader, Record};

/// A terminal whose settings are remembered.
pub struct Tty {
    descriptor: OwnedFd,
    saved: Termios,
}

impl Tty {
    /// The terminal behind `descriptor`, if it is one.
    pub fn new(descriptor: impl AsFd) -> Option<Self> {
        let descriptor = descriptor.as_fd().try_clone_to_owned().ok()?;
        let saved = tcgetattr(&descriptor).ok()?;
        Some(Self { descriptor, saved })
    }

    /// Its settings when it was taken.
    pub fn saved(&self) -> &Termios {
        &self.saved
    }

    /// Passes every key on as it is.
    pub fn raw(&self) {
        let mut raw = self.saved.clone();
        raw.make_raw();
        let _ = tcsetattr(&self.descriptor, OptionalActions::Now, &raw);
    }

    /// Brings the settings back.
    pub fn restore(&self) {
        let _ = tcsetattr(&self.descriptor, OptionalActions::Now, &self.saved);
    }
}

/// Columns and rows of the terminal behind `descriptor`, if it is one that knows them.
pub fn size(descriptor: impl AsFd) -> Option<(u16, u16)> {
    let size = tcgetwinsize(descriptor).ok()?;
    (size.ws_col > 0 && size.ws_row > 0).then_some((size.ws_col, size.ws_row))
}

/// A descriptor for the same terminal that can be made non-blocking without doing that to the user's shell, which
/// shares the original. Falls back to the original when the terminal cannot be opened by its name.
pub fn reopen(descriptor: BorrowedFd) -> io::Result<OwnedFd> {
    if descriptor.is_terminal() {
        let own = rustix::termios::ttyname(descriptor, Vec::new()).and_then(|name| {
            rustix::fs::open(
                name,
                OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC | OFlags::NONBLOCK,
                Mode::empty(),
            )
        });
        if let Ok(own) = own {
            return Ok(own);
        }
    }
    descriptor.try_clone_to_owned()
}

/// The bytes that undo what the session in `dir` left switched on; where its recording does not hold everything, those
/// that undo what may be on as well.
pub fn left_on(dir: &Path, recorded: bool) -> Vec<u8> {
    let mut modes = Modes::default();
    for moment in Reader::open(dir).map_while(Result::ok) {
        match moment.record {
            Record::Output(bytes) => modes.feed(&bytes),
            // The holder has undone what the program before had left.
            Record::Relaunched(_) => modes = Modes::default(),
            _ => {}
        }
    }
    let mut undone = modes.restore();
    if !recorded {
        undone.extend(modes::restore_blindly());
    }
    undone
}

/// Writes all of `bytes` to a terminal that may not block; gives up on a terminal that takes nothing for a second.
pub fn write_all(descriptor: impl AsFd, mut bytes: &[u8]) {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    while !bytes.is_empty() {
        match rustix::io::write(&descriptor, bytes) {
            Ok(n) => bytes = &bytes[n..],
            Err(rustix::io::Errno::INTR) => {}
            Err(rustix::io::Errno::AGAIN) => {
                let second = Timespec { tv_sec: 1, tv_nsec: 0 };
                if poll(&mut [PollFd::new(&descriptor, PollFlags::OUT)], Some(&second)) == Ok(0) {
                    return;
                }
            }
            Err(_) => return,
        }
    }
}
