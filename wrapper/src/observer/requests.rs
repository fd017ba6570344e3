//! What the server asks of an observer besides prompts: to answer a dialog, to send a part of a recording, to end the
//! session or start another one. Must not: decide whether a dialog may be answered.

use std::sync::Arc;

use tokio::sync::Semaphore;
use wire::launch;
use wire::place::Place;
use wire::pool::NewPool;
use wire::prompt::{Hold, HoldCode};
use wire::wrapper::{Choice, ToServer};
use wire::{AttemptId, SessionId};

use super::Observer;
use super::calendar::Time;
use super::question::By;
use crate::control::{End, ToHolder, Unchanged};
use crate::range;

/// What asked the holder to type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// The delivery, for this attempt.
    Delivery(AttemptId),
    /// The server, for an answer to a dialog.
    Answer(u64),
    /// The server, for keys of a viewer.
    Request(u64),
    /// The server, for the end of the session.
    End(u64),
    /// Nobody waits for the answer.
    Nobody,
}

/// An answer to a dialog.
pub(super) struct Answer {
    /// For the reply.
    pub(super) request: u64,
    /// Identity of the dialog that was seen.
    pub(super) dialog: String,
    /// What was chosen.
    pub(super) choice: Choice,
    /// A rule decided.
    pub(super) rule: bool,
}

/// Parts of recordings that may wait to be read.
const PARTS: usize = 16;

/// The parts of recordings that are read. One at a time: the disk is the session's before it is a viewer's.
pub(super) struct Part {
    place: Place,
    room: Arc<Semaphore>,
    turn: Arc<Semaphore>,
}

impl Part {
    pub(super) fn new(place: Place) -> Self {
        Self { place, room: Arc::new(Semaphore::new(PARTS)), turn: Arc::new(Semaphore::new(1)) }
    }
}

impl Observer {
    /// Gives the answers that waited for the screen to be looked at.
    pub(super) fn give_answers(&mut self, now: Time) {
        std::mem::take(&mut self.answers).into_iter().for_each(|answer| self.answer(answer, now));
    }

    /// Whether an answer has to wait. A person who is too early is told so; a rule can wait.
    fn is_early(&self, answer: &Answer, now: Time) -> bool {
        self.core.has_unseen() || (answer.rule && self.core.question.is_fresh(self.core.steady(now)))
    }

    /// Answers a dialog, as soon as all that the agent wrote has been looked at: another one may have come.
    pub(super) fn answer(&mut self, answer: Answer, now: Time) {
        if self.is_early(&answer, now) {
            self.answers.push(answer);
            return;
        }
        let Answer { request, dialog, choice, rule } = answer;
        let by = if rule { By::Rule } else { By::Person };
        match self.core.answer(&dialog, &choice, by, now) {
            Ok(keys) => self.ask(keys, true, false, Asked::Answer(request)),
            Err(hold) => _ = self.say(ToServer::Reply { request, refused: Some(hold) }),
        }
    }

    /// Ends the session, if nothing goes on in it: the holder looks once more.
    pub(super) fn end(&mut self, request: u64, now: Time) {
        if let Err(hold) = self.core.may_end(now) {
            self.say(ToServer::Reply { request, refused: Some(hold) });
            return;
        }
        let id = self.number(Asked::End(request));
        self.ending = true;
        let only_if = Unchanged { output: self.core.output, keys: self.core.keys };
        self.tell_holder(&ToHolder::End(End { id, only_if }));
    }

    /// Starts another session on this host beside the loop, and says how that went.
    pub(super) fn start_another(&mut self, request: u64, name: String, pool: NewPool) {
        let Some(link) = &self.link else { return };
        let (control, redaction) = (link.control.clone(), self.redaction.clone());
        tokio::spawn(async move {
            let start = move || launch::session(&pool, &name, None);
            let started = tokio::task::spawn_blocking(start).await.map_err(|fault| fault.to_string());
            let refused = started.and_then(|started| started).err();
            let refused = refused.map(|text| Hold { code: HoldCode::NotPrepared, text });
            // A connection that went down meanwhile has nobody who waits for it.
            let _ = control.send(redaction.message(ToServer::Reply { request, refused })).await;
        });
    }

    /// The holder wrote what the server asked for, or refused.
    pub(super) fn written(&mut self, asked: Asked, request: u64, refused: Option<String>) {
        if refused.is_some() && asked == Asked::Answer(request) {
            self.core.question.not_written();
        }
        if asked == Asked::End(request) {
            self.ending = refused.is_none();
        }
        let refused = refused.map(|text| Hold { code: HoldCode::NotIdle, text });
        self.say(ToServer::Reply { request, refused });
    }

    /// Reads a part of a recording beside the loop, and sends it.
    pub(super) fn fetch(&mut self, request: u64, session: SessionId, from: u64, length: u32) {
        let Ok(room) = self.part.room.clone().try_acquire_owned() else {
            let text = "many parts of recordings are being read; ask again in a moment".to_owned();
            let refused = Some(Hold { code: HoldCode::Storage, text });
            self.say(ToServer::Reply { request, refused });
            return;
        };
        let Some(link) = &self.link else { return };
        let (control, redaction, place) =
            (link.control.clone(), self.redaction.clone(), self.part.place.clone());
        let turn = self.part.turn.clone();
        tokio::spawn(async move {
            // The semaphore is never closed.
            let Ok(_turn) = turn.acquire_owned().await else { return };
            let read = tokio::task::spawn_blocking(move || {
                let message = match range::read(&place, &session, from, length, redaction.redactor()) {
                    Ok(part) => ToServer::Recording { request, part },
                    Err(fault) => {
                        let hold = Hold { code: HoldCode::SessionGone, text: fault.to_string() };
                        ToServer::Reply { request, refused: Some(hold) }
                    }
                };
                redaction.message(message)
            });
            let Ok(message) = read.await else { return };
            drop(room);
            // A connection that went down meanwhile has nobody who waits for it.
            let _ = control.send(message).await;
        });
    }
}
