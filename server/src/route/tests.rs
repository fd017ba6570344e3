//! What the router promises.

use super::*;
use crate::sample;
use proptest::prelude::*;

const NOW: UnixMillis = UnixMillis(10_000_000);

fn candidate(session: &Session) -> Candidate<'_> {
    static NONE: std::sync::OnceLock<Past> = std::sync::OnceLock::new();
    let past = NONE.get_or_init(Past::default);
    Candidate {
        session,
        settled: true,
        paused: false,
        leased: false,
        keyboard: session.keyboard.clone(),
        provider: None,
        past,
    }
}

fn check(wanted: &Wanted, sessions: &[Session], chosen: Option<&str>) -> Decision {
    let candidates: Vec<_> = sessions.iter().map(|session| candidate(session)).collect();
    let decision = route(wanted, &candidates, &Weights::default(), NOW);
    assert_eq!(decision.chosen.as_ref().map(|(s, _)| s.0.as_str()), chosen, "{decision:?}");
    decision
}

#[test]
fn nobody_is_chosen_when_nobody_is_idle_and_connected() {
    let mut gone = sample::session("gone", State::Idle);
    gone.link = Link::Disconnected;
    let mut taken = sample::session("taken", State::Idle);
    taken.keyboard = Some("viewer 1".into());
    let sessions = [
        gone,
        taken,
        sample::session("busy", State::Busy),
        sample::session("asks", State::WaitingPermission),
        sample::session("unknown", State::Unknown),
        sample::session("ended", State::Exited),
    ];
    let decision = check(&Wanted::default(), &sessions, None);
    assert!(decision.scores.iter().all(|s| s.refused.is_some()));
}

#[test]
fn what_is_required_is_never_traded_for_points() {
    let mut other = sample::session("other", State::Idle);
    other.context = sample::context("/elsewhere", Some("main"));
    other.active = NOW;
    let here = sample::session("here", State::Idle);
    let wanted = Wanted { dir: Some("/w".into()), ..Wanted::default() };
    let decision = check(&wanted, &[other.clone(), here], Some("here"));
    assert_eq!(decision.scores[1].refused.as_deref(), Some("works in /elsewhere, not in /w"));
    check(&wanted, &[other], None);
    let wanted = Wanted { branch: Some("dev".into()), ..Wanted::default() };
    check(&wanted, &[sample::session("a", State::Idle)], None);
}

#[test]
fn the_recently_active_session_wins_and_the_longest_idle_breaks_the_tie() {
    let mut recent = sample::session("b", State::Idle);
    recent.active = NOW;
    check(&Wanted::default(), &[sample::session("a", State::Idle), recent], Some("b"));
    let mut longer = sample::session("z", State::Idle);
    longer.claim.since = UnixMillis(1);
    check(&Wanted::default(), &[sample::session("a", State::Idle), longer], Some("z"));
    check(
        &Wanted::default(),
        &[sample::session("b", State::Idle), sample::session("a", State::Idle)],
        Some("a"),
    );
}

#[test]
fn a_session_it_was_taken_from_is_the_last_choice_but_a_choice() {
    let wanted = Wanted { avoid: Some(SessionId("a".into())), ..Wanted::default() };
    check(&wanted, &[sample::session("a", State::Idle), sample::session("b", State::Idle)], Some("b"));
    check(&wanted, &[sample::session("a", State::Idle)], Some("a"));
}

#[test]
fn a_shell_gets_words_only_where_it_is_asked_for_and_an_agents_words_never() {
    let mut shell = sample::session("sh", State::Idle);
    shell.interpreter = true;
    let asked = |command, prose| NewPrompt { command, prose, ..NewPrompt::new("fix it") };
    let named = |asked: NewPrompt| NewPrompt { target: Some("sh".into()), ..asked };
    for (asked, chosen) in [
        (asked(false, false), None),
        (asked(true, false), Some("sh")),
        (named(asked(false, false)), Some("sh")),
        (NewPrompt { agent: Some("claude".into()), ..asked(false, false) }, Some("sh")),
        (named(asked(false, true)), None),
        (named(asked(true, true)), None),
    ] {
        check(&Wanted::of(&asked, None, None), std::slice::from_ref(&shell), chosen);
    }
    check(&Wanted::default(), &[shell, sample::session("a", State::Idle)], Some("a"));
}

proptest! {
    #[test]
    fn the_order_of_candidates_does_not_matter(
        states in proptest::collection::vec(0..State::ALL.len(), 1..8),
        active in proptest::collection::vec(0..20_000_000i64, 8),
        turn in 0..8usize,
    ) {
        let mut sessions: Vec<Session> = states.iter().enumerate().map(|(n, s)| {
            let mut session = sample::session(&format!("s{n}"), State::ALL[*s]);
            session.active = UnixMillis(active[n]);
            session
        }).collect();
        let decide = |sessions: &[Session]| {
            let candidates: Vec<_> = sessions.iter()
                .map(|session| candidate(session)).collect();
            route(&Wanted::default(), &candidates, &Weights::default(), NOW)
        };
        let first = decide(&sessions);
        let len = sessions.len();
        sessions.rotate_left(turn % len);
        prop_assert_eq!(decide(&sessions), first);
    }
}
