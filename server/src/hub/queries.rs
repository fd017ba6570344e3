//! What clients read, and where their requests are sent. Must not: change anything but by calling those who do.

use std::collections::BTreeMap;

use wire::http::{Answer, Done, ErrorCode, PromptDetail, Status};
use wire::prompt::Prompt;
use wire::session::{Link, Session};
use wire::wrapper::ToWrapper;
use wire::{PromptId, SessionId, UnixMillis};

use super::command::{Ask, Reply};
use super::{Asker, Control};
use crate::fault::Fault;
use crate::store::Stored;

/// Most rows that one request gives.
pub const ROWS: u32 = 1_000;

impl Control {
    pub(super) fn ask(&mut self, ask: Ask, now: UnixMillis) -> Stored<()> {
        match ask {
            Ask::Status(reply) => {
                let status = self.status()?;
                self.out.answer(reply, Ok(status));
            }
            Ask::Sessions(all, reply) => {
                let sessions = self.list_sessions(all)?;
                self.out.answer(reply, Ok(sessions));
            }
            Ask::Session(name, reply) => {
                let value = self.find(&name)?.map(|(_, card)| card);
                self.out.answer(reply, value);
            }
            Ask::Events(name, after, limit, reply) => {
                let value = match (self.find(&name)?, after) {
                    (Err(fault), _) => Err(fault),
                    (Ok((id, _)), Some(after)) => Ok(self.store.events_after(&id, after, limit.min(ROWS))?),
                    (Ok((id, _)), None) => Ok(self.store.latest_events(&id, limit.min(ROWS))?),
                };
                self.out.answer(reply, value);
            }
            Ask::States(name, limit, reply) => {
                let value = match self.find(&name)? {
                    Err(fault) => Err(fault),
                    Ok((id, _)) => Ok(self.store.latest_states(&id, limit.min(ROWS))?),
                };
                self.out.answer(reply, value);
            }
            Ask::Answer(name, answer, reply) => self.answer_dialog(&name, answer, reply)?,
            Ask::Enqueue(asked, key, reply) => self.enqueue(*asked, key, reply, now)?,
            Ask::Prompts(state, limit, reply) => {
                let stored = self.store.latest_prompts(state, limit.min(ROWS))?;
                let prompts: Stored<Vec<Prompt>> = stored.iter().map(|p| self.store.show(p)).collect();
                self.out.answer(reply, Ok(prompts?));
            }
            Ask::Prompt(id, reply) => {
                let value = self.detail(id, now)?;
                self.out.answer(reply, value);
            }
            Ask::Change(id, change, reply) => self.change(id, change, reply, now)?,
            Ask::KeepToken(token, reply) => {
                self.store.save_token(&token, now)?;
                self.out.answer(reply, Ok(()));
            }
        }
        Ok(())
    }

    /// The session of a name or an id: a live one before one that has ended.
    pub(super) fn find(&self, name: &str) -> Stored<Result<(SessionId, Session), Fault>> {
        if let Some(live) = self.sessions.get(&SessionId(name.to_owned())) {
            return Ok(Ok((live.id().clone(), live.card())));
        }
        let named = || self.sessions.values().filter(|l| l.kept.card.name == name);
        let mut live = named().filter(|l| !l.ended());
        match (live.next(), live.next()) {
            (Some(_), Some(_)) => {
                let ids: Vec<&str> = named().filter(|l| !l.ended()).map(|l| l.id().0.as_str()).collect();
                return Ok(Err(Fault::conflict(
                    format!("several live sessions are called '{}'", wire::text::escape(name)),
                    format!("name one by its id: {}", ids.join(", ")),
                )));
            }
            (Some(found), None) => return Ok(Ok((found.id().clone(), found.card()))),
            (None, _) => {}
        }
        let kept = match self.store.session(&SessionId(name.to_owned()))? {
            Some(kept) => Some(kept),
            None => self.store.session_named(name)?,
        };
        Ok(kept.map(|k| (k.card.id.clone(), k.card)).ok_or_else(|| Fault::no_session(name)))
    }

    fn status(&self) -> Stored<Status> {
        let mut sessions = BTreeMap::new();
        for live in self.sessions.values().filter(|l| !l.ended()) {
            *sessions.entry(live.kept.card.claim.state.to_string()).or_insert(0) += 1;
        }
        Ok(Status {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started: self.started,
            url: String::new(),
            sessions,
            prompts: self.store.count_prompts()?.into_iter().collect(),
        })
    }

    fn list_sessions(&self, all: bool) -> Stored<Vec<Session>> {
        let mut sessions: Vec<Session> =
            self.sessions.values().filter(|l| all || !l.ended()).map(|l| l.card()).collect();
        if all {
            let older = self.store.sessions_since(UnixMillis(0))?;
            sessions.extend(older.into_iter().map(|k| k.card).filter(|c| !self.sessions.contains_key(&c.id)));
        }
        sessions.sort_by(|a, b| a.started.cmp(&b.started).then_with(|| a.id.cmp(&b.id)));
        Ok(sessions)
    }

    fn detail(&self, id: PromptId, now: UnixMillis) -> Stored<Result<PromptDetail, Fault>> {
        let Some(stored) = self.store.prompt(id)? else { return Ok(Err(Fault::no_prompt(id))) };
        Ok(Ok(PromptDetail {
            prompt: self.store.show(&stored)?,
            attempts: self.store.attempts_of(id)?,
            scores: self.scores(&stored, now)?,
        }))
    }

    /// Sends an answer to the wrapper, bound to the dialog that the person saw.
    fn answer_dialog(&mut self, name: &str, answer: Answer, reply: Reply<Done>) -> Stored<()> {
        let (session, card) = match self.find(name)? {
            Ok(found) => found,
            Err(fault) => {
                self.out.answer(reply, Err(fault));
                return Ok(());
            }
        };
        let Some(line) = self.lines.get(&session).filter(|_| card.link == Link::Connected).cloned() else {
            let fault = Fault::new(
                ErrorCode::NoAnswer,
                "the session is not connected",
                "answer in its own terminal, or wait until it is back",
            );
            self.out.answer(reply, Err(fault));
            return Ok(());
        };
        let dialog = match (card.dialog, answer.dialog) {
            (None, _) => Err("the session asks nothing now"),
            (Some(open), Some(seen)) if open.id != seen => Err("the session asks something else now"),
            (Some(open), _) => Ok(open.id),
        };
        match dialog {
            Err(why) => {
                let fault = Fault::conflict(why, "look at what it asks now, then answer that");
                self.out.answer(reply, Err(fault));
            }
            Ok(dialog) => {
                let request = self.request(session, Asker::Client(reply));
                self.out.say(&line, ToWrapper::Answer { request, dialog, choice: answer.choice });
            }
        }
        Ok(())
    }
}
