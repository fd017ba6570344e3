//! A prompt runs where, on which branch and with what it asked for: server, wrapper, agent and git together.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use e2e::{Muster, Terminal, program, root, wait_for};
use serde_json::Value;

fn git(dir: &Path, arguments: &[&str]) -> String {
    let name = ["-c", "user.name=T", "-c", "user.email=t@localhost", "-c", "commit.gpgsign=false"];
    let out = Command::new("git").args(name).args(arguments).current_dir(dir).output().unwrap();
    assert!(out.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap().trim().to_owned()
}

/// A place with a scripted agent in the project `p`, and another project with a branch `dev`.
struct Two {
    muster: Muster,
    here: PathBuf,
    there: PathBuf,
    kept: PathBuf,
}

fn two() -> Two {
    let muster = Muster::new();
    let (here, there) = (muster.project("p"), muster.project("q"));
    git(&there, &["branch", "dev"]);
    let kept = muster.folder().join("kept");
    muster.scripted("a", &here, &["--keep", kept.to_str().unwrap()]);
    muster.await_state("a", "idle");
    Two { muster, here, there, kept }
}

impl Two {
    /// Sends and waits, as `assign --wait` does.
    fn wait(&self, arguments: &[&str]) -> Output {
        self.muster.run("assign", &[&["--wait"], arguments].concat())
    }

    fn held(&self, id: i64, code: &str) -> Value {
        wait_for(&format!("prompt {id} to be held for {code}"), || {
            Some(self.muster.prompt(id)).filter(|p| p["prompt"]["hold"]["code"] == code)
        })
    }

    fn received(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.kept).unwrap()).into_owned()
    }

    /// Says yes to what the agent asks next.
    fn approve(&self) {
        wait_for("the permission to be given", || {
            self.muster.run("assign", &["approve", "a"]).status.success().then_some(())
        });
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn code(out: &Output) -> Option<i32> {
    eprintln!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    out.status.code()
}

#[test]
fn a_shell_is_brought_into_the_directory_and_gets_the_variables() {
    let muster = Muster::new();
    let (here, there) = (muster.project("p"), muster.project("it's q"));
    muster.ok("wrap", &["-d", "--name", "sh", "-C", text(&here), "bash", "--norc", "--noprofile"]);
    muster.await_state("sh", "idle");
    let id = muster.send(&["--command", "--dir", text(&there), "--env", "X=a b", "echo \"$X\" > mark"]);
    let prompt = muster.await_prompt(id, "completed");
    assert_eq!(std::fs::read_to_string(there.join("mark")).unwrap(), "a b\n");
    let told = prompt["prompt"]["attempt"]["receipts"].to_string();
    assert!(told.contains("prepared"), "{told}");
    let context = wait_for("its context", || {
        Some(muster.session("sh")?["context"].clone()).filter(|c| c["dir"] == text(&there))
    });
    assert_eq!(context["env"]["X"], "a b");
}

#[test]
fn an_agent_is_started_anew_in_the_directory_and_on_the_branch() {
    let two = two();
    let out = two.wait(&["--dir", text(&two.there), "--branch", "dev", "quick run moved"]);
    assert_eq!(code(&out), Some(0));
    assert_eq!(String::from_utf8_lossy(&out.stdout).trim(), "Ran moved at once.");
    assert_eq!(git(&two.there, &["branch", "--show-current"]), "dev");
    let context = two.muster.session("a").unwrap()["context"].clone();
    assert_eq!((context["dir"].as_str(), context["branch"].as_str()), (two.there.to_str(), Some("dev")));
    let pid = two.muster.live("a").unwrap()["pid"].as_i64().unwrap();
    assert_eq!(std::fs::read_link(format!("/proc/{pid}/cwd")).unwrap(), two.there);
    assert_eq!(two.received().matches("quick run moved").count(), 1);
}

#[test]
fn a_branch_is_not_checked_out_over_changes_that_nobody_committed() {
    let two = two();
    std::fs::write(two.there.join("hello.py"), "mine\n").unwrap();
    let id = two.muster.send(&["--dir", text(&two.there), "--branch", "dev", "quick run clean"]);
    let held = two.held(id, "dirty_tree");
    assert!(matches!(held["prompt"]["state"].as_str(), Some("held" | "assigned")), "{held}");
    assert_eq!(git(&two.there, &["branch", "--show-current"]), "main");
    assert_eq!(std::fs::read_to_string(two.there.join("hello.py")).unwrap(), "mine\n");
    assert_eq!(two.received(), "");
    // Once it is clean, the prompt goes by itself.
    git(&two.there, &["checkout", "--quiet", "hello.py"]);
    two.muster.await_prompt(id, "completed");
    assert_eq!(git(&two.there, &["branch", "--show-current"]), "dev");
}

#[test]
fn what_cannot_be_prepared_is_held_for_a_person_and_nothing_is_typed() {
    let two = two();
    let there = text(&two.there);
    let cases = [
        ("missing_branch", &["--dir", there, "--branch", "nowhere", "quick run one"][..]),
        ("missing_dir", &["--dir", "/nowhere/at/all", "quick run two"]),
        ("prerequisite", &["--dir", there, "--prerequisite", "echo no; exit 3", "quick run three"]),
    ];
    for (i, (hold, arguments)) in cases.into_iter().enumerate() {
        assert_eq!(code(&two.wait(arguments)), Some(6), "{hold}");
        let prompt = two.muster.prompt(i as i64 + 1);
        assert_eq!(prompt["prompt"]["hold"]["code"], hold, "{prompt}");
    }
    let why = two.muster.ok("assign", &["why", "3"]);
    assert!(why.contains("ended with status 3") && why.contains("no"), "{why}");
    assert_eq!(two.received(), "");
}

#[test]
fn what_a_prerequisite_exports_reaches_the_agent() {
    let two = two();
    let prerequisite = "test -e hello.py && export WORD='a b'";
    let out = two.wait(&["--dir", text(&two.there), "--prerequisite", prerequisite, "quick run told"]);
    assert_eq!(code(&out), Some(0));
    let pid = two.muster.live("a").unwrap()["pid"].as_i64().unwrap();
    let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap();
    assert!(environment.split(|byte| *byte == 0).any(|entry| entry == b"WORD=a b"));
}

#[test]
fn a_work_tree_of_its_own_holds_the_changes_and_goes_when_it_is_not_wanted() {
    let two = two();
    for policy in ["remove", "keep"] {
        let name = format!("made-{policy}");
        let id = two.muster.send(&[&format!("--worktree={policy}"), &format!("make the file {name}")]);
        two.approve();
        let prompt = two.muster.await_prompt(id, "completed");
        let result = &prompt["prompt"]["result"];
        assert_eq!(result["changes"]["files"][0]["path"], name.as_str(), "{result}");
        assert!(result["changes"]["diff"].as_str().unwrap().contains(&name), "{result}");
        assert!(!two.here.join(&name).exists(), "the session's own tree is left alone");
        let tree = Path::new(result["worktree"]["path"].as_str().unwrap());
        let branch = result["worktree"]["branch"].as_str().unwrap();
        let branches = git(&two.here, &["branch", "--list", branch]);
        match policy {
            "remove" => {
                assert!(!tree.exists() && branches.is_empty(), "{result}");
                wait_for("the session to be back", || {
                    two.muster.session("a").filter(|s| s["context"]["dir"] == text(&two.here))
                });
            }
            _ => assert!(tree.join(&name).exists() && !branches.is_empty(), "{result}"),
        }
    }
}

#[test]
fn a_failed_verification_is_told_to_the_next_try_and_the_one_that_succeeds_is_believed() {
    let two = two();
    let verify = ["--dir", text(&two.here), "--verify", "echo looked; test -f done"];
    let id = two.muster.send(&[&verify[..], &["quick run checked"]].concat());
    wait_for("the first try to fail", || {
        Some(two.muster.prompt(id)).filter(|p| p["prompt"]["state"] == "pending" && p["prompt"]["tried"] == 1)
    });
    std::fs::write(two.here.join("done"), "").unwrap();
    // A person need not wait for the pause.
    two.muster.ok("assign", &["retry", &id.to_string()]);
    let prompt = two.muster.await_prompt(id, "completed");
    assert_eq!(prompt["prompt"]["result"]["source"], "verify");
    let received = two.received();
    assert!(received.contains("(An earlier attempt at this, number 1, failed"), "{received}");
    assert!(received.contains("looked"), "the end of what its check said: {received}");
    // With one try the failure is the end.
    std::fs::remove_file(two.here.join("done")).unwrap();
    let out = two.wait(&[&verify[..], &["--attempts", "1", "quick run unchecked"]].concat());
    assert_eq!(code(&out), Some(1));
    assert_eq!(two.muster.prompt(2)["prompt"]["result"]["cause"], "verify_failed");
}

#[test]
fn prompts_wait_for_others_and_for_their_time_and_can_be_changed_meanwhile() {
    let two = two();
    let muster = &two.muster;
    let first = muster.send(&["Explain sorting"]);
    let second = muster.send(&["--after", &first.to_string(), "quick run un"]);
    let later = muster.send(&["--in", "1h", "quick run later"]);
    muster.await_prompt(first, "in_progress");
    assert_eq!(muster.prompt(second)["prompt"]["hold"]["code"], "after");
    let (text, now) = (["--text", "quick run deux", "--priority", "9"], "1970-01-01T00:00");
    muster.ok("assign", &[&["edit", &second.to_string()], &text[..]].concat());
    let third = muster.send(&["--branch", "nowhere", "--to", "nobody", "quick run trois"]);
    let plan = muster.json("assign", &["plan", "--json"]).remove(0);
    let waits = plan["prompts"].as_array().unwrap().iter().find(|p| p["prompt"] == third);
    assert!(waits.unwrap()["session"].is_null() && waits.unwrap()["waits"].is_string(), "{plan}");
    muster.ok("assign", &["cancel", &third.to_string()]);
    muster.ok("assign", &["cancel", &first.to_string()]);
    muster.await_prompt(first, "cancelled");
    two.held(second, "after_failed");
    assert_eq!(muster.json("assign", &["clear", "--state", "failed", "--json"])[0]["count"], 0);
    // Another try of what it waits for lets it go on.
    muster.ok("assign", &["edit", &later.to_string(), "--at", now]);
    muster.await_prompt(later, "completed");
    let selected = ["retry", "--all", "--state", "cancelled", "--session", "a", "--json"];
    assert_eq!(muster.json("assign", &selected)[0]["count"], 1);
    let done = muster.await_prompt(second, "completed");
    assert_eq!(done["prompt"]["result"]["answer"], "Ran deux at once.");
    assert!(!two.received().contains("quick run un\u{1b}"), "the changed text and not the first");
    assert_eq!(muster.json("assign", &["clear", "--state", "completed", "--json"])[0]["count"], 3);
    let left = muster.json("assign", &["prompts", "--json"]);
    assert_eq!(left.iter().map(|p| p["id"].as_i64().unwrap()).collect::<Vec<_>>(), [third]);
}

#[test]
fn a_session_with_a_person_in_front_of_it_is_never_brought_elsewhere() {
    let muster = Muster::new();
    let (here, there) = (muster.project("p"), muster.project("q"));
    let mut wrap = muster.command("wrap");
    wrap.args(["--name", "mine", "-C"]).arg(&here).arg(program("scripted-agent"));
    wrap.arg("--scripts").arg(root().join("fixtures/scripts"));
    let terminal = Terminal::run(&wrap);
    terminal.await_text("ready");
    let mine = muster.await_state("mine", "idle");
    let id = muster.send(&["--dir", text(&there), "quick run away"]);
    let prompt = wait_for("a routing", || {
        Some(muster.prompt(id)).filter(|p| !p["scores"].as_array().unwrap().is_empty())
    });
    assert_eq!(prompt["prompt"]["state"], "pending");
    let why = muster.ok("assign", &["why", &id.to_string()]);
    assert!(why.contains(&format!("works in {}, not in {}", here.display(), there.display())), "{why}");
    // One that is free goes there.
    muster.scripted("free", &here, &[]);
    muster.await_prompt(id, "completed");
    let dir = |name: &str| muster.session(name).unwrap()["context"]["dir"].as_str().map(PathBuf::from);
    assert_eq!((dir("mine"), dir("free")), (Some(here), Some(there)));
    assert_eq!(muster.session("mine").unwrap()["started"], mine["started"]);
}
