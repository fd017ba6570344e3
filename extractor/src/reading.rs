//! What the agent's rules read off one screen. Must not: remember earlier screens or decide a state.

use std::collections::BTreeMap;

use patterns::{Agent, At, Note, Region, ScreenRule, StateWord};

use crate::composer::{self, Field};
use crate::dialog::{self, Asked};
use crate::hash::fingerprint;
use crate::memo::{Memo, Rule};
use crate::observation::{Event, EventKind, Origin, Severity};
use crate::vt::{Screen, Vt};

/// How many rows that are not blank the region above the composer has.
const STATUS_ROWS: usize = 8;

/// A rule that matched, and the row it matched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// The rule's id.
    pub rule: String,
    /// The row, at most 200 characters.
    pub evidence: String,
}

/// A failure of the model's interface after which it is tried again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retry {
    rule: String,
    /// The agent's words, without what counts on while it waits.
    what: String,
    fields: BTreeMap<String, String>,
}

impl Retry {
    fn read(rule: &ScreenRule, row: &str) -> Option<Self> {
        let groups = rule.pattern.captures(row)?;
        let group = |name: &str| Some((name.to_owned(), groups.name(name)?.as_str().trim().to_owned()));
        let what = group("what").map_or_else(|| row.trim().to_owned(), |(_, what)| what);
        Some(Self {
            rule: rule.id.clone(),
            what,
            fields: ["try", "of"].into_iter().filter_map(group).collect(),
        })
    }

    /// The event that it is, once.
    pub fn event(&self) -> Event {
        Event {
            kind: EventKind::Error,
            severity: Severity::Warning,
            origin: Origin::Agent,
            rule: self.rule.clone(),
            text: self.what.chars().take(500).collect(),
            fields: self.fields.clone(),
            fingerprint: fingerprint([self.rule.as_str(), &self.what].into_iter()),
        }
    }
}

/// Everything the rules found.
#[derive(Debug, Clone, Default)]
pub struct Reading {
    /// The composer; none while a dialog is open.
    pub composer: Option<Field>,
    /// The dialog.
    pub dialog: Option<Asked>,
    /// A sign of work.
    pub busy: Option<Hit>,
    /// All rows that are signs of work: while they change, it goes on.
    pub working: Vec<String>,
    /// A sign of rest.
    pub idle: Option<Hit>,
    /// A sign that it is not ready.
    pub starting: Option<Hit>,
    /// A sign that it waits, besides a dialog: whether for permission.
    pub waiting: Option<(bool, Hit)>,
    /// The context is being compacted.
    pub compacting: bool,
    /// Work goes on in the background.
    pub background: bool,
    /// The model's interface failed, and is tried again.
    pub retrying: Option<Retry>,
    /// Numbers on the screen.
    pub metrics: BTreeMap<String, f64>,
}

/// Reads a screen. `version` is the agent's, when it is known; `memo` is of this screen.
pub fn read(agent: &Agent, version: Option<&str>, screen: &Screen, vt: &Vt, memo: &Memo) -> Reading {
    let held = |versions: &patterns::Versions| version.is_none_or(|v| versions.allow(v));
    let mut reading = Reading::default();
    let find = || agent.composer.as_ref().and_then(|rule| composer::find(rule, screen, vt, memo));
    let dialogs = || agent.dialogs.iter().enumerate().filter(|(_, rule)| held(&rule.versions));
    let ask = || dialog::find(dialogs(), screen, memo);
    if agent.composer.as_ref().is_some_and(|rule| rule.at == At::Cursor) {
        // A prompt on the cursor's own row is beyond doubt; a question can stand on any last row.
        reading.composer = find();
        reading.dialog = if reading.composer.is_none() { ask() } else { None };
    } else {
        reading.dialog = ask();
        reading.composer = if reading.dialog.is_none() { find() } else { None };
    }
    for (place, rule) in agent.screens.iter().enumerate().filter(|(_, rule)| held(&rule.versions)) {
        let rows = region(rule.region, screen, reading.composer.as_ref());
        let holds =
            |row: usize| memo.says(row, Rule::Screen(place), || rule.pattern.is_match(&screen.rows[row]));
        let Some(row) = rows.into_iter().rev().find(|row| holds(*row)) else { continue };
        let row = &screen.rows[row];
        match rule.note {
            Some(Note::Compacting) => reading.compacting = true,
            Some(Note::Background) => reading.background = true,
            Some(Note::Retrying) => reading.retrying = Retry::read(rule, row),
            None => {}
        }
        let hit = Hit { rule: rule.id.clone(), evidence: row.trim().chars().take(200).collect() };
        match rule.state {
            Some(StateWord::Busy) => {
                reading.working.push(hit.evidence.clone());
                reading.busy.get_or_insert(hit)
            }
            Some(StateWord::Idle) => reading.idle.get_or_insert(hit),
            Some(StateWord::Starting) => reading.starting.get_or_insert(hit),
            Some(StateWord::WaitingPermission) => &mut reading.waiting.get_or_insert((true, hit)).1,
            Some(StateWord::WaitingInput) => &mut reading.waiting.get_or_insert((false, hit)).1,
            None => continue,
        };
    }
    for (place, rule) in agent.metrics.iter().enumerate() {
        for row in region(rule.region, screen, reading.composer.as_ref()) {
            let (at, row) = (row, &screen.rows[row]);
            if !memo.says(at, Rule::Metric(place), || rule.pattern.is_match(row)) {
                continue;
            }
            let Some(groups) = rule.pattern.captures(row) else { continue };
            for name in rule.pattern.names() {
                if let Some(value) = groups.name(name).and_then(|m| number(m.as_str())) {
                    reading.metrics.insert(name.trim_end_matches('2').to_owned(), value);
                }
            }
        }
    }
    reading
}

/// The rows of a region, from top to bottom.
fn region(region: Region, screen: &Screen, composer: Option<&Field>) -> Vec<usize> {
    let rows = screen.rows.len();
    let full = |row: &usize| !screen.rows[*row].trim().is_empty();
    let body = composer.map_or(rows, |field| field.outer.0.min(rows));
    match region {
        Region::Screen => (0..rows).collect(),
        Region::Body => (0..body).collect(),
        Region::Footer => composer.map_or_else(Vec::new, |field| (field.outer.1 + 1..rows).collect()),
        Region::Composer => {
            composer.map_or_else(Vec::new, |field| (field.first..rows.min(field.last + 1)).collect())
        }
        Region::Cursor => Some(screen.cursor.0).filter(|row| *row < rows).into_iter().collect(),
        Region::Last => (0..rows).rfind(full).into_iter().collect(),
        Region::Status => {
            let Some(_) = composer else { return Vec::new() };
            let mut last: Vec<usize> = (0..body).rev().filter(full).take(STATUS_ROWS).collect();
            last.reverse();
            last
        }
    }
}

/// A number as programs write it: `1,234`, `1.2k`, `3M`.
pub fn number(text: &str) -> Option<f64> {
    let text = text.trim().replace(',', "");
    let (digits, factor) = match text.chars().last()? {
        'k' | 'K' => (&text[..text.len() - 1], 1e3),
        'm' | 'M' => (&text[..text.len() - 1], 1e6),
        _ => (text.as_str(), 1.0),
    };
    digits.parse::<f64>().ok().map(|n| n * factor).filter(|n| n.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_as_a_number_is_one_that_can_be_told() {
        for (text, value) in [("1,234", 1_234.0), ("1.2k", 1_200.0), (" 3M ", 3e6), ("5", 5.0)] {
            assert_eq!(number(text), Some(value), "{text}");
        }
        for text in ["", "k", "x", "inf", "nan", &"9".repeat(400), &format!("{}M", "9".repeat(306))] {
            assert_eq!(number(text), None, "{text}");
        }
    }
}
