//! Logs of processes that have no terminal. Must not: write to a user's terminal, or tell a text.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use wire::AttemptId;
use wire::wrapper::{Offer, Report};

/// Opens a private log for appending.
pub fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).mode(0o600).open(path)
}

/// A line on standard error from a process without a log of its own. One that cannot be written is no reason to end.
pub fn line(text: std::fmt::Arguments) {
    use std::io::Write;
    let _ = writeln!(io::stderr(), "{text}");
}

/// Sends this process's log to its standard error; `MUSTER_LOG` chooses what (default `info`), and `MUSTER_LOG_FORMAT`
/// how: `json` is one object a line.
pub fn to_stderr() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("MUSTER_LOG").unwrap_or_else(|_| "info".into());
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).with_ansi(false);
    // It would say so on standard error, and panic when that cannot be written either: on a full disk.
    let lines = lines.log_internal_errors(false);
    if std::env::var_os("MUSTER_LOG_FORMAT").is_some_and(|format| format == "json") {
        lines.json().flatten_event(true).with_span_list(false).init();
    } else {
        lines.init();
    }
}

/// A prompt came to a session.
pub fn offered(session: &str, offer: &Offer) {
    let Offer { prompt, attempt, number, .. } = offer;
    let trace_id = trace_id(offer);
    tracing::info!(session, prompt = prompt.0, attempt = attempt.0, trace_id, number, "a prompt came");
}

/// What is told to the server for ever, when it is about a prompt or the session's life; `offer` is what is held.
pub fn report(session: &str, offer: Option<&Offer>, report: &Report) {
    // The prompt and its trace, when the report is about what is held.
    let of = |attempt: &AttemptId| {
        let offer = offer.filter(|offer| offer.attempt == *attempt);
        (offer.map(|offer| offer.prompt.0), offer.map(trace_id))
    };
    match report {
        Report::Receipt { attempt, receipt } => {
            let ((prompt, trace_id), attempt, step) = (of(attempt), attempt.0, receipt.step.as_str());
            tracing::info!(session, prompt, attempt, trace_id, step, "a prompt came a step further");
        }
        Report::Held { attempt, hold } => {
            let ((prompt, trace_id), attempt, code) = (of(attempt), attempt.0, hold.code.as_str());
            tracing::info!(session, prompt, attempt, trace_id, code, "a prompt was not typed, or got stuck");
        }
        Report::Ended { attempt, result } => {
            let ((prompt, trace_id), attempt, outcome) = (of(attempt), attempt.0, result.outcome.as_str());
            tracing::info!(session, prompt, attempt, trace_id, outcome, "an attempt ended");
        }
        Report::Exited { .. } => tracing::info!(session, "the program ended"),
        Report::State { claim, .. } => {
            tracing::debug!(session, state = claim.state.as_str(), rule = claim.rule, "the state changed");
        }
        Report::Event { .. } | Report::Text { .. } | Report::Context { .. } => {}
    }
}

/// The trace that an offer belongs to, as the server's log and a collector call it.
fn trace_id(offer: &Offer) -> &str {
    offer.trace.split('-').nth(1).unwrap_or_default()
}
