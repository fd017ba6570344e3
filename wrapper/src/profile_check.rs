//! `wrap profile check`: a profile against its own examples and against labelled recordings. Must not: mend either.
//!
//! A recording is an asciicast `NAME.cast` with `NAME.labels.jsonl` beside it: one JSON object a line, of which those
//! with `"type": "state"` say what the truth was from `t0` to `t1` (seconds).

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use extractor::{Extractor, Seen, State};
use serde_json::Value;

use crate::recording::Record;
use crate::{asciicast, drive, profiles};

/// Seconds after a change of the truth that are not counted: an agent draws it only some time later.
const SLACK: f64 = 2.0;

/// Around the first idle moment the truth itself is soft, by seconds.
const SOFT: f64 = 8.0;

/// Share of the counted time that must agree.
const ENOUGH: f64 = 0.995;

/// Status when the profile or a recording disagrees.
const DISAGREES: u8 = 1;

/// Checks; returns the status to exit with.
pub fn run(file: &Path, folders: &[PathBuf], out: &mut impl Write) -> anyhow::Result<u8> {
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let text = profiles::text(file)?;
    let faults = patterns::check::agent(&name, &text);
    for fault in &faults {
        writeln!(out, "{}", wire::text::escape_lines(fault))?;
    }
    if !faults.is_empty() {
        writeln!(out, "{}: {} faults", file.display(), faults.len())?;
        return Ok(DISAGREES);
    }
    let agent = std::sync::Arc::new(patterns::library::agent(&name, &text)?);
    writeln!(out, "{}: every rule does what its examples say", file.display())?;
    let mut low = false;
    for folder in folders {
        for cast in casts(folder)? {
            let labels = std::fs::read_to_string(cast.with_extension("labels.jsonl"))?;
            let seen = observe(Extractor::new(agent.clone(), 80, 24), &cast)?;
            let (right, all, wrong) = score(&truth(&labels), &seen);
            low |= right < all * ENOUGH;
            let share = if all > 0.0 { right / all * 100.0 } else { 100.0 };
            writeln!(out, "{:<40} {share:7.3} % of {all:.0} s{wrong}", cast.display())?;
        }
    }
    Ok(if low { DISAGREES } else { 0 })
}

fn casts(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let entries =
        std::fs::read_dir(folder).with_context(|| format!("cannot read the folder {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(casts(&path)?);
        } else if path.extension().is_some_and(|end| end == "cast")
            && path.with_extension("labels.jsonl").exists()
        {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// When each state was believed.
fn observe(mut extractor: Extractor, cast: &Path) -> anyhow::Result<Vec<(f64, State)>> {
    let file = std::fs::File::open(cast)?;
    let reader = asciicast::Reader::new(std::io::BufReader::new(file))
        .with_context(|| format!("{} is no asciicast", cast.display()))?;
    let mut seen = Vec::new();
    drive::apply(&mut extractor, Duration::ZERO, &Record::Resize(reader.cols, reader.rows), &mut seen);
    for moment in reader {
        let moment = moment?;
        drive::apply(&mut extractor, moment.at, &moment.record, &mut seen);
    }
    let states = seen.iter().filter_map(|one| match &one.what {
        Seen::State(claim) => Some((one.at.as_secs_f64(), claim.state)),
        _ => None,
    });
    Ok(states.collect())
}

struct Span {
    from: f64,
    to: f64,
    state: String,
}

fn truth(labels: &str) -> Vec<Span> {
    let rows = labels.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let states = rows.filter(|row| row["type"] == "state");
    let span = |row: Value| {
        let state = row["state"].as_str()?.to_owned();
        Some(Span { from: row["t0"].as_f64()?, to: row["t1"].as_f64()?, state })
    };
    states.filter_map(span).filter(|span| span.to > span.from).collect()
}

/// Seconds that agree, seconds that count, and what was taken for what.
fn score(truth: &[Span], seen: &[(f64, State)]) -> (f64, f64, String) {
    let step = 0.05;
    let (mut right, mut all) = (0.0, 0.0);
    let mut wrong = std::collections::BTreeMap::<(String, &str), f64>::new();
    let first_idle = truth.iter().find(|span| span.state == "idle").map_or(0.0, |span| span.from);
    for span in truth.iter().filter(|span| span.state != "starting") {
        let soft = if span.from <= first_idle { SOFT } else { SLACK };
        let mut t = span.from + soft;
        while t < span.to {
            let state =
                seen.iter().rev().find(|(at, _)| *at <= t).map_or(State::Starting, |(_, state)| *state);
            all += step;
            if state.as_str() == span.state {
                right += step;
            } else {
                *wrong.entry((span.state.clone(), state.as_str())).or_default() += step;
            }
            t += step;
        }
    }
    let wrong = wrong.iter().map(|((was, is), s)| format!("; {was} taken for {is} for {s:.1} s")).collect();
    (right, all, wrong)
}
