//! Follows the transcript that an agent keeps, and passes on the lines that its profile knows.
//!
//! Invariant: only a regular file of this user's below the profile's folder is opened, no link is followed at its end,
//! and nothing is written. Must not: interpret a line.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use patterns::Agent;
use patterns::fact::From;
use serde_json::Value;

use crate::control::Told;
use crate::{recording, sys};

/// Longest line that is read, in bytes; a longer one is skipped.
const LINE_MAX: usize = 1 << 20;

/// Bytes that are read at once.
const READ_MAX: u64 = 4 << 20;

/// A transcript that is followed.
pub struct Transcript {
    agent: Arc<Agent>,
    root: Option<PathBuf>,
    file: Option<(PathBuf, File)>,
    /// Where the next line begins.
    next: u64,
    /// The file of the agent before this one, and where its next line begins.
    left: Option<(PathBuf, u64)>,
}

impl Transcript {
    /// Nothing is followed yet. `var` gives variables of the agent's environment.
    pub fn new(agent: Arc<Agent>, var: impl Fn(&str) -> Option<OsString>) -> Self {
        let facts = agent.facts.iter().any(|rule| rule.from == From::Transcript);
        let root = agent.transcript.as_ref().filter(|_| facts).and_then(|recipe| {
            let moved = recipe.variable.as_ref().and_then(|name| var(name)).filter(|value| !value.is_empty());
            let path = match moved {
                // The variable names what the first part of the root names else.
                Some(moved) => {
                    Path::new(&moved).join(Path::new(&recipe.root).components().skip(1).collect::<PathBuf>())
                }
                None => Path::new(&var("HOME")?).join(&recipe.root),
            };
            path.canonicalize().ok().or(Some(path))
        });
        Self { agent, root, file: None, next: 0, left: None }
    }

    /// Whether the agent keeps one that says anything.
    pub fn is_there(&self) -> bool {
        self.root.is_some()
    }

    /// Whether it was found.
    pub fn is_open(&self) -> bool {
        self.file.is_some()
    }

    /// The agent was started anew: its transcript is another file, or the same one, which is gone on with.
    pub fn restart(&mut self) {
        self.left = self.file.take().map(|(path, _)| (path, self.next));
        self.next = 0;
    }

    /// A line was passed on before: the next begins there.
    pub fn passed(&mut self, next: u64) {
        self.next = self.next.max(next);
    }

    /// Lines that were written since the last call, as far as the profile knows them. `told` is the path that a hook
    /// told; without one, files that the process of `pid` or its children hold open are looked at.
    pub fn read(&mut self, pid: i32, told: Option<&str>) -> Vec<Told> {
        if self.root.is_none() {
            return Vec::new();
        }
        if self.file.is_none() {
            self.file = self.find(pid, told);
            if let Some((path, next)) = self.left.take_if(|_| self.file.is_some())
                && self.file.as_ref().is_some_and(|(found, _)| *found == path)
            {
                self.passed(next);
            }
        }
        let mut all = Vec::new();
        let Some((_, file)) = &mut self.file else { return all };
        let Ok(bytes) = read_on(file, self.next) else { return all };
        let mut rest = &bytes[..];
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let (line, after) = rest.split_at(end + 1);
            rest = after;
            self.next += line.len() as u64;
            if line.len() <= LINE_MAX
                && let Some(payload) = self.known(&line[..end])
            {
                all.push(Told { from: recording::From::Transcript(self.next), payload });
            }
        }
        if rest.len() > LINE_MAX {
            self.next += rest.len() as u64;
        }
        all
    }

    /// What is passed on of a line: nothing of one that no rule knows.
    pub fn known(&self, line: &[u8]) -> Option<Vec<u8>> {
        let payload = serde_json::from_slice::<Value>(line).ok()?;
        let rule =
            self.agent.facts.iter().find(|rule| rule.from == From::Transcript && rule.holds(&payload))?;
        let kept = rule.kept(&payload).map(|kept| kept.to_string().into_bytes());
        Some(kept.unwrap_or_else(|| line.to_vec()))
    }

    fn find(&self, pid: i32, told: Option<&str>) -> Option<(PathBuf, File)> {
        let recipe = self.agent.transcript.as_ref()?;
        let candidates = match (told, &recipe.open) {
            (Some(told), _) => vec![PathBuf::from(told)],
            (None, Some(name)) => {
                let mut open = sys::open_files(pid);
                open.retain(|path| {
                    path.file_name().and_then(|name| name.to_str()).is_some_and(|text| name.is_match(text))
                });
                open
            }
            (None, None) => Vec::new(),
        };
        candidates.into_iter().find_map(|path| Some((path.clone(), self.open(&path)?)))
    }

    fn open(&self, path: &Path) -> Option<File> {
        let folder = path.parent()?.canonicalize().ok()?;
        if !folder.starts_with(self.root.as_ref()?) {
            return None;
        }
        let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
        let file = OpenOptions::new().read(true).custom_flags(flags.bits() as i32).open(path).ok()?;
        let metadata: fs::Metadata = file.metadata().ok()?;
        let ours = metadata.uid() == rustix::process::geteuid().as_raw();
        (metadata.is_file() && ours).then_some(file)
    }
}

fn read_on(file: &mut File, from: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if file.metadata()?.len() > from {
        file.seek(SeekFrom::Start(from))?;
        file.take(READ_MAX).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transcript(home: &Path) -> Transcript {
        let agent = patterns::Library::builtin().agent("codex").unwrap();
        let home = home.as_os_str().to_owned();
        Transcript::new(agent, move |name| (name == "HOME").then(|| home.clone()))
    }

    const DONE: &str =
        r#"{"type":"event_msg","payload":{"type":"task_complete","last_agent_message":"Done."}}"#;

    #[test]
    fn a61_only_whole_known_lines_are_passed_on_and_each_once() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join(".codex/sessions/2026");
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("rollout-1.jsonl");
        fs::write(&path, format!("not json\n{{\"payload\":{{\"type\":\"other\"}}}}\n{DONE}\n{DONE}"))
            .unwrap();
        let mut transcript = transcript(home.path());
        let told = path.to_str();
        let first = transcript.read(0, told);
        assert_eq!(first.len(), 1);
        assert_eq!(first[0].payload, DONE.as_bytes());
        assert!(transcript.read(0, told).is_empty(), "the last line is not whole yet");
        fs::write(&path, format!("{}\n", fs::read_to_string(&path).unwrap())).unwrap();
        assert_eq!(transcript.read(0, told).len(), 1);
        assert!(transcript.read(0, told).is_empty());
    }

    #[test]
    fn a_conversation_that_is_gone_on_with_is_not_told_again_from_its_beginning() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join(".codex/sessions");
        fs::create_dir_all(&folder).unwrap();
        let (path, other) = (folder.join("rollout-1.jsonl"), folder.join("rollout-2.jsonl"));
        fs::write(&path, format!("{DONE}\n")).unwrap();
        let mut transcript = transcript(home.path());
        assert_eq!(transcript.read(0, path.to_str()).len(), 1);
        transcript.restart();
        assert!(transcript.read(0, path.to_str()).is_empty());
        transcript.restart();
        fs::write(&other, format!("{DONE}\n")).unwrap();
        assert_eq!(transcript.read(0, other.to_str()).len(), 1, "another one is told as a whole");
    }

    #[test]
    fn a61_no_file_outside_the_agents_folder_no_link_and_no_pipe_is_opened() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join(".codex/sessions");
        fs::create_dir_all(&folder).unwrap();
        let outside = home.path().join("rollout-1.jsonl");
        fs::write(&outside, format!("{DONE}\n")).unwrap();
        let link = folder.join("rollout-2.jsonl");
        std::os::unix::fs::symlink(&outside, &link).unwrap();
        let climbing = folder.join("../../rollout-1.jsonl");
        let pipe = folder.join("rollout-3.jsonl");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
        assert!(made.success());
        for path in [&outside, &link, &climbing, &pipe] {
            assert!(transcript(home.path()).read(0, path.to_str()).is_empty(), "{}", path.display());
        }
    }
}
