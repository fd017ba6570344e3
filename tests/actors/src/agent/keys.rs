//! Keys, as the scripted agent reads them. Must not: lose a byte between two reads.

/// What was pressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    /// Characters.
    Text(String),
    /// A bracketed paste.
    Paste(String),
    Enter,
    Escape,
    /// Ctrl-C.
    Interrupt,
    /// Ctrl-D.
    End,
    /// Backspace.
    Erase,
    /// Ctrl-U.
    EraseAll,
}

const PASTE: &[u8] = b"\x1b[200~";
const PASTE_END: &[u8] = b"\x1b[201~";

/// Reads keys from bytes.
#[derive(Debug, Default)]
pub struct Keys {
    /// A paste that has begun.
    paste: Option<Vec<u8>>,
}

impl Keys {
    /// The keys in what was read at once. As real agents do, it takes an Enter in the same read as other text for a
    /// part of that text.
    pub fn read(&mut self, bytes: &[u8]) -> Vec<Key> {
        let mut keys = Vec::new();
        let mut rest = bytes;
        while !rest.is_empty() {
            if let Some(mut paste) = self.paste.take() {
                match find(rest, PASTE_END) {
                    Some(end) => {
                        paste.extend_from_slice(&rest[..end]);
                        rest = &rest[end + PASTE_END.len()..];
                        keys.push(Key::Paste(String::from_utf8_lossy(&paste).replace('\r', "\n")));
                    }
                    None => {
                        paste.extend_from_slice(rest);
                        self.paste = Some(paste);
                        return keys;
                    }
                }
            } else if let Some(after) = rest.strip_prefix(PASTE) {
                self.paste = Some(Vec::new());
                rest = after;
            } else {
                let alone = bytes.len() == 1;
                let (key, used) = one(rest, alone);
                keys.extend(key);
                rest = &rest[used..];
            }
        }
        keys
    }
}

fn one(bytes: &[u8], alone: bool) -> (Option<Key>, usize) {
    match bytes[0] {
        b'\r' if alone => (Some(Key::Enter), 1),
        b'\r' | b'\n' => (Some(Key::Text("\n".to_owned())), 1),
        0x1b if bytes.get(1) == Some(&b'[') => {
            let end =
                bytes[2..].iter().position(|b| (0x40..=0x7e).contains(b)).map_or(bytes.len(), |at| at + 3);
            (None, end)
        }
        0x1b => (Some(Key::Escape), 1),
        3 => (Some(Key::Interrupt), 1),
        4 => (Some(Key::End), 1),
        8 | 0x7f => (Some(Key::Erase), 1),
        0x15 => (Some(Key::EraseAll), 1),
        0..0x20 => (None, 1),
        _ => {
            let end = bytes.iter().position(|b| *b < 0x20 || *b == 0x7f).unwrap_or(bytes.len());
            (Some(Key::Text(String::from_utf8_lossy(&bytes[..end]).into_owned())), end)
        }
    }
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}
