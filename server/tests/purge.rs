//! Deleting for good: what was purged is in no file any more, and nothing else is touched.

mod support;

use std::collections::BTreeMap;
use std::os::unix::net::UnixListener;
use std::path::Path;

use serde_json::json;
use support::peer::Wrapper;
use support::{Home, Server, wait_for};
use wire::UnixMillis;
use wire::event::{Event, EventKind, Origin, Severity};
use wire::http::{Audit, ErrorBody, ErrorCode};
use wire::prompt::PromptState;
use wire::purge::Purged;
use wire::search::Found;
use wire::session::{Exit, Link, Session};
use wire::wrapper::Report;

/// A word that is nowhere else, and begins like no other.
const SECRET: &str = "zqxjkvwphf";
const OTHER: &str = "bvgtrfcdxe";

fn purge(server: &Server, asked: &serde_json::Value) -> (u16, Purged) {
    server.ask("POST", "/v1/purge", &asked.to_string())
}

fn refused(server: &Server, asked: &serde_json::Value) -> (u16, ErrorCode) {
    let (status, error): (u16, ErrorBody) = server.ask("POST", "/v1/purge", &asked.to_string());
    (status, error.code)
}

fn found(server: &Server, word: &str) -> usize {
    let (_, found): (u16, Found) = server.ask("GET", &format!("/v1/search?q={word}"), "");
    found.hits.len()
}

/// A session that works on a prompt, says a word everywhere where one can be said, and ends.
fn leaves(server: &Server, name: &str, word: &str) -> (i64, String) {
    let mut wrapper = Wrapper::start(server, name);
    let id = server.enqueue(&json!({ "text": format!("{word} please"), "target": name }));
    let offer = wrapper.offer();
    wrapper.report(Report::Event {
        event: Event {
            at: UnixMillis(1),
            kind: EventKind::Error,
            severity: Severity::Error,
            origin: Origin::Tool,
            rule: "test.error".into(),
            text: format!("error: {word}"),
            fields: BTreeMap::from([("what".to_owned(), word.to_owned())]),
            offset: 1,
            fingerprint: "f".into(),
        },
    });
    wrapper.report(Report::Text { offset: 1, text: format!("it said {word} {}", "and so on ".repeat(800)) });
    let folder = server.place.sessions().join(format!("00000000-{name}"));
    std::fs::create_dir_all(&folder).expect("its folder can be made");
    std::fs::write(folder.join("recording"), format!("bytes {word} bytes"))
        .expect("its recording can be written");
    wrapper.run(offer.attempt, &format!("the answer is {word}"));
    server.until(id, PromptState::Completed);
    let last = wrapper.report(Report::Exited { exit: Exit::Code { code: 0 } });
    assert!(wrapper.acked(last));
    drop(wrapper);
    let session = wait_for("its end", || {
        let session = server.session(name);
        (session.exit.is_some() && session.link == Link::Disconnected).then_some(session)
    });
    (id, session.id.0)
}

/// The files below a folder that hold a word.
fn holding(folder: &Path, word: &str) -> Vec<String> {
    let mut holding = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the folder can be read") {
        let path = entry.expect("the folder can be read").path();
        if path.is_dir() {
            holding.extend(self::holding(&path, word));
        } else if let Ok(bytes) = std::fs::read(&path)
            && bytes.windows(word.len()).any(|bytes| bytes.eq_ignore_ascii_case(word.as_bytes()))
        {
            holding.push(path.file_name().unwrap_or_default().to_string_lossy().into_owned());
        }
    }
    holding.sort();
    holding
}

#[test]
fn a72_what_was_purged_is_in_no_file_and_what_was_not_is_where_it_was() {
    let home = Home::new();
    let server = home.serve();
    let state = server.place.state.clone();
    let (gone, session) = leaves(&server, "gone", SECRET);
    let (kept, _) = leaves(&server, "kept", OTHER);
    assert_eq!(found(&server, SECRET), 4, "prompt, result, event and text");
    let files = holding(&state, SECRET);
    assert!(
        files.contains(&"recording".to_owned()) && files.iter().any(|file| file.starts_with("muster.db")),
        "{files:?}"
    );

    let foreseen = purge(&server, &json!({ "session": "gone", "dry_run": true }));
    let bytes = format!("bytes {SECRET} bytes").len() as u64;
    assert_eq!(foreseen, (200, Purged { sessions: 1, prompts: 1, bytes, left: false }));
    assert_eq!(found(&server, SECRET), 4, "nothing was deleted");
    assert_eq!(purge(&server, &json!({ "session": session })), foreseen);

    assert_eq!(holding(&state, SECRET), [""; 0]);
    assert_eq!((found(&server, SECRET), found(&server, OTHER)), (0, 4));
    assert_eq!(server.send("GET", &format!("/v1/prompts/{gone}"), "", &[]).status, 404);
    assert_eq!(server.send("GET", "/v1/sessions/gone", "", &[]).status, 404);
    assert_eq!(server.detail(kept).prompt.result.unwrap().answer, format!("the answer is {OTHER}"));
    assert!(holding(&state, OTHER).contains(&"recording".to_owned()));
    let (_, audit): (u16, Audit) = server.ask("GET", "/v1/audit?check=true", "");
    assert_eq!(audit.whole, Some(true), "what was done is still told, and that nobody changed it");
    assert_eq!((audit.entries[0].what.as_str(), audit.entries[0].by.as_str()), ("purge", "cli"));
}

#[test]
fn a72_a_session_that_is_just_ending_is_waited_for() {
    let home = Home::new();
    let server = home.serve();
    let mut wrapper = Wrapper::start(&server, "ending");
    std::thread::scope(|scope| {
        let purged = scope.spawn(|| purge(&server, &json!({ "session": "ending" })));
        let last = wrapper.report(Report::Exited { exit: Exit::Code { code: 0 } });
        assert!(wrapper.acked(last));
        assert!(!purged.is_finished(), "the wrapper is connected");
        drop(wrapper);
        assert_eq!(purged.join().expect("an answer").1.sessions, 1);
    });
}

#[test]
fn a72_what_lives_is_waited_for_or_is_not_known_is_not_purged() {
    let home = Home::new();
    let server = home.serve();
    let (done, _) = leaves(&server, "old", SECRET);
    let mut alive = Wrapper::start(&server, "alive");
    let _holder = UnixListener::bind(server.place.session_socket(&alive.hello.session)).expect("its socket");
    // It waits for one that has ended, and the other way round.
    let next = server.enqueue(&json!({ "text": "next", "after": [done], "target": "nobody" }));
    assert_eq!(refused(&server, &json!({ "session": "alive" })), (409, ErrorCode::Conflict));
    assert_eq!(refused(&server, &json!({ "session": "who" })), (404, ErrorCode::NotFound));
    for wrong in [json!({}), json!({ "session": "old", "older_ms": 0 }), json!({ "older_ms": -1 })] {
        assert_eq!(refused(&server, &wrong).0, 400, "{wrong}");
    }
    let (status, purged) = purge(&server, &json!({ "older_ms": 0 }));
    assert_eq!((status, purged.sessions, purged.prompts), (200, 1, 0), "one is still waited for");
    assert!(server.detail(done).prompt.result.is_some());
    let (_, sessions): (u16, Vec<Session>) = server.ask("GET", "/v1/sessions?all=true", "");
    let old = sessions.iter().find(|session| session.name == "old").expect("that it was there");
    assert!(old.last_line.is_empty() && old.argv.is_empty(), "{old:?}");
    assert_eq!(
        purge(&server, &json!({ "older_ms": 0 })).1,
        Purged::default(),
        "nothing is told as deleted twice"
    );
    // What waits for nobody goes, with what waited for it.
    let (status, _): (u16, wire::prompt::Prompt) =
        server.ask("POST", &format!("/v1/prompts/{next}/cancel"), "");
    assert_eq!(status, 200);
    let (_, purged) = purge(&server, &json!({ "older_ms": 0 }));
    assert_eq!((purged.sessions, purged.prompts), (1, 2));
    // Who lives goes on as before.
    let id = server.enqueue(&json!({ "text": "work", "target": "alive" }));
    let offer = alive.offer();
    alive.run(offer.attempt, "done");
    server.until(id, PromptState::Completed);
    let (_, nothing) = purge(&server, &json!({ "older_ms": 3_600_000 }));
    assert_eq!(nothing, Purged::default(), "nothing is so old");
}
