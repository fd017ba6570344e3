//! One matcher for all event rules: a search for fragments first, then only the rules that a fragment names.
//! Must not: keep text.

use std::sync::OnceLock;

use regex::Captures;

use crate::EventRule;
use crate::prefilter::Prefilter;

/// Longest line that rules are run over, in bytes; longer ones are cut.
const LONGEST: usize = 2_000;

/// One thing that a rule found.
#[derive(Debug)]
pub struct Found<'r, 't> {
    /// Number of the line in the text, from 0.
    pub line: usize,
    /// The line, cut at 2,000 bytes.
    pub text: &'t str,
    /// The rule.
    pub rule: &'r EventRule,
}

impl<'t> Found<'_, 't> {
    /// The groups of the rule's pattern. They are looked for only when they are asked for.
    pub fn groups(&self) -> Option<Captures<'t>> {
        self.rule.pattern.captures(self.text)
    }
}

/// All event rules, ready to run.
#[derive(Debug)]
pub struct Matcher {
    rules: Vec<EventRule>,
    prefilter: OnceLock<Prefilter>,
}

impl Matcher {
    /// Takes the rules; the search is built at its first use.
    pub fn new(rules: Vec<EventRule>) -> Self {
        Self { rules, prefilter: OnceLock::new() }
    }

    /// All rules, in the order of their files.
    pub fn rules(&self) -> &[EventRule] {
        &self.rules
    }

    /// Ids of the rules that nothing guards; they cost a run over every line.
    pub fn unguarded(&self) -> Vec<&str> {
        self.prefilter().always().iter().map(|&i| self.rules[i].id.as_str()).collect()
    }

    /// How many searches are done over each text.
    pub fn passes(&self) -> usize {
        self.prefilter().passes()
    }

    /// Runs all rules over the lines of `text`, in the order of lines, then of rules.
    pub fn scan<'r, 't>(&'r self, text: &'t str, mut each: impl FnMut(Found<'r, 't>)) {
        self.prefilter().lines(text, |number, line, rules| {
            let line = cut(line);
            for rule in rules.iter().map(|&i| &self.rules[i]) {
                if rule.pattern.is_match(line) {
                    each(Found { line: number, text: line, rule });
                }
            }
        });
    }

    fn prefilter(&self) -> &Prefilter {
        self.prefilter.get_or_init(|| Prefilter::new(self.rules.iter().map(|rule| rule.pattern.source())))
    }
}

fn cut(line: &str) -> &str {
    if line.len() <= LONGEST {
        return line;
    }
    let end = (0..=LONGEST).rev().find(|&i| line.is_char_boundary(i)).unwrap_or(0);
    &line[..end]
}
