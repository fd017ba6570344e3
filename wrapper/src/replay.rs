//! `wrap replay`: drives an extractor with a recording's own time, as fast as it can, and prints what it saw.
//! Must not: conclude anything itself; live sessions go the same way.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use extractor::{Dialog, Extractor, Observation, Seen, State};
use serde_json::{Value, json};
use wire::place::Place;
use wire::text::{cut, escape};

use crate::recording::{Header, Moment, ReadError, Reader, Record};
use crate::{asciicast, drive, profiles};

/// A recording that cannot be replayed.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// It is not there.
    #[error("cannot open {0}: {1}; give a recording's folder, an asciicast file, or a session's name or id")]
    Open(PathBuf, io::Error),
    /// It is damaged.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// It is no asciicast.
    #[error("{0}: {1}")]
    Cast(PathBuf, asciicast::Error),
    /// No profile has that name, or the user's own is broken.
    #[error("{0:#}")]
    Agent(anyhow::Error),
    /// What was seen cannot be printed.
    #[error("cannot write: {0}")]
    Write(#[from] io::Error),
}

/// A recording that was read to its end.
pub struct Replayed {
    /// What it knows at the end.
    pub extractor: Extractor,
    /// What a recording of ours says of its session.
    pub header: Option<Header>,
    /// Time of the last record.
    pub at: Duration,
}

/// Replays the recording at `path` and prints what is seen; `agent` names the profile, else the recording does.
pub fn run(place: &Place, path: &Path, agent: Option<&str>, jsonl: bool) -> Result<(), ReplayError> {
    let mut printer = Printer::new(BufWriter::new(io::stdout().lock()), jsonl);
    follow(place, path, agent, &mut |seen| seen.iter().try_for_each(|one| printer.print(one)))?;
    Ok(printer.finish()?)
}

/// Reads a recording's folder or an asciicast to its end; `each` gets what every record led to.
pub fn follow(
    place: &Place,
    path: &Path,
    agent: Option<&str>,
    each: &mut dyn FnMut(&[Observation]) -> io::Result<()>,
) -> Result<Replayed, ReplayError> {
    let profile = |name: &str| profiles::named(place, name).map_err(ReplayError::Agent);
    if path.is_dir() {
        let mut moments = Reader::open(path).peekable();
        let header = match moments.peek() {
            Some(Ok(Moment { record: Record::Header(header), .. })) => Some((**header).clone()),
            Some(_) => None,
            None => return Err(ReadError::Empty(path.to_owned()).into()),
        };
        let recorded = header.as_ref().map_or("any", |header| header.agent.as_str());
        let (cols, rows) = header.as_ref().map_or((80, 24), |header| (header.cols, header.rows));
        let extractor = Extractor::new(profile(agent.unwrap_or(recorded))?, cols, rows);
        through(extractor, header, moments.map(|moment| moment.map_err(ReplayError::from)), each)
    } else {
        let file = File::open(path).map_err(|e| ReplayError::Open(path.to_owned(), e))?;
        let fault = |e| ReplayError::Cast(path.to_owned(), e);
        let reader = asciicast::Reader::new(BufReader::new(file)).map_err(fault)?;
        let extractor = Extractor::new(profile(agent.unwrap_or("any"))?, reader.cols, reader.rows);
        through(extractor, None, reader.into_iter().map(|moment| moment.map_err(fault)), each)
    }
}

fn through(
    mut extractor: Extractor,
    header: Option<Header>,
    moments: impl Iterator<Item = Result<Moment, ReplayError>>,
    each: &mut dyn FnMut(&[Observation]) -> io::Result<()>,
) -> Result<Replayed, ReplayError> {
    let (mut seen, mut last) = (Vec::new(), Duration::ZERO);
    for moment in moments {
        let Moment { at, record } = moment?;
        drive::apply(&mut extractor, at, &record, &mut seen);
        each(&seen)?;
        seen.clear();
        last = last.max(at);
    }
    Ok(Replayed { extractor, header, at: last })
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
        Seen::TurnEnded { outcome, reason, cause, until, source, answer } => json!({
            "type": "task", "event": outcome.as_str(), "reason": escape(reason), "source": source.as_str(),
            "cause": cause.map(extractor::Cause::as_str), "until": until.as_deref().map(escape),
            "answer": wire::text::escape_lines(answer),
        }),
        Seen::Event(event) => {
            let fields: BTreeMap<_, _> = event.fields.iter().map(|(k, v)| (k, escape(v))).collect();
            json!({
                "type": "event", "kind": event.kind.as_str(), "severity": event.severity.as_str(),
                "origin": event.origin.as_str(), "rule": event.rule, "text": escape(&event.text), "fields": fields,
            })
        }
        Seen::Dialog(Some(asked)) => {
            let mut row = dialog(asked);
            row["type"] = json!("dialog");
            row
        }
        Seen::Dialog(None) => json!({"type": "dialog", "id": null}),
        Seen::Title(title) => json!({"type": "title", "title": escape(title)}),
        Seen::Query(_) => return None,
    })
}

/// A dialog for programs.
pub fn dialog(dialog: &Dialog) -> Value {
    let request = dialog.request.as_ref().map(|request| {
        json!({"tool": escape(&request.tool), "detail": escape(&request.detail), "arguments": request.arguments})
    });
    json!({
        "id": dialog.id, "kind": dialog.kind.as_str(), "title": escape(&dialog.title),
        "body": wire::text::escape_lines(&dialog.body),
        "options": dialog.options.iter().map(|o| escape(&o.label)).collect::<Vec<_>>(),
        "selected": dialog.options.iter().position(|o| o.selected), "request": request,
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
