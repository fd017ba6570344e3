//! Inside a session the owner's credential looks and assigns, and no more: no agent says yes to itself.
#![allow(clippy::unwrap_used)]

use e2e::{Muster, wait_for};

/// Runs a line in a session of its own; what it wrote.
fn inside(muster: &Muster, name: &str, line: &str) -> String {
    let out = muster.folder().join(format!("{name}.out"));
    let line = format!("({line}) >{0}.part 2>&1; mv {0}.part {0}", out.display());
    let path = muster.program("assign");
    let line = format!("PATH={}:$PATH; {line}; sleep 600", path.parent().unwrap().display());
    muster.ok("wrap", &["-d", "--name", name, "sh", "-c", &line]);
    wait_for(&format!("the output of {name}"), || std::fs::read_to_string(&out).ok())
}

#[test]
fn a40_a41_an_agent_approves_nothing_from_its_own_shell_however_it_hides() {
    let muster = Muster::new();
    let project = muster.ready("a");
    let id = muster.send(&["make the file asked"]);
    let asked =
        wait_for("the approval", || muster.json("assign", &["approvals", "--json"]).into_iter().next());
    let number = asked["id"].to_string();
    let ways = [
        ("plain", "assign approve N; echo =$?"),
        ("unset", "env -u MUSTER_SESSION assign approve N; echo =$?"),
        ("bare", "env -i MUSTER_HOME=$MUSTER_HOME $(command -v assign) approve N; echo =$?"),
        ("scripted", "env -u MUSTER_SESSION script -qec 'assign approve N' /dev/null; echo =$?"),
        ("setsid", "env -u MUSTER_SESSION setsid -w assign approve N; echo =$?"),
        // Its parent is gone when it asks; the terminal is still the session's.
        (
            "orphan",
            "(env -u MUSTER_SESSION sh -c 'sleep 1; assign approve N; echo =$?' >o 2>&1 &); \
             until grep -q = o; do sleep 0.1; done; cat o",
        ),
    ];
    for (name, line) in ways {
        let said = inside(&muster, name, &line.replace('N', &number));
        assert!(
            said.contains("=5") && said.contains("a person does this, outside of sessions"),
            "{name}: {said}"
        );
    }
    assert!(!project.join("asked").exists());
    muster.ok("assign", &["approve", &number]);
    muster.await_prompt(id, "completed");
    assert!(project.join("asked").exists());
}

#[test]
fn a21_a41_inside_a_session_one_looks_and_assigns_and_rules_nothing() {
    let muster = Muster::new();
    muster.ok("assign", &["status"]);
    let said = inside(
        &muster,
        "shell",
        "assign 'later' --to nobody; echo a=$?; assign show 1; echo b=$?; assign sessions; echo c=$?; \
         assign login; echo d=$?; assign token add x --role admin; echo e=$?; assign pause; echo f=$?; \
         assigner stop; echo g=$?; assign 'x' --to nobody --verify true; echo h=$?; assign cancel 1; echo i=$?",
    );
    for wanted in ["a=0", "b=0", "c=0", "d=5", "e=5", "f=5", "h=5", "i=0"] {
        assert!(said.contains(wanted), "{wanted}: {said}");
    }
    assert!(!said.contains("g=0"), "{said}");
    let by = muster.ok("assign", &["audit"]);
    assert!(by.contains("session "), "{by}");
}
