//! Worlds drawn at random. Must not: know what a world does.

use std::cell::RefCell;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::{Fault, Op, World};

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
        1 => (-3_600_000..86_400_000i64).prop_map(Op::Jump),
        6 => (0..3usize, any_fault()).prop_map(|(session, fault)| Op::Fault { session, fault }),
        1 => Just(Op::KillServer),
    ]
}

/// What was done in all worlds.
#[derive(Debug, Clone, Copy, Default)]
pub struct Done {
    /// Operations.
    pub operations: usize,
    /// Prompts that were queued.
    pub prompts: usize,
    /// Texts that were typed.
    pub typed: usize,
}

/// Runs worlds with so many operations in all, or a little more; what was done, and the smallest world that breaks a
/// promise. The same seed gives the same worlds.
pub fn run(operations: usize, seed: u64) -> (Done, Result<(), String>) {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let cases = u32::try_from(operations.div_ceil(LENGTH / 2)).unwrap_or(u32::MAX);
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 300, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, rng);
    let done = RefCell::new(Done::default());
    let verdict = runner.run(&proptest::collection::vec(any_op(), 1..LENGTH), |ops| {
        let mut world = World::new();
        ops.iter().for_each(|op| world.act(op));
        world.settle();
        let mut done = done.borrow_mut();
        done.operations += ops.len();
        done.prompts += world.sent();
        done.typed += world.typed();
        Ok(())
    });
    (done.into_inner(), verdict.map_err(|fault| fault.to_string()))
}
