//! Sessions that are started in panes. Must not: go through a shell, or give tmux a text in which it reads formats.

use wire::launch::program;
use wire::text::escape;

use super::marks::plain;
use super::pane::{Pane, PaneId};
use super::server::Server;
use crate::failure::Failure;

/// What a program that is started needs to know of the place; the token of a command is for that command alone.
const PLACE: [&str; 3] = ["MUSTER_HOME", "MUSTER_PORT", "MUSTER_NO_SERVER"];

/// A session to be shown in a pane.
pub enum Start<'a> {
    /// One that runs already.
    Attach {
        /// Its name.
        name: &'a str,
    },
    /// A new one.
    Run {
        /// Its name.
        name: Option<&'a str>,
        /// Where it works, absolute.
        dir: &'a str,
        /// Role that it declares.
        role: Option<&'a str>,
        /// What is run.
        command: &'a [String],
    },
}

impl Start<'_> {
    /// In a window of its own, which gets this name.
    pub fn window(&self, server: &Server, name: Option<&str>) -> Result<PaneId, Failure> {
        let mut how = vec!["new-window", "-d", "-P", "-F", "#{pane_id}"];
        if let Some(name) = name {
            checked_name(name)?;
            how.extend(["-n", name]);
        }
        self.made(server, &how)
    }

    /// Beside another pane.
    pub fn split(&self, server: &Server, beside: &PaneId) -> Result<PaneId, Failure> {
        self.made(server, &["split-window", "-d", "-P", "-F", "#{pane_id}", "-t", beside.as_str()])
    }

    /// In the place of what runs in a pane, which is ended.
    pub fn instead(&self, server: &Server, pane: &Pane) -> Result<(), Failure> {
        self.run_in(server, &pane.pane)
    }

    /// Why a command could not be run is to be seen; one that ended well takes its pane with it. So that the pane knows this
    /// before the command can end, another one waits in it until then.
    fn made(&self, server: &Server, how: &[&str]) -> Result<PaneId, Failure> {
        let told = server.run(&[how, &["--", "cat", "-"]].concat())?;
        let id = told.trim().parse::<PaneId>();
        let id = id.map_err(|_| Failure::failed("tmux did not say which pane it made"))?;
        server
            .run(&["set-option", "-p", "-t", id.as_str(), "remain-on-exit", "failed"])
            .and_then(|_| self.run_in(server, &id))
            .inspect_err(|_| drop(server.run(&["kill-pane", "-t", id.as_str()])))?;
        Ok(id)
    }

    fn run_in(&self, server: &Server, pane: &PaneId) -> Result<(), Failure> {
        self.tmux(server, &["respawn-pane", "-k", "-t", pane.as_str()]).map(|_| ())
    }

    fn tmux(&self, server: &Server, how: &[&str]) -> Result<String, Failure> {
        let set = |name: &&str| Some(format!("{name}={}", std::env::var(name).ok()?));
        let place: Vec<String> = PLACE.iter().filter_map(set).collect();
        let wrap = program("wrap").to_string_lossy().into_owned();
        let mut words = how.to_vec();
        words.extend(place.iter().flat_map(|pair| ["-e", pair.as_str()]));
        // More than one word is run by tmux as it is, without a shell.
        words.extend(["--", &wrap]);
        match self {
            Self::Attach { name } => words.extend(["attach", name]),
            Self::Run { name, dir, role, command } => {
                for (option, value) in [("--name", name), ("--role", role)] {
                    words.extend(value.iter().flat_map(|value| [option, value]));
                }
                words.extend(["-C", dir, "--"]);
                words.extend(command.iter().map(String::as_str));
            }
        }
        server.run(&words)
    }
}

/// tmux reads formats in the name of a window, and a format may run a program.
fn checked_name(name: &str) -> Result<(), Failure> {
    if plain(name) {
        return Ok(());
    }
    Err(Failure::Usage(format!(
        "'{}' cannot be a session's name: use 1 to 64 letters, digits, '.', '_' or '-', not beginning with '-' or '.'",
        escape(name)
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_holds_no_format() {
        for bad in ["", "#(touch x)", "a b", "-n", ".x", "a;", &"x".repeat(65)] {
            assert!(checked_name(bad).is_err(), "{bad:?}");
        }
        assert!(checked_name("api-1_x.y").is_ok());
    }
}
