//! Requests byte by byte: tests of the border need what no client library sends.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::Path;

use serde::de::DeserializeOwned;

use super::{PATIENCE, Server};

/// A request to be written.
#[derive(Clone)]
pub struct Request {
    head: String,
    body: String,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Request {
    pub fn new(method: &str, path: &str) -> Self {
        Self { head: format!("{method} {path} HTTP/1.1\r\n"), body: String::new() }
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.head.push_str(&format!("{name}: {value}\r\n"));
        self
    }

    pub fn json(self, body: &str) -> Self {
        if body.is_empty() { self } else { self.header("Content-Type", "application/json").body(body) }
    }

    pub fn body(mut self, body: &str) -> Self {
        self.body = body.to_owned();
        self
    }

    /// What an upgrade to a WebSocket needs.
    pub fn upgrade(self) -> Self {
        self.header("Connection", "Upgrade")
            .header("Upgrade", "websocket")
            .header("Sec-WebSocket-Version", "13")
            .header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
    }

    /// To a server's port, under the name that it has there.
    pub fn tcp(server: &Server, method: &str, path: &str) -> Self {
        Self::new(method, path).header("Host", &format!("127.0.0.1:{}", server.port))
    }

    pub fn by_tcp(self, port: u16) -> Answer {
        self.exchange(dial(port))
    }

    pub fn by_unix(self, socket: &Path) -> Answer {
        let stream = UnixStream::connect(socket).expect("the server listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout can be set");
        self.exchange(stream)
    }

    fn exchange(self, mut stream: impl Read + Write) -> Answer {
        let upgrade = self.head.contains("Upgrade: websocket");
        let close = if upgrade { "" } else { "Connection: close\r\n" };
        let Self { head, body } = self;
        let request = format!("{head}{close}Content-Length: {}\r\n\r\n{body}", body.len());
        // A server that refuses early may close before all was written.
        let _ = stream.write_all(request.as_bytes());
        let mut bytes = Vec::new();
        let mut chunk = [0; 4096];
        while let Ok(n) = stream.read(&mut chunk) {
            bytes.extend_from_slice(&chunk[..n]);
            if n == 0 || is_whole(&bytes) {
                break;
            }
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let status = head.split(' ').nth(1).and_then(|s| s.parse().ok()).unwrap_or(0);
        Answer { status, head: head.to_lowercase(), body: body.to_owned() }
    }
}

/// A connection to a server's port, on which nothing is waited for longer than a test is.
pub fn dial(port: u16) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", port)).expect("the server listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout can be set");
    stream
}

/// Whether an answer is complete, so that nobody waits for a connection that is kept.
fn is_whole(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes).to_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|l| l.strip_prefix("content-length: ")?.parse().ok());
    head.starts_with("http/1.1 101") || length.is_some_and(|n: usize| body.len() >= n)
}

impl Answer {
    pub fn json<T: DeserializeOwned>(&self) -> T {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {} {}", self.head, self.body))
    }

    pub fn has(&self, header: &str) -> bool {
        self.head.lines().any(|l| l.starts_with(&format!("{}:", header.to_lowercase())))
    }

    pub fn value(&self, header: &str) -> Option<&str> {
        let start = format!("{}: ", header.to_lowercase());
        self.head.lines().find_map(|l| l.strip_prefix(start.as_str()))
    }
}
