//! `wrap replay`: drives an extractor with a recording's own time, as fast as it can, and prints what it saw.
//! Must not: conclude anything itself; live sessions go the same way.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use extractor::{Extractor, Observation, Seen, State};
use patterns::{Agent, Library};
use serde_json::{Value, json};
use wire::text::{cut, escape};

use crate::recording::{Moment, ReadError, Reader, Record};
use crate::{asciicast, drive};

/// A recording that cannot be replayed.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// It is not there.
    #[error("cannot open {0}: {1}; give a recording's folder, an asciicast file, or a session's name or id")]
    Open(PathBuf, #[source] io::Error),
    /// It is damaged.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// It is no asciicast.
    #[error("{0}: {1}")]
    Cast(PathBuf, #[source] asciicast::Error),
    /// No profile has that name.
    #[error("no profile is named '{0}'; see: wrap agents")]
    Agent(String),
    /// What was seen cannot be printed.
    #[error("cannot write: {0}")]
    Write(#[from] io::Error),
}

/// Replays the recording at `path` and prints what is seen; `agent` names the profile, else the recording does.
pub fn run(path: &Path, agent: Option<&str>, jsonl: bool) -> Result<(), ReplayError> {
    let mut printer = Printer::new(BufWriter::new(io::stdout().lock()), jsonl);
    if path.is_dir() {
        own(path, agent, &mut printer)?;
    } else {
        cast(path, agent, &mut printer)?;
    }
    Ok(printer.finish()?)
}

fn own(folder: &Path, agent: Option<&str>, printer: &mut Printer<impl Write>) -> Result<(), ReplayError> {
    let mut moments = Reader::open(folder).peekable();
    let (recorded, size) = match moments.peek() {
        Some(Ok(Moment { record: Record::Header(header), .. })) => {
            (header.agent.clone(), (header.cols, header.rows))
        }
        Some(_) => ("any".to_owned(), (80, 24)),
        None => return Err(ReadError::Empty(folder.to_owned()).into()),
    };
    let mut extractor = Extractor::new(profile(agent.unwrap_or(&recorded))?, size.0, size.1);
    moments.try_for_each(|moment| feed(&mut extractor, moment?, printer))
}

fn cast(path: &Path, agent: Option<&str>, printer: &mut Printer<impl Write>) -> Result<(), ReplayError> {
    let file = File::open(path).map_err(|e| ReplayError::Open(path.to_owned(), e))?;
    let fault = |e| ReplayError::Cast(path.to_owned(), e);
    let reader = asciicast::Reader::new(BufReader::new(file)).map_err(fault)?;
    let mut extractor = Extractor::new(profile(agent.unwrap_or("any"))?, reader.cols, reader.rows);
    reader.into_iter().try_for_each(|moment| feed(&mut extractor, moment.map_err(fault)?, printer))
}

fn profile(name: &str) -> Result<Arc<Agent>, ReplayError> {
    Library::builtin().agent(name).ok_or_else(|| ReplayError::Agent(name.to_owned()))
}

fn feed(
    extractor: &mut Extractor,
    moment: Moment,
    printer: &mut Printer<impl Write>,
) -> Result<(), ReplayError> {
    let mut seen = Vec::new();
    drive::apply(extractor, moment.at, &moment.record, &mut seen);
    Ok(seen.iter().try_for_each(|observation| printer.print(observation))?)
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
