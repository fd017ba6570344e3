//! Exports of telemetry, as a session's port on loopback takes them. Promises: any body is read or refused; figures are finite and
//! above nothing, and not more than are read of one export; of what is told only figures, names of models and what tells a
//! measurement from others is kept; an export that comes twice counts once.

#![no_main]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use arbitrary::Unstructured;
use extractor::Extractor;
use fuzz::json;
use libfuzzer_sys::fuzz_target;
use patterns::fact::From;
use patterns::{Agent, Library};
use serde_json::{Value, json};
use wrapper::observer::ear;
use wrapper::otlp::measurements;

const WORDS: &[&str] = &[
    "resourceMetrics",
    "scopeMetrics",
    "metrics",
    "name",
    "unit",
    "sum",
    "gauge",
    "dataPoints",
    "isMonotonic",
    "aggregationTemporality",
    "AGGREGATION_TEMPORALITY_DELTA",
    "AGGREGATION_TEMPORALITY_CUMULATIVE",
    "asDouble",
    "asInt",
    "startTimeUnixNano",
    "timeUnixNano",
    "attributes",
    "key",
    "value",
    "stringValue",
    "intValue",
    "model",
    "type",
    "output",
    "user.email",
    "claude_code.cost.usage",
    "claude_code.token.usage",
    "USD",
    "tokens",
    "1",
    "2",
    "NaN",
    "1e400",
    "-1",
];

/// Most measurements of one export.
const POINTS: usize = 1_000;

/// Whole exports with places that are made up: by bytes alone few would be one.
fn export(u: &mut Unstructured<'_>) -> arbitrary::Result<Value> {
    let points = |u: &mut Unstructured<'_>| -> arbitrary::Result<Value> {
        let mut points = Vec::new();
        for _ in 0..u.int_in_range(0..=5)? {
            let mut attributes = Vec::new();
            for _ in 0..u.int_in_range(0..=3)? {
                attributes.push(json!({ "key": json::value(u, WORDS, 4)?, "value": { "stringValue": json::value(u, WORDS, 4)? } }));
            }
            let kind = if u.arbitrary()? { "asDouble" } else { "asInt" };
            let times = (json::value(u, WORDS, 5)?, json::value(u, WORDS, 5)?);
            points.push(json!({ kind: json::value(u, WORDS, 4)?, "attributes": attributes,
                "startTimeUnixNano": times.0, "timeUnixNano": times.1 }));
        }
        Ok(points.into())
    };
    let mut metrics = Vec::new();
    for _ in 0..u.int_in_range(0..=4)? {
        let sum = json!({ "isMonotonic": !u.ratio(1, 8)?, "aggregationTemporality": u.int_in_range(0..=3)?, "dataPoints": points(u)? });
        metrics.push(json!({ "name": u.choose(WORDS)?, "unit": u.choose(WORDS)?, "sum": sum }));
    }
    Ok(json!({ "resourceMetrics": [{ "scopeMetrics": [{ "metrics": metrics }] }] }))
}

fn body(bytes: &[u8]) -> Vec<u8> {
    let Some((kind, rest)) = bytes.split_first() else { return Vec::new() };
    let mut u = Unstructured::new(rest);
    let made = match kind % 4 {
        0 => None,
        1 => json::object(&mut u, WORDS, 0).ok(),
        _ => export(&mut u).ok(),
    };
    made.map_or_else(|| rest.to_vec(), |value| value.to_string().into_bytes())
}

/// Figures after these payloads.
fn figures(agent: &Arc<Agent>, payloads: &[Vec<u8>]) -> BTreeMap<String, f64> {
    let (mut extractor, mut seen) = (Extractor::new(Arc::clone(agent), 20, 4), Vec::new());
    for (at, payload) in (0..).map(Duration::from_millis).zip(payloads) {
        extractor.fact(at, From::Telemetry, payload, &mut seen);
    }
    extractor.metrics()
}

fn names(value: &Value) -> Vec<&str> {
    value.as_object().map(|members| members.keys().map(String::as_str).collect()).unwrap_or_default()
}

fuzz_target!(|bytes: &[u8]| {
    let body = body(bytes);
    let all = measurements(&body);
    if let Some(all) = &all {
        assert!(all.len() <= POINTS);
        assert!(
            all.iter().all(|one| one["value"].as_f64().is_some_and(|value| value.is_finite() && value > 0.0))
        );
    }
    for agent in Library::builtin().agents() {
        let told = ear::known(agent, &body);
        assert_eq!(told.is_some(), all.is_some());
        let payloads: Vec<Vec<u8>> = told.into_iter().flatten().map(|told| told.payload).collect();
        for payload in &payloads {
            let kept: Value = serde_json::from_slice(payload).expect("it was written as JSON");
            let known = |name: &&str| ["metric", "unit", "value", "attributes", "point"].contains(name);
            assert!(names(&kept).iter().all(known), "{kept}");
            assert!(names(&kept["attributes"]).iter().all(|name| ["model", "type"].contains(name)), "{kept}");
            assert!(
                names(&kept["point"]).iter().all(|name| ["series", "start", "time", "delta"].contains(name)),
                "{kept}"
            );
        }
        let once = figures(agent, &payloads);
        assert!(once.values().all(|figure| figure.is_finite() && *figure >= 0.0), "{once:?}");
        // Within one export the order may say that a sum began anew; of one measurement it cannot.
        if payloads.len() == 1 {
            assert_eq!(figures(agent, &[payloads[0].clone(), payloads[0].clone()]), once);
        }
    }
});
