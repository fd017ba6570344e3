//! Secrets in what a program shows. Promises: as many bytes come out as went in, at most a bound of them late, and none but those
//! of secrets differ, however they were cut; a value of the environment is never in a redacted text, nor shown by masked bytes,
//! whatever stands around it; what a kind's form tells is masked where it stands on a line of its own.

#![no_main]

use std::sync::{Arc, OnceLock};

use extractor::redact_stream::HELD_MAX;
use extractor::redact_terminal::{Did, Rendered};
use extractor::{Masker, Redactor};
use libfuzzer_sys::fuzz_target;
use patterns::Secrets;
use patterns::sample::{Numbers, sample};

/// A value of the environment without any form. No part of it is in ordinary text.
const VALUE: &str = "zQ9~vW7~kX5~jH3";

fn redactor() -> &'static Arc<Redactor> {
    static REDACTOR: OnceLock<Arc<Redactor>> = OnceLock::new();
    REDACTOR.get_or_init(|| Arc::new(Redactor::new(Secrets::builtin(), [VALUE.to_owned()], [7; 16])))
}

fn masked(columns: u16, pieces: impl Iterator<Item = impl AsRef<[u8]>>) -> Vec<u8> {
    let (mut masker, mut out, mut fed) = (Masker::new(Arc::clone(redactor()), columns), Vec::new(), 0);
    for piece in pieces {
        masker.feed(piece.as_ref(), &mut out);
        fed += piece.as_ref().len();
        assert_eq!(out.len() + masker.held(), fed);
        assert!(masker.held() <= HELD_MAX);
    }
    masker.release(&mut out);
    assert_eq!((out.len(), masker.held()), (fed, 0));
    out
}

/// Text and whole strings (titles and the like) that a terminal makes of bytes.
fn shown(columns: u16, bytes: &[u8]) -> String {
    let (mut rendered, mut strings) = (Rendered::new(columns), String::new());
    for byte in bytes {
        if rendered.take(*byte) == Did::Ended {
            strings.push('\n');
            strings.push_str(&String::from_utf8_lossy(&std::mem::take(&mut rendered.string)));
        }
    }
    rendered.text + &strings
}

/// A secret of a kind, and what of it nobody may see.
fn secret(number: usize, seed: u64) -> Option<(String, String)> {
    let kinds = Secrets::builtin().kinds();
    let number = number % kinds.len();
    let text = sample(kinds[number].pattern().source(), &mut Numbers::new(seed))?;
    let mut hits = Vec::new();
    Secrets::builtin().find(&text, &mut hits);
    let hit = hits.into_iter().find(|hit| hit.kind == number)?;
    Some((text.clone(), text[hit.body].to_owned()))
}

fuzz_target!(|bytes: &[u8]| {
    let Some(([columns, cut, kind, seed, at], bytes)) = bytes.split_first_chunk::<5>() else { return };
    let columns = u16::from(*columns);
    let at = bytes.len() * usize::from(*at) / 255;
    let (before, after) = bytes.split_at(at);

    // The value among whatever bytes.
    let bytes = [before, VALUE.as_bytes(), after].concat();
    let whole = masked(columns, std::iter::once(&bytes));
    for (before, after) in bytes.iter().zip(&whole).filter(|(before, after)| before != after) {
        assert!(matches!(after, b'*' | 0), "{before:#x} became {after:#x}");
    }
    assert_eq!(masked(columns, bytes.chunks(usize::from(*cut).max(1))), whole);
    if bytes.len() <= 128 {
        assert_eq!(masked(columns, bytes.chunks(1)), whole);
    }
    assert!(!shown(columns, &whole).contains(VALUE));
    let text = String::from_utf8_lossy(&bytes);
    for clean in [redactor().text(&text), redactor().cut(&text), redactor().masked(&text)] {
        assert!(!clean.contains(VALUE), "{clean:?}");
    }
    let blanks = |text: &str| text.chars().filter(|c| c.is_whitespace()).count();
    assert_eq!(blanks(&redactor().masked(&text)), blanks(&text));

    // A secret that is told by its form, on lines of its own.
    if let Some((secret, body)) = secret(usize::from(*kind), u64::from(*seed)) {
        let text = format!("{}\n{secret}\n", String::from_utf8_lossy(before).replace('\x1b', " "));
        assert!(!redactor().text(&text).contains(&body), "{text:?}");
    }
});
