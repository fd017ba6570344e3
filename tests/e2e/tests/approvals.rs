//! What agents ask is listed, answered once by a person or a rule, and written down.
#![allow(clippy::unwrap_used)]

use actors::home::Kind;
use e2e::real::Real;
use e2e::{Muster, wait_for};
use serde_json::Value;

fn open(muster: &Muster) -> Option<Value> {
    muster.json("assign", &["approvals", "--json"]).into_iter().next()
}

#[test]
fn what_an_agent_asks_has_a_number_that_is_answered_once() {
    let muster = Muster::new();
    let project = muster.ready("a");
    let id = muster.send(&["make the file asked"]);
    let asked = wait_for("the approval", || open(&muster));
    assert!(asked["dialog"]["body"].as_str().unwrap().contains("touch asked"), "{asked}");
    let number = asked["id"].to_string();
    let list = muster.ok("assign", &["approvals"]);
    assert!(list.contains("permission") && list.contains('a'), "{list}");
    wait_for("the permission to be given", || {
        muster.run("assign", &["approve", &number]).status.success().then_some(())
    });
    muster.await_prompt(id, "completed");
    assert!(project.join("asked").exists());
    let again = muster.run("assign", &["approve", &number]);
    assert_eq!(again.status.code(), Some(5), "{}", String::from_utf8_lossy(&again.stderr));
    assert!(open(&muster).is_none());
    let all = muster.json("assign", &["approvals", "--all", "--json"]);
    assert_eq!((all[0]["state"].as_str(), all[0]["by"].as_str()), (Some("approved"), Some("cli")));
    // The next thing that is asked has another number.
    let id = muster.send(&["make the file refused"]);
    let next = wait_for("the next approval", || open(&muster));
    assert_ne!(next["id"], asked["id"]);
    wait_for("the refusal to be given", || {
        muster.run("assign", &["deny", &next["id"].to_string()]).status.success().then_some(())
    });
    muster.await_prompt(id, "failed");
    assert!(!project.join("refused").exists());
}

const RULES: &str = r#"
[[rule]]
name = "files"
effect = "approve"
agents = ["claude"]
actions = ["shell"]
commands = [["touch", "*"]]
"#;

#[test]
fn a_rule_answers_the_structured_request_of_claude_code_and_it_is_written_down() {
    let Some(real) = Real::new(Kind::Claude) else { return };
    let project = real.project("p");
    let muster = &real.muster;
    real.start("a", &project);
    muster.await_state("a", "idle");
    // Without a rule a person is asked; what the rules would have said is told, and changes nothing.
    let id = muster.send(&["make the file by-hand"]);
    let asked = wait_for("the structured request", || {
        open(muster).filter(|asked| !asked["dialog"]["request"].is_null())
    });
    assert_eq!(asked["dialog"]["request"]["command"], "touch by-hand");
    let file = muster.folder().join("rules.toml");
    std::fs::write(&file, RULES).unwrap();
    let rules = file.to_str().unwrap();
    let verdicts = muster.json("assign", &["policy", "test", rules, "--json"]);
    assert_eq!((&verdicts[0]["effect"], &verdicts[0]["rule"]), (&"approve".into(), &"files".into()));
    assert_eq!(muster.prompt(id)["prompt"]["state"], "in_progress");
    wait_for("the permission to be given", || {
        muster.run("assign", &["approve", "a"]).status.success().then_some(())
    });
    muster.await_prompt(id, "completed");
    // With the rule nobody is.
    muster.ok("assign", &["policy", "set", rules]);
    let id = muster.send(&["make the file by-rule"]);
    let judged =
        |item: &Value| item["rule"] == "files" && (item["refused"].is_string() || item["closed"].is_i64());
    let items = wait_for("the rule's answer", || {
        let items = muster.json("assign", &["approvals", "--all", "--json"]);
        items.iter().any(judged).then_some(items)
    });
    assert!(items.iter().all(|item| item["refused"].is_null()), "{items:#?}");
    muster.await_prompt(id, "completed");
    assert!(project.join("by-rule").exists());
    let items = muster.json("assign", &["approvals", "--all", "--json"]);
    assert!(items.iter().any(|item| item["state"] == "approved" && item["by"] == "rule files"), "{items:?}");
    let audit = muster.json("assign", &["audit", "--json"]).remove(0);
    let by_rule = |entry: &Value| entry["by"] == "rule files" && entry["what"] == "approval.answered";
    assert!(audit["entries"].as_array().unwrap().iter().any(by_rule), "{audit}");
    muster.ok("assign", &["audit", "--check"]);
    // What no rule covers is asked as before.
    muster.send(&["Please create the marker file"]);
    wait_for("a person to be asked", || open(muster));
}
