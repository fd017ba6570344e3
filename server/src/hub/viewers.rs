//! Viewers: what they are told, and the keyboards they take. Must not: relay terminal bytes (see `feed`).

use axum::extract::ws::Utf8Bytes;
use wire::feed::ToViewer;
use wire::prompt::Prompt;
use wire::session::{Link, Session};
use wire::wrapper::ToWrapper;
use wire::{SessionId, UnixMillis};

use super::command::{By, ViewerSaid};
use super::{Asker, Control};
use crate::feed::{About, Outlet};
use crate::session::{Keyboard, clamp, viewer_name};
use crate::store::Stored;

/// Open approvals in `Everything`.
const APPROVALS: u32 = 1_000;
/// Final prompts in `Everything`.
const FINAL: u32 = 200;
/// Changed files of a result in the feed.
const FILES: usize = 20;
/// Largest `Everything`, in bytes: what every party accepts, less a reserve.
const WHOLE: usize = wire::MESSAGE_MAX - (64 << 10);
/// Text of a prompt and of its answer in the feed, in characters; the whole is at `/v1/prompts/{id}`.
const TEXT: usize = 1_000;
/// Ways to make `Everything` fit: characters of text, final prompts, open prompts, characters of a dialog's body.
const FITS: &[(usize, u32, u32, usize)] =
    &[(TEXT, FINAL, 100_000, 16_384), (200, FINAL, 3_000, 2_000), (80, 50, 1_000, 200), (40, 0, 200, 40)];

impl Control {
    pub(super) fn viewer(&mut self, viewer: u64, said: ViewerSaid, now: UnixMillis) -> Stored<()> {
        match said {
            ViewerSaid::Join(outlet) => {
                let hello = ToViewer::Hello {
                    protocol: wire::PROTOCOL,
                    version: env!("CARGO_PKG_VERSION").to_owned(),
                    build: self.settings.build.clone(),
                    now,
                    viewer: viewer_name(viewer),
                };
                tell(&outlet, &hello);
                self.viewers.insert(viewer, outlet);
                self.everything(viewer, now)
            }
            ViewerSaid::CaughtUp => self.everything(viewer, now),
            ViewerSaid::Take(session, by) => self.take_keyboard(viewer, &session, &by, now),
            ViewerSaid::Release(session) => {
                self.release_keyboards(viewer, |id| *id == session);
                Ok(())
            }
            ViewerSaid::Keys(session, text) => {
                self.keys(viewer, session, text, now);
                Ok(())
            }
            ViewerSaid::Leave => {
                self.viewers.remove(&viewer);
                self.release_keyboards(viewer, |_| true);
                Ok(())
            }
        }
    }

    /// Tells a viewer the whole present.
    pub(super) fn everything(&mut self, viewer: u64, _now: UnixMillis) -> Stored<()> {
        let Some(outlet) = self.viewers.get(&viewer) else { return Ok(()) };
        for (text, finals, open, body) in FITS.iter().copied() {
            let mut sessions: Vec<Session> = self.sessions.values().map(|l| l.card()).collect();
            let dialogs = sessions.iter_mut().filter_map(|s| s.dialog.as_mut());
            dialogs.for_each(|d| clamp(&mut d.body, body));
            let mut stored = self.store.open_prompts(open)?;
            stored.extend(self.store.final_prompts(finals)?);
            let prompts: Stored<Vec<Prompt>> =
                stored.iter().map(|p| Ok(brief(self.store.show(p)?, text))).collect();
            let mut approvals = self.store.open_approvals(APPROVALS)?;
            approvals.iter_mut().for_each(|a| clamp(&mut a.dialog.body, body));
            let message =
                encode(&ToViewer::Everything { sessions, prompts: prompts?, approvals, paused: self.paused });
            if message.len() <= WHOLE {
                outlet.say(&About::Everything, message);
                return Ok(());
            }
        }
        tracing::error!(viewer, "the whole present does not fit a message; the viewer is told changes only");
        Ok(())
    }

    /// What changed, each message serialised once for all viewers.
    pub(super) fn news(&mut self) -> Stored<Vec<(About, Utf8Bytes)>> {
        if self.viewers.is_empty() {
            self.out.forget_news();
            return Ok(Vec::new());
        }
        let mut messages = Vec::new();
        for id in std::mem::take(&mut self.out.sessions) {
            if let Some(live) = self.sessions.get(&id) {
                messages.push((About::Card(id), encode(&ToViewer::Session { session: live.card() })));
            }
        }
        for id in std::mem::take(&mut self.out.prompts) {
            if let Some(stored) = self.store.prompt(id)? {
                let prompt = brief(self.store.show(&stored)?, TEXT);
                messages.push((About::Else, encode(&ToViewer::Prompt { prompt })));
            }
        }
        for prompt in std::mem::take(&mut self.out.prompts_gone) {
            messages.push((About::Else, encode(&ToViewer::PromptGone { prompt })));
        }
        for approval in std::mem::take(&mut self.out.approvals).into_values() {
            messages.push((About::Else, encode(&ToViewer::Approval { approval })));
        }
        for (session, seq, event) in std::mem::take(&mut self.out.events) {
            messages.push((About::Else, encode(&ToViewer::Event { session, seq, event })));
        }
        if std::mem::take(&mut self.out.routing) {
            messages.push((About::Else, encode(&ToViewer::Routing { paused: self.paused })));
        }
        for session in std::mem::take(&mut self.out.gone) {
            let message = encode(&ToViewer::SessionGone { session: session.clone() });
            messages.push((About::Gone(session), message));
        }
        Ok(messages)
    }

    pub(super) fn tell(&self, messages: &[(About, Utf8Bytes)]) {
        for outlet in self.viewers.values() {
            // The rest is dropped with the first: the viewer gets everything again.
            let _ = messages.iter().all(|(about, message)| outlet.say(about, message.clone()));
        }
    }

    pub(super) fn refuse_viewer(&self, viewer: u64, what: &str, why: &str) {
        if let Some(outlet) = self.viewers.get(&viewer) {
            tell(outlet, &ToViewer::Refused { what: what.to_owned(), why: why.to_owned() });
        }
    }

    fn take_keyboard(&mut self, viewer: u64, session: &SessionId, by: &By, now: UnixMillis) -> Stored<()> {
        let refusal = match self.sessions.get_mut(session) {
            None => "there is no such session",
            Some(live) if live.ended() => "the session has ended",
            Some(live) if live.kept.card.link == Link::Disconnected => "the session is not connected",
            Some(live) if live.keyboard.as_ref().is_some_and(|k| k.viewer != viewer) => {
                "another viewer has the keyboard; it is free two minutes after its last key"
            }
            Some(live) => {
                live.keyboard = Some(Keyboard { viewer, touched: now });
                tracing::info!(%session, viewer, "keyboard taken");
                self.out.sessions.insert(session.clone());
                let on = format!("session {session}");
                let detail = serde_json::json!({ "viewer": viewer_name(viewer) });
                return self.audit(by.as_str(), "keyboard.take", &on, &detail, now);
            }
        };
        self.refuse_viewer(viewer, "take keyboard", refusal);
        Ok(())
    }

    fn release_keyboards(&mut self, viewer: u64, which: impl Fn(&SessionId) -> bool) {
        for (id, live) in &mut self.sessions {
            if which(id) && live.keyboard.as_ref().is_some_and(|k| k.viewer == viewer) {
                live.keyboard = None;
                tracing::info!(session = %id, viewer, "keyboard given back");
                self.out.sessions.insert(id.clone());
                self.stirred = true;
            }
        }
    }

    fn keys(&mut self, viewer: u64, session: SessionId, text: String, now: UnixMillis) {
        let keyboard = self.sessions.get_mut(&session).and_then(|live| live.keyboard.as_mut());
        let Some(keyboard) = keyboard.filter(|k| k.viewer == viewer) else {
            self.refuse_viewer(viewer, "keys", "take the keyboard first");
            return;
        };
        keyboard.touched = now;
        let Some(line) = self.lines.get(&session).cloned() else {
            self.refuse_viewer(viewer, "keys", "the session is not connected");
            return;
        };
        let request = self.request(session, Asker::Viewer(viewer));
        self.out.say(&line, ToWrapper::Keys { request, text });
    }
}

/// A prompt as the feed carries it: long texts are cut, and end with `…`.
fn brief(mut prompt: Prompt, text: usize) -> Prompt {
    clamp(&mut prompt.asked.text, text);
    let attempt = prompt.attempt.as_mut().and_then(|a| a.result.as_mut());
    for result in attempt.into_iter().chain(prompt.result.as_mut()) {
        clamp(&mut result.answer, text);
        // Patches and what a verification printed are read one prompt at a time.
        if let Some(changes) = &mut result.changes {
            changes.diff.clear();
            changes.files.truncate(FILES);
        }
        result.verification.iter_mut().for_each(|v| clamp(&mut v.output, text));
    }
    prompt
}

fn tell(outlet: &Outlet, message: &ToViewer) {
    outlet.say(&About::Else, encode(message));
}

fn encode(message: &ToViewer) -> Utf8Bytes {
    match serde_json::to_string(message) {
        Ok(text) => text.into(),
        Err(error) => {
            tracing::error!(%error, "a message for viewers could not be written");
            r#"{"type":"refused","what":"feed","why":"a message could not be written; reload"}"#.into()
        }
    }
}
