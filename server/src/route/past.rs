//! What a session did before: threads, tags, success, load. Pure and bounded. Must not: ask the store.

use std::collections::{BTreeMap, VecDeque};

use wire::UnixMillis;
use wire::prompt::Outcome;

/// Threads remembered.
const THREADS: usize = 50;
/// Prompts whose tags count as lately.
const LATELY: usize = 5;
/// Instants of leases remembered.
const GIVEN: usize = 200;
/// Tags with a record of their own.
const TAGS: usize = 200;
/// With fewer ends than this, a record says nothing.
const ENOUGH: u32 = 3;

/// How prompts of one kind ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Completed.
    pub completed: u32,
    /// Failed or timed out.
    pub failed: u32,
    /// Time they took, in milliseconds.
    pub total_ms: u64,
}

/// A session's past.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Past {
    threads: VecDeque<String>,
    tags: VecDeque<Vec<String>>,
    tallies: BTreeMap<String, Tally>,
    given: VecDeque<UnixMillis>,
}

impl Past {
    /// A prompt was given to it.
    pub fn given(&mut self, thread: Option<&str>, tags: &[String], at: UnixMillis) {
        if let Some(thread) = thread
            && !self.had_thread(thread)
        {
            push(&mut self.threads, thread.to_owned(), THREADS);
        }
        push(&mut self.tags, tags.to_vec(), LATELY);
        push(&mut self.given, at, GIVEN);
    }

    /// A prompt of it ended. What a person or a limit of use ended says nothing about the session.
    pub fn ended(&mut self, tags: &[String], outcome: Outcome, duration_ms: u64) {
        let done = match outcome {
            Outcome::Completed => true,
            Outcome::Failed | Outcome::TimedOut => false,
            Outcome::Interrupted | Outcome::NotTyped | Outcome::Unknown | Outcome::Cancelled => return,
        };
        for tag in tags.iter().map(String::as_str).chain([""]) {
            if self.tallies.len() >= TAGS && !self.tallies.contains_key(tag) {
                continue;
            }
            let tally = self.tallies.entry(tag.to_owned()).or_default();
            tally.completed += u32::from(done);
            tally.failed += u32::from(!done);
            tally.total_ms += duration_ms;
        }
    }

    /// Whether it had prompts of a thread.
    pub fn had_thread(&self, thread: &str) -> bool {
        self.threads.iter().any(|t| t == thread)
    }

    /// Whether its latest prompts had a tag.
    pub fn had_tag(&self, tag: &str) -> bool {
        self.tags.iter().flatten().any(|t| t == tag)
    }

    /// How many prompts it was given within so many milliseconds.
    pub fn given_since(&self, now: UnixMillis, within: u64) -> usize {
        self.given.iter().rev().take_while(|at| now.since(**at) <= within).count()
    }

    /// Points between minus and plus `most` for its record with prompts of these tags, or with all.
    ///
    /// A success rate of nine in ten is what is expected of a session, and worth nothing; half of it costs all.
    pub fn record(&self, tags: &[String], most: i32) -> i32 {
        let known = |tag: &str| self.tallies.get(tag).filter(|t| t.completed + t.failed >= ENOUGH);
        let Some(tally) = tags.iter().find_map(|t| known(t)).or_else(|| known("")) else { return 0 };
        let ends = f64::from(tally.completed + tally.failed);
        let rate = (f64::from(tally.completed) + 0.9) / (ends + 1.0);
        let part = if rate >= 0.9 { (rate - 0.9) / 0.1 } else { (rate - 0.9) / 0.45 };
        (part.clamp(-1.0, 1.0) * f64::from(most)).round() as i32
    }

    /// How long its prompts usually take, in milliseconds; `None` before the first has ended.
    pub fn usual_ms(&self) -> Option<u64> {
        let all = self.tallies.get("")?;
        all.total_ms.checked_div(u64::from(all.completed + all.failed))
    }
}

fn push<T>(list: &mut VecDeque<T>, item: T, most: usize) {
    if list.len() >= most {
        list.pop_front();
    }
    list.push_back(item);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_counts_only_what_says_something_about_the_session() {
        let mut past = Past::default();
        let tags = ["fix".to_owned()];
        for outcome in [Outcome::Cancelled, Outcome::Interrupted, Outcome::Unknown, Outcome::NotTyped] {
            (0..9).for_each(|_| past.ended(&tags, outcome, 1));
        }
        assert_eq!(past.record(&tags, 6), 0);
        (0..10).for_each(|_| past.ended(&tags, Outcome::Completed, 1));
        assert!(past.record(&tags, 6) > 0);
        let mut bad = Past::default();
        (0..10).for_each(|_| bad.ended(&tags, Outcome::Failed, 1));
        assert_eq!(bad.record(&tags, 6), -6);
        assert_eq!(
            bad.record(&["other".to_owned()], 6),
            -6,
            "without a record of its own, that of all counts"
        );
    }

    #[test]
    fn a_past_is_bounded() {
        let mut past = Past::default();
        for n in 0..10_000 {
            past.given(Some(&format!("t{n}")), &[format!("g{n}")], UnixMillis(n));
            past.ended(&[format!("g{n}")], Outcome::Completed, 1);
        }
        assert!(past.threads.len() <= THREADS && past.given.len() <= GIVEN && past.tallies.len() <= TAGS + 1);
        assert_eq!(past.given_since(UnixMillis(9_999), 9), 10);
    }
}
