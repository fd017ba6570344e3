//! A fleet of real agents: three sessions in two directories and on two branches get twenty prompts each kind of which
//! ends as it should, judged by what the model was asked and by where the files are.
//!
//! Tried when `MUSTER_TEST_AGENTS` names the folder with the agents' commands, as `scripts/test` does.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use actors::home::Kind;
use e2e::real::Real;
use serde_json::{Value, json};

/// How long the whole fleet may take before the test gives up.
const PATIENCE: Duration = Duration::from_secs(360);

/// What a prompt should come to.
#[derive(Debug, Clone, PartialEq)]
enum Comes {
    /// Completed with this answer.
    To(String),
    /// Completed, and this file is where the prompt ran.
    Made(String),
    /// Failed for this cause.
    Fails(&'static str),
    /// Called off while it ran.
    CalledOff,
}

struct Sent {
    id: i64,
    text: String,
    dir: PathBuf,
    branch: &'static str,
    comes: Comes,
}

fn git(dir: &Path, arguments: &[&str]) -> String {
    let out = Command::new("git").args(arguments).current_dir(dir).output().unwrap();
    assert!(out.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap().trim().to_owned()
}

struct Fleet {
    real: Real,
    sent: Vec<Sent>,
}

impl Fleet {
    fn send(&mut self, text: &str, (dir, branch): (&Path, &'static str), comes: Comes, more: Value) {
        let mut asked = json!({ "text": text, "dir": dir, "branch": branch, "attempts": 1 });
        asked.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let id = self.real.muster.api().post("/v1/prompts", &asked).unwrap()["id"].as_i64().unwrap();
        self.sent.push(Sent { id, text: text.to_owned(), dir: dir.to_owned(), branch, comes });
    }

    /// Says yes to all that is asked, and calls off what is to be called off, until all have ended.
    fn settle(&self) -> Vec<Value> {
        let api = self.real.muster.api();
        let until = Instant::now() + PATIENCE;
        loop {
            for open in api.get("/v1/approvals?state=open").unwrap().as_array().unwrap() {
                // What has just appeared is not answered at once; then it is asked again.
                let path = format!("/v1/approvals/{}/answer", open["id"]);
                let _ = api
                    .post(&path, &json!({ "dialog": open["dialog"]["id"], "choice": {"type": "approve"} }));
            }
            let all: Vec<Value> =
                self.sent.iter().map(|s| api.get(&format!("/v1/prompts/{}", s.id)).unwrap()).collect();
            for (sent, now) in self.sent.iter().zip(&all) {
                // It is to be called off while it runs: the model has been asked.
                let runs = now["prompt"]["state"] == "in_progress" && self.real.asked(&sent.text) > 0;
                if sent.comes == Comes::CalledOff && runs {
                    let _ = api.post(&format!("/v1/prompts/{}/cancel", sent.id), &json!({}));
                }
            }
            let ended = |p: &Value| {
                matches!(p["prompt"]["state"].as_str(), Some("completed" | "failed" | "cancelled"))
            };
            if all.iter().all(ended) {
                return all;
            }
            let left = all.iter().filter(|p| !ended(p)).map(|p| p["prompt"].to_string()).collect::<Vec<_>>();
            assert!(Instant::now() < until, "not ended: {left:#?}");
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    fn judge(&self, sent: &Sent, ended: &Value) {
        let prompt = &ended["prompt"];
        let result = &prompt["result"];
        // An agent whose model fails asks it again by itself.
        let asked = self.real.asked(&sent.text);
        let again = sent.comes == Comes::Fails("api_error");
        assert!(asked == 1 || again && asked > 1, "asked {asked} times: {prompt}");
        let state = prompt["state"].as_str().unwrap();
        let answer = result["answer"].as_str().unwrap_or_default();
        let ran = prompt["session"].as_str().unwrap();
        assert!(!ran.is_empty(), "{prompt}");
        match &sent.comes {
            Comes::To(said) => {
                assert_eq!((state, answer), ("completed", said.as_str()), "{prompt}");
                assert!(self.real.answered().contains(said), "the model said it");
            }
            Comes::Made(name) => {
                assert_eq!(state, "completed", "{prompt}");
                assert_eq!(git(&sent.dir, &["branch", "--show-current"]), sent.branch);
                assert_eq!(answer, format!("The file {name} is there."));
                let found: Vec<PathBuf> =
                    self.trees().into_iter().filter(|t| t.join(name).exists()).collect();
                assert_eq!(found, std::slice::from_ref(&sent.dir), "{name} is there and nowhere else");
            }
            Comes::Fails(cause) => {
                assert_eq!((state, result["cause"].as_str()), ("failed", Some(*cause)), "{prompt}");
            }
            Comes::CalledOff => assert_eq!(state, "cancelled", "{prompt}"),
        }
    }

    /// All work trees of all projects.
    fn trees(&self) -> Vec<PathBuf> {
        let list =
            |name: &str| git(&self.real.muster.folder().join(name), &["worktree", "list", "--porcelain"]);
        let lines = ["one", "two"].map(list).join("\n");
        lines.lines().filter_map(|line| line.strip_prefix("worktree ")).map(PathBuf::from).collect()
    }
}

fn every_prompt_comes_to_what_the_model_says(kind: Kind) {
    let Some(real) = Real::new(kind) else { return };
    let (one, two) = (real.project("one"), real.project("two"));
    for project in [&one, &two] {
        git(project, &["branch", "dev"]);
    }
    // Another commit, so that the branches can be told apart.
    git(&two, &["checkout", "--quiet", "dev"]);
    let name = ["-c", "user.name=T", "-c", "user.email=t@localhost", "-c", "commit.gpgsign=false"];
    for project in [&one, &two] {
        let tree = git(project, &["rev-parse", "dev^{tree}"]);
        let commit = git(project, &[&name[..], &["commit-tree", &tree, "-p", "dev", "-m", "dev"]].concat());
        git(project, &["update-ref", "refs/heads/dev", &commit]);
    }
    for (name, project) in [("a", &one), ("b", &two), ("c", &one)] {
        real.start(name, project);
    }
    for name in ["a", "b", "c"] {
        real.muster.await_state(name, "idle");
    }
    let mut fleet = Fleet { real, sent: Vec::new() };
    let (main, dev) = ((one.as_path(), "main"), (two.as_path(), "dev"));
    for i in 0..12 {
        let place = if i % 3 == 2 { dev } else { main };
        let said = format!("Ran n{i:02} at once.");
        fleet.send(&format!("quick run n{i:02}"), place, Comes::To(said), json!({}));
    }
    for (i, place) in [main, dev, main, dev, main].into_iter().enumerate() {
        let made = format!("made{i}");
        fleet.send(&format!("make the file {made}"), place, Comes::Made(made), json!({}));
    }
    fleet.send("Please overload the model", main, Comes::Fails("api_error"), json!({}));
    fleet.send("Explain sorting to me", dev, Comes::CalledOff, json!({}));
    let never = json!({ "verify": "test -e never" });
    fleet.send("quick run unverified", main, Comes::Fails("verify_failed"), never);
    assert_eq!(fleet.sent.len(), 20);
    let ended = fleet.settle();
    for (sent, ended) in fleet.sent.iter().zip(&ended) {
        fleet.judge(sent, ended);
    }
}

#[test]
fn every_prompt_to_claude_code_comes_to_what_the_model_says() {
    every_prompt_comes_to_what_the_model_says(Kind::Claude);
}

#[test]
fn every_prompt_to_codex_comes_to_what_the_model_says() {
    every_prompt_comes_to_what_the_model_says(Kind::Codex);
}
