//! Many simulated sessions in front of a real server and a real browser: what the page's main thread does, how long its
//! frames are, what it and the server hold. Must not: know the dashboard beyond its address.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context;
use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::net::UnixStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use wire::place::Place;
use wire::session::{Claim, Source, State};
use wire::wrapper::{Hello, ToServer};
use wire::{HostId, SessionId, UnixMillis};

use crate::queue::{hello_of, now};

/// Drives the browser; see its head.
const WATCHER: &str = "tests/bench/crowd.mjs";

/// How many of them, how often each changes in a second, and for how long.
#[derive(Debug, Clone, Copy)]
pub struct Crowd {
    /// Sessions.
    pub sessions: usize,
    /// Changes a second and session.
    pub rate: f64,
    /// How long the browser is watched.
    pub seconds: u64,
}

/// Starts server, sessions and browser, and prints what was seen.
pub fn measure(bin: &Path, crowd: Crowd) -> anyhow::Result<()> {
    let bin = bin.canonicalize()?;
    let home = tempfile::tempdir()?;
    let place = Place::find(|name| (name == "MUSTER_HOME").then(|| home.path().into()))?;
    let command = |program: &str| {
        let mut command = Command::new(bin.join(program));
        command.env("MUSTER_HOME", home.path()).env("MUSTER_PORT", "0").stdin(Stdio::null());
        command
    };
    let mut server = command("assigner").args(["serve"]).stderr(Stdio::null()).spawn()?;
    let verdict = watched(&place, &command, server.id(), crowd);
    command("assigner").arg("stop").stdout(Stdio::null()).status()?;
    server.wait()?;
    verdict
}

fn watched(
    place: &Place,
    command: &dyn Fn(&str) -> Command,
    server: u32,
    crowd: Crowd,
) -> anyhow::Result<()> {
    let begun = Instant::now();
    while !place.wrapper_token().exists()
        || std::os::unix::net::UnixStream::connect(place.server_socket()).is_err()
    {
        anyhow::ensure!(begun.elapsed() < Duration::from_secs(20), "the server does not start");
        std::thread::sleep(Duration::from_millis(50));
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let begun = Instant::now();
    let ends = begun + Duration::from_secs(crowd.seconds + 60);
    let (joined, mut all) = tokio::sync::mpsc::channel(crowd.sessions);
    for n in 0..crowd.sessions {
        let (place, joined) = (place.clone(), joined.clone());
        runtime.spawn(async move {
            if let Err(fault) = session(&place, n, crowd.rate, joined, ends).await {
                eprintln!("session {n}: {fault}");
            }
        });
    }
    drop(joined);
    let mut up = 0;
    while runtime.block_on(all.recv()).is_some() {
        up += 1;
        if up == crowd.sessions {
            break;
        }
    }
    anyhow::ensure!(up == crowd.sessions, "only {up} sessions came up");
    println!("{up} sessions connected after {:.1} s", begun.elapsed().as_secs_f64());
    let link = command("assign").args(["login"]).output()?;
    let said = String::from_utf8_lossy(&link.stdout).into_owned();
    let url = said.split_whitespace().find(|word| word.starts_with("http")).context("no login link")?;
    let before = cpu(server)?;
    let watcher = Command::new("node")
        .arg(WATCHER)
        .arg(url)
        .arg(crowd.seconds.to_string())
        .stdout(Stdio::piped())
        .spawn()?;
    let seen = finished(watcher)?;
    let busy = cpu(server)? - before;
    runtime.shutdown_timeout(Duration::from_secs(2));
    for (what, value) in seen.as_object().context("the browser said nothing")? {
        println!("{what:<52} {value}");
    }
    println!("{:<52} {:.1}", "server: seconds of CPU meanwhile", busy);
    println!("{:<52} {}", "server: resident memory, MiB", resident(server)? >> 10);
    Ok(())
}

fn finished(watcher: Child) -> anyhow::Result<Value> {
    let out = watcher.wait_with_output()?;
    anyhow::ensure!(out.status.success(), "the browser failed");
    Ok(serde_json::from_slice(&out.stdout)?)
}

/// One simulated wrapper: says hello, then changes its last line, and now and then its state.
async fn session(
    place: &Place,
    n: usize,
    rate: f64,
    joined: tokio::sync::mpsc::Sender<()>,
    ends: Instant,
) -> anyhow::Result<()> {
    let token = std::fs::read_to_string(place.wrapper_token())?;
    let mut request = "ws://localhost/v1/wrapper".into_client_request()?;
    request.headers_mut().insert("authorization", format!("Bearer {}", token.trim()).parse()?);
    let stream = UnixStream::connect(place.server_socket()).await?;
    let config = WebSocketConfig::default().read_buffer_size(wire::READ_AT_ONCE);
    let (socket, _) = tokio_tungstenite::client_async_with_config(request, stream, Some(config)).await?;
    let (mut to, mut from) = socket.split();
    let mut hello = Hello {
        host: HostId(format!("h{}", n % 7)),
        host_name: format!("host-{}", n % 7),
        agent: ["claude", "codex", "aider"][n % 3].to_owned(),
        ..hello_of(&SessionId(format!("crowd-{n}")))
    };
    hello.now.context.dir = format!("/home/anna/project-{}", n % 20);
    to.send(Message::text(serde_json::to_string(&ToServer::Hello(hello.clone()))?)).await?;
    from.next().await.context("no welcome")??;
    joined.send(()).await?;
    let mut every = tokio::time::interval(Duration::from_secs_f64(1.0 / rate));
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    let mut present = hello.now;
    let mut beat = Instant::now();
    for tick in n.. {
        tokio::select! {
            _ = every.tick() => {}
            message = from.next() => {
                message.context("the server hung up")??;
                continue;
            }
        }
        if Instant::now() > ends {
            break;
        }
        present.last_line = format!("step {tick}: compiling the part of the session number {n}");
        present.metrics.insert("tokens_out".to_owned(), tick as f64);
        if tick % 40 == 0 {
            present.claim = claim(if present.claim.state == State::Busy { State::Idle } else { State::Busy });
        }
        to.send(Message::text(serde_json::to_string(&ToServer::Now(present.clone()))?)).await?;
        if beat.elapsed() > Duration::from_secs(5) {
            beat = Instant::now();
            let alive = ToServer::Heartbeat { holds: None, resources: None };
            to.send(Message::text(serde_json::to_string(&alive)?)).await?;
        }
    }
    Ok(())
}

fn claim(state: State) -> Claim {
    let since: UnixMillis = now();
    Claim {
        state,
        source: Source::Status,
        rule: "crowd".into(),
        evidence: String::new(),
        since,
        background: false,
    }
}

/// Seconds of processor that a process has used.
pub fn cpu(pid: u32) -> anyhow::Result<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let after = stat.rsplit_once(')').context("no name")?.1;
    let fields: Vec<&str> = after.split_whitespace().collect();
    let ticks = |n: usize| fields.get(n).and_then(|t| t.parse::<f64>().ok()).unwrap_or(0.0);
    Ok((ticks(11) + ticks(12)) / 100.0)
}

/// Resident memory in KiB.
pub fn resident(pid: u32) -> anyhow::Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).context("no VmRSS")?;
    Ok(line.split_whitespace().nth(1).context("no figure")?.parse()?)
}
