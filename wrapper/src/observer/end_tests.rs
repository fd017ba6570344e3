//! What a turn's end tells: its evidence, and when a limit of use ends.

use std::time::Duration;

use serde_json::json;
use wire::prompt::{PromptResult, Receipt, Step};
use wire::session::State;
use wire::wrapper::{Offer, Report};
use wire::{AttemptId, PromptId, UnixMillis};

use super::calendar::Time;
use super::core::{Core, Out};
use crate::journal::Journal;
use crate::recording::{From, Moment, Record};
use crate::redaction::Redaction;

/// 25 November 2026, 13:20 in UTC.
const START: UnixMillis = UnixMillis(1_795_612_800_000);

const LINE: &str = "────────────────────────────────────────────────────────────";

/// A clock that nobody sets.
fn time(at: Duration) -> Time {
    Time { at, day: START.after(at) }
}

fn ended(hook: &str, message: &str) -> PromptResult {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = Journal::open(folder.path()).unwrap();
    let attempt = AttemptId(7);
    journal.lease(&Offer::new(attempt, PromptId(3), 1, "t")).unwrap();
    let receipt = Receipt { step: Step::Accepted, at: START };
    journal.append(START, &[Report::Receipt { attempt, receipt }], None).unwrap();
    let agent = patterns::Library::builtin().agent("claude").unwrap();
    let pid = std::process::id() as i32;
    let mut core = Core::new(agent, pid, "/".into(), journal, START, Redaction::with([], [0; 16]));
    core.take_over(time(Duration::ZERO), &mut Vec::new()).unwrap();
    let screen = format!("\x1b[2J\x1b[H● Done\r\n{LINE}\r\n❯ \r\n{LINE}\r\n  ? for shortcuts");
    let told = |name: &str, key: &str, text: &str| {
        let payload = json!({"hook_event_name": name, key: text});
        Record::Told(From::Hook, payload.to_string().into_bytes())
    };
    let records = [
        Record::Output(b"\x1b]0;\xe2\x9c\xb3 Claude Code\x07".to_vec()),
        Record::Output(screen.clone().into_bytes()),
        told("UserPromptSubmit", "prompt", "t"),
        Record::Output("\x1b]0;⠂ Claude Code\x07".as_bytes().to_vec()),
        told(hook, "last_assistant_message", message),
        Record::Output("\x1b]0;✳ Claude Code\x07".as_bytes().to_vec()),
        Record::Output(screen.into_bytes()),
    ];
    let mut now = Duration::ZERO;
    for record in records {
        now += Duration::from_secs(4);
        core.moment(Moment { at: now, record }, time(now), &mut Vec::new());
        core.time(time(now + Duration::from_secs(3)), &mut Vec::new());
    }
    core.commit(time(now)).unwrap();
    let mut reports = core.journal.after(0).map(|numbered| numbered.report.clone());
    let found = reports.find_map(|report| match report {
        Report::Ended { result, .. } => Some(result),
        _ => None,
    });
    found.unwrap()
}

#[test]
fn a_limit_of_use_ends_at_an_instant() {
    let result = ended("StopFailure", "You've hit your limit · resets 3pm (UTC)");
    assert_eq!(result.until.as_deref(), Some("3pm (UTC)"));
    assert_eq!(result.until_at, Some(UnixMillis(START.0 + 100 * 60_000)));
    assert!(!result.evidence.is_empty(), "{result:?}");
}

#[test]
fn an_end_that_nobody_can_read_is_none_and_evidence_is_cut() {
    let result = ended("StopFailure", "You've hit your limit · resets when it does");
    assert_eq!((result.until.is_some(), result.until_at), (true, None));
    let result = ended("Stop", &"long ".repeat(200));
    assert!((1..=200).contains(&result.evidence.chars().count()));
    assert_eq!((result.until, result.until_at), (None, None));
}

/// What an observer asks the holder to write for a turn of at most half an hour, when the time of day goes on by so much in the
/// midst of it, which the recording does not.
fn written(jumps: i64, minutes: u64) -> Vec<Out> {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = Journal::open(folder.path()).unwrap();
    let attempt = AttemptId(7);
    let limit = 30 * 60_000;
    journal.lease(&Offer { timeout_ms: limit, ..Offer::new(attempt, PromptId(3), 1, "t") }).unwrap();
    let receipt = Receipt { step: Step::Accepted, at: START };
    journal.append(START, &[Report::Receipt { attempt, receipt }], Some(Duration::from_secs(1))).unwrap();
    let agent = patterns::Library::builtin().agent("claude").unwrap();
    let pid = std::process::id() as i32;
    let mut core = Core::new(agent, pid, "/".into(), journal, START, Redaction::with([], [0; 16]));
    core.take_over(time(Duration::from_secs(2)), &mut Vec::new()).unwrap();
    let mut out = Vec::new();
    for minute in 1..=minutes {
        let at = Duration::from_secs(60 * minute);
        let set = if minute > 1 { jumps } else { 0 };
        core.time(Time { at, day: UnixMillis(time(at).day.0 + set) }, &mut out);
    }
    out
}

#[test]
fn g17_a_turn_has_its_time_whatever_the_clock_does() {
    const HOURS: i64 = 8 * 60 * 60_000;
    for jumps in [0, HOURS, -HOURS] {
        assert!(written(jumps, 30).is_empty(), "{jumps}: it has half an hour");
        let interrupts = written(jumps, 31);
        assert!(matches!(interrupts[..], [Out::Type { only_for: None, .. }]), "{jumps}: {interrupts:?}");
    }
}

#[test]
fn a_prompt_at_rest_asks_nobody_where_nothing_may_be_typed() {
    for (watched, state) in [(false, State::WaitingInput), (true, State::Idle)] {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::open(folder.path()).unwrap();
        let agent = patterns::Library::builtin().agent("any").unwrap();
        let pid = std::process::id() as i32;
        let mut core = Core::new(agent, pid, "/".into(), journal, START, Redaction::with([], [0; 16]));
        core.launch.watched = watched;
        let at = Duration::from_secs(1);
        core.moment(
            Moment { at, record: Record::Output(b"Python 3\r\n>>> ".to_vec()) },
            time(at),
            &mut Vec::new(),
        );
        core.time(time(at + Duration::from_secs(10)), &mut Vec::new());
        assert_eq!(core.now().claim.state, state);
        core.commit(time(at)).unwrap();
        let told = core.journal.after(0).any(|numbered| {
            matches!(&numbered.report, Report::State { claim, .. } if claim.state == State::WaitingInput)
        });
        assert_eq!(told, !watched);
    }
}
