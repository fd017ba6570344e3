//! What models used, as the agent tells it: tokens by model from its transcript, what they cost from its telemetry. Must
//! not: know a price.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use patterns::fact::{FactRule, Tokens};
use serde_json::Value;

use crate::points::Points;

/// Models that are told apart in one session.
const MODELS: usize = 16;
/// Longest name of a model, in characters.
const NAME: usize = 100;
/// Most that is believed of one figure. However many are added up, the sum stays a number that JSON can tell.
const FIGURE: f64 = 1e15;
/// Answers of a model that are remembered, so that one that is told again counts once.
const ANSWERS: usize = 50_000;

/// Tokens read and written.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
struct Used {
    read: f64,
    written: f64,
    /// US dollars; none as long as none were told.
    cost: Option<f64>,
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
    /// Measurements of telemetry.
    points: Points,
    /// Tokens written, as telemetry tells them.
    measured: f64,
    /// What the transcript and what telemetry had told when the turn began.
    began: (f64, f64),
}

impl Usage {
    /// Takes a payload.
    pub fn take(&mut self, rule: &FactRule, payload: &Value) {
        let Some(places) = &rule.tokens else { return };
        if let Some(point) = places.point.as_ref().and_then(|place| payload.pointer(place)) {
            return self.measure(places, point, payload);
        }
        let at = |place: &Option<String>| payload.pointer(place.as_deref()?)?.as_str();
        if let Some(model) = at(&places.model) {
            self.model = name(model);
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
        let model = self.model(self.model.clone());
        // A piece may be told with less than the one before; a session never used less than nothing.
        model.read = (model.read + new.read).max(0.0);
        model.written = (model.written + new.written).max(0.0);
    }

    /// Takes a measurement of telemetry.
    fn measure(&mut self, places: &Tokens, point: &Value, payload: &Value) {
        let at = |place: &Option<String>| payload.pointer(place.as_deref()?);
        if let Some(cost) = at(&places.cost).and_then(Value::as_f64).filter(|cost| *cost <= FIGURE) {
            let cost = self.points.grown(point, cost);
            let model = at(&places.model).and_then(Value::as_str).map(name).unwrap_or_default();
            let known = self.model(model);
            known.cost = Some(known.cost.unwrap_or(0.0) + cost);
        } else if let Some(used) = used(places, payload) {
            self.measured += self.points.grown(point, used.written);
        }
    }

    /// The model of this name; beyond a number they are not told apart.
    fn model(&mut self, name: String) -> &mut Used {
        let known = self.models.contains_key(&name) || self.models.len() < MODELS;
        self.models.entry(if known { name } else { String::new() }).or_default()
    }

    /// A turn begins.
    pub fn begin(&mut self) {
        self.began = (self.written(), self.measured);
    }

    /// Whether telemetry has told of all that the transcript told of since the turn began.
    pub fn is_measured(&self) -> bool {
        self.measured - self.began.1 >= self.written() - self.began.0
    }

    fn written(&self) -> f64 {
        self.models.values().map(|used| used.written).sum()
    }

    /// As figures: `tokens_in`, `tokens_out` and `cost_usd`, and the same with `@` and the model's name.
    pub fn figures(&self) -> impl Iterator<Item = (String, f64)> {
        let mut all: BTreeMap<String, f64> = BTreeMap::new();
        for (name, used) in &self.models {
            // A model of which only the cost was told is told no tokens of.
            let tokens = (used.read + used.written > 0.0).then_some((used.read, used.written));
            let figures = [
                ("tokens_in", tokens.map(|(read, _)| read)),
                ("tokens_out", tokens.map(|(_, written)| written)),
                ("cost_usd", used.cost),
            ];
            for (what, n) in figures.into_iter().filter_map(|(what, n)| Some((what, n?))) {
                *all.entry(what.to_owned()).or_default() += n;
                if !name.is_empty() {
                    all.insert(format!("{what}@{name}"), n);
                }
            }
        }
        all.into_iter()
    }
}

impl Used {
    fn less(self, other: Used) -> Used {
        Used { read: self.read - other.read, written: self.written - other.written, cost: None }
    }
}

fn name(told: &str) -> String {
    told.chars().filter(|c| !c.is_control()).take(NAME).collect()
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
        (!told.is_empty()).then(|| told.iter().filter(|n| (0.0..=FIGURE).contains(*n)).sum::<f64>())
    };
    let (read, written) = (sum(&places.read), sum(&places.written));
    (read.is_some() || written.is_some()).then(|| Used {
        read: read.unwrap_or(0.0),
        written: written.unwrap_or(0.0),
        cost: None,
    })
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

    fn measured(metric: &str, time: u32, value: f64, attributes: Value) -> Value {
        let unit = if metric.contains("cost") { "USD" } else { "tokens" };
        let point = json!({ "series": attributes.to_string(), "start": "0", "time": time.to_string(), "delta": true });
        json!({ "metric": metric, "unit": unit, "value": value, "attributes": attributes, "point": point })
    }

    #[test]
    fn telemetry_tells_the_cost_by_model_once_and_never_the_tokens_again() {
        let cost = |time, value, model: &str| {
            measured("claude_code.cost.usage", time, value, json!({ "model": model }))
        };
        let tokens = measured("claude_code.token.usage", 1, 7.0, json!({ "model": "one", "type": "output" }));
        let figures = told(
            "claude",
            &[
                answer("a", "one", 5, 7),
                cost(1, 0.5, "one"),
                tokens,
                cost(1, 0.5, "one"),
                cost(2, 0.25, "one"),
                cost(2, 0.125, "two"),
            ],
        );
        assert_eq!((figures["tokens_in"], figures["tokens_out"]), (115.0, 7.0));
        assert_eq!(
            (figures["cost_usd"], figures["cost_usd@one"], figures["cost_usd@two"]),
            (0.875, 0.75, 0.125)
        );
        assert!(!figures.contains_key("tokens_in@two"), "{figures:?}");
    }

    #[test]
    fn telemetry_is_behind_until_it_told_of_the_turns_tokens() {
        let agent = patterns::Library::builtin().agent("claude").expect("a profile");
        let mut usage = Usage::default();
        let take = |usage: &mut Usage, line: Value| {
            let rule = agent.facts.iter().find(|rule| rule.tokens.is_some() && rule.holds(&line));
            usage.take(rule.expect("a rule for it"), &line);
        };
        let tokens = |time, n| {
            measured("claude_code.token.usage", time, n, json!({ "model": "one", "type": "output" }))
        };
        take(&mut usage, answer("a", "one", 5, 7));
        usage.begin();
        assert!(usage.is_measured(), "what was before the turn is not waited for");
        take(&mut usage, answer("b", "one", 5, 3));
        take(&mut usage, answer("c", "one", 5, 4));
        take(&mut usage, tokens(1, 3.0));
        assert!(!usage.is_measured());
        take(&mut usage, tokens(1, 3.0));
        assert!(!usage.is_measured(), "the same export again");
        take(&mut usage, tokens(2, 4.0));
        assert!(usage.is_measured());
    }

    #[test]
    fn what_is_told_without_measure_leaves_figures_that_can_be_told_on() {
        let huge = |id: &str| {
            json!({ "type": "assistant", "message": { "id": id, "model": "one", "usage": {
                "input_tokens": 1e308, "output_tokens": 1e308 } } })
        };
        let cost = |time| measured("claude_code.cost.usage", time, 1e308, json!({ "model": "one" }));
        let figures = told("claude", &[answer("a", "one", 5, 7), huge("b"), huge("c"), cost(1), cost(2)]);
        assert!(figures.values().all(|figure| figure.is_finite()), "{figures:?}");
        assert_eq!(figures["tokens_out"], 7.0);
    }

    #[test]
    fn nothing_told_is_no_figure() {
        assert_eq!(told("claude", &[]), BTreeMap::new());
        let failed = json!({ "type": "assistant", "message": { "id": "a", "model": "<synthetic>", "usage": {
            "input_tokens": 0, "output_tokens": 0 } } });
        assert_eq!(told("claude", &[failed]), BTreeMap::new());
    }
}
