//! What may still become a match: from a pattern, the pattern of its beginnings. Must not: guess; every beginning is in it.

use regex_syntax::hir::{Capture, Hir, HirKind, Repetition};

/// The group whose text is secret; what stands before it is well known and may be shown.
pub const BODY: &str = "body";

/// A pattern with everything that stands before its group `body` and the beginning of what follows, up to the end of
/// the text. `None` when the group is missing or stands in a choice.
pub fn open(hir: &Hir) -> Option<Hir> {
    let Parts { head, body, tail } = split(hir)?;
    let bare = without_groups(&body);
    let begun = Hir::alternation(vec![prefix(&bare), Hir::concat(vec![bare, prefix_of_all(&tail)])]);
    let body = Capture { index: 1, name: Some(BODY.into()), sub: Box::new(begun) };
    let mut all: Vec<Hir> = head.iter().map(without_groups).collect();
    all.push(Hir::capture(body));
    all.push(Hir::look(regex_syntax::hir::Look::End));
    Some(Hir::concat(all))
}

struct Parts {
    head: Vec<Hir>,
    body: Hir,
    tail: Vec<Hir>,
}

fn split(hir: &Hir) -> Option<Parts> {
    match hir.kind() {
        HirKind::Capture(capture) if capture.name.as_deref() == Some(BODY) => {
            Some(Parts { head: Vec::new(), body: (*capture.sub).clone(), tail: Vec::new() })
        }
        HirKind::Capture(capture) => split(&capture.sub),
        HirKind::Concat(parts) => parts.iter().enumerate().find_map(|(i, part)| {
            let Parts { head, body, tail } = split(part)?;
            let head = parts[..i].iter().cloned().chain(head).collect();
            let tail = tail.into_iter().chain(parts[i + 1..].iter().cloned()).collect();
            Some(Parts { head, body, tail })
        }),
        _ => None,
    }
}

/// The same without groups: a name may stand only once in a pattern.
fn without_groups(hir: &Hir) -> Hir {
    match hir.kind() {
        HirKind::Capture(capture) => without_groups(&capture.sub),
        HirKind::Concat(parts) => Hir::concat(parts.iter().map(without_groups).collect()),
        HirKind::Alternation(parts) => Hir::alternation(parts.iter().map(without_groups).collect()),
        HirKind::Repetition(repetition) => Hir::repetition(Repetition {
            sub: Box::new(without_groups(&repetition.sub)),
            ..repetition.clone()
        }),
        HirKind::Empty | HirKind::Literal(_) | HirKind::Class(_) | HirKind::Look(_) => hir.clone(),
    }
}

/// Everything that a match can begin with, the whole and nothing included. What it looks at around it is left out.
fn prefix(hir: &Hir) -> Hir {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => Hir::empty(),
        HirKind::Class(_) => optional(hir.clone()),
        HirKind::Literal(literal) => {
            let text = String::from_utf8_lossy(&literal.0).into_owned();
            let characters = text.chars().rev().map(|c| Hir::literal(c.to_string().into_bytes()));
            characters.fold(Hir::empty(), |rest, first| optional(Hir::concat(vec![first, rest])))
        }
        HirKind::Capture(capture) => prefix(&capture.sub),
        HirKind::Alternation(parts) => Hir::alternation(parts.iter().map(prefix).collect()),
        HirKind::Concat(parts) => prefix_of_all(parts),
        HirKind::Repetition(repetition) => {
            let whole = Repetition { min: 0, ..repetition.clone() };
            Hir::concat(vec![Hir::repetition(whole), prefix(&repetition.sub)])
        }
    }
}

fn prefix_of_all(parts: &[Hir]) -> Hir {
    parts.iter().rev().fold(Hir::empty(), |rest, first| {
        let bare = without_groups(first);
        Hir::alternation(vec![Hir::concat(vec![bare.clone(), rest]), prefix(&bare)])
    })
}

fn optional(hir: Hir) -> Hir {
    Hir::repetition(Repetition { min: 0, max: Some(1), greedy: true, sub: Box::new(hir) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_beginning_after_the_head_is_open_and_nothing_else() {
        let source = r#"key_(?P<body>[a-f]{2,4}(?:-x){2})"END"#;
        let open = open(&regex_syntax::parse(source).expect("a pattern")).expect("a body");
        let open = regex::Regex::new(&open.to_string()).expect("a pattern");
        let whole = r#"key_abcd-x-x"END"#;
        for end in "key_".len()..=whole.len() {
            let text = format!("..{}", &whole[..end]);
            let body = open.captures(&text).and_then(|groups| groups.name(BODY)).map(|body| body.start());
            assert_eq!(body, Some("..key_".len()), "{text}");
        }
        for text in ["key", "key_ ", "key_g", r#"key_a""#, r#"key_ab-x-x"ENDx"#] {
            assert!(!open.is_match(text), "{text}");
        }
    }
}
