//! Credentials with roles: what each opens, and that it opens nothing once it is revoked.

mod support;

use serde_json::json;
use support::peer::{Peer, Wrapper};
use support::raw::{Answer, Request};
use support::{Home, Server, wait_for};
use wire::admin::{HostRow, MadeToken, Me, Resources, Role, TokenRow};
use wire::feed::{FromViewer, ToViewer};
use wire::http::{Audit, Done};
use wire::wrapper::ToServer;

fn make(server: &Server, name: &str, roles: &[Role]) -> MadeToken {
    let asked = json!({ "name": name, "roles": roles, "life_ms": 3_600_000 });
    let (status, made) = server.ask("POST", "/v1/tokens", &asked.to_string());
    assert_eq!(status, 200);
    made
}

fn with(server: &Server, token: &str, method: &str, path: &str, body: &str) -> Answer {
    let request = Request::new(method, path).header("Host", "localhost");
    let request = request.header("Authorization", &format!("Bearer {token}"));
    request.json(body).by_unix(&server.place.server_socket())
}

/// The next word of the feed that is not the present or a change of it.
fn refusal(peer: &mut Peer) -> (String, String) {
    loop {
        match peer.hear().expect("the feed goes on") {
            ToViewer::Refused { what, why } => return (what, why),
            _ => continue,
        }
    }
}

#[test]
fn a20_a_token_does_what_its_roles_say_and_is_named_in_the_audit_log() {
    let home = Home::new();
    let server = home.serve();
    let viewer = make(&server, "wall display", &[Role::Viewer]);
    let sender = make(&server, "ci", &[Role::Assigner]);
    let me: Me = with(&server, &sender.token, "GET", "/v1/me", "").json();
    assert_eq!((me.name.as_str(), &me.roles[..]), ("ci", &[Role::Assigner][..]));
    let queue = |token: &str| with(&server, token, "POST", "/v1/prompts", r#"{"text":"x"}"#).status;
    assert_eq!((queue(&viewer.token), queue(&sender.token)), (403, 201));
    assert_eq!(with(&server, &viewer.token, "GET", "/v1/prompts", "").status, 200);
    for (method, path) in
        [("POST", "/v1/tokens"), ("GET", "/v1/tokens"), ("PUT", "/v1/policies"), ("POST", "/v1/stop")]
    {
        assert_eq!(with(&server, &sender.token, method, path, "{}").status, 403, "{method} {path}");
    }
    assert_eq!(Peer::connect(&server, "/v1/wrapper", &sender.token, &[]).err(), Some(403));
    let (_, audit): (_, Audit) = server.ask("GET", "/v1/audit?check=true", "");
    let queued = audit.entries.iter().find(|entry| entry.what == "prompt.assign");
    assert_eq!(queued.map(|entry| entry.by.as_str()), Some("token ci"));
    assert_eq!(audit.whole, Some(true));
    assert!(!format!("{audit:?}").contains(&sender.token));
}

#[test]
fn a17_who_may_only_look_takes_no_keyboard() {
    let home = Home::new();
    let server = home.serve();
    let wrapper = Wrapper::start(&server, "s");
    let session = wrapper.hello.session.clone();
    let take = FromViewer::TakeKeyboard { session: session.clone() };
    let keys = FromViewer::Keys { session, text: "rm".into() };
    let viewer = make(&server, "wall display", &[Role::Viewer, Role::Assigner, Role::Approver]);
    let mut peer = Peer::connect(&server, "/v1/cli", &viewer.token, &[]).expect("it may look");
    for (said, what) in [(&take, "take keyboard"), (&keys, "keys")] {
        peer.say(said);
        assert_eq!(refusal(&mut peer), (what.to_owned(), "this credential does not allow that".to_owned()));
    }
    assert_eq!(server.session("s").keyboard, None);
    let typist = make(&server, "pair", &[Role::Typist]);
    let mut peer = Peer::connect(&server, "/v1/cli", &typist.token, &[]).expect("it may look");
    peer.say(&take);
    wait_for("the keyboard to be taken", || server.session("s").keyboard);
}

#[test]
fn a_token_that_is_revoked_opens_nothing_and_what_was_open_is_closed() {
    let home = Home::new();
    let mut server = home.serve();
    let made = make(&server, "ci", &[Role::Viewer]);
    let kept = make(&server, "other", &[Role::Admin]);
    let mut peer = Peer::connect(&server, "/v1/cli", &made.token, &[]).expect("it may look");
    let mut other = Peer::connect(&server, "/v1/cli", &kept.token, &[]).expect("it may look");
    let path = format!("/v1/tokens/{}", made.row.id);
    let done: Done = with(&server, &kept.token, "DELETE", &path, "").json();
    assert!(done.done);
    while peer.next().is_some() {}
    assert!(matches!(other.hear(), Some(ToViewer::Hello { .. })), "another one goes on");
    assert_eq!(with(&server, &made.token, "GET", "/v1/me", "").status, 401);
    assert_eq!(with(&server, &kept.token, "DELETE", &path, "").status, 404);
    server.signal(rustix::process::Signal::TERM);
    server.wait();
    let server = home.serve();
    assert_eq!(with(&server, &made.token, "GET", "/v1/me", "").status, 401);
    let rows: Vec<TokenRow> = with(&server, &kept.token, "GET", "/v1/tokens", "").json();
    let names: Vec<_> = rows.iter().map(|row| (row.name.as_str(), row.own)).collect();
    assert_eq!(names, [("cli", false), ("other", true)], "and no wrapper's");
    assert!(rows.iter().all(|row| row.used.is_some()), "the last use outlives the server");
    assert_eq!(server.send("DELETE", &format!("/v1/tokens/{}", rows[0].id), "", &[]).status, 409);
}

#[test]
fn a_token_that_cannot_be_meant_is_refused() {
    let home = Home::new();
    let server = home.serve();
    make(&server, "ci", &[Role::Viewer]);
    for (asked, status) in [
        (json!({ "name": "ci", "roles": ["viewer"] }), 409),
        (json!({ "name": "", "roles": ["viewer"] }), 400),
        (json!({ "name": "a\nb", "roles": ["viewer"] }), 400),
        (json!({ "name": "n".repeat(65), "roles": ["viewer"] }), 400),
        (json!({ "name": "none", "roles": [] }), 400),
        (json!({ "name": "odd", "roles": ["root"] }), 400),
        (json!({ "name": "short", "roles": ["viewer"], "life_ms": 5 }), 400),
        (json!({ "name": "more", "roles": ["viewer"], "scope": "admin" }), 400),
    ] {
        assert_eq!(server.send("POST", "/v1/tokens", &asked.to_string(), &[]).status, status, "{asked}");
    }
}

#[test]
fn a_host_is_told_with_what_its_wrappers_said_last() {
    let home = Home::new();
    let server = home.serve();
    let mut wrapper = Wrapper::start(&server, "s");
    let resources =
        Resources { cpus: 8, load: 0.5, memory: 16 << 30, memory_free: 4 << 30, disk_free: 1 << 40 };
    wrapper.peer.say(&ToServer::Heartbeat { holds: None, resources: Some(resources) });
    let row = wait_for("the host to be told", || {
        let (_, mut rows): (u16, Vec<HostRow>) = server.ask("GET", "/v1/hosts", "");
        rows.pop().filter(|row| row.resources.is_some())
    });
    assert_eq!((row.name.as_str(), row.sessions, row.connected), ("here", 1, 1));
    assert_eq!((row.versions, row.resources), (vec!["test".to_owned()], Some(resources)));
    drop(wrapper);
    wait_for("the host to be out of reach", || {
        let (_, rows): (u16, Vec<HostRow>) = server.ask("GET", "/v1/hosts", "");
        rows.first().filter(|row| row.connected == 0 && row.versions.is_empty()).map(drop)
    });
}
