//! Bytes, time and facts in; signals, states and events out.
//!
//! Pure and deterministic: the same input gives the same observations at any split of the bytes, live or replayed.
//! Owns: the emulated screen, settled lines, the turn's state machine, the extraction of events.
//! Must not: do I/O, read a clock, know a wire type.

pub mod observation;

pub use observation::{
    Claim, Composer, Dialog, DialogKind, DialogOption, Event, EventKind, Exit, Keys, Observation, Origin, Seen,
    Severity, Shown, Source, State, TurnOutcome,
};
