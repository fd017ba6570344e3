//! The rules over requests: read, set, tried on the past. Must not: judge (see `policy`).

use wire::approval::{Approval, Effect, Policies, Verdict};
use wire::{SessionId, UnixMillis};

use super::Control;
use super::command::{By, Reply};
use super::queries::ROWS;
use crate::fault::Fault;
use crate::policy::{self, Rules};
use crate::store::Stored;

impl Control {
    /// The rules in force.
    pub(super) fn policies(&self) -> Stored<Policies> {
        let stored = self.store.policies()?;
        let rules = self.rules.as_slice().to_vec();
        Ok(match stored {
            None => Policies { version: 0, at: None, by: None, text: String::new(), rules },
            Some(stored) => Policies {
                version: stored.version,
                at: Some(stored.at),
                by: Some(stored.by),
                text: stored.text,
                rules,
            },
        })
    }

    /// New rules. What is open is not judged anew: a rule is for what comes.
    pub(super) fn set_policies(
        &mut self,
        text: String,
        by: By,
        reply: Reply<Policies>,
        now: UnixMillis,
    ) -> Stored<()> {
        let value = match parse(&text) {
            Err(fault) => Err(fault),
            Ok(rules) => {
                self.store.set_policies(&text, by.as_str(), now)?;
                self.rules = rules;
                self.audit(by.as_str(), "policy.set", "policies", &serde_json::json!({ "text": text }), now)?;
                Ok(self.policies()?)
            }
        };
        self.out.answer(reply, value);
        Ok(())
    }

    /// What rules, or those in force, would have said of what was asked lately, newest first.
    pub(super) fn test_policies(
        &self,
        text: Option<String>,
        limit: u32,
    ) -> Stored<Result<Vec<Verdict>, Fault>> {
        let tried = match text.map(|text| parse(&text)).transpose() {
            Ok(tried) => tried,
            Err(fault) => return Ok(Err(fault)),
        };
        let rules = tried.as_ref().unwrap_or(&self.rules);
        let approvals = self.store.select_approvals(None, None, None, limit.min(ROWS))?;
        approvals.into_iter().map(|approval| self.verdict(rules, approval)).collect::<Stored<_>>().map(Ok)
    }

    fn verdict(&self, rules: &Rules, approval: Approval) -> Stored<Verdict> {
        let Some(card) = self.card(&approval.session)? else {
            let why = Some("its session is not known any more".to_owned());
            return Ok(Verdict { approval, effect: Effect::Ask, rule: None, why });
        };
        let request = policy::Request {
            agent: &card.agent,
            role: card.role.as_deref(),
            session: &card.name,
            dir: &card.context.dir,
            repo: card.context.repo.as_deref(),
            tool: approval.dialog.request.as_ref(),
        };
        let judged = policy::judge(rules, &request);
        Ok(Verdict { effect: judged.effect, rule: judged.rule, why: judged.why, approval })
    }

    fn card(&self, session: &SessionId) -> Stored<Option<wire::session::Session>> {
        match self.sessions.get(session) {
            Some(live) => Ok(Some(live.card())),
            None => Ok(self.store.session(session)?.map(|kept| kept.card)),
        }
    }
}

/// The rules of a file.
pub(super) fn parse(text: &str) -> Result<Rules, Fault> {
    Rules::parse(text).map_err(|e| {
        Fault::bad(
            format!("the rules cannot be used: {e}"),
            "`assign policy test FILE` tries rules before they are set",
        )
    })
}
