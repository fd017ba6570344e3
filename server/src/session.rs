//! A session in the server's memory: its card, its link, its lease, its keyboard.
//!
//! Owns: what a wrapper's words change in a card, and the caps on what they may hold. Must not: do I/O.

use wire::prompt::{Attempt, NewPrompt, Step};
use wire::session::{Action, Claim, Context, Dialog, Link, Moves, Session};
use wire::wrapper::{Hello, Now};
use wire::{AttemptId, PromptId, SessionId, UnixMillis};

use crate::route::past::Past;
use crate::store::StoredSession;

/// How long a dashboard keeps a keyboard without a key, in milliseconds.
pub const KEYBOARD_IDLE: u64 = 2 * 60_000;

/// What a wrapper has beyond the time that an attempt may take, to stop it and say so, in milliseconds.
const GRACE: u64 = 2 * 60_000;

/// A session that is live or ended a short while ago.
#[derive(Debug, Clone)]
pub struct Live {
    /// As it is kept; the card in it is what everyone sees.
    pub kept: StoredSession,
    /// The attempt that holds it.
    pub lease: Option<Leased>,
    /// What it did before.
    pub past: Past,
    /// When it last had a prompt or a terminal, as far as this server knows.
    pub used: UnixMillis,
    /// When this server heard of it first, by its own clock; nothing for one that another start of it knew.
    pub heard: Option<UnixMillis>,
    /// When it came into its present state, by this server's clock; nothing when that was before its start.
    pub turned: Option<UnixMillis>,
    /// Who types into it from a dashboard.
    pub keyboard: Option<Keyboard>,
    /// The wrapper's connection, while there is one.
    pub link: Option<Linked>,
}

/// An attempt that holds a session, with what its limits of time need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leased {
    /// Which attempt.
    pub attempt: AttemptId,
    /// Of which prompt.
    pub prompt: PromptId,
    /// Since when.
    pub since: UnixMillis,
    /// When the agent accepted it, if it did.
    pub accepted: Option<UnixMillis>,
    /// Longest time from leased to accepted, in milliseconds.
    pub accept_ms: u64,
    /// Longest time from accepted to ended, verification included, in milliseconds.
    pub run_ms: u64,
    /// Its prompt was held because nothing was heard in time.
    pub told_late: bool,
}

impl Leased {
    /// An attempt of a prompt as it is kept.
    pub fn new(attempt: &Attempt, asked: &NewPrompt) -> Self {
        let reached = |step| attempt.receipts.iter().find(|r| r.step == step).map(|r| r.at);
        let timeout = asked.timeout_ms.unwrap_or_default();
        Self {
            attempt: attempt.id,
            prompt: attempt.prompt,
            since: reached(Step::Leased).unwrap_or(UnixMillis(0)),
            accepted: reached(Step::Accepted),
            accept_ms: asked.accept_ms.unwrap_or_default(),
            run_ms: if asked.verify.is_some() { timeout.saturating_mul(2) } else { timeout },
            told_late: false,
        }
    }

    /// Whether the wrapper must have said by now what became of it. A server that was just started has not waited yet.
    pub fn is_overdue(&self, started: UnixMillis, now: UnixMillis) -> bool {
        let (from, may) = match self.accepted {
            Some(accepted) => (accepted, self.run_ms),
            None => (self.since, self.accept_ms),
        };
        now.since(from.max(started)) > may.saturating_add(GRACE)
    }
}

/// What the connection's own life needs.
#[derive(Debug, Clone)]
pub struct Linked {
    /// Number of the connection: words of an older one are ignored.
    pub conn: u64,
    /// Version of the wrapper.
    pub version: String,
    /// When the wrapper was last heard.
    pub heard: UnixMillis,
    /// What has to be committed before its leases can be settled; `None` once that is done.
    pub settle: Option<Settle>,
    /// Heartbeats in a row that did not name the attempt which the server thinks it has.
    pub missing: u8,
}

/// What a hello said about leases, until it can be acted on.
#[derive(Debug, Clone, Copy)]
pub struct Settle {
    /// All reports up to here must be in.
    pub last_seq: u64,
    /// The attempt the wrapper holds.
    pub holds: Option<AttemptId>,
    /// The highest fence it has seen.
    pub fence: u64,
}

/// A keyboard that a viewer took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keyboard {
    /// Which viewer.
    pub viewer: u64,
    /// When it last sent a key.
    pub touched: UnixMillis,
}

impl Live {
    /// A session that was never seen before.
    pub fn new(hello: &Hello, now: UnixMillis) -> Self {
        let present = &hello.now;
        let card = Session {
            id: hello.session.clone(),
            name: hello.name.clone(),
            host: hello.host.clone(),
            host_name: hello.host_name.clone(),
            agent: hello.agent.clone(),
            argv: hello.argv.clone(),
            role: hello.role.clone(),
            caps: hello.caps.clone(),
            pool: hello.pool.clone(),
            moves: present.moves,
            interpreter: present.interpreter,
            paused: false,
            limited: None,
            claim: present.claim.clone(),
            link: Link::Disconnected,
            link_since: now,
            context: present.context.clone(),
            title: present.title.clone(),
            dialog: present.dialog.clone(),
            prompt: None,
            size: present.size,
            attached: present.attached,
            kept: present.kept,
            keyboard: None,
            last_line: present.last_line.clone(),
            metrics: present.metrics.clone(),
            started: hello.started,
            active: now,
            exit: None,
        };
        let kept = StoredSession { card, epoch: 0, ack: 0, fence: 0, ended: None };
        Self { heard: Some(now), turned: Some(now), ..Self::from_kept(kept) }
    }

    /// A session as the database knows it: nobody is connected.
    pub fn from_kept(kept: StoredSession) -> Self {
        let past = Past::default();
        let used = UnixMillis(0);
        Self { kept, lease: None, past, used, heard: None, turned: None, keyboard: None, link: None }
    }

    /// Its identity.
    pub fn id(&self) -> &SessionId {
        &self.kept.card.id
    }

    /// Whether its program has ended.
    pub fn ended(&self) -> bool {
        self.kept.ended.is_some()
    }

    /// Takes over what a hello says about the session itself.
    pub fn greet(&mut self, hello: &Hello, conn: u64, now: UnixMillis) {
        let card = &mut self.kept.card;
        card.name = hello.name.clone();
        card.host_name = hello.host_name.clone();
        card.agent = hello.agent.clone();
        card.argv = hello.argv.clone();
        card.role = hello.role.clone();
        card.caps = hello.caps.clone();
        card.pool = hello.pool.clone();
        card.started = hello.started;
        card.link = Link::Connected;
        card.link_since = now;
        self.kept.epoch = self.kept.epoch.max(hello.epoch);
        self.kept.fence = self.kept.fence.max(hello.fence);
        let settle = Settle { last_seq: hello.last_seq, holds: hello.holds, fence: hello.fence };
        self.link = Some(Linked {
            conn,
            version: hello.version.clone(),
            heard: now,
            settle: Some(settle),
            missing: 0,
        });
        self.present(&hello.now, now);
    }

    /// Replaces the present. Says whether anything a viewer sees has changed.
    pub fn present(&mut self, present: &Now, now: UnixMillis) -> bool {
        let before = self.kept.card.clone();
        if !self.ended() {
            self.claims(present.claim.clone(), now);
            self.kept.card.dialog = present.dialog.clone();
        }
        let card = &mut self.kept.card;
        card.context = present.context.clone();
        card.title = present.title.clone();
        card.size = present.size;
        card.attached = present.attached;
        card.kept = present.kept;
        if present.attached || before.attached {
            self.used = now;
        }
        card.moves = present.moves;
        card.interpreter = present.interpreter;
        card.last_line = present.last_line.clone();
        card.metrics = present.metrics.clone();
        let changed = *card != before;
        if changed {
            card.active = now;
        }
        changed
    }

    /// The clock was set, or the machine slept: what is counted from goes along.
    pub fn clock_set(&mut self, ms: i64) {
        let card = &mut self.kept.card;
        let own = [&mut self.used, &mut card.link_since, &mut card.active].into_iter();
        let lease = self.lease.iter_mut().flat_map(|lease| [Some(&mut lease.since), lease.accepted.as_mut()]);
        let seen = [self.heard.as_mut(), self.turned.as_mut()].into_iter().chain(lease).flatten();
        let link = self.link.iter_mut().map(|link| &mut link.heard);
        let keyboard = self.keyboard.iter_mut().map(|keyboard| &mut keyboard.touched);
        own.chain(seen).chain(link).chain(keyboard).for_each(|at| at.0 = at.0.saturating_add(ms));
    }

    /// It claims to be in a state.
    pub fn claims(&mut self, claim: Claim, now: UnixMillis) {
        let card = &mut self.kept.card;
        if (card.claim.state, card.claim.background) != (claim.state, claim.background) {
            self.turned = Some(now);
        }
        card.claim = claim;
    }

    /// The wrapper is gone; the state stays what it was, with its age.
    pub fn part(&mut self, now: UnixMillis) {
        self.link = None;
        self.keyboard = None;
        self.kept.card.link = Link::Disconnected;
        self.kept.card.link_since = now;
        self.kept.card.attached = false;
        self.kept.card.moves = Moves::None;
        self.kept.card.keyboard = None;
    }

    /// As everyone sees it.
    pub fn card(&self) -> Session {
        let mut card = self.kept.card.clone();
        card.prompt = self.lease.map(|lease| lease.prompt);
        card.keyboard = self.keyboard.as_ref().map(|k| viewer_name(k.viewer));
        card
    }

    /// Whether it is connected and all it wrote before that is in.
    pub fn settled(&self) -> bool {
        self.link.as_ref().is_some_and(|l| l.settle.is_none())
    }
}

/// What a viewer is called on the screen of the others.
pub fn viewer_name(viewer: u64) -> String {
    format!("viewer {viewer}")
}

/// Cuts what a wrapper says about itself to what a list can bear.
pub fn clamp_hello(hello: &mut Hello) {
    clamp(&mut hello.version, 100);
    clamp(&mut hello.name, 100);
    clamp(&mut hello.host_name, 200);
    clamp(&mut hello.agent, 100);
    hello.argv.truncate(100);
    hello.argv.iter_mut().for_each(|a| clamp(a, 500));
    hello.role.iter_mut().for_each(|r| clamp(r, 100));
    hello.pool.iter_mut().for_each(|p| clamp(p, 100));
    hello.caps.truncate(50);
    hello.caps.iter_mut().for_each(|c| clamp(c, 100));
    clamp_now(&mut hello.now);
}

/// Cuts the present.
pub fn clamp_now(now: &mut Now) {
    clamp_claim(&mut now.claim);
    clamp_context(&mut now.context);
    clamp(&mut now.title, 300);
    clamp(&mut now.last_line, 500);
    now.dialog.iter_mut().for_each(clamp_dialog);
    if now.metrics.len() > 64 {
        now.metrics = std::mem::take(&mut now.metrics).into_iter().take(64).collect();
    }
    now.metrics.retain(|name, value| name.len() <= 100 && value.is_finite());
}

/// Cuts a claim.
pub fn clamp_claim(claim: &mut Claim) {
    clamp(&mut claim.rule, 200);
    clamp(&mut claim.evidence, 200);
}

/// Cuts a context.
pub fn clamp_context(context: &mut Context) {
    clamp(&mut context.dir, 4096);
    context.branch.iter_mut().chain(context.repo.iter_mut()).for_each(|t| clamp(t, 4096));
    clamp(&mut context.hash, 64);
    if context.env.len() > 64 {
        context.env = std::mem::take(&mut context.env).into_iter().take(64).collect();
    }
    context.env.values_mut().for_each(|v| clamp(v, 4096));
}

/// Cuts a dialog. Its id stays: it is what an answer is bound to.
pub fn clamp_dialog(dialog: &mut Dialog) {
    clamp(&mut dialog.id, 200);
    clamp(&mut dialog.title, 300);
    clamp(&mut dialog.body, 16_384);
    dialog.options.truncate(50);
    dialog.options.iter_mut().for_each(|o| clamp(&mut o.label, 500));
    if let Some(request) = &mut dialog.request {
        clamp(&mut request.tool, 200);
        clamp(&mut request.detail, 4096);
        clamp(&mut request.arguments, 16_000);
        // What a rule judges is never cut: a command whose end is missing is another command.
        request.command.take_if(|command| command.len() > 16_000);
        if request.paths.len() > 200 || request.paths.iter().any(|p| p.len() > 4096) {
            request.paths.clear();
            request.action = Action::Other;
        }
    }
}

/// Cuts an event.
pub fn clamp_event(event: &mut wire::event::Event) {
    clamp(&mut event.rule, 200);
    clamp(&mut event.text, 500);
    clamp(&mut event.fingerprint, 200);
    if event.fields.len() > 32 {
        event.fields = std::mem::take(&mut event.fields).into_iter().take(32).collect();
    }
    event.fields.retain(|name, _| name.len() <= 100);
    event.fields.values_mut().for_each(|v| clamp(v, 4_096));
}

/// Cuts in place, with a mark; cheap when nothing is to be cut.
pub fn clamp(text: &mut String, max: usize) {
    if text.len() > max {
        *text = wire::text::cut(text, max);
    }
}
