//! What an observer tells the server, and when. Must not: hear.

use std::time::Instant;

use wire::SessionId;
use wire::event::{Event, EventKind, Origin, Severity};
use wire::wrapper::{Hello, Numbered, Report, ToServer};

use super::{HEARTBEAT, NOW_EVERY, Observer, REPORTS_BYTES, REPORTS_MAX};

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
            pool: self.spec.pool.clone(),
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
        let reports = self.next_reports(sent);
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
            let (holds, resources) = (self.core.holds(), self.spare.look(now));
            self.say(ToServer::Heartbeat { holds, resources });
        }
        if let Some(link) = &self.link {
            let (core, bytes) = (&self.core, &link.bytes);
            self.watched
                .send(|| (core.output, core.size(), core.snapshot()), |frame| bytes.try_send(frame).is_ok());
        }
    }

    /// The reports that are sent next: as many as a message may hold.
    fn next_reports(&self, sent: u64) -> Vec<Numbered> {
        let next = fitting(self.core.journal.after(sent)).into_iter();
        next.map(|numbered| if self.protocol < 2 { without_text(numbered) } else { numbered }).collect()
    }

    /// Whether reports wait that the connection had no room for.
    pub(super) fn has_unsent(&self) -> bool {
        self.sent.is_some_and(|sent| self.core.journal.after(sent).next().is_some()) || self.watched.waits()
    }
}

/// The next reports that fit one message, at least one: a patch alone may take a quarter of it.
fn fitting<'a>(reports: impl Iterator<Item = &'a Numbered>) -> Vec<Numbered> {
    let mut room = REPORTS_BYTES;
    let fits = |report: &&Numbered| {
        // What cannot be serialised cannot be sent either, and is told there.
        let size = serde_json::to_string(report).map_or(0, |text| text.len());
        let first = room == REPORTS_BYTES;
        room = room.saturating_sub(size);
        first || room > 0
    };
    reports.take(REPORTS_MAX).take_while(fits).cloned().collect()
}

/// For a server that does not know settled text: its number must be told, its text cannot.
fn without_text(mut numbered: Numbered) -> Numbered {
    if let Report::Text { offset, .. } = numbered.report {
        let event = Event {
            at: numbered.at,
            kind: EventKind::Session,
            severity: Severity::Info,
            origin: Origin::Unknown,
            rule: "observer.text".to_owned(),
            text: "text settled on the screen; this server is too old to keep it".to_owned(),
            fields: std::collections::BTreeMap::new(),
            offset,
            fingerprint: "observer.text".to_owned(),
        };
        numbered.report = Report::Event { event };
    }
    numbered
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::prompt::{Outcome, PromptResult};
    use wire::{AttemptId, UnixMillis};

    #[test]
    fn reports_are_sent_in_messages_that_the_server_takes() {
        let long = |size| PromptResult {
            answer: "\u{1}".repeat(size),
            ..PromptResult::new(Outcome::Completed, "", "status")
        };
        let numbered = |seq, size| Numbered {
            seq,
            at: UnixMillis(0),
            report: Report::Ended { attempt: AttemptId(1), result: long(size) },
        };
        let reports: Vec<_> = (1..=20).map(|seq| numbered(seq, 20_000)).collect();
        let mut sent = 0;
        while sent < reports.len() {
            let part = fitting(reports[sent..].iter());
            assert!(!part.is_empty());
            sent += part.len();
            let message = serde_json::to_string(&ToServer::Reports { reports: part }).unwrap();
            assert!(message.len() < wire::MESSAGE_MAX, "{}", message.len());
        }
        assert_eq!(
            fitting([numbered(1, 150_000)].iter()).len(),
            1,
            "one that is too large is sent nevertheless"
        );
        assert_eq!(
            fitting((1..=200).map(|seq| numbered(seq, 1)).collect::<Vec<_>>().iter()).len(),
            REPORTS_MAX
        );
    }

    #[test]
    fn an_old_server_is_told_the_number_of_a_text_but_not_the_text() {
        let report = Report::Text { offset: 7, text: "a line".into() };
        let told = without_text(Numbered { seq: 3, at: wire::UnixMillis(5), report });
        assert_eq!(told.seq, 3);
        assert!(
            matches!(told.report, Report::Event { event } if event.offset == 7 && !event.text.contains("a line"))
        );
    }
}
