//! Bytes a second through the whole extractor: `cargo run --release -p extractor --example throughput [FILE...]`.
//!
//! Without files a plain log, a coloured log and one with many events are made up; a file is fed raw. Output comes in
//! 4 KiB pieces, as a PTY gives it, 100 microseconds apart.

use std::sync::Arc;
use std::time::{Duration, Instant};

use extractor::Extractor;
use patterns::{Agent, Library, Lines};

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
