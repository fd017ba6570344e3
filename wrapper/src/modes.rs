//! Which modes a program has switched on in its terminal, and the bytes that switch them off again.
//!
//! Owns: the list of modes that outlive a program. Must not: emulate a screen.
//! Used when a terminal is left by a program that did not clean up: killed, crashed, or detached from.

use memchr::memchr;

/// Private modes (`CSI ? n h`) that must not outlive the program, with the bytes that undo each.
/// Cursor visibility is the one whose resting position is "on".
const PRIVATE: [(u16, &str); 15] = [
    (1, "\x1b[?1l"),
    (9, "\x1b[?9l"),
    (47, "\x1b[?47l"),
    (1000, "\x1b[?1000l"),
    (1002, "\x1b[?1002l"),
    (1003, "\x1b[?1003l"),
    (1004, "\x1b[?1004l"),
    (1005, "\x1b[?1005l"),
    (1006, "\x1b[?1006l"),
    (1015, "\x1b[?1015l"),
    (1047, "\x1b[?1047l"),
    (1049, "\x1b[?1049l"),
    (2004, "\x1b[?2004l"),
    (2026, "\x1b[?2026l"),
    (2031, "\x1b[?2031l"),
];

/// Longest control sequence that is looked at; longer ones set no mode.
const SEQUENCE_MAX: usize = 64;

/// The bytes that bring a terminal back when nobody knows what is on: all that harms no terminal where it is off.
///
/// The alternate screen is left by 1047, which moves no cursor. Keys are told plainly again; what stands below on the
/// terminal's stack of such settings is the shell's, and stays.
pub fn restore_blindly() -> Vec<u8> {
    let undone = PRIVATE.iter().filter(|(mode, _)| *mode != 1049).map(|(_, undo)| *undo);
    undone.chain(["\x1b[=0u", "\x1b[>4m", "\x1b>", "\x1b[0m", "\x1b[?25h"]).collect::<String>().into_bytes()
}

/// The modes that are on, fed with everything the program wrote.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Modes {
    on: [bool; PRIVATE.len()],
    cursor_hidden: bool,
    keypad: bool,
    kitty: u16,
    modify_other_keys: bool,
    titles: u16,
    colour: bool,
    /// A sequence that is not whole yet, from its ESC.
    partial: Vec<u8>,
}

impl Modes {
    /// Takes output; any split gives the same.
    pub fn feed(&mut self, bytes: &[u8]) {
        let mut joined = std::mem::take(&mut self.partial);
        let mut rest = bytes;
        if !joined.is_empty() {
            joined.extend_from_slice(bytes);
            rest = &joined;
        }
        while let Some(start) = memchr(0x1b, rest) {
            rest = &rest[start..];
            let skip = match rest.get(1) {
                Some(b'[') => match rest[2..].iter().position(|b| (0x40..=0x7e).contains(b)) {
                    Some(end) => {
                        self.sequence(&rest[2..2 + end], rest[2 + end]);
                        3 + end
                    }
                    None if rest.len() < SEQUENCE_MAX => 0,
                    None => 2,
                },
                Some(b'=') => self.set_keypad(true),
                Some(b'>') => self.set_keypad(false),
                Some(b'c') => {
                    *self = Self::default();
                    2
                }
                Some(_) => 1,
                None => 0,
            };
            if skip == 0 {
                self.partial = rest.to_vec();
                return;
            }
            rest = &rest[skip..];
        }
    }

    /// The bytes that bring the terminal back; none when nothing is on.
    pub fn restore(&self) -> Vec<u8> {
        let mut out = String::new();
        for ((_, undo), on) in PRIVATE.iter().zip(self.on) {
            if on {
                out.push_str(undo);
            }
        }
        if self.kitty > 0 {
            out.push_str(&format!("\x1b[<{}u", self.kitty));
        }
        if self.modify_other_keys {
            out.push_str("\x1b[>4m");
        }
        if self.keypad {
            out.push_str("\x1b>");
        }
        if self.titles > 0 {
            out.push_str("\x1b[23;0t");
        }
        if self.colour {
            out.push_str("\x1b[0m");
        }
        if self.cursor_hidden {
            out.push_str("\x1b[?25h");
        }
        out.into_bytes()
    }

    fn set_keypad(&mut self, on: bool) -> usize {
        self.keypad = on;
        2
    }

    fn sequence(&mut self, parameters: &[u8], last: u8) {
        match (parameters.first(), last) {
            (Some(b'?'), b'h' | b'l') => self.private(&parameters[1..], last == b'h'),
            (Some(b'>'), b'u') => self.kitty = (self.kitty + 1).min(99),
            (Some(b'<'), b'u') => self.kitty = self.kitty.saturating_sub(number(&parameters[1..]).max(1)),
            (Some(b'>'), b'm') if parameters.starts_with(b">4") => {
                self.modify_other_keys = !matches!(parameters, b">4" | b">4;" | b">4;0");
            }
            (Some(b'2'), b't') if parameters.starts_with(b"22") => self.titles += 1,
            (Some(b'2'), b't') if parameters.starts_with(b"23") => {
                self.titles = self.titles.saturating_sub(1)
            }
            (first, b'm') if first.is_none_or(|b| b.is_ascii_digit()) => {
                self.colour = !matches!(parameters, b"" | b"0" | b"39" | b"49" | b"39;49");
            }
            (Some(b'!'), b'p') => *self = Self { kitty: self.kitty, ..Self::default() },
            _ => {}
        }
    }

    fn private(&mut self, parameters: &[u8], on: bool) {
        for parameter in parameters.split(|b| *b == b';') {
            let mode = number(parameter);
            if mode == 25 {
                self.cursor_hidden = !on;
            } else if let Some(at) = PRIVATE.iter().position(|(n, _)| *n == mode) {
                self.on[at] = on;
            }
        }
    }
}

fn number(digits: &[u8]) -> u16 {
    std::str::from_utf8(digits).ok().and_then(|d| d.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(output: &[u8], restored: &[u8]) {
        for cut in 0..=output.len() {
            let mut modes = Modes::default();
            modes.feed(&output[..cut]);
            modes.feed(&output[cut..]);
            assert_eq!(modes.restore(), restored, "{output:?} cut at {cut}");
        }
    }

    #[test]
    fn what_was_switched_on_is_switched_off_and_nothing_else() {
        check(b"plain \x1b[31mred\x1b[0m", b"");
        check(b"\x1b[?1049h\x1b[?25l", b"\x1b[?1049l\x1b[?25h");
        check(b"\x1b[?1049h\x1b[?25l\x1b[?25h\x1b[?1049l", b"");
        check(b"\x1b[?1000;1006h\x1b[?2004h", b"\x1b[?1000l\x1b[?1006l\x1b[?2004l");
        check(b"\x1b[>7u\x1b[>1u\x1b[<u", b"\x1b[<1u");
        check(b"\x1b[>4;2m", b"\x1b[>4m");
        check(b"\x1b[>4;2m\x1b[>4;0m", b"");
    }

    #[test]
    fn what_is_restored_blindly_is_all_that_could_be_on() {
        let mut modes = Modes::default();
        modes.feed(b"\x1b[?1;9;47;1000;1002;1003;1004;1005;1006;1015;1047;2004;2026;2031h\x1b[>4;2m\x1b=\x1b[31m\x1b[?25l");
        assert!(!modes.restore().is_empty());
        modes.feed(&restore_blindly());
        assert_eq!(modes.restore(), b"");
    }

    proptest! {
        #[test]
        fn any_output_is_taken(a: Vec<u8>, b: Vec<u8>) {
            let mut modes = Modes::default();
            modes.feed(&a);
            modes.feed(&b);
            let _ = modes.restore();
        }
    }
}
