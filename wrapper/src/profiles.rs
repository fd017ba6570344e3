//! The profiles in force: the built-in ones, and those in the user's config folder, which override them.
//! Must not: hold one in memory for longer than the caller does.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use patterns::{Agent, Library, library};
use wire::place::Place;

/// Longest profile that is read, in bytes.
const PROFILE_MAX: u64 = 1 << 20;

/// A profile and where it came from.
#[derive(Debug, Clone)]
pub struct Profile {
    /// The profile.
    pub agent: Arc<Agent>,
    /// The user's file, when it is not built in.
    pub file: Option<PathBuf>,
}

/// All profiles, the user's first.
pub fn all(place: &Place) -> anyhow::Result<Vec<Profile>> {
    let mut all = own(&folder(place))?;
    for agent in Library::builtin().agents() {
        if all.iter().all(|own| own.agent.name != agent.name) {
            all.push(Profile { agent: Arc::clone(agent), file: None });
        }
    }
    Ok(all)
}

/// The profile of this name.
pub fn named(place: &Place, name: &str) -> anyhow::Result<Arc<Agent>> {
    let found = all(place)?.into_iter().find(|profile| profile.agent.name == name);
    found
        .map(|profile| profile.agent)
        .with_context(|| format!("no profile is named '{name}'; see: wrap agents"))
}

/// The profile for a command of this base name with these arguments, joined by blanks; that of an unknown program when
/// none knows it.
pub fn for_command(place: &Place, command: &str, arguments: &str) -> anyhow::Result<Arc<Agent>> {
    let knows = |profile: &Profile| profile.agent.commands.iter().any(|known| known == command);
    let own = own(&folder(place))?.into_iter().find(knows).map(|profile| profile.agent);
    let builtin = || Library::builtin().agent_for_command(command);
    let agent = own.unwrap_or_else(builtin);
    // The user's own profile of that name counts, whether it names the command or not.
    let agent = named(place, &agent.name)?;
    if agent.not_with.as_ref().is_some_and(|other| other.is_match(arguments)) {
        return named(place, &Library::builtin().agent_for_command("").name);
    }
    Ok(agent)
}

/// Where the user's own profiles are.
pub fn folder(place: &Place) -> PathBuf {
    place.config.join("agents")
}

fn own(folder: &Path) -> anyhow::Result<Vec<Profile>> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Ok(Vec::new()) };
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.retain(|path| path.extension().is_some_and(|end| end == "toml"));
    files.sort();
    files
        .into_iter()
        .map(|file| {
            let agent = read(&file).context("fix the profile, or move it away")?;
            Ok(Profile { agent: Arc::new(agent), file: Some(file) })
        })
        .collect()
}

/// Reads a profile and checks it against its own examples: patterns from outside are compiled before they are used.
pub fn read(file: &Path) -> anyhow::Result<Agent> {
    let text = text(file)?;
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let faults = patterns::check::agent(&name, &text);
    anyhow::ensure!(faults.is_empty(), "{}", faults.join("\n"));
    Ok(library::agent(&name, &text)?)
}

/// A profile's text.
pub fn text(file: &Path) -> anyhow::Result<String> {
    let what = || format!("cannot read the profile {}", file.display());
    let size = std::fs::metadata(file).with_context(what)?.len();
    anyhow::ensure!(size <= PROFILE_MAX, "the profile {} is larger than 1 MiB", file.display());
    std::fs::read_to_string(file).with_context(what)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(home: &Path) -> Place {
        Place::find(|name| (name == "MUSTER_HOME").then(|| home.into())).unwrap()
    }

    const MINE: &str = "name = \"NAME\"\ntitle = \"Mine\"\ncommands = [\"mine\"]\n[input]\npaste = \"never\"\n\
                        enter = \"\\r\"\ninterrupt = \"\\u0003\"\nsettle_ms = 0\n";

    #[test]
    fn a_users_own_profile_overrides_the_builtin_one_and_brings_its_command() {
        let home = tempfile::tempdir().unwrap();
        let place = place(home.path());
        std::fs::create_dir_all(folder(&place)).unwrap();
        assert_eq!(for_command(&place, "mine", "").unwrap().name, "any");
        for (arguments, name) in [
            ("", "shell"),
            ("-i", "shell"),
            ("--norc --noprofile", "shell"),
            ("-c make", "any"),
            ("-lc make", "any"),
            ("build.sh -x", "any"),
        ] {
            assert_eq!(for_command(&place, "bash", arguments).unwrap().name, name, "bash {arguments}");
        }
        std::fs::write(folder(&place).join("a.toml"), MINE.replace("NAME", "shell")).unwrap();
        assert_eq!(named(&place, "shell").unwrap().title, "Mine");
        assert_eq!(for_command(&place, "mine", "").unwrap().title, "Mine");
        assert_eq!(for_command(&place, "bash", "").unwrap().title, "Mine");
        assert!(named(&place, "nobody").unwrap_err().to_string().contains("wrap agents"));
    }

    #[test]
    fn a_broken_profile_is_told_with_its_file_and_never_ignored() {
        let home = tempfile::tempdir().unwrap();
        let place = place(home.path());
        std::fs::create_dir_all(folder(&place)).unwrap();
        std::fs::write(folder(&place).join("a.toml"), format!("{MINE}colour = 1\n")).unwrap();
        let fault = format!("{:#}", all(&place).unwrap_err());
        assert!(fault.contains("a.toml") && fault.contains("colour"), "{fault}");
    }
}
