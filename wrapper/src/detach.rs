//! Finds the detach key in what the user types. Must not: know a terminal.
//!
//! The key is `Ctrl-\` and then `d`. Anything else after `Ctrl-\` goes to the program with it, so that `Ctrl-\`
//! twice, or a pause after it, sends it on. Terminals send it as 0x1c, or as `ESC [ 92 ; 5 u` when the program
//! switched on the kitty keyboard protocol, which also reports the release of the keys.

const PREFIXES: [&[u8]; 3] = [b"\x1c", b"\x1b[92;5u", b"\x1b[92;5:1u"];
const PREFIX_RELEASED: [&[u8]; 2] = [b"\x1b[92;5:3u", b"\x1b[57442;5:3u"];
const LETTERS: [&[u8]; 4] = [b"d", b"\x1b[100u", b"\x1b[100;1u", b"\x1b[100;1:1u"];

/// Remembers whether the prefix was pressed.
#[derive(Debug, Default)]
pub struct Detach {
    /// The prefix as it was typed, held back.
    held: Vec<u8>,
}

/// What to do with typed bytes.
#[derive(Debug, PartialEq, Eq)]
pub enum Typed {
    /// Write these to the program; they may be none.
    Pass(Vec<u8>),
    /// Detach.
    Detach,
}

impl Detach {
    /// Takes one read's worth of keys.
    pub fn typed(&mut self, bytes: &[u8]) -> Typed {
        let mut rest = bytes;
        if !self.held.is_empty() {
            while let Some(release) = PREFIX_RELEASED.iter().find(|r| rest.starts_with(r)) {
                rest = &rest[release.len()..];
            }
            if rest.is_empty() {
                return Typed::Pass(Vec::new());
            }
            if LETTERS.iter().any(|l| rest.starts_with(l)) {
                self.held.clear();
                return Typed::Detach;
            }
        } else if let Some(prefix) = PREFIXES.iter().find(|p| rest.starts_with(p)) {
            let after = &rest[prefix.len()..];
            self.held = prefix.to_vec();
            return if after.is_empty() { Typed::Pass(Vec::new()) } else { self.typed(after) };
        }
        let mut all = std::mem::take(&mut self.held);
        all.extend_from_slice(rest);
        Typed::Pass(all)
    }

    /// Whether a prefix is held back.
    pub fn waits(&self) -> bool {
        !self.held.is_empty()
    }

    /// The pause after the prefix was too long: it was meant for the program.
    pub fn give_up(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.held)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(reads: &[&[u8]], expected: Option<&[u8]>) {
        let mut detach = Detach::default();
        let mut passed = Vec::new();
        for read in reads {
            match detach.typed(read) {
                Typed::Pass(bytes) => passed.extend(bytes),
                Typed::Detach => return assert_eq!(expected, None, "{reads:?}"),
            }
        }
        passed.extend(detach.give_up());
        assert_eq!(expected, Some(&passed[..]), "{reads:?}");
    }

    #[test]
    fn the_key_detaches_however_the_terminal_sends_it() {
        check(&[b"\x1c", b"d"], None);
        check(&[b"\x1cd"], None);
        check(&[b"\x1b[92;5u", b"d"], None);
        check(&[b"\x1b[92;5u", b"\x1b[92;5:3u", b"\x1b[100u"], None);
    }

    #[test]
    fn every_other_key_reaches_the_program() {
        check(&[b"\x1c", b"x"], Some(b"\x1cx"));
        check(&[b"\x1c", b"\x1c"], Some(b"\x1c\x1c"));
        check(&[b"\x1c"], Some(b"\x1c"));
        check(&[b"d", b"\x1b[92;6u", b"\x1b"], Some(b"d\x1b[92;6u\x1b"));
        check(&[b"a\x1cd"], Some(b"a\x1cd"));
    }
}
