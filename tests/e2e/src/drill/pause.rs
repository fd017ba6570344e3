//! A process stops at a step of a delivery, as when a machine sleeps, and goes on some time later. Must not: kill.
//!
//! What must hold: what [`super::kill`] demands, of a process that was away for longer than its peers wait.

use std::time::Duration;

use rustix::process::Signal;
use serde_json::json;

use super::kill::STEPS;
use super::verdict::settle;
use super::{Plan, Random, Report, Slot, by_one_agent, settled, side_by_side};
use crate::{Muster, signal};

/// Who stops.
const VICTIMS: [&str; 3] = ["observer", "server", "holder"];

/// The longest time away: beyond the lease of a session.
const AWAY: Duration = Duration::from_secs(45);

/// Runs through all pairs of step and victim, again and again, each with a server of its own.
pub fn run(plan: &Plan) -> Report {
    side_by_side(plan, |number, runs| {
        let muster = plan.muster();
        by_one_agent(plan, &muster, (number, runs), |slot, run, random, report| {
            one(&muster, slot, run, random, report)
        })
    })
}

fn one(
    muster: &Muster,
    slot: &mut Slot<'_>,
    run: usize,
    mut random: Random,
    report: &mut Report,
) -> Result<(), String> {
    let (step, victim) = (STEPS[run % STEPS.len()], VICTIMS[run / STEPS.len() % VICTIMS.len()]);
    slot.forget_steps();
    let text = format!("quick run {run}-{:x}", random.0);
    let id = slot.send(&json!({
        "text": text, "target": slot.name(), "attempts": 1, "accept_ms": 60_000, "timeout_ms": 90_000,
    }));
    let api = muster.api();
    let over = || api.get(&format!("/v1/prompts/{id}")).is_ok_and(|p| settled(&p));
    let came = step == "leased" || slot.await_step(step, over);
    std::thread::sleep(random.moment(Duration::from_millis(20)));
    let pid = match victim {
        "observer" => crate::wait_for("an observer", || slot.observer()),
        "server" => muster.server(),
        _ => slot.holder,
    };
    signal(pid, Signal::STOP);
    let away = random.moment(AWAY);
    std::thread::sleep(away);
    signal(pid, Signal::CONT);
    report.count(format!("stopped {victim} after {}", if came { step } else { "its end" }));
    let came = settle(slot, id, &text, report).and_then(|()| slot.rested());
    came.map_err(|fault| format!("{victim} away for {away:?} after {step}: {fault}"))
}
