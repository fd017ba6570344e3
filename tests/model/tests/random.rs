//! Random worlds: a prompt is typed at most once per attempt, answers no dialog, and always comes to rest; what is told
//! of it is what the agent saw.
//!
//! `MUSTER_MODEL_OPERATIONS` asks for more than the ordinary sample, best with `--release`.
#![allow(clippy::unwrap_used)]

use model::{Fault, Op, World};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// Operations of one world, at most.
const LENGTH: usize = 80;

fn any_fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        4 => Just(Fault::KillObserver),
        3 => Just(Fault::Cut),
        3 => Just(Fault::Dialog),
        4 => Just(Fault::Answered),
        1 => Just(Fault::Draft),
        2 => Just(Fault::Undraft),
        1 => Just(Fault::Fail),
        2 => any::<u16>().prop_map(Fault::Slow),
        1 => Just(Fault::LoseEnter),
        4 => Just(Fault::Flicker),
    ]
}

fn any_op() -> impl Strategy<Value = Op> {
    let target = proptest::option::weighted(0.4, 0..3usize);
    let after = proptest::option::weighted(0.2, any::<usize>());
    prop_oneof![
        4 => (target, after, 0..=10u8)
            .prop_map(|(target, after, priority)| Op::Send { target, after, priority }),
        1 => (any::<usize>(), 0..3usize).prop_map(|(prompt, wish)| Op::Wish { prompt, wish }),
        6 => (1..200i64).prop_map(Op::Pass),
        3 => (200..20_000i64).prop_map(Op::Pass),
        1 => (0..86_400_000i64).prop_map(Op::Jump),
        6 => (0..3usize, any_fault()).prop_map(|(session, fault)| Op::Fault { session, fault }),
        1 => Just(Op::KillServer),
    ]
}

#[test]
fn g6_g7_g8_whatever_happens_a_prompt_is_typed_once_answers_nothing_and_comes_to_rest() {
    let asked = std::env::var("MUSTER_MODEL_OPERATIONS").ok().and_then(|n| n.parse::<usize>().ok());
    let wanted = asked.unwrap_or(1_500);
    let cases = u32::try_from(wanted.div_ceil(LENGTH / 2)).unwrap();
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 300, ..Config::default() };
    // The ordinary sample is the same each time; more of it is drawn anew.
    let mut runner = match asked {
        None => TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha)),
        Some(_) => TestRunner::new(config),
    };
    let done = std::cell::RefCell::new((0, 0, 0));
    let ops = proptest::collection::vec(any_op(), 1..LENGTH);
    let verdict = runner.run(&ops, |ops| {
        let mut world = World::new();
        ops.iter().for_each(|op| world.act(op));
        world.settle();
        let mut done = done.borrow_mut();
        *done = (done.0 + ops.len(), done.1 + world.sent(), done.2 + world.typed());
        Ok(())
    });
    let (ops, sent, typed) = *done.borrow();
    println!("{ops} operations, {sent} prompts, {typed} texts typed");
    verdict.unwrap();
    assert!(typed > 0, "nothing was ever typed: the model proves nothing");
}

/// Found by chance: the agent loses the Enter, a person types on behind the text, a dialog comes and goes at once.
#[test]
fn a_dialog_that_comes_and_goes_is_not_taken_for_a_turn() {
    let fault = |session, fault| Op::Fault { session, fault };
    let mut world = World::new();
    world.act(&fault(0, Fault::KillObserver));
    world.act(&Op::Send { target: None, after: None, priority: 5 });
    world.act(&fault(0, Fault::LoseEnter));
    world.act(&fault(1, Fault::LoseEnter));
    world.act(&fault(2, Fault::LoseEnter));
    world.act(&Op::Pass(41));
    world.act(&Op::Pass(10));
    for session in 0..3 {
        world.act(&fault(session, Fault::Draft));
        world.act(&fault(session, Fault::Dialog));
        world.act(&fault(session, Fault::Answered));
    }
    world.act(&Op::Pass(50));
    world.settle();
}

/// The same while the screen still shows how the turn before ended, as done or as failed.
#[test]
fn what_the_turn_before_left_does_not_speak_for_the_next() {
    for first in [Fault::Slow(500), Fault::Fail] {
        let mut world = World::new();
        let send = || Op::Send { target: Some(0), after: None, priority: 5 };
        world.act(&Op::Fault { session: 0, fault: first });
        world.act(&send());
        world.act(&Op::Pass(20_000));
        world.act(&Op::Fault { session: 0, fault: Fault::LoseEnter });
        world.act(&send());
        for _ in 0..40 {
            world.act(&Op::Pass(100));
        }
        world.act(&Op::Fault { session: 0, fault: Fault::Dialog });
        world.settle();
    }
}
