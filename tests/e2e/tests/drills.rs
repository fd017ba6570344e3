//! A few of each drill, as the ordinary tests do it; `scripts/soak` goes on for hours.

use e2e::drill::{self, Plan, Report};

fn plan(runs: usize, seed: u64) -> Plan {
    Plan { bin: None, runs, seed, agents: 3 }
}

#[track_caller]
fn without_fault(report: &Report, runs: usize) {
    println!("{report}");
    assert_eq!((report.get("runs"), &report.faults[..]), (runs, &[][..]));
}

/// Of a drill that needs what not every machine permits.
fn without_fault_where_tried(report: &Report) {
    println!("{report}");
    assert!(report.faults.is_empty());
}

#[test]
fn g1_whatever_the_server_does_the_terminal_gets_the_same_bytes() {
    without_fault(&drill::same::run(&plan(9, 1)), 9);
}

#[test]
fn g2_g5_g10_observer_and_server_may_die_at_any_time_and_no_line_is_lost_or_doubled() {
    without_fault(&drill::flow::run(&plan(6, 1)), 6);
}

#[test]
fn g3_the_terminal_is_restored_whoever_ends_in_whatever_way() {
    let report = drill::endings::run(&plan(20, 1));
    without_fault(&report, 20);
    assert!(report.get("asked tmux") > 0, "no emulator was asked: {report}");
}

#[test]
fn g4_wrap_ends_as_its_program_and_leaves_no_process() {
    without_fault(&drill::exits::run(&plan(279, 1)), 279);
}

#[test]
fn g5_g6_g10_whoever_dies_at_a_point_of_the_code_a_prompt_is_typed_once_and_the_database_is_sound() {
    let report = drill::points::run(&plan(6, 0));
    println!("{report}");
    assert!(report.faults.is_empty());
    for (point, _) in drill::points::POINTS {
        assert!(report.get(&format!("died at {point}")) > 0, "{point}: {report}");
    }
}

#[test]
fn g6_whoever_is_killed_at_whatever_step_a_prompt_is_typed_once_and_told_as_it_was() {
    let all = drill::kill::STEPS.len() * drill::kill::VICTIMS.len();
    without_fault(&drill::kill::run(&plan(all, 1)), all);
}

#[test]
fn g7_a35_a37_a_dialog_that_opens_at_any_moment_of_a_delivery_is_never_answered() {
    let report = drill::dialog::run(&plan(48, 1));
    without_fault(&report, 48);
    assert!(report.get("dialogs between paste and Enter") > 0, "{report}");
}

#[test]
fn g9_a_disk_that_fills_up_hurts_no_agent_and_loses_nothing_that_was_taken() {
    without_fault_where_tried(&drill::disk::run(&plan(3, 1)));
}

#[test]
fn g9_a_disk_with_errors_hurts_no_agent_and_loses_nothing_that_was_taken() {
    without_fault_where_tried(&drill::errors::run(&plan(6, 1)));
}

#[test]
fn g10_what_was_acknowledged_is_on_the_disk_when_the_power_goes() {
    without_fault_where_tried(&drill::power::run(&plan(3, 1)));
}

#[test]
fn g10_a_server_that_dies_while_it_makes_its_database_leaves_one_that_the_next_takes_up() {
    without_fault(&drill::migrate::run(&plan(10, 1)), 10);
}

#[test]
fn g11_many_slow_viewers_hold_up_neither_the_program_nor_each_other() {
    without_fault(&drill::viewers::run(&plan(1, 1)), 1);
}

#[test]
fn g12_all_sessions_come_back_to_a_server_that_was_killed() {
    without_fault(&drill::storm::run(&plan(1, 1)), 1);
}

#[test]
fn g13_an_upgrade_in_place_loses_no_session_and_no_prompt() {
    without_fault(&drill::upgrade::run(&plan(1, 1)), 1);
}

#[test]
fn a52_g15_output_that_crashes_the_observer_is_left_alone_and_the_program_runs_on() {
    without_fault(&drill::poison::run(&plan(2, 1)), 2);
}

#[test]
fn g17_a_process_that_sleeps_during_a_delivery_wakes_up_to_a_prompt_that_is_typed_once() {
    without_fault(&drill::pause::run(&plan(6, 1)), 6);
}
