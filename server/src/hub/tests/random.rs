//! Random runs: no prompt vanishes, none is typed again by itself, and memory and tables agree after each step.

use super::*;
use proptest::prelude::*;

fn any_op() -> impl Strategy<Value = Op> {
    let n = 0..WRAPPERS;
    prop_oneof![
        3 => proptest::option::of(0..WRAPPERS).prop_map(Op::Enqueue),
        4 => n.clone().prop_map(Op::Connect),
        2 => n.clone().prop_map(Op::Cut),
        8 => (n.clone(), 1..Step::ALL.len()).prop_map(|(n, s)| Op::Step(n, Step::ALL[s])),
        2 => (n.clone(), 0..HoldCode::ALL.len()).prop_map(|(n, c)| Op::Refuse(n, c)),
        3 => (n.clone(), 0..Outcome::ALL.len()).prop_map(|(n, o)| Op::End(n, o)),
        1 => n.clone().prop_map(Op::LoseTrack),
        1 => n.prop_map(Op::Exit),
        3 => (0..20usize, 0..3usize).prop_map(|(p, c)| Op::Change(p, c)),
        3 => (0..60_000u64).prop_map(Op::Wait),
        1 => Just(Op::Restart),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn g6_g8_no_prompt_vanishes_and_none_is_typed_again_by_itself(ops in proptest::collection::vec(any_op(), 1..80)) {
        let mut world = World::new();
        for op in ops {
            world.act(op);
            world.check();
        }
        world.settle();
        world.check();
        let all_ended = world.wrappers.iter().all(|w| w.exited);
        for id in &world.prompts {
            let stored = world.control.store.prompt(*id).unwrap().unwrap();
            let ended = |n: &str| world.wrappers.iter().any(|w| w.id.0 == n && w.exited);
            let stranded = all_ended || stored.asked.target.as_deref().is_some_and(ended);
            let rests = match stored.job.state() {
                PromptState::Completed | PromptState::Failed | PromptState::Cancelled => true,
                PromptState::Held => stranded || stored.job.lease().is_none(),
                PromptState::Pending => stranded,
                PromptState::Assigned | PromptState::InProgress => false,
            };
            prop_assert!(rests, "prompt {} never came to rest: {:?}", id, stored.job);
        }
    }
}
