//! Prompts: queueing, people's wishes, and the one place where a life changes. Must not: choose sessions.

use sha2::{Digest, Sha256};
use wire::http::{Counted, Edit, Selection};
use wire::prompt::{Hold, HoldCode, NewPrompt, Parent, Prompt, PromptResult, PromptState};
use wire::wrapper::ToWrapper;
use wire::{AttemptId, PromptId, UnixMillis};

use super::Control;
use super::check::check;
use super::command::{By, Change, Given, Reply};
use super::routing::waiting;
use crate::fault::Fault;
use crate::job::{Effect, Job, JobEvent, NotNow, Phase, Reach};
use crate::metrics::Count;
use crate::store::{Kept, Queued, Stored, StoredPrompt};
use crate::trace::is_parent;

impl Control {
    /// Queues a prompt; true when it is new.
    pub(super) fn enqueue(
        &mut self,
        asked: NewPrompt,
        given: Given,
        by: By,
        reply: Reply<(bool, Prompt)>,
        now: UnixMillis,
    ) -> Stored<()> {
        let value = match self.keep_new(asked, given, &by, now)? {
            Err(fault) => Err(fault),
            Ok((stored, new)) => {
                if new {
                    let detail = serde_json::json!({ "text": wire::text::cut(&stored.asked.text, 200) });
                    self.audit(by.as_str(), "prompt.assign", &format!("prompt {}", stored.id), &detail, now)?;
                    self.index(&stored);
                    self.write_down(&stored, None)?;
                }
                Ok((new, self.store.show(&stored)?))
            }
        };
        self.out.answer(reply, value);
        Ok(())
    }

    fn keep_new(
        &mut self,
        asked: NewPrompt,
        given: Given,
        by: &By,
        now: UnixMillis,
    ) -> Stored<Result<(StoredPrompt, bool), Fault>> {
        let key = match given.key.map(|key| keyed(key, &asked)).transpose() {
            Ok(key) => key,
            Err(fault) => return Ok(Err(fault)),
        };
        let asked = match check(asked) {
            Ok(asked) => asked,
            Err(fault) => return Ok(Err(fault)),
        };
        // What was queued under the key is there, whatever became of the prompts that it waited for.
        if let Some(key) = &key
            && let Some(Kept::There(id)) = self.store.under_key(key)?
        {
            return Ok(self.kept(id)?.map(|there| (there, false)));
        }
        let blocked = match self.blocked(&asked.after)? {
            Ok(blocked) => blocked,
            Err(fault) => return Ok(Err(fault)),
        };
        let parent = match self.parentage(&asked, key.as_ref().map(|key| key.0.as_str()), by, now)? {
            Ok(parent) => parent,
            Err(fault) => return Ok(Err(fault)),
        };
        // A shell would run its words, which is what it may not have done.
        let wordy = matches!(by, By::Agent(agent) if !agent.bounds.commands);
        let asked = NewPrompt { prose: asked.prose || wordy, ..asked };
        let due = asked.not_before.unwrap_or(now).max(now);
        let attempts = asked.attempts.unwrap_or(1);
        let job = Job::queued(attempts, asked.wait_ms.unwrap_or_default(), due, blocked);
        let queued = Queued { asked, job, key };
        let id = match self.store.enqueue(&queued, now)? {
            Kept::There(id) => return Ok(self.kept(id)?.map(|there| (there, false))),
            Kept::OtherContent(id) => {
                return Ok(Err(Fault::conflict(
                    format!("this idempotency key was used for prompt {id} with other content"),
                    "use a new key for a new prompt",
                )));
            }
            Kept::New(id) => id,
        };
        if let (Some(parent), By::Agent(agent)) = (&parent, by) {
            self.store.set_parent(id, &agent.token, parent, now)?;
        }
        // What an agent queues for its prompt belongs to that prompt's trace.
        let origin = match &parent {
            Some(Parent { prompt: Some(prompt), .. }) => self.trace_below(*prompt)?,
            Some(Parent { prompt: None, .. }) | None => given.trace.filter(|trace| is_parent(trace)),
        };
        origin.iter().try_for_each(|origin| self.store.set_trace_parent(id, origin))?;
        self.out.prompts.insert(id);
        self.stirred = true;
        if queued.asked.after.is_empty() {
            return Ok(Ok((queued.stored(id, now), true)));
        }
        self.store.set_needs(id, &queued.asked.after)?;
        self.look_at_needs(id, now)?;
        Ok(self.kept(id)?.map(|kept| (kept, true)))
    }

    /// A prompt that is known.
    fn kept(&self, id: PromptId) -> Stored<Result<StoredPrompt, Fault>> {
        Ok(self.store.prompt(id)?.ok_or_else(|| Fault::no_prompt(id)))
    }

    /// Whether a prompt that needs these has to wait; each must be known.
    pub(super) fn blocked(&self, after: &[PromptId]) -> Stored<Result<bool, Fault>> {
        let mut blocked = false;
        for id in after {
            match self.store.prompt(*id)? {
                None => {
                    return Ok(Err(Fault::bad(
                        format!("there is no prompt {id} to wait for"),
                        "`assign prompts` lists those there are",
                    )));
                }
                Some(needed) => blocked |= needed.job.state() != PromptState::Completed,
            }
        }
        Ok(Ok(blocked))
    }

    /// A person's wish about a prompt.
    pub(super) fn change(
        &mut self,
        id: PromptId,
        change: Change,
        by: By,
        reply: Reply<Prompt>,
        now: UnixMillis,
    ) -> Stored<()> {
        let value = match (self.kept(id)?, self.not_its_own(id, &by)?) {
            (Err(fault), _) | (Ok(_), Some(fault)) => Err(fault),
            (Ok(prompt), None) => self.wish(prompt, &change, &by, now)?,
        };
        self.out.answer(reply, value);
        Ok(())
    }

    /// The same about many; those that it does not fit stay as they are.
    pub(super) fn change_all(
        &mut self,
        selection: Selection,
        change: Change,
        by: By,
        reply: Reply<Counted>,
        now: UnixMillis,
    ) -> Stored<()> {
        let value = self.each(selection, now, |control, prompt| {
            let fits = match change {
                Change::Retry => !matches!(prompt.job.phase, Phase::Pending { .. } | Phase::Blocked),
                Change::Cancel | Change::Reassign(_) => true,
            };
            Ok(fits && control.wish(prompt, &change, &by, now)?.is_ok())
        })?;
        self.out.answer(reply, value);
        Ok(())
    }

    fn wish(
        &mut self,
        mut prompt: StoredPrompt,
        change: &Change,
        by: &By,
        now: UnixMillis,
    ) -> Stored<Result<Prompt, Fault>> {
        let reach = self.reach(&prompt);
        let event = match change {
            Change::Cancel => JobEvent::Cancel(reach),
            Change::Retry => JobEvent::Retry(reach),
            Change::Reassign(_) => JobEvent::Reassign(reach),
        };
        let before = prompt.clone();
        if let Change::Reassign(target) = change {
            prompt.avoid = prompt.session.clone().filter(|_| target.is_none());
            prompt.asked.target = target.clone();
        }
        if *change == Change::Retry && !prompt.asked.after.is_empty() {
            // Whoever wants it now does not want it to wait for the others.
            prompt.asked.after.clear();
            self.store.set_needs(prompt.id, &[])?;
        }
        match self.advance(&mut prompt, event, now)? {
            Err(not_now) => {
                self.store.set_needs(before.id, &before.asked.after)?;
                Ok(Err(refusal(&before, change, not_now)))
            }
            Ok(()) => {
                if prompt.asked != before.asked {
                    self.store.save_asked(&prompt)?;
                }
                let (what, detail) = match change {
                    Change::Cancel => ("prompt.cancel", serde_json::json!({})),
                    Change::Retry => ("prompt.retry", serde_json::json!({})),
                    Change::Reassign(to) => ("prompt.reassign", serde_json::json!({ "to": to })),
                };
                self.audit(by.as_str(), what, &format!("prompt {}", prompt.id), &detail, now)?;
                Ok(Ok(self.store.show(&prompt)?))
            }
        }
    }

    /// What a prompt asks for, anew. Only one that no session has.
    pub(super) fn edit(
        &mut self,
        id: PromptId,
        edit: Edit,
        by: By,
        reply: Reply<Prompt>,
        now: UnixMillis,
    ) -> Stored<()> {
        let value = match self.kept(id)? {
            Err(fault) => Err(fault),
            Ok(prompt) => self.edited(prompt, edit, by, now)?,
        };
        self.out.answer(reply, value);
        Ok(())
    }

    fn edited(
        &mut self,
        mut prompt: StoredPrompt,
        edit: Edit,
        by: By,
        now: UnixMillis,
    ) -> Stored<Result<Prompt, Fault>> {
        let id = prompt.id;
        if prompt.job.lease().is_some() || prompt.job.state().is_final() {
            return Ok(Err(Fault::conflict(
                format!("prompt {id} is {} and cannot be changed any more", prompt.job.state()),
                "cancel it and send a new one",
            )));
        }
        let mut asked = edit.asked.unwrap_or_else(|| prompt.asked.clone());
        asked.priority = edit.priority.unwrap_or(asked.priority);
        asked.after = edit.after.unwrap_or(asked.after);
        asked.not_before = edit.not_before.or(asked.not_before);
        let asked = match check(asked) {
            Ok(asked) => asked,
            Err(fault) => return Ok(Err(fault)),
        };
        for needed in &asked.after {
            if *needed == id || self.store.waits_on(*needed, id)? {
                return Ok(Err(Fault::conflict(
                    format!("prompt {needed} waits for prompt {id} already: they would wait for each other"),
                    "leave it out of what it waits for",
                )));
            }
        }
        let blocked = match self.blocked(&asked.after)? {
            Ok(blocked) => blocked,
            Err(fault) => return Ok(Err(fault)),
        };
        let due = asked.not_before.unwrap_or(now).max(now);
        let fresh = Job::queued(prompt.job.attempts, asked.wait_ms.unwrap_or_default(), due, blocked);
        prompt.job = Job {
            attempts: asked.attempts.unwrap_or(1).max(prompt.job.tried + 1),
            tried: prompt.job.tried,
            ..fresh
        };
        prompt.asked = asked;
        prompt.changed = now;
        self.store.set_needs(id, &prompt.asked.after)?;
        self.store.save_asked(&prompt)?;
        self.store.save_prompt(&prompt)?;
        self.index(&prompt);
        self.look_at_needs(id, now)?;
        self.out.prompts.insert(id);
        self.stirred = true;
        self.audit(by.as_str(), "prompt.edit", &format!("prompt {id}"), &serde_json::json!({}), now)?;
        match self.kept(id)? {
            Ok(prompt) => Ok(Ok(self.store.show(&prompt)?)),
            Err(fault) => Ok(Err(fault)),
        }
    }

    /// A prompt's life goes on by a wrapper's word, or by time.
    pub(super) fn job(&mut self, id: PromptId, event: JobEvent, now: UnixMillis) -> Stored<()> {
        let Some(mut prompt) = self.store.prompt(id)? else { return Ok(()) };
        if let Err(not_now) = self.advance(&mut prompt, event, now)? {
            tracing::warn!(prompt = %id, why = not_now.why, "a word did not fit");
        }
        Ok(())
    }

    /// Changes a life by one event, does what follows from it, and keeps it.
    pub(super) fn advance(
        &mut self,
        prompt: &mut StoredPrompt,
        event: JobEvent,
        now: UnixMillis,
    ) -> Stored<Result<(), NotNow>> {
        let before = prompt.clone();
        let effects = match prompt.job.apply(event, now, spread(prompt.id, now)) {
            Ok(effects) => effects,
            Err(not_now) => return Ok(Err(not_now)),
        };
        if *prompt == before && effects.is_empty() {
            return Ok(Ok(()));
        }
        prompt.changed = now;
        for effect in effects {
            match effect {
                Effect::EndLease(attempt, result) => {
                    self.store.end_attempt(attempt, &result, now)?;
                    self.learn(prompt, attempt, &result, now);
                    self.count_attempt(prompt, &result);
                    self.free(attempt, now);
                }
                Effect::AskCancel(attempt) => {
                    if let Some(line) = prompt.session.as_ref().and_then(|s| self.lines.get(s)) {
                        self.out.say(line, ToWrapper::Cancel { attempt });
                    }
                }
            }
        }
        self.store.save_prompt(prompt)?;
        self.index(prompt);
        self.out.prompts.insert(prompt.id);
        self.stirred = true;
        if prompt.job.state().is_final() && !before.job.state().is_final() {
            self.out.counts.push(Count::Prompt(prompt.job.state()));
            if self.settings.traces {
                self.store.trace_ended(prompt.id, now)?;
            }
            for waiting in self.store.needing(prompt.id)? {
                self.look_at_needs(waiting, now)?;
            }
        }
        let (was, is) = (before.job.lease(), prompt.job.lease());
        if before.job.state() != prompt.job.state() || was.map(|l| l.attempt) != is.map(|l| l.attempt) {
            self.write_down(prompt, was.map(|lease| lease.attempt))?;
        }
        if before.job.state().is_final() && !prompt.job.state().is_final() {
            self.store.trace_begins_again(prompt.id, now)?;
        }
        Ok(Ok(()))
    }

    /// Keeps the queue in memory as the database says.
    pub(super) fn index(&mut self, prompt: &StoredPrompt) {
        match waiting(prompt, self.settings.prefer.as_ref()) {
            Some(waiting) => self.queue.put(waiting),
            None => drop(self.queue.remove(prompt.id)),
        }
    }

    /// A prompt may go when all that it waits for is completed, and stops when one of them will not be.
    fn look_at_needs(&mut self, id: PromptId, now: UnixMillis) -> Stored<()> {
        let needs = self.store.needs_of(id)?;
        let Some(prompt) = self.store.prompt(id)?.filter(|_| !needs.is_empty()) else { return Ok(()) };
        let lost = needs.iter().find(|(_, s)| matches!(s, PromptState::Failed | PromptState::Cancelled));
        if let Some((needed, state)) = lost {
            let text = format!(
                "prompt {needed}, which it waits for, is {state}: retry that one, or this one to run it without"
            );
            return self.job(id, JobEvent::Broken(Hold { code: HoldCode::AfterFailed, text }), now);
        }
        if needs.iter().all(|(_, state)| *state == PromptState::Completed) {
            return self.job(id, JobEvent::Unblocked(prompt.asked.not_before.unwrap_or(now)), now);
        }
        Ok(())
    }

    fn count_attempt(&mut self, prompt: &StoredPrompt, result: &PromptResult) {
        let card = prompt.session.as_ref().and_then(|s| self.sessions.get(s)).map(|live| &live.kept.card);
        self.out.counts.push(Count::Attempt {
            outcome: result.outcome,
            agent: card.map(|card| card.agent.clone()).unwrap_or_default(),
            project: card
                .map(|c| c.context.repo.as_ref().unwrap_or(&c.context.dir).clone())
                .unwrap_or_default(),
            summary: result.summary.clone().map(Box::new),
        });
    }

    fn free(&mut self, attempt: AttemptId, now: UnixMillis) {
        for (id, live) in &mut self.sessions {
            if live.lease.is_some_and(|held| held.attempt == attempt) {
                live.lease = None;
                live.used = now;
                self.out.sessions.insert(id.clone());
            }
        }
    }

    fn reach(&self, prompt: &StoredPrompt) -> Reach {
        match prompt.session.as_ref().and_then(|s| self.sessions.get(s)) {
            Some(live) if live.link.is_some() => Reach::Connected,
            Some(_) | None => Reach::Gone,
        }
    }
}

/// The sender's key with a hash of what it sent.
fn keyed(key: String, asked: &NewPrompt) -> Result<(String, String), Fault> {
    if key.is_empty() || key.len() > 200 || !key.bytes().all(|b| b == b' ' || b.is_ascii_graphic()) {
        return Err(Fault::bad(
            "the idempotency key is empty, longer than 200 characters, or holds others than printable ASCII",
            "a random UUID is a good one",
        ));
    }
    let body = serde_json::to_vec(asked).map_err(|_| Fault::internal())?;
    Ok((key, wire::text::hex(&Sha256::digest(body))))
}

fn refusal(prompt: &StoredPrompt, change: &Change, not_now: NotNow) -> Fault {
    let wish = match change {
        Change::Cancel => "cancelled",
        Change::Retry => "retried",
        Change::Reassign(_) => "reassigned",
    };
    Fault::conflict(
        format!("prompt {} is {} and cannot be {wish}: {}", prompt.id, prompt.job.state(), not_now.why),
        format!("`assign show {}` says more", prompt.id),
    )
}

/// A number in 0..1 that differs between prompts and moments: retries need to move apart, not to be secret.
fn spread(id: PromptId, now: UnixMillis) -> f64 {
    let mixed = (id.0 ^ now.0).cast_unsigned().wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed >> 40) as f64 / (1u64 << 24) as f64
}
