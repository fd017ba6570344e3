//! A process dies at a point of its own code, while one prompt goes its way: at the first time it comes there, at the
//! second, and so on until it comes there no more. Must not: choose.
//!
//! What must hold: what [`super::kill`] demands, and the database is sound. Only programs with their assertions on have
//! such points.

use std::path::PathBuf;

use serde_json::json;

use super::verdict::{judge, told};
use super::{Plan, Report, SETTLE, Slot, settled, side_by_side, sound, word};
use crate::Muster;

/// The points, with who dies there.
pub const POINTS: [(&str, Victim); 6] = [
    ("store.commit", Victim::Server),
    ("store.committed", Victim::Server),
    ("journal.write", Victim::Observer),
    ("journal.written", Victim::Observer),
    ("holder.type", Victim::Holder),
    ("holder.typed", Victim::Holder),
];

/// Times at a point after which a prompt is certain to be over.
const TIMES_MAX: usize = 200;

/// Who dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Victim {
    /// The server.
    Server,
    /// The observer.
    Observer,
    /// The holder, and the session with it.
    Holder,
}

/// A point at which a process is to die once.
pub struct Point {
    asks: String,
    passed: PathBuf,
}

impl Point {
    /// The variable that asks for it.
    pub const VARIABLE: &str = "MUSTER_FAULT_KILL";

    /// At a point, the `nth` time.
    pub fn new(muster: &Muster, name: &str, nth: usize) -> Self {
        let passed = muster.folder().join(format!("died-{name}-{nth}"));
        Self { asks: format!("{name}:{nth}:{}", passed.display()), passed }
    }

    /// The variable's value.
    pub fn asks(&self) -> &str {
        &self.asks
    }

    /// Whether a process has died there.
    pub fn was_passed(&self) -> bool {
        self.passed.exists()
    }
}

/// `runs` is how many times apart the deaths at one point are, 1 for all of them; `seed` says where to begin.
pub fn run(plan: &Plan) -> Report {
    let apart = plan.runs.max(1);
    let points = Plan { runs: POINTS.len(), ..plan.clone() };
    side_by_side(&points, |_, numbers| {
        let mut report = Report::default();
        for number in numbers {
            let (name, victim) = POINTS[*number];
            let first = 1 + plan.seed as usize % apart;
            for nth in (first..TIMES_MAX).step_by(apart) {
                let muster = plan.muster();
                let point = Point::new(&muster, name, nth);
                if let Err(fault) = one(&muster, &point, victim, nth, &mut report) {
                    report.fault(format!("{name} {nth}: {fault}"));
                }
                if !point.was_passed() {
                    break;
                }
                report.count("runs");
                report.count(format!("died at {name}"));
            }
        }
        report
    })
}

/// One prompt.
fn one(
    muster: &Muster,
    point: &Point,
    victim: Victim,
    nth: usize,
    report: &mut Report,
) -> Result<(), String> {
    if victim == Victim::Server {
        let mut serve = muster.command("assigner");
        serve.args(["serve", "--detach"]).env(Point::VARIABLE, point.asks());
        // It may die before it can say that it serves.
        let _ = serve.output();
    } else {
        muster.ok("assigner", &["serve", "--detach"]);
    }
    let asks = (victim != Victim::Server).then(|| (Point::VARIABLE, point.asks()));
    let slot = Slot::start_with(muster, 0, &[], asks.as_slice());
    let text = format!("quick run {nth}-death");
    let id = slot.send(&json!({
        "text": text, "target": slot.name(), "attempts": 1, "accept_ms": 20_000, "timeout_ms": 30_000,
    }));
    let gone = || victim == Victim::Holder && point.was_passed();
    let Some(detail) = slot.await_settled(id, |p| settled(p) || gone()) else {
        return Err(format!("stuck after {SETTLE:?}: {}", muster.try_prompt(id).unwrap_or_default()));
    };
    let times = slot.pasted().get(&text).copied().unwrap_or_default();
    if gone() {
        // Its server hears of it in its own time; what counts is that nothing was typed twice.
        return if times <= 1 { Ok(()) } else { Err(format!("pasted {times} times")) };
    }
    report.count(told(&detail));
    if let Some(fault) = judge(&text, times, &detail) {
        return Err(fault);
    }
    // Whoever was killed, a session that runs comes to rest, unless its person has to look.
    if word(&detail, "/prompt/state") == "completed" {
        slot.rested()?;
    }
    sound(muster)
}
