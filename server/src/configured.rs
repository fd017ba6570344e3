//! The configuration, shown with where each value comes from. Must not: decide one.

use std::io::Write;
use std::path::Path;

use anyhow::Context;
use serde::Serialize;
use toml::{Table, Value};
use wire::place::Place;

use crate::cli::{LOG_FORMAT, LogFormat, PORT, Said};
use crate::config::{self, Config};
use crate::keep;

/// A value, and where it comes from.
#[derive(Debug, Serialize, PartialEq)]
struct Row {
    /// As it is called in the file, with dots between a table's name and its own.
    key: &'static str,
    /// What it is; `None`: nothing is said, and that is not one value.
    value: Option<Value>,
    /// What that means; empty when there is a value.
    #[serde(skip_serializing_if = "str::is_empty")]
    meaning: &'static str,
    /// `default`, a path, an option or a variable.
    origin: String,
}

/// Prints what a server that is started now would take.
pub fn print(said: &Said, origin: bool, json: bool) -> anyhow::Result<()> {
    let place = Place::from_env()?;
    let (path, text) = config::read(said, &place)?;
    let config = Config::of(said, &path, &text)?;
    let file: Table = text.parse().context("the configuration cannot be read")?;
    let mut out = std::io::stdout().lock();
    for row in rows(&config, &file, &path, said, |name| std::env::var_os(name).is_some()) {
        if json {
            serde_json::to_writer(&mut out, &row)?;
            writeln!(out)?;
        } else {
            writeln!(out, "{}", line(&row, origin))?;
        }
    }
    Ok(())
}

/// A line of the file; a comment where nothing is set.
fn line(row: &Row, origin: bool) -> String {
    let said = match &row.value {
        Some(value) => format!("{} = {value}", row.key),
        None => format!("# {}: {}", row.key, row.meaning),
    };
    // Paths are the user's own, but may hold anything.
    if origin { format!("{said:<40} # {}", wire::text::escape(&row.origin)) } else { said }
}

fn rows(config: &Config, file: &Table, path: &Path, said: &Said, is_set: impl Fn(&str) -> bool) -> Vec<Row> {
    let written = |key: &str| {
        key.split('.').try_fold(None::<&Value>, |at, name| {
            let table = at.map_or(Some(file), Value::as_table)?;
            Some(Some(table.get(name)?))
        })
    };
    let origin = |key: &str, option: Option<(&str, &str)>| match option {
        Some((_, variable)) if is_set(variable) => variable.to_owned(),
        Some((option, _)) => option.to_owned(),
        None if written(key).is_some() => path.display().to_string(),
        None => "default".to_owned(),
    };
    let row = |key: &'static str, value: Option<Value>, meaning: &'static str, option| Row {
        key,
        meaning: if value.is_some() { "" } else { meaning },
        value,
        origin: origin(key, option),
    };
    let plain = |key, value: Value| row(key, Some(value), "", None);
    let number = |n: u64| Value::Integer(i64::try_from(n).unwrap_or(i64::MAX));
    let seconds = |ms: u64| number(ms / 1000);
    let days = |ms: Option<u64>| number(ms.unwrap_or(0) / keep::DAY);
    let port = match config.ports[..] {
        [port] => Some(number(port.into())),
        _ => None,
    };
    let format = match config.log {
        LogFormat::Text => "text",
        LogFormat::Json => "json",
    };
    let text = |text: &str| Value::String(text.to_owned());
    let mut rows = vec![
        row("port", port, "8151, or the next free one up to 8201", said.port.map(|_| ("--port", PORT))),
        row("prefer_agent", config.prefer.as_deref().map(text), "none", None),
        plain("patience_s", seconds(config.rules.patience)),
        plain("passed_over_s", seconds(config.rules.passed_over)),
    ];
    let weights = Value::try_from(&config.rules.weights).ok();
    let weights = weights.as_ref().and_then(Value::as_table);
    let weight = |name| weights.and_then(|table| table.get(name)).cloned();
    rows.extend(WEIGHTS.map(|(key, name)| row(key, weight(name), "none", None)));
    let limits = &config.limits;
    rows.extend([
        plain("alerts.stuck_s", seconds(limits.stuck)),
        plain("alerts.failure_rate", Value::Float(limits.failure_rate)),
        plain("alerts.ended_least", number(limits.ended_least.into())),
        plain("alerts.away_s", seconds(limits.away)),
        plain("alerts.approval_s", seconds(limits.approval)),
        row("telemetry.otlp", written("telemetry.otlp").flatten().cloned(), "nothing is sent", None),
        plain("keep.recordings_days", days(config.keep.recordings)),
        plain("keep.recordings_mb", number(config.keep.bytes.unwrap_or(0) / keep::MEGABYTE)),
        plain("keep.history_days", days(config.keep.history)),
        row("log.format", Some(text(format)), "", said.log_format.map(|_| ("--log-format", LOG_FORMAT))),
    ]);
    rows
}

/// Keys of the weights, and their names in the table.
const WEIGHTS: [(&str, &str); 11] = [
    ("weights.directory", "directory"),
    ("weights.branch", "branch"),
    ("weights.active", "active"),
    ("weights.idle", "idle"),
    ("weights.provider", "provider"),
    ("weights.thread", "thread"),
    ("weights.tag", "tag"),
    ("weights.record", "record"),
    ("weights.load", "load"),
    ("weights.moves", "moves"),
    ("weights.avoid", "avoid"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, said: &Said, variables: &[&str]) -> Vec<Row> {
        let config = Config::of(said, Path::new("FILE"), text).unwrap();
        let file = text.parse().unwrap();
        rows(&config, &file, Path::new("FILE"), said, |name| variables.contains(&name))
    }

    fn of(rows: &[Row], key: &str) -> String {
        line(rows.iter().find(|row| row.key == key).unwrap(), true)
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
    }

    #[test]
    fn each_value_says_where_it_comes_from() {
        let file = "port = 9000\nprefer_agent = 'codex'\n[alerts]\nstuck_s = 60";
        let rows = shown(file, &Said::default(), &[]);
        assert_eq!(of(&rows, "port"), "port = 9000 # FILE");
        assert_eq!(of(&rows, "prefer_agent"), "prefer_agent = \"codex\" # FILE");
        assert_eq!(of(&rows, "alerts.stuck_s"), "alerts.stuck_s = 60 # FILE");
        assert_eq!(of(&rows, "alerts.failure_rate"), "alerts.failure_rate = 0.2 # default");
        assert_eq!(of(&rows, "weights.directory"), "weights.directory = 20 # default");
        assert_eq!(of(&rows, "telemetry.otlp"), "# telemetry.otlp: nothing is sent # default");
        let said = Said { port: Some(0), log_format: Some(LogFormat::Json), ..Said::default() };
        let rows = shown(file, &said, &["MUSTER_LOG_FORMAT"]);
        assert_eq!(of(&rows, "port"), "port = 0 # --port");
        assert_eq!(of(&rows, "log.format"), "log.format = \"json\" # MUSTER_LOG_FORMAT");
    }

    #[test]
    fn what_is_shown_can_be_written_into_the_file_and_is_all_that_it_can_hold() {
        let text: String =
            shown("", &Said::default(), &[]).iter().map(|row| format!("{}\n", line(row, true))).collect();
        let again = shown(&text, &Said::default(), &[]);
        assert!(again.iter().filter(|row| row.value.is_some()).all(|row| row.origin == "FILE"), "{text}");
        let weights = Value::try_from(crate::route::Weights::default()).unwrap();
        let mut names: Vec<&str> = WEIGHTS.map(|(_, name)| name).to_vec();
        names.sort_unstable();
        assert_eq!(names, weights.as_table().unwrap().keys().collect::<Vec<_>>(), "each weight is shown");
    }
}
