//! Pause and resume: whether prompts are given out, to all sessions or to one. Must not: touch what runs already.

use wire::UnixMillis;
use wire::admin::Routing;

use super::Control;
use super::command::{By, Reply};
use crate::store::Stored;

impl Control {
    /// Gives prompts out no longer, or again: to nobody, or not to one session.
    pub(super) fn pause(
        &mut self,
        session: Option<String>,
        paused: bool,
        by: By,
        reply: Reply<Routing>,
        now: UnixMillis,
    ) -> Stored<()> {
        let on = match session {
            None => {
                self.store.pause(paused)?;
                self.paused = paused;
                self.out.routing = true;
                "all sessions".to_owned()
            }
            Some(name) => match self.find(&name)? {
                Err(fault) => {
                    self.out.answer(reply, Err(fault));
                    return Ok(());
                }
                Ok((id, _)) => {
                    self.store.pause_session(&id, paused)?;
                    if let Some(live) = self.sessions.get_mut(&id) {
                        live.kept.card.paused = paused;
                        self.out.sessions.insert(id.clone());
                    }
                    format!("session {id}")
                }
            },
        };
        self.stirred = true;
        let what = if paused { "routing.pause" } else { "routing.resume" };
        self.audit(by.as_str(), what, &on, &serde_json::json!({}), now)?;
        self.out.answer(reply, Ok(Routing { paused }));
        Ok(())
    }
}
