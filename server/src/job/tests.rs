//! What a prompt's life promises.

use super::*;
use proptest::prelude::*;

const NOW: UnixMillis = UnixMillis(1_000_000);
const A: AttemptId = AttemptId(1);

fn hold(code: HoldCode) -> Hold {
    Hold { code, text: code.to_string() }
}

fn leased() -> Job {
    let mut job = Job::new(3, NOW);
    job.apply(JobEvent::Leased(A), NOW, 0.0).unwrap();
    job
}

fn running() -> Job {
    let mut job = leased();
    job.apply(JobEvent::Reached(A, Step::Accepted), NOW, 0.0).unwrap();
    job
}

fn end(job: &mut Job, outcome: Outcome) {
    job.apply(JobEvent::Ended(A, server_result(outcome, "so it was")), NOW, 0.0).unwrap();
}

#[test]
fn an_accepted_prompt_that_ends_well_is_completed() {
    let mut job = running();
    assert_eq!(job.state(), PromptState::InProgress);
    end(&mut job, Outcome::Completed);
    assert_eq!((job.state(), job.tried), (PromptState::Completed, 1));
}

#[test]
fn a_refusal_by_the_gate_costs_no_try_and_is_offered_again_after_a_growing_pause() {
    let mut job = Job::new(3, NOW);
    for pause in [2_000, 4_000, 8_000, 16_000, 30_000, 30_000] {
        job.apply(JobEvent::Leased(A), NOW, 0.0).unwrap();
        job.apply(JobEvent::Refused(A, hold(HoldCode::Draft)), NOW, 0.0).unwrap();
        let Phase::Held { then: Then::Again { due }, .. } = job.phase else { panic!("{job:?}") };
        assert_eq!((due.0 - NOW.0, job.tried), (pause, 0));
    }
}

#[test]
fn what_may_have_been_typed_waits_for_a_person() {
    for code in HoldCode::ALL.iter().filter(|c| !c.transient()) {
        let mut job = leased();
        let effects = job.apply(JobEvent::Refused(A, hold(*code)), NOW, 0.0).unwrap();
        assert!(matches!(job.phase, Phase::Held { then: Then::Person, .. }), "{code}: {job:?}");
        assert!(matches!(effects[..], [Effect::EndLease(..)]), "{code}");
    }
    let mut job = running();
    end(&mut job, Outcome::Unknown);
    assert!(matches!(job.phase, Phase::Held { then: Then::Person, .. }));
}

#[test]
fn a_failure_is_tried_again_until_no_try_is_left() {
    let mut job = Job::new(2, NOW);
    for state in [PromptState::Pending, PromptState::Failed] {
        job.apply(JobEvent::Leased(A), NOW, 0.0).unwrap();
        end(&mut job, Outcome::Failed);
        assert_eq!(job.state(), state);
    }
    job.apply(JobEvent::Retry(Reach::Connected), NOW, 0.0).unwrap();
    assert_eq!((job.state(), job.attempts), (PromptState::Pending, 3));
}

#[test]
fn an_interrupted_turn_is_never_tried_again_by_itself() {
    let mut job = running();
    end(&mut job, Outcome::Interrupted);
    assert_eq!(job.state(), PromptState::Failed);
}

#[test]
fn retries_move_apart_and_never_wait_longer_than_half_an_hour() {
    assert_eq!(retry_pause(1, 0.0), 30_000);
    assert_eq!(retry_pause(2, 0.0), 60_000);
    assert_eq!(retry_pause(2, 1.0), 75_000);
    assert_eq!(retry_pause(60, 0.0), RETRY_PAUSE_MAX);
}

#[test]
fn a_cancelled_prompt_keeps_its_session_until_the_wrapper_lets_go() {
    let mut job = running();
    let effects = job.apply(JobEvent::Cancel(Reach::Connected), NOW, 0.0).unwrap();
    assert_eq!(effects, [Effect::AskCancel(A)]);
    assert_eq!(job.state(), PromptState::InProgress);
    end(&mut job, Outcome::Interrupted);
    assert_eq!(job.state(), PromptState::Cancelled);
}

#[test]
fn out_of_reach_it_is_held_with_its_lease_and_given_up_only_when_asked_again() {
    let mut job = leased();
    assert_eq!(job.apply(JobEvent::Cancel(Reach::Gone), NOW, 0.0).unwrap(), []);
    assert_eq!(job.state(), PromptState::Held);
    assert_eq!(job.lease().map(|l| l.attempt), Some(A));
    let mut back = job.clone();
    back.apply(JobEvent::Refused(A, hold(HoldCode::NotIdle)), NOW, 0.0).unwrap();
    assert_eq!(back.state(), PromptState::Cancelled);
    let effects = job.apply(JobEvent::Cancel(Reach::Gone), NOW, 0.0).unwrap();
    assert!(matches!(effects[..], [Effect::EndLease(A, _)]));
    assert_eq!(job.state(), PromptState::Cancelled);
}

#[test]
fn a_reassigned_prompt_waits_for_the_first_session_to_let_go() {
    let mut job = running();
    job.apply(JobEvent::Reassign(Reach::Connected), NOW, 0.0).unwrap();
    assert_eq!(job.state(), PromptState::InProgress);
    end(&mut job, Outcome::Interrupted);
    assert_eq!(job.state(), PromptState::Pending);
}

fn any_event() -> impl Strategy<Value = JobEvent> {
    let id = (1..4i64).prop_map(AttemptId);
    let reach = prop_oneof![Just(Reach::Connected), Just(Reach::Gone)];
    prop_oneof![
        id.clone().prop_map(JobEvent::Leased),
        (id.clone(), 0..Step::ALL.len()).prop_map(|(a, s)| JobEvent::Reached(a, Step::ALL[s])),
        (id.clone(), 0..HoldCode::ALL.len()).prop_map(|(a, c)| JobEvent::Refused(a, hold(HoldCode::ALL[c]))),
        (id, 0..Outcome::ALL.len()).prop_map(|(a, o)| JobEvent::Ended(a, server_result(Outcome::ALL[o], ""))),
        reach.clone().prop_map(JobEvent::Cancel),
        reach.clone().prop_map(JobEvent::Retry),
        reach.prop_map(JobEvent::Reassign),
    ]
}

proptest! {
    #[test]
    fn g8_a_lease_ends_exactly_when_the_effect_says_so(events in proptest::collection::vec(any_event(), 0..60)) {
        let mut job = Job::new(3, NOW);
        for event in events {
            let before = job.lease();
            let held_before = job.state();
            let Ok(effects) = job.apply(event.clone(), NOW, 0.5) else {
                prop_assert_eq!(job.lease(), before);
                continue;
            };
            let ended = effects.iter().any(|e| matches!(e, Effect::EndLease(..)));
            let lost = before.is_some() && job.lease().map(|l| l.attempt) != before.map(|l| l.attempt);
            prop_assert_eq!(ended, lost, "{:?} from {:?} to {:?}", event, held_before, job);
            let by_itself = !matches!(event, JobEvent::Cancel(_) | JobEvent::Retry(_) | JobEvent::Reassign(_));
            if by_itself && held_before.is_final() {
                prop_assert_eq!(job.state(), held_before);
            }
        }
    }
}
