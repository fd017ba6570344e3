//! What is judged about this machine, from facts that were gathered before. Pure. Must not: look for itself.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use wire::text::escape;

use crate::print::quoted;

/// Longest path of a socket that every system takes, in bytes.
const SOCKET_MAX: usize = 103;
/// Open files that a server with a thousand sessions needs.
const FILES: u64 = 4_096;
/// Free bytes below which recordings are in danger, and below which they end.
const DISK_LOW: u64 = 2 << 30;
const DISK_FULL: u64 = 200 << 20;
/// The least tmux that the plugin works with.
const TMUX: (u32, u32) = (3, 3);
/// The first OpenBSD after it came out, in 2022.
const OPENBSD: (u32, u32) = (7, 2);

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Weight {
    /// As it should be.
    Fine,
    /// Something works less well than it could.
    Warning,
    /// Something does not work, or is not safe.
    Broken,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Finding {
    /// What was looked at.
    pub about: String,
    /// How bad it is.
    pub weight: Weight,
    /// What was found.
    pub text: String,
    /// The command that mends it, or what to do.
    pub mend: Option<String>,
}

/// What was gathered.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// Own version.
    pub version: String,
    /// `wrap` and `assigner` with what they say of their version.
    pub programs: Vec<(String, Option<String>)>,
    /// The version of the server that runs.
    pub server: Option<String>,
    /// Why none can be reached.
    pub no_server: Option<String>,
    /// Files and folders that are for this user alone.
    pub private: Vec<Guarded>,
    /// The longest path of a socket.
    pub socket: String,
    /// Agents that are installed.
    pub agents: Vec<Agent>,
    /// `TERM`.
    pub term: Option<String>,
    /// Whether the locale says UTF-8.
    pub utf8: bool,
    /// What `tmux -V` says.
    pub tmux: Option<String>,
    /// Most open files.
    pub files: u64,
    /// Free bytes where recordings are kept.
    pub disk: Option<u64>,
    /// `MUSTER_NO_HOOKS` is set.
    pub no_hooks: bool,
}

/// A file or folder that is for this user alone.
#[derive(Debug, Clone)]
pub struct Guarded {
    /// Where it is.
    pub path: String,
    /// Its mode.
    pub mode: u32,
    /// Whether it is the user's own.
    pub own: bool,
    /// Whether it is a link to another place.
    pub link: bool,
}

/// An agent, as `wrap agents --installed --json` tells of it.
#[derive(Debug, Clone, Deserialize)]
pub struct Agent {
    /// What people call it.
    pub title: String,
    /// Where its command is.
    pub path: String,
    /// Its version.
    pub version: Option<String>,
    /// The versions that were measured.
    pub measured: Option<String>,
    /// Whether this is one of them.
    pub covered: Option<bool>,
}

/// Judges everything, in the order in which one would look.
pub fn judge(facts: &Facts) -> Vec<Finding> {
    let mut all: Vec<Finding> =
        facts.programs.iter().map(|(name, said)| program(facts, name, said)).collect();
    all.push(server(facts));
    all.push(socket(facts));
    all.extend(facts.private.iter().map(private));
    if facts.agents.is_empty() {
        all.push(warning(
            "agents",
            "none of those that are known is on the search path".to_owned(),
            "wrap agents",
        ));
    }
    all.extend(facts.agents.iter().map(agent));
    if facts.no_hooks {
        let text = "MUSTER_NO_HOOKS is set: agents tell nothing outside their terminal".to_owned();
        all.push(warning("hooks", text, "unset MUSTER_NO_HOOKS"));
    }
    all.push(terminal(facts));
    all.extend(facts.tmux.as_deref().map(tmux));
    all.push(files(facts.files));
    all.extend(facts.disk.map(disk));
    all
}

fn finding(about: &str, weight: Weight, text: String, mend: Option<&str>) -> Finding {
    Finding { about: about.to_owned(), weight, text, mend: mend.map(str::to_owned) }
}

fn fine(about: &str, text: String) -> Finding {
    finding(about, Weight::Fine, text, None)
}

fn warning(about: &str, text: String, mend: &str) -> Finding {
    finding(about, Weight::Warning, text, Some(mend))
}

fn broken(about: &str, text: String, mend: &str) -> Finding {
    finding(about, Weight::Broken, text, Some(mend))
}

fn program(facts: &Facts, name: &str, said: &Option<String>) -> Finding {
    match said {
        None => {
            broken(name, "it is neither beside `assign` nor on the search path".to_owned(), "scripts/build")
        }
        Some(version) if *version == facts.version => fine(name, format!("version {}", escape(version))),
        Some(version) => {
            let text = format!("it is version {}, but `assign` is {}", escape(version), facts.version);
            warning(name, text, "scripts/build")
        }
    }
}

fn server(facts: &Facts) -> Finding {
    match (&facts.server, &facts.no_server) {
        (Some(version), _) if *version == facts.version => fine("server", format!("runs, version {version}")),
        (Some(version), _) => {
            let text = format!("the one that runs is version {}, not {}", escape(version), facts.version);
            // Sessions go on meanwhile.
            warning("server", text, "assigner stop; assigner serve --detach")
        }
        (None, Some(why)) => broken("server", escape(why), "assigner serve --detach"),
        (None, None) => fine("server", "none runs; the next `wrap` or `assign` starts it".to_owned()),
    }
}

fn socket(facts: &Facts) -> Finding {
    let length = facts.socket.len();
    if length <= SOCKET_MAX {
        return fine("sockets", format!("paths of at most {length} bytes"));
    }
    let text = format!(
        "a path of {length} bytes is too long for a socket; {SOCKET_MAX} are the most: {}",
        escape(&facts.socket)
    );
    broken("sockets", text, "export MUSTER_HOME=$HOME/.muster")
}

fn private(guarded: &Guarded) -> Finding {
    let shown = escape(&guarded.path);
    if guarded.link {
        let mend = format!("mv the folder itself to {}", quoted(&guarded.path));
        return broken("access", format!("{shown} is a link; nothing is kept behind one"), &mend);
    }
    if !guarded.own {
        return broken("access", format!("{shown} belongs to another user"), "move it away; it is made anew");
    }
    if guarded.mode & 0o077 != 0 {
        let text = format!("others may read {shown} (mode {:o})", guarded.mode);
        return broken("access", text, &format!("chmod go-rwx {}", quoted(&guarded.path)));
    }
    fine("access", format!("{shown} is for you alone"))
}

fn agent(agent: &Agent) -> Finding {
    let version = agent.version.as_deref().unwrap_or("of an unknown version");
    let name = format!("{} {}, {}", escape(&agent.title), escape(version), escape(&agent.path));
    let measured = escape(agent.measured.as_deref().unwrap_or_default());
    match agent.covered {
        Some(true) => fine("agents", name),
        Some(false) => {
            let text =
                format!("{name}: its profile was measured with {measured}; states may be read wrongly");
            warning("agents", text, "wrap explain --agent NAME SCREEN shows what is made of a screen")
        }
        None => warning("agents", format!("{name}: it does not tell its version"), "run it with --version"),
    }
}

fn terminal(facts: &Facts) -> Finding {
    let term = facts.term.as_deref().unwrap_or_default();
    if term.is_empty() || term == "dumb" {
        return warning("terminal", format!("TERM is '{}'", escape(term)), "export TERM=xterm-256color");
    }
    if !facts.utf8 {
        let text = "the locale does not say UTF-8; agents draw with more than ASCII".to_owned();
        return warning("terminal", text, "export LANG=C.UTF-8");
    }
    fine("terminal", format!("{}, UTF-8", escape(term)))
}

fn tmux(said: &str) -> Finding {
    let name = said.trim().trim_start_matches("tmux ").trim_start_matches("next-");
    // OpenBSD's own is called by the version of the system.
    let (numbers, least) = match name.strip_prefix("openbsd-") {
        Some(numbers) => (numbers, OPENBSD),
        None => (name, TMUX),
    };
    let mut parts = numbers.split(|c: char| !c.is_ascii_digit()).map(|part| part.parse::<u32>().unwrap_or(0));
    let version = (parts.next().unwrap_or(0), parts.next().unwrap_or(0));
    if version >= least {
        return fine("tmux", escape(said.trim()));
    }
    let text = format!("{}; the plugin needs {}.{} or later", escape(said.trim()), TMUX.0, TMUX.1);
    warning("tmux", text, "install a newer tmux")
}

fn files(most: u64) -> Finding {
    if most >= FILES {
        return fine("limits", format!("{most} open files"));
    }
    warning("limits", format!("only {most} open files; each session takes a few"), "ulimit -n 4096")
}

fn disk(free: u64) -> Finding {
    let shown = format!("{:.1} GiB free for recordings", free as f64 / f64::from(1 << 30));
    match free {
        0..DISK_FULL => broken("disk", shown, "free some; recordings stop when it is full, agents go on"),
        DISK_FULL..DISK_LOW => warning("disk", shown, "free some; `wrap ls` tells what runs"),
        _ => fine("disk", shown),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> Facts {
        Facts {
            version: "1.0".to_owned(),
            programs: vec![("wrap".to_owned(), Some("1.0".to_owned()))],
            server: Some("1.0".to_owned()),
            private: vec![Guarded { path: "/m/state".to_owned(), mode: 0o700, own: true, link: false }],
            socket: "/m/run/s".to_owned(),
            agents: vec![Agent {
                title: "An agent".to_owned(),
                path: "/bin/a".to_owned(),
                version: Some("2.0".to_owned()),
                measured: Some(">=2, <3".to_owned()),
                covered: Some(true),
            }],
            term: Some("xterm-256color".to_owned()),
            utf8: true,
            tmux: Some("tmux 3.3a".to_owned()),
            files: 65_536,
            disk: Some(100 << 30),
            ..Facts::default()
        }
    }

    fn bad(facts: &Facts) -> Vec<(String, Weight)> {
        let found = judge(facts).into_iter().filter(|f| f.weight != Weight::Fine);
        found.inspect(|f| assert!(f.mend.is_some(), "{f:?}")).map(|f| (f.about, f.weight)).collect()
    }

    #[test]
    fn a_good_machine_has_nothing_to_mend() {
        assert_eq!(bad(&good()), []);
    }

    #[test]
    fn what_is_wrong_is_told_with_what_mends_it() {
        let one = |about: &str, weight| vec![(about.to_owned(), weight)];
        let with = |change: &dyn Fn(&mut Facts)| {
            let mut facts = good();
            change(&mut facts);
            bad(&facts)
        };
        assert_eq!(with(&|f| f.programs[0].1 = None), one("wrap", Weight::Broken));
        assert_eq!(with(&|f| f.server = Some("0.9".to_owned())), one("server", Weight::Warning));
        assert_eq!(with(&|f| f.private[0].mode = 0o755), one("access", Weight::Broken));
        assert_eq!(with(&|f| f.private[0].own = false), one("access", Weight::Broken));
        assert_eq!(with(&|f| f.private[0].link = true), one("access", Weight::Broken));
        assert_eq!(with(&|f| f.socket = "x".repeat(104)), one("sockets", Weight::Broken));
        assert_eq!(with(&|f| f.agents.clear()), one("agents", Weight::Warning));
        assert_eq!(with(&|f| f.agents[0].covered = Some(false)), one("agents", Weight::Warning));
        assert_eq!(with(&|f| f.term = Some("dumb".to_owned())), one("terminal", Weight::Warning));
        assert_eq!(with(&|f| f.utf8 = false), one("terminal", Weight::Warning));
        assert_eq!(with(&|f| f.files = 256), one("limits", Weight::Warning));
        assert_eq!(with(&|f| f.disk = Some(1)), one("disk", Weight::Broken));
        assert_eq!(with(&|f| f.no_hooks = true), one("hooks", Weight::Warning));
    }

    #[test]
    fn versions_of_tmux_are_read_as_it_writes_them() {
        for (said, weight) in [
            ("tmux 3.3a\n", Weight::Fine),
            ("tmux 3.5", Weight::Fine),
            ("tmux next-3.6", Weight::Fine),
            ("tmux 10.0", Weight::Fine),
            ("tmux openbsd-7.4", Weight::Fine),
            ("tmux openbsd-6.9", Weight::Warning),
            ("tmux 3.2a", Weight::Warning),
            ("tmux master", Weight::Warning),
        ] {
            assert_eq!(tmux(said).weight, weight, "{said}");
        }
    }
}
