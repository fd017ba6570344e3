//! A wrapper's connection: its words to the control loop, its terminal to the feed, the loop's words back.
//!
//! Must not: decide anything; hold more than one message of each direction.

use std::time::Duration;

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::http::Response;
use axum::response::IntoResponse;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use tokio::sync::mpsc;
use wire::SessionId;
use wire::wrapper::{ToServer, ToWrapper};

use super::App;
use super::connection::turned;
use super::guard::unauthorized;
use super::wall::Place;
use crate::auth::Principal;
use crate::fault::Fault;
use crate::hub::{Command, Line, Said};
use crate::session::{clamp_hello, clamp_now};

/// How long the hello may take.
const HELLO: Duration = Duration::from_secs(10);
/// How long the last word to a wrapper may take.
const LAST_WORD: Duration = Duration::from_secs(1);
/// How long a message may take to be written to a wrapper that does not read.
const WRITE: Duration = Duration::from_secs(10);

/// Upgrades to a WebSocket.
pub async fn upgrade(
    State(app): State<App>,
    Extension(principal): Extension<Principal>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response<Body> {
    match admit(&app, &principal, upgrade) {
        Ok((upgrade, place)) => upgrade.on_upgrade(move |socket| serve(app, socket, place)),
        Err(fault) => fault.into_response(),
    }
}

/// Gives a connection its place among those of its principal, and its bounds.
pub fn admit(
    app: &App,
    principal: &Principal,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<(WebSocketUpgrade, Place), Fault> {
    let upgrade = upgrade.map_err(|rejection| not_a_websocket(&rejection))?;
    let place = app.wall.enter(principal)?;
    // From here on the place is closed with the token; before, it may have been revoked since it was checked.
    if !app.auth.knows(&principal.token) {
        return Err(unauthorized());
    }
    let upgrade = upgrade.max_message_size(wire::MESSAGE_MAX).max_frame_size(wire::MESSAGE_MAX);
    Ok((upgrade.read_buffer_size(wire::READ_AT_ONCE), place))
}

/// What is said to a request that should have been an upgrade.
fn not_a_websocket(rejection: &WebSocketUpgradeRejection) -> Fault {
    Fault::bad(format!("this endpoint speaks WebSocket: {rejection}"), "upgrade the connection")
}

async fn serve(app: App, socket: WebSocket, mut place: Place) {
    let alive = app.alive.clone();
    let mut ending = app.ending.clone();
    let (sink, mut stream) = socket.split();
    let hello = match tokio::time::timeout(HELLO, next(&mut stream)).await {
        Ok(Some(Heard::Said(ToServer::Hello(hello)))) => hello,
        _ => {
            tracing::warn!("a wrapper did not begin with hello");
            return;
        }
    };
    let session = hello.session.clone();
    let (line, from, mut closed) = Line::new(app.number());
    let conn = line.conn;
    let mut hello = Box::new(hello);
    clamp_hello(&mut hello);
    if app.hub.send(Command::Connect { hello, line }).await.is_ok() {
        let mut speaking = std::pin::pin!(speak(sink, from));
        tokio::select! {
            () = hear(&app, stream, &session, conn) => {}
            () = &mut speaking => {}
            () = turned(&mut closed) => {
                // The loop's last word, why it refuses, is still to be said.
                let _ = tokio::time::timeout(LAST_WORD, &mut speaking).await;
            }
            () = turned(&mut ending) => {}
            () = place.ended() => {}
        }
        // The loop may be gone already, when the server ends.
        let _ = app.hub.send(Command::Wrapper { session, conn, said: Said::Gone }).await;
    }
    drop((place, alive));
}

enum Heard {
    Said(ToServer),
    Frame(axum::body::Bytes),
}

/// The next message; `None` when the connection is closed or says what cannot be read.
async fn next(stream: &mut SplitStream<WebSocket>) -> Option<Heard> {
    while let Some(message) = stream.next().await {
        match message.ok()? {
            Message::Text(text) => match serde_json::from_str(&text) {
                Ok(said) => return Some(Heard::Said(said)),
                Err(error) => {
                    tracing::warn!(%error, "a wrapper said what cannot be read");
                    return None;
                }
            },
            Message::Binary(bytes) => return Some(Heard::Frame(bytes)),
            Message::Ping(_) | Message::Pong(_) => {}
            Message::Close(_) => return None,
        }
    }
    None
}

async fn hear(app: &App, mut stream: SplitStream<WebSocket>, session: &SessionId, conn: u64) {
    while let Some(heard) = next(&mut stream).await {
        let said = match heard {
            Heard::Frame(bytes) => match app.terminals.frame(session, conn, &bytes) {
                Ok(()) => continue,
                Err(error) => {
                    tracing::warn!(%error, %session, "a wrapper sent a broken frame");
                    return;
                }
            },
            Heard::Said(ToServer::Hello(_)) => {
                tracing::warn!(%session, "a second hello on one connection");
                return;
            }
            Heard::Said(ToServer::Reports { reports }) => Said::Reports(reports),
            Heard::Said(ToServer::Now(mut now)) => {
                clamp_now(&mut now);
                Said::Now(Box::new(now))
            }
            Heard::Said(ToServer::Heartbeat { holds, resources }) => Said::Heartbeat(holds, resources),
            Heard::Said(ToServer::Reply { request, refused }) => Said::Reply(request, refused),
            Heard::Said(ToServer::Recording { request, part }) => Said::Recording(request, part),
        };
        if app.hub.send(Command::Wrapper { session: session.clone(), conn, said }).await.is_err() {
            return;
        }
    }
}

async fn speak(mut sink: SplitSink<WebSocket, Message>, mut from: mpsc::Receiver<ToWrapper>) {
    while let Some(message) = from.recv().await {
        let last = matches!(message, ToWrapper::Refused { .. });
        let text = match serde_json::to_string(&message) {
            Ok(text) => text,
            Err(error) => {
                tracing::error!(%error, "a message for a wrapper could not be written");
                return;
            }
        };
        let sent = tokio::time::timeout(WRITE, sink.send(Message::Text(text.into()))).await;
        if !matches!(sent, Ok(Ok(()))) || last {
            // A refusal is followed by the closing handshake, so that it is read before the end.
            let _ = tokio::time::timeout(WRITE, sink.close()).await;
            return;
        }
    }
}
