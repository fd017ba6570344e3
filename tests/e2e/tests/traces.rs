//! A prompt is told as a trace to the collector that was named, whole, and to nobody else.
#![allow(clippy::unwrap_used)]

use e2e::collector::{Collector, hex, said};
use e2e::{Muster, is_alive, signal, wait_for};
use opentelemetry_proto::tonic::trace::v1::{Span, status::StatusCode};
use rustix::process::Signal;

const QUESTION: &str = "What is the capital of France?";
const EDIT: &str = "Please greet the world politely in hello.py";
const GIVEN: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// A place that tells its traces, with one idle agent.
fn place(otlp: &str) -> Muster {
    let muster = Muster::new();
    let config = muster.home().join("config");
    std::fs::create_dir_all(&config).unwrap();
    std::fs::write(config.join("assigner.toml"), format!("[telemetry]\notlp = \"{otlp}\"\n")).unwrap();
    muster.ready("a");
    muster
}

fn trace(muster: &Muster, prompt: i64) -> String {
    muster.prompt(prompt)["trace"].as_str().unwrap().to_owned()
}

fn named<'s>(spans: &'s [Span], name: &str) -> &'s Span {
    spans.iter().find(|span| span.name == name).unwrap_or_else(|| panic!("no span {name} in {spans:#?}"))
}

fn error(span: &Span) -> Option<String> {
    let failed = span.status.as_ref().is_some_and(|status| status.code == i32::from(StatusCode::Error));
    failed.then(|| said(&span.attributes, "error.type").unwrap())
}

#[test]
fn a_prompt_is_one_trace_from_the_queue_to_its_end() {
    let collector = Collector::start();
    let muster = place(&collector.url());
    let id = muster.send(&[QUESTION]);
    let prompt = muster.await_prompt(id, "completed");
    let spans = collector.trace(&trace(&muster, id));
    let root = named(&spans, "prompt");
    assert_eq!((hex(&root.parent_span_id), error(root)), (String::new(), None));
    assert_eq!(said(&root.attributes, "muster.prompt.id"), Some(id.to_string()));
    assert_eq!(said(&root.attributes, "session.id").as_deref(), prompt["prompt"]["session"].as_str());
    let created = prompt["prompt"]["created"].as_u64().unwrap() * 1_000_000;
    let changed = prompt["prompt"]["changed"].as_u64().unwrap() * 1_000_000;
    assert_eq!((root.start_time_unix_nano, root.end_time_unix_nano), (created, changed));
    let attempt = named(&spans, "attempt");
    let running = spans.iter().find(|span| span.name.starts_with("invoke_agent ")).unwrap();
    assert_eq!(said(&running.attributes, "gen_ai.operation.name").as_deref(), Some("invoke_agent"));
    for (child, parent) in [
        (named(&spans, "waiting"), root),
        (attempt, root),
        (named(&spans, "offered"), attempt),
        (named(&spans, "typed"), attempt),
        (named(&spans, "accepted"), attempt),
        (running, attempt),
    ] {
        assert_eq!(child.parent_span_id, parent.span_id, "{}", child.name);
        let within = child.start_time_unix_nano >= parent.start_time_unix_nano
            && child.start_time_unix_nano <= child.end_time_unix_nano
            && child.end_time_unix_nano <= parent.end_time_unix_nano;
        assert!(within, "{child:?} in {parent:?}");
    }
    let told = format!("{spans:?}");
    assert!(!told.contains("France") && !told.contains("Paris"), "neither prompt nor answer is told");
    let shown = muster.ok("assign", &["show", &id.to_string()]);
    assert!(shown.contains(&format!("trace: {}", hex(&root.trace_id))), "{shown}");
}

#[test]
fn a_trace_that_was_begun_elsewhere_goes_on_and_tells_what_failed() {
    let collector = Collector::start();
    let muster = place(&collector.url());
    let mut assign = muster.command("assign");
    assign.env("TRACEPARENT", GIVEN).args(["--attempts", "1", "--verify", "false", "--wait", QUESTION]);
    assert!(!assign.output().unwrap().status.success());
    let spans = collector.trace(&GIVEN[3..35]);
    let root = named(&spans, "prompt");
    assert_eq!(
        (hex(&root.parent_span_id).as_str(), error(root).as_deref()),
        (&GIVEN[36..52], Some("verify_failed"))
    );
    assert_eq!(error(named(&spans, "attempt")).as_deref(), Some("verify_failed"));
    assert_eq!(named(&spans, "verified").parent_span_id, named(&spans, "attempt").span_id);
    let running = spans.iter().find(|span| span.name.starts_with("invoke_agent ")).unwrap();
    assert_eq!(error(running), None, "the turn itself ended well");
    assert_eq!(trace(&muster, 1), &GIVEN[3..35]);
}

#[test]
fn the_wait_for_a_person_stands_in_the_trace() {
    let collector = Collector::start();
    let muster = place(&collector.url());
    let id = muster.send(&[EDIT]);
    for _ in ["read", "edit"] {
        muster.give_permission("a");
    }
    muster.await_prompt(id, "completed");
    let spans = collector.trace(&trace(&muster, id));
    let running = spans.iter().find(|span| span.name.starts_with("invoke_agent ")).unwrap();
    let blocked: Vec<_> = spans.iter().filter(|span| span.name == "blocked").collect();
    let times = |span: &&Span| (span.name.clone(), span.start_time_unix_nano, span.end_time_unix_nano);
    assert!(blocked.len() >= 2, "{:?}", spans.iter().map(|span| times(&span)).collect::<Vec<_>>());
    assert!(blocked.iter().all(|span| span.parent_span_id == running.span_id));
}

#[test]
fn no_trace_is_lost_while_the_collector_is_away_and_the_server_is_killed() {
    let collector = Collector::answering(503);
    let muster = place(&collector.url());
    let first = muster.send(&[QUESTION]);
    muster.await_prompt(first, "completed");
    wait_for("the collector to be asked twice", || (collector.asked() >= 2).then_some(()));
    let server = muster.server();
    signal(server, Signal::KILL);
    wait_for("the server to be gone", || (!is_alive(server)).then_some(()));
    wait_for("another server", || muster.try_prompt(first));
    let second = muster.send(&[QUESTION]);
    muster.await_prompt(second, "completed");
    assert!(collector.spans().is_empty());
    collector.answer(200);
    for id in [first, second] {
        let spans = collector.trace(&trace(&muster, id));
        assert_eq!(spans.iter().filter(|span| span.name == "prompt").count(), 1, "told once");
    }
    let log = std::fs::read_to_string(muster.home().join("state/assigner.log")).unwrap();
    assert!(log.contains("the collector takes no traces"), "{log}");
    assert!(!log.contains(&collector.url()), "an address may hold a secret");
}

#[test]
fn nothing_is_sent_unless_it_is_said_whatever_the_environment_holds() {
    let collector = Collector::start();
    let muster = Muster::new();
    // The server is started by the first who needs it, and has that one's environment.
    let env = |name: &str| {
        let mut command = muster.command(name);
        command.env("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url());
        command.env("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20key");
        command
    };
    assert!(env("assign").arg("status").output().unwrap().status.success());
    muster.ready("a");
    let quiet = muster.send(&[QUESTION]);
    muster.await_prompt(quiet, "completed");
    let config = muster.home().join("config");
    std::fs::create_dir_all(&config).unwrap();
    std::fs::write(config.join("assigner.toml"), "[telemetry]\notlp = \"env\"\n").unwrap();
    let server = muster.server();
    signal(server, Signal::KILL);
    wait_for("the server to be gone", || (!is_alive(server)).then_some(()));
    assert!(env("assign").arg("status").output().unwrap().status.success());
    wait_for("a server", || muster.try_prompt(quiet));
    let told = muster.send(&[QUESTION]);
    muster.await_prompt(told, "completed");
    collector.trace(&trace(&muster, told));
    let quiet = trace(&muster, quiet);
    assert!(collector.spans().iter().all(|span| hex(&span.trace_id) != quiet), "it was not to be told");
    assert!(collector.heads()[0].contains("authorization: bearer key"), "{:?}", collector.heads());
}
