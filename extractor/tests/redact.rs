//! Secrets that were planted are found: in text, and in terminal bytes however they are cut, coloured and broken.

#![allow(clippy::unwrap_used)]

mod planted;

use std::collections::BTreeMap;
use std::sync::Arc;

use extractor::{Extractor, Masker, Redactor};
use patterns::sample::Numbers;
use patterns::{Library, Secrets};
use planted::{Planted, leaks, planted, redactor, shown};

/// How many secrets are planted.
const PLANTED: usize = 5_000;

/// Counts what was found, and says what was not.
#[derive(Default)]
struct Tally {
    found: usize,
    missed: BTreeMap<String, (usize, String)>,
}

impl Tally {
    fn count(&mut self, planted: &Planted, leaked: bool, how: impl Fn() -> String) {
        if leaked {
            let entry = self.missed.entry(planted.kind.clone()).or_insert_with(|| (0, how()));
            entry.0 += 1;
        } else {
            self.found += 1;
        }
    }

    #[track_caller]
    fn check(self, what: &str) {
        let missed: usize = self.missed.values().map(|(count, _)| count).sum();
        let share = self.found as f64 / (self.found + missed) as f64;
        println!("{what}: {} of {} found ({:.2} %)", self.found, self.found + missed, share * 100.0);
        for (kind, (count, first)) in &self.missed {
            println!("  {kind}: {count} missed, the first: {first:?}");
        }
        assert!(share >= 0.99, "{what}: {share}");
    }
}

fn masked(redactor: &Arc<Redactor>, pieces: &[&[u8]]) -> Vec<u8> {
    let (mut masker, mut out) = (Masker::new(Arc::clone(redactor), 200), Vec::new());
    pieces.iter().for_each(|piece| masker.feed(piece, &mut out));
    masker.release(&mut out);
    assert_eq!(masker.held(), 0);
    out
}

/// The line with colours switched on and off inside it.
fn coloured(line: &str, numbers: &mut Numbers) -> String {
    let mut out = String::new();
    for c in line.chars() {
        if numbers.below(6) == 0 {
            out +=
                ["\x1b[31m", "\x1b[0m", "\x1b[1;38;5;208m", "\x1b[m", "\x1b[?25l"][numbers.below(5) as usize];
        }
        out.push(c);
    }
    out
}

#[test]
fn a69_planted_secrets_are_found_in_text() {
    let (redactor, mut tally) = (redactor(), Tally::default());
    for planted in planted(PLANTED, 1) {
        let out = redactor.text(&planted.line);
        let leaked = leaks(&out, &planted.body) || !out.contains("[REDACTED:");
        tally.count(&planted, leaked, || out.clone().into_owned());
        assert_eq!(redactor.text(&out), out, "what was redacted is left alone");
    }
    tally.check("text");
}

/// Cuts each line at every byte of its secret. What a cut changes counts as a miss, even when nothing can be read.
fn cut_everywhere(what: &str, first: usize, write: impl Fn(&str, &mut Numbers) -> String) {
    let (redactor, mut tally, mut numbers) = (redactor(), Tally::default(), Numbers::new(2));
    let mut cuts = 0;
    for planted in planted(PLANTED, 1).into_iter().skip(first).step_by(2) {
        let bytes = format!("before\r\n{}\r\nafter\r\n", write(&planted.line, &mut numbers)).into_bytes();
        let whole = masked(&redactor, &[&bytes]);
        assert_eq!(whole.len(), bytes.len());
        let mut fault = leaks(&shown(&whole), &planted.body).then_some(0);
        let differs = |(a, b): (&u8, &u8)| a != b;
        let start = bytes.iter().zip(&whole).position(differs).unwrap_or(0);
        let end = bytes.iter().zip(&whole).rposition(differs).map_or(0, |end| end + 2);
        // Of a key over many lines every tenth byte or so is enough.
        for cut in (start.max(1)..end).step_by((end - start).div_ceil(350).max(1)) {
            cuts += 1;
            if fault.is_none() && masked(&redactor, &[&bytes[..cut], &bytes[cut..]]) != whole {
                fault = Some(cut);
            }
        }
        tally.count(&planted, fault.is_some(), || {
            format!("{fault:?} {:?} {:?}", String::from_utf8_lossy(&bytes), shown(&whole))
        });
    }
    println!("{cuts} cuts");
    tally.check(what);
}

#[test]
fn a70_planted_secrets_are_masked_in_terminal_bytes_cut_at_every_byte() {
    cut_everywhere("terminal bytes", 0, |line, _| line.to_owned());
}

#[test]
fn a70_planted_secrets_are_masked_with_colours_inside_them_cut_at_every_byte() {
    cut_everywhere("coloured terminal bytes", 1, coloured);
}

/// The text in rows of so many columns, with a border on both sides.
fn boxed(text: &str, columns: usize, end: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    let row = |row: &[char]| format!("│ {:<columns$} │{end}", row.iter().collect::<String>());
    characters.chunks(columns).map(row).collect()
}

#[test]
fn planted_secrets_are_found_across_the_rows_of_a_box() {
    let (redactor, mut text, mut bytes) = (redactor(), Tally::default(), Tally::default());
    for planted in planted(PLANTED, 3).iter().filter(|p| p.joins && p.kind != "private_key") {
        let rows = boxed(&planted.line, 40, "\r\n");
        let read =
            |out: &str| out.split("\n").map(|row| row.trim_matches(['│', ' ', '\r'])).collect::<String>();
        let out = redactor.text(&rows);
        text.count(planted, leaks(&read(&out), &planted.body), || out.clone().into_owned());
        let out = shown(&masked(&redactor, &[rows.as_bytes()]));
        bytes.count(planted, leaks(&read(&out), &planted.body), || out.clone());
    }
    text.check("text in a box");
    bytes.check("terminal bytes in a box");
}

#[test]
fn a_snapshot_shows_no_secret_and_has_the_same_layout() {
    let (redactor, mut tally) = (redactor(), Tally::default());
    let agent = Library::builtin().agent("any").unwrap();
    let screen = |bytes: &[u8]| {
        let mut screen = extractor::vt::Vt::new(60, 40);
        screen.feed(bytes);
        screen.screen().rows
    };
    for planted in planted(1_000, 4) {
        let mut seen = Vec::new();
        let mut session = Extractor::new(Arc::clone(&agent), 60, 40);
        let bytes = format!("before\r\n\x1b[3C\x1b[32m{}\x1b[m\r\nafter: $ ", planted.line);
        session.output(std::time::Duration::ZERO, bytes.as_bytes(), &mut seen);
        let (before, mut after) = (session.snapshot(), Vec::new());
        Masker::new(Arc::clone(&redactor), 60).whole(&before, &mut after);
        let (before, after) = (screen(&before), screen(&after));
        assert_eq!(before.len(), after.len());
        for (before, after) in before.iter().zip(&after) {
            assert_eq!(before.chars().count(), after.chars().count(), "{before} / {after}");
        }
        tally.count(&planted, leaks(&after.concat(), &planted.body), || after.join("\n"));
    }
    tally.check("snapshots");
}

#[test]
fn values_of_the_environment_are_found_whatever_they_look_like() {
    let value = "correct horse: бatterу";
    let redactor = Redactor::new(Secrets::builtin(), [value.to_owned(), "short".to_owned()], [1; 16]);
    let redactor = Arc::new(redactor);
    let text = format!("it is {value}, not short");
    let out = redactor.text(&text);
    assert!(out.starts_with("it is [REDACTED:env:") && out.ends_with("], not short"), "{out}");
    for cut in 1..text.len() {
        let out = shown(&masked(&redactor, &[&text.as_bytes()[..cut], &text.as_bytes()[cut..]]));
        assert_eq!(out, "it is ******* ****** *******, not short");
    }
    assert_eq!(redactor.masked(&text), "it is ******* ****** *******, not short");
}

#[test]
fn equal_secrets_are_recognised_and_other_keys_give_other_names() {
    let token = format!("ghp_{}", "Ab1".repeat(12));
    let name = |key: u8, text: &str| Redactor::new(Secrets::builtin(), [], [key; 16]).text(text).into_owned();
    assert_eq!(name(1, &token), name(1, &token));
    assert_ne!(name(1, &token), name(2, &token));
    assert_ne!(name(1, &token), name(1, &token.replace("Ab1", "Ab2")));
    let out = name(1, &format!("a {token} b"));
    assert!(out.starts_with("a [REDACTED:github.token:") && out.ends_with("] b"), "{out}");
    assert_eq!(out.len(), "a [REDACTED:github.token:0000] b".len());
}

#[test]
fn a_text_that_was_cut_off_inside_a_secret_does_not_keep_its_beginning() {
    let redactor = redactor();
    let text = format!("token is ghp_{}", "Ab1".repeat(6));
    assert_eq!(redactor.text(&text), text);
    assert!(redactor.cut(&text).starts_with("token is ghp_[REDACTED:cut:"), "{}", redactor.cut(&text));
    assert_eq!(redactor.cut("nothing to see"), "nothing to see");
}

#[test]
fn a54_a69_titles_are_masked_and_nobody_fills_a_viewers_clipboard() {
    let redactor = redactor();
    let token = format!("ghp_{}", "Ab1".repeat(12));
    let bytes = format!("\x1b]0;x {token} y\x07a\x1b]52;c;{token}\x1b\\b\x1b]2;fine\x07");
    let stars = "*".repeat(36);
    let expected = format!("\x1b]0;x ghp_{stars} y\x07a\x1b]52;{}\x1b\\b\x1b]2;fine\x07", "*".repeat(42));
    for cut in 1..bytes.len() {
        let out = masked(&redactor, &[&bytes.as_bytes()[..cut], &bytes.as_bytes()[cut..]]);
        assert_eq!(String::from_utf8(out).unwrap(), expected, "cut at {cut}");
    }
}

#[test]
fn a69_a_title_with_bytes_that_are_no_text_is_masked_too() {
    let token = format!("ghp_{}", "Ab1".repeat(12));
    let bytes = [b"\x1b]0;\xff\xe2\x94 ", token.as_bytes(), b" \xc3\x07"].concat();
    let expected = [&b"\x1b]0;\xff\xe2\x94 ghp_"[..], "*".repeat(36).as_bytes(), b" \xc3\x07"].concat();
    assert_eq!(masked(&redactor(), &[&bytes]), expected);
}

#[test]
fn bytes_are_held_only_while_they_may_be_a_secret() {
    let (mut masker, mut out) = (Masker::new(redactor(), 80), Vec::new());
    let mut held = |bytes: &[u8]| {
        masker.feed(bytes, &mut out);
        masker.held()
    };
    assert_eq!(held(b"the token ghp"), 0);
    assert_eq!(held(b"_"), 0);
    assert_eq!(held(b"Ab1Ab1"), 6);
    assert_eq!(held(b" is no secret"), 0);
    assert_eq!(held("é".as_bytes().split_at(1).0), 1);
    assert_eq!(held("é".as_bytes().split_at(1).1), 0);
    assert_eq!(held(b"\x1b]0;titl"), 6);
    assert_eq!(held(b"e\x07"), 0);
    // Let go early, the rest is masked all the same.
    masker.feed(b"ghp_Ab1", &mut out);
    masker.release(&mut out);
    masker.feed("Ab1".repeat(11).as_bytes(), &mut out);
    masker.feed(b" end", &mut out);
    let text = String::from_utf8(out).unwrap();
    assert!(text.ends_with(&format!("ghp_Ab1{} end", "*".repeat(33))), "{text}");
}

#[test]
fn a69_a_secret_in_a_box_is_masked_wherever_the_bytes_are_cut() {
    let rows = "│ ASIABBBBBB │\r\n│ BBBBBBBBBB │ end";
    let whole = masked(&redactor(), &[rows.as_bytes()]);
    assert!(!shown(&whole).contains('B'), "{}", shown(&whole));
    for cut in 1..rows.len() {
        let (head, tail) = rows.as_bytes().split_at(cut);
        assert_eq!(shown(&masked(&redactor(), &[head, tail])), shown(&whole), "cut at {cut}");
    }
}

#[test]
fn a69_rows_that_come_later_do_not_tell_that_a_secret_was_over() {
    let rows = format!("│ hvs.{} │\r\n│ {}!{} │ end", "a".repeat(40), "a".repeat(12), "b".repeat(60));
    let whole = masked(&redactor(), &[rows.as_bytes()]);
    for cut in 1..rows.len() {
        let (head, tail) = rows.as_bytes().split_at(cut);
        assert_eq!(shown(&masked(&redactor(), &[head, tail])), shown(&whole), "cut at {cut}");
    }
}

#[test]
fn a69_a_secret_that_runs_into_another_is_masked_as_well() {
    let value = "zQ9~vW7~kX5~jH3".to_owned();
    let redactor = Redactor::new(Secrets::builtin(), [value.clone()], [1; 16]);
    let bytes = format!("sq0atp-{}\r\n{}{value}", "a".repeat(14), "a".repeat(8));
    let expected = format!("sq0atp-{}\r\n{}", "*".repeat(14), "*".repeat(8 + value.len()));
    assert_eq!(redactor.masked(&bytes), expected);
    let redactor = Arc::new(redactor);
    for cut in 0..bytes.len() {
        let (head, tail) = bytes.as_bytes().split_at(cut);
        assert_eq!(masked(&redactor, &[head, tail]), expected.as_bytes(), "cut at {cut}");
    }
}

#[test]
fn a69_a_value_that_a_row_s_end_broke_anywhere_is_masked_wherever_the_bytes_are_cut() {
    let value = "zQ9~vW7~kX5~jH3";
    let redactor = Arc::new(Redactor::new(Secrets::builtin(), [value.to_owned()], [1; 16]));
    for broken in 1..value.len() {
        let (first, second) = value.split_at(broken);
        let bytes = format!("is {first}\r\n\r\n\x1b[0m\r\n{second} so");
        let whole = masked(&redactor, &[bytes.as_bytes()]);
        assert!(!String::from_utf8_lossy(&whole).contains(&value[..1]), "broken after {broken}");
        for cut in 0..bytes.len() {
            let (head, tail) = bytes.as_bytes().split_at(cut);
            assert_eq!(
                String::from_utf8(masked(&redactor, &[head, tail])).unwrap(),
                String::from_utf8_lossy(&whole),
                "broken after {broken}, cut at {cut}"
            );
        }
    }
}
