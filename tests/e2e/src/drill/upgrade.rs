//! New programs in the place of old ones, while sessions live and a prompt is on its way. Must not: end a session.
//!
//! What must hold: the agent runs on, what waited waits, and the prompt is typed once and told.

use std::path::Path;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::json;

use super::verdict::settle;
use super::{Plan, Report, Slot};
use crate::{Muster, is_alive, signal, wait_for};

/// As many upgrades as runs are planned, all of one installation.
pub fn run(plan: &Plan) -> Report {
    let begun = Instant::now();
    let programs = plan.muster();
    let folder = tempfile::Builder::new().prefix("mu").tempdir().expect("a temporary folder");
    install(&programs, folder.path(), &["wrap", "assigner", "assign", "scripted-agent"]);
    let muster = Muster::of(folder.path());
    let slot = Slot::start(&muster, 0, &[]);
    let later = muster.send(&["--in", "48h", "Later"]);
    let mut report = Report::default();
    for run in 0..plan.runs {
        let came = one(plan, &programs, &muster, &slot, run, &mut report);
        report.ran(&muster, run, came);
    }
    if muster.prompt(later)["prompt"]["state"] != "pending" {
        report.fault("what waited did not wait on");
    }
    report.took = begun.elapsed();
    report
}

fn one(
    plan: &Plan,
    programs: &Muster,
    muster: &Muster,
    slot: &Slot,
    run: usize,
    report: &mut Report,
) -> Result<(), String> {
    let mut random = plan.random(run);
    let before = muster.live(&slot.name()).ok_or("the session is not there")?;
    let text = format!("quick run {run}-{:x}", random.0);
    let id = slot.send(&json!({
        "text": text, "target": slot.name(), "attempts": 1, "accept_ms": 20_000, "timeout_ms": 30_000,
    }));
    std::thread::sleep(random.moment(Duration::from_millis(500)));
    let bin = muster.program("wrap").parent().map(Path::to_owned).unwrap_or_default();
    install(programs, &bin, &["wrap", "assigner", "assign"]);
    let old = muster.server();
    muster.ok("assigner", &["stop"]);
    wait_for("the old server's end", || (!is_alive(old)).then_some(()));
    // The part that thinks is exchanged as well: its end is noticed, and the new program is started.
    let observer = wait_for("an observer", || slot.observer());
    signal(observer, Signal::KILL);
    let is_new = |pid: i64, name: &str| {
        std::fs::read_link(format!("/proc/{pid}/exe")).ok().filter(|exe| *exe == bin.join(name)).map(|_| ())
    };
    wait_for("the new observer", || {
        let now = slot.observer().filter(|pid| *pid != observer)?;
        is_new(now, "wrap")
    });
    settle(slot, id, &text, report)?;
    is_new(muster.server(), "assigner").ok_or("the server is the old program")?;
    let after = muster.live(&slot.name()).ok_or("the session is gone")?;
    if (&after["pid"], &after["holder"]) != (&before["pid"], &before["holder"]) {
        return Err(format!("another agent runs: {after}, before {before}"));
    }
    slot.rested()
}

/// Puts programs there as a package manager does: new files, moved over the old ones.
fn install(from: &Muster, bin: &Path, names: &[&str]) {
    for name in names {
        let new = bin.join(format!("{name}.new"));
        std::fs::copy(from.program(name), &new).expect("it is copied");
        std::fs::rename(new, bin.join(name)).expect("it is moved");
    }
}
