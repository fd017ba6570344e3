//! Deleting for good, a step at a time, so that the queue goes on meanwhile. Must not: decide what goes, or touch a file.

use wire::purge::Purged;
use wire::{PromptId, SessionId, UnixMillis};

use super::Control;
use super::command::Reply;
use crate::store::Stored;

/// Rows of what a session reported that one step deletes.
const ROWS: u32 = 500;

/// A step.
pub enum Purging {
    /// Some of what a session reported.
    Session(SessionId, Reply<Forgotten>),
    /// Prompts. How many are gone.
    Prompts(Vec<PromptId>, Reply<u64>),
    /// A part of the index of words; true for the first. True: all of it holds no more than there is.
    Scrub(bool, Reply<bool>),
    /// What was deleted, for the audit log.
    Done(Purged, String, Reply<()>),
}

/// How far the deletion of a session is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forgotten {
    /// There is more.
    Partly,
    /// It is gone.
    Wholly,
    /// Its wrapper is connected and may have more to say.
    Not,
}

impl Control {
    pub(super) fn purge(&mut self, step: Purging, now: UnixMillis) -> Stored<()> {
        match step {
            Purging::Session(id, reply) => {
                let forgotten = self.forget_session(&id)?;
                self.out.answer(reply, Ok(forgotten));
            }
            Purging::Prompts(ids, reply) => {
                let gone = self.store.forget_prompts(&ids)?;
                self.out.prompts_gone.extend(&gone);
                self.out.answer(reply, Ok(gone.len() as u64));
            }
            Purging::Scrub(first, reply) => {
                let through = self.store.scrub(first)?;
                self.out.answer(reply, Ok(through));
            }
            Purging::Done(purged, by, reply) => {
                let detail = serde_json::to_value(purged).unwrap_or_default();
                self.audit(&by, "purge", "what has ended", &detail, now)?;
                self.out.answer(reply, Ok(()));
            }
        }
        Ok(())
    }

    fn forget_session(&mut self, id: &SessionId) -> Stored<Forgotten> {
        if self.lines.contains_key(id) {
            return Ok(Forgotten::Not);
        }
        if !self.store.forget_session(id, ROWS)? {
            return Ok(Forgotten::Partly);
        }
        if self.sessions.get(id).is_some_and(|live| live.ended()) {
            self.sessions.remove(id);
            self.out.gone.insert(id.clone());
        }
        Ok(Forgotten::Wholly)
    }
}
