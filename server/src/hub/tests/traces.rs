//! What is to be told of prompts as traces: each life once, none lost, and nothing unless it is wished for.

use super::*;
use wire::admin::Bounds;
use wire::prompt::{Prompt, PromptState};

use crate::trace::spans::{Life, spans};

const GIVEN: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

impl World {
    fn telling() -> Self {
        let mut world = Self::new();
        world.control.settings.traces = true;
        world.control.settings.install = "test".to_owned();
        world
    }

    fn due(&mut self) -> Vec<Life> {
        self.ask(|reply| Ask::Traces(Traces::Due(reply))).unwrap()
    }

    fn told(&mut self, lives: &[Life]) {
        let told = lives.iter().map(|life| (life.prompt, life.ended)).collect();
        self.run(Command::Ask(Ask::Traces(Traces::Told(told))));
    }

    fn traced(&mut self, text: &str, trace: &str) -> Prompt {
        let given = Given { key: Some(text.to_owned()), trace: Some(trace.to_owned()) };
        let asked = Box::new(NewPrompt::new(text));
        self.ask(|reply| Ask::Enqueue(asked, given, By::Cli, reply)).unwrap().1
    }

    fn failed(&mut self) -> PromptId {
        let id = self.sent(NewPrompt { attempts: Some(1), ..NewPrompt::new("x") });
        self.end(0, server_result(Outcome::Failed, "so"));
        assert_eq!(self.state(id), PromptState::Failed);
        id
    }
}

#[test]
fn nothing_is_kept_to_be_told_when_no_collector_is_named() {
    let mut world = World::new();
    world.connect(0);
    world.sent(NewPrompt::new("x"));
    world.complete(0);
    assert!(world.due().is_empty());
}

#[test]
fn a_life_that_is_over_waits_until_it_was_told_also_over_a_restart() {
    let mut world = World::telling();
    world.connect(0);
    let id = world.sent(NewPrompt::new("x"));
    assert!(world.due().is_empty(), "it is not over");
    world.complete(0);
    world.restart();
    let due = world.due();
    assert_eq!(due.iter().map(|life| (life.prompt, life.tries.len())).collect::<Vec<_>>(), [(id, 1)]);
    world.told(&due);
    assert!(world.due().is_empty());
}

#[test]
fn another_life_is_told_of_its_own_without_what_was_told() {
    let mut world = World::telling();
    world.connect(0);
    let id = world.failed();
    let first = world.due();
    world.told(&first);
    world.wish(id, Change::Retry).unwrap();
    world.complete(0);
    let second = world.due();
    assert_eq!((second[0].tries.len(), second[0].state), (1, PromptState::Completed));
    let roots = [&first, &second].map(|lives| spans(&lives[0])[0].clone());
    assert_eq!(roots[0].trace_id, roots[1].trace_id);
    assert_ne!(roots[0].span_id, roots[1].span_id);
    assert!(roots[0].end_time_unix_nano <= roots[1].start_time_unix_nano);
}

#[test]
fn a_life_that_nobody_was_told_of_goes_on() {
    let mut world = World::telling();
    world.connect(0);
    let id = world.failed();
    let sent = world.due();
    world.wish(id, Change::Retry).unwrap();
    world.complete(0);
    world.told(&sent);
    let due = world.due();
    assert_eq!((due.len(), due[0].tries.len()), (1, 2), "what was on its way then is told again, as a whole");
    assert_eq!(spans(&due[0])[0].span_id, spans(&sent[0])[0].span_id);
}

#[test]
fn a_prompt_continues_the_trace_that_came_with_it_and_a_repeat_need_not() {
    let mut world = World::telling();
    let first = world.traced("x", GIVEN);
    let again = world.traced("x", &GIVEN.replace("4bf9", "aaaa"));
    assert_eq!(first.id, again.id, "the key stands for the prompt, whatever asks for it");
    let of = |world: &mut World, id| world.ask(|reply| Ask::Prompt(id, reply)).unwrap().trace;
    assert_eq!(of(&mut world, first.id), "4bf92f3577b34da6a3ce929d0e0e4736");
    let own = world.traced("y", "no trace");
    let named = of(&mut world, own.id);
    assert_eq!(named.len(), 32);
    world.restart();
    assert_eq!(of(&mut world, own.id), named);
}

#[test]
fn what_waits_for_a_collector_is_bounded_and_the_oldest_is_given_up() {
    let mut world = World::telling();
    world.connect(0);
    let ids: Vec<_> = (0..3)
        .map(|_| {
            let id = world.sent(NewPrompt::new("x"));
            world.complete(0);
            id
        })
        .collect();
    assert_eq!(world.control.store.give_up_traces(2).unwrap(), 1);
    let due: Vec<_> = world.due().iter().map(|life| life.prompt).collect();
    assert_eq!(due, ids[1..]);
}

#[test]
fn what_an_agent_queues_for_its_prompt_stands_below_it_in_one_trace() {
    let mut world = World::telling();
    world.connect(0);
    let above = world.traced("x", GIVEN);
    assert_eq!(world.holds(0), Some(above.id));
    let agent = Agent {
        word: "token manager".to_owned(),
        name: "manager".to_owned(),
        token: "t".to_owned(),
        bounds: Bounds::default(),
        session: Some(world.wrappers[0].id.clone()),
    };
    let by = By::Agent(Box::new(agent));
    // Its environment may still hold the trace of whoever started it.
    let given = Given { key: None, trace: Some(GIVEN.replace("4bf9", "aaaa")) };
    let below = world.ask(|reply| Ask::Enqueue(Box::new(NewPrompt::new("y")), given, by, reply)).unwrap().1;
    world.complete(0);
    assert_eq!(world.holds(0), Some(below.id));
    world.complete(0);
    let due = world.due();
    let roots: Vec<_> = due.iter().map(|life| spans(life)[0].clone()).collect();
    assert_eq!(roots[0].trace_id, roots[1].trace_id);
    assert_eq!(roots[1].parent_span_id, roots[0].span_id);
}
