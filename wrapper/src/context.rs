//! Where a session works: directory and variables from the process, branch from git's own files. Must not: run git.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use extractor::Redactor;
use sha2::{Digest, Sha256};
use wire::session::Context;

use crate::sys;

/// Longest file of git that is read here, in bytes; only the list of packed branches is ever long.
const GIT_FILE_MAX: u64 = 4 << 20;

/// Variables that name an environment, and are part of every context.
const NAMING: [&str; 3] = ["VIRTUAL_ENV", "CONDA_DEFAULT_ENV", "NODE_ENV"];

/// Variables of a session that tasks asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    /// What was typed into a shell: the system does not tell of it.
    pub typed: BTreeMap<String, String>,
    /// What the program was started with: the system is asked whether that is so, where it tells.
    pub given: BTreeMap<String, String>,
}

/// Reads the context of a process; `fallback` is its directory when the system does not tell.
pub fn read(pid: i32, fallback: &Path, asked: &Asked) -> Context {
    let dir = sys::working_dir(pid).unwrap_or_else(|| fallback.to_owned());
    let mut context = of_dir(&dir);
    let named = |name: &str| NAMING.contains(&name) || asked.given.contains_key(name);
    context.env = match sys::environment(pid) {
        Some(has) => has.into_iter().filter(|(name, _)| named(name)).collect(),
        None => asked.given.clone(),
    };
    context.env.extend(asked.typed.clone());
    context.hash = hash(&context);
    context
}

/// The context of a directory, whoever works there.
pub fn of_dir(dir: &Path) -> Context {
    let found = dir.ancestors().find_map(|root| Some((root, git_dir(root)?)));
    let text = |path: &Path| path.to_string_lossy().into_owned();
    let mut context = Context {
        dir: text(dir),
        branch: found.as_ref().and_then(|(_, git)| branch(git)),
        repo: found.map(|(root, _)| text(root)),
        env: BTreeMap::new(),
        hash: String::new(),
    };
    context.hash = hash(&context);
    context
}

/// The commit that is checked out at a directory, as git's own files tell.
pub fn commit(dir: &Path) -> Option<String> {
    let git = dir.ancestors().find_map(git_dir)?;
    let head = read_small(&git.join("HEAD"))?;
    let head = head.trim();
    let Some(name) = head.strip_prefix("ref: ") else { return Some(head.to_owned()) };
    // A work tree's branches are those of the repository that it belongs to.
    let common = read_small(&git.join("commondir")).map_or(git.clone(), |text| git.join(text.trim()));
    if let Some(loose) = read_small(&common.join(name)) {
        return Some(loose.trim().to_owned());
    }
    let packed = read_small(&common.join("packed-refs"))?;
    packed
        .lines()
        .find_map(|line| line.split_once(' ').filter(|(_, n)| *n == name))
        .map(|(id, _)| id.to_owned())
}

/// First 12 hexadecimal digits of SHA-256 over directory, branch and variables.
pub fn hash(context: &Context) -> String {
    let mut hash = Sha256::new();
    let mut part = |text: &str| {
        hash.update(text.as_bytes());
        hash.update([0]);
    };
    part(&context.dir);
    part(context.branch.as_deref().unwrap_or(""));
    for (name, value) in &context.env {
        part(name);
        part(value);
    }
    wire::text::hex(&hash.finalize()[..6])
}

/// The context as it may be told: a variable's name may say that its value is secret. The hash follows what is told,
/// as a hash of a secret would let guesses be tried.
pub fn without_secrets(context: &Context, redactor: &Redactor) -> Context {
    let mut told = context.clone();
    for (name, value) in &mut told.env {
        let pair = format!("{name}={value}");
        let clean = redactor.cut(&pair);
        *value = match clean.split_once('=') {
            Some((same, clean)) if same == name => clean.to_owned(),
            _ => String::new(),
        };
    }
    told.hash = hash(&told);
    told
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

    #[test]
    fn the_commit_is_read_from_loose_and_packed_branches_and_in_work_trees() {
        let dir = tempfile::tempdir().unwrap();
        let git = dir.path().join(".git");
        std::fs::create_dir_all(git.join("refs/heads")).unwrap();
        std::fs::create_dir_all(git.join("worktrees/w")).unwrap();
        std::fs::write(git.join("HEAD"), "ref: refs/heads/main\n").unwrap();
        assert_eq!(commit(dir.path()), None, "a branch without a commit");
        std::fs::write(git.join("packed-refs"), "# pack-refs\nabc refs/heads/main\n").unwrap();
        assert_eq!(commit(dir.path()).as_deref(), Some("abc"));
        std::fs::write(git.join("refs/heads/main"), "def\n").unwrap();
        assert_eq!(commit(&dir.path().join("src")).as_deref(), Some("def"));
        let tree = dir.path().join("tree");
        std::fs::create_dir(&tree).unwrap();
        std::fs::write(tree.join(".git"), "gitdir: ../.git/worktrees/w\n").unwrap();
        std::fs::write(git.join("worktrees/w/HEAD"), "ref: refs/heads/main\n").unwrap();
        std::fs::write(git.join("worktrees/w/commondir"), "../..\n").unwrap();
        assert_eq!(commit(&tree).as_deref(), Some("def"));
    }

    #[test]
    fn another_context_is_another_hash() {
        let one = of_dir(Path::new("/p"));
        let mut other = one.clone();
        other.env.insert("A".into(), "1".into());
        assert_eq!((one.hash.len(), hash(&one)), (12, one.hash.clone()));
        assert_ne!(hash(&other), one.hash);
        assert_ne!(hash(&Context { branch: Some("b".into()), ..one.clone() }), one.hash);
    }

    #[test]
    fn variables_that_were_given_or_typed_are_told_and_no_others() {
        let mut child = std::process::Command::new("sleep");
        let mut child = child.arg("60").env("MUSTER_T", "given").env("MUSTER_U", "no").spawn().unwrap();
        let asked = Asked {
            typed: [("V".to_owned(), "typed".to_owned())].into(),
            given: [("MUSTER_T".to_owned(), String::new())].into(),
        };
        let mut env = BTreeMap::new();
        // Between fork and exec the child has its parent's environment.
        while cfg!(target_os = "linux") && !env.contains_key("MUSTER_T") {
            env = read(child.id() as i32, Path::new("/"), &asked).env;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        if cfg!(target_os = "linux") {
            assert_eq!(env.get("V").map(String::as_str), Some("typed"));
            assert!(!env.contains_key("MUSTER_U"));
        }
    }

    #[test]
    fn what_a_variable_keeps_secret_is_not_told() {
        let redactor =
            Redactor::new(patterns::Secrets::builtin(), ["correct horse battery".to_owned()], [7; 16]);
        let mut context = of_dir(Path::new("/p"));
        context.env.insert("PHRASE".into(), "correct horse battery".into());
        context.env.insert("NODE_ENV".into(), "test".into());
        context.hash = hash(&context);
        let told = without_secrets(&context, &redactor);
        assert!(!told.env["PHRASE"].contains("horse"), "{told:?}");
        assert_eq!(told.env["NODE_ENV"], "test");
        assert_ne!(told.hash, context.hash);
    }
}
