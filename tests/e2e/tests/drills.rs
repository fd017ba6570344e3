//! A few of each drill, as the ordinary tests do it; `bench drill` does as many as are wanted.

use e2e::drill::{Plan, Report, dialog, kill};

fn plan(runs: usize, seed: u64) -> Plan {
    Plan { bin: None, runs, seed, agents: 3 }
}

#[track_caller]
fn without_fault(report: &Report, runs: usize) {
    println!("{report}");
    assert_eq!((report.get("runs"), &report.faults[..]), (runs, &[][..]));
}

#[test]
fn g6_whoever_is_killed_at_whatever_step_a_prompt_is_typed_once_and_told_as_it_was() {
    let all = kill::STEPS.len() * kill::VICTIMS.len();
    without_fault(&kill::run(&plan(all, 1)), all);
}

#[test]
fn a35_a37_a_dialog_that_opens_at_any_moment_of_a_delivery_is_never_answered() {
    let report = dialog::run(&plan(48, 1));
    without_fault(&report, 48);
    assert!(report.get("dialogs between paste and Enter") > 0, "{report}");
}
