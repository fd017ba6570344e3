//! Recordings of real agents, read and replayed. Must not: judge what is seen.

#![allow(clippy::unwrap_used, dead_code)]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use extractor::{Exit, Extractor, Keys, Observation};
use patterns::Library;
use serde_json::Value;

/// One recording.
pub struct Case {
    pub agent: String,
    pub cols: u16,
    pub rows: u16,
    /// What happened, with its time.
    pub records: Vec<(Duration, Record)>,
    /// Outcomes of turns, in order, without those after the exit command.
    pub tasks: Vec<String>,
    /// How often the agent waited for an answer.
    pub waits: usize,
    /// When the driver asked the agent to exit.
    pub end: Duration,
}

/// One thing that happened.
pub enum Record {
    /// The program wrote.
    Output(Vec<u8>),
    /// Somebody wrote to it.
    Keys(Keys),
    /// The terminal got another size.
    Size(u16, u16),
    /// The program ended.
    Exit(i32),
}

/// The folders of all recordings.
pub fn cases() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/recordings");
    let mut found = Vec::new();
    let folders =
        |path: &Path| std::fs::read_dir(path).unwrap().map(|e| e.unwrap().path()).collect::<Vec<_>>();
    for agent in folders(&root) {
        for version in folders(&agent) {
            found.extend(folders(&version));
        }
    }
    found.sort();
    assert!(found.len() >= 10, "the recordings are missing under {}", root.display());
    found
}

/// The keys of a record, as far as these recordings need them.
fn keys(text: &str) -> Keys {
    let reply = text.starts_with("\x1b[?") || text.starts_with("\x1b]") || text.starts_with("\x1bP");
    let report = text.starts_with("\x1b[") && text.ends_with(['R', 't', 'y', 'c']);
    if reply || report {
        return Keys { reply: true, ..Keys::default() };
    }
    let pasted = text.starts_with("\x1b[200~");
    Keys {
        enter: !pasted && text.contains('\r'),
        escape: text == "\x1b",
        interrupt: !pasted && text.contains('\x03'),
        text: pasted || text.chars().any(|c| !c.is_control()),
        ..Keys::default()
    }
}

/// Reads a recording.
pub fn load(folder: &Path) -> Case {
    let cast = std::fs::read_to_string(folder.join("session.cast")).unwrap();
    let mut lines = cast.lines();
    let header: Value = serde_json::from_str(lines.next().unwrap()).unwrap();
    let records = lines.map(|line| {
        let (at, code, data): (f64, String, String) = serde_json::from_str(line).unwrap();
        let record = match code.as_str() {
            "o" => Record::Output(data.into_bytes()),
            "i" => Record::Keys(keys(&data)),
            "r" => {
                let (cols, rows) = data.split_once('x').unwrap();
                Record::Size(cols.parse().unwrap(), rows.parse().unwrap())
            }
            other => panic!("{}: a record of kind {other}", folder.display()),
        };
        (Duration::from_secs_f64(at), record)
    });
    let mut records: Vec<_> = records.collect();
    let labels = std::fs::read_to_string(folder.join("session.labels.jsonl")).unwrap();
    let labels: Vec<Value> = labels.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    let event = |name: &str| labels.iter().find(|l| l["event"] == name);
    // Older labels do not tell the status.
    if let Some((at, code)) = event("exited").and_then(|l| Some((l["t"].as_f64()?, l["code"].as_i64()?))) {
        records.push((Duration::from_secs_f64(at), Record::Exit(i32::try_from(code).unwrap())));
    }
    let exit = event("exit_command").and_then(|l| l["t"].as_f64());
    let end = exit.unwrap_or(f64::MAX / 1e300);
    let tasks = labels.iter().filter(|l| l["t"].as_f64().is_some_and(|t| t < end));
    let tasks = tasks.filter_map(|l| l["event"].as_str()?.strip_prefix("task_"));
    let tasks =
        tasks.filter(|t| matches!(*t, "completed" | "failed" | "interrupted")).map(str::to_owned).collect();
    let waits =
        labels.iter().filter(|l| l["state"].as_str().is_some_and(|s| s.starts_with("waiting"))).count();
    let number = |v: &Value| u16::try_from(v.as_u64().unwrap()).unwrap();
    Case {
        agent: labels[0]["agent"].as_str().unwrap().to_owned(),
        cols: number(&header["width"]),
        rows: number(&header["height"]),
        records,
        tasks,
        waits,
        end: Duration::from_secs_f64(end.min(1e6)),
    }
}

/// Replays with every output cut after `cut` bytes.
pub fn replay(case: &Case, cut: usize) -> Vec<Observation> {
    let agent = Library::builtin().agent(&case.agent).unwrap();
    let mut extractor = Extractor::new(Arc::clone(&agent), case.cols, case.rows);
    let mut seen = Vec::new();
    for (at, record) in &case.records {
        match record {
            Record::Output(bytes) => {
                bytes.chunks(cut).for_each(|piece| extractor.output(*at, piece, &mut seen));
            }
            other => apply(&mut extractor, *at, other, &mut seen),
        }
    }
    seen
}

/// Gives a record that is not cut.
pub fn apply(extractor: &mut Extractor, at: Duration, record: &Record, seen: &mut Vec<Observation>) {
    match record {
        Record::Output(bytes) => extractor.output(at, bytes, seen),
        Record::Keys(keys) => extractor.input(at, *keys, seen),
        Record::Size(cols, rows) => extractor.resize(at, *cols, *rows, seen),
        Record::Exit(code) => extractor.exit(at, Exit::Code(*code), seen),
    }
}
