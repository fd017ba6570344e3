//! Masking stands any bytes, cut anywhere: as many come out, and only what is masked differs.

#![allow(clippy::unwrap_used)]

mod planted;

use std::sync::Arc;

use extractor::Masker;
use planted::redactor;
use proptest::prelude::*;

/// Pieces that lead into every corner.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    let fixed: [&[u8]; 24] = [
        b"ghp_",
        b"Ab1Ab1Ab1Ab1Ab1Ab1",
        b"ghp_Ab1Ab1Ab1Ab1Ab1Ab1Ab1Ab1Ab1Ab1Ab1Ab1",
        b"-----BEGIN PRIVATE KEY-----\r\nMIIB",
        b"-----END PRIVATE KEY-----",
        b"password = \"",
        b"https://user:",
        b"@host",
        b"eyJ",
        b".eyJ",
        b"\x1b[31m",
        b"\x1b[",
        b"\x1b]0;",
        b"\x1b]52;c;",
        b"\x07",
        b"\x1b\\",
        b"\x1bP",
        b"\x1b[5;7H",
        b"\r\n",
        b"\xe2\x94",
        b"\x82 \xf0\x9f",
        b"\xc2\x9b1m",
        b"\xff\xc2",
        b"\xe6\x97\xa5\xe6\x9c\xac",
    ];
    prop_oneof![
        4 => prop::sample::select(fixed.to_vec()).prop_map(<[u8]>::to_vec),
        1 => prop::collection::vec(any::<u8>(), 0..20),
        1 => "[ -~]{0,30}".prop_map(String::into_bytes),
    ]
}

fn masked(pieces: &[&[u8]]) -> Vec<u8> {
    let (mut masker, mut out, mut fed) = (Masker::new(redactor(), 20), Vec::new(), 0);
    for piece in pieces {
        masker.feed(piece, &mut out);
        fed += piece.len();
        assert_eq!(out.len() + masker.held(), fed);
        assert!(masker.held() <= extractor::redact_stream::HELD_MAX);
    }
    masker.release(&mut out);
    assert_eq!(out.len(), fed);
    out
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_masked_the_same_however_they_are_cut(pieces in prop::collection::vec(piece(), 0..24), cut: prop::sample::Index) {
        let bytes = pieces.concat();
        let whole = masked(&[&bytes]);
        for (before, after) in bytes.iter().zip(&whole).filter(|(before, after)| before != after) {
            prop_assert!(matches!(after, b'*' | 0), "{before:#x} became {after:#x}");
        }
        let cut = cut.index(bytes.len() + 1);
        prop_assert_eq!(masked(&[&bytes[..cut], &bytes[cut..]]), whole.clone(), "cut at {}", cut);
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        prop_assert_eq!(masked(&single), whole);
    }

    #[test]
    fn any_text_can_be_redacted(pieces in prop::collection::vec(piece(), 0..24)) {
        let bytes = pieces.concat();
        let text = String::from_utf8_lossy(&bytes);
        let redactor = redactor();
        let _ = redactor.text(&text);
        let _ = redactor.cut(&text);
        let visible = |text: &str| text.chars().filter(|c| c.is_whitespace()).count();
        prop_assert_eq!(visible(&redactor.masked(&text)), visible(&text), "blanks stay");
    }
}

#[test]
fn what_is_held_and_kept_is_bounded() {
    let (mut masker, mut out, mut fed) = (Masker::new(redactor(), 80), Vec::new(), 0);
    for endless in
        ["-----BEGIN PRIVATE KEY-----\nA", "password = \"A", "\x1b]0;A", "ghp_A", "eyJA", "postgres://A:A"]
    {
        masker.feed(endless.as_bytes(), &mut out);
        fed += endless.len();
        for _ in 0..40 {
            masker.feed(&[b'A'; 5_000], &mut out);
            fed += 5_000;
            assert!(masker.held() <= extractor::redact_stream::HELD_MAX);
            assert_eq!(out.len() + masker.held(), fed);
        }
        masker.feed(b"\x07\r\n", &mut out);
        fed += 3;
    }
    assert!(Arc::strong_count(&redactor()) == 1);
}

#[test]
fn a_key_over_very_many_lines_is_masked_to_its_end() {
    let lines = "MIIB5f7Gh+/aZ09bMIIB5f7Gh+/aZ09bMIIB5f7Gh+/aZ09b\r\n".repeat(600);
    let bytes =
        format!("-----BEGIN PGP PRIVATE KEY BLOCK-----\r\n{lines}-----END PGP PRIVATE KEY BLOCK-----\r\nbye");
    let pieces: Vec<&[u8]> = bytes.as_bytes().chunks(1_000).collect();
    let out = String::from_utf8(masked(&pieces)).unwrap();
    assert!(!out.contains("5f7G"), "{:?}", out.find("5f7G"));
    assert!(out.ends_with("bye"), "{}", &out[out.len() - 80..]);
}
