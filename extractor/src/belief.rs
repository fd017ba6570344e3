//! The one stored state: takes candidates, believes them after they stood long enough. Must not: weigh evidence.

use std::time::Duration;

use crate::evidence::Candidate;
use crate::observation::{Claim, Source, State};

/// What is believed, and what is about to be.
#[derive(Debug, Clone)]
pub struct Belief {
    claim: Claim,
    pending: Option<(Candidate, Duration)>,
    /// Since when nothing spoke for any state.
    silent: Option<Duration>,
}

/// A change of what is believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// The state before.
    pub from: State,
    /// The state now.
    pub to: State,
}

impl Default for Belief {
    fn default() -> Self {
        Self::new()
    }
}

impl Belief {
    /// At the start of a program.
    pub fn new() -> Self {
        let claim = Claim {
            state: State::Starting,
            source: Source::Silence,
            rule: "start".into(),
            evidence: String::new(),
            since: Duration::ZERO,
            background: false,
        };
        Self { claim, pending: None, silent: None }
    }

    /// What is believed now.
    pub fn claim(&self) -> &Claim {
        &self.claim
    }

    /// Takes the evidence of a moment. Nothing for `unknown` long makes the state unknown, but not while the
    /// program starts.
    pub fn weigh(
        &mut self,
        now: Duration,
        candidate: Option<Candidate>,
        unknown: Duration,
    ) -> Option<Change> {
        let candidate = match candidate {
            Some(candidate) => {
                self.silent = None;
                candidate
            }
            None => {
                self.pending = None;
                let since = *self.silent.get_or_insert(now);
                if now < since + unknown || matches!(self.claim.state, State::Unknown | State::Exited) {
                    return None;
                }
                silence(now - since)
            }
        };
        if candidate.state == self.claim.state {
            self.pending = None;
            self.claim.background = candidate.background;
            if candidate.source != self.claim.source || candidate.rule != self.claim.rule {
                self.claim.source = candidate.source;
                self.claim.rule = candidate.rule;
                self.claim.evidence = candidate.evidence;
            }
            return None;
        }
        let since = match &self.pending {
            Some((pending, since)) if pending.state == candidate.state => *since,
            Some(_) | None => now,
        };
        if now < since + candidate.hold {
            self.pending = Some((candidate, since));
            return None;
        }
        Some(self.believe(now, candidate))
    }

    /// Believes at once what is pending by this source.
    pub fn settle(&mut self, now: Duration, source: Source) -> Option<Change> {
        let (candidate, _) = self.pending.take().filter(|(pending, _)| pending.source == source)?;
        Some(self.believe(now, candidate))
    }

    /// The evidence for what is pending was interrupted: it must stand anew.
    pub fn restart(&mut self, now: Duration, source: Source) {
        if let Some((pending, since)) = &mut self.pending
            && pending.source == source
            && pending.state == State::Idle
        {
            *since = now;
        }
    }

    /// Believes at once.
    pub fn believe(&mut self, now: Duration, candidate: Candidate) -> Change {
        self.pending = None;
        let change = Change { from: self.claim.state, to: candidate.state };
        self.claim = Claim {
            state: candidate.state,
            source: candidate.source,
            rule: candidate.rule,
            evidence: candidate.evidence,
            since: now,
            background: candidate.background,
        };
        change
    }

    /// When it may change although nothing happens.
    pub fn due(&self, unknown: Duration) -> Option<Duration> {
        let pending = self.pending.as_ref().map(|(candidate, since)| *since + candidate.hold);
        let known = !matches!(self.claim.state, State::Unknown | State::Exited);
        let silent = self.silent.filter(|_| known).map(|since| since + unknown);
        [pending, silent].into_iter().flatten().min()
    }
}

fn silence(lasted: Duration) -> Candidate {
    Candidate {
        state: State::Unknown,
        source: Source::Silence,
        rule: "no.evidence".into(),
        evidence: format!("nothing told the state for {:.1} s", lasted.as_secs_f64()),
        background: false,
        hold: Duration::ZERO,
    }
}
