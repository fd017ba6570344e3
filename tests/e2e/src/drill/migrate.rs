//! A server is killed at each step of making its database, and whatever it left is taken up. Must not: look inside.
//!
//! What must hold: the next one serves, the file is sound, and what is queued then is there.

use serde_json::json;

use super::points::Point;
use super::{Plan, Report, side_by_side, sound};

/// Each run at another step, from the first again when there are no more.
pub fn run(plan: &Plan) -> Report {
    side_by_side(plan, |_, runs| {
        let mut report = Report::default();
        for run in runs {
            report.count("runs");
            if let Err(fault) = one(plan, *run, &mut report) {
                report.fault(format!("run {run}: {fault}"));
            }
        }
        report
    })
}

fn one(plan: &Plan, run: usize, report: &mut Report) -> Result<(), String> {
    let muster = plan.muster();
    let steps =
        std::fs::read_dir(crate::root().join("server/migrations")).map_err(|e| e.to_string())?.count();
    let point = Point::new(&muster, "store.migrate", 1 + run % steps);
    let mut serve = muster.command("assigner");
    serve.arg("serve").env(Point::VARIABLE, point.asks());
    let served = serve.output().map_err(|e| e.to_string())?;
    if !point.was_passed() {
        return Err(format!("it was not killed: {served:?}"));
    }
    report.count("killed between two steps");
    muster.ok("assigner", &["serve", "--detach"]);
    let sent = muster.api().post("/v1/prompts", &json!({ "text": "after all" }))?;
    if sent["state"] != "pending" {
        return Err(format!("it took a prompt as {sent}"));
    }
    sound(&muster)
}
