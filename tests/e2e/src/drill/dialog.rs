//! A dialog opens at a random moment of a delivery, from microseconds to 300 ms after the agent came to rest or after
//! the paste. Must not: answer one.
//!
//! What must hold: no Enter reaches a dialog that had been written to the terminal before it. One that was on its way
//! while the dialog was being drawn crossed with it: nobody outside the agent can know of that dialog yet. Both are
//! counted, told apart by the time between them.

use serde_json::json;

use super::{Plan, Report, Slot, settled, side_by_side, word};

/// An Enter that is read so soon after the dialog was drawn was written before anybody could have read the drawing.
const CROSSED_US: u64 = 1_000;

/// Sends prompts back to back to agents that open dialogs.
pub fn run(plan: &Plan) -> Report {
    let muster = plan.muster();
    side_by_side(plan, |number, runs| {
        let told = muster.folder().join(format!("told-{number}"));
        let seed = plan.seed.wrapping_add(number as u64 * 7919).to_string();
        let manners = ["--dialogs", &seed, "--tell", told.to_str().expect("temporary folders are UTF-8")];
        let slot = Slot::start(&muster, number, &manners.map(str::to_owned));
        let mut report = Report::default();
        let mut sent = Vec::new();
        for run in runs {
            report.count("runs");
            let text = format!("quick run {run}-{seed}");
            let id = slot.send(&json!({
                "text": text, "target": slot.name(), "attempts": 1, "accept_ms": 4_000, "timeout_ms": 30_000,
            }));
            let Some(detail) = slot.await_settled(id, settled) else {
                report
                    .faults
                    .push(format!("run {run}: stuck: {}", muster.try_prompt(id).unwrap_or_default()));
                break;
            };
            let state = word(&detail, "/prompt/state");
            report.count(format!("{state} {}", word(&detail, "/prompt/hold/code")).trim_end().to_owned());
            if state != "completed" {
                slot.clear(id);
                slot.rest();
            }
            sent.push((text, state == "completed"));
        }
        let pasted = slot.pasted();
        for (text, completed) in sent {
            let times = pasted.get(&text).copied().unwrap_or_default();
            if times > 1 || completed && times == 0 {
                report.faults.push(format!("{text:?} was pasted {times} times"));
            }
        }
        heard(&std::fs::read_to_string(told).unwrap_or_default(), &mut report);
        report
    })
}

/// What the agent told of its dialogs.
fn heard(told: &str, report: &mut Report) {
    for line in told.lines() {
        let mut words = line.split(' ');
        match (words.next(), words.next(), words.next().and_then(|us| us.parse::<u64>().ok())) {
            (Some("opened"), Some("holding"), _) => report.count("dialogs between paste and Enter"),
            (Some("opened"), ..) => report.count("dialogs before the paste"),
            (Some("key"), Some("enter"), Some(us)) if us < CROSSED_US => {
                report.count(format!("Enters that crossed with a dialog, within {CROSSED_US} us"));
            }
            (Some("key"), Some("enter"), Some(us)) => {
                report.count("APPROVALS: Enters into a dialog");
                report.faults.push(format!("an Enter reached a dialog {us} us after it was drawn"));
            }
            (Some("key"), Some(other), _) => report.count(format!("{other} into a dialog")),
            _ => report.faults.push(format!("not understood: {line}")),
        }
    }
}
