//! Identities and instants. Must not: generate them (that needs a clock or a random source).

use serde::{Deserialize, Serialize};

/// A word outside a closed set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{word}' is not one of: {known}")]
pub struct UnknownWord {
    /// What was given.
    pub word: String,
    /// What would have been accepted.
    pub known: String,
}

macro_rules! text_id {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "ts", derive(ts_rs::TS))]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(&self.0)
            }
        }
    };
}

macro_rules! number_id {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "ts", derive(ts_rs::TS))]
        #[serde(transparent)]
        pub struct $name(#[cfg_attr(feature = "ts", ts(type = "number"))] pub i64);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    };
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

impl UnixMillis {
    /// Milliseconds from `earlier` to `self`; 0 when the clock went backwards.
    pub fn since(self, earlier: UnixMillis) -> u64 {
        u64::try_from(self.0 - earlier.0).unwrap_or(0)
    }
}
