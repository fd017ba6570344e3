//! The way of a prompt beyond its typing: context, limits, failure told on, verification, what is left over.

use extractor::{Composer, State};
use wire::prompt::{Cause, Failed, Hold, Outcome, Step, Verification, WorktreePolicy};
use wire::session::Moves;

use super::tests::{Agent, completed, offer, steps};
use super::*;
use crate::chore::Tree;

/// Has the attempt's text typed and taken.
fn accept(agent: &mut Agent, delivery: &mut Delivery, at: i64) -> Vec<Report> {
    let mut reports = agent.apply(delivery, at, Input::Typed(true));
    agent.composer = Composer::Holds(pasted(agent));
    for at in [at, at + 1, at + 200] {
        reports.extend(agent.apply(delivery, at, Input::Look));
    }
    assert_eq!(agent.written.last().unwrap(), b"\r");
    reports.extend(agent.apply(delivery, at + 200, Input::Typed(true)));
    (agent.composer, agent.state) = (Composer::Empty, State::Busy);
    reports.extend(agent.apply(delivery, at + 201, Input::Began));
    reports
}

/// What was pasted last.
fn pasted(agent: &Agent) -> String {
    let text = agent.written.iter().rev().find(|bytes| bytes.len() > 2).expect("something was pasted");
    let text = String::from_utf8(text.clone()).unwrap();
    let inner = text.strip_prefix("\x1b[200~").and_then(|t| t.strip_suffix("\x1b[201~"));
    inner.unwrap_or(&text).to_owned()
}

fn elsewhere() -> Offer {
    Offer { dir: Some("/q".into()), may_move: true, ..offer(1, "x") }
}

fn prepared(dir: &str) -> Input {
    let prepared = Prepared { dir: Some(dir.into()), ..Prepared::default() };
    Input::Done(AttemptId(1), Done::Prepared(Ok(prepared)))
}

fn held(reports: &[Report]) -> Option<HoldCode> {
    reports.iter().find_map(|report| match report {
        Report::Held { hold, .. } => Some(hold.code),
        _ => None,
    })
}

fn ended(reports: &[Report]) -> Option<&PromptResult> {
    reports.iter().find_map(|report| match report {
        Report::Ended { result, .. } => Some(result),
        _ => None,
    })
}

#[test]
fn a_shell_is_brought_there_first_and_typed_to_then() {
    let mut agent = Agent { moves: Moves::Shell, ..Agent::idle() };
    let mut delivery = Delivery::new(0);
    let env: BTreeMap<_, _> = [("A".to_owned(), "it's".to_owned())].into();
    let offer = Offer { env: env.clone(), ..elsewhere() };
    let mut reports = agent.apply(&mut delivery, 0, Input::Offer(offer));
    assert!(agent.written.is_empty() && matches!(agent.asked[..], [Effect::Run(_, Chore::Prepare { .. })]));
    let way = Prepared { dir: Some("/q".into()), env: env.clone(), ..Prepared::default() };
    reports.extend(agent.apply(&mut delivery, 1, Input::Done(AttemptId(1), Done::Prepared(Ok(way)))));
    assert_eq!(pasted(&agent), r"cd -- '/q' && export A='it'\''s'");
    reports.extend(accept(&mut agent, &mut delivery, 2));
    assert_eq!(steps(&reports), [Step::Offered], "the way there is no step of the prompt");
    agent.state = State::Idle;
    reports.extend(agent.apply(&mut delivery, 300, Input::Ended(completed())));
    assert_eq!(agent.asked.last(), Some(&Effect::Exported(env.clone())));
    reports.extend(agent.apply(&mut delivery, 310, Input::Look));
    assert_eq!(agent.written.len(), 2, "not typed before it is there");
    (agent.context.dir, agent.context.env) = ("/q".into(), env);
    reports.extend(agent.apply(&mut delivery, 320, Input::Look));
    assert_eq!(pasted(&agent), "x");
    reports.extend(accept(&mut agent, &mut delivery, 330));
    reports.extend(agent.apply(&mut delivery, 900, Input::Ended(completed())));
    let all =
        ["offered", "prepared", "intent", "written", "seen", "submitted", "accepted", "started", "ended"];
    assert_eq!(steps(&reports).iter().map(|step| step.as_str()).collect::<Vec<_>>(), all);
}

#[test]
fn a_shell_that_cannot_go_there_is_told_as_such() {
    let mut agent = Agent { moves: Moves::Shell, ..Agent::idle() };
    let mut delivery = Delivery::new(0);
    agent.apply(&mut delivery, 0, Input::Offer(elsewhere()));
    agent.apply(&mut delivery, 1, prepared("/q"));
    accept(&mut agent, &mut delivery, 2);
    agent.state = State::Idle;
    let failed = PromptResult::new(Outcome::Failed, "ended with status 1", "terminal");
    let reports = agent.apply(&mut delivery, 300, Input::Ended(failed));
    assert_eq!(held(&reports), Some(HoldCode::NotPrepared));
}

#[test]
fn an_agent_is_started_anew_and_typed_to_once_it_is_idle_there() {
    let mut agent = Agent { moves: Moves::Relaunch, ..Agent::idle() };
    let mut delivery = Delivery::new(0);
    agent.apply(&mut delivery, 0, Input::Offer(elsewhere()));
    agent.apply(&mut delivery, 1, prepared("/q"));
    let relaunch = Effect::Relaunch { dir: "/q".into(), env: BTreeMap::new() };
    assert_eq!(agent.asked.last(), Some(&relaunch));
    (agent.context.dir, agent.state) = ("/q".into(), State::Starting);
    assert_eq!(agent.apply(&mut delivery, 5_000, Input::Look), []);
    agent.state = State::Idle;
    assert_eq!(steps(&agent.apply(&mut delivery, 6_000, Input::Look)), [Step::Prepared, Step::Intent]);
    assert_eq!(pasted(&agent), "x");
}

#[test]
fn an_agent_that_does_not_come_back_in_time_is_not_typed_to() {
    let mut agent = Agent { moves: Moves::Relaunch, ..Agent::idle() };
    let mut delivery = Delivery::new(0);
    agent.apply(&mut delivery, 0, Input::Offer(Offer { accept_ms: 5_000, ..elsewhere() }));
    agent.apply(&mut delivery, 1, prepared("/q"));
    (agent.context.dir, agent.dialog) = ("/q".into(), true);
    assert_eq!(agent.apply(&mut delivery, 4_000, Input::Look), []);
    let reports = agent.apply(&mut delivery, 5_001, Input::Look);
    assert_eq!((held(&reports), agent.written.len()), (Some(HoldCode::NotPrepared), 0));
}

#[test]
fn a_session_that_must_stay_refuses_another_place() {
    let mut agent = Agent::idle();
    let mut delivery = Delivery::new(0);
    agent.apply(&mut delivery, 0, Input::Offer(elsewhere()));
    let reports = agent.apply(&mut delivery, 1, prepared("/q"));
    assert_eq!((held(&reports), agent.written.len()), (Some(HoldCode::WrongContext), 0));
    let worktree = Some(WorktreePolicy::Keep);
    let env: BTreeMap<_, _> = [("A".to_owned(), "1".to_owned())].into();
    let needs: [Offer; 3] = [
        Offer { worktree, ..offer(2, "x") },
        Offer { worktree, may_move: true, ..offer(3, "x") },
        Offer { env, may_move: true, ..offer(4, "x") },
    ];
    for offer in needs {
        let reports = agent.apply(&mut delivery, 2, Input::Offer(offer));
        assert_eq!(
            (held(&reports), agent.asked.len()),
            (Some(HoldCode::WrongContext), 1),
            "nothing is made for it"
        );
    }
}

#[test]
fn the_gate_is_looked_at_again_after_preparing() {
    let wrong: [fn(&mut Agent); 4] = [
        |agent| agent.state = State::Busy,
        |agent| agent.dialog = true,
        |agent| agent.composer = Composer::Holds("a draft".into()),
        |agent| agent.person = Some(UnixMillis(1)),
    ];
    for change in wrong {
        let mut agent = Agent::idle();
        let mut delivery = Delivery::new(0);
        let prerequisites = vec!["make".to_owned()];
        agent.apply(&mut delivery, 0, Input::Offer(Offer { prerequisites, ..offer(1, "x") }));
        change(&mut agent);
        let reports = agent.apply(&mut delivery, 1, prepared("/p"));
        assert!(held(&reports).is_some() && agent.written.is_empty(), "{reports:?}");
    }
}

#[test]
fn what_fails_while_it_is_prepared_is_held_and_nothing_is_typed() {
    let mut agent = Agent::idle();
    let mut delivery = Delivery::new(0);
    agent.apply(&mut delivery, 0, Input::Offer(elsewhere()));
    let fault = Hold { code: HoldCode::DirtyTree, text: "changes".into() };
    let reports = agent.apply(&mut delivery, 1, Input::Done(AttemptId(1), Done::Prepared(Err(fault))));
    assert_eq!((held(&reports), delivery.holds()), (Some(HoldCode::DirtyTree), None));
    assert!(agent.written.is_empty());
}

#[test]
fn preparing_that_is_called_off_or_takes_too_long_is_ended() {
    for input in [Input::Cancel(AttemptId(1)), Input::Forget(AttemptId(1)), Input::Exited(0), Input::Look] {
        let mut agent = Agent::idle();
        let mut delivery = Delivery::new(0);
        agent.apply(&mut delivery, 0, Input::Offer(Offer { accept_ms: 1_000, ..elsewhere() }));
        agent.apply(&mut delivery, 1_001, input);
        assert_eq!(agent.asked.last(), Some(&Effect::Abort(AttemptId(1))));
        assert_eq!(delivery.holds(), None);
    }
}

#[test]
fn the_failure_of_an_attempt_is_told_to_the_next_where_prose_is_read() {
    let failed = Some(Failed { number: 1, reason: "it broke.".into(), output: "\x1b[1mline\nlast".into() });
    let retried = Offer { failed, number: 2, ..offer(1, "fix it") };
    let mut agent = Agent::idle();
    agent.apply(&mut Delivery::new(0), 0, Input::Offer(retried.clone()));
    let told =
        "fix it\n\n(An earlier attempt at this, number 1, failed: it broke. Its check said:\n[1mline\nlast)";
    assert_eq!(pasted(&agent), told);
    let mut one_line = Agent { bracketed: false, ..Agent::idle() };
    one_line.apply(&mut Delivery::new(0), 0, Input::Offer(retried.clone()));
    assert_eq!(pasted(&one_line), told.split_whitespace().collect::<Vec<_>>().join(" "));
    let mut program = Agent::idle();
    program.recipe.told_failures = false;
    program.apply(&mut Delivery::new(0), 0, Input::Offer(retried.clone()));
    assert_eq!(pasted(&program), "fix it");
    let long = Failed { number: 1, reason: "r".repeat(9_000), output: "o".repeat(9_000) + "end" };
    let mut agent = Agent::idle();
    agent.apply(&mut Delivery::new(0), 0, Input::Offer(Offer { failed: Some(long), ..retried }));
    assert!(pasted(&agent).chars().count() <= 2_010 && pasted(&agent).ends_with("end)"));
}

/// An attempt whose turn runs.
fn running(offer: &Offer, kept: Option<Kept>) -> (Agent, Delivery) {
    let mut delivery = Delivery::new(0);
    delivery.resume(offer, kept, UnixMillis(0));
    (Agent { state: State::Busy, ..Agent::idle() }, delivery)
}

fn verified(status: Option<i32>) -> Input {
    let (command, output) = ("make test".to_owned(), "2 failed".to_owned());
    let verification = Verification { command, status, output, duration_ms: 5 };
    Input::Done(AttemptId(1), Done::Verified(verification))
}

#[test]
fn a_turn_is_complete_only_when_its_verification_says_so() {
    let offer = Offer { verify: Some("make test".into()), ..offer(1, "x") };
    let kept = Kept { dir: "/p".into(), ..Kept::default() };
    for (status, outcome) in
        [(Some(0), Outcome::Completed), (Some(2), Outcome::Failed), (None, Outcome::Failed)]
    {
        let (mut agent, mut delivery) = running(&offer, Some(kept.clone()));
        let reports = agent.apply(&mut delivery, 10, Input::Ended(completed()));
        assert_eq!((steps(&reports), ended(&reports)), (vec![Step::Ended], None));
        assert!(matches!(agent.asked.last(), Some(Effect::Run(_, Chore::Verify { dir, .. })) if dir == "/p"));
        let reports = agent.apply(&mut delivery, 20, verified(status));
        assert_eq!(steps(&reports), [Step::Verified]);
        let result = ended(&reports).unwrap();
        assert_eq!((result.outcome, result.source.as_str()), (outcome, "verify"));
        assert_eq!(result.cause, (outcome == Outcome::Failed).then_some(Cause::VerifyFailed));
        if status == Some(2) {
            assert_eq!(result.reason, "the verification `make test` ended with status 2");
        }
        assert_eq!(delivery.holds(), None);
    }
}

#[test]
fn only_what_the_agent_says_is_complete_is_verified() {
    let offer = Offer { verify: Some("make test".into()), ..offer(1, "x") };
    let (mut agent, mut delivery) = running(&offer, None);
    let failed = PromptResult::new(Outcome::Failed, "no", "hook");
    let reports = agent.apply(&mut delivery, 10, Input::Ended(failed));
    assert_eq!(ended(&reports).unwrap().reason, "no");
}

#[test]
fn a_verification_outlives_its_agent_and_ends_when_it_is_called_off() {
    let offer = Offer { verify: Some("make test".into()), ..offer(1, "x") };
    let (mut agent, mut delivery) = running(&offer, None);
    agent.apply(&mut delivery, 10, Input::Ended(completed()));
    assert_eq!(agent.apply(&mut delivery, 11, Input::Exited(0)), []);
    assert!(ended(&agent.apply(&mut delivery, 20, verified(Some(0)))).is_some());
    let (mut agent, mut delivery) = running(&offer, None);
    agent.apply(&mut delivery, 10, Input::Ended(completed()));
    let reports = agent.apply(&mut delivery, 11, Input::Cancel(AttemptId(1)));
    assert_eq!(ended(&reports).unwrap().outcome, Outcome::Cancelled);
    assert_eq!(agent.asked.last(), Some(&Effect::Abort(AttemptId(1))));
}

#[test]
fn an_observer_that_begins_while_it_is_verified_verifies_again_and_types_nothing() {
    let offer = Offer { verify: Some("make test".into()), ..offer(1, "x") };
    let kept = Kept { dir: "/p".into(), result: Some(completed()), ..Kept::default() };
    let mut delivery = Delivery::new(9);
    let effects = delivery.conclude(&offer, kept, UnixMillis(0));
    assert!(matches!(effects[..], [Effect::Run(_, Chore::Verify { .. })]), "{effects:?}");
    let mut agent = Agent::idle();
    let reports = agent.apply(&mut delivery, 20, verified(Some(0)));
    assert_eq!(ended(&reports).unwrap().answer, "done");
    assert!(agent.written.is_empty());
}

/// What is told when an uncounted turn ends like this, after this long and at last.
fn told_after(result: PromptResult, ms: i64) -> (Vec<Report>, Vec<Report>) {
    let (mut agent, mut delivery) = running(&offer(1, "x"), None);
    agent.counted = false;
    agent.apply(&mut delivery, 1_000, Input::Ended(result));
    assert!(
        agent.asked.iter().any(|e| matches!(e, Effect::Keep(kept) if kept.result.is_some())),
        "it is kept"
    );
    let early = agent.apply(&mut delivery, 1_000 + ms - 1, Input::Look);
    assert_eq!((delivery.is_counting(), delivery.holds()), (true, Some(AttemptId(1))));
    (early, agent.apply(&mut delivery, 1_000 + ms, Input::Look))
}

#[test]
fn a_result_waits_for_what_the_turn_used_but_not_for_ever() {
    for (result, ms) in [(completed(), 2_000), (PromptResult::new(Outcome::Failed, "x", "status"), 500)] {
        let (early, late) = told_after(result, ms);
        assert!(ended(&early).is_none() && ended(&late).is_some());
    }
    let (mut agent, mut delivery) = running(&offer(1, "x"), None);
    agent.counted = false;
    agent.apply(&mut delivery, 1_000, Input::Ended(completed()));
    agent.counted = true;
    let reports = agent.apply(&mut delivery, 1_020, Input::Look);
    assert!(ended(&reports).is_some(), "at once when it was told");
}

#[test]
fn nobody_waits_for_what_an_agent_used_that_has_gone() {
    let (mut agent, mut delivery) = running(&offer(1, "x"), None);
    agent.counted = false;
    agent.apply(&mut delivery, 1_000, Input::Ended(completed()));
    assert!(ended(&agent.apply(&mut delivery, 1_001, Input::Exited(0))).is_some());
    let (mut agent, mut delivery) = running(&offer(1, "x"), None);
    agent.counted = false;
    assert!(ended(&agent.apply(&mut delivery, 1_001, Input::Exited(0))).is_some());
}

#[test]
fn an_observer_that_begins_while_it_is_counted_tells_the_result_and_types_nothing() {
    let kept = Kept { result: Some(completed()), dir: "/p".into(), ..Kept::default() };
    let mut delivery = Delivery::new(1);
    let effects = delivery.conclude(&offer(1, "x"), kept, UnixMillis(0));
    assert!(matches!(&effects[..], [Effect::Report(Report::Ended { .. })]), "{effects:?}");
    assert_eq!(delivery.holds(), None);
}

#[test]
fn a_turn_of_which_nothing_is_heard_is_interrupted_but_not_one_that_asks() {
    let offer = Offer { silence_ms: 1_000, ..offer(1, "x") };
    let (mut agent, mut delivery) = running(&offer, None);
    agent.progress = UnixMillis(5_000);
    agent.apply(&mut delivery, 6_000, Input::Look);
    agent.state = State::WaitingPermission;
    agent.apply(&mut delivery, 50_000, Input::Look);
    assert!(agent.written.is_empty());
    agent.state = State::Busy;
    agent.apply(&mut delivery, 50_001, Input::Look);
    assert_eq!(agent.written, [b"\x1b".to_vec()]);
    let reports = agent.apply(&mut delivery, 50_100, Input::Ended(completed()));
    let result = ended(&reports).unwrap();
    assert_eq!((result.outcome, result.cause), (Outcome::Failed, Some(Cause::Silent)));
}

#[test]
fn an_agent_that_does_not_heed_an_interrupt_is_given_up_and_said_to_work_on() {
    let (mut agent, mut delivery) = running(&offer(1, "x"), None);
    let mut reports = agent.apply(&mut delivery, 60_001, Input::Look);
    for at in (60_001..130_000).step_by(500) {
        reports.extend(agent.apply(&mut delivery, at, Input::Look));
    }
    assert_eq!(agent.written.len(), 11, "it was tried every five seconds and a bit, for a minute");
    let result = ended(&reports).unwrap();
    assert_eq!(result.outcome, Outcome::TimedOut);
    assert!(result.reason.contains("may still be working"), "{}", result.reason);
    assert_eq!(delivery.holds(), None);
}

#[test]
fn a36_what_takes_too_long_to_be_accepted_is_held_by_how_far_it_came() {
    let limited = Offer { accept_ms: 1_000, ..offer(1, "x") };
    let mut agent = Agent::idle();
    let mut delivery = Delivery::new(0);
    agent.apply(&mut delivery, 0, Input::Offer(limited.clone()));
    agent.apply(&mut delivery, 1, Input::Typed(true));
    assert_eq!(held(&agent.apply(&mut delivery, 1_001, Input::Look)), Some(HoldCode::NotSeen));
    let mut agent = Agent::idle();
    let mut delivery = Delivery::new(0);
    agent.apply(&mut delivery, 0, Input::Offer(limited));
    agent.apply(&mut delivery, 1, Input::Typed(true));
    agent.composer = Composer::Holds("x".into());
    for at in [2, 200] {
        agent.apply(&mut delivery, at, Input::Look);
    }
    agent.apply(&mut delivery, 201, Input::Typed(true));
    agent.composer = Composer::Empty;
    assert_eq!(held(&agent.apply(&mut delivery, 1_001, Input::Look)), Some(HoldCode::NotAccepted));
}

fn in_tree(remove: bool) -> (Offer, Kept) {
    let policy = if remove { WorktreePolicy::Remove } else { WorktreePolicy::Keep };
    let offer = Offer { worktree: Some(policy), may_move: true, ..offer(1, "x") };
    let (repo, path, branch, base) = ("/p".into(), "/t".into(), "b".into(), "c".into());
    let tree = Some(Tree { repo, path, branch, base, remove });
    let prepared = Some(Prepared { dir: Some("/t".into()), tree, ..Prepared::default() });
    let kept =
        Kept { prepared, former: Some("/p".into()), dir: "/t".into(), base: Some("c".into()), result: None };
    (offer, kept)
}

#[test]
fn a_work_tree_goes_after_its_changes_are_known_and_the_session_has_left_it() {
    let (offer, kept) = in_tree(true);
    let (mut agent, mut delivery) = running(&offer, Some(kept));
    (agent.moves, agent.context.dir) = (Moves::Relaunch, "/t".into());
    agent.apply(&mut delivery, 10, Input::Ended(completed()));
    assert!(matches!(agent.asked.last(), Some(Effect::Run(_, Chore::Collect { patch: true, .. }))));
    agent.state = State::Idle;
    agent.apply(&mut delivery, 20, Input::Done(AttemptId(1), Done::Collected(None)));
    let back = Effect::Relaunch { dir: "/p".into(), env: BTreeMap::new() };
    assert_eq!(agent.asked.last(), Some(&back));
    agent.context.dir = "/p".into();
    agent.apply(&mut delivery, 30, Input::Look);
    assert!(matches!(agent.asked.last(), Some(Effect::Run(_, Chore::Remove(_)))));
    let reports = agent.apply(&mut delivery, 40, Input::Done(AttemptId(1), Done::Removed(true)));
    assert!(!ended(&reports).unwrap().worktree.as_ref().unwrap().kept);
}

#[test]
fn a_work_tree_that_the_session_cannot_leave_stays() {
    for remove in [true, false] {
        let (offer, kept) = in_tree(remove);
        let (mut agent, mut delivery) = running(&offer, Some(kept));
        (agent.moves, agent.context.dir) = (Moves::Shell, "/t".into());
        agent.apply(&mut delivery, 10, Input::Ended(completed()));
        let reports = agent.apply(&mut delivery, 20, Input::Done(AttemptId(1), Done::Collected(None)));
        assert!(ended(&reports).unwrap().worktree.as_ref().unwrap().kept);
        assert!(agent.written.is_empty());
    }
}

#[test]
fn g6_what_a_person_types_behind_a_text_that_is_shown_in_part_is_never_sent_with_it() {
    let text = "a long text of which the composer shows no more than the beginning";
    let typed = |person: Option<UnixMillis>| {
        let mut agent = Agent::idle();
        let mut delivery = Delivery::new(0);
        agent.apply(&mut delivery, 10_000, Input::Offer(offer(1, text)));
        agent.apply(&mut delivery, 10_001, Input::Typed(true));
        agent.composer = Composer::Holds(text[..40].into());
        agent.person = person;
        for at in (10_010..60_000).step_by(500) {
            agent.apply(&mut delivery, at, Input::Look);
        }
        agent.written.len()
    };
    assert_eq!(typed(None), 2, "the text and one Enter");
    assert_eq!(typed(Some(UnixMillis(5_000))), 2, "who typed before, and nothing was there");
    assert_eq!(typed(Some(UnixMillis(10_005))), 1, "what else stands there cannot be seen");
}
