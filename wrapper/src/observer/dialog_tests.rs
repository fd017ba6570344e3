//! An answer reaches the dialog it was meant for, and no other that reads the same.

use std::time::Duration;

use extractor::Keys;
use serde_json::{Value, json};
use wire::UnixMillis;
use wire::session::Dialog;
use wire::wrapper::Choice;

use super::calendar::Time;
use super::core::Core;
use super::question::By;
use crate::journal::Journal;
use crate::recording::{From, Moment, Record};
use crate::redaction::Redaction;

const LINE: &str = "────────────────────────────────────────────────────────────";

struct Session {
    core: Core,
    now: Duration,
    /// What an observer that starts over reads.
    records: Vec<Moment>,
    _folder: tempfile::TempDir,
}

impl Session {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut session =
            Self { core: core(&folder), now: Duration::ZERO, records: Vec::new(), _folder: folder };
        session.write(&format!("\x1b[2J\x1b[H● Welcome\r\n{LINE}\r\n❯ \r\n{LINE}\r\n  ? for shortcuts"));
        session
    }

    fn record(&mut self, record: Record) {
        self.now += Duration::from_millis(300);
        let moment = Moment { at: self.now, record };
        self.records.push(moment.clone());
        let now = self.clock();
        self.core.moment(moment, now, &mut Vec::new());
        self.now += Duration::from_millis(300);
        let now = self.clock();
        self.core.time(now, &mut Vec::new());
    }

    fn clock(&self) -> Time {
        Time { at: self.now, day: UnixMillis(0).after(self.now) }
    }

    fn write(&mut self, text: &str) {
        self.record(Record::Output(text.as_bytes().to_vec()));
    }

    fn hook(&mut self, name: &str, tool: &str, input: Value) {
        let payload = json!({"hook_event_name": name, "tool_name": tool, "tool_input": input});
        self.record(Record::Told(From::Hook, payload.to_string().into_bytes()));
    }

    fn ask(&mut self, command: &str, cursor: usize) {
        let option =
            |at: usize, label: &str| format!(" {} {}. {label}", if at == cursor { "❯" } else { " " }, at + 1);
        let options = format!("{}\r\n{}", option(0, "Yes"), option(1, "No"));
        self.write(&format!(
            "\x1b[2J\x1b[H● Working\r\n{LINE}\r\n Bash command\r\n\r\n   {command}\r\n\r\n Do you want to proceed?\r\n\
             {options}\r\n\r\n Esc to cancel · Tab to amend"
        ));
    }

    /// Waits until a person had time to look.
    fn look(&mut self) -> Dialog {
        self.now += Duration::from_millis(600);
        self.core.question.open().unwrap().clone()
    }

    fn answer(&mut self, id: &str, by: By) -> Result<Vec<u8>, String> {
        let now = self.clock();
        self.core.answer(id, &Choice::Approve, by, now).map_err(|hold| hold.text)
    }
}

fn core(folder: &tempfile::TempDir) -> Core {
    let journal = Journal::open(folder.path()).unwrap();
    let agent = patterns::Library::builtin().agent("claude").unwrap();
    let pid = std::process::id() as i32;
    Core::new(agent, pid, "/".into(), journal, UnixMillis(0), Redaction::with([], [0; 16]))
}

#[test]
fn a38_the_answer_to_a_dialog_is_refused_for_the_next_that_reads_the_same() {
    let mut session = Session::new();
    session.ask("touch made.txt", 0);
    let first = session.look();
    session.ask("touch made.txt", 1);
    session.ask("touch made.txt", 0);
    assert_eq!(session.look().id, first.id, "redrawn, and its cursor moved");
    session.record(Record::Input(Keys { enter: true, ..Keys::default() }, Vec::new()));
    session.write("\x1b[2J\x1b[H● Working");
    session.ask("touch made.txt", 0);
    let second = session.look();
    assert_eq!((&first.body, &first.options), (&second.body, &second.options));
    assert_ne!(first.id, second.id);
    assert!(session.answer(&first.id, By::Person).unwrap_err().contains("changed"));
    assert_eq!(session.answer(&second.id, By::Person), Ok(b"1".to_vec()));
}

#[test]
fn a38_a_dialog_is_answered_once_unless_the_keys_were_not_written() {
    let mut session = Session::new();
    session.ask("ls", 0);
    let dialog = session.look();
    assert!(session.answer(&dialog.id, By::Person).is_ok());
    assert!(session.answer(&dialog.id, By::Person).unwrap_err().contains("answered"));
    session.core.question.not_written();
    assert!(session.answer(&dialog.id, By::Person).is_ok());
}

#[test]
fn a38_an_observer_that_starts_over_knows_the_dialog_again() {
    let mut session = Session::new();
    session.hook("PermissionRequest", "Bash", json!({"command": "ls"}));
    session.ask("ls", 0);
    let dialog = session.look();
    let elsewhere = tempfile::tempdir().unwrap();
    let now = session.clock();
    let mut again = core(&elsewhere);
    for moment in &session.records {
        again.moment(moment.clone(), now, &mut Vec::new());
    }
    again.time(now, &mut Vec::new());
    assert_eq!(again.question.open(), Some(&dialog));
    let answer = Record::Input(Keys { queue: true, text: true, ..Keys::default() }, Vec::new());
    again.moment(Moment { at: session.now, record: answer }, now, &mut Vec::new());
    session.now += Duration::from_secs(90);
    let refused = again.answer(&dialog.id, &Choice::Approve, By::Person, session.clock());
    assert!(refused.unwrap_err().text.contains("answered"), "by the observer before it");
}

#[test]
fn a38_another_request_is_another_dialog() {
    let mut session = Session::new();
    session.hook("PermissionRequest", "Bash", json!({"command": "ls"}));
    session.ask("ls", 0);
    let first = session.look();
    session.hook("PermissionRequest", "Bash", json!({"command": "ls", "description": "other"}));
    let second = session.look();
    assert_eq!(first.body, second.body);
    assert_ne!(first.id, second.id);
}

#[test]
fn a40_a_rule_needs_no_grace_but_the_request_that_it_judged() {
    let mut session = Session::new();
    session.ask("ls", 0);
    let bare = session.look();
    assert!(session.answer(&bare.id, By::Rule).unwrap_err().contains("did not tell"), "only on the screen");
    session.hook("PermissionRequest", "Bash", json!({"command": "ls"}));
    let told = session.core.question.open().unwrap().id.clone();
    session.now -= Duration::from_millis(300);
    assert!(session.answer(&told, By::Person).unwrap_err().contains("just appeared"));
    assert_eq!(session.answer(&told, By::Rule), Ok(b"1".to_vec()));
}

#[test]
fn a40_a_rule_answers_no_dialog_that_shows_another_request() {
    let mut session = Session::new();
    session.hook("PermissionRequest", "Bash", json!({"command": "ls"}));
    session.ask("rm -rf /", 0);
    let dialog = session.look();
    assert!(session.answer(&dialog.id, By::Rule).unwrap_err().contains("does not show"));
}

#[test]
fn a40_a_rule_answers_no_dialog_while_the_agent_asks_for_several_things() {
    let mut session = Session::new();
    session.hook("PermissionRequest", "Bash", json!({"command": "rm x"}));
    session.hook("PermissionRequest", "Bash", json!({"command": "ls"}));
    session.ask("ls", 0);
    let dialog = session.look();
    assert!(session.answer(&dialog.id, By::Rule).unwrap_err().contains("something else"));
    assert!(session.answer(&dialog.id, By::Person).is_ok());
}

#[test]
fn a40_a_rule_answers_a_request_once_even_when_its_dialog_stands_on() {
    let mut session = Session::new();
    session.hook("PermissionRequest", "Bash", json!({"command": "ls"}));
    session.ask("ls", 0);
    let first = session.look();
    assert!(session.answer(&first.id, By::Rule).is_ok());
    session.record(Record::Input(Keys { queue: true, text: true, ..Keys::default() }, Vec::new()));
    session.now += Duration::from_secs(7);
    session.write("\x1b[H");
    let second = session.look();
    assert_ne!(first.id, second.id);
    assert!(session.answer(&second.id, By::Rule).unwrap_err().contains("already"));
    assert!(session.answer(&second.id, By::Person).is_ok());
}
