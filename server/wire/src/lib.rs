//! Every message that crosses a process border, and the place where processes meet.
//!
//! Owns: the shapes of what `wrap`, `assigner`, `assign` and the dashboard say to each other
//! (JSON text frames, binary terminal frames, HTTP bodies), the cleaning of prompt text, the
//! escaping of untrusted text, and the folders where the processes find each other.
//! Must not: know a database, a socket, a clock or any other crate of this workspace.
//!
//! All times are milliseconds since the Unix epoch ([`UnixMillis`]), all durations milliseconds,
//! all sizes bytes unless a field says otherwise. Unknown fields are ignored on input, so that a
//! peer of the next version can still be read; unknown variants are errors.

#[macro_use]
mod macros;
pub mod admin;
pub mod alert;
pub mod approval;
pub mod event;
pub mod fault;
pub mod feed;
pub mod frame;
pub mod http;
pub mod ids;
pub mod insight;
pub mod launch;
pub mod place;
pub mod pool;
pub mod prompt;
pub mod purge;
pub mod result;
pub mod search;
pub mod session;
pub mod text;
#[cfg(feature = "ts")]
pub mod typescript;
pub mod wrapper;

pub use approval::ApprovalId;
pub use ids::{AttemptId, HostId, PromptId, SessionId, UnixMillis};

/// Version of the conversation between wrapper and server, and between server and viewer.
///
/// A server speaks this version and the one before it.
pub const PROTOCOL: u32 = 2;

/// Oldest version of [`PROTOCOL`] that this build still speaks.
pub const PROTOCOL_OLDEST: u32 = 1;

/// Largest text or binary WebSocket message that any party accepts, in bytes.
pub const MESSAGE_MAX: usize = 1 << 20;
/// Bytes that either side of a WebSocket reads at once. Small, as each of thousands of connections holds so many, and
/// zeroes them before each read.
pub const READ_AT_ONCE: usize = 16 << 10;

/// Largest prompt text, in bytes of UTF-8.
pub const PROMPT_MAX: usize = 256 << 10;
