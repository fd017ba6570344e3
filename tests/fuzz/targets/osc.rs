//! Titles, status, marks, notifications and queries in a stream. Promises: the same items at the same offsets however it was cut,
//! also byte by byte, where no short cut is taken; nothing longer than what is kept of one command; no control in a title or a
//! status' message; whoever hears them all has one title and one status.

#![no_main]

use std::time::Duration;

use extractor::hearing::Hearing;
use extractor::osc::{Item, Scanner};
use extractor::signal::{self, Told};
use libfuzzer_sys::fuzz_target;
use patterns::Library;

/// Longest command that is kept, in bytes; a byte that is no text becomes three.
const LONGEST: usize = 3 * 8 * 1024;

fn items(bytes: &[u8], cut: usize) -> Vec<(usize, Item)> {
    let (mut scanner, mut found, mut base) = (Scanner::new(), Vec::new(), 0);
    for piece in bytes.chunks(cut) {
        let mut rest = piece;
        while let Some((used, item)) = scanner.next(rest) {
            assert!((1..=rest.len()).contains(&used));
            rest = &rest[used..];
            found.push((base + piece.len() - rest.len(), item));
        }
        base += piece.len();
    }
    found
}

fn judge(item: &Item) {
    match item {
        Item::Title(text) => {
            assert!(text.chars().count() <= 400 && !text.contains(char::is_control), "{text:?}");
        }
        Item::Status(body) => {
            assert!(body.len() <= LONGEST);
            if let Told::Status(status) = signal::status(body, Duration::ZERO) {
                let message = &status.message;
                assert!(message.chars().count() <= 300 && !message.contains(char::is_control), "{message:?}");
            }
        }
        Item::Mark(letter, rest) => {
            assert!(rest.len() <= LONGEST);
            let _ = signal::mark(*letter, rest);
        }
        Item::Notice(text) => assert!(text.len() <= LONGEST),
        Item::Mode(mode, _) => assert!(matches!(mode, 1004 | 2031)),
        Item::Query(_) | Item::Frame(_) => {}
    }
}

fuzz_target!(|bytes: &[u8]| {
    let Some((&cut, bytes)) = bytes.split_first() else { return };
    let whole = items(bytes, usize::MAX);
    assert_eq!(items(bytes, 1), whole);
    assert_eq!(items(bytes, usize::from(cut).max(1)), whole);
    for agent in Library::builtin().agents() {
        let mut hearing = Hearing::default();
        for (offset, item) in &whole {
            judge(item);
            hearing.take(agent, None, Duration::from_millis(*offset as u64), item.clone());
        }
        assert!(hearing.modes.len() <= 2);
        let last = whole.iter().rev().find_map(|(_, item)| match item {
            Item::Title(text) => Some(text.as_str()),
            _ => None,
        });
        assert_eq!(hearing.title, last.unwrap_or_default());
        let _ = hearing.failure();
    }
});
