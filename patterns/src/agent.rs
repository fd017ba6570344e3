//! One agent, compiled from its file. Must not: hold what belongs to one session.

use serde::Deserialize;

use crate::fact::{FactRule, HookRecipe, ToolRule, TranscriptRecipe};
use crate::{Pattern, TelemetryRecipe, Versions};

/// When a prompt is wrapped in bracketed paste.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Paste {
    /// Always.
    Always,
    /// When the program switched it on.
    WhenAsked,
    /// Never.
    Never,
}

/// A state that a rule can claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StateWord {
    /// It does not take input yet.
    Starting,
    /// It waits for a prompt.
    Idle,
    /// It works.
    Busy,
    /// It asks for permission.
    WaitingPermission,
    /// It asks something else.
    WaitingInput,
}

/// What a rule tells besides a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Note {
    /// The agent compacts its context.
    Compacting,
    /// Work goes on in the background.
    Background,
    /// The model's interface failed, and is tried again; groups `what`, `try`, `of`.
    Retrying,
}

/// A part of the screen, anchored at the composer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Region {
    /// Rows below the composer.
    Footer,
    /// The last rows above the composer that are not blank, up to four.
    Status,
    /// All rows above the composer, or all rows when there is none.
    Body,
    /// The composer's own rows.
    Composer,
    /// The cursor's row.
    Cursor,
    /// The last row that is not blank.
    Last,
    /// The whole screen.
    Screen,
}

/// What a dialog asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DialogKind {
    /// To run a tool or change a file.
    Permission,
    /// To choose or to answer.
    Question,
    /// To trust a folder.
    Trust,
    /// To approve a plan.
    Plan,
    /// To log in.
    Login,
    /// Anything else.
    Other,
}

/// Where to look for the composer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum At {
    /// The last row that matches.
    #[default]
    Last,
    /// The cursor's row, or the rows above it that it wraps from.
    Cursor,
}

/// What it means when the composer is not on the screen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Absent {
    /// Nothing.
    #[default]
    Unknown,
    /// The program works: it shows its prompt only when it takes one.
    Busy,
}

/// Where settled lines come from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lines {
    /// The program draws a screen: a text that was seen is not counted again.
    #[default]
    Screen,
    /// The program prints lines: each counts.
    Stream,
}

/// What an agent's processes tell of its state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Processes {
    /// Nothing.
    #[default]
    Ignored,
    /// It gives the terminal to each job that it runs: without the terminal it works.
    Jobs,
    /// It works while it, or a process that it started, uses the processor.
    Cpu,
}

/// How an agent can be brought into another directory or environment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Moves {
    /// Not at all.
    #[default]
    None,
    /// It takes `cd` and `export`.
    Shell,
    /// By starting it anew, which costs nothing but a conversation that cannot be gone on with.
    Relaunch,
}

/// How an agent is typed to.
#[derive(Debug, Clone)]
pub struct InputRecipe {
    /// Whether text is pasted.
    pub paste: Paste,
    /// Bytes of Enter.
    pub enter: Vec<u8>,
    /// Bytes that interrupt a turn.
    pub interrupt: Vec<u8>,
    /// Leading characters that switch the composer's mode.
    pub prefixes: Vec<char>,
    /// What is put in front to make such a prompt literal; `None` means that it must be refused.
    pub guard: Option<String>,
    /// How a prompt begins, blanks before it left out, that is a command of the agent's own whatever stands in front.
    pub command: Option<Pattern>,
    /// Least time between the text being seen and Enter, in milliseconds.
    pub settle_ms: u64,
    /// It reads prose: the failure of an attempt may be told to the next one.
    pub told_failures: bool,
    /// It runs what it is given, line by line, as commands.
    pub interpreter: bool,
    /// How it is brought elsewhere.
    pub moves: Moves,
}

/// Waiting times in milliseconds; see the schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// How long the first idle screen must stand.
    pub ready_ms: u64,
    /// How long a later idle screen must stand.
    pub idle_ms: u64,
    /// How long an idle title or mark must stand.
    pub rest_ms: u64,
    /// How long a busy screen must stand.
    pub busy_ms: u64,
    /// How long a dialog must stand.
    pub dialog_ms: u64,
    /// How long a change may go unexplained.
    pub unknown_ms: u64,
    /// How long a structured signal holds against a screen that contradicts it.
    pub lease_ms: u64,
}

/// How to find what is typed.
#[derive(Debug, Clone)]
pub struct ComposerRule {
    /// Matches the start of its first row; the text begins where the match ends.
    pub marker: Pattern,
    /// What the row above must match.
    pub above: Option<Pattern>,
    /// The row that ends it; without one a blank row does.
    pub below: Option<Pattern>,
    /// Where to look.
    pub at: At,
    /// Placeholder texts.
    pub ghost: Vec<Pattern>,
    /// Placeholders for pasted text.
    pub pasted: Vec<Pattern>,
    /// Border characters to cut.
    pub border: Vec<char>,
    /// Bracketed paste is on only while a prompt is taken.
    pub bracketed: bool,
    /// What its absence means.
    pub absent: Absent,
    /// Whether its presence without a busy sign means idle.
    pub idle: bool,
}

/// A rule over the title.
#[derive(Debug, Clone)]
pub struct TitleRule {
    /// Unique id.
    pub id: String,
    /// Versions it holds for.
    pub versions: Versions,
    /// What it means.
    pub state: StateWord,
    /// The pattern.
    pub pattern: Pattern,
    /// Seconds without output after which it is not believed; 0 for never.
    pub lease_s: u64,
}

/// A rule over a region.
#[derive(Debug, Clone)]
pub struct ScreenRule {
    /// Unique id.
    pub id: String,
    /// Versions it holds for.
    pub versions: Versions,
    /// What it means.
    pub state: Option<StateWord>,
    /// What else it tells.
    pub note: Option<Note>,
    /// Where.
    pub region: Region,
    /// The pattern, matched on each row.
    pub pattern: Pattern,
}

/// A dialog.
#[derive(Debug, Clone)]
pub struct DialogRule {
    /// Unique id.
    pub id: String,
    /// Versions it holds for.
    pub versions: Versions,
    /// What it asks for.
    pub kind: DialogKind,
    /// What one of the last rows matches.
    pub end: Pattern,
    /// How many rows that are not blank may stand below the end.
    pub under: usize,
    /// What a row of it matches; group `ask` is the question without a typed answer.
    pub text: Pattern,
    /// What the row above it matches.
    pub top: Option<Pattern>,
    /// Most rows above its end.
    pub rows: usize,
    /// One option: groups `cursor`, `number`, `key`, `label`.
    pub option: Option<Pattern>,
    /// Whether a highlighted option must be there.
    pub needs_cursor: bool,
    /// Whether its end is the cursor's row.
    pub at_cursor: bool,
    /// Border characters to cut.
    pub border: Vec<char>,
    /// Label of the option that says yes once.
    pub approve: Option<Pattern>,
    /// Bytes that say yes, when no option does.
    pub approve_keys: Option<Vec<u8>>,
    /// Bytes that say no.
    pub deny_keys: Option<Vec<u8>>,
    /// Whether a number or letter alone chooses.
    pub direct: bool,
}

/// A rule over one line.
#[derive(Debug, Clone)]
pub struct LineRule {
    /// Unique id.
    pub id: String,
    /// Versions it holds for.
    pub versions: Versions,
    /// It counts only when it is all that came of the turn.
    pub alone: bool,
    /// The pattern.
    pub pattern: Pattern,
}

/// Numbers in a region.
#[derive(Debug, Clone)]
pub struct ScreenMetric {
    /// Unique id.
    pub id: String,
    /// Where.
    pub region: Region,
    /// The pattern; each named group is a metric.
    pub pattern: Pattern,
}

/// Where answers stand.
#[derive(Debug, Clone)]
pub struct AnswerRule {
    /// A row in which a user's prompt begins.
    pub prompt: Pattern,
    /// A row in which a block of the agent's begins; the match is cut.
    pub begin: Option<Pattern>,
    /// Rows that are no part of an answer.
    pub skip: Vec<Pattern>,
    /// Rows at which an answer is over.
    pub end: Vec<Pattern>,
    /// First rows of tool calls.
    pub tool: Vec<Pattern>,
    /// The agent says something in every turn.
    pub always: bool,
    /// Second rows of tool calls.
    pub tool_body: Option<Pattern>,
}

/// Everything known of one agent.
#[derive(Debug, Clone)]
pub struct Agent {
    /// Name, as typed after `--agent`.
    pub name: String,
    /// Name for people.
    pub title: String,
    /// Base names of its commands.
    pub commands: Vec<String>,
    /// Arguments, joined by blanks, with which such a command is not this agent.
    pub not_with: Option<Pattern>,
    /// How to read its version off the screen, group `version`.
    pub version: Option<Pattern>,
    /// The versions that its rules were measured with, as it is written.
    pub measured: Option<(String, Versions)>,
    /// Where its lines come from.
    pub lines: Lines,
    /// Whether OSC 133 marks of its output are its own.
    pub shell_marks: bool,
    /// What its processes tell.
    pub processes: Processes,
    /// Whether the status protocol in its output is its own.
    pub status_protocol: bool,
    /// How it is typed to.
    pub input: InputRecipe,
    /// Waiting times.
    pub timing: Timing,
    /// Where a prompt is typed.
    pub composer: Option<ComposerRule>,
    /// Rules over the title.
    pub titles: Vec<TitleRule>,
    /// Rules over the screen.
    pub screens: Vec<ScreenRule>,
    /// Dialogs, in order of precedence.
    pub dialogs: Vec<DialogRule>,
    /// Lines at the end of a turn.
    pub turn_ends: Vec<LineRule>,
    /// Lines of failure.
    pub failures: Vec<LineRule>,
    /// Lines of interruption.
    pub interruptions: Vec<LineRule>,
    /// Numbers on the screen.
    pub metrics: Vec<ScreenMetric>,
    /// Where answers stand.
    pub answer: Option<AnswerRule>,
    /// How its hooks are made known to it.
    pub hooks: Option<HookRecipe>,
    /// Where it keeps its transcript.
    pub transcript: Option<TranscriptRecipe>,
    /// How it is asked for its telemetry.
    pub telemetry: Option<TelemetryRecipe>,
    /// What its hooks and its transcript say.
    pub facts: Vec<FactRule>,
    /// What its tools do.
    pub tools: Vec<ToolRule>,
    /// How a conversation is gone on with.
    pub resume: Option<ResumeRecipe>,
}

/// How a conversation is gone on with in a new process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResumeRecipe {
    /// Arguments; `{conversation}` stands for the conversation's id.
    pub arguments: Vec<String>,
    /// Words with which a user goes on with one, or names a new one.
    pub words: Vec<String>,
    /// Where the id stands in what a hook told, as a JSON pointer.
    pub conversation: Option<String>,
    /// A conversation can be gone on with in another directory than the one in which it began.
    pub anywhere: bool,
}

impl Agent {
    /// Where a rule looks: the region of a screen rule as it is written in a profile, `title`, `dialog` or `composer`.
    pub fn region_of(&self, rule: &str) -> Option<&'static str> {
        if self.titles.iter().any(|title| title.id == rule) {
            return Some("title");
        }
        if self.dialogs.iter().any(|dialog| dialog.id == rule) {
            return Some("dialog");
        }
        if rule.strip_prefix(&self.name).is_some_and(|rest| rest.starts_with(".composer")) {
            return Some("composer");
        }
        let found = self.screens.iter().find(|screen| screen.id == rule)?;
        Some(match found.region {
            Region::Footer => "footer",
            Region::Status => "status",
            Region::Body => "body",
            Region::Composer => "composer",
            Region::Cursor => "cursor",
            Region::Last => "last",
            Region::Screen => "screen",
        })
    }
}
