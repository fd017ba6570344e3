//! Recorded sessions of real agents: the states they went through and how each turn ended.
//!
//! The labels come from the model's server and from the keys that were pressed, so they run ahead of the screen.
//! What is promised is the order: each labelled turn is seen once, with its outcome, and so is each wait. What is not
//! kept yet stands in `fixtures/known-faults.json`, and leaves it when it is.

#![allow(clippy::unwrap_used)]

mod case;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use case::{Case, cases, load, replay};
use extractor::{Observation, Seen, State};

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

/// A turn may be over before anybody sees the agent at work.
fn was_short(seen: &[Observation]) -> bool {
    seen.iter().any(|o| matches!(o.what, Seen::TurnEnded { .. }))
}

fn rests_before_and_after(case: &Case) -> Result<(), String> {
    let mut seen = replay(case, usize::MAX);
    seen.retain(|o| o.at <= case.end);
    let states = states(&seen);
    let busy = states.iter().position(|s| *s == State::Busy).unwrap_or(states.len());
    let rests = states[..busy].contains(&State::Idle)
        && matches!(states.last(), Some(State::Idle | State::Exited))
        && (busy < states.len() || was_short(&seen));
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
fn a39_a_permission_names_its_request_and_the_keys_that_answer_it() {
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
