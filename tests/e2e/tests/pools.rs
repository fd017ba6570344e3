//! Sessions are started when prompts wait for them, ended when they rest, and never more than allowed.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use e2e::{Muster, Terminal, root, signal, wait_for};
use rustix::process::Signal;
use serde_json::Value;

const QUESTION: &str = "What is the capital of France?";

/// Keeps a pool of scripted agents.
fn keep(muster: &Muster, project: &Path, options: &[&str], manners: &[&str]) {
    let agent = muster.program("scripted-agent");
    let scripts = root().join("fixtures/scripts");
    let mut all = vec!["pool", "add", "api", "--dir", project.to_str().unwrap()];
    all.extend(options);
    all.extend(["--", agent.to_str().unwrap(), "--scripts", scripts.to_str().unwrap()]);
    all.extend(manners);
    muster.ok("assign", &all);
}

fn pool(muster: &Muster) -> Value {
    muster.json("assign", &["--json", "pool", "ls"]).into_iter().next().unwrap()
}

/// Names of all sessions there ever were, and of those that live.
fn sessions(muster: &Muster) -> (Vec<Value>, Vec<String>) {
    let all = muster.json("assign", &["--json", "sessions", "--all"]);
    let live = all.iter().filter(|session| session["exit"].is_null());
    let live = live.map(|session| session["name"].as_str().unwrap().to_owned()).collect();
    (all, live)
}

fn audited(muster: &Muster, what: &str) -> usize {
    let audit = muster.json("assign", &["--json", "audit"]).remove(0);
    audit["entries"].as_array().unwrap().iter().filter(|entry| entry["what"] == what).count()
}

#[test]
fn a_pool_starts_sessions_from_zero_and_ends_them_when_they_rest() {
    let muster = Muster::new();
    let project = muster.project("p");
    keep(&muster, &project, &["--max", "2", "--idle", "10s"], &[]);
    assert_eq!(sessions(&muster).1, [""; 0]);
    let ids: Vec<i64> =
        ["api", "api", "api"].iter().map(|pool| muster.send(&["--to", pool, QUESTION])).collect();
    for id in ids {
        muster.await_prompt(id, "completed");
        assert!(sessions(&muster).1.len() <= 2);
    }
    wait_for("the sessions to be ended", || sessions(&muster).1.is_empty().then_some(()));
    let (all, _) = sessions(&muster);
    assert!((1..=2).contains(&all.len()), "{all:?}");
    assert!(all.iter().all(|session| session["pool"] == "api"));
    assert_eq!(pool(&muster)["failures"], 0, "an end that was asked for is no failure");
    assert_eq!(audited(&muster, "pool.start"), all.len());
}

#[test]
fn a_person_s_draft_keeps_its_session() {
    let muster = Muster::new();
    let project = muster.project("p");
    keep(&muster, &project, &["--max", "1", "--idle", "10s"], &[]);
    let id = muster.send(&[QUESTION]);
    muster.await_prompt(id, "completed");
    let mut attach = muster.command("wrap");
    attach.args(["attach", "api-1"]);
    let mut terminal = Terminal::run(&attach);
    wait_for("the terminal", || muster.session("api-1").filter(|session| session["attached"] == true));
    terminal.write(b"half a thought");
    terminal.await_text("half a thought");
    terminal.write(b"\x1cd");
    assert_eq!(terminal.await_end(), 0);
    wait_for("the pool to ask for the end", || (audited(&muster, "pool.end") > 0).then_some(()));
    wait_for("the pool to ask again", || (audited(&muster, "pool.end") > 1).then_some(()));
    assert_eq!(sessions(&muster).1, ["api-1"]);
}

#[test]
fn a_server_that_was_killed_starts_none_twice() {
    let muster = Muster::new();
    let project = muster.project("p");
    keep(&muster, &project, &["--min", "2", "--max", "2"], &[]);
    wait_for("the least", || (sessions(&muster).1.len() == 2).then_some(()));
    signal(muster.server(), Signal::KILL);
    muster.ok("assign", &["status"]);
    let id = muster.send(&[QUESTION]);
    muster.await_prompt(id, "completed");
    wait_for("the pool to know its sessions", || {
        (pool(&muster)["sessions"].as_array()?.len() == 2).then_some(())
    });
    assert_eq!(sessions(&muster).0.len(), 2);
    assert_eq!(audited(&muster, "pool.start"), 2);
}

#[test]
fn a_pool_s_session_makes_files_as_its_user_does() {
    let muster = Muster::new();
    let project = muster.project("p");
    let own = std::process::Command::new("sh").args(["-c", "umask"]).output().unwrap().stdout;
    let dir = project.to_str().unwrap();
    let command = "umask > mask.new; mv mask.new mask; read forever";
    muster.ok("assign", &["pool", "add", "api", "--dir", dir, "--min", "1", "--", "sh", "-c", command]);
    let mask = wait_for("the session's mask", || std::fs::read(project.join("mask")).ok());
    assert_eq!(String::from_utf8_lossy(&mask), String::from_utf8_lossy(&own));
}

#[test]
fn an_agent_that_crashes_backs_off_and_says_why() {
    let muster = Muster::new();
    let project = muster.project("p");
    let dir = project.to_str().unwrap();
    muster.ok(
        "assign",
        &["pool", "add", "api", "--dir", dir, "--min", "1", "--", "sh", "-c", "echo broken; exit 3"],
    );
    let failed =
        wait_for("two failures", || Some(pool(&muster)).filter(|pool| pool["failures"].as_u64() >= Some(2)));
    assert!(failed["last_failure"].as_str().unwrap().contains("with status 3"), "{failed}");
    assert!(!failed["resting_until"].is_null());
    assert_eq!(audited(&muster, "pool.start"), 2);
    let told = muster.ok("assign", &["pool", "ls"]);
    assert!(told.contains("failed 2 in a row"), "{told}");
    muster.ok("assign", &["pool", "add", "api", "--dir", dir, "--", "no-such-program"]);
    muster.ok("assign", &["pool", "rm", "api"]);
    assert_eq!(muster.run("assign", &["pool", "rm", "api"]).status.code(), Some(4));
}
