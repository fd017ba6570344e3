//! Rows that left the screen, one behind the other in one buffer. Must not: know how they left it.

/// Most rows kept between two readings; older ones are dropped and counted.
const MOST_ROWS: usize = 20_000;

/// Most cells kept between two readings, so that wide screens do not cost more.
const MOST_CELLS: usize = 4 << 20;

/// A row that left the screen at its top.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gone<'r> {
    /// Its text without trailing blanks.
    pub text: &'r str,
    /// Whether it is the continuation of the row before.
    pub continues: bool,
    /// Whether it left the alternate screen.
    pub alternate: bool,
}

/// What is known of a row beside its text.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// Where its text ends.
    pub end: usize,
    /// Where it began in the stream, where that matters.
    pub at: u64,
    /// Whether it is the continuation of the row before.
    pub continues: bool,
    /// Whether it left the alternate screen.
    pub alternate: bool,
}

/// Rows that nobody has read yet.
#[derive(Debug)]
pub struct Rows {
    /// Whole rows, then the text of a row that has not ended.
    text: Vec<u8>,
    rows: Vec<Row>,
    lost: usize,
    most: usize,
}

impl Rows {
    /// None, of a screen of this width.
    pub fn new(cols: u16) -> Self {
        let mut rows = Self { text: Vec::new(), rows: Vec::new(), lost: 0, most: 0 };
        rows.set_width(cols);
        rows
    }

    /// Takes the width of the screen, which decides how many rows are kept.
    pub fn set_width(&mut self, cols: u16) {
        self.most = (MOST_CELLS / usize::from(cols.max(1))).clamp(2, MOST_ROWS);
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// What is known of a row.
    pub fn row(&self, index: usize) -> Option<Row> {
        self.rows.get(index).copied()
    }

    /// The text of a row that has not ended; what is written here belongs to the next [`Self::end`].
    pub fn open(&mut self) -> &mut Vec<u8> {
        &mut self.text
    }

    /// Where the text of the last whole row ends.
    pub fn start(&self) -> usize {
        self.rows.last().map_or(0, |row| row.end)
    }

    /// Ends the open row and cuts its trailing blanks.
    pub fn end(&mut self, at: u64, continues: bool, alternate: bool) {
        let start = self.start();
        while self.text.len() > start && self.text.last() == Some(&b' ') {
            self.text.pop();
        }
        self.rows.push(Row { end: self.text.len(), at, continues, alternate });
    }

    /// Drops old rows when more than `keep` and the most that is kept are here.
    pub fn bound(&mut self, keep: usize) {
        let half = self.most / 2;
        while self.rows.len() > self.most + keep {
            self.forget(half);
            self.lost += half;
        }
    }

    /// Takes over the rows of another, and its open row.
    pub fn append(&mut self, other: &mut Self) {
        let base = self.text.len();
        self.text.append(&mut other.text);
        self.rows.extend(other.rows.drain(..).map(|row| Row { end: row.end + base, ..row }));
    }

    /// Drops the open row and the last rows.
    pub fn cut(&mut self, rows: usize) {
        self.rows.truncate(self.rows.len().saturating_sub(rows));
        self.text.truncate(self.start());
    }

    /// Whether the open row and the last rows are blank.
    pub fn blank(&self, rows: usize) -> bool {
        let first = self.rows.len().saturating_sub(rows);
        let start = if first == 0 { 0 } else { self.rows[first - 1].end };
        self.text[start..].iter().all(|byte| *byte == b' ')
    }

    /// How many rows were dropped since the last call.
    pub fn take_lost(&mut self) -> usize {
        std::mem::take(&mut self.lost)
    }

    /// The first rows.
    pub fn iter(&self, rows: usize) -> impl Iterator<Item = Gone<'_>> {
        let rows = &self.rows[..rows.min(self.rows.len())];
        let end = rows.last().map_or(0, |row| row.end);
        // Whatever is written here came from text.
        let text = std::str::from_utf8(&self.text[..end]).unwrap_or_default();
        let mut start = 0;
        rows.iter().map(move |row| {
            let text = text.get(start..row.end).unwrap_or_default();
            start = row.end;
            Gone { text, continues: row.continues, alternate: row.alternate }
        })
    }

    /// Drops the first rows.
    pub fn forget(&mut self, rows: usize) {
        let rows = rows.min(self.rows.len());
        if rows == 0 {
            return;
        }
        let end = self.rows[rows - 1].end;
        self.text.drain(..end);
        self.rows.drain(..rows);
        for row in &mut self.rows {
            row.end -= end;
        }
    }
}

/// Programs draw no-break spaces where a blank must not be cut; to every rule they are blanks.
pub fn plain(mut row: String) -> String {
    if row.contains('\u{a0}') {
        row = row.replace('\u{a0}', " ");
    }
    row.truncate(row.trim_end_matches(' ').len());
    row
}

/// The same for text that is appended; its trailing blanks are cut later.
pub fn push_plain(text: &mut Vec<u8>, part: &str) {
    for (i, piece) in part.split('\u{a0}').enumerate() {
        if i > 0 {
            text.push(b' ');
        }
        text.extend_from_slice(piece.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_too_many_rows_the_oldest_are_dropped_and_counted() {
        let mut rows = Rows::new(1_000);
        for i in 0..10_000 {
            rows.open().extend_from_slice(format!("{i}  ").as_bytes());
            rows.end(0, false, false);
            rows.bound(0);
        }
        let lost = rows.take_lost();
        assert_eq!(lost + rows.len(), 10_000);
        assert!(rows.len() <= MOST_CELLS / 1_000);
        assert_eq!(rows.iter(1).next().map(|row| row.text.to_owned()), Some(lost.to_string()));
    }
}
