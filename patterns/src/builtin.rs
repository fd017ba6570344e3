//! The files that are part of the program: all of `agents/` and `sets/`. Must not: be read from disk, or be listed by
//! hand; `build.rs` lists them.

include!(concat!(env!("OUT_DIR"), "/files.rs"));

/// The profile of a program that is not known.
pub const UNKNOWN: &str = "any";
