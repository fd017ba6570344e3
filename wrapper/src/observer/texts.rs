//! Settled text on its way to the server: collected for a moment, bounded, cut into pieces.
//!
//! Owns: how much of a flood is told. Must not: hold up anything; what is too much is counted and left out.

use std::time::Duration;

use wire::text::counted;
use wire::wrapper::Report;

use super::core::Core;

/// Longest piece, in bytes.
const PIECE: usize = 8 << 10;
/// How long lines are collected before they are told.
const COLLECTS: Duration = Duration::from_secs(1);
/// Bytes that may be told at once, and bytes a second after that.
const BURST: u64 = 256 << 10;
const RATE: u64 = 8 << 10;
/// Bytes that are collected before they are told at once, and bytes for which the end of a private key is waited for.
const FULL: usize = 32 << 10;
const KEY: usize = 64 << 10;

/// Lines that are not told from one on that may end in the beginning of a secret: more rows than a value goes over.
const WITHHELD: u32 = 9;
/// Reports that the server has not taken, from which on no text is added to them.
const CROWDED: usize = 500;

/// What was collected.
#[derive(Debug)]
pub struct Texts {
    text: String,
    /// Where the first of it began to settle, and when that was taken.
    offset: u64,
    since: Duration,
    left_out: u64,
    purse: u64,
    withheld: u32,
    filled: Duration,
}

impl Texts {
    /// With a full purse.
    pub fn new() -> Self {
        Self {
            text: String::new(),
            offset: 0,
            since: Duration::ZERO,
            left_out: 0,
            purse: BURST,
            withheld: 0,
            filled: Duration::ZERO,
        }
    }

    /// How many bytes of lines may be told that settle now, while so many reports wait for the server.
    pub fn room(&mut self, at: Duration, waiting: usize) -> usize {
        let earned = at.saturating_sub(self.filled).as_millis() as u64 * RATE / 1_000;
        if earned > 0 {
            self.purse = (self.purse + earned).min(BURST);
            self.filled = at;
        }
        if waiting < CROWDED { usize::try_from(self.purse).unwrap_or(usize::MAX) } else { 0 }
    }

    /// Takes lines that settled, for which there was room, and how many were left out.
    pub fn put(&mut self, at: Duration, offset: u64, lines: &str, left_out: u64) {
        if self.due().is_none() {
            (self.offset, self.since) = (offset, at);
        }
        self.purse = self.purse.saturating_sub(lines.len() as u64);
        self.left_out += left_out;
        self.text.push_str(lines);
    }

    /// Whether a line is not told. `open`: it may end in the beginning of a secret.
    fn withholds(&mut self, open: bool) -> bool {
        if open {
            self.withheld = WITHHELD;
        }
        let withholds = self.withheld > 0;
        self.withheld = self.withheld.saturating_sub(1);
        withholds
    }

    /// When there is something to be told.
    pub fn due(&self) -> Option<Duration> {
        (!self.text.is_empty() || self.left_out > 0).then(|| self.since + COLLECTS)
    }

    /// Gives what is to be told by now (everything, at the end of time): the offset and the text, which is still to be cut by [`pieces`].
    pub fn take(&mut self, at: Duration) -> Option<(u64, String)> {
        let waited = self.due().is_some_and(|due| due <= at) || self.text.len() >= FULL;
        if !waited || (has_open_key(&self.text) && self.text.len() < KEY && at < self.since + 10 * COLLECTS) {
            return None;
        }
        let mut text = std::mem::take(&mut self.text);
        match std::mem::take(&mut self.left_out) {
            0 => {}
            1 => text.push_str("… 1 line left out\n"),
            lines => text.push_str(&format!("… {} left out\n", counted(lines, "line"))),
        }
        Some((self.offset, text))
    }
}

impl Core {
    /// Says how much text may settle at this moment: what would not be told is not collected first.
    pub(super) fn make_room(&mut self, at: Duration) {
        self.extractor.hold_text(self.texts.room(at, self.journal.unacked()));
    }

    /// Takes text that settled; what was told before this observer is passed over.
    pub(super) fn collect(&mut self) {
        let Some((lines, left_out)) = self.extractor.take_text() else { return };
        if self.journal.until().is_none_or(|until| self.at > until) {
            self.texts.put(self.at, self.output, &lines, left_out);
        }
        self.tell_text(self.at);
    }

    /// Reports the text that was collected for long enough. Secrets are taken out before it is cut.
    pub(super) fn tell_text(&mut self, at: Duration) {
        let Some((offset, text)) = self.texts.take(at) else { return };
        let redactor = std::sync::Arc::clone(self.redaction.redactor());
        let whole = redactor.text(&text);
        // A row may have settled half drawn, or end in the middle of a secret whose rest, without the blanks between
        // them, nobody would know: the line and those after it are withheld.
        let lines: Vec<&str> =
            whole.lines().filter(|line| !self.texts.withholds(redactor.cut(line) != *line)).collect();
        for text in pieces(&lines.join("\n")) {
            self.report(Report::Text { offset, text });
        }
    }
}

/// Whether a private key has begun and not ended: told in two halves, it would not be known as one.
fn has_open_key(text: &str) -> bool {
    text.rfind("-----BEGIN").is_some_and(|begun| !text[begun..].contains("-----END"))
}

/// A text in pieces that end where lines do, as far as lines are short enough.
pub fn pieces(text: &str) -> Vec<String> {
    let mut pieces = Vec::new();
    let mut piece = String::new();
    for mut line in text.lines() {
        if !piece.is_empty() && piece.len() + 1 + line.len() > PIECE {
            pieces.push(std::mem::take(&mut piece));
        }
        while line.len() > PIECE {
            let end = (0..=PIECE).rev().find(|at| line.is_char_boundary(*at)).unwrap_or(PIECE);
            let (head, tail) = line.split_at(end);
            pieces.push(head.to_owned());
            line = tail;
        }
        if !piece.is_empty() {
            piece.push('\n');
        }
        piece.push_str(line);
    }
    if !piece.is_empty() {
        pieces.push(piece);
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn lines_are_told_after_a_second_with_the_offset_of_the_first() {
        let mut texts = Texts::new();
        texts.put(SECOND, 10, "one\n", 0);
        texts.put(SECOND * 3 / 2, 20, "two\n", 0);
        assert_eq!(texts.take(SECOND * 19 / 10), None);
        assert_eq!(texts.take(SECOND * 2), Some((10, "one\ntwo\n".to_owned())));
        assert_eq!((texts.due(), texts.take(SECOND * 9)), (None, None));
    }

    #[test]
    fn a_flood_is_bounded_and_says_how_much_is_missing() {
        let mut texts = Texts::new();
        let line = "x".repeat(99) + "\n";
        let mut told = String::new();
        for n in 0..20_000_u32 {
            let at = Duration::from_millis(u64::from(n));
            match texts.room(at, 0) < line.len() {
                true => texts.put(at, 0, "", 1),
                false => texts.put(at, 0, &line, 0),
            }
            told.extend(texts.take(at).map(|(_, text)| text));
        }
        told.extend(texts.take(SECOND * 60).map(|(_, text)| text));
        assert!(told.len() as u64 <= BURST + 21 * RATE, "{}", told.len());
        let counted: u64 = told
            .lines()
            .map(|line| match line.strip_prefix("… ").and_then(|rest| rest.split(' ').next()) {
                Some(number) => number.parse().unwrap(),
                None => 1,
            })
            .sum();
        assert_eq!(counted, 20_000, "each line is told or counted");
    }

    #[test]
    fn nothing_is_added_while_what_was_told_waits() {
        let mut texts = Texts::new();
        assert!(texts.room(SECOND, CROWDED - 1) > 0);
        assert_eq!(texts.room(SECOND, CROWDED), 0);
        texts.put(SECOND, 5, "", 2);
        assert_eq!(texts.take(SECOND * 2), Some((5, "… 2 lines left out\n".to_owned())));
    }

    #[test]
    fn a_private_key_is_not_told_in_halves() {
        let mut texts = Texts::new();
        texts.put(SECOND, 0, "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n", 0);
        assert_eq!(texts.take(SECOND * 4), None);
        texts.put(SECOND * 4, 0, "-----END RSA PRIVATE KEY-----\n", 0);
        assert!(
            texts.take(SECOND * 4).is_some_and(|(_, text)| text.contains("MIIE") && text.contains("END"))
        );
    }

    #[test]
    fn pieces_hold_whole_lines_and_nothing_is_lost() {
        let text: String = (0..2_000).map(|n| format!("line {n}\n")).collect();
        let cut = pieces(&text);
        assert!(cut.iter().all(|piece| piece.len() <= PIECE && !piece.ends_with('\n')));
        assert_eq!(cut.join("\n") + "\n", text);
        assert_eq!(pieces(&"é".repeat(PIECE)).concat(), "é".repeat(PIECE));
    }
}
