//! The server's own life: one per place, and kill -9 at any time.

mod support;

use serde_json::json;
use support::peer::Wrapper;
use support::raw::Request;
use support::{Home, wait_for};
use wire::prompt::{Prompt, PromptState, Step};
use wire::session::{Claim, State};

#[test]
fn one_place_has_one_server() {
    let home = Home::new();
    let server = home.serve();
    let second = home.command(&["serve", "--port", "0"]).output().unwrap();
    assert!(second.status.success());
    let said = String::from_utf8(second.stdout).unwrap();
    assert_eq!(said, format!("already serving at http://127.0.0.1:{}\n", server.port));
}

#[test]
fn it_ends_when_its_place_is_removed() {
    let home = Home::new();
    let mut server = home.serve();
    std::fs::remove_file(home.place().server_socket()).unwrap();
    assert!(server.wait().success());
}

#[test]
fn it_starts_in_the_background_and_stops_when_asked() {
    let home = Home::new();
    let started = home.command(&["serve", "--detach", "--port", "0"]).output().unwrap();
    assert!(started.status.success(), "{started:?}");
    assert!(home.command(&["status"]).output().unwrap().status.success());
    let again = home.command(&["serve", "--detach"]).output().unwrap();
    assert!(String::from_utf8(again.stdout).unwrap().starts_with("already serving at "));
    assert!(home.command(&["stop"]).output().unwrap().status.success());
    assert!(!home.place().server_file().exists() && !home.place().server_socket().exists());
    assert_eq!(home.command(&["status"]).output().unwrap().status.code(), Some(3));
}

#[test]
fn a_signal_ends_it_cleanly_with_connections_open() {
    for signal in [rustix::process::Signal::TERM, rustix::process::Signal::INT] {
        let home = Home::new();
        let mut server = home.serve();
        let mut wrapper = Wrapper::start(&server, "one");
        server.signal(signal);
        assert_eq!(server.wait().code(), Some(0), "{}", home.log());
        assert_eq!(wrapper.next(), None);
        let log = server.place.database().with_extension("db-wal");
        assert!(!log.exists(), "the database is one file again");
        assert!(!server.place.server_file().exists() && !server.place.server_socket().exists());
    }
}

#[test]
fn g5_g10_killed_at_any_moment_nothing_acknowledged_is_lost_or_doubled() {
    let home = Home::new();
    let mut server = home.serve();
    let mut wrapper = Wrapper::start(&server, "one");
    wrapper.hello.now = support::peer::now(State::Busy);
    let mut queued = Vec::new();
    let (mut acked, mut last) = (0, 0);
    for round in 0..12u32 {
        // The kill falls somewhere among these: what was answered must be there afterwards.
        std::thread::scope(|scope| {
            let socket = server.place.server_socket();
            let token = server.cli_token();
            let sender = scope.spawn(move || {
                let mut ids = Vec::new();
                for n in 0.. {
                    let body = json!({ "text": format!("{round}.{n}") }).to_string();
                    let Ok(answer) = std::panic::catch_unwind(|| {
                        Request::new("POST", "/v1/prompts")
                            .header("Host", "localhost")
                            .header("Authorization", &format!("Bearer {token}"))
                            .json(&body)
                            .by_unix(&socket)
                    }) else {
                        break;
                    };
                    if answer.status != 201 {
                        break;
                    }
                    ids.push((answer.json::<Prompt>().id.0, format!("{round}.{n}")));
                }
                ids
            });
            for n in 0..=(round * 3) {
                last = wrapper.state(if n % 2 == 0 { State::Busy } else { State::Unknown });
                if !wrapper.acked(last.saturating_sub(3)) {
                    break;
                }
            }
            acked = acked.max(wrapper.ack);
            server.kill();
            queued.extend(sender.join().expect("the sender ends when the server is gone"));
        });
        server = home.serve();
        wrapper = wrapper.again(&server);
        assert!(wrapper.ack >= acked, "an acknowledged report was lost");
        assert!(wrapper.acked(last));
    }
    let (_, states): (u16, Vec<Claim>) = server.ask("GET", "/v1/sessions/one/states?limit=1000", "");
    assert_eq!(states.len() as u64, last, "each report once");
    for (id, text) in &queued {
        assert_eq!(server.detail(*id).prompt.asked.text, *text);
    }
    let (_, all): (u16, Vec<Prompt>) = server.ask("GET", "/v1/prompts?limit=1000", "");
    let mut texts: Vec<_> = all.iter().map(|p| p.asked.text.clone()).collect();
    texts.sort();
    texts.dedup();
    assert_eq!(texts.len(), all.len(), "no prompt is there twice");
}

#[test]
fn g6_killed_between_offer_and_end_the_prompt_is_neither_lost_nor_offered_twice() {
    let home = Home::new();
    for reached in [None, Some(Step::Offered), Some(Step::Intent), Some(Step::Accepted)] {
        let mut server = home.serve();
        let name = reached.map_or("none".to_owned(), |s| s.to_string());
        let mut wrapper = Wrapper::start(&server, &name);
        let id = server.enqueue(&json!({ "text": "x", "target": name }));
        let offer = wrapper.offer();
        if let Some(step) = reached {
            let seq = wrapper.receipt(offer.attempt, step);
            assert!(wrapper.acked(seq));
        }
        server.kill();
        server = home.serve();
        let mut wrapper = wrapper.again(&server);
        wrapper.run(offer.attempt, "once");
        let detail = server.until(id, PromptState::Completed);
        assert_eq!(detail.attempts.len(), 1, "{name}");
        server.kill();
    }
}

#[test]
fn g9_a_full_disk_is_said_and_healed_from() {
    let home = Home::new();
    let server = home.serve();
    let mut wrapper = Wrapper::start(&server, "one");
    // No file may grow: what a full disk does, without one. The log is written before by others only.
    let pid = server.place.serving().unwrap().pid;
    let pid = rustix::process::Pid::from_raw(pid).unwrap();
    let limit = |current| rustix::process::Rlimit { current, maximum: None };
    let before =
        rustix::process::prlimit(Some(pid), rustix::process::Resource::Fsize, limit(Some(0))).unwrap();
    let body = json!({ "text": "x" }).to_string();
    let answer = server.send("POST", "/v1/prompts", &body, &[]);
    assert_eq!(answer.status, 507, "{answer:?}");
    rustix::process::prlimit(Some(pid), rustix::process::Resource::Fsize, before).unwrap();
    wait_for("the disk to be used again", || {
        (server.send("POST", "/v1/prompts", &body, &[]).status == 201).then_some(())
    });
    assert_eq!(wrapper.next(), None, "the wrapper was cut off, so that it resumes");
    let mut wrapper = wrapper.again(&server);
    wrapper.offer();
}
