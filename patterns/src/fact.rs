//! What an agent tells outside its terminal: hooks, and lines of the transcript that it keeps. Must not: read either.
//!
//! A payload is one JSON value. Places in it are JSON pointers (RFC 6901), so that no agent's shape stands in code.

use serde::Deserialize;
use serde_json::Value;

use crate::Pattern;
use crate::event_rule::EventKind;

/// How an agent's hooks are made known to it for one launch, without a change to the user's own settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Via {
    /// A JSON file of settings, given by an argument; one that the user gives is merged into it.
    Settings,
    /// An overridden setting that names a program to be called with the payload as its last argument; the user's
    /// own program is called after ours.
    Notify,
}

/// What a fact means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Means {
    /// The conversation begins or goes on.
    Began,
    /// A prompt was taken; a turn begins.
    Accepted,
    /// A tool is about to run.
    ToolBegan,
    /// Permission for a tool is needed; somebody may still grant it without a dialog.
    Asked,
    /// A tool ran.
    ToolEnded,
    /// A tool failed.
    ToolFailed,
    /// The turn ended.
    Done,
    /// The turn failed.
    Failed,
    /// The context is being compacted.
    Compacting,
    /// It was.
    Compacted,
    /// A model used tokens, or is named that will.
    Usage,
    /// All that was used in the turn that ended is written down.
    Counted,
}

/// Hooks that are injected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookRecipe {
    /// How.
    pub via: Via,
    /// The argument that carries the settings.
    pub argument: String,
    /// Names of the hooks to ask for.
    pub events: Vec<String>,
    /// Longest time the agent is to wait for ours, in seconds.
    pub timeout_s: u32,
    /// First words after the command that start something else than a conversation.
    pub skip: Vec<String>,
    /// Where the user's own program stands, for [`Via::Notify`].
    pub own: Option<OwnSetting>,
}

/// A setting in a TOML file of the user's.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnSetting {
    /// Variable that names the folder.
    pub variable: String,
    /// The folder below the home, when the variable is not set.
    pub folder: String,
    /// The file in it.
    pub file: String,
    /// The key, at the top level.
    pub key: String,
}

/// Where a transcript is found.
#[derive(Debug, Clone)]
pub struct TranscriptRecipe {
    /// Folder, below the home or in `variable`, in which every transcript lies; no other file is ever opened.
    pub root: String,
    /// Variable that moves the root's first part.
    pub variable: Option<String>,
    /// Matches the name of a file that the agent's process holds open; without one, hooks say where it is.
    pub open: Option<Pattern>,
}

/// Where a fact comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum From {
    /// A hook.
    Hook,
    /// A line of the transcript.
    Transcript,
    /// A figure of its telemetry, as [`crate::TelemetryRecipe`] says.
    Telemetry,
}

/// A place in a payload and what must stand there.
#[derive(Debug, Clone)]
pub struct Place {
    /// JSON pointer.
    pub pointer: String,
    /// What the text there must match; of other values their JSON.
    pub pattern: Pattern,
}

/// A rule over payloads.
#[derive(Debug, Clone)]
pub struct FactRule {
    /// Unique id.
    pub id: String,
    /// Where it looks.
    pub from: From,
    /// What it means.
    pub means: Means,
    /// All must hold.
    pub when: Vec<Place>,
    /// None may hold.
    pub unless: Vec<Place>,
    /// The prompt, the answer, the error: by what it means.
    pub text: Option<String>,
    /// The tool's name.
    pub tool: Option<String>,
    /// The tool's arguments.
    pub input: Option<String>,
    /// What the tool printed; the places are joined.
    pub output: Vec<String>,
    /// The tool's exit status, as a number or at the end of a text.
    pub status: Option<String>,
    /// A list that is not empty while work goes on in the background.
    pub background: Vec<String>,
    /// Path of the transcript.
    pub transcript: Option<String>,
    /// Where tokens are told.
    pub tokens: Option<Tokens>,
}

/// Where a payload tells what a model used; the numbers at the places are added up.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tokens {
    /// What the model read, what it had in its cache included.
    #[serde(default, rename = "in")]
    pub read: Vec<String>,
    /// What it wrote.
    #[serde(default, rename = "out")]
    pub written: Vec<String>,
    /// The model's name; without one it is the model that was named last.
    pub model: Option<String>,
    /// What the answer is called that used them: told again, it counts once.
    pub once: Option<String>,
    /// The numbers are those of the whole conversation so far.
    #[serde(default)]
    pub sum: bool,
    /// What it cost, in US dollars.
    pub cost: Option<String>,
    /// Of telemetry: which measurement it is, so that it counts once, and by what it grew. The tokens of such a payload are
    /// those that the transcript tells as well: they are not added, they tell how far telemetry has come.
    pub point: Option<String>,
}

/// What a tool would do, in the words of policies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// To run a command.
    Shell,
    /// To change or make files.
    Edit,
    /// To read files.
    Read,
    /// To fetch something from the network.
    Fetch,
}

/// What one of an agent's tools does.
#[derive(Debug, Clone)]
pub struct ToolRule {
    /// The tool's names.
    pub name: Pattern,
    /// What it is about.
    pub kind: EventKind,
    /// Places in its arguments that tell what it works on; the first that is there counts.
    pub detail: Vec<String>,
    /// What it would do; only then may a rule of the user's decide about a call of it.
    pub action: Option<Action>,
    /// Arguments for which that does not hold.
    pub unless: Vec<Place>,
    /// Where its arguments hold a whole command for a shell.
    pub command: Option<String>,
    /// Where they hold paths, or lists of paths.
    pub paths: Vec<String>,
    /// Without any path it works on the directory in which the agent works.
    pub here: bool,
}

impl ToolRule {
    /// What a call with these arguments would do.
    pub fn action_of(&self, arguments: &Value) -> Option<Action> {
        self.action.filter(|_| !self.unless.iter().any(|place| place.holds(arguments)))
    }
}

impl FactRule {
    /// Whether the rule holds for a payload.
    pub fn holds(&self, payload: &Value) -> bool {
        Self::all_hold(&self.when, &self.unless, payload)
    }

    /// What of a payload must be kept: of one that only tells of tokens no more than that.
    pub fn kept(&self, payload: &Value) -> Option<Value> {
        let tokens = self.tokens.as_ref().filter(|_| self.means == Means::Usage)?;
        let when = self.when.iter().map(|place| &place.pointer);
        let told = tokens.read.iter().chain(&tokens.written).chain(&tokens.model).chain(&tokens.once);
        let told = told.chain(&tokens.cost).chain(&tokens.point);
        let mut kept = Value::Object(serde_json::Map::new());
        for pointer in when.chain(told) {
            if let Some(value) = payload.pointer(pointer) {
                put(&mut kept, pointer, value.clone());
            }
        }
        Some(kept)
    }

    /// Whether all of the one hold and none of the other.
    pub(crate) fn all_hold(when: &[Place], unless: &[Place], payload: &Value) -> bool {
        let at = |place: &Place| place.holds(payload);
        when.iter().all(at) && !unless.iter().any(at)
    }
}

/// Puts a value at a place, in objects that are made on the way.
fn put(into: &mut Value, pointer: &str, value: Value) {
    let mut at = into;
    for name in pointer.split('/').skip(1) {
        let name = name.replace("~1", "/").replace("~0", "~");
        if !at.is_object() {
            *at = Value::Object(serde_json::Map::new());
        }
        let Some(members) = at.as_object_mut() else { return };
        at = members.entry(name).or_insert(Value::Null);
    }
    *at = value;
}

impl Place {
    fn holds(&self, payload: &Value) -> bool {
        match payload.pointer(&self.pointer) {
            None | Some(Value::Null) => false,
            Some(Value::String(text)) => self.pattern.is_match(text),
            Some(other) => self.pattern.is_match(&other.to_string()),
        }
    }
}
