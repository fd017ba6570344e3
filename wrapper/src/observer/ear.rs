//! Hears the agent's telemetry: OTLP over HTTP with JSON, on loopback. Must not: interpret a figure.
//!
//! Invariant: whoever does not show the launch's secret changes nothing, and whoever shows it can tell figures of this
//! session and nothing else. A web page has no business here, whatever it shows.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{AUTHORIZATION, CONTENT_LENGTH, HOST, HeaderMap, ORIGIN};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use patterns::Agent;
use patterns::fact::From;
use sha2::{Digest, Sha256};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc, oneshot};

use crate::control::Told;
use crate::{otlp, recording};

/// Where metrics are told.
const PATH: &str = "/v1/metrics";
/// Longest export that is read, in bytes.
const BODY_MAX: usize = 1 << 20;
/// Longest head of a request, in bytes.
const HEAD_MAX: usize = 16 << 10;
/// Connections at a time; more wait.
const CONNECTIONS: usize = 8;
/// Longest life of a connection, which carries one request.
const PATIENCE: Duration = Duration::from_secs(10);
/// Exports that wait to be written down; more are told to come again.
const WAITING: usize = 16;

/// What an export told, and who waits until it is written down.
pub type Export = (Vec<Told>, oneshot::Sender<()>);

/// Hears on a port until it is dropped.
pub struct Ear {
    /// What was heard.
    pub exports: mpsc::Receiver<Export>,
    task: tokio::task::JoinHandle<()>,
}

/// What all connections know.
struct Door {
    agent: Arc<Agent>,
    /// Hash of the secret: of two hashes it tells nothing how long they are alike.
    secret: [u8; 32],
    port: u16,
    exports: mpsc::Sender<Export>,
}

impl Ear {
    /// Hears on a listener that the holder opened.
    pub fn open(listener: std::net::TcpListener, secret: &str, agent: Arc<Agent>) -> io::Result<Self> {
        let (sender, exports) = mpsc::channel(WAITING);
        let listener = TcpListener::from_std(listener)?;
        let port = listener.local_addr()?.port();
        let door = Door { agent, secret: Sha256::digest(secret).into(), port, exports: sender };
        Ok(Self { exports, task: tokio::spawn(hear(listener, Arc::new(door))) })
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn hear(listener: TcpListener, door: Arc<Door>) {
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(permit) = Arc::clone(&room).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => {
                let door = Arc::clone(&door);
                tokio::spawn(async move {
                    let _permit = permit;
                    // Who is too slow is cut off, and tells it again.
                    let _ = tokio::time::timeout(PATIENCE, serve(stream, door)).await;
                });
            }
            // No descriptors left, most likely: that passes.
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}

async fn serve(stream: TcpStream, door: Arc<Door>) -> Result<(), hyper::Error> {
    let answer = service_fn(|request| {
        let door = Arc::clone(&door);
        async move {
            let status = door.take(request).await.err().unwrap_or(StatusCode::OK);
            let mut answer = Response::new(Empty::<Bytes>::new());
            *answer.status_mut() = status;
            Ok::<_, Infallible>(answer)
        }
    });
    let mut http = hyper::server::conn::http1::Builder::new();
    http.keep_alive(false).max_buf_size(HEAD_MAX).timer(TokioTimer::new());
    http.serve_connection(TokioIo::new(stream), answer).await
}

impl Door {
    async fn take(&self, request: Request<Incoming>) -> Result<(), StatusCode> {
        self.admit(&request)?;
        let body = Limited::new(request.into_body(), BODY_MAX).collect().await;
        let body = body.map_err(|_| StatusCode::PAYLOAD_TOO_LARGE)?.to_bytes();
        let told = known(&self.agent, &body).ok_or(StatusCode::BAD_REQUEST)?;
        if told.is_empty() {
            return Ok(());
        }
        let (done, written) = oneshot::channel();
        self.exports.try_send((told, done)).map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
        written.await.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)
    }

    /// Judges a request by its head.
    fn admit(&self, request: &Request<Incoming>) -> Result<(), StatusCode> {
        let head = request.headers();
        if is_from_page(head) || !self.is_meant(head) {
            return Err(StatusCode::FORBIDDEN);
        }
        if request.method() != Method::POST || request.uri().path() != PATH {
            return Err(StatusCode::NOT_FOUND);
        }
        let shown = head.get(AUTHORIZATION).ok_or(StatusCode::UNAUTHORIZED)?;
        let shown: [u8; 32] = Sha256::digest(shown.as_bytes()).into();
        if shown != self.secret {
            return Err(StatusCode::UNAUTHORIZED);
        }
        let length = head.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
        if length.is_some_and(|length| length > BODY_MAX as u64) {
            return Err(StatusCode::PAYLOAD_TOO_LARGE);
        }
        Ok(())
    }

    /// Whether it names this host by its number: a name may be made to lead here.
    fn is_meant(&self, head: &HeaderMap) -> bool {
        let host = head.get(HOST).and_then(|host| host.to_str().ok());
        host == Some(&format!("127.0.0.1:{}", self.port))
    }
}

/// What only browsers say, of requests that pages make.
fn is_from_page(head: &HeaderMap) -> bool {
    head.contains_key(ORIGIN) || head.keys().any(|name| name.as_str().starts_with("sec-fetch-"))
}

/// What of an export goes into the recording: figures and names of models, of what the profile knows. `None` when it is no
/// export.
pub fn known(agent: &Agent, body: &[u8]) -> Option<Vec<Told>> {
    let kept = |payload: serde_json::Value| {
        let rule = agent.facts.iter().find(|rule| rule.from == From::Telemetry && rule.holds(&payload))?;
        let payload = rule.kept(&payload)?.to_string().into_bytes();
        Some(Told { from: recording::From::Telemetry, payload })
    };
    Some(otlp::measurements(body)?.into_iter().filter_map(kept).collect())
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use serde_json::{Value, json};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    const SECRET: &str = "sesame";

    fn export() -> String {
        let attributes = |pairs: &[(&str, &str)]| -> Value {
            pairs.iter().map(|(k, v)| json!({ "key": k, "value": { "stringValue": v } })).collect()
        };
        let point = |value: f64| {
            json!({ "asDouble": value, "startTimeUnixNano": "1", "timeUnixNano": "2",
                "attributes": attributes(&[("user.email", "a@example.com"), ("model", "one")]) })
        };
        let metric = |name: &str, unit: &str, value: f64| {
            json!({ "name": name, "unit": unit, "sum": {
                "isMonotonic": true, "aggregationTemporality": 1, "dataPoints": [point(value)] } })
        };
        let metrics = json!([metric("claude_code.cost.usage", "USD", 0.5), metric("other", "", 1.0)]);
        json!({ "resourceMetrics": [{ "scopeMetrics": [{ "metrics": metrics }] }] }).to_string()
    }

    /// Sends a request as it is, and tells the status of the answer.
    async fn asked(port: u16, request: String) -> u16 {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.unwrap();
        // It may be refused before it was read.
        let _ = stream.write_all(request.as_bytes()).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        let text = String::from_utf8_lossy(&answer).into_owned();
        text.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_else(|| panic!("{text:?}"))
    }

    fn request(path: &str, port: u16, heads: &[(&str, &str)], body: &str) -> String {
        let heads: String = heads.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        format!(
            "{path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\ncontent-length: {}\r\n{heads}\r\n{body}",
            body.len()
        )
    }

    fn open() -> (Ear, u16) {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        let agent = patterns::Library::builtin().agent("claude").unwrap();
        (Ear::open(listener, SECRET, agent).unwrap(), port)
    }

    #[tokio::test]
    async fn who_shows_the_secret_tells_figures_and_the_models_name_and_nothing_else() {
        let (mut ear, port) = open();
        let asking = tokio::spawn(asked(
            port,
            request("POST /v1/metrics", port, &[("authorization", SECRET)], &export()),
        ));
        let (told, done) = ear.exports.recv().await.unwrap();
        done.send(()).unwrap();
        assert_eq!(asking.await.unwrap(), 200);
        assert_eq!(told.len(), 1, "a metric that no rule knows is dropped");
        let payload: Value = serde_json::from_slice(&told[0].payload).unwrap();
        assert_eq!((&payload["value"], &payload["attributes"]), (&json!(0.5), &json!({ "model": "one" })));
        assert!(!payload.to_string().contains("example.com"), "{payload}");
    }

    #[tokio::test]
    async fn who_does_not_show_the_secret_changes_nothing() {
        let (mut ear, port) = open();
        let right = ("authorization", SECRET);
        let long = "x".repeat(BODY_MAX + 1);
        type Try<'t> = (u16, &'t str, &'t [(&'t str, &'t str)], &'t str);
        let tries: [Try; 10] = [
            (401, "POST /v1/metrics", &[], &export()),
            (401, "POST /v1/metrics", &[("authorization", "sesam")], &export()),
            (401, "POST /v1/metrics", &[("authorization", "Bearer sesame")], &export()),
            (403, "POST /v1/metrics", &[right, ("origin", "http://127.0.0.1")], &export()),
            (403, "POST /v1/metrics", &[right, ("sec-fetch-site", "same-origin")], &export()),
            (404, "GET /v1/metrics", &[right], ""),
            (404, "POST /v1/traces", &[right], &export()),
            (404, "OPTIONS /v1/metrics", &[], ""),
            (413, "POST /v1/metrics", &[right], &long),
            (400, "POST /v1/metrics", &[right], "no json"),
        ];
        for (status, path, heads, body) in tries {
            assert_eq!(asked(port, request(path, port, heads, body)).await, status, "{path} {heads:?}");
        }
        let named = request("POST /v1/metrics", port, &[right], &export()).replace("127.0.0.1", "localhost");
        assert_eq!(asked(port, named).await, 403);
        assert!(ear.exports.try_recv().is_err());
    }

    #[tokio::test]
    async fn a_body_of_unknown_length_is_bounded_too() {
        let (mut ear, port) = open();
        let piece = format!("{:x}\r\n{}\r\n", 1 << 16, "x".repeat(1 << 16));
        let head = format!(
            "POST /v1/metrics HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nauthorization: {SECRET}\r\n\
             transfer-encoding: chunked\r\n\r\n"
        );
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut sent = 0;
        while sent < 64 && stream.write_all(piece.as_bytes()).await.is_ok() {
            sent += 1;
        }
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        assert!(sent < 64 || answer.starts_with(b"HTTP/1.1 413"), "{}", String::from_utf8_lossy(&answer));
        assert!(ear.exports.try_recv().is_err());
    }

    #[tokio::test]
    async fn an_export_that_nobody_writes_down_is_to_come_again() {
        let (mut ear, port) = open();
        let asking = tokio::spawn(asked(
            port,
            request("POST /v1/metrics", port, &[("authorization", SECRET)], &export()),
        ));
        drop(ear.exports.recv().await.unwrap());
        assert_eq!(asking.await.unwrap(), 503);
    }
}
