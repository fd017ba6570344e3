//! What is said of a prompt, beside what its agent received. Must not: believe the product.

use serde_json::Value;

use super::{Report, Slot, settled, word};

/// Waits until a prompt is settled, counts what is said of it, and compares that with what its agent received. What did
/// not complete is cleared away, as a person would.
pub fn settle(slot: &Slot, id: i64, text: &str, report: &mut Report) -> Result<(), String> {
    let Some(detail) = slot.await_settled(id, settled) else {
        return Err(format!("stuck: {}", slot.prompt(id).unwrap_or_default()));
    };
    report.count(told(&detail));
    let times = slot.pasted().get(text).copied().unwrap_or_default();
    if word(&detail, "/prompt/state") != "completed" {
        slot.clear(id);
    }
    judge(text, times, &detail).map_or(Ok(()), Err)
}

/// What the product says of a prompt.
pub fn told(detail: &Value) -> String {
    let state = word(detail, "/prompt/state");
    match state {
        "held" | "pending" => format!("{state} {}", word(detail, "/prompt/hold/code")),
        "failed" => format!("failed {}", word(detail, "/prompt/result/source")),
        _ => state.to_owned(),
    }
}

/// What is wrong with that, of a text that the agent received so many times.
pub fn judge(text: &str, times: usize, detail: &Value) -> Option<String> {
    let state = told(detail);
    let wrong = |what: String| Some(format!("{text:?}, {state}: {what}: {detail}"));
    if times > 1 {
        return wrong(format!("pasted {times} times"));
    }
    match word(detail, "/prompt/state") {
        "completed" if times != 1 => wrong("never pasted".to_owned()),
        "completed" => {
            let name = text.rsplit(' ').next().unwrap_or_default();
            let (said, told) = (format!("Ran {name} at once."), word(detail, "/prompt/result/answer"));
            (said != told).then(|| wrong(format!("the agent answered {said:?}"))).flatten()
        }
        "pending" if times > 0 => wrong("pasted, and would be again".to_owned()),
        _ => None,
    }
}
