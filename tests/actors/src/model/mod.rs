//! A model server for real agents, on loopback. It knows no model: it answers from scripts and logs what it did.
//!
//! Speaks what the agents need of the Anthropic Messages, the OpenAI Responses and Chat Completions, the Gemini and the
//! Ollama interface. Must not: check a key, or reach any other machine.

mod anthropic;
mod chat;
mod gemini;
mod ollama;
mod responses;
mod toolbox;

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::script::{Script, Scripts, Step};

/// One thing the server did, with the time since its start.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Entry {
    /// Microseconds since the server started.
    pub at_us: u64,
    /// `request`, `result` (what the last tool gave), `open` (an answer begins), `words` (its first words), then
    /// `answered`, `tool`, `error` or `closed`.
    pub what: &'static str,
    /// Name of the script.
    pub script: String,
    /// Number of the step, from 0.
    pub step: usize,
    /// The prompt, the tool's name, or what it gave.
    pub text: String,
    /// A request of the agent for itself (a title, a summary), not of the task.
    pub side: bool,
    /// Status of an error.
    pub status: Option<u16>,
    /// Whether the answer says that the task was not done.
    pub failed: bool,
}

/// A running server.
#[derive(Clone)]
pub struct Model {
    /// Where it listens.
    pub address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    scripts: Scripts,
    /// Folder that paths in tool calls are below, for interfaces that want absolute paths.
    project: Mutex<PathBuf>,
    started: Instant,
    log: Mutex<Vec<Entry>>,
    /// Requests seen by script and step.
    hits: Mutex<HashMap<(String, usize), u32>>,
    log_file: Option<PathBuf>,
    /// Answers so far: agents take answers with the same id for one.
    answers: AtomicU64,
}

impl Model {
    /// Serves in a task of the present runtime until the runtime ends.
    pub async fn start(scripts: Scripts, port: u16, log_file: Option<PathBuf>) -> anyhow::Result<Self> {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
        let shared = Arc::new(Shared {
            scripts,
            project: Mutex::default(),
            started: Instant::now(),
            log: Mutex::default(),
            hits: Mutex::default(),
            log_file,
            answers: AtomicU64::new(0),
        });
        let router = Router::new()
            .route("/v1/messages", post(anthropic::messages))
            .route("/v1/messages/count_tokens", post(|| async { axum::Json(json!({"input_tokens": 1200})) }))
            .route("/v1/responses", post(responses::responses))
            .route("/v1/chat/completions", post(chat::completions))
            .route("/v1beta/models/{call}", post(gemini::generate))
            .route("/api/chat", post(ollama::chat))
            .route("/api/show", post(ollama::show))
            .fallback(elsewhere)
            .layer(DefaultBodyLimit::max(64 << 20))
            .with_state(Arc::clone(&shared));
        let address = listener.local_addr()?;
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { address, shared })
    }

    /// Tells the folder that paths in tool calls are below, for agents that do not tell it themselves.
    pub fn set_project(&self, folder: &std::path::Path) {
        folder.clone_into(&mut self.shared.project.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// When the times of the log begin.
    pub fn started(&self) -> Instant {
        self.shared.started
    }

    /// What has been done so far.
    pub fn log(&self) -> Vec<Entry> {
        self.shared.log.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn elsewhere(uri: axum::http::Uri) -> Response {
    if uri.path().ends_with("/models") {
        return axum::Json(
            json!({"object": "list", "data": [{"id": "scripted", "object": "model", "owned_by": "nobody"}]}),
        )
        .into_response();
    }
    let body =
        json!({"type": "error", "error": {"type": "not_found_error", "message": "there is nothing here"}});
    (StatusCode::NOT_FOUND, axum::Json(body)).into_response()
}

/// A request as the script sees it.
struct Turn {
    shared: Arc<Shared>,
    script: Script,
    number: usize,
    side: bool,
    /// Tells this answer and what is in it from all others.
    id: u64,
}

impl Turn {
    /// Logs a request and picks what answers it. `directory` is the agent's, when the request tells it.
    fn new(shared: &Arc<Shared>, prompt: &str, results: usize, side: bool, directory: Option<&str>) -> Self {
        if let Some(directory) = directory {
            *shared.project.lock().unwrap_or_else(PoisonError::into_inner) = PathBuf::from(directory);
        }
        let script = shared.scripts.pick(prompt);
        let number = script.step(results).0;
        let id = shared.answers.fetch_add(1, Ordering::Relaxed);
        let turn = Self { shared: Arc::clone(shared), script, number, side, id };
        turn.log("request", prompt);
        turn
    }

    fn step(&self) -> &Step {
        &self.script.step[self.number]
    }

    /// The scripted error for this request, if it is its turn.
    fn error(&self) -> Option<(StatusCode, String)> {
        let error = self.step().error.as_ref().filter(|_| !self.side)?;
        let mut hits = self.shared.hits.lock().unwrap_or_else(PoisonError::into_inner);
        let hit = hits.entry((self.script.name.clone(), self.number)).or_default();
        *hit += 1;
        if error.times > 0 && *hit > error.times {
            return None;
        }
        self.note("error", &error.message, Some(error.status));
        Some((StatusCode::from_u16(error.status).unwrap_or(StatusCode::BAD_GATEWAY), error.message.clone()))
    }

    fn path(&self, path: &str) -> String {
        let project = self.shared.project.lock().unwrap_or_else(PoisonError::into_inner);
        project.join(path).to_string_lossy().into_owned()
    }

    fn log(&self, what: &'static str, text: &str) {
        self.note(what, text, None);
    }

    fn note(&self, what: &'static str, text: &str, status: Option<u16>) {
        use std::io::Write;
        let entry = Entry {
            at_us: self.shared.started.elapsed().as_micros() as u64,
            what,
            script: self.script.name.clone(),
            step: self.number,
            text: text.chars().take(if what == "result" { 4000 } else { 200 }).collect(),
            side: self.side,
            status,
            failed: what == "answered" && !self.side && self.step().failed,
        };
        if let Some(path) = &self.shared.log_file
            && let Ok(mut file) = std::fs::OpenOptions::new().create(true).append(true).open(path)
        {
            let _ = writeln!(file, "{}", json!(entry));
        }
        self.shared.log.lock().unwrap_or_else(PoisonError::into_inner).push(entry);
    }
}

/// Sends server-sent events; ends when the agent hangs up.
struct Events(mpsc::Sender<Bytes>);

/// The agent has closed the connection.
struct HungUp;

impl Events {
    /// A response whose body is what `write` sends.
    fn respond<F: Future<Output = Result<(), HungUp>> + Send + 'static>(
        write: impl FnOnce(Events) -> F,
    ) -> Response {
        let (sender, receiver) = mpsc::channel(16);
        tokio::spawn(write(Events(sender)));
        let stream = futures_util::stream::unfold(receiver, |mut receiver| async {
            let bytes = receiver.recv().await?;
            Some((Ok::<_, Infallible>(bytes), receiver))
        });
        ([(header::CONTENT_TYPE, "text/event-stream")], Body::from_stream(stream)).into_response()
    }

    async fn send(&self, name: &str, data: &Value) -> Result<(), HungUp> {
        self.write(format!("event: {name}\ndata: {data}\n\n")).await
    }

    /// Sends what is no named event.
    async fn write(&self, text: String) -> Result<(), HungUp> {
        self.0.send(text.into()).await.map_err(|_| HungUp)
    }
}

/// Text that the agents put around or before what the user typed.
fn is_furniture(text: &str) -> bool {
    text.is_empty()
        || text.starts_with('<')
        || text.starts_with("# AGENTS")
        || text.starts_with("[Request interrupted")
}

/// Removes what an agent tells the model beside the user's words.
fn without_reminders(text: &str) -> String {
    let mut rest = text;
    let mut out = String::new();
    while let Some((before, after)) = rest.split_once("<system-reminder>") {
        out.push_str(before);
        rest = after.split_once("</system-reminder>").map_or("", |(_, after)| after);
    }
    out.push_str(rest);
    out.trim().to_owned()
}

/// Pieces of a tool's arguments, as a model would send them.
fn argument_pieces(text: &str) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    chars.chunks(24).map(|piece| piece.iter().collect()).collect()
}

async fn pause(length: Duration) {
    if !length.is_zero() {
        tokio::time::sleep(length).await;
    }
}

type Shares = State<Arc<Shared>>;
