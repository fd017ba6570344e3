//! What clients read, and where their requests are sent. Must not: change anything but by calling those who do.

use std::collections::BTreeMap;

use wire::http::{Audit, ErrorCode, PromptDetail, RecordingPart, Status};
use wire::prompt::Attempt;
use wire::session::Session;
use wire::wrapper::ToWrapper;
use wire::{AttemptId, PromptId, SessionId, UnixMillis};

use super::approvals::no_approval;
use super::command::{Ask, People, Reply};
use super::wrappers::no_wrapper;
use super::{Asker, Control};
use crate::fault::Fault;
use crate::metrics::Present;
use crate::store::Stored;

/// Most bytes of a recording that one request gives.
const PART: u32 = 256 << 10;
/// Most rows that one request gives.
pub const ROWS: u32 = 1_000;

impl Control {
    pub(super) fn ask(&mut self, ask: Ask, now: UnixMillis) -> Stored<()> {
        match ask {
            Ask::Status(reply) => {
                let status = self.status()?;
                self.out.answer(reply, Ok(status));
            }
            Ask::Present(reply) => {
                let present = self.measure(now)?;
                self.out.answer(reply, Ok(present));
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
            Ask::Contexts(name, limit, reply) => {
                let value = match self.find(&name)? {
                    Err(fault) => Err(fault),
                    Ok((id, _)) => Ok(self.store.contexts(&id, limit.min(ROWS))?),
                };
                self.out.answer(reply, value);
            }
            Ask::Recording(name, from, length, reply) => self.recording(&name, from, length, reply)?,
            Ask::Answer(name, answer, by, reply) => self.answer_session(&name, answer, by, reply, now)?,
            Ask::Enqueue(asked, given, by, reply) => self.enqueue(*asked, given, by, reply, now)?,
            Ask::Traces(ask) => self.traces(ask)?,
            Ask::Prompts(listing, reply) => {
                let value = self.select(*listing, now)?;
                self.out.answer(reply, value);
            }
            Ask::Prompt(id, reply) => {
                let value = self.detail(id, now)?;
                self.out.answer(reply, value);
            }
            Ask::Change(id, change, by, reply) => self.change(id, change, by, reply, now)?,
            Ask::ChangeAll(which, change, by, reply) => self.change_all(which, change, by, reply, now)?,
            Ask::Edit(id, edit, by, reply) => self.edit(id, *edit, by, reply, now)?,
            Ask::Clear(which, by, reply) => self.clear(which, by, reply, now)?,
            Ask::See(which, by, reply) => self.see(which, by, reply, now)?,
            Ask::Pause(session, paused, by, reply) => self.pause(session, paused, by, reply, now)?,
            Ask::Foresee(asked, reply) => {
                let value = self.foresee(*asked, now)?;
                self.out.answer(reply, value);
            }
            Ask::Plan(limit, reply) => {
                let plan = self.plan(limit, now)?;
                self.out.answer(reply, Ok(plan));
            }
            Ask::Attempts(name, before, limit, reply) => {
                let value = self.attempts(name, before, limit)?;
                self.out.answer(reply, value);
            }
            Ask::Attempt(id, reply) => {
                let value = self.store.attempt(id)?.ok_or_else(|| no_attempt(id));
                self.out.answer(reply, value);
            }
            Ask::Alerts(ask) => self.ask_about_alerts(ask, now)?,
            Ask::Admin(ask) => self.ask_about_admin(ask, now)?,
            Ask::Pools(ask) => self.ask_about_pools(ask, now)?,
            Ask::Own(own) => self.ask_about_own(own, now)?,
            Ask::Purge(step) => self.purge(step, now)?,
            Ask::People(people) => self.ask_about_people(people, now)?,
            Ask::KeepToken(token, reply) => {
                self.store.save_token(&token)?;
                self.audit("cli", "login", "browser", &serde_json::json!({}), now)?;
                self.out.answer(reply, Ok(()));
            }
        }
        Ok(())
    }

    /// Requests about approvals, rules and the audit log.
    fn ask_about_people(&mut self, ask: People, now: UnixMillis) -> Stored<()> {
        match ask {
            People::Approvals(name, state, before, limit, reply) => {
                let value = match name.map(|name| self.find(&name)).transpose()? {
                    Some(Err(fault)) => Err(fault),
                    session => {
                        let session = session.and_then(Result::ok).map(|(id, _)| id);
                        Ok(self.store.select_approvals(session.as_ref(), state, before, limit.min(ROWS))?)
                    }
                };
                self.out.answer(reply, value);
            }
            People::Approval(id, reply) => {
                let value = self.store.approval(id)?.ok_or_else(|| no_approval(id));
                self.out.answer(reply, value);
            }
            People::AnswerApproval(id, answer, by, reply) => {
                self.answer_approval(id, answer, by, reply, now)?
            }
            People::Policies(reply) => {
                let policies = self.policies()?;
                self.out.answer(reply, Ok(policies));
            }
            People::SetPolicies(text, by, reply) => self.set_policies(text, by, reply, now)?,
            People::TestPolicies(text, limit, reply) => {
                let value = self.test_policies(text, limit)?;
                self.out.answer(reply, value);
            }
            People::Audit(before, limit, check, reply) => {
                let entries = self.store.audit_before(before, limit.min(ROWS))?;
                let whole = if check { Some(self.store.audit_is_whole()?) } else { None };
                self.out.answer(reply, Ok(Audit { entries, whole }));
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
            paused: self.paused,
            sessions,
            prompts: self.store.count_prompts()?.into_iter().collect(),
        })
    }

    /// What is true now, for those who measure.
    fn measure(&self, now: UnixMillis) -> Stored<Present> {
        let mut present = Present {
            prompts: self.store.count_prompts()?.into_iter().map(|(state, n)| (state, n.into())).collect(),
            oldest_ms: self.queue.oldest(now),
            approvals: self.store.open_approvals(ROWS)?.len(),
            viewers: self.viewers.len(),
            pools: self.pools.keys().map(|name| (name.clone(), 0)).collect(),
            paused: self.paused,
            ..Present::default()
        };
        for live in self.sessions.values().filter(|l| !l.ended()) {
            let card = &live.kept.card;
            let labels = [card.claim.state.to_string(), card.agent.clone(), card.link.to_string()];
            *present.sessions.entry(labels).or_insert(0) += 1;
            if let Some(pool) = card.pool.as_ref().and_then(|name| present.pools.get_mut(name)) {
                *pool += 1;
            }
        }
        Ok(present)
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
            parent: self.store.parent(id)?,
            trace: self.trace(id)?.hex(),
        }))
    }

    fn attempts(
        &self,
        name: Option<String>,
        before: Option<AttemptId>,
        limit: u32,
    ) -> Stored<Result<Vec<Attempt>, Fault>> {
        let session = match name.map(|name| self.find(&name)).transpose()? {
            Some(Err(fault)) => return Ok(Err(fault)),
            session => session.and_then(Result::ok).map(|(id, _)| id),
        };
        Ok(Ok(self.store.select_attempts(session.as_ref(), before, limit.min(ROWS))?))
    }

    /// Asks a wrapper of the session's host, its own if that lives, for a part of the recording.
    fn recording(&mut self, name: &str, from: u64, length: u32, reply: Reply<RecordingPart>) -> Stored<()> {
        let (session, card) = match self.find(name)? {
            Ok(found) => found,
            Err(fault) => {
                self.out.answer(reply, Err(fault));
                return Ok(());
            }
        };
        let own = self.lines.contains_key(&session).then(|| session.clone());
        let near = || {
            let mut there = self.sessions.values().filter(|l| l.kept.card.host == card.host);
            there.find(|l| self.lines.contains_key(l.id())).map(|l| l.id().clone())
        };
        let asked = own.or_else(near);
        let Some((asked, line)) = asked.and_then(|id| Some((id.clone(), self.lines.get(&id)?.clone())))
        else {
            self.out.answer(reply, Err(no_wrapper()));
            return Ok(());
        };
        let request = self.request(asked, Asker::Recording(reply));
        self.out.say(&line, ToWrapper::Recording { request, session, from, length: length.clamp(1, PART) });
        Ok(())
    }
}

fn no_attempt(id: AttemptId) -> Fault {
    Fault::new(
        ErrorCode::NotFound,
        format!("there is no attempt {id}"),
        "`assign show` lists those of a prompt",
    )
}
