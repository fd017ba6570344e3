//! The promises of preparing, of verifying and of work trees, against real repositories.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;
use tokio::sync::oneshot;
use wire::prompt::{Hold, HoldCode, WorktreePolicy};
use wire::wrapper::Offer;
use wire::{AttemptId, PromptId};

use super::{Chore, Done, Prepared, Tree, run};
use crate::context;

/// A repository with two branches; `main` is checked out, and `a.txt` differs.
struct Repository {
    dir: TempDir,
}

impl Repository {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let repository = Self { dir };
        std::fs::create_dir_all(repository.root().join("src")).unwrap();
        repository.git(&["init", "--quiet", "-b", "main"]);
        repository.write("a.txt", "main");
        repository.write("src/lib.txt", "main");
        repository.commit("first");
        repository.git(&["switch", "--quiet", "-c", "dev"]);
        repository.write("a.txt", "dev");
        repository.write("only-dev.txt", "dev");
        repository.commit("second");
        repository.git(&["switch", "--quiet", "main"]);
        repository
    }

    fn root(&self) -> PathBuf {
        self.dir.path().canonicalize().unwrap().join("r")
    }

    fn worktrees(&self) -> PathBuf {
        self.dir.path().canonicalize().unwrap().join("worktrees")
    }

    #[track_caller]
    fn git(&self, arguments: &[&str]) -> String {
        git_in(&self.root(), arguments)
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.root().join(name), text).unwrap();
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.root().join(name)).unwrap()
    }

    fn commit(&self, message: &str) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "-m", message]);
    }

    fn offer(&self) -> Offer {
        let dir = Some(self.root().to_string_lossy().into_owned());
        Offer { dir, may_move: true, ..Offer::new(AttemptId(7), PromptId(3), 1, "x") }
    }

    async fn prepare(&self, offer: Offer) -> Result<Prepared, Hold> {
        let (_held, called_off) = oneshot::channel();
        let context = Box::new(context::of_dir(&self.root()));
        let chore = Chore::Prepare { offer: Box::new(offer), context };
        match run(chore, self.worktrees(), called_off).await {
            Done::Prepared(prepared) => prepared,
            other => panic!("{other:?}"),
        }
    }

    async fn refused(&self, offer: Offer) -> HoldCode {
        self.prepare(offer).await.expect_err("it is refused").code
    }
}

#[track_caller]
fn git_in(dir: &Path, arguments: &[&str]) -> String {
    let out = Command::new("git")
        .args(["-c", "user.name=T", "-c", "user.email=t@localhost", "-c", "commit.gpgsign=false"])
        .args(arguments)
        .current_dir(dir)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null")
        .output()
        .expect("git is there");
    assert!(out.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap().trim().to_owned()
}

async fn remove(repository: &Repository, tree: Tree) -> Done {
    let (_held, called_off) = oneshot::channel();
    run(Chore::Remove(tree), repository.worktrees(), called_off).await
}

#[tokio::test]
async fn another_branch_is_checked_out_in_a_clean_tree() {
    let repository = Repository::new();
    repository.write("not-followed.txt", "stays");
    let prepared =
        repository.prepare(Offer { branch: Some("dev".into()), ..repository.offer() }).await.unwrap();
    assert_eq!((prepared.dir, prepared.branch), (repository.offer().dir, Some("dev".into())));
    assert_eq!(
        (repository.read("a.txt"), repository.read("not-followed.txt")),
        ("dev".into(), "stays".into())
    );
}

#[tokio::test]
async fn a_tree_with_changes_is_left_alone() {
    let repository = Repository::new();
    let wanted = || Offer { branch: Some("dev".into()), ..repository.offer() };
    repository.write("a.txt", "mine");
    assert_eq!(repository.refused(wanted()).await, HoldCode::DirtyTree);
    repository.git(&["add", "a.txt"]);
    assert_eq!(repository.refused(wanted()).await, HoldCode::DirtyTree);
    assert_eq!(repository.read("a.txt"), "mine");
    repository.git(&["reset", "--quiet", "--hard"]);
    repository.write("only-dev.txt", "mine, and git does not follow it");
    assert_eq!(repository.refused(wanted()).await, HoldCode::DirtyTree);
    assert!(repository.read("only-dev.txt").starts_with("mine"));
    assert_eq!(repository.git(&["branch", "--show-current"]), "main");
}

#[tokio::test]
async fn a_branch_that_is_none_is_refused_and_never_an_option() {
    let repository = Repository::new();
    repository.git(&["tag", "v1"]);
    for name in
        ["nothing", "--evil", "-", "@{-1}", "v1", "HEAD", "a..b", "dev ", "", "refs/heads/dev", "--detach"]
    {
        let wanted = Offer { branch: Some(name.into()), ..repository.offer() };
        assert_eq!(repository.refused(wanted.clone()).await, HoldCode::MissingBranch, "{name:?}");
        let tree = Offer { worktree: Some(WorktreePolicy::Remove), ..wanted };
        assert_eq!(repository.refused(tree).await, HoldCode::MissingBranch, "{name:?}");
    }
    assert_eq!(repository.git(&["branch", "--show-current"]), "main");
}

#[tokio::test]
async fn a64_a_repository_cannot_make_a_switch_run_anything() {
    let repository = Repository::new();
    let mark = repository.dir.path().join("ran");
    let hook = repository.root().join(".git/hooks/post-checkout");
    std::fs::create_dir_all(hook.parent().unwrap()).unwrap();
    std::fs::write(&hook, format!("#!/bin/sh\ntouch {}\n", mark.display())).unwrap();
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(&hook, std::fs::Permissions::from_mode(0o755)).unwrap();
    repository.git(&["config", "core.fsmonitor", hook.to_str().unwrap()]);
    repository.prepare(Offer { branch: Some("dev".into()), ..repository.offer() }).await.unwrap();
    assert!(!mark.exists());
}

#[tokio::test]
async fn a64_a_repositorys_filters_do_not_run() {
    let repository = Repository::new();
    let mark = repository.dir.path().join("ran");
    let filter = format!("touch '{}'; cat", mark.display());
    for what in ["smudge", "clean"] {
        repository.git(&["config", &format!("filter.a=b.{what}"), &filter]);
    }
    repository.git(&["config", "filter.a=b.required", "true"]);
    std::fs::write(repository.root().join(".git/info/attributes"), "* filter=a=b\n").unwrap();
    // Git looks again at a file whose times have changed.
    std::fs::remove_file(repository.root().join("a.txt")).unwrap();
    repository.git(&["checkout", "--", "a.txt"]);
    let _ = std::fs::remove_file(&mark);
    repository.prepare(Offer { branch: Some("dev".into()), ..repository.offer() }).await.unwrap();
    let tree = Offer { worktree: Some(WorktreePolicy::Keep), ..repository.offer() };
    repository.prepare(tree).await.unwrap();
    assert!(!mark.exists());
}

#[tokio::test]
async fn a_directory_that_is_not_there_is_refused_and_links_are_resolved() {
    let repository = Repository::new();
    let dir = |dir: &str| Offer { dir: Some(dir.into()), ..repository.offer() };
    for missing in ["/nothing/there", "relative", &format!("{}/a.txt", repository.root().display())] {
        assert_eq!(repository.refused(dir(missing)).await, HoldCode::MissingDir, "{missing}");
    }
    let link = repository.dir.path().join("link");
    std::os::unix::fs::symlink(repository.root(), &link).unwrap();
    let prepared = repository.prepare(dir(link.to_str().unwrap())).await.unwrap();
    assert_eq!(prepared.dir, repository.offer().dir);
}

#[tokio::test]
async fn what_prerequisites_export_is_set_for_the_agent_and_for_the_next() {
    let repository = Repository::new();
    let lines =
        ["export BUILD=\"$KIND-1\"; HIDDEN=no", "test \"$BUILD\" = big-1 && export 'TWO=two\nlines'; cd /"];
    let offer = Offer {
        env: [("KIND".to_owned(), "big".to_owned())].into(),
        prerequisites: lines.map(str::to_owned).to_vec(),
        ..repository.offer()
    };
    let prepared = repository.prepare(offer).await.unwrap();
    let env: Vec<_> = prepared.env.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(env, [("BUILD", "big-1"), ("KIND", "big"), ("TWO", "two\nlines")]);
}

#[tokio::test]
async fn a25_what_a_prerequisite_exports_passes_through_a_private_folder_of_ours() {
    let repository = Repository::new();
    let lines = vec!["export WHERE=$MUSTER_REPORT MODE=$(stat -c %a \"$MUSTER_REPORT\")".to_owned()];
    let prepared = repository.prepare(Offer { prerequisites: lines, ..repository.offer() }).await.unwrap();
    let report = Path::new(&prepared.env["WHERE"]);
    assert_eq!(
        (report.parent(), prepared.env["MODE"].as_str()),
        (Some(repository.worktrees().as_path()), "600")
    );
    assert!(!report.exists(), "it is removed again");
}

#[tokio::test]
async fn a22_what_works_for_a_session_is_given_no_credential_of_ours() {
    let shell = super::command::shell("env", Path::new("/"), &Default::default());
    for command in [shell, super::git::git(Path::new("/"), &["status"]).await] {
        for name in ["MUSTER_TOKEN", "OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_TRACES_HEADERS"] {
            assert!(command.as_std().get_envs().any(|(n, value)| n == name && value.is_none()), "{name}");
        }
    }
}

#[tokio::test]
async fn a_prerequisite_that_fails_says_what_it_said() {
    let repository = Repository::new();
    let lines = vec!["true".to_owned(), "echo no network >&2; exit 7".to_owned(), "touch ran".to_owned()];
    let hold = repository.prepare(Offer { prerequisites: lines, ..repository.offer() }).await.unwrap_err();
    assert_eq!(hold.code, HoldCode::Prerequisite);
    assert!(hold.text.contains("status 7") && hold.text.ends_with("no network"), "{}", hold.text);
    assert!(!repository.root().join("ran").exists());
    let slow = Offer { prerequisites: vec!["sleep 600".into()], accept_ms: 200, ..repository.offer() };
    assert_eq!(repository.refused(slow).await, HoldCode::Prerequisite);
}

#[tokio::test]
async fn a_work_tree_is_made_for_one_attempt_and_goes_with_its_empty_branch() {
    let repository = Repository::new();
    let dir = Some(repository.root().join("src").to_string_lossy().into_owned());
    let offer = Offer { dir, worktree: Some(WorktreePolicy::Remove), ..repository.offer() };
    let prepared = repository.prepare(offer).await.unwrap();
    let tree = prepared.tree.unwrap();
    assert_eq!(tree.path, repository.worktrees().join("r-p3-a7").to_string_lossy());
    assert_eq!(prepared.dir.unwrap(), format!("{}/src", tree.path));
    assert_eq!(prepared.branch.as_deref(), Some("muster/p3-a7"));
    assert_eq!(repository.git(&["branch", "--show-current"]), "main", "the user's own tree is left alone");
    std::fs::write(Path::new(&tree.path).join("new.txt"), "x").unwrap();
    assert_eq!(remove(&repository, tree.clone()).await, Done::Removed(true));
    assert!(!Path::new(&tree.path).exists());
    assert_eq!(repository.git(&["branch", "--list", "muster/*"]), "");
}

#[tokio::test]
async fn a_branch_with_commits_outlives_its_work_tree() {
    let repository = Repository::new();
    let branch = Some("dev".into());
    let offer = Offer { branch, worktree: Some(WorktreePolicy::Remove), ..repository.offer() };
    let tree = repository.prepare(offer).await.unwrap().tree.unwrap();
    let path = Path::new(&tree.path);
    assert_eq!(std::fs::read_to_string(path.join("a.txt")).unwrap(), "dev");
    std::fs::write(path.join("a.txt"), "better").unwrap();
    git_in(path, &["commit", "--quiet", "-am", "better"]);
    assert_eq!(remove(&repository, tree.clone()).await, Done::Removed(true));
    assert_eq!(repository.git(&["show", "muster/p3-a7:a.txt"]), "better");
}

#[tokio::test]
async fn nothing_is_left_of_a_preparation_that_fails_or_is_called_off() {
    let repository = Repository::new();
    let tree = || Offer { worktree: Some(WorktreePolicy::Keep), ..repository.offer() };
    let failing = Offer { prerequisites: vec!["false".into()], ..tree() };
    assert_eq!(repository.refused(failing).await, HoldCode::Prerequisite);
    let mark = repository.dir.path().join("began");
    let waiting = Offer { prerequisites: vec![format!("touch {}; sleep 600", mark.display())], ..tree() };
    let (call_off, called_off) = oneshot::channel();
    let context = Box::new(context::of_dir(&repository.root()));
    let chore = Chore::Prepare { offer: Box::new(waiting), context };
    let running = tokio::spawn(run(chore, repository.worktrees(), called_off));
    while !mark.exists() {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    drop(call_off);
    assert!(matches!(running.await.unwrap(), Done::Prepared(Err(_))));
    assert_eq!(std::fs::read_dir(repository.worktrees()).unwrap().count(), 0);
    assert_eq!(repository.git(&["branch", "--list", "muster/*"]), "");
}

#[tokio::test]
async fn what_changed_is_told_committed_or_not_and_the_tree_stays_as_it_is() {
    let repository = Repository::new();
    let base = repository.git(&["rev-parse", "HEAD"]);
    repository.write("a.txt", "changed\n");
    repository.commit("third");
    std::fs::remove_file(repository.root().join("src/lib.txt")).unwrap();
    repository.write("new.txt", "fresh\n");
    let status = repository.git(&["status", "--porcelain"]);
    let dir = repository.root().join("src").to_string_lossy().into_owned();
    let (_held, called_off) = oneshot::channel();
    let chore = Chore::Collect { dir, base: base.clone(), patch: true };
    let Done::Collected(Some(changes)) = run(chore, repository.worktrees(), called_off).await else {
        panic!("git tells")
    };
    let files: Vec<_> = changes.files.iter().map(|f| (f.status.as_str(), f.path.as_str())).collect();
    assert_eq!(files, [("M", "a.txt"), ("D", "src/lib.txt"), ("?", "new.txt")]);
    assert!(changes.diff.contains("+changed") && changes.diff.contains("+fresh"), "{}", changes.diff);
    assert_eq!((changes.base, changes.cut), (base, false));
    assert_eq!(repository.git(&["status", "--porcelain"]), status);
}

#[tokio::test]
async fn a_verification_tells_its_status_and_the_end_of_what_it_said() {
    let repository = Repository::new();
    let dir = repository.root().to_string_lossy().into_owned();
    let env: std::collections::BTreeMap<_, _> = [("WORD".to_owned(), "main".to_owned())].into();
    let line = "printf '\\033[31m%s\\033[0m\\n' \"$WORD\"; grep -q \"$WORD\" a.txt";
    let verify = |line: &str, limit_ms| {
        let (command, dir, env) = (line.to_owned(), dir.clone(), env.clone());
        let (held, called_off) = oneshot::channel();
        let run = run(Chore::Verify { command, dir, env, limit_ms }, repository.worktrees(), called_off);
        async move {
            let _held = held;
            match run.await {
                Done::Verified(verification) => verification,
                other => panic!("{other:?}"),
            }
        }
    };
    let good = verify(line, 60_000).await;
    assert_eq!((good.status, good.output.as_str(), good.command.as_str()), (Some(0), "main", line));
    assert_eq!(verify("exit 4", 60_000).await.status, Some(4));
    assert_eq!(verify("sleep 600", 100).await.status, None);
}
