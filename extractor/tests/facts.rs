//! What hooks and transcripts tell, together with what the terminal shows: fast when they agree, right when not.

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use extractor::{Cause, EventKind, Extractor, Keys, Observation, Origin, Seen, State, TurnOutcome};
use patterns::Library;
use patterns::fact::From;
use serde_json::{Value, json};

const LINE: &str = "────────────────────────────────────────────────────────────";

struct Session {
    extractor: Extractor,
    now: Duration,
    seen: Vec<Observation>,
}

impl Session {
    /// An idle agent of this kind.
    fn idle(agent: &str) -> Self {
        let agent = Library::builtin().agent(agent).unwrap();
        let extractor = Extractor::new(agent, 100, 30);
        let mut session = Self { extractor, now: Duration::ZERO, seen: Vec::new() };
        session.title("✳ Claude Code");
        session.screen(&["● Welcome"], "? for shortcuts");
        session.pass(5_000);
        assert_eq!(session.state(), State::Idle);
        session.seen.clear();
        session
    }

    fn pass(&mut self, ms: u64) {
        let until = self.now + Duration::from_millis(ms);
        while let Some(due) = self.extractor.due().filter(|due| *due <= until && *due > self.now) {
            self.now = due;
            self.extractor.tick(due, &mut self.seen);
        }
        self.now = until;
        self.extractor.tick(until, &mut self.seen);
    }

    fn write(&mut self, text: &str) {
        self.extractor.output(self.now, text.as_bytes(), &mut self.seen);
    }

    fn title(&mut self, title: &str) {
        self.write(&format!("\x1b]0;{title}\x07"));
    }

    /// Draws rows, an empty composer and a footer.
    fn screen(&mut self, rows: &[&str], footer: &str) {
        let rows = rows.join("\r\n");
        self.write(&format!("\x1b[2J\x1b[H{rows}\r\n{LINE}\r\n❯ \r\n{LINE}\r\n  {footer}"));
    }

    fn fact(&mut self, from: From, payload: Value) {
        self.extractor.fact(self.now, from, payload.to_string().as_bytes(), &mut self.seen);
    }

    fn hook(&mut self, name: &str, mut payload: Value) {
        payload["hook_event_name"] = json!(name);
        self.fact(From::Hook, payload);
    }

    fn enter(&mut self) {
        self.extractor.input(self.now, Keys { enter: true, ..Keys::default() }, &mut self.seen);
    }

    fn state(&self) -> State {
        self.extractor.claim().state
    }

    fn ends(&self) -> Vec<(TurnOutcome, &str)> {
        let end = |one: &'_ Observation| match &one.what {
            Seen::TurnEnded { outcome, .. } => Some(*outcome),
            _ => None,
        };
        let answers = self.seen.iter().filter_map(|one| match &one.what {
            Seen::TurnEnded { answer, .. } => Some(answer.as_str()),
            _ => None,
        });
        self.seen.iter().filter_map(end).zip(answers).collect()
    }

    fn events(&self, kind: EventKind) -> Vec<&extractor::Event> {
        let events = self.seen.iter().filter_map(|one| match &one.what {
            Seen::Event(event) => Some(event),
            _ => None,
        });
        events.filter(|event| event.kind == kind).collect()
    }
}

#[test]
fn a_turn_begins_before_anything_is_drawn_and_ends_with_the_whole_answer() {
    let mut session = Session::idle("claude");
    session.enter();
    session.hook("UserPromptSubmit", json!({"prompt": "hello"}));
    assert_eq!(session.state(), State::Busy);
    session.pass(300);
    session.title("◐ Claude Code");
    session.screen(&["❯ hello", "✻ Brewing…"], "esc to interrupt");
    session.pass(3_000);
    let long = "All of it. ".repeat(9_000);
    session.hook("Stop", json!({"last_assistant_message": long, "background_tasks": []}));
    session.title("✳ Claude Code");
    session.screen(&["❯ hello", "● …the end of it."], "? for shortcuts");
    session.pass(100);
    assert_eq!(session.ends(), [(TurnOutcome::Completed, long.trim())]);
    assert_eq!(session.extractor.claim().source, extractor::Source::Hook);
}

#[test]
fn an_end_that_another_hook_overrules_is_no_end() {
    let mut session = Session::idle("claude");
    session.enter();
    session.hook("UserPromptSubmit", json!({"prompt": "go"}));
    session.screen(&["❯ go", "● Done.", "✻ Brewing… (running stop hooks… 1/2)"], "esc to interrupt");
    session.pass(200);
    session.hook("Stop", json!({"last_assistant_message": "Done."}));
    for second in 1..6 {
        let spinner = format!("✻ Brewing… (running stop hooks… 1/2 · {second}s)");
        session.screen(&["❯ go", "● Done.", &spinner], "esc to interrupt");
        session.pass(1_000);
        assert_eq!((session.state(), session.ends().len()), (State::Busy, 0));
    }
    session.hook("Stop", json!({"last_assistant_message": "Really done."}));
    session.screen(&["❯ go", "● Done.", "● Really done."], "? for shortcuts");
    session.pass(100);
    assert_eq!(session.ends(), [(TurnOutcome::Completed, "Really done.")]);
}

#[test]
fn an_interrupt_that_no_hook_tells_does_not_pin_the_state() {
    for title in [true, false] {
        let mut session = Session::idle("claude");
        session.enter();
        session.hook("UserPromptSubmit", json!({"prompt": "go"}));
        if title {
            session.title("◐ Claude Code");
        }
        session.screen(&["❯ go", "✻ Brewing…"], "esc to interrupt");
        session.pass(4_000);
        session.extractor.input(session.now, Keys { escape: true, ..Keys::default() }, &mut session.seen);
        if title {
            session.title("✳ Claude Code");
        }
        session.screen(&["❯ go", "  ⎿  Interrupted · What should Claude do instead?"], "? for shortcuts");
        session.pass(4_000);
        assert_eq!((session.state(), session.ends()[0].0), (State::Idle, TurnOutcome::Interrupted));
    }
}

#[test]
fn a_failure_that_a_hook_tells_has_its_cause_and_its_end() {
    let mut session = Session::idle("claude");
    session.enter();
    session.hook("UserPromptSubmit", json!({"prompt": "go"}));
    session.pass(500);
    let said = "You've hit your limit · resets 3pm (UTC)";
    session.hook("StopFailure", json!({"error": "rate_limit", "last_assistant_message": said}));
    session.pass(100);
    let ended = session.seen.iter().find_map(|one| match &one.what {
        Seen::TurnEnded { outcome, cause, until, .. } => Some((*outcome, *cause, until.as_deref())),
        _ => None,
    });
    assert_eq!(ended, Some((TurnOutcome::Failed, Some(Cause::RateLimited), Some("3pm (UTC)"))));
}

#[test]
fn a_permission_is_told_with_its_tool_and_arguments() {
    let mut session = Session::idle("claude");
    session.enter();
    session.hook("UserPromptSubmit", json!({"prompt": "go"}));
    session.title("◐ Claude Code");
    session.pass(500);
    session.hook("PermissionRequest", json!({"tool_name": "Bash", "tool_input": {"command": "rm -r x"}}));
    session.title("✳ Claude Code");
    let dialog =
        [LINE, " Bash command", "", "   rm -r x", "", " Do you want to proceed?", " ❯ 1. Yes", "   2. No"];
    session.write(&format!("\x1b[2J\x1b[H{}\r\n\r\n Esc to cancel", dialog.join("\r\n")));
    session.pass(50);
    assert_eq!(session.state(), State::WaitingPermission);
    let request = session.extractor.dialog().unwrap().request.clone().unwrap();
    assert_eq!((request.tool.as_str(), request.detail.as_str()), ("Bash", "rm -r x"));
    assert_eq!(serde_json::from_str::<Value>(&request.arguments).unwrap(), json!({"command": "rm -r x"}));
    // Refused by a person: no hook says so.
    session.extractor.input(session.now, Keys { escape: true, ..Keys::default() }, &mut session.seen);
    session.screen(&["❯ go", "  ⎿  Interrupted · What should Claude do instead?"], "? for shortcuts");
    session.pass(4_000);
    assert_eq!((session.state(), session.ends()[0].0), (State::Idle, TurnOutcome::Interrupted));
}

#[test]
fn what_a_tool_printed_is_found_once_and_is_the_tools() {
    let mut session = Session::idle("claude");
    session.enter();
    session.hook("UserPromptSubmit", json!({"prompt": "test"}));
    let failed = "FAILED tests/test_a.py::test_add - assert 4 == 5";
    let call = json!({"tool_name": "Bash", "tool_input": {"command": "pytest"}, "error": format!("Exit code 1\n{failed}")});
    session.hook("PreToolUse", call.clone());
    session.hook("PostToolUseFailure", call);
    session.screen(&["❯ test", "● Bash(pytest)", &format!("  ⎿  {failed}"), failed], "esc to interrupt");
    session.pass(2_000);
    let found = session.events(EventKind::TestResult);
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].origin, found[0].fields["name"].as_str()),
        (Origin::Tool, "tests/test_a.py::test_add")
    );
    let commands = session.events(EventKind::Command);
    assert_eq!(commands.len(), 1, "the screen's own words about the call are not counted again");
    assert_eq!(
        (commands[0].fields["command"].as_str(), commands[0].fields["status"].as_str()),
        ("pytest", "1")
    );
}

#[test]
fn work_left_in_the_background_is_told_apart() {
    let mut session = Session::idle("claude");
    session.enter();
    session.hook("UserPromptSubmit", json!({"prompt": "go"}));
    session.pass(200);
    session.hook("Stop", json!({"last_assistant_message": "It runs.", "background_tasks": [{"id": "b1"}]}));
    session.pass(200);
    assert_eq!((session.state(), session.extractor.claim().background), (State::Idle, true));
}

#[test]
fn hooks_of_subagents_and_hidden_turns_end_nothing() {
    let mut session = Session::idle("claude");
    session.enter();
    session.hook("UserPromptSubmit", json!({"prompt": "go"}));
    session.hook("Stop", json!({"agent_id": "a1", "last_assistant_message": "Part one."}));
    session.fact(From::Hook, json!({"anything": "else"}));
    session.extractor.fact(session.now, From::Hook, b"no json", &mut session.seen);
    session.pass(200);
    assert_eq!((session.state(), session.ends().len()), (State::Busy, 0));

    let mut session = Session::idle("claude");
    session.extractor = Extractor::new(Library::builtin().agent("codex").unwrap(), 100, 30);
    session.write("\x1b]7501;state=idle:app=codex\x1b\\");
    session.pass(1_000);
    session.enter();
    session.write("\x1b]7501;state=working:app=codex\x1b\\");
    session.pass(1_000);
    let title = "Generate a concise, single-line task title of at most 36 characters";
    session.fact(
        From::Hook,
        json!({"type": "agent-turn-complete", "input-messages": [title], "last-assistant-message": "A title"}),
    );
    session.pass(1_000);
    assert_eq!(session.state(), State::Busy);
    session.fact(
        From::Transcript,
        json!({"type": "event_msg", "payload": {"type": "task_complete", "last_agent_message": "The answer."}}),
    );
    session.write("\x1b]7501;state=done:app=codex\x1b\\");
    session.pass(1_000);
    assert_eq!(session.ends(), [(TurnOutcome::Completed, "The answer.")]);
}

#[test]
fn a_prompt_that_was_queued_begins_a_turn_of_its_own() {
    let mut session = Session::idle("claude");
    session.enter();
    session.hook("UserPromptSubmit", json!({"prompt": "one"}));
    session.title("◐ Claude Code");
    session.screen(&["❯ one", "✻ Brewing…"], "esc to interrupt");
    session.pass(2_000);
    session.hook("Stop", json!({"last_assistant_message": "First."}));
    session.hook("UserPromptSubmit", json!({"prompt": "two"}));
    session.pass(2_000);
    session.hook("Stop", json!({"last_assistant_message": "Second."}));
    session.title("✳ Claude Code");
    session.screen(&["❯ two", "● Second."], "? for shortcuts");
    session.pass(500);
    assert_eq!(session.ends(), [(TurnOutcome::Completed, "First."), (TurnOutcome::Completed, "Second.")]);
}

/// Draws the dialog that asks whether a command may run, with the cursor at one of its options.
fn dialog(session: &mut Session, cursor: usize) {
    let option =
        |at: usize, label: &str| format!(" {} {}. {label}", if at == cursor { "❯" } else { " " }, at + 1);
    let rows = [" Bash command".to_owned(), String::new(), "   touch made.txt".to_owned(), String::new()];
    let rows =
        rows.into_iter().chain([" Do you want to proceed?".to_owned(), option(0, "Yes"), option(1, "No")]);
    let rows = rows.chain([String::new(), " Esc to cancel · Tab to amend".to_owned()]).collect::<Vec<_>>();
    session.write(&format!("\x1b[2J\x1b[H● Working\r\n{LINE}\r\n{}", rows.join("\r\n")));
    session.pass(400);
}

fn place(session: &Session) -> u64 {
    session.extractor.dialog().unwrap().place
}

#[test]
fn a_dialog_stays_where_it_appeared_while_it_is_redrawn_and_its_cursor_moves() {
    let mut session = Session::idle("claude");
    let text = Keys { text: true, ..Keys::default() };
    dialog(&mut session, 0);
    let first = place(&session);
    dialog(&mut session, 0);
    session.extractor.input(session.now, text, &mut session.seen);
    dialog(&mut session, 1);
    session.pass(60_000);
    dialog(&mut session, 0);
    assert_eq!(place(&session), first);
}

#[test]
fn a_dialog_that_reads_like_the_answered_one_is_another() {
    let answer = Keys { queue: true, text: true, ..Keys::default() };
    // It was gone for a moment; the agent asked anew; nobody saw anything but that it stands on.
    for case in ["gone", "asked", "stands"] {
        let mut session = Session::idle("claude");
        let asked = json!({"tool_name": "Bash", "tool_input": {"command": "touch made.txt"}});
        session.hook("PermissionRequest", asked.clone());
        dialog(&mut session, 0);
        let first = place(&session);
        session.extractor.input(session.now, answer, &mut session.seen);
        match case {
            "gone" => {
                session.screen(&["● Working"], "esc to interrupt");
                session.pass(50);
            }
            "asked" => session.hook("PermissionRequest", asked),
            _ => session.pass(6_100),
        }
        dialog(&mut session, 0);
        assert_ne!(place(&session), first, "{case}");
        assert!(session.extractor.dialog().unwrap().request.is_some());
    }
}

#[test]
fn a_request_tells_what_it_would_do_only_when_the_profile_can_tell() {
    let mut session = Session::idle("claude");
    let mut told = |tool: &str, input: Value| {
        session.hook("PreToolUse", json!({"tool_name": tool, "tool_input": input}));
        session.hook("PermissionRequest", json!({"tool_name": tool, "tool_input": input}));
        dialog(&mut session, 0);
        let request = session.extractor.dialog().unwrap().request.clone().unwrap();
        (request.action.as_str(), request.command, request.paths.join(" "))
    };
    let none = String::new;
    let command = Some("ls -l".to_owned());
    assert_eq!(told("Bash", json!({"command": "ls -l"})), ("shell", command, none()));
    assert_eq!(told("Bash", json!({"command": ["ls"]})), ("shell", None, none()), "not as a text");
    assert_eq!(told("Bash", json!({"command": "x".repeat(16_001)})), ("shell", None, none()), "not whole");
    let outside = json!({"command": "ls", "dangerouslyDisableSandbox": true});
    assert_eq!(told("Bash", outside), ("other", None, none()));
    assert_eq!(told("BashOutput", json!({"command": "ls"})), ("other", None, none()));
    assert_eq!(told("Edit", json!({"file_path": "/a/b"})), ("edit", None, "/a/b".into()));
    assert_eq!(
        told("Edit", json!({"file_path": {"a": 1}})),
        ("edit", None, none()),
        "no path: it lies nowhere"
    );
    assert_eq!(told("Write", json!({})).2, "", "a tool that must name a path and does not");
    assert_eq!(told("NotebookEdit", json!({"notebook_path": "/n"})), ("edit", None, "/n".into()));
    assert_eq!(told("Grep", json!({"pattern": "x"})), ("read", None, ".".into()));
    assert_eq!(told("Glob", json!({"pattern": "/etc/*", "path": "/a"})), ("read", None, "/a /etc/*".into()));
    assert_eq!(told("WebFetch", json!({"url": "http://x"})), ("fetch", None, none()));
    assert_eq!(told("mcp__files__write", json!({"file_path": "/a"})), ("other", None, none()));
}

#[test]
fn a_request_is_alone_only_while_no_other_waits_for_its_outcome() {
    let mut session = Session::idle("claude");
    dialog(&mut session, 0);
    let call = |command: &str| json!({"tool_name": "Bash", "tool_input": {"command": command}});
    let alone = |session: &Session| session.extractor.dialog().unwrap().request.as_ref().unwrap().alone;
    session.hook("PermissionRequest", call("a"));
    assert!(alone(&session));
    session.hook("PreToolUse", call("b"));
    session.hook("PermissionRequest", call("b"));
    assert!(!alone(&session), "the dialog may still be the first's");
    session.hook("PostToolUse", call("a"));
    session.hook("PostToolUse", call("b"));
    session.hook("PermissionRequest", call("c"));
    assert!(alone(&session));
    session.hook("UserPromptSubmit", json!({"prompt": "x"}));
    session.hook("PermissionRequest", call("d"));
    assert!(alone(&session), "an interrupted turn's request waits for nothing");
}
