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
//! | `GET /v1/prompts[?state=WORD&limit=N]` | | `[Prompt]` |
//! | `GET /v1/prompts/{id}` | | [`PromptDetail`] |
//! | `POST /v1/prompts/{id}/cancel`, `/retry` | | `Prompt` |
//! | `POST /v1/prompts/{id}/reassign` | [`Reassign`] | `Prompt` |
//! | `POST /v1/stop` | | [`Done`]; the server ends, sessions go on |
//!
//! Every answer outside 2xx carries an [`ErrorBody`].

use crate::UnixMillis;
use crate::event::Event;
use crate::prompt::{Attempt, Prompt, Score};
use crate::wrapper::Choice;

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
        /// It is not in a state that allows this. 409.
        Conflict = "conflict",
        /// Too large. 413.
        TooLarge = "too_large",
        /// This server is not known by that name. 421.
        Misdirected = "misdirected",
        /// Too many tries. 429.
        SlowDown = "slow_down",
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
        /// [`crate::session::Dialog::id`]; `None` takes the one that is open when the server looks.
        #[serde(default)]
        pub dialog: Option<String>,
        /// The choice.
        pub choice: Choice,
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

    /// A prompt with its history.
    pub struct PromptDetail {
        /// The prompt.
        pub prompt: Prompt,
        /// All tries, oldest first.
        pub attempts: Vec<Attempt>,
        /// How sessions scored when it was last routed.
        pub scores: Vec<Score>,
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
            ErrorCode::Conflict => 409,
            ErrorCode::TooLarge => 413,
            ErrorCode::Misdirected => 421,
            ErrorCode::SlowDown => 429,
            ErrorCode::Internal => 500,
            ErrorCode::NoAnswer => 504,
            ErrorCode::Storage => 507,
        }
    }
}
