//! A written file as a tree, each part with its line: the same from TOML and from YAML. Pure.
//!
//! Must not: know what the parts mean.

mod toml;
mod yaml;

use std::fmt;

use wire::text::{cut, escape};

pub use yaml::parse as yaml;

pub use self::toml::parse as toml;

/// Most parts of one file: what is built in memory is bounded, whatever is written.
const PARTS_MAX: usize = 200_000;
/// Most names of one table: each is compared with all before it.
const KEYS_MAX: usize = 1_000;
/// Deepest nesting.
const DEPTH_MAX: usize = 16;

/// A part of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Where it begins, from 1.
    pub line: usize,
    /// What it is.
    pub value: Value,
}

/// What a part is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Nothing was written.
    Nothing,
    /// True or false.
    Flag(bool),
    /// A whole number.
    Number(i64),
    /// Text; also numbers with a fraction, and times.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// Names with what stands under them, in their order; no name twice.
    Table(Vec<Entry>),
}

/// A name and what stands under it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The name as it was written.
    pub key: String,
    /// Where it stands.
    pub line: usize,
    /// What stands under it.
    pub node: Node,
}

/// What is wrong with a file, and where.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// From 1.
    pub line: usize,
    /// What is wrong and what to do; plain text for a terminal.
    pub text: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.text)
    }
}

impl Fault {
    /// Of a line.
    pub fn new(line: usize, text: impl Into<String>) -> Self {
        Self { line, text: text.into() }
    }
}

impl Node {
    /// What kind of part it is, for people.
    fn kind(&self) -> &'static str {
        match self.value {
            Value::Nothing => "nothing",
            Value::Flag(_) => "true or false",
            Value::Number(_) => "a number",
            Value::Text(_) => "a text",
            Value::List(_) => "a list",
            Value::Table(_) => "a table",
        }
    }

    fn not(&self, what: &str, wanted: &str) -> Fault {
        Fault::new(self.line, format!("`{what}` must be {wanted}, not {}", self.kind()))
    }

    /// A text; a number or a flag is taken as it is written.
    pub fn text(&self, what: &str) -> Result<String, Fault> {
        match &self.value {
            Value::Text(text) => Ok(text.clone()),
            Value::Number(number) => Ok(number.to_string()),
            Value::Flag(flag) => Ok(flag.to_string()),
            Value::Nothing | Value::List(_) | Value::Table(_) => Err(self.not(what, "a text")),
        }
    }

    /// True or false.
    pub fn flag(&self, what: &str) -> Result<bool, Fault> {
        match self.value {
            Value::Flag(flag) => Ok(flag),
            _ => Err(self.not(what, "true or false")),
        }
    }

    /// A whole number between two.
    pub fn number(&self, what: &str, least: i64, most: i64) -> Result<i64, Fault> {
        match self.value {
            Value::Number(number) if (least..=most).contains(&number) => Ok(number),
            _ => Err(Fault::new(self.line, format!("`{what}` must be a number from {least} to {most}"))),
        }
    }

    /// The parts of a list; one part that is no list is a list of one.
    pub fn list(&self) -> &[Node] {
        match &self.value {
            Value::List(nodes) => nodes,
            Value::Nothing => &[],
            _ => std::slice::from_ref(self),
        }
    }

    /// Texts; one text is a list of one.
    pub fn texts(&self, what: &str) -> Result<Vec<String>, Fault> {
        self.list().iter().map(|node| node.text(what)).collect()
    }

    /// The entries of a table.
    pub fn table(&self, what: &str) -> Result<&[Entry], Fault> {
        match &self.value {
            Value::Table(entries) => Ok(entries),
            Value::Nothing => Ok(&[]),
            _ => Err(self.not(what, "a table")),
        }
    }

    /// The same where some names have a second form: of a pair only one may stand there.
    pub fn table_with(&self, what: &str, forms: &[(&str, &str)]) -> Result<&[Entry], Fault> {
        let entries = self.table(what)?;
        for (one, other) in forms {
            let mut found = entries.iter().filter(|entry| [*one, *other].contains(&entry.name().as_str()));
            if let (Some(first), Some(again)) = (found.next(), found.next()) {
                return Err(again.again(first));
            }
        }
        Ok(entries)
    }

    /// Texts by name.
    pub fn named_texts(&self, what: &str) -> Result<Vec<(String, String)>, Fault> {
        let entries = self.table(what)?.iter();
        entries.map(|e| Ok((e.key.clone(), e.node.text(&escape(&e.key))?))).collect()
    }
}

impl Entry {
    /// The name as options are compared: `wait_timeout` is `wait-timeout`.
    pub fn name(&self) -> String {
        self.key.replace('_', "-")
    }

    /// That this stands here although another did that means the same.
    fn again(&self, first: &Entry) -> Fault {
        let what = match self.name() == first.name() {
            true => format!("the key '{}' stands here again", escape(&self.key)),
            false => {
                format!("the key '{}' means '{}', which stands here", escape(&self.key), escape(&first.key))
            }
        };
        Fault::new(self.line, format!("{what}; first in line {}", first.line))
    }

    /// That this name is not known here, with the one that was meant if that can be guessed.
    pub fn unknown(&self, known: &[&str]) -> Fault {
        Fault::new(self.line, unknown("key", &self.key, known))
    }
}

/// That a word is not known, with what is.
pub fn unknown(what: &str, word: &str, known: &[&str]) -> String {
    let shown = escape(&cut(word, 60));
    match nearest(word, known) {
        Some(near) => format!("unknown {what} '{shown}'; did you mean '{}'?", escape(near)),
        None if known.len() > 40 => format!("unknown {what} '{shown}'"),
        None => format!("unknown {what} '{shown}'; there are: {}", escape(&known.join(", "))),
    }
}

/// The known word that was probably meant.
fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    // Longer words are none of ours, and comparing is quadratic.
    let word = (word.len() <= 64).then(|| word.to_lowercase().replace('_', "-"))?;
    // The first measure favours words that begin alike; the second sees two letters that changed places.
    let swapped = |known: &str| word.len() > 2 && strsim::osa_distance(&word, known) == 1;
    let score = |known: &str| strsim::jaro_winkler(&word, known) + f64::from(swapped(known));
    let (score, best) = known.iter().map(|k| (score(k), *k)).max_by(|a, b| a.0.total_cmp(&b.0))?;
    (score > 0.8).then_some(best)
}

/// Says that a name stands twice in a table, or that the table has too many.
fn twice(entries: &[Entry], entry: &Entry) -> Option<Fault> {
    if entries.len() >= KEYS_MAX {
        return Some(Fault::new(entry.line, format!("this table has more than {KEYS_MAX} keys")));
    }
    entries.iter().find(|e| e.name() == entry.name()).map(|first| entry.again(first))
}

/// The line of a byte.
fn line_of(text: &str, at: usize) -> usize {
    1 + text.as_bytes()[..at.min(text.len())].iter().filter(|b| **b == b'\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_fingers_is_understood_and_nonsense_is_not() {
        let known = ["fix", "analyze", "wait-timeout"];
        for (word, meant) in
            [("fxi", "fix"), ("analyse", "analyze"), ("wait_timout", "wait-timeout"), ("Fix", "fix")]
        {
            assert_eq!(nearest(word, &known), Some(meant), "{word}");
        }
        for word in ["", "x", "review", &"fix".repeat(100)] {
            assert_eq!(nearest(word, &known), None, "{word}");
        }
    }
}
