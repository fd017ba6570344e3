//! What a run does next, from what became of its steps.

use wire::UnixMillis;
use wire::prompt::{Hold, PromptResult};

use super::super::{file, graph};
use super::*;

/// A queue that keeps what it is asked for, and ends what it is told to end.
struct World<'a> {
    machine: Machine<'a>,
    asked: Vec<(String, NewPrompt)>,
    acts: Vec<Act>,
    /// What an earlier start queued and this one does not ask for.
    there: Vec<String>,
}

fn read(text: &str) -> (Flow, Graph) {
    let flow = file::read(&crate::tree::yaml(text).unwrap(), &[], &jiff::Zoned::now()).unwrap();
    let graph = graph::graph(&flow).unwrap();
    (flow, graph)
}

impl<'a> World<'a> {
    fn new((flow, graph): &'a (Flow, Graph)) -> Self {
        Self::of(Machine::new(flow, graph), &[])
    }

    fn resumed((flow, graph): &'a (Flow, Graph), there: &[&str]) -> Self {
        Self::of(Machine::new(flow, graph).resumed(), there)
    }

    fn of(machine: Machine<'a>, there: &[&str]) -> Self {
        let there = there.iter().map(|key| (*key).to_owned()).collect();
        let mut world = Self { machine, asked: Vec::new(), acts: Vec::new(), there };
        world.go();
        world
    }

    fn go(&mut self) {
        while let Some(act) = self.machine.next() {
            if let Act::Queue(place) = act {
                match self.machine.prompt(place) {
                    Ok(prompt) => {
                        let key = format!("{}/{}", self.machine.flow.steps[place.step].id, place.nth + 1);
                        self.asked.push((key, prompt));
                        self.machine.queued(place, PromptId(self.asked.len() as i64));
                    }
                    Err(_) => self.machine.refused(place),
                }
            } else if let Act::Find(place) = act {
                let key = format!("{}/{}", self.machine.flow.steps[place.step].id, place.nth + 1);
                match self.there.iter().position(|there| *there == key) {
                    Some(at) => {
                        self.asked.push((key, NewPrompt::new("as it was queued")));
                        self.machine.queued(place, PromptId(self.asked.len() as i64));
                        self.there.remove(at);
                    }
                    None => self.machine.left_out(place),
                }
            } else {
                self.acts.push(act);
            }
        }
    }

    fn keys(&self) -> Vec<&str> {
        self.asked.iter().map(|(key, _)| key.as_str()).collect()
    }

    fn text(&self, key: &str) -> &str {
        &self.asked.iter().find(|(k, _)| k == key).unwrap().1.text
    }

    fn prompt(&self, key: &str, state: PromptState) -> Prompt {
        let at = self.asked.iter().position(|(k, _)| k == key).unwrap();
        Prompt {
            id: PromptId(at as i64 + 1),
            asked: self.asked[at].1.clone(),
            state,
            hold: None,
            due: None,
            session: None,
            tried: 1,
            attempts: 3,
            attempt: None,
            result: None,
            seen: None,
            created: UnixMillis(0),
            changed: UnixMillis(0),
        }
    }

    fn ends(&mut self, key: &str, state: PromptState, answer: &str) {
        let outcome = if state == PromptState::Completed { Outcome::Completed } else { Outcome::Failed };
        let result = PromptResult { answer: answer.into(), ..PromptResult::new(outcome, "", "") };
        let prompt = Prompt { result: Some(result), ..self.prompt(key, state) };
        self.machine.seen(&prompt);
        self.go();
    }

    fn completes(&mut self, key: &str, answer: &str) {
        self.ends(key, PromptState::Completed, answer);
    }

    fn fails(&mut self, key: &str) {
        self.ends(key, PromptState::Failed, "");
    }

    fn is_held(&mut self, key: &str, code: HoldCode) {
        let hold = Some(Hold { code, text: String::new() });
        let prompt = Prompt { hold, ..self.prompt(key, PromptState::Held) };
        self.machine.seen(&prompt);
        self.go();
    }
}

#[test]
fn what_needs_no_output_is_queued_at_once_and_the_queue_waits() {
    let read = read(
        "- {id: b, prompt: y, after: [a]}\n- {id: a, prompt: x, foreach: [1, 2]}\n- {id: c, prompt: z, after: [7]}\n",
    );
    let world = World::new(&read);
    assert_eq!(world.keys(), ["a/1", "a/2", "b/1", "c/1"]);
    assert_eq!(world.asked[2].1.after, [PromptId(1), PromptId(2)]);
    assert_eq!(world.asked[3].1.after, [PromptId(7)]);
    assert!(!world.machine.over());
}

#[test]
fn an_output_is_waited_for_and_put_in_as_it_is() {
    let read = read(
        "- {id: a, prompt: x}\n- {id: b, prompt: '<{{steps.a.output}}> {{steps.a.status}}'}\n\
         - {id: c, prompt: '{{steps.a.fenced}}', after: [b]}\n",
    );
    let mut world = World::new(&read);
    assert_eq!(world.keys(), ["a/1"]);
    world.completes("a/1", "{{vars.x}} ```\n");
    assert_eq!(world.text("b/1"), "<{{vars.x}} ```> completed");
    assert_eq!(world.text("c/1"), "````\n{{vars.x}} ```\n````");
    assert_eq!(world.asked[2].1.after, [PromptId(2)], "the queue waits for b, whose output c does not need");
    world.completes("b/1", "");
    world.completes("c/1", "");
    assert!(world.machine.over());
    assert_eq!(world.machine.counts(), Counts { completed: 3, ..Counts::default() });
}

#[test]
fn a_step_is_repeated_for_the_lines_of_an_output() {
    let read = read(
        "- {id: a, prompt: x}\n- {id: b, prompt: 'fix {{item}}', foreach: '{{steps.a.output}}'}\n\
         - {id: c, prompt: '{{steps.b.output}}'}\n- {id: d, prompt: y, after: [b]}\n",
    );
    let mut world = World::new(&read);
    world.completes("a/1", "one\n\n  two \n");
    assert_eq!(world.keys(), ["a/1", "b/1", "b/2", "d/1"]);
    assert_eq!((world.text("b/1"), world.text("b/2")), ("fix one", "fix two"));
    world.completes("b/2", "second");
    world.completes("b/1", "first\n");
    assert_eq!(world.text("c/1"), "first\n\nsecond", "in the order of the lines");
}

#[test]
fn a_step_that_is_repeated_for_nothing_is_done() {
    let read = read(
        "- {id: a, prompt: x}\n- {id: b, prompt: y, foreach: '{{steps.a.output}}'}\n- {id: c, prompt: z, after: [b]}\n",
    );
    let mut world = World::new(&read);
    world.completes("a/1", "\n");
    assert_eq!(world.keys(), ["a/1", "c/1"]);
}

#[test]
fn too_many_lines_fail_the_step_and_nothing_is_queued_for_it() {
    let read = read("- {id: a, prompt: x}\n- {id: b, prompt: y, foreach: '{{steps.a.output}}'}\n");
    let mut world = World::new(&read);
    world.completes("a/1", &"x\n".repeat(LINES_MAX + 1));
    assert!(matches!(&world.acts[..], [Act::Unrepeatable(1, _)]), "{:?}", world.acts);
    assert!(world.machine.over());
    assert_eq!(world.machine.counts(), Counts { completed: 1, failed: 1, ..Counts::default() });
}

#[test]
fn an_output_that_fits_into_no_text_is_not_kept_and_fails_who_wants_it() {
    let read = read("- {id: a, prompt: x, foreach: [1, 2, 3]}\n- {id: b, prompt: '{{steps.a.output}}'}\n");
    let mut world = World::new(&read);
    for key in ["a/1", "a/2", "a/3"] {
        world.completes(key, &"x".repeat(OUTPUT_MAX / 2));
    }
    assert_eq!(world.machine.counts(), Counts { completed: 3, failed: 1, ..Counts::default() });
}

#[test]
fn more_than_the_queue_waits_for_is_waited_for_here() {
    let items: Vec<String> = (0..=AFTER_MAX).map(|n| n.to_string()).collect();
    let read = read(&format!(
        "- {{id: a, prompt: x, foreach: [{}]}}\n- {{id: b, prompt: y, after: [a]}}\n",
        items.join(", ")
    ));
    let mut world = World::new(&read);
    assert!(!world.keys().contains(&"b/1"));
    (1..=AFTER_MAX + 1).for_each(|n| world.completes(&format!("a/{n}"), ""));
    assert!(world.keys().contains(&"b/1"));
    assert!(world.asked.last().unwrap().1.after.is_empty());
}

const FORK: &str = "- {id: a, prompt: x}\n- {id: b, prompt: '{{steps.a.status}}'}\n- {id: c, prompt: y, after: [b]}\n- {id: d, prompt: z}\n";

#[test]
fn by_skip_what_comes_after_a_failure_is_left_out_and_the_rest_goes_on() {
    let read = read(FORK);
    let mut world = World::new(&read);
    assert_eq!(world.keys(), ["a/1", "d/1"]);
    world.fails("a/1");
    assert_eq!(world.acts, [Act::Skipped(1, 1), Act::Skipped(2, 1)]);
    assert!(!world.machine.over());
    world.completes("d/1", "");
    assert!(world.machine.over());
    assert_eq!(world.machine.counts(), Counts { completed: 1, failed: 1, skipped: 2, ..Counts::default() });
}

#[test]
fn by_skip_what_is_in_the_queue_already_is_called_off() {
    let read = read("- {id: a, prompt: x}\n- {id: b, prompt: y, after: [a]}\n");
    let mut world = World::new(&read);
    world.fails("a/1");
    world.is_held("b/1", HoldCode::AfterFailed);
    assert_eq!(world.acts, [Act::Cancel(PromptId(2))]);
    assert!(world.machine.over());
}

#[test]
fn by_stop_nothing_more_is_queued_and_what_is_open_is_called_off_once() {
    let read = read(&format!("on-failure: stop\nsteps:\n{FORK}"));
    let mut world = World::new(&read);
    world.fails("a/1");
    assert_eq!(world.acts, [Act::CancelOpen, Act::Skipped(1, 1), Act::Skipped(2, 1)]);
    assert!(!world.machine.over(), "what a session has goes on");
    world.ends("d/1", PromptState::Cancelled, "");
    assert!(world.machine.over());
    assert_eq!(world.acts.len(), 3);
}

#[test]
fn by_continue_what_comes_after_runs_and_is_told() {
    let read = read(&format!("on-failure: continue\nsteps:\n{FORK}"));
    let mut world = World::new(&read);
    world.fails("a/1");
    assert_eq!(world.text("b/1"), "failed");
    world.completes("b/1", "");
    assert_eq!(world.keys(), ["a/1", "d/1", "b/1", "c/1"]);
}

#[test]
fn what_is_held_ends_the_run_once_nothing_else_goes_on() {
    let read = read("- {id: a, prompt: x}\n- {id: b, prompt: y, after: [a]}\n- {id: c, prompt: z}\n");
    let mut world = World::new(&read);
    world.is_held("a/1", HoldCode::Unknown);
    assert!(!world.machine.over());
    world.is_held("c/1", HoldCode::NotIdle);
    assert!(!world.machine.over(), "that passes by itself");
    world.completes("c/1", "");
    assert!(world.machine.over());
    assert_eq!(world.machine.counts(), Counts { completed: 1, held: 1, waiting: 1, ..Counts::default() });
    world.machine.seen(&world.prompt("a/1", PromptState::Pending));
    assert!(!world.machine.over(), "a person let it go on");
}

#[test]
fn a_run_gone_on_with_asks_for_the_same_prompts() {
    let read = read(
        "- {id: a, prompt: x}\n- {id: b, prompt: y, after: [a]}\n- {id: c, prompt: 'z {{item}}', foreach: '{{steps.a.output}}', after: [b]}\n",
    );
    let mut first = World::new(&read);
    first.completes("a/1", "one\ntwo");
    // The second start is told of the ends as it asks, in whatever order.
    let mut second = World::new(&read);
    second.completes("b/1", "");
    second.completes("a/1", "one\ntwo");
    assert_eq!(first.asked, second.asked);
}

#[test]
fn what_an_earlier_start_queued_behind_a_failure_is_taken_over_and_called_off() {
    let read = read(
        "- {id: a, prompt: x}\n- {id: b, prompt: '{{steps.a.output}}', foreach: [1, 2]}\n- {id: c, prompt: z}\n",
    );
    let mut world = World::resumed(&read, &["b/2"]);
    world.fails("a/1");
    assert_eq!(world.keys(), ["a/1", "c/1", "b/2"]);
    world.is_held("b/2", HoldCode::AfterFailed);
    assert!(world.acts.contains(&Act::Cancel(PromptId(3))), "it is not left behind: {:?}", world.acts);
    world.completes("c/1", "");
    assert!(world.machine.over());
    assert_eq!(world.machine.counts(), Counts { failed: 1, skipped: 2, completed: 1, ..Counts::default() });
}

#[test]
fn what_runs_when_a_stopped_run_is_gone_on_with_is_waited_for() {
    let read = read(
        "on-failure: stop\nsteps:\n- {id: a, prompt: x}\n- {id: b, prompt: '{{steps.a.output}}'}\n- {id: c, prompt: z, after: [b]}\n",
    );
    let mut world = World::resumed(&read, &["b/1"]);
    world.fails("a/1");
    assert_eq!(world.keys(), ["a/1", "b/1"]);
    assert!(!world.machine.over(), "a session has it");
    world.completes("b/1", "");
    assert!(world.machine.over());
    assert_eq!(world.machine.counts(), Counts { failed: 1, completed: 1, skipped: 1, ..Counts::default() });
}

#[test]
fn what_comes_back_to_the_queue_after_a_run_stopped_is_called_off() {
    let read =
        read("on-failure: stop\nsteps:\n- {id: a, prompt: x}\n- {id: b, prompt: y}\n- {id: c, prompt: z}\n");
    let mut world = World::new(&read);
    world.machine.seen(&world.prompt("b/1", PromptState::Assigned));
    world.fails("a/1");
    assert_eq!(world.acts, [Act::CancelOpen]);
    for _ in 0..2 {
        world.machine.seen(&world.prompt("b/1", PromptState::Pending));
    }
    world.go();
    world.is_held("c/1", HoldCode::Person);
    assert_eq!(world.acts[1..], [Act::Cancel(PromptId(2)), Act::Cancel(PromptId(3))]);
    assert!(!world.machine.over(), "the server has not said yet that they are");
    for key in ["b/1", "c/1"] {
        world.ends(key, PromptState::Cancelled, "");
    }
    assert!(world.machine.over());
}

#[test]
fn a_prompt_that_the_server_forgot_counts_as_called_off() {
    let read = read("- {id: a, prompt: x}\n- {id: b, prompt: '{{steps.a.output}}'}\n");
    let mut world = World::new(&read);
    world.machine.forgotten(PromptId(1));
    world.go();
    assert!(world.machine.over());
    assert_eq!(world.machine.counts(), Counts { cancelled: 1, skipped: 1, ..Counts::default() });
}
