//! What is known of agents and tools, as data, and its compiler.
//!
//! Owns: the files in `agents/` and `sets/`, their schema, the rules they become, the one matcher of event rules, the kinds of
//! secrets and their search.
//! Must not: do I/O, know the terminal's emulator, name an agent in code.

pub mod agent;
pub mod builtin;
pub mod cause;
pub mod check;
pub mod error;
pub mod event_rule;
pub mod fact;
pub mod library;
pub mod literal;
pub mod matcher;
pub mod pattern;
pub mod prefilter;
pub mod prefix;
pub mod sample;
pub mod schema;
mod schema_beside;
pub mod secret;
pub mod start;
pub mod telemetry;
pub mod version;

pub use agent::{
    Absent, Agent, AnswerRule, At, ComposerRule, DialogKind, DialogRule, InputRecipe, LineRule, Lines, Moves,
    Note, Paste, Processes, Region, ResumeRecipe, ScreenRule, StateWord, Timing, TitleRule,
};
pub use cause::Cause;
pub use error::Error;
pub use event_rule::{EventKind, EventRule, Level};
pub use fact::{Action, FactRule, HookRecipe, Means, ToolRule, TranscriptRecipe, Via};
pub use library::Library;
pub use matcher::{Found, Matcher};
pub use pattern::Pattern;
pub use secret::Secrets;
pub use telemetry::TelemetryRecipe;
pub use version::Versions;
