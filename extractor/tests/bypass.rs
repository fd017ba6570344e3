//! Plain lines that are kept from the emulator make no difference: not to the screen, its styles, wraps, cursor and
//! modes, not to the rows that scroll away, not to what is observed.

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use extractor::vt::Vt;
use extractor::{Exit, Extractor};
use patterns::Library;
use proptest::prelude::*;

/// Printed text without controls: mostly ASCII, some of it wide, combining, blank or unprintable.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => "[ -~]{0,30}",
        2 => "[ -~]{0,90}",
        2 => "[a-z ]{0,20}[─│●你好👍é\u{a0}ß]{1,12}[a-z ]{0,8}",
        1 => "[a-c你\u{301}\u{200d}\u{fe0f}⚠✔\u{ad}\u{7f}\u{85}\u{fffd}]{0,8}",
        1 => "[ \u{a0}]{0,40}",
        1 => Just(String::new()),
        1 => Just("x".repeat(40)),
        1 => Just("你".repeat(20)),
    ]
}

/// What stands between texts of a plain line.
fn between() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => Just(String::new()),
        2 => Just("\t".to_owned()),
        2 => Just("\x1b[m".to_owned()),
        2 => Just("\x1b[0m".to_owned()),
        2 => (0u8..120).prop_map(|n| format!("\x1b[{n}m")),
        1 => (30u8..38, 0u8..10).prop_map(|(a, b)| format!("\x1b[{b};{a}m")),
        1 => any::<[u8; 3]>().prop_map(|[r, g, b]| format!("\x1b[48;2;{r};{g};{b}m")),
        1 => any::<u8>().prop_map(|n| format!("\x1b[38:5:{n}m")),
        1 => Just("\x1b[;31m".to_owned()),
    ]
}

fn line() -> impl Strategy<Value = Vec<u8>> {
    let end = prop_oneof![20 => Just("\r\n"), 2 => Just("\n"), 1 => Just("\r\r\n"), 1 => Just("\r")];
    (proptest::collection::vec((text(), between()), 0..4), end).prop_map(|(parts, end)| {
        let mut line: String = parts.into_iter().map(|(text, between)| text + &between).collect();
        line.push_str(end);
        line.into_bytes()
    })
}

/// Sequences that a flood must stop at.
fn odd() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 1..6),
        (0u16..9, 0u16..50).prop_map(|(a, b)| format!("\x1b[{a};{b}H").into_bytes()),
        (0u16..9, 0u16..9).prop_map(|(a, b)| format!("\x1b[{a};{b}r").into_bytes()),
        Just(b"\x1b[r".to_vec()),
        (0u16..12, "[@-~]").prop_map(|(n, c)| format!("\x1b[{n}{c}").into_bytes()),
        prop_oneof![Just("1049"), Just("2004"), Just("47"), Just("6"), Just("25"), Just("7")].prop_flat_map(
            |m| prop_oneof![Just('h'), Just('l')].prop_map(move |c| format!("\x1b[?{m}{c}").into_bytes())
        ),
        Just(b"\x1b7".to_vec()),
        Just(b"\x1b8".to_vec()),
        Just(b"\x1bM".to_vec()),
        Just(b"\x1bc".to_vec()),
        Just(b"\x1b(B\x0e\x0f".to_vec()),
        Just(b"\x1b[4h\x1b[?6n\x1b[c".to_vec()),
        Just(b"\x1b[5b\x1b[K".to_vec()),
        Just(b"\x1b]8;;http://x\x07link\x1b]8;;\x07".to_vec()),
        Just(b"\x1b]0;title\x1b\\\x1b]133;A\x07$ \x1b]133;B\x07".to_vec()),
        Just(b"\x1bPq#0\x9c\x1b\\\x1b_apc\x1b\\".to_vec()),
        Just(b"50%\r60%\r\x1b[K70%\r\n".to_vec()),
        Just(b"\x08\x07\x0b\x0c\0".to_vec()),
        Just(b"\x1b[3".to_vec()),
        Just(b"\xe4\xbd".to_vec()),
    ]
}

#[derive(Clone)]
enum Step {
    Bytes(Vec<u8>),
    Size(u16, u16),
    Look,
    Take,
}

impl std::fmt::Debug for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Bytes(bytes) => write!(f, "b\"{}\"", bytes.escape_ascii()),
            Self::Size(cols, rows) => write!(f, "{cols}x{rows}"),
            Self::Look => f.write_str("look"),
            Self::Take => f.write_str("take"),
        }
    }
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let lines =
        |most| proptest::collection::vec(line(), 1..most).prop_map(|lines| Step::Bytes(lines.concat()));
    let same = (line(), 1usize..60).prop_map(|(line, times)| Step::Bytes(line.repeat(times)));
    let step = prop_oneof![
        6 => lines(8),
        6 => lines(60),
        3 => same,
        4 => odd().prop_map(Step::Bytes),
        1 => (0u16..50, 0u16..9).prop_map(|(cols, rows)| Step::Size(cols, rows)),
        2 => Just(Step::Look),
        2 => Just(Step::Take),
    ];
    proptest::collection::vec(step, 1..14)
}

fn gone(vt: &mut Vt) -> (usize, Vec<(String, bool, bool)>) {
    let (lost, mut rows) = (vt.lost(), Vec::new());
    vt.take_gone(|row| rows.push((row.text.to_owned(), row.continues, row.alternate)));
    (lost, rows)
}

fn look(vt: &Vt) -> (extractor::vt::Screen, String, (u16, u16), Vec<extractor::vt::Styled>) {
    let styles = (0..usize::from(vt.size().1)).flat_map(|row| vt.styles(row, 0)).collect();
    (vt.screen(), String::from_utf8_lossy(&vt.redraw()).into_owned(), vt.cursor(), styles)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn the_screen_is_the_same_with_and_without_the_emulator(
        (cols, rows) in (16u16..44, 2u16..7),
        steps in steps(),
        cut in prop_oneof![Just(usize::MAX), 1usize..9, 9usize..200],
    ) {
        let mut all = Vt::without_bypass(cols, rows);
        let mut kept = Vt::new(cols, rows);
        for step in &steps {
            match step {
                Step::Bytes(bytes) => {
                    all.feed(bytes);
                    bytes.chunks(cut).for_each(|piece| kept.feed(piece));
                }
                Step::Size(cols, rows) => {
                    all.resize(*cols, *rows);
                    kept.resize(*cols, *rows);
                }
                Step::Look | Step::Take if all.has_failed() || kept.has_failed() => {}
                Step::Look => prop_assert_eq!(look(&all), look(&kept)),
                Step::Take => prop_assert_eq!(gone(&mut all), gone(&mut kept)),
            }
        }
        // Where the emulator fails, what stands afterwards depends on what it was given at once.
        prop_assume!(!all.has_failed() && !kept.has_failed());
        prop_assert_eq!(gone(&mut all), gone(&mut kept));
        prop_assert_eq!(look(&all), look(&kept));
        // What cannot be seen shows in what follows: the repeated character, the saved cursor, the region, origin mode.
        for tail in ["\x1b[3b", "\x1b8x", "\x1b[2;2Hx\n\n\n\n\n\n\n\n", "\x1b[1;1Hy", "\x1b[?1049lz\r\n"] {
            all.feed(tail.as_bytes());
            kept.feed(tail.as_bytes());
            if all.has_failed() || kept.has_failed() {
                break;
            }
            prop_assert_eq!(look(&all), look(&kept));
            prop_assert_eq!(gone(&mut all), gone(&mut kept));
        }
    }

    #[test]
    fn what_is_observed_is_the_same_with_and_without_the_emulator(
        agent in prop_oneof![Just("claude"), Just("shell"), Just("any")],
        steps in proptest::collection::vec((steps(), 0u64..120), 1..4),
        cut in prop_oneof![Just(usize::MAX), 1usize..9, 9usize..200],
    ) {
        let agent = Library::builtin().agent(agent).unwrap();
        let run = |mut extractor: Extractor, cut: usize| {
            let (mut seen, mut now) = (Vec::new(), Duration::ZERO);
            for (steps, later) in &steps {
                now += Duration::from_millis(*later);
                for step in steps {
                    match step {
                        Step::Bytes(bytes) => {
                            bytes.chunks(cut).for_each(|piece| extractor.output(now, piece, &mut seen));
                        }
                        Step::Size(cols, rows) => extractor.resize(now, *cols, *rows, &mut seen),
                        Step::Look | Step::Take => now += Duration::from_millis(50),
                    }
                }
            }
            extractor.exit(now + Duration::from_secs(1), Exit::Code(0), &mut seen);
            let failed = extractor.has_failed();
            (failed, (seen, extractor.screen_text(), extractor.snapshot(), extractor.offset()))
        };
        let all = run(Extractor::without_bypass(agent.clone(), 40, 5), usize::MAX);
        let kept = run(Extractor::new(agent, 40, 5), cut);
        // Where the emulator fails, what stands afterwards depends on what it was given at once.
        prop_assume!(!all.0 && !kept.0);
        prop_assert_eq!(all.1, kept.1);
    }
}

#[test]
fn a_flood_of_many_rows_loses_the_same_rows() {
    let line = b"\n\r\nplain\r\n\x1b[31mred\x1b[m and a line that is longer than the screen is wide\r\n";
    let flood = line.repeat(9_000);
    let (mut all, mut kept) = (Vt::without_bypass(30, 6), Vt::new(30, 6));
    for piece in flood.chunks(30_011) {
        all.feed(piece);
        kept.feed(piece);
    }
    let (all, kept) = (gone(&mut all), gone(&mut kept));
    assert!(all.0 > 0);
    assert_eq!(all, kept);
}

#[test]
fn a_main_screen_that_scrolled_gets_no_rows_back_while_another_is_shown() {
    // Both sizes come in the middle of an escape sequence, where the emulator can be told nothing by another.
    for enters in ["\x1b[?1049h\x1b", "\x1b[?1049h\x1b[?1049lmore\r\n\n\n\x1b[?47h\x1b"] {
        let run = |mut vt: Vt, resizes: bool| {
            vt.feed("line\r\n".repeat(100).as_bytes());
            vt.feed(enters.as_bytes());
            if resizes {
                vt.resize(20, 50);
                vt.resize(20, 5);
            }
            vt.feed(b"[?1049l\x1b[?47l");
            (vt.screen().rows, gone(&mut vt))
        };
        let stays = run(Vt::new(20, 5), false);
        assert_eq!(run(Vt::new(20, 5), true), stays);
        assert_eq!(run(Vt::without_bypass(20, 5), true), stays);
    }
}
