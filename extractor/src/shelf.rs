//! Settled lines for whoever wants them as text, until they are taken. Must not: grow without a bound.

use memchr::memchr_iter;

use crate::extractor::Extractor;

/// Most bytes that wait; what does not fit is counted.
const MOST: usize = 64 << 10;

/// Lines in order, each ended by a line feed.
#[derive(Debug)]
pub struct Shelf {
    text: String,
    left_out: u64,
    /// Bytes that may wait.
    room: usize,
}

impl Default for Shelf {
    fn default() -> Self {
        Self { text: String::new(), left_out: 0, room: MOST }
    }
}

impl Shelf {
    /// Puts lines on it. Those without a letter or a digit (borders, blanks) say nothing. From the first that finds no room
    /// on they are only counted, which is all that is done of a flood.
    pub fn put(&mut self, lines: &str) {
        let mut rest = lines;
        while self.text.len() < self.room && !rest.is_empty() {
            let (line, after) = rest.split_once('\n').unwrap_or((rest, ""));
            let line = line.trim_end();
            if line.contains(char::is_alphanumeric) {
                if self.text.len() + line.len() >= self.room {
                    break;
                }
                self.text.push_str(line);
                self.text.push('\n');
            }
            rest = after;
        }
        self.left_out += memchr_iter(b'\n', rest.as_bytes()).count() as u64;
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

    /// How many bytes of settled lines may wait from now on to be taken, at most 64 KiB; at first so many.
    pub fn hold_text(&mut self, bytes: usize) {
        self.sight.shelf.room = bytes.min(MOST);
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
        shelf.room = 10;
        shelf.put("123456789\nnot this\nx\n");
        assert_eq!(shelf.take(), ("123456789\n".to_owned(), 2));
    }
}
