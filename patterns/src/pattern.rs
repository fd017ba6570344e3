//! A regular expression that is compiled when it is first needed. Must not: be used unchecked from outside files.

use std::sync::OnceLock;

use regex::{Captures, Regex};

/// A regular expression, compiled at its first use: start-up pays only for what it runs.
///
/// Invariant: patterns of the built-in library compile (a test compiles them all), and patterns of other files are
/// checked when they are read; one that does not compile never matches.
#[derive(Debug, Clone)]
pub struct Pattern {
    source: String,
    regex: OnceLock<Option<Regex>>,
}

impl Pattern {
    /// Takes the source; nothing is compiled yet.
    pub fn new(source: impl Into<String>) -> Self {
        Self { source: source.into(), regex: OnceLock::new() }
    }

    /// The pattern as written.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Compiles it, or says why it cannot be.
    pub fn check(&self) -> Result<(), String> {
        Regex::new(&self.source).map(|_| ()).map_err(|cause| cause.to_string())
    }

    /// Whether it matches somewhere in `text`.
    pub fn is_match(&self, text: &str) -> bool {
        self.regex().is_some_and(|r| r.is_match(text))
    }

    /// Start and end of the first match, in bytes.
    pub fn find(&self, text: &str) -> Option<(usize, usize)> {
        self.regex()?.find(text).map(|m| (m.start(), m.end()))
    }

    /// The first match with its groups.
    pub fn captures<'t>(&self, text: &'t str) -> Option<Captures<'t>> {
        self.regex()?.captures(text)
    }

    /// Names of the groups.
    pub fn names(&self) -> Vec<&str> {
        self.regex().map(|r| r.capture_names().flatten().collect()).unwrap_or_default()
    }

    /// `text` with every match replaced by nothing.
    pub fn remove_all(&self, text: &str) -> String {
        match self.regex() {
            Some(r) => r.replace_all(text, "").into_owned(),
            None => text.to_owned(),
        }
    }

    fn regex(&self) -> Option<&Regex> {
        self.regex.get_or_init(|| Regex::new(&self.source).ok()).as_ref()
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl Eq for Pattern {}
