//! How a prompt of a run ends. Must not: decide what follows from it.

/// How a prompt of a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// Well, with this output.
    Completed(String),
    /// Otherwise.
    Failed,
    /// It took too long.
    TimedOut,
    /// Somebody called it off.
    Cancelled,
    /// The server did not take it, or it could not be written.
    Refused,
    /// It was left out, as what it waits for failed.
    Skipped,
}

impl End {
    /// As a file reads it in a step's status.
    pub fn word(&self) -> &'static str {
        match self {
            End::Completed(_) => "completed",
            End::Failed | End::TimedOut | End::Refused => "failed",
            End::Cancelled => "cancelled",
            End::Skipped => "skipped",
        }
    }

    /// Whether it ended well.
    pub fn good(&self) -> bool {
        matches!(self, End::Completed(_))
    }
}
