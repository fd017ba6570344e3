//! `assign events`: each event once and in order, whatever becomes of the server, the reader or the clocks.

#[path = "../../tests/support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Lines};
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use serde_json::Value;
use support::Home;
use support::peer::Wrapper;
use wire::UnixMillis;
use wire::event::{Event, EventKind, Origin, Severity};
use wire::wrapper::Report;

fn command(home: &Home, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_assign"));
    command.arg("events").args(args).env("MUSTER_HOME", home.path()).env("MUSTER_NO_SERVER", "1");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn output(home: &Home, args: &[&str]) -> Output {
    command(home, args).output().expect("assign runs")
}

/// What it prints, as ids and texts.
fn printed(home: &Home, args: &[&str]) -> Vec<(u64, String)> {
    let output = output(home, args);
    assert_eq!(output.status.code(), Some(0), "{args:?}: {output:?}");
    String::from_utf8(output.stdout).expect("it is text").lines().map(read).collect()
}

fn read(line: &str) -> (u64, String) {
    let value: Value = serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
    let text = value["event"]["text"].as_str().unwrap_or_else(|| panic!("no event: {line}")).to_owned();
    (value["id"].as_u64().expect("an id"), text)
}

/// One that goes on, and what it prints.
struct Follower {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Follower {
    fn start(home: &Home, args: &[&str]) -> Self {
        let mut child = command(home, &[&["-f"], args].concat()).spawn().expect("assign runs");
        let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        Self { child, lines }
    }

    fn line(&mut self) -> String {
        self.lines.next().expect("it goes on").expect("it can be read")
    }

    fn next(&mut self) -> (u64, String) {
        read(&self.line())
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn event(at: i64, text: &str, severity: Severity) -> Report {
    Report::Event {
        event: Event {
            at: UnixMillis(at),
            kind: EventKind::Error,
            severity,
            origin: Origin::Tool,
            rule: "test".into(),
            text: text.into(),
            fields: BTreeMap::new(),
            offset: 0,
            fingerprint: text.into(),
        },
    }
}

fn tell(wrapper: &mut Wrapper, at: i64, text: &str) {
    let seq = wrapper.report(event(at, text, Severity::Error));
    assert!(wrapper.acked(seq));
}

#[test]
fn each_event_is_told_once_over_a_restart_of_the_server_in_the_middle() {
    let home = Home::new();
    let mut server = home.serve();
    let mut wrapper = Wrapper::start(&server, "api");
    let mut told = Vec::new();
    for n in 0..5 {
        tell(&mut wrapper, 100 + n, &format!("past {n}"));
    }
    let mut follower = Follower::start(&home, &["--since", "0"]);
    (0..5).for_each(|_| told.push(follower.next()));
    // It happened before all others, and is told after them.
    tell(&mut wrapper, 1, "late");
    told.push(follower.next());
    for n in 0..300 {
        wrapper.report(event(200 + n, &format!("live {n}"), Severity::Error));
    }
    (0..150).for_each(|_| told.push(follower.next()));
    server.kill();
    for n in 0..3 {
        wrapper.journal(event(900 + n, &format!("while it was away {n}"), Severity::Error));
    }
    let server = home.serve();
    let mut wrapper = wrapper.again(&server);
    tell(&mut wrapper, 999, "after");
    while told.last().is_none_or(|(_, text)| text != "after") {
        told.push(follower.next());
    }
    assert_eq!(told.len(), 5 + 1 + 300 + 3 + 1);
    assert!(told.windows(2).all(|two| two[0].0 < two[1].0), "in the order in which they came, each once");
    assert_eq!(printed(&home, &["--since", "0"]), told, "the past is what was told live");
    let (middle, _) = told[170];
    assert_eq!(printed(&home, &["--since", &middle.to_string()]), told[171..]);
    assert_eq!(printed(&home, &["-n", "7"]), told[told.len() - 7..]);
    assert_eq!(printed(&home, &["-n", "0"]), []);
    let mut resumed = Follower::start(&home, &["--since", &middle.to_string()]);
    let rest: Vec<_> = (171..told.len()).map(|_| resumed.next()).collect();
    assert_eq!(rest, told[171..]);
}

#[test]
fn filters_leave_out_and_lose_nothing() {
    let home = Home::new();
    let server = home.serve();
    let (mut api, mut web) = (Wrapper::start(&server, "api"), Wrapper::start(&server, "web"));
    tell(&mut api, 1, "one");
    tell(&mut web, 2, "two");
    let seq = api.report(event(3, "three", Severity::Warning));
    assert!(api.acked(seq));
    let texts = |args: &[&str]| -> Vec<String> { printed(&home, args).into_iter().map(|(_, t)| t).collect() };
    assert_eq!(texts(&["--session", "api"]), ["one", "three"]);
    assert_eq!(texts(&["--session", "api", "--severity", "error"]), ["one"]);
    assert_eq!(texts(&["--kind", "build"]), [""; 0]);
    assert_eq!(texts(&["--since", "1", "--session", "api"]), ["three"]);
    let mut follower = Follower::start(&home, &["--since", "3", "--severity", "warning"]);
    tell(&mut web, 10, "not wanted");
    let seq = web.report(event(11, "wanted", Severity::Warning));
    assert!(web.acked(seq));
    assert_eq!(follower.next(), (5, "wanted".into()));
    assert_eq!(output(&home, &["--session", "nobody"]).status.code(), Some(4));
    assert_eq!(output(&home, &["--kind", "odd"]).status.code(), Some(2));
}

#[test]
fn an_id_of_another_server_is_said_to_be_one() {
    let home = Home::new();
    let server = home.serve();
    let mut wrapper = Wrapper::start(&server, "api");
    tell(&mut wrapper, 1, "one");
    let output = output(&home, &["--since", "99"]);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(0), 0));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("another server") && said.contains("the last here is 1"), "{said}");
}

#[test]
fn prompts_are_told_with_the_id_to_resume_with() {
    let home = Home::new();
    let server = home.serve();
    let mut wrapper = Wrapper::start(&server, "api");
    tell(&mut wrapper, 1, "one");
    let mut follower = Follower::start(&home, &["--prompts", "--since", "0"]);
    assert_eq!(follower.next(), (1, "one".into()));
    tell(&mut wrapper, 2, "two");
    assert_eq!(follower.next(), (2, "two".into()), "it listens");
    let id = server.enqueue(&serde_json::json!({ "text": "x" }));
    let attempt = wrapper.offer().attempt;
    wrapper.run(attempt, "done");
    let mut states = Vec::new();
    while states.last().is_none_or(|state| state != "completed") {
        let line: Value = serde_json::from_str(&follower.line()).unwrap();
        assert_eq!((line["id"].as_u64(), line["prompt"]["id"].as_i64()), (Some(2), Some(id)), "{line}");
        states.push(line["prompt"]["state"].as_str().unwrap().to_owned());
    }
    let mut once = states.clone();
    once.dedup();
    assert_eq!(once, states, "a state that did not change is not told");
}

#[test]
fn a_closed_pipe_ends_it_quietly() {
    let home = Home::new();
    let server = home.serve();
    let mut wrapper = Wrapper::start(&server, "api");
    let mut child = command(&home, &["-f", "--since", "0"]).spawn().unwrap();
    drop(child.stdout.take());
    tell(&mut wrapper, 1, "one");
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), String::from_utf8(output.stderr).unwrap().as_str()), (Some(0), ""));
}
