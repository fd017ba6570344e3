//! What the product sees in a recording, held against its labels. Must not: use the product's code; it runs `wrap replay`
//! as anybody would.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};
use serde_json::Value;

/// What was seen, and what of the truth was not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sight {
    /// States in order.
    pub states: Vec<String>,
    /// Turns' ends in order.
    pub ends: Vec<String>,
    /// Dialogs in order: kind and options, repeats left out.
    pub dialogs: Vec<String>,
    /// Rules that told a state or found an event.
    pub rules: BTreeSet<String>,
    /// Where it differs from the labels.
    pub faults: Vec<String>,
}

/// A waiting of the labels or of the replay: when it begins and ends.
type Span = (f64, f64);

/// Seconds by which a dialog may be drawn after the server's word, or stay after the answer.
const SLACK: f64 = 3.0;

/// Replays a recording.
pub fn replay(wrap: &Path, folder: &Path) -> anyhow::Result<Sight> {
    let labels = fs::read_to_string(folder.join("session.labels.jsonl"))
        .with_context(|| format!("no labels in {}", folder.display()))?;
    let labels = rows(&labels);
    let agent = labels.first().and_then(|meta| meta["agent"].as_str()).unwrap_or("any").to_owned();
    let mut command = Command::new(wrap);
    command.args(["replay", "--jsonl", "--agent", &agent]).arg(folder.join("session.cast"));
    let out = command.output().with_context(|| format!("{} does not run", wrap.display()))?;
    ensure!(out.status.success(), "{}: {}", folder.display(), String::from_utf8_lossy(&out.stderr));
    Ok(sight(&rows(&String::from_utf8_lossy(&out.stdout)), &labels))
}

fn rows(text: &str) -> Vec<Value> {
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

fn sight(seen: &[Value], labels: &[Value]) -> Sight {
    let exit = labels.iter().find(|l| l["event"] == "exit_command").and_then(|l| l["t"].as_f64());
    let end = exit.unwrap_or(f64::INFINITY);
    let before = |row: &&Value| row["t"].as_f64().is_some_and(|t| t <= end);
    let mut sight = Sight::default();
    let mut waits: Vec<Span> = Vec::new();
    for row in seen.iter().filter(before) {
        let word = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
        let at = row["t"].as_f64().unwrap_or_default();
        if let Some(open) = waits.last_mut().filter(|w| w.1.is_infinite() && row["type"] == "state") {
            open.1 = at;
        }
        match row["type"].as_str().unwrap_or_default() {
            "state" => {
                if word("state").starts_with("waiting") {
                    waits.push((at, f64::INFINITY));
                }
                sight.states.push(word("state"));
                sight.rules.insert(word("rule"));
            }
            "task" if row["event"] != "began" => sight.ends.push(word("event")),
            "event" => drop(sight.rules.insert(word("rule"))),
            "dialog" if !row["id"].is_null() => {
                sight.dialogs.push(format!("{}: {}", word("kind"), row["options"]))
            }
            _ => {}
        }
    }
    sight.dialogs.dedup();
    sight.faults = faults(&sight, &waits, labels, end);
    sight
}

fn faults(sight: &Sight, waits: &[Span], labels: &[Value], end: f64) -> Vec<String> {
    let mut faults = Vec::new();
    let number = |row: &Value, name: &str| row[name].as_f64().unwrap_or_default();
    let is_wait = |l: &&Value| l["state"].as_str().is_some_and(|s| s.starts_with("waiting"));
    let truth: Vec<Span> =
        labels.iter().filter(is_wait).map(|l| (number(l, "t0"), number(l, "t1"))).collect();
    for (from, to) in &truth {
        if !waits.iter().any(|(a, b)| a < to && b > from) {
            faults.push(format!("the wait at {from:.1} s is missed"));
        }
    }
    for (from, to) in waits {
        if !truth.iter().any(|(a, b)| *from < b + SLACK && *to > a - SLACK) {
            faults.push(format!("there was no wait at {from:.1} s"));
        }
    }
    let ends = labels.iter().filter(|l| number(l, "t") <= end);
    let ends = ends.filter_map(|l| l["event"].as_str()?.strip_prefix("task_"));
    let ends: Vec<_> = ends.filter(|e| ["completed", "failed", "interrupted"].contains(e)).collect();
    if sight.ends != ends {
        faults.push(format!("turns ended as {:?}, not as {ends:?}", sight.ends));
    }
    if !["idle", "exited"].contains(&sight.states.last().map_or("", String::as_str)) {
        faults.push(format!("it ends as {:?}", sight.states.last()));
    }
    faults
}

/// What differs between the sight of an old recording and that of a new one.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// For the worse.
    pub worse: Vec<String>,
    /// Other.
    pub other: Vec<String>,
}

/// Compares.
pub fn compare(old: &Sight, new: &Sight) -> Change {
    let mut change = Change::default();
    if new.faults.len() > old.faults.len() {
        change.worse.extend(new.faults.iter().cloned());
    } else if new.faults != old.faults {
        change.other.push(format!("against the labels: {:?}, was {:?}", new.faults, old.faults));
    }
    if new.dialogs != old.dialogs {
        let lost = new.dialogs.len() < old.dialogs.len();
        let place = if lost || old.dialogs.iter().zip(&new.dialogs).any(|(a, b)| options(b) < options(a)) {
            &mut change.worse
        } else {
            &mut change.other
        };
        place.push(format!("dialogs: {:?}, was {:?}", new.dialogs, old.dialogs));
    }
    if new.states != old.states {
        change.other.push(format!("states: {}, was {}", new.states.join(" "), old.states.join(" ")));
    }
    let differ = |sign: &str, a: &BTreeSet<String>, b: &BTreeSet<String>| {
        let only: Vec<_> = a.difference(b).map(|rule| format!("{sign}{rule}")).collect();
        only
    };
    let rules = [differ("+", &new.rules, &old.rules), differ("-", &old.rules, &new.rules)].concat();
    if !rules.is_empty() {
        change.other.push(format!("rules: {}", rules.join(" ")));
    }
    change
}

/// How many options a dialog has.
fn options(dialog: &str) -> usize {
    let list = dialog.split_once(": ").map_or("", |(_, list)| list);
    serde_json::from_str::<Vec<String>>(list).map_or(0, |list| list.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn labels() -> Vec<Value> {
        vec![
            json!({"type": "state", "t0": 5.0, "t1": 9.0, "state": "waiting_permission"}),
            json!({"type": "event", "t": 12.0, "event": "task_completed"}),
            json!({"type": "event", "t": 15.0, "event": "exit_command"}),
        ]
    }

    fn seen(states: &[(f64, &str)]) -> Vec<Value> {
        let row = |(t, state): &(f64, &str)| json!({"type": "state", "t": t, "state": state, "rule": format!("r.{state}")});
        let mut rows: Vec<Value> = states.iter().map(row).collect();
        rows.push(json!({"type": "task", "t": 12.2, "event": "completed"}));
        rows
    }

    #[test]
    fn what_the_labels_say_is_no_fault() {
        let states =
            [(1.0, "idle"), (4.0, "busy"), (5.5, "waiting_permission"), (9.1, "busy"), (12.2, "idle")];
        assert_eq!(sight(&seen(&states), &labels()).faults, Vec::<String>::new());
    }

    #[test]
    fn a_newer_version_whose_dialog_is_not_seen_is_worse() {
        let old = sight(
            &seen(&[
                (1.0, "idle"),
                (4.0, "busy"),
                (5.5, "waiting_permission"),
                (9.1, "busy"),
                (12.2, "idle"),
            ]),
            &labels(),
        );
        let new = sight(&seen(&[(1.0, "idle"), (4.0, "busy"), (12.2, "idle")]), &labels());
        let change = compare(&old, &new);
        assert_eq!(change.worse, ["the wait at 5.0 s is missed"]);
        assert!(change.other.contains(&"rules: -r.waiting_permission".to_owned()), "{change:?}");
        assert_eq!(compare(&old, &old), Change::default());
    }
}
