//! Rows put together as if no program had broken them. Must not: decide what belongs together.

use std::ops::Range;

/// A text without the ends of its rows: line breaks, blanks and borders around them.
#[derive(Debug)]
pub struct Rows {
    text: String,
    /// Where each row begins: in the text here, in the original, and where the break before it stands there.
    rows: Vec<Row>,
    /// More rows may come.
    growing: bool,
}

#[derive(Debug, Clone, Copy)]
struct Row {
    here: usize,
    there: usize,
    broken: usize,
    /// A border was drawn at its end.
    bordered: bool,
    /// Columns up to the last visible character before that.
    columns: usize,
    /// Columns of the longest row up to this one.
    widest: usize,
}

impl Rows {
    /// Puts the rows of a text together.
    pub fn joined(text: &str) -> Self {
        Self::of(text, false)
    }

    /// The same of a text that goes on: what may be the end of its last row is left out as well.
    pub fn growing(text: &str) -> Self {
        Self::of(text, true)
    }

    fn of(text: &str, growing: bool) -> Self {
        let mut joined = Self { text: String::with_capacity(text.len()), rows: Vec::new(), growing };
        let mut from = 0;
        while from <= text.len() {
            let end =
                memchr::memchr2(b'\n', b'\r', &text.as_bytes()[from..]).map_or(text.len(), |at| from + at);
            let row = &text[from..end];
            let first = if from == 0 { row } else { row.trim_start_matches(is_border) };
            let kept = if end == text.len() && !growing { first } else { first.trim_end_matches(is_border) };
            if !kept.is_empty() || from == 0 {
                let there = from + (row.len() - first.len());
                let behind = first.trim_end_matches(is_border);
                let bordered = first[behind.len()..].chars().any(is_drawn);
                let columns = text[from..there + behind.len()].chars().count();
                let widest = joined.rows.last().map_or(columns, |row: &Row| row.widest.max(columns));
                let (here, broken) = (joined.text.len(), from.saturating_sub(1));
                joined.rows.push(Row { here, there, broken, bordered, columns, widest });
                joined.text.push_str(kept);
            }
            from = end + 1;
        }
        joined
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Where a byte stands in the original.
    pub fn place(&self, at: usize) -> usize {
        let row = self.row(at);
        self.rows[row].there + (at - self.rows[row].here)
    }

    /// What a part covers in the original.
    pub fn original(&self, part: &Range<usize>) -> Range<usize> {
        match part.is_empty() {
            true => self.place(part.start)..self.place(part.start),
            false => self.place(part.start)..self.place(part.end - 1) + 1,
        }
    }

    /// Numbers of the rows that a part goes on after.
    pub fn breaks(&self, part: &Range<usize>) -> Range<usize> {
        self.row(part.start)..self.row(part.end.saturating_sub(1)).max(self.row(part.start))
    }

    /// Whether a row was written to its edge: its end is a lone carriage return (as whoever follows a terminal says it),
    /// or a border is drawn there. Of a text that goes on, rows that come later must not tell otherwise.
    pub fn is_full(&self, original: &str, row: usize) -> bool {
        let told = self.rows.get(row + 1).is_some_and(|next| original.as_bytes()[next.broken] == b'\r');
        let Row { bordered, columns, widest, .. } = self.rows[row];
        let widest = if self.growing { widest } else { self.rows.last().map_or(0, |last| last.widest) };
        told || bordered && columns == widest
    }

    fn row(&self, at: usize) -> usize {
        self.rows.partition_point(|row| row.here <= at).saturating_sub(1)
    }
}

/// Bytes on each side of a row's end that are looked at: what secrets are told by is no longer.
pub const SEAM: usize = 8;

/// The ends of a text's rows, each with the beginning of the next, one a line.
pub fn seams(text: &str) -> String {
    let mut out = String::with_capacity(text.len() / 4);
    let mut last = "";
    for row in text.split(['\n', '\r']) {
        let row = row.trim_matches(is_border);
        if row.is_empty() {
            continue;
        }
        out.push_str(last);
        out.push_str(&row[..ceil(row, SEAM)]);
        out.push('\n');
        last = &row[ceil(row, row.len().saturating_sub(SEAM))..];
    }
    out
}

fn ceil(text: &str, at: usize) -> usize {
    (at.min(text.len())..=text.len()).find(|&at| text.is_char_boundary(at)).unwrap_or(text.len())
}

/// Whether a text may have come to the end of a row: what programs draw there stands there.
pub fn may_end(text: &str) -> bool {
    text.ends_with(is_border)
}

/// What programs draw around a row.
fn is_border(c: char) -> bool {
    c.is_whitespace() || c == '|' || is_drawn(c)
}

fn is_drawn(c: char) -> bool {
    ('\u{2500}'..='\u{257f}').contains(&c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_put_together_and_every_byte_is_found_again() {
        let text = "│ one  │\n│ two\r\n\n three";
        let rows = Rows::joined(text);
        assert_eq!(rows.text(), "│ onetwothree");
        let place =
            |part: &str| rows.original(&rows.text().find(part).map(|at| at..at + part.len()).unwrap());
        assert_eq!(&text[place("two")], "two");
        assert_eq!(&text[place("oth")], "o\r\n\n th");
        assert_eq!(&text[place("onetwo")], "one  │\n│ two");
        let one = rows.text().find("one").unwrap();
        assert_eq!(rows.breaks(&(one..one + 3)), 0..0);
        assert_eq!(rows.breaks(&(one..one + 4)), 0..1);
        assert_eq!([0, 1].map(|row| rows.is_full(text, row)), [false, false]);
        let text = "│ seven  │\n│ more   │";
        assert!(Rows::joined(text).is_full(text, 0));
    }
}
