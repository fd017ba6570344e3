//! The emulated screen; the only file that knows the emulator. Must not: interpret what the screen says.

use std::num::NonZeroU16;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Largest screen, in cells a side: a hostile size must not cost memory.
const LARGEST: u16 = 1_000;

/// Most rows kept between two readings of what scrolled away; older ones are dropped and counted.
const MOST_ROWS: usize = 20_000;

/// A terminal without a window.
pub struct Vt {
    parser: vt100::Parser<Scrolled>,
    /// The beginning of a character whose rest has not come yet: the emulator must never see half of one.
    half: Vec<u8>,
}

/// A row that left the screen at its top.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gone {
    /// Its text without trailing blanks.
    pub text: String,
    /// Whether it is the continuation of the row before.
    pub continues: bool,
    /// Whether it left the alternate screen.
    pub alternate: bool,
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

#[derive(Default)]
struct Scrolled {
    rows: Vec<Gone>,
    lost: usize,
    state: vt100::capture::BasicFormattedCaptureState,
    buffer: String,
}

impl vt100::Callbacks for Scrolled {
    fn on_scroll(&mut self, contents: vt100::capture::RowContents<'_>, alternate_screen: bool) {
        if self.rows.len() >= MOST_ROWS {
            self.rows.drain(..MOST_ROWS / 2);
            self.lost += MOST_ROWS / 2;
        }
        self.buffer.clear();
        // Writing to a String does not fail.
        let _ = contents.write_formatted_basic(&mut self.buffer, &mut self.state);
        let (continues, rest) = match self.buffer.strip_prefix('\n') {
            Some(rest) => (false, rest),
            None => (true, self.buffer.as_str()),
        };
        let mut text = String::with_capacity(rest.len());
        text.extend(vt100::capture::basic_formatted_to_plain(rest));
        self.rows.push(Gone { text: plain(text), continues, alternate: alternate_screen });
    }
}

impl Vt {
    /// A blank screen; sizes are held between 1 and 1,000.
    pub fn new(cols: u16, rows: u16) -> Self {
        let (rows, cols) = (side(rows), side(cols));
        Self {
            parser: vt100::Parser::new_with_callbacks(rows, cols, 0, Scrolled::default()),
            half: Vec::new(),
        }
    }

    /// Feeds output.
    ///
    /// Invariant: no bytes make it panic. Should the emulator fail on some, the screen is blank afterwards; the next
    /// redraw fills it.
    pub fn feed(&mut self, bytes: &[u8]) {
        let mut whole = std::mem::take(&mut self.half);
        let bytes = if whole.is_empty() {
            bytes
        } else {
            whole.extend_from_slice(bytes);
            &whole
        };
        let (bytes, half) = bytes.split_at(bytes.len() - unfinished(bytes));
        self.half = half.to_vec();
        let parser = &mut self.parser;
        if catch_unwind(AssertUnwindSafe(|| parser.process(bytes))).is_err() {
            let (cols, rows) = self.size();
            *self = Self::new(cols, rows);
        }
    }

    /// Changes the size; held between 1 and 1,000.
    pub fn resize(&mut self, cols: u16, rows: u16) {
        let parser = &mut self.parser;
        if catch_unwind(AssertUnwindSafe(|| parser.set_size(side(rows), side(cols)))).is_err() {
            *self = Self::new(cols, rows);
        }
    }

    /// Columns and rows.
    pub fn size(&self) -> (u16, u16) {
        let (rows, cols) = self.parser.screen().size();
        (cols.get(), rows.get())
    }

    /// Takes the rows that scrolled away since the last call, and how many more were lost.
    pub fn take_gone(&mut self) -> (Vec<Gone>, usize) {
        let scrolled = self.parser.callbacks_mut();
        (std::mem::take(&mut scrolled.rows), std::mem::take(&mut scrolled.lost))
    }

    /// The text of the screen now.
    pub fn screen(&self) -> Screen {
        let screen = self.parser.screen();
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

    /// How the cells of a row are drawn, from a column on.
    pub fn styles(&self, row: usize, from: usize) -> Vec<Styled> {
        let screen = self.parser.screen();
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
        self.parser.screen().cursor_position()
    }

    /// Whether bracketed paste is on.
    pub fn bracketed_paste(&self) -> bool {
        self.parser.screen().bracketed_paste()
    }

    /// Whether the alternate screen is shown.
    pub fn alternate(&self) -> bool {
        self.parser.screen().alternate_screen()
    }

    /// Bytes that draw this screen and set its modes on a fresh terminal.
    pub fn redraw(&self) -> Vec<u8> {
        let screen = self.parser.screen();
        let mut out = Vec::new();
        if screen.alternate_screen() {
            out.extend_from_slice(b"\x1b[?1049h");
        }
        out.extend_from_slice(screen.state_formatted().as_bytes());
        out
    }
}

/// How many bytes at the end are the beginning of a character, and nothing else yet.
fn unfinished(bytes: &[u8]) -> usize {
    for back in 1..=bytes.len().min(3) {
        let length = match bytes[bytes.len() - back] {
            0xc2..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xf4 => 4,
            0x80..=0xbf => continue,
            _ => return 0,
        };
        return if length > back { back } else { 0 };
    }
    0
}

/// Programs draw no-break spaces where a blank must not be cut; to every rule they are blanks.
fn plain(mut row: String) -> String {
    if row.contains('\u{a0}') {
        row = row.replace('\u{a0}', " ");
    }
    row.truncate(row.trim_end_matches(' ').len());
    row
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
