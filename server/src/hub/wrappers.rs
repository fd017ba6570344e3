//! Wrappers: hello, presence, heartbeats, silence, replies. Must not: decide about prompts.

use wire::http::{ErrorCode, RecordingPart};
use wire::prompt::{Hold, HoldCode};
use wire::session::Link;
use wire::wrapper::{Hello, Now, ToWrapper};
use wire::{AttemptId, SessionId, UnixMillis};

use super::command::Said;
use super::{Asker, Control, LISTED, Line, Request};
use crate::fault::Fault;
use crate::session::{KEYBOARD_IDLE, Live};
use crate::store::Stored;

/// How long a wrapper may be silent; it sends a heartbeat every 5 seconds. In milliseconds.
const SILENCE: u64 = 20_000;
/// Heartbeats without the attempt it should hold, after which a wrapper is made to say hello again.
const MISSING: u8 = 3;
/// How long a session out of reach that holds nothing is listed, in milliseconds.
const FORGOTTEN: u64 = 24 * 60 * 60_000;

impl Control {
    /// A wrapper says hello. It is welcomed or refused down its own line.
    pub(super) fn connect(&mut self, hello: Hello, line: Line, now: UnixMillis) -> Stored<()> {
        let id = hello.session.clone();
        let known = match self.sessions.remove(&id) {
            Some(live) => Some(live),
            None => self.store.session(&id)?.map(Live::from_kept),
        };
        let refusal = refuse(&hello, known.as_ref());
        let mut live = known.unwrap_or_else(|| Live::new(&hello, now));
        if let Some(text) = refusal {
            if live.kept.epoch > 0 {
                self.sessions.insert(id, live);
            }
            self.out.say(&line, ToWrapper::Refused { text });
            return Ok(());
        }
        if let Some(old) = self.lines.insert(id.clone(), line.clone()) {
            old.close();
        }
        live.greet(&hello, line.conn, now);
        self.store.save_session(&live.kept)?;
        self.store.append_context(&id, 0, now, &live.kept.card.context)?;
        live.lease = self.leased(&id)?;
        self.out.say(&line, welcome(&hello, live.kept.ack));
        self.welcomed.push((id.clone(), line));
        self.sessions.insert(id.clone(), live);
        self.out.sessions.insert(id.clone());
        self.stirred = true;
        self.asks_by_hello(&id, now)?;
        self.settle(&id, now)
    }

    /// A wrapper says something after its hello. Words of a connection that was replaced are ignored.
    pub(super) fn wrapper(
        &mut self,
        session: &SessionId,
        conn: u64,
        said: Said,
        now: UnixMillis,
    ) -> Stored<()> {
        let link = self.sessions.get_mut(session).and_then(|live| live.link.as_mut());
        let Some(link) = link.filter(|link| link.conn == conn) else { return Ok(()) };
        link.heard = now;
        match said {
            Said::Reports(reports) => self.reports(session, reports, now),
            Said::Now(present) => {
                self.present(session, &present, now);
                Ok(())
            }
            Said::Heartbeat(holds, resources) => {
                if let Some(resources) = resources {
                    self.spares(session, resources, now);
                }
                self.heartbeat(session, holds);
                Ok(())
            }
            Said::Reply(request, refused) => self.replied(session, request, refused, now),
            Said::Recording(request, part) => {
                self.recorded(session, request, part);
                Ok(())
            }
            Said::Gone => self.gone(session, now),
        }
    }

    /// Looks at what only time changes.
    pub(super) fn tick(&mut self, now: UnixMillis) -> Stored<()> {
        self.stirred = true;
        let mut forgotten = Vec::new();
        for (id, live) in &mut self.sessions {
            if live.keyboard.as_ref().is_some_and(|k| now.since(k.touched) > KEYBOARD_IDLE) {
                live.keyboard = None;
                self.out.sessions.insert(id.clone());
            }
            let silent = live.link.as_ref().is_some_and(|l| now.since(l.heard) > SILENCE);
            if silent && let Some(line) = self.lines.get(id) {
                line.close();
            }
            let away = live.kept.card.link == Link::Disconnected;
            let old = match live.kept.ended {
                Some(ended) => now.since(ended) > LISTED,
                None => now.since(live.kept.card.link_since) > FORGOTTEN,
            };
            if away && old && live.lease.is_none() {
                forgotten.push(id.clone());
            }
        }
        for id in forgotten {
            self.sessions.remove(&id);
            self.out.gone.insert(id);
        }
        self.forget_hosts();
        self.look_at_time(now)?;
        self.look_at_conditions(now)
    }

    fn present(&mut self, session: &SessionId, present: &Now, now: UnixMillis) {
        let Some(live) = self.sessions.get_mut(session) else { return };
        if live.present(present, now) {
            self.out.sessions.insert(session.clone());
            self.stirred = true;
        }
    }

    /// Compares what the wrapper holds with what it should hold. A difference that lasts is settled by a new hello.
    fn heartbeat(&mut self, session: &SessionId, holds: Option<AttemptId>) {
        let Some(live) = self.sessions.get_mut(session) else { return };
        let leased = live.lease.map(|lease| lease.attempt);
        let Some(link) = live.link.as_mut().filter(|l| l.settle.is_none()) else { return };
        link.missing = if leased == holds { 0 } else { link.missing + 1 };
        if link.missing >= MISSING
            && let Some(line) = self.lines.get(session)
        {
            tracing::warn!(%session, ?leased, ?holds, "the wrapper holds something else; asking for a new hello");
            line.close();
        }
    }

    fn replied(
        &mut self,
        session: &SessionId,
        request: u64,
        refused: Option<Hold>,
        now: UnixMillis,
    ) -> Stored<()> {
        let Some(asked) = self.requests.remove(&request) else { return Ok(()) };
        if asked.session != *session {
            self.requests.insert(request, asked);
            return Ok(());
        }
        match asked.asker {
            Asker::Answer(answered) => self.answer_given(session, answered, refused, now)?,
            Asker::Recording(reply) => {
                let busy = refused.as_ref().is_some_and(|hold| hold.code == HoldCode::Storage);
                let why = refused.map_or_else(|| "it has none".to_owned(), |hold| hold.text);
                let fault = if busy {
                    Fault::new(ErrorCode::SlowDown, why, "ask for one part after the other")
                } else {
                    Fault::new(ErrorCode::NotFound, why, "`wrap export` on its host may still have it")
                };
                self.out.answer(reply, Err(fault));
            }
            Asker::Start(pool, name) => {
                let outcome = refused.map_or(Ok(()), |hold| Err(hold.text));
                self.pool_started(&pool, &name, outcome, now);
            }
            Asker::End(pool) => self.pool_ends(&pool, session, refused.as_ref(), now),
            Asker::Viewer(viewer) => {
                if let Some(hold) = refused {
                    self.refuse_viewer(viewer, "keys", &hold.text);
                }
            }
        }
        Ok(())
    }

    fn recorded(&mut self, session: &SessionId, request: u64, part: RecordingPart) {
        let meant = |r: &Request| r.session == *session && matches!(r.asker, Asker::Recording(_));
        if !self.requests.get(&request).is_some_and(meant) {
            return;
        }
        if let Some(Asker::Recording(reply)) = self.requests.remove(&request).map(|r| r.asker) {
            self.out.answer(reply, Ok(part));
        }
    }

    /// What a session asked when it said hello, if its report of that was taken before.
    fn asks_by_hello(&mut self, session: &SessionId, now: UnixMillis) -> Stored<()> {
        let Some(live) = self.sessions.get(session) else { return Ok(()) };
        let dialog = live.kept.card.dialog.clone().filter(|_| !live.ended());
        self.asks(session, dialog.as_ref(), now)
    }

    fn gone(&mut self, session: &SessionId, now: UnixMillis) -> Stored<()> {
        let Some(live) = self.sessions.get_mut(session) else { return Ok(()) };
        let Some(link) = &live.link else { return Ok(()) };
        self.terminals.wrapper_down(session, link.conn);
        live.part(now);
        self.store.save_session(&live.kept)?;
        self.lines.remove(session);
        self.out.sessions.insert(session.clone());
        let orphans: Vec<u64> =
            self.requests.iter().filter(|(_, r)| r.session == *session).map(|(n, _)| *n).collect();
        for request in orphans {
            match self.requests.remove(&request).map(|r| r.asker) {
                Some(Asker::Answer(answered)) => self.answer_lost(answered)?,
                Some(Asker::Recording(reply)) => self.out.answer(reply, Err(no_wrapper())),
                // A pool waits for an answer only so long.
                Some(Asker::Viewer(_) | Asker::Start(..) | Asker::End(_)) | None => {}
            }
        }
        Ok(())
    }
}

/// Nobody of a session's host can be asked.
pub(super) fn no_wrapper() -> Fault {
    Fault::new(
        ErrorCode::NoAnswer,
        "no wrapper on the session's host is connected",
        "recordings are on their host: start a session there, or use `wrap export` there",
    )
}

/// Why a hello cannot be welcomed, with what to do.
fn refuse(hello: &Hello, known: Option<&Live>) -> Option<String> {
    if hello.protocol < wire::PROTOCOL_OLDEST {
        return Some(format!(
            "this server speaks versions {} to {} of the protocol, the wrapper {} {}; upgrade the wrapper",
            wire::PROTOCOL_OLDEST,
            wire::PROTOCOL,
            hello.version,
            hello.protocol
        ));
    }
    if hello.protocol_oldest > wire::PROTOCOL {
        return Some(format!(
            "this server speaks version {} of the protocol, the wrapper {} needs {} at least; upgrade the server",
            wire::PROTOCOL,
            hello.version,
            hello.protocol_oldest
        ));
    }
    let id = &hello.session.0;
    if id.len() > 64 || !hello.session.is_plain() {
        return Some("the session's id is not one that a wrapper makes (a UUID)".to_owned());
    }
    let known = known?;
    if known.kept.card.host != hello.host {
        return Some("the session is known from another host; start it anew there".to_owned());
    }
    if known.kept.epoch > hello.epoch {
        return Some(format!(
            "observer {} of this session has been replaced by {}; it must end",
            hello.epoch, known.kept.epoch
        ));
    }
    None
}

fn welcome(hello: &Hello, ack: u64) -> ToWrapper {
    ToWrapper::Welcome {
        protocol: hello.protocol.min(wire::PROTOCOL),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        ack,
    }
}
