//! A prompt goes to the right session, is typed once, and its true result comes back; whatever is killed meanwhile.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use e2e::{Muster, is_alive, signal, wait_for};
use rustix::process::Signal;
use serde_json::Value;

const EDIT: &str = "Please greet the world politely in hello.py";
const QUESTION: &str = "What is the capital of France?";

/// A place with one scripted agent that is idle; everything it receives is kept in the file.
fn one_agent(manners: &[&str]) -> (Muster, PathBuf, PathBuf) {
    let muster = Muster::new();
    let project = muster.project("p");
    let kept = muster.folder().join("kept");
    let keep = ["--keep", kept.to_str().unwrap()];
    muster.scripted("a", &project, &[&keep, manners].concat());
    muster.await_state("a", "idle");
    (muster, project, kept)
}

fn steps(prompt: &Value) -> Vec<String> {
    let receipts = prompt["prompt"]["attempt"]["receipts"].as_array().cloned().unwrap_or_default();
    receipts.iter().map(|r| r["step"].as_str().unwrap().to_owned()).collect()
}

/// How often a text was pasted.
fn pasted(kept: &Path, text: &str) -> usize {
    let bytes = std::fs::read(kept).unwrap();
    String::from_utf8_lossy(&bytes).matches(&format!("\x1b[200~{text}\x1b[201~")).count()
}

#[test]
fn a_prompt_is_delivered_and_its_answer_comes_back() {
    let before =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis() as i64;
    let (muster, _, kept) = one_agent(&[]);
    assert!(
        muster.session("a").unwrap()["started"].as_i64().unwrap() >= before,
        "told from the first message on"
    );
    let out = muster.run("assign", &["--wait", QUESTION]);
    assert_eq!(out.status.code(), Some(0), "{}", String::from_utf8_lossy(&out.stderr));
    assert_eq!(String::from_utf8_lossy(&out.stdout).trim(), "The capital of France is Paris.");
    let prompt = muster.prompt(1);
    let expected =
        ["leased", "offered", "intent", "written", "seen", "submitted", "accepted", "started", "ended"];
    assert_eq!(steps(&prompt), expected);
    assert_eq!(prompt["prompt"]["result"]["outcome"], "completed");
    assert_eq!(std::fs::read(kept).unwrap(), format!("\x1b[200~{QUESTION}\x1b[201~\r").into_bytes());
}

#[test]
fn a_permission_is_given_from_the_command_line_and_the_file_is_changed() {
    let (muster, project, _) = one_agent(&[]);
    let id = muster.send(&[EDIT]);
    for _ in ["read", "edit"] {
        muster.give_permission("a");
    }
    let prompt = muster.await_prompt(id, "completed");
    assert!(prompt["prompt"]["result"]["answer"].as_str().unwrap().contains("polite"));
    assert!(std::fs::read_to_string(project.join("hello.py")).unwrap().contains("hello, world"));
}

#[test]
fn a38_an_answer_to_a_dialog_that_is_gone_is_refused() {
    let (muster, ..) = one_agent(&[]);
    let id = muster.send(&[EDIT]);
    muster.await_state("a", "waiting_permission");
    wait_for("the refusal to be typed", || {
        muster.run("assign", &["deny", "a"]).status.success().then_some(())
    });
    let prompt = muster.await_prompt(id, "failed");
    assert_eq!(prompt["prompt"]["result"]["outcome"], "interrupted");
    assert_eq!(muster.run("assign", &["approve", "a"]).status.code(), Some(5));
}

#[test]
fn a35_a_dialog_that_opens_after_the_paste_is_never_answered() {
    let (muster, _, kept) = one_agent(&["--dialog-after-paste-ms", "0"]);
    muster.send(&[QUESTION]);
    wait_for("the paste", || (pasted(&kept, QUESTION) == 1).then_some(()));
    wait_for("the dialog", || muster.session("a").filter(|s| !s["dialog"].is_null()));
    // Well past the time at which an Enter would have followed.
    let until = std::time::Instant::now() + std::time::Duration::from_secs(2);
    while std::time::Instant::now() < until {
        assert!(!std::fs::read(&kept).unwrap().contains(&b'\r'), "an Enter answered the dialog");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

#[test]
fn a_lost_enter_is_sent_again_and_the_text_is_not() {
    let (muster, _, kept) = one_agent(&["--lose-enters", "1"]);
    let id = muster.send(&[QUESTION]);
    muster.await_prompt(id, "completed");
    assert_eq!(pasted(&kept, QUESTION), 1);
    assert_eq!(std::fs::read(kept).unwrap().iter().filter(|b| **b == b'\r').count(), 2);
}

#[test]
fn a_draft_of_the_users_is_never_merged_and_never_sent() {
    let (muster, project, kept) = one_agent(&[]);
    let _ = project;
    let mut terminal = e2e::Terminal::run(muster.command("wrap").args(["attach", "a"]));
    terminal.await_text("ready");
    terminal.write(b"a draft of mine");
    terminal.await_text("a draft of mine");
    let id = muster.send(&[QUESTION]);
    let prompt = wait_for("the prompt to be held", || {
        Some(muster.prompt(id))
            .filter(|p| matches!(p["prompt"]["hold"]["code"].as_str(), Some("draft" | "human_typing")))
    });
    assert_eq!(prompt["prompt"]["state"], "held");
    assert_eq!(std::fs::read(&kept).unwrap(), b"a draft of mine");
    // Once the draft is gone, the prompt goes by itself.
    terminal.write(&[0x15]);
    muster.await_prompt(id, "completed");
}

#[test]
fn a45_the_person_at_the_terminal_keeps_everybody_else_from_typing() {
    let (muster, _project, kept) = one_agent(&[]);
    let mut terminal = e2e::Terminal::run(muster.command("wrap").args(["attach", "a"]));
    terminal.await_text("ready");
    terminal.write(b"\x1ck");
    let keeps = |muster: &Muster| muster.session("a").filter(|s| s["kept"] == true).map(drop);
    wait_for("the session to be kept", || keeps(&muster));
    let id = muster.send(&[QUESTION]);
    wait_for("the reason why it waits", || {
        let why = muster.run("assign", &["why", &id.to_string()]);
        String::from_utf8_lossy(&why.stdout).contains("is kept by the person at its terminal").then_some(())
    });
    // Neither a new observer nor leaving the terminal ends it.
    let observer = || muster.live("a").and_then(|s| s["observer"].as_i64()).filter(|pid| is_alive(*pid));
    let first = wait_for("an observer", observer);
    signal(first, Signal::KILL);
    wait_for("another observer", || observer().filter(|pid| *pid != first));
    terminal.write(b"\x1cd");
    assert_eq!(terminal.await_end(), 0);
    wait_for("the session to be kept still", || keeps(&muster));
    let read = || std::fs::read(&kept).unwrap();
    assert!(read().is_empty(), "nothing was typed: {:?}", String::from_utf8_lossy(&read()));
    let mut terminal = e2e::Terminal::run(muster.command("wrap").args(["attach", "a"]));
    terminal.await_text("ready");
    terminal.write(b"\x1cl");
    muster.await_prompt(id, "completed");
    assert_eq!(pasted(&kept, QUESTION), 1);
}

#[test]
fn g6_whatever_is_killed_a_prompt_is_typed_once() {
    let (muster, _, kept) = one_agent(&[]);
    let observer = || muster.live("a").and_then(|s| s["observer"].as_i64()).filter(|pid| is_alive(*pid));
    for (round, victim) in ["observer", "server", "both"].into_iter().enumerate() {
        let text = format!("{QUESTION} Round {round}.");
        let id = muster.send(&[&text]);
        if victim != "server" {
            signal(wait_for("an observer", observer), Signal::KILL);
        }
        if victim != "observer" {
            signal(muster.server(), Signal::KILL);
        }
        let settled =
            |p: &Value| matches!(p["prompt"]["state"].as_str(), Some("completed" | "held" | "failed"));
        let prompt = wait_for("the prompt to settle", || muster.try_prompt(id).filter(settled));
        let times = pasted(&kept, &text);
        assert!(times <= 1, "typed {times} times");
        match prompt["prompt"]["state"].as_str() {
            Some("completed") => assert_eq!(times, 1),
            _ => {
                // Held for a person, with the reason; what stands in the composer is cleared for the next round.
                assert!(prompt["prompt"]["hold"]["text"].is_string(), "{prompt}");
                muster.ok("assign", &["cancel", &id.to_string()]);
                let mut terminal = e2e::Terminal::run(muster.command("wrap").args(["attach", "a"]));
                terminal.await_text("ready");
                terminal.write(&[0x15]);
            }
        }
    }
}

#[test]
fn a_running_turn_is_called_off_by_the_agents_own_interrupt() {
    let (muster, ..) = one_agent(&[]);
    let id = muster.send(&["Explain sorting"]);
    muster.await_prompt(id, "in_progress");
    muster.ok("assign", &["cancel", &id.to_string()]);
    muster.await_prompt(id, "cancelled");
    muster.await_state("a", "idle");
}

#[test]
fn a33_a_prompt_cannot_break_out_of_its_paste() {
    let payload = "\u{1b}[200~ echo safe \u{1b}[201~\rtouch broken-out\r";
    let muster = Muster::new();
    let project = muster.project("p");
    let name = ["-d", "--name", "sh", "-C", project.to_str().unwrap(), "bash", "--norc", "--noprofile"];
    muster.ok("wrap", &name);
    muster.await_state("sh", "idle");
    let by_cli = muster.send(&["--to", "sh", payload]);
    let body = serde_json::json!({ "text": payload, "target": "sh" });
    let by_api = muster.api().post("/v1/prompts", &body).unwrap()["id"].as_i64().unwrap();
    let held = |p: &Value| p["prompt"]["hold"]["text"].to_string().contains("each line is a command");
    wait_for("the first to be held", || Some(muster.prompt(by_cli)).filter(held));
    muster.ok("assign", &["cancel", &by_cli.to_string()]);
    wait_for("the second to be held", || Some(muster.prompt(by_api)).filter(held));
    muster.ok("assign", &["cancel", &by_api.to_string()]);
    // The shell was typed nothing and takes what is meant.
    let sound = muster.send(&["--to", "sh", "echo sound"]);
    muster.await_prompt(sound, "completed");
    assert!(!project.join("broken-out").exists());
}

#[test]
fn a_shell_takes_a_prompt_and_tells_when_it_is_done() {
    let muster = Muster::new();
    let project = muster.project("p");
    muster.ok(
        "wrap",
        &["-d", "--name", "sh", "-C", project.to_str().unwrap(), "bash", "--norc", "--noprofile"],
    );
    muster.await_state("sh", "idle");
    let id = muster.send(&["--to", "sh", "echo made > marker; sleep 1; echo the sum is $((40 + 2))"]);
    let prompt = muster.await_prompt(id, "completed");
    assert!(project.join("marker").exists());
    assert!(prompt["prompt"]["result"]["answer"].as_str().unwrap().contains("the sum is 42"), "{prompt}");
}

#[test]
fn a_turn_that_fails_at_once_fails_its_prompt_with_the_agents_own_reason() {
    let (muster, ..) = one_agent(&[]);
    let id = muster.send(&["--attempts", "1", "Please overload the model"]);
    let prompt = muster.await_prompt(id, "failed");
    assert!(prompt["prompt"]["result"]["reason"].as_str().unwrap().contains("529"), "{prompt}");
}

#[test]
fn a_session_whose_wrapper_was_killed_whole_is_told_by_the_next() {
    let (muster, project, _) = one_agent(&[]);
    let session = muster.live("a").unwrap();
    // The holder first: it would start another observer.
    for role in ["holder", "observer"] {
        signal(session[role].as_i64().unwrap(), Signal::KILL);
    }
    wait_for("the server to miss it", || (muster.session("a")?["link"] == "disconnected").then_some(()));
    assert_eq!(muster.session("a").unwrap()["claim"]["state"], "idle", "a broken link is no state");
    muster.scripted("b", &project, &[]);
    muster.await_state("a", "exited");
}

#[test]
fn a_session_whose_holder_was_killed_is_told_although_nothing_was_recorded_of_its_end() {
    let (muster, ..) = one_agent(&[]);
    let done = muster.send(&[QUESTION]);
    muster.await_prompt(done, "completed");
    signal(muster.live("a").unwrap()["holder"].as_i64().unwrap(), Signal::KILL);
    assert_eq!(muster.await_state("a", "exited")["exit"]["signal"], 1);
}

#[test]
fn a_session_that_ends_is_told_and_its_prompt_fails() {
    let (muster, ..) = one_agent(&[]);
    let id = muster.send(&["--attempts", "1", "Explain sorting"]);
    muster.await_prompt(id, "in_progress");
    muster.ok("wrap", &["kill", "-s", "9", "a"]);
    let prompt = muster.await_prompt(id, "failed");
    assert_eq!(prompt["prompt"]["result"]["source"], "exit");
    assert_eq!(muster.await_state("a", "exited")["exit"]["signal"], 9);
}
