//! What `wrap` is made of, as a library: its cores are driven by tests of their own, beside those of the server.
//!
//! Owns: client, holder and observer, and the pure `delivery` and `gate`. Must not: be used by another part of the
//! product.

pub mod asciicast;
pub mod chore;
pub mod cli;
pub mod client;
pub mod clock;
pub mod complete;
pub mod context;
pub mod control;
pub mod delivery;
pub mod drive;
pub mod explain;
pub mod export;
pub mod gate;
pub mod holder;
pub mod hook;
pub mod hooks;
pub mod host;
pub mod installed;
pub mod journal;
pub mod keys;
pub mod list;
pub mod log;
pub mod modes;
pub mod names;
pub mod observer;
pub mod otlp;
pub mod prefix;
pub mod processes;
pub mod profile_check;
pub mod profiles;
pub mod pty;
pub mod range;
pub mod recording;
pub mod redaction;
pub mod relay;
pub mod replay;
pub mod report;
pub mod request;
pub mod spare;
pub mod sys;
pub mod telemetry;
pub mod tty;
pub mod until;
pub mod why;
