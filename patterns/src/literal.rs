//! Which texts a pattern cannot match without. Must not: guess; `None` means that nothing is proven.

use regex_syntax::hir::{Class, Hir, HirKind, Repetition};

/// Most texts that one place in a pattern may stand for.
const MOST: usize = 24;

/// Longest text that is followed; a longer one is cut, which proves less but nothing wrong.
const LONGEST: usize = 24;

/// How often bytes occur in logs, in bits: a byte of `n` bits is one in 2 to the power of `n`.
fn bits(byte: u8) -> u32 {
    match byte {
        b' ' => 3,
        b'e' | b't' | b'a' | b'o' | b'i' | b'n' | b's' | b'r' | b'0'..=b'2' => 4,
        b'l' | b'd' | b'c' | b'u' | b'm' | b'p' | b'h' | b'3'..=b'9' | b'.' | b'-' => 5,
        b'f' | b'g' | b'y' | b'w' | b'b' | b'v' | b'_' | b'=' | b',' | b'"' | b'/' | b':' => 6,
        b'k' | b'x' | b'A'..=b'Z' | b'(' | b')' | b'[' | b']' => 7,
        _ => 8,
    }
}

/// Longest part of a text that is searched for.
pub const WINDOW: usize = 4;

/// How rare the rarest part of a text is, in bits.
pub fn rarity(text: &[u8]) -> u32 {
    windows(text).map(|part| part.iter().map(|byte| bits(*byte)).sum()).max().unwrap_or(0)
}

/// The parts of a text that may be searched for instead of it.
pub fn windows(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.windows(WINDOW.min(text.len()).max(1))
}

/// What is known of a part of a pattern.
struct Known {
    /// All texts it can match, when they are few.
    exact: Option<Vec<Vec<u8>>>,
    /// Texts of which every match holds one.
    needs: Option<Vec<Vec<u8>>>,
}

/// Texts, one of which stands in everything that the pattern matches: those that are rarest in logs.
///
/// Invariant: derived from the parsed expression, so a rule cannot be lost by a text that was forgotten.
pub fn required(hir: &Hir) -> Option<Vec<Vec<u8>>> {
    let known = walk(hir);
    let exact = known.exact.filter(|all| useful(all));
    best([exact, known.needs].into_iter().flatten())
}

fn useful(texts: &[Vec<u8>]) -> bool {
    !texts.is_empty() && texts.iter().all(|text| !text.is_empty())
}

fn best(all: impl Iterator<Item = Vec<Vec<u8>>>) -> Option<Vec<Vec<u8>>> {
    all.max_by_key(|texts| weight(texts))
}

/// How rare a set of texts is: as rare as its commonest, less for every doubling of their number.
pub fn weight(texts: &[Vec<u8>]) -> i64 {
    let commonest = texts.iter().map(|text| rarity(text)).min().unwrap_or(0);
    i64::from(commonest) - i64::from(texts.len().max(1).ilog2())
}

fn walk(hir: &Hir) -> Known {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => Known { exact: Some(vec![Vec::new()]), needs: None },
        HirKind::Literal(literal) => {
            let text = literal.0[..literal.0.len().min(LONGEST)].to_vec();
            let whole = literal.0.len() <= LONGEST;
            Known { exact: whole.then(|| vec![text.clone()]), needs: Some(vec![text]) }
        }
        HirKind::Class(class) => Known { exact: characters(class), needs: None },
        HirKind::Capture(capture) => walk(&capture.sub),
        HirKind::Repetition(repetition) => repeated(repetition),
        HirKind::Alternation(parts) => either(parts),
        HirKind::Concat(parts) => concat(parts),
    }
}

fn characters(class: &Class) -> Option<Vec<Vec<u8>>> {
    let Class::Unicode(class) = class else { return None };
    let mut all = Vec::new();
    for range in class.ranges() {
        if u32::from(range.end()) - u32::from(range.start()) > 4 || all.len() > 4 {
            return None;
        }
        all.extend((range.start()..=range.end()).map(|c| c.to_string().into_bytes()));
    }
    (!all.is_empty()).then_some(all)
}

fn repeated(repetition: &Repetition) -> Known {
    let once = walk(&repetition.sub);
    match (repetition.min, repetition.max) {
        (0, Some(1)) => {
            let exact = once.exact.map(|mut all| {
                all.push(Vec::new());
                all
            });
            Known { exact, needs: None }
        }
        (0, _) => Known { exact: None, needs: None },
        (1, Some(1)) => once,
        _ => {
            let needs = best([once.exact.filter(|all| useful(all)), once.needs].into_iter().flatten());
            Known { exact: None, needs }
        }
    }
}

fn either(parts: &[Hir]) -> Known {
    let (mut exact, mut needs) = (Some(Vec::new()), Some(Vec::new()));
    for part in parts {
        let known = walk(part);
        let own = best([known.exact.clone().filter(|all| useful(all)), known.needs].into_iter().flatten());
        exact = exact.zip(known.exact).map(|(mut all, more)| {
            all.extend(more);
            all
        });
        needs = needs.zip(own).map(|(mut all, more)| {
            all.extend(more);
            all
        });
    }
    Known { exact: exact.filter(|all| all.len() <= MOST), needs }
}

/// Texts of neighbours are put together as long as they stay few.
fn concat(parts: &[Hir]) -> Known {
    let mut candidates: Vec<Vec<Vec<u8>>> = Vec::new();
    let mut run: Vec<Vec<u8>> = vec![Vec::new()];
    let mut whole = true;
    for part in parts {
        let known = walk(part);
        candidates.extend(known.needs);
        let fits = |all: &Vec<Vec<u8>>| {
            let longest = |texts: &[Vec<u8>]| texts.iter().map(Vec::len).max().unwrap_or(0);
            all.len() * run.len() <= MOST && longest(all) + longest(&run) <= LONGEST
        };
        match known.exact {
            Some(all) if fits(&all) => {
                run = run
                    .iter()
                    .flat_map(|start| all.iter().map(move |end| [start.as_slice(), end].concat()))
                    .collect();
            }
            other => {
                whole = false;
                candidates.push(std::mem::replace(&mut run, other.unwrap_or_else(|| vec![Vec::new()])));
            }
        }
    }
    let exact = whole.then(|| run.clone());
    candidates.push(run);
    candidates.retain(|all| useful(all));
    Known { exact, needs: best(candidates.into_iter()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_what_no_match_can_be_without() {
        let check = |pattern: &str, texts: Option<&[&str]>| {
            let found = required(&regex_syntax::parse(pattern).expect(pattern));
            let text = |t: Vec<u8>| String::from_utf8(t).expect("text");
            let found = found.map(|all| all.into_iter().map(text).collect::<Vec<_>>());
            let expected = texts.map(|all| all.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>());
            assert_eq!(found, expected, "{pattern}");
        };
        check(r"^error(?:\[(E\d+)\])?: (.+)$", Some(&["error"]));
        check(r"\d+ (?:passed|failed)", Some(&[" passed", " failed"]));
        check(r"(?:passed|\d+)", None);
        check(r"a*b", Some(&["b"]));
        check(r"^\s*at .+\(([^)]+):(\d+)\)", Some(&["at "]));
        check(r"(?i)x-y", Some(&["X-Y", "X-y", "x-Y", "x-y"]));
        check(r"g?make: x", Some(&["make: x"]));
        check(r"(?:ab)+c|d{2,3}e", Some(&["ab", "d"]));
    }
}
