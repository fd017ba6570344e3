//! Why a command failed, with the exit code that says so. Must not: print.

use std::io;

use wire::http::{ErrorBody, ErrorCode};
use wire::text::escape;

/// A failure; the exit codes are those of `assign --help`.
#[derive(Debug)]
pub enum Failure {
    /// It went wrong.
    Failed(String),
    /// It was called wrongly.
    Usage(String),
    /// No server.
    Unreachable(String),
    /// The server cannot now, but may soon.
    Later(String),
    /// No such thing.
    NotFound(String),
    /// Not now, or not allowed.
    Refused(String),
    /// Whoever read the output has closed it: nobody is there to be told.
    Closed,
}

impl Failure {
    /// It went wrong.
    pub fn failed(text: impl Into<String>) -> Self {
        Self::Failed(text.into())
    }

    /// Writing the output went wrong.
    pub fn output(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::Closed,
            _ => Self::Failed(format!("cannot write the output: {error}")),
        }
    }

    /// The terminal does not do what it should.
    pub fn terminal(error: io::Error) -> Self {
        Self::Failed(format!("cannot use the terminal: {error}; `assign watch | cat` prints lines"))
    }

    /// Whether the same may succeed soon.
    pub fn passes(&self) -> bool {
        matches!(self, Failure::Unreachable(_) | Failure::Later(_))
    }

    /// The exit code.
    pub fn code(&self) -> u8 {
        match self {
            Failure::Closed => 0,
            Failure::Failed(_) | Failure::Later(_) => 1,
            Failure::Usage(_) => 2,
            Failure::Unreachable(_) => 3,
            Failure::NotFound(_) => 4,
            Failure::Refused(_) => 5,
        }
    }

    /// What to print, if anything.
    pub fn text(&self) -> Option<&str> {
        match self {
            Failure::Closed => None,
            Failure::Failed(text)
            | Failure::Usage(text)
            | Failure::Unreachable(text)
            | Failure::Later(text)
            | Failure::NotFound(text)
            | Failure::Refused(text) => Some(text),
        }
    }
}

impl From<ErrorBody> for Failure {
    fn from(body: ErrorBody) -> Self {
        let text = format!("{}; {}", escape(&body.message), escape(&body.hint));
        match body.code {
            ErrorCode::BadRequest | ErrorCode::TooLarge | ErrorCode::WrongMethod => Self::Usage(text),
            ErrorCode::Unauthorized | ErrorCode::Forbidden | ErrorCode::Conflict | ErrorCode::OutOfBounds => {
                Self::Refused(text)
            }
            ErrorCode::NotFound => Self::NotFound(text),
            ErrorCode::Misdirected => Self::Unreachable(text),
            ErrorCode::SlowDown | ErrorCode::Storage => Self::Later(text),
            ErrorCode::Internal | ErrorCode::NoAnswer => Self::Failed(text),
        }
    }
}
