//! The user's terminal, as the holder has it. Must not: decide what is shown.
//!
//! The descriptors were opened by the client for the holder, so they do not block; pipes and files may, and are
//! written in pieces that fit when the kernel says that there is room.

use std::collections::VecDeque;
use std::io;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use rustix::io::Errno;

use super::PeerId;
use crate::control::Offer;
use crate::prefix::{Prefix, Typed};
use crate::tty::Tty;

/// Output that may wait for the terminal.
const PENDING_MAX: usize = 64 << 10;

/// How long output waits for the screen's redrawing before it is shown without.
const SCREEN_PATIENCE: Duration = Duration::from_millis(500);

/// How long the first half of our own keys is held back.
const PREFIX_PATIENCE: Duration = Duration::from_secs(1);

/// An attached terminal.
pub struct Terminal {
    /// The client that brought it.
    pub client: PeerId,
    /// Where keys come from.
    pub input: OwnedFd,
    /// Where output goes.
    pub output: OwnedFd,
    /// The client is not ready, or stopped together with the program: the terminal is not to be read or written.
    pub suspended: bool,
    /// Input has not ended.
    pub input_open: bool,
    offer: Offer,
    /// Of the input, before it was made raw.
    settings: Option<Tty>,
    /// The output is a terminal, and does not block.
    output_tty: bool,
    prefix: Prefix,
    prefix_since: Option<Instant>,
    pending: VecDeque<u8>,
    redraw: Redraw,
}

/// What a newly attached terminal has of the screen.
#[derive(Debug, Clone, Copy)]
enum Redraw {
    /// All of it.
    Done,
    /// Nothing yet: output is held back until then; it begins at this offset.
    Awaited { until: Instant, begins: u64 },
    /// Only what came since it was attached, as the observer took too long; it may still send the rest.
    Late,
}

impl Terminal {
    /// Takes a terminal over.
    pub fn new(client: PeerId, offer: Offer, input: OwnedFd, output: OwnedFd) -> Self {
        let settings = offer.input_tty.then(|| Tty::new(&input)).flatten();
        let output_tty = Tty::new(&output).is_some();
        Self {
            client,
            input,
            output,
            suspended: true,
            input_open: true,
            offer,
            settings,
            output_tty,
            prefix: Prefix::default(),
            prefix_since: None,
            pending: VecDeque::new(),
            redraw: Redraw::Done,
        }
    }

    /// Whether input comes from a terminal.
    pub fn is_tty(&self) -> bool {
        self.offer.input_tty
    }

    /// The tmux pane that it is in.
    pub fn pane(&self) -> Option<&str> {
        self.offer.pane.as_deref()
    }

    /// The socket of that pane's tmux server.
    pub fn tmux(&self) -> Option<&str> {
        self.offer.tmux.as_deref()
    }

    /// Settings that are to be restored when the client cannot do it.
    pub fn settings(&self) -> Option<&Tty> {
        self.settings.as_ref()
    }

    /// The program was stopped, and the terminal goes back to the shell.
    pub fn suspend(&mut self) {
        self.suspended = true;
    }

    /// The client has made the terminal raw and waits.
    pub fn resume(&mut self) {
        self.suspended = false;
    }

    /// Holds output back until the redrawn screen has come; `offset` is where it begins.
    pub fn await_screen(&mut self, offset: u64) {
        self.redraw = Redraw::Awaited { until: Instant::now() + SCREEN_PATIENCE, begins: offset };
    }

    /// Whether the redrawn screen is still wanted.
    pub fn wants_screen(&self) -> bool {
        match self.redraw {
            Redraw::Done => false,
            Redraw::Awaited { .. } | Redraw::Late => true,
        }
    }

    /// The redrawn screen, as of `offset`: what it already shows is not shown again. `now` is the offset of the
    /// program's output; a late screen that is older than that stays wanted.
    pub fn screen(&mut self, offset: u64, bytes: &[u8], now: u64) -> io::Result<()> {
        match self.redraw {
            Redraw::Done => return Ok(()),
            Redraw::Late if offset != now || !self.pending.is_empty() => return Ok(()),
            Redraw::Late => self.pending.extend(bytes),
            Redraw::Awaited { begins, .. } => {
                let shown = usize::try_from(offset.saturating_sub(begins)).unwrap_or(usize::MAX);
                self.pending.drain(..shown.min(self.pending.len()));
                for byte in bytes.iter().rev() {
                    self.pending.push_front(*byte);
                }
            }
        }
        self.redraw = Redraw::Done;
        self.flush()
    }

    fn is_held_back(&self) -> bool {
        matches!(self.redraw, Redraw::Awaited { .. }) || self.suspended
    }

    /// Whether the program may write on. What waits here is ahead of a key's echo: as little as without us.
    pub fn reads_on(&self) -> bool {
        self.pending.is_empty() || self.is_held_back() && self.has_room()
    }

    /// Whether more can wait here, for who must know what the program has written by now.
    pub fn has_room(&self) -> bool {
        self.pending.len() < PENDING_MAX
    }

    /// Whether output waits that could be written.
    pub fn wants_to_write(&self) -> bool {
        !self.pending.is_empty() && !self.is_held_back()
    }

    /// Whether all output is on the terminal.
    pub fn is_flushed(&self) -> bool {
        self.pending.is_empty()
    }

    /// Shows output: at once if the terminal takes it.
    pub fn show(&mut self, bytes: &[u8]) -> io::Result<()> {
        if !self.pending.is_empty() || self.is_held_back() {
            self.pending.extend(bytes);
            return Ok(());
        }
        let mut rest = bytes;
        if self.output_tty {
            while !rest.is_empty() {
                match rustix::io::write(&self.output, rest) {
                    Ok(n) => rest = &rest[n..],
                    Err(Errno::INTR) => {}
                    Err(Errno::AGAIN) => break,
                    Err(e) => return Err(e.into()),
                }
            }
        }
        self.pending.extend(rest);
        Ok(())
    }

    /// Writes what waits, as far as the terminal takes it.
    pub fn flush(&mut self) -> io::Result<()> {
        while self.wants_to_write() {
            let piece = self.pending.as_slices().0;
            // A pipe that has room has room for 4096 bytes (POSIX's PIPE_BUF on Linux; 512 elsewhere).
            let limit = if self.output_tty { piece.len() } else { piece.len().min(512) };
            match rustix::io::write(&self.output, &piece[..limit]) {
                Ok(n) => drop(self.pending.drain(..n)),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return Ok(()),
                Err(e) => return Err(e.into()),
            }
            if !self.output_tty {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Filters what was typed for our own keys.
    pub fn typed(&mut self, bytes: &[u8]) -> Typed {
        if !self.offer.own_keys || bytes.is_empty() {
            return Typed::Pass(bytes.to_vec());
        }
        let typed = self.prefix.typed(bytes);
        self.prefix_since = self.prefix.waits().then(Instant::now);
        typed
    }

    /// When [`Terminal::expire`] has something to do.
    pub fn deadline(&self) -> Option<Instant> {
        let prefix = self.prefix_since.map(|since| since + PREFIX_PATIENCE);
        let screen = match self.redraw {
            Redraw::Awaited { until, .. } => Some(until),
            Redraw::Done | Redraw::Late => None,
        };
        prefix.into_iter().chain(screen).min()
    }

    /// Ends waits that took too long; returns keys that go to the program after all.
    pub fn expire(&mut self, now: Instant) -> io::Result<Vec<u8>> {
        if let Redraw::Awaited { until, .. } = self.redraw
            && until <= now
        {
            self.redraw = Redraw::Late;
            self.flush()?;
        }
        if self.prefix_since.is_some_and(|since| since + PREFIX_PATIENCE <= now) {
            self.prefix_since = None;
            return Ok(self.prefix.give_up());
        }
        Ok(Vec::new())
    }
}
