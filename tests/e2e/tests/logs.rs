//! One prompt can be followed over the logs of server and wrapper, line by line, and no text stands in them.
#![allow(clippy::unwrap_used)]

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;

use e2e::{Muster, wait_for};
use serde_json::Value;

/// A prompt that would be lines of a log of its own, if it could.
const HOSTILE: &str =
    "What is the capital of France?\n{\"level\":\"ERROR\",\"trace_id\":\"forged\"}\u{1b}[31m";

/// A place whose server logs JSON.
fn configured() -> Muster {
    let muster = Muster::new();
    let config = muster.home().join("config");
    std::fs::create_dir_all(&config).unwrap();
    std::fs::write(config.join("assigner.toml"), "[log]\nformat = \"json\"\n").unwrap();
    muster
}

/// The same with one idle agent, whose wrapper does so too.
fn place() -> Muster {
    let muster = configured();
    let agent = muster.program("scripted-agent");
    let mut wrap = muster.command("wrap");
    wrap.env("MUSTER_LOG_FORMAT", "json").args(["-d", "--name", "a", "-C"]).arg(muster.project("p"));
    wrap.arg(agent).arg("--scripts").arg(e2e::root().join("fixtures/scripts"));
    assert!(wrap.output().unwrap().status.success());
    muster.await_state("a", "idle");
    muster
}

/// The lines of a log; each must be one JSON object.
#[track_caller]
fn lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    let line = |line: &str| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
    text.lines().map(line).collect()
}

fn server(muster: &Muster) -> Vec<Value> {
    lines(&muster.home().join("state/assigner.log"))
}

fn wrapper(muster: &Muster) -> Vec<Value> {
    let id = muster.session("a").unwrap()["id"].as_str().unwrap().to_owned();
    lines(&muster.home().join("state/sessions").join(id).join("observer.log"))
}

/// What the lines about a trace say under a name, in their order.
fn said(log: &[Value], trace: &str, name: &str) -> Vec<String> {
    let about = log.iter().filter(|line| line["trace_id"] == trace);
    about.filter_map(|line| line[name].as_str().map(str::to_owned)).collect()
}

#[test]
fn one_prompt_is_followed_from_the_queue_to_its_end_over_server_and_wrapper() {
    let muster = place();
    let id = muster.send(&[HOSTILE]);
    let prompt =
        wait_for("the end", || Some(muster.prompt(id)).filter(|p| p["prompt"]["result"].is_object()));
    let trace = prompt["trace"].as_str().unwrap();
    let session = prompt["attempts"][0]["session"].as_str().unwrap();
    let attempt = &prompt["attempts"][0]["id"];

    let states = said(&server(&muster), trace, "state");
    let end = prompt["prompt"]["state"].as_str().unwrap();
    assert_eq!(states, ["pending", "assigned", "in_progress", end]);
    let log = wrapper(&muster);
    let receipts = prompt["attempts"][0]["receipts"].as_array().unwrap();
    let steps: Vec<_> = receipts.iter().skip(1).map(|r| r["step"].as_str().unwrap().to_owned()).collect();
    assert_eq!(said(&log, trace, "step"), steps);
    assert_eq!(said(&log, trace, "outcome").len(), 1);

    let both: Vec<_> = [server(&muster), log].concat();
    let about: Vec<_> = both.iter().filter(|line| line["trace_id"] == trace).collect();
    assert!(about.iter().all(|line| line["prompt"] == id), "{about:#?}");
    for line in about.iter().filter(|line| line["state"] != "pending") {
        assert_eq!((&line["attempt"], line["session"].as_str()), (attempt, Some(session)), "{line}");
    }
    assert!(both.iter().all(|line| line["trace_id"] != "forged"));
    assert!(!both.iter().any(|line| line.to_string().contains("France")), "no text stands in a log");
}

/// One request, with a name of its own or without; the head of the answer.
fn ask(muster: &Muster, path: &str, body: &str, name: &str) -> String {
    let token = std::fs::read_to_string(muster.home().join("state/cli.token")).unwrap();
    let mut stream = UnixStream::connect(muster.home().join("run/assigner.sock")).unwrap();
    let head = format!("POST {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{name}");
    let length = body.len();
    write!(
        stream,
        "{head}authorization: Bearer {}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}",
        token.trim()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split("\r\n\r\n").next().unwrap().to_lowercase()
}

#[test]
fn an_answer_names_its_request_as_the_log_does() {
    let muster = place();
    let body = serde_json::json!({ "text": "later", "not_before": 4_000_000_000_000_i64 }).to_string();
    let head = ask(&muster, "/v1/prompts", &body, "x-request-id: ci-42\r\n");
    assert!(head.contains("x-request-id: ci-42"), "{head}");
    let named = |name: &str| -> Vec<Value> {
        let of = |line: &Value| line["span"]["request_id"] == name;
        server(&muster).into_iter().filter(of).collect()
    };
    let lines = wait_for("the request's lines", || Some(named("ci-42")).filter(|lines| lines.len() >= 2));
    assert!(lines.iter().any(|line| line["state"] == "pending" && line["prompt"] == 1), "{lines:#?}");
    assert!(lines.iter().any(|line| line["status"] == 201 && line["route"] == "/v1/prompts"), "{lines:#?}");

    let head = ask(&muster, "/v1/prompts/1/cancel", "", "x-request-id: a\"b\r\n");
    let own = head.lines().find_map(|line| line.strip_prefix("x-request-id: ")).unwrap();
    assert_eq!(own.len(), 16, "what is no name is not taken over: {own}");
    wait_for("its lines", || {
        named(own).iter().any(|line| line["state"] == "cancelled" && line["prompt"] == 1).then_some(())
    });
}

#[test]
fn a_configuration_can_say_so_for_the_server() {
    let muster = configured();
    muster.ok("assign", &["status"]);
    assert!(server(&muster).iter().any(|line| line["message"] == "serving"));
}
