//! What the agent tells outside its terminal: the last of its hooks and of its transcript's lines, by the rules of
//! its profile. Must not: decide a state.

use std::collections::BTreeMap;
use std::time::Duration;

use patterns::fact::{FactRule, From};
use patterns::{Agent, Means, ToolRule};
use serde_json::Value;

use crate::batch::Batch;
use crate::hash::fingerprint;
use crate::observation::{Action, Event, EventKind, Origin, Severity, ToolRequest};
use crate::scan::kind;
use crate::usage::Usage;

/// Longest answer that is kept, in characters.
const ANSWER_MAX: usize = 200_000;
/// Longest argument, in characters.
const DETAIL_MAX: usize = 2_000;
/// Longest command that is told whole, in bytes; a longer one is not judged.
const COMMAND_MAX: usize = 16_000;
/// Most requests that are kept until their outcome is told: more than one is too many to tell them apart.
const WAITING_MAX: usize = 32;
/// Most paths of a call that are told; a call with more is not judged.
const PATHS_MAX: usize = 100;
/// Most lines of a tool's output that are read.
const OUTPUT_LINES: usize = 20_000;

/// What a fact says of the state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    /// A turn goes on.
    Working,
    /// Permission is needed.
    Asking,
    /// The turn is over.
    Resting,
}

/// The last fact that says something of the state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// What.
    pub word: Word,
    /// When.
    pub at: Duration,
    /// The rule.
    pub rule: String,
    /// The tool, the error, the beginning of the answer.
    pub evidence: String,
}

/// All that was told and still matters.
#[derive(Debug, Default)]
pub struct Telling {
    /// The last fact about the state.
    pub last: Option<Told>,
    /// How the running turn's end was told.
    pub end: Option<End>,
    /// What permission is needed for.
    pub request: Option<ToolRequest>,
    /// How often permission was asked for.
    requests: u64,
    /// Tools and arguments of the requests of this turn of which no outcome was told.
    waiting: Vec<(String, String)>,
    /// The context is being compacted.
    pub compacting: bool,
    /// Work goes on in the background.
    pub background: bool,
    /// Tools are told of: what the screen shows of them says nothing new.
    pub tools: bool,
    /// A turn was told to begin, and not yet to end.
    pub open: bool,
    /// Path of the transcript.
    pub transcript: Option<String>,
    /// What models used.
    pub usage: Usage,
    /// The transcript tells all of the turn that ended.
    pub counted: bool,
}

/// The end of a turn as it was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    /// Why it failed, if it did.
    pub failed: Option<String>,
    /// The whole answer.
    pub answer: String,
}

/// What follows from a fact.
#[derive(Debug, Default)]
pub struct News {
    /// A prompt was taken.
    pub accepted: bool,
    /// When the turn before it was told to have ended, if nothing was told since.
    pub before: Option<Duration>,
    /// The turn is over.
    pub ended: bool,
    /// What was found.
    pub events: Vec<Event>,
    /// What a tool printed.
    pub output: Batch,
}

impl Telling {
    /// Takes a payload; one that no rule knows changes nothing.
    pub fn take(&mut self, agent: &Agent, from: From, now: Duration, payload: &[u8]) -> News {
        let Ok(payload) = serde_json::from_slice::<Value>(payload) else { return News::default() };
        let rule = agent.facts.iter().find(|rule| rule.from == from && rule.holds(&payload));
        rule.map_or_else(News::default, |rule| self.apply(agent, rule, now, &payload))
    }

    fn apply(&mut self, agent: &Agent, rule: &FactRule, now: Duration, payload: &Value) -> News {
        if let Some(path) = text(payload, rule.transcript.as_deref()) {
            self.transcript = Some(path);
        }
        let said = text(payload, rule.text.as_deref()).unwrap_or_default();
        let mut news = News::default();
        match rule.means {
            Means::Began => {}
            Means::Accepted => {
                news.before =
                    self.last.as_ref().filter(|told| told.word == Word::Resting).map(|told| told.at);
                news.accepted = true;
                self.waiting.clear();
                self.open = true;
                self.background = false;
                self.counted = false;
                self.usage.begin();
                self.tell(Word::Working, now, rule, cut(&said, 200));
            }
            Means::ToolBegan => {
                let call = Call::read(agent, rule, payload);
                self.tell(Word::Working, now, rule, call.title());
                news.events.push(call.event(EventKind::ToolCall, rule, None));
            }
            Means::Asked => {
                let call = Call::read(agent, rule, payload);
                self.tell(Word::Asking, now, rule, call.title());
                if self.waiting.len() < WAITING_MAX {
                    self.waiting.push((call.tool.clone(), call.arguments.clone()));
                }
                self.requests += 1;
                let alone = self.waiting.len() == 1;
                self.request = Some(ToolRequest { alone, number: self.requests, ..call.request() });
            }
            Means::ToolEnded | Means::ToolFailed => {
                let call = Call::read(agent, rule, payload);
                let same =
                    |(tool, arguments): &(String, String)| *tool == call.tool && *arguments == call.arguments;
                if let Some(at) = self.waiting.iter().position(same) {
                    self.waiting.remove(at);
                }
                self.tell(Word::Working, now, rule, call.title());
                let status = status(rule, payload);
                if call.kind != EventKind::ToolCall || rule.means == Means::ToolFailed {
                    news.events.push(call.event(call.kind, rule, status));
                }
                if call.kind == EventKind::Command {
                    news.output = output(rule, payload);
                }
            }
            Means::Done => {
                let listed =
                    |p: &String| payload.pointer(p).and_then(Value::as_array).is_some_and(|l| !l.is_empty());
                self.background = rule.background.iter().any(listed);
                news.ended = true;
                self.finish(rule, now, None, said);
            }
            Means::Failed => {
                let why = if said.is_empty() { "the agent reported an error".to_owned() } else { said };
                news.ended = true;
                self.finish(rule, now, Some(why.trim().to_owned()), String::new());
            }
            Means::Usage => self.usage.take(rule, payload),
            Means::Counted => self.counted = true,
            Means::Compacting => self.compacting = true,
            Means::Compacted => self.compacting = false,
        }
        self.counted |= news.ended && rule.from == From::Transcript;
        self.tools |= !news.events.is_empty();
        news
    }

    fn tell(&mut self, word: Word, at: Duration, rule: &FactRule, evidence: String) {
        self.last = Some(Told { word, at, rule: rule.id.clone(), evidence });
        if word != Word::Asking {
            self.request = None;
        }
        self.compacting = false;
    }

    fn finish(&mut self, rule: &FactRule, now: Duration, failed: Option<String>, answer: String) {
        let evidence = cut(failed.as_deref().unwrap_or(&answer), 200);
        self.tell(Word::Resting, now, rule, evidence);
        self.waiting.clear();
        self.open = false;
        self.end = Some(End { failed, answer: cut(answer.trim(), ANSWER_MAX) });
    }
}

/// A call of a tool.
struct Call {
    tool: String,
    kind: EventKind,
    detail: String,
    arguments: String,
    action: Action,
    command: Option<String>,
    paths: Vec<String>,
}

impl Call {
    fn read(agent: &Agent, rule: &FactRule, payload: &Value) -> Self {
        let tool = text(payload, rule.tool.as_deref()).unwrap_or_default();
        let input = rule.input.as_deref().and_then(|place| payload.pointer(place)).unwrap_or(&Value::Null);
        let known = agent.tools.iter().find(|known| known.name.is_match(&tool));
        let detail =
            known.and_then(|known| known.detail.iter().find_map(|place| shown(input.pointer(place)?)));
        let judged = known.and_then(|known| Some((known, action(known.action_of(input)?))));
        let whole = |place: &String| input.pointer(place)?.as_str().filter(|text| text.len() <= COMMAND_MAX);
        let command = judged.and_then(|(known, _)| known.command.as_ref()).and_then(whole).map(str::to_owned);
        Self {
            action: judged.map_or(Action::Other, |(_, action)| action),
            command,
            paths: judged.map_or_else(Vec::new, |(known, _)| paths(known, input)),
            kind: known.map_or(EventKind::ToolCall, |known| kind(known.kind)),
            detail: cut(&detail.unwrap_or_default(), DETAIL_MAX),
            arguments: cut(&input.to_string(), DETAIL_MAX * 8),
            tool,
        }
    }

    fn title(&self) -> String {
        cut(format!("{} {}", self.tool, self.detail).trim(), 200)
    }

    fn request(&self) -> ToolRequest {
        ToolRequest {
            tool: self.tool.clone(),
            detail: self.detail.clone(),
            arguments: self.arguments.clone(),
            action: self.action,
            command: self.command.clone(),
            paths: self.paths.clone(),
            number: 0,
            alone: false,
        }
    }

    fn event(&self, kind: EventKind, rule: &FactRule, status: Option<i64>) -> Event {
        let mut fields = BTreeMap::from([("tool".to_owned(), self.tool.clone())]);
        let name = match kind {
            EventKind::Command => "command",
            EventKind::FileEdit | EventKind::FileRead => "file",
            _ => "what",
        };
        if !self.detail.is_empty() {
            fields.insert(name.to_owned(), self.detail.clone());
        }
        if let Some(status) = status {
            fields.insert("status".to_owned(), status.to_string());
        }
        let failed = rule.means == Means::ToolFailed || status.is_some_and(|status| status != 0);
        Event {
            kind,
            severity: if failed { Severity::Warning } else { Severity::Info },
            origin: Origin::Tool,
            rule: rule.id.clone(),
            text: cut(&self.title(), 500),
            fingerprint: fingerprint([kind.as_str(), &self.tool, &self.detail].into_iter()),
            fields,
        }
    }
}

fn action(action: patterns::Action) -> Action {
    match action {
        patterns::Action::Shell => Action::Shell,
        patterns::Action::Edit => Action::Edit,
        patterns::Action::Read => Action::Read,
        patterns::Action::Fetch => Action::Fetch,
    }
}

/// The paths that a call names. What stands in their place and is no path cannot be judged: it is told as an empty one,
/// which lies nowhere.
fn paths(known: &ToolRule, input: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    for value in known.paths.iter().filter_map(|place| input.pointer(place)) {
        match value {
            Value::Null => {}
            Value::Array(members) => found.extend(members.iter().map(text)),
            other => found.push(text(other)),
        }
    }
    if found.is_empty() && known.here {
        found.push(".".to_owned());
    }
    if found.len() > PATHS_MAX {
        found = vec![String::new()];
    }
    found
}

fn text(payload: &Value, place: Option<&str>) -> Option<String> {
    payload.pointer(place?)?.as_str().map(str::to_owned)
}

/// What a place holds, for people: text, the names in an object, the members of a list.
fn shown(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()).filter(|text| !text.is_empty()),
        Value::Object(members) => Some(members.keys().cloned().collect::<Vec<_>>().join(", ")),
        Value::Array(members) => Some(members.iter().filter_map(shown).collect::<Vec<_>>().join(" ")),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
    }
}

/// The exit status: a number, or the first number in the first line of a text. A command that ended without one
/// ended well.
fn status(rule: &FactRule, payload: &Value) -> Option<i64> {
    let Some(place) = rule.status.as_deref() else {
        return (rule.means == Means::ToolEnded).then_some(0);
    };
    match payload.pointer(place)? {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => {
            let line = text.lines().next()?;
            line.split(|c: char| !c.is_ascii_digit()).find(|part| !part.is_empty())?.parse().ok()
        }
        _ => None,
    }
}

fn output(rule: &FactRule, payload: &Value) -> Batch {
    let texts = rule.output.iter().filter_map(|place| payload.pointer(place)?.as_str());
    let lines = texts.flat_map(str::lines).filter(|line| !line.trim().is_empty()).take(OUTPUT_LINES);
    let mut batch = Batch::default();
    lines.for_each(|line| batch.push(&cut(line, 4_000), Origin::Tool));
    batch
}

fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => text[..end].to_owned(),
        None => text.to_owned(),
    }
}
