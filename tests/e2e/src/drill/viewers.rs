//! Many look at one busy session: most of them slowly, one not at all, one as fast as it can. Must not: hurry them.
//!
//! What must hold: the program writes to its end, all who read see its last word, each who reads hears of another session's
//! state, and the server keeps to its memory. How long the program takes is counted, watched and unwatched.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::UnixStream;
use tokio::runtime::Runtime;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use super::{Plan, Random, Report};
use crate::{Muster, wait_for, within};

/// How many look slowly (TRUST G11 has 200).
const SLOW: usize = 200;
/// Of them with one credential: each may hold 64 connections.
const TOGETHER: usize = 50;
/// Lines of a flood: 7 MB.
const LINES: usize = 1_000_000;
/// What the program writes last.
const LAST: &[u8] = b"the-last-word";
/// How long all may take to see it.
const SEEN: Duration = Duration::from_secs(120);
/// Memory that each viewer may cost the server, in bytes: a message that is being written, and a share of what waits, which
/// all viewers have together.
const EACH: u64 = 512 << 10;

/// As many floods as runs are planned, each in a place of its own.
pub fn run(plan: &Plan) -> Report {
    let begun = Instant::now();
    let mut report = Report::default();
    for run in 0..plan.runs {
        let muster = plan.muster();
        let came = one(&muster, &mut plan.random(run), &mut report);
        report.ran(&muster, run, came);
    }
    report.took = begun.elapsed();
    report
}

fn one(muster: &Muster, random: &mut Random, report: &mut Report) -> Result<(), String> {
    let alone = flood(muster, "alone", || Ok(()))?;
    report.count_all("ms of a flood that nobody watches", alone.as_millis() as usize);
    muster.ok("wrap", &["-d", "--name", "other", "sh", "-c", "read end"]);
    let runtime = Runtime::new().map_err(|fault| fault.to_string())?;
    let tokens: Vec<String> = (0..=SLOW / TOGETHER)
        .map(|n| muster.ok("assign", &["token", "add", &format!("looker{n}"), "--role", "viewer"]))
        .collect();
    let before = memory(muster);
    let mut seeing = Vec::new();
    let seen = Arc::new(Seen::default());
    let watched = flood(muster, "watched", || {
        let session = wait_for("the session", || muster.session("watched"))["id"].clone();
        let (home, deaf) = (muster.home(), runtime.block_on(look(&muster.home(), &tokens[0], &session))?);
        // It holds its connection and reads nothing.
        seeing.push(runtime.spawn(async move {
            tokio::time::sleep(SEEN).await;
            drop(deaf);
            Ok(())
        }));
        for viewer in 0..=SLOW {
            let pause = Duration::from_millis(if viewer == 0 { 0 } else { 1 + random.below(40) as u64 });
            let (home, session, token) = (home.clone(), session.clone(), tokens[viewer / TOGETHER].clone());
            let seen = seen.clone();
            seeing.push(
                runtime.spawn(async move { see(look(&home, &token, &session).await?, pause, &seen).await }),
            );
        }
        Ok(())
    })?;
    report.count_all("ms of a flood that is watched", watched.as_millis() as usize);
    // Another session's end, in the midst of what the slow have not read.
    muster.ok("wrap", &["kill", "-s", "KILL", "other"]);
    let most = std::cell::Cell::new(0);
    let readers = seeing.split_off(1);
    let all = within(SEEN, || {
        most.set(most.get().max(memory(muster)));
        readers.iter().all(|viewer| viewer.is_finished()).then_some(())
    });
    let grown = most.get().saturating_sub(before);
    report.count_all("MB that the server grew by", (grown >> 20) as usize);
    all.ok_or_else(|| {
        let [word, end] = [&seen.word, &seen.end].map(|count| count.load(Ordering::Relaxed));
        format!(
            "of {} viewers {word} saw the last word and {end} the other's end within {SEEN:?}",
            readers.len()
        )
    })?;
    for viewer in readers {
        runtime.block_on(viewer).map_err(|fault| fault.to_string())??;
        report.count("viewers that saw all");
    }
    let bound = EACH * SLOW as u64;
    if grown > bound { Err(format!("the server grew by {grown} bytes, {bound} are allowed")) } else { Ok(()) }
}

/// Lets a program write a flood once `ready`, and gives how long it took for that.
fn flood(
    muster: &Muster,
    name: &str,
    mut ready: impl FnMut() -> Result<(), String>,
) -> Result<Duration, String> {
    let (go, done) =
        (muster.folder().join(format!("{name}.go")), muster.folder().join(format!("{name}.done")));
    let word = String::from_utf8_lossy(LAST);
    let program = format!(
        "until [ -e {go} ]; do sleep 0.05; done; seq {LINES}; echo {word}; : > {done}; read end",
        go = go.display(),
        done = done.display()
    );
    muster.ok("wrap", &["-d", "--name", name, "sh", "-c", &program]);
    ready()?;
    let begun = Instant::now();
    std::fs::write(&go, "").map_err(|fault| fault.to_string())?;
    let ended = within(SEEN, || done.exists().then_some(()));
    ended.map(|()| begun.elapsed()).ok_or_else(|| format!("the program of {name} did not come to its end"))
}

/// A viewer that watches a session.
async fn look(home: &Path, token: &str, session: &Value) -> Result<WebSocketStream<UnixStream>, String> {
    let said = |fault: &dyn std::fmt::Display| format!("a viewer: {fault}");
    let mut request = "ws://localhost/v1/cli".into_client_request().map_err(|fault| said(&fault))?;
    let bearer = format!("Bearer {}", token.trim()).parse().map_err(|_| "no token".to_owned())?;
    request.headers_mut().insert("authorization", bearer);
    let stream = UnixStream::connect(home.join("run/assigner.sock")).await.map_err(|fault| said(&fault))?;
    let (mut socket, _) =
        tokio_tungstenite::client_async(request, stream).await.map_err(|fault| said(&fault))?;
    let watch = json!({ "type": "watch", "session": session, "stream": 1 }).to_string();
    socket.send(Message::text(watch)).await.map_err(|fault| said(&fault))?;
    Ok(socket)
}

/// How many saw what.
#[derive(Debug, Default)]
struct Seen {
    word: AtomicUsize,
    end: AtomicUsize,
}

/// Reads, with a pause after each message, until it has seen the last word and heard that the other session ended.
async fn see(mut socket: WebSocketStream<UnixStream>, pause: Duration, seen: &Seen) -> Result<(), String> {
    let (mut tail, mut word, mut end) = (Vec::new(), false, false);
    while !(word && end) {
        let before = (word, end);
        match socket.next().await {
            Some(Ok(Message::Binary(frame))) => {
                // What a frame begins with is no part of the terminal's bytes; the word may be cut by a frame's end.
                let bytes = frame.get(17..).unwrap_or_default();
                tail.extend_from_slice(bytes);
                word |= tail.windows(LAST.len()).any(|part| part == LAST);
                tail.drain(..tail.len().saturating_sub(LAST.len()));
            }
            Some(Ok(Message::Text(text))) => end |= tells_the_end(&text),
            Some(Ok(_)) => {}
            Some(Err(fault)) => return Err(format!("a viewer that reads was cut off: {fault}")),
            None => return Err("a viewer that reads was let go".to_owned()),
        }
        seen.word.fetch_add(usize::from(word && !before.0), Ordering::Relaxed);
        seen.end.fetch_add(usize::from(end && !before.1), Ordering::Relaxed);
        tokio::time::sleep(pause).await;
    }
    Ok(())
}

fn tells_the_end(text: &str) -> bool {
    let message: Value = serde_json::from_str(text).unwrap_or_default();
    let ended = |session: &Value| session["name"] == "other" && !session["exit"].is_null();
    match message["type"].as_str() {
        Some("session") => ended(&message["session"]),
        Some("everything") => message["sessions"].as_array().is_some_and(|all| all.iter().any(ended)),
        _ => false,
    }
}

/// Resident memory of the server, in bytes.
fn memory(muster: &Muster) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", muster.server())).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kilobytes.unwrap_or(0) << 10
}
