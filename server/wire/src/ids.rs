//! Identities and instants. Must not: generate them (that needs a clock or a random source).

use std::time::Duration;

/// A word outside a closed set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{word}' is not one of: {known}")]
pub struct UnknownWord {
    /// What was given.
    pub word: String,
    /// What would have been accepted.
    pub known: String,
}

text_id! {
    /// A wrapped agent from start to exit: a UUID v7, made by `wrap`.
    SessionId
}
text_id! {
    /// The machine and user a session runs on: a UUID v7, made once per state folder.
    HostId
}
number_id! {
    /// A prompt, numbered by the server from 1; what people type (`assign show 42`).
    PromptId
}
number_id! {
    /// One try to run a prompt in one session, numbered by the server from 1.
    AttemptId
}
number_id! {
    /// Milliseconds since the Unix epoch, UTC.
    UnixMillis
}

impl SessionId {
    /// Whether it can be the name of a session's folder, and of nothing else.
    pub fn is_plain(&self) -> bool {
        !self.0.is_empty() && self.0.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    }
}

impl UnixMillis {
    /// Milliseconds from `earlier` to `self`; 0 when the clock went backwards.
    pub fn since(self, earlier: UnixMillis) -> u64 {
        u64::try_from(self.0 - earlier.0).unwrap_or(0)
    }

    /// So long after it.
    pub fn after(self, time: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(time.as_millis()).unwrap_or(i64::MAX)))
    }
}
