//! The database knows the same closed sets as the wire.

use std::collections::BTreeSet;

use wire::approval::ApprovalState;
use wire::event::{EventKind, Origin, Severity};
use wire::prompt::{HoldCode, Outcome, PromptState, Step};
use wire::search::HitKind;
use wire::session::{Source, State};

use super::{Scope, Store};

fn check(table: &str, column: &str, words: &[&str]) {
    let store = Store::in_memory();
    let sql: String = store
        .db
        .query_row("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?1", [table], |r| r.get(0))
        .unwrap();
    // `x IN (...)`, or the same with `OR` where rows are written often.
    let start = ["IN (", "= ", "IS NULL OR "].map(|how| format!("{column} {how}"));
    let mut checks =
        sql.match_indices("CHECK (").map(|(at, _)| sql[at + "CHECK (".len()..].trim_start_matches('('));
    let check = checks.find(|check| start.iter().any(|start| check.starts_with(start)));
    let check = check.unwrap_or_else(|| panic!("{table}.{column} has no closed set"));
    let known: BTreeSet<&str> = check[..check.find(')').unwrap()].split('\'').skip(1).step_by(2).collect();
    assert_eq!(known, words.iter().copied().collect(), "{table}.{column}");
}

#[test]
fn the_database_knows_the_same_words_as_the_wire() {
    let state: Vec<_> = State::ALL.iter().map(|w| w.as_str()).collect();
    let source: Vec<_> = Source::ALL.iter().map(|w| w.as_str()).collect();
    for table in ["sessions", "states"] {
        check(table, "state", &state);
        check(table, "source", &source);
    }
    check("events", "kind", &EventKind::ALL.iter().map(|w| w.as_str()).collect::<Vec<_>>());
    check("events", "severity", &Severity::ALL.iter().map(|w| w.as_str()).collect::<Vec<_>>());
    check("events", "origin", &Origin::ALL.iter().map(|w| w.as_str()).collect::<Vec<_>>());
    check("prompts", "state", &PromptState::ALL.iter().map(|w| w.as_str()).collect::<Vec<_>>());
    check("prompts", "hold_code", &HoldCode::ALL.iter().map(|w| w.as_str()).collect::<Vec<_>>());
    check("attempts", "outcome", &Outcome::ALL.iter().map(|w| w.as_str()).collect::<Vec<_>>());
    check("ends", "outcome", &Outcome::ALL.iter().map(|w| w.as_str()).collect::<Vec<_>>());
    check("found", "kind", &HitKind::ALL.iter().map(|w| w.as_str()).collect::<Vec<_>>());
    check("receipts", "step", &Step::ALL.iter().map(|w| w.as_str()).collect::<Vec<_>>());
    check("approvals", "state", &ApprovalState::ALL.iter().map(|w| w.as_str()).collect::<Vec<_>>());
    check("tokens", "scope", &Scope::ALL.iter().map(|s| s.as_str()).collect::<Vec<_>>());
}

#[test]
fn a65_text_from_outside_is_never_sql_and_the_schema_is_not_trusted() {
    let store = Store::in_memory();
    let trusted: bool = store.db.query_row("PRAGMA trusted_schema", [], |r| r.get(0)).unwrap();
    assert!(!trusted);
    let here = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store");
    for entry in std::fs::read_dir(here).unwrap() {
        let path = entry.unwrap().path();
        let source = std::fs::read_to_string(&path).unwrap();
        for line in source.lines().filter(|l| !l.trim_start().starts_with("//")) {
            let builds = line.contains("format!(") && SQL_WORDS.iter().any(|w| line.contains(w));
            assert!(!builds, "{} builds SQL from text: {line}", path.display());
        }
    }
}

const SQL_WORDS: &[&str] = &["SELECT ", "INSERT ", "UPDATE ", "DELETE ", " WHERE "];
