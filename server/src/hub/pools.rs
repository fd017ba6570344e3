//! Pools: what they need now, what is started and ended for them. Must not: start a process.

use std::collections::BTreeMap;

use wire::http::{Done, ErrorCode};
use wire::pool::{NewPool, Pool as Shown};
use wire::prompt::Hold;
use wire::session::{Claim, Context, Exit, Link, Moves, Session, Size, Source, State};
use wire::wrapper::ToWrapper;
use wire::{HostId, SessionId, UnixMillis};

use super::command::{By, Reply};
use super::routing::LOOKED_AT;
use super::{Asker, Control, check};
use crate::fault::Fault;
use crate::pool::{Member, Pool, Step};
use crate::route::past::Past;
use crate::route::{Candidate, Wanted, could_have};
use crate::session::Live;
use crate::store::Stored;

/// Most pools.
const POOLS: usize = 100;
/// How long a server that was just started listens for sessions that are there already, in milliseconds.
const LISTENS: u64 = 2_000;

/// What clients and the starter ask about pools.
pub enum Pools {
    /// All of them.
    List(Reply<Vec<Shown>>),
    /// A pool is to be kept.
    Keep(Box<NewPool>, By, Reply<Shown>),
    /// A pool is to be forgotten.
    Forget(String, By, Reply<Done>),
    /// What is to be started on this host now: with the name of each session.
    Due(Reply<Vec<(NewPool, String)>>),
    /// What became of it: the pool, the session's name.
    Started(String, String, Result<(), String>),
}

impl Control {
    pub(super) fn ask_about_pools(&mut self, ask: Pools, now: UnixMillis) -> Stored<()> {
        match ask {
            Pools::List(reply) => {
                let pools = self.show_pools(now);
                self.out.answer(reply, Ok(pools));
            }
            Pools::Keep(asked, by, reply) => {
                let value = self.keep_pool(*asked, &by, now)?;
                self.out.answer(reply, value);
            }
            Pools::Forget(name, by, reply) => {
                let value = self.forget_pool(&name, &by, now)?;
                self.out.answer(reply, value);
            }
            Pools::Due(reply) => {
                let due = self.look_at_pools(now)?;
                self.out.answer(reply, Ok(due));
            }
            Pools::Started(pool, name, outcome) => self.pool_started(&pool, &name, outcome, now),
        }
        Ok(())
    }

    fn keep_pool(&mut self, asked: NewPool, by: &By, now: UnixMillis) -> Stored<Result<Shown, Fault>> {
        let asked = match check::pool(asked) {
            Ok(asked) => asked,
            Err(fault) => return Ok(Err(fault)),
        };
        let there = self.pools.get(&asked.name);
        if there.is_none() && self.pools.len() >= POOLS {
            let why = format!("{POOLS} pools are kept");
            return Ok(Err(Fault::conflict(why, "forget one with `assign pool rm`")));
        }
        // A page that was taken over must not run commands here.
        let same = |pool: &Pool| {
            let kept = &pool.asked;
            (&kept.command, &kept.dir, &kept.env, &kept.host)
                == (&asked.command, &asked.dir, &asked.env, &asked.host)
        };
        if *by == By::Browser && !there.is_some_and(same) {
            return Ok(Err(Fault::new(
                ErrorCode::Forbidden,
                "what a pool runs, and where, is not set from a browser",
                format!("`assign pool add {} --agent …` does it", wire::text::escape(&asked.name)),
            )));
        }
        self.store.save_pool(&asked)?;
        let detail = serde_json::json!({ "command": asked.command, "dir": asked.dir, "min": asked.min, "max": asked.max });
        self.audit(by.as_str(), "pool.set", &format!("pool {}", asked.name), &detail, now)?;
        let name = asked.name.clone();
        // What was started for a pool of this name that was forgotten, and has not come yet, is this one's.
        let known = self.pools.remove(&name).or_else(|| self.forgotten_pools.remove(&name));
        let mut pool = known.unwrap_or_else(|| Pool::new(asked.clone()));
        pool.change(asked);
        self.pools.insert(name.clone(), pool);
        let shown = self.show_pools(now).into_iter().find(|pool| pool.asked.name == name);
        Ok(shown.ok_or_else(|| no_pool(&name)))
    }

    fn forget_pool(&mut self, name: &str, by: &By, now: UnixMillis) -> Stored<Result<Done, Fault>> {
        let Some(pool) = self.pools.remove(name) else { return Ok(Err(no_pool(name))) };
        if pool.starting() > 0 && self.forgotten_pools.len() < POOLS {
            self.forgotten_pools.insert(name.to_owned(), pool);
        }
        self.store.delete_pool(name)?;
        self.audit(by.as_str(), "pool.forget", &format!("pool {name}"), &serde_json::json!({}), now)?;
        Ok(Ok(Done { done: true }))
    }

    fn show_pools(&self, now: UnixMillis) -> Vec<Shown> {
        let wanted = self.wanted_of_pools(now);
        let shown = self.pools.values().map(|pool| Shown {
            asked: pool.asked.clone(),
            sessions: self.members(&pool.asked.name).map(|live| live.id().clone()).collect(),
            starting: pool.starting(),
            waiting: wanted.get(&pool.asked.name).map_or(0, |n| u32::try_from(*n).unwrap_or(u32::MAX)),
            failures: pool.failures,
            resting_until: pool.resting_until,
            last_failure: pool.last_failure.clone(),
        });
        shown.collect()
    }

    fn members(&self, pool: &str) -> impl Iterator<Item = &Live> {
        self.sessions
            .values()
            .filter(move |live| !live.ended() && live.kept.card.pool.as_deref() == Some(pool))
    }

    /// Lets every pool decide; gives what is to be started on this server's own host.
    fn look_at_pools(&mut self, now: UnixMillis) -> Stored<Vec<(NewPool, String)>> {
        if self.pools.is_empty() || now.since(self.started) < LISTENS {
            return Ok(Vec::new());
        }
        let wanted = self.wanted_of_pools(now);
        let mut pools = std::mem::take(&mut self.pools);
        let due = self.let_decide(&mut pools, &wanted, now);
        // Also when not all could be kept: what is known of starts and failures holds.
        self.pools = pools;
        due
    }

    fn let_decide(
        &mut self,
        pools: &mut BTreeMap<String, Pool>,
        wanted: &BTreeMap<String, usize>,
        now: UnixMillis,
    ) -> Stored<Vec<(NewPool, String)>> {
        let mut due = Vec::new();
        for (name, pool) in pools {
            let members: Vec<Member<'_>> = self.members(name).map(member).collect();
            let taken =
                |name: &str| self.sessions.values().any(|live| !live.ended() && live.kept.card.name == *name);
            let steps = pool.steps(&members, wanted.get(name).copied().unwrap_or(0), taken, now);
            for step in steps {
                match step {
                    Step::Start(session) => due.extend(self.start_for(pool, session, now)?),
                    Step::End(session) => self.end_for(name, &session, now)?,
                }
            }
        }
        Ok(due)
    }

    /// How many prompts wait for each pool: those that no session can take now, and that one of it could.
    fn wanted_of_pools(&self, now: UnixMillis) -> BTreeMap<String, usize> {
        let mut wanted = BTreeMap::new();
        if self.pools.is_empty() || self.paused {
            return wanted;
        }
        let past = Past::default();
        let cards: Vec<(&Pool, Session)> =
            self.pools.values().map(|pool| (pool, self.next_of(&pool.asked))).collect();
        let next: Vec<Next<'_>> =
            cards.iter().map(|(pool, card)| self.next(pool, card, &past, now)).collect();
        for item in self.queue.due(now).take(LOOKED_AT) {
            let room = |next: &&Next<'_>| {
                wanted.get(next.name()).copied().unwrap_or(0) < next.pool.asked.max as usize
            };
            // One that can grow, else one that has to wait too.
            let fitting = next.iter().filter(|next| next.could_have(item.wanted)).filter(room);
            if let Some(next) = fitting.min_by_key(|next| !next.grows) {
                *wanted.entry(next.name().to_owned()).or_insert(0) += 1;
            }
        }
        wanted
    }

    fn next<'a>(&self, pool: &'a Pool, card: &'a Session, past: &'a Past, now: UnixMillis) -> Next<'a> {
        let provider = self.providers.get(&(card.host.clone(), card.agent.clone()));
        let provider = provider.and_then(|p| p.refusal(&card.agent, now));
        let candidate = Candidate {
            session: card,
            settled: true,
            paused: false,
            leased: false,
            keyboard: None,
            provider,
            past,
        };
        let (mut live, mut free) = (0, false);
        for each in self.members(&pool.asked.name) {
            live += 1;
            free |= self.candidate(each, now).is_free();
        }
        Next { pool, candidate, free, grows: pool.has_room(live, now) }
    }

    /// A session that a pool would start, as the router sees it.
    fn next_of(&self, asked: &NewPool) -> Session {
        // The wrapper knows which profile a command has; a session that was started says.
        let like = self.sessions.values().find(|live| live.kept.card.pool.as_ref() == Some(&asked.name));
        let program = asked.command.first().map(String::as_str).unwrap_or_default();
        let program = program.rsplit('/').next().unwrap_or_default();
        let agent = like.map_or(program, |live| &live.kept.card.agent).to_owned();
        let host = asked.host.as_ref().or(self.settings.host.as_ref());
        let interpreter = like.is_some_and(|live| live.kept.card.interpreter);
        Session { interpreter, ..next_card(asked, agent, host.cloned().unwrap_or(HostId(String::new()))) }
    }

    /// Starts a session on its pool's host; gives it back when that is this server's.
    fn start_for(
        &mut self,
        pool: &mut Pool,
        name: String,
        now: UnixMillis,
    ) -> Stored<Option<(NewPool, String)>> {
        let asked = pool.asked.clone();
        self.audit(
            &format!("pool {}", asked.name),
            "pool.start",
            &format!("session {name}"),
            &serde_json::json!({}),
            now,
        )?;
        if asked.host.is_none() || asked.host == self.settings.host {
            return Ok(Some((asked, name)));
        }
        let there = |live: &&Live| {
            Some(&live.kept.card.host) == asked.host.as_ref() && !live.ended() && live.settled()
        };
        let by = self.sessions.values().find(there).map(|live| live.id().clone());
        match by.and_then(|id| Some((self.lines.get(&id)?.clone(), id))) {
            Some((line, id)) => {
                let request = self.request(id, Asker::Start(asked.name.clone(), name.clone()));
                self.out.say(&line, ToWrapper::Start { request, name, pool: asked });
            }
            None => pool.started(
                &name,
                Err("no session of its host is connected, and only those can start one there".to_owned()),
                now,
            ),
        }
        Ok(None)
    }

    fn end_for(&mut self, pool: &str, session: &SessionId, now: UnixMillis) -> Stored<()> {
        let Some(line) = self.lines.get(session).cloned() else { return Ok(()) };
        self.audit(
            &format!("pool {pool}"),
            "pool.end",
            &format!("session {session}"),
            &serde_json::json!({}),
            now,
        )?;
        let request = self.request(session.clone(), Asker::End(pool.to_owned()));
        self.out.say(&line, ToWrapper::End { request });
        Ok(())
    }

    pub(super) fn pool_started(
        &mut self,
        pool: &str,
        name: &str,
        outcome: Result<(), String>,
        now: UnixMillis,
    ) {
        if let Err(why) = &outcome {
            tracing::warn!(pool, name, why, "a session of a pool could not be started");
        }
        if let Some(pool) = self.pools.get_mut(pool).or(self.forgotten_pools.get_mut(pool)) {
            pool.started(name, outcome.map_err(|why| wire::text::cut(&why, 500)), now);
        }
        self.forgotten_pools.retain(|_, pool| pool.starting() > 0);
    }

    /// The pools as they are kept, after the batch of `now` was not: what was asked for in it did not happen, and what was
    /// known before holds.
    pub(super) fn read_pools(&mut self, now: UnixMillis) -> Stored<()> {
        let mut known = std::mem::take(&mut self.pools);
        for asked in self.store.pools()? {
            let pool = match known.remove(&asked.name) {
                Some(pool) => pool.without(asked, now),
                None => Pool::new(asked),
            };
            self.pools.insert(pool.asked.name.clone(), pool);
        }
        Ok(())
    }

    pub(super) fn pool_ends(
        &mut self,
        pool: &str,
        session: &SessionId,
        refused: Option<&Hold>,
        now: UnixMillis,
    ) {
        if let Some(pool) = self.pools.get_mut(pool) {
            pool.asked_to_end(session, refused.is_some(), now);
        }
        self.stirred = true;
    }

    /// A session of a pool has ended.
    pub(super) fn pool_lost(&mut self, session: &SessionId, exit: Exit, now: UnixMillis) {
        let Some(live) = self.sessions.get(session) else { return };
        let Some(pool) = live.kept.card.pool.as_ref().and_then(|name| self.pools.get_mut(name)) else {
            return;
        };
        let (well, how) = match exit {
            Exit::Code { code } => (code == 0, format!("with status {code}")),
            Exit::Signal { signal } => (false, format!("by signal {signal}")),
        };
        pool.lost(&member(live), well, &how, now);
    }

    /// Whether a session was asked to end for its pool.
    pub(super) fn is_ending(&self, live: &Live) -> bool {
        let pool = live.kept.card.pool.as_ref().and_then(|name| self.pools.get(name));
        pool.is_some_and(|pool| pool.is_ending(live.id()))
    }
}

/// The session that a pool would start next.
struct Next<'a> {
    pool: &'a Pool,
    candidate: Candidate<'a>,
    /// One of its sessions is free: what waits does not wait for want of another.
    free: bool,
    /// Whether the pool may start one now.
    grows: bool,
}

impl Next<'_> {
    fn name(&self) -> &str {
        &self.pool.asked.name
    }

    /// Sessions are started where their pool is; they are not brought elsewhere for what waits there.
    fn could_have(&self, wanted: &Wanted) -> bool {
        let there = wanted.dir.as_ref().is_none_or(|dir| *dir == self.pool.asked.dir);
        !self.free && there && could_have(wanted, &self.candidate)
    }
}

fn next_card(asked: &NewPool, agent: String, host: HostId) -> Session {
    let never = UnixMillis(0);
    Session {
        id: SessionId(String::new()),
        name: asked.name.clone(),
        host,
        host_name: String::new(),
        agent,
        argv: asked.command.clone(),
        role: asked.role.clone(),
        caps: asked.caps.clone(),
        pool: Some(asked.name.clone()),
        moves: Moves::Relaunch,
        interpreter: false,
        paused: false,
        limited: None,
        claim: Claim {
            state: State::Idle,
            source: Source::Exit,
            rule: String::new(),
            evidence: String::new(),
            since: never,
            background: false,
        },
        link: Link::Connected,
        link_since: never,
        context: Context {
            dir: asked.dir.clone(),
            branch: None,
            repo: None,
            env: asked.env.clone(),
            hash: String::new(),
        },
        title: String::new(),
        dialog: None,
        prompt: None,
        size: Size { cols: 0, rows: 0 },
        attached: false,
        kept: false,
        keyboard: None,
        last_line: String::new(),
        metrics: BTreeMap::new(),
        started: never,
        active: never,
        exit: None,
    }
}

fn member(live: &Live) -> Member<'_> {
    let card = &live.kept.card;
    let rests = card.claim.state == State::Idle && !card.claim.background && card.link == Link::Connected;
    let used = live.lease.is_some() || live.keyboard.is_some() || card.attached || card.kept;
    Member {
        session: live.id(),
        name: &card.name,
        // By this server's clock, as that of another host may be wrong.
        started: live.heard.unwrap_or(card.started),
        ready: matches!(card.claim.state, State::Idle | State::Busy) || live.lease.is_some(),
        idle_since: (rests && !used).then_some(live.turned.unwrap_or(card.claim.since).max(live.used)),
    }
}

fn no_pool(name: &str) -> Fault {
    let text = format!("there is no pool '{}'", wire::text::escape(name));
    Fault::new(ErrorCode::NotFound, text, "`assign pool ls` lists those there are")
}
