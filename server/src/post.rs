//! Carries notices to their sinks: an HTTP POST, a command, the desktop. Must not: decide what is told, or to whom.
//!
//! A sink that is slow or gone delays nobody: each is waited for on a thread of its own, for a bounded time.

use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, watch};
use wire::UnixMillis;
use wire::alert::{Alert, AlertKind, NewSink};
use wire::launch::ended;

use crate::alert::message::{Message, Notice, What, message};
use crate::http::turned;
use crate::hub::{Alerts, Ask, Command as ToHub, Hub};
use crate::outbound::{self, Reach};

/// How often the outbox is looked at.
const EVERY: Duration = Duration::from_secs(1);
/// How long a service may take.
const ANSWERS: Duration = Duration::from_secs(5);
/// How long a command may take.
const PATIENCE: Duration = Duration::from_secs(15);
/// Sinks that are waited for at once.
const AT_ONCE: usize = 8;

/// Sends what is due until the server ends.
pub async fn carry(hub: Hub, url: String, mut ending: watch::Receiver<bool>) {
    let mut every = tokio::time::interval(EVERY);
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let room = Arc::new(Semaphore::new(AT_ONCE));
    loop {
        tokio::select! {
            _ = every.tick() => {}
            () = turned(&mut ending) => return,
        }
        let Ok(due) = hub.ask(|reply| Ask::Alerts(Alerts::Due(reply))).await else { continue };
        let mut sent = tokio::task::JoinSet::new();
        for (sink, notices) in due {
            let Ok(place) = room.clone().acquire_owned().await else { return };
            let url = url.clone();
            sent.spawn_blocking(move || {
                let _place = place;
                let failure = send(&sink, &notices, &url).err();
                let ids: Vec<i64> = notices.iter().map(|notice| notice.id).collect();
                (sink.name, ids, failure)
            });
        }
        while let Some(done) = sent.join_next().await {
            let Ok((sink, ids, failure)) = done else { continue };
            if let Some(why) = &failure {
                tracing::warn!(sink, why, "a sink did not take a notice");
            }
            let told = Ask::Alerts(Alerts::Sent(sink, ids, failure));
            if hub.send(ToHub::Ask(told)).await.is_err() {
                return;
            }
        }
    }
}

/// Sends a notice that says what it is: a test.
pub async fn try_out(sink: NewSink, url: String, now: UnixMillis) -> Result<(), String> {
    let alert = Alert {
        id: 0,
        kind: AlertKind::ApprovalWaiting,
        text: "this is a test: alerts reach you here".to_owned(),
        session: None,
        prompt: None,
        host: None,
        opened: now,
        closed: None,
        escalations: 0,
    };
    let sink = NewSink { detailed: true, ..sink };
    let notice = Notice { id: 0, what: What::Opened, alert };
    let sent = tokio::task::spawn_blocking(move || send(&sink, &[notice], &url));
    sent.await.unwrap_or_else(|_| Err("the try was interrupted".to_owned()))
}

fn send(sink: &NewSink, notices: &[Notice], dashboard: &str) -> Result<(), String> {
    match message(sink, notices, dashboard) {
        Message::Post { url, headers, body } => post(&url, &headers, &body, Reach::of(sink)),
        Message::Run { command, input } => run(Command::new("sh").arg("-c").arg(command), &input),
        Message::Notify { title, text } => {
            run(Command::new("notify-send").arg("--").arg(title).arg(text), "")
        }
    }
}

fn post(url: &str, headers: &[(&'static str, String)], body: &str, reach: Reach) -> Result<(), String> {
    let mut request = outbound::agent(reach, ANSWERS).post(url).header("content-type", "application/json");
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    outbound::taken(request.send(body)).map(drop).map_err(outbound::told)
}

/// Runs to the end, or to the end of patience.
fn run(command: &mut Command, input: &str) -> Result<(), String> {
    let program = command.get_program().to_string_lossy().into_owned();
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().map_err(|e| format!("'{program}' cannot be started: {e}"))?;
    if let Some(mut stdin) = child.stdin.take() {
        // One that does not read what it is told may still have done its work.
        let _ = stdin.write_all(input.as_bytes());
    }
    match ended(&mut child, PATIENCE).map_err(|e| e.to_string())? {
        Some(status) if status.success() => Ok(()),
        Some(status) => Err(format!("'{program}' ended with {status}")),
        None => Err(format!("'{program}' did not end within {} s", PATIENCE.as_secs())),
    }
}
