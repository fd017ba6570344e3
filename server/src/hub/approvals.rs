//! What agents ask: each an item that is answered once, by a person or by a rule, bound to what was seen.
//!
//! Owns: the life of an item. Must not: type (the wrapper does, if the dialog is still the same), or judge (see
//! `policy`).

use wire::approval::{Approval, ApprovalState, Effect};
use wire::http::{Answer, Done, ErrorCode};
use wire::prompt::Hold;
use wire::session::{Dialog, Link};
use wire::wrapper::{Choice, ToWrapper};
use wire::{ApprovalId, SessionId, UnixMillis};

use super::command::{By, Reply};
use super::{Asker, Control};
use crate::fault::Fault;
use crate::metrics::Count;
use crate::policy;
use crate::session::Live;
use crate::store::Stored;

/// Who answers, and how.
pub(super) struct Answered {
    /// The item, when there is one: an answer may come before the report that makes it.
    approval: Option<ApprovalId>,
    /// What the answer is bound to.
    dialog: String,
    choice: Choice,
    /// The word for the audit log.
    by: String,
    /// Who waits for the wrapper's word; nobody does for a rule.
    reply: Option<Reply<Done>>,
}

impl Control {
    /// A session asks something, something else, or nothing any more.
    pub(super) fn asks(
        &mut self,
        session: &SessionId,
        dialog: Option<&Dialog>,
        now: UnixMillis,
    ) -> Stored<()> {
        if let Some(open) = self.store.open_approval_of(session)? {
            if dialog.is_some_and(|d| d.id == open.dialog.id) {
                return Ok(());
            }
            if let Some(dialog) = dialog.filter(|d| completes(&open, d)) {
                return self.completed(session, open, dialog, now);
            }
            // An answer of ours that is on its way says later what became of it.
            self.close(open, ApprovalState::Gone, None, now)?;
        }
        let Some(dialog) = dialog else { return Ok(()) };
        let Some(judged) = self.sessions.get(session).map(|live| self.judge(live, dialog)) else {
            return Ok(());
        };
        let approval = self.store.open_approval(session, dialog, judged.rule.as_deref(), now)?;
        self.out.approvals.insert(approval.id, approval.clone());
        self.obey(session, &approval, judged, now)
    }

    /// The agent tells the request behind what stands on the screen already: the same item, bound anew.
    fn completed(
        &mut self,
        session: &SessionId,
        mut open: Approval,
        dialog: &Dialog,
        now: UnixMillis,
    ) -> Stored<()> {
        let Some(judged) = self.sessions.get(session).map(|live| self.judge(live, dialog)) else {
            return Ok(());
        };
        open.dialog = dialog.clone();
        open.rule = judged.rule.clone();
        self.keep_approval(open.clone())?;
        self.obey(session, &open, judged, now)
    }

    /// Does what the rules say.
    fn obey(
        &mut self,
        session: &SessionId,
        approval: &Approval,
        judged: policy::Judged,
        now: UnixMillis,
    ) -> Stored<()> {
        let choice = match judged.effect {
            Effect::Approve => Choice::Approve,
            Effect::Deny => Choice::Deny,
            Effect::Ask => return Ok(()),
        };
        let by = format!("rule {}", judged.rule.unwrap_or_default());
        let answered = Answered {
            approval: Some(approval.id),
            dialog: approval.dialog.id.clone(),
            choice,
            by,
            reply: None,
        };
        self.send_answer(session, answered, now)
    }

    fn judge(&self, live: &Live, dialog: &Dialog) -> policy::Judged {
        let card = &live.kept.card;
        if !dialog.answerable {
            return policy::Judged::ask("how to answer it is not known");
        }
        policy::judge(
            &self.rules,
            &policy::Request {
                agent: &card.agent,
                role: card.role.as_deref(),
                session: &card.name,
                dir: &card.context.dir,
                repo: card.context.repo.as_deref(),
                tool: dialog.request.as_ref(),
            },
        )
    }

    /// An answer to whatever a session asks.
    pub(super) fn answer_session(
        &mut self,
        name: &str,
        answer: Answer,
        by: By,
        reply: Reply<Done>,
        now: UnixMillis,
    ) -> Stored<()> {
        let (session, card) = match self.find(name)? {
            Ok(found) => found,
            Err(fault) => {
                self.out.answer(reply, Err(fault));
                return Ok(());
            }
        };
        let asked = self.store.open_questions_of(&session)?;
        if let Some(question) = asked.into_iter().find(|q| q.dialog.id == answer.dialog) {
            let value = self.answer_question(question, &answer, &by, now)?;
            self.out.answer(reply, value);
            return Ok(());
        }
        let open = match card.dialog {
            None => Err("the session asks nothing now"),
            Some(open) if open.id != answer.dialog => Err("the session asks something else now"),
            Some(open) => Ok(open),
        };
        match open {
            Err(why) => {
                self.out
                    .answer(reply, Err(Fault::conflict(why, "look at what it asks now, then answer that")));
                Ok(())
            }
            Ok(dialog) => self.answer(&session, dialog.id, answer.choice, by, reply, now),
        }
    }

    /// An answer to one item.
    pub(super) fn answer_approval(
        &mut self,
        id: ApprovalId,
        answer: Answer,
        by: By,
        reply: Reply<Done>,
        now: UnixMillis,
    ) -> Stored<()> {
        let Some(approval) = self.store.approval(id)? else {
            self.out.answer(reply, Err(no_approval(id)));
            return Ok(());
        };
        let stale = match approval.state {
            ApprovalState::Open if answer.dialog == approval.dialog.id => None,
            ApprovalState::Open => Some("it asks something else than what was seen".to_owned()),
            ApprovalState::Answering => Some("another answer to it is on its way".to_owned()),
            over => Some(format!("it is {over} already")),
        };
        match stale {
            Some(why) => {
                let fault =
                    Fault::conflict(format!("item {id} cannot be answered: {why}"), "look at it again");
                self.out.answer(reply, Err(fault));
                Ok(())
            }
            None if approval.asked_by.is_some() => {
                let value = self.answer_question(approval, &answer, &by, now)?;
                self.out.answer(reply, value);
                Ok(())
            }
            None => self.answer(&approval.session, approval.dialog.id, answer.choice, by, reply, now),
        }
    }

    fn answer(
        &mut self,
        session: &SessionId,
        dialog: String,
        choice: Choice,
        by: By,
        reply: Reply<Done>,
        now: UnixMillis,
    ) -> Stored<()> {
        if matches!(choice, Choice::Words { .. }) {
            let fault =
                Fault::bad("a dialog takes no words", "choose one of its options, or answer in its terminal");
            self.out.answer(reply, Err(fault));
            return Ok(());
        }
        let connected = self.sessions.get(session).is_some_and(|l| l.kept.card.link == Link::Connected);
        if !connected || !self.lines.contains_key(session) {
            let fault = Fault::new(
                ErrorCode::NoAnswer,
                "the session is not connected",
                "answer in its own terminal, or wait until it is back",
            );
            self.out.answer(reply, Err(fault));
            return Ok(());
        }
        let approval = self.store.open_approval_of(session)?.filter(|a| a.dialog.id == dialog).map(|a| a.id);
        let by = by.as_str().to_owned();
        self.send_answer(session, Answered { approval, dialog, choice, by, reply: Some(reply) }, now)
    }

    fn send_answer(&mut self, session: &SessionId, answered: Answered, now: UnixMillis) -> Stored<()> {
        let Some(line) = self.lines.get(session).cloned() else { return Ok(()) };
        if let Some(mut approval) = answered.approval.map(|id| self.store.approval(id)).transpose()?.flatten()
        {
            approval.state = ApprovalState::Answering;
            approval.by = Some(answered.by.clone());
            approval.refused = None;
            self.keep_approval(approval)?;
        }
        let detail = serde_json::json!({ "dialog": answered.dialog, "choice": answered.choice });
        self.audit(&answered.by, "approval.answer", &format!("session {session}"), &detail, now)?;
        let (dialog, choice, rule) =
            (answered.dialog.clone(), answered.choice.clone(), answered.reply.is_none());
        let request = self.request(session.clone(), Asker::Answer(answered));
        self.out.say(&line, ToWrapper::Answer { request, dialog, choice, rule });
        Ok(())
    }

    /// The wrapper says whether an answer was given.
    pub(super) fn answer_given(
        &mut self,
        session: &SessionId,
        answered: Answered,
        refused: Option<Hold>,
        now: UnixMillis,
    ) -> Stored<()> {
        let detail = serde_json::json!({
            "dialog": answered.dialog, "choice": answered.choice, "refused": refused.as_ref().map(|hold| &hold.text),
        });
        let what = if refused.is_some() { "approval.refused" } else { "approval.answered" };
        self.audit(&answered.by, what, &format!("session {session}"), &detail, now)?;
        if let Some(mut approval) = answered.approval.map(|id| self.store.approval(id)).transpose()?.flatten()
        {
            match &refused {
                None => {
                    let state = match answered.choice {
                        Choice::Approve => ApprovalState::Approved,
                        Choice::Deny => ApprovalState::Denied,
                        Choice::Option { .. } | Choice::Words { .. } => ApprovalState::Answered,
                    };
                    self.close(approval, state, Some(answered.by), now)?;
                }
                Some(hold) if approval.closed.is_none() => {
                    approval.state = ApprovalState::Open;
                    approval.by = None;
                    approval.refused = Some(hold.text.clone());
                    self.keep_approval(approval)?;
                }
                Some(_) => {}
            }
        }
        if let Some(reply) = answered.reply {
            let value = match refused {
                None => Ok(Done { done: true }),
                Some(hold) => Err(Fault::conflict(
                    format!("the session did not take the answer: {}", hold.text),
                    "look at what it asks now, then answer that",
                )),
            };
            self.out.answer(reply, value);
        }
        Ok(())
    }

    /// The wrapper went away before it said so: nobody knows, and the item is open until its next word.
    pub(super) fn answer_lost(&mut self, answered: Answered) -> Stored<()> {
        let found = answered.approval.map(|id| self.store.approval(id)).transpose()?.flatten();
        if let Some(mut approval) = found.filter(|a| a.state == ApprovalState::Answering) {
            approval.state = ApprovalState::Open;
            approval.refused =
                Some("the wrapper went away before it said whether it was answered".to_owned());
            self.keep_approval(approval)?;
        }
        if let Some(reply) = answered.reply {
            let fault = Fault::new(
                ErrorCode::NoAnswer,
                "the session's wrapper went away before it answered",
                "look at the session; the answer may or may not have been given",
            );
            self.out.answer(reply, Err(fault));
        }
        Ok(())
    }

    pub(super) fn close(
        &mut self,
        mut approval: Approval,
        state: ApprovalState,
        by: Option<String>,
        now: UnixMillis,
    ) -> Stored<()> {
        approval.state = state;
        approval.by = by.or(approval.by);
        approval.closed = Some(now);
        let rule = approval.by.as_ref().is_some_and(|by| by.starts_with("rule "));
        let waited_ms = now.since(approval.opened);
        self.out.counts.push(Count::Approval { state, rule, waited_ms });
        self.keep_approval(approval)
    }

    fn keep_approval(&mut self, approval: Approval) -> Stored<()> {
        self.store.save_approval(&approval)?;
        self.out.approvals.insert(approval.id, approval);
        Ok(())
    }
}

/// Whether a dialog is an open item's own, with the structured request that was not known before.
fn completes(open: &Approval, dialog: &Dialog) -> bool {
    let same = open.dialog.kind == dialog.kind && open.dialog.body == dialog.body;
    open.state == ApprovalState::Open && open.dialog.request.is_none() && dialog.request.is_some() && same
}

/// There is no such item.
pub(super) fn no_approval(id: ApprovalId) -> Fault {
    Fault::new(
        ErrorCode::NotFound,
        format!("there is no approval {id}"),
        "`assign approvals --all` lists those there are",
    )
}
