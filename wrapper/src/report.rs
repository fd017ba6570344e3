//! What the extractor concluded, in the words of the wire. Must not: judge it.

use std::path::Path;

use extractor::{Exit, Source};
use sha2::{Digest, Sha256};
use wire::UnixMillis;
use wire::event::{Event, EventKind, Origin, Severity};
use wire::prompt::{Cause, Outcome};
use wire::session::{self, Action, Claim, Dialog, DialogKind, DialogOption, State, ToolRequest};

use crate::request;

/// The same closed set in another crate: both know the same words, which a test holds.
macro_rules! same_words {
    ($($name:ident: $from:ty => $to:ty),+ $(,)?) => {$(
        fn $name(word: $from) -> $to {
            <$to>::ALL.iter().copied().find(|w| w.as_str() == word.as_str()).expect("both sets hold the same words")
        }
    )+};
}

same_words! {
    state: extractor::State => State,
    source_word: Source => session::Source,
    dialog_kind: extractor::DialogKind => DialogKind,
    action: extractor::Action => Action,
    event_kind: extractor::EventKind => EventKind,
    severity: extractor::Severity => Severity,
    origin: extractor::Origin => Origin,
    outcome_word: extractor::TurnOutcome => Outcome,
    cause_word: extractor::Cause => Cause,
}

/// How a turn ended, as an attempt's outcome.
pub fn outcome(word: extractor::TurnOutcome) -> Outcome {
    outcome_word(word)
}

/// Why a turn failed.
pub fn cause(word: extractor::Cause) -> Cause {
    cause_word(word)
}

/// How the program ended.
pub fn exit(exit: Exit) -> session::Exit {
    match exit {
        Exit::Code(code) => session::Exit::Code { code },
        Exit::Signal(signal) => session::Exit::Signal { signal },
    }
}

/// A state; `start` is when the recording began.
pub fn claim(claim: &extractor::Claim, start: UnixMillis) -> Claim {
    Claim {
        state: state(claim.state),
        source: source_word(claim.source),
        rule: claim.rule.clone(),
        evidence: claim.evidence.clone(),
        since: UnixMillis(start.0 + claim.since.as_millis() as i64),
        background: claim.background,
    }
}

/// The state of a program that has ended.
pub fn ended(exit: session::Exit, since: UnixMillis) -> Claim {
    Claim {
        state: State::Exited,
        source: session::Source::Exit,
        rule: "process.exit".to_owned(),
        evidence: format!("ended with status {}", exit.status()),
        since,
        background: false,
    }
}

/// The state of a session whose output cannot be read.
pub fn quarantined(since: UnixMillis) -> Claim {
    Claim {
        state: State::Unknown,
        source: session::Source::Silence,
        rule: "observer.quarantined".to_owned(),
        evidence: "reading the output crashed the observer; only the session's life is reported".to_owned(),
        since,
        background: false,
    }
}

/// A dialog that appeared at this byte of the session's output, asked by an agent that works in `dir`.
pub fn dialog(dialog: &extractor::Dialog, place: u64, dir: &Path) -> Dialog {
    let option = |(index, option): (usize, &extractor::DialogOption)| DialogOption {
        index: index as u32,
        label: option.label.clone(),
        selected: option.selected,
    };
    Dialog {
        id: identity(dialog, place),
        kind: dialog_kind(dialog.kind),
        title: dialog.title.clone(),
        body: dialog.body.clone(),
        options: dialog.options.iter().enumerate().map(option).collect(),
        answerable: dialog.approve.is_some() && dialog.deny.is_some(),
        request: dialog.request.as_ref().map(|request| ToolRequest {
            tool: request.tool.clone(),
            detail: request.detail.clone(),
            arguments: request.arguments.clone(),
            action: action(request.action),
            command: request.command.clone(),
            paths: request::real_paths(request, dir),
        }),
    }
}

/// What an answer is bound to: everything that is asked, and where. Which option is highlighted is no part of it.
fn identity(dialog: &extractor::Dialog, place: u64) -> String {
    let request = dialog.request.as_ref();
    let told = [request.map_or("", |r| r.tool.as_str()), request.map_or("", |r| r.arguments.as_str())];
    let place = place.to_string();
    let asked = [dialog.kind.as_str(), &dialog.title, &dialog.body];
    let labels = dialog.options.iter().map(|option| option.label.as_str());
    let mut hash = Sha256::new();
    for part in [place.as_str()].into_iter().chain(asked).chain(told).chain(labels) {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    wire::text::hex(&hash.finalize()[..16])
}

/// An event that was found at `at`.
pub fn event(event: &extractor::Event, at: UnixMillis, offset: u64) -> Event {
    Event {
        at,
        kind: event_kind(event.kind),
        severity: severity(event.severity),
        origin: origin(event.origin),
        rule: event.rule.clone(),
        text: event.text.clone(),
        fields: event.fields.clone(),
        offset,
        fingerprint: event.fingerprint.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extractor_and_wire_know_the_same_words() {
        extractor::State::ALL.iter().for_each(|w| _ = state(*w));
        Source::ALL.iter().for_each(|w| _ = source_word(*w));
        extractor::DialogKind::ALL.iter().for_each(|w| _ = dialog_kind(*w));
        extractor::Action::ALL.iter().for_each(|w| _ = action(*w));
        extractor::EventKind::ALL.iter().for_each(|w| _ = event_kind(*w));
        extractor::Severity::ALL.iter().for_each(|w| _ = severity(*w));
        extractor::Origin::ALL.iter().for_each(|w| _ = origin(*w));
        extractor::Cause::ALL.iter().for_each(|w| _ = cause_word(*w));
        extractor::TurnOutcome::ALL.iter().for_each(|w| _ = outcome_word(*w));
    }
}
