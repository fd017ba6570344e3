//! The way to the server: HTTP and WebSocket over its Unix socket; starts one when none runs.
//!
//! Must not: print, or use the network.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use tokio::net::UnixStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};
use wire::SessionId;
use wire::feed::{FromViewer, ToViewer};
use wire::http::{ErrorBody, SESSION_HEADER};
use wire::place::{Place, TOKEN_VARIABLE};

use crate::credential::Credential;
use crate::failure::Failure;

/// How long an answer may take; the server waits 15 s for a wrapper.
const PATIENCE: Duration = Duration::from_secs(40);
/// How long the server may take to start.
const START: Duration = Duration::from_secs(20);

/// A client of one place.
pub struct Client {
    place: Place,
    credential: Credential,
    /// The session that this runs in, if it does.
    session: Option<SessionId>,
    /// The trace that what is asked here belongs to, as whoever started this says.
    trace: Option<String>,
    /// Whether a server is started when none runs.
    starts: bool,
}

/// What the server tells as it happens.
pub struct Feed {
    socket: WebSocketStream<UnixStream>,
}

/// What came on a feed.
pub enum Heard {
    /// A message.
    Said(Box<ToViewer>),
    /// A frame of a terminal that is watched, with its stream's number before it.
    Frame(Bytes),
}

impl Client {
    /// Finds the place, and the credential that is to be used; does not connect yet.
    pub fn new(token_file: Option<&Path>) -> Result<Self, Failure> {
        let place = Place::from_env().map_err(|e| Failure::Unreachable(e.to_string()))?;
        let session = std::env::var("MUSTER_SESSION").ok().filter(|session| segment(session) == *session);
        let session = session.filter(|session| !session.is_empty()).map(SessionId);
        let trace = std::env::var("TRACEPARENT").ok().filter(|t| t.bytes().all(|b| b.is_ascii_graphic()));
        Ok(Self { place, credential: Credential::find(token_file)?, session, trace, starts: true })
    }

    /// Whether it uses another credential than the owner's.
    pub fn has_credential(&self) -> bool {
        matches!(self.credential, Credential::Given(_))
    }

    /// The session that this process runs in, as its environment says.
    pub fn session(&self) -> Option<&SessionId> {
        self.session.as_ref()
    }

    /// The same for whoever only looks on: it never starts a server.
    pub fn of_running(self) -> Self {
        Self { starts: false, ..self }
    }

    /// Reads.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        self.ask(Method::GET, path, None, None).await
    }

    /// Changes.
    pub async fn post<T: DeserializeOwned>(&self, path: &str, body: Option<String>) -> Result<T, Failure> {
        self.ask(Method::POST, path, body, None).await
    }

    /// Any request.
    pub async fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<String>,
        key: Option<&str>,
    ) -> Result<T, Failure> {
        let stream = self.connect().await?;
        let token = self.credential.token(&self.place)?;
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "localhost")
            .header("authorization", format!("Bearer {token}"));
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        if let Some(session) = &self.session {
            request = request.header(SESSION_HEADER, &session.0);
        }
        if let Some(trace) = &self.trace {
            request = request.header("traceparent", trace);
        }
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        let request = request
            .body(Full::new(Bytes::from(body.unwrap_or_default())))
            .map_err(|e| Failure::Usage(format!("this cannot be asked: {e}")))?;
        match tokio::time::timeout(PATIENCE, exchange(stream, request)).await {
            Ok(answer) => answer,
            Err(_) => Err(Failure::Unreachable("the server does not answer".to_owned())),
        }
    }

    /// Listens to what happens.
    pub async fn feed(&self) -> Result<Feed, Failure> {
        let stream = self.connect().await?;
        let lost = |e: &dyn std::fmt::Display| Failure::Unreachable(format!("the server's feed: {e}"));
        let mut request = "ws://localhost/v1/cli".into_client_request().map_err(|e| lost(&e))?;
        let bearer = HeaderValue::from_str(&format!("Bearer {}", self.credential.token(&self.place)?))
            .map_err(|e| lost(&e))?;
        request.headers_mut().insert("authorization", bearer);
        let config = WebSocketConfig::default()
            .max_message_size(Some(wire::MESSAGE_MAX))
            .max_frame_size(Some(wire::MESSAGE_MAX))
            .read_buffer_size(wire::READ_AT_ONCE);
        let joined = tokio_tungstenite::client_async_with_config(request, stream, Some(config)).await;
        match joined {
            Ok((socket, _)) => Ok(Feed { socket }),
            Err(Error::Http(answer)) => {
                let body = answer.body().as_deref().unwrap_or_default();
                Err(serde_json::from_slice::<ErrorBody>(body)
                    .map_or_else(|_| lost(&answer.status()), Failure::from))
            }
            Err(e) => Err(lost(&e)),
        }
    }

    async fn connect(&self) -> Result<UnixStream, Failure> {
        let socket = self.place.server_socket();
        if let Ok(stream) = UnixStream::connect(&socket).await {
            return Ok(stream);
        }
        if self.starts {
            start_server().await?;
        }
        UnixStream::connect(&socket).await.map_err(|e| {
            Failure::Unreachable(format!("cannot reach the server at {}: {e}", socket.display()))
        })
    }
}

impl Feed {
    /// The next message; `None` when the server is gone.
    pub async fn next(&mut self) -> Option<ToViewer> {
        loop {
            if let Heard::Said(message) = self.hear().await? {
                return Some(*message);
            }
        }
    }

    /// The next message or frame; `None` when the server is gone. May be dropped while it waits, and loses nothing.
    pub async fn hear(&mut self) -> Option<Heard> {
        loop {
            match self.socket.next().await?.ok()? {
                // What a newer server says beyond this build's words is skipped.
                Message::Text(text) => match serde_json::from_str(&text) {
                    Ok(message) => return Some(Heard::Said(Box::new(message))),
                    Err(_) => continue,
                },
                Message::Binary(bytes) => return Some(Heard::Frame(bytes)),
                Message::Close(_) => return None,
                Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
            }
        }
    }

    /// Says something. A server that is gone does not hear it; whoever listens will be told so.
    pub async fn say(&mut self, message: &FromViewer) {
        if let Ok(text) = serde_json::to_string(message) {
            let _ = self.socket.send(Message::text(text)).await;
        }
    }
}

/// A name as one segment of a path.
pub fn segment(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'~' => out.push(char::from(byte)),
            byte => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

async fn exchange<T: DeserializeOwned>(
    stream: UnixStream,
    request: Request<Full<Bytes>>,
) -> Result<T, Failure> {
    let lost = |e: hyper::Error| Failure::Unreachable(format!("the server hung up: {e}"));
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(lost)?;
    let driven = tokio::spawn(connection);
    let answer = sender.send_request(request).await.map_err(lost)?;
    let status = answer.status();
    let body = answer.into_body().collect().await.map_err(lost)?.to_bytes();
    driven.abort();
    if status.is_success() {
        return serde_json::from_slice(&body)
            .map_err(|e| Failure::failed(format!("the server's answer cannot be read: {e}")));
    }
    match serde_json::from_slice::<ErrorBody>(&body) {
        Ok(error) => Err(error.into()),
        Err(_) => Err(Failure::failed(format!("the server answered {status}"))),
    }
}

/// Starts a server and waits until it listens.
async fn start_server() -> Result<(), Failure> {
    if std::env::var_os("MUSTER_NO_SERVER").is_some_and(|v| v == "1") {
        return Err(Failure::Unreachable(
            "no server runs, and MUSTER_NO_SERVER forbids to start one; `assigner serve` does".to_owned(),
        ));
    }
    let program = wire::launch::program("assigner");
    let started = tokio::process::Command::new(&program)
        .args(["serve", "--detach"])
        .env_remove(TOKEN_VARIABLE)
        .env_remove("MUSTER_SESSION")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .output();
    let unreachable = |text: String| Failure::Unreachable(format!("no server runs, and {text}"));
    match tokio::time::timeout(START, started).await {
        Ok(Ok(output)) if output.status.success() => Ok(()),
        Ok(Ok(output)) => {
            let said = wire::text::escape_lines(String::from_utf8_lossy(&output.stderr).trim());
            Err(unreachable(format!("none could be started: {said}")))
        }
        Ok(Err(e)) => Err(unreachable(format!("{} cannot be started: {e}", program.display()))),
        Err(_) => Err(unreachable("the one that was started does not listen".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a63_a_name_stays_one_segment() {
        assert_eq!(segment("a/b ?..%\u{e9}"), "a%2Fb%20%3F%2E%2E%25%C3%A9");
    }
}
