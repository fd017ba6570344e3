//! How a line begins that a pattern matches. Must not: guess; `None` means that it may begin with anything.

use regex_syntax::hir::literal::{ExtractKind, Extractor};
use regex_syntax::hir::{Class, ClassUnicode, Hir, HirKind, Look};

/// Longest beginning that is compared.
const LONGEST: usize = 24;

/// What may stand before a line's beginning and is passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Skip {
    /// Nothing.
    Nothing,
    /// Blanks.
    Blanks,
    /// Anything but letters, digits and underscores of ASCII.
    Marks,
}

/// How every line begins that a pattern matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Start {
    /// What may stand before it.
    pub skip: Skip,
    /// What it begins with, one of these.
    pub prefixes: Vec<Vec<u8>>,
}

impl Skip {
    /// The line after what may be passed over.
    pub fn pass(self, line: &str) -> &str {
        match self {
            Self::Nothing => line,
            Self::Blanks => line.trim_start(),
            Self::Marks => line.trim_start_matches(|c: char| !word(c)),
        }
    }

    /// Whether a character is passed over.
    fn passes(self, c: char) -> bool {
        match self {
            Self::Nothing => false,
            Self::Blanks => c.is_whitespace(),
            Self::Marks => !word(c),
        }
    }
}

fn word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// How every line begins that a pattern matches; `None` when it may stand anywhere or begin with anything.
pub fn start(hir: &Hir) -> Option<Start> {
    match hir.kind() {
        HirKind::Alternation(parts) => either(parts.iter().map(start)),
        HirKind::Concat(parts) if matches!(parts[0].kind(), HirKind::Look(Look::Start)) => begun(&parts[1..]),
        _ => None,
    }
}

/// The same for what follows the beginning of the line.
fn begun(parts: &[Hir]) -> Option<Start> {
    let first = parts.first()?;
    match first.kind() {
        HirKind::Capture(capture) if parts.len() == 1 => return begun(std::slice::from_ref(&capture.sub)),
        HirKind::Concat(inner) if parts.len() == 1 => return begun(inner),
        HirKind::Alternation(inner) if parts.len() == 1 => {
            return either(inner.iter().map(|part| begun(std::slice::from_ref(part))));
        }
        _ => {}
    }
    let skip = passed(first);
    let rest = if skip.is_some() { &parts[1..] } else { parts };
    let found = Extractor::new().kind(ExtractKind::Prefix).extract(&Hir::concat(rest.to_vec()));
    let cut = |text: &[u8]| text[..text.len().min(LONGEST)].to_vec();
    let prefixes = found.literals()?.iter().map(|text| cut(text.as_bytes())).collect();
    sound(Start { skip: skip.unwrap_or(Skip::Nothing), prefixes })
}

/// What may be passed over for one of the parts may be for all: it only lets more lines through.
fn either(parts: impl Iterator<Item = Option<Start>>) -> Option<Start> {
    let all = parts.collect::<Option<Vec<_>>>()?;
    let skip = all.iter().map(|start| start.skip).max()?;
    sound(Start { skip, prefixes: all.into_iter().flat_map(|start| start.prefixes).collect() })
}

/// Only if lines can be told by these prefixes. What one of them begins with may be passed over in the line as well.
fn sound(mut start: Start) -> Option<Start> {
    for prefix in &mut start.prefixes {
        let whole = std::str::from_utf8(prefix).map_or_else(|e| e.valid_up_to(), str::len);
        let text = std::str::from_utf8(&prefix[..whole]).unwrap_or_default();
        let passed = whole - start.skip.pass(text).len();
        prefix.drain(..passed);
    }
    let long = |prefix: &Vec<u8>| prefix.len() >= 2 || prefix.first() == Some(&b'[');
    start.prefixes.dedup();
    (!start.prefixes.is_empty() && start.prefixes.iter().all(long)).then_some(start)
}

/// What a part matches that can be passed over: blanks or marks, any number of them.
fn passed(hir: &Hir) -> Option<Skip> {
    let (HirKind::Repetition(_), class) = (hir.kind(), class(hir)?) else { return None };
    let within = |skip: Skip| {
        let inside = |range: &regex_syntax::hir::ClassUnicodeRange| match skip {
            Skip::Nothing => false,
            Skip::Blanks => {
                u32::from(range.end()) - u32::from(range.start()) < 32
                    && (range.start()..=range.end()).all(|c| skip.passes(c))
            }
            Skip::Marks => {
                let ascii = range.start()..=range.end().min('\u{7f}');
                range.start() > '\u{7f}' || ascii.into_iter().all(|c| skip.passes(c))
            }
        };
        class.ranges().iter().all(inside)
    };
    [Skip::Blanks, Skip::Marks].into_iter().find(|skip| within(*skip))
}

fn class(hir: &Hir) -> Option<&ClassUnicode> {
    match hir.kind() {
        HirKind::Repetition(repetition) => class(&repetition.sub),
        HirKind::Class(Class::Unicode(class)) => Some(class),
        _ => None,
    }
}

/// The bytes that a line may begin with, a bit for each; `None` when the pattern may stand anywhere or match nothing.
pub fn first_bytes(hir: &Hir) -> Option<[u64; 4]> {
    let HirKind::Concat(parts) = hir.kind() else { return None };
    if !matches!(parts[0].kind(), HirKind::Look(Look::Start)) {
        return None;
    }
    let mut bytes = [0; 4];
    let empty = parts[1..].iter().all(|part| first(part, &mut bytes));
    (!empty).then_some(bytes)
}

/// Adds the first bytes of what a part matches; tells whether it may match nothing.
fn first(hir: &Hir, bytes: &mut [u64; 4]) -> bool {
    let mut add = |byte: u8| bytes[usize::from(byte / 64)] |= 1 << (byte % 64);
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => true,
        HirKind::Literal(literal) => {
            add(literal.0[0]);
            false
        }
        HirKind::Class(Class::Unicode(class)) => {
            for range in class.ranges() {
                (range.start()..=range.end().min('\u{7f}')).for_each(|c| add(c as u8));
                if range.end() > '\u{7f}' {
                    (0xc2..=0xf4).for_each(&mut add);
                }
            }
            false
        }
        HirKind::Class(Class::Bytes(_)) => {
            *bytes = [u64::MAX; 4];
            false
        }
        HirKind::Repetition(repetition) => first(&repetition.sub, bytes) || repetition.min == 0,
        HirKind::Capture(capture) => first(&capture.sub, bytes),
        // Every part is asked, not only up to the first that may match nothing.
        HirKind::Alternation(parts) => parts.iter().fold(false, |empty, part| first(part, bytes) | empty),
        HirKind::Concat(parts) => parts.iter().all(|part| first(part, bytes)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_is_what_every_match_begins_with() {
        let check = |pattern: &str, skip: Skip, prefixes: &[&str]| {
            let found = start(&regex_syntax::parse(pattern).expect(pattern));
            let prefixes = prefixes.iter().map(|text| text.as_bytes().to_vec()).collect();
            assert_eq!(found, Some(Start { skip, prefixes }), "{pattern}");
        };
        check(r"^\s*(?:⎿\s+)?\[(\S+)", Skip::Blanks, &["⎿", "["]);
        check(r"^\s+at (\S+)", Skip::Blanks, &["at "]);
        check(r"^panic: .+", Skip::Nothing, &["panic: "]);
        check(r"^panic: |^\s*at ", Skip::Blanks, &["panic: ", "at "]);
        check(r"^\W{0,6}(?P<m>over .*|under)", Skip::Marks, &["over ", "under"]);
        check(r"^ xx|^\s*yy", Skip::Blanks, &["xx", "yy"]);
        for pattern in [r"at x", r"^\s*\S+", r"^(?:\s*x|y)", r"^.*x", r"^\W*-x", r"^\W*éa", r"^\s* "] {
            assert_eq!(start(&regex_syntax::parse(pattern).expect(pattern)), None, "{pattern}");
        }
    }

    #[test]
    fn the_first_bytes_are_all_that_a_match_can_begin_with() {
        let check = |pattern: &str, begins: &str, others: &str| {
            let bytes = first_bytes(&regex_syntax::parse(pattern).expect(pattern)).expect(pattern);
            let has = |byte: u8| bytes[usize::from(byte / 64)] >> (byte % 64) & 1 == 1;
            assert!(begins.bytes().all(has), "{pattern}");
            assert!(!others.bytes().any(has), "{pattern}");
        };
        check(r"^=*\s?(?:\d+ failed)?,? in", "= \t19,", "fnix-");
        check(r"^(?:a|b?)(?:c|d)\b", "abcd", "e");
        assert_eq!(first_bytes(&regex_syntax::parse("x").expect("parses")), None);
        assert_eq!(first_bytes(&regex_syntax::parse("^x?").expect("parses")), None);
    }
}
