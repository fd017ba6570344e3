//! Recorded sessions of real agents: the states they went through and how each turn ended.
//!
//! The labels come from the model's server and from the keys that were pressed, so they run ahead of the screen.
//! What is promised is the order: each labelled turn is seen once, with its outcome, and so is each wait.

#![allow(clippy::unwrap_used)]

mod case;

use std::path::Path;

use case::{cases, load, replay};
use extractor::{Observation, Seen, State};

fn states(seen: &[Observation]) -> Vec<State> {
    let mut states: Vec<State> = seen
        .iter()
        .filter_map(|o| if let Seen::State(claim) = &o.what { Some(claim.state) } else { None })
        .collect();
    states.dedup();
    states
}

#[test]
fn every_labelled_turn_is_seen_once_with_its_outcome() {
    for folder in cases() {
        let case = load(&folder);
        let mut seen = replay(&case, usize::MAX);
        seen.retain(|o| o.at <= case.end);
        let ended = seen.iter().filter_map(|o| match &o.what {
            Seen::TurnEnded { outcome, .. } => Some(outcome.as_str().to_owned()),
            _ => None,
        });
        assert_eq!(ended.collect::<Vec<_>>(), case.tasks, "{}", folder.display());
        let began = seen.iter().filter(|o| matches!(o.what, Seen::TurnBegan { .. })).count();
        assert_eq!(began, case.tasks.len(), "{}: turns begun", folder.display());
    }
}

#[test]
fn every_wait_is_seen_and_no_other() {
    for folder in cases() {
        let case = load(&folder);
        let states = states(&replay(&case, usize::MAX));
        let waits =
            states.iter().filter(|s| matches!(s, State::WaitingPermission | State::WaitingInput)).count();
        assert_eq!(waits, case.waits, "{}: {states:?}", folder.display());
    }
}

#[test]
fn a_session_is_idle_before_its_first_turn_and_after_its_last() {
    for folder in cases() {
        let case = load(&folder);
        let mut seen = replay(&case, usize::MAX);
        seen.retain(|o| o.at <= case.end);
        let states = states(&seen);
        let busy = states.iter().position(|s| *s == State::Busy).unwrap();
        assert!(states[..busy].contains(&State::Idle), "{}: {states:?}", folder.display());
        assert_eq!(states.last(), Some(&State::Idle), "{}: {states:?}", folder.display());
    }
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
    for folder in cases() {
        let case = load(&folder);
        let whole = replay(&case, usize::MAX);
        for cut in [1, 3, 7, 64] {
            let split = replay(&case, cut);
            let differs = whole.iter().zip(&split).find(|(a, b)| a != b);
            assert!(
                differs.is_none() && whole.len() == split.len(),
                "{} cut {cut}: {differs:?}",
                folder.display()
            );
        }
    }
}
