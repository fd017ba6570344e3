//! The tables of what an agent tells beside its terminal: hooks, transcript, tools; and how it is gone on with. Must
//! not: compile anything.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::event_rule::EventKind;
use crate::fact::{Action, From, Means, OwnSetting, Tokens, Via};

/// How its hooks are made known to it, for one launch.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HooksTable {
    /// How.
    pub via: Via,
    /// The argument that carries the settings.
    pub argument: String,
    /// Names of the hooks to ask for.
    #[serde(default)]
    pub events: Vec<String>,
    /// Longest time the agent is to wait for ours, in seconds.
    #[serde(default = "five")]
    pub timeout_s: u32,
    /// First words after the command that start something else than a conversation.
    #[serde(default)]
    pub skip: Vec<String>,
    /// Where the user's own program stands.
    pub own: Option<OwnSetting>,
}

fn five() -> u32 {
    5
}

/// Where it keeps its transcript.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TranscriptTable {
    /// Folder below the home in which every transcript lies.
    pub root: String,
    /// Variable that moves the root's first part.
    pub variable: Option<String>,
    /// Matches the name of a file that the agent's process holds open.
    pub open: Option<String>,
}

/// A rule over one payload of a hook or one line of a transcript; places are JSON pointers.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FactTable {
    /// Unique id.
    pub id: String,
    /// Why.
    pub meaning: String,
    /// Where it looks.
    pub from: From,
    /// What it means.
    pub means: Means,
    /// Places and what must stand there.
    pub when: BTreeMap<String, String>,
    /// Places and what must not stand there.
    #[serde(default)]
    pub unless: BTreeMap<String, String>,
    /// The prompt, the answer, the error: by what it means.
    pub text: Option<String>,
    /// The tool's name.
    pub tool: Option<String>,
    /// The tool's arguments.
    pub input: Option<String>,
    /// What the tool printed.
    #[serde(default)]
    pub output: Vec<String>,
    /// The tool's exit status.
    pub status: Option<String>,
    /// Lists that are not empty while work goes on in the background.
    #[serde(default)]
    pub background: Vec<String>,
    /// Path of the transcript.
    pub transcript: Option<String>,
    /// Where tokens are told.
    pub tokens: Option<Tokens>,
    /// Payloads, as JSON.
    pub matches: Vec<String>,
    /// Payloads for which it must not hold.
    pub rejects: Vec<String>,
}

/// What a tool does.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ToolTable {
    /// The tool's names.
    pub name: String,
    /// What it is about.
    pub kind: EventKind,
    /// Places in its arguments that tell what it works on.
    pub detail: Vec<String>,
    /// What it would do; without it no rule of the user's decides about a call of it.
    pub action: Option<Action>,
    /// Places in its arguments and what must not stand there, else the action does not hold.
    #[serde(default)]
    pub unless: BTreeMap<String, String>,
    /// Where its arguments hold a whole command for a shell.
    pub command: Option<String>,
    /// Where they hold paths, or lists of paths.
    #[serde(default)]
    pub paths: Vec<String>,
    /// Without any path it works on the directory in which the agent works.
    #[serde(default)]
    pub here: bool,
    /// Names.
    pub matches: Vec<String>,
    /// Other names.
    pub rejects: Vec<String>,
}

/// How a conversation is gone on with in a new process.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResumeTable {
    /// Arguments; `{conversation}` stands for the conversation's id. None: it cannot be.
    #[serde(default)]
    pub arguments: Vec<String>,
    /// Words with which a user goes on with one, or names a new one: such a command is not given twice.
    #[serde(default)]
    pub words: Vec<String>,
    /// Where the id stands in what a hook told; without one the last conversation in the directory is meant.
    pub conversation: Option<String>,
    /// Whether that works in another directory than the one in which it began.
    #[serde(default)]
    pub anywhere: bool,
}
