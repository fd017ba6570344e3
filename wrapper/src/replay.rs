//! `wrap replay`: drives an extractor with a recording's own time, as fast as it can, and prints what it saw.
//! Must not: know the format of the recording.

use std::collections::BTreeMap;
use std::io::Write;
use std::time::Duration;

use extractor::{Extractor, Observation, Seen, State};
use serde_json::{Value, json};
use wire::text::{cut, escape};

use crate::asciicast::Record;

/// Replays records through the extractor; `each` gets every observation in order.
pub fn replay<E>(
    extractor: &mut Extractor,
    records: impl Iterator<Item = Result<(Duration, Record), E>>,
    mut each: impl FnMut(&Extractor, Observation) -> Result<(), E>,
) -> Result<(), E> {
    let mut seen = Vec::new();
    for record in records {
        let (at, record) = record?;
        while let Some(due) = extractor.due().filter(|due| *due < at) {
            extractor.tick(due, &mut seen);
            if extractor.due().is_some_and(|next| next <= due) {
                break;
            }
        }
        match record {
            Record::Output(bytes) => extractor.output(at, &bytes, &mut seen),
            Record::Input(keys) => extractor.input(at, keys, &mut seen),
            Record::Resize(cols, rows) => extractor.resize(at, cols, rows, &mut seen),
            Record::Exit(exit) => extractor.exit(at, exit, &mut seen),
        }
        for observation in seen.drain(..) {
            each(extractor, observation)?;
        }
    }
    Ok(())
}

/// Prints observations: for people, or one JSON object a line.
#[derive(Debug)]
pub struct Printer<W> {
    out: W,
    jsonl: bool,
    state: Option<State>,
}

impl<W: Write> Printer<W> {
    /// Prints to `out`.
    pub fn new(out: W, jsonl: bool) -> Self {
        Self { out, jsonl, state: None }
    }

    /// Prints one observation. A state whose cause alone changed is not printed again.
    pub fn print(&mut self, seen: &Observation) -> std::io::Result<()> {
        if let Seen::State(claim) = &seen.what
            && self.state.replace(claim.state) == Some(claim.state)
        {
            return Ok(());
        }
        let seconds = seen.at.as_secs_f64();
        if self.jsonl {
            if let Some(Value::Object(mut row)) = object(&seen.what) {
                row.insert("t".into(), json!((seconds * 1e4).round() / 1e4));
                row.insert("offset".into(), json!(seen.offset));
                writeln!(self.out, "{}", Value::Object(row))?;
            }
        } else if let Some((what, text)) = words(&seen.what) {
            writeln!(self.out, "{seconds:9.2}  {what:<18}  {}", cut(&escape(&text), 120))?;
        }
        Ok(())
    }

    /// Prints what is buffered.
    pub fn finish(mut self) -> std::io::Result<()> {
        self.out.flush()
    }
}

fn object(what: &Seen) -> Option<Value> {
    Some(match what {
        Seen::State(claim) => json!({
            "type": "state", "state": claim.state.as_str(), "source": claim.source.as_str(), "rule": claim.rule,
            "evidence": escape(&claim.evidence), "background": claim.background,
        }),
        Seen::TurnBegan { source } => json!({"type": "task", "event": "began", "source": source.as_str()}),
        Seen::TurnEnded { outcome, reason, source, answer } => json!({
            "type": "task", "event": outcome.as_str(), "reason": escape(reason), "source": source.as_str(),
            "answer": wire::text::escape_lines(answer),
        }),
        Seen::Event(event) => {
            let fields: BTreeMap<_, _> = event.fields.iter().map(|(k, v)| (k, escape(v))).collect();
            json!({
                "type": "event", "kind": event.kind.as_str(), "severity": event.severity.as_str(),
                "origin": event.origin.as_str(), "rule": event.rule, "text": escape(&event.text), "fields": fields,
            })
        }
        Seen::Dialog(Some(dialog)) => json!({
            "type": "dialog", "id": dialog.id, "kind": dialog.kind.as_str(), "title": escape(&dialog.title),
            "body": wire::text::escape_lines(&dialog.body),
            "options": dialog.options.iter().map(|o| escape(&o.label)).collect::<Vec<_>>(),
        }),
        Seen::Dialog(None) => json!({"type": "dialog", "id": null}),
        Seen::Title(title) => json!({"type": "title", "title": escape(title)}),
        Seen::Query(_) => return None,
    })
}

fn words(what: &Seen) -> Option<(String, String)> {
    Some(match what {
        Seen::State(claim) => {
            let because = format!("{} {}: {}", claim.source.as_str(), claim.rule, claim.evidence);
            (claim.state.as_str().to_owned(), because)
        }
        Seen::TurnBegan { source } => ("turn began".to_owned(), source.as_str().to_owned()),
        Seen::TurnEnded { outcome, reason, answer, .. } => {
            let text = if reason.is_empty() { answer } else { reason };
            (format!("turn {}", outcome.as_str()), text.clone())
        }
        Seen::Event(event) => (event.kind.as_str().to_owned(), format!("{}: {}", event.rule, event.text)),
        Seen::Dialog(Some(dialog)) => (format!("asks {}", dialog.kind.as_str()), dialog.title.clone()),
        Seen::Dialog(None) => ("dialog closed".to_owned(), String::new()),
        Seen::Title(_) | Seen::Query(_) => return None,
    })
}
