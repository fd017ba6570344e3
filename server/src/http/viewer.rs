//! A viewer's connection: the dashboard's on `/v1/feed`, the command line's on `/v1/cli`.
//!
//! Must not: let one viewer slow anyone; it has its own queues and is dropped when it does not read.

use std::time::{Duration, Instant};

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::http::Response;
use axum::response::IntoResponse;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use wire::admin::Role;
use wire::feed::{FromViewer, ToViewer};

use super::App;
use super::connection::turned;
use super::wall::Place;
use super::wrapper::admit;
use crate::auth::{Principal, WEAKENED};
use crate::feed::{About, Inlet, Outlet};
use crate::hub::{Command, ViewerSaid};

/// How long a message may take to be written to a viewer that does not read; then it is dropped.
const WRITE: Duration = Duration::from_secs(30);
/// How often a viewer is asked whether it is there.
const PING: Duration = Duration::from_secs(20);
/// How long a viewer may be silent: three pings.
const SILENCE: Duration = Duration::from_secs(65);
/// Largest burst of keys, in bytes: a paste.
const KEYS_MAX: usize = 64 << 10;
/// Keys that a viewer may send in a second, in bytes, once its burst is used.
const KEYS_RATE: usize = 16 << 10;
/// Messages of keys that a viewer may send in a second.
const KEY_MESSAGES: u32 = 200;

/// Upgrades to a WebSocket.
pub async fn upgrade(
    State(app): State<App>,
    Extension(principal): Extension<Principal>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response<Body> {
    match admit(&app, &principal, upgrade) {
        Ok((upgrade, place)) => upgrade.on_upgrade(move |socket| serve(app, socket, principal, place)),
        Err(fault) => fault.into_response(),
    }
}

async fn serve(app: App, socket: WebSocket, principal: Principal, mut place: Place) {
    let alive = app.alive.clone();
    let mut ending = app.ending.clone();
    let viewer = app.number();
    let (outlet, inlet) = Outlet::new(viewer);
    let (sink, stream) = socket.split();
    let join = Command::Viewer { viewer, said: ViewerSaid::Join(outlet.clone()) };
    if app.hub.send(join).await.is_ok() {
        tokio::select! {
            () = hear(&app, stream, &principal, &outlet) => {}
            () = speak(&app, sink, inlet, viewer) => {}
            () = turned(&mut ending) => {}
            () = place.ended() => {}
        }
        app.terminals.leave(viewer);
        // The loop may be gone already, when the server ends.
        let _ = app.hub.send(Command::Viewer { viewer, said: ViewerSaid::Leave }).await;
    }
    drop((place, alive));
}

async fn hear(app: &App, mut stream: SplitStream<WebSocket>, principal: &Principal, outlet: &Outlet) {
    let mut pace = Pace::new(Instant::now());
    while let Ok(Some(Ok(message))) = tokio::time::timeout(SILENCE, stream.next()).await {
        let text = match message {
            Message::Text(text) => text,
            Message::Ping(_) | Message::Pong(_) => continue,
            Message::Binary(_) | Message::Close(_) => return,
        };
        let said = match serde_json::from_str::<FromViewer>(&text) {
            Ok(said) => said,
            Err(error) => {
                refuse(outlet, "message", &format!("it cannot be read: {error}"));
                continue;
            }
        };
        if let Some(said) = sort(app, principal, outlet, said, &mut pace)
            && app.hub.send(Command::Viewer { viewer: outlet.viewer, said }).await.is_err()
        {
            return;
        }
    }
}

/// Does what concerns terminals; gives what concerns the control loop.
fn sort(
    app: &App,
    principal: &Principal,
    outlet: &Outlet,
    said: FromViewer,
    pace: &mut Pace,
) -> Option<ViewerSaid> {
    if !principal.may(needed(&said)) {
        let why = if principal.is_weakened() { WEAKENED } else { "this credential does not allow that" };
        refuse(outlet, what(&said), why);
        return None;
    }
    match said {
        FromViewer::Watch { session, stream } => {
            if let Err(why) = app.terminals.watch(&session, outlet, stream) {
                refuse(outlet, "watch", why);
            }
            None
        }
        FromViewer::Unwatch { stream } => {
            app.terminals.unwatch(outlet.viewer, stream);
            None
        }
        FromViewer::TakeKeyboard { session } => Some(ViewerSaid::Take(session, principal.by())),
        FromViewer::ReleaseKeyboard { session } => Some(ViewerSaid::Release(session)),
        FromViewer::Keys { session, text } => {
            if text.len() > KEYS_MAX || !pace.allows(text.len(), Instant::now()) {
                refuse(outlet, "keys", "too much at once; nothing of it was typed");
                return None;
            }
            Some(ViewerSaid::Keys(session, text))
        }
    }
}

/// What a viewer must be allowed to say this.
fn needed(said: &FromViewer) -> Role {
    match said {
        FromViewer::Watch { .. } | FromViewer::Unwatch { .. } => Role::Viewer,
        FromViewer::TakeKeyboard { .. } | FromViewer::ReleaseKeyboard { .. } | FromViewer::Keys { .. } => {
            Role::Typist
        }
    }
}

/// What a refusal calls it.
fn what(said: &FromViewer) -> &'static str {
    match said {
        FromViewer::Watch { .. } | FromViewer::Unwatch { .. } => "watch",
        FromViewer::TakeKeyboard { .. } => "take keyboard",
        FromViewer::ReleaseKeyboard { .. } => "release keyboard",
        FromViewer::Keys { .. } => "keys",
    }
}

async fn speak(app: &App, mut sink: SplitSink<WebSocket, Message>, mut inlet: Inlet, viewer: u64) {
    let mut ping = tokio::time::interval(PING);
    loop {
        let nudge = inlet.nudge();
        // Control comes first: a flood of terminal bytes delays no state.
        let messages = tokio::select! {
            biased;
            texts = inlet.control.next() => {
                if inlet.control.caught_up() && !catch_up(app, viewer).await {
                    return;
                }
                texts.into_iter().map(Message::Text).collect()
            }
            _ = ping.tick() => vec![Message::Ping(axum::body::Bytes::new())],
            Some(frame) = inlet.terminal.recv() => {
                if inlet.wants_snapshot(frame.len()) {
                    app.terminals.caught_up(viewer);
                }
                vec![Message::Binary(frame)]
            }
            () = nudge => {
                if inlet.wants_snapshot(0) {
                    app.terminals.caught_up(viewer);
                }
                if inlet.control.caught_up() && !catch_up(app, viewer).await {
                    return;
                }
                continue;
            }
        };
        // Written in one go: a thousand small writes would cost more than what is in them.
        let mut messages = futures_util::stream::iter(messages.into_iter().map(Ok));
        if !matches!(tokio::time::timeout(WRITE, sink.send_all(&mut messages)).await, Ok(Ok(()))) {
            return;
        }
    }
}

async fn catch_up(app: &App, viewer: u64) -> bool {
    app.hub.send(Command::Viewer { viewer, said: ViewerSaid::CaughtUp }).await.is_ok()
}

fn refuse(outlet: &Outlet, what: &str, why: &str) {
    let refused = ToViewer::Refused { what: what.to_owned(), why: why.to_owned() };
    match serde_json::to_string(&refused) {
        // A viewer that is so far behind gets everything anew anyway.
        Ok(text) => drop(outlet.say(&About::Else, text.into())),
        Err(error) => tracing::error!(%error, "a refusal could not be written"),
    }
}

/// A purse of bytes and messages that refills with time.
struct Pace {
    bytes: f64,
    messages: f64,
    at: Instant,
}

impl Pace {
    fn new(now: Instant) -> Self {
        Self { bytes: KEYS_MAX as f64, messages: f64::from(KEY_MESSAGES), at: now }
    }

    fn allows(&mut self, bytes: usize, now: Instant) -> bool {
        let passed = now.saturating_duration_since(self.at).as_secs_f64();
        self.at = now;
        self.bytes = (self.bytes + passed * KEYS_RATE as f64).min(KEYS_MAX as f64);
        self.messages = (self.messages + passed * f64::from(KEY_MESSAGES)).min(f64::from(KEY_MESSAGES));
        let fits = self.bytes >= bytes as f64 && self.messages >= 1.0;
        if fits {
            self.bytes -= bytes as f64;
            self.messages -= 1.0;
        }
        fits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a44_keys_are_limited_in_size_and_rate() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        assert!(pace.allows(KEYS_MAX, start));
        assert!(!pace.allows(1, start));
        assert!(pace.allows(KEYS_RATE, start + Duration::from_secs(1)));
        let mut pace = Pace::new(start);
        assert_eq!((0..1000).filter(|_| pace.allows(1, start)).count(), KEY_MESSAGES as usize);
    }
}
