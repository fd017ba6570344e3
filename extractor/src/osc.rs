//! Escape sequences that mean something besides drawing: titles, status, marks, notifications, queries.
//! Must not: know the screen. Gives the same items at the same offsets at any split of the bytes.

use memchr::memchr;

/// Longest operating system command that is kept; the rest of a longer one is dropped, its beginning stays.
const LONGEST_OSC: usize = 8 * 1024;

/// Longest control sequence that is looked at.
const LONGEST_CSI: usize = 64;

/// A thing the program told its terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// OSC 0 or 2.
    Title(String),
    /// OSC 7501 with its fields.
    Status(String),
    /// OSC 133: the letter and what follows it.
    Mark(char, String),
    /// OSC 9, 99 or 777: a notification's text.
    Notice(String),
    /// It asked for something.
    Query(Query),
    /// DEC 2026: a frame begins (true) or ends.
    Frame(bool),
    /// A private mode that the emulator does not keep was set or reset.
    Mode(u16, bool),
}

/// What a program can ask its terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Query {
    /// DA1.
    Attributes,
    /// DA2.
    SecondaryAttributes,
    /// DSR 5.
    Status,
    /// CPR, plain or private.
    Cursor {
        /// `CSI ? 6 n`.
        private: bool,
    },
    /// XTVERSION.
    Version,
    /// OSC 10.
    Foreground,
    /// OSC 11.
    Background,
    /// DECRQM of a private mode.
    Mode(u16),
    /// Flags of the kitty keyboard protocol.
    Keyboard,
    /// OSC 7501 with a question mark.
    Program,
    /// Size of a cell in pixels.
    Cell,
    /// Size of the text area in characters.
    Area,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Ground,
    Escape,
    Control,
    Command,
    CommandEscape,
    Text,
    TextEscape,
}

/// Finds items in a stream.
#[derive(Debug)]
pub struct Scanner {
    at: At,
    held: Vec<u8>,
}

impl Default for Scanner {
    fn default() -> Self {
        Self::new()
    }
}

impl Scanner {
    /// At the beginning of a stream.
    pub fn new() -> Self {
        Self { at: At::Ground, held: Vec::new() }
    }

    /// Looks for the next item; gives it with the number of bytes up to and including its last, or `None` when all
    /// bytes are consumed.
    pub fn next(&mut self, bytes: &[u8]) -> Option<(usize, Item)> {
        let mut i = 0;
        while i < bytes.len() {
            if self.at == At::Ground {
                i += memchr(0x1b, &bytes[i..])? + 1;
                match colours(&bytes[i..]) {
                    Some(length) => i += length,
                    None => self.at = At::Escape,
                }
                continue;
            }
            let byte = bytes[i];
            i += 1;
            if let Some(item) = self.step(byte) {
                return Some((i, item));
            }
        }
        None
    }

    fn step(&mut self, byte: u8) -> Option<Item> {
        match (self.at, byte) {
            (At::Ground, _) => None,
            (At::Command, 0x07) => self.end_command(),
            (At::Command, 0x1b) => self.go(At::CommandEscape),
            (At::CommandEscape, b'\\') => self.end_command(),
            (At::Text, 0x1b) => self.go(At::TextEscape),
            (At::TextEscape, b'\\') | (_, 0x18 | 0x1a) => self.go(At::Ground),
            (At::Escape | At::Control, 0x1b) => self.go(At::Escape),
            // ESC inside a string that is not its end begins a new sequence.
            (At::Escape | At::CommandEscape | At::TextEscape, _) => self.begin(byte),
            (At::Text, _) => None,
            (At::Command, _) => self.hold(byte, LONGEST_OSC),
            (At::Control, 0x40..=0x7e) => self.end_control(byte),
            (At::Control, _) => self.hold(byte, LONGEST_CSI),
        }
    }

    fn begin(&mut self, byte: u8) -> Option<Item> {
        self.held.clear();
        self.go(match byte {
            b'[' => At::Control,
            b']' => At::Command,
            b'P' | b'_' | b'^' | b'X' => At::Text,
            0x1b => At::Escape,
            _ => At::Ground,
        })
    }

    fn go(&mut self, at: At) -> Option<Item> {
        self.at = at;
        None
    }

    fn hold(&mut self, byte: u8, longest: usize) -> Option<Item> {
        if self.held.len() < longest {
            self.held.push(byte);
        }
        None
    }

    fn end_command(&mut self) -> Option<Item> {
        self.at = At::Ground;
        let text = String::from_utf8_lossy(&self.held).into_owned();
        let (number, body) = text.split_once(';').unwrap_or((text.as_str(), ""));
        match (number, body) {
            ("0" | "2", _) => Some(Item::Title(body.chars().filter(|c| !c.is_control()).take(400).collect())),
            ("7501", "?") => Some(Item::Query(Query::Program)),
            ("7501", _) => Some(Item::Status(body.to_owned())),
            ("10", "?") => Some(Item::Query(Query::Foreground)),
            ("11", "?") => Some(Item::Query(Query::Background)),
            ("133", _) => {
                let mut letters = body.chars();
                let letter = letters.next()?;
                Some(Item::Mark(letter, letters.as_str().trim_start_matches(';').to_owned()))
            }
            ("9", _) if !body.starts_with("4;") => Some(Item::Notice(body.to_owned())),
            ("777" | "99", _) => Some(Item::Notice(body.to_owned())),
            _ => None,
        }
    }

    fn end_control(&mut self, last: u8) -> Option<Item> {
        self.at = At::Ground;
        let text = std::str::from_utf8(&self.held).ok()?;
        let query = match (text, last) {
            ("" | "0", b'c') => Query::Attributes,
            (">" | ">0", b'c') => Query::SecondaryAttributes,
            ("5", b'n') => Query::Status,
            ("6", b'n') => Query::Cursor { private: false },
            ("?6", b'n') => Query::Cursor { private: true },
            (">" | ">0", b'q') => Query::Version,
            ("?", b'u') => Query::Keyboard,
            ("16", b't') => Query::Cell,
            ("18", b't') => Query::Area,
            (_, b'p') => Query::Mode(text.strip_prefix('?')?.strip_suffix('$')?.parse().ok()?),
            (_, b'h' | b'l') => return mode(text, last == b'h'),
            _ => return None,
        };
        Some(Item::Query(query))
    }
}

/// How much of these bytes, after an escape, sets colours and nothing else. Logs are full of it.
fn colours(bytes: &[u8]) -> Option<usize> {
    let numbers = bytes.strip_prefix(b"[")?;
    let end = numbers.iter().position(|byte| !matches!(byte, b'0'..=b';'))?;
    (numbers[end] == b'm').then_some(end + 2)
}

fn mode(text: &str, on: bool) -> Option<Item> {
    let numbers = text.strip_prefix('?')?;
    let wanted =
        numbers.split(';').filter_map(|n| n.parse().ok()).find(|n| matches!(n, 2026 | 1004 | 2031))?;
    Some(if wanted == 2026 { Item::Frame(on) } else { Item::Mode(wanted, on) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(bytes: &[u8], cut: usize) -> Vec<(usize, Item)> {
        let (mut scanner, mut found, mut base) = (Scanner::new(), Vec::new(), 0);
        for piece in bytes.chunks(cut) {
            let mut rest = piece;
            while let Some((used, item)) = scanner.next(rest) {
                rest = &rest[used..];
                found.push((base + piece.len() - rest.len(), item));
            }
            base += piece.len();
        }
        found
    }

    #[test]
    fn items_and_their_offsets_do_not_depend_on_the_split() {
        let bytes = "a\x1b]0;\u{2733} Claude Code\x07b\x1b]7501;state=idle:app=x\x1b\\\x1b[c\x1b[?2026h\x1b[?2026$p\x1b]133;D;1\x07"
            .as_bytes();
        let whole = all(bytes, bytes.len());
        assert_eq!(whole.len(), 6, "{whole:?}");
        for cut in 1..bytes.len() {
            assert_eq!(all(bytes, cut), whole, "cut every {cut} bytes");
        }
    }

    #[test]
    fn an_endless_command_is_cut_and_ends() {
        let mut bytes = b"\x1b]0;".to_vec();
        bytes.extend(std::iter::repeat_n(b'x', 1_000_000));
        bytes.extend_from_slice(b"\x07\x1b]2;next\x07");
        let found = all(&bytes, 4096);
        assert_eq!(found.len(), 2);
        assert_eq!(found[1].1, Item::Title("next".into()));
    }

    #[test]
    fn a_sequence_cut_off_by_another_does_not_hide_it() {
        let found = all(b"\x1b]0;half\x1b[c\x1b]2;whole\x07", 1);
        let items: Vec<_> = found.into_iter().map(|(_, i)| i).collect();
        assert_eq!(items, [Item::Query(Query::Attributes), Item::Title("whole".into())]);
    }
}
