//! Whatever comes, memory stays bounded, and plain lines cost no allocation. `MUSTER_FLOOD_MB` makes the streams longer
//! than an ordinary run has time for.

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use allocation_counter::{AllocationInfo, measure};
use extractor::Extractor;
use patterns::Library;

/// Most bytes that an extractor may hold beyond what it holds at rest, its observations read at once.
const MOST: u64 = 5 << 19;

/// Feeds a stream of this many bytes, made piece by piece, and measures what the extractor took for it.
fn feed(
    agent: &str,
    bytes: usize,
    mut piece: impl FnMut(usize, &mut Vec<u8>),
) -> (AllocationInfo, Extractor) {
    let mut extractor = Extractor::new(Library::builtin().agent(agent).unwrap(), 120, 40);
    let (mut seen, mut buffer) = (Vec::new(), Vec::with_capacity(1 << 20));
    let (mut fed, mut number, mut at) = (0, 0, Duration::ZERO);
    let mut run = |extractor: &mut Extractor, until: usize| {
        while fed < until {
            buffer.clear();
            while buffer.len() < 64 << 10 {
                piece(number, &mut buffer);
                number += 1;
            }
            at += Duration::from_millis(5);
            extractor.output(at, &buffer, &mut seen);
            seen.clear();
            fed += buffer.len();
        }
    };
    // Rules are compiled and buffers find their size once.
    run(&mut extractor, 1 << 19);
    let info = measure(|| run(&mut extractor, bytes));
    (info, extractor)
}

fn megabytes(least: usize) -> usize {
    let asked = std::env::var("MUSTER_FLOOD_MB").ok().and_then(|text| text.parse().ok());
    asked.unwrap_or(least).max(2) << 20
}

#[track_caller]
fn bounded(name: &str, piece: impl Fn(usize, &mut Vec<u8>)) {
    bounded_by(megabytes(4), MOST, name, piece);
}

/// The same for a stream that must not take more than this.
#[track_caller]
fn bounded_by(bytes: usize, most: u64, name: &str, piece: impl Fn(usize, &mut Vec<u8>)) {
    for agent in ["any", "claude"] {
        let (info, mut extractor) = feed(agent, bytes, &piece);
        assert!(info.bytes_max < most, "{name}, {agent}: {} bytes at most", info.bytes_max);
        // It goes on working.
        let mut seen = Vec::new();
        let at = Duration::from_secs(100_000);
        extractor.output(at, b"\x18\x1bc\x1b[r\r\nstill here\r\n", &mut seen);
        extractor.tick(at + Duration::from_secs(5), &mut seen);
        assert!(extractor.screen_text().iter().any(|row| row == "still here"), "{name}, {agent}");
    }
}

/// A gigabyte with `MUSTER_FLOOD_MB=1024`.
#[test]
fn a_line_without_an_end() {
    let (info, _) = feed("any", megabytes(64), |_, out| out.extend_from_slice(&[b'x'; 1 << 10]));
    assert!(info.bytes_max < MOST, "{} bytes at most", info.bytes_max);
}

#[test]
fn lines_without_an_end_that_are_not_plain() {
    bounded("one line", |i, out| out.extend_from_slice(format!("word{i} é你").as_bytes()));
    bounded("one line of colours", |i, out| out.extend_from_slice(format!("\x1b[3{}m", i % 8).as_bytes()));
    bounded("one line of unfinished characters", |_, out| out.extend_from_slice(b"\xe4\xbd"));
    bounded("carriage returns", |_, out| out.extend_from_slice(b"\r\r\r\rx"));
}

#[test]
fn strings_and_sequences_without_an_end() {
    for begin in [
        "\x1b]0;",
        "\x1b]8;;http://",
        "\x1b]52;c;",
        "\x1bP1;2|",
        "\x1b_G",
        "\x1b^",
        "\x1bX",
        "\x1b[3",
        "\x1b(",
        "\x1b[",
    ] {
        bounded(&format!("{begin:?}"), |i, out| {
            if i == 0 {
                out.extend_from_slice(begin.as_bytes());
            }
            out.extend_from_slice(b"123;4567890:");
        });
    }
}

#[test]
fn a_million_links() {
    bounded("links", |i, out| {
        out.extend_from_slice(
            format!("\x1b]8;id={i};http://example.com/{i}\x1b\\{i}\x1b]8;;\x1b\\\r\n").as_bytes(),
        );
    });
}

#[test]
fn a_million_titles() {
    bounded("titles", |i, out| out.extend_from_slice(format!("\x1b]0;title {i}\x07").as_bytes()));
}

#[test]
fn a_million_words_on_its_state() {
    bounded_by(megabytes(2), 3 << 18, "statuses", |i, out| {
        out.extend_from_slice(format!("\x1b]7501;state=working:app={i:0150}:msg=eA\x07").as_bytes());
    });
    bounded_by(megabytes(2), 3 << 18, "modes", |i, out| {
        out.extend_from_slice(format!("\x1b[?{}h\x1b[{i}q", i % 70_000).as_bytes())
    });
    bounded_by(megabytes(2), 3 << 18, "marks", |i, out| {
        out.extend_from_slice(
            format!("\x1b]133;A\x07$ \x1b]133;B\x07{i}\r\n\x1b]133;C\x07\x1b]133;D;{i};aid={i:0150}\x07")
                .as_bytes(),
        );
    });
}

#[test]
fn characters_that_join_and_screens_that_move() {
    bounded("combining", |_, out| out.extend_from_slice("\u{301}\u{200d}\u{fe0f}".as_bytes()));
    bounded("combining on one", |i, out| {
        out.extend_from_slice(if i == 0 { b"e" } else { "\u{308}".as_bytes() });
    });
    bounded("regions", |i, out| {
        let (top, bottom) = (i % 50, i * 7 % 70_000);
        out.extend_from_slice(format!("\x1b[{top};{bottom}r\x1b[{bottom};1Hx\n\n\x1bM").as_bytes());
    });
    bounded("screens", |i, out| {
        out.extend_from_slice(format!("\x1b[?1049h\x1b[2Jframe {i}\x1b[?1049l{i}\r\n").as_bytes());
    });
    bounded("lines of one character", |_, out| out.extend_from_slice(b"x\r\n"));
    bounded("empty lines", |_, out| out.extend_from_slice(b"\n"));
    bounded("tabs", |_, out| out.extend_from_slice(b"\t\t\t\r\n"));
    bounded("code", |i, out| {
        out.extend_from_slice(if i == 0 { b"\r\n```rust\r\n" } else { b"let x = 1;\r\n" });
    });
}

/// Sequences that do much for few bytes: fewer of them, for they take the emulator's time.
#[test]
fn rows_by_the_thousand_for_a_few_bytes() {
    for text in ["\x1b[9999S", "y\x1b[65535b"] {
        let mut extractor = Extractor::new(Library::builtin().agent("any").unwrap(), 1_000, 1_000);
        let mut seen = Vec::new();
        let info = measure(|| {
            for i in 0..60 {
                extractor.output(Duration::from_millis(i), text.repeat(2).as_bytes(), &mut seen);
            }
        });
        // A screen of this size takes 40 MB by itself, in the emulator's cells.
        assert!(info.bytes_max < 40 * MOST, "{text:?}: {} bytes at most", info.bytes_max);
    }
}

#[test]
fn a_storm_of_sizes() {
    let mut extractor = Extractor::new(Library::builtin().agent("any").unwrap(), 120, 40);
    let mut seen = Vec::new();
    let info = measure(|| {
        for i in 0..1_000u16 {
            let at = Duration::from_millis(u64::from(i));
            extractor.output(
                at,
                "a line that is long enough to wrap 你好\r\n".repeat(30).as_bytes(),
                &mut seen,
            );
            extractor.resize(at, i % 251 * 37 % 300, i % 241 * 53 % 200, &mut seen);
            seen.clear();
        }
    });
    // The largest of these screens takes 4 MB in the emulator's cells.
    assert!(info.bytes_max < 4 * MOST, "{} bytes at most", info.bytes_max);
}

#[test]
fn plain_lines_cost_no_allocation() {
    let plain = "2026-11-21T07:00:00Z INFO worker-1 request 77 served\r\n".repeat(1 << 14);
    let coloured = "\x1b[32m   Checking\x1b[0m part-77 v0.77.1 (\x1b[1mdone\x1b[0m)\r\n".repeat(1 << 14);
    let wide = "an answer with 你好 and é, ─── and │ │ in it\r\n".repeat(1 << 14);
    for (name, text) in [("plain", plain), ("coloured", coloured), ("wide", wide)] {
        for agent in ["any", "claude"] {
            let mut extractor = Extractor::new(Library::builtin().agent(agent).unwrap(), 120, 40);
            let mut seen = Vec::new();
            let mut run = |until: u64, step: u64| {
                let before = extractor.offset();
                let info = measure(|| {
                    for i in 0..until {
                        for piece in text.as_bytes().chunks(4_096) {
                            extractor.output(Duration::from_millis(i * step), piece, &mut seen);
                        }
                    }
                });
                info.count_total as f64 / ((extractor.offset() - before) as f64 / 1e6)
            };
            run(4, 0);
            let (steady, looked) = (run(8, 0), run(8, 50));
            println!("{name}, {agent}: {steady:.2} allocations per MB, {looked:.0} with a look at each");
            assert!(steady < 1.0, "{name}, {agent}: {steady} allocations per MB");
            // A look reads the screen by all rules of the agent; it is paid by time, not by line.
            assert!(looked < 9_000.0, "{name}, {agent}: {looked} allocations per MB with a look at each");
        }
    }
}
