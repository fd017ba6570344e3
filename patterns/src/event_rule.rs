//! One rule over settled lines. Must not: know where lines come from.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::Pattern;

/// What a found thing is about; the extractor's events use the same words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// An error message.
    Error,
    /// A stack trace.
    StackTrace,
    /// Result of a test or a run of tests.
    TestResult,
    /// Start, progress or result of a build.
    Build,
    /// A file was changed.
    FileEdit,
    /// A file was read.
    FileRead,
    /// A command ran.
    Command,
    /// A block of code.
    CodeBlock,
    /// The agent called a tool.
    ToolCall,
    /// Tokens, cost, context left, progress.
    Metric,
    /// A link.
    Url,
    /// Something in a repository.
    Git,
    /// A request for permission.
    Permission,
}

/// How much it matters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// For the record.
    #[default]
    Info,
    /// Worth a look.
    Warning,
    /// Something failed.
    Error,
}

/// One rule over settled lines.
#[derive(Debug)]
pub struct EventRule {
    /// Unique id, `set.tool.what`.
    pub id: String,
    /// What it means, for people.
    pub meaning: String,
    /// What it is about.
    pub kind: EventKind,
    /// How much it matters.
    pub severity: Level,
    /// The pattern; named groups become fields.
    pub pattern: Pattern,
    /// Fixed fields.
    pub fields: BTreeMap<String, String>,
    /// Strings it must match.
    pub matches: Vec<String>,
    /// Strings it must not match.
    pub rejects: Vec<String>,
}
