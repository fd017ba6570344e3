//! The configuration, resolved once: arguments, then environment, then file, then defaults.
//!
//! Must not: be asked again later; what it gives has no "not yet".

use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use wire::place::Place;

use crate::alert::Limits;
use crate::cli::{LogFormat, Said};
use crate::keep::{self, Keep};
use crate::route::Weights;
use crate::route::plan::Rules;
use crate::suggest;
use crate::trace::otlp::Collector;

/// Port of the dashboard when nothing is said.
pub const PORT: u16 = 8151;
/// How many ports after it are tried.
pub const PORTS: u16 = 50;

/// What the server does not decide itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Ports to try, in order; 0 is any free one.
    pub ports: Vec<u16>,
    /// What the router may weigh.
    pub rules: Rules,
    /// Preferred agent.
    pub prefer: Option<String>,
    /// From when on something is worth an alert.
    pub limits: Limits,
    /// Where traces of prompts are sent; `None`: nowhere.
    pub collector: Option<Collector>,
    /// How long what has ended is kept.
    pub keep: Keep,
    /// How it logs.
    pub log: LogFormat,
}

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration {0}: {1}")]
    Io(PathBuf, io::Error),
    /// The file is wrong.
    #[error("the configuration {0} is wrong: {1}{2}")]
    Wrong(PathBuf, String, String),
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct File {
    port: Option<u16>,
    prefer_agent: Option<String>,
    patience_s: Option<u64>,
    passed_over_s: Option<u64>,
    weights: Weights,
    alerts: Alerts,
    telemetry: Telemetry,
    keep: Kept,
    log: Log,
}

/// How long what has ended is kept; 0 is for ever.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Kept {
    recordings_days: Option<u32>,
    recordings_mb: Option<u32>,
    history_days: Option<u32>,
}

/// How it logs.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Log {
    format: Option<LogFormat>,
}

/// What is told to others of what happens here; nothing unless it is said.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Telemetry {
    otlp: Option<String>,
}

/// From when on something is worth an alert; what is not said stays as it is.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Alerts {
    stuck_s: Option<u64>,
    failure_rate: Option<f64>,
    ended_least: Option<u32>,
    away_s: Option<u64>,
    approval_s: Option<u64>,
}

impl Kept {
    fn resolved(self) -> Keep {
        let own = Keep::default();
        let limit = |said: Option<u32>, unit: u64, own| match said {
            None => own,
            Some(0) => None,
            Some(n) => Some(u64::from(n) * unit),
        };
        Keep {
            recordings: limit(self.recordings_days, keep::DAY, own.recordings),
            bytes: limit(self.recordings_mb, keep::MEGABYTE, own.bytes),
            history: limit(self.history_days, keep::DAY, own.history),
        }
    }
}

impl Config {
    /// Resolves; clap has put the environment under the arguments already.
    pub fn resolve(args: &Said, place: &Place) -> Result<Self, ConfigError> {
        let (path, text) = read(args, place)?;
        Self::of(args, &path, &text)
    }

    /// The same for a file that was read.
    pub fn of(args: &Said, path: &Path, text: &str) -> Result<Self, ConfigError> {
        let file = parse(path, text)?;
        let ports = match args.port.or(file.port) {
            Some(port) => vec![port],
            None => (PORT..=PORT + PORTS).collect(),
        };
        let rules = Rules::default();
        let ms = |seconds: Option<u64>, otherwise| seconds.map_or(otherwise, |s: u64| s.saturating_mul(1000));
        let rules = Rules {
            weights: file.weights,
            patience: ms(file.patience_s, rules.patience),
            passed_over: ms(file.passed_over_s, rules.passed_over),
        };
        let log = args.log_format.or(file.log.format).unwrap_or_default();
        let wrong = |why| ConfigError::Wrong(path.to_owned(), why, String::new());
        let limits = limits(file.alerts, ms).map_err(wrong)?;
        let collector =
            file.telemetry.otlp.map(|said| Collector::read(&said, |name| std::env::var(name).ok()));
        let collector = collector.transpose().map_err(wrong)?;
        let keep = file.keep.resolved();
        Ok(Self { ports, rules, prefer: file.prefer_agent, limits, collector, keep, log })
    }
}

/// The file that counts, and what is in it; nothing when nobody wrote one.
pub fn read(args: &Said, place: &Place) -> Result<(PathBuf, String), ConfigError> {
    let (path, must) = match &args.config {
        Some(path) => (path.clone(), true),
        None => (place.config.join("assigner.toml"), false),
    };
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok((path, text)),
        Err(e) if e.kind() == io::ErrorKind::NotFound && !must => Ok((path, String::new())),
        Err(e) => Err(ConfigError::Io(path, e)),
    }
}

fn limits(asked: Alerts, ms: impl Fn(Option<u64>, u64) -> u64) -> Result<Limits, String> {
    let own = Limits::default();
    let failure_rate = asked.failure_rate.unwrap_or(own.failure_rate);
    if !(0.0..=1.0).contains(&failure_rate) {
        return Err(format!("alerts.failure_rate is {failure_rate}; it is a part of all, from 0 to 1"));
    }
    Ok(Limits {
        stuck: ms(asked.stuck_s, own.stuck),
        failure_rate,
        ended_least: asked.ended_least.unwrap_or(own.ended_least),
        away: ms(asked.away_s, own.away),
        approval: ms(asked.approval_s, own.approval),
    })
}

fn parse(path: &Path, text: &str) -> Result<File, ConfigError> {
    toml::from_str(text).map_err(|e| {
        ConfigError::Wrong(path.to_owned(), e.to_string().trim_end().to_owned(), suggest::hint(e.message()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, args: &Said) -> Result<Config, String> {
        let dir = tempfile::tempdir().unwrap();
        let home = dir.path().to_owned();
        let place = Place::find(|n| (n == "MUSTER_HOME").then(|| home.clone().into_os_string())).unwrap();
        std::fs::create_dir_all(&place.config).unwrap();
        std::fs::write(place.config.join("assigner.toml"), text).unwrap();
        Config::resolve(args, &place).map_err(|e| e.to_string())
    }

    #[test]
    fn arguments_stand_before_the_file_and_the_file_before_the_defaults() {
        let config = check("port = 9000\nprefer_agent = 'codex'\n[weights]\ndirectory = 7", &Said::default());
        let config = config.unwrap();
        assert_eq!((config.ports, config.prefer.as_deref()), (vec![9000], Some("codex")));
        assert_eq!((config.rules.weights.directory, config.rules.weights.branch), (7, 10));
        let args = Said { port: Some(0), ..Said::default() };
        assert_eq!(check("port = 9000", &args).unwrap().ports, [0]);
        assert_eq!(check("", &Said::default()).unwrap().ports[..2], [8151, 8152]);
    }

    #[test]
    fn what_is_worth_an_alert_is_said_in_seconds_and_parts() {
        let limits = |text: &str| check(text, &Said::default()).map(|config| config.limits);
        let own = Limits::default();
        let said = limits("[alerts]\nstuck_s = 60\nfailure_rate = 0.5").unwrap();
        assert_eq!(said, Limits { stuck: 60_000, failure_rate: 0.5, ..own });
        assert!(limits("[alerts]\nfailure_rate = 20").unwrap_err().contains("from 0 to 1"));
    }

    #[test]
    fn nothing_is_told_to_others_unless_it_is_said() {
        let collector = |text: &str| check(text, &Said::default()).map(|config| config.collector);
        assert_eq!(collector("").unwrap(), None);
        assert!(collector("[telemetry]\notlp = 'http://127.0.0.1:4318'").unwrap().is_some());
        assert!(collector("[telemetry]\notlp = 'here'").unwrap_err().contains("no address"));
    }

    #[test]
    fn a72_what_is_kept_is_said_in_days_and_megabytes_and_0_is_for_ever() {
        let keep = |text: &str| check(text, &Said::default()).unwrap().keep;
        let own = Keep {
            recordings: Some(7 * keep::DAY),
            bytes: Some(2_000_000_000),
            history: Some(90 * keep::DAY),
        };
        assert_eq!(keep(""), own);
        let said = keep("[keep]\nrecordings_days = 1\nrecordings_mb = 5\nhistory_days = 0");
        assert_eq!(said, Keep { recordings: Some(keep::DAY), bytes: Some(5_000_000), history: None });
        assert!(check("[keep]\nhistory_days = -1", &Said::default()).is_err());
    }

    #[test]
    fn a_log_is_text_unless_json_is_said() {
        let log = |text: &str, args: &Said| check(text, args).map(|config| config.log);
        assert_eq!(log("", &Said::default()).unwrap(), LogFormat::Text);
        assert_eq!(log("[log]\nformat = 'json'", &Said::default()).unwrap(), LogFormat::Json);
        let args = Said { log_format: Some(LogFormat::Text), ..Said::default() };
        assert_eq!(log("[log]\nformat = 'json'", &args).unwrap(), LogFormat::Text);
        assert!(log("[log]\nformat = 'xml'", &args).unwrap_err().contains("expected `text` or `json`"));
    }

    #[test]
    fn an_unknown_key_is_an_error_with_a_suggestion() {
        let error = check("prot = 1", &Said::default()).unwrap_err();
        assert!(error.contains("did you mean `port`?"), "{error}");
        let error = check("[weights]\ndirectoy = 1", &Said::default()).unwrap_err();
        assert!(error.contains("did you mean `directory`?"), "{error}");
        let error = check("no_auth = true", &Said::default()).unwrap_err();
        assert!(error.contains("unknown field `no_auth`"), "{error}");
    }
}
