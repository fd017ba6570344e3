//! Why a request was not done, in the words of the wire. Must not: hold text that is only for the log.

use wire::http::{ErrorBody, ErrorCode};

/// A refusal or a failure that a client is told about.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{}", .0.message)]
pub struct Fault(pub ErrorBody);

impl Fault {
    /// Any kind; `retry` only where the same request may succeed later.
    pub fn new(code: ErrorCode, message: impl Into<String>, hint: impl Into<String>) -> Self {
        let retry = matches!(
            code,
            ErrorCode::SlowDown | ErrorCode::Internal | ErrorCode::NoAnswer | ErrorCode::Storage
        );
        Self(ErrorBody { code, message: message.into(), hint: hint.into(), retry })
    }

    /// The request cannot be understood.
    pub fn bad(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(ErrorCode::BadRequest, message, hint)
    }

    /// There is no such prompt.
    pub fn no_prompt(id: wire::PromptId) -> Self {
        Self::new(
            ErrorCode::NotFound,
            format!("there is no prompt {id}"),
            "`assign prompts` lists those there are",
        )
    }

    /// There is no such session.
    pub fn no_session(name: &str) -> Self {
        let name = wire::text::escape(name);
        Self::new(
            ErrorCode::NotFound,
            format!("there is no session '{name}'"),
            "`assign sessions --all` lists them",
        )
    }

    /// It is not in a state that allows this.
    pub fn conflict(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(ErrorCode::Conflict, message, hint)
    }

    /// Nothing was saved, because the disk said no.
    pub fn storage() -> Self {
        Self::new(
            ErrorCode::Storage,
            "nothing was saved: the disk is full or not writable",
            "make room, then send the same request again",
        )
    }

    /// The batch that held the request was given up before it was answered.
    pub fn not_saved() -> Self {
        Self::new(
            ErrorCode::Storage,
            "nothing was saved: the server could not write its database",
            "its log says why; the same request may work again",
        )
    }

    /// A fault of the server.
    pub fn internal() -> Self {
        Self::new(
            ErrorCode::Internal,
            "the server could not do it",
            "its log says why; the same request may work again",
        )
    }
}
