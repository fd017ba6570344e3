//! Makes the context that a task asks for: work tree, branch, prerequisites. Must not: touch the session.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::Instant;
use wire::place::private_dir;
use wire::prompt::{Hold, HoldCode, WorktreePolicy};
use wire::session::Context;
use wire::wrapper::Offer;

use super::command::{self, Keep};
use super::{Prepared, Tree, git};
use crate::context;
use crate::gate::hold;

/// Longest time for all prerequisites together.
const PREREQUISITES_MAX: Duration = Duration::from_secs(600);

/// Bytes of a prerequisite's output that are kept.
const OUTPUT_MAX: usize = 8 << 10;

/// Longest value of a variable that a prerequisite may export.
const VALUE_MAX: usize = 4096;

/// Variables that a shell sets for itself.
const SHELLS_OWN: [&str; 7] = ["PWD", "OLDPWD", "SHLVL", "_", "PPID", "IFS", REPORT];

/// Names the file into which the shell of a prerequisite writes its variables.
const REPORT: &str = "MUSTER_REPORT";

/// Prepares what an offer asks for. A work tree is told in `made` before anything is made of it.
pub async fn prepare(
    offer: &Offer,
    session: &Context,
    worktrees: &Path,
    made: &mut Option<Tree>,
) -> Result<Prepared, Hold> {
    let asked = offer.dir.as_ref().unwrap_or(&session.dir);
    let mut dir = existing(asked)?;
    let mut prepared = Prepared {
        dir: offer.dir.as_ref().map(|_| text(&dir)),
        branch: offer.branch.clone(),
        env: offer.env.clone(),
        tree: None,
    };
    let here = context::of_dir(&dir);
    if let Some(policy) = offer.worktree {
        let tree = plan_tree(offer, &here, policy, worktrees).await?;
        *made = Some(tree.clone());
        git::make_tree(&tree).await?;
        dir = inside(&tree, &dir)?;
        (prepared.dir, prepared.branch) = (Some(text(&dir)), Some(tree.branch.clone()));
        prepared.tree = Some(tree);
    } else if let Some(branch) = &offer.branch
        && here.branch.as_ref() != Some(branch)
    {
        if here.repo.is_none() {
            let why = format!("{} is under no repository, so it has no branch {branch:?}", dir.display());
            return Err(hold(HoldCode::MissingBranch, &why));
        }
        git::switch(&dir, branch).await?;
    }
    let limit = match offer.accept_ms {
        0 => PREREQUISITES_MAX,
        ms => PREREQUISITES_MAX.min(Duration::from_millis(ms)),
    };
    let until = Instant::now() + limit;
    for line in &offer.prerequisites {
        let exported = prerequisite(line, &dir, &prepared.env, worktrees, until - Instant::now()).await?;
        prepared.env.extend(exported);
    }
    Ok(prepared)
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// The directory with its links resolved, as the session's own is told.
fn existing(dir: &str) -> Result<PathBuf, Hold> {
    let missing = |why: &str| hold(HoldCode::MissingDir, &format!("the directory {dir} {why}"));
    if !Path::new(dir).is_absolute() {
        return Err(missing("is not absolute"));
    }
    let real = Path::new(dir).canonicalize().map_err(|fault| missing(&format!("cannot be used: {fault}")))?;
    if real.is_dir() { Ok(real) } else { Err(missing("is a file")) }
}

/// The work tree that is to be made.
async fn plan_tree(
    offer: &Offer,
    here: &Context,
    policy: WorktreePolicy,
    worktrees: &Path,
) -> Result<Tree, Hold> {
    let refuse = |why: String| hold(HoldCode::NotPrepared, &why);
    let repo = here.repo.clone();
    let repo =
        repo.ok_or_else(|| refuse(format!("{} is under no repository, so it has no work trees", here.dir)))?;
    let root = Path::new(&repo);
    let base = match &offer.branch {
        Some(branch) => git::branch(root, branch).await?,
        None => git::text(root, &["rev-parse", "--verify", "--quiet", "HEAD^{commit}"])
            .await
            .map_err(|_| refuse(format!("nothing was ever committed in {repo}")))?,
    };
    private_dir(worktrees).map_err(|fault| refuse(fault.to_string()))?;
    Ok(tree(offer, root, base, policy, worktrees))
}

/// The work tree that was made for an attempt that was never typed, if there is one and the session is not in it.
pub async fn left_behind(offer: &Offer, session: &Context, worktrees: &Path) -> Option<Tree> {
    let policy = offer.worktree?;
    let here = context::of_dir(&existing(offer.dir.as_ref().unwrap_or(&session.dir)).ok()?);
    let root = PathBuf::from(here.repo?);
    let tree = tree(offer, &root, String::new(), policy, worktrees);
    if tree.holds(&session.dir) || !Path::new(&tree.path).exists() {
        return None;
    }
    let reference = format!("refs/heads/{}", tree.branch);
    let base = git::text(&root, &["rev-parse", "--verify", "--quiet", "--end-of-options", &reference]).await;
    Some(Tree { base: base.unwrap_or_default(), ..tree })
}

/// Names are made of the prompt's and the attempt's numbers: each attempt has its own.
fn tree(offer: &Offer, root: &Path, base: String, policy: WorktreePolicy, worktrees: &Path) -> Tree {
    let name = root.file_name().map_or_else(|| "repository".into(), |name| name.to_string_lossy());
    let number = format!("p{}-a{}", offer.prompt.0, offer.attempt.0);
    Tree {
        repo: text(root),
        path: text(&worktrees.join(format!("{name}-{number}"))),
        branch: format!("muster/{number}"),
        base,
        remove: policy == WorktreePolicy::Remove,
    }
}

/// The same directory in the new work tree.
fn inside(tree: &Tree, dir: &Path) -> Result<PathBuf, Hold> {
    let below = dir.strip_prefix(&tree.repo).unwrap_or(Path::new(""));
    let dir = Path::new(&tree.path).join(below);
    let missing = |_| {
        let why = format!("{} is not part of the branch, so the work tree lacks it", below.display());
        hold(HoldCode::MissingDir, &why)
    };
    dir.canonicalize().map_err(missing)
}

/// Runs one prerequisite; gives what it exports.
async fn prerequisite(
    line: &str,
    dir: &Path,
    env: &BTreeMap<String, String>,
    own: &Path,
    limit: Duration,
) -> Result<BTreeMap<String, String>, Hold> {
    let failed = |how: &str| hold(HoldCode::Prerequisite, &format!("the prerequisite `{line}` {how}"));
    private_dir(own).map_err(|fault| failed(&format!("cannot be run: {fault}")))?;
    let report = Report::new(own).map_err(|fault| failed(&format!("cannot be run: {fault}")))?;
    // The shell tells its variables whichever way it ends.
    let trapped = format!("trap 'env -0 >\"${REPORT}\"' EXIT\n{line}");
    let mut command = command::shell(&trapped, dir, env);
    command.env(REPORT, &report.0);
    let ran = command::run(command, limit, Keep::Last(OUTPUT_MAX)).await;
    let ran = ran.map_err(|fault| failed(&format!("cannot be run: {fault}")))?;
    let said = command::last_lines(&command::plain(&ran.output), 10, 1000);
    let said = if said.is_empty() { said } else { format!(":\n{said}") };
    match ran.status {
        Some(0) => {
            let before = |name: &str| env.get(name).cloned().or_else(|| std::env::var(name).ok());
            Ok(exported(&std::fs::read(&report.0).unwrap_or_default(), before))
        }
        Some(status) => Err(failed(&format!("ended with status {status}{said}"))),
        None => Err(failed(&format!("took too long and was ended{said}"))),
    }
}

/// What differs in a shell's variables from what it began with.
fn exported(report: &[u8], before: impl Fn(&str) -> Option<String>) -> BTreeMap<String, String> {
    let pair = |entry: &[u8]| {
        let (name, value) = std::str::from_utf8(entry).ok()?.split_once('=')?;
        let new = before(name).as_deref() != Some(value);
        let fits = value.len() <= VALUE_MAX && !SHELLS_OWN.contains(&name);
        (new && fits).then(|| (name.to_owned(), value.to_owned()))
    };
    report.split(|byte| *byte == 0).filter_map(pair).collect()
}

/// A private file, in a folder of ours alone, that is removed again.
struct Report(PathBuf);

impl Report {
    fn new(own: &Path) -> std::io::Result<Self> {
        use std::os::unix::fs::OpenOptionsExt;
        let path = own.join(format!("report-{}", uuid::Uuid::now_v7()));
        std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Report {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}
