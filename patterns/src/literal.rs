//! Which literal texts a pattern cannot match without. Must not: guess; `None` means that nothing is proven.

use regex_syntax::hir::{Class, Hir, HirKind};

/// Shortest fragment worth looking for: shorter ones hit everywhere.
const LEAST: usize = 3;

/// Fragments, one of which (ASCII case aside) stands in every text that `pattern` matches.
///
/// Invariant: derived from the parsed expression, so a rule cannot be lost by a fragment that was forgotten.
pub fn required(pattern: &str) -> Option<Vec<String>> {
    let hir = regex_syntax::parse(pattern).ok()?;
    walk(&hir).filter(|all| !all.is_empty() && all.iter().all(|f| f.len() >= LEAST))
}

fn walk(hir: &Hir) -> Option<Vec<String>> {
    match hir.kind() {
        HirKind::Literal(_) | HirKind::Class(_) => single(hir).map(|text| vec![text]),
        HirKind::Capture(capture) => walk(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min >= 1 => walk(&repetition.sub),
        HirKind::Alternation(all) => {
            let mut union = Vec::new();
            for one in all {
                union.extend(walk(one)?);
            }
            Some(union)
        }
        HirKind::Concat(all) => concat(all),
        HirKind::Empty | HirKind::Look(_) | HirKind::Repetition(_) => None,
    }
}

/// The best of a concatenation: the run of single characters or the part whose shortest fragment is longest.
fn concat(parts: &[Hir]) -> Option<Vec<String>> {
    let mut candidates: Vec<Vec<String>> = Vec::new();
    let mut run = String::new();
    for part in parts {
        if let Some(text) = single(part) {
            run.push_str(&text);
            continue;
        }
        if !run.is_empty() {
            candidates.push(vec![std::mem::take(&mut run)]);
        }
        candidates.extend(walk(part));
    }
    if !run.is_empty() {
        candidates.push(vec![run]);
    }
    candidates.into_iter().max_by_key(|all| {
        let shortest = all.iter().map(String::len).min().unwrap_or(0);
        (shortest.min(8), std::cmp::Reverse(all.len()))
    })
}

/// The one text a part stands for, ASCII letters in lower case; `None` when it stands for several.
fn single(hir: &Hir) -> Option<String> {
    match hir.kind() {
        HirKind::Literal(literal) => std::str::from_utf8(&literal.0).ok().map(str::to_ascii_lowercase),
        HirKind::Class(Class::Unicode(class)) => {
            let mut lower: Vec<char> = Vec::new();
            for range in class.ranges() {
                if u32::from(range.end()) - u32::from(range.start()) > 2 {
                    return None;
                }
                // U+017F and U+212A fold to `s` and `k` under (?i); a text with them is not worth a slower search.
                let odd = |c: &char| matches!(c, '\u{17f}' | '\u{212a}');
                lower.extend(
                    (range.start()..=range.end()).filter(|c| !odd(c)).map(|c| c.to_ascii_lowercase()),
                );
            }
            lower.dedup();
            (lower.len() == 1).then(|| lower[0].to_string())
        }
        HirKind::Capture(capture) => single(&capture.sub),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fragments_are_what_no_match_can_be_without() {
        let check = |pattern: &str, fragments: Option<&[&str]>| {
            let found = required(pattern);
            let expected = fragments.map(|all| all.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>());
            assert_eq!(found, expected);
        };
        check(r"^error(?:\[(E\d+)\])?: (.+)$", Some(&["error"]));
        check(r"(?i)traceback", Some(&["traceback"]));
        check(r"\d+ (?:passed|failed)", Some(&["passed", "failed"]));
        check(r"(?:passed|\d+)", None);
        check(r"a*b", None);
        check(r"^\s*at .+\(([^)]+):(\d+)\)", Some(&["at "]));
    }
}
