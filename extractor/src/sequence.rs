//! Where the emulator's parser stands: in text or inside an escape sequence. Must not: interpret one, except for what
//! decides whether text may be kept from the emulator.

use memchr::memchr;

/// Bytes of an operating system command that reach the emulator; it keeps them all, and does nothing with them.
const LONGEST_COMMAND: usize = 4 * 1024;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Ground,
    Escape,
    Intermediate,
    /// A control sequence: whether it has had a parameter or a prefix.
    Control {
        bare: bool,
    },
    /// An operating system command and its length so far.
    Command(usize),
    /// Any other string.
    Text,
}

/// Follows the parser, byte for byte.
///
/// Invariant: when this says that the parser is in text, it is.
#[derive(Debug)]
pub struct Sequence {
    at: At,
    /// A scroll region may have been set on the main screen that is not the whole screen.
    region: bool,
    /// Whether the screen may have been switched since it was last asked which one it is.
    switched: bool,
}

impl Sequence {
    /// At the beginning of a stream.
    pub fn new() -> Self {
        Self { at: At::Ground, region: false, switched: false }
    }

    /// Whether the next byte is text, and the main screen scrolls as a whole.
    pub fn plain(&self) -> bool {
        self.at == At::Ground && !self.region
    }

    /// The size changed, and with it every scroll region became the whole screen.
    pub fn resized(&mut self) {
        self.region = false;
    }

    /// Takes bytes up to the next that the emulator need not see, or that may switch to the other screen. Gives how many it
    /// must see, and how many to leave out after those. `alternate`: which screen the emulator shows now.
    pub fn next(&mut self, bytes: &[u8], alternate: bool) -> (usize, usize) {
        self.switched = false;
        let mut i = 0;
        while i < bytes.len() {
            match self.at {
                At::Ground => match memchr(0x1b, &bytes[i..]) {
                    Some(found) => {
                        i += found + 1;
                        self.at = At::Escape;
                    }
                    None => return (bytes.len(), 0),
                },
                At::Command(long) if long >= LONGEST_COMMAND => {
                    let ends = |byte: &u8| matches!(byte, 0x07 | 0x18 | 0x1a | 0x1b);
                    let skipped = bytes[i..].iter().position(ends).unwrap_or(bytes.len() - i);
                    if skipped > 0 {
                        return (i, skipped);
                    }
                    self.step(bytes[i], alternate);
                    i += 1;
                }
                At::Control { .. } if bytes[i] == b'h' && i > 0 => return (i, 0),
                _ => {
                    self.step(bytes[i], alternate);
                    i += 1;
                }
            }
        }
        (bytes.len(), 0)
    }

    fn step(&mut self, byte: u8, alternate: bool) {
        self.at = match (self.at, byte) {
            (_, 0x18 | 0x1a) | (At::Command(_), 0x07) => At::Ground,
            (_, 0x1b) => At::Escape,
            (At::Escape, b'[') => At::Control { bare: true },
            (At::Escape, b']') => At::Command(0),
            (At::Escape, b'P' | b'X' | b'^' | b'_') => At::Text,
            (At::Escape, 0x20..=0x2f) => At::Intermediate,
            (At::Escape, b'c') => {
                // A full reset.
                self.region = false;
                self.switched = true;
                At::Ground
            }
            (At::Escape | At::Intermediate, 0x30..=0x7e) => At::Ground,
            (At::Control { bare }, b'r') => {
                // Each screen has its own region.
                self.region = match (self.switched, alternate) {
                    (false, true) => self.region,
                    (false, false) => !bare,
                    (true, _) => self.region || !bare,
                };
                At::Ground
            }
            (At::Control { .. }, b'h' | b'l') => {
                self.switched = true;
                At::Ground
            }
            (At::Control { .. }, 0x40..=0x7e) => At::Ground,
            (At::Control { .. }, 0x20..=0x3f) => At::Control { bare: false },
            (At::Command(long), _) => At::Command(long + 1),
            (at, _) => at,
        };
    }
}

impl Default for Sequence {
    fn default() -> Self {
        Self::new()
    }
}

/// How many bytes at the end are the beginning of a character, and nothing else yet.
pub fn unfinished(bytes: &[u8]) -> usize {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_is_remembered_until_it_is_reset() {
        let mut sequence = Sequence::new();
        let mut feed = |bytes: &[u8]| {
            assert_eq!(sequence.next(bytes, false), (bytes.len(), 0));
            sequence.plain()
        };
        assert!(feed(b"text\x1b[1;31mred\x1b[m"));
        assert!(!feed(b"\x1b[2"));
        assert!(!feed(b";9rtext"));
        assert!(!feed(b"\x1b[31m\x1b(B\x1b[?r"));
        assert!(feed(b"\x1b[r"));
        assert!(!feed(b"\x1b[;5r"));
        assert!(feed(b"\x1bc"));
        assert!(!feed(b"\x1b(") && feed(b"B"));
        assert!(!feed(b"\x1bPdata\x9c") && feed(b"\x1b\\"));
    }

    #[test]
    fn what_may_switch_the_screen_stands_at_the_beginning() {
        let mut sequence = Sequence::new();
        assert_eq!(sequence.next(b"line\n\x1b[?1049hscreen\x1b[5h", false), (12, 0));
        assert_eq!(sequence.next(b"hscreen\x1b[5h", false), (10, 0));
        assert_eq!(sequence.next(b"h", true), (1, 0));
        assert!(sequence.plain());
    }

    #[test]
    fn of_an_endless_command_the_emulator_sees_the_beginning_and_the_end() {
        let mut sequence = Sequence::new();
        let (mut seen, mut skipped) = (0, 0);
        for bytes in [b"\x1b]0;".as_slice(), &[b'x'; 100_000], &[b'x'; 100_000], b"\x07"] {
            let mut rest = bytes;
            while !rest.is_empty() {
                let (used, skip) = sequence.next(rest, false);
                seen += used;
                skipped += skip;
                rest = &rest[used + skip..];
            }
        }
        assert!(sequence.plain());
        assert_eq!((seen, skipped), (LONGEST_COMMAND + 3, 200_000 + 4 - 2 - LONGEST_COMMAND));
    }
}
