//! When pools start and end sessions.

use super::*;

fn asked(min: u32, max: u32) -> NewPool {
    NewPool {
        name: "api".to_owned(),
        command: vec!["agent".to_owned()],
        dir: "/w".to_owned(),
        host: None,
        role: None,
        caps: Vec::new(),
        env: BTreeMap::new(),
        min,
        max,
        idle_ms: 60_000,
    }
}

/// The sessions of a pool, and a clock.
struct World {
    pool: Pool,
    live: Vec<(SessionId, String, UnixMillis, bool, Option<UnixMillis>)>,
    now: UnixMillis,
}

impl World {
    fn new(min: u32, max: u32) -> Self {
        Self { pool: Pool::new(asked(min, max)), live: Vec::new(), now: UnixMillis(1_000_000) }
    }

    fn steps(&mut self, wanted: usize) -> Vec<Step> {
        let members: Vec<Member<'_>> = self
            .live
            .iter()
            .map(|(session, name, started, ready, idle_since)| Member {
                session,
                name,
                started: *started,
                ready: *ready,
                idle_since: *idle_since,
            })
            .collect();
        let taken = |name: &str| self.live.iter().any(|live| live.1 == name);
        self.pool.steps(&members, wanted, taken, self.now)
    }

    fn started(&mut self, wanted: usize) -> Vec<String> {
        let steps = self.steps(wanted);
        steps.into_iter().filter_map(|s| if let Step::Start(name) = s { Some(name) } else { None }).collect()
    }

    fn ended(&mut self) -> Vec<String> {
        let steps = self.steps(0);
        steps.into_iter().filter_map(|s| if let Step::End(id) = s { Some(id.0) } else { None }).collect()
    }

    fn arrives(&mut self, name: &str, ready: bool) {
        let idle = ready.then_some(self.now);
        self.live.push((SessionId(format!("id-{name}")), name.to_owned(), self.now, ready, idle));
    }

    fn leaves(&mut self, name: &str, well: bool) {
        let at = self.live.iter().position(|live| live.1 == name).unwrap();
        let (session, name, started, ready, idle_since) = self.live.remove(at);
        let member = Member { session: &session, name: &name, started, ready, idle_since };
        self.pool.lost(&member, well, "status 1", self.now);
    }

    fn pass(&mut self, ms: i64) {
        self.now.0 += ms;
    }
}

#[test]
fn sessions_are_started_from_zero_for_what_waits_and_never_more_than_max() {
    let mut world = World::new(0, 3);
    assert_eq!(world.started(0), [""; 0]);
    assert_eq!(world.started(1), ["api-1"]);
    assert_eq!(world.started(1), [""; 0], "one is on its way");
    assert_eq!(world.started(9), ["api-2", "api-3"]);
    assert_eq!(world.started(9), [""; 0]);
    for name in ["api-1", "api-2", "api-3"] {
        world.pool.started(name, Ok(()), world.now);
        world.arrives(name, true);
    }
    assert_eq!(world.started(100), [""; 0]);
}

#[test]
fn the_least_are_there_without_work_and_are_never_ended() {
    let mut world = World::new(2, 4);
    assert_eq!(world.started(0), ["api-1", "api-2"]);
    world.arrives("api-1", true);
    world.arrives("api-2", true);
    world.pass(3_600_000);
    assert_eq!(world.ended(), [""; 0]);
}

#[test]
fn who_rests_long_enough_is_ended_the_longest_idle_first_and_not_while_prompts_wait() {
    let mut world = World::new(1, 3);
    world.arrives("api-1", true);
    world.pass(30_000);
    world.arrives("api-2", true);
    world.pass(59_000);
    assert_eq!(world.steps(1), [Step::Start("api-3".to_owned())], "what waits keeps them");
    world.arrives("api-3", true);
    world.live[2].4 = None;
    assert_eq!(world.ended(), ["id-api-1"]);
    assert_eq!(world.ended(), [""; 0], "api-2 has not rested long enough");
    world.pass(1_001);
    assert_eq!(world.ended(), ["id-api-2"], "api-3 is at work and stays for the least");
}

#[test]
fn who_is_asked_to_end_and_has_a_reason_to_stay_is_left_alone_for_a_while() {
    let mut world = World::new(0, 1);
    world.arrives("api-1", true);
    world.pass(60_000);
    assert_eq!(world.ended(), ["id-api-1"]);
    let id = SessionId("id-api-1".to_owned());
    assert!(world.pool.is_ending(&id));
    world.pool.asked_to_end(&id, true, world.now);
    assert!(!world.pool.is_ending(&id));
    assert_eq!(world.ended(), [""; 0]);
    world.pass(30_001);
    assert_eq!(world.ended(), ["id-api-1"]);
    world.pass(20_000);
    assert_eq!(world.ended(), ["id-api-1"], "a wrapper that did not answer is asked again");
    world.pool.asked_to_end(&id, false, world.now);
    world.pass(5_000);
    world.leaves("api-1", false);
    assert_eq!(world.pool.failures, 0, "an end that was asked for is no failure");
}

#[test]
fn an_agent_that_crashes_backs_off_instead_of_looping() {
    let mut world = World::new(1, 3);
    let mut starts = 0;
    for _ in 0..3_600 {
        for name in world.started(3) {
            starts += 1;
            world.pool.started(&name, Ok(()), world.now);
            world.arrives(&name, true);
        }
        world.pass(500);
        let names: Vec<String> = world.live.iter().map(|live| live.1.clone()).collect();
        names.iter().for_each(|name| world.leaves(name, true));
    }
    // Half an hour: rests of 5, 10, 20, … 600 seconds.
    assert!((3..=13).contains(&starts), "{starts}");
    assert!(world.pool.last_failure.as_deref().unwrap().contains("ended 0 s after its start"));
}

#[test]
fn a_session_that_lasts_ends_the_row_of_failures() {
    let mut world = World::new(1, 1);
    assert_eq!(world.started(0), ["api-1"]);
    world.pool.started("api-1", Err("no such program".to_owned()), world.now);
    assert_eq!((world.pool.failures, world.started(1).len()), (1, 0));
    world.pass(5_001);
    assert_eq!(world.started(1), ["api-1"]);
    world.arrives("api-1", true);
    world.started(0);
    assert_eq!(world.pool.failures, 1);
    world.pass(60_001);
    world.started(0);
    assert_eq!(world.pool.failures, 0);
    world.leaves("api-1", true);
    assert_eq!(world.started(0), ["api-1"], "who ended well after a while is replaced at once");
}

#[test]
fn a_session_that_never_reports_has_failed_and_those_that_hang_at_their_start_are_not_multiplied() {
    let mut world = World::new(0, 50);
    assert_eq!(world.started(40).len(), AT_ONCE);
    for name in ["api-1", "api-2", "api-3"] {
        world.arrives(name, false);
    }
    assert_eq!(world.started(40), [""; 0], "three ask whether they may trust the folder");
    world.pass(60_001);
    assert_eq!(world.started(40), [""; 0]);
    world.pass(90_000);
    assert_eq!(world.started(40), [""; 0]);
    assert_eq!(world.pool.last_failure.as_deref(), Some("api-4 was started and has not reported"));
}

#[test]
fn a_slow_start_fails_once_and_not_beside_itself() {
    let mut world = World::new(1, 1);
    assert_eq!(world.started(0), ["api-1"]);
    world.pass(70_000);
    assert_eq!(world.started(0), [""; 0], "it is being started still");
    world.pool.started("api-1", Ok(()), world.now);
    world.pass(59_000);
    assert_eq!((world.started(0), world.pool.failures), (Vec::new(), 0), "it counts from when it was there");
    world.pass(2_000);
    assert_eq!((world.started(0), world.pool.failures), (Vec::new(), 1));
    world.pass(6_000);
    assert_eq!(world.started(0), ["api-1"]);
}

#[test]
fn what_a_batch_asked_for_that_was_not_kept_is_asked_for_again() {
    let mut world = World::new(0, 3);
    assert_eq!(world.started(1), ["api-1"]);
    world.pool.started("api-1", Ok(()), world.now);
    world.pass(500);
    assert_eq!(world.started(3), ["api-2", "api-3"]);
    let kept = world.pool.asked.clone();
    world.pool = world.pool.without(kept, world.now);
    world.pass(500);
    assert_eq!(world.started(3), ["api-2", "api-3"], "the first is under way, the others never were");
    assert_eq!(world.pool.failures, 0);
}

#[test]
fn a_pool_that_was_not_kept_is_what_it_was_before() {
    let mut world = World::new(0, 3);
    world.pool.started("api-1", Err("no such program".to_owned()), world.now);
    let before = world.pool.asked.clone();
    let same = world.pool.clone().without(before.clone(), world.now);
    assert_eq!((same.failures, same.asked.max), (1, 3), "back-off goes on");
    world.pool.change(asked(0, 9));
    let back = world.pool.without(before, world.now);
    assert_eq!(back.asked.max, 3);
}

#[test]
fn g17_a_clock_that_is_set_starts_and_spares_nothing_anew() {
    for ms in [3_600_000, -3_600_000] {
        let mut world = World::new(1, 1);
        assert_eq!(world.started(0), ["api-1"]);
        world.now = UnixMillis(world.now.0 + ms);
        world.pool.clock_set(ms);
        assert!(world.started(0).is_empty(), "{ms}: it is on its way");
        world.pool.fail("it broke".to_owned(), world.now);
        let rests = world.pool.resting_until.map(|until| until.0 - world.now.0);
        world.now = UnixMillis(world.now.0 + ms);
        world.pool.clock_set(ms);
        assert_eq!(
            world.pool.resting_until.map(|until| until.0 - world.now.0),
            rests,
            "{ms}: it rests as long"
        );
    }
}
