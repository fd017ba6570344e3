//! What can be written with a prompt, and the prompt that it makes. Must not: send it.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use clap::Args;
use wire::prompt::{NewPrompt, WorktreePolicy};
use wire::{PromptId, UnixMillis};

pub use assign::time::{duration, instant};

use crate::failure::Failure;

/// A prompt and what it asks for.
#[derive(Debug, Default, PartialEq, Eq, Args)]
pub struct Send {
    /// The prompt; `-` reads standard input.
    pub text: Option<String>,
    /// Words after the prompt: a prompt that was not quoted.
    #[arg(hide = true)]
    pub rest: Vec<String>,
    /// Read the prompt from a file.
    #[arg(long, short, value_name = "FILE", conflicts_with = "text")]
    pub file: Option<PathBuf>,
    /// Wait until it has ended; print progress on standard error and the answer on standard output.
    #[arg(long, short)]
    pub wait: bool,
    /// 0 (last) to 10 (first): each level is worth an hour in the queue. [default: 5]
    #[arg(long, short, value_parser = clap::value_parser!(u8).range(0..=10))]
    pub priority: Option<u8>,
    /// The session that shall have it, by name or id.
    #[arg(long, visible_alias = "to", value_name = "SESSION")]
    pub target: Option<String>,
    /// The agent that must be running, for example `claude`.
    #[arg(long, short)]
    pub agent: Option<String>,
    /// The agent that is preferred; another will do.
    #[arg(long, value_name = "AGENT")]
    pub prefer: Option<String>,
    /// The role that the session must have declared.
    #[arg(long)]
    pub role: Option<String>,
    /// Capabilities that the session must have declared.
    #[arg(long = "cap", value_name = "WORD", value_delimiter = ',')]
    pub caps: Vec<String>,
    /// The directory that the session must work in.
    #[arg(long, short, help_heading = "Context")]
    pub dir: Option<PathBuf>,
    /// The branch that must be checked out there.
    #[arg(long, short, help_heading = "Context")]
    pub branch: Option<String>,
    /// A variable that must be set for the agent.
    #[arg(long, value_name = "NAME=VALUE", value_parser = variable, help_heading = "Context")]
    pub env: Vec<(String, String)>,
    /// A command that must end with 0 before; what it exports is set for the agent.
    #[arg(long = "prerequisite", value_name = "COMMAND", help_heading = "Context")]
    pub prerequisites: Vec<String>,
    /// Run each attempt in a fresh git work tree, which is kept, or removed once its changes are with the result.
    #[arg(
        long, value_name = "POLICY", num_args = 0..=1, require_equals = true, default_missing_value = "keep",
        help_heading = "Context"
    )]
    pub worktree: Option<WorktreePolicy>,
    /// Prompts of one thread go to one session, if they can.
    #[arg(long, value_name = "NAME")]
    pub thread: Option<String>,
    /// What kind of task it is; records of success are kept by tag.
    #[arg(long = "tag", value_name = "WORD", value_delimiter = ',')]
    pub tags: Vec<String>,
    /// Prompts that must be completed before.
    #[arg(long, value_name = "ID,ID", value_delimiter = ',', help_heading = "Time")]
    pub after: Vec<i64>,
    /// Not before this time, for example `2026-05-01T09:00` or `18:30`.
    #[arg(long, value_name = "TIME", value_parser = instant, conflicts_with = "delay", help_heading = "Time")]
    pub at: Option<i64>,
    /// Not before so long from now, for example `2h`.
    #[arg(long = "in", value_name = "TIME", value_parser = duration, help_heading = "Time")]
    pub delay: Option<u64>,
    /// Longest wait for a session. [default: 24h]
    #[arg(long, value_name = "TIME", value_parser = duration, help_heading = "Time")]
    pub wait_timeout: Option<u64>,
    /// Longest time from when a session has it until the agent accepts it. [default: 10m]
    #[arg(long, value_name = "TIME", value_parser = duration, help_heading = "Time")]
    pub accept_timeout: Option<u64>,
    /// Longest time for the turn, for example `45m`. [default: 30m]
    #[arg(long, value_name = "TIME", value_parser = duration, help_heading = "Time")]
    pub timeout: Option<u64>,
    /// Longest time without a sign of progress in the turn. [default: 30m]
    #[arg(long, value_name = "TIME", value_parser = duration, help_heading = "Time")]
    pub silence: Option<u64>,
    /// A command that decides, in the task's directory, whether it was done: it ends with 0.
    #[arg(long, value_name = "COMMAND")]
    pub verify: Option<String>,
    /// Tries in all. [default: 3]
    #[arg(long)]
    pub attempts: Option<u32>,
    /// It is meant as a command: a leading `/`, `!`, `#` or `@` is the agent's own, and a shell may have it without being asked for.
    #[arg(long)]
    pub command: bool,
    /// Sent again under the same key, it stays one prompt.
    #[arg(long, value_name = "KEY")]
    pub idempotency_key: Option<String>,
}

impl Send {
    /// The prompt, with this text.
    pub fn prompt(self, text: String) -> Result<NewPrompt, Failure> {
        let delayed =
            self.delay.map(|ms| jiff::Timestamp::now().as_millisecond().saturating_add_unsigned(ms));
        Ok(NewPrompt {
            target: self.target,
            priority: self.priority.unwrap_or_else(wire::prompt::default_priority),
            dir: self.dir.as_deref().map(absolute).transpose()?,
            branch: self.branch,
            env: self.env.into_iter().collect::<BTreeMap<_, _>>(),
            prerequisites: self.prerequisites,
            worktree: self.worktree,
            agent: self.agent,
            prefer: self.prefer,
            role: self.role,
            caps: self.caps,
            thread: self.thread,
            tags: self.tags,
            after: self.after.into_iter().map(PromptId).collect(),
            not_before: self.at.or(delayed).map(UnixMillis),
            verify: self.verify,
            wait_ms: self.wait_timeout,
            accept_ms: self.accept_timeout,
            timeout_ms: self.timeout,
            silence_ms: self.silence,
            attempts: self.attempts,
            command: self.command,
            ..NewPrompt::new(text)
        })
    }
}

/// A directory as sessions report theirs: absolute and without symbolic links, as far as it exists here.
pub fn absolute(dir: &Path) -> Result<String, Failure> {
    let bad = |e| Failure::Usage(format!("cannot use the directory {}: {e}", dir.display()));
    let path = match std::fs::canonicalize(dir) {
        Ok(path) => path,
        Err(_) => beyond(&plain(&std::path::absolute(dir).map_err(bad)?)),
    };
    path.into_os_string()
        .into_string()
        .map_err(|_| Failure::Usage(format!("the directory {} is not UTF-8", dir.display())))
}

/// The same of one that a file names: from the file's own folder, or from the home directory after `~/`.
pub fn directory(written: &str, folder: &Path) -> Result<String, Failure> {
    let home = std::env::var_os("HOME").map(PathBuf::from).filter(|home| home.is_absolute());
    match (written, written.strip_prefix("~/"), home) {
        ("~", _, Some(home)) => absolute(&home),
        (_, Some(rest), Some(home)) => absolute(&home.join(rest)),
        _ => absolute(&folder.join(written)),
    }
}

/// What is not there yet, below what is: the same path before and after it is made.
fn beyond(path: &Path) -> PathBuf {
    let there = |above: &Path| Some(std::fs::canonicalize(above).ok()?.join(path.strip_prefix(above).ok()?));
    path.ancestors().find_map(there).unwrap_or_else(|| path.to_owned())
}

fn plain(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                out.pop();
            }
            Component::CurDir => {}
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => out.push(part),
        }
    }
    out
}

/// A variable with its value.
pub fn variable(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write it like NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_becomes_absolute_and_plain() {
        assert_eq!(absolute(Path::new("/nowhere/at/../all/.")).unwrap(), "/nowhere/all");
        assert!(absolute(Path::new(".")).unwrap().starts_with('/'));
    }

    #[test]
    fn a_directory_is_called_the_same_before_and_after_it_is_made() {
        let place = tempfile::tempdir().unwrap();
        let link = place.path().join("link");
        std::fs::create_dir(place.path().join("real")).unwrap();
        std::os::unix::fs::symlink(place.path().join("real"), &link).unwrap();
        let before = directory("a/b", &link).unwrap();
        std::fs::create_dir_all(link.join("a/b")).unwrap();
        assert_eq!(directory("a/b", &link).unwrap(), before);
        assert_eq!(
            directory(link.to_str().unwrap(), Path::new("/nowhere")).unwrap(),
            absolute(&link).unwrap()
        );
    }
}
