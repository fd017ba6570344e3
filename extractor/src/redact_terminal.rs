//! What a terminal's bytes show, character for character, and which byte shows it. Must not: change a byte.
//!
//! A row's end is a line feed; it is a carriage return when the row was written to the terminal's edge, as by a program
//! that breaks a long word. Colours and other settings show nothing. A cursor that moves elsewhere ends the row.

/// Columns at the edge that a border or a margin may take.
const MARGIN: usize = 6;

/// Longest string (a title, a link, a picture) that is looked at as a whole.
pub const STRING_MAX: usize = 4 << 10;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Ground,
    Escape,
    /// One byte that belongs to the escape before it, for example a character set's name.
    Argument,
    Control,
    /// A string that is not shown as text.
    Text,
}

/// Follows a terminal's bytes.
#[derive(Debug)]
pub struct Rendered {
    at: At,
    /// The characters that were shown, and the ends of rows.
    pub text: String,
    /// By byte of `text`: the byte that showed it, counted from the beginning.
    pub from: Vec<u64>,
    /// The string that has not ended yet.
    pub string: Vec<u8>,
    /// Bytes of a character that has not ended yet.
    half: Vec<u8>,
    parameter: usize,
    columns: usize,
    /// The cursor's column as far as it is known, and that behind the last visible character.
    column: usize,
    ink: usize,
    /// Bytes that were taken.
    taken: u64,
}

/// What a byte did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Did {
    /// Nothing that anybody must act on.
    Went,
    /// It ended a string, or the string is as long as it may be: it is in [`Rendered::string`] and must be taken.
    Ended,
}

impl Rendered {
    /// A terminal of so many columns.
    pub fn new(columns: u16) -> Self {
        Self {
            at: At::Ground,
            text: String::new(),
            from: Vec::new(),
            string: Vec::new(),
            half: Vec::new(),
            parameter: 0,
            columns: columns.into(),
            column: 0,
            ink: 0,
            taken: 0,
        }
    }

    /// Bytes that were taken.
    pub fn taken(&self) -> u64 {
        self.taken
    }

    /// Bytes at the end that are part of a character or of a string, and not in the text.
    pub fn unfinished(&self) -> usize {
        self.half.len() + self.string.len()
    }

    /// Forgets text up to a byte of it.
    pub fn forget(&mut self, end: usize) {
        self.text.drain(..end);
        self.from.drain(..end);
    }

    /// Takes one byte.
    pub fn take(&mut self, byte: u8) -> Did {
        let place = self.taken;
        self.taken += 1;
        if !self.half.is_empty() && !(0x80..=0xbf).contains(&byte) {
            self.broken_character(place);
        }
        match (self.at, byte) {
            (At::Text, 0x07 | 0x18 | 0x1a | 0x1b) => {
                self.at = if byte == 0x1b { At::Escape } else { At::Ground };
                return Did::Ended;
            }
            (At::Text, _) => {
                self.string.push(byte);
                if self.string.len() >= STRING_MAX {
                    return Did::Ended;
                }
            }
            (_, 0x18 | 0x1a) => self.at = At::Ground,
            (_, 0x1b) => self.at = At::Escape,
            (_, 0x00..=0x1f) => self.control(byte, place),
            (At::Ground, 0x7f) => {}
            (At::Ground, _) => self.show(byte, place),
            (At::Escape, b'[') => {
                self.parameter = 0;
                self.at = At::Control;
            }
            (At::Escape, b']' | b'P' | b'X' | b'^' | b'_') => {
                self.string.clear();
                self.at = At::Text;
            }
            (At::Escape, 0x20..=0x2f) => self.at = At::Argument,
            (At::Escape, b'c' | b'D' | b'E' | b'M' | b'8') => {
                self.at = At::Ground;
                self.end_row(place);
            }
            (At::Control, b'0'..=b'9') => {
                self.parameter = (self.parameter * 10 + usize::from(byte - b'0')).min(9_999);
            }
            (At::Control, b';') => self.parameter = 0,
            (At::Control, 0x40..=0x7e) => {
                self.at = At::Ground;
                self.sequence(byte, place);
            }
            (At::Control, _) => {}
            (At::Escape | At::Argument, _) => self.at = At::Ground,
        }
        Did::Went
    }

    fn control(&mut self, byte: u8, place: u64) {
        match byte {
            b'\t' => {
                self.blank(place);
                self.column = (self.column / 8 + 1) * 8;
            }
            0x08 | 0x0a..=0x0d => {
                self.end_row(place);
                self.column =
                    if byte == b'\r' { 0 } else { self.column.saturating_sub(usize::from(byte == 8)) };
            }
            _ => {}
        }
    }

    /// A control sequence; its last parameter counts.
    fn sequence(&mut self, byte: u8, place: u64) {
        match byte {
            b'C' => {
                self.blank(place);
                self.column += self.parameter.max(1);
            }
            b'G' | b'`' => {
                self.blank(place);
                self.column = self.parameter.saturating_sub(1);
            }
            b'H' | b'f' => {
                self.end_row(place);
                self.column = self.parameter.saturating_sub(1);
            }
            b'A' | b'B' | b'D' | b'E' | b'F' | b'L' | b'M' | b'S' | b'T' | b'd' | b'r' | b'u' | b'P'
            | b'@' => {
                self.end_row(place);
            }
            _ => {}
        }
    }

    fn blank(&mut self, place: u64) {
        self.push(' ', place);
    }

    fn end_row(&mut self, place: u64) {
        if self.text.is_empty() || self.text.ends_with(['\n', '\r']) {
            return;
        }
        let full = self.ink + MARGIN >= self.columns && self.columns > 2 * MARGIN;
        self.push(if full { '\r' } else { '\n' }, place);
        self.ink = 0;
    }

    fn show(&mut self, byte: u8, place: u64) {
        if byte < 0x80 {
            self.shown(byte.into(), place, 1);
            return;
        }
        self.half.push(byte);
        match std::str::from_utf8(&self.half) {
            Ok(text) => {
                let c = text.chars().next().unwrap_or(' ');
                let length = self.half.len() as u64;
                self.half.clear();
                self.shown(c, place + 1 - length, unicode_width::UnicodeWidthChar::width(c).unwrap_or(0));
            }
            Err(fault) if fault.error_len().is_some() => self.broken_character(place + 1),
            Err(_) => {}
        }
    }

    /// Bytes that are no character show something, nobody knows what; `end` is behind the last.
    fn broken_character(&mut self, end: u64) {
        let length = self.half.len() as u64;
        self.half.clear();
        (end - length..end).for_each(|place| self.shown('\u{1a}', place, 1));
    }

    fn shown(&mut self, c: char, place: u64, width: usize) {
        match c {
            // The same controls as after an escape, as characters of their own.
            '\u{9b}' => {
                self.parameter = 0;
                self.at = At::Control;
                return;
            }
            '\u{90}' | '\u{98}' | '\u{9d}'..='\u{9f}' => {
                self.string.clear();
                self.at = At::Text;
                return;
            }
            '\u{80}'..='\u{9f}' => return,
            _ => {}
        }
        // What does not fit goes on in the next row, and nothing tells: it is the same row here.
        self.column += width;
        if self.columns > 0 && self.column > self.columns {
            self.column = width;
        }
        if crate::redact::is_masked(c) {
            self.ink = self.column;
        }
        self.push(c, place);
    }

    fn push(&mut self, c: char, place: u64) {
        self.text.push(c);
        self.from.extend(std::iter::repeat_n(place, c.len_utf8()));
    }
}
