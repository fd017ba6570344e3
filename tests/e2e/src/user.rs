//! A user with a home, a shell, agents and the product on the search path. Must not: know what the user wants.
//!
//! The agents are the real ones, set up for the scripted model. Nothing but the home says where Muster keeps its files,
//! as with a user who has just installed it.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc;

use actors::home::{self, Kind};
use actors::model::Model;
use actors::script::Scripts;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::tmux::Tmux;
use crate::{PATIENCE, muster, program, root, wait_for};

/// What the shell knows besides, for what a story needs.
const PRELUDE: &str = r#"
# Starts a session of Claude Code under a name, which asks before it changes something, and waits until it is ready.
session() { wrap -d --name "$1" -C ~/api claude --permission-mode default > /dev/null && becomes "$1" idle; }
# Waits until a session is in a state.
becomes() {
    local tries
    for tries in $(seq 600); do
        if assign sessions --json | grep -q "\"name\":\"$1\".*\"state\":\"$2\""; then return; fi
        sleep 0.1
    done
    echo "$1 did not become $2:"; assign sessions; return 1
}
# Waits until a prompt is in a state.
ends() {
    local tries
    for tries in $(seq 600); do
        if assign show "$1" --json | grep -q "\"id\":$1,.*\"state\":\"$2\""; then return; fi
        sleep 0.1
    done
    echo "prompt $1 did not become $2:"; assign show "$1"; return 1
}
exec 2>&1
"#;
/// Begins the line that tells how a command ended.
const MARK: &str = "\u{1}ended ";

/// A user.
pub struct User {
    folder: TempDir,
    env: BTreeMap<String, String>,
    shell: Child,
    says: ChildStdin,
    hears: BufReader<ChildStdout>,
    here: PathBuf,
    _model: Model,
    _runtime: Runtime,
}

impl User {
    /// A user whose home has a project, `~/api`, that the agents trust. `None` without the real agents.
    pub fn new() -> Option<Self> {
        let agents = std::env::var_os("MUSTER_TEST_AGENTS")?;
        let runtime = Runtime::new().expect("a runtime");
        let scripts = Scripts::load(&root().join("fixtures/scripts")).expect("the scripts can be read");
        let model = runtime.block_on(Model::start(scripts, 0, None)).expect("the model serves");
        // Short, as paths of sockets are limited to about 100 bytes.
        let folder = tempfile::Builder::new().prefix("mu").tempdir().expect("a temporary folder");
        let (home, bin) = (folder.path().join("home"), folder.path().join("bin"));
        home::project(&home.join("api")).expect("a project can be made");
        let mut env = BTreeMap::new();
        for kind in [Kind::Claude, Kind::Codex] {
            env.append(
                &mut home::set_up(kind, &home, &home.join("api"), model.address).expect("a home for agents"),
            );
        }
        home::trust(Kind::Claude, &home, &home).expect("its settings can be changed");
        std::fs::create_dir(&bin).expect("a folder for programs");
        for name in ["wrap", "assign", "assigner"] {
            symlink(program(name), bin.join(name)).expect("a link");
        }
        for name in ["claude", "codex"] {
            symlink(Path::new(&agents).join(name), bin.join(name)).expect("a link");
        }
        let path = std::env::var("PATH").expect("a search path");
        env.insert("PATH".to_owned(), format!("{}:{path}", bin.display()));
        env.insert("HOME".to_owned(), home.to_string_lossy().into_owned());
        // Any free one: somebody may use the usual one.
        env.insert("MUSTER_PORT".to_owned(), "0".to_owned());
        env.insert("SHELL".to_owned(), "/bin/bash".to_owned());
        let (shell, says, hears) = shell(&home, &env);
        let mut user = Self { folder, env, shell, says, hears, here: home, _model: model, _runtime: runtime };
        user.run(PRELUDE).expect("the shell takes what it needs to know");
        Some(user)
    }

    /// The user's home.
    pub fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// What all processes of the user have in their environment.
    fn mark(&self) -> String {
        format!("HOME={}", self.home().display())
    }

    /// Keeps a file where the user is.
    pub fn keep(&self, name: &str, text: &str) {
        std::fs::write(self.here.join(name), text).expect("a file can be written");
    }

    /// Runs a command in the user's shell, to its end; its output and status.
    pub fn run(&mut self, command: &str) -> Result<String, String> {
        let file = self.folder.path().join("command");
        std::fs::write(&file, command).expect("a file can be written");
        let line = format!(". {} < /dev/null; printf '\\n{MARK}%s %s\\n' $? \"$PWD\"\n", file.display());
        self.says.write_all(line.as_bytes()).expect("the shell listens");
        let mut output = String::new();
        let _watch = Watch::new(self.mark());
        loop {
            let mut row = Vec::new();
            let read = self.hears.read_until(b'\n', &mut row).expect("the shell speaks");
            assert!(read > 0, "without an end in time, or the end of the shell: {command}\n{output}");
            let row = String::from_utf8_lossy(&row);
            if let Some((status, here)) =
                row.strip_prefix(MARK).and_then(|end| end.trim_end().split_once(' '))
            {
                self.here = PathBuf::from(here);
                return if status == "0" {
                    Ok(output)
                } else {
                    Err(format!("ended with {status}:\n{output}"))
                };
            }
            output += &row;
        }
    }

    /// Runs a command that stays, on a terminal: waits until it shows a text, types, and waits until it has ended.
    pub fn stay(&self, command: &str, until: &str, keys: &[&str]) {
        let env: Vec<(&str, &Path)> =
            self.env.iter().map(|(name, value)| (name.as_str(), Path::new(value.as_str()))).collect();
        let tmux = Tmux::start(&self.here, &env, command).expect("tmux is needed for this test");
        tmux.await_text(until);
        tmux.keys(keys);
        wait_for(&format!("the end of {command} by {keys:?}"), || {
            tmux.run(&["list-sessions"]).is_empty().then_some(())
        });
    }
}

impl Drop for User {
    fn drop(&mut self) {
        let _ = self.shell.kill();
        let _ = self.shell.wait();
        muster::end_all(&self.mark());
    }
}

/// Ends all that a user runs when it takes too long; dropped before, it does nothing.
struct Watch {
    _done: mpsc::Sender<()>,
}

impl Watch {
    fn new(mark: String) -> Self {
        let (done, waits) = mpsc::channel();
        std::thread::spawn(move || {
            if waits.recv_timeout(PATIENCE * 2) == Err(mpsc::RecvTimeoutError::Timeout) {
                muster::end_all(&mark);
            }
        });
        Self { _done: done }
    }
}

/// A shell without any settings but these.
fn shell(home: &Path, env: &BTreeMap<String, String>) -> (Child, ChildStdin, BufReader<ChildStdout>) {
    let mut command = Command::new("bash");
    command.args(["--norc", "--noprofile"]).current_dir(home).envs(env);
    for name in ["MUSTER_HOME", "XDG_RUNTIME_DIR", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "TMUX", "TMUX_PANE"] {
        command.env_remove(name);
    }
    let mut shell = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("bash runs");
    let (says, hears) = (shell.stdin.take().expect("piped"), shell.stdout.take().expect("piped"));
    (shell, says, BufReader::new(hears))
}
