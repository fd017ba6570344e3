//! Secrets in text: where they stand, and the text without them.
//!
//! Owns: what is put in a secret's place. Must not: keep text, read the environment, make a key.

use std::borrow::Cow;
use std::collections::hash_map::DefaultHasher;
use std::hash::Hasher;
use std::ops::Range;

use memchr::memmem::Finder;
use patterns::Secrets;
use patterns::secret::Open;

use crate::redact_rows::{Rows, SEAM, may_end, seams};

/// Fewest characters of a value of the environment that is looked for.
pub const VALUE_MIN: usize = 12;

/// Most values of the environment that are looked for.
const VALUES_MAX: usize = 64;

/// Fewest bytes of a secret whose end was cut off that are replaced.
const CUT_MIN: usize = 8;

/// Bytes before the end of a text in which the first characters of a value, and the row's end after them, are looked for.
const NEAR: usize = 256;

/// What a value of the environment is called.
const VALUE: &str = "env";

/// Knows secrets, by their form and by their value.
pub struct Redactor {
    secrets: &'static Secrets,
    values: Vec<Finder<'static>>,
    /// What those values begin with.
    heads: Vec<Finder<'static>>,
    key: [u8; 16],
}

/// Where a secret stands in a text, in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// Its kind.
    pub kind: &'static str,
    /// What is replaced in a text.
    pub secret: Range<usize>,
    /// What nobody may see; it is masked where the layout must stay.
    pub body: Range<usize>,
}

impl Redactor {
    /// Knows these kinds, and these values of the environment; shorter ones than [`VALUE_MIN`] are left out.
    ///
    /// `key` is what equal secrets are recognised by without being told.
    pub fn new(secrets: &'static Secrets, values: impl IntoIterator<Item = String>, key: [u8; 16]) -> Self {
        let mut all: Vec<String> = Vec::new();
        for value in values {
            // A value over several lines is printed line by line, with whatever stands before each.
            all.extend(value.lines().map(|line| line.trim().to_owned()));
        }
        all.retain(|value| value.chars().count() >= VALUE_MIN);
        all.sort_by_key(|value| std::cmp::Reverse(value.len()));
        all.dedup();
        all.truncate(VALUES_MAX);
        let finder = |text: &[u8]| Finder::new(text).into_owned();
        let heads = all.iter().map(|value| finder(&value.as_bytes()[..SEAM])).collect();
        let values = all.iter().map(|value| finder(value.as_bytes())).collect();
        Self { secrets, values, heads, key }
    }

    /// The text with every secret replaced by `[REDACTED:kind:hash4]`.
    pub fn text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let spans = self.spans(text);
        self.replaced(text, &spans)
    }

    /// The same for a text whose end was cut off: what may be the beginning of a secret there is replaced, too.
    pub fn cut<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut spans = self.spans(text);
        let open = self.open(text).filter(|open| open.body + CUT_MIN <= text.len());
        if let Some(Open { body, .. }) = open
            && spans.last().is_none_or(|last| last.secret.end <= body)
        {
            spans.push(Span { kind: "cut", secret: body..text.len(), body: body..text.len() });
        }
        self.replaced(text, &spans)
    }

    /// The text with every secret masked in its place: as many columns, the same layout.
    pub fn masked<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let bodies = self.bodies(text, false);
        if bodies.is_empty() {
            return Cow::Borrowed(text);
        }
        let mut out = String::with_capacity(text.len());
        for (at, c) in text.char_indices() {
            match bodies.iter().any(|body| body.contains(&at)) && is_masked(c) {
                true => (0..columns(c)).for_each(|_| out.push('*')),
                false => out.push(c),
            }
        }
        Cow::Owned(out)
    }

    /// Where secrets stand, in order. A secret that a program broke at the end of a row is put together when its form
    /// alone tells it; one that is whole without the next row goes on there only when its own row is full.
    pub fn spans(&self, text: &str) -> Vec<Span> {
        one_after_the_other(self.all(text, false))
    }

    /// What nobody may see of all secrets; parts may overlap. When the text is `growing`, only of those that were known
    /// as soon as they began: what comes later must not tell otherwise of what was shown.
    pub fn bodies(&self, text: &str, growing: bool) -> Vec<Range<usize>> {
        self.all(text, growing).into_iter().map(|span| span.body).collect()
    }

    fn all(&self, text: &str, growing: bool) -> Vec<Span> {
        let mut spans = self.found(text, growing);
        if self.may_be_broken(text) {
            let rows = if growing { Rows::growing(text) } else { Rows::joined(text) };
            let across = self.found(rows.text(), growing).into_iter().filter_map(|span| {
                let mut breaks = rows.breaks(&span.secret).peekable();
                let broken = breaks.peek().is_some();
                let full = breaks.all(|row| rows.is_full(text, row));
                let (body, secret) = (rows.original(&span.body), rows.original(&span.secret));
                // Another secret that it runs into says nothing of where it begins.
                let whole = spans.iter().any(|other| other.secret.contains(&secret.start));
                let wanted = broken && self.joins(span.kind) && (full || !whole);
                wanted.then_some(Span { kind: span.kind, secret, body })
            });
            let across: Vec<Span> = across.collect();
            spans.extend(across);
        }
        spans
    }

    /// Where the secret begins that the end of the text may be the beginning of.
    pub fn open(&self, text: &str) -> Option<Open> {
        let plain = self.begun(text, false);
        // Its row may be over, and the secret go on in the next.
        let goes_on = self.may_be_broken(text) || may_end(text) && self.begins(text);
        let joined = goes_on.then(|| Rows::growing(text)).and_then(|rows| {
            let open = self.begun(rows.text(), true)?;
            (open.body < rows.text().len())
                .then(|| Open { start: rows.place(open.start), body: rows.place(open.body) })
        });
        plain.into_iter().chain(joined).chain(self.broken_at_once(text)).min_by_key(|open| open.body)
    }

    /// The same of a value that a row's end broke before what tells it was whole.
    fn broken_at_once(&self, text: &str) -> Option<Open> {
        let near = text.len().saturating_sub(NEAR);
        let near = (near..=text.len()).find(|&at| text.is_char_boundary(at))?;
        let rows = Rows::growing(&text[near..]);
        let begun =
            self.values.iter().filter_map(|value| begun(rows.text().as_bytes(), value.needle())).min()?;
        let at = near + rows.place(begun);
        Some(Open { start: at, body: at })
    }

    /// Whether a secret may go on in another row: what tells it stands in one row, or across the seam of two.
    fn may_be_broken(&self, text: &str) -> bool {
        memchr::memchr2(b'\n', b'\r', text.as_bytes()).is_some()
            && (self.begins(text) || self.begins(&seams(text)))
    }

    /// Whether what secrets are told by stands in the text.
    fn begins(&self, text: &str) -> bool {
        self.secrets.may_begin(text) || self.heads.iter().any(|head| head.find(text.as_bytes()).is_some())
    }

    fn begun(&self, text: &str, joined: bool) -> Option<Open> {
        let form = self.secrets.open(text, joined);
        let value = self.values.iter().filter_map(|value| begun(text.as_bytes(), value.needle())).min();
        form.into_iter().chain(value.map(|at| Open { start: at, body: at })).min_by_key(|open| open.body)
    }

    fn joins(&self, kind: &str) -> bool {
        kind == VALUE || self.secrets.kinds().iter().any(|k| k.id == kind && k.joins)
    }

    fn found(&self, text: &str, growing: bool) -> Vec<Span> {
        let mut hits = Vec::new();
        self.secrets.find(text, &mut hits);
        hits.retain(|hit| !growing || self.secrets.kinds()[hit.kind].is_followed());
        hits.sort_by_key(|hit| hit.kind);
        let mut spans: Vec<Span> = Vec::with_capacity(hits.len());
        // A value that is known tells more than its form.
        for value in &self.values {
            let length = value.needle().len();
            let places = value.find_iter(text.as_bytes()).map(|at| at..at + length);
            spans.extend(places.map(|place| Span { kind: VALUE, secret: place.clone(), body: place }));
        }
        spans.extend(hits.into_iter().map(|hit| Span {
            kind: &self.secrets.kinds()[hit.kind].id,
            secret: hit.secret,
            body: hit.body,
        }));
        spans
    }

    fn replaced<'t>(&self, text: &'t str, spans: &[Span]) -> Cow<'t, str> {
        if spans.is_empty() {
            return Cow::Borrowed(text);
        }
        let (mut out, mut from) = (String::with_capacity(text.len()), 0);
        for span in spans {
            out.push_str(&text[from..span.secret.start]);
            let hash = self.hash(&text[span.secret.clone()]);
            out.push_str(&format!("[REDACTED:{}:{hash:04x}]", span.kind));
            from = span.secret.end;
        }
        out.push_str(&text[from..]);
        Cow::Owned(out)
    }

    /// 16 bits: enough to see that two secrets are the same, too few to try guesses against, and nothing without the key.
    fn hash(&self, secret: &str) -> u16 {
        let mut hasher = DefaultHasher::new();
        hasher.write(&self.key);
        // Where a program broke it must not tell one secret from itself.
        secret.chars().filter(|c| is_masked(*c)).for_each(|c| hasher.write_u32(c.into()));
        hasher.write(&self.key);
        (hasher.finish() >> 48) as u16
    }
}

impl std::fmt::Debug for Redactor {
    /// Without what it knows.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Redactor").field("values", &self.values.len()).finish_non_exhaustive()
    }
}

/// Whether a character inside a secret is masked: blanks and borders belong to the layout.
pub fn is_masked(c: char) -> bool {
    !c.is_whitespace() && !('\u{2500}'..='\u{257f}').contains(&c) && !c.is_control()
}

fn columns(c: char) -> usize {
    unicode_width::UnicodeWidthChar::width(c).unwrap_or(0)
}

/// Where the end of the text begins that is a beginning of `value`, but not all of it.
fn begun(text: &[u8], value: &[u8]) -> Option<usize> {
    let longest = text.len().min(value.len() - 1);
    (text.len() - longest..text.len()).find(|&at| value.starts_with(&text[at..]))
}

/// What overlaps becomes one: its name is that of the first that was found.
fn one_after_the_other(mut spans: Vec<Span>) -> Vec<Span> {
    let mut kinds: Vec<(Range<usize>, &'static str)> = Vec::new();
    kinds.extend(spans.iter().map(|span| (span.secret.clone(), span.kind)));
    spans.sort_by_key(|span| (span.secret.start, std::cmp::Reverse(span.secret.end)));
    let mut out: Vec<Span> = Vec::with_capacity(spans.len());
    for span in spans {
        match out.last_mut().filter(|last| span.secret.start < last.secret.end) {
            Some(last) => {
                last.secret.end = last.secret.end.max(span.secret.end);
                last.body = last.body.start.min(span.body.start)..last.body.end.max(span.body.end);
            }
            None => out.push(span),
        }
    }
    for span in &mut out {
        let over = |range: &Range<usize>| range.start < span.secret.end && span.secret.start < range.end;
        span.kind = kinds.iter().find(|(range, _)| over(range)).map_or(span.kind, |(_, kind)| kind);
    }
    out
}
