//! A dialog opens at a random moment of a delivery, from microseconds to 300 ms after the agent came to rest or after
//! the paste. Must not: answer one.
//!
//! What must hold: no Enter is written once the dialog's drawing has been read from the agent. One that was on its way
//! by then crossed with it: nobody outside the agent can know of that dialog yet. Both are counted, told apart by the
//! order in which the holder read and wrote.

use serde_json::json;

use super::{Plan, Report, Slot, settled, side_by_side, word};

/// Stands in every drawing of such a dialog.
const DRAWN: &str = "Do you want to switch to it?";

/// Begins every drawing.
const FRAME: &str = "\x1b[?2026h";

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
        let into = into_dialogs(&slot.order());
        if into > 0 {
            report.faults.push(format!("{into} Enters were written into dialogs that had been read"));
        }
        heard(&std::fs::read_to_string(told).unwrap_or_default(), &mut report);
        report
    })
}

/// Enters that the holder wrote while what it had read last was a dialog.
fn into_dialogs(order: &[(bool, String)]) -> usize {
    let mut open = false;
    let mut into = 0;
    for (from_agent, data) in order {
        match (from_agent, data.rfind(FRAME)) {
            (true, Some(last)) => open = data[last..].contains(DRAWN),
            (true, None) => open |= data.contains(DRAWN),
            (false, _) => into += usize::from(open && data == "\r"),
        }
    }
    into
}

/// What the agent told of its dialogs.
fn heard(told: &str, report: &mut Report) {
    for line in told.lines() {
        let mut words = line.split(' ');
        match (words.next(), words.next(), words.next().and_then(|us| us.parse::<u64>().ok())) {
            (Some("opened"), Some("holding"), _) => report.count("dialogs between paste and Enter"),
            (Some("opened"), ..) => report.count("dialogs before the paste"),
            (Some("key"), Some(other), Some(_)) => report.count(format!("{other} into a dialog")),
            _ => report.faults.push(format!("not understood: {line}")),
        }
    }
}
