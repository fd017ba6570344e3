//! What a person should know of reaches them where they are, once, and says when it is over.
#![allow(clippy::unwrap_used)]

use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use e2e::service::Taken;
use e2e::{Muster, wait_for};
use serde_json::{Value, json};

/// A request as a service saw it.
struct Told {
    head: String,
    body: Value,
}

/// A service on loopback that answers each request with the next status, the last one for ever.
fn service(statuses: &'static [u16]) -> (String, Receiver<Told>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (to, taken) = channel();
    std::thread::spawn(move || {
        for (n, stream) in listener.incoming().enumerate() {
            let mut taken = Taken::read(stream.unwrap()).unwrap();
            taken.answer(statuses.get(n).or(statuses.last()).copied().unwrap_or(200), "").unwrap();
            let body = serde_json::from_slice(&taken.body).unwrap_or(Value::Null);
            if to.send(Told { head: taken.head, body }).is_err() {
                return;
            }
        }
    });
    (address, taken)
}

fn next(taken: &Receiver<Told>) -> Told {
    taken.recv_timeout(Duration::from_secs(60)).expect("the service is told")
}

#[test]
fn a_failure_is_told_to_a_webhook_after_the_hook_was_down_for_a_moment() {
    let muster = Muster::new();
    let project = muster.ready("a");
    let (address, taken) = service(&[200, 500, 200]);
    let key = muster.folder().join("key");
    std::fs::write(&key, "a key\n").unwrap();
    let hook = format!("{address}/hook");
    let secret = ["--allow-private", "--secret-file", key.to_str().unwrap()];
    muster.ok("assign", &[&["sink", "set", "hook", "webhook", &hook], &secret[..]].concat());
    muster.ok("assign", &["sink", "test", "hook"]);
    let test = next(&taken);
    assert!(test.head.starts_with("POST /hook "), "{}", test.head);
    assert!(test.head.to_lowercase().contains("x-muster-signature-256: sha256="), "{}", test.head);

    let dir = project.to_str().unwrap();
    let id = muster.send(&[
        "--attempts",
        "1",
        "--dir",
        dir,
        "--verify",
        "false",
        "What is the capital of France?",
    ]);
    muster.await_prompt(id, "failed");
    let (first, again) = (next(&taken), next(&taken));
    assert_eq!(first.body, again.body, "what was not taken is told again");
    assert_eq!(again.body["alerts"][0]["kind"], "prompt_failed");
    assert!(again.body["text"].as_str().unwrap().contains("a prompt failed"), "{}", again.body);
    assert!(
        !again.body.to_string().contains("France"),
        "nothing but kinds and numbers unless it was asked for"
    );
    let sinks = muster.ok("assign", &["sink", "ls"]);
    assert!(!sinks.contains("a key"), "{sinks}");

    muster.api().post("/v1/prompts/seen", &json!({ "ids": [id] })).unwrap();
    let over = next(&taken);
    assert_eq!(over.body["alerts"][0]["what"], "closed", "{}", over.body);
    let open = muster.json("assign", &["alerts", "--json"]);
    assert!(open.is_empty(), "{open:?}");
}

#[test]
fn a_command_gets_the_notice_and_a_sink_that_cannot_be_reached_says_so() {
    let muster = Muster::new();
    muster.ok("assigner", &["serve", "--detach"]);
    let file = muster.folder().join("told");
    let command = format!("cat > '{}'", file.display());
    muster.ok("assign", &["sink", "set", "shell", "command", &command]);
    muster.ok("assign", &["sink", "test", "shell"]);
    let told: Value = wait_for("the command to be told", || {
        serde_json::from_str(&std::fs::read_to_string(&file).ok()?).ok()
    });
    assert_eq!(told["alerts"][0]["what"], "opened");

    muster.ok("assign", &["sink", "set", "gone", "webhook", "http://127.0.0.1:9/", "--allow-private"]);
    let out = muster.run("assign", &["sink", "test", "gone"]);
    assert!(!out.status.success());
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(said.contains("cannot be reached"), "{said}");
    for wrong in [
        ["x", "ntfy", "https://127.0.0.1:9"],
        ["x", "webhook", "no address"],
        ["x", "telegram", "https://127.0.0.1:9"],
        ["x", "webhook", "http://127.0.0.1:9"],
    ] {
        let out = muster.run("assign", &[&["sink", "set"], &wrong[..]].concat());
        assert!(!out.status.success() && !out.stderr.is_empty(), "{wrong:?}");
    }
}

#[test]
fn a67_a_sink_reaches_no_private_address_unless_the_command_line_permits_it() {
    let muster = Muster::new();
    muster.ok("assigner", &["serve", "--detach"]);
    let (address, taken) = service(&[200, 200]);
    let port = address.rsplit(':').next().unwrap();
    let secret = muster.folder().join("key");
    std::fs::write(&secret, "a key\n").unwrap();
    let secret = ["--secret-file", secret.to_str().unwrap()];
    for host in ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "169.254.169.254", "2130706433"] {
        let target = format!("https://{host}:{port}/");
        muster.ok("assign", &[&["sink", "set", "inner", "webhook", &target], &secret[..]].concat());
        let out = muster.run("assign", &["sink", "test", "inner"]);
        let said = String::from_utf8_lossy(&out.stderr).into_owned();
        assert!(!out.status.success(), "{target}");
        assert!(said.contains("--allow-private") || said.contains("belongs to nobody"), "{target}: {said}");
    }
    // What was permitted is for this address, and so is the secret.
    let target = format!("{address}/");
    muster.ok(
        "assign",
        &[&["sink", "set", "inner", "webhook", &target, "--allow-private"], &secret[..]].concat(),
    );
    muster.ok("assign", &["sink", "test", "inner"]);
    assert!(next(&taken).head.starts_with("POST / "), "and nobody came before");
    let moved = ["sink", "set", "inner", "webhook", "https://hooks.example/"];
    let out = muster.run("assign", &moved);
    assert!(String::from_utf8_lossy(&out.stderr).contains("given for another target"), "{out:?}");
}
