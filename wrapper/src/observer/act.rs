//! What follows from the core, handed on: to the holder, to chores; and what they answer. Must not: decide.

use wire::AttemptId;

use super::Observer;
use super::calendar::Time;
use super::core::Out;
use super::ear::Export;
use super::requests::Asked;
use crate::chore::Done;
use crate::control::{FromHolder, ToHolder, Type, Unchanged};

impl Observer {
    pub(super) fn act(&mut self, out: Vec<Out>) {
        for out in out {
            match out {
                Out::Type { bytes, only_for } => {
                    let asked = only_for.map_or(Asked::Nobody, Asked::Delivery);
                    self.ask(bytes, only_for.is_some(), false, asked);
                }
                Out::Reply(bytes) => self.tell_holder(&ToHolder::Reply(bytes)),
                Out::Run(attempt, chore) => self.chores.begin(attempt, chore),
                Out::Abort(attempt) => self.chores.call_off(attempt),
                Out::Relaunch(relaunch) => self.tell_holder(&ToHolder::Relaunch(relaunch)),
            }
        }
    }

    pub(super) fn ask(&mut self, bytes: Vec<u8>, guarded: bool, person: bool, asked: Asked) {
        let id = self.number(asked);
        let only_if = guarded.then_some(Unchanged { output: self.core.output, keys: self.core.keys });
        self.tell_holder(&ToHolder::Type(Type { id, bytes, only_if, person }));
    }

    /// A number under which the holder answers.
    pub(super) fn number(&mut self, asked: Asked) -> u64 {
        let id = self.next_type;
        self.next_type += 1;
        self.asked.push_back((id, asked));
        id
    }

    pub(super) fn tell_holder(&mut self, message: &ToHolder) {
        if let Some(holder) = &mut self.holder
            && let Err(fault) = holder.channel.send(message)
        {
            tracing::warn!(%fault, "the holder does not listen");
        }
    }

    pub(super) fn hear_holder(&mut self) -> anyhow::Result<()> {
        let Some(holder) = &mut self.holder else { return Ok(()) };
        let open = holder.fill();
        let mut messages = Vec::new();
        while let Some(message) = holder.channel.next::<FromHolder>()? {
            messages.push(message);
        }
        if !open {
            self.holder = None;
            self.more = true;
        }
        let now = self.now();
        for message in messages {
            match message {
                FromHolder::WantScreen(offset) => {
                    self.screen_wanted = Some(offset);
                    self.more = true;
                }
                FromHolder::Typed { id, refused, now: counts } => self.typed(id, refused, counts, now),
                _ => {}
            }
        }
        self.keep(now);
        Ok(())
    }

    pub(super) fn typed(&mut self, id: u64, refused: Option<String>, counts: Unchanged, now: Time) {
        let Some(at) = self.asked.iter().position(|(asked, _)| *asked == id) else { return };
        let Some((_, asked)) = self.asked.remove(at) else { return };
        if refused.is_some()
            && !self.more
            && counts.output == self.core.output
            && counts.keys != self.core.keys
        {
            self.core.missed_keys(counts.keys);
        }
        match asked {
            Asked::Delivery(attempt) => {
                let mut out = Vec::new();
                self.core.typed(attempt, refused.is_none(), now, &mut out);
                self.act(out);
            }
            Asked::Answer(request) | Asked::Request(request) | Asked::End(request) => {
                self.written(asked, request, refused)
            }
            Asked::Nobody => {}
        }
    }

    /// The agent told figures: they go into the recording, as all that is told.
    pub(super) fn measured(&mut self, (told, done): Export) {
        for told in told {
            self.tell_holder(&ToHolder::Told(told));
        }
        // The agent may have stopped waiting.
        let _ = done.send(());
    }

    /// A chore is done.
    pub(super) fn done(&mut self, attempt: AttemptId, done: Done) {
        let now = self.now();
        let mut out = Vec::new();
        self.core.done(attempt, done, now, &mut out);
        self.act(out);
        self.keep(now);
    }
}
