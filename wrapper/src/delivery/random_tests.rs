//! The promises of delivery, whatever happens in whatever order.

use std::collections::{HashMap, HashSet};

use extractor::{Composer, State};
use proptest::prelude::*;
use wire::prompt::{Verification, WorktreePolicy};
use wire::session::Moves;

use super::tests::{Agent, completed, offer};
use super::*;
use crate::chore::Tree;

/// One thing that may happen at any moment.
#[derive(Debug, Clone)]
enum Happening {
    Offer(u64, Wish),
    Cancel(i64),
    Forget(i64),
    Typed(bool),
    Done(bool),
    Look,
    Began,
    Ended,
    Exited,
    State(State),
    Composer(Option<bool>),
    Dialog(bool),
    Person,
    Moves(Moves),
    Dir(bool),
    Wait(i64),
    /// What would come next if all went well: chance alone does not come far.
    Well,
}

/// What an offer asks for besides its text.
#[derive(Debug, Clone, Copy)]
struct Wish {
    dir: bool,
    tree: bool,
    verify: bool,
    prerequisite: bool,
    limits: bool,
}

const ELSEWHERE: &str = "/t/p1";

fn happening() -> impl Strategy<Value = Happening> {
    use Happening::*;
    let wish = any::<[bool; 5]>().prop_map(|[dir, tree, verify, prerequisite, limits]| Wish {
        dir,
        tree,
        verify,
        prerequisite,
        limits,
    });
    prop_oneof![
        2 => (1..9u64, wish).prop_map(|(fence, wish)| Offer(fence, wish)),
        1 => (1..9i64).prop_map(Cancel),
        1 => (1..9i64).prop_map(Forget),
        6 => any::<bool>().prop_map(Typed),
        4 => prop_oneof![4 => Just(true), 1 => Just(false)].prop_map(Done),
        8 => Just(Look),
        2 => Just(Began),
        2 => Just(Ended),
        1 => Just(Exited),
        2 => prop_oneof![3 => Just(extractor::State::Idle), 1 => proptest::sample::select(extractor::State::ALL)]
            .prop_map(State),
        6 => proptest::option::of(any::<bool>()).prop_map(Composer),
        1 => any::<bool>().prop_map(Dialog),
        1 => Just(Person),
        1 => proptest::sample::select(wire::session::Moves::ALL).prop_map(Moves),
        2 => any::<bool>().prop_map(Dir),
        4 => (0..20_000i64).prop_map(Wait),
        40 => Just(Well),
    ]
}

fn wished(fence: u64, wish: Wish) -> wire::wrapper::Offer {
    wire::wrapper::Offer {
        dir: wish.dir.then(|| ELSEWHERE.to_owned()),
        worktree: wish.tree.then_some(WorktreePolicy::Remove),
        verify: wish.verify.then(|| "test".to_owned()),
        prerequisites: wish.prerequisite.then(|| "true".to_owned()).into_iter().collect(),
        may_move: true,
        accept_ms: if wish.limits { 30_000 } else { 0 },
        silence_ms: if wish.limits { 10_000 } else { 0 },
        ..offer(fence, &format!("text {fence}"))
    }
}

/// What the world does of what the delivery asks for.
#[derive(Default)]
struct World {
    /// What the holder was asked to write and has not answered.
    outstanding: Option<Vec<u8>>,
    /// The text that was last asked to be pasted.
    pasted: Option<String>,
    /// How often each paste was written.
    written: HashMap<String, u32>,
    /// Chores that run.
    running: Vec<(AttemptId, Chore)>,
    called_off: HashSet<AttemptId>,
    forgotten: HashSet<AttemptId>,
    /// Counts what went well.
    well: u32,
    verdicts: HashMap<AttemptId, u32>,
    taken: HashSet<AttemptId>,
}

fn text_of(bytes: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(bytes);
    Some(text.strip_prefix("\x1b[200~")?.strip_suffix("\x1b[201~")?.to_owned())
}

fn result_of(chore: &Chore, good: bool) -> Done {
    match chore {
        Chore::Prepare { .. } if !good => Done::Prepared(Err(hold(HoldCode::Prerequisite, "no"))),
        Chore::Prepare { offer, .. } => {
            let tree = offer.worktree.map(|_| Tree {
                repo: "/p".into(),
                path: ELSEWHERE.into(),
                branch: "b".into(),
                base: "c".into(),
                remove: true,
            });
            let dir = offer.dir.clone().or(tree.as_ref().map(|tree| tree.path.clone()));
            Done::Prepared(Ok(Prepared { dir, tree, ..Prepared::default() }))
        }
        Chore::Verify { command, .. } => {
            let (status, output) = (Some(i32::from(!good)), String::new());
            Done::Verified(Verification { command: command.clone(), status, output, duration_ms: 1 })
        }
        Chore::Collect { .. } => Done::Collected(None),
        Chore::Remove(_) | Chore::Sweep { .. } => Done::Removed(good),
    }
}

/// The input that something is, or nothing when it changes what the agent looks like.
fn input(what: Happening, at: &mut i64, agent: &mut Agent, world: &mut World) -> Option<Input> {
    match what {
        Happening::Offer(fence, wish) => return Some(Input::Offer(wished(fence, wish))),
        Happening::Cancel(id) => return Some(Input::Cancel(AttemptId(id))),
        Happening::Forget(id) => {
            world.forgotten.insert(AttemptId(id));
            return Some(Input::Forget(AttemptId(id)));
        }
        Happening::Typed(written) => {
            let bytes = world.outstanding.take()?;
            if written && let Some(text) = text_of(&bytes) {
                *world.written.entry(text).or_default() += 1;
            }
            return Some(Input::Typed(written));
        }
        Happening::Done(good) => {
            let (attempt, chore) = world.running.pop()?;
            return Some(Input::Done(attempt, result_of(&chore, good)));
        }
        Happening::Look => return Some(Input::Look),
        Happening::Began => return Some(Input::Began),
        Happening::Ended => return Some(Input::Ended(completed())),
        Happening::Exited => return Some(Input::Exited(1)),
        Happening::State(state) => agent.state = state,
        Happening::Composer(which) => {
            agent.composer = match (which, &world.pasted) {
                (Some(true), Some(text)) => Composer::Holds(text.clone()),
                (Some(_), _) => Composer::Holds("somebody's draft".into()),
                (None, _) => Composer::Empty,
            }
        }
        Happening::Dialog(open) => agent.dialog = open,
        Happening::Person => agent.person = Some(UnixMillis(*at)),
        Happening::Moves(moves) => agent.moves = moves,
        Happening::Dir(there) => agent.context.dir = if there { ELSEWHERE } else { "/p" }.to_owned(),
        Happening::Wait(ms) => *at += ms,
        Happening::Well => {
            if world.outstanding.is_some() {
                return input(Happening::Typed(true), at, agent, world);
            }
            if !world.running.is_empty() {
                return input(Happening::Done(true), at, agent, world);
            }
            world.well += 1;
            match world.well % 3 {
                0 => return input(Happening::Composer(Some(true)), at, agent, world),
                1 => *at += 150,
                _ => return Some(Input::Look),
            }
        }
    }
    None
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn whatever_happens_a_text_is_written_once_per_attempt_and_enter_never_into_something_else(
        all in proptest::collection::vec(happening(), 0..160)
    ) {
        let mut agent = Agent { commit: Some("c".into()), ..Agent::idle() };
        let mut delivery = Delivery::new(0);
        let (mut at, mut world) = (0, World::default());
        for what in all {
            let Some(input) = input(what, &mut at, &mut agent, &mut world) else { continue };
            let before = (agent.written.len(), agent.asked.len());
            let reports = agent.apply(&mut delivery, at, input);
            world.taken.extend(delivery.holds());
            for bytes in agent.written[before.0..].iter().cloned() {
                if bytes == b"\r" {
                    let ours = world.pasted.clone().map(Composer::Holds);
                    prop_assert_eq!(Some(agent.composer.clone()), ours, "Enter only on our own text");
                    prop_assert!(!agent.dialog, "Enter never answers a dialog");
                } else if let Some(text) = text_of(&bytes) {
                    prop_assert!(!agent.dialog && agent.state == State::Idle, "nothing is typed into a dialog");
                    prop_assert_eq!(agent.composer.clone(), Composer::Empty, "never merged with a draft");
                    world.pasted = Some(text);
                } else {
                    prop_assert_eq!(&bytes, b"\x1b", "nothing else is written");
                    continue;
                }
                world.outstanding = Some(bytes);
            }
            for effect in agent.asked[before.1..].iter().cloned() {
                match effect {
                    Effect::Run(attempt, chore) => world.running.push((attempt, chore)),
                    Effect::Abort(attempt) => _ = world.called_off.insert(attempt),
                    _ => {}
                }
            }
            for report in reports {
                // Without an Enter an agent that is gone has done nothing; an old offer says nothing of the first.
                if let Report::Held { attempt, hold } = &report
                    && !matches!(hold.code, HoldCode::StaleFence | HoldCode::SessionGone)
                    && world.written.contains_key(&format!("text {attempt}"))
                {
                    prop_assert!(!hold.code.untyped(), "{:?} would be typed again", hold);
                }
                if let Report::Held { attempt, .. } | Report::Ended { attempt, .. } = report {
                    *world.verdicts.entry(attempt).or_default() += 1;
                }
            }
            for (attempt, chore) in &world.running {
                let long = matches!(chore, Chore::Prepare { .. } | Chore::Verify { .. });
                let awaited = delivery.holds() == Some(*attempt) || world.called_off.contains(attempt);
                prop_assert!(!long || awaited, "{:?} runs for nobody", chore);
            }
        }
        for (text, times) in &world.written {
            prop_assert!(*times <= 1 || text.starts_with("cd "), "{} was written {} times", text, times);
        }
        for attempt in world.taken.iter().filter(|id| delivery.holds() != Some(**id)) {
            let verdicts = world.verdicts.get(attempt).copied().unwrap_or(0);
            prop_assert!(verdicts > 0 || world.forgotten.contains(attempt), "{:?} ended without a word", attempt);
        }
    }
}
