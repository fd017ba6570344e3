//! What an observer tells the server, and when. Must not: hear.

use std::time::Instant;

use wire::SessionId;
use wire::wrapper::{Hello, ToServer};

use super::{HEARTBEAT, NOW_EVERY, Observer, REPORTS_MAX};

impl Observer {
    /// Who is calling, and where it stands.
    pub(super) fn hello(&self) -> Hello {
        Hello {
            protocol: wire::PROTOCOL,
            protocol_oldest: wire::PROTOCOL_OLDEST,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            session: SessionId(self.spec.session.clone()),
            name: self.spec.name.clone(),
            host: self.host.0.clone(),
            host_name: self.host.1.clone(),
            agent: self.spec.agent.clone(),
            argv: self.spec.argv.iter().map(|a| String::from_utf8_lossy(a).into_owned()).collect(),
            role: self.spec.role.clone(),
            caps: self.spec.caps.clone(),
            started: self.core.started(),
            epoch: self.epoch,
            last_seq: self.core.journal.last_seq(),
            fence: self.core.fence(),
            holds: self.core.holds(),
            now: self.core.now(),
        }
    }

    /// Queues a message, the one way to the server but for terminal frames: without secrets. Without a connection it is
    /// dropped, which every message but reports bears.
    pub(super) fn say(&mut self, message: ToServer) -> bool {
        let Some(link) = &self.link else { return false };
        link.control.try_send(self.redaction.message(message)).is_ok()
    }

    /// Sends what is due: reports, the present, a heartbeat, terminal frames.
    pub(super) fn send_due(&mut self) {
        let Some(sent) = self.sent else { return };
        let now = Instant::now();
        let reports: Vec<_> = self.core.journal.after(sent).take(REPORTS_MAX).cloned().collect();
        if let Some(last) = reports.last().map(|n| n.seq)
            && self.say(ToServer::Reports { reports })
        {
            self.sent = Some(last);
        }
        if self.core.changed && now >= self.next_now {
            let present = self.core.now();
            if self.say(ToServer::Now(present)) {
                self.core.changed = false;
                self.next_now = now + NOW_EVERY;
            }
        }
        if now >= self.next_heartbeat {
            self.next_heartbeat = now + HEARTBEAT;
            let holds = self.core.holds();
            self.say(ToServer::Heartbeat { holds, resources: None });
        }
        if let Some(link) = &self.link {
            let (core, bytes) = (&self.core, &link.bytes);
            self.watched
                .send(|| (core.output, core.size(), core.snapshot()), |frame| bytes.try_send(frame).is_ok());
        }
    }

    /// Whether reports wait that the connection had no room for.
    pub(super) fn has_unsent(&self) -> bool {
        self.sent.is_some_and(|sent| self.core.journal.after(sent).next().is_some()) || self.watched.waits()
    }
}
