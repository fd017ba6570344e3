//! What secrets look like, and where they stand in a text.
//!
//! Owns: the kinds in `secrets.toml`, the search for them. Must not: keep text, or decide what becomes of a secret.

use std::ops::Range;
use std::sync::OnceLock;

use regex::Captures;
use serde::Deserialize;

use crate::prefilter::Prefilter;
use crate::prefix::{self, BODY};
use crate::{Error, Pattern};

/// The group that is replaced in a text, when it is not the whole match.
const SECRET: &str = "secret";

/// Beginnings of a kind that cannot be followed: what no text holds, as it is no character.
const NEVER: &str = "\u{10ffff}\u{10ffff}";

/// Longest piece that a kind over several lines may take.
const BLOCK_MAX: usize = 32 << 10;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    kind: Vec<KindTable>,
}

/// A kind as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KindTable {
    /// Unique id; it is shown in place of the secret.
    pub id: String,
    /// What it opens.
    pub meaning: String,
    /// The pattern; its group `body` is what nobody may see, `secret` what is replaced (else the whole match).
    pub pattern: String,
    /// Least bits of entropy for each character of the body.
    #[serde(default)]
    pub entropy: Option<f64>,
    /// The body holds at least one digit and one letter.
    #[serde(default)]
    pub mixed: bool,
    /// It is told by its form alone, so that it may be put together from rows that a program broke.
    #[serde(default = "yes")]
    pub joins: bool,
    /// It goes over several lines.
    #[serde(default)]
    pub block: bool,
    /// It is told by its end, and goes over several lines before that. It cannot be followed while it is written.
    #[serde(default)]
    pub back: bool,
    /// Examples; `<A*36>` stands for 36 times `A`.
    pub matches: Vec<String>,
    /// Counter-examples.
    pub rejects: Vec<String>,
}

fn yes() -> bool {
    true
}

/// The kinds as they are written.
pub fn tables() -> Result<Vec<KindTable>, Error> {
    let file: Result<File, _> = toml::from_str(include_str!("../secrets.toml"));
    file.map(|file| file.kind)
        .map_err(|cause| Error::Schema { file: "secrets.toml".to_owned(), cause: cause.to_string() })
}

/// An example with its repetitions written out: the file holds nothing that could be taken for somebody's secret.
pub fn spelled(example: &str) -> String {
    let mut out = String::new();
    let mut rest = example;
    while let Some(start) = rest.find('<') {
        let times = |inner: &str| {
            let (text, count) = inner.rsplit_once('*')?;
            Some(text.repeat(count.parse().ok()?))
        };
        let end = rest[start..].find('>').map(|end| start + end);
        match end.and_then(|end| Some((end, times(&rest[start + 1..end])?))) {
            Some((end, text)) => {
                out.push_str(&rest[..start]);
                out.push_str(&text);
                rest = &rest[end + 1..];
            }
            None => {
                out.push_str(&rest[..=start]);
                rest = &rest[start + 1..];
            }
        }
    }
    out + rest
}

/// A kind of secret.
#[derive(Debug)]
pub struct Kind {
    /// Its id.
    pub id: String,
    /// Whether it may be put together from rows that a program broke.
    pub joins: bool,
    pattern: Pattern,
    open: Pattern,
    entropy: Option<f64>,
    mixed: bool,
    block: bool,
    back: bool,
}

/// Where a secret stands, in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// Number of its kind.
    pub kind: usize,
    /// What is replaced in a text.
    pub secret: Range<usize>,
    /// What nobody may see.
    pub body: Range<usize>,
}

/// The end of a text that may be the beginning of a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Open {
    /// Where what tells it begins.
    pub start: usize,
    /// Where the part begins that nobody may see.
    pub body: usize,
}

/// All kinds, ready to run.
#[derive(Debug)]
pub struct Secrets {
    kinds: Vec<Kind>,
    whole: OnceLock<Prefilter>,
    begun: OnceLock<Prefilter>,
}

impl Secrets {
    /// The kinds that are part of the program.
    pub fn builtin() -> &'static Self {
        static ALL: OnceLock<Secrets> = OnceLock::new();
        ALL.get_or_init(|| Self::new(tables().expect("a test reads the file")))
    }

    /// Takes kinds; the search is built at its first use.
    pub fn new(tables: Vec<KindTable>) -> Self {
        let kinds = tables.into_iter().map(Kind::new).collect();
        Self { kinds, whole: OnceLock::new(), begun: OnceLock::new() }
    }

    /// All kinds, in the order of their file.
    pub fn kinds(&self) -> &[Kind] {
        &self.kinds
    }

    /// Ids of the kinds whose pattern, or whose beginnings, nothing guards; they would cost a run over every line.
    pub fn unguarded(&self) -> Vec<&str> {
        let always = self.whole().always().iter().chain(self.begun().always());
        always.map(|&i| self.kinds[i].id.as_str()).collect()
    }

    /// How many searches are done over each text.
    pub fn passes(&self) -> usize {
        self.whole().passes()
    }

    /// Appends every secret of the text, in no order; they may overlap.
    pub fn find(&self, text: &str, hits: &mut Vec<Hit>) {
        // By kind, how far a block was read; room is made at the first line that deserves a look.
        let mut read = Vec::new();
        self.whole().lines(text, |_, line, kinds| {
            let start = line.as_ptr() as usize - text.as_ptr() as usize;
            read.resize(self.kinds.len(), 0);
            for &number in kinds {
                let kind = &self.kinds[number];
                let from = if kind.back { floor(text, start.saturating_sub(BLOCK_MAX)) } else { start };
                let from = from.max(read[number]);
                let end = if kind.block { floor(text, start + BLOCK_MAX) } else { start + line.len() };
                if from < end {
                    read[number] = kind.find(number, text, from..end, hits);
                }
            }
        });
    }

    /// Whether the text may hold the beginning of a secret.
    pub fn may_begin(&self, text: &str) -> bool {
        let mut begins = false;
        self.begun().lines(text, |_, _, _| begins = true);
        begins
    }

    /// Where the secret begins that the end of the text may be the beginning of, the earliest; of those kinds only that
    /// may be `joined` from rows, when it was.
    pub fn open(&self, text: &str, joined: bool) -> Option<Open> {
        let mut first: Option<Open> = None;
        self.begun().lines(text, |_, line, kinds| {
            let start = line.as_ptr() as usize - text.as_ptr() as usize;
            for kind in kinds.iter().map(|&i| &self.kinds[i]).filter(|kind| kind.joins || !joined) {
                let Some(groups) = kind.open.captures(&text[start..]) else { continue };
                let Some((all, body)) = groups.get(0).zip(groups.name(BODY)) else { continue };
                let open = Open { start: start + all.start(), body: start + body.start() };
                if first.is_none_or(|first| open.body < first.body) {
                    first = Some(open);
                }
            }
        });
        first
    }

    fn whole(&self) -> &Prefilter {
        self.whole.get_or_init(|| Prefilter::new(self.kinds.iter().map(|kind| kind.pattern.source())))
    }

    fn begun(&self) -> &Prefilter {
        self.begun.get_or_init(|| Prefilter::new(self.kinds.iter().map(|kind| kind.open.source())))
    }
}

impl Kind {
    fn new(table: KindTable) -> Self {
        // Borders of words are those of ASCII: others cannot be found by an automaton.
        let source = table.pattern.replace(r"\b", r"(?-u:\b)");
        let followed = (!table.back).then(|| regex_syntax::parse(&source).ok()).flatten();
        let open = followed.and_then(|hir| prefix::open(&hir));
        Self {
            id: table.id,
            joins: table.joins,
            pattern: Pattern::new(source),
            open: Pattern::new(open.map_or_else(|| NEVER.to_owned(), |hir| hir.to_string())),
            entropy: table.entropy,
            mixed: table.mixed,
            block: table.block,
            back: table.back,
        }
    }

    /// Whether it is told by what it begins with, so that it can be followed while it is written.
    pub fn is_followed(&self) -> bool {
        !self.back
    }

    /// Its pattern.
    pub fn pattern(&self) -> &Pattern {
        &self.pattern
    }

    /// The pattern of its beginnings.
    pub fn beginnings(&self) -> &Pattern {
        &self.open
    }

    /// Finds all in a part of a text; gives where it stopped.
    fn find(&self, number: usize, text: &str, part: Range<usize>, hits: &mut Vec<Hit>) -> usize {
        let mut from = part.start;
        while let Some(groups) = self.pattern.captures(&text[from..part.end]) {
            let Some((all, body)) = groups.get(0).zip(groups.name(BODY)) else { break };
            let secret = named(&groups).unwrap_or(all.range());
            if self.is_secret(body.as_str()) {
                let moved = |range: Range<usize>| from + range.start..from + range.end;
                hits.push(Hit { kind: number, secret: moved(secret), body: moved(body.range()) });
            }
            from += all.end().max(1);
            if from >= part.end || !text.is_char_boundary(from) {
                break;
            }
        }
        from
    }

    fn is_secret(&self, body: &str) -> bool {
        let enough = self.entropy.is_none_or(|least| entropy(body) >= least);
        let digit = |b: u8| b.is_ascii_digit();
        let letter = |b: u8| b.is_ascii_alphabetic();
        enough && (!self.mixed || body.bytes().any(digit) && body.bytes().any(letter))
    }
}

fn named(groups: &Captures<'_>) -> Option<Range<usize>> {
    groups.name(SECRET).map(|group| group.range())
}

fn floor(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0)
}

/// Shannon's entropy of a text's bytes, in bits for each.
pub fn entropy(text: &str) -> f64 {
    let mut counts = [0_u32; 256];
    text.bytes().for_each(|byte| counts[usize::from(byte)] += 1);
    let length = text.len().max(1) as f64;
    let share = |count: &u32| f64::from(*count) / length;
    counts.iter().filter(|count| **count > 0).map(|count| -share(count) * share(count).log2()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_are_spelled_out() {
        assert_eq!(spelled("a<B*3>c<d1*2>"), "aBBBcd1d1");
        assert_eq!(spelled("<your-key> < <x*y>"), "<your-key> < <x*y>");
    }

    #[test]
    fn entropy_is_in_bits() {
        assert_eq!((entropy("aaaa"), entropy("abab"), entropy("abcd")), (0.0, 1.0, 2.0));
    }
}
