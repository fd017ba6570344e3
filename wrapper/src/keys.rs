//! What some bytes written to a program are: keys, a paste, a terminal's replies. Must not: keep the text.

use extractor::Keys;

/// Classifies the bytes of one write; `queue` is the caller's to set.
///
/// Enter counts outside a paste only. A lone Escape is one byte `ESC`, or the kitty protocol's `CSI 27 u`; Ctrl-C is
/// byte 3, or `CSI 99;5 u`. Focus reports, mouse reports and replies to queries are not keys.
pub fn classify(bytes: &[u8]) -> Keys {
    let mut keys = Keys::default();
    let (mut replies, mut others) = (false, false);
    let mut rest = bytes;
    while let Some((piece, after)) = next(rest) {
        rest = after;
        match piece {
            Piece::Reply => {
                replies = true;
                continue;
            }
            Piece::Enter => keys.enter = true,
            Piece::Escape => keys.escape = bytes.len() <= 8,
            Piece::Interrupt => keys.interrupt = true,
            Piece::Text => keys.text = true,
        }
        others = true;
    }
    keys.reply = replies && !others;
    keys
}

/// How many bytes at the beginning of a read are what the terminal says by itself: replies, focus, the mouse. The release
/// of a key belongs to its key.
pub fn replies(bytes: &[u8]) -> usize {
    let mut rest = bytes;
    while let Some((Piece::Reply, after)) = next(rest) {
        let reply = &rest[..rest.len() - after.len()];
        if reply.ends_with(b"u") && !reply.starts_with(b"\x1b[?") {
            break;
        }
        rest = after;
    }
    bytes.len() - rest.len()
}

enum Piece {
    Reply,
    Enter,
    Escape,
    Interrupt,
    Text,
}

const PASTE: &[u8] = b"\x1b[200~";
const PASTE_END: &[u8] = b"\x1b[201~";

fn next(bytes: &[u8]) -> Option<(Piece, &[u8])> {
    let (&first, rest) = bytes.split_first()?;
    Some(match first {
        b'\r' => (Piece::Enter, rest),
        0x03 => (Piece::Interrupt, rest),
        0x1b if bytes.starts_with(PASTE) => {
            let body = &bytes[PASTE.len()..];
            let end = body.windows(PASTE_END.len()).position(|w| w == PASTE_END);
            (Piece::Text, end.map_or(&[][..], |at| &body[at + PASTE_END.len()..]))
        }
        0x1b => escape(rest),
        _ => (Piece::Text, rest),
    })
}

fn escape(rest: &[u8]) -> (Piece, &[u8]) {
    match rest.first() {
        None => (Piece::Escape, rest),
        Some(b'[') => control(&rest[1..]),
        // OSC, DCS, APC, PM, SOS: only terminals send strings.
        Some(b']' | b'P' | b'_' | b'^' | b'X') => (Piece::Reply, after_string(&rest[1..])),
        Some(b'O') => (Piece::Text, rest.get(2..).unwrap_or_default()),
        Some(0x1b) => (Piece::Escape, rest),
        // Alt and a key.
        Some(_) => (Piece::Text, &rest[1..]),
    }
}

fn after_string(bytes: &[u8]) -> &[u8] {
    for (i, byte) in bytes.iter().enumerate() {
        match byte {
            0x07 => return &bytes[i + 1..],
            0x1b if bytes.get(i + 1) == Some(&b'\\') => return &bytes[i + 2..],
            _ => {}
        }
    }
    &[]
}

fn control(bytes: &[u8]) -> (Piece, &[u8]) {
    let Some(end) = bytes.iter().position(|b| (0x40..=0x7e).contains(b)) else {
        return (Piece::Text, &[]);
    };
    let (body, last, rest) = (&bytes[..end], bytes[end], &bytes[end + 1..]);
    let piece = match (body, last) {
        // X10 mouse reports carry three bytes after their final one.
        (b"", b'M') => return (Piece::Reply, rest.get(3..).unwrap_or_default()),
        (b"" | b"O", b'I' | b'O') => Piece::Reply,
        ([b'<', ..], b'M' | b'm') => Piece::Reply,
        ([b'?', ..], b'c' | b'u' | b'n' | b'y' | b'R') => Piece::Reply,
        ([b'>', ..], b'c') => Piece::Reply,
        (b"0", b'n') => Piece::Reply,
        (body, b'y') if body.ends_with(b"$") => Piece::Reply,
        (body, b'R') if body.contains(&b';') && body.iter().all(|b| b.is_ascii_digit() || *b == b';') => {
            Piece::Reply
        }
        (body, b't') if body.contains(&b';') => Piece::Reply,
        (body, b'u') => kitty(body),
        _ => Piece::Text,
    };
    (piece, rest)
}

/// `CSI code[:..][;modifiers[:event]] u`; event 3 is a release and no key.
fn kitty(body: &[u8]) -> Piece {
    let text = std::str::from_utf8(body).unwrap_or_default();
    let mut fields = text.split(';');
    let code = fields.next().and_then(|f| f.split(':').next()).unwrap_or_default();
    let mut modifiers = fields.next().unwrap_or("1").split(':');
    let bits = modifiers.next().and_then(|m| m.parse::<u32>().ok()).unwrap_or(1).saturating_sub(1) & 0b1111;
    if modifiers.next() == Some("3") {
        return Piece::Reply;
    }
    match (code, bits) {
        ("27", 0) => Piece::Escape,
        ("13", 0) => Piece::Enter,
        ("99", 4) => Piece::Interrupt,
        _ => Piece::Text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &[u8], expected: Keys) {
        assert_eq!(classify(bytes), expected, "{:?}", String::from_utf8_lossy(bytes));
    }

    #[test]
    fn what_a_terminal_replies_is_found_before_keys() {
        for (replies, keys) in [
            ("", "\x1cd"),
            ("\x1b[?1;2c", "\x1cd"),
            ("\x1b]11;rgb:0000/0000/0000\x1b\\\x1b[I\x1b[?0u", "\x1cd"),
            ("\x1b[?1;2c", ""),
            ("", "x\x1b[?1;2c"),
            ("", "\x1b[100;1:3u"),
        ] {
            assert_eq!(
                super::replies(format!("{replies}{keys}").as_bytes()),
                replies.len(),
                "{replies:?} {keys:?}"
            );
        }
    }

    #[test]
    fn keys_are_told_from_pastes_and_replies() {
        let none = Keys::default();
        let text = Keys { text: true, ..none };
        let reply = Keys { reply: true, ..none };
        check(b"", none);
        check(b"a", text);
        check(b"\r", Keys { enter: true, ..none });
        check(b"ls\r", Keys { enter: true, text: true, ..none });
        check(b"\x1b[200~a\rb\x03\x1b[201~", text);
        check(b"\x1b[200~a\x1b[201~\r", Keys { enter: true, text: true, ..none });
        check(b"\x1b", Keys { escape: true, ..none });
        check(b"\x1b[27u", Keys { escape: true, ..none });
        check(b"\x1b[27;1:3u", reply);
        check(b"\x03", Keys { interrupt: true, ..none });
        check(b"\x1b[99;5u", Keys { interrupt: true, ..none });
        check(b"\x1b[A", text);
        check(b"\x1bx", text);
        check(b"\x1bOA", text);
    }

    #[test]
    fn what_a_terminal_says_by_itself_is_no_key() {
        let reply = Keys { reply: true, ..Keys::default() };
        for bytes in [
            &b"\x1b[I"[..],
            b"\x1b[O",
            b"\x1b[<0;10;5M",
            b"\x1b[<0;10;5m",
            b"\x1b[M !!",
            b"\x1b[?64;1;2c",
            b"\x1b[>41;379;0c",
            b"\x1b[12;1R",
            b"\x1b[?2026;0$y",
            b"\x1b[6;16;8t",
            b"\x1b[?0u",
            b"\x1b]11;rgb:1e1e/1e1e/1e1e\x1b\\",
            b"\x1bP>|XTerm(379)\x1b\\",
            b"\x1b]7501;?\x1b\\\x1b[?62c",
        ] {
            check(bytes, reply);
        }
    }
}
