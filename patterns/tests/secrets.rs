//! Every kind of secret does what its examples promise, is found quickly, and can be followed while it is written.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use patterns::sample::{Numbers, sample};
use patterns::secret::{Secrets, spelled, tables};

/// What of each kind was found in a text.
fn found(text: &str) -> Vec<(String, String)> {
    let (secrets, mut hits) = (Secrets::builtin(), Vec::new());
    secrets.find(text, &mut hits);
    hits.into_iter().map(|hit| (secrets.kinds()[hit.kind].id.clone(), text[hit.body].to_owned())).collect()
}

#[test]
fn every_kind_matches_its_examples_and_rejects_the_others() {
    let mut ids = BTreeSet::new();
    for table in tables().unwrap() {
        assert!(ids.insert(table.id.clone()), "{} stands twice", table.id);
        assert!(!table.meaning.is_empty() && !table.matches.is_empty() && !table.rejects.is_empty());
        for example in table.matches.iter().map(|example| spelled(example)) {
            let found = found(&example);
            assert!(found.iter().any(|(id, _)| *id == table.id), "{} in {example}: {found:?}", table.id);
        }
        for example in table.rejects.iter().map(|example| spelled(example)) {
            let found = found(&example);
            assert!(!found.iter().any(|(id, _)| *id == table.id), "{} in {example}", table.id);
        }
    }
    assert!(ids.len() >= 40, "{} kinds", ids.len());
}

#[test]
fn every_kind_is_guarded_and_few_searches_are_done() {
    let secrets = Secrets::builtin();
    assert_eq!(secrets.unguarded(), Vec::<&str>::new());
    assert!(secrets.passes() <= 4, "{}", secrets.passes());
    for kind in secrets.kinds() {
        assert_eq!(kind.pattern().check(), Ok(()), "{}", kind.id);
        assert_eq!(kind.beginnings().check(), Ok(()), "{}", kind.id);
        let followed = kind.beginnings().names().contains(&"body");
        assert_eq!(followed, kind.is_followed(), "{}", kind.id);
    }
}

#[test]
fn a_secret_is_open_from_the_first_byte_of_its_body() {
    let secrets = Secrets::builtin();
    let mut numbers = Numbers::new(7);
    for kind in secrets.kinds().iter().filter(|kind| kind.is_followed()) {
        let text = format!("x {}", sample(kind.pattern().source(), &mut numbers).unwrap());
        let groups = kind.pattern().captures(&text).unwrap_or_else(|| panic!("{}: {text}", kind.id));
        let body = groups.name("body").unwrap().range();
        for end in body.start + 1..body.end {
            let open = secrets.open(&text[..end], false);
            let begins = open.map(|open| open.body);
            assert!(begins.is_some_and(|begins| begins <= body.start), "{}: {:?}", kind.id, &text[..end]);
        }
    }
}

#[test]
fn what_merely_stands_before_a_secret_holds_nothing() {
    for text in ["the token", "gh", "https://a.example/b", "a password is needed", "let key = 5;"] {
        let open = Secrets::builtin().open(text, false);
        assert!(open.is_none_or(|open| open.body == text.len()), "{text}: {open:?}");
    }
}
