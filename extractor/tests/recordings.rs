//! Recorded sessions of real agents: the states they went through and how each turn ended.
//!
//! The labels come from the model's server and from the keys that were pressed, so they run ahead of the screen.
//! What is promised is the order: each labelled turn is seen once, with its outcome, and so is each wait. What is not
//! kept yet stands in `fixtures/known-faults.json`, and leaves it when it is.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use extractor::{Exit, Extractor, Keys, Observation, Seen, State};
use patterns::Library;
use serde_json::Value;

struct Case {
    agent: String,
    cols: u16,
    rows: u16,
    /// What happened, with its time.
    records: Vec<(Duration, Record)>,
    /// Outcomes of turns, in order, without those after the exit command.
    tasks: Vec<String>,
    /// How often the agent waited for an answer.
    waits: usize,
    /// When the driver asked the agent to exit.
    end: Duration,
}

enum Record {
    Output(Vec<u8>),
    Keys(Keys),
    Size(u16, u16),
    Exit(i32),
}

fn cases() -> Vec<PathBuf> {
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

fn load(folder: &Path) -> Case {
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
fn replay(case: &Case, cut: usize) -> Vec<Observation> {
    let agent = Library::builtin().agent(&case.agent).unwrap();
    let mut extractor = Extractor::new(Arc::clone(&agent), case.cols, case.rows);
    let mut seen = Vec::new();
    for (at, record) in &case.records {
        match record {
            Record::Output(bytes) => {
                bytes.chunks(cut).for_each(|piece| extractor.output(*at, piece, &mut seen));
            }
            Record::Keys(keys) => extractor.input(*at, *keys, &mut seen),
            Record::Size(cols, rows) => extractor.resize(*at, *cols, *rows, &mut seen),
            Record::Exit(code) => extractor.exit(*at, Exit::Code(*code), &mut seen),
        }
    }
    seen
}

fn states(seen: &[Observation]) -> Vec<State> {
    let mut states: Vec<State> = seen
        .iter()
        .filter_map(|o| if let Seen::State(claim) = &o.what { Some(claim.state) } else { None })
        .collect();
    states.dedup();
    states
}

/// A recording's folder with what is not kept in it.
type Fault = (PathBuf, String);

/// Checks every recording, some at a time.
fn faults(check: impl Fn(&Case) -> Result<(), String> + Sync) -> Vec<Fault> {
    let cases = cases();
    let faults = Mutex::new(Vec::new());
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for part in cases.chunks(cases.len().div_ceil(workers)) {
            let (check, faults) = (&check, &faults);
            scope.spawn(move || {
                for folder in part {
                    if let Err(fault) = check(&load(folder)) {
                        faults.lock().unwrap().push((folder.clone(), fault));
                    }
                }
            });
        }
    });
    let mut faults = faults.into_inner().unwrap();
    faults.sort();
    faults
}

/// Recordings in which the detector is known to fall short, with what it does.
fn known() -> BTreeMap<String, String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/known-faults.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn name(folder: &Path) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/recordings");
    folder.strip_prefix(root).unwrap().to_str().unwrap().to_owned()
}

/// Fails when a recording shows a fault that is not known.
fn none_but_known(faults: Vec<Fault>) {
    let known = known();
    let new: Vec<_> = faults.into_iter().filter(|(folder, _)| !known.contains_key(&name(folder))).collect();
    assert!(new.is_empty(), "{new:#?}");
}

fn ensure(holds: bool, fault: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(fault()) }
}

fn turns_are_as_labelled(case: &Case) -> Result<(), String> {
    let mut seen = replay(case, usize::MAX);
    seen.retain(|o| o.at <= case.end);
    let ended = seen.iter().filter_map(|o| match &o.what {
        Seen::TurnEnded { outcome, .. } => Some(outcome.as_str().to_owned()),
        _ => None,
    });
    let ended: Vec<_> = ended.collect();
    ensure(ended == case.tasks, || format!("turns ended as {ended:?}, not as {:?}", case.tasks))?;
    let began = seen.iter().filter(|o| matches!(o.what, Seen::TurnBegan { .. })).count();
    ensure(began == case.tasks.len(), || format!("{began} turns began, not {}", case.tasks.len()))
}

fn waits_are_as_labelled(case: &Case) -> Result<(), String> {
    let mut seen = replay(case, usize::MAX);
    // Whether an agent asks before it exits is its own affair.
    seen.retain(|o| o.at <= case.end);
    let states = states(&seen);
    let waits = states.iter().filter(|s| matches!(s, State::WaitingPermission | State::WaitingInput)).count();
    ensure(waits == case.waits, || format!("{waits} waits, not {}: {states:?}", case.waits))
}

fn rests_before_and_after(case: &Case) -> Result<(), String> {
    let mut seen = replay(case, usize::MAX);
    seen.retain(|o| o.at <= case.end);
    let states = states(&seen);
    let busy = states.iter().position(|s| *s == State::Busy).unwrap_or(states.len());
    let rests = states[..busy].contains(&State::Idle)
        && matches!(states.last(), Some(State::Idle | State::Exited))
        && busy < states.len();
    ensure(rests, || format!("{states:?}"))
}

#[test]
fn every_labelled_turn_is_seen_once_with_its_outcome() {
    none_but_known(faults(turns_are_as_labelled));
}

#[test]
fn every_wait_is_seen_and_no_other() {
    none_but_known(faults(waits_are_as_labelled));
}

#[test]
fn a_session_is_idle_before_its_first_turn_and_after_its_last() {
    none_but_known(faults(rests_before_and_after));
}

#[test]
fn a_fault_that_is_mended_leaves_the_list_of_known_faults() {
    let checks = |case: &Case| {
        turns_are_as_labelled(case).and(waits_are_as_labelled(case)).and(rests_before_and_after(case))
    };
    let still: Vec<String> = faults(checks).iter().map(|(folder, _)| name(folder)).collect();
    let mended: Vec<_> = known().into_keys().filter(|name| !still.contains(name)).collect();
    assert!(mended.is_empty(), "take these out of fixtures/known-faults.json: {mended:#?}");
}

#[test]
fn a_completed_turn_gives_its_answer_without_borders_and_prompts() {
    let check = |case: &str, answer: &str| {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/recordings").join(case);
        let seen = replay(&load(&root), usize::MAX);
        let found = seen.iter().find_map(|o| match &o.what {
            Seen::TurnEnded { answer, .. } => Some(answer.clone()),
            _ => None,
        });
        assert_eq!(found.as_deref(), Some(answer), "{case}");
    };
    check("gemini/0.61.0/short", "The capital of France is Paris.");
    check("claude/2.1.197/short_v197", "The capital of France is Paris.");
    check("codex/0.169.0/trust_dialog", "The capital of France is Paris.");
    check("aider/0.86.2/short", "The capital of France is Paris.");
}

#[test]
fn a_permission_names_its_request_and_the_keys_that_answer_it() {
    let check = |case: &str, within: &str, approve: &[u8]| {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/recordings").join(case);
        let seen = replay(&load(&root), usize::MAX);
        let dialog = seen.iter().find_map(|o| match &o.what {
            Seen::Dialog(Some(dialog)) => Some(dialog.clone()),
            _ => None,
        });
        let dialog = dialog.unwrap();
        assert!(dialog.body.contains(within), "{case}: {dialog:?}");
        assert_eq!(dialog.approve.as_deref(), Some(approve), "{case}: {dialog:?}");
        assert!(dialog.options.len() >= 2, "{case}: {dialog:?}");
        assert_eq!(dialog.options.iter().filter(|o| o.selected).count(), 1, "{case}: {dialog:?}");
    };
    check("claude/2.1.329/bash_ok", "mkdir -p out", b"1");
    check("codex/0.169.0/bash_ok", "mkdir -p out", b"y");
    check("claude/2.1.329/trust_dialog", "Accessing workspace", b"\x1b[B\r");
    check("codex/0.169.0/trust_dialog", "Folder access", b"\r");
}

#[test]
fn what_is_seen_does_not_depend_on_how_the_bytes_were_split() {
    let faults = faults(|case| {
        let whole = replay(case, usize::MAX);
        for cut in [1, 7, 64] {
            let split = replay(case, cut);
            let differs = whole.iter().zip(&split).find(|(a, b)| a != b);
            ensure(differs.is_none() && whole.len() == split.len(), || format!("cut {cut}: {differs:?}"))?;
        }
        Ok(())
    });
    assert!(faults.is_empty(), "{faults:#?}");
}
