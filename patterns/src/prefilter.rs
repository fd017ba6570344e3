//! Which lines deserve a closer look, and by which rules: a search for few short texts over many lines at once.
//! Must not: miss a line that a rule matches.

use std::cell::Cell;
use std::collections::BTreeMap;

use aho_corasick::Span;
use aho_corasick::packed::{Config, MatchKind, Searcher};
use regex_syntax::hir::Hir;

use crate::literal::{self, WINDOW, rarity, windows};
use crate::start::{self, Skip, Start};

/// Most texts of one search: beyond that it is no longer done by vector instructions.
const MOST: usize = 64;

thread_local! {
    /// Room for the rules of one line, so that looking at a line costs no allocation.
    static RULES: Cell<Vec<usize>> = const { Cell::new(Vec::new()) };
}

/// Rules by number, as they are searched for.
#[derive(Debug)]
pub struct Prefilter {
    searches: Vec<Search>,
    starts: Starts,
    always: Vec<usize>,
    /// By rule: bytes that its lines may begin with, a bit for each.
    first: Vec<[u64; 4]>,
}

#[derive(Debug)]
struct Search {
    searcher: Option<Searcher>,
    /// The texts, for where there are no vector instructions.
    texts: Vec<Vec<u8>>,
    /// Rules by text.
    rules: Vec<Vec<usize>>,
}

/// How a rule's lines are found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Guard {
    /// One of these texts stands in the line.
    Texts(Vec<Vec<u8>>),
    /// The line begins so.
    Start(Start),
    /// Nothing is known; it is run over every line.
    None,
}

/// How the lines of a pattern are found.
pub fn guard(hir: &Hir) -> Guard {
    // A look at a line's beginning costs less than a text that has to be searched for.
    match start::start(hir) {
        Some(start) => Guard::Start(start),
        None => match literal::required(hir).filter(|all| all.iter().all(|text| text.len() >= 3)) {
            Some(texts) => Guard::Texts(texts),
            None => Guard::None,
        },
    }
}

impl Prefilter {
    /// For these rules.
    pub fn new<'p>(patterns: impl Iterator<Item = &'p str>) -> Self {
        let (mut wanted, mut starts, mut always) = (Vec::new(), Vec::new(), Vec::new());
        let mut first = Vec::new();
        for (rule, pattern) in patterns.enumerate() {
            let hir = regex_syntax::parse(pattern).unwrap_or_else(|_| Hir::fail());
            first.push(start::first_bytes(&hir).unwrap_or([u64::MAX; 4]));
            match guard(&hir) {
                Guard::Texts(texts) => wanted.extend(texts.into_iter().map(|text| (text, rule))),
                Guard::Start(start) => starts.push((rule, start)),
                Guard::None => always.push(rule),
            }
        }
        let searches = choose(wanted).into_iter().map(Search::new).collect();
        Self { searches, starts: Starts::new(starts), always, first }
    }

    /// Rules that are run over every line.
    pub fn always(&self) -> &[usize] {
        &self.always
    }

    /// How many searches are done, one after the other.
    pub fn passes(&self) -> usize {
        self.searches.len()
    }

    /// Calls `each` for every line that may match, in order, with its number, its text and its rules in their order.
    pub fn lines<'t>(&self, text: &'t str, mut each: impl FnMut(usize, &'t str, &[usize])) {
        let bytes = text.as_bytes();
        let (mut next, mut starting) = ([(usize::MAX, 0); 8], 0);
        let (mut number, mut counted) = (0, 0);
        let mut rules = RULES.take();
        let searches = &self.searches[..self.searches.len().min(next.len())];
        let every = !self.always.is_empty() || self.searches.len() > next.len();
        for (search, next) in searches.iter().zip(&mut next) {
            *next = search.hit(bytes, 0);
        }
        starting = self.starts.next(bytes, starting);
        let mut from = 0;
        while from < bytes.len() {
            let found = next[..searches.len()].iter().fold(starting, |first, (at, _)| first.min(*at));
            let found = if every { from } else { found };
            if found == usize::MAX {
                break;
            }
            let start = memchr::memrchr(b'\n', &bytes[from..found]).map_or(from, |at| from + at + 1);
            let end = memchr::memchr(b'\n', &bytes[found..]).map_or(bytes.len(), |at| found + at);
            number += memchr::memchr_iter(b'\n', &bytes[counted..start]).count();
            counted = start;
            let line = &text[start..end];
            rules.clear();
            for (search, next) in searches.iter().zip(&mut next) {
                while next.0 < end {
                    rules.extend(&search.rules[next.1]);
                    *next = search.hit(bytes, next.0 + 1);
                }
            }
            if starting == start {
                self.starts.note(line, &mut rules);
                starting = self.starts.next(bytes, end + 1);
            }
            rules.extend(&self.always);
            for search in self.searches.iter().skip(searches.len()) {
                rules.extend(search.rules.iter().flatten());
            }
            rules.sort_unstable();
            rules.dedup();
            if let Some(byte) = line.as_bytes().first() {
                rules.retain(|rule| self.first[*rule][usize::from(byte / 64)] >> (byte % 64) & 1 == 1);
            }
            if !rules.is_empty() {
                each(number, line, &rules);
            }
            from = end + 1;
        }
        RULES.set(rules);
    }
}

/// How a line begins, and the rule.
type Prefix = (Vec<u8>, usize);

/// Rules that are told by how a line begins.
#[derive(Debug)]
struct Starts {
    /// Beginnings with their rule, by their first byte, for each of what may be passed over.
    prefixes: Vec<(Skip, Vec<Vec<Prefix>>)>,
    /// The first two bytes that a line may begin with: a bit for the second, by the first.
    pairs: Vec<[u64; 4]>,
    /// The most that any of them passes over.
    skip: Skip,
}

impl Starts {
    fn new(rules: Vec<(usize, Start)>) -> Self {
        let mut starts = Self { prefixes: Vec::new(), pairs: vec![[0; 4]; 256], skip: Skip::Nothing };
        for (rule, start) in rules {
            starts.skip = starts.skip.max(start.skip);
            for prefix in start.prefixes {
                starts.add(start.skip, prefix, rule);
            }
        }
        starts
    }

    fn add(&mut self, skip: Skip, prefix: Vec<u8>, rule: usize) {
        let first = usize::from(prefix[0]);
        match prefix.get(1) {
            Some(second) => self.pairs[first][usize::from(second / 64)] |= 1 << (second % 64),
            None => self.pairs[first] = [u64::MAX; 4],
        }
        let kind = self.prefixes.iter().position(|(kind, _)| *kind == skip).unwrap_or_else(|| {
            self.prefixes.push((skip, vec![Vec::new(); 256]));
            self.prefixes.len() - 1
        });
        self.prefixes[kind].1[first].push((prefix, rule));
    }

    /// The next line, at or after a line's beginning, that may begin right.
    fn next(&self, bytes: &[u8], from: usize) -> usize {
        if self.prefixes.is_empty() || from >= bytes.len() {
            return usize::MAX;
        }
        if self.may_begin(&bytes[from..]) {
            return from;
        }
        let found = memchr::memchr_iter(b'\n', &bytes[from..]).map(|at| from + at + 1);
        let mut lines = found.filter(|at| *at < bytes.len());
        lines.find(|at| self.may_begin(&bytes[*at..])).unwrap_or(usize::MAX)
    }

    fn may_begin(&self, line: &[u8]) -> bool {
        if self.begins(line) {
            return true;
        }
        // Of what is passed over only ASCII is looked at here; the rest is left to a closer look.
        let passed = |byte: &u8| match self.skip {
            Skip::Nothing => false,
            Skip::Blanks => matches!(byte, 0x09 | 0x0b..=0x0d | 0x20),
            Skip::Marks => !byte.is_ascii_alphanumeric() && !matches!(byte, b'_' | b'\n' | 0x80..),
        };
        let mut rest = line;
        while let Some((byte, after)) = rest.split_first()
            && passed(byte)
        {
            rest = after;
            if self.begins(rest) {
                return true;
            }
        }
        self.skip != Skip::Nothing && rest.first().is_some_and(|byte| *byte >= 0x80)
    }

    fn begins(&self, line: &[u8]) -> bool {
        let seconds = |byte: u8| self.pairs[usize::from(byte)];
        match *line {
            [first, second, ..] => seconds(first)[usize::from(second / 64)] >> (second % 64) & 1 == 1,
            [first] => seconds(first) != [0; 4],
            [] => false,
        }
    }

    fn note(&self, line: &str, rules: &mut Vec<usize>) {
        for (skip, prefixes) in &self.prefixes {
            let line = skip.pass(line).as_bytes();
            let Some(first) = line.first() else { continue };
            let fits = prefixes[usize::from(*first)].iter().filter(|(prefix, _)| line.starts_with(prefix));
            rules.extend(fits.map(|(_, rule)| *rule));
        }
    }
}

impl Search {
    fn new(chosen: Vec<(Vec<u8>, Vec<usize>)>) -> Self {
        let (texts, rules): (Vec<Vec<u8>>, Vec<Vec<usize>>) = chosen.into_iter().unzip();
        let searcher = Config::new().match_kind(MatchKind::LeftmostFirst).builder().extend(&texts).build();
        Self { searcher, texts, rules }
    }

    /// Where the next text stands, at or after a place, and which.
    fn hit(&self, bytes: &[u8], from: usize) -> (usize, usize) {
        let none = (usize::MAX, 0);
        if from >= bytes.len() {
            return none;
        }
        match &self.searcher {
            Some(searcher) => {
                let hit = searcher.find_in(bytes, Span { start: from, end: bytes.len() });
                hit.map_or(none, |hit| (hit.start(), hit.pattern().as_usize()))
            }
            None => {
                let at = |text: &Vec<u8>| memchr::memmem::find(&bytes[from..], text);
                let hits = self.texts.iter().enumerate().filter_map(|(i, text)| Some((from + at(text)?, i)));
                hits.min().unwrap_or(none)
            }
        }
    }
}

/// Chooses few parts such that each text holds one of those that its rule is noted at, and shares them out among as
/// many searches as they need.
///
/// Invariant: no part begins with another, so at one place stands at most one.
fn choose(wanted: Vec<(Vec<u8>, usize)>) -> Vec<Vec<(Vec<u8>, Vec<usize>)>> {
    let mut holders: BTreeMap<&[u8], u32> = BTreeMap::new();
    for (text, _) in &wanted {
        for part in windows(text) {
            *holders.entry(part).or_default() += 1;
        }
    }
    let mut chosen: BTreeMap<&[u8], Vec<usize>> = BTreeMap::new();
    let mut order: Vec<&(Vec<u8>, usize)> = wanted.iter().collect();
    // Short texts leave no choice; what they take may serve the others.
    order.sort_by_key(|(text, _)| text.len());
    for (text, rule) in order {
        let taken = windows(text).find(|part| chosen.contains_key(part));
        let shorter = || (3..WINDOW).flat_map(|n| text.windows(n)).find(|part| chosen.contains_key(part));
        let part = taken.or_else(shorter).unwrap_or_else(|| {
            // A part that many share may be twice as common for each doubling.
            let worth = |part: &&[u8]| rarity(part) + holders[part].ilog2() * 2;
            windows(text).max_by_key(worth).unwrap_or(text)
        });
        let rules = chosen.entry(part).or_default();
        if !rules.contains(rule) {
            rules.push(*rule);
        }
    }
    let all: Vec<_> = chosen.into_iter().map(|(part, rules)| (part.to_vec(), rules)).collect();
    // Short parts slow a search down; they get one of their own.
    let (whole, short): (Vec<_>, Vec<_>) = all.into_iter().partition(|(part, _)| part.len() == WINDOW);
    let share = |all: Vec<(Vec<u8>, Vec<usize>)>| {
        let (count, size) = (all.len().div_ceil(MOST), all.len());
        all.chunks(size.div_ceil(count.max(1)).max(1)).map(<[_]>::to_vec).collect::<Vec<_>>()
    };
    [share(whole), share(short)].concat()
}
