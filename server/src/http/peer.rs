//! Where a local caller runs: outside, or inside a session. Must not: decide what it may.
//!
//! An agent's shell is the user's, so the owner's credential lies open to it. The kernel says which process is at the
//! other end; its ancestors, and the leader of its terminal's session, carry the mark that `wrap` gave the agent, which
//! a child cannot take from its parents.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use wire::SessionId;

/// Generations that are looked at.
const GENERATIONS: usize = 256;

/// Where a caller runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Peer {
    /// In no session of ours.
    Outside,
    /// In this one.
    Inside(SessionId),
    /// The process is gone or cannot be seen: nobody waits for the answer, so no person does.
    Unseen,
}

impl Peer {
    /// The place of a process, among the sessions whose folders are in `sessions`.
    pub fn of(pid: Option<i32>, sessions: &Path) -> Self {
        if !cfg!(target_os = "linux") {
            return Self::Outside;
        }
        match pid {
            Some(pid) if pid > 0 => Self::among(pid, &PathBuf::from("/proc"), sessions),
            Some(_) | None => Self::Unseen,
        }
    }

    fn among(pid: i32, proc: &Path, sessions: &Path) -> Self {
        let (mut open, mut seen) = (vec![pid], BTreeSet::new());
        while let Some(pid) = open.pop().filter(|_| seen.len() < GENERATIONS) {
            if pid <= 1 || !seen.insert(pid) {
                continue;
            }
            let folder = proc.join(pid.to_string());
            // Another user's, such as that of sudo, cannot be read: its parent tells.
            let marks = std::fs::read(folder.join("environ")).unwrap_or_default();
            if let Some(session) = marked(&marks, sessions) {
                return Self::Inside(session);
            }
            match std::fs::read_to_string(folder.join("stat")).ok().as_deref().and_then(relatives) {
                Some(relatives) => open.extend(relatives),
                None if seen.len() == 1 => return Self::Unseen,
                None => {}
            }
        }
        Self::Outside
    }
}

/// The session of this server that an environment names. Other servers' sessions, as in a test's, are no matter here.
pub fn marked(environment: &[u8], sessions: &Path) -> Option<SessionId> {
    let mut values =
        environment.split(|byte| *byte == 0).filter_map(|pair| pair.strip_prefix(b"MUSTER_SESSION="));
    values.find_map(|value| known(std::str::from_utf8(value).ok()?, sessions))
}

/// The session of this name, if its folder is here.
pub fn known(name: &str, sessions: &Path) -> Option<SessionId> {
    Some(SessionId(name.to_owned())).filter(|id| id.is_plain() && sessions.join(name).is_dir())
}

/// A process's parent and the leader of its session: who left its parents has the session's terminal still.
fn relatives(stat: &str) -> Option<[i32; 2]> {
    // The name stands in brackets and may hold anything, brackets too.
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace();
    let parent = fields.nth(1)?.parse().ok()?;
    let leader = fields.nth(1)?.parse().ok()?;
    Some([parent, leader])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Processes: number, parent, leader, environment.
    fn among(processes: &[(i32, i32, i32, &str)], pid: i32) -> Peer {
        let home = tempfile::tempdir().unwrap();
        let (proc, sessions) = (home.path().join("proc"), home.path().join("sessions"));
        std::fs::create_dir_all(sessions.join("s1")).unwrap();
        for (pid, parent, leader, environment) in processes {
            let folder = proc.join(pid.to_string());
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(folder.join("stat"), format!("{pid} (a) b) S {parent} 9 {leader} 0")).unwrap();
            std::fs::write(folder.join("environ"), environment).unwrap();
        }
        Peer::among(pid, &proc, &sessions)
    }

    #[test]
    fn a41_who_hides_the_mark_is_found_by_its_parents_and_by_its_terminal() {
        let inside = Peer::Inside(SessionId("s1".to_owned()));
        let agent = (10, 1, 10, "A=1\0MUSTER_SESSION=s1\0");
        assert_eq!(among(&[agent], 10), inside);
        assert_eq!(among(&[agent, (11, 10, 11, ""), (12, 11, 12, "")], 12), inside, "its parents' parent");
        assert_eq!(among(&[agent, (12, 1, 10, "")], 12), inside, "its parent is gone, its terminal is not");
        assert_eq!(among(&[(12, 1, 12, "MUSTER_SESSION=other\0")], 12), Peer::Outside, "another server's");
        assert_eq!(among(&[(12, 1, 12, "MUSTER_SESSION=../s1\0")], 12), Peer::Outside);
        assert_eq!(among(&[(12, 12, 12, "NOT_MUSTER_SESSION=s1\0")], 12), Peer::Outside);
        assert_eq!(among(&[agent], 12), Peer::Unseen, "it has left before it was looked at");
        assert_eq!(Peer::of(Some(0), Path::new("/")), Peer::Unseen);
    }
}
