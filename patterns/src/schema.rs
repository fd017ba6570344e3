//! The files as written: TOML tables with every key known. Must not: compile anything.

use std::collections::BTreeMap;

use serde::Deserialize;

pub use crate::schema_beside::{FactTable, HooksTable, ResumeTable, ToolTable, TranscriptTable};

use crate::agent::{Absent, At, DialogKind, Lines, Moves, Note, Paste, Processes, Region, StateWord};
use crate::event_rule::{EventKind, Level};
use crate::telemetry::TelemetryRecipe;

/// `agents/NAME.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgentFile {
    /// Name, as typed after `--agent`.
    pub name: String,
    /// Name for people.
    pub title: String,
    /// Base names of the commands that start it.
    #[serde(default)]
    pub commands: Vec<String>,
    /// Arguments, joined by blanks, with which such a command is not this agent.
    pub not_with: Option<String>,
    /// How to read its version off the screen, group `version`.
    pub version: Option<String>,
    /// The versions that its rules were measured with.
    pub measured: Option<String>,
    /// Where its lines come from.
    #[serde(default)]
    pub lines: Lines,
    /// Whether its colours and marks come from a command line that may carry OSC 133.
    #[serde(default)]
    pub shell_marks: bool,
    /// What its processes tell.
    #[serde(default)]
    pub processes: Processes,
    /// Whether the status protocol (OSC 7501) in its output is its own: it draws what tools print, and does not pass
    /// their escapes on.
    #[serde(default)]
    pub status_protocol: bool,
    /// How it is typed to.
    pub input: InputTable,
    /// Waiting times.
    #[serde(default)]
    pub timing: TimingTable,
    /// Where a prompt is typed.
    pub composer: Option<ComposerTable>,
    /// What its titles say.
    #[serde(default, rename = "title_rule")]
    pub titles: Vec<TitleTable>,
    /// What its screen says.
    #[serde(default, rename = "screen_rule")]
    pub screens: Vec<ScreenTable>,
    /// What it asks.
    #[serde(default, rename = "dialog")]
    pub dialogs: Vec<DialogTable>,
    /// Lines that stand at the end of a turn.
    #[serde(default, rename = "turn_end")]
    pub turn_ends: Vec<LineTable>,
    /// Lines that say that a turn failed.
    #[serde(default, rename = "failure")]
    pub failures: Vec<LineTable>,
    /// Lines that say that a turn was interrupted.
    #[serde(default, rename = "interruption")]
    pub interruptions: Vec<LineTable>,
    /// Numbers on the screen; each named group is a metric.
    #[serde(default, rename = "metric")]
    pub metrics: Vec<ScreenMetricTable>,
    /// Where its answers stand.
    pub answer: Option<AnswerTable>,
    /// How its hooks are made known to it.
    pub hooks: Option<HooksTable>,
    /// Where it keeps its transcript.
    pub transcript: Option<TranscriptTable>,
    /// How it is asked for its telemetry.
    pub telemetry: Option<TelemetryRecipe>,
    /// What its hooks and its transcript say.
    #[serde(default, rename = "fact")]
    pub facts: Vec<FactTable>,
    /// What its tools do.
    #[serde(default, rename = "tool")]
    pub tools: Vec<ToolTable>,
    /// How a conversation is gone on with.
    pub resume: Option<ResumeTable>,
}

/// How an agent is typed to.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InputTable {
    /// Bracketed paste.
    pub paste: Paste,
    /// Bytes of Enter.
    pub enter: String,
    /// Bytes that interrupt a turn.
    pub interrupt: String,
    /// Leading characters that switch the composer's mode.
    #[serde(default)]
    pub prefixes: Vec<char>,
    /// What makes such a prompt literal.
    pub guard: Option<String>,
    /// What no guard makes literal.
    pub command: Option<CommandTable>,
    /// Least time between the text being seen and Enter.
    pub settle_ms: u64,
    /// Whether it reads prose, so that the failure of an attempt may be told to the next one.
    #[serde(default = "yes")]
    pub told_failures: bool,
    /// Whether it runs what it is given, line by line, as commands.
    #[serde(default)]
    pub interpreter: bool,
    /// How it is brought into another directory or environment.
    #[serde(default)]
    pub moves: Moves,
}

/// Prompts that it takes for commands of its own whatever blanks stand before them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommandTable {
    /// Why.
    pub meaning: String,
    /// How such a prompt begins, blanks before it left out.
    pub pattern: String,
    /// Examples.
    pub matches: Vec<String>,
    /// Counter-examples.
    pub rejects: Vec<String>,
}

/// Waiting times in milliseconds.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TimingTable {
    /// How long the first idle screen must stand.
    pub ready_ms: u64,
    /// How long a later idle screen must stand.
    pub idle_ms: u64,
    /// How long an idle title or shell mark must stand.
    pub rest_ms: u64,
    /// How long a busy screen must stand.
    pub busy_ms: u64,
    /// How long a dialog must stand.
    pub dialog_ms: u64,
    /// How long a change may go unexplained.
    pub unknown_ms: u64,
    /// How long a structured signal holds without any output against a screen that contradicts it.
    pub lease_ms: u64,
}

impl Default for TimingTable {
    fn default() -> Self {
        Self {
            ready_ms: 1500,
            idle_ms: 300,
            rest_ms: 120,
            busy_ms: 0,
            dialog_ms: 80,
            unknown_ms: 8000,
            lease_ms: 45_000,
        }
    }
}

/// Where a prompt is typed.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ComposerTable {
    /// Matches the start of its first row; the text begins where the match ends.
    pub marker: String,
    /// What the row above must match.
    pub above: Option<String>,
    /// The row that ends it; without one a blank row does.
    pub below: Option<String>,
    /// Where to look.
    #[serde(default)]
    pub at: At,
    /// Placeholder texts, besides everything dim.
    #[serde(default)]
    pub ghost: Vec<String>,
    /// Placeholders for pasted text.
    #[serde(default)]
    pub pasted: Vec<String>,
    /// Border characters to cut at both ends of its rows.
    #[serde(default)]
    pub border: String,
    /// The program switches bracketed paste on only while it takes a prompt: once that was seen, a prompt without it
    /// is somebody's picture of one.
    #[serde(default)]
    pub bracketed: bool,
    /// What it means when it is not there.
    #[serde(default)]
    pub absent: Absent,
    /// Whether a composer without any busy sign means idle.
    #[serde(default = "yes")]
    pub idle: bool,
    /// Strings that a marker must match and must not.
    #[serde(default)]
    pub matches: Vec<String>,
    /// Strings that a marker must not match.
    #[serde(default)]
    pub rejects: Vec<String>,
}

fn yes() -> bool {
    true
}

/// A rule over the window title.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TitleTable {
    /// Unique id.
    pub id: String,
    /// Why.
    pub meaning: String,
    /// Versions it holds for.
    pub versions: Option<String>,
    /// What the title means; `idle` means only that no turn runs.
    pub state: StateWord,
    /// The pattern.
    pub pattern: String,
    /// After how many seconds without any output it is not believed any more; 0 for never.
    #[serde(default)]
    pub lease_s: u64,
    /// Examples.
    pub matches: Vec<String>,
    /// Counter-examples.
    pub rejects: Vec<String>,
}

/// A rule over a region of the screen.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScreenTable {
    /// Unique id.
    pub id: String,
    /// Why.
    pub meaning: String,
    /// Versions it holds for.
    pub versions: Option<String>,
    /// What it means; nothing for a mere note.
    pub state: Option<StateWord>,
    /// What else it tells.
    pub note: Option<Note>,
    /// Where to look, row by row.
    pub region: Region,
    /// The pattern, matched on each row.
    pub pattern: String,
    /// Examples.
    pub matches: Vec<String>,
    /// Counter-examples.
    pub rejects: Vec<String>,
}

/// A dialog.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DialogTable {
    /// Unique id.
    pub id: String,
    /// Why.
    pub meaning: String,
    /// Versions it holds for.
    pub versions: Option<String>,
    /// What it asks for.
    pub kind: DialogKind,
    /// What one of the last rows must match.
    pub end: String,
    /// How many rows that are not blank may stand below the end.
    #[serde(default)]
    pub under: usize,
    /// What a row of the dialog must match; group `ask` is the question without a typed answer.
    pub text: String,
    /// What the row above it matches; without one it reaches up to `rows`.
    pub top: Option<String>,
    /// Most rows above its end.
    #[serde(default = "rows")]
    pub rows: usize,
    /// One option: groups `cursor`, `number`, `key`, `label`.
    pub option: Option<String>,
    /// Whether a highlighted option must be there.
    #[serde(default = "yes")]
    pub needs_cursor: bool,
    /// Whether its end is the cursor's row: a question that waits for a typed answer.
    #[serde(default)]
    pub at_cursor: bool,
    /// Border characters to cut at both ends of its rows.
    #[serde(default)]
    pub border: String,
    /// Label of the option that says yes once.
    pub approve: Option<String>,
    /// Bytes that say yes, when no option does.
    pub approve_keys: Option<String>,
    /// Bytes that say no.
    pub deny_keys: Option<String>,
    /// Whether a number or letter alone chooses; else arrows and Enter.
    #[serde(default)]
    pub direct: bool,
    /// Texts of rows that `text` must match.
    pub matches: Vec<String>,
    /// Texts that it must not match.
    pub rejects: Vec<String>,
}

fn rows() -> usize {
    30
}

/// A rule over one line.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LineTable {
    /// Unique id.
    pub id: String,
    /// Why.
    pub meaning: String,
    /// Versions it holds for.
    pub versions: Option<String>,
    /// The pattern; group `reason` is the reason, else the whole line.
    pub pattern: String,
    /// It counts only when it is all that came of the turn.
    #[serde(default)]
    pub alone: bool,
    /// Examples.
    pub matches: Vec<String>,
    /// Counter-examples.
    pub rejects: Vec<String>,
}

/// Numbers on the screen.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScreenMetricTable {
    /// Unique id.
    pub id: String,
    /// Why.
    pub meaning: String,
    /// Where.
    pub region: Region,
    /// The pattern; each named group is a number, `k` and `M` understood.
    pub pattern: String,
    /// Examples.
    pub matches: Vec<String>,
    /// Counter-examples.
    pub rejects: Vec<String>,
}

/// Where answers stand.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnswerTable {
    /// A row in which a user's prompt begins.
    pub prompt: String,
    /// A row in which a block of the agent's begins; the match is cut.
    pub begin: Option<String>,
    /// Rows that are no part of an answer.
    #[serde(default)]
    pub skip: Vec<String>,
    /// Rows at which an answer is over.
    #[serde(default)]
    pub end: Vec<String>,
    /// Blocks that are tool calls: their first rows.
    #[serde(default)]
    pub tool: Vec<String>,
    /// The agent says something in every turn: one without a word is suspicious.
    #[serde(default)]
    pub always: bool,
    /// What the second row of a block matches only when it is a tool call.
    pub tool_body: Option<String>,
}

/// `sets/NAME.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetFile {
    /// Name of the set.
    pub name: String,
    /// Its rules.
    #[serde(default, rename = "rule")]
    pub rules: Vec<EventTable>,
}

/// A rule over settled lines.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventTable {
    /// Unique id.
    pub id: String,
    /// Why.
    pub meaning: String,
    /// Versions of the tool it holds for.
    pub versions: Option<String>,
    /// What it is about.
    pub kind: EventKind,
    /// How much it matters.
    #[serde(default)]
    pub severity: Level,
    /// The pattern; named groups become fields.
    pub pattern: String,
    /// Fixed fields.
    #[serde(default)]
    pub fields: BTreeMap<String, String>,
    /// Examples.
    pub matches: Vec<String>,
    /// Counter-examples.
    pub rejects: Vec<String>,
}
