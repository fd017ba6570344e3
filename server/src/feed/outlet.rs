//! The two queues of one viewer. Must not: wait; whoever sends never blocks.
//!
//! Of what waits about a session only the last matters, so a card takes the place of the one before it. A viewer that
//! was just sent many cards rests a little before it gets the next ones: a thousand lively sessions cost it, and this
//! server, no more than eyes can follow. Everything else passes meanwhile.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::ws::Utf8Bytes;
use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;
use wire::SessionId;

/// What a feed message is about, as far as it makes an earlier one void.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum About {
    /// A session as it is now.
    Card(SessionId),
    /// A session that is no longer listed.
    Gone(SessionId),
    /// The whole present.
    Everything,
    /// Something that no other message replaces.
    Else,
}

/// The sending side.
#[derive(Debug, Clone)]
pub struct Outlet {
    /// Which viewer.
    pub viewer: u64,
    terminal: mpsc::Sender<Bytes>,
    shared: Arc<Shared>,
}

/// The receiving side.
#[derive(Debug)]
pub struct Inlet {
    /// Feed messages.
    pub control: Heard,
    /// Terminal frames.
    pub terminal: mpsc::Receiver<Bytes>,
    shared: Arc<Shared>,
}

/// The receiving side of the feed messages.
#[derive(Debug)]
pub struct Heard {
    shared: Arc<Shared>,
    /// No cards before this.
    rests: Instant,
}

#[derive(Debug, Default)]
struct Shared {
    control: Mutex<Control>,
    /// Wakes the reader when a feed message was queued.
    queued: Notify,
    missed_terminal: AtomicBool,
    frames: AtomicUsize,
    /// Wakes the reader when something was dropped: it may have emptied its queue just before the mark was set, and
    /// would otherwise wait for a message that never comes.
    nudge: Notify,
}

/// Feed messages that wait.
#[derive(Debug, Default)]
struct Control {
    order: VecDeque<Slot>,
    cards: HashMap<SessionId, Utf8Bytes>,
    /// Messages that are not cards.
    others: usize,
    bytes: usize,
    missed: bool,
}

#[derive(Debug)]
enum Slot {
    /// The session's card, as it is when its turn comes.
    Card(SessionId),
    Text(Utf8Bytes),
}

impl Outlet {
    /// How many feed messages may wait, cards not counted.
    pub const CONTROL: usize = 256;
    /// How many bytes of feed messages may wait, cards and all.
    pub const CONTROL_BYTES: usize = 32 << 20;
    /// How many terminal frames may wait.
    pub const TERMINAL: usize = 256;
    /// How many bytes of terminal frames may wait: two of the largest. Hundreds may look on, each at another place of a flood.
    pub const BYTES: usize = 2 * wire::MESSAGE_MAX;

    /// The queues of a new viewer.
    pub fn new(viewer: u64) -> (Self, Inlet) {
        let (terminal, terminal_from) = mpsc::channel(Self::TERMINAL);
        let shared = Arc::new(Shared::default());
        let control = Heard { shared: shared.clone(), rests: Instant::now() };
        let inlet = Inlet { control, terminal: terminal_from, shared: shared.clone() };
        (Self { viewer, terminal, shared }, inlet)
    }

    /// Queues a feed message. False when it was dropped: the viewer is behind.
    pub fn say(&self, about: &About, message: Utf8Bytes) -> bool {
        let queued = self.shared.control().queue(about, message);
        if queued {
            self.shared.queued.notify_one();
        } else {
            self.shared.nudge.notify_one();
        }
        queued
    }

    /// Queues a terminal frame. False when it was dropped: the viewer needs a new snapshot.
    pub fn show(&self, frame: Bytes) -> bool {
        let len = frame.len();
        // Counted before it is sent: the reader must never take off what was not yet added.
        let before = self.shared.frames.fetch_add(len, Ordering::SeqCst);
        let sent = before + len <= Self::BYTES && self.terminal.try_send(frame).is_ok();
        if !sent {
            self.shared.frames.fetch_sub(len, Ordering::SeqCst);
            self.shared.missed_terminal.store(true, Ordering::SeqCst);
            self.shared.nudge.notify_one();
        }
        sent
    }
}

impl Heard {
    /// Cards in one go after which the next ones wait, a millisecond for so many.
    const CARDS_A_MILLISECOND: u64 = 4;
    /// Never longer than this.
    const LONGEST_REST: Duration = Duration::from_millis(250);
    /// Not worth a rest.
    const SHORTEST_REST: Duration = Duration::from_millis(10);

    /// The feed messages that wait, at least one.
    ///
    /// Can be called off at any time; nothing is lost.
    pub async fn next(&mut self) -> Vec<Utf8Bytes> {
        loop {
            let now = Instant::now();
            let with_cards = now >= self.rests;
            let (messages, cards, left) = self.shared.control().take(with_cards);
            let rest =
                Duration::from_millis(cards as u64 / Self::CARDS_A_MILLISECOND).min(Self::LONGEST_REST);
            if rest >= Self::SHORTEST_REST {
                self.rests = now + rest;
            }
            if !messages.is_empty() {
                return messages;
            }
            tokio::select! {
                () = self.shared.queued.notified() => {}
                () = tokio::time::sleep_until(self.rests), if left => {}
            }
        }
    }

    /// To be called after feed messages were taken: whether the queue was read and something had been dropped.
    pub fn caught_up(&self) -> bool {
        self.shared.control().caught_up()
    }
}

impl Inlet {
    /// What wakes the reader when something was dropped; it then asks both questions below.
    pub fn nudge(&self) -> impl Future<Output = ()> + use<> {
        let shared = self.shared.clone();
        async move { shared.nudge.notified().await }
    }

    /// To be called after each terminal frame: whether a snapshot is to be asked for.
    pub fn wants_snapshot(&self, frame: usize) -> bool {
        self.shared.frames.fetch_sub(frame, Ordering::SeqCst);
        self.terminal.is_empty() && self.shared.missed_terminal.swap(false, Ordering::SeqCst)
    }
}

impl Shared {
    fn control(&self) -> std::sync::MutexGuard<'_, Control> {
        // Whoever panicked with it left whole messages.
        self.control.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Control {
    fn queue(&mut self, about: &About, message: Utf8Bytes) -> bool {
        let mut replaced = None;
        match about {
            About::Card(session) => replaced = self.cards.get(session).map(|card| card.len()),
            About::Gone(session) => self.forget(|card| card == session),
            About::Everything => self.forget(|_| true),
            About::Else => {}
        }
        let bytes = self.bytes - replaced.unwrap_or(0) + message.len();
        if bytes > Outlet::CONTROL_BYTES || self.others >= Outlet::CONTROL {
            self.missed = true;
            return false;
        }
        self.bytes = bytes;
        match about {
            About::Card(session) => {
                if replaced.is_none() {
                    self.order.push_back(Slot::Card(session.clone()));
                }
                self.cards.insert(session.clone(), message);
            }
            About::Gone(_) | About::Everything | About::Else => {
                self.others += 1;
                self.order.push_back(Slot::Text(message));
            }
        }
        true
    }

    /// Takes cards back that a later message made void.
    fn forget(&mut self, void: impl Fn(&SessionId) -> bool) {
        self.order.retain(|slot| !matches!(slot, Slot::Card(session) if void(session)));
        let gone = self.cards.extract_if(|session, _| void(session));
        self.bytes -= gone.map(|(_, card)| card.len()).sum::<usize>();
    }

    /// What waits, with or without the cards; how many cards are in it, and whether some are left.
    fn take(&mut self, with_cards: bool) -> (Vec<Utf8Bytes>, usize, bool) {
        let mut messages = Vec::with_capacity(self.others + if with_cards { self.cards.len() } else { 0 });
        let mut cards = 0;
        for slot in std::mem::take(&mut self.order) {
            let message = match slot {
                Slot::Text(text) => Some(text),
                Slot::Card(session) if with_cards => {
                    cards += 1;
                    self.cards.remove(&session)
                }
                slot @ Slot::Card(_) => {
                    self.order.push_back(slot);
                    None
                }
            };
            messages.extend(message);
        }
        self.others = 0;
        self.bytes -= messages.iter().map(|message| message.len()).sum::<usize>();
        (messages, cards, !self.order.is_empty())
    }

    fn caught_up(&mut self) -> bool {
        self.order.is_empty() && std::mem::take(&mut self.missed)
    }
}

#[cfg(test)]
#[path = "outlet_tests.rs"]
mod tests;
