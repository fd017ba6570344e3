//! Settled lines in one text, as the matcher wants them. Must not: know what a line means.

use crate::observation::Origin;

/// A settled line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line<'b> {
    /// Its text.
    pub text: &'b str,
    /// Who says it.
    pub origin: Origin,
}

/// Settled lines that were not scanned yet.
///
/// Invariant: each line ends in a line feed, and none holds another.
#[derive(Debug, Default)]
pub struct Batch {
    text: String,
    origins: Vec<Origin>,
}

impl Batch {
    /// Appends a line.
    pub fn push(&mut self, text: &str, origin: Origin) {
        debug_assert!(!text.contains('\n'));
        self.text.push_str(text);
        self.text.push('\n');
        self.origins.push(origin);
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.origins.is_empty()
    }

    /// All lines.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Who says a line, by its number.
    pub fn origin(&self, line: usize) -> Origin {
        self.origins.get(line).copied().unwrap_or(Origin::Unknown)
    }

    /// The lines, in order.
    pub fn lines(&self) -> impl Iterator<Item = Line<'_>> {
        self.text.split('\n').zip(&self.origins).map(|(text, origin)| Line { text, origin: *origin })
    }

    /// Forgets all lines.
    pub fn clear(&mut self) {
        self.text.clear();
        self.origins.clear();
    }
}

/// The last rows of a turn, in one text.
#[derive(Debug, Default)]
pub struct Transcript {
    text: String,
    ends: Vec<usize>,
}

/// Most rows of a turn that are kept for its answer.
const MOST: usize = 3_000;

impl Transcript {
    /// Appends a row.
    pub fn push(&mut self, row: &str) {
        self.text.push_str(row);
        self.ends.push(self.text.len());
        if self.ends.len() >= 2 * MOST {
            let gone = self.ends.len() - MOST;
            let end = self.ends[gone - 1];
            self.text.drain(..end);
            self.ends.drain(..gone);
            for at in &mut self.ends {
                *at -= end;
            }
        }
    }

    /// The last 3,000 rows.
    pub fn rows(&self) -> impl Iterator<Item = &str> {
        let first = self.ends.len().saturating_sub(MOST);
        (first..self.ends.len()).map(|i| {
            let start = if i == 0 { 0 } else { self.ends[i - 1] };
            &self.text[start..self.ends[i]]
        })
    }

    /// Forgets all rows.
    pub fn clear(&mut self) {
        self.text.clear();
        self.ends.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_long_turn_the_last_rows_are_kept() {
        let mut transcript = Transcript::default();
        for i in 0..20_001 {
            transcript.push(&i.to_string());
        }
        assert_eq!(transcript.rows().count(), MOST);
        assert_eq!(transcript.rows().next(), Some("17001"));
        assert_eq!(transcript.rows().last(), Some("20000"));
    }
}
