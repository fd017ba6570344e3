//! Many prompts at once: lists, forgetting, taking note. Must not: change a life.

use wire::UnixMillis;
use wire::http::{Counted, Selection};
use wire::prompt::Prompt;

use super::Control;
use super::command::{By, Listing, Reply};
use super::queries::ROWS;
use crate::fault::Fault;
use crate::store::{Stored, StoredPrompt, Which};

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
        let value = self.each(selection, now, |control, prompt| {
            let gone = prompt.job.state().is_final() && control.store.forget_prompt(prompt.id)?;
            if gone {
                control.out.prompts_gone.insert(prompt.id);
            }
            Ok(gone)
        })?;
        if let Ok(Counted { count }) = value {
            let detail = serde_json::json!({ "count": count });
            self.audit(by.as_str(), "prompt.clear", "prompts", &detail, now)?;
        }
        self.out.answer(reply, value);
        Ok(())
    }

    /// Does something with each prompt that is meant, and counts those with which it could be done.
    pub(super) fn each(
        &mut self,
        selection: Selection,
        now: UnixMillis,
        with: impl FnMut(&mut Self, StoredPrompt) -> Stored<bool>,
    ) -> Stored<Result<Counted, Fault>> {
        match self.which(selection, now)? {
            Ok(which) => self.each_of(&which, with),
            Err(fault) => Ok(Err(fault)),
        }
    }

    fn each_of(
        &mut self,
        which: &Which,
        mut with: impl FnMut(&mut Self, StoredPrompt) -> Stored<bool>,
    ) -> Stored<Result<Counted, Fault>> {
        let mut count = 0;
        for prompt in self.store.select_prompts(which, u32::MAX)? {
            count += u32::from(with(self, prompt)?);
        }
        Ok(Ok(Counted { count }))
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
        let Selection { ids, state, tag, thread, key, .. } = selection;
        Ok(Ok(Which {
            ids,
            state,
            session,
            name,
            tag,
            thread,
            key,
            unchanged_since: age,
            ..Which::default()
        }))
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
        let see = |control: &mut Self, prompt: StoredPrompt| {
            control.store.see_prompt(prompt.id, now)?;
            control.out.prompts.insert(prompt.id);
            Ok(true)
        };
        let value = match self.which(selection, now)? {
            Ok(which) => self.each_of(&Which { unseen: true, ..which }, see)?,
            Err(fault) => Err(fault),
        };
        if let Ok(Counted { count: count @ 1.. }) = value {
            let detail = serde_json::json!({ "count": count });
            self.audit(by.as_str(), "prompt.seen", "prompts", &detail, now)?;
        }
        self.out.answer(reply, value);
        Ok(())
    }
}
