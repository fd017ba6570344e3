//! What models used, as the agent's transcript tells it: tokens by model. Must not: know a price.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use patterns::fact::{FactRule, Tokens};
use serde_json::Value;

/// Models that are told apart in one session.
const MODELS: usize = 16;
/// Longest name of a model, in characters.
const NAME: usize = 100;
/// Answers of a model that are remembered, so that one that is told again counts once.
const ANSWERS: usize = 50_000;

/// Tokens read and written.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
struct Used {
    read: f64,
    written: f64,
}

/// What was used since the session began.
#[derive(Debug, Default)]
pub struct Usage {
    models: BTreeMap<String, Used>,
    /// The model that was named last.
    model: String,
    /// The answer that was told last: agents tell one in pieces, each with what the whole used so far.
    last: Option<(u64, Used)>,
    answers: BTreeSet<u64>,
    /// What the agent told as the sum of its conversation.
    sum: Used,
}

impl Usage {
    /// Takes a payload.
    pub fn take(&mut self, rule: &FactRule, payload: &Value) {
        let Some(places) = &rule.tokens else { return };
        let at = |place: &Option<String>| payload.pointer(place.as_deref()?)?.as_str();
        if let Some(model) = at(&places.model) {
            self.model = model.chars().filter(|c| !c.is_control()).take(NAME).collect();
        }
        let Some(used) = used(places, payload) else { return };
        let new = if places.sum {
            let before = std::mem::replace(&mut self.sum, used);
            // Less than before: a conversation that began anew.
            if used.read < before.read || used.written < before.written { used } else { used.less(before) }
        } else if let Some(id) = at(&places.once).map(hash) {
            match self.last {
                Some((last, counted)) if last == id => {
                    self.last = Some((id, used));
                    used.less(counted)
                }
                _ if self.answers.contains(&id) => return,
                _ => {
                    if self.answers.len() < ANSWERS {
                        self.answers.insert(id);
                    }
                    self.last = Some((id, used));
                    used
                }
            }
        } else {
            used
        };
        if new == Used::default() {
            return;
        }
        let known = self.models.contains_key(&self.model) || self.models.len() < MODELS;
        let name = if known { self.model.clone() } else { String::new() };
        let model = self.models.entry(name).or_default();
        // A piece may be told with less than the one before; a session never used less than nothing.
        model.read = (model.read + new.read).max(0.0);
        model.written = (model.written + new.written).max(0.0);
    }

    /// As figures: `tokens_in` and `tokens_out`, and the same with `@` and the model's name.
    pub fn figures(&self) -> impl Iterator<Item = (String, f64)> {
        let sum = |of: fn(&Used) -> f64| self.models.values().map(of).sum();
        let all = [("tokens_in", sum(|u| u.read)), ("tokens_out", sum(|u| u.written))];
        let all = all.into_iter().filter(|_| !self.models.is_empty());
        let named = self.models.iter().filter(|(name, _)| !name.is_empty()).flat_map(|(name, used)| {
            [(format!("tokens_in@{name}"), used.read), (format!("tokens_out@{name}"), used.written)]
        });
        all.map(|(name, n)| (name.to_owned(), n)).chain(named)
    }
}

impl Used {
    fn less(self, other: Used) -> Used {
        Used { read: self.read - other.read, written: self.written - other.written }
    }
}

fn hash(id: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    hasher.finish()
}

/// What a payload tells; `None` when it tells of no tokens.
fn used(places: &Tokens, payload: &Value) -> Option<Used> {
    let sum = |pointers: &[String]| {
        let told: Vec<f64> = pointers.iter().filter_map(|p| payload.pointer(p)?.as_f64()).collect();
        (!told.is_empty()).then(|| told.iter().filter(|n| n.is_finite() && **n >= 0.0).sum::<f64>())
    };
    let (read, written) = (sum(&places.read), sum(&places.written));
    (read.is_some() || written.is_some())
        .then(|| Used { read: read.unwrap_or(0.0), written: written.unwrap_or(0.0) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn told(agent: &str, lines: &[Value]) -> BTreeMap<String, f64> {
        let agent = patterns::Library::builtin().agent(agent).expect("a profile");
        let mut usage = Usage::default();
        for line in lines {
            let rule = agent.facts.iter().find(|rule| rule.tokens.is_some() && rule.holds(line));
            usage.take(rule.expect("a rule for it"), line);
        }
        usage.figures().collect()
    }

    fn answer(id: &str, model: &str, read: u32, written: u32) -> Value {
        json!({ "type": "assistant", "message": { "id": id, "model": model, "usage": {
            "input_tokens": read, "cache_creation_input_tokens": 10, "cache_read_input_tokens": 100, "output_tokens": written } } })
    }

    #[test]
    fn an_answer_that_is_told_in_pieces_or_again_counts_once() {
        let figures = told(
            "claude",
            &[
                answer("a", "one", 5, 1),
                answer("a", "one", 5, 7),
                answer("b", "two", 5, 2),
                answer("a", "one", 5, 7),
            ],
        );
        assert_eq!((figures["tokens_in"], figures["tokens_out"]), (230.0, 9.0));
        assert_eq!((figures["tokens_in@one"], figures["tokens_out@one"]), (115.0, 7.0));
        assert_eq!((figures["tokens_in@two"], figures["tokens_out@two"]), (115.0, 2.0));
    }

    #[test]
    fn a_sum_counts_what_it_grew_by_and_anew_after_a_new_conversation() {
        let context = json!({ "type": "turn_context", "payload": { "model": "one" } });
        let sum = |read: u32, written: u32| {
            json!({ "type": "event_msg", "payload": { "type": "token_count", "info": { "total_token_usage": {
                "input_tokens": read, "output_tokens": written } } } })
        };
        let figures = told("codex", &[context, sum(100, 10), sum(100, 10), sum(150, 15), sum(20, 2)]);
        assert_eq!((figures["tokens_in"], figures["tokens_out@one"]), (170.0, 17.0));
    }

    #[test]
    fn nothing_told_is_no_figure() {
        assert_eq!(told("claude", &[]), BTreeMap::new());
        let failed = json!({ "type": "assistant", "message": { "id": "a", "model": "<synthetic>", "usage": {
            "input_tokens": 0, "output_tokens": 0 } } });
        assert_eq!(told("claude", &[failed]), BTreeMap::new());
    }
}
