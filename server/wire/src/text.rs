//! Text that comes from elsewhere: cleaned before it is typed, escaped before it is shown.
//! Must not: know where it came from.

use std::ops::RangeInclusive;

/// Cleans the text of a prompt so that it can end neither a bracketed paste nor a line early.
///
/// CRLF and CR become LF; ESC, the other C0 controls except tab and LF, DEL, C1 controls and
/// what is [`HIDDEN`] are removed; trailing white space is cut.
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
            c if c.is_control() || is_hidden(c) => {}
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
        c if (c.is_control() || is_hidden(c)) && (c as u32) < 0x100 => write!(out, "\\x{:02x}", c as u32),
        c if c.is_control() || is_hidden(c) => write!(out, "\\u{{{:x}}}", c as u32),
        c => {
            out.push(c);
            Ok(())
        }
    };
    debug_assert!(written.is_ok(), "writing to a String does not fail");
}

/// What hides, reorders or breaks what a person reads while a program reads on: soft hyphen, marks of direction,
/// separators of lines, invisible operators and fillers, annotations, controls of music, tags. The dashboard has the same
/// list, generated from this one.
pub const HIDDEN: &[RangeInclusive<char>] = &[
    '\u{ad}'..='\u{ad}',
    '\u{34f}'..='\u{34f}',
    '\u{61c}'..='\u{61c}',
    '\u{180e}'..='\u{180e}',
    '\u{200b}'..='\u{200b}',
    '\u{200e}'..='\u{200f}',
    '\u{2028}'..='\u{202e}',
    '\u{2060}'..='\u{206f}',
    '\u{3164}'..='\u{3164}',
    '\u{feff}'..='\u{feff}',
    '\u{ffa0}'..='\u{ffa0}',
    '\u{fff9}'..='\u{fffb}',
    '\u{1d173}'..='\u{1d17a}',
    '\u{e0000}'..='\u{e0fff}',
];

/// What cannot be seen either, but emoji and several scripts are not written without it: joiners, variation selectors,
/// the blanks that stand for a missing vowel or consonant, the empty pattern of Braille.
const JOINING: &[RangeInclusive<char>] = &[
    '\u{115f}'..='\u{1160}',
    '\u{17b4}'..='\u{17b5}',
    '\u{180b}'..='\u{180d}',
    '\u{180f}'..='\u{180f}',
    '\u{200c}'..='\u{200d}',
    '\u{2800}'..='\u{2800}',
    '\u{fe00}'..='\u{fe0f}',
];

/// Whether a character is removed before text is typed, and escaped before it is shown.
pub fn is_hidden(c: char) -> bool {
    HIDDEN.iter().any(|range| range.contains(&c))
}

/// Whether a character cannot be seen, or seems to be another than it is; also if some text is not written without it.
pub fn is_unseen(c: char) -> bool {
    let blank = c.is_whitespace() && c != ' ';
    c.is_control() || blank || is_hidden(c) || JOINING.iter().any(|range| range.contains(&c))
}

/// A number of things, as people say it; a plural that needs more than an s is written out by hand.
pub fn counted<N: std::fmt::Display + PartialEq + From<u8>>(number: N, thing: &str) -> String {
    let end = if number == N::from(1) { "" } else { "s" };
    format!("{number} {thing}{end}")
}

/// Bytes as lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
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

    #[test]
    fn a56_what_people_cannot_see_is_neither_typed_nor_shown_as_nothing() {
        let hidden = "a\u{61c}b\u{2028}c\u{2029}d\u{e0069}\u{e0067}e\u{e0100}f\u{ad}g\u{206a}h\u{3164}i";
        assert_eq!(clean_prompt(hidden), "abcdefghi");
        assert!(escape(hidden).is_ascii() && escape_lines(hidden).is_ascii());
        assert_eq!(escape("a\u{ad}\u{e0069}"), "a\\xad\\u{e0069}");
    }

    #[test]
    fn emoji_and_scripts_stay_as_they_are_written() {
        for text in ["👩\u{200d}💻 ❤\u{fe0f}", "می\u{200c}خواهم", "⠀⣿", "ᅟᅠ"] {
            assert_eq!((clean_prompt(text).as_str(), escape(text).as_str()), (text, text));
            assert!(text.chars().any(is_unseen));
        }
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
