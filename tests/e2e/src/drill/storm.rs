//! The server is killed while many sessions are connected, and they all come back. Must not: hurry them.
//!
//! What must hold: all are connected again within [`BACK`], and none was taken for dead.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::{Plan, Report};
use crate::{Muster, signal, wait_for};

/// How many sessions.
const SESSIONS: usize = 24;

/// How long they may take (TRUST G12).
const BACK: Duration = Duration::from_secs(30);

/// As many kills as runs are planned, in one place.
pub fn run(plan: &Plan) -> Report {
    let begun = Instant::now();
    let mut report = Report::default();
    let muster = plan.muster();
    for n in 0..SESSIONS {
        muster.ok("wrap", &["-d", "--name", &format!("s{n}"), "sh", "-c", "read end"]);
    }
    wait_for("all sessions", || (connected(&muster) == SESSIONS).then_some(()));
    for run in 0..plan.runs {
        let mut random = plan.random(run);
        signal(muster.server(), Signal::KILL);
        std::thread::sleep(random.moment(Duration::from_secs(5)));
        let began = Instant::now();
        // It may have been started by a session already.
        muster.ok("assigner", &["serve", "--detach"]);
        while connected(&muster) < SESSIONS && began.elapsed() < BACK {
            std::thread::sleep(Duration::from_millis(20));
        }
        let back = connected(&muster);
        report.count_all("sessions back", back);
        let all = back == SESSIONS;
        let came = all.then_some(()).ok_or_else(|| format!("{back} of {SESSIONS} are back after {BACK:?}"));
        report.ran(&muster, run, came);
    }
    report.took = begun.elapsed();
    report
}

/// Sessions that are connected and live.
fn connected(muster: &Muster) -> usize {
    let all = muster.api().get("/v1/sessions").unwrap_or_default();
    let live = |s: &&serde_json::Value| s["link"] == "connected" && s["exit"].is_null();
    all.as_array().map_or(0, |all| all.iter().filter(live).count())
}
