//! Text that comes from elsewhere: cleaned before it is typed, escaped before it is shown.
//! Must not: know where it came from.

/// Cleans the text of a prompt so that it can end neither a bracketed paste nor a line early.
///
/// CRLF and CR become LF; ESC, the other C0 controls except tab and LF, DEL, C1 controls, zero-width and
/// bidirectional controls are removed; trailing white space is cut.
///
/// Invariant: no character below U+0020 but tab and LF is left, and cleaning twice changes nothing.
pub fn clean_prompt(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\r' => {
                if chars.peek() != Some(&'\n') {
                    out.push('\n');
                }
            }
            '\t' | '\n' => out.push(c),
            c if c.is_control() || is_invisible(c) => {}
            c => out.push(c),
        }
    }
    out.truncate(out.trim_end().len());
    out
}

/// Escapes text for a terminal: controls become `\x..` or `\u{..}`, so that nothing moves a cursor, colours a
/// table, or reorders it. Line breaks are escaped as well: the result is one line.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        escape_char(c, &mut out);
    }
    out
}

/// Like [`escape`], but keeps line breaks and turns tabs into spaces: for bodies of text.
pub fn escape_lines(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => out.push('\n'),
            '\t' => out.push_str("    "),
            c => escape_char(c, &mut out),
        }
    }
    out
}

/// Cuts to at most `max` characters, with `…` as the last when something was cut.
pub fn cut(text: &str, max: usize) -> String {
    if text.chars().count() <= max {
        return text.to_owned();
    }
    let mut out: String = text.chars().take(max.saturating_sub(1)).collect();
    out.push('…');
    out
}

fn escape_char(c: char, out: &mut String) {
    use std::fmt::Write;
    let written = match c {
        c if c.is_control() && (c as u32) < 0x100 => write!(out, "\\x{:02x}", c as u32),
        c if c.is_control() || is_invisible(c) => write!(out, "\\u{{{:x}}}", c as u32),
        c => {
            out.push(c);
            Ok(())
        }
    };
    debug_assert!(written.is_ok(), "writing to a String does not fail");
}

/// Zero-width characters and bidirectional controls: they hide or reorder what a person reads.
/// The zero-width joiner stays, as emoji and several scripts need it.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_paste_cannot_be_ended_from_within() {
        assert_eq!(clean_prompt("a\u{1b}[201~\rtouch x\r\n"), "a[201~\ntouch x");
        assert_eq!(clean_prompt("a\u{9b}201~b\u{202e}c\0d"), "a201~bcd");
    }

    #[test]
    fn escaped_text_is_one_plain_line() {
        assert_eq!(escape("a\rb\u{1b}[31m\n\u{202e}x"), "a\\x0db\\x1b[31m\\x0a\\u{202e}x");
    }

    proptest! {
        #[test]
        fn a32_cleaning_leaves_no_control_and_is_a_fixed_point(text in any::<String>()) {
            let once = clean_prompt(&text);
            prop_assert!(once.chars().all(|c| c == '\t' || c == '\n' || !c.is_control()));
            prop_assert_eq!(clean_prompt(&once), once);
        }

        #[test]
        fn a56_nothing_escaped_can_move_a_cursor(text in any::<String>()) {
            prop_assert!(escape(&text).chars().all(|c| !c.is_control()));
            prop_assert!(escape_lines(&text).chars().all(|c| c == '\n' || !c.is_control()));
        }
    }
}
