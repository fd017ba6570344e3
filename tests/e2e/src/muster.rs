//! One installation of the product in a folder of its own. Must not: outlive its test.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::api::Api;
use crate::{program, root, wait_for};

/// A place with its own server, sessions and database; everything in it ends when it is dropped.
pub struct Muster {
    folder: TempDir,
    port: u16,
    /// Where the programs are; `None`: they are built.
    bin: Option<PathBuf>,
}

impl Default for Muster {
    fn default() -> Self {
        Self::new()
    }
}

impl Muster {
    /// An empty place. Nothing runs yet.
    pub fn new() -> Self {
        // Short, as paths of sockets are limited to about 100 bytes.
        let folder = tempfile::Builder::new().prefix("mu").tempdir().expect("a temporary folder");
        Self { folder, port: 0, bin: None }
    }

    /// The same with the programs of a folder.
    pub fn of(bin: &Path) -> Self {
        let bin = bin.canonicalize().expect("the folder of the programs is there");
        let mut muster = Self::new();
        muster.bin = Some(bin);
        muster
    }

    /// The path of a program under test.
    pub fn program(&self, name: &str) -> PathBuf {
        self.bin.as_ref().map_or_else(|| program(name), |bin| bin.join(name))
    }

    /// The server's interface, for what is asked often.
    pub fn api(&self) -> Api {
        Api::new(&self.home())
    }

    /// The same with one port for each server that is started here, as that of an installation is.
    pub fn with_one_port() -> Self {
        let free = std::net::TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr());
        let mut muster = Self::new();
        muster.port = free.expect("a free port").port();
        muster
    }

    /// A folder for the test's own files.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The variable that makes a program use this place.
    pub fn home(&self) -> PathBuf {
        self.folder.path().join("m")
    }

    /// A project under git.
    pub fn project(&self, name: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        actors::home::project(&path).expect("a project can be made");
        path.canonicalize().expect("it is there")
    }

    /// A program of the product, set up for this place.
    pub fn command(&self, name: &str) -> Command {
        let mut command = Command::new(self.program(name));
        command
            .env("MUSTER_HOME", self.home())
            .env("MUSTER_PORT", self.port.to_string())
            .env_remove("TMUX")
            .env_remove("TMUX_PANE");
        command.env_remove("XDG_RUNTIME_DIR").current_dir(self.folder.path()).stdin(Stdio::null());
        command
    }

    /// Runs a program to its end.
    pub fn run(&self, name: &str, arguments: &[&str]) -> Output {
        self.command(name).args(arguments).output().expect("it runs")
    }

    /// Runs a program that must succeed; its output.
    #[track_caller]
    pub fn ok(&self, name: &str, arguments: &[&str]) -> String {
        let out = self.run(name, arguments);
        let (stdout, stderr) = (String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
        assert!(out.status.success(), "{name} {arguments:?}: {:?}\n{stdout}\n{stderr}", out.status);
        stdout.into_owned()
    }

    /// The lines of JSON that a program prints.
    #[track_caller]
    pub fn json(&self, name: &str, arguments: &[&str]) -> Vec<Value> {
        let text = self.ok(name, arguments);
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}")))
            .collect()
    }

    /// A live session, as its holder tells it.
    pub fn live(&self, name: &str) -> Option<Value> {
        self.json("wrap", &["ls", "--json"]).into_iter().find(|s| s["name"] == name)
    }

    /// A session, as the server tells it.
    pub fn session(&self, name: &str) -> Option<Value> {
        self.json("assign", &["sessions", "--all", "--json"]).into_iter().find(|s| s["name"] == name)
    }

    /// Waits until the server shows a session in a state.
    #[track_caller]
    pub fn await_state(&self, name: &str, state: &str) -> Value {
        wait_for(&format!("{name} to be {state}"), || {
            self.session(name).filter(|s| s["claim"]["state"] == state)
        })
    }

    /// Queues a prompt; its id.
    #[track_caller]
    pub fn send(&self, arguments: &[&str]) -> i64 {
        let prompt = self.json("assign", &[&["--json"], arguments].concat());
        prompt[0]["id"].as_i64().expect("a prompt has an id")
    }

    /// A prompt with its attempts.
    #[track_caller]
    pub fn prompt(&self, id: i64) -> Value {
        self.json("assign", &["show", &id.to_string(), "--json"]).remove(0)
    }

    /// The same while the server may be away.
    pub fn try_prompt(&self, id: i64) -> Option<Value> {
        let out = self.run("assign", &["show", &id.to_string(), "--json"]);
        out.status.success().then(|| serde_json::from_slice(&out.stdout).ok()).flatten()
    }

    /// Waits until a prompt is in a state.
    #[track_caller]
    pub fn await_prompt(&self, id: i64, state: &str) -> Value {
        wait_for(&format!("prompt {id} to be {state}"), || {
            Some(self.prompt(id)).filter(|p| p["prompt"]["state"] == state)
        })
    }

    /// Starts the scripted agent headless.
    #[track_caller]
    pub fn scripted(&self, name: &str, project: &Path, manners: &[&str]) {
        self.scripted_with(name, project, manners, &[]);
    }

    /// The same with variables of its own.
    #[track_caller]
    pub fn scripted_with(&self, name: &str, project: &Path, manners: &[&str], env: &[(&str, &str)]) {
        let agent = self.program("scripted-agent");
        let scripts = root().join("fixtures/scripts");
        let mut command = self.command("wrap");
        command
            .envs(env.iter().copied())
            .args(["-d", "--name", name, "-C"])
            .arg(project)
            .arg(agent)
            .arg("--scripts")
            .arg(scripts)
            .args(manners);
        let out = command.output().expect("wrap runs");
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    }

    /// A scripted agent in a session of this name, idle in a project of its own; the project.
    #[track_caller]
    pub fn ready(&self, name: &str) -> PathBuf {
        let project = self.project("p");
        self.scripted(name, &project, &[]);
        self.await_state(name, "idle");
        project
    }

    /// Gives what a session asks for, once, and waits until it asks for something else or for nothing.
    #[track_caller]
    pub fn give_permission(&self, name: &str) {
        self.await_state(name, "waiting_permission");
        let dialog = self.session(name).expect("it is there")["dialog"]["id"].clone();
        wait_for("the permission to be given", || {
            self.run("assign", &["approve", name]).status.success().then_some(())
        });
        wait_for("another dialog or none", || (self.session(name)?["dialog"]["id"] != dialog).then_some(()));
    }

    /// A link that logs one browser in.
    #[track_caller]
    pub fn login_link(&self) -> String {
        self.ok("assign", &["login"]).trim().to_owned()
    }

    /// Prints what all processes of this place have logged, for whoever looks for the cause of a fault.
    pub fn show_logs(&self) {
        let mut logs = vec![self.home().join("state/assigner.log")];
        let sessions = std::fs::read_dir(self.home().join("state/sessions")).into_iter().flatten().flatten();
        logs.extend(
            sessions.flat_map(|s| ["holder.log", "observer.log", "journal.jsonl"].map(|l| s.path().join(l))),
        );
        for log in logs {
            eprintln!("--- {}\n{}", log.display(), std::fs::read_to_string(&log).unwrap_or_default());
        }
    }

    /// The server's process, once it serves.
    pub fn server(&self) -> i64 {
        wait_for("the server's file", || self.serving())
    }

    /// The same, if it serves now.
    pub fn serving(&self) -> Option<i64> {
        let text = std::fs::read_to_string(self.home().join("run/assigner.json")).ok()?;
        serde_json::from_str::<Value>(&text).ok()?["pid"].as_i64().filter(|pid| crate::is_alive(*pid))
    }

    /// All living processes of this place.
    pub fn processes(&self) -> Vec<i64> {
        processes_with(&self.variable())
    }

    /// What the environment of each of them holds.
    fn variable(&self) -> String {
        format!("MUSTER_HOME={}", self.home().display())
    }

    /// What a session's holder read and wrote, in its order: `true` for what came from the program.
    pub fn recorded(&self, session: &str) -> Vec<(bool, String)> {
        let out = self.run("wrap", &["export", session]);
        let text = String::from_utf8_lossy(&out.stdout).into_owned();
        let entries =
            text.lines().filter_map(|line| serde_json::from_str::<(f64, String, String)>(line).ok());
        let ours = entries.filter(|(_, code, _)| code == "o" || code == "i");
        ours.map(|(_, code, data)| (code == "o", data)).collect()
    }
}

impl Drop for Muster {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.show_logs();
        }
        end_all(&self.variable());
    }
}

/// Ends whatever has this variable in its environment: it may start others until it is ended.
pub(crate) fn end_all(variable: &str) {
    loop {
        let ours = processes_with(variable);
        if ours.is_empty() {
            return;
        }
        for pid in ours {
            crate::signal(pid, rustix::process::Signal::KILL);
        }
    }
}

/// Living processes whose environment has this variable, but for this one.
fn processes_with(variable: &str) -> Vec<i64> {
    let mark = format!("{variable}\0").into_bytes();
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|e| e.file_name().to_str()?.parse::<i64>().ok());
    let has_mark = |pid: &i64| {
        let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment.windows(mark.len()).any(|window| window == mark.as_slice())
    };
    pids.filter(|pid| *pid != i64::from(std::process::id()) && crate::is_alive(*pid))
        .filter(has_mark)
        .collect()
}
