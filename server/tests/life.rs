//! The life of a prompt, with the real server and a scripted wrapper.

mod support;

use serde_json::json;
use support::peer::{Wrapper, now};
use support::{Home, wait_for};
use wire::prompt::{Hold, HoldCode, Outcome, Prompt, PromptState, Step};
use wire::session::{Exit, Link, State};
use wire::wrapper::{Report, ToServer, ToWrapper};

fn hold(code: HoldCode) -> Hold {
    Hold { code, text: "as the test says".into() }
}

#[test]
fn a_prompt_goes_to_an_idle_session_and_comes_back_with_its_answer() {
    let home = Home::new();
    let server = home.serve();
    let mut wrapper = Wrapper::start(&server, "api");
    let id = server.enqueue(&json!({ "text": "fix\u{1b}[201~ it", "dir": "/w", "branch": "main" }));
    let offer = wrapper.offer();
    assert_eq!((offer.prompt.0, offer.text.as_str(), offer.fence), (id, "fix[201~ it", 1));
    server.until(id, PromptState::Assigned);
    wrapper.receipt(offer.attempt, Step::Accepted);
    assert_eq!(server.until(id, PromptState::InProgress).prompt.tried, 1);
    assert_eq!(server.session("api").prompt.map(|p| p.0), Some(id));
    wrapper.run(offer.attempt, "done so");
    let detail = server.until(id, PromptState::Completed);
    assert_eq!(detail.prompt.result.unwrap().answer, "done so");
    assert_eq!(detail.attempts[0].receipts.len(), Step::ALL.len());
    assert_eq!(detail.scores[0].name, "api");
    assert!(detail.scores[0].points.iter().any(|p| p.what == "same directory" && p.points == 20));
    assert_eq!(server.session("api").prompt, None);
}

#[test]
fn prompts_are_offered_by_priority_then_age_and_one_at_a_time() {
    let home = Home::new();
    let server = home.serve();
    let low = server.enqueue(&json!({ "text": "low", "priority": 1 }));
    let first = server.enqueue(&json!({ "text": "first", "priority": 9 }));
    let second = server.enqueue(&json!({ "text": "second", "priority": 9 }));
    let mut wrapper = Wrapper::start(&server, "one");
    for id in [first, second, low] {
        let offer = wrapper.offer();
        assert_eq!(offer.prompt.0, id);
        wrapper.run(offer.attempt, "");
    }
}

#[test]
fn a_refused_offer_costs_no_try_and_is_made_again_under_a_new_fence() {
    let home = Home::new();
    let server = home.serve();
    let mut wrapper = Wrapper::start(&server, "one");
    let id = server.enqueue(&json!({ "text": "x" }));
    let offer = wrapper.offer();
    wrapper.held(offer.attempt, hold(HoldCode::Draft));
    let held = server.until(id, PromptState::Held);
    assert_eq!((held.prompt.tried, held.prompt.hold.unwrap().code), (0, HoldCode::Draft));
    let again = wrapper.offer();
    assert!(again.fence > offer.fence && again.attempt != offer.attempt);
    wrapper.run(again.attempt, "");
    server.until(id, PromptState::Completed);
}

#[test]
fn what_may_have_been_typed_waits_for_a_person() {
    let home = Home::new();
    let server = home.serve();
    let mut wrapper = Wrapper::start(&server, "one");
    let id = server.enqueue(&json!({ "text": "x" }));
    let offer = wrapper.offer();
    wrapper.held(offer.attempt, hold(HoldCode::NotAccepted));
    server.until(id, PromptState::Held);
    let other = server.enqueue(&json!({ "text": "y" }));
    assert_eq!(wrapper.offer().prompt.0, other, "the held one is not offered");
    let (status, prompt): (u16, Prompt) = server.ask("POST", &format!("/v1/prompts/{id}/retry"), "");
    assert_eq!((status, prompt.state), (200, PromptState::Pending));
}

#[test]
fn a_running_prompt_is_cancelled_by_its_wrapper_and_a_waiting_one_at_once() {
    let home = Home::new();
    let server = home.serve();
    let mut wrapper = Wrapper::start(&server, "one");
    let running = server.enqueue(&json!({ "text": "x" }));
    let offer = wrapper.offer();
    wrapper.receipt(offer.attempt, Step::Accepted);
    server.until(running, PromptState::InProgress);
    let waiting = server.enqueue(&json!({ "text": "y" }));
    let (_, cancelled): (u16, Prompt) = server.ask("POST", &format!("/v1/prompts/{waiting}/cancel"), "");
    assert_eq!(cancelled.state, PromptState::Cancelled);
    let (_, asked): (u16, Prompt) = server.ask("POST", &format!("/v1/prompts/{running}/cancel"), "");
    assert_eq!(asked.state, PromptState::InProgress);
    assert_eq!(wrapper.next(), Some(ToWrapper::Cancel { attempt: offer.attempt }));
    wrapper.ended(offer.attempt, Outcome::Interrupted, "");
    server.until(running, PromptState::Cancelled);
    assert_eq!(server.send("POST", &format!("/v1/prompts/{running}/cancel"), "", &[]).status, 409);
}

#[test]
fn a_reassigned_prompt_moves_when_the_first_session_has_let_go() {
    let home = Home::new();
    let server = home.serve();
    let mut one = Wrapper::start(&server, "one");
    let id = server.enqueue(&json!({ "text": "x", "target": "one" }));
    let offer = one.offer();
    one.receipt(offer.attempt, Step::Offered);
    let mut two = Wrapper::start(&server, "two");
    let body = json!({ "target": "two" }).to_string();
    let (status, _): (u16, Prompt) = server.ask("POST", &format!("/v1/prompts/{id}/reassign"), &body);
    assert_eq!(status, 200);
    assert_eq!(one.next(), Some(ToWrapper::Cancel { attempt: offer.attempt }));
    one.ended(offer.attempt, Outcome::Cancelled, "");
    assert_eq!(two.offer().prompt.0, id);
}

#[test]
fn g6_after_a_reconnect_nothing_is_typed_twice() {
    let home = Home::new();
    let server = home.serve();
    let mut wrapper = Wrapper::start(&server, "one");
    let id = server.enqueue(&json!({ "text": "x" }));
    // The offer is lost on the way: the wrapper comes back without ever having seen it.
    server.until(id, PromptState::Assigned);
    wrapper = wrapper.again(&server);
    let offer = wrapper.offer();
    assert_eq!((offer.prompt.0, offer.fence), (id, 1), "the same offer again");
    // It comes back holding it: nothing is said.
    wrapper.receipt(offer.attempt, Step::Offered);
    wrapper = wrapper.again(&server);
    // It wrote its intent, and then lost track.
    let seq = wrapper.receipt(offer.attempt, Step::Intent);
    assert!(wrapper.acked(seq));
    wrapper.hello.holds = None;
    let mut wrapper = wrapper.again(&server);
    let held = server.until(id, PromptState::Held);
    assert_eq!(held.prompt.hold.unwrap().code, HoldCode::Unknown);
    let other = server.enqueue(&json!({ "text": "y" }));
    assert_eq!(wrapper.offer().prompt.0, other);
}

#[test]
fn g6_leases_are_settled_only_when_the_journal_is_in() {
    let home = Home::new();
    let server = home.serve();
    let mut wrapper = Wrapper::start(&server, "one");
    let id = server.enqueue(&json!({ "text": "x" }));
    let offer = wrapper.offer();
    // All of this happens while the server cannot be reached.
    for step in &Step::ALL[1..] {
        let receipt = wire::prompt::Receipt { step: *step, at: wire::UnixMillis(1) };
        wrapper.journal(Report::Receipt { attempt: offer.attempt, receipt });
    }
    let result = support::peer::result(Outcome::Completed, "offline");
    wrapper.journal(Report::Ended { attempt: offer.attempt, result });
    wrapper.hello.holds = None;
    let _wrapper = wrapper.again(&server);
    let detail = server.until(id, PromptState::Completed);
    assert_eq!((detail.prompt.tried, detail.attempts.len()), (1, 1));
}

#[test]
fn an_attempt_that_was_given_up_is_forgotten_when_its_wrapper_is_back() {
    let home = Home::new();
    let server = home.serve();
    let mut wrapper = Wrapper::start(&server, "one");
    let id = server.enqueue(&json!({ "text": "x" }));
    let offer = wrapper.offer();
    drop(wrapper.peer);
    wait_for("the session to be out of reach", || {
        (server.session("one").link == Link::Disconnected).then_some(())
    });
    let path = format!("/v1/prompts/{id}/cancel");
    let (_, held): (u16, Prompt) = server.ask("POST", &path, "");
    assert_eq!((held.state, held.hold.unwrap().code), (PromptState::Held, HoldCode::SessionGone));
    let (_, given_up): (u16, Prompt) = server.ask("POST", &path, "");
    assert_eq!(given_up.state, PromptState::Cancelled);
    let mut hello = Wrapper::hello("one");
    hello.holds = Some(offer.attempt);
    hello.fence = offer.fence;
    let mut peer =
        support::peer::Peer::connect(&server, "/v1/wrapper", &server.wrapper_token(), &[]).unwrap();
    peer.say(&ToServer::Hello(hello));
    assert!(matches!(peer.hear(), Some(ToWrapper::Welcome { .. })));
    assert_eq!(peer.hear(), Some(ToWrapper::Forget { attempt: offer.attempt }));
}

#[test]
fn a_session_that_ends_gives_its_prompt_back_untyped_or_ends_it() {
    let home = Home::new();
    let server = home.serve();
    let mut one = Wrapper::start(&server, "one");
    let id = server.enqueue(&json!({ "text": "x", "attempts": 1 }));
    one.offer();
    one.report(Report::Exited { exit: Exit::Code { code: 0 } });
    let held = server.until(id, PromptState::Held);
    assert_eq!((held.prompt.hold.unwrap().code, held.prompt.tried), (HoldCode::SessionGone, 0));
    assert_eq!(server.session("one").claim.state, State::Exited);
    let mut two = Wrapper::start(&server, "two");
    let offer = two.offer();
    two.receipt(offer.attempt, Step::Accepted);
    two.report(Report::Exited { exit: Exit::Signal { signal: 9 } });
    let failed = server.until(id, PromptState::Failed);
    assert_eq!(failed.prompt.result.unwrap().source, "exit");
}

#[test]
fn an_idempotency_key_makes_one_prompt_however_often_it_is_sent() {
    let home = Home::new();
    let server = home.serve();
    let key = [("Idempotency-Key", "k-1")];
    let body = json!({ "text": "x" }).to_string();
    let first = server.send("POST", "/v1/prompts", &body, &key);
    let again = server.send("POST", "/v1/prompts", &body, &key);
    let other = server.send("POST", "/v1/prompts", &json!({ "text": "y" }).to_string(), &key);
    assert_eq!((first.status, again.status, other.status), (201, 200, 409));
    assert_eq!(first.json::<Prompt>().id, again.json::<Prompt>().id);
}

#[test]
fn a_newer_observer_replaces_an_older_and_the_older_is_refused_for_good() {
    let home = Home::new();
    let server = home.serve();
    let mut old = Wrapper::start(&server, "one");
    let mut hello = Wrapper::hello("one");
    hello.epoch = 2;
    let token = server.wrapper_token();
    let mut new = support::peer::Peer::connect(&server, "/v1/wrapper", &token, &[]).unwrap();
    new.say(&ToServer::Hello(hello));
    assert!(matches!(new.hear(), Some(ToWrapper::Welcome { .. })));
    assert_eq!(old.next(), None, "the older connection is closed");
    let mut late = support::peer::Peer::connect(&server, "/v1/wrapper", &token, &[]).unwrap();
    late.say(&ToServer::Hello(Wrapper::hello("one")));
    assert!(matches!(late.hear(), Some(ToWrapper::Refused { .. })));
    let mut future = support::peer::Peer::connect(&server, "/v1/wrapper", &token, &[]).unwrap();
    let newer = wire::PROTOCOL + 5;
    future.say(&ToServer::Hello(wire::wrapper::Hello {
        protocol: newer,
        protocol_oldest: newer,
        ..Wrapper::hello("other")
    }));
    let Some(ToWrapper::Refused { text }) = future.hear() else { panic!("not refused") };
    assert!(text.contains("upgrade the server"), "{text}");
}

#[test]
fn g5_a_gap_is_refused_and_repeats_are_skipped() {
    let home = Home::new();
    let server = home.serve();
    let mut wrapper = Wrapper::start(&server, "one");
    let seq = wrapper.state(State::Busy);
    assert!(wrapper.acked(seq));
    let mut wrapper = wrapper.again(&server);
    assert_eq!(wrapper.ack, 1);
    wrapper.journal(Report::State { claim: support::peer::claim(State::Idle), dialog: None });
    let third = wrapper.journal(Report::State { claim: support::peer::claim(State::Busy), dialog: None });
    wrapper.peer.say(&ToServer::Reports { reports: vec![third] });
    assert_eq!(wrapper.next(), None, "the connection is closed, so that it resumes");
    let mut wrapper = wrapper.again(&server);
    assert!(wrapper.acked(3));
    let (_, states): (u16, Vec<wire::session::Claim>) = server.ask("GET", "/v1/sessions/one/states", "");
    assert_eq!(states.iter().map(|c| c.state).collect::<Vec<_>>(), [State::Busy, State::Idle, State::Busy]);
}

#[test]
fn a38_an_answer_goes_only_to_the_dialog_that_was_seen() {
    let home = Home::new();
    let server = home.serve();
    let mut wrapper = Wrapper::start(&server, "one");
    let mut present = now(State::WaitingPermission);
    present.dialog = Some(wire::session::Dialog {
        id: "d1".into(),
        kind: wire::session::DialogKind::Permission,
        title: "rm?".into(),
        body: "rm -rf x".into(),
        options: Vec::new(),
        answerable: true,
        request: None,
    });
    wrapper.peer.say(&ToServer::Now(present));
    wait_for("the dialog", || server.session("one").dialog);
    for unbound in [
        json!({ "choice": { "type": "approve" } }),
        json!({ "dialog": null, "choice": { "type": "approve" } }),
    ] {
        let refused = server.send("POST", "/v1/sessions/one/answer", &unbound.to_string(), &[]);
        assert_eq!(refused.status, 400, "an answer says what was seen");
        assert!(refused.body.contains("dialog"), "{}", refused.body);
    }
    let stale = json!({ "dialog": "d0", "choice": { "type": "approve" } }).to_string();
    assert_eq!(server.send("POST", "/v1/sessions/one/answer", &stale, &[]).status, 409);
    let seen = json!({ "dialog": "d1", "choice": { "type": "deny" } }).to_string();
    std::thread::scope(|scope| {
        let asked = scope.spawn(|| server.send("POST", "/v1/sessions/one/answer", &seen, &[]).status);
        let Some(ToWrapper::Answer { request, dialog, .. }) = wrapper.next() else { panic!("no answer") };
        assert_eq!(dialog, "d1");
        wrapper.peer.say(&ToServer::Reply { request, refused: None });
        assert_eq!(asked.join().unwrap(), 200);
        let asked = scope.spawn(|| server.send("POST", "/v1/sessions/one/answer", &seen, &[]).status);
        let Some(ToWrapper::Answer { request, .. }) = wrapper.next() else { panic!("no answer") };
        wrapper.peer.say(&ToServer::Reply { request, refused: Some(hold(HoldCode::DialogOpen)) });
        assert_eq!(asked.join().unwrap(), 409);
    });
}
