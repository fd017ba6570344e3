//! Prompts find sessions: leases are given and offers sent. Must not: score or plan (see `route`).

use wire::http::{Plan, Planned};
use wire::prompt::{Attempt, Failed, NewPrompt, Outcome, PromptResult, Score};
use wire::wrapper::{Offer, ToWrapper};
use wire::{AttemptId, HostId, PromptId, SessionId, UnixMillis};

use super::Control;
use super::check::check;
use crate::fault::Fault;
use crate::job::{JobEvent, Phase, Then};
use crate::metrics::Count;
use crate::queue::Waiting;
use crate::route::plan::{Depth, Verdict, plan};
use crate::route::provider::Provider;
use crate::route::{Candidate, Fit, Wanted, route};
use crate::session::{Leased, Live, viewer_name};
use crate::store::{Stored, StoredPrompt};

/// Prompts looked at in one pass, the most urgent first.
pub(super) const LOOKED_AT: usize = 1_000;
/// Scores shown of a prompt that waits, the best first.
const SHOWN: usize = 50;
/// Scores kept of a lease, the best first.
const KEPT: usize = 20;
/// Longest reason of a failure that is told to the next attempt, in characters.
const REASON: usize = 1_000;

impl Control {
    /// Gives due prompts to sessions that can take one, if anything happened that could let them.
    pub(super) fn assign(&mut self, now: UnixMillis) -> Stored<()> {
        if !std::mem::take(&mut self.stirred) || self.queue.is_empty() || self.paused {
            return Ok(());
        }
        let mut candidates = self.candidates(now);
        let items = self.queue.due(now).take(LOOKED_AT);
        let steps = plan(items, &mut candidates, &self.settings.rules, Depth::Act, now);
        for step in steps {
            match step.verdict {
                Verdict::Gets(session, fit) => {
                    if let Some(prompt) = self.store.prompt(step.id)? {
                        self.give(prompt, &session, fit, &step.scores, now)?;
                    }
                }
                Verdict::Passed(_) => self.queue.turn(step.id, now),
                Verdict::Waits(_) => {}
            }
        }
        Ok(())
    }

    /// What the queue would do now, without doing it.
    pub(super) fn plan(&self, limit: u32, now: UnixMillis) -> Stored<Plan> {
        let mut candidates = self.candidates(now);
        let looked = usize::try_from(limit).unwrap_or(LOOKED_AT).min(LOOKED_AT);
        let items = self.queue.due(now).take(looked);
        let steps = plan(items, &mut candidates, &self.settings.rules, Depth::Explain, now);
        let more = self.queue.len().saturating_sub(steps.len());
        let mut prompts = Vec::with_capacity(steps.len());
        for step in steps {
            let (session, waits) = match step.verdict {
                Verdict::Gets(session, _) => (Some(session), None),
                Verdict::Waits(why) | Verdict::Passed(why) => (None, Some(why)),
            };
            let text =
                self.store.prompt(step.id)?.map(|p| wire::text::cut(&p.asked.text, 200)).unwrap_or_default();
            prompts.push(Planned { prompt: step.id, text, session, waits, scores: few(step.scores) });
        }
        Ok(Plan { prompts, more: u32::try_from(more).unwrap_or(u32::MAX) })
    }

    /// What would become of a prompt if it were queued now.
    pub(super) fn foresee(&self, asked: NewPrompt, now: UnixMillis) -> Stored<Result<Planned, Fault>> {
        let asked = match check(asked) {
            Ok(asked) => asked,
            Err(fault) => return Ok(Err(fault)),
        };
        let blocked = match self.blocked(&asked.after)? {
            Ok(blocked) => blocked,
            Err(fault) => return Ok(Err(fault)),
        };
        let id = PromptId(i64::MAX);
        let wanted = Wanted::of(&asked, self.settings.prefer.as_ref(), None);
        let own = Waiting { id, created: now, due: now, turn: None, until: UnixMillis(i64::MAX), wanted };
        let items = self.queue.ahead_of(&own, now).take(LOOKED_AT - 1).chain([own.item()]);
        let steps = plan(items, &mut self.candidates(now), &self.settings.rules, Depth::Explain, now);
        let (mut session, mut waits, mut scores) = (None, None, Vec::new());
        if let Some(step) = steps.into_iter().find(|step| step.id == id) {
            scores = few(step.scores);
            match step.verdict {
                Verdict::Gets(chosen, _) => session = Some(chosen),
                Verdict::Waits(why) | Verdict::Passed(why) => waits = Some(why),
            }
        }
        let later = asked.not_before.filter(|at| *at > now);
        if blocked || later.is_some() {
            session = None;
            let why =
                if blocked { "it waits for other prompts to complete" } else { "its time has not come" };
            waits = Some(why.to_owned());
        }
        let text = wire::text::cut(&asked.text, 200);
        Ok(Ok(Planned { prompt: PromptId(0), text, session, waits, scores }))
    }

    /// How sessions score for a prompt: as they would now while it waits, else as when it was routed.
    pub(super) fn scores(&self, prompt: &StoredPrompt, now: UnixMillis) -> Stored<Vec<Score>> {
        match prompt.job.phase {
            Phase::Blocked | Phase::Pending { .. } | Phase::Held { then: Then::Again { .. }, .. } => {
                let wanted = Wanted::of(&prompt.asked, self.settings.prefer.as_ref(), prompt.avoid.clone());
                let weights = &self.settings.rules.weights;
                Ok(few(route(&wanted, &self.candidates(now), weights, now).scores))
            }
            Phase::Assigned { .. }
            | Phase::InProgress { .. }
            | Phase::Held { .. }
            | Phase::Completed(_)
            | Phase::Failed(_)
            | Phase::Cancelled(_) => self.store.scores(prompt.id),
        }
    }

    /// Sends a lease's offer.
    pub(super) fn offer(&mut self, prompt: &StoredPrompt, attempt: &Attempt, may_move: bool) -> Stored<()> {
        let failed = self.failure_before(prompt.id, attempt)?;
        let trace = self.trace_within(prompt.id, attempt.id)?;
        let Some(line) = self.lines.get(&attempt.session) else { return Ok(()) };
        let asked = &prompt.asked;
        let offer = Offer {
            number: attempt.number,
            failed,
            dir: asked.dir.clone(),
            branch: asked.branch.clone(),
            env: asked.env.clone(),
            prerequisites: asked.prerequisites.clone(),
            worktree: asked.worktree,
            may_move,
            verify: asked.verify.clone(),
            command: asked.command,
            accept_ms: asked.accept_ms.unwrap_or_default(),
            timeout_ms: asked.timeout_ms.unwrap_or_default(),
            silence_ms: asked.silence_ms.unwrap_or_default(),
            trace,
            ..Offer::new(attempt.id, prompt.id, attempt.fence, asked.text.as_str())
        };
        self.out.say(line, ToWrapper::Offer(offer));
        Ok(())
    }

    /// How the attempt before failed, if it ran and failed.
    fn failure_before(&self, prompt: PromptId, attempt: &Attempt) -> Stored<Option<Failed>> {
        if attempt.number <= 1 {
            return Ok(None);
        }
        let before = self.store.attempts_of(prompt)?.into_iter().rfind(|a| a.id < attempt.id && ran(a));
        let Some((number, result)) = before.and_then(|a| Some((a.number, a.result?))) else {
            return Ok(None);
        };
        let failed = matches!(result.outcome, Outcome::Failed | Outcome::TimedOut);
        Ok(failed.then(|| Failed {
            number,
            reason: wire::text::cut(&result.reason, REASON),
            output: result.verification.map(|v| v.output).unwrap_or_default(),
        }))
    }

    fn give(
        &mut self,
        mut prompt: StoredPrompt,
        session: &SessionId,
        fit: Fit,
        scores: &[Score],
        now: UnixMillis,
    ) -> Stored<()> {
        let attempt = self.store.lease(prompt.id, session, prompt.job.tried + 1, now)?;
        if prompt.asked.dir.is_some() || prompt.asked.branch.is_some() {
            self.store.meet(&attempt, fit == Fit::Moves, now)?;
            self.out.counts.push(Count::Met { moved: fit == Fit::Moves });
        }
        prompt.session = Some(session.clone());
        prompt.avoid = None;
        if let Err(not_now) = self.advance(&mut prompt, JobEvent::Leased(attempt.id), now)? {
            tracing::error!(prompt = %prompt.id, why = not_now.why, "a due prompt could not be leased");
        }
        self.store.save_scores(prompt.id, &scores[..scores.len().min(KEPT)])?;
        if let Some(live) = self.sessions.get_mut(session) {
            live.lease = Some(Leased::new(&attempt, &prompt.asked));
            live.past.given(prompt.asked.thread.as_deref(), &prompt.asked.tags, now);
            live.kept.fence = attempt.fence;
            live.link.iter_mut().for_each(|l| l.missing = 0);
            self.providers.entry(provider_key(live)).or_default().leased(attempt.id);
        }
        self.out.sessions.insert(session.clone());
        self.offer(&prompt, &attempt, fit == Fit::Moves)
    }

    /// What the end of an attempt teaches: about the session, and about its provider.
    pub(super) fn learn(
        &mut self,
        prompt: &StoredPrompt,
        attempt: AttemptId,
        result: &PromptResult,
        now: UnixMillis,
    ) {
        let Some(live) = prompt.session.as_ref().and_then(|s| self.sessions.get_mut(s)) else { return };
        live.past.ended(&prompt.asked.tags, result.outcome, result.duration_ms);
        let key = provider_key(live);
        let provider = self.providers.entry(key.clone()).or_default();
        let limited = provider.limited(now);
        provider.ended(attempt, result, now);
        if provider.limited(now) != limited {
            self.show_limits(&key, now);
        }
    }

    /// Shows a provider's limit at all its sessions.
    pub(super) fn show_limits(&mut self, key: &(HostId, String), now: UnixMillis) {
        let until = self.providers.get(key).and_then(|p| p.limited(now));
        for live in self.sessions.values_mut().filter(|live| provider_key(live) == *key) {
            if live.kept.card.limited != until {
                live.kept.card.limited = until;
                self.out.sessions.insert(live.id().clone());
            }
        }
    }

    fn candidates(&self, now: UnixMillis) -> Vec<Candidate<'_>> {
        let live = self.sessions.values().filter(|l| !l.ended() && !self.is_ending(l));
        live.map(|live| self.candidate(live, now)).collect()
    }

    pub(super) fn candidate<'a>(&'a self, live: &'a Live, now: UnixMillis) -> Candidate<'a> {
        Candidate {
            session: &live.kept.card,
            settled: live.settled(),
            paused: self.paused,
            leased: live.lease.is_some(),
            keyboard: live.keyboard.as_ref().map(|k| viewer_name(k.viewer)),
            provider: self.provider_of(live).and_then(|p| p.refusal(&live.kept.card.agent, now)),
            past: &live.past,
        }
    }

    fn provider_of(&self, live: &Live) -> Option<&Provider> {
        self.providers.get(&provider_key(live))
    }
}

/// A prompt as the queue in memory knows it; `None`: it does not wait for a session.
pub(super) fn waiting(prompt: &StoredPrompt, prefer: Option<&String>) -> Option<Waiting> {
    let due = prompt.job.due()?;
    Some(Waiting {
        id: prompt.id,
        created: prompt.created,
        due,
        turn: None,
        until: prompt.job.wait_until,
        wanted: Wanted::of(&prompt.asked, prefer, prompt.avoid.clone()),
    })
}

/// A limit of use is one of an account, and so of all sessions of an agent on a host.
pub(super) fn provider_key(live: &Live) -> (HostId, String) {
    (live.kept.card.host.clone(), live.kept.card.agent.clone())
}

fn ran(attempt: &Attempt) -> bool {
    attempt.result.as_ref().is_some_and(|r| r.outcome != Outcome::NotTyped)
}

fn few(mut scores: Vec<Score>) -> Vec<Score> {
    scores.truncate(SHOWN);
    scores
}
