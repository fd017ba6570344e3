//! What people do beside the queue: take note, pause, foresee, filter.

use super::*;
use wire::http::{Counted, Selection};

impl World {
    fn listed(&mut self, listing: Listing) -> Vec<PromptId> {
        let listing = Box::new(Listing { limit: 100, ..listing });
        self.ask(|reply| Ask::Prompts(listing, reply)).unwrap().iter().map(|p| p.id).collect()
    }

    fn see(&mut self, which: Selection) -> Counted {
        self.ask(|reply| Ask::See(which, By::Browser, reply)).unwrap()
    }

    fn pause(&mut self, session: Option<&str>, paused: bool) {
        let session = session.map(str::to_owned);
        self.ask(|reply| Ask::Pause(session, paused, By::Cli, reply)).unwrap();
    }
}

#[test]
fn what_ended_is_seen_once_and_unseen_again_when_it_lives_again() {
    let mut world = World::new();
    let ids: Vec<_> = (0..3).map(|_| world.sent(NewPrompt::new("x"))).collect();
    ids[..2].iter().for_each(|id| drop(world.wish(*id, Change::Cancel).unwrap()));
    let changed = world.prompt(ids[0]).changed;
    let one = Selection { ids: Some(vec![ids[0], ids[2]]), ..Selection::default() };
    assert_eq!(world.see(one.clone()).count, 1, "one that waits has not ended");
    assert_eq!(world.see(one).count, 0, "it was seen before");
    let seen = world.prompt(ids[0]);
    assert!(seen.seen.is_some());
    assert_eq!(seen.changed, changed, "to be seen is no change");
    assert_eq!(world.see(Selection::default()).count, 1);
    world.wish(ids[0], Change::Retry).unwrap();
    assert_eq!(world.prompt(ids[0]).seen, None);
    world.wish(ids[0], Change::Cancel).unwrap();
    world.restart();
    assert_eq!(world.prompt(ids[0]).seen, None);
    world.check();
}

#[test]
fn named_prompts_alone_are_meant_and_not_more_than_ten_thousand() {
    let mut world = World::new();
    let ids: Vec<_> = (0..3).map(|_| world.sent(NewPrompt::new("x"))).collect();
    let which = Selection { ids: Some(vec![ids[2], PromptId(900), ids[0]]), ..Selection::default() };
    assert_eq!(world.listed(Listing { which: which.clone(), ..Listing::default() }), [ids[2], ids[0]]);
    let counted = world.ask(|reply| Ask::ChangeAll(which, Change::Cancel, By::Cli, reply)).unwrap();
    assert_eq!(counted.count, 2);
    assert_eq!(world.state(ids[1]), PromptState::Pending);
    let none = Selection { ids: Some(Vec::new()), ..Selection::default() };
    assert_eq!(world.see(none).count, 0);
    let many = Selection { ids: Some((0..10_001).map(PromptId).collect()), ..Selection::default() };
    assert!(world.ask(|reply| Ask::Clear(many, By::Cli, reply)).is_err());
}

#[test]
fn those_are_meant_whose_key_begins_so_and_no_others() {
    let mut world = World::new();
    let keys = ["run/a/x/1", "run/a/y/1", "run/ab/x/1", "run/%/x/1", "run/"];
    let ids = keys.map(|key| {
        let asked = Box::new(NewPrompt::new(key));
        let given = Given { key: Some(key.into()), ..Given::default() };
        let (_, prompt) = world.ask(|reply| Ask::Enqueue(asked, given, By::Cli, reply)).unwrap();
        world.prompts.push(prompt.id);
        prompt.id
    });
    let other = world.sent(NewPrompt::new("without a key"));
    let which = |key: &str| Selection { key: Some(key.into()), ..Selection::default() };
    let listed = |world: &mut World, key| world.listed(Listing { which: which(key), ..Listing::default() });
    assert_eq!(listed(&mut world, "run/a/"), [ids[1], ids[0]]);
    assert_eq!(listed(&mut world, "run/%"), [ids[3]], "nothing in it is a pattern");
    assert_eq!(listed(&mut world, "run/a/x/1/"), []);
    assert_eq!(listed(&mut world, "").len(), 5);
    let named = Selection { ids: Some(vec![ids[0], ids[2]]), ..which("run/a/") };
    assert_eq!(world.listed(Listing { which: named, ..Listing::default() }), [ids[0]]);
    let counted = world.ask(|reply| Ask::ChangeAll(which("run/a/"), Change::Cancel, By::Cli, reply)).unwrap();
    assert_eq!(counted.count, 2);
    let left = [ids[2], ids[3], ids[4], other];
    assert!(left.iter().all(|id| world.state(*id) == PromptState::Pending));
    world.check();
}

#[test]
fn nothing_is_given_out_while_all_are_paused_also_after_a_restart() {
    let mut world = World::new();
    world.connect(0);
    world.pause(None, true);
    let id = world.sent(NewPrompt::new("x"));
    assert_eq!(world.state(id), PromptState::Pending);
    assert!(world.ask(Ask::Status).unwrap().paused);
    let plan = world.ask(|reply| Ask::Plan(10, reply)).unwrap();
    assert_eq!(plan.prompts[0].session, None, "the plan knows it too");
    world.restart();
    world.connect(0);
    assert_eq!(world.state(id), PromptState::Pending);
    world.pause(None, false);
    assert_eq!(world.state(id), PromptState::Assigned);
    world.check();
}

#[test]
fn a_paused_session_keeps_what_it_has_and_gets_no_more() {
    let mut world = World::new();
    world.connect(0);
    let first = world.sent(NewPrompt::new("a"));
    world.pause(Some("s0"), true);
    world.complete(0);
    let second = world.sent(NewPrompt { target: Some("s0".into()), ..NewPrompt::new("b") });
    assert_eq!(world.state(first), PromptState::Completed);
    assert_eq!(world.state(second), PromptState::Pending);
    world.restart();
    world.connect(0);
    assert_eq!(world.state(second), PromptState::Pending);
    let detail = world.ask(|reply| Ask::Prompt(second, reply)).unwrap();
    assert!(detail.scores[0].refused.as_ref().is_some_and(|why| why.contains("paused")));
    world.connect(1);
    let third = world.sent(NewPrompt::new("c"));
    assert_eq!(world.prompt(third).session, Some(SessionId("s1".into())), "others go on");
    world.pause(Some("s0"), false);
    assert_eq!(world.state(second), PromptState::Assigned);
    world.check();
}

#[test]
fn a_prompt_is_foreseen_without_being_kept() {
    let mut world = World::new();
    world.connect(0);
    let foreseen =
        |world: &mut World, asked| world.ask(|reply| Ask::Foresee(Box::new(asked), reply)).unwrap();
    let planned = foreseen(&mut world, NewPrompt::new("x"));
    assert_eq!((planned.session, planned.prompt), (Some(SessionId("s0".into())), PromptId(0)));
    assert!(world.listed(Listing::default()).is_empty());
    let later = NewPrompt { not_before: Some(UnixMillis(world.now.0 + 1_000)), ..NewPrompt::new("x") };
    let planned = foreseen(&mut world, later);
    assert!(planned.session.is_none() && planned.waits.is_some());
    let elsewhere = NewPrompt { agent: Some("other".into()), ..NewPrompt::new("x") };
    assert!(foreseen(&mut world, elsewhere).session.is_none());
    assert!(world.ask(|reply| Ask::Foresee(Box::new(NewPrompt::new(" ")), reply)).is_err());
}

#[test]
fn prompts_are_listed_by_how_when_and_where_they_ended() {
    let mut world = World::new();
    world.connect(0);
    let done = world.sent(NewPrompt::new("a"));
    world.complete(0);
    world.now = UnixMillis(world.now.0 + 1_000);
    let middle = world.now;
    let called_off = world.sent(NewPrompt { target: Some("s1".into()), ..NewPrompt::new("b") });
    world.wish(called_off, Change::Cancel).unwrap();
    let outcome = |outcome| Listing { outcome: Some(outcome), ..Listing::default() };
    assert_eq!(world.listed(outcome(Outcome::Completed)), [done]);
    assert_eq!(world.listed(outcome(Outcome::Cancelled)), [called_off]);
    assert_eq!(world.listed(Listing { since: Some(middle), ..Listing::default() }), [called_off]);
    assert_eq!(world.listed(Listing { until: Some(middle), ..Listing::default() }), [done]);
    assert_eq!(world.listed(Listing { agent: Some("claude".into()), ..Listing::default() }), [done]);
    assert_eq!(world.listed(Listing { project: Some("/w".into()), ..Listing::default() }).len(), 1);
    let which = Selection { session: Some("s0".into()), ..Selection::default() };
    assert_eq!(world.listed(Listing { which, ..Listing::default() }), [done]);
}
