//! Fenced blocks of code in printed text. Must not: guess at blocks that a screen draws without fences.

use std::collections::BTreeMap;

use memchr::memmem;

use crate::batch::Line;
use crate::hash::fingerprint;
use crate::observation::{Event, EventKind, Severity};

/// Most characters of a block that are kept.
const LONGEST: usize = 4_000;

/// Follows fences through lines.
#[derive(Debug, Default)]
pub struct Fences {
    open: Option<Block>,
}

#[derive(Debug)]
struct Block {
    language: String,
    code: String,
    lines: usize,
}

impl Fences {
    /// Whether lines matter: a block is open, or one of them may be a fence.
    pub fn concern(&self, lines: &str) -> bool {
        self.open.is_some() || memmem::find(lines.as_bytes(), b"```").is_some()
    }

    /// Takes a line; gives the event of a block when the line ends it.
    pub fn line(&mut self, line: Line<'_>) -> Option<Event> {
        let text = line.text.trim_end();
        let fence = text.trim_start().strip_prefix("```");
        match (&mut self.open, fence) {
            (None, Some(language)) if !language.contains('`') && !language.contains(' ') => {
                self.open = Some(Block { language: language.to_owned(), code: String::new(), lines: 0 });
                None
            }
            (Some(_), Some("")) => self.open.take().map(|block| block.event(line)),
            (Some(block), _) => {
                if block.code.len() + text.len() < LONGEST {
                    block.code.push_str(text);
                    block.code.push('\n');
                }
                block.lines += 1;
                None
            }
            (None, _) => None,
        }
    }
}

impl Block {
    fn event(self, line: Line<'_>) -> Event {
        let mut fields = BTreeMap::new();
        fields.insert("language".to_owned(), self.language.clone());
        fields.insert("lines".to_owned(), self.lines.to_string());
        fields.insert("code".to_owned(), self.code.clone());
        let first = self.code.lines().next().unwrap_or_default();
        Event {
            kind: EventKind::CodeBlock,
            severity: Severity::Info,
            origin: line.origin,
            rule: "code.block".to_owned(),
            text: first.chars().take(500).collect(),
            fingerprint: fingerprint(["code.block", self.code.as_str()].into_iter()),
            fields,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observation::Origin;

    #[test]
    fn a_fenced_block_is_one_event_with_its_language() {
        let mut fences = Fences::default();
        let mut found = Vec::new();
        for text in ["see:", "```rust", "fn main() {}", "```", "`` ```x``` ``"] {
            found.extend(fences.line(Line { text, origin: Origin::Agent }));
        }
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].fields["language"], "rust");
        assert_eq!(found[0].fields["lines"], "1");
    }
}
