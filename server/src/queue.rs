//! The prompts that wait for a session, in memory and in order. The database keeps them; this is its index.
//!
//! Owns: the order. Must not: be changed but together with the database.
//!
//! The order is fair: urgency is a head start, not a wall. A prompt stands where one of priority 0 would stand that was
//! queued an hour earlier for each level, so among those of one hour the priority decides, and nobody waits for ever.

use std::collections::{BTreeMap, HashMap};

use wire::{PromptId, UnixMillis};

use crate::route::Wanted;
use crate::route::plan::Item;

/// What one level of priority is worth, in milliseconds of waiting.
pub const HEAD_START: i64 = 60 * 60_000;

/// A prompt that waits.
#[derive(Debug, Clone, PartialEq)]
pub struct Waiting {
    /// Which.
    pub id: PromptId,
    /// When it was queued.
    pub created: UnixMillis,
    /// Not offered before.
    pub due: UnixMillis,
    /// Since when a session could have been moved for it: only known here, and found out anew after a restart.
    pub turn: Option<UnixMillis>,
    /// When that ends without a session.
    pub until: UnixMillis,
    /// What it asks for.
    pub wanted: Wanted,
}

impl Waiting {
    /// As the planner looks at it.
    pub fn item(&self) -> Item<'_> {
        Item { id: self.id, wanted: &self.wanted, turn: self.turn }
    }

    /// Where it stands.
    fn place(&self) -> i64 {
        self.created.0.saturating_sub(i64::from(self.wanted.priority) * HEAD_START)
    }
}

/// All that wait.
#[derive(Debug, Default)]
pub struct Queue {
    order: BTreeMap<(i64, PromptId), Waiting>,
    places: HashMap<PromptId, i64>,
}

impl Queue {
    /// Puts a prompt in its place, or moves it there.
    pub fn put(&mut self, mut waiting: Waiting) {
        waiting.turn = waiting.turn.or(self.remove(waiting.id).and_then(|before| before.turn));
        let place = waiting.place();
        self.places.insert(waiting.id, place);
        self.order.insert((place, waiting.id), waiting);
    }

    /// Takes a prompt out, if it is in.
    pub fn remove(&mut self, id: PromptId) -> Option<Waiting> {
        let place = self.places.remove(&id)?;
        self.order.remove(&(place, id))
    }

    /// Its turn has come: a session could be moved for it.
    pub fn turn(&mut self, id: PromptId, now: UnixMillis) {
        if let Some(place) = self.places.get(&id)
            && let Some(waiting) = self.order.get_mut(&(*place, id))
        {
            waiting.turn.get_or_insert(now);
        }
    }

    /// Those that may be given now, the next first.
    pub fn due(&self, now: UnixMillis) -> impl Iterator<Item = Item<'_>> {
        self.order.values().filter(move |w| w.due <= now).map(Waiting::item)
    }

    /// Those of them that would be looked at before another one, if that one waited too.
    pub fn ahead_of(&self, other: &Waiting, now: UnixMillis) -> impl Iterator<Item = Item<'_>> {
        let before = self.order.range(..(other.place(), other.id));
        before.map(|(_, w)| w).filter(move |w| w.due <= now).map(Waiting::item)
    }

    /// Those whose wait has ended.
    pub fn expired(&self, now: UnixMillis) -> Vec<PromptId> {
        self.order.values().filter(|w| w.until <= now).map(|w| w.id).collect()
    }

    /// How long the one that has been due longest has waited, in milliseconds.
    pub fn oldest(&self, now: UnixMillis) -> u64 {
        let waits = self.order.values().filter(|w| w.due <= now).map(|w| now.since(w.created.max(w.due)));
        waits.max().unwrap_or(0)
    }

    /// One of them.
    pub fn get(&self, id: PromptId) -> Option<&Waiting> {
        self.order.get(&(*self.places.get(&id)?, id))
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// Whether nobody waits.
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting(id: i64, created: i64, priority: u8) -> Waiting {
        let at = UnixMillis(created);
        let wanted = Wanted { priority, ..Wanted::default() };
        Waiting { id: PromptId(id), created: at, due: at, turn: None, until: UnixMillis(i64::MAX), wanted }
    }

    fn order(queue: &Queue) -> Vec<i64> {
        queue.due(UnixMillis(i64::MAX)).map(|item| item.id.0).collect()
    }

    #[test]
    fn the_urgent_come_first_and_the_old_before_the_new() {
        let mut queue = Queue::default();
        for (id, created, priority) in [(1, 0, 5), (2, 1, 5), (3, 2, 10), (4, 3, 0)] {
            queue.put(waiting(id, created, priority));
        }
        assert_eq!(order(&queue), [3, 1, 2, 4]);
        queue.put(waiting(4, 3, 10));
        assert!(queue.remove(PromptId(1)).is_some() && queue.remove(PromptId(1)).is_none());
        assert_eq!(order(&queue), [3, 4, 2]);
    }

    #[test]
    fn nobody_waits_for_ever() {
        let mut queue = Queue::default();
        queue.put(waiting(1, 0, 0));
        queue.put(waiting(2, 11 * HEAD_START, 10));
        assert_eq!(order(&queue), [1, 2], "eleven hours outweigh ten levels");
    }

    #[test]
    fn what_is_not_due_is_passed_over() {
        let mut queue = Queue::default();
        queue.put(Waiting { due: UnixMillis(10), ..waiting(1, 0, 5) });
        assert_eq!(queue.due(UnixMillis(9)).count(), 0);
        assert_eq!(queue.due(UnixMillis(10)).count(), 1);
    }
}
