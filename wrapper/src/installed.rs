//! Which agents are on this machine, and whether their versions are those that the profiles were measured with.
//! Must not: start one but to ask for its version.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde::Serialize;
use wire::launch::said;
use wire::place::Place;
use wire::text::escape;

use crate::profiles::{self, Profile};

/// How long a command may take to tell its version.
const PATIENCE: Duration = Duration::from_secs(10);
/// Most that is read of what it says.
const SAID: u64 = 4_096;

/// A command of an agent on the search path.
#[derive(Debug, Serialize)]
pub struct Installed {
    /// The profile.
    pub agent: String,
    /// What people call it.
    pub title: String,
    /// Where the command is.
    pub path: PathBuf,
    /// What it says; nothing when it says none.
    pub version: Option<String>,
    /// The versions that the profile was measured with.
    pub measured: Option<String>,
    /// Whether this is one of them; nothing when either is not known.
    pub covered: Option<bool>,
}

/// Looks for the commands of all profiles that are agents, and asks each for its version.
pub fn find(place: &Place) -> anyhow::Result<Vec<Installed>> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut found = Vec::new();
    for Profile { agent, .. } in profiles::all(place)? {
        // Shells and the like are measured with no version and are everywhere.
        let Some((range, versions)) = agent.measured.as_ref() else { continue };
        let there = agent.commands.iter().find_map(|command| on_path(&path, command));
        let Some(file) = there else { continue };
        let version = version(&file);
        found.push(Installed {
            agent: agent.name.clone(),
            title: agent.title.clone(),
            covered: version.as_ref().map(|version| versions.allow(version)),
            path: file,
            version,
            measured: Some(range.clone()),
        });
    }
    Ok(found)
}

/// Prints them.
pub fn print(place: &Place, json: bool) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    for one in find(place)? {
        if json {
            writeln!(out, "{}", serde_json::to_string(&one)?)?;
            continue;
        }
        let covered = match one.covered {
            Some(true) => "measured",
            Some(false) => "another version than was measured",
            None => "its version is not known",
        };
        let version = one.version.as_deref().unwrap_or("-");
        let line = format!("{:<10} {version:<12} {covered}  {}", one.agent, one.path.display());
        writeln!(out, "{}", escape(&line))?;
    }
    Ok(())
}

fn on_path(path: &std::ffi::OsStr, command: &str) -> Option<PathBuf> {
    let executable = |file: &PathBuf| {
        let access = rustix::fs::Access::EXEC_OK;
        file.is_file() && rustix::fs::access(file, access).is_ok()
    };
    std::env::split_paths(path).map(|folder| folder.join(command)).find(executable)
}

/// The first word of what `--version` prints that looks like one.
fn version(program: &Path) -> Option<String> {
    let (_, text) = said(Command::new(program).arg("--version"), PATIENCE, SAID)?;
    in_text(&text)
}

fn in_text(said: &str) -> Option<String> {
    let words = said.split(|c: char| c.is_whitespace() || "()[],".contains(c));
    let bare = words.map(|word| word.strip_prefix('v').unwrap_or(word));
    let numbers = |word: &&str| {
        word.split('.').count() >= 2
            && word.split(['-', '+']).next().is_some_and(|core| {
                core.split('.').all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
            })
    };
    bare.filter(|word| word.len() <= 40).find(numbers).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_found_in_what_programs_say_of_themselves() {
        for (said, version) in [
            ("2.1.329 (Claude Code)\n", Some("2.1.329")),
            ("codex-cli 0.169.0\n", Some("0.169.0")),
            ("aider v0.86.1-dev", Some("0.86.1-dev")),
            ("ollama version is 0.9.0", Some("0.9.0")),
            ("Usage: x [OPTIONS] 3", None),
            ("", None),
        ] {
            assert_eq!(in_text(said).as_deref(), version, "{said}");
        }
    }
}
