//! Bodies of the HTTP interface that are not themselves sessions, prompts or events.
//! Must not: hold logic.
//!
//! | method and path | body | answer |
//! |---|---|---|
//! | `GET /healthz` | | `ok` |
//! | `GET /login?code=…` | | cookie, redirect to `/` |
//! | `POST /v1/login-links` | | [`LoginLink`] |
//! | `GET /v1/status` | | [`Status`] |
//! | `GET /v1/sessions[?all=true]` | | `[Session]` |
//! | `GET /v1/sessions/{id or name}` | | `Session` |
//! | `GET /v1/sessions/{id or name}/events?after=SEQ&limit=N` | | `[EventRow]` |
//! | `GET /v1/sessions/{id or name}/states?limit=N` | | `[Claim]`, newest first |
//! | `POST /v1/sessions/{id or name}/answer` | [`Answer`] | [`Done`] |
//! | `POST /v1/prompts` (`Idempotency-Key`) | `NewPrompt` | `Prompt` (201; 200 when it was there) |
//! | `GET /v1/prompts[?state=WORD&key=BEGINNING&limit=N]` | | `[Prompt]` |
//! | `GET /v1/prompts/{id}` | | [`PromptDetail`] |
//! | `POST /v1/prompts/{id}/cancel`, `/retry` | | `Prompt` |
//! | `POST /v1/prompts/{id}/reassign` | [`Reassign`] | `Prompt` |
//! | `POST /v1/prompts/seen` | [`Selection`] | [`Counted`]: taken note of |
//! | `POST /v1/plan` | `NewPrompt` | [`Planned`]: who would get it, without sending it |
//! | `POST /v1/routing`, `/v1/sessions/{id or name}/routing` | `Routing` | `Routing` |
//! | `GET /v1/search?q=WORDS&kind=&session=&cursor=&limit=` | | `Found` |
//! | `GET /v1/events?fingerprint=&kind=&severity=&session=&since=&until=&cursor=&limit=` | | [`Events`], newest first |
//! | `GET /v1/events?after=ID&…`, `?latest=true&…` | | [`Events`], as they came |
//! | `GET /v1/insight?from=&to=&agent=&project=&offset_minutes=` | | `Insight` |
//! | `GET /v1/me` | | `Me` |
//! | `POST /v1/me/progress` | `Note` | [`Done`]; an agent, of the prompt that its session works on |
//! | `POST /v1/me/questions` | `Question` | `Approval`; an agent, to a person |
//! | `GET /v1/hosts` | | `[HostRow]` |
//! | `GET /v1/tokens`, `POST`, `DELETE /v1/tokens/{id}` | `NewToken` | `[TokenRow]`, `MadeToken`, [`Done`] |
//! | `GET /v1/templates`, `PUT /v1/templates/{name}`, `DELETE` | `Template` | `[Template]`, `Template`, [`Done`] |
//! | `GET /v1/pools`, `PUT /v1/pools/{name}`, `DELETE` | `NewPool` | `[Pool]`, `Pool`, [`Done`] |
//! | `GET /v1/alerts?open=true&before=&limit=` | | `[Alert]`, newest first |
//! | `GET /v1/sinks`, `PUT /v1/sinks/{name}`, `DELETE` | `NewSink` | `[Sink]`, `Sink`, [`Done`] |
//! | `POST /v1/sinks/{name}/test` | | [`Done`], when the notice was carried |
//! | `POST /v1/purge` | `Purge` | `Purged`; what has ended, deleted for good |
//! | `POST /v1/stop` | | [`Done`]; the server ends, sessions go on |
//!
//! Every answer outside 2xx carries an [`ErrorBody`].

use crate::event::Event;
use crate::prompt::{Attempt, Prompt, PromptState, Score};
use crate::wrapper::Choice;
use crate::{PromptId, SessionId, UnixMillis};

/// The header in which an agent's request says in which session the agent runs, by its id.
pub const SESSION_HEADER: &str = "muster-session";

words! {
    /// What went wrong, for programs.
    pub enum ErrorCode {
        /// The request cannot be understood. 400.
        BadRequest = "bad_request",
        /// No valid credential. 401.
        Unauthorized = "unauthorized",
        /// The credential does not allow this, or the request comes from the wrong place. 403.
        Forbidden = "forbidden",
        /// No such thing. 404.
        NotFound = "not_found",
        /// There is such a thing, but it is not asked in this way. 405.
        WrongMethod = "wrong_method",
        /// It is not in a state that allows this. 409.
        Conflict = "conflict",
        /// Too large. 413.
        TooLarge = "too_large",
        /// This server is not known by that name. 421.
        Misdirected = "misdirected",
        /// Too many tries. 429.
        SlowDown = "slow_down",
        /// An agent's credential goes no further. 429.
        OutOfBounds = "out_of_bounds",
        /// A fault of the server. 500.
        Internal = "internal",
        /// The session's wrapper did not answer. 504.
        NoAnswer = "no_answer",
        /// The disk is full or not writable. 507.
        Storage = "storage",
    }
}

wire! {
    /// Every error.
    pub struct ErrorBody {
        /// For programs.
        pub code: ErrorCode,
        /// What was attempted, on what, and what went wrong.
        pub message: String,
        /// What to do.
        pub hint: String,
        /// Whether the same request may succeed later.
        pub retry: bool,
    }

    /// It was done.
    pub struct Done {
        /// Always true.
        pub done: bool,
    }

    /// The server in numbers.
    pub struct Status {
        /// Version.
        pub version: String,
        /// When it started.
        pub started: UnixMillis,
        /// Where the dashboard is.
        pub url: String,
        /// Whether no prompts are given out.
        #[serde(default)]
        pub paused: bool,
        /// Live sessions by state word.
        pub sessions: std::collections::BTreeMap<String, u32>,
        /// Prompts by state word.
        pub prompts: std::collections::BTreeMap<String, u32>,
    }

    /// A link that logs one browser in.
    pub struct LoginLink {
        /// Open it within `expires_s`; it works once.
        pub url: String,
        /// Seconds.
        pub expires_s: u32,
    }

    /// Answer to a dialog, bound to what the person saw.
    #[serde(deny_unknown_fields)]
    pub struct Answer {
        /// [`crate::session::Dialog::id`]; there is no answer without it, as another
        /// dialog may have come meanwhile.
        pub dialog: String,
        /// The choice.
        pub choice: Choice,
    }

    /// A part of a session's recording: its output from one byte to another, without secrets.
    pub struct RecordingPart {
        /// The first byte of the output that is here.
        #[cfg_attr(feature = "ts", ts(type = "number"))]
        pub from: u64,
        /// The byte after the last that is here: ask on from there.
        #[cfg_attr(feature = "ts", ts(type = "number"))]
        pub next: u64,
        /// How many bytes there are up to now.
        #[cfg_attr(feature = "ts", ts(type = "number"))]
        pub end: u64,
        /// Terminal size at `from`.
        pub size: crate::session::Size,
        /// What happened: seconds since the session's start, `o` for output or `r` for a new size, and the text.
        pub events: Vec<(f64, String, String)>,
    }

    /// A change of a prompt that no session has; what is absent stays.
    #[serde(deny_unknown_fields)]
    #[derive(Default)]
    pub struct Edit {
        /// The whole prompt anew: checked as a new one is.
        #[serde(default)]
        pub asked: Option<crate::prompt::NewPrompt>,
        /// Its place in the queue.
        #[serde(default)]
        pub priority: Option<u8>,
        /// What must be completed before; cycles are refused.
        #[serde(default)]
        pub after: Option<Vec<PromptId>>,
        /// Not offered before.
        #[serde(default)]
        pub not_before: Option<UnixMillis>,
    }

    /// Which prompts a wish is for. What is absent is no condition.
    #[serde(deny_unknown_fields)]
    #[derive(Default)]
    pub struct Selection {
        /// One of these; at most 10,000.
        #[serde(default)]
        pub ids: Option<Vec<PromptId>>,
        /// In this state.
        #[serde(default)]
        pub state: Option<PromptState>,
        /// Had by this session, or asked for it; name or id.
        #[serde(default)]
        pub session: Option<String>,
        /// With this tag.
        #[serde(default)]
        pub tag: Option<String>,
        /// Of this thread.
        #[serde(default)]
        pub thread: Option<String>,
        /// Queued under an idempotency key that begins so.
        #[serde(default)]
        pub key: Option<String>,
        /// Unchanged for this long, in milliseconds.
        #[serde(default)]
        #[cfg_attr(feature = "ts", ts(type = "number | null"))]
        pub older_ms: Option<u64>,
    }

    /// How many were meant.
    pub struct Counted {
        /// So many.
        pub count: u32,
    }

    /// What the whole queue would do now, prompt by prompt, without doing it.
    pub struct Plan {
        /// In the order in which prompts would be looked at.
        pub prompts: Vec<Planned>,
        /// Prompts that were not looked at, because there are too many.
        pub more: u32,
    }

    /// What would become of one prompt.
    pub struct Planned {
        /// Which.
        pub prompt: PromptId,
        /// The beginning of its text.
        pub text: String,
        /// Who would get it now.
        pub session: Option<SessionId>,
        /// Why nobody would, or why it would wait.
        pub waits: Option<String>,
        /// How the sessions scored.
        pub scores: Vec<Score>,
    }

    /// A session's context from a moment on.
    pub struct ContextRow {
        /// Since when.
        pub at: UnixMillis,
        /// What it was.
        pub context: crate::session::Context,
    }

    /// An entry of the audit log: who did what to what. Entries are never changed; each holds the hash of all before.
    pub struct AuditEntry {
        /// Number, from 1.
        #[cfg_attr(feature = "ts", ts(type = "number"))]
        pub seq: u64,
        /// When.
        pub at: UnixMillis,
        /// Who: `cli`, `browser`, `token NAME`, `rule NAME`, `server`.
        pub by: String,
        /// What, for example `prompt.cancel`.
        pub what: String,
        /// To what, for example `prompt 42`.
        pub on: String,
        /// The rest, as JSON.
        pub detail: String,
        /// SHA-256 over the hash of the entry before and this one's fields, hexadecimal.
        pub hash: String,
    }

    /// A page of the audit log.
    pub struct Audit {
        /// Newest first.
        pub entries: Vec<AuditEntry>,
        /// Whether the chain of hashes holds from the first entry to the last; absent when it was not checked.
        pub whole: Option<bool>,
    }

    /// Give a prompt to another session.
    #[serde(deny_unknown_fields)]
    pub struct Reassign {
        /// Its name or id; `None` lets the router choose.
        #[serde(default)]
        pub target: Option<String>,
    }

    /// An event with its number.
    pub struct EventRow {
        /// Sequence number in the session.
        #[cfg_attr(feature = "ts", ts(type = "number"))]
        pub seq: u64,
        /// What.
        pub event: Event,
    }

    /// An event wherever it happened.
    pub struct FoundEvent {
        /// The order in which events came in, over all sessions; no number is used twice.
        #[serde(default)]
        #[cfg_attr(feature = "ts", ts(type = "number"))]
        pub id: u64,
        /// In which session.
        pub session: SessionId,
        /// That session's name.
        pub session_name: String,
        /// Sequence number there.
        #[cfg_attr(feature = "ts", ts(type = "number"))]
        pub seq: u64,
        /// What.
        pub event: Event,
    }

    /// A page of events of all sessions: newest first, or in the order in which they came when that was asked for.
    pub struct Events {
        /// At most as many as were asked for.
        pub events: Vec<FoundEvent>,
        /// The cursor of the next page; `None` when this is the last.
        pub next: Option<String>,
        /// In the order in which they came: nothing up to this number is missing. Ask on `after` it.
        #[serde(default)]
        #[cfg_attr(feature = "ts", ts(type = "number | null"))]
        pub upto: Option<u64>,
    }

    /// A prompt with its history.
    pub struct PromptDetail {
        /// The prompt.
        pub prompt: Prompt,
        /// All tries, oldest first.
        pub attempts: Vec<Attempt>,
        /// How sessions scored when it was last routed.
        pub scores: Vec<Score>,
        /// Where it comes from, when an agent queued it.
        #[serde(default)]
        #[cfg_attr(feature = "ts", ts(optional))]
        pub parent: Option<crate::prompt::Parent>,
        /// The trace that tells of it, as OpenTelemetry writes it: 32 hexadecimal digits.
        #[serde(default)]
        pub trace: String,
    }
}

impl ErrorCode {
    /// The HTTP status that goes with it.
    pub fn status(self) -> u16 {
        match self {
            ErrorCode::BadRequest => 400,
            ErrorCode::Unauthorized => 401,
            ErrorCode::Forbidden => 403,
            ErrorCode::NotFound => 404,
            ErrorCode::WrongMethod => 405,
            ErrorCode::Conflict => 409,
            ErrorCode::TooLarge => 413,
            ErrorCode::Misdirected => 421,
            ErrorCode::SlowDown | ErrorCode::OutOfBounds => 429,
            ErrorCode::Internal => 500,
            ErrorCode::NoAnswer => 504,
            ErrorCode::Storage => 507,
        }
    }
}
