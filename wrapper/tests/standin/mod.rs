//! A server that says what a test wants and keeps what a wrapper reports. Must not: decide anything.

#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use rustix::process::{Pid, Signal};
use tempfile::TempDir;
use tokio::net::{UnixListener, UnixStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use wire::AttemptId;
use wire::place::Place;
use wire::prompt::{HoldCode, PromptResult, Step};
use wire::session::State;
use wire::wrapper::{Hello, Now, Offer, Report, ToServer, ToWrapper};
use wrapper::control::{FromHolder, ToHolder};

/// Longest time that anything is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// A place with a server and a session.
pub struct Standin {
    /// Everything of this test.
    pub home: TempDir,
    listener: UnixListener,
    socket: Option<WebSocketStream<UnixStream>>,
    acked: u64,
    /// The present, as it was told last.
    pub now: Option<Now>,
    /// Everything that was reported, in order.
    pub reports: Vec<Report>,
}

impl Standin {
    /// Serves in a new place.
    pub fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let place = place(home.path());
        place.create().unwrap();
        std::fs::write(place.wrapper_token(), "token").unwrap();
        let listener = UnixListener::bind(place.server_socket()).unwrap();
        Self { home, listener, socket: None, acked: 0, now: None, reports: Vec::new() }
    }

    /// A folder in this place, with links resolved.
    pub fn folder(&self, name: &str) -> PathBuf {
        let dir = self.home.path().canonicalize().unwrap().join(name);
        std::fs::create_dir_all(&dir).unwrap();
        dir
    }

    /// Starts a session without a terminal.
    pub fn wrap(&self, arguments: &[&str], dir: &Path, command: &[&str]) {
        let mut wrap = Command::new(env!("CARGO_BIN_EXE_wrap"));
        wrap.args(["-d", "--name", "s", "-C"]).arg(dir).args(arguments).args(command);
        wrap.env("MUSTER_HOME", self.home.path()).env("PS1", "$ ").env_remove("PROMPT_COMMAND");
        let out = wrap.output().unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    }

    /// Takes the wrapper's call.
    pub async fn welcome(&mut self) -> Hello {
        let (stream, _) = tokio::time::timeout(PATIENCE, self.listener.accept()).await.unwrap().unwrap();
        self.socket = Some(tokio_tungstenite::accept_async(stream).await.unwrap());
        let ToServer::Hello(hello) = self.hear().await else { panic!("not a hello") };
        self.now = Some(hello.now.clone());
        let version = "test".to_owned();
        self.say(&ToWrapper::Welcome { protocol: wire::PROTOCOL, version, ack: self.acked }).await;
        hello
    }

    /// Says something to the wrapper.
    pub async fn say(&mut self, message: &ToWrapper) {
        let text = serde_json::to_string(message).unwrap();
        self.socket.as_mut().unwrap().send(Message::text(text)).await.unwrap();
    }

    async fn hear(&mut self) -> ToServer {
        loop {
            let next = tokio::time::timeout(PATIENCE, self.socket.as_mut().unwrap().next());
            let heard = next.await.unwrap_or_else(|_| panic!("silence after {:#?}", self.reports));
            if let Message::Text(text) = heard.expect("the wrapper is there").unwrap() {
                return serde_json::from_str(&text).unwrap();
            }
        }
    }

    /// Hears on until something is so.
    pub async fn until<T>(&mut self, what: &str, found: impl Fn(&Self) -> Option<T>) -> T {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            if let Some(found) = found(self) {
                return found;
            }
            assert!(
                tokio::time::Instant::now() < deadline,
                "never {what}: {:#?} {:#?}",
                self.now,
                self.reports
            );
            match self.hear().await {
                ToServer::Reports { reports } => {
                    self.acked = reports.last().map_or(self.acked, |last| last.seq);
                    self.reports.extend(reports.into_iter().map(|numbered| numbered.report));
                    let seq = self.acked;
                    self.say(&ToWrapper::Ack { seq }).await;
                }
                ToServer::Now(now) => self.now = Some(now),
                _ => {}
            }
        }
    }

    /// Kills the session's observer; the holder starts another, which calls again.
    pub async fn kill_observer(&mut self) {
        let (_, mut channel) = wrapper::list::connect(&place(self.home.path()), "s").unwrap();
        channel.send(&ToHolder::Info).unwrap();
        let FromHolder::Info(info) = channel.wait(Some(PATIENCE)).unwrap() else { panic!("no info") };
        let pid = Pid::from_raw(info.observer.unwrap()).unwrap();
        rustix::process::kill_process(pid, Signal::KILL).unwrap();
        self.socket = None;
        self.welcome().await;
    }

    /// Waits until the session takes a prompt.
    pub async fn idle(&mut self) {
        let idle = |now: &Now| now.claim.state == State::Idle;
        self.until("idle", |standin| standin.now.as_ref().filter(|now| idle(now)).map(drop)).await;
    }

    /// Offers a prompt and waits for what comes of it.
    pub async fn offer(&mut self, offer: Offer) -> Result<PromptResult, HoldCode> {
        let id = offer.attempt;
        self.say(&ToWrapper::Offer(offer)).await;
        self.verdict(id).await
    }

    /// Waits for what comes of an attempt.
    pub async fn verdict(&mut self, id: AttemptId) -> Result<PromptResult, HoldCode> {
        let verdict = |standin: &Self| {
            standin.reports.iter().find_map(|report| match report {
                Report::Held { attempt, hold } if *attempt == id => Some(Err(hold.code)),
                Report::Ended { attempt, result } if *attempt == id => Some(Ok(result.clone())),
                _ => None,
            })
        };
        self.until("a verdict", verdict).await
    }

    /// Waits until a file is there, made by what a task asked for.
    pub async fn file(&self, path: &Path) {
        let there = async {
            while !path.exists() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(PATIENCE, there)
            .await
            .unwrap_or_else(|_| panic!("{} never came", path.display()));
    }

    /// The steps of an attempt.
    pub fn steps(&self, offer: &Offer) -> Vec<Step> {
        let step = |report: &Report| match report {
            Report::Receipt { attempt, receipt } if *attempt == offer.attempt => Some(receipt.step),
            _ => None,
        };
        self.reports.iter().filter_map(step).collect()
    }
}

impl Drop for Standin {
    /// The session ends with its test: a shell ignores the request to end.
    fn drop(&mut self) {
        let mut wrap = Command::new(env!("CARGO_BIN_EXE_wrap"));
        let _ = wrap.args(["kill", "-s", "9", "s"]).env("MUSTER_HOME", self.home.path()).output();
    }
}

fn place(home: &Path) -> Place {
    Place::find(|name| (name == "MUSTER_HOME").then(|| home.as_os_str().to_owned())).unwrap()
}
