//! The way to the server: HTTP and WebSocket over its Unix socket; starts one when none runs.
//!
//! Must not: print, or use the network.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::header::AUTHORIZATION;
use hyper::{Method, Request, StatusCode};
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
/// Pauses before a connection that was lost is made again: a server that is killed takes connections until it is gone.
const AGAIN: [Duration; 3] = [Duration::from_millis(20), Duration::from_millis(200), Duration::from_secs(1)];

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

/// A whole answer.
struct Answered {
    status: StatusCode,
    body: Bytes,
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

    /// Any request. Where a second one changes nothing, a connection that is lost before the answer is made again.
    pub async fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<String>,
        key: Option<&str>,
    ) -> Result<T, Failure> {
        let again: &[Duration] = if method.is_idempotent() || key.is_some() { &AGAIN } else { &[] };
        let request = self.request(method, path, body, key)?;
        for pause in again {
            match self.exchange(request.clone()).await? {
                Ok(answer) => return answer.read(),
                Err(_) => tokio::time::sleep(*pause).await,
            }
        }
        match self.exchange(request).await? {
            Ok(answer) => answer.read(),
            Err(e) => Err(Failure::Unreachable(format!("the server hung up: {e}"))),
        }
    }

    fn request(
        &self,
        method: Method,
        path: &str,
        body: Option<String>,
        key: Option<&str>,
    ) -> Result<Request<Full<Bytes>>, Failure> {
        let mut request = Request::builder().method(method).uri(path).header("host", "localhost");
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
        request
            .body(Full::new(Bytes::from(body.unwrap_or_default())))
            .map_err(|e| Failure::Usage(format!("this cannot be asked: {e}")))
    }

    /// One connection for one request; the inner error is that of a connection that was lost.
    async fn exchange(
        &self,
        mut request: Request<Full<Bytes>>,
    ) -> Result<Result<Answered, hyper::Error>, Failure> {
        let stream = self.connect().await?;
        // Read only now: a server that was just started may have made it.
        let bearer = self.bearer()?;
        request.headers_mut().insert(AUTHORIZATION, bearer);
        in_time(Answered::of(stream, request)).await
    }

    fn bearer(&self) -> Result<HeaderValue, Failure> {
        let token = self.credential.token(&self.place)?;
        HeaderValue::from_str(&format!("Bearer {token}"))
            .map_err(|e| Failure::Usage(format!("the token cannot be sent: {e}")))
    }

    /// Listens to what happens; a connection that is lost at once is made again.
    pub async fn feed(&self) -> Result<Feed, Failure> {
        for pause in AGAIN {
            match self.join().await? {
                Ok(feed) => return Ok(feed),
                Err(_) => tokio::time::sleep(pause).await,
            }
        }
        self.join().await?.map_err(|e| feed_failure(&e))
    }

    /// One try; the inner error is that of a connection that was lost.
    async fn join(&self) -> Result<Result<Feed, Error>, Failure> {
        let stream = self.connect().await?;
        let mut request = "ws://localhost/v1/cli".into_client_request().map_err(|e| feed_failure(&e))?;
        request.headers_mut().insert(AUTHORIZATION, self.bearer()?);
        let config = WebSocketConfig::default()
            .max_message_size(Some(wire::MESSAGE_MAX))
            .max_frame_size(Some(wire::MESSAGE_MAX))
            .read_buffer_size(wire::READ_AT_ONCE);
        match in_time(tokio_tungstenite::client_async_with_config(request, stream, Some(config))).await? {
            Ok((socket, _)) => Ok(Ok(Feed { socket })),
            Err(Error::Http(answer)) => {
                let body = answer.body().as_deref().unwrap_or_default();
                Err(serde_json::from_slice::<ErrorBody>(body)
                    .map_or_else(|_| feed_failure(&answer.status()), Failure::from))
            }
            Err(e) => Ok(Err(e)),
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

async fn in_time<T>(answer: impl Future<Output = T>) -> Result<T, Failure> {
    let late = |_| Failure::Unreachable("the server does not answer".to_owned());
    tokio::time::timeout(PATIENCE, answer).await.map_err(late)
}

fn feed_failure(e: &dyn std::fmt::Display) -> Failure {
    Failure::Unreachable(format!("the server's feed: {e}"))
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

impl Answered {
    async fn of(stream: UnixStream, request: Request<Full<Bytes>>) -> Result<Self, hyper::Error> {
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        let driven = tokio::spawn(connection);
        let answer = sender.send_request(request).await?;
        let status = answer.status();
        let body = answer.into_body().collect().await?.to_bytes();
        driven.abort();
        Ok(Self { status, body })
    }

    fn read<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        if self.status.is_success() {
            return serde_json::from_slice(&self.body)
                .map_err(|e| Failure::failed(format!("the server's answer cannot be read: {e}")));
        }
        match serde_json::from_slice::<ErrorBody>(&self.body) {
            Ok(error) => Err(error.into()),
            Err(_) => Err(Failure::failed(format!("the server answered {}", self.status))),
        }
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
    use std::cell::Cell;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::UnixListener;

    use super::*;

    #[test]
    fn a63_a_name_stays_one_segment() {
        assert_eq!(segment("a/b ?..%\u{e9}"), "a%2Fb%20%3F%2E%2E%25%C3%A9");
    }

    /// What a server that dies after the first request's words answers, and how often it was asked.
    async fn ask_the_dying(method: Method, key: Option<&str>) -> (Result<serde_json::Value, Failure>, u32) {
        let home = tempfile::tempdir().unwrap();
        let place = Place::find(|name| (name == "MUSTER_HOME").then(|| home.path().into())).unwrap();
        place.create().unwrap();
        let listener = UnixListener::bind(place.server_socket()).unwrap();
        let credential = Credential::Given("muster_api_dummy".to_owned());
        let client = Client { place, credential, session: None, trace: None, starts: false };
        let asked = Cell::new(0);
        let server = async {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                asked.set(asked.get() + 1);
                let mut words = [0; 4096];
                assert_ne!(stream.read(&mut words).await.unwrap(), 0);
                if asked.get() > 1 {
                    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").await.unwrap();
                }
            }
        };
        tokio::select! {
            answer = client.ask(method, "/v1/any", None, key) => (answer, asked.get()),
            () = server => unreachable!("it listens for ever"),
        }
    }

    #[tokio::test]
    async fn a_lost_connection_is_made_again_where_asking_twice_changes_nothing() {
        for (method, key, asks) in [
            (Method::GET, None, 2),
            (Method::PUT, None, 2),
            (Method::POST, Some("build-17"), 2),
            (Method::POST, None, 1),
            (Method::PATCH, None, 1),
        ] {
            let (answer, asked) = ask_the_dying(method.clone(), key).await;
            assert_eq!((asked, answer.is_ok()), (asks, asks == 2), "{method} with {key:?}");
        }
    }
}
