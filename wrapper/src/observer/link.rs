//! The observer's connection to the server. Must not: know what is said on it.
//!
//! | channel | bound | when full |
//! |---|---|---|
//! | control, to the server | 64 messages | the loop sends on when there is room; the journal keeps what waits |
//! | bytes, to the server | 64 frames | the loop drops bytes and sends a snapshot when there is room |
//! | events, to the loop | 64 | the socket is not read until the loop has taken some |

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use tokio::net::UnixStream;
use tokio::sync::mpsc;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Message};
use wire::place::Place;
use wire::wrapper::{ToServer, ToWrapper};

/// First pause before a new try; it doubles.
const PAUSE: Duration = Duration::from_millis(100);

/// Longest pause.
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// How often a server is started when none answers.
const START_EVERY: Duration = Duration::from_secs(30);

/// Within this time all sessions that miss the server at once look again, and one of the first starts it for all.
const HERD: Duration = Duration::from_millis(500);

/// A connection that is silent this long is dead: the server answers heartbeats with acks or pings.
const SILENCE_MAX: Duration = Duration::from_secs(60);

/// What happens on the connection.
#[derive(Debug)]
pub enum Event {
    /// Connected: say hello.
    Up,
    /// Not connected any more; what was queued is lost.
    Down,
    /// The server said something.
    Message(ToWrapper),
}

/// The loop's end.
pub struct Link {
    /// Messages, in order.
    pub control: mpsc::Sender<ToServer>,
    /// Terminal frames.
    pub bytes: mpsc::Sender<Vec<u8>>,
    /// What happens.
    pub events: mpsc::Receiver<Event>,
}

impl Link {
    /// Connects, and connects again for as long as the loop listens.
    pub fn start(place: Place) -> Self {
        let (control, control_out) = mpsc::channel(64);
        let (bytes, bytes_out) = mpsc::channel(64);
        let (events_in, events) = mpsc::channel(64);
        let dialer =
            Dialer { place, control: control_out, bytes: bytes_out, events: events_in, started: None };
        tokio::spawn(dialer.run());
        Self { control, bytes, events }
    }
}

struct Dialer {
    place: Place,
    control: mpsc::Receiver<ToServer>,
    bytes: mpsc::Receiver<Vec<u8>>,
    events: mpsc::Sender<Event>,
    /// When a server was last started from here.
    started: Option<Instant>,
}

type Socket = WebSocketStream<UnixStream>;

impl Dialer {
    async fn run(mut self) {
        let mut pause = PAUSE;
        loop {
            match self.connect().await {
                Ok(socket) => {
                    while self.control.try_recv().is_ok() {}
                    while self.bytes.try_recv().is_ok() {}
                    if self.events.send(Event::Up).await.is_err() {
                        return;
                    }
                    let begun = Instant::now();
                    let end = self.pump(socket).await;
                    tracing::info!(end = %end, "the server is gone");
                    if self.events.send(Event::Down).await.is_err() {
                        return;
                    }
                    if begun.elapsed() > PAUSE_MAX {
                        pause = PAUSE;
                    }
                }
                Err(fault) => tracing::debug!(%fault, "the server cannot be reached"),
            }
            if self.events.is_closed() {
                return;
            }
            tokio::time::sleep(jittered(pause)).await;
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }

    async fn connect(&mut self) -> Result<Socket, String> {
        let path = self.place.server_socket();
        let stream = match self.reach(&path).await {
            Ok(stream) => stream,
            Err(fault) => {
                self.start_server().await;
                return Err(fault.to_string());
            }
        };
        let token = std::fs::read_to_string(self.place.wrapper_token()).map_err(|e| e.to_string())?;
        let mut request = "ws://localhost/v1/wrapper".into_client_request().map_err(|e| e.to_string())?;
        let bearer = format!("Bearer {}", token.trim())
            .parse()
            .map_err(|_| "the token is no header value".to_owned())?;
        request.headers_mut().insert("authorization", bearer);
        let config = WebSocketConfig::default()
            .max_message_size(Some(wire::MESSAGE_MAX))
            .max_frame_size(Some(wire::MESSAGE_MAX))
            .read_buffer_size(wire::READ_AT_ONCE);
        let dial = tokio_tungstenite::client_async_with_config(request, stream, Some(config));
        let dialled = tokio::time::timeout(Duration::from_secs(10), dial).await;
        let (socket, _) = dialled.map_err(|_| "no answer".to_owned())?.map_err(|e| e.to_string())?;
        Ok(socket)
    }

    async fn reach(&self, path: &Path) -> std::io::Result<UnixStream> {
        match UnixStream::connect(path).await {
            Err(_) if self.may_start() => {
                tokio::time::sleep(HERD.mul_f64(noise())).await;
                UnixStream::connect(path).await
            }
            tried => tried,
        }
    }

    /// Whether it is this session's turn to start a server.
    fn may_start(&self) -> bool {
        self.started.is_none_or(|at| at.elapsed() >= START_EVERY)
    }

    /// Starts a server as tmux does, unless that was tried a moment ago.
    async fn start_server(&mut self) {
        if !self.may_start() {
            return;
        }
        // A place that somebody removed is not made again for the last word of a session.
        if !self.place.state.is_dir() {
            return;
        }
        self.started = Some(Instant::now());
        let Some(program) = server_program() else { return };
        let mut command = tokio::process::Command::new(program);
        command.args(["serve", "--detach"]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        // It serves others too: what this session was given, and where it runs, is not for it.
        for name in wire::place::SECRETS {
            command.env_remove(name);
        }
        command.env_remove("MUSTER_SESSION");
        if let Err(fault) = command.status().await {
            tracing::warn!(%fault, "no server could be started");
        }
    }

    /// Carries messages both ways until the connection ends; says why.
    async fn pump(&mut self, mut socket: Socket) -> String {
        loop {
            let outgoing = tokio::select! {
                biased;
                message = self.control.recv() => match message {
                    Some(message) => text(&message),
                    None => return "this side has ended".to_owned(),
                },
                incoming = socket.next() => match self.received(incoming).await {
                    Ok(()) => continue,
                    Err(end) => return end,
                },
                frame = self.bytes.recv() => match frame {
                    Some(frame) => Message::Binary(frame.into()),
                    None => return "this side has ended".to_owned(),
                },
                () = tokio::time::sleep(SILENCE_MAX) => return "the server is silent".to_owned(),
            };
            match tokio::time::timeout(SILENCE_MAX, socket.send(outgoing)).await {
                Ok(Ok(())) => {}
                Ok(Err(fault)) => return fault.to_string(),
                Err(_) => return "the server does not read".to_owned(),
            }
        }
    }

    async fn received(&mut self, incoming: Option<tungstenite::Result<Message>>) -> Result<(), String> {
        let text = match incoming {
            Some(Ok(Message::Text(text))) => text,
            Some(Ok(Message::Close(_))) | None => return Err("the server closed the connection".to_owned()),
            Some(Ok(_)) => return Ok(()),
            Some(Err(fault)) => return Err(fault.to_string()),
        };
        let message =
            serde_json::from_str(&text).map_err(|e| format!("the server said something unknown: {e}"))?;
        self.events.send(Event::Message(message)).await.map_err(|_| "this side has ended".to_owned())
    }
}

fn text(message: &ToServer) -> Message {
    Message::text(
        serde_json::to_string(message).expect("wire messages have no maps with other keys than strings"),
    )
}

/// The server's program: beside this one, else on the path.
fn server_program() -> Option<PathBuf> {
    let own = std::env::current_exe().ok()?;
    let beside = own.parent().unwrap_or(Path::new("/")).join("assigner");
    if beside.is_file() {
        return Some(beside);
    }
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|dir| dir.join("assigner")).find(|file| file.is_file())
}

/// Between half of the pause and all of it, so that many wrappers do not come back at once.
fn jittered(pause: Duration) -> Duration {
    pause / 2 + pause.mul_f64(noise() / 2.0)
}

/// From 0 to 1, another one for each session and each time.
fn noise() -> f64 {
    let noise = crate::clock::monotonic().subsec_nanos() ^ std::process::id().wrapping_mul(0x9e37_79b9);
    f64::from(noise % 1000) / 1000.0
}
