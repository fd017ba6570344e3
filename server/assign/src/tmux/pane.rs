//! Panes as tmux tells of them. Must not: believe that a name or a folder is without line breaks.

use std::path::Path;
use std::process::{Command, Stdio};
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use wire::launch::program;
use wire::text::escape;

use super::server::Server;
use crate::failure::Failure;

/// What is asked of each pane, in the order of [`Pane::read`].
const FIELDS: [&str; 12] = [
    "pane_id",
    "pane_width",
    "pane_height",
    "pane_pid",
    "pane_dead",
    "pane_in_mode",
    "pane_pipe",
    "@muster_may_type",
    "socket_path",
    "pane_current_command",
    "pane_current_path",
    "session_name}:#{window_index}.#{pane_index",
];

/// A pane's own name, for example `%3`: all that is ever given to tmux as a target.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct PaneId(String);

impl PaneId {
    /// As tmux writes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PaneId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = text.strip_prefix('%').unwrap_or_default();
        let good = (1..=9).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit());
        good.then(|| Self(text.to_owned())).ok_or_else(|| {
            "a pane is named by its id, for example %3; `assign tmux ls` lists them".to_owned()
        })
    }
}

/// A pane.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Pane {
    /// Its id, for example `%3`.
    pub pane: PaneId,
    /// Where it is: `session:window.pane`.
    pub at: String,
    /// What runs in it.
    pub command: String,
    /// Where that works.
    pub dir: String,
    /// Columns.
    pub cols: u16,
    /// Rows.
    pub rows: u16,
    /// The process that it was started with; of one that has ended newer versions of tmux do not tell.
    pub pid: Option<i32>,
    /// The session of Muster that it shows, if it does.
    pub session: Option<String>,
    /// The session that stands in for it, if one does.
    pub adopted: Option<String>,
    /// Whether `assign tmux send` may type into it.
    pub may_type: bool,
    /// What it prints goes somewhere else as well.
    #[serde(skip)]
    pub piped: bool,
    /// Its command has ended.
    #[serde(skip)]
    pub dead: bool,
    /// Somebody scrolls or selects in it.
    #[serde(skip)]
    pub in_mode: bool,
}

/// What of a session `wrap ls --json` tells that is needed here.
#[derive(Debug, Clone, Deserialize)]
pub struct Live {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Whether a terminal shows it.
    pub attached: bool,
    /// The pane that this is in.
    pub pane: Option<String>,
    /// The socket of that pane's tmux server.
    #[serde(default)]
    pub tmux: Option<String>,
    /// What it runs.
    #[serde(default)]
    pub argv: Vec<String>,
}

impl Live {
    /// The pane of this tmux server that shows it.
    pub fn pane_of(&self, socket: &str) -> Option<PaneId> {
        // A session that was started by an older build does not say of which server its pane is.
        let here = self.tmux.as_ref().is_none_or(|own| own == socket || same_file(own, socket));
        self.pane.as_ref().filter(|_| here)?.parse().ok()
    }

    /// Where it is seen: the pane that it stands in for, or the one that shows it.
    pub fn seen_in(&self, socket: &str) -> Option<PaneId> {
        self.stands_for(socket).or_else(|| self.pane_of(socket))
    }

    /// The pane of this tmux server that it stands in for.
    pub fn stands_for(&self, socket: &str) -> Option<PaneId> {
        let [_, relay, _, of, _, pane, ..] = &self.argv[..] else { return None };
        let here = relay == "relay" && (of == socket || same_file(of, socket));
        here.then(|| pane.parse().ok()).flatten()
    }
}

fn same_file(one: &str, other: &str) -> bool {
    let real = |path: &str| Path::new(path).canonicalize().ok();
    real(one).is_some_and(|path| Some(path) == real(other))
}

/// All panes of a server, with the sessions of Muster that they show.
pub fn all(server: &Server) -> Result<Vec<Pane>, Failure> {
    // What stands between two fields is made anew each time: no name and no folder can hold it.
    let between = uuid::Uuid::new_v4().simple().to_string();
    let format: String = FIELDS.iter().map(|field| format!("{between}#{{{field}}}")).collect();
    let told = server.run(&["list-panes", "-a", "-F", &format])?;
    let live = live();
    let fields: Vec<&str> = told.split(between.as_str()).skip(1).collect();
    Ok(fields.chunks_exact(FIELDS.len()).filter_map(|fields| Pane::read(fields, &live)).collect())
}

/// One of them.
pub fn one(server: &Server, id: &PaneId) -> Result<Pane, Failure> {
    all(server)?.into_iter().find(|pane| pane.pane == *id).ok_or_else(|| {
        Failure::NotFound(format!("there is no pane {}; `assign tmux ls` lists them", escape(id.as_str())))
    })
}

impl Pane {
    fn read(fields: &[&str], live: &[Live]) -> Option<Self> {
        let [id, cols, rows, pid, dead, mode, piped, may_type, socket, command, dir, at] = fields else {
            return None;
        };
        let pane = id.parse().ok()?;
        let shown = live.iter().find(|live| live.pane_of(socket).as_ref() == Some(&pane));
        let session = shown.map(|live| live.name.clone());
        let adopted = live.iter().find(|live| live.stands_for(socket).as_ref() == Some(&pane));
        Some(Self {
            pane,
            at: at.strip_suffix('\n').unwrap_or(at).to_owned(),
            command: (*command).to_owned(),
            dir: (*dir).to_owned(),
            cols: cols.parse().ok()?,
            rows: rows.parse().ok()?,
            pid: pid.parse().ok(),
            session,
            adopted: adopted.map(|live| live.name.clone()),
            may_type: *may_type == "1",
            piped: *piped == "1",
            dead: *dead == "1",
            in_mode: !matches!(*mode, "" | "0"),
        })
    }
}

/// The live sessions of this machine; none when `wrap` cannot tell.
pub fn live() -> Vec<Live> {
    let mut command = Command::new(program("wrap"));
    let output = command.args(["ls", "--json"]).stdin(Stdio::null()).stderr(Stdio::null()).output();
    let told = output.map(|output| output.stdout).unwrap_or_default();
    String::from_utf8_lossy(&told).lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pane_is_named_by_its_id_and_by_nothing_else() {
        for bad in ["", "%", "3", "%x", "%1;", "% 1", "main:1.0", "-t", "%1\n", "%1234567890"] {
            assert!(bad.parse::<PaneId>().is_err(), "{bad:?}");
        }
        assert_eq!("%17".parse::<PaneId>().unwrap().as_str(), "%17");
    }

    #[test]
    fn a_folder_that_looks_like_another_pane_stays_a_folder() {
        let dir = "/tmp/x\n%9 80 24\t";
        let fields = ["%1", "80", "24", "7", "0", "1", "0", "", "/s", "vi", dir, "main:0.1\n"];
        let live = [("%1", "/other"), ("%1", "/s")].map(|(pane, socket)| Live {
            id: "i".into(),
            name: socket.into(),
            attached: true,
            pane: Some(pane.into()),
            tmux: Some(socket.into()),
            argv: Vec::new(),
        });
        let pane = Pane::read(&fields, &live).unwrap();
        assert_eq!((pane.dir.as_str(), pane.at.as_str(), pane.in_mode), (dir, "main:0.1", true));
        assert_eq!(
            pane.session.as_deref(),
            Some("/s"),
            "the other server's pane of that name is another one"
        );
        assert_eq!(Pane::read(&fields[1..], &live), None);
    }

    /// tmux 3.8 does; 3.3 and 3.5 go on naming it.
    #[test]
    fn a_pane_whose_command_has_ended_is_one_although_tmux_no_longer_tells_its_process() {
        let fields = ["%1", "80", "24", "", "1", "0", "0", "", "/s", "wrap", "/", "main:0.1\n"];
        let pane = Pane::read(&fields, &[]).unwrap();
        assert_eq!((pane.dead, pane.pid), (true, None));
    }
}
