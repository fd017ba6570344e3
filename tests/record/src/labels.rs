//! What was true during a recording, from the model server's log and the driver's own actions alone.
//! Must not: look at the screen, or at what the product concludes.

use std::collections::BTreeSet;
use std::time::Duration;

use actors::model::Entry;
use actors::setup::Driver;
use serde_json::{Value, json};

/// One thing the driver did or saw, with its time since the program's start.
#[derive(Debug, Clone, PartialEq)]
pub struct Action {
    /// When.
    pub at: Duration,
    /// What.
    pub what: Did,
}

/// What a driver does or sees.
#[derive(Debug, Clone, PartialEq)]
pub enum Did {
    /// Saw that the agent takes a prompt.
    Ready,
    /// Pressed Enter on a prompt; `took` when the model's server then got it.
    Submit { prompt: String, queued: bool, took: bool },
    /// Saw a dialog of this kind.
    Saw(String),
    /// Gave the permission.
    Approve,
    /// Refused it.
    Deny,
    /// Answered something else.
    Answer,
    /// Pressed the key that interrupts.
    Interrupt,
    /// Saw the file that a command makes at its end.
    File { outcome: String },
    /// Asked the agent to exit.
    Exit,
    /// The program ended with this status.
    Exited(i32),
}

/// One moment of either source.
enum Moment<'a> {
    Driver(&'a Did),
    Server(usize, &'a Entry),
}

/// The lines of the labels about states and events.
pub fn labels(driver: &Driver, actions: &[Action], log: &[(Duration, Entry)], end: Duration) -> Vec<Value> {
    let main = log.iter().enumerate().filter(|(_, (_, entry))| !entry.side);
    let mut moments: Vec<(Duration, Moment)> =
        main.map(|(n, (at, entry))| (*at, Moment::Server(n, entry))).collect();
    moments.extend(actions.iter().map(|a| (a.at, Moment::Driver(&a.what))));
    moments.sort_by_key(|(at, _)| *at);
    let mut truth = Truth {
        driver,
        asks: asks(driver, actions, log),
        log,
        actions,
        states: Vec::new(),
        events: Vec::new(),
        state: "starting",
        since: Duration::ZERO,
        src: "spawn".to_owned(),
        turns: 0,
        queued: 0,
        submitted: false,
    };
    for (at, moment) in moments {
        match moment {
            Moment::Driver(did) => truth.driver_did(at, did),
            Moment::Server(number, entry) => truth.server_did(at, number, entry),
        }
    }
    truth.go("end", end, "");
    truth.states.into_iter().chain(truth.events).collect()
}

/// The entries after which the agent waits, with the kind of dialog: the last one before each that the driver saw and
/// answered.
fn asks(driver: &Driver, actions: &[Action], log: &[(Duration, Entry)]) -> Vec<(usize, String)> {
    let mut asks = Vec::new();
    let mut from = Duration::ZERO;
    for action in actions {
        match &action.what {
            Did::Saw(kind) => {
                let waits =
                    |e: &Entry| !e.side && (e.what == "tool" || (driver.asks_after && e.what == "answered"));
                let before = log.iter().rposition(|(at, e)| waits(e) && *at >= from && *at <= action.at);
                asks.extend(before.map(|n| (n, kind.clone())));
            }
            Did::Submit { .. } | Did::Approve | Did::Deny | Did::Answer => from = action.at,
            _ => {}
        }
    }
    asks
}

struct Truth<'a> {
    driver: &'a Driver,
    asks: Vec<(usize, String)>,
    log: &'a [(Duration, Entry)],
    actions: &'a [Action],
    states: Vec<Value>,
    events: Vec<Value>,
    state: &'static str,
    since: Duration,
    src: String,
    turns: usize,
    queued: usize,
    submitted: bool,
}

fn seconds(at: Duration) -> f64 {
    (at.as_secs_f64() * 1e4).round() / 1e4
}

fn waiting(kind: &str) -> &'static str {
    if ["permission", "plan"].contains(&kind) { "waiting_permission" } else { "waiting_input" }
}

impl Truth<'_> {
    fn go(&mut self, state: &'static str, at: Duration, src: &str) {
        if state == self.state {
            return;
        }
        self.states.push(json!({
            "type": "state", "t0": seconds(self.since), "t1": seconds(at), "state": self.state, "src": self.src,
        }));
        (self.state, self.since, self.src) = (state, at, src.to_owned());
    }

    fn event(&mut self, at: Duration, name: &str, more: Value) {
        let mut event = json!({"type": "event", "t": seconds(at), "event": name});
        if let (Some(event), Value::Object(more)) = (event.as_object_mut(), more) {
            event.extend(more);
        }
        self.events.push(event);
    }

    fn turn_ended(&mut self, at: Duration, outcome: &str, src: &str) {
        self.event(at, &format!("task_{outcome}"), json!({"src": src}));
        self.go("idle", at, src);
    }

    fn turn_began(&mut self, at: Duration, src: &str, prompt: &str) {
        self.turns += 1;
        self.submitted = true;
        self.event(at, "task_submitted", json!({"n": self.turns, "prompt": prompt, "src": src}));
        self.go("busy", at, src);
    }

    fn driver_did(&mut self, at: Duration, did: &Did) {
        match did {
            Did::Ready => {
                if self.state != "busy" {
                    self.go("idle", at, "driver: the screen stood still with a composer");
                }
            }
            Did::Submit { prompt, took: false, .. } => {
                let src = "no request reached the server before the next key";
                self.event(at, "submit_ignored", json!({"prompt": prompt, "src": src}));
            }
            Did::Submit { prompt, queued, took: true } => {
                if *queued || self.state == "busy" {
                    self.queued += 1;
                    self.event(at, "task_queued", json!({"prompt": prompt}));
                } else {
                    self.turn_began(at, "driver pressed Enter", prompt);
                }
            }
            Did::Saw(kind) => {
                if !self.state.starts_with("waiting") {
                    self.go(waiting(kind), at, "driver saw the dialog; nothing told of it before");
                }
                self.event(at, "dialog_seen_by_driver", json!({"what": kind}));
            }
            Did::Approve | Did::Deny | Did::Answer => self.replied(at, did),
            Did::Interrupt => {
                self.event(at, "interrupt_key", json!({}));
                if self.state != "idle" {
                    self.turn_ended(at, "interrupted", "driver pressed the interrupt key");
                }
            }
            Did::File { outcome } => {
                self.turn_ended(at, outcome, "driver saw the file that the command makes at its end");
            }
            Did::Exit => self.event(at, "exit_command", json!({})),
            Did::Exited(code) => {
                self.event(at, "exited", json!({"code": code}));
                self.go("exited", at, "waitpid");
            }
        }
    }

    fn replied(&mut self, at: Duration, did: &Did) {
        let name = match did {
            Did::Approve => "permission_approved",
            Did::Deny => "permission_denied",
            _ => "input_answered",
        };
        self.event(at, name, json!({}));
        if !self.submitted {
            self.go("starting", at, "driver answered");
        } else if self.driver.asks_after && self.is_last_of_turn(at) {
            self.go("busy", at, "driver answered");
            self.turn_ended(at, "completed", "driver answered the last question, and no request followed");
        } else if *did == Did::Deny && self.is_last_of_turn(at) {
            self.turn_ended(at, "interrupted", "driver denied the permission, and no request followed");
        } else {
            self.go("busy", at, "driver answered");
        }
    }

    /// Whether neither a request nor a dialog follows before the driver's next prompt or exit.
    fn is_last_of_turn(&self, at: Duration) -> bool {
        let mut after = self.actions.iter().filter(|a| a.at > at);
        let next =
            after.find(|a| matches!(a.what, Did::Submit { .. } | Did::Exit | Did::Exited(_) | Did::Saw(_)));
        let until = next.map_or(Duration::MAX, |a| a.at);
        let asked = next.is_some_and(|a| matches!(a.what, Did::Saw(_)));
        !asked && !self.requests(at, until)
    }

    fn requests(&self, from: Duration, until: Duration) -> bool {
        self.log.iter().any(|(at, e)| e.what == "request" && !e.side && *at > from && *at < until)
    }

    fn server_did(&mut self, at: Duration, number: usize, entry: &Entry) {
        let asks = self.asks.iter().find(|(n, _)| *n == number).map(|(_, kind)| kind.clone());
        match entry.what {
            "request" if self.state == "idle" && self.queued > 0 => {
                self.queued -= 1;
                self.turn_began(at, "server got the request of a queued prompt", &entry.text);
            }
            "tool" => self.event(at, "tool_use_sent", json!({"tools": [entry.text]})),
            "closed" => self.event(at, "client_closed", json!({})),
            "error" => self.failed(at, entry),
            "answered" if self.state == "busy" && asks.is_none() => {
                let outcome = if entry.failed { "failed" } else { "completed" };
                self.turn_ended(at, outcome, "server: the final answer was sent");
            }
            _ => {}
        }
        if let Some(kind) = asks {
            self.go(waiting(&kind), at, "server: what it sent makes the agent ask");
        }
    }

    fn failed(&mut self, at: Duration, entry: &Entry) {
        let next = self.actions.iter().find(|a| {
            a.at > at && matches!(a.what, Did::Submit { .. } | Did::Exit | Did::Exited(_) | Did::Interrupt)
        });
        let until = next.map_or(Duration::MAX, |a| a.at);
        if self.requests(at, until) {
            self.event(at, "api_error_retry", json!({"status": entry.status}));
        } else if self.state == "busy" && !next.is_some_and(|a| a.what == Did::Interrupt) {
            self.turn_ended(at, "failed", "server: an error, and no further try");
        }
    }
}

/// Whether the labels hold together: every state lasts, and every turn that began has ended.
pub fn faults(labels: &[Value]) -> Vec<String> {
    let mut faults = Vec::new();
    let words = |name: &str| labels.iter().filter_map(|l| l[name].as_str()).collect::<Vec<_>>();
    let states: BTreeSet<_> = words("state").into_iter().collect();
    if !states.contains("idle") || words("state").last() != Some(&"exited") {
        faults.push("the agent was not seen idle, or did not end".to_owned());
    }
    let count = |name: &str| words("event").into_iter().filter(|e| *e == name).count();
    let ended = count("task_completed") + count("task_failed") + count("task_interrupted");
    if count("task_submitted") != ended {
        faults.push(format!("{} turns began and {ended} ended", count("task_submitted")));
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(at: u64, what: &'static str) -> (Duration, Entry) {
        let (script, text) = ("s".to_owned(), "words".to_owned());
        let entry = Entry { at_us: 0, what, script, step: 0, text, side: false, status: None, failed: false };
        (Duration::from_secs(at), entry)
    }

    fn did(at: u64, what: Did) -> Action {
        Action { at: Duration::from_secs(at), what }
    }

    fn submit(at: u64, queued: bool) -> Action {
        did(at, Did::Submit { prompt: "do it".to_owned(), queued, took: true })
    }

    /// States with their beginnings, and events with their times.
    fn told(driver: &Driver, actions: &[Action], log: &[(Duration, Entry)]) -> (Vec<String>, Vec<String>) {
        let labels = labels(driver, actions, log, Duration::from_secs(99));
        let tell = |name: &str, time: &str| {
            let rows = labels.iter().filter(|l| l[name].is_string());
            rows.map(|l| format!("{} {}", l[time], l[name].as_str().unwrap_or_default())).collect()
        };
        (tell("state", "t0"), tell("event", "t"))
    }

    #[test]
    fn a_wait_begins_with_the_servers_word_and_ends_with_the_drivers_key() {
        let actions = [
            did(2, Did::Ready),
            submit(10, false),
            did(14, Did::Saw("permission".to_owned())),
            did(16, Did::Approve),
            did(30, Did::Exit),
            did(31, Did::Exited(0)),
        ];
        let log = [entry(11, "request"), entry(12, "tool"), entry(17, "request"), entry(20, "answered")];
        let (states, events) = told(&Driver::default(), &actions, &log);
        let wanted = [
            "0.0 starting",
            "2.0 idle",
            "10.0 busy",
            "12.0 waiting_permission",
            "16.0 busy",
            "20.0 idle",
            "31.0 exited",
        ];
        assert_eq!(states, wanted);
        assert!(events.contains(&"20.0 task_completed".to_owned()), "{events:?}");
    }

    #[test]
    fn a_denial_ends_the_turn_when_no_request_follows_it() {
        let actions = |end| {
            [
                did(1, Did::Ready),
                submit(2, false),
                did(5, Did::Saw("permission".to_owned())),
                did(6, Did::Deny),
                did(end, Did::Exit),
            ]
        };
        let log = [entry(3, "request"), entry(4, "tool"), entry(7, "request"), entry(8, "answered")];
        let (_, events) = told(&Driver::default(), &actions(20), &log[..2]);
        assert!(events.contains(&"6.0 task_interrupted".to_owned()), "{events:?}");
        let (_, events) = told(&Driver::default(), &actions(20), &log);
        assert!(!events.contains(&"6.0 task_interrupted".to_owned()), "{events:?}");
        assert!(events.contains(&"8.0 task_completed".to_owned()), "{events:?}");
    }

    #[test]
    fn an_error_is_a_failure_only_when_no_other_try_follows() {
        let actions = [did(1, Did::Ready), submit(2, false), did(20, Did::Exit)];
        let log = [entry(3, "request"), entry(4, "error"), entry(5, "request"), entry(6, "error")];
        let (states, events) = told(&Driver::default(), &actions, &log);
        assert_eq!(events[1..3], ["4.0 api_error_retry", "6.0 task_failed"]);
        assert_eq!(states.last().map(String::as_str), Some("6.0 idle"));
    }

    #[test]
    fn a_prompt_that_waited_begins_a_turn_of_its_own() {
        let actions = [did(1, Did::Ready), submit(2, false), submit(4, true), did(20, Did::Exit)];
        let log = [entry(3, "request"), entry(5, "answered"), entry(6, "request"), entry(7, "answered")];
        let (_, events) = told(&Driver::default(), &actions, &log);
        let wanted = [
            "2.0 task_submitted",
            "4.0 task_queued",
            "5.0 task_completed",
            "6.0 task_submitted",
            "7.0 task_completed",
        ];
        assert_eq!(events[..5], wanted);
    }

    #[test]
    fn an_agent_that_asks_after_the_answer_is_done_when_it_is_answered() {
        let asks_after = Driver { asks_after: true, ..Driver::default() };
        let actions = [
            did(1, Did::Ready),
            submit(2, false),
            did(5, Did::Saw("permission".to_owned())),
            did(6, Did::Approve),
            did(7, Did::Saw("question".to_owned())),
            did(8, Did::Answer),
            did(20, Did::Exit),
        ];
        let (states, events) = told(&asks_after, &actions, &[entry(3, "request"), entry(4, "answered")]);
        let wanted = [
            "0.0 starting",
            "1.0 idle",
            "2.0 busy",
            "4.0 waiting_permission",
            "6.0 busy",
            "7.0 waiting_input",
            "8.0 busy",
            "8.0 idle",
        ];
        assert_eq!(states, wanted);
        assert!(events.contains(&"8.0 task_completed".to_owned()), "{events:?}");
    }
}
