//! A secret that an agent shows everywhere leaves its observer nowhere: not in the journal, not to the server.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use wire::frame::Frame;
use wire::prompt::{Receipt, Step};
use wire::wrapper::{Offer, Report, ToServer};
use wire::{AttemptId, PromptId, UnixMillis};

use super::calendar::Time;
use super::core::Core;
use super::watch::Watched;
use crate::journal::Journal;
use crate::recording::{From, Moment, Record};
use crate::redaction::Redaction;

const LINE: &str = "────────────────────────────────────────────────────────────";

/// What stands in every secret here.
const PART: &str = "Zq7Zq7Zq7";

struct Session {
    core: Core,
    watched: Watched,
    redaction: Redaction,
    now: Duration,
    /// Everything that would be sent.
    sent: Vec<u8>,
    /// What nobody's terminal may lose: all output as it was written.
    output: Vec<u8>,
}

fn time(at: Duration) -> Time {
    Time { at, day: UnixMillis(1).after(at) }
}

impl Session {
    fn new(folder: &std::path::Path) -> Self {
        let mut journal = Journal::open(folder).unwrap();
        let (attempt, prompt) = (AttemptId(7), PromptId(3));
        let offer = Offer { timeout_ms: 1 << 30, ..Offer::new(attempt, prompt, 1, "t") };
        journal.lease(&offer).unwrap();
        let receipt = Receipt { step: Step::Accepted, at: UnixMillis(1) };
        journal.append(UnixMillis(1), &[Report::Receipt { attempt, receipt }], None).unwrap();
        let redaction = Redaction::with([format!("environment value {PART}")], [9; 16]);
        let agent = patterns::Library::builtin().agent("claude").unwrap();
        let pid = std::process::id() as i32;
        let mut core = Core::new(agent, pid, folder.to_owned(), journal, UnixMillis(1), redaction.clone());
        core.take_over(time(Duration::ZERO), &mut Vec::new()).unwrap();
        let mut watched = Watched::new(redaction.redactor());
        watched.start();
        let (sent, output) = (Vec::new(), Vec::new());
        Self { core, watched, redaction, now: Duration::ZERO, sent, output }
    }

    fn record(&mut self, record: Record) {
        if let Record::Output(bytes) = &record {
            self.watched.output(self.core.output, self.core.size(), bytes);
            self.output.extend_from_slice(bytes);
        }
        self.now += Duration::from_millis(400);
        self.core.moment(Moment { at: self.now, record }, time(self.now), &mut Vec::new());
        self.now += Duration::from_millis(300);
        self.core.time(time(self.now), &mut Vec::new());
        self.core.commit(time(self.now)).unwrap();
        let now = self.redaction.message(ToServer::Now(self.core.now()));
        self.sent.extend(serde_json::to_vec(&now).unwrap());
        let (core, sent) = (&self.core, &mut self.sent);
        self.watched.send(
            || (core.output, core.size(), core.snapshot()),
            |frame| {
                sent.extend_from_slice(Frame::decode(&frame).unwrap().payload);
                true
            },
        );
    }

    fn write(&mut self, text: &str) {
        self.record(Record::Output(text.as_bytes().to_vec()));
    }

    fn screen(&mut self, rows: &str) {
        self.write(&format!("\x1b[2J\x1b[H{rows}\r\n{LINE}\r\n❯ \r\n{LINE}\r\n  ? for shortcuts"));
    }

    fn hook(&mut self, name: &str, mut payload: serde_json::Value) {
        payload["hook_event_name"] = json!(name);
        self.record(Record::Told(From::Hook, payload.to_string().into_bytes()));
    }
}

#[test]
fn a69_a_secret_that_is_shown_everywhere_leaves_the_observer_nowhere() {
    let folder = tempfile::tempdir().unwrap();
    let mut session = Session::new(folder.path());
    let token = format!("ghp_{}", PART.repeat(4));
    let value = format!("environment value {PART}");
    session.write("\x1b]0;✳ Claude Code\x07");
    session.screen("● Welcome");
    session.write(&format!("\x1b]0;⠂ with {token}\x07"));
    session.hook("UserPromptSubmit", json!({"prompt": format!("use {token}")}));
    // In output: cut in the middle, coloured, over two rows, of the environment, while it is still written.
    let (first, second) = token.split_at(20);
    session.write(&format!("\x1b[2J\x1b[Herror: refused {first}"));
    session.write(&format!("\x1b[31m{second}\x1b[m\r\nerror: refused {token}\r\n"));
    session.write(&format!("\r\nerror: {} {value}\r\n{token}", "x".repeat(60)));
    let input = json!({"command": format!("curl -H 'Authorization: Bearer {PART}{PART}' {token}")});
    session.hook("PreToolUse", json!({"tool_name": "Bash", "tool_input": input}));
    session.hook("PermissionRequest", json!({"tool_name": "Bash", "tool_input": input}));
    session
        .screen(&format!("● Bash({token})\r\n  Do you want to proceed?\r\n  ❯ 1. Yes {token}\r\n    2. No"));
    let output = json!({"tool_name": "Bash", "error": format!("Exit code 1\nerror: {token} {value}")});
    session.hook("PostToolUseFailure", output);
    session.screen(&format!("● The key is {token}"));
    session.hook("Stop", json!({"last_assistant_message": format!("The key is {token}, and {value}.")}));
    session.write("\x1b]0;✳ Claude Code\x07");

    let hello = session.redaction.message(ToServer::Now(session.core.now()));
    assert!(!serde_json::to_string(&hello).unwrap().contains(PART));
    let journal = std::fs::read(folder.path().join("journal.jsonl")).unwrap();
    let text = String::from_utf8(journal).unwrap();
    let sent = String::from_utf8_lossy(&session.sent);
    for (what, text) in [("the journal", &*text), ("what is sent", &*sent)] {
        let line = text.lines().find(|line| line.contains(PART));
        assert_eq!(line, None, "{what}");
        assert!(text.contains("[REDACTED:github.token:"), "{what}");
    }
    // It was there to be found: an event, an answer, the screen.
    for expected in ["\"type\":\"event\"", "\"type\":\"ended\"", "The key is [REDACTED:", "[REDACTED:env:"] {
        assert!(text.contains(expected), "{expected} in {text}");
    }
    assert!(
        sent.contains("ghp_****************") && sent.contains("\"title\":\"⠂ with [REDACTED:"),
        "{sent}"
    );
    // What the observer decides by is as it was.
    assert!(String::from_utf8_lossy(&session.core.snapshot()).contains(PART));
    assert!(String::from_utf8_lossy(&session.output).contains(&token));
    assert!(Arc::strong_count(session.redaction.redactor()) >= 2);
}
