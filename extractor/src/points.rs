//! Measurements of an agent's telemetry, each counted once: by what a figure grew. Must not: know what it measures.

use std::collections::{BTreeMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};

use serde_json::Value;

/// Measurements that are remembered, so that an export that is sent again counts once.
const POINTS: usize = 1024;
/// Sums that are followed at a time; of more nothing is counted, rather than anything twice.
const SUMS: usize = 256;

/// What was counted.
#[derive(Debug, Default)]
pub struct Points {
    /// Growths that were told, the oldest first.
    grown: VecDeque<u64>,
    /// The highest that a sum was told to be, by series and beginning: a program that was started anew begins anew.
    sums: BTreeMap<u64, f64>,
}

impl Points {
    /// By what the figure grew with this measurement. `point` says which one it is: `series`, `start` and `time`, and with
    /// `delta` whether the value is a growth already or the sum since `start`.
    pub fn grown(&mut self, point: &Value, value: f64) -> f64 {
        let at = |name: &str| point.get(name).and_then(Value::as_str).unwrap_or_default();
        if !value.is_finite() || value < 0.0 {
            return 0.0;
        }
        let sum = hash(&[at("series"), at("start")]);
        if point.get("delta") != Some(&Value::Bool(true)) {
            return self.sum(sum, value);
        }
        let point = hash(&[at("series"), at("start"), at("time")]);
        if self.grown.contains(&point) {
            return 0.0;
        }
        if self.grown.len() == POINTS {
            self.grown.pop_front();
        }
        self.grown.push_back(point);
        value
    }

    fn sum(&mut self, series: u64, value: f64) -> f64 {
        if self.sums.len() == SUMS && !self.sums.contains_key(&series) {
            return 0.0;
        }
        // An older measurement that comes late is lower, and adds nothing.
        let highest = self.sums.entry(series).or_default();
        let before = std::mem::replace(highest, highest.max(value));
        (value - before).max(0.0)
    }
}

fn hash(words: &[&str]) -> u64 {
    let mut hasher = DefaultHasher::new();
    words.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn point(start: u32, time: u32, delta: bool) -> Value {
        json!({ "series": "a", "start": start.to_string(), "time": time.to_string(), "delta": delta })
    }

    #[test]
    fn a_growth_counts_once_however_often_its_export_is_sent() {
        let mut points = Points::default();
        assert_eq!(points.grown(&point(0, 1, true), 2.0), 2.0);
        assert_eq!(points.grown(&point(1, 2, true), 3.0), 3.0);
        assert_eq!(points.grown(&point(0, 1, true), 2.0), 0.0, "sent again, late");
        let other = json!({ "series": "b", "start": "0", "time": "1", "delta": true });
        assert_eq!(points.grown(&other, 2.0), 2.0, "of another series");
    }

    #[test]
    fn a_sum_counts_what_it_grew_by_and_anew_after_a_new_start() {
        let mut points = Points::default();
        assert_eq!(points.grown(&point(0, 1, false), 2.0), 2.0);
        assert_eq!(points.grown(&point(0, 2, false), 5.0), 3.0);
        assert_eq!(points.grown(&point(0, 2, false), 5.0), 0.0, "sent again");
        assert_eq!(points.grown(&point(0, 1, false), 2.0), 0.0, "sent again, late");
        assert_eq!(points.grown(&point(9, 10, false), 1.0), 1.0, "the agent was started anew");
    }

    #[test]
    fn what_is_no_growth_counts_nothing_and_memory_is_bounded() {
        let mut points = Points::default();
        for bad in [f64::NAN, f64::INFINITY, -1.0] {
            assert_eq!(points.grown(&point(0, 1, true), bad), 0.0);
        }
        for n in 0..10_000 {
            points.grown(&point(n, n, true), 1.0);
            points.grown(&point(n, n, false), 1.0);
        }
        assert_eq!((points.grown.len(), points.sums.len()), (POINTS, SUMS));
    }
}
