//! A clock that is set and a machine that sleeps change no limit of time.

use super::*;

const MINUTE: u64 = 60_000;
const HOURS: i64 = 8 * 60 * 60_000;

impl World {
    fn clock_set(&mut self, ms: i64) {
        self.now = UnixMillis(self.now.0 + ms);
        self.run(Command::ClockSet(ms));
        self.run(Command::Tick);
    }

    /// One prompt that runs and one that waits, each for a minute at most.
    fn minutes(&mut self) -> (PromptId, PromptId) {
        self.connect(0);
        let runs = self.sent(NewPrompt { timeout_ms: Some(MINUTE), ..NewPrompt::new("runs") });
        self.step(0, Step::Accepted);
        let target = Some("nobody".to_owned());
        let waits = self.sent(NewPrompt { wait_ms: Some(MINUTE), target, ..NewPrompt::new("waits") });
        (runs, waits)
    }
}

#[test]
fn g17_the_hours_that_a_machine_slept_do_not_count() {
    let mut world = World::new();
    let (runs, waits) = world.minutes();
    let at_eight = UnixMillis(world.now.0 + HOURS - 1);
    world.connect(1);
    let evening = world.sent(NewPrompt { not_before: Some(at_eight), ..NewPrompt::new("a time of day") });
    world.clock_set(HOURS);
    assert_eq!((world.state(runs), world.state(waits)), (PromptState::InProgress, PromptState::Pending));
    assert!(world.control.lines.contains_key(&world.wrappers[0].id), "nobody is taken for dead");
    assert_eq!(world.holds(1), Some(evening), "what was asked for at a time of day has its time");
    world.act(Op::Wait(4 * MINUTE));
    assert_eq!((world.state(runs), world.state(waits)), (PromptState::Held, PromptState::Failed));
    world.check();
}

#[test]
fn g17_a_clock_that_was_set_back_holds_nothing_up() {
    let mut world = World::new();
    let (runs, waits) = world.minutes();
    world.clock_set(-HOURS);
    assert_eq!((world.state(runs), world.state(waits)), (PromptState::InProgress, PromptState::Pending));
    world.act(Op::Wait(4 * MINUTE));
    assert_eq!((world.state(runs), world.state(waits)), (PromptState::Held, PromptState::Failed));
    world.check();
}

#[test]
fn g17_a_server_that_starts_after_the_clock_was_set_waits_anew() {
    let mut world = World::new();
    let (runs, _) = world.minutes();
    world.now = UnixMillis(world.now.0 + HOURS);
    world.restart();
    world.connect(0);
    world.run(Command::Tick);
    assert_eq!(world.state(runs), PromptState::InProgress);
    world.act(Op::Wait(4 * MINUTE));
    assert_eq!(world.state(runs), PromptState::Held);
}
