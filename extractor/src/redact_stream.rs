//! A terminal's bytes without the secrets they show, for those who watch.
//!
//! Secrets are found in what the bytes show: colours inside a key, and chunks that cut it, do not hide it. Each of their
//! characters is overwritten by asterisks in its place. What stands before a secret's body is well known and is shown.
//!
//! Invariant: as many bytes come out as went in, at the same offsets, and none but those of secrets differ; where they
//! were cut makes no difference. At most [`HELD_MAX`] bytes are held back, and only while they may be the beginning of a
//! secret, or of a character. They are let go by the bytes that end the doubt, or by [`Masker::release`], which the
//! owner calls when nothing came for [`PATIENCE`]; what is let go so early is shown unless it is a secret already, and
//! the rest of a secret that goes on after it is masked all the same.
//!
//! Must not: read a clock, know a viewer.

use std::sync::Arc;
use std::time::Duration;

use crate::Redactor;
use crate::redact::is_masked;
use crate::redact_terminal::{Did, Rendered};

/// Bytes that are held back at most.
pub const HELD_MAX: usize = 8 << 10;

/// How long an owner waits for more before it lets go of what is held.
pub const PATIENCE: Duration = Duration::from_millis(250);

/// Text that was shown and may tell that what follows is secret.
const CONTEXT: usize = 512;

/// The same inside a secret without a known length, for example a private key.
const CONTEXT_MAX: usize = 64 << 10;

/// Bytes that are looked at together.
const PIECE: usize = 4 << 10;

/// How far bytes are given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Until {
    /// Up to what may be the beginning of a secret.
    Doubt,
    /// All, as nothing came for a while.
    Patience,
    /// All, as they are something whole.
    Whole,
}

/// Masks a stream of terminal bytes.
#[derive(Debug)]
pub struct Masker {
    redactor: Arc<Redactor>,
    shown: Rendered,
    /// Bytes that were taken and not given.
    held: Vec<u8>,
}

impl Masker {
    /// For a terminal of so many columns.
    pub fn new(redactor: Arc<Redactor>, columns: u16) -> Self {
        Self { redactor, shown: Rendered::new(columns), held: Vec::new() }
    }

    /// Takes bytes, and appends those that can be given now.
    pub fn feed(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        for piece in bytes.chunks(PIECE) {
            piece.iter().for_each(|byte| self.take(*byte));
            self.settle(Until::Doubt, out);
        }
    }

    /// Takes bytes that show something whole, as a snapshot does, and appends all of them.
    pub fn whole(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        bytes.iter().for_each(|byte| self.take(*byte));
        self.settle(Until::Whole, out);
    }

    /// Appends all that is held.
    pub fn release(&mut self, out: &mut Vec<u8>) {
        if !self.held.is_empty() {
            self.settle(Until::Patience, out);
        }
    }

    /// How many bytes are held.
    pub fn held(&self) -> usize {
        self.held.len()
    }

    fn take(&mut self, byte: u8) {
        self.held.push(byte);
        if self.shown.take(byte) == Did::Ended {
            self.mask_string();
        }
    }

    fn settle(&mut self, until: Until, out: &mut Vec<u8>) {
        let given = self.shown.taken() - self.held.len() as u64;
        let open = self.redactor.open(&self.shown.text);
        let unfinished = self.shown.taken() - self.shown.unfinished() as u64;
        let doubtful = open.and_then(|open| self.shown.from.get(open.body)).copied();
        let end = match until {
            Until::Patience | Until::Whole => self.shown.taken(),
            Until::Doubt => doubtful
                .unwrap_or(unfinished)
                .min(unfinished)
                .max(self.shown.taken().saturating_sub(HELD_MAX as u64))
                .max(given),
        };
        for body in self.redactor.bodies(&self.shown.text, until != Until::Whole) {
            self.mask(&body, given, end);
        }
        out.extend(self.held.drain(..(end - given) as usize));
        self.forget(open.map(|open| open.start), end);
    }

    /// Overwrites the characters of a part of the text that have not been given.
    fn mask(&mut self, part: &std::ops::Range<usize>, given: u64, end: u64) {
        for (at, c) in self.shown.text[part.clone()].char_indices().filter(|(_, c)| is_masked(*c)) {
            let from = self.shown.from[part.start + at];
            if from < given || from >= end {
                continue;
            }
            let place = (from - given) as usize;
            let length = if c == '\u{1a}' { 1 } else { c.len_utf8() };
            let columns = unicode_width::UnicodeWidthChar::width(c).unwrap_or(1);
            // A terminal ignores the bytes that are left over.
            let stars = std::iter::repeat_n(b'*', columns).chain(std::iter::repeat(0));
            self.held[place..place + length].iter_mut().zip(stars).for_each(|(byte, star)| *byte = star);
        }
    }

    /// A title or another string that is not shown as text: it is looked at by itself.
    fn mask_string(&mut self) {
        let string = std::mem::take(&mut self.shown.string);
        // An order to fill the clipboard holds it encoded, and no viewer's clipboard is to be filled.
        let clipboard = string.starts_with(b"52;");
        // Its bytes stand right before the last one that was taken, unless it was cut.
        let behind = match self.held.last() {
            Some(0x07 | 0x18 | 0x1a | 0x1b) => 1,
            _ => 0,
        };
        let Some(start) = self.held.len().checked_sub(string.len() + behind) else { return };
        let text = as_text(&string);
        let mut parts: Vec<_> = Vec::new();
        if clipboard {
            parts.push(3..string.len());
        } else {
            parts.extend(self.redactor.bodies(&text, false));
            let cut = self.redactor.open(&text).map(|open| open.body..text.len());
            parts.extend(cut.filter(|_| behind == 0));
        }
        for part in parts {
            for byte in &mut self.held[start + part.start..start + part.end] {
                if byte.is_ascii_graphic() || *byte >= 0x80 {
                    *byte = b'*';
                }
            }
        }
    }

    /// Forgets what cannot tell anything of what follows.
    fn forget(&mut self, open: Option<usize>, end: u64) {
        let length = self.shown.text.len();
        let given = self.shown.from.partition_point(|from| *from < end);
        let context = given.min(length.saturating_sub(CONTEXT));
        let wanted = open.map_or(context, |open| context.min(open)).max(length.saturating_sub(CONTEXT_MAX));
        let wanted = wanted.min(given);
        let start = (0..=wanted).rev().find(|&at| self.shown.text.is_char_boundary(at)).unwrap_or(0);
        if start > CONTEXT {
            self.shown.forget(start);
        }
    }
}

/// Bytes as text of the same length: each that belongs to no character stands as a substitute of one byte, as on the screen.
fn as_text(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| '\u{1a}'));
    }
    text
}
