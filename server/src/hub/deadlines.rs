//! What only time brings about: waits that end, attempts that nobody speaks of any more. Must not: end a lease.

use wire::prompt::{Hold, HoldCode};
use wire::session::Link;
use wire::wrapper::ToWrapper;
use wire::{AttemptId, PromptId, SessionId, UnixMillis};

use super::Control;
use crate::job::JobEvent;
use crate::store::Stored;

/// How long a session that has a prompt may be out of reach before the prompt is shown as held, in milliseconds.
const AWAY: u64 = 60_000;

/// An attempt of which nothing was heard in time.
struct Overdue {
    session: SessionId,
    prompt: PromptId,
    attempt: AttemptId,
    hold: Hold,
}

impl Control {
    /// The clock was set by so much, or the machine slept so long: all waits and leases go on as if nothing had happened. What
    /// a person wants at a time of day stays at that time.
    pub(super) fn clock_set(&mut self, ms: i64) -> Stored<()> {
        self.store.clock_set(ms)?;
        self.sessions.values_mut().for_each(|live| live.clock_set(ms));
        self.pools.values_mut().chain(self.forgotten_pools.values_mut()).for_each(|pool| pool.clock_set(ms));
        self.started = UnixMillis(self.started.0.saturating_add(ms));
        self.looked = UnixMillis(0);
        self.read_queue()
    }

    /// Looks at all waits and leases.
    pub(super) fn look_at_time(&mut self, now: UnixMillis) -> Stored<()> {
        for id in self.queue.expired(now) {
            self.job(id, JobEvent::Expired, now)?;
        }
        for Overdue { session, prompt, attempt, hold } in self.overdue(now) {
            self.job(prompt, JobEvent::Overdue(attempt, hold), now)?;
            if let Some(line) = self.lines.get(&session) {
                self.out.say(line, ToWrapper::Cancel { attempt });
            }
        }
        let over: Vec<_> = self.providers.keys().cloned().collect();
        over.iter().for_each(|key| self.show_limits(key, now));
        Ok(())
    }

    fn overdue(&mut self, now: UnixMillis) -> Vec<Overdue> {
        let started = self.started;
        let mut overdue = Vec::new();
        for (id, live) in &mut self.sessions {
            let Some(lease) = live.lease.as_mut().filter(|lease| !lease.told_late) else { continue };
            let card = &live.kept.card;
            // A server that was just started has not been waited for yet.
            let away = card.link == Link::Disconnected && now.since(card.link_since.max(started)) > AWAY;
            let why = if away {
                "its session is out of reach and may still work on it: it is settled when the session is back"
            } else if card.link == Link::Connected && lease.is_overdue(started, now) {
                "its time is up, but its session has not said what became of it; it was asked to stop"
            } else {
                continue;
            };
            lease.told_late = true;
            let hold = Hold { code: HoldCode::SessionGone, text: why.to_owned() };
            overdue.push(Overdue { session: id.clone(), prompt: lease.prompt, attempt: lease.attempt, hold });
        }
        overdue
    }
}
