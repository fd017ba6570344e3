//! Finds the keys that are for `wrap` itself in what the user types. Must not: know a terminal.
//!
//! They are `Ctrl-\` and then a letter: `d` detaches, `k` keeps everybody else's hands off the keyboard, `l` lets them
//! type again. Anything else after `Ctrl-\` goes to the program with it, so that `Ctrl-\` twice, or a pause after it,
//! sends it on. Terminals send it as 0x1c, or as `ESC [ 92 ; 5 u` when the program switched on the kitty keyboard
//! protocol, which also reports the release of the keys.

const PREFIXES: [&[u8]; 3] = [b"\x1c", b"\x1b[92;5u", b"\x1b[92;5:1u"];
const PREFIX_RELEASED: [&[u8]; 2] = [b"\x1b[92;5:3u", b"\x1b[57442;5:3u"];

/// Remembers whether the prefix was pressed.
#[derive(Debug, Default)]
pub struct Prefix {
    /// The prefix as it was typed, held back.
    held: Vec<u8>,
    /// The letter that followed it, whose release is not the program's either.
    letter: Option<u8>,
}

/// What to do with typed bytes.
#[derive(Debug, PartialEq, Eq)]
pub enum Typed {
    /// Write these to the program; they may be none.
    Pass(Vec<u8>),
    /// Detach.
    Detach,
    /// Nobody but this terminal may type from now on (`true`), or others may again. What was typed after it.
    Keep(bool, Vec<u8>),
}

impl Prefix {
    /// Takes one read's worth of keys.
    pub fn typed(&mut self, bytes: &[u8]) -> Typed {
        let mut rest = self.without_release(bytes);
        if !self.held.is_empty() {
            while let Some(release) = PREFIX_RELEASED.iter().find(|r| rest.starts_with(r)) {
                rest = &rest[release.len()..];
            }
            if rest.is_empty() {
                return Typed::Pass(Vec::new());
            }
            if let Some((letter, after)) = letter(rest) {
                self.held.clear();
                return match letter {
                    b'd' => Typed::Detach,
                    other => {
                        self.letter = Some(other);
                        let after = self.without_release(after);
                        Typed::Keep(other == b'k', after.to_vec())
                    }
                };
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

    /// What is left when the release of the last letter of ours is taken away, should it come next.
    fn without_release<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        let Some(letter) = self.letter.filter(|_| !bytes.is_empty()) else { return bytes };
        self.letter = None;
        bytes.strip_prefix(format!("\x1b[{letter};1:3u").as_bytes()).unwrap_or(bytes)
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

/// The letter of ours that this begins with, however it was sent, and what follows it.
fn letter(bytes: &[u8]) -> Option<(u8, &[u8])> {
    let (&first, after) = bytes.split_first()?;
    if b"dkl".contains(&first) {
        return Some((first, after));
    }
    b"dkl".iter().find_map(|&letter| {
        let rest = bytes.strip_prefix(format!("\x1b[{letter}").as_bytes())?;
        let ends: [&[u8]; 3] = [b"u", b";1u", b";1:1u"];
        ends.iter().find_map(|end| rest.strip_prefix(*end)).map(|after| (letter, after))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(reads: &[&[u8]], expected: Option<&[u8]>) {
        let mut prefix = Prefix::default();
        let mut passed = Vec::new();
        for read in reads {
            match prefix.typed(read) {
                Typed::Pass(bytes) => passed.extend(bytes),
                Typed::Detach => return assert_eq!(expected, None, "{reads:?}"),
                Typed::Keep(..) => panic!("{reads:?}"),
            }
        }
        passed.extend(prefix.give_up());
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
    fn two_keys_keep_others_out_and_let_them_in_again() {
        let mut prefix = Prefix::default();
        assert_eq!(prefix.typed(b"\x1ckx"), Typed::Keep(true, b"x".to_vec()));
        assert_eq!(prefix.typed(b"\x1b[92;5u"), Typed::Pass(Vec::new()));
        assert_eq!(prefix.typed(b"\x1b[108;1:1u\x1b[108;1:3u"), Typed::Keep(false, Vec::new()));
        assert_eq!(prefix.typed(b"\x1b[108;1:3u"), Typed::Pass(b"\x1b[108;1:3u".to_vec()), "released once");
        assert_eq!(prefix.typed(b"k"), Typed::Pass(b"k".to_vec()), "only after the prefix");
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
