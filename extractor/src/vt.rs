//! The emulated screen; the only file that knows the emulator. Must not: interpret what the screen says.

use std::cell::{RefCell, RefMut};
use std::num::NonZeroU16;
use std::panic::{AssertUnwindSafe, catch_unwind};

use memchr::{memchr, memmem};

use crate::flood::Flood;
use crate::rows::{Gone, Rows, plain, push_plain};
use crate::sequence::{Sequence, unfinished};

/// Largest screen, in cells a side: a hostile size must not cost memory.
const LARGEST: u16 = 1_000;

/// What makes the character before it wide: the variation selector that asks for an emoji's looks.
const WIDENS: &[u8] = "\u{fe0f}".as_bytes();

/// Fewest columns that are emulated: on a single one the emulator fails on a character that becomes a wide one.
const NARROWEST: u16 = 2;

/// Longest piece that is taken at once.
const PIECE: usize = 64 * 1024;

/// A terminal without a window.
///
/// Invariant: what is kept from the emulator makes no difference to anything that can be asked here.
pub struct Vt {
    /// Whoever looks makes the emulator draw what was kept from it.
    inner: RefCell<Emulator>,
}

struct Emulator {
    /// It failed on some output, and began anew.
    failed: bool,
    /// Columns and rows, as they were told.
    size: (u16, u16),
    parser: vt100::Parser<Scrolled>,
    /// The beginning of a character whose rest has not come yet: the emulator must never see half of one.
    half: Vec<u8>,
    sequence: Sequence,
    /// Plain lines that the emulator has not seen, while `flooded`.
    flood: Flood,
    flooded: bool,
    /// Whether the cursor stands at the beginning of the blank bottom row of a main screen that scrolls as a whole.
    fresh: bool,
    bypass: bool,
    colours: Vec<u8>,
    /// Counts what was drawn, from 1.
    drawn: u64,
}

/// The screen's text at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Screen {
    /// Rows without trailing blanks.
    pub rows: Vec<String>,
    /// Whether each row goes on in the next.
    pub wrapped: Vec<bool>,
    /// Row and column of the cursor, from 0.
    pub cursor: (usize, usize),
    /// Whether it is the alternate screen.
    pub alternate: bool,
}

/// How one character is drawn, as far as it tells typed text from ghost text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Styled {
    /// The column.
    pub column: usize,
    /// Whether the cell is blank.
    pub blank: bool,
    /// Whether it is dim or grey.
    pub faint: bool,
    /// Whether it is drawn inverse, as a cursor is.
    pub inverse: bool,
}

/// Hears of rows that scroll away.
struct Scrolled {
    rows: Rows,
    /// The rows that scroll now were told before.
    muted: bool,
    /// Whether the row before the next was told by another way, and whether it went on.
    before: Option<bool>,
    state: vt100::capture::BasicFormattedCaptureState,
    buffer: String,
}

impl Scrolled {
    fn new(cols: u16) -> Self {
        let state = vt100::capture::BasicFormattedCaptureState::new();
        Self { rows: Rows::new(cols), muted: false, before: None, state, buffer: String::new() }
    }
}

impl vt100::Callbacks for Scrolled {
    fn on_scroll(&mut self, contents: vt100::capture::RowContents<'_>, alternate_screen: bool) {
        if self.muted {
            return;
        }
        self.buffer.clear();
        // Writing to a String does not fail.
        let _ = contents.write_formatted_basic(&mut self.buffer, &mut self.state);
        let (continues, rest) = match self.buffer.strip_prefix('\n') {
            Some(rest) => (false, rest),
            None => (true, self.buffer.as_str()),
        };
        let continues = self.before.take().unwrap_or(continues);
        let text = self.rows.open();
        for part in vt100::capture::basic_formatted_to_plain(rest) {
            push_plain(text, part);
        }
        self.rows.end(0, continues, alternate_screen);
        self.rows.bound(0);
    }
}

impl Vt {
    /// A blank screen; sizes are held between 1 and 1,000.
    pub fn new(cols: u16, rows: u16) -> Self {
        Self { inner: RefCell::new(Emulator::new(cols, rows, true)) }
    }

    /// The same without a short cut for plain lines: only to show that it makes no difference.
    #[doc(hidden)]
    pub fn without_bypass(cols: u16, rows: u16) -> Self {
        Self { inner: RefCell::new(Emulator::new(cols, rows, false)) }
    }

    /// Feeds output.
    ///
    /// Invariant: no bytes make it panic. Should the emulator fail on some, the screen is blank afterwards; the next
    /// redraw fills it.
    pub fn feed(&mut self, bytes: &[u8]) {
        for piece in bytes.chunks(PIECE) {
            self.inner.get_mut().take(piece);
        }
    }

    /// Changes the size; held between 1 and 1,000.
    pub fn resize(&mut self, cols: u16, rows: u16) {
        let told = (side(cols).get(), side(rows).get());
        let (cols, rows) = (side(cols.max(NARROWEST)), side(rows));
        let emulator = self.inner.get_mut();
        emulator.flush();
        emulator.size = told;
        if emulator.parser.screen().size() == (rows, cols) {
            return;
        }
        emulator.forget_scrollback();
        emulator.drawn += 1;
        let parser = &mut emulator.parser;
        if catch_unwind(AssertUnwindSafe(|| parser.set_size(rows, cols))).is_err() {
            let new = Emulator::new(told.0, told.1, emulator.bypass);
            *emulator = Emulator { failed: true, drawn: emulator.drawn, ..new };
        }
        emulator.parser.callbacks_mut().rows.set_width(cols.get());
        emulator.sequence.resized();
        emulator.flood = Flood::new(cols.get(), rows.get());
        emulator.fresh = false;
    }

    /// Whether the emulator failed on some output: from there on the screen is what was drawn since.
    pub fn has_failed(&self) -> bool {
        self.inner.borrow().failed
    }

    /// Columns and rows.
    pub fn size(&self) -> (u16, u16) {
        self.inner.borrow().size
    }

    /// How many rows scrolled away since the last call and were not kept; they came before those that were.
    pub fn lost(&mut self) -> usize {
        let emulator = self.inner.get_mut();
        emulator.settle();
        emulator.parser.callbacks_mut().rows.take_lost()
    }

    /// Gives the rows that scrolled away since the last call.
    pub fn take_gone(&mut self, each: impl FnMut(Gone<'_>)) {
        let emulator = self.inner.get_mut();
        let rows = emulator.settle();
        let gone = &mut emulator.parser.callbacks_mut().rows;
        gone.iter(rows).for_each(each);
        gone.forget(rows);
    }

    /// The text of the screen now.
    pub fn screen(&self) -> Screen {
        let emulator = self.drawn();
        let screen = emulator.parser.screen();
        let (rows, cols) = screen.size();
        let text = screen.rows(0, cols.get()).map(plain);
        let (row, column) = screen.cursor_position();
        Screen {
            rows: text.collect(),
            wrapped: (0..rows.get()).map(|r| screen.row_wrapped(r)).collect(),
            cursor: (row.into(), column.into()),
            alternate: screen.alternate_screen(),
        }
    }

    /// The text of the screen, if anything may have been drawn since `drawn` said so; 0 was before everything.
    pub fn redrawn(&self, drawn: &mut u64) -> Option<Screen> {
        let now = self.drawn().drawn;
        (std::mem::replace(drawn, now) != now).then(|| self.screen())
    }

    /// Whether plain lines take a short cut.
    pub(crate) fn bypasses(&self) -> bool {
        self.inner.borrow().bypass
    }

    /// How the cells of a row are drawn, from a column on.
    pub fn styles(&self, row: usize, from: usize) -> Vec<Styled> {
        let emulator = self.drawn();
        let screen = emulator.parser.screen();
        let (_, cols) = screen.size();
        let Ok(row) = u16::try_from(row) else { return Vec::new() };
        let first = u16::try_from(from).unwrap_or(u16::MAX);
        (first..cols.get())
            .filter_map(|column| screen.cell(row, column).map(|cell| (column, cell)))
            .map(style)
            .collect()
    }

    /// Row and column of the cursor, from 0.
    pub fn cursor(&self) -> (u16, u16) {
        self.drawn().parser.screen().cursor_position()
    }

    /// Whether bracketed paste is on.
    pub fn bracketed_paste(&self) -> bool {
        self.inner.borrow().parser.screen().bracketed_paste()
    }

    /// Whether the alternate screen is shown.
    pub fn alternate(&self) -> bool {
        self.inner.borrow().parser.screen().alternate_screen()
    }

    /// Bytes that draw this screen and set its modes on a fresh terminal.
    pub fn redraw(&self) -> Vec<u8> {
        let emulator = self.drawn();
        let screen = emulator.parser.screen();
        let mut out = Vec::new();
        if screen.alternate_screen() {
            out.extend_from_slice(b"\x1b[?1049h");
        }
        out.extend_from_slice(screen.state_formatted().as_bytes());
        out
    }

    fn drawn(&self) -> RefMut<'_, Emulator> {
        let mut emulator = self.inner.borrow_mut();
        emulator.flush();
        emulator
    }
}

impl Emulator {
    fn new(cols: u16, rows: u16, bypass: bool) -> Self {
        let size = (side(cols).get(), side(rows).get());
        let (rows, cols) = (side(rows), side(cols.max(NARROWEST)));
        Self {
            failed: false,
            size,
            parser: vt100::Parser::new_with_callbacks(rows, cols, 0, Scrolled::new(cols.get())),
            half: Vec::new(),
            sequence: Sequence::new(),
            flood: Flood::new(cols.get(), rows.get()),
            flooded: false,
            fresh: false,
            bypass,
            colours: Vec::new(),
            drawn: 1,
        }
    }

    fn take(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        if self.flooded || self.begin() {
            rest = &rest[self.flow(rest)..];
        }
        while !rest.is_empty() {
            // What stopped the flood is drawn, to the end of its line.
            let line = match memchr(b'\n', rest) {
                Some(end) if self.bypass && !self.parser.screen().alternate_screen() => end + 1,
                Some(_) | None => rest.len(),
            };
            self.draw_line(&rest[..line]);
            rest = &rest[line..];
            if !rest.is_empty() && self.begin() {
                rest = &rest[self.flow(rest)..];
            }
        }
    }

    /// Begins a flood when the screen stands right for it.
    fn begin(&mut self) -> bool {
        let (rows, cols) = self.parser.screen().size();
        if !self.fresh || !Flood::possible(cols.get(), rows.get()) {
            return false;
        }
        self.flood.begin(self.parser.screen().row_wrapped(rows.get().saturating_sub(2)));
        self.flooded = true;
        true
    }

    /// Takes plain bytes; draws what was kept when something else follows.
    fn flow(&mut self, bytes: &[u8]) -> usize {
        let gone = &mut self.parser.callbacks_mut().rows;
        let used = self.flood.take(gone, bytes, &mut self.colours);
        if self.flood.long(false) {
            self.commit();
        }
        if !self.colours.is_empty() {
            // They draw nothing; the rest will be drawn with them.
            self.process_colours();
        }
        let keep = self.flood.visible();
        self.parser.callbacks_mut().rows.bound(keep);
        if used < bytes.len() {
            self.flush();
        }
        used
    }

    fn process_colours(&mut self) {
        let colours = std::mem::take(&mut self.colours);
        self.process(&colours);
        self.colours = colours;
        self.colours.clear();
    }

    /// The flood is long enough that everything on the screen before it has scrolled away.
    fn commit(&mut self) {
        let (rows, _) = self.parser.screen().size();
        for _ in 1..rows.get() {
            self.process(b"\n");
        }
        self.flood.commit(&mut self.parser.callbacks_mut().rows);
    }

    /// Draws what was kept from the emulator.
    fn flush(&mut self) {
        if !self.flooded {
            return;
        }
        self.flooded = false;
        let flood = std::mem::replace(&mut self.flood, Flood::new(1, 1));
        let (drawn, held) = flood.bytes();
        if flood.committed() {
            let visible = flood.visible();
            let scrolled = self.parser.callbacks_mut();
            let first = scrolled.rows.len() - visible;
            scrolled.before = scrolled.rows.row(first).map(|row| row.continues);
            let blank = scrolled.rows.blank(visible);
            scrolled.rows.cut(visible);
            scrolled.muted = true;
            if let Some(last) = flood.last().filter(|_| blank) {
                self.remember_character(last);
            }
        }
        self.process(drawn);
        self.parser.callbacks_mut().muted = false;
        self.fresh = flood.fresh();
        if !held.is_empty() {
            self.draw(held);
        }
        self.flood = flood;
    }

    /// The emulator keeps the last character; it is printed on the blank bottom row and taken back.
    fn remember_character(&mut self, last: char) {
        let attributes = self.parser.screen().attributes_formatted();
        self.process(format!("\x1b[m{last}\r\x1b[2K{attributes}").as_bytes());
    }

    /// How many rows are gone, whether or not the emulator knows it.
    fn settle(&mut self) -> usize {
        if self.flooded && self.flood.long(true) {
            self.commit();
        } else if self.flooded && !self.flood.committed() {
            self.flush();
        }
        let visible = if self.flooded { self.flood.visible() } else { 0 };
        self.parser.callbacks_mut().rows.len() - visible
    }

    /// Draws bytes up to the end of a line, and finds out whether that end scrolled a blank row in.
    fn draw_line(&mut self, bytes: &[u8]) {
        let Some(line) = bytes.strip_suffix(b"\n").filter(|_| self.bypass) else {
            self.draw(bytes);
            return;
        };
        self.draw(line);
        let (rows, _) = self.parser.screen().size();
        let plain = |emulator: &Self| {
            let screen = emulator.parser.screen();
            emulator.sequence.plain()
                && !screen.alternate_screen()
                && screen.cursor_position().0 + 1 == rows.get()
        };
        let bottom = plain(self);
        self.draw(b"\n");
        let column = self.parser.screen().cursor_position().1;
        self.fresh = bottom && column == 0 && self.half.is_empty() && plain(self);
    }

    fn draw(&mut self, bytes: &[u8]) {
        self.fresh = false;
        let mut whole = std::mem::take(&mut self.half);
        let bytes = if whole.is_empty() {
            bytes
        } else {
            whole.extend_from_slice(bytes);
            &whole
        };
        let (mut bytes, half) = bytes.split_at(bytes.len() - unfinished(bytes));
        self.half = half.to_vec();
        while !bytes.is_empty() {
            let alternate = self.parser.screen().alternate_screen();
            let (seen, skipped) = self.sequence.next(bytes, alternate);
            self.forget_scrollback();
            self.process_wide(&bytes[..seen]);
            bytes = &bytes[seen + skipped..];
        }
    }

    /// A character that became wide at a row's end stays narrow: the emulator would move it into the next row, and looks for it
    /// where it stood before the screen scrolled.
    fn process_wide(&mut self, mut bytes: &[u8]) {
        while let Some(at) = memmem::find(bytes, WIDENS) {
            self.process(&bytes[..at]);
            let screen = self.parser.screen();
            let (from, at_end) = (at + WIDENS.len(), screen.cursor_position().1 >= screen.size().1.get());
            if !at_end {
                self.process(WIDENS);
            }
            bytes = &bytes[from..];
        }
        self.process(bytes);
    }

    fn process(&mut self, bytes: &[u8]) {
        self.drawn += 1;
        let parser = &mut self.parser;
        if catch_unwind(AssertUnwindSafe(|| parser.process(bytes))).is_err() {
            let new = Self::new(self.size.0, self.size.1, self.bypass);
            *self = Self { failed: true, drawn: self.drawn, ..new };
        }
    }

    /// A screen that grows is filled at its bottom: rows that scrolled away are not here to come back, and blank ones in
    /// their place would only move what stands. Only the screen that is shown can be told, so the main one is before another.
    fn forget_scrollback(&mut self) {
        self.parser.screen_mut().clear_scrollback();
    }
}

fn style((column, cell): (u16, &vt100::Cell)) -> Styled {
    let grey = match cell.fgcolor() {
        vt100::Color::Default => false,
        vt100::Color::Idx(index) => index == 8 || (235..=249).contains(&index),
        vt100::Color::Rgb(r, g, b) => r.max(g).max(b) <= 175 && r.max(g).max(b) - r.min(g).min(b) <= 12,
    };
    Styled {
        column: column.into(),
        blank: cell.contents().trim().is_empty(),
        faint: cell.dim() || grey,
        inverse: cell.inverse(),
    }
}

fn side(cells: u16) -> NonZeroU16 {
    NonZeroU16::new(cells.clamp(1, LARGEST)).unwrap_or(NonZeroU16::MIN)
}
