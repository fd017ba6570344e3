//! What the planner promises.

use super::*;
use crate::route::past::Past;
use crate::sample;
use proptest::prelude::*;
use wire::prompt::Outcome;
use wire::session::{Moves, Session, State};

const NOW: UnixMillis = UnixMillis(100_000_000);

fn there(id: &str, dir: &str, state: State) -> Session {
    Session {
        moves: Moves::Relaunch,
        context: sample::context(dir, Some("main")),
        ..sample::session(id, state)
    }
}

fn wants(dir: &str) -> Wanted {
    Wanted { dir: Some(dir.into()), priority: 5, ..Wanted::default() }
}

/// A session whose prompts take ten minutes.
fn known() -> Past {
    let mut past = Past::default();
    past.ended(&[], Outcome::Completed, 600_000);
    past
}

/// Plans for prompts whose turn began so many milliseconds ago.
fn decide(wanted: &[(Wanted, Option<u64>)], sessions: &[Session], past: &Past) -> Vec<Verdict> {
    let item = |(n, (wanted, ago)): (usize, &'_ (Wanted, Option<u64>))| {
        let turn = ago.map(|ago| UnixMillis(NOW.0 - ago.cast_signed()));
        (PromptId(n as i64 + 1), wanted.clone(), turn)
    };
    let items: Vec<_> = wanted.iter().enumerate().map(item).collect();
    let mut candidates: Vec<_> = sessions.iter().map(|session| candidate(session, past)).collect();
    let items = items.iter().map(|(id, wanted, turn)| Item { id: *id, wanted, turn: *turn });
    let mut steps = plan(items, &mut candidates, &Rules::default(), Depth::Explain, NOW);
    steps.sort_by_key(|step| step.id);
    steps.into_iter().map(|step| step.verdict).collect()
}

fn candidate<'a>(session: &'a Session, past: &'a Past) -> Candidate<'a> {
    Candidate { session, settled: true, paused: false, leased: false, keyboard: None, provider: None, past }
}

fn gets(id: &str, fit: Fit) -> Verdict {
    Verdict::Gets(SessionId(id.into()), fit)
}

#[test]
fn a_later_prompt_that_needs_no_move_goes_before_but_not_for_ever() {
    let sessions = [there("a", "/a", State::Idle)];
    let turn = |ago| [(wants("/b"), ago), (wants("/a"), None)];
    let verdicts = decide(&turn(None), &sessions, &known());
    assert!(matches!(&verdicts[0], Verdict::Passed(_)), "{verdicts:?}");
    assert_eq!(verdicts[1], gets("a", Fit::In));
    let passed_over = Rules::default().passed_over;
    let verdicts = decide(&turn(Some(passed_over - 1)), &sessions, &known());
    assert_eq!(verdicts[1], gets("a", Fit::In));
    let verdicts = decide(&turn(Some(passed_over)), &sessions, &known());
    assert_eq!(verdicts[0], gets("a", Fit::Moves));
    assert!(matches!(&verdicts[1], Verdict::Waits(_)), "{verdicts:?}");
}

#[test]
fn the_most_urgent_is_never_passed_over() {
    let sessions = [there("a", "/a", State::Idle)];
    let urgent = Wanted { priority: 10, ..wants("/b") };
    assert_eq!(decide(&[(urgent, None), (wants("/a"), None)], &sessions, &known())[0], gets("a", Fit::Moves));
}

#[test]
fn an_idle_session_is_moved_where_nobody_is_but_not_where_one_will_soon_be_free() {
    let idle = there("idle", "/x", State::Idle);
    let verdicts = decide(&[(wants("/a"), None)], std::slice::from_ref(&idle), &known());
    assert_eq!(verdicts[0], gets("idle", Fit::Moves), "nobody is there");
    let sessions = [idle, there("home", "/a", State::Busy)];
    let past = {
        let mut past = Past::default();
        past.ended(&[], Outcome::Completed, 60_000);
        past
    };
    let verdicts = decide(&[(wants("/a"), None)], &sessions, &past);
    assert!(
        matches!(&verdicts[0], Verdict::Passed(why) if why.contains("home")),
        "a minute's work: {verdicts:?}"
    );
    let verdicts = decide(&[(wants("/a"), None)], &sessions, &known());
    assert!(matches!(&verdicts[0], Verdict::Gets(..) | Verdict::Passed(_)));
    let three = [(wants("/a"), None), (wants("/a"), None), (wants("/a"), None)];
    let verdicts = decide(&three, &sessions, &known());
    assert!(
        verdicts.contains(&gets("idle", Fit::Moves)),
        "for three of them a move is worth it: {verdicts:?}"
    );
}

#[test]
fn a_branch_is_not_changed_under_somebody_who_works_there() {
    let branch = Wanted { branch: Some("dev".into()), ..wants("/a") };
    let mut busy = there("busy", "/a", State::Busy);
    busy.moves = Moves::None;
    let sessions = [there("idle", "/x", State::Idle), busy];
    let verdicts = decide(&[(branch.clone(), None)], &sessions, &known());
    assert!(matches!(verdicts[0], Verdict::Waits(_)), "{verdicts:?}");
    let own_tree = Wanted { worktree: true, ..branch.clone() };
    assert_eq!(decide(&[(own_tree, None)], &sessions, &known())[0], gets("idle", Fit::Moves));
    let alone = [there("idle", "/a", State::Idle)];
    assert_eq!(decide(&[(branch, None)], &alone, &known())[0], gets("idle", Fit::Moves));
}

#[test]
fn what_a_session_did_not_declare_it_does_not_get() {
    let mut able = there("able", "/a", State::Idle);
    able.caps = vec!["tests".into(), "browser".into()];
    able.role = Some("worker".into());
    let sessions = [there("plain", "/a", State::Idle), able];
    let caps = Wanted { caps: vec!["browser".into()], ..wants("/a") };
    assert_eq!(decide(&[(caps, None)], &sessions, &known())[0], gets("able", Fit::In));
    let role = Wanted { role: Some("worker".into()), ..wants("/a") };
    assert_eq!(decide(&[(role, None)], &sessions, &known())[0], gets("able", Fit::In));
    let other = Wanted { role: Some("lead".into()), ..wants("/a") };
    assert!(matches!(decide(&[(other, None)], &sessions, &known())[0], Verdict::Waits(_)));
}

#[test]
fn a_thread_goes_on_where_it_was_and_a_bad_record_is_avoided() {
    let sessions = [there("a", "/a", State::Idle), there("b", "/a", State::Idle)];
    let (mut had, mut failed) = (Past::default(), Past::default());
    had.given(Some("login"), &[], UnixMillis(0));
    (0..10).for_each(|_| failed.ended(&["fix".to_owned()], Outcome::Failed, 1));
    let choose = |wanted: &Wanted, pasts: [&Past; 2]| {
        let mut candidates: Vec<_> = sessions.iter().zip(pasts).map(|(s, p)| candidate(s, p)).collect();
        let items = std::iter::once(Item { id: PromptId(1), wanted, turn: None });
        plan(items, &mut candidates, &Rules::default(), Depth::Act, NOW).remove(0).verdict
    };
    let thread = Wanted { thread: Some("login".into()), ..wants("/a") };
    assert_eq!(choose(&thread, [&Past::default(), &had]), gets("b", Fit::In));
    let fix = Wanted { tags: vec!["fix".into()], ..wants("/a") };
    assert_eq!(choose(&fix, [&failed, &Past::default()]), gets("b", Fit::In));
}

proptest! {
    #[test]
    fn no_session_gets_two_and_none_gets_what_it_must_not(
        dirs in proptest::collection::vec(0..4usize, 1..20),
        seats in proptest::collection::vec((0..4usize, 0..State::ALL.len(), any::<bool>()), 1..8),
        turns in proptest::collection::vec(proptest::option::of(0..4_000_000u64), 20),
    ) {
        let dir = |n: usize| format!("/d{n}");
        let sessions: Vec<Session> = seats.iter().enumerate().map(|(n, (at, state, moves))| Session {
            moves: if *moves { Moves::Relaunch } else { Moves::None },
            ..there(&format!("s{n}"), &dir(*at), State::ALL[*state])
        }).collect();
        let wanted: Vec<_> = dirs.iter().zip(&turns).map(|(d, turn)| (wants(&dir(*d)), *turn)).collect();
        let verdicts = decide(&wanted, &sessions, &known());
        let mut taken = std::collections::HashSet::new();
        for (verdict, (wanted, _)) in verdicts.iter().zip(&wanted) {
            if let Verdict::Gets(id, fit) = verdict {
                prop_assert!(taken.insert(id.clone()), "{id} twice");
                let session = sessions.iter().find(|s| s.id == *id).unwrap();
                prop_assert_eq!(session.claim.state, State::Idle);
                let here = wanted.dir.as_ref() == Some(&session.context.dir);
                prop_assert_eq!(*fit == Fit::In, here);
                prop_assert!(here || session.moves != Moves::None);
            }
        }
        // Nobody waits while a free session is in its context.
        for (verdict, (wanted, _)) in verdicts.iter().zip(&wanted) {
            let free = |s: &&Session| s.claim.state == State::Idle && !taken.contains(&s.id);
            let idle_there = sessions.iter().filter(free).any(|s| wanted.dir.as_ref() == Some(&s.context.dir));
            prop_assert!(!idle_there || matches!(verdict, Verdict::Gets(..)));
        }
    }
}
