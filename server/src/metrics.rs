//! What Prometheus is told: counted when it was committed, measured when it is asked for.
//!
//! Owns: the names, labels and units of all metrics. Must not: decide, or count what a failed transaction undid.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use wire::approval::ApprovalState;
use wire::event::{EventKind, Severity};
use wire::prompt::{Outcome, PromptState, Step};
use wire::result::Summary;

/// The content type of what is told.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// Projects with labels of their own; the others share one, so that not every path is a series for ever.
const PROJECTS: usize = 200;
/// Models that are told apart.
const MODELS: usize = 50;
/// What is said instead of a project beyond them.
const OTHER: &str = "other";

/// Something that happened and was committed.
#[derive(Debug, Clone, PartialEq)]
pub enum Count {
    /// A prompt came to its end.
    Prompt(PromptState),
    /// A prompt that asked for a context was given to a session, which had to be moved or not.
    Met {
        /// It had to be moved.
        moved: bool,
    },
    /// An attempt ended.
    Attempt {
        /// How.
        outcome: Outcome,
        /// The session's agent.
        agent: String,
        /// Its repository or directory.
        project: String,
        /// What was used and where time went, if it ran.
        summary: Option<Box<Summary>>,
    },
    /// An attempt came this far.
    Receipt(Step),
    /// A request of an agent is closed.
    Approval {
        /// How.
        state: ApprovalState,
        /// A rule answered, not a person.
        rule: bool,
        /// How long it was open.
        waited_ms: u64,
    },
    /// A session went to another context.
    Context,
    /// Something was found in a session's output.
    Event(EventKind, Severity),
}

/// What is true now.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Present {
    /// Live sessions by state, agent and link.
    pub sessions: BTreeMap<[String; 3], i64>,
    /// Prompts by state.
    pub prompts: BTreeMap<String, u64>,
    /// How long the one that has waited longest has waited, in milliseconds.
    pub oldest_ms: u64,
    /// Open requests of agents.
    pub approvals: usize,
    /// Dashboards and command lines that follow.
    pub viewers: usize,
    /// Live sessions by pool.
    pub pools: BTreeMap<String, i64>,
    /// No prompts are given out.
    pub paused: bool,
}

/// All metrics; clones share them.
#[derive(Debug, Clone, Default)]
pub struct Metrics(Arc<Inner>);

type Labels = Vec<(&'static str, String)>;

#[derive(Debug)]
struct Inner {
    registry: Registry,
    projects: Mutex<HashSet<String>>,
    models: Mutex<HashSet<String>>,
    prompts_ended: Family<Labels, Counter>,
    attempts_ended: Family<Labels, Counter>,
    phases: Family<Labels, Histogram>,
    receipts: Family<Labels, Counter>,
    contexts_met: Family<Labels, Counter>,
    contexts_changed: Counter,
    approvals_closed: Family<Labels, Counter>,
    approval_waits: Family<Labels, Histogram>,
    events: Family<Labels, Counter>,
    tokens: Family<Labels, Counter<f64, std::sync::atomic::AtomicU64>>,
    cost: Family<Labels, Counter<f64, std::sync::atomic::AtomicU64>>,
    /// One asker after the other: the gauges of one must not be told to another.
    asking: Mutex<()>,
    sessions: Family<Labels, Gauge>,
    prompts: Family<Labels, Gauge>,
    oldest: Gauge<f64, std::sync::atomic::AtomicU64>,
    approvals_open: Gauge,
    viewers: Gauge,
    pools: Family<Labels, Gauge>,
    paused: Gauge,
}

/// From a twentieth of a second to three hours.
fn waits() -> Histogram {
    Histogram::new(exponential_buckets(0.05, 3.0, 12))
}

impl Default for Inner {
    fn default() -> Self {
        let mut inner = Self {
            registry: Registry::with_prefix("muster"),
            projects: Mutex::default(),
            models: Mutex::default(),
            prompts_ended: Family::default(),
            attempts_ended: Family::default(),
            phases: Family::new_with_constructor(waits),
            receipts: Family::default(),
            contexts_met: Family::default(),
            contexts_changed: Counter::default(),
            approvals_closed: Family::default(),
            approval_waits: Family::new_with_constructor(waits),
            events: Family::default(),
            tokens: Family::default(),
            cost: Family::default(),
            asking: Mutex::default(),
            sessions: Family::default(),
            prompts: Family::default(),
            oldest: Gauge::default(),
            approvals_open: Gauge::default(),
            viewers: Gauge::default(),
            pools: Family::default(),
            paused: Gauge::default(),
        };
        inner.register();
        inner
    }
}

impl Inner {
    fn register(&mut self) {
        let all = &mut self.registry;
        let version = Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]);
        all.register("build", "The server", version);
        all.register("prompts_ended", "Prompts that came to their end, by state", self.prompts_ended.clone());
        let help = "Attempts that ended, by outcome and agent";
        all.register("attempts_ended", help, self.attempts_ended.clone());
        let help = "How long attempts that ran were in each phase: waiting, delivery, running, verification";
        all.register_with_unit("prompt_phase", help, Unit::Seconds, self.phases.clone());
        let help = "How far attempts came: each step of a delivery, once";
        all.register("receipts", help, self.receipts.clone());
        let help = "Prompts with a context that were given to a session, which was there or had to be moved";
        all.register("contexts_met", help, self.contexts_met.clone());
        let help = "Changes of the directory, branch or environment that a session works in";
        all.register("contexts_changed", help, self.contexts_changed.clone());
        let help = "Requests of agents that are closed, by how and by whom";
        all.register("approvals_closed", help, self.approvals_closed.clone());
        let help = "How long requests of agents were open, by whom they were answered";
        all.register_with_unit("approval_wait", help, Unit::Seconds, self.approval_waits.clone());
        let help = "What was found in the output of sessions, by kind and severity";
        all.register("events", help, self.events.clone());
        let help =
            "Tokens that agents told of while they worked on prompts, by direction, model, agent and project";
        all.register("tokens", help, self.tokens.clone());
        let help = "US dollars that agents told of while they worked on prompts, by model, agent and project";
        all.register("cost_usd", help, self.cost.clone());
        all.register("sessions", "Live sessions by state, agent and link", self.sessions.clone());
        all.register("prompts", "Prompts by state", self.prompts.clone());
        let help = "How long the prompt that has waited longest for a session has waited";
        all.register_with_unit("oldest_prompt", help, Unit::Seconds, self.oldest.clone());
        all.register(
            "approvals_open",
            "Requests of agents that nobody has answered",
            self.approvals_open.clone(),
        );
        all.register("viewers", "Dashboards and command lines that follow", self.viewers.clone());
        all.register("pool_sessions", "Live sessions by pool", self.pools.clone());
        all.register("routing_paused", "1 while no prompts are given out", self.paused.clone());
    }
}

impl Metrics {
    /// Counts what was committed.
    pub fn count(&self, count: Count) {
        let all = &self.0;
        match count {
            Count::Prompt(state) => one(&all.prompts_ended, vec![("state", state.to_string())]),
            Count::Met { moved } => {
                one(&all.contexts_met, vec![("how", if moved { "moved" } else { "there" }.to_owned())]);
            }
            Count::Attempt { outcome, agent, project, summary } => {
                let (agent, project) = (escape(&agent), escape(&project));
                let labels = vec![("outcome", outcome.to_string()), ("agent", agent.clone())];
                one(&all.attempts_ended, labels);
                if let Some(summary) = summary {
                    let project = bounded(&self.0.projects, &project, PROJECTS);
                    self.summary(&summary, &agent, project);
                }
            }
            Count::Receipt(step) => one(&all.receipts, vec![("step", step.to_string())]),
            Count::Approval { state, rule, waited_ms } => {
                let by = if rule { "rule" } else { "person" }.to_owned();
                let wait = all.approval_waits.get_or_create(&vec![("by", by.clone())]).clone();
                wait.observe(seconds(waited_ms));
                one(&all.approvals_closed, vec![("state", state.to_string()), ("by", by)]);
            }
            Count::Context => _ = all.contexts_changed.inc(),
            Count::Event(kind, severity) => {
                one(&all.events, vec![("kind", kind.to_string()), ("severity", severity.to_string())]);
            }
        }
    }

    fn summary(&self, summary: &Summary, agent: &str, project: String) {
        let phases = &summary.phases;
        let all = [
            ("waiting", phases.waiting),
            ("delivery", phases.delivery),
            ("running", phases.running),
            ("verification", phases.verification),
        ];
        for (phase, ms) in all {
            let labels = vec![("phase", phase.to_owned()), ("agent", agent.to_owned())];
            self.0.phases.get_or_create(&labels).observe(seconds(ms));
        }
        let of = |labels: &[(&'static str, &str)]| -> Labels {
            let own = labels.iter().map(|(name, value)| (*name, (*value).to_owned()));
            own.chain([("agent", agent.to_owned()), ("project", project.clone())]).collect()
        };
        for (model, direction, tokens) in tokens(summary) {
            let model = bounded(&self.0.models, model, MODELS);
            self.0.tokens.get_or_create(&of(&[("direction", direction), ("model", &model)])).inc_by(tokens);
        }
        for (model, cost) in costs(summary) {
            let model = bounded(&self.0.models, model, MODELS);
            self.0.cost.get_or_create(&of(&[("model", &model)])).inc_by(cost);
        }
    }

    /// Everything, as OpenMetrics text.
    pub fn tell(&self, present: Present) -> Result<String, std::fmt::Error> {
        let all = &self.0;
        let _asking = all.asking.lock().unwrap_or_else(PoisonError::into_inner);
        all.sessions.clear();
        for ([state, agent, link], count) in present.sessions {
            all.sessions
                .get_or_create(&vec![("state", state), ("agent", escape(&agent)), ("link", link)])
                .set(count);
        }
        all.prompts.clear();
        for (state, count) in present.prompts {
            all.prompts.get_or_create(&vec![("state", state)]).set(i64::try_from(count).unwrap_or(i64::MAX));
        }
        all.pools.clear();
        for (pool, count) in present.pools {
            all.pools.get_or_create(&vec![("pool", escape(&pool))]).set(count);
        }
        all.oldest.set(seconds(present.oldest_ms));
        all.approvals_open.set(i64::try_from(present.approvals).unwrap_or(i64::MAX));
        all.viewers.set(i64::try_from(present.viewers).unwrap_or(i64::MAX));
        all.paused.set(i64::from(present.paused));
        let mut text = String::new();
        encode(&mut text, &all.registry)?;
        Ok(text)
    }
}

fn one(family: &Family<Labels, Counter>, labels: Labels) {
    family.get_or_create(&labels).inc();
}

/// As OpenMetrics wants it in quotes; the library writes what it is given.
fn escape(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

fn seconds(ms: u64) -> f64 {
    ms as f64 / 1000.0
}

/// A label's value while there are few enough of them; each series costs whoever keeps them.
fn bounded(known: &Mutex<HashSet<String>>, value: &str, most: usize) -> String {
    let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
    if known.contains(value) || known.len() < most {
        known.insert(value.to_owned());
        return value.to_owned();
    }
    OTHER.to_owned()
}

/// Tokens with their model and direction; what no model is told for has an empty one.
fn tokens(summary: &Summary) -> Vec<(&str, &'static str, f64)> {
    let mut all: Vec<(&str, &'static str, f64)> = Vec::new();
    for used in &summary.models {
        all.extend([
            (used.model.as_str(), "in", used.tokens_in),
            (used.model.as_str(), "out", used.tokens_out),
        ]);
    }
    for (direction, sum) in [("in", summary.tokens_in), ("out", summary.tokens_out)] {
        let told: f64 = all.iter().filter(|(_, way, _)| *way == direction).map(|(_, _, n)| n).sum();
        all.push(("", direction, sum.unwrap_or(0.0) - told));
    }
    all.retain(|(_, _, n)| n.is_finite() && *n > 0.0);
    all
}

/// What each model cost; what no model is told for has an empty one.
fn costs(summary: &Summary) -> Vec<(&str, f64)> {
    let named = summary.models.iter().filter_map(|used| Some((used.model.as_str(), used.cost_usd?)));
    let mut all: Vec<(&str, f64)> = named.collect();
    let told: f64 = all.iter().map(|(_, cost)| cost).sum();
    all.push(("", summary.cost_usd.unwrap_or(0.0) - told));
    // Sums of fractions differ by less than anything costs.
    all.retain(|(_, cost)| cost.is_finite() && *cost > 1e-9);
    all
}

#[cfg(test)]
mod tests {
    use wire::result::ModelUse;

    use super::*;

    fn line<'t>(text: &'t str, begins: &str) -> Option<&'t str> {
        text.lines().find_map(|line| line.strip_prefix(begins)).map(str::trim)
    }

    #[test]
    fn what_happened_is_counted_and_what_is_true_is_told() {
        let metrics = Metrics::default();
        metrics.count(Count::Prompt(PromptState::Completed));
        metrics.count(Count::Prompt(PromptState::Completed));
        metrics.count(Count::Approval { state: ApprovalState::Approved, rule: true, waited_ms: 40 });
        let present = Present {
            sessions: BTreeMap::from([(["idle", "codex", "connected"].map(str::to_owned), 3)]),
            ..Present::default()
        };
        let text = metrics.tell(present).unwrap();
        assert_eq!(line(&text, "muster_prompts_ended_total{state=\"completed\"}"), Some("2"));
        assert_eq!(line(&text, "muster_approval_wait_seconds_count{by=\"rule\"}"), Some("1"));
        let sessions = "muster_sessions{state=\"idle\",agent=\"codex\",link=\"connected\"}";
        assert_eq!(line(&text, sessions), Some("3"));
        let later = metrics.tell(Present::default()).unwrap();
        assert_eq!(line(&later, sessions), None, "a session that ended is not told of for ever");
        assert!(later.ends_with("# EOF\n"));
    }

    #[test]
    fn cost_is_told_by_model_and_its_sum_is_the_whole() {
        let of = |model: &str, cost: Option<f64>| ModelUse {
            model: model.to_owned(),
            tokens_in: 1.0,
            tokens_out: 1.0,
            cost_usd: cost,
        };
        let models = vec![of("one", Some(0.5)), of("two", None), of("three", Some(0.25))];
        let summary = Summary { cost_usd: Some(1.0), models, ..Summary::default() };
        assert_eq!(costs(&summary), [("one", 0.5), ("three", 0.25), ("", 0.25)]);
        assert_eq!(costs(&Summary::default()), []);
    }

    /// Everything that can be told, told once.
    fn all() -> String {
        let metrics = Metrics::default();
        let summary = Summary {
            tokens_in: Some(1.0),
            tokens_out: Some(1.0),
            cost_usd: Some(0.1),
            ..Summary::default()
        };
        for count in [
            Count::Prompt(PromptState::Completed),
            Count::Met { moved: true },
            Count::Attempt {
                outcome: Outcome::Completed,
                agent: "a".to_owned(),
                project: "/p".to_owned(),
                summary: Some(Box::new(summary)),
            },
            Count::Receipt(Step::Seen),
            Count::Approval { state: ApprovalState::Approved, rule: false, waited_ms: 1 },
            Count::Context,
            Count::Event(EventKind::Error, Severity::Error),
        ] {
            metrics.count(count);
        }
        let present = Present {
            sessions: BTreeMap::from([(["idle", "a", "connected"].map(str::to_owned), 1)]),
            prompts: BTreeMap::from([("held".to_owned(), 1)]),
            pools: BTreeMap::from([("api".to_owned(), 1)]),
            ..Present::default()
        };
        metrics.tell(present).unwrap()
    }

    #[test]
    fn the_dashboard_and_the_rules_ask_for_metrics_that_there_are() {
        let told = all();
        let there: HashSet<&str> = told
            .lines()
            .filter(|line| !line.starts_with('#'))
            .filter_map(|line| line.split(['{', ' ']).next())
            .collect();
        let dashboard: serde_json::Value =
            serde_json::from_str(include_str!("../../scripts/grafana/muster.json")).unwrap();
        assert!(dashboard["schemaVersion"].as_u64() >= Some(36), "what Grafana 9 and later load");
        let mut ids = HashSet::new();
        let mut questions = vec![include_str!("../../scripts/prometheus/rules.yml")];
        for panel in dashboard["panels"].as_array().unwrap() {
            assert!(ids.insert(panel["id"].as_u64().unwrap()), "an id for each panel");
            let place = |side: &str| panel["gridPos"][side].as_u64().unwrap();
            assert!(place("x") + place("w") <= 24, "a row has 24 columns");
            assert_eq!(panel["datasource"]["uid"], "${datasource}", "whoever loads it chooses theirs");
            questions
                .extend(panel["targets"].as_array().unwrap().iter().map(|t| t["expr"].as_str().unwrap()));
        }
        let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let asked = questions.iter().flat_map(|question| question.split(|c| !word(c)));
        for name in asked.filter(|name| name.starts_with("muster_")) {
            assert!(there.contains(name), "{name} is asked for; there are {there:?}");
        }
    }

    #[test]
    fn projects_are_bounded_and_no_label_breaks_out_of_its_quotes() {
        let metrics = Metrics::default();
        for n in 0..PROJECTS + 50 {
            metrics.count(Count::Attempt {
                outcome: Outcome::Completed,
                agent: "a\"b\nc\\".to_owned(),
                project: format!("/p/{n}"),
                summary: Some(Box::new(Summary { tokens_in: Some(1.0), ..Summary::default() })),
            });
        }
        let text = metrics.tell(Present::default()).unwrap();
        let other = r#"muster_tokens_total{direction="in",model="",agent="a\"b\nc\\",project="other"}"#;
        assert_eq!(line(&text, other), Some("50.0"));
        assert_eq!(text.lines().filter(|line| line.starts_with("muster_tokens_total")).count(), PROJECTS + 1);
    }
}
