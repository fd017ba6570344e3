//! Bytes a second through the whole extractor: `cargo run --release -p extractor --example throughput [FILE...]`.
//!
//! Without files a plain log, a coloured log and one with many events are made up; a file is fed raw. Output comes in
//! 4 KiB pieces, as a PTY gives it, 100 microseconds apart.

use std::sync::Arc;
use std::time::{Duration, Instant};

use extractor::{Extractor, Masker, Redactor};
use patterns::{Agent, Library, Lines, Secrets};

fn measure(name: &str, agent: &Arc<Agent>, bytes: &[u8], total: usize) {
    let mut extractor = Extractor::new(Arc::clone(agent), 120, 40);
    let (mut seen, mut count, mut fed, mut at) = (Vec::new(), 0, 0, Duration::ZERO);
    let start = Instant::now();
    while fed < total {
        for piece in bytes.chunks(4096) {
            at += Duration::from_micros(100);
            extractor.output(at, piece, &mut seen);
            count += seen.len();
            seen.clear();
        }
        fed += bytes.len();
    }
    let rate = fed as f64 / 1e6 / start.elapsed().as_secs_f64();
    println!("{name:<24} {rate:8.1} MB/s, {count} observations");
}

fn redact(name: &str, text: &str, total: usize) {
    let values = (0..8).map(|i| format!("a value of the environment {i}"));
    let redactor = Arc::new(Redactor::new(Secrets::builtin(), values, [0; 16]));
    let mut found = 0;
    let line = |what: &str, each: &mut dyn FnMut(&str)| {
        let (mut fed, start) = (0, Instant::now());
        while fed < total {
            let mut rest = text;
            while !rest.is_empty() {
                let end =
                    (0..=rest.len().min(16 << 10)).rev().find(|at| rest.is_char_boundary(*at)).unwrap_or(0);
                each(&rest[..end]);
                rest = &rest[end..];
            }
            fed += text.len();
        }
        println!("{name:<16} {what:<24} {:8.1} MB/s", fed as f64 / 1e6 / start.elapsed().as_secs_f64());
    };
    let mut hits = Vec::new();
    line("forms alone", &mut |text| {
        Secrets::builtin().find(text, &mut hits);
        found += hits.len();
        hits.clear();
    });
    line("text", &mut |text| drop(redactor.text(text)));
    let (mut masker, mut out) = (Masker::new(Arc::clone(&redactor), 120), Vec::new());
    line("terminal bytes", &mut |text| {
        masker.feed(text.as_bytes(), &mut out);
        out.clear();
    });
    println!("{found} found");
}

fn main() {
    let plain: String = (0..20_000)
        .map(|i| format!("2026-01-05 12:00:{:02} INFO worker {i} took a job and went on\r\n", i % 60))
        .collect();
    let coloured: String = (0..20_000)
        .map(|i| format!("\x1b[32m   Checking\x1b[0m part-{i} v0.{i}.1 (\x1b[1mdone\x1b[0m)\r\n"))
        .collect();
    let events: String = (0..20_000)
        .map(|i| {
            if i % 10 == 0 {
                format!("test a::b{i} ... FAILED\r\n")
            } else {
                format!("test a::b{i} ... ok\r\n")
            }
        })
        .collect();
    redact("redact, plain", &plain, 200_000_000);
    redact("redact, coloured", &coloured, 200_000_000);
    for lines in [Lines::Stream, Lines::Screen] {
        let Some(agent) = Library::builtin().agents().iter().find(|agent| agent.lines == lines) else {
            continue;
        };
        measure(&format!("plain, {lines:?}"), agent, plain.as_bytes(), 40_000_000);
        measure(&format!("coloured, {lines:?}"), agent, coloured.as_bytes(), 40_000_000);
        measure(&format!("10 % events, {lines:?}"), agent, events.as_bytes(), 40_000_000);
        for file in std::env::args().skip(1) {
            match std::fs::read(&file) {
                Ok(bytes) => measure(&format!("{file}, {lines:?}"), agent, &bytes, 40_000_000),
                Err(error) => eprintln!("{file}: {error}"),
            }
        }
    }
}
