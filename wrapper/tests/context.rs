//! Real sessions are brought into a context by their wrappers: shells by `cd`, others by starting them anew.

#![allow(clippy::unwrap_used)]

mod standin;

use std::path::Path;
use std::process::Command;

use standin::Standin;
use wire::prompt::{Cause, HoldCode, Outcome, Step, WorktreePolicy};
use wire::session::Moves;
use wire::wrapper::{Offer, ToWrapper};
use wire::{AttemptId, PromptId};

const SHELL: [&str; 3] = ["bash", "--norc", "--noprofile"];

/// A program that reads lines and runs them, and cannot change its directory for good: each line has a shell of its own.
const READER: &str = "#!/bin/sh\nwhile printf '$ ' && read -r line; do sh -c \"$line\"; done\n";

const READER_PROFILE: &str = r#"
name = "reader"
title = "Reader"
commands = ["reader"]
lines = "stream"

[input]
paste = "never"
enter = "\r"
interrupt = "\u0003"
settle_ms = 30
moves = "relaunch"
told_failures = false

[timing]
ready_ms = 300
idle_ms = 250

[composer]
marker = '^\$ '
at = "cursor"
absent = "busy"
matches = ["$ ls"]
rejects = ["ls"]
"#;

fn offer(fence: u64, text: &str) -> Offer {
    Offer { may_move: true, ..Offer::new(AttemptId(fence as i64), PromptId(3), fence, text) }
}

fn text(path: &Path) -> Option<String> {
    Some(path.to_str().unwrap().to_owned())
}

#[track_caller]
fn git(dir: &Path, arguments: &[&str]) -> String {
    let name = ["-c", "user.name=T", "-c", "user.email=t@localhost", "-c", "commit.gpgsign=false"];
    let out = Command::new("git").args(name).args(arguments).current_dir(dir).output().expect("git is there");
    assert!(out.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap().trim().to_owned()
}

fn repository(standin: &Standin) -> std::path::PathBuf {
    let dir = standin.folder("r");
    git(&dir, &["init", "--quiet", "-b", "main"]);
    std::fs::write(dir.join("a.txt"), "one\n").unwrap();
    git(&dir, &["add", "--all"]);
    git(&dir, &["commit", "--quiet", "-m", "first"]);
    dir
}

async fn shell() -> Standin {
    let mut standin = Standin::new();
    let dir = standin.folder("begin");
    standin.wrap(&[], &dir, &SHELL);
    assert_eq!(standin.welcome().await.now.moves, Moves::Shell);
    standin.idle().await;
    standin
}

async fn reader(arguments: &[&str]) -> Standin {
    let mut standin = Standin::new();
    let dir = standin.folder("begin");
    std::fs::write(standin.folder("config/agents").join("reader.toml"), READER_PROFILE).unwrap();
    let program = standin.folder("bin").join("reader");
    std::fs::write(&program, READER).unwrap();
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    standin.wrap(arguments, &dir, &[program.to_str().unwrap()]);
    standin.welcome().await;
    standin.idle().await;
    standin
}

#[tokio::test]
async fn a_shell_runs_a_task_where_and_with_what_it_was_asked_for() {
    let mut standin = shell().await;
    let dir = standin.folder("it's elsewhere");
    let mark = standin.home.path().join("mark");
    let line = format!("echo \"$WORD $MORE in $PWD\" > {}", mark.display());
    let task = Offer {
        dir: text(&dir),
        env: [("WORD".to_owned(), "a $b 'c'".to_owned())].into(),
        prerequisites: vec!["export MORE=more".to_owned()],
        ..offer(1, &line)
    };
    let result = standin.offer(task.clone()).await.unwrap();
    assert_eq!(result.outcome, Outcome::Completed, "{result:?}");
    let said = std::fs::read_to_string(&mark).unwrap();
    assert_eq!(said.trim(), format!("a $b 'c' more in {}", dir.display()));
    assert_eq!(standin.steps(&task)[..3], [Step::Offered, Step::Prepared, Step::Intent]);
    let there = |s: &Standin| s.now.as_ref().filter(|n| n.context.dir == dir.to_str().unwrap()).cloned();
    let now = standin.until("there", there).await;
    assert_eq!(now.context.env.get("MORE").map(String::as_str), Some("more"));

    // What is as it was asked for already needs no way there.
    standin.idle().await;
    let again = Offer { fence: 2, attempt: AttemptId(2), prerequisites: Vec::new(), ..task };
    standin.offer(again.clone()).await.unwrap();
    assert_eq!(standin.steps(&again)[..2], [Step::Offered, Step::Intent]);
}

#[tokio::test]
async fn a_program_is_started_anew_in_another_directory_and_the_session_goes_on() {
    let mut standin = reader(&[]).await;
    assert_eq!(standin.now.as_ref().unwrap().moves, Moves::Relaunch);
    let dir = standin.folder("elsewhere");
    let mark = standin.home.path().join("mark");
    let line = format!("echo $WORD in $PWD > {}", mark.display());
    let env = [("WORD".to_owned(), "told".to_owned())].into();
    let task = Offer { dir: text(&dir), env, ..offer(1, &line) };
    let result = standin.offer(task.clone()).await.unwrap();
    assert_eq!(result.outcome, Outcome::Completed, "{result:?}");
    assert_eq!(std::fs::read_to_string(&mark).unwrap().trim(), format!("told in {}", dir.display()));
    let steps = standin.steps(&task);
    assert_eq!(steps[..3], [Step::Offered, Step::Prepared, Step::Intent]);
    assert_eq!(standin.now.as_ref().unwrap().exit, None);
}

#[tokio::test]
async fn a_branch_is_checked_out_only_in_a_clean_tree_and_never_by_the_shell() {
    let mut standin = shell().await;
    let dir = repository(&standin);
    git(&dir, &["branch", "dev"]);
    std::fs::write(dir.join("a.txt"), "mine\n").unwrap();
    let task = |fence| Offer { dir: text(&dir), branch: Some("dev".into()), ..offer(fence, "git status") };
    assert_eq!(standin.offer(task(1)).await, Err(HoldCode::DirtyTree));
    git(&dir, &["checkout", "--quiet", "a.txt"]);
    let result = standin.offer(task(2)).await.unwrap();
    assert_eq!(result.outcome, Outcome::Completed);
    assert!(result.answer.contains("On branch dev"), "{result:?}");
    assert_eq!(result.changes.unwrap().files, []);
}

#[tokio::test]
async fn a_task_in_a_work_tree_leaves_its_changes_and_nothing_else() {
    for mut standin in [shell().await, reader(&[]).await] {
        let dir = repository(&standin);
        let worktree = Some(WorktreePolicy::Remove);
        let task = Offer { dir: text(&dir), worktree, ..offer(1, "echo two >> a.txt; echo new > b.txt") };
        let result = standin.offer(task).await.unwrap();
        assert_eq!(result.outcome, Outcome::Completed, "{result:?}");
        let tree = result.worktree.unwrap();
        assert!(!tree.kept && !Path::new(&tree.path).exists(), "{tree:?}");
        let changes = result.changes.unwrap();
        assert!(changes.diff.contains("+two") && changes.diff.contains("+new"), "{}", changes.diff);
        assert_eq!(git(&dir, &["branch", "--list", "muster/*"]), "");
        assert_eq!(std::fs::read_to_string(dir.join("a.txt")).unwrap(), "one\n");
        let begin = standin.folder("begin");
        let back =
            |s: &Standin| s.now.as_ref().filter(|n| n.context.dir == begin.to_str().unwrap()).map(drop);
        standin.until("back", back).await;
    }
}

#[tokio::test]
async fn a_task_is_done_when_its_verification_says_so() {
    let mut standin = shell().await;
    let dir = standin.folder("begin");
    let verify = Some("echo checked; test -e made".to_owned());
    let task = |fence, line| Offer { dir: text(&dir), verify: verify.clone(), ..offer(fence, line) };
    let result = standin.offer(task(1, "echo nothing")).await.unwrap();
    assert_eq!((result.outcome, result.cause), (Outcome::Failed, Some(Cause::VerifyFailed)));
    assert_eq!(result.verification.unwrap().output, "checked");
    standin.idle().await;
    let result = standin.offer(task(2, "touch made")).await.unwrap();
    assert_eq!((result.outcome, result.source.as_str()), (Outcome::Completed, "verify"));
}

#[tokio::test]
async fn an_observer_that_ends_while_it_verifies_is_followed_by_one_that_verifies_again() {
    let mut standin = shell().await;
    let begin = standin.folder("begin");
    let (began, go) = (begin.join("began"), begin.join("go"));
    let verify = format!("touch {}; while [ ! -e {} ]; do sleep 0.05; done", began.display(), go.display());
    let line = "echo once >> typed";
    let task = Offer { dir: text(&begin), verify: Some(verify), ..offer(1, line) };
    standin.say(&ToWrapper::Offer(task.clone())).await;
    standin.file(&began).await;
    std::fs::remove_file(&began).unwrap();
    standin.kill_observer().await;
    standin.file(&began).await;
    std::fs::write(&go, "").unwrap();
    let result = standin.verdict(task.attempt).await.unwrap();
    assert_eq!((result.outcome, result.source.as_str()), (Outcome::Completed, "verify"));
    assert_eq!(std::fs::read_to_string(begin.join("typed")).unwrap(), "once\n");
    let ended = standin.steps(&task).into_iter().filter(|step| *step == Step::Ended).count();
    assert_eq!(ended, 1);
}

#[tokio::test]
async fn an_observer_that_ends_while_it_prepares_gives_the_prompt_back_and_leaves_no_work_tree() {
    let mut standin = shell().await;
    let dir = repository(&standin);
    let began = standin.home.path().join("began");
    let go = standin.home.path().join("go");
    let wait = format!("touch {}; while [ ! -e {} ]; do sleep 0.05; done", began.display(), go.display());
    let prerequisites = vec![wait];
    let worktree = Some(WorktreePolicy::Keep);
    let task = Offer { dir: text(&dir), worktree, prerequisites, ..offer(1, "echo never") };
    standin.say(&ToWrapper::Offer(task.clone())).await;
    standin.file(&began).await;
    standin.kill_observer().await;
    std::fs::write(&go, "").unwrap();
    assert_eq!(standin.verdict(task.attempt).await, Err(HoldCode::NotIdle));
    // First the work tree goes, and then its branch.
    while !git(&dir, &["branch", "--list", "muster/*"]).is_empty() {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert!(!git(&dir, &["worktree", "list", "--porcelain"]).contains("muster/"));
}
