//! What output costs: `cargo bench -p extractor`. Plain lines beside the emulator and through it, coloured lines, and
//! the recordings of real agents with all their looks.

#![allow(missing_docs)]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use extractor::{Extractor, Observation};
use patterns::{Agent, Library};
use serde_json::Value;

/// A program's output with its times.
struct Traffic {
    agent: Arc<Agent>,
    size: (u16, u16),
    pieces: Vec<(Duration, Vec<u8>)>,
}

impl Traffic {
    fn bytes(&self) -> u64 {
        self.pieces.iter().map(|(_, piece)| piece.len() as u64).sum()
    }

    fn feed(&self, mut extractor: Extractor, seen: &mut Vec<Observation>) {
        for (at, piece) in &self.pieces {
            extractor.output(*at, piece, seen);
            seen.clear();
        }
        extractor.tick(Duration::from_secs(100_000), seen);
        seen.clear();
    }
}

/// Lines as a terminal gives them: 64 KiB at a time, at 40 MB/s.
fn log(line: impl Fn(usize) -> String) -> Traffic {
    let text: String = (0..40_000).map(line).collect();
    let piece = |(i, bytes): (usize, &[u8])| (Duration::from_micros(1_600 * i as u64), bytes.to_vec());
    let pieces = text.as_bytes().chunks(64 << 10).enumerate().map(piece).collect();
    Traffic { agent: Library::builtin().agent_for_command("any"), size: (120, 40), pieces }
}

fn recordings() -> Vec<Traffic> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/recordings");
    let under = |path: PathBuf| std::fs::read_dir(path).into_iter().flatten().flatten().map(|e| e.path());
    let mut casts: Vec<PathBuf> = under(root).flat_map(under).flat_map(under).collect();
    casts.sort();
    casts.iter().filter_map(|case| recording(case)).collect()
}

fn recording(case: &Path) -> Option<Traffic> {
    let text = std::fs::read_to_string(case.join("session.cast")).ok()?;
    let mut lines = text.lines();
    let header: Value = serde_json::from_str(lines.next()?).ok()?;
    let side = |name: &str| header[name].as_u64().and_then(|n| u16::try_from(n).ok()).unwrap_or(80);
    let event = |line: &str| serde_json::from_str::<(f64, String, String)>(line).ok();
    let output = lines.filter_map(event).filter(|(_, code, _)| code == "o");
    let pieces = output.map(|(at, _, data)| (Duration::from_secs_f64(at), data.into_bytes())).collect();
    let agent = case.ancestors().nth(2)?.file_name()?.to_string_lossy().into_owned();
    Some(Traffic {
        agent: Library::builtin().agent_for_command(&agent),
        size: (side("width"), side("height")),
        pieces,
    })
}

fn feed(criterion: &mut Criterion) {
    let plain = log(|i| format!("2026-01-05 12:00:{:02} INFO worker {i} took a job and went on\r\n", i % 60));
    let coloured = log(|i| format!("\x1b[32m   Checking\x1b[0m part-{i} v0.{i}.1 (\x1b[1mdone\x1b[0m)\r\n"));
    let tui = recordings();
    let all = [("plain", vec![plain]), ("coloured", vec![coloured]), ("recordings", tui)];
    let mut group = criterion.benchmark_group("extractor");
    group.sample_size(20);
    for (name, traffic) in &all {
        group.throughput(Throughput::Bytes(traffic.iter().map(Traffic::bytes).sum()));
        for (way, new) in
            [("", Extractor::new as fn(_, _, _) -> _), (", no short cuts", Extractor::without_bypass)]
        {
            group.bench_function(format!("{name}{way}"), |bencher| {
                let mut seen = Vec::new();
                bencher.iter(|| {
                    for one in traffic {
                        one.feed(new(Arc::clone(&one.agent), one.size.0, one.size.1), &mut seen);
                    }
                });
            });
        }
    }
    group.finish();
}

criterion_group!(benches, feed);
criterion_main!(benches);
