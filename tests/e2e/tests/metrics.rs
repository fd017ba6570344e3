//! What Prometheus is told, by a real Prometheus: it scrapes, its rules hold, and the dashboard asks for what there is.
//! What a real agent tells of its cost gets there.
//!
//! Tried when `MUSTER_TEST_PROMETHEUS` names the folder with its programs, as `scripts/test` sets it, and
//! `MUSTER_TEST_AGENTS` the folder with the agents.
#![allow(clippy::unwrap_used)]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use actors::home::Kind;
use e2e::real::Real;
use e2e::{Muster, root, wait_for};
use serde_json::{Value, json};

/// A program of Prometheus; `None` when there is none to try.
fn program(name: &str) -> Option<PathBuf> {
    let Some(folder) = std::env::var_os("MUSTER_TEST_PROMETHEUS") else {
        eprintln!("not tried: MUSTER_TEST_PROMETHEUS is not set; scripts/test sets it");
        return None;
    };
    Some(PathBuf::from(folder).join(name))
}

/// A request with a token; the answer's head and body.
fn get(port: u64, path: &str, token: &str) -> (String, String) {
    let mut stream = TcpStream::connect(("127.0.0.1", u16::try_from(port).unwrap())).unwrap();
    let head = format!("GET {path} HTTP/1.0\r\nhost: 127.0.0.1:{port}\r\n");
    write!(stream, "{head}authorization: Bearer {token}\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

fn port(muster: &Muster) -> u64 {
    let file = std::fs::read_to_string(muster.home().join("run/assigner.json")).unwrap();
    serde_json::from_str::<Value>(&file).unwrap()["port"].as_u64().unwrap()
}

fn viewer(muster: &Muster) -> String {
    let made = muster.json("assign", &["--json", "token", "add", "prometheus", "--role", "viewer"]).remove(0);
    made["token"].as_str().unwrap().to_owned()
}

/// A place in which a prompt was completed and another failed.
fn place() -> Muster {
    let muster = Muster::new();
    muster.ready("a");
    let done = muster.send(&["What is the capital of France?"]);
    muster.await_prompt(done, "completed");
    let failed = muster.send(&["--attempts", "1", "--verify", "false", "What is the capital of France?"]);
    muster.await_prompt(failed, "failed");
    muster
}

#[test]
fn nobody_without_a_token_reads_them_and_they_say_what_happened() {
    let muster = place();
    let port = port(&muster);
    assert!(get(port, "/metrics", "nothing").0.contains(" 401 "));
    let (head, text) = get(port, "/metrics", &viewer(&muster));
    assert!(head.to_lowercase().contains("content-type: application/openmetrics-text"), "{head}");
    for line in [
        "muster_prompts_ended_total{state=\"completed\"} 1",
        "muster_prompts_ended_total{state=\"failed\"} 1",
        "muster_prompts{state=\"completed\"} 1",
        "muster_receipts_total{step=\"accepted\"} 2",
    ] {
        assert!(text.lines().any(|told| told == line), "{line} in:\n{text}");
    }
    assert!(
        text.lines().any(|l| l.starts_with("muster_sessions{state=\"idle\"") && l.ends_with(" 1")),
        "{text}"
    );
}

#[test]
fn the_rules_and_the_questions_of_the_dashboard_pass_prometheus_own_check() {
    let Some(promtool) = program("promtool") else { return };
    let folder = root().join("scripts/prometheus");
    let check = |arguments: &[&str]| {
        let out = Command::new(&promtool).args(arguments).current_dir(&folder).output().unwrap();
        assert!(out.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&out.stderr));
    };
    check(&["check", "rules", "rules.yml"]);
    check(&["test", "rules", "rules_test.yml"]);
    check(&["check", "config", "--syntax-only", "prometheus.yml"]);
    let dashboard = std::fs::read_to_string(root().join("scripts/grafana/muster.json")).unwrap();
    let dashboard: Value = serde_json::from_str(&dashboard).unwrap();
    let targets =
        dashboard["panels"].as_array().unwrap().iter().flat_map(|p| p["targets"].as_array().unwrap());
    let rules: Vec<Value> = targets
        .enumerate()
        .map(|(n, target)| serde_json::json!({ "record": format!("panel:{n}"), "expr": target["expr"] }))
        .collect();
    let file = tempfile::NamedTempFile::new().unwrap();
    let groups = serde_json::json!({ "groups": [{ "name": "dashboard", "rules": rules }] });
    // JSON is YAML.
    std::fs::write(file.path(), groups.to_string()).unwrap();
    check(&["check", "rules", file.path().to_str().unwrap()]);
}

/// Ends with the test.
struct Scraper(Child);

impl Drop for Scraper {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_real_prometheus_scrapes_them() {
    let Some(prometheus) = program("prometheus") else { return };
    let muster = place();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("muster.token"), viewer(&muster)).unwrap();
    let given = root().join("scripts/prometheus");
    std::fs::copy(given.join("rules.yml"), folder.path().join("rules.yml")).unwrap();
    let config = std::fs::read_to_string(given.join("prometheus.yml")).unwrap();
    let config =
        config.replace("127.0.0.1:8151", &format!("127.0.0.1:{}", port(&muster))).replace("15s", "1s");
    std::fs::write(folder.path().join("prometheus.yml"), config).unwrap();
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let scraper = Command::new(prometheus)
        .args(["--config.file=prometheus.yml", "--storage.tsdb.path=data"])
        .arg(format!("--web.listen-address=127.0.0.1:{free}"))
        .current_dir(folder.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let _scraper = Scraper(scraper.unwrap());
    let value = wait_for("Prometheus to have it", || {
        TcpStream::connect(("127.0.0.1", free)).ok()?;
        let question = "/api/v1/query?query=muster_prompts_ended_total%7Bstate%3D%22completed%22%7D";
        let (_, body) = get(u64::from(free), question, "");
        let answer: Value = serde_json::from_str(&body).ok()?;
        answer["data"]["result"][0]["value"][1].as_str().map(str::to_owned)
    });
    assert_eq!(value, "1");
    let (_, rules) = get(u64::from(free), "/api/v1/rules", "");
    assert!(rules.contains("MusterApprovalWaits"), "{rules}");
}

/// An export that tells of a thousand dollars.
fn fortune(time: u32) -> String {
    let text = |key: &str, value: &str| json!({ "key": key, "value": { "stringValue": value } });
    let point = json!({ "asDouble": 1000.0, "startTimeUnixNano": "1", "timeUnixNano": time.to_string(),
        "attributes": [text("model", "hostile")] });
    let sum = json!({ "isMonotonic": true, "aggregationTemporality": 1, "dataPoints": [point] });
    let metric = json!({ "name": "claude_code.cost.usage", "unit": "USD", "sum": sum });
    json!({ "resourceMetrics": [{ "scopeMetrics": [{ "metrics": [metric] }] }] }).to_string()
}

/// Tells it at this port; the answer's first line.
fn tell(port: u64, head: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port as u16)).unwrap();
    let request = format!(
        "POST /v1/metrics HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{head}Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    answer.lines().next().unwrap_or_default().to_owned()
}

/// A variable of the agent in this session.
fn variable(real: &Real, name: &str) -> Option<String> {
    let mark = format!("{name}=");
    let pid = real.muster.live("a").unwrap()["pid"].as_i64().unwrap();
    let all = std::fs::read(format!("/proc/{pid}/environ")).unwrap();
    let entry = all.split(|byte| *byte == 0).map(String::from_utf8_lossy);
    entry.filter_map(|entry| entry.strip_prefix(&mark).map(str::to_owned)).next()
}

#[test]
fn a_real_agent_tells_what_a_prompt_cost_and_nobody_else_does() {
    let Some(real) = Real::new(Kind::Claude) else { return };
    let project = real.project("p");
    real.start("a", &project);
    real.muster.await_state("a", "idle");
    let endpoint = variable(&real, "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT").unwrap();
    let ear: u64 = endpoint.split([':', '/']).nth(4).unwrap().parse().unwrap();
    assert!(tell(ear, "", &fortune(2)).contains(" 401 "));
    assert!(tell(ear, "Authorization: Bearer x\r\n", &fortune(2)).contains(" 401 "));

    let id = real.muster.send(&["What is the capital of France?"]);
    let prompt = real.muster.await_prompt(id, "completed");
    let summary = &prompt["prompt"]["result"]["summary"];
    let cost = summary["cost_usd"].as_f64().unwrap();
    assert!(cost > 0.0 && cost < 1.0, "{summary}");
    assert_eq!(summary["models"].as_array().unwrap().len(), 1, "{summary}");
    let used = &summary["models"][0];
    assert_eq!((used["cost_usd"].as_f64(), &used["tokens_in"]), (Some(cost), &json!(1200.0)), "{summary}");
    let shown = real.muster.run("assign", &["show", &id.to_string()]);
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(shown.contains(&format!("cost: {cost:.4} US dollars")), "{shown}");
    let text = get(port(&real.muster), "/metrics", &viewer(&real.muster)).1;
    let line = format!(
        "muster_cost_usd_total{{model={},agent=\"claude\",project=\"{}\"}} {cost}",
        used["model"],
        project.canonicalize().unwrap().display()
    );
    assert!(text.lines().any(|told| told == line), "{line} in:\n{text}");

    // What the secret is good for: figures of this session.
    let secret = variable(&real, "OTEL_EXPORTER_OTLP_METRICS_HEADERS").unwrap();
    let shown = format!("{}\r\n", secret.replacen('=', ": ", 1));
    assert!(tell(ear, &format!("{shown}Origin: http://127.0.0.1\r\n"), &fortune(2)).contains(" 403 "));
    assert!(tell(ear, &shown, &fortune(3)).contains(" 200 "));
    assert!(tell(ear, &shown, &fortune(3)).contains(" 200 "), "told again");
    wait_for("the session's figure", || {
        let told = real.muster.session("a")?["metrics"]["cost_usd@hostile"].as_f64();
        told.is_some().then(|| assert_eq!(told, Some(1000.0), "once"))
    });
}

#[test]
fn an_agent_whose_user_collects_its_telemetry_is_asked_for_nothing() {
    let Some(real) = Real::new(Kind::Claude) else { return };
    let project = real.project("p");
    let settings = json!({ "env": { "OTEL_METRICS_EXPORTER": "none" } }).to_string();
    std::fs::write(real.home().join(".claude/settings.json"), settings).unwrap();
    real.start("a", &project);
    real.muster.await_state("a", "idle");
    assert_eq!(variable(&real, "CLAUDE_CODE_ENABLE_TELEMETRY"), None);
    let id = real.muster.send(&["What is the capital of France?"]);
    let prompt = real.muster.await_prompt(id, "completed");
    let summary = &prompt["prompt"]["result"]["summary"];
    assert_eq!((&summary["cost_usd"], &summary["tokens_in"]), (&json!(null), &json!(1200.0)), "{summary}");
}
