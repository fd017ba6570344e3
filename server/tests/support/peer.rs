//! A scripted wrapper and a scripted viewer, each a blocking WebSocket over the Unix socket.

use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message, WebSocket, client};
use wire::prompt::{Hold, Outcome, PromptResult, Receipt, Step};
use wire::session::{Claim, Context, Size, Source, State};
use wire::wrapper::{Hello, Now, Numbered, Offer, Report, ToServer, ToWrapper};
use wire::{AttemptId, HostId, SessionId, UnixMillis};

use super::{PATIENCE, Server};

/// A WebSocket.
pub struct Peer {
    socket: WebSocket<UnixStream>,
}

/// A wrapper as a test plays it: with the memory that a real one keeps on disk.
pub struct Wrapper {
    pub peer: Peer,
    pub hello: Hello,
    pub ack: u64,
    journal: Vec<Numbered>,
}

impl Peer {
    pub fn connect(server: &Server, path: &str, token: &str, headers: &[(&str, &str)]) -> Result<Self, u16> {
        let stream = UnixStream::connect(server.place.server_socket()).expect("the server listens");
        stream.set_read_timeout(Some(Duration::from_millis(100))).expect("a timeout can be set");
        let mut request = format!("ws://localhost{path}").into_client_request().expect("a plain URL");
        let mut add = |name: &str, value: &str| {
            let name: http::HeaderName = name.parse().expect("a header's name");
            request.headers_mut().insert(name, value.parse().expect("a header's value"));
        };
        add("authorization", &format!("Bearer {token}"));
        headers.iter().for_each(|(name, value)| add(name, value));
        let mut shake = client(request, stream);
        loop {
            match shake {
                Ok((socket, _)) => return Ok(Self { socket }),
                Err(tokio_tungstenite::tungstenite::HandshakeError::Interrupted(mid)) => {
                    shake = mid.handshake()
                }
                Err(tokio_tungstenite::tungstenite::HandshakeError::Failure(Error::Http(answer))) => {
                    return Err(answer.status().as_u16());
                }
                Err(e) => panic!("the handshake failed: {e}"),
            }
        }
    }

    pub fn say<T: Serialize>(&mut self, message: &T) {
        let text = serde_json::to_string(message).expect("a wire type can be written");
        // A server that was killed in between is found out when nothing is heard.
        let _ = self.socket.send(Message::text(text));
    }

    pub fn send(&mut self, bytes: Vec<u8>) {
        self.socket.send(Message::binary(bytes)).expect("the server reads");
    }

    /// The next message; `None` when the connection has ended.
    pub fn next(&mut self) -> Option<Message> {
        let until = Instant::now() + PATIENCE;
        loop {
            match self.socket.read() {
                Ok(Message::Ping(_) | Message::Pong(_)) => {}
                Ok(Message::Close(_)) => return None,
                Ok(message) => return Some(message),
                Err(Error::Io(e)) if is_timeout(&e) => {
                    assert!(Instant::now() < until, "waited in vain for a message");
                }
                Err(_) => return None,
            }
        }
    }

    pub fn hear<T: DeserializeOwned>(&mut self) -> Option<T> {
        let Message::Text(text) = self.next()? else { panic!("a frame where a message was expected") };
        Some(serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}")))
    }
}

fn is_timeout(e: &std::io::Error) -> bool {
    matches!(e.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut)
}

impl Wrapper {
    /// A session in `/w` on `main`, idle; not connected yet.
    pub fn hello(name: &str) -> Hello {
        Hello {
            protocol: wire::PROTOCOL,
            protocol_oldest: wire::PROTOCOL_OLDEST,
            version: "test".into(),
            session: SessionId(format!("00000000-{name}")),
            name: name.into(),
            host: HostId("host".into()),
            host_name: "here".into(),
            agent: "claude".into(),
            argv: vec!["claude".into()],
            role: None,
            caps: Vec::new(),
            pool: None,
            started: UnixMillis(1),
            epoch: 1,
            last_seq: 0,
            fence: 0,
            holds: None,
            now: now(State::Idle),
        }
    }

    pub fn start(server: &Server, name: &str) -> Self {
        Self::connect(server, Self::hello(name), Vec::new())
    }

    fn connect(server: &Server, hello: Hello, journal: Vec<Numbered>) -> Self {
        let mut peer =
            Peer::connect(server, "/v1/wrapper", &server.wrapper_token(), &[]).expect("it may connect");
        peer.say(&ToServer::Hello(hello.clone()));
        let ack = match peer.hear() {
            Some(ToWrapper::Welcome { ack, .. }) => ack,
            other => panic!("not welcomed: {other:?}"),
        };
        let mut wrapper = Self { peer, hello, ack, journal };
        let again: Vec<_> = wrapper.journal.iter().filter(|n| n.seq > ack).cloned().collect();
        if !again.is_empty() {
            wrapper.peer.say(&ToServer::Reports { reports: again });
        }
        wrapper
    }

    /// Comes back after the connection was lost, with what is in its journal.
    pub fn again(self, server: &Server) -> Self {
        let Self { peer, mut hello, journal, .. } = self;
        drop(peer);
        hello.last_seq = journal.last().map_or(0, |n| n.seq);
        Self::connect(server, hello, journal)
    }

    /// Journals a report and sends it.
    pub fn report(&mut self, report: Report) -> u64 {
        let numbered = self.journal(report);
        let seq = numbered.seq;
        self.peer.say(&ToServer::Reports { reports: vec![numbered] });
        seq
    }

    /// Journals a report without sending it.
    pub fn journal(&mut self, report: Report) -> Numbered {
        let seq = self.journal.last().map_or(0, |n| n.seq) + 1;
        let numbered = Numbered { seq, at: UnixMillis(seq.cast_signed()), report };
        self.journal.push(numbered.clone());
        numbered
    }

    pub fn state(&mut self, state: State) -> u64 {
        self.hello.now.claim = claim(state);
        self.report(Report::State { claim: claim(state), dialog: None })
    }

    pub fn receipt(&mut self, attempt: AttemptId, step: Step) -> u64 {
        self.report(Report::Receipt { attempt, receipt: Receipt { step, at: UnixMillis(step as i64) } })
    }

    pub fn held(&mut self, attempt: AttemptId, hold: Hold) -> u64 {
        self.hello.holds = None;
        self.report(Report::Held { attempt, hold })
    }

    pub fn ended(&mut self, attempt: AttemptId, outcome: Outcome, answer: &str) -> u64 {
        self.hello.holds = None;
        self.report(Report::Ended { attempt, result: result(outcome, answer) })
    }

    /// Waits for an offer and takes it, as a wrapper does: fence and attempt are remembered.
    pub fn offer(&mut self) -> Offer {
        loop {
            match self.peer.hear() {
                Some(ToWrapper::Offer(offer)) => {
                    assert!(offer.fence > self.hello.fence, "a fence that is not newer");
                    self.hello.fence = offer.fence;
                    self.hello.holds = Some(offer.attempt);
                    return offer;
                }
                Some(ToWrapper::Ack { seq }) => self.ack = self.ack.max(seq),
                other => panic!("not an offer: {other:?}"),
            }
        }
    }

    /// The next message that is no ack.
    pub fn next(&mut self) -> Option<ToWrapper> {
        loop {
            match self.peer.hear()? {
                ToWrapper::Ack { seq } => self.ack = self.ack.max(seq),
                other => return Some(other),
            }
        }
    }

    /// Waits until everything up to a report is acknowledged; false when the connection ends before.
    pub fn acked(&mut self, seq: u64) -> bool {
        while self.ack < seq {
            match self.peer.hear() {
                Some(ToWrapper::Ack { seq }) => self.ack = self.ack.max(seq),
                Some(ToWrapper::Offer(offer)) => {
                    self.hello.fence = offer.fence;
                    self.hello.holds = Some(offer.attempt);
                }
                Some(_) => {}
                None => return false,
            }
        }
        true
    }

    /// Plays a whole turn.
    pub fn run(&mut self, attempt: AttemptId, answer: &str) {
        for step in &Step::ALL[1..] {
            self.receipt(attempt, *step);
        }
        let last = self.ended(attempt, Outcome::Completed, answer);
        assert!(self.acked(last));
    }
}

pub fn claim(state: State) -> Claim {
    Claim {
        state,
        source: Source::Status,
        rule: "test".into(),
        evidence: "as the test says".into(),
        since: UnixMillis(1),
        background: false,
    }
}

pub fn now(state: State) -> Now {
    Now {
        claim: claim(state),
        context: Context {
            dir: "/w".into(),
            branch: Some("main".into()),
            repo: Some("/w".into()),
            env: Default::default(),
            hash: String::new(),
        },
        moves: wire::session::Moves::None,
        interpreter: false,
        title: String::new(),
        dialog: None,
        size: Size { cols: 80, rows: 24 },
        attached: false,
        kept: false,
        last_line: String::new(),
        metrics: Default::default(),
        exit: None,
    }
}

pub fn result(outcome: Outcome, answer: &str) -> PromptResult {
    PromptResult {
        answer: answer.into(),
        duration_ms: 1,
        ..PromptResult::new(outcome, "as the test says", "status")
    }
}
