//! What is measured: logs that are made up, and recordings of real agents. Must not: be the same twice in a run.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use serde_json::Value;

/// Pieces of output with their times, of one program.
pub struct Traffic {
    /// Whose it is.
    pub agent: String,
    /// Columns and rows.
    pub size: (u16, u16),
    /// What it wrote, and when.
    pub pieces: Vec<(Duration, Vec<u8>)>,
}

/// Lines of a log, none of which a rule matches.
pub fn plain(bytes: usize) -> String {
    lines(bytes, |i| {
        let seconds = i % 60;
        format!("2026-11-21T07:00:{seconds:02}Z INFO worker-{} took request {i} and went on\r\n", i % 8)
    })
}

/// What a build and its tests print, in colours.
pub fn coloured(bytes: usize) -> String {
    lines(bytes, |i| match i % 4 {
        0 => format!("\x1b[32m   Checking\x1b[0m part-{i} v0.{}.1 (\x1b[1mdone\x1b[0m)\r\n", i % 90),
        1 => format!("\x1b[2m07:00:{:02}\x1b[0m \x1b[34mINFO\x1b[0m request {i} was served\r\n", i % 60),
        2 => format!(
            "\x1b[38;5;244m{i:>6} │\x1b[0m     let value = \x1b[33mcompute\x1b[0m(\x1b[36m{i}\x1b[0m);\r\n"
        ),
        _ => format!("test part::module::case_{i} ... \x1b[32mok\x1b[0m\r\n"),
    })
}

/// Lines of a log without colours; of every so many lines one is an error that a rule matches.
pub fn matching(bytes: usize, every: usize) -> String {
    let log = |i: usize| match i % every {
        1 => format!("error[E0382]: borrow of moved value: `x{i}` in a function\n"),
        _ => format!("2026-11-21T07:00:{:02}Z INFO worker-{} took request {i} and went on\n", i % 60, i % 8),
    };
    lines(bytes, log)
}

fn lines(bytes: usize, line: impl Fn(usize) -> String) -> String {
    let (mut text, mut number) = (String::with_capacity(bytes + 200), 0);
    while text.len() < bytes {
        text.push_str(&line(number));
        number += 1;
    }
    text
}

/// A text as a terminal gives it: 64 KiB at a time, at 40 MB/s.
pub fn pieces(text: &[u8]) -> Traffic {
    let piece = |(i, bytes): (usize, &[u8])| (Duration::from_micros(1_600 * i as u64), bytes.to_vec());
    let pieces = text.chunks(64 << 10).enumerate().map(piece).collect();
    Traffic { agent: "any".to_owned(), size: (120, 40), pieces }
}

/// All recordings under a folder.
pub fn recordings(root: &Path) -> anyhow::Result<Vec<Traffic>> {
    let folders = |path: &Path| -> anyhow::Result<Vec<PathBuf>> {
        let entries = std::fs::read_dir(path).with_context(|| format!("cannot read {}", path.display()))?;
        Ok(entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?)
    };
    let mut all = Vec::new();
    for agent in folders(root)? {
        for version in folders(&agent)? {
            for case in folders(&version)? {
                let name = agent.file_name().unwrap_or_default().to_string_lossy().into_owned();
                all.push(recording(name, &case.join("session.cast"))?);
            }
        }
    }
    Ok(all)
}

fn recording(agent: String, cast: &Path) -> anyhow::Result<Traffic> {
    let text = std::fs::read_to_string(cast)?;
    let mut lines = text.lines();
    let header: Value = serde_json::from_str(lines.next().context("a recording has a header")?)?;
    let side = |name: &str| header[name].as_u64().and_then(|n| u16::try_from(n).ok()).unwrap_or(80);
    let mut pieces = Vec::new();
    for line in lines {
        let (at, code, data): (f64, String, String) = serde_json::from_str(line)?;
        if code == "o" {
            pieces.push((Duration::from_secs_f64(at), data.into_bytes()));
        }
    }
    Ok(Traffic { agent, size: (side("width"), side("height")), pieces })
}
