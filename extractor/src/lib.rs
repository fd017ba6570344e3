//! Bytes, time and facts in; signals, states and events out.
//!
//! Pure and deterministic: the same input gives the same observations at any split of the bytes, live or replayed.
//! Owns: the emulated screen, settled lines, the turn's state machine, the extraction of events.
//! Must not: do I/O, read a clock, know a wire type.

pub mod answer;
pub mod appearance;
pub mod asking;
pub mod batch;
pub mod belief;
pub mod blocks;
pub mod composer;
pub mod dialog;
pub mod ending;
pub mod evidence;
pub mod extractor;
pub mod fact;
pub mod flood;
pub mod hash;
pub mod hearing;
pub mod lines;
pub mod memo;
pub mod observation;
pub mod osc;
mod points;
pub mod program;
mod query;
pub mod reading;
pub mod redact;
pub mod redact_rows;
pub mod redact_stream;
pub mod redact_terminal;
pub mod rows;
pub mod scan;
pub mod sequence;
mod shelf;
pub mod sight;
pub mod signal;
pub mod turn;
pub mod usage;
pub mod view;
pub mod vt;

pub use extractor::Extractor;
pub use observation::{
    Action, Cause, Claim, Composer, Dialog, DialogKind, DialogOption, Doing, Event, EventKind, Exit, Keys,
    Observation, Origin, Seen, Severity, Shown, Source, State, ToolRequest, TurnOutcome,
};
pub use redact::Redactor;
pub use redact_stream::Masker;
