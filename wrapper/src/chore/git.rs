//! Git, run so that a repository cannot make it do anything of its own. Must not: be given a name that was not checked.
//!
//! No hook, no monitor, no filter, no prompt, no lock that is not needed; names come after `--`.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use tokio::process::Command;
use wire::prompt::{Hold, HoldCode};

use super::Tree;
use super::command::{self, Keep, Ran};
use crate::gate::hold;

/// Longest time that one call may take.
const LIMIT: Duration = Duration::from_secs(60);

/// Variables that would lead git away from the directory that it is called in.
const MISLEADING: [&str; 8] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_COMMON_DIR",
    "GIT_NAMESPACE",
    "GIT_CEILING_DIRECTORIES",
    "GIT_CONFIG_PARAMETERS",
    "GIT_EXTERNAL_DIFF",
];

/// A call of git in a directory, without the filters that the repository itself names: whoever may write its
/// configuration, as an agent may, would run a program by them. Those of the user's own configuration work.
pub async fn git(dir: &Path, arguments: &[&str]) -> Command {
    let ask = ["config", "--show-scope", "--name-only", "-z", "--get-regexp", r"^filter\."];
    let ran = command::run(call(dir, &ask), LIMIT, Keep::First(1 << 20)).await;
    let off = filters(&ran.map(|ran| ran.output).unwrap_or_default());
    let mut command = call(dir, arguments);
    command.env("GIT_CONFIG_COUNT", off.len().to_string());
    for (n, (name, value)) in off.into_iter().enumerate() {
        command.env(format!("GIT_CONFIG_KEY_{n}"), name).env(format!("GIT_CONFIG_VALUE_{n}"), value);
    }
    command
}

/// What switches off the filters that git lists, as scopes and names in turn: those of the repository.
fn filters(listed: &[u8]) -> Vec<(String, &'static str)> {
    let listed = String::from_utf8_lossy(listed);
    let words: Vec<&str> = listed.split('\0').collect();
    let own = words.chunks_exact(2).filter(|pair| matches!(pair[0], "local" | "worktree"));
    let drivers: BTreeSet<&str> =
        own.filter_map(|pair| pair[1].rsplit_once('.').map(|(driver, _)| driver)).collect();
    let off = [("smudge", ""), ("clean", ""), ("process", ""), ("required", "false")];
    drivers
        .into_iter()
        .flat_map(|driver| off.map(|(what, value)| (format!("{driver}.{what}"), value)))
        .collect()
}

fn call(dir: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("git");
    command.args([
        "-c",
        "core.fsmonitor=",
        "-c",
        "core.hooksPath=/dev/null",
        "-c",
        "protocol.ext.allow=never",
    ]);
    command.args(arguments).current_dir(dir);
    for name in MISLEADING {
        command.env_remove(name);
    }
    command::powerless(&mut command);
    command
        .env("GIT_OPTIONAL_LOCKS", "0")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_NO_LAZY_FETCH", "1")
        .env("LC_ALL", "C");
    command
}

/// Runs a call and keeps the beginning of what it writes.
pub async fn run(command: Command, most: usize) -> Result<Ran, String> {
    let ran = command::run(command, LIMIT, Keep::First(most)).await;
    let ran = ran.map_err(|fault| format!("git cannot be run: {fault}"))?;
    match ran.status {
        Some(0) => Ok(ran),
        Some(status) => {
            let said = command::plain(&ran.errors);
            Err(if said.is_empty() { format!("git ended with status {status}") } else { said })
        }
        None => Err(format!("git took longer than {} seconds", LIMIT.as_secs())),
    }
}

/// What a call writes, as text without the last line's end.
pub async fn text(dir: &Path, arguments: &[&str]) -> Result<String, String> {
    let ran = run(git(dir, arguments).await, 1 << 20).await?;
    Ok(String::from_utf8_lossy(&ran.output).trim_end_matches('\n').to_owned())
}

/// The commit of a branch of the repository at `dir`, if that is the name of one.
pub async fn branch(dir: &Path, name: &str) -> Result<String, Hold> {
    let missing = |why: &str| hold(HoldCode::MissingBranch, &format!("{name:?} {why} in {}", dir.display()));
    // `@{-1}` and the like are expanded: only what stays the same is a name.
    match text(dir, &["check-ref-format", "--branch", name]).await {
        Ok(same) if same == name => {}
        Ok(_) | Err(_) => return Err(missing("is no name of a branch; nothing can be checked out")),
    }
    let reference = format!("refs/heads/{name}^{{commit}}");
    let found = text(dir, &["rev-parse", "--verify", "--quiet", "--end-of-options", &reference]).await;
    found.map_err(|_| missing("is no branch"))
}

/// Checks a branch out in a clean work tree.
pub async fn switch(dir: &Path, name: &str) -> Result<(), Hold> {
    branch(dir, name).await?;
    let not_prepared =
        |why: &str| hold(HoldCode::NotPrepared, &format!("{name} cannot be checked out: {why}"));
    let dirty = |what: &str| {
        let why = format!("{name} is not checked out in {}: {what}; commit or stash first", dir.display());
        hold(HoldCode::DirtyTree, &why)
    };
    let status = ["status", "--porcelain", "--untracked-files=no"];
    let changed = text(dir, &status).await.map_err(|why| not_prepared(&why))?;
    if let Some(first) = changed.lines().next() {
        return Err(dirty(&format!("there are changes that nobody committed ({})", first.trim())));
    }
    match text(dir, &["switch", "--quiet", "--no-guess", "--", name]).await {
        Ok(_) => Ok(()),
        Err(why) if why.contains("would be overwritten") => Err(dirty(&why)),
        Err(why) => Err(not_prepared(&why)),
    }
}

/// Makes a work tree with a branch of its own.
pub async fn make_tree(tree: &Tree) -> Result<(), Hold> {
    let add = ["worktree", "add", "--quiet", "-b", &tree.branch, "--", &tree.path, &tree.base];
    let made = text(Path::new(&tree.repo), &add).await;
    made.map(drop).map_err(|why| hold(HoldCode::NotPrepared, &format!("no work tree could be made: {why}")))
}

/// Removes a work tree; its branch goes as well, unless something was committed to it. Whether the tree is gone.
pub async fn remove_tree(tree: &Tree) -> bool {
    let repo = Path::new(&tree.repo);
    if let Err(why) = text(repo, &["worktree", "remove", "--force", "--", &tree.path]).await {
        if Path::new(&tree.path).exists() {
            tracing::warn!(path = tree.path, why, "a work tree stays");
            return false;
        }
        let _ = text(repo, &["worktree", "prune"]).await;
    }
    let reference = format!("refs/heads/{}", tree.branch);
    let tip = text(repo, &["rev-parse", "--verify", "--quiet", "--end-of-options", &reference]).await;
    if tip.is_ok_and(|tip| tip == tree.base) {
        let _ = text(repo, &["branch", "--quiet", "-D", "--", &tree.branch]).await;
    }
    true
}
