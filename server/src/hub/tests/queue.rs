//! Prompts that wait for others, for limits of use, for time; what agents ask, and rules that answer.

use super::*;
use wire::approval::ApprovalState;
use wire::http::{Answer, Counted, Edit, Selection};
use wire::prompt::{Cause, Prompt, PromptResult};
use wire::session::{Action, Dialog, DialogKind, Moves, ToolRequest};
use wire::wrapper::Choice;

use crate::fault::Fault;

const MINUTE: u64 = 60_000;

impl World {
    pub(super) fn ask<T>(&mut self, ask: impl FnOnce(Reply<T>) -> Ask) -> Result<T, Fault> {
        let (reply, mut answer) = oneshot::channel();
        self.run(Command::Ask(ask(reply)));
        answer.try_recv().expect("it is answered at once")
    }

    pub(super) fn queue(&mut self, asked: NewPrompt) -> Result<Prompt, Fault> {
        let (_, prompt) =
            self.ask(|reply| Ask::Enqueue(Box::new(asked), Given::default(), By::Cli, reply))?;
        self.prompts.push(prompt.id);
        Ok(prompt)
    }

    pub(super) fn sent(&mut self, asked: NewPrompt) -> PromptId {
        self.queue(asked).unwrap().id
    }

    pub(super) fn prompt(&mut self, id: PromptId) -> Prompt {
        self.ask(|reply| Ask::Prompt(id, reply)).unwrap().prompt
    }

    pub(super) fn state(&mut self, id: PromptId) -> PromptState {
        self.prompt(id).state
    }

    /// The wrapper accepts what it holds and ends it so.
    pub(super) fn end(&mut self, n: usize, result: PromptResult) {
        self.step(n, Step::Accepted);
        let offer = self.wrappers[n].holds.take().expect("it holds an offer");
        self.report(n, Report::Ended { attempt: offer.attempt, result });
    }

    pub(super) fn complete(&mut self, n: usize) {
        self.end(n, server_result(Outcome::Completed, ""));
    }

    pub(super) fn holds(&self, n: usize) -> Option<PromptId> {
        self.wrappers[n].holds.as_ref().map(|offer| offer.prompt)
    }

    pub(super) fn wish(&mut self, id: PromptId, change: Change) -> Result<Prompt, Fault> {
        self.ask(|reply| Ask::Change(id, change, By::Cli, reply))
    }
}

fn after(needed: &[PromptId]) -> NewPrompt {
    NewPrompt { after: needed.to_vec(), ..NewPrompt::new("then") }
}

#[test]
fn a_prompt_waits_until_all_others_that_it_needs_are_completed() {
    let mut world = World::new();
    let first = world.sent(NewPrompt::new("a"));
    let second = world.sent(NewPrompt::new("b"));
    let last = world.sent(after(&[first, second]));
    let hold = world.prompt(last).hold.unwrap();
    assert_eq!((hold.code, world.state(last)), (HoldCode::After, PromptState::Pending));
    assert!(hold.text.contains(&format!("{first} (pending), {second}")), "{}", hold.text);
    world.connect(0);
    assert_eq!(world.holds(0), Some(first));
    world.complete(0);
    assert_eq!(world.holds(0), Some(second));
    world.restart();
    world.connect(0);
    world.complete(0);
    assert_eq!(world.holds(0), Some(last), "also after a restart");
    world.check();
}

#[test]
fn one_that_will_not_be_completed_holds_those_that_wait_until_it_is_after_all() {
    let mut world = World::new();
    let first = world.sent(NewPrompt::new("a"));
    let last = world.sent(after(&[first]));
    world.wish(first, Change::Cancel).unwrap();
    let held = world.prompt(last);
    assert_eq!(held.hold.unwrap().code, HoldCode::AfterFailed);
    assert_eq!(held.state, PromptState::Held);
    let late = world.sent(after(&[first]));
    assert_eq!(world.state(late), PromptState::Held, "also one that is queued afterwards");
    world.wish(first, Change::Retry).unwrap();
    world.connect(0);
    world.complete(0);
    assert_eq!(world.holds(0), Some(last));
    world.wish(late, Change::Cancel).unwrap();
    world.check();
}

#[test]
fn whoever_retries_a_prompt_that_waits_runs_it_without_the_others() {
    let mut world = World::new();
    let first = world.sent(NewPrompt { target: Some("elsewhere".into()), ..NewPrompt::new("a") });
    let last = world.sent(after(&[first]));
    world.connect(0);
    assert_eq!(world.holds(0), None);
    world.wish(last, Change::Retry).unwrap();
    assert_eq!(world.holds(0), Some(last));
    world.check();
}

#[test]
fn what_was_queued_under_a_key_is_there_also_when_what_it_waited_for_is_forgotten() {
    let mut world = World::new();
    let first = world.sent(NewPrompt::new("a"));
    let sent = |world: &mut World| {
        let asked = Box::new(after(&[first]));
        world
            .ask(|reply| {
                Ask::Enqueue(asked, Given { key: Some("k".into()), ..Given::default() }, By::Cli, reply)
            })
            .map(|(_, prompt)| prompt.id)
    };
    let id = sent(&mut world).unwrap();
    world.prompts.push(id);
    world.ask(|reply| Ask::Change(first, Change::Cancel, By::Cli, reply)).unwrap();
    let all = Selection { ids: Some(vec![first]), ..Selection::default() };
    world.ask(|reply| Ask::Clear(all, By::Cli, reply)).unwrap();
    assert_eq!(sent(&mut world).unwrap(), id);
}

#[test]
fn prompts_cannot_wait_for_each_other_or_for_nobody() {
    let mut world = World::new();
    let first = world.sent(NewPrompt::new("a"));
    let second = world.sent(after(&[first]));
    let third = world.sent(after(&[second]));
    let edit = |needed: PromptId| Box::new(Edit { after: Some(vec![needed]), ..Edit::default() });
    for needed in [first, second, third] {
        let refused = world.ask(|reply| Ask::Edit(first, edit(needed), By::Cli, reply));
        assert!(refused.unwrap_err().0.message.contains("wait for each other"), "{needed}");
    }
    assert!(world.queue(after(&[PromptId(99)])).is_err());
    let moved = world.ask(|reply| Ask::Edit(third, edit(first), By::Cli, reply)).unwrap();
    assert_eq!(moved.asked.after, [first]);
    world.check();
}

#[test]
fn a_prompt_is_not_offered_before_its_time_and_not_kept_waiting_beyond_it() {
    let mut world = World::new();
    world.connect(0);
    let later = UnixMillis(world.now.0 + 3_600_000);
    let id = world.sent(NewPrompt { not_before: Some(later), ..NewPrompt::new("later") });
    world.act(Op::Wait(59 * MINUTE));
    assert_eq!(world.holds(0), None);
    world.act(Op::Wait(2 * MINUTE));
    assert_eq!(world.holds(0), Some(id));
    let target = Some("nobody".to_owned());
    let waits = NewPrompt { wait_ms: Some(MINUTE), target, ..NewPrompt::new("x") };
    let id = world.sent(waits);
    world.act(Op::Wait(MINUTE + 1));
    let prompt = world.prompt(id);
    assert_eq!((prompt.state, prompt.result.unwrap().outcome), (PromptState::Failed, Outcome::TimedOut));
    world.check();
}

#[test]
fn a_limit_of_use_parks_the_prompt_without_a_try_and_ends_by_itself() {
    let mut world = World::new();
    world.connect(0);
    let id = world.sent(NewPrompt::new("x"));
    let until = UnixMillis(world.now.0 + 3_600_000);
    let limited = PromptResult {
        cause: Some(Cause::RateLimited),
        until: Some("3pm".into()),
        until_at: Some(until),
        ..server_result(Outcome::Failed, "You've hit your limit")
    };
    world.end(0, limited);
    let parked = world.prompt(id);
    assert_eq!((parked.state, parked.tried), (PromptState::Held, 0));
    assert_eq!(parked.hold.unwrap().code, HoldCode::RateLimited);
    assert_eq!(world.holds(0), None);
    world.restart();
    world.connect(0);
    world.act(Op::Wait(59 * MINUTE));
    assert_eq!(world.holds(0), None, "the limit is known after a restart");
    world.act(Op::Wait(2 * MINUTE));
    assert_eq!(world.holds(0), Some(id));
    world.check();
}

#[test]
fn a_limited_provider_loses_the_prompt_to_another_one() {
    let mut world = World::new();
    world.connect(0);
    let id = world.sent(NewPrompt { prefer: Some("claude".into()), ..NewPrompt::new("x") });
    world.wrappers[1].agent = "codex";
    world.connect(1);
    assert_eq!(world.holds(0), Some(id));
    let limited = PromptResult { cause: Some(Cause::RateLimited), ..server_result(Outcome::Failed, "429") };
    world.end(0, limited);
    assert_eq!(world.holds(1), Some(id));
    let score = world.ask(|reply| Ask::Prompt(id, reply)).unwrap().scores;
    assert!(score[1].refused.as_ref().unwrap().contains("limit of use of claude"), "{score:?}");
    world.check();
}

#[test]
fn the_failure_is_told_to_the_next_attempt() {
    let mut world = World::new();
    world.connect(0);
    world.sent(NewPrompt::new("x"));
    assert_eq!(world.wrappers[0].holds.as_ref().unwrap().failed, None);
    world.end(0, server_result(Outcome::Failed, "the tests did not pass"));
    world.act(Op::Wait(MINUTE));
    let offer = world.wrappers[0].holds.clone().unwrap();
    let failed = offer.failed.unwrap();
    assert_eq!((failed.number, failed.reason.as_str(), offer.number), (1, "the tests did not pass", 2));
}

#[test]
fn an_attempt_that_nobody_speaks_of_is_held_with_its_lease_and_found_again() {
    let mut world = World::new();
    world.connect(0);
    let id = world.sent(NewPrompt { timeout_ms: Some(MINUTE), ..NewPrompt::new("x") });
    world.step(0, Step::Accepted);
    world.act(Op::Wait(4 * MINUTE));
    let late = world.prompt(id);
    assert_eq!((late.state, late.hold.unwrap().code), (PromptState::Held, HoldCode::SessionGone));
    world.cut(0);
    world.connect(0);
    assert_eq!(world.state(id), PromptState::InProgress);
    world.complete(0);
    assert_eq!(world.state(id), PromptState::Completed);
    world.check();
}

#[test]
fn a_session_out_of_reach_holds_its_prompt_until_it_is_back() {
    let mut world = World::new();
    world.connect(0);
    let id = world.sent(NewPrompt::new("x"));
    world.cut(0);
    world.act(Op::Wait(2 * MINUTE));
    assert_eq!(world.state(id), PromptState::Held);
    world.connect(0);
    assert_eq!(world.state(id), PromptState::Assigned);
    world.check();
}

#[test]
fn many_are_retried_and_forgotten_at_once_but_none_that_others_wait_for() {
    let mut world = World::new();
    let ids: Vec<_> = (0..3).map(|_| world.sent(NewPrompt::new("x"))).collect();
    ids.iter().for_each(|id| drop(world.wish(*id, Change::Cancel).unwrap()));
    let waiting = world.sent(after(&ids[..1]));
    let all = |state| Selection { state: Some(state), ..Selection::default() };
    world.now = UnixMillis(world.now.0 + 1_000_000);
    let fresh = Selection { older_ms: Some(2_000_000), ..all(PromptState::Cancelled) };
    let counted = world.ask(|reply| Ask::Clear(fresh, By::Cli, reply)).unwrap();
    assert_eq!(counted, Counted { count: 0 });
    let counted = world.ask(|reply| Ask::Clear(all(PromptState::Cancelled), By::Cli, reply)).unwrap();
    assert_eq!(counted.count, 2, "one is needed by {waiting}");
    assert!(world.ask(|reply| Ask::Prompt(ids[2], reply)).is_err());
    let retried = world
        .ask(|reply| Ask::ChangeAll(all(PromptState::Cancelled), Change::Retry, By::Cli, reply))
        .unwrap();
    assert_eq!(retried.count, 1);
    assert_eq!(world.state(ids[0]), PromptState::Pending);
    world.prompts.retain(|id| *id != ids[1] && *id != ids[2]);
    world.check();
}

#[test]
fn a_plan_tells_who_would_get_what_and_changes_nothing() {
    let mut world = World::new();
    let first = world.sent(NewPrompt { target: Some("s0".into()), ..NewPrompt::new("a") });
    let second = world.sent(NewPrompt { dir: Some("/elsewhere".into()), ..NewPrompt::new("b") });
    world.wrappers[0].busy = true;
    world.connect(0);
    let plan = world.ask(|reply| Ask::Plan(10, reply)).unwrap();
    assert_eq!(plan.prompts.iter().map(|p| p.prompt).collect::<Vec<_>>(), [first, second]);
    assert!(plan.prompts.iter().all(|p| p.session.is_none() && p.waits.is_some()), "{plan:?}");
    let why = plan.prompts[1].scores[0].refused.as_deref();
    assert_eq!(why, Some("works in /w, not in /elsewhere"));
    world.check();
}

fn dialog(id: &str, request: Option<ToolRequest>) -> Dialog {
    Dialog {
        id: id.into(),
        kind: DialogKind::Permission,
        title: "Run command".into(),
        body: "$ cargo test".into(),
        options: Vec::new(),
        answerable: true,
        request,
    }
}

fn tests() -> Option<ToolRequest> {
    Some(ToolRequest {
        tool: "Bash".into(),
        detail: "cargo test".into(),
        arguments: r#"{"command":"cargo test"}"#.into(),
        action: Action::Shell,
        command: Some("cargo test".into()),
        paths: Vec::new(),
    })
}

impl World {
    fn shows(&mut self, n: usize, dialog: Option<Dialog>) {
        let state = if dialog.is_some() { State::WaitingPermission } else { State::Busy };
        self.report(n, Report::State { claim: sample::claim(state), dialog });
    }

    fn replied(&mut self, n: usize, request: u64, refused: Option<Hold>) {
        let (conn, _) = self.wrappers[n].line.as_ref().unwrap();
        let (session, conn) = (self.wrappers[n].id.clone(), *conn);
        self.run(Command::Wrapper { session, conn, said: Said::Reply(request, refused) });
    }

    fn items(&mut self) -> Vec<wire::approval::Approval> {
        self.ask(|reply| Ask::People(People::Approvals(None, None, None, 100, reply))).unwrap()
    }
}

#[test]
fn a38_an_answer_reaches_only_the_dialog_that_was_seen() {
    let mut world = World::new();
    world.connect(0);
    world.shows(0, Some(dialog("first", None)));
    let seen = world.items()[0].clone();
    assert_eq!(seen.state, ApprovalState::Open);
    world.shows(0, Some(dialog("second", None)));
    let answer = Answer { dialog: "first".into(), choice: Choice::Approve };
    let (reply, mut told) = oneshot::channel();
    world.run(Command::Ask(Ask::People(People::AnswerApproval(seen.id, answer, By::Cli, reply))));
    assert!(told.try_recv().unwrap().is_err(), "it is gone");
    assert!(world.wrappers[0].answers.is_empty(), "nothing was said to the wrapper");
    let items = world.items();
    assert_eq!(items.iter().map(|i| i.state).collect::<Vec<_>>(), [ApprovalState::Open, ApprovalState::Gone]);
    let answer = Answer { dialog: "second".into(), choice: Choice::Deny };
    let (reply, mut told) = oneshot::channel();
    world.run(Command::Ask(Ask::People(People::AnswerApproval(items[0].id, answer, By::Browser, reply))));
    let (request, bound, rule) = world.wrappers[0].answers.pop().unwrap();
    assert_eq!((bound.as_str(), rule), ("second", false));
    world.shows(0, None);
    world.replied(0, request, None);
    assert!(told.try_recv().unwrap().is_ok());
    let item = &world.items()[0];
    assert_eq!((item.state, item.by.as_deref()), (ApprovalState::Denied, Some("browser")));
    let audit = world.ask(|reply| Ask::People(People::Audit(None, 10, true, reply))).unwrap();
    assert_eq!(audit.whole, Some(true));
    assert_eq!(audit.entries[0].what, "approval.answered");
}

#[test]
fn a40_a_rule_answers_the_structured_request_and_nothing_else() {
    let mut world = World::new();
    let rules =
        "[[rule]]\nname = 'tests'\neffect = 'approve'\nactions = ['shell']\ncommands = [['cargo', 'test']]\n";
    world.ask(|reply| Ask::People(People::SetPolicies(rules.into(), By::Cli, reply))).unwrap();
    world.connect(0);
    world.shows(0, Some(dialog("screen", None)));
    assert!(world.wrappers[0].answers.is_empty(), "the same words on the screen alone are no request");
    world.shows(0, Some(dialog("told", tests())));
    let (request, bound, rule) = world.wrappers[0].answers.pop().unwrap();
    assert_eq!((bound.as_str(), rule), ("told", true));
    assert_eq!(world.items().len(), 1, "the request completes the item that was on the screen before");
    world.replied(0, request, None);
    let item = world.items().remove(0);
    assert_eq!((item.state, item.by.as_deref()), (ApprovalState::Approved, Some("rule tests")));
    let verdicts =
        world.ask(|reply| Ask::People(People::TestPolicies(Some(String::new()), 10, reply))).unwrap();
    assert_eq!(verdicts[0].rule, None, "without rules a person would have been asked");
    world.restart();
    world.connect(0);
    assert_eq!(world.ask(|reply| Ask::People(People::Policies(reply))).unwrap().version, 1);
}

#[test]
fn an_answer_that_the_session_refuses_leaves_the_item_open_with_the_reason() {
    let mut world = World::new();
    world.connect(0);
    world.shows(0, Some(dialog("d", None)));
    let item = world.items().remove(0);
    let (reply, mut told) = oneshot::channel();
    let answer = Answer { dialog: item.dialog.id, choice: Choice::Approve };
    world.run(Command::Ask(Ask::People(People::AnswerApproval(item.id, answer, By::Cli, reply))));
    let (request, ..) = world.wrappers[0].answers.pop().unwrap();
    world.replied(0, request, Some(Hold { code: HoldCode::NotIdle, text: "it has just appeared".into() }));
    assert!(told.try_recv().unwrap().is_err());
    let item = world.items().remove(0);
    assert_eq!((item.state, item.refused.as_deref()), (ApprovalState::Open, Some("it has just appeared")));
}

#[test]
fn a_session_that_can_move_is_moved_when_none_is_there() {
    let mut world = World::new();
    world.wrappers[0].moves = Moves::Relaunch;
    world.connect(0);
    let id = world.sent(NewPrompt { dir: Some("/elsewhere".into()), ..NewPrompt::new("x") });
    assert_eq!(world.holds(0), Some(id));
    assert!(world.wrappers[0].holds.as_ref().unwrap().may_move);
}
