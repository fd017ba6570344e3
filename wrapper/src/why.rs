//! `wrap why`: what a session's state rests on, and how it came to be. Must not: ask anybody but the recording.

use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use extractor::{Claim, Composer, Extractor, Seen};
use serde_json::{Value, json};
use wire::UnixMillis;
use wire::place::Place;
use wire::text::{cut, escape, escape_lines};

use crate::recording::Header;
use crate::replay::{self, ReplayError, Replayed};
use crate::{clock, drive};

/// What a session's recording tells, as of now.
pub struct Why {
    extractor: Extractor,
    header: Option<Header>,
    /// The end of the recording, or now when the session lives.
    now: Duration,
    /// Every change of the state or of its cause, oldest first.
    history: Vec<Claim>,
}

/// Reads the recording in `folder`, with the profile that it names.
pub fn read(place: &Place, folder: &Path) -> Result<Why, ReplayError> {
    let mut history = Vec::new();
    let mut keep = |seen: &[extractor::Observation]| {
        for observation in seen {
            if let Seen::State(claim) = &observation.what {
                history.push(claim.clone());
            }
        }
        Ok(())
    };
    let Replayed { mut extractor, header, at } = replay::follow(place, folder, None, &mut keep)?;
    let began = header.as_ref().map(|header| Duration::from_micros(header.started_mono_us));
    let socket = header.as_ref().map(|header| place.session_socket(&wire::SessionId(header.session.clone())));
    let lives = socket.is_some_and(|socket| socket.exists());
    let now = began.filter(|_| lives).map_or(at, |began| clock::monotonic().saturating_sub(began).max(at));
    let mut seen = Vec::new();
    drive::advance(&mut extractor, now, &mut seen);
    keep(&seen)?;
    Ok(Why { extractor, header, now, history })
}

impl Why {
    /// Prints it: for people, or as one JSON object. `last` changes are shown.
    pub fn print(&self, json: bool, last: usize, out: &mut impl Write) -> io::Result<()> {
        let shown = &self.history[self.history.len().saturating_sub(last)..];
        if json {
            return writeln!(out, "{}", self.object(shown));
        }
        let claim = self.extractor.claim();
        let name = self.header.as_ref().map_or("", |header| header.name.as_str());
        let age = (self.now.saturating_sub(claim.since)).as_secs_f64();
        let background = if claim.background { ", with work left in the background" } else { "" };
        writeln!(out, "{} is {}{background}, for {age:.1} s", escape(name), claim.state.as_str())?;
        writeln!(
            out,
            "  because  {} {}: {}",
            claim.source.as_str(),
            escape(&claim.rule),
            text(&claim.evidence)
        )?;
        writeln!(out, "  composer {}", composer(&self.extractor.composer()))?;
        if let Some(dialog) = self.extractor.dialog() {
            writeln!(out, "  asks     {}: {}", dialog.kind.as_str(), text(&dialog.title))?;
            for option in &dialog.options {
                writeln!(
                    out,
                    "           {} {}",
                    if option.selected { ">" } else { " " },
                    text(&option.label)
                )?;
            }
        }
        writeln!(out, "\nHow it came to be, seconds since the start:")?;
        for claim in shown {
            let because = format!("{} {}: {}", claim.source.as_str(), claim.rule, claim.evidence);
            let at = claim.since.as_secs_f64();
            writeln!(out, "{at:9.2}  {:<18}  {}", claim.state.as_str(), cut(&escape(&because), 120))?;
        }
        Ok(())
    }

    fn object(&self, shown: &[Claim]) -> Value {
        let start = self.header.as_ref().map_or(0, |header| header.started_ms);
        let one = |claim: &Claim| {
            json!({
                "state": claim.state.as_str(), "source": claim.source.as_str(), "rule": claim.rule,
                "evidence": escape(&claim.evidence), "background": claim.background,
                "since": UnixMillis(start + claim.since.as_millis() as i64),
            })
        };
        let claim = self.extractor.claim();
        let mut object = one(claim);
        let age = self.now.saturating_sub(claim.since).as_millis() as u64;
        let header = self.header.as_ref();
        let more = json!({
            "session": header.map(|h| &h.session), "name": header.map(|h| escape(&h.name)),
            "agent": header.map(|h| &h.agent), "age_ms": age,
            "composer": composer_value(&self.extractor.composer()),
            "dialog": self.extractor.dialog().map(replay::dialog),
            "history": shown.iter().map(one).collect::<Vec<_>>(),
        });
        if let (Some(object), Value::Object(more)) = (object.as_object_mut(), more) {
            object.extend(more);
        }
        object
    }
}

fn text(text: &str) -> String {
    cut(&escape(text), 160)
}

/// What stands where a prompt would be typed, for people.
pub fn composer(composer: &Composer) -> String {
    match composer {
        Composer::Absent => "is not on the screen".to_owned(),
        Composer::Unreadable => "cannot be found: the profile does not say where it is".to_owned(),
        Composer::Empty => "is empty".to_owned(),
        Composer::Holds(held) => format!("holds: {}", cut(&escape(held), 160)),
    }
}

/// The same for programs: its text, empty when it is empty, null when there is none.
pub fn composer_value(composer: &Composer) -> Value {
    match composer {
        Composer::Absent | Composer::Unreadable => Value::Null,
        Composer::Empty => json!(""),
        Composer::Holds(held) => json!(escape_lines(held)),
    }
}
