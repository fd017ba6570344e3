//! One matcher for all event rules: a search for fragments first, then only the rules that a fragment names.
//! Must not: keep text.

use std::sync::OnceLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use regex::Captures;

use crate::{EventRule, literal};

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
    /// Its groups.
    pub groups: Captures<'t>,
}

/// All event rules, ready to run.
#[derive(Debug)]
pub struct Matcher {
    rules: Vec<EventRule>,
    search: OnceLock<Search>,
}

#[derive(Debug)]
struct Search {
    automaton: Option<AhoCorasick>,
    /// Rule by fragment.
    owner: Vec<usize>,
    /// Rules without a proven fragment: run over every line.
    rest: Vec<usize>,
}

impl Matcher {
    /// Takes the rules; the search is built at its first use.
    pub fn new(rules: Vec<EventRule>) -> Self {
        Self { rules, search: OnceLock::new() }
    }

    /// All rules, in the order of their files.
    pub fn rules(&self) -> &[EventRule] {
        &self.rules
    }

    /// Ids of the rules that no fragment guards; they cost a run over every line.
    pub fn unguarded(&self) -> Vec<&str> {
        self.search().rest.iter().map(|&i| self.rules[i].id.as_str()).collect()
    }

    /// Runs all rules over the lines of `text`, in the order of lines, then of rules.
    pub fn scan<'r, 't>(&'r self, text: &'t str, mut each: impl FnMut(Found<'r, 't>)) {
        let search = self.search();
        let mut hits: Vec<(usize, usize)> = Vec::new();
        if let Some(automaton) = &search.automaton {
            let (mut line, mut counted) = (0, 0);
            for hit in automaton.find_overlapping_iter(text) {
                let end = hit.end();
                line += memchr::memchr_iter(b'\n', &text.as_bytes()[counted..end]).count();
                counted = end;
                hits.push((line, search.owner[hit.pattern().as_usize()]));
            }
        }
        if hits.is_empty() && search.rest.is_empty() {
            return;
        }
        self.run(text, hits, &search.rest, &mut each);
    }

    fn run<'r, 't>(
        &'r self,
        text: &'t str,
        mut hits: Vec<(usize, usize)>,
        rest: &[usize],
        each: &mut impl FnMut(Found<'r, 't>),
    ) {
        hits.sort_unstable();
        hits.dedup();
        let mut hits = hits.into_iter().peekable();
        for (number, line) in text.split('\n').enumerate() {
            if rest.is_empty() && hits.peek().is_none() {
                return;
            }
            let mut rules: Vec<usize> = Vec::new();
            while let Some((_, rule)) = hits.next_if(|(at, _)| *at == number) {
                rules.push(rule);
            }
            if rules.is_empty() && rest.is_empty() {
                continue;
            }
            rules.extend_from_slice(rest);
            rules.sort_unstable();
            let line = cut(line);
            for rule in rules.into_iter().map(|i| &self.rules[i]) {
                if let Some(groups) = rule.pattern.captures(line) {
                    each(Found { line: number, text: line, rule, groups });
                }
            }
        }
    }

    fn search(&self) -> &Search {
        self.search.get_or_init(|| {
            let (mut fragments, mut owner, mut rest) = (Vec::new(), Vec::new(), Vec::new());
            for (i, rule) in self.rules.iter().enumerate() {
                match literal::required(rule.pattern.source()) {
                    Some(all) => {
                        owner.extend(std::iter::repeat_n(i, all.len()));
                        fragments.extend(all);
                    }
                    None => rest.push(i),
                }
            }
            let automaton = AhoCorasick::builder()
                .ascii_case_insensitive(true)
                .match_kind(MatchKind::Standard)
                .kind(Some(AhoCorasickKind::DFA))
                .build(&fragments)
                .ok();
            if automaton.is_none() {
                rest = (0..self.rules.len()).collect();
            }
            Search { automaton, owner, rest }
        })
    }
}

fn cut(line: &str) -> &str {
    if line.len() <= LONGEST {
        return line;
    }
    let end = (0..=LONGEST).rev().find(|&i| line.is_char_boundary(i)).unwrap_or(0);
    &line[..end]
}
