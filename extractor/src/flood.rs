//! Plain lines that need no emulator: lays them out as it would, and keeps only what can still be seen. Must not: lay
//! out anything that is not provably the same on the emulated screen; there it stops.
//!
//! A flood begins on an empty bottom row of a main screen that scrolls as a whole. From then on every row that ends
//! pushes one row out at the top, so of all bytes only those of the last screenful decide how the screen looks. The
//! emulator sees these when somebody looks, on a blank screen and with the colours of that place.

use memchr::{memchr_iter, memchr3, memrchr};
use unicode_width::UnicodeWidthChar;

use crate::rows::Rows;

/// Longest sequence of colours that is taken for plain.
const LONGEST_COLOURS: usize = 48;

/// Floods shorter than this many screens go through the emulator: what it scrolls for them is less than a redraw.
const SCREENS: usize = 4;

/// Smallest screen whose floods are laid out; on smaller ones the emulator has rules of its own.
const LEAST: (usize, usize) = (16, 2);

/// Bytes of one burst of plain lines.
#[derive(Debug)]
pub struct Flood {
    cols: usize,
    /// Rows of the screen.
    height: usize,
    /// Rows of a flood that may still go through the emulator; afterwards they are with the rows that are gone.
    rows: Rows,
    committed: bool,
    /// Where the cursor stands in the open row, where that row began, and whether it continues the one before.
    col: usize,
    at: u64,
    continues: bool,
    /// Rows that ended.
    ended: usize,
    /// Bytes that were laid out; the last of them, which begin at a row.
    position: u64,
    raw: Vec<u8>,
    /// The beginning of a character, of colours or of a line's end.
    held: Vec<u8>,
    /// The character that was printed last; a program may ask to repeat it.
    last: Option<char>,
}

/// Why laying out stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stop {
    /// At the end of the bytes.
    End,
    /// What follows is not whole yet.
    Half,
    /// What follows is not plain.
    Odd,
}

impl Flood {
    /// On a screen of this size, from the beginning of its empty bottom row. `continues`: the row above goes on in it.
    pub fn new(cols: u16, height: u16) -> Self {
        Self {
            cols: cols.into(),
            height: height.into(),
            rows: Rows::new(cols),
            committed: false,
            col: 0,
            at: 0,
            continues: false,
            ended: 0,
            position: 0,
            raw: Vec::new(),
            held: Vec::new(),
            last: None,
        }
    }

    /// Whether floods on a screen of this size are laid out.
    pub fn possible(cols: u16, height: u16) -> bool {
        usize::from(cols) >= LEAST.0 && usize::from(height) >= LEAST.1
    }

    /// Begins anew with the same buffers.
    pub fn begin(&mut self, continues: bool) {
        self.rows.forget(self.rows.len());
        self.rows.cut(0);
        self.raw.clear();
        self.held.clear();
        self.committed = false;
        self.continues = continues;
        (self.col, self.at, self.ended, self.position, self.last) = (0, 0, 0, 0, None);
    }

    /// Whether its rows are with those that are gone, except for the last screenful.
    pub fn committed(&self) -> bool {
        self.committed
    }

    /// Whether it is long enough that its rows may be told. `now`: they are asked for.
    pub fn long(&self, now: bool) -> bool {
        !self.committed && self.ended >= self.height * if now { 1 } else { SCREENS }
    }

    /// Its rows go behind those that are gone.
    pub fn commit(&mut self, gone: &mut Rows) {
        gone.append(&mut self.rows);
        self.committed = true;
    }

    /// How many of the rows that are gone are in truth still on the screen, beside the open one.
    pub fn visible(&self) -> usize {
        if self.committed { self.height - 1 } else { 0 }
    }

    /// Whether the cursor stands at the beginning of an empty row.
    pub fn fresh(&self) -> bool {
        self.col == 0 && self.held.is_empty()
    }

    /// The character that was printed last.
    pub fn last(&self) -> Option<char> {
        self.last
    }

    /// The bytes that draw the last screenful (of a committed flood) or all, and those that are not whole yet.
    pub fn bytes(&self) -> (&[u8], &[u8]) {
        (&self.raw, &self.held)
    }

    /// Takes plain bytes. Gives how many it took; what follows them, if anything, is for the emulator. Colours that
    /// were set in bytes that need not be drawn any more are written to `colours`.
    pub fn take(&mut self, gone: &mut Rows, bytes: &[u8], colours: &mut Vec<u8>) -> usize {
        let mut from = 0;
        if !self.held.is_empty() {
            let mut joined = std::mem::take(&mut self.held);
            let old = joined.len();
            joined.extend_from_slice(&bytes[..bytes.len().min(LONGEST_COLOURS)]);
            let (used, stop) = self.lay(gone, &joined);
            if used <= old {
                // Nothing was decided: it is still not whole, or it is odd.
                debug_assert_eq!(used, 0);
                let whole = stop == Stop::Half && joined.len() - old == bytes.len();
                joined.truncate(if whole { joined.len() } else { old });
                self.held = joined;
                return if whole { bytes.len() } else { 0 };
            }
            self.keep(gone, &joined[..used], colours);
            joined.clear();
            self.held = joined;
            from = used - old;
        }
        let (used, stop) = self.lay(gone, &bytes[from..]);
        self.keep(gone, &bytes[from..from + used], colours);
        from += used;
        match stop {
            Stop::End | Stop::Odd => from,
            Stop::Half => {
                self.held.extend_from_slice(&bytes[from..]);
                bytes.len()
            }
        }
    }

    /// Keeps the bytes that were laid out last, as far as they may have to be drawn.
    fn keep(&mut self, gone: &Rows, bytes: &[u8], colours: &mut Vec<u8>) {
        let first = self.position - bytes.len() as u64;
        let shown = if self.committed { gone.len().checked_sub(self.height - 1) } else { None };
        let from = shown.and_then(|row| gone.row(row)).map_or(0, |row| row.at);
        let base = first - self.raw.len() as u64;
        if from >= first && self.committed {
            let cut = usize::try_from(from - first).unwrap_or(0).min(bytes.len());
            last_colours(&self.raw, colours);
            last_colours(&bytes[..cut], colours);
            self.raw.clear();
            self.raw.extend_from_slice(&bytes[cut..]);
        } else {
            let cut = usize::try_from(from.saturating_sub(base)).unwrap_or(0).min(self.raw.len());
            last_colours(&self.raw[..cut], colours);
            self.raw.drain(..cut);
            self.raw.extend_from_slice(bytes);
        }
    }

    fn lay(&mut self, gone: &mut Rows, bytes: &[u8]) -> (usize, Stop) {
        let mut own = std::mem::replace(&mut self.rows, Rows::new(1));
        let rows = if self.committed { gone } else { &mut own };
        let base = self.position;
        let (mut i, mut stop) = (0, Stop::End);
        while i < bytes.len() {
            match self.step(rows, &bytes[i..], base + i as u64) {
                Ok(used) => i += used,
                Err(why) => {
                    stop = why;
                    break;
                }
            }
        }
        self.position = base + i as u64;
        self.rows = own;
        (i, stop)
    }

    /// Lays out a run of characters, colours, a tab or the end of a line.
    fn step(&mut self, rows: &mut Rows, bytes: &[u8], at: u64) -> Result<usize, Stop> {
        match bytes[0] {
            0x20..=0x7e => {
                let run = run(bytes);
                self.print(rows, &bytes[..run], at);
                self.last = Some(char::from(bytes[run - 1]));
                Ok(run)
            }
            b'\n' if self.col == 0 => Ok(self.end_line(rows, at + 1, 1)),
            b'\r' => match bytes.iter().position(|byte| *byte != b'\r') {
                Some(ends) if bytes[ends] == b'\n' => Ok(self.end_line(rows, at + ends as u64 + 1, ends + 1)),
                Some(_) => Err(Stop::Odd),
                None if bytes.len() < LONGEST_COLOURS => Err(Stop::Half),
                None => Err(Stop::Odd),
            },
            b'\t' if self.col < self.cols => {
                let to = (self.col - self.col % 8 + 8).min(self.cols - 1);
                let text = rows.open();
                text.resize(text.len() + to - self.col, b' ');
                self.col = to;
                Ok(1)
            }
            0x1b => colours(bytes),
            0x80.. => self.character(rows, bytes, at),
            _ => Err(Stop::Odd),
        }
    }

    /// ASCII characters.
    fn print(&mut self, rows: &mut Rows, mut run: &[u8], mut at: u64) {
        loop {
            let (now, later) = run.split_at(run.len().min(self.cols - self.col));
            rows.open().extend_from_slice(now);
            self.col += now.len();
            at += now.len() as u64;
            if later.is_empty() {
                return;
            }
            self.end_row(rows, at, true);
            run = later;
        }
    }

    /// A character of one or two columns that joins no other.
    fn character(&mut self, rows: &mut Rows, bytes: &[u8], at: u64) -> Result<usize, Stop> {
        let longest = &bytes[..bytes.len().min(4)];
        let known = match std::str::from_utf8(longest) {
            Ok(text) => text,
            Err(error) if error.valid_up_to() > 0 => {
                std::str::from_utf8(&longest[..error.valid_up_to()]).unwrap_or_default()
            }
            Err(error) if error.error_len().is_none() => return Err(Stop::Half),
            Err(_) => return Err(Stop::Odd),
        };
        let c = known.chars().next().ok_or(Stop::Odd)?;
        let width = match c {
            '\u{80}'..'\u{a0}' | '\u{fffd}' => return Err(Stop::Odd),
            _ => c.width().filter(|width| matches!(width, 1 | 2)).ok_or(Stop::Odd)?,
        };
        if self.col + width > self.cols {
            // A wide character that does not fit leaves a blank behind, which is no part of a longer line.
            let full = self.col == self.cols;
            self.end_row(rows, at, full);
        }
        match c {
            '\u{a0}' => rows.open().push(b' '),
            _ => rows.open().extend_from_slice(&bytes[..c.len_utf8()]),
        }
        self.col += width;
        self.last = Some(c);
        Ok(c.len_utf8())
    }

    fn end_line(&mut self, rows: &mut Rows, next: u64, used: usize) -> usize {
        self.end_row(rows, next, false);
        used
    }

    fn end_row(&mut self, rows: &mut Rows, next: u64, goes_on: bool) {
        rows.end(self.at, self.continues, false);
        self.ended += 1;
        (self.col, self.at, self.continues) = (0, next, goes_on);
    }
}

/// How many printable ASCII characters these bytes begin with; the first is one.
fn run(bytes: &[u8]) -> usize {
    let odd = |byte: &u8| byte.wrapping_sub(0x20) > 0x5e;
    let end = memchr3(b'\r', b'\n', 0x1b, bytes).unwrap_or(bytes.len());
    let line = &bytes[..end];
    // All at once is faster than one after the other, and lines are nearly always plain.
    let (parts, rest) = line.as_chunks::<16>();
    let clean = |part: &[u8]| !part.iter().fold(false, |any, byte| any | odd(byte));
    let last = if line.len() >= 16 { &line[line.len() - 16..] } else { rest };
    if parts.iter().all(|part| clean(part)) && clean(last) {
        return end;
    }
    line.iter().position(odd).unwrap_or(end)
}

/// The length of the colours that these bytes begin with.
fn colours(bytes: &[u8]) -> Result<usize, Stop> {
    let known = &bytes[..bytes.len().min(LONGEST_COLOURS)];
    let half = if known.len() < LONGEST_COLOURS { Stop::Half } else { Stop::Odd };
    match known.get(1) {
        None => return Err(half),
        Some(b'[') => {}
        Some(_) => return Err(Stop::Odd),
    }
    match known[2..].iter().position(|byte| !matches!(byte, b'0'..=b';')) {
        Some(end) if known[end + 2] == b'm' => Ok(end + 3),
        Some(_) => Err(Stop::Odd),
        None => Err(half),
    }
}

/// Appends the colours that hold after plain bytes: the last sequence that resets them, and all after it.
fn last_colours(bytes: &[u8], out: &mut Vec<u8>) {
    let (mut from, mut any) = (bytes.len(), false);
    while let Some(escape) = memrchr(0x1b, &bytes[..from]) {
        (from, any) = (escape, true);
        if bytes[from..].starts_with(b"\x1b[m")
            || bytes[from..].starts_with(b"\x1b[0m")
            || bytes[from..].starts_with(b"\x1b[0;")
        {
            out.clear();
            break;
        }
    }
    if !any {
        return;
    }
    for escape in memchr_iter(0x1b, &bytes[from..]) {
        let sequence = &bytes[from + escape..];
        let end = sequence.iter().position(|byte| *byte == b'm').map_or(0, |end| end + 1);
        out.extend_from_slice(&sequence[..end]);
    }
}
