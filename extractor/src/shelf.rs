//! Settled lines for whoever wants them as text, until they are taken. Must not: grow without a bound.

use crate::extractor::Extractor;

/// Most bytes that wait; what does not fit is counted.
const MOST: usize = 64 << 10;

/// Lines in order, each ended by a line feed.
#[derive(Debug, Default)]
pub struct Shelf {
    text: String,
    left_out: u64,
}

impl Shelf {
    /// Puts lines on it. Those without a letter or a digit (borders, blanks) say nothing.
    pub fn put(&mut self, lines: &str) {
        if self.text.len() >= MOST {
            self.left_out += lines.bytes().filter(|byte| *byte == b'\n').count() as u64;
            return;
        }
        for line in lines.lines().map(str::trim_end).filter(|line| line.contains(char::is_alphanumeric)) {
            if self.text.len() + line.len() < MOST {
                self.text.push_str(line);
                self.text.push('\n');
            } else {
                self.left_out += 1;
            }
        }
    }

    /// Takes all lines, and how many were left out.
    pub fn take(&mut self) -> (String, u64) {
        (std::mem::take(&mut self.text), std::mem::take(&mut self.left_out))
    }

    /// Whether there is anything to take.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty() && self.left_out == 0
    }
}

impl Extractor {
    /// Settled lines since they were last taken, each ended by a line feed, and how many were left out; `None`: nothing
    /// new. Nobody has to take them: they are bounded.
    pub fn take_text(&mut self) -> Option<(String, u64)> {
        let shelf = &mut self.sight.shelf;
        (!shelf.is_empty()).then(|| shelf.take())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_taken_once_and_a_flood_is_counted() {
        let mut shelf = Shelf::default();
        shelf.put("one  \n─────\n\n  two\n");
        assert_eq!(shelf.take(), ("one\n  two\n".to_owned(), 0));
        assert!(shelf.is_empty());
        let line = "x".repeat(1_000) + "\n";
        (0..100).for_each(|_| shelf.put(&line));
        let (text, left_out) = shelf.take();
        assert!(text.len() <= MOST);
        assert_eq!(text.lines().count() as u64 + left_out, 100);
    }
}
