//! Where a session works: directory from the process, branch from git's own files. Must not: run git.

use std::path::{Path, PathBuf};

use wire::session::Context;

use crate::sys;

/// Longest file of git that is read here, in bytes.
const GIT_FILE_MAX: u64 = 4096;

/// Reads the context of a process; `fallback` is its directory when the system does not tell.
pub fn read(pid: i32, fallback: &Path) -> Context {
    of_dir(&sys::working_dir(pid).unwrap_or_else(|| fallback.to_owned()))
}

/// The context of a directory.
pub fn of_dir(dir: &Path) -> Context {
    let found = dir.ancestors().find_map(|root| Some((root, git_dir(root)?)));
    let text = |path: &Path| path.to_string_lossy().into_owned();
    Context {
        dir: text(dir),
        branch: found.as_ref().and_then(|(_, git)| branch(git)),
        repo: found.map(|(root, _)| text(root)),
        env: Default::default(),
        hash: String::new(),
    }
}

/// The context of a screen that belongs to no session.
pub fn nowhere() -> Context {
    Context { dir: String::new(), branch: None, repo: None, env: Default::default(), hash: String::new() }
}

/// Git's folder for the work tree at `root`: `.git` itself, or where a `.git` file points (worktrees, submodules).
fn git_dir(root: &Path) -> Option<PathBuf> {
    let git = root.join(".git");
    if git.is_dir() {
        return Some(git);
    }
    let text = read_small(&git)?;
    Some(root.join(text.trim().strip_prefix("gitdir: ")?))
}

fn branch(git: &Path) -> Option<String> {
    read_small(&git.join("HEAD"))?.trim().strip_prefix("ref: refs/heads/").map(str::to_owned)
}

/// Only small ordinary files: never a pipe that would block, never a device.
fn read_small(path: &Path) -> Option<String> {
    let meta = std::fs::metadata(path).ok()?;
    (meta.is_file() && meta.len() <= GIT_FILE_MAX).then(|| std::fs::read_to_string(path).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_branch_is_read_in_repositories_worktrees_and_outside() {
        let dir = tempfile::tempdir().unwrap();
        let repo = dir.path().join("repo");
        let inner = repo.join("src");
        std::fs::create_dir_all(repo.join(".git/worktrees/w")).unwrap();
        std::fs::create_dir_all(&inner).unwrap();
        std::fs::write(repo.join(".git/HEAD"), "ref: refs/heads/feature/x\n").unwrap();
        std::fs::write(repo.join(".git/worktrees/w/HEAD"), "0123456789abcdef\n").unwrap();
        let tree = dir.path().join("tree");
        std::fs::create_dir(&tree).unwrap();
        std::fs::write(tree.join(".git"), format!("gitdir: {}\n", repo.join(".git/worktrees/w").display()))
            .unwrap();

        assert_eq!(of_dir(&inner).branch.as_deref(), Some("feature/x"));
        assert_eq!(of_dir(&inner).repo, Some(repo.to_string_lossy().into_owned()));
        assert_eq!(of_dir(&tree).branch, None, "a detached head is no branch");
        assert!(of_dir(&tree).repo.is_some());
        assert_eq!(of_dir(dir.path()).repo, None);
    }
}
