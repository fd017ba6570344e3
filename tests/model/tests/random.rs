//! Random worlds: a prompt is typed at most once per attempt, answers no dialog, and always comes to rest; what is told
//! of it is what the agent saw.
//!
//! `MUSTER_MODEL_OPERATIONS` asks for more than the ordinary sample, best with `--release`.
#![allow(clippy::unwrap_used)]

use model::random;
use model::{Fault, Op, World};

#[test]
fn g6_g7_g8_whatever_happens_a_prompt_is_typed_once_answers_nothing_and_comes_to_rest() {
    let asked = std::env::var("MUSTER_MODEL_OPERATIONS").ok().and_then(|n| n.parse().ok());
    // The ordinary sample is the same each time; more of it is drawn anew.
    let anew = || std::time::UNIX_EPOCH.elapsed().map_or(0, |now| now.as_secs());
    let (done, verdict) = random::run(asked.unwrap_or(1_500), asked.map_or(1, |_| anew()));
    println!("{done:?}");
    verdict.unwrap();
    assert!(done.typed > 0, "nothing was ever typed: the model proves nothing");
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

/// Found by the soak: the observer's clock had been set between.
#[test]
fn what_a_person_types_behind_a_text_is_not_sent_with_it_after_the_clock_was_set() {
    let mut world = World::new();
    let send = || Op::Send { target: None, after: None, priority: 0 };
    world.act(&send());
    world.act(&Op::Fault { session: 1, fault: Fault::KillObserver });
    world.act(&Op::Fault { session: 0, fault: Fault::Fail });
    world.act(&send());
    for ms in [2022, 389, 51, 110] {
        world.act(&Op::Pass(ms));
    }
    world.act(&Op::Jump(30_461));
    world.act(&Op::KillServer);
    world.act(&Op::Pass(140));
    world.act(&Op::Fault { session: 0, fault: Fault::Draft });
    world.act(&Op::Pass(3192));
    world.settle();
}
