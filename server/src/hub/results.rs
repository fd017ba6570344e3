//! What a session reported during a turn, added up. Must not: judge how the turn ended.

use std::collections::{BTreeMap, BTreeSet};

use wire::event::{Event, EventKind, Severity};
use wire::http::EventRow;
use wire::prompt::{Attempt, ModelUse, Phases, PromptResult, Step, Summary};
use wire::{SessionId, UnixMillis};

use super::Control;
use crate::store::{Metrics, Stored};

/// Events that are looked at.
const EVENTS: u32 = 5_000;
/// Models that are listed.
const MODELS: usize = 16;
/// Longest name of one, in bytes.
const NAME: usize = 400;

/// Files that are listed.
const FILES: usize = 200;

impl Control {
    /// Adds to a result what was reported between the acceptance and this report.
    pub(super) fn sum_up(
        &self,
        session: &SessionId,
        attempt: &Attempt,
        seq: u64,
        result: &mut PromptResult,
    ) -> Stored<()> {
        let mut after = std::mem::take(&mut result.figures);
        let Some((from, before)) = self.store.accepted_at(attempt.id)? else { return Ok(()) };
        let rows = self.store.events_between(session, from, seq, EVENTS)?;
        // An older wrapper told the figures of the present only.
        if after.is_empty() {
            after = self.sessions.get(session).map(|live| live.kept.card.metrics.clone()).unwrap_or_default();
        }
        let queued = self.store.queued_at(attempt.prompt)?.unwrap_or(UnixMillis(0));
        let mut summary = summarise(&rows);
        summary.tokens_in = grown(&before, &after, "tokens_in");
        summary.tokens_out = grown(&before, &after, "tokens_out");
        summary.cost_usd = grown(&before, &after, "cost_usd");
        summary.models = models(&before, &after);
        summary.phases = phases(attempt, queued);
        result.summary = Some(summary);
        Ok(())
    }
}

/// What the events say.
fn summarise(rows: &[EventRow]) -> Summary {
    let mut summary = Summary::default();
    let mut tests: BTreeMap<&str, (u32, u32)> = BTreeMap::new();
    for EventRow { event, .. } in rows {
        match event.kind {
            EventKind::FileEdit => {
                if let Some(file) = event.fields.get("file").or_else(|| event.fields.get("path"))
                    && !summary.files.contains(file)
                    && summary.files.len() < FILES
                {
                    summary.files.push(file.clone());
                }
            }
            // The last report of each kind of run is the one that counts.
            EventKind::TestResult => {
                if let Some(counts) = counts(event) {
                    tests.insert(&event.rule, counts);
                }
            }
            EventKind::Error if event.severity == Severity::Error => {
                summary.errors += 1;
                summary.last_error = Some(event.text.clone());
            }
            _ => {}
        }
    }
    summary.tests_passed = tests.values().map(|(passed, _)| passed).sum();
    summary.tests_failed = tests.values().map(|(_, failed)| failed).sum();
    summary
}

fn counts(event: &Event) -> Option<(u32, u32)> {
    let number = |name: &str| event.fields.get(name).and_then(|n| n.parse::<u32>().ok());
    match (number("passed"), number("failed")) {
        (None, None) => None,
        (passed, failed) => Some((passed.unwrap_or(0), failed.unwrap_or(0))),
    }
}

/// What was added to a figure; one that begins anew counts as it is.
fn grown(before: &Metrics, after: &Metrics, name: &str) -> Option<f64> {
    let after = *after.get(name)?;
    let before = before.get(name).copied().filter(|before| *before <= after);
    Some(after - before.unwrap_or(0.0))
}

/// What each model used meanwhile.
fn models(before: &Metrics, after: &Metrics) -> Vec<ModelUse> {
    let told = |what: &'static str| after.keys().filter_map(move |name| name.strip_prefix(what));
    let names: BTreeSet<&str> = told("tokens_in@").chain(told("cost_usd@")).collect();
    let used = names.into_iter().filter(|name| name.len() <= NAME).map(|model| {
        let grown = |what: &str| grown(before, after, &format!("{what}@{model}"));
        ModelUse {
            model: model.to_owned(),
            tokens_in: grown("tokens_in").unwrap_or(0.0),
            tokens_out: grown("tokens_out").unwrap_or(0.0),
            cost_usd: grown("cost_usd").filter(|cost| *cost > 0.0),
        }
    });
    let some = |used: &ModelUse| used.tokens_in + used.tokens_out > 0.0 || used.cost_usd.is_some();
    used.filter(some).take(MODELS).collect()
}

/// Where the time went.
fn phases(attempt: &Attempt, queued: UnixMillis) -> Phases {
    let at = |step| attempt.receipts.iter().find(|r| r.step == step).map(|r| r.at);
    let between = |from: Option<UnixMillis>, to: Option<UnixMillis>| match (from, to) {
        (Some(from), Some(to)) => to.since(from),
        _ => 0,
    };
    Phases {
        waiting: between(Some(queued), at(Step::Leased)),
        delivery: between(at(Step::Leased), at(Step::Accepted)),
        running: between(at(Step::Accepted), at(Step::Ended)),
        verification: between(at(Step::Ended), at(Step::Verified)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::event::Origin;

    fn row(kind: EventKind, rule: &str, fields: &[(&str, &str)]) -> EventRow {
        let fields = fields.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let severity = if kind == EventKind::Error { Severity::Error } else { Severity::Info };
        let event = Event {
            at: UnixMillis(0),
            kind,
            severity,
            origin: Origin::Tool,
            rule: rule.into(),
            text: format!("{rule} text"),
            fields,
            offset: 0,
            fingerprint: String::new(),
        };
        EventRow { seq: 1, event }
    }

    #[test]
    fn the_last_run_of_each_kind_of_test_counts_and_files_once() {
        let rows = [
            row(EventKind::TestResult, "cargo", &[("passed", "1"), ("failed", "2")]),
            row(EventKind::TestResult, "cargo", &[("passed", "3"), ("failed", "0")]),
            row(EventKind::TestResult, "npm", &[("failed", "1")]),
            row(EventKind::FileEdit, "edit", &[("file", "a.rs")]),
            row(EventKind::FileEdit, "edit", &[("file", "a.rs")]),
            row(EventKind::Error, "rustc", &[]),
        ];
        let summary = summarise(&rows);
        assert_eq!((summary.tests_passed, summary.tests_failed, summary.errors), (3, 1, 1));
        assert_eq!(summary.files, ["a.rs"]);
        assert_eq!(summary.last_error.as_deref(), Some("rustc text"));
    }

    #[test]
    fn a_figure_that_begins_anew_counts_as_it_is() {
        let metrics = |n: f64| Metrics::from([("tokens_in".to_owned(), n)]);
        assert_eq!(grown(&metrics(10.0), &metrics(25.0), "tokens_in"), Some(15.0));
        assert_eq!(grown(&metrics(10.0), &metrics(5.0), "tokens_in"), Some(5.0));
        assert_eq!(grown(&metrics(10.0), &Metrics::new(), "tokens_in"), None);
    }
}
