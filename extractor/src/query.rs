//! What a plain terminal would answer. Must not: write anything; the caller decides who answers.

use crate::osc::Query;
use crate::vt::Vt;

/// The bytes that answer a query.
///
/// The emulator answers as a VT220 with colours: it promises nothing that a viewer of the snapshot could not show.
/// Colours are those of a dark window, so that a program picks its dark theme.
pub fn reply(query: Query, vt: &Vt) -> Vec<u8> {
    let (row, column) = vt.cursor();
    let (cols, rows) = vt.size();
    match query {
        Query::Attributes => b"\x1b[?62;22c".to_vec(),
        Query::SecondaryAttributes => b"\x1b[>1;10;0c".to_vec(),
        Query::Status => b"\x1b[0n".to_vec(),
        Query::Cursor { private: false } => {
            format!("\x1b[{};{}R", row + 1, (column + 1).min(cols)).into_bytes()
        }
        Query::Cursor { private: true } => {
            format!("\x1b[?{};{}R", row + 1, (column + 1).min(cols)).into_bytes()
        }
        Query::Version => b"\x1bP>|muster(1)\x1b\\".to_vec(),
        Query::Foreground => b"\x1b]10;rgb:d0d0/d0d0/d0d0\x1b\\".to_vec(),
        Query::Background => b"\x1b]11;rgb:1e1e/1e1e/1e1e\x1b\\".to_vec(),
        Query::Mode(mode) => format!("\x1b[?{mode};{}$y", setting(mode, vt)).into_bytes(),
        Query::Keyboard => b"\x1b[?0u".to_vec(),
        Query::Program => b"\x1b]7501;?\x1b\\".to_vec(),
        Query::Cell => b"\x1b[6;16;8t".to_vec(),
        Query::Area => format!("\x1b[8;{rows};{cols}t").into_bytes(),
    }
}

/// 1 set, 2 reset, 0 not known.
fn setting(mode: u16, vt: &Vt) -> u8 {
    match mode {
        2004 if vt.bracketed_paste() => 1,
        1049 if vt.alternate() => 1,
        2004 | 1049 | 2026 => 2,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cursor_is_reported_from_one() {
        let mut vt = Vt::new(80, 24);
        vt.feed(b"ab\r\ncde");
        assert_eq!(reply(Query::Cursor { private: false }, &vt), b"\x1b[2;4R");
        vt.feed(&[b'x'; 77]);
        assert_eq!(reply(Query::Cursor { private: false }, &vt), b"\x1b[2;80R");
        vt.feed(b"\x1b[?2004h");
        assert_eq!(reply(Query::Mode(2004), &vt), b"\x1b[?2004;1$y");
    }
}
