//! Alerts open and close with the conditions of the present; sinks are told. Must not: know a condition, or send.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use wire::UnixMillis;
use wire::alert::{Alert, AlertKind, NewSink, Sink, SinkKind};
use wire::http::{Done, ErrorCode};

use super::Control;
use super::admin::named;
use super::command::{By, Reply};
use super::queries::ROWS;
use crate::alert::message::{Notice, What};
use crate::alert::{Condition, Present, conditions, pace};
use crate::fault::Fault;
use crate::store::{Stored, StoredSink};

/// How often conditions are looked at, in milliseconds.
const EVERY: u64 = 5_000;
/// How long a failure or an end counts, in milliseconds.
const HOUR: i64 = 60 * 60_000;
/// Notices in one message.
const TOGETHER: u32 = 20;
/// Failed tries from which on a sink is an alert of its own.
const FAILING: u32 = 3;

/// Users that one bot obeys.
const USERS: usize = 64;

/// What clients and the sender ask about alerts.
pub enum Alerts {
    /// Alerts, newest first: only open ones, before one of them.
    List(bool, Option<i64>, u32, Reply<Vec<Alert>>),
    /// All sinks.
    Sinks(Reply<Vec<Sink>>),
    /// A sink is to be kept.
    Keep(NewSink, By, Reply<Sink>),
    /// A sink is to be forgotten.
    Forget(String, By, Reply<Done>),
    /// A sink with its secret, for a test.
    Sink(String, Reply<NewSink>),
    /// Sinks, with their secrets, whose users are listened to.
    Listening(Reply<Vec<NewSink>>),
    /// What is to be sent now.
    Due(Reply<Vec<(NewSink, Vec<Notice>)>>),
    /// What became of it: the sink, the notices, why it failed.
    Sent(String, Vec<i64>, Option<String>),
}

impl Control {
    pub(super) fn ask_about_alerts(&mut self, ask: Alerts, now: UnixMillis) -> Stored<()> {
        match ask {
            Alerts::List(open, before, limit, reply) => {
                let alerts = self.store.alerts(open, before, limit.min(ROWS))?;
                self.out.answer(reply, Ok(alerts));
            }
            Alerts::Sinks(reply) => {
                let sinks = self.store.show_sinks()?;
                self.out.answer(reply, Ok(sinks));
            }
            Alerts::Keep(sink, by, reply) => {
                let value = self.keep_sink(sink, by, now)?;
                self.out.answer(reply, value);
            }
            Alerts::Forget(name, by, reply) => {
                let value = if self.store.delete_sink(&name)? {
                    self.audit(
                        by.as_str(),
                        "sink.forget",
                        &format!("sink {name}"),
                        &serde_json::json!({}),
                        now,
                    )?;
                    Ok(Done { done: true })
                } else {
                    Err(no_sink(&name))
                };
                self.out.answer(reply, value);
            }
            Alerts::Sink(name, reply) => {
                let value = self.store.sink(&name)?.map(|sink| sink.asked).ok_or_else(|| no_sink(&name));
                self.out.answer(reply, value);
            }
            Alerts::Listening(reply) => {
                let sinks = self.store.sinks()?.into_iter().map(|sink| sink.asked);
                self.out.answer(reply, Ok(sinks.filter(crate::telegram::listens).collect()));
            }
            Alerts::Due(reply) => {
                let mut due = Vec::new();
                for StoredSink { asked, .. } in
                    self.store.sinks()?.into_iter().filter(|sink| sink.next <= now)
                {
                    let notices = self.store.due_notices(&asked.name, now, TOGETHER)?;
                    if !notices.is_empty() {
                        due.push((asked, notices));
                    }
                }
                self.out.answer(reply, Ok(due));
            }
            Alerts::Sent(name, notices, None) => self.store.delivered(&name, &notices, now)?,
            Alerts::Sent(name, _, Some(why)) => {
                let tries = self.store.sink(&name)?.map_or(0, |sink| sink.tries);
                self.store.undelivered(&name, &wire::text::cut(&why, 500), pace::again(tries, now))?;
            }
        }
        Ok(())
    }

    fn keep_sink(&mut self, sink: NewSink, by: By, now: UnixMillis) -> Stored<Result<Sink, Fault>> {
        let there =
            self.store.sink(&sink.name)?.map(|there| there.asked).filter(|there| there.secret.is_some());
        let verdict = checked(&sink, there.is_some()).and_then(|()| same_ears(&sink, there.as_ref()));
        if let Err(fault) = verdict {
            return Ok(Err(fault));
        }
        self.store.save_sink(&sink)?;
        let detail = serde_json::json!({ "kind": sink.kind, "allowed": sink.allowed });
        self.audit(by.as_str(), "sink.set", &format!("sink {}", sink.name), &detail, now)?;
        let kept = self.store.show_sinks()?.into_iter().find(|kept| kept.asked.name == sink.name);
        Ok(kept.ok_or_else(Fault::internal))
    }

    /// Opens and closes alerts as the present says, and puts what is to be told into the outbox.
    pub(super) fn look_at_conditions(&mut self, now: UnixMillis) -> Stored<()> {
        if now.since(self.looked) < EVERY {
            return Ok(());
        }
        self.looked = now;
        let hour = UnixMillis(now.0 - HOUR);
        let sinks = self.store.sinks()?;
        let present = Present {
            sessions: self
                .sessions
                .values()
                .filter(|live| !live.ended())
                .map(|live| &live.kept.card)
                .collect(),
            approvals: self.asked_since()?,
            prompts: self.store.attention(hour)?,
            ended: self.store.ended_since(hour)?,
            sinks: sinks.iter().filter(|s| s.tries >= FAILING).map(|s| s.asked.name.clone()).collect(),
        };
        let hold: BTreeMap<(AlertKind, String), Condition> = conditions(&present, &self.settings.limits, now)
            .into_iter()
            .map(|condition| ((condition.kind, condition.subject.clone()), condition))
            .collect();
        let open: BTreeMap<(AlertKind, String), Alert> = self
            .store
            .open_alerts()?
            .into_iter()
            .map(|(subject, alert)| ((alert.kind, subject), alert))
            .collect();
        for (key, alert) in open.iter().filter(|(key, _)| !hold.contains_key(key)) {
            let untold = self.store.close_alert(alert.id, now)?;
            let told = sinks.iter().filter(|sink| !untold.contains(&sink.asked.name));
            self.tell_sinks(told, alert, &key.1, What::Closed, now)?;
        }
        for (_, condition) in hold.iter().filter(|(key, _)| !open.contains_key(key)) {
            let alert = self.store.open_alert(condition, now)?;
            self.tell_sinks(sinks.iter(), &alert, &condition.subject, What::Opened, now)?;
        }
        for (key, alert) in open.iter().filter(|(key, _)| hold.contains_key(key)) {
            let mut again = sinks.iter().filter(|sink| pace::escalates(&sink.asked, alert, now)).peekable();
            if again.peek().is_some() {
                self.store.escalate_alert(alert.id)?;
                self.tell_sinks(again, alert, &key.1, What::Escalated, now)?;
            }
        }
        Ok(())
    }

    fn asked_since(&self) -> Stored<Vec<(wire::ApprovalId, wire::SessionId, UnixMillis)>> {
        let open = self.store.open_approvals(ROWS)?;
        Ok(open.into_iter().map(|asked| (asked.id, asked.session, asked.opened)).collect())
    }

    fn tell_sinks<'s>(
        &self,
        sinks: impl Iterator<Item = &'s StoredSink>,
        alert: &Alert,
        subject: &str,
        what: What,
        now: UnixMillis,
    ) -> Stored<()> {
        let zone = TimeZone::system();
        for sink in sinks.map(|sink| &sink.asked).filter(|sink| pace::carries(sink, alert)) {
            // A sink is not told of itself.
            if alert.kind != AlertKind::SinkFailing || subject != sink.name {
                self.store.notify(&sink.name, alert.id, what, pace::due(sink, now, &zone))?;
            }
        }
        Ok(())
    }
}

/// A secret that was kept is for whom it was given to: nobody gets it by writing another address beside it.
fn same_ears(sink: &NewSink, there: Option<&NewSink>) -> Result<(), Fault> {
    match there {
        Some(there) if sink.secret.is_none() && (sink.kind, &sink.target) != (there.kind, &there.target) => {
            Err(Fault::bad("the secret was given for another target", "send it again with the new target"))
        }
        _ => Ok(()),
    }
}

/// What can be sent to.
fn checked(sink: &NewSink, has_secret: bool) -> Result<(), Fault> {
    named("sink", &sink.name)?;
    let posts = !matches!(sink.kind, SinkKind::Command | SinkKind::Desktop);
    let plain = sink.target.starts_with("http://");
    let address = sink.target.starts_with("https://") || plain;
    if posts && (!address || sink.target.chars().any(|c| c.is_control() || c.is_whitespace())) {
        return Err(Fault::bad("the target is no address", "write it with https://"));
    }
    if posts && plain && !sink.allow_private {
        let hint = "write https://, or permit your own network with `assign sink set … --allow-private`";
        return Err(Fault::bad("a notice is not sent in plain text", hint));
    }
    if sink.kind == SinkKind::Command && sink.target.trim().is_empty() {
        return Err(Fault::bad("the command is empty", "it is one for `sh -c`, and gets the notice as JSON"));
    }
    if sink.target.len() > 16 << 10 {
        return Err(Fault::bad("the target is too long", "at most 16 KiB"));
    }
    if matches!(sink.kind, SinkKind::Ntfy | SinkKind::Telegram) && sink.channel.is_none() {
        return Err(Fault::bad("the channel is missing", "the topic for ntfy, the chat for Telegram"));
    }
    if sink.kind == SinkKind::Telegram && sink.secret.is_none() && !has_secret {
        return Err(Fault::bad("the bot's token is missing", "send it as `secret`"));
    }
    if !sink.allowed.is_empty() && sink.kind != SinkKind::Telegram {
        return Err(Fault::bad("only a Telegram bot is listened to", "leave `allowed` out"));
    }
    let is_user = |user: &String| user.len() <= 20 && user.bytes().all(|b| b.is_ascii_digit());
    if sink.allowed.len() > USERS || !sink.allowed.iter().all(is_user) {
        let hint = "numbers, as Telegram gives them to users; at most 64";
        return Err(Fault::bad("the allowed users are no Telegram identities", hint));
    }
    if sink.quiet.is_some_and(|quiet| quiet.from >= 24 * 60 || quiet.to >= 24 * 60) {
        return Err(Fault::bad("the quiet hours are no minutes of a day", "0 to 1439"));
    }
    Ok(())
}

fn no_sink(name: &str) -> Fault {
    let text = format!("there is no sink '{}'", wire::text::escape(name));
    Fault::new(ErrorCode::NotFound, text, "`assign sink ls` lists those there are")
}
