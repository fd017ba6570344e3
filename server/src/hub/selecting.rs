//! Many prompts at once: lists, forgetting, taking note. Must not: change a life.

use wire::UnixMillis;
use wire::http::{Counted, Selection};
use wire::prompt::Prompt;

use super::Control;
use super::command::{By, Listing, Reply};
use super::queries::ROWS;
use crate::fault::Fault;
use crate::store::{Stored, Which};

/// Most prompts that can be named at once.
const IDS: usize = 10_000;

impl Control {
    /// Forgets prompts that are final.
    pub(super) fn clear(
        &mut self,
        selection: Selection,
        by: By,
        reply: Reply<Counted>,
        now: UnixMillis,
    ) -> Stored<()> {
        let value = match self.which(selection, now)? {
            Err(fault) => Err(fault),
            Ok(which) => {
                let mut count = 0;
                for prompt in self.store.select_prompts(&which, u32::MAX)? {
                    if prompt.job.state().is_final() && self.store.forget_prompt(prompt.id)? {
                        count += 1;
                        self.out.prompts_gone.insert(prompt.id);
                    }
                }
                let detail = serde_json::json!({ "count": count });
                self.audit(by.as_str(), "prompt.clear", "prompts", &detail, now)?;
                Ok(Counted { count })
            }
        };
        self.out.answer(reply, value);
        Ok(())
    }

    /// Which prompts a selection means.
    pub(super) fn which(&self, selection: Selection, now: UnixMillis) -> Stored<Result<Which, Fault>> {
        let (session, name) = match selection.session {
            None => (None, None),
            Some(name) => match self.find(&name)? {
                Ok((id, card)) => (Some(id), Some(card.name)),
                Err(fault) => return Ok(Err(fault)),
            },
        };
        if selection.ids.as_ref().is_some_and(|ids| ids.len() > IDS) {
            return Ok(Err(Fault::bad(format!("more than {IDS} prompts are named"), "name less at once")));
        }
        let age = selection.older_ms.map(|ms| UnixMillis(now.0.saturating_sub_unsigned(ms)));
        let Selection { ids, state, tag, thread, .. } = selection;
        Ok(Ok(Which { ids, state, session, name, tag, thread, unchanged_since: age, ..Which::default() }))
    }

    /// Prompts, newest first.
    pub(super) fn select(&self, listing: Listing, now: UnixMillis) -> Stored<Result<Vec<Prompt>, Fault>> {
        let Listing { which, before, limit, since, until, outcome, agent, project } = listing;
        match self.which(which, now)? {
            Err(fault) => Ok(Err(fault)),
            Ok(which) => {
                let which = Which { before, since, until, outcome, agent, project, ..which };
                let stored = self.store.select_prompts(&which, limit.min(ROWS))?;
                stored.iter().map(|p| self.store.show(p)).collect::<Stored<_>>().map(Ok)
            }
        }
    }

    /// A person took note of how prompts ended.
    pub(super) fn see(
        &mut self,
        selection: Selection,
        by: By,
        reply: Reply<Counted>,
        now: UnixMillis,
    ) -> Stored<()> {
        let value = match self.which(selection, now)? {
            Err(fault) => Err(fault),
            Ok(which) => {
                let mut count = 0;
                for prompt in self.store.select_prompts(&Which { unseen: true, ..which }, u32::MAX)? {
                    self.store.see_prompt(prompt.id, now)?;
                    self.out.prompts.insert(prompt.id);
                    count += 1;
                }
                if count > 0 {
                    let detail = serde_json::json!({ "count": count });
                    self.audit(by.as_str(), "prompt.seen", "prompts", &detail, now)?;
                }
                Ok(Counted { count })
            }
        };
        self.out.answer(reply, value);
        Ok(())
    }
}
