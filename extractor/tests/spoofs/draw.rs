//! How hostile text comes to the screen: the bytes that draw it where the agent would, and those that take it away.

use extractor::Extractor;
use patterns::Library;

use crate::case::Case;
use crate::site::{Manner, Place};

/// Text to be shown.
#[derive(Debug, Clone)]
pub struct Block<'b> {
    /// Rows, which may hold escapes, and the place at which each piece is printed, from top to bottom.
    pub pieces: Vec<(&'b [String], Place)>,
    /// How.
    pub manner: Manner,
}

/// The bytes that show something, and those that take it away.
pub struct Drawn {
    /// Shows it.
    pub show: String,
    /// Takes it away.
    pub hide: String,
    /// What must stand on the screen meanwhile.
    pub last: String,
}

impl Block<'_> {
    /// Draws while the agent works.
    pub fn at_work(&self, case: &Case, extractor: &Extractor) -> Drawn {
        match self.manner {
            Manner::Raw => {
                let end = |place: &Place| if place.open { "" } else { "\r\n" };
                let pieces = self.pieces.iter();
                let text = pieces.map(|(rows, place)| rows.join("\r\n") + end(place)).collect::<String>();
                Drawn { show: format!("\r\n{text}"), hide: String::new(), last: self.last() }
            }
            Manner::Over(_) | Manner::Push(_) => self.drawn(case, extractor),
        }
    }

    /// Draws while the agent rests: above its prompt, as programs do that know of one.
    pub fn at_rest(&self, case: &Case, extractor: &Extractor) -> Drawn {
        match self.manner {
            Manner::Raw => {
                let rows: Vec<&str> =
                    self.pieces.iter().flat_map(|(rows, _)| rows.iter()).map(String::as_str).collect();
                let (count, text) = (rows.len(), rows.join("\r\n"));
                Drawn {
                    show: format!("\x1b7\r\x1b[{count}L{text}\x1b8\x1b[{count}B"),
                    hide: format!("\x1b7\x1b[{count}A\r\x1b[{count}M\x1b8\x1b[{count}A"),
                    last: self.last(),
                }
            }
            Manner::Over(_) | Manner::Push(_) => self.drawn(case, extractor),
        }
    }

    fn drawn(&self, case: &Case, extractor: &Extractor) -> Drawn {
        let (screen, width) = (extractor.screen_text(), usize::from(case.cols));
        let agent = Library::builtin().agent(&case.agent).unwrap();
        let marker = &agent.composer.as_ref().unwrap().marker;
        let composer = screen.iter().rposition(|row| marker.is_match(&format!("{row} "))).unwrap();
        let mut rows = Vec::new();
        for (piece, place) in &self.pieces {
            for (at, row) in piece.iter().enumerate() {
                let lead = if at == 0 { place.lead.0 } else { place.lead.1 };
                let row: String = format!("{lead}{}", printable(row)).chars().take(width).collect();
                rows.push(row);
            }
        }
        match self.manner {
            Manner::Over(above) => {
                let last = composer - above;
                let first = (last + 1).saturating_sub(rows.len());
                rows.drain(..rows.len() - (last + 1 - first));
                let write = |rows: &[String]| {
                    let rows = rows.iter().enumerate();
                    let rows = rows.map(|(i, row)| format!("\x1b[{};1H\x1b[0m\x1b[K{row}", first + i + 1));
                    format!("\x1b7{}\x1b8", rows.collect::<String>())
                };
                Drawn { show: write(&rows), hide: write(&screen[first..=last]), last: self.last() }
            }
            Manner::Push(above) => {
                let first = composer - above + 1;
                // What is below must not fall off the screen.
                let used = screen.iter().rposition(|row| !row.trim().is_empty()).unwrap() + 1;
                rows.drain(..rows.len().saturating_sub(screen.len() - used));
                let (count, text) = (rows.len(), rows.join("\r\n"));
                Drawn {
                    show: format!("\x1b7\x1b[{first};1H\x1b[0m\x1b[{count}L{text}\x1b8\x1b[{count}B"),
                    hide: format!("\x1b7\x1b[{first};1H\x1b[{count}M\x1b8\x1b[{count}A"),
                    last: self.last(),
                }
            }
            Manner::Raw => unreachable!("raw text is not drawn"),
        }
    }
}

impl Block<'_> {
    /// The beginning of its last row that is not blank, unless that row holds escapes.
    fn last(&self) -> String {
        let mut rows = self.pieces.iter().flat_map(|(rows, _)| rows.iter());
        let row = rows.rfind(|row| !row.trim().is_empty()).map_or("", |row| row.trim());
        if row.contains(char::is_control) { String::new() } else { row.chars().take(40).collect() }
    }
}

/// What an agent that draws leaves of a text: it takes the control characters out.
fn printable(row: &str) -> String {
    row.chars().filter(|c| !c.is_control()).collect()
}
