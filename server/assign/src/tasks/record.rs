//! What came of a task, for programs and for people. Pure. Must not: write it down.

use assign::task::{Kind, Task};
use serde::Serialize;
use wire::prompt::{Prompt, PromptResult, PromptState};
use wire::text::escape_lines;
use wire::{PromptId, SessionId, UnixMillis};

use super::name::Name;
use crate::result::facts;

/// The schema of [`Record`] as JSON. A test holds that it is the type's.
pub const SCHEMA: &str = include_str!("../../result.schema.json");
/// Version of the record.
const VERSION: u32 = 1;

/// What came of a task.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Record<'a> {
    /// Version of this shape; it grows when a field changes its meaning or goes.
    pub version: u32,
    /// The task's name: NAME of `NAME.task.md`.
    pub task: &'a str,
    /// What its writer calls it.
    pub id: Option<&'a str>,
    /// What kind it is.
    #[serde(rename = "type")]
    pub kind: Option<Kind>,
    /// When it was written, as its writer put it.
    pub created: Option<&'a str>,
    /// SHA-256 of the file that was sent, hexadecimal.
    pub sha256: &'a str,
    /// The prompt that it became.
    pub prompt: PromptId,
    /// How it ended: completed, failed or cancelled.
    pub state: PromptState,
    /// The session that had it last.
    pub session: Option<&'a SessionId>,
    /// Tries.
    pub tried: u32,
    /// When it was queued.
    pub queued: UnixMillis,
    /// When it ended.
    pub ended: UnixMillis,
    /// Outcome, answer, verification, changes, figures.
    pub result: Option<&'a PromptResult>,
}

impl<'a> Record<'a> {
    /// Of a prompt that has ended.
    pub fn of(name: &'a Name, task: &'a Task, sha256: &'a str, prompt: &'a Prompt) -> Self {
        Self {
            version: VERSION,
            task: name.as_str(),
            id: task.id.as_deref(),
            kind: task.kind,
            created: task.created.as_deref(),
            sha256,
            prompt: prompt.id,
            state: prompt.state,
            session: prompt.session.as_ref(),
            tried: prompt.tried,
            queued: prompt.created,
            ended: prompt.changed,
            result: prompt.result.as_ref(),
        }
    }
}

/// The same to be read: how it ended, the answer, the facts.
pub fn summary(name: &Name, prompt: &Prompt) -> String {
    let mut out = format!("{name}: prompt {} is {}\n", prompt.id, prompt.state);
    let Some(result) = &prompt.result else { return out };
    if prompt.state != PromptState::Completed {
        out.push_str(&format!("{}\n", escape_lines(result.reason.trim_end())));
    }
    if !result.answer.trim().is_empty() {
        out.push_str(&format!("\n{}\n", escape_lines(result.answer.trim())));
    }
    let facts = facts(result);
    if !facts.is_empty() {
        out.push_str(&format!("\n{}\n", facts.join("\n")));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_is_that_of_the_type() {
        let mut made = serde_json::to_string_pretty(&schemars::schema_for!(Record<'_>)).unwrap();
        made.push('\n');
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/result.schema.json");
        if std::env::var_os("MUSTER_WRITE").is_some() {
            std::fs::write(path, &made).unwrap();
            return;
        }
        assert!(made == SCHEMA, "it is out of date; write it with: MUSTER_WRITE=1 cargo test -p assign");
    }
}
