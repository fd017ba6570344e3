//! The real `assign` against the real server: what it prints, and its exit codes.

#[path = "../../tests/support/mod.rs"]
mod support;

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Output, Stdio};

use support::peer::{Wrapper, claim};
use support::{Home, Server, wait_for};
use wire::admin::Template;
use wire::prompt::{Hold, HoldCode, Outcome, Prompt, PromptState, Step};
use wire::session::{Dialog, DialogKind, DialogOption, State};
use wire::wrapper::{Choice, Report, ToServer, ToWrapper};

fn command(home: &Home, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_assign"));
    command.args(args).env("MUSTER_HOME", home.path()).env("MUSTER_NO_SERVER", "1");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn assign(home: &Home, args: &[&str]) -> Output {
    command(home, args).output().expect("assign runs")
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("the output is text")
}

fn check(home: &Home, args: &[&str], code: i32) -> String {
    let output = assign(home, args);
    assert_eq!(output.status.code(), Some(code), "{args:?}: {output:?}");
    out(&output)
}

/// Starts `assign --wait` and gives it with the number of its prompt.
fn waiting(server: &Server, home: &Home, args: &[&str]) -> (Child, i64) {
    let child = command(home, &[&["--wait"], args].concat()).spawn().expect("assign runs");
    let id = wait_for("the prompt", || {
        let (_, prompts): (u16, Vec<Prompt>) = server.ask("GET", "/v1/prompts", "");
        prompts.first().map(|p| p.id.0)
    });
    (child, id)
}

#[test]
fn a_prompt_comes_from_an_argument_a_file_or_standard_input() {
    let home = Home::new();
    let server = home.serve();
    assert_eq!(check(&home, &["from an argument", "--priority", "9", "--agent", "codex"], 0), "1\n");
    let file = home.path().join("prompt.txt");
    std::fs::write(&file, "from a file\n").unwrap();
    assert_eq!(check(&home, &["--file", file.to_str().unwrap()], 0), "2\n");
    let mut piped = command(&home, &[]).stdin(Stdio::piped()).spawn().unwrap();
    piped.stdin.take().unwrap().write_all(b"from a pipe").unwrap();
    assert_eq!(out(&piped.wait_with_output().unwrap()), "3\n");
    assert_eq!(check(&home, &["--", "status"], 0), "4\n");
    for (id, text) in [(1, "from an argument"), (2, "from a file"), (3, "from a pipe"), (4, "status")] {
        assert_eq!(server.detail(id).prompt.asked.text, text);
    }
    assert_eq!(server.detail(1).prompt.asked.priority, 9);
}

#[test]
fn exit_codes_say_what_happened() {
    let home = Home::new();
    check(&home, &["status"], 3);
    let _server = home.serve();
    check(&home, &["status"], 0);
    check(&home, &["two", "words"], 2);
    check(&home, &["--priority", "11", "x"], 2);
    check(&home, &[""], 2);
    check(&home, &["show", "7"], 4);
    check(&home, &["logs", "nobody"], 4);
    check(&home, &["approve", "nobody"], 4);
    check(&home, &["x", "--idempotency-key", "k"], 0);
    check(&home, &["y", "--idempotency-key", "k"], 5);
    check(&home, &["cancel", "1"], 0);
    check(&home, &["cancel", "1"], 5);
    check(&home, &["retry", "1"], 0);
}

#[test]
fn templates_are_kept_listed_and_forgotten() {
    let home = Home::new();
    let _server = home.serve();
    let kept = check(&home, &["template", "set", "fix", "Fix {{file}}", "--priority", "7", "--json"], 0);
    let kept: Template = serde_json::from_str(&kept).unwrap();
    assert_eq!((kept.prompt.text.as_str(), kept.prompt.priority), ("Fix {{file}}", 7));
    check(&home, &["template", "set", "fix", "two", "words"], 2);
    check(&home, &["template", "set", "fix", "later", "--in", "2h"], 2);
    assert!(check(&home, &["template", "ls"], 0).contains("Fix {{file}}"));
    check(&home, &["template", "rm", "fix"], 0);
    check(&home, &["template", "rm", "fix"], 4);
}

#[test]
fn a_tokens_secret_alone_is_printed_once_and_it_is_revoked_by_name() {
    let home = Home::new();
    let _server = home.serve();
    let secret = check(&home, &["token", "add", "ci", "--role", "viewer,assigner", "--for", "30d"], 0);
    assert!(secret.starts_with("muster_api_") && secret.lines().count() == 1);
    let listed = check(&home, &["token", "ls"], 0);
    assert!(listed.contains("viewer,assigner") && listed.contains("(this one)"), "{listed}");
    assert!(!listed.contains(secret.trim()));
    check(&home, &["token", "add", "ci", "--role", "viewer"], 5);
    check(&home, &["token", "add", "root", "--role", "root"], 2);
    check(&home, &["token", "rm", "ci"], 0);
    check(&home, &["token", "rm", "ci"], 4);
    check(&home, &["token", "rm", "cli"], 5);
}

#[test]
fn waiting_gives_the_answer_and_the_progress_apart() {
    let home = Home::new();
    let server = home.serve();
    let mut wrapper = Wrapper::start(&server, "api");
    let (child, id) = waiting(&server, &home, &["do it", "--to", "api"]);
    let offer = wrapper.offer();
    assert_eq!(offer.prompt.0, id);
    let long = "line\u{1b}[2J\n".repeat(2_000);
    wrapper.run(offer.attempt, &long);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(out(&output), format!("{}\n", "line\\x1b[2J\n".repeat(2_000)));
    let progress = String::from_utf8(output.stderr).unwrap();
    assert!(progress.contains("  submitted\n") && progress.contains("is completed"), "{progress}");
}

#[test]
fn waiting_ends_with_the_code_of_the_end() {
    for (outcome, code) in [(Outcome::Interrupted, 1), (Outcome::TimedOut, 124), (Outcome::Cancelled, 7)] {
        let home = Home::new();
        let server = home.serve();
        let mut wrapper = Wrapper::start(&server, "api");
        let (child, _) = waiting(&server, &home, &["x", "--attempts", "1"]);
        let offer = wrapper.offer();
        wrapper.ended(offer.attempt, outcome, "");
        assert_eq!(child.wait_with_output().unwrap().status.code(), Some(code), "{outcome}");
    }
    let home = Home::new();
    let server = home.serve();
    let mut wrapper = Wrapper::start(&server, "api");
    let (child, _) = waiting(&server, &home, &["x"]);
    let offer = wrapper.offer();
    wrapper.held(offer.attempt, Hold { code: HoldCode::NotSeen, text: "not seen".into() });
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(6));
}

#[test]
fn waiting_outlives_a_restart_of_the_server() {
    let home = Home::new();
    let mut server = home.serve();
    let mut wrapper = Wrapper::start(&server, "api");
    let (mut child, _) = waiting(&server, &home, &["x"]);
    let offer = wrapper.offer();
    wrapper.receipt(offer.attempt, Step::Accepted);
    server.until(offer.prompt.0, PromptState::InProgress);
    let mut progress = BufReader::new(child.stderr.take().unwrap());
    let mut until = |word: &str| {
        let mut line = String::new();
        while !line.contains(word) {
            line.clear();
            assert_ne!(progress.read_line(&mut line).unwrap(), 0, "it ended before it said: {word}");
        }
    };
    // It has its prompt's number by then: before, it would only send the prompt again.
    until("accepted");
    server.kill();
    until("looking for it");
    let server = home.serve();
    let mut wrapper = wrapper.again(&server);
    wrapper.run(offer.attempt, "still here");
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), out(&output).as_str()), (Some(0), "still here\n"));
}

#[test]
fn a38_a_dialog_is_shown_before_it_is_answered_and_answered_by_its_identity() {
    let home = Home::new();
    let server = home.serve();
    let mut wrapper = Wrapper::start(&server, "api");
    let option = |index, label: &str| DialogOption { index, label: label.into(), selected: index == 0 };
    let mut dialog = Dialog {
        id: String::new(),
        kind: DialogKind::Permission,
        title: "Run rm?\u{1b}[2J".into(),
        body: "rm -rf build".into(),
        options: vec![option(0, "Yes"), option(1, "No")],
        answerable: true,
        request: None,
    };
    for (n, (args, expected)) in [
        (&["approve", "api"][..], Choice::Approve),
        (&["deny", "api"], Choice::Deny),
        (&["answer", "api", "2"], Choice::Option { index: 1 }),
    ]
    .into_iter()
    .enumerate()
    {
        dialog.id = format!("d{n}");
        let report = Report::State { claim: claim(State::WaitingPermission), dialog: Some(dialog.clone()) };
        let seq = wrapper.report(report);
        assert!(wrapper.acked(seq));
        let young = command(&home, args).output().unwrap();
        let shown = String::from_utf8(young.stderr).unwrap();
        assert_eq!(young.status.code(), Some(5), "{shown}");
        assert!(shown.contains(&format!("use its number, {}", n + 1)), "{shown}");
        wait_for("the dialog to have stood a while", || {
            let open: serde_json::Value =
                serde_json::from_str(&check(&home, &["approvals", "--json"], 0)).ok()?;
            let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).ok()?.as_millis();
            (now > u128::from(open["opened"].as_u64()?) + 600).then_some(())
        });
        let child = command(&home, args).spawn().unwrap();
        let (request, bound, choice) = loop {
            match wrapper.next() {
                Some(ToWrapper::Answer { request, dialog, choice, .. }) => break (request, dialog, choice),
                Some(_) => {}
                None => panic!("no answer"),
            }
        };
        assert_eq!((bound, choice), (format!("d{n}"), expected));
        wrapper.peer.say(&ToServer::Reply { request, refused: None });
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0));
        let shown = String::from_utf8(output.stderr).unwrap();
        assert!(shown.contains("Run rm?\\x1b[2J") && shown.contains("rm -rf build"), "{shown}");
    }
    check(&home, &["answer", "api", "3"], 5);
}

#[test]
fn tables_are_for_people_and_json_is_for_programs() {
    let home = Home::new();
    let server = home.serve();
    let _wrapper = Wrapper::start(&server, "api");
    let id = check(&home, &["look\u{1b}[31m", "--to", "nobody"], 0);
    let why = check(&home, &["why", id.trim()], 0);
    assert!(why.contains("another session was asked for: nobody"), "{why}");
    assert!(check(&home, &["sessions"], 0).contains("api"));
    for args in
        [&["--json", "sessions"][..], &["prompts", "--json"], &["status", "--json"], &["show", "1", "--json"]]
    {
        let text = check(&home, args, 0);
        let value: serde_json::Value =
            serde_json::from_str(text.trim()).unwrap_or_else(|e| panic!("{e}: {text}"));
        assert!(value.is_object());
    }
}

#[test]
fn who_waits_tells_the_end_by_its_code_also_when_nobody_reads() {
    for (outcome, code) in [(Outcome::Completed, 0), (Outcome::Interrupted, 1)] {
        let home = Home::new();
        let server = home.serve();
        let mut wrapper = Wrapper::start(&server, "api");
        let (mut child, _) = waiting(&server, &home, &["x", "--attempts", "1"]);
        drop((child.stdout.take(), child.stderr.take()));
        let offer = wrapper.offer();
        wrapper.ended(offer.attempt, outcome, "");
        assert_eq!(child.wait().unwrap().code(), Some(code), "{outcome}");
    }
}

#[test]
fn a_closed_pipe_is_no_error_message() {
    let home = Home::new();
    let _server = home.serve();
    let mut child = command(&home, &["watch"]).spawn().unwrap();
    drop(child.stdout.take());
    check(&home, &["x"], 0);
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), String::from_utf8(output.stderr).unwrap().as_str()), (Some(0), ""));
}

#[test]
fn a_server_is_started_when_none_runs() {
    let home = Home::new();
    let bin = home.path();
    std::fs::create_dir_all(&bin).unwrap();
    let beside = bin.join("assign");
    std::fs::copy(env!("CARGO_BIN_EXE_assign"), &beside).unwrap();
    std::os::unix::fs::symlink(support::server_binary(), bin.join("assigner")).unwrap();
    let started = Command::new(&beside)
        .args(["status", "--json"])
        .env("MUSTER_HOME", home.path())
        .env("MUSTER_PORT", "0")
        .output()
        .unwrap();
    let stopped = home.command(&["stop"]).output().unwrap();
    assert_eq!(started.status.code(), Some(0), "{started:?}");
    assert!(stopped.status.success());
}
