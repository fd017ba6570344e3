//! What a viewer's queues promise.

use super::*;

fn session(name: &str) -> SessionId {
    SessionId(name.to_owned())
}

fn say(outlet: &Outlet, text: &str) -> bool {
    outlet.say(&About::Else, text.to_owned().into())
}

fn card(outlet: &Outlet, name: &str, text: &str) -> bool {
    outlet.say(&About::Card(session(name)), text.to_owned().into())
}

async fn heard(inlet: &mut Inlet) -> Vec<String> {
    inlet.control.next().await.iter().map(|text| text.as_str().to_owned()).collect()
}

#[tokio::test]
async fn a_viewer_that_does_not_read_misses_messages_and_is_told_once() {
    let (outlet, mut inlet) = Outlet::new(1);
    assert!((0..Outlet::CONTROL).all(|_| say(&outlet, "x")));
    assert!(!say(&outlet, "dropped"));
    assert!(!inlet.control.caught_up());
    assert_eq!(inlet.control.next().await.len(), Outlet::CONTROL);
    assert!(inlet.control.caught_up());
    assert!(!inlet.control.caught_up());
}

#[tokio::test]
async fn a_reader_that_emptied_its_queue_just_before_the_drop_is_woken() {
    let (outlet, mut inlet) = Outlet::new(1);
    let _ = (0..=Outlet::CONTROL).all(|_| say(&outlet, "x"));
    inlet.control.next().await;
    inlet.nudge().await;
    assert!(inlet.control.caught_up());
}

#[tokio::test]
async fn of_what_waits_about_a_session_only_the_last_is_sent_in_its_place() {
    let (outlet, mut inlet) = Outlet::new(1);
    card(&outlet, "a", "a1");
    say(&outlet, "event of a");
    card(&outlet, "b", "b1");
    card(&outlet, "a", "a2");
    assert_eq!(heard(&mut inlet).await, ["a2", "event of a", "b1"]);
    card(&outlet, "a", "a3");
    assert_eq!(heard(&mut inlet).await, ["a3"]);
}

#[tokio::test]
async fn a_viewer_that_does_not_read_falls_behind_by_no_number_of_changes_of_few_sessions() {
    let (outlet, mut inlet) = Outlet::new(1);
    assert!((0..10_000).all(|round| card(&outlet, &(round % 10).to_string(), &round.to_string())));
    assert_eq!(heard(&mut inlet).await.len(), 10);
    assert!(!inlet.control.caught_up());
}

#[tokio::test]
async fn what_is_gone_does_not_come_back_and_the_whole_present_is_older_than_what_follows() {
    let (outlet, mut inlet) = Outlet::new(1);
    card(&outlet, "a", "a1");
    outlet.say(&About::Gone(session("a")), "a is gone".into());
    card(&outlet, "a", "a2");
    assert_eq!(heard(&mut inlet).await, ["a is gone", "a2"]);
    card(&outlet, "b", "b1");
    outlet.say(&About::Everything, "everything".into());
    card(&outlet, "a", "a3");
    assert_eq!(heard(&mut inlet).await, ["everything", "a3"]);
}

#[tokio::test(start_paused = true)]
async fn after_many_cards_the_next_ones_rest_and_all_else_passes() {
    let (outlet, mut inlet) = Outlet::new(1);
    assert!((0..1_000).all(|name| card(&outlet, &name.to_string(), "1")));
    assert_eq!(inlet.control.next().await.len(), 1_000);
    card(&outlet, "7", "2");
    say(&outlet, "event");
    assert_eq!(heard(&mut inlet).await, ["event"]);
    card(&outlet, "7", "3");
    assert_eq!(heard(&mut inlet).await, ["3"]);
}

#[tokio::test]
async fn g11_cards_that_wait_are_bounded() {
    let (outlet, mut inlet) = Outlet::new(1);
    let large = "x".repeat(Outlet::CONTROL_BYTES / 4);
    assert!(["a", "b", "c", "d"].iter().all(|name| card(&outlet, name, &large)));
    assert!(!card(&outlet, "e", "dropped"));
    assert!(card(&outlet, "a", &large), "one that takes another's place fits");
    assert_eq!(inlet.control.next().await.len(), 4);
    assert!(inlet.control.caught_up());
    assert!(card(&outlet, "e", "fits again"));
}

#[test]
fn g11_terminal_bytes_that_wait_are_bounded() {
    let (outlet, mut inlet) = Outlet::new(1);
    let frame = Bytes::from(vec![0; Outlet::BYTES / 4]);
    assert!((0..4).all(|_| outlet.show(frame.clone())));
    assert!(!outlet.show(frame.clone()));
    assert!(say(&outlet, "control still passes"));
    while let Ok(frame) = inlet.terminal.try_recv() {
        inlet.wants_snapshot(frame.len());
    }
    assert!(outlet.show(frame));
}
