//! Metrics as OTLP tells them in JSON, one payload for each measurement that a fact rule can look at. Must not: listen, or
//! keep what identifies a person.
//!
//! The format: <https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding>; integers may be written as text, and
//! times are nanoseconds as text.

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

/// Measurements that are read of one export.
const POINTS: usize = 1_000;
/// Attributes that are looked at of one measurement.
const ATTRIBUTES: usize = 64;

/// The measurements of an export: `metric`, `unit`, `value`, `attributes` by name, and `point`, which tells it from others.
/// Only of sums that never fall: of others nobody knows by what they grew. `None` when it is no export.
pub fn measurements(body: &[u8]) -> Option<Vec<Value>> {
    let export: Value = serde_json::from_slice(body).ok()?;
    let resources = export.get("resourceMetrics")?.as_array()?;
    let metrics = resources
        .iter()
        .flat_map(|resource| list(resource, "scopeMetrics"))
        .flat_map(|scope| list(scope, "metrics"));
    Some(metrics.flat_map(of_metric).take(POINTS).collect())
}

fn of_metric(metric: &Value) -> impl Iterator<Item = Value> {
    let sum = metric.get("sum").filter(|sum| sum.get("isMonotonic") == Some(&Value::Bool(true)));
    let delta = sum.and_then(|sum| match sum.get("aggregationTemporality")? {
        Value::Number(number) => match number.as_u64()? {
            1 => Some(true),
            2 => Some(false),
            _ => None,
        },
        Value::String(name) if name == "AGGREGATION_TEMPORALITY_DELTA" => Some(true),
        Value::String(name) if name == "AGGREGATION_TEMPORALITY_CUMULATIVE" => Some(false),
        _ => None,
    });
    let points = sum.zip(delta).into_iter();
    points.flat_map(|(sum, delta)| list(sum, "dataPoints").map(move |point| (point, delta))).filter_map(
        |(point, delta)| {
            let value = number(point)?;
            let text = |name: &str| point.get(name).and_then(Value::as_str).unwrap_or_default();
            let which = json!({
                "series": series(metric, point),
                "start": text("startTimeUnixNano"),
                "time": text("timeUnixNano"),
                "delta": delta,
            });
            Some(json!({
                "metric": metric.get("name")?,
                "unit": metric.get("unit"),
                "value": value,
                "attributes": attributes(point),
                "point": which,
            }))
        },
    )
}

/// Its number, unless it adds nothing.
fn number(point: &Value) -> Option<f64> {
    let of = |value: &Value| match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    };
    let number = point.get("asDouble").or_else(|| point.get("asInt")).and_then(of)?;
    (number.is_finite() && number > 0.0).then_some(number)
}

/// What has the same name and the same attributes, as a name that tells neither.
fn series(metric: &Value, point: &Value) -> String {
    let mut hash = Sha256::new();
    let mut said: Vec<String> = list(point, "attributes").map(Value::to_string).collect();
    // Their order says nothing.
    said.sort_unstable();
    for part in metric.get("name").map(Value::to_string).into_iter().chain(said) {
        hash.update(part.len().to_le_bytes());
        hash.update(part);
    }
    wire::text::hex(&hash.finalize()[..8])
}

fn attributes(point: &Value) -> Map<String, Value> {
    let pairs = list(point, "attributes").take(ATTRIBUTES).filter_map(|attribute| {
        let name = attribute.get("key")?.as_str()?;
        let text = attribute.get("value")?.get("stringValue")?.as_str()?;
        Some((name.to_owned(), Value::from(text)))
    });
    pairs.collect()
}

fn list<'v>(value: &'v Value, name: &str) -> impl Iterator<Item = &'v Value> {
    value.get(name).and_then(Value::as_array).into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn export(sum: Value) -> Vec<u8> {
        let metric = json!({ "name": "cost", "unit": "USD", "sum": sum });
        json!({ "resourceMetrics": [{ "scopeMetrics": [{ "metrics": [metric] }] }] }).to_string().into_bytes()
    }

    fn point(value: Value, attributes: &[(&str, &str)]) -> Value {
        let attributes: Vec<Value> =
            attributes.iter().map(|(k, v)| json!({ "key": k, "value": { "stringValue": v } })).collect();
        json!({ "asDouble": value, "startTimeUnixNano": "1", "timeUnixNano": "2", "attributes": attributes })
    }

    fn sum(temporality: Value, points: &[Value]) -> Value {
        json!({ "isMonotonic": true, "aggregationTemporality": temporality, "dataPoints": points })
    }

    #[test]
    fn a_measurement_tells_figure_attributes_and_which_it_is() {
        let all =
            measurements(&export(sum(json!(1), &[point(json!(0.5), &[("model", "one"), ("user", "u")])])))
                .unwrap();
        assert_eq!(all.len(), 1);
        assert_eq!((&all[0]["metric"], &all[0]["value"]), (&json!("cost"), &json!(0.5)));
        assert_eq!(all[0]["attributes"]["model"], "one");
        assert_eq!(all[0]["point"]["delta"], true);
        assert_eq!((&all[0]["point"]["start"], &all[0]["point"]["time"]), (&json!("1"), &json!("2")));
    }

    #[test]
    fn series_are_told_apart_by_attributes_whose_order_says_nothing() {
        let of = |attributes: &[(&str, &str)]| {
            measurements(&export(sum(json!(2), &[point(json!(1), attributes)]))).unwrap()[0]["point"]["series"]
                .clone()
        };
        assert_eq!(of(&[("a", "1"), ("b", "2")]), of(&[("b", "2"), ("a", "1")]));
        assert_ne!(of(&[("a", "1")]), of(&[("a", "2")]));
    }

    #[test]
    fn both_temporalities_are_read_and_what_may_fall_is_not() {
        let delta = |temporality: Value| {
            let all = measurements(&export(sum(temporality, &[point(json!("3"), &[])]))).unwrap();
            all.first().map(|one| one["point"]["delta"].clone())
        };
        assert_eq!(delta(json!(1)), Some(json!(true)));
        assert_eq!(delta(json!("AGGREGATION_TEMPORALITY_DELTA")), Some(json!(true)));
        assert_eq!(delta(json!(2)), Some(json!(false)));
        assert_eq!(delta(json!("AGGREGATION_TEMPORALITY_CUMULATIVE")), Some(json!(false)));
        assert_eq!(delta(json!(0)), None);
        let falling = json!({ "isMonotonic": false, "aggregationTemporality": 1, "dataPoints": [point(json!(1), &[])] });
        assert_eq!(measurements(&export(falling)), Some(Vec::new()));
    }

    #[test]
    fn what_is_no_export_is_none_and_what_adds_nothing_is_left_out() {
        assert_eq!(measurements(b"no json"), None);
        assert_eq!(measurements(b"[]"), None);
        for nothing in [json!(0), json!(-1), json!("NaN"), json!({})] {
            let none = measurements(&export(sum(json!(1), &[point(nothing, &[])])));
            assert_eq!(none, Some(Vec::new()));
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
            let _ = measurements(&bytes);
        }
    }
}
