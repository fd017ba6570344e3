//! Turns settled lines into events. Must not: see a line twice.

use std::collections::{BTreeMap, HashSet, VecDeque};

use patterns::{Found, Level, Library};

use crate::batch::Batch;
use crate::blocks::Fences;
use crate::hash::{fingerprint, hash};
use crate::observation::{Event, EventKind, Origin, Severity};

/// Most events of one look; a flood of them says no more than its first hundreds.
const MOST: usize = 500;
/// How many events are remembered so that a redraw does not repeat them.
const REMEMBERED: usize = 1_024;

/// Finds events.
#[derive(Debug)]
pub struct Scan {
    fences: Fences,
    seen: HashSet<u64>,
    order: VecDeque<u64>,
    once: bool,
}

impl Scan {
    /// `once`: an equal line from the same source is taken for a redraw, not for a second event.
    pub fn new(once: bool) -> Self {
        Self { fences: Fences::default(), seen: HashSet::new(), order: VecDeque::new(), once }
    }

    /// Events of these lines, at most 500.
    pub fn run(&mut self, lines: &Batch) -> Vec<Event> {
        if lines.is_empty() {
            return Vec::new();
        }
        let mut found = Vec::new();
        Library::builtin().matcher().scan(lines.text(), |hit| {
            if found.len() < MOST {
                found.push((hit.line, event(&hit, lines.origin(hit.line))));
            }
        });
        if self.fences.concern(lines.text()) {
            for (number, line) in lines.lines().enumerate() {
                if let Some(block) = self.fences.line(line) {
                    found.push((number, block));
                }
            }
        }
        found.sort_by_key(|(line, _)| *line);
        let events = found.into_iter().map(|(_, event)| event).filter(|event| self.is_new(event));
        events.take(MOST).collect()
    }

    /// Events of what a tool printed, as the agent told it: each counts, and none counts again when it is drawn.
    pub fn told(&mut self, lines: &Batch) -> Vec<Event> {
        let events = Self::new(false).run(lines);
        for event in &events {
            for origin in [Origin::Tool, Origin::Unknown] {
                self.is_new(&Event { origin, ..event.clone() });
            }
        }
        events
    }

    fn is_new(&mut self, event: &Event) -> bool {
        if !self.once {
            return true;
        }
        let key = hash([event.fingerprint.as_str(), event.origin.as_str()].into_iter());
        if !self.seen.insert(key) {
            return false;
        }
        self.order.push_back(key);
        if self.order.len() > REMEMBERED
            && let Some(old) = self.order.pop_front()
        {
            self.seen.remove(&old);
        }
        true
    }
}

fn event(hit: &Found, origin: Origin) -> Event {
    let text: String = hit.text.trim().chars().take(500).collect();
    let mut fields: BTreeMap<String, String> = hit.rule.fields.clone();
    let groups = hit.groups();
    for name in hit.rule.pattern.names() {
        if let Some(value) = groups.as_ref().and_then(|groups| groups.name(name)) {
            let name = name.trim_end_matches(|c: char| c.is_ascii_digit());
            fields.insert(name.to_owned(), value.as_str().trim().chars().take(300).collect());
        }
    }
    let failed = fields.get("failed").is_some_and(|n| n != "0")
        || fields.get("outcome").is_some_and(|o| o.to_ascii_lowercase().starts_with("fail"));
    let severity = match hit.rule.severity {
        Level::Error => Severity::Error,
        Level::Warning => Severity::Warning,
        Level::Info if failed => Severity::Error,
        Level::Info => Severity::Info,
    };
    let fingerprint = fingerprint([hit.rule.id.as_str(), text.as_str()].into_iter());
    Event {
        kind: kind(hit.rule.kind),
        severity,
        origin,
        rule: hit.rule.id.clone(),
        text,
        fields,
        fingerprint,
    }
}

/// The same word in this crate's set.
pub fn kind(kind: patterns::EventKind) -> EventKind {
    match kind {
        patterns::EventKind::Error => EventKind::Error,
        patterns::EventKind::StackTrace => EventKind::StackTrace,
        patterns::EventKind::TestResult => EventKind::TestResult,
        patterns::EventKind::Build => EventKind::Build,
        patterns::EventKind::FileEdit => EventKind::FileEdit,
        patterns::EventKind::FileRead => EventKind::FileRead,
        patterns::EventKind::Command => EventKind::Command,
        patterns::EventKind::CodeBlock => EventKind::CodeBlock,
        patterns::EventKind::ToolCall => EventKind::ToolCall,
        patterns::EventKind::Metric => EventKind::Metric,
        patterns::EventKind::Url => EventKind::Url,
        patterns::EventKind::Git => EventKind::Git,
        patterns::EventKind::Permission => EventKind::Permission,
    }
}
