//! A process is killed at a step of a delivery: observer, server or holder, after each receipt, at a random moment
//! within the next milliseconds. Must not: kill gently.
//!
//! What must hold: a text is pasted once at most; what is called completed was pasted once, as it was told, and
//! answered as the agent answered; what is called untyped was not pasted; everything settles.

use std::time::Duration;

use rustix::process::Signal;
use serde_json::{Value, json};

use super::verdict::{judge, told};
use super::{Plan, Random, Report, Slot, settled, side_by_side, word};
use crate::{Muster, signal};

/// After which receipts, in their order. Only a prompt with something to prepare has `prepared`.
pub const STEPS: [&str; 9] =
    ["leased", "offered", "prepared", "intent", "written", "seen", "submitted", "accepted", "ended"];

/// Who is killed.
pub const VICTIMS: [&str; 3] = ["observer", "server", "holder"];

/// Kills of the observer in one session, after which another session is taken: those who start it wait longer each
/// time.
const OBSERVERS_MAX: usize = 4;

/// Runs through all pairs of step and victim, again and again.
pub fn run(plan: &Plan) -> Report {
    let muster = plan.muster();
    side_by_side(plan, |number, runs| {
        let slot = Slot::start(&muster, number, &[]);
        let mut drill =
            Drill { muster: &muster, slot, killed: 0, report: Report::default(), sent: Vec::new() };
        for run in runs {
            let (step, victim) = (STEPS[run % STEPS.len()], VICTIMS[run / STEPS.len() % VICTIMS.len()]);
            drill.one(*run, step, victim, plan.random(*run));
        }
        drill.judge_all();
        drill.report
    })
}

struct Drill<'m> {
    muster: &'m Muster,
    slot: Slot<'m>,
    /// Observers killed in the present session.
    killed: usize,
    report: Report,
    /// Texts with what the product said became of them.
    sent: Vec<(String, Value)>,
}

impl Drill<'_> {
    fn one(&mut self, run: usize, step: &str, victim: &str, mut random: Random) {
        self.report.count("runs");
        self.slot.forget_steps();
        let text = format!("quick run {run}-{:x}", random.0);
        let prerequisites: &[&str] = if step == "prepared" { &["true"] } else { &[] };
        let id = self.slot.send(&json!({
            "text": text, "target": self.slot.name(), "attempts": 1, "accept_ms": 20_000, "timeout_ms": 30_000,
            "prerequisites": prerequisites,
        }));
        // From a microsecond to 20 ms: most within the first, some after the next step.
        let delay = random.moment(Duration::from_millis(20));
        let api = self.muster.api();
        let over = || api.get(&format!("/v1/prompts/{id}")).is_ok_and(|p| settled(&p));
        let came = step == "leased" || self.slot.await_step(step, over);
        self.report.count(format!("killed {victim} after {}", if came { step } else { "its end" }));
        std::thread::sleep(delay);
        self.kill(victim);
        let target_gone = victim == "holder";
        let ended = self.slot.await_settled(id, |p| settled(p) || (target_gone && is_back(p)));
        let Some(detail) = ended else {
            let last = self.muster.try_prompt(id).unwrap_or_default();
            self.report.faults.push(format!("run {run} ({victim} after {step}): stuck: {last}"));
            return self.renew();
        };
        self.report.count(told(&detail));
        if word(&detail, "/prompt/state") != "completed" {
            self.slot.clear(id);
        }
        self.sent.push((text, detail));
        if self.killed >= OBSERVERS_MAX {
            return self.renew();
        }
        if !self.slot.rest() {
            self.report
                .faults
                .push(format!("run {run} ({victim} after {step}): the session does not come to rest"));
            self.renew();
        }
    }

    fn renew(&mut self) {
        self.slot.end();
        self.slot.renew();
        self.killed = 0;
    }

    fn kill(&mut self, victim: &str) {
        match victim {
            "observer" => {
                let pid = crate::wait_for("an observer", || self.slot.observer());
                signal(pid, Signal::KILL);
                self.killed += 1;
            }
            "server" => signal(self.muster.server(), Signal::KILL),
            _ => {
                signal(self.slot.holder, Signal::KILL);
                self.slot.renew();
                self.killed = 0;
            }
        }
    }

    /// Once nothing more can come: what the agents received, against what was said of it.
    fn judge_all(&mut self) {
        let pasted = self.slot.pasted();
        for (text, detail) in &self.sent {
            let times = pasted.get(text).copied().unwrap_or_default();
            self.report.faults.extend(judge(text, times, detail));
        }
        let foreign = pasted.keys().filter(|text| !self.sent.iter().any(|(sent, _)| sent == *text));
        let faults = foreign.map(|text| format!("pasted, but never told so: {text:?}"));
        self.report.faults.extend(faults.collect::<Vec<_>>());
    }
}

/// A prompt of a session that has ended: it waits for another one, which will not come.
fn is_back(detail: &Value) -> bool {
    let prompt = &detail["prompt"];
    let untyped = ["session_gone", "not_idle", "stale_fence", "composer_unreadable"];
    match prompt["state"].as_str() {
        Some("pending") => true,
        Some("held") => prompt["hold"]["code"].as_str().is_some_and(|code| untyped.contains(&code)),
        _ => false,
    }
}
