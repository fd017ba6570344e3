//! The same with real agents: Claude Code and Codex as they come from npm, against the scripted model on loopback.
//!
//! Tried when `MUSTER_TEST_AGENTS` names the folder with their commands, as `scripts/test` does.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use actors::home::Kind;
use e2e::real::Real;
use e2e::{signal, wait_for};
use rustix::process::Signal;

/// A real agent in a session, and its project.
struct Started {
    real: Real,
    project: PathBuf,
}

impl std::ops::Deref for Started {
    type Target = Real;
    fn deref(&self) -> &Real {
        &self.real
    }
}

/// Starts an agent headless and waits until it is idle. `None` when there are no agents to try.
fn start(kind: Kind) -> Option<Started> {
    start_with(kind, |_| ())
}

/// The same, with a change to its home before.
fn start_with(kind: Kind, prepare: impl FnOnce(&Path)) -> Option<Started> {
    let real = Real::new(kind)?;
    let project = real.project("p");
    prepare(&real.home());
    real.start("a", &project);
    real.muster.await_state("a", "idle");
    Some(Started { real, project })
}

fn edits_a_file_with_permission(kind: Kind) {
    let Some(real) = start(kind) else { return };
    let id = real.muster.send(&["Please greet the world politely in hello.py"]);
    real.muster.await_state("a", "waiting_permission");
    let asks = wait_for("the dialog", || real.muster.session("a").filter(|s| !s["dialog"].is_null()));
    assert!(asks["dialog"]["body"].as_str().unwrap().contains("hello.py"), "{asks}");
    assert!(
        std::fs::read_to_string(real.project.join("hello.py")).unwrap().contains("\"hi\""),
        "not before it is allowed"
    );
    wait_for("the permission to be given", || {
        real.muster.run("assign", &["approve", "a"]).status.success().then_some(())
    });
    let prompt = real.muster.await_prompt(id, "completed");
    assert!(std::fs::read_to_string(real.project.join("hello.py")).unwrap().contains("hello, world"));
    let answer = prompt["prompt"]["result"]["answer"].as_str().unwrap();
    assert_eq!(Some(answer.to_owned()), real.answered().pop(), "the answer is what the model said");
    assert_eq!(real.asked("greet the world"), 1, "the prompt reached the model once");

    // What the model's interface said was used, three times. An agent may write the last down after the turn's end was
    // seen; it counts with this prompt nevertheless.
    let summary = &prompt["prompt"]["result"]["summary"];
    let (used, read) = (&summary["models"][0], summary["tokens_in"].as_f64());
    assert!(read == Some(3600.0) && used["tokens_in"].as_f64() == read, "{summary}");
    assert!(used["model"].as_str().is_some_and(|name| !name.is_empty()), "{summary}");
}

#[test]
fn claude_code_edits_a_file_with_permission() {
    edits_a_file_with_permission(Kind::Claude);
}

#[test]
fn codex_edits_a_file_with_permission() {
    edits_a_file_with_permission(Kind::Codex);
}

fn a_pool_starts_it_when_a_prompt_waits_and_ends_it_when_it_rests(kind: Kind) {
    let Some(real) = Real::new(kind) else { return };
    let project = real.project("p");
    real.pool("api", &project, &["--max", "1", "--idle", "10s"]);
    let id = real.muster.send(&["--to", "api", "What is the capital of France?"]);
    let prompt = real.muster.await_prompt(id, "completed");
    assert_eq!(prompt["prompt"]["result"]["answer"], "The capital of France is Paris.");
    real.muster.await_state("api-1", "exited");
    assert_eq!(real.asked("capital of France"), 1, "the prompt reached the model once");
}

#[test]
fn claude_code_is_started_for_a_pool_and_ended() {
    a_pool_starts_it_when_a_prompt_waits_and_ends_it_when_it_rests(Kind::Claude);
}

#[test]
fn codex_is_started_for_a_pool_and_ended() {
    a_pool_starts_it_when_a_prompt_waits_and_ends_it_when_it_rests(Kind::Codex);
}

fn a_failure_of_the_model_fails_the_prompt(kind: Kind) {
    let Some(real) = start(kind) else { return };
    let id = real.muster.send(&["--attempts", "1", "Please overload the model"]);
    let prompt = real.muster.await_prompt(id, "failed");
    assert_eq!(prompt["prompt"]["result"]["outcome"], "failed");
    assert!(!prompt["prompt"]["result"]["reason"].as_str().unwrap().is_empty(), "{prompt}");
    // The session is usable again.
    let next = real.muster.send(&["What is the capital of France?"]);
    assert_eq!(
        real.muster.await_prompt(next, "completed")["prompt"]["result"]["answer"],
        "The capital of France is Paris."
    );
}

#[test]
fn claude_code_fails_a_prompt_when_the_model_fails() {
    a_failure_of_the_model_fails_the_prompt(Kind::Claude);
}

#[test]
fn codex_fails_a_prompt_when_the_model_fails() {
    a_failure_of_the_model_fails_the_prompt(Kind::Codex);
}

fn survives_the_death_of_observer_and_server(kind: Kind) {
    let Some(real) = start(kind) else { return };
    let id = real.muster.send(&["Please create the marker file"]);
    real.muster.await_state("a", "waiting_permission");
    let observer = real.muster.live("a").unwrap()["observer"].as_i64().unwrap();
    signal(observer, Signal::KILL);
    signal(real.muster.server(), Signal::KILL);
    wait_for("the permission to be given", || {
        real.muster.run("assign", &["approve", "a"]).status.success().then_some(())
    });
    wait_for("the prompt's end", || {
        real.muster.try_prompt(id).filter(|p| p["prompt"]["state"] == "completed")
    });
    assert_eq!(std::fs::read_to_string(real.project.join("out/marker.txt")).unwrap().trim(), "made");
    assert_eq!(real.asked("create the marker"), 1);
}

#[test]
fn a_prompt_to_claude_code_survives_the_death_of_observer_and_server() {
    survives_the_death_of_observer_and_server(Kind::Claude);
}

#[test]
fn a_prompt_to_codex_survives_the_death_of_observer_and_server() {
    survives_the_death_of_observer_and_server(Kind::Codex);
}

#[test]
fn a_running_turn_of_claude_code_is_called_off() {
    let Some(real) = start(Kind::Claude) else { return };
    let id = real.muster.send(&["Explain sorting to me"]);
    real.muster.await_prompt(id, "in_progress");
    wait_for("the turn to run", || (real.asked("sorting") == 1).then_some(()));
    real.muster.ok("assign", &["cancel", &id.to_string()]);
    real.muster.await_prompt(id, "cancelled");
    real.muster.await_state("a", "idle");
}

/// Writes a program that notes that it was called, and then does as `then` says.
fn witness(real: &Path, name: &str, then: &str) -> (String, PathBuf) {
    use std::os::unix::fs::PermissionsExt;
    let (program, note) = (real.join(format!("{name}.sh")), real.join(format!("{name}.called")));
    let text = format!("#!/bin/sh\nprintf '%s\\n' \"$*\" >> '{}'\n{then}\n", note.display());
    std::fs::write(&program, text).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o700)).unwrap();
    (program.to_str().unwrap().to_owned(), note)
}

fn calls(note: &Path) -> usize {
    std::fs::read_to_string(note).unwrap_or_default().lines().count()
}

#[test]
fn hooks_of_ours_and_of_the_user_are_both_called_and_the_users_can_make_a_turn_go_on() {
    let mut own = (String::new(), PathBuf::new());
    let prepare = |home: &Path| {
        // Blocks the first end: the turn is not over then, whatever was printed.
        let then = format!(
            "test $(wc -l < '{}') -gt 1 || echo '{{\"decision\":\"block\",\"reason\":\"go on\"}}'",
            home.join("own.called").display()
        );
        own = witness(home, "own", &then);
        let settings =
            serde_json::json!({"hooks": {"Stop": [{"hooks": [{"type": "command", "command": own.0}]}]}});
        std::fs::write(home.join(".claude/settings.json"), settings.to_string()).unwrap();
    };
    let Some(real) = start_with(Kind::Claude, prepare) else { return };
    let id = real.muster.send(&["What is the capital of France?"]);
    let prompt = real.muster.await_prompt(id, "completed");
    let answered = real.answered();
    assert_eq!((calls(&own.1), answered.len()), (2, 2), "it ended once, after the second answer");
    assert_eq!(prompt["prompt"]["result"]["answer"].as_str(), answered.last().map(String::as_str));
}

#[test]
fn a_permission_of_claude_code_is_told_with_its_tool_and_arguments() {
    let Some(real) = start(Kind::Claude) else { return };
    real.muster.send(&["Please create the marker file"]);
    let asks = wait_for("the request", || {
        real.muster.session("a").filter(|session| !session["dialog"]["request"].is_null())
    });
    let request = &asks["dialog"]["request"];
    assert_eq!(request["tool"], "Bash");
    let arguments: serde_json::Value = serde_json::from_str(request["arguments"].as_str().unwrap()).unwrap();
    assert_eq!(arguments["command"], request["detail"]);
    assert!(request["detail"].as_str().unwrap().contains("marker.txt"));
}

#[test]
fn the_users_own_notify_of_codex_is_called_after_ours() {
    let mut own = (String::new(), PathBuf::new());
    let prepare = |home: &Path| {
        own = witness(home, "own", "");
        let config = home.join(".codex/config.toml");
        let text = std::fs::read_to_string(&config).unwrap();
        std::fs::write(&config, format!("notify = [\"{}\", \"with\", \"words\"]\n{text}", own.0)).unwrap();
    };
    let Some(real) = start_with(Kind::Codex, prepare) else { return };
    let id = real.muster.send(&["What is the capital of France?"]);
    let prompt = real.muster.await_prompt(id, "completed");
    assert_eq!(prompt["prompt"]["result"]["answer"], "The capital of France is Paris.");
    wait_for("the user's own program", || (calls(&own.1) > 0).then_some(()));
    assert!(
        std::fs::read_to_string(&own.1).unwrap().starts_with("with words {\"type\":\"agent-turn-complete\"")
    );
}

#[test]
fn a_command_of_codex_is_told_with_its_status_by_its_transcript() {
    let Some(real) = start(Kind::Codex) else { return };
    let id = real.muster.send(&["Please create the marker file"]);
    real.muster.await_state("a", "waiting_permission");
    wait_for("the permission to be given", || {
        real.muster.run("assign", &["approve", "a"]).status.success().then_some(())
    });
    real.muster.await_prompt(id, "completed");
    let events = real.muster.json("assign", &["--json", "logs", "a"]);
    let ran = events.iter().find(|row| row["event"]["rule"] == "codex.transcript.command");
    let ran = ran.unwrap_or_else(|| panic!("{events:?}"));
    assert_eq!(ran["event"]["fields"]["status"], "0");
    assert!(ran["event"]["fields"]["command"].as_str().unwrap().contains("marker.txt"));
}

fn breaks_out_of_no_paste(kind: Kind) {
    let Some(real) = start(kind) else { return };
    let payload = "\u{1b}[200~ say safe \u{1b}[201~\rtouch broken-out\r!touch broken-out\r";
    let id = real.muster.send(&[payload]);
    real.muster.await_prompt(id, "completed");
    assert_eq!(real.asked("touch broken-out"), 1, "all of it is one text to the model");
    assert!(!real.project.join("broken-out").exists());
}

#[test]
fn a33_a_prompt_breaks_out_of_no_paste_to_claude() {
    breaks_out_of_no_paste(Kind::Claude);
}

#[test]
fn a33_a_prompt_breaks_out_of_no_paste_to_codex() {
    breaks_out_of_no_paste(Kind::Codex);
}

/// What a composer takes for a switch to a shell, a note, a file or a command when a person types it.
fn takes_a_leading_prefix_literally_or_not_at_all(kind: Kind, refused: &[&str]) {
    let Some(real) = start(kind) else { return };
    for prompt in
        ["!touch switched", "#keep this note", "@hello.py is a file", "/etc/hosts is one", "/clear it all"]
    {
        let id = real.muster.send(&[prompt]);
        if refused.contains(&prompt) {
            let held = real.muster.await_prompt(id, "held");
            assert_eq!(held["prompt"]["hold"]["code"], "text_refused", "{held}");
            real.muster.run("assign", &["cancel", &id.to_string()]);
        } else {
            real.muster.await_prompt(id, "completed");
            assert_eq!(real.asked(prompt), 1, "{prompt} reached the model as it is");
        }
    }
    assert!(!real.project.join("switched").exists());
}

#[test]
fn a43_claude_code_takes_a_leading_prefix_literally_or_not_at_all() {
    takes_a_leading_prefix_literally_or_not_at_all(Kind::Claude, &["/clear it all"]);
}

#[test]
fn a43_codex_takes_a_leading_prefix_literally() {
    takes_a_leading_prefix_literally_or_not_at_all(Kind::Codex, &[]);
}
