//! Prompts find sessions: leases are given and offers sent. Must not: score (see `route`).

use wire::prompt::{Attempt, Score};
use wire::session::Session;
use wire::wrapper::{Offer, ToWrapper};
use wire::{SessionId, UnixMillis};

use super::Control;
use crate::job::{JobEvent, Phase, Then};
use crate::route::{Candidate, Decision, Wanted, available, matches, route};
use crate::store::{Stored, StoredPrompt};

/// Prompts looked at in one pass, the most urgent first.
const LOOKED_AT: u32 = 1_000;
/// Scores kept with a prompt, the best first.
const SCORES: usize = 50;

impl Control {
    /// Gives due prompts to sessions that can take one, if anything happened that could let them.
    pub(super) fn assign(&mut self, now: UnixMillis) -> Stored<()> {
        if !std::mem::take(&mut self.stirred) {
            return Ok(());
        }
        let mut seats = self.seats();
        let mut free = seats.iter().filter(|s| available(&s.candidate())).count();
        if free == 0 {
            return Ok(());
        }
        for prompt in self.store.due_prompts(now, LOOKED_AT)? {
            if free == 0 {
                break;
            }
            let wanted = self.wanted(&prompt);
            let hopeful = |s: &Seat| matches(&wanted, &s.card) && available(&s.candidate());
            if !seats.iter().any(hopeful) {
                continue;
            }
            let Decision { chosen, scores } = self.score(&wanted, &seats, now);
            if let Some(session) = chosen {
                seats.iter_mut().filter(|s| s.card.id == session).for_each(|s| s.leased = true);
                free -= 1;
                self.give(prompt, &session, &scores, now)?;
            }
        }
        Ok(())
    }

    /// How sessions score for a prompt: as they would now while it waits, else as when it was routed.
    pub(super) fn scores(&self, prompt: &StoredPrompt, now: UnixMillis) -> Stored<Vec<Score>> {
        match prompt.job.phase {
            Phase::Pending { .. } | Phase::Held { then: Then::Again { .. }, .. } => {
                let mut scores = self.score(&self.wanted(prompt), &self.seats(), now).scores;
                scores.truncate(SCORES);
                Ok(scores)
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
    pub(super) fn offer(&mut self, prompt: &StoredPrompt, attempt: &Attempt) {
        let Some(line) = self.lines.get(&attempt.session) else { return };
        let offer = Offer {
            attempt: attempt.id,
            prompt: prompt.id,
            fence: attempt.fence,
            text: prompt.asked.text.clone(),
            dir: prompt.asked.dir.clone(),
            branch: prompt.asked.branch.clone(),
            command: prompt.asked.command,
            timeout_ms: prompt.asked.timeout_ms.unwrap_or_default(),
        };
        self.out.say(line, ToWrapper::Offer(offer));
    }

    fn give(
        &mut self,
        mut prompt: StoredPrompt,
        session: &SessionId,
        scores: &[Score],
        now: UnixMillis,
    ) -> Stored<()> {
        let attempt = self.store.lease(prompt.id, session, prompt.job.tried + 1, now)?;
        prompt.session = Some(session.clone());
        prompt.avoid = None;
        if let Err(not_now) = self.advance(&mut prompt, JobEvent::Leased(attempt.id), now)? {
            tracing::error!(prompt = %prompt.id, why = not_now.why, "a due prompt could not be leased");
        }
        self.store.save_scores(prompt.id, &scores[..scores.len().min(SCORES)])?;
        if let Some(live) = self.sessions.get_mut(session) {
            live.lease = Some((attempt.id, prompt.id));
            live.kept.fence = attempt.fence;
            live.link.iter_mut().for_each(|l| l.missing = 0);
        }
        self.out.sessions.insert(session.clone());
        self.offer(&prompt, &attempt);
        Ok(())
    }

    fn wanted(&self, prompt: &StoredPrompt) -> Wanted {
        Wanted {
            target: prompt.asked.target.clone(),
            dir: prompt.asked.dir.clone(),
            branch: prompt.asked.branch.clone(),
            agent: prompt.asked.agent.clone(),
            prefer: self.settings.prefer.clone(),
            avoid: prompt.avoid.clone(),
        }
    }

    fn score(&self, wanted: &Wanted, seats: &[Seat], now: UnixMillis) -> Decision {
        let candidates: Vec<_> = seats.iter().map(Seat::candidate).collect();
        route(wanted, &candidates, &self.settings.weights, now)
    }

    fn seats(&self) -> Vec<Seat> {
        let live = self.sessions.values().filter(|l| !l.ended());
        live.map(|l| Seat { card: l.card(), settled: l.settled(), leased: l.lease.is_some() }).collect()
    }
}

/// A live session, as it stands during one pass.
struct Seat {
    card: Session,
    settled: bool,
    leased: bool,
}

impl Seat {
    fn candidate(&self) -> Candidate<'_> {
        Candidate { session: &self.card, settled: self.settled, leased: self.leased }
    }
}
