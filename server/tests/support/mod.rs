//! The real server in a folder of its own, and scripted clients that speak the wire.
//!
//! Must not: sleep for a duration; every wait is for a condition, with a limit after which the test fails.

#![allow(dead_code)]

pub mod peer;
pub mod raw;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;
use tempfile::TempDir;
use wire::place::Place;

use raw::{Answer, Request};

/// How long a condition may take to come true; generous, as the machine may be busy.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A place for one server.
pub struct Home {
    dir: TempDir,
}

/// A running server; killed when dropped.
pub struct Server {
    child: Child,
    pub place: Place,
    pub port: u16,
}

impl Home {
    pub fn new() -> Self {
        Self { dir: tempfile::tempdir().expect("a temporary folder can be made") }
    }

    pub fn path(&self) -> PathBuf {
        self.dir.path().join("muster")
    }

    pub fn place(&self) -> Place {
        let home = self.path().into_os_string();
        Place::find(|name| (name == "MUSTER_HOME").then(|| home.clone())).expect("the home is given")
    }

    /// A command of the real binary in this home.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(server_binary());
        command.args(args).env("MUSTER_HOME", self.path()).env_remove("MUSTER_PORT").stdin(Stdio::null());
        command
    }

    /// Starts a server and waits until it listens.
    pub fn serve(&self) -> Server {
        let place = self.place();
        let log = std::fs::File::options().append(true).create(true).open(self.dir.path().join("log"));
        let log = log.expect("the log can be opened");
        let mut child = self
            .command(&["serve", "--port", "0", "--log", "debug"])
            .stdout(log.try_clone().expect("the log can be shared"))
            .stderr(log)
            .spawn()
            .expect("the server starts");
        let pid = i32::try_from(child.id()).expect("a pid fits");
        let file = wait_for("the server to listen", || {
            if let Some(status) = child.try_wait().expect("the server can be waited for") {
                panic!("the server ended with {status}: {}", self.log());
            }
            place.serving().filter(|server| server.pid == pid)
        });
        Server { child, place, port: file.port }
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("log")).unwrap_or_default()
    }
}

impl Server {
    /// kill -9.
    pub fn kill(&mut self) {
        self.child.kill().expect("the server can be killed");
        self.child.wait().expect("the server can be waited for");
    }

    pub fn pid(&self) -> i32 {
        i32::try_from(self.child.id()).expect("a pid fits")
    }

    pub fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_raw(self.pid());
        rustix::process::kill_process(pid.expect("a pid is not 0"), signal).expect("the server lives");
    }

    pub fn wait(&mut self) -> std::process::ExitStatus {
        wait_for("the server to end", || self.child.try_wait().expect("the server can be waited for"))
    }

    pub fn cli_token(&self) -> String {
        token(&self.place.cli_token())
    }

    pub fn wrapper_token(&self) -> String {
        token(&self.place.wrapper_token())
    }

    /// A request with the command line's token, by the Unix socket.
    pub fn ask<T: DeserializeOwned>(&self, method: &str, path: &str, body: &str) -> (u16, T) {
        let answer = self.send(method, path, body, &[]);
        (answer.status, answer.json())
    }

    pub fn send(&self, method: &str, path: &str, body: &str, headers: &[(&str, &str)]) -> Answer {
        let bearer = format!("Bearer {}", self.cli_token());
        let mut request =
            Request::new(method, path).header("Host", "localhost").header("Authorization", &bearer);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        request.json(body).by_unix(&self.place.server_socket())
    }

    /// Queues a prompt and gives its number.
    pub fn enqueue(&self, body: &serde_json::Value) -> i64 {
        let (status, prompt): (u16, wire::prompt::Prompt) =
            self.ask("POST", "/v1/prompts", &body.to_string());
        assert_eq!(status, 201);
        prompt.id.0
    }

    pub fn detail(&self, id: i64) -> wire::http::PromptDetail {
        self.ask("GET", &format!("/v1/prompts/{id}"), "").1
    }

    pub fn session(&self, name: &str) -> wire::session::Session {
        self.ask("GET", &format!("/v1/sessions/{name}"), "").1
    }

    /// Waits until a prompt is in a state.
    pub fn until(&self, id: i64, state: wire::prompt::PromptState) -> wire::http::PromptDetail {
        wait_for(&format!("prompt {id} to be {state}"), || {
            let detail = self.detail(id);
            (detail.prompt.state == state).then_some(detail)
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The server's program: cargo names it for its own tests only; for those of other crates it is built once, if whoever
/// runs the tests has not built it.
pub fn server_binary() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    if let Some(folder) = std::env::var_os("MUSTER_TEST_PROGRAMS") {
        return PathBuf::from(folder).join("assigner");
    }
    if let Some(own) = option_env!("CARGO_BIN_EXE_assigner") {
        return PathBuf::from(own);
    }
    BUILT.get_or_init(build).clone()
}

fn build() -> PathBuf {
    let args = ["build", "--quiet", "-p", "server", "--bin", "assigner", "--message-format=json"];
    let built = Command::new(env!("CARGO")).args(args).output().expect("cargo runs");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let lines = String::from_utf8(built.stdout).expect("cargo writes UTF-8");
    let messages = lines.lines().filter_map(|l| serde_json::from_str::<serde_json::Value>(l).ok());
    let made = messages.filter_map(|m| m["executable"].as_str().map(PathBuf::from)).next_back();
    made.expect("cargo says where the program is")
}

fn token(path: &Path) -> String {
    std::fs::read_to_string(path).expect("the server made its tokens").trim().to_owned()
}

/// Waits for a condition.
pub fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let until = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < until, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
