//! What the examples approve, and what they do not.

use super::*;
use crate::policy::examples::examples;

fn example(name: &str) -> Rules {
    let (_, text) = examples().iter().find(|(n, _)| *n == name).unwrap();
    assert!(text.starts_with("# "), "{name} says at its head what it does");
    rules(text)
}

#[track_caller]
fn check(name: &str, role: &str, tool: &ToolRequest, approved: bool) {
    let judged = judge(&example(name), &asked(Some(role), tool));
    let expected = if approved { Effect::Approve } else { Effect::Ask };
    assert_eq!(judged.effect, expected, "{name}, {role}: {tool:?}");
}

/// Requests that no example approves.
fn never() -> Vec<ToolRequest> {
    let lines = [
        "rm -rf /",
        "git push",
        "cargo install x",
        "cargo run",
        "npm install",
        "curl http://x/y",
        "make",
        "make install",
        "cat /etc/passwd",
        "ls /",
        "git diff --output=x",
        "git log --ext-diff",
        "cargo test > x",
        "cargo test; rm x",
        "cargo fmt",
        "cargo clippy --fix",
        "git branch -D main",
        "git branch new",
        "python x.py",
        "cargo test ../../../x",
        "cargo test --manifest-path=/x/Cargo.toml",
        "cargo test --config x",
        "pytest /etc",
        "pytest -c x",
        "go test ./... -exec x",
        "git -C / status",
        "git status $(x)",
        "npm test -- --x",
        "npm run deploy",
        "git diff --no-index /etc/passwd x",
    ];
    let mut all: Vec<_> = lines.map(shell).into();
    all.push(tool("Read", Action::Read, &["/etc/passwd"]));
    all.push(tool("Read", Action::Read, &[]));
    all.push(tool("Read", Action::Read, &["/repo/a/x", "/repository/x"]));
    all.push(tool("Edit", Action::Edit, &["/repo/b/x"]));
    all.push(tool("Edit", Action::Edit, &["/repo/a/.git/hooks/post-commit"]));
    all.push(tool("Fetch", Action::Fetch, &[]));
    all.push(tool("mcp", Action::Other, &["/repo/a/x"]));
    all
}

#[test]
fn whoever_leads_is_answered_by_a_person() {
    let read = tool("Read", Action::Read, &["/repo/a/x"]);
    for request in never().iter().chain([&shell("cargo test"), &read]) {
        check("high-level", "lead", request, false);
    }
    let (lead, worker) = (examples()[0].1, examples()[2].1);
    let together = rules(&format!("{lead}\n{worker}"));
    assert_eq!(judge(&together, &asked(Some("lead"), &read)).rule.as_deref(), Some("lead-asks"));
    assert_eq!(judge(&together, &asked(Some("worker"), &read)).effect, Effect::Approve);
}

#[test]
fn a_manager_looks_at_its_repository() {
    for line in [
        "git status",
        "git status --short",
        "git diff",
        "git diff HEAD~1",
        "git diff main..dev",
        "git diff -- src/x.rs",
        "git log --oneline -n 5",
        "git show abc123",
        "git branch --list",
        "ls",
        "ls -la ../b",
        "cargo check",
        "cargo check -p server",
        "cargo clippy --all-targets -- -D warnings",
        "cargo fmt --check",
        "npm run lint",
        "git status && git diff | ls",
    ] {
        check("manager", "manager", &shell(line), true);
        check("manager", "worker", &shell(line), false);
    }
    check("manager", "manager", &tool("Read", Action::Read, &["/repo/b/x", "/repo/.git/HEAD"]), true);
    check("manager", "manager", &tool("Edit", Action::Edit, &["/repo/a/x"]), false);
    never().iter().for_each(|request| check("manager", "manager", request, false));
}

#[test]
fn a_worker_changes_and_tests_what_is_in_its_directory() {
    for line in [
        "cargo test",
        "cargo test -p server -- --nocapture policy",
        "cargo nextest run -p server",
        "npm test",
        "npm run test",
        "pytest",
        "pytest -x -q tests/test_a.py",
        "go test ./...",
        "make test",
        "cargo test && npm test",
    ] {
        check("worker", "worker", &shell(line), true);
        check("worker", "manager", &shell(line), false);
    }
    check("worker", "worker", &tool("Edit", Action::Edit, &["/repo/a/x", "/repo/a/b/y"]), true);
    check("worker", "worker", &tool("Read", Action::Read, &["/repo/a/.github/x"]), true);
    check("worker", "worker", &tool("Read", Action::Read, &["/repo/b/x"]), false);
    never().iter().for_each(|request| check("worker", "worker", request, false));
}
