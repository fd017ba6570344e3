//! No bytes, sizes or times make the extractor fail, grow without bound, or see more than there is.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::time::Duration;

use extractor::vt::Vt;
use extractor::{Composer, Exit, Extractor, Keys, Observation, Seen, Shown, State, TurnOutcome};
use patterns::Library;
use proptest::prelude::*;

fn new(agent: &str, cols: u16, rows: u16) -> Extractor {
    Extractor::new(Library::builtin().agent(agent).unwrap(), cols, rows)
}

fn at(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn typed(text: &str) -> Keys {
    Keys { text: !text.is_empty(), enter: text.contains('\r'), ..Keys::default() }
}

/// Pieces of terminal output, hostile ones among them.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..60),
        "[a-z ❯›─你👍\u{301}]{0,40}".prop_map(String::into_bytes),
        (0u16..300, 0u16..300).prop_map(|(a, b)| format!("\x1b[{a};{b}H").into_bytes()),
        (0u16..70, "[@-~]").prop_map(|(n, c)| format!("\x1b[{n}{c}").into_bytes()),
        (0u16..60, 0u16..60).prop_map(|(a, b)| format!("\x1b[{a};{b}r").into_bytes()),
        prop_oneof![Just("1049"), Just("2004"), Just("47"), Just("6"), Just("25"), Just("2026")]
            .prop_flat_map(
                |m| prop_oneof![Just('h'), Just('l')].prop_map(move |c| format!("\x1b[?{m}{c}").into_bytes())
            ),
        "[ -~]{0,20}".prop_map(|s| format!("\x1b]0;{s}\x07\x1b]7501;state=working\x07").into_bytes()),
        Just(b"\r\n\x1bM\x1b7\x1b8\x1bc".to_vec()),
        Just("\x1b]133;A\x07$ \x1b]133;B\x07".as_bytes().to_vec()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn a51_g14_no_bytes_and_no_size_make_the_screen_fail(
        pieces in proptest::collection::vec((piece(), proptest::option::of((0u16..40, 0u16..40))), 1..40),
    ) {
        let mut vt = Vt::new(3, 2);
        for (bytes, size) in pieces {
            vt.feed(&bytes);
            if let Some((cols, rows)) = size {
                vt.resize(cols, rows);
                prop_assert_eq!(vt.size(), (cols.max(1), rows.max(1)));
            }
            let screen = vt.screen();
            prop_assert_eq!(screen.rows.len(), usize::from(vt.size().1));
            let _ = vt.redraw();
        }
    }

    #[test]
    fn a51_any_session_is_the_same_at_any_split(
        agent in prop_oneof![Just("claude"), Just("codex"), Just("shell"), Just("aider"), Just("any")],
        pieces in proptest::collection::vec((piece(), 0u64..200, any::<bool>()), 1..30),
        cut in 1usize..9,
    ) {
        let run = |cut: usize| {
            let (mut extractor, mut seen, mut now) = (new(agent, 40, 12), Vec::new(), 0);
            for (bytes, later, enter) in &pieces {
                now += later;
                bytes.chunks(cut).for_each(|b| extractor.output(at(now), b, &mut seen));
                if *enter {
                    extractor.input(at(now), typed("\r"), &mut seen);
                }
            }
            extractor.exit(at(now + 1000), Exit::Code(0), &mut seen);
            (seen, extractor.screen_text(), extractor.offset())
        };
        prop_assert_eq!(run(usize::MAX), run(cut));
    }

    #[test]
    fn ticks_change_nothing_but_the_moment_of_telling(
        pieces in proptest::collection::vec((piece(), 0u64..900), 1..20),
    ) {
        let run = |ticks: bool| {
            let (mut extractor, mut seen, mut now) = (new("claude", 60, 12), Vec::new(), 0);
            for (bytes, later) in &pieces {
                for _ in 0..*later {
                    now += 1;
                    if ticks {
                        extractor.tick(at(now), &mut seen);
                    }
                }
                extractor.output(at(now), bytes, &mut seen);
            }
            extractor.tick(at(now + 20_000), &mut seen);
            seen
        };
        prop_assert_eq!(run(false), run(true));
    }
}

#[test]
fn a51_g14_tiny_and_huge_terminals_are_held_to_what_can_be_drawn() {
    for (cols, rows) in [(0, 0), (1, 1), (2, 1), (1, 2), (u16::MAX, u16::MAX)] {
        let mut extractor = new("claude", cols, rows);
        let mut seen = Vec::new();
        extractor.output(at(0), "你好\r\n❯ hello\x1b[99;99Hx".as_bytes(), &mut seen);
        extractor.resize(at(10), rows, cols, &mut seen);
        extractor.resize(at(20), 1, 1, &mut seen);
        extractor.output(at(30), "你\x1b[?1049h好".as_bytes(), &mut seen);
        extractor.tick(at(1000), &mut seen);
        assert_eq!(extractor.size(), (1, 1));
    }
}

#[test]
fn a_flood_leaves_few_observations_and_the_last_lines() {
    let mut extractor = new("any", 120, 40);
    let mut seen = Vec::new();
    let line = "error[E0382]: borrow of moved value: `x` and some more words to fill the line\r\n";
    let chunk = line.repeat(3_000);
    for i in 0..20 {
        extractor.output(at(i * 5), chunk.as_bytes(), &mut seen);
    }
    extractor.tick(at(5_000), &mut seen);
    assert!(seen.len() < 40_000, "{}", seen.len());
    assert!(extractor.screen_text()[0].starts_with("error[E0382]"));
}

fn outcomes(seen: &[Observation]) -> Vec<TurnOutcome> {
    let ended = seen.iter().filter_map(|o| match &o.what {
        Seen::TurnEnded { outcome, .. } => Some(*outcome),
        _ => None,
    });
    ended.collect()
}

#[test]
fn a_shell_with_marks_tells_each_command_and_its_status() {
    let (mut shell, mut seen) = (new("shell", 80, 24), Vec::new());
    shell.output(at(0), b"\x1b]133;A\x07$ \x1b]133;B\x07", &mut seen);
    shell.tick(at(1000), &mut seen);
    assert_eq!(shell.claim().state, State::Idle);
    assert_eq!(shell.composer(), Composer::Empty);
    for (i, code) in [0, 1, 130].into_iter().enumerate() {
        let now = 2000 * (i as u64 + 1);
        shell.input(at(now), typed("x\r"), &mut seen);
        shell.output(at(now + 1), b"x\r\n\x1b]133;C\x07", &mut seen);
        assert_eq!(shell.claim().state, State::Busy);
        let end = format!("out\r\n\x1b]133;D;{code}\x07\x1b]133;A\x07$ \x1b]133;B\x07");
        shell.output(at(now + 2), end.as_bytes(), &mut seen);
        assert_eq!(shell.claim().state, State::Idle);
    }
    assert_eq!(outcomes(&seen), [TurnOutcome::Completed, TurnOutcome::Failed, TurnOutcome::Interrupted]);
}

#[test]
fn a_shell_without_marks_is_read_by_its_prompt() {
    let (mut shell, mut seen) = (new("shell", 80, 24), Vec::new());
    shell.output(at(0), b"me@host:~/api$ ", &mut seen);
    shell.tick(at(2000), &mut seen);
    assert_eq!((shell.claim().state, shell.composer()), (State::Idle, Composer::Empty));
    shell.output(at(2100), b"ls", &mut seen);
    shell.tick(at(2500), &mut seen);
    assert_eq!(shell.shows("ls"), Shown::Text);
    assert_eq!(shell.shows("rm"), Shown::No);
    shell.input(at(3000), typed("\r"), &mut seen);
    shell.output(at(3001), b"\r\na b\r\nme@host:~/api$ ", &mut seen);
    shell.tick(at(4000), &mut seen);
    assert_eq!(outcomes(&seen), [TurnOutcome::Completed], "a command that was over at once");
    shell.output(at(5000), b"sleep 9", &mut seen);
    shell.input(at(5500), typed("\r"), &mut seen);
    shell.output(at(5501), b"\r\n", &mut seen);
    shell.tick(at(6000), &mut seen);
    assert_eq!(shell.claim().state, State::Busy);
    shell.output(at(14_500), b"me@host:~/api$ ", &mut seen);
    shell.tick(at(15_500), &mut seen);
    assert_eq!(outcomes(&seen), [TurnOutcome::Completed, TurnOutcome::Completed]);
}

#[test]
fn a_program_that_nothing_is_known_of_is_never_idle_and_never_typed_to() {
    for (printed, state) in [
        ("hello\r\n", State::Unknown),
        ("hello\r\n> ", State::WaitingInput),
        ("hello\r\nYour name: ", State::WaitingInput),
        ("\x1b]7501;state=idle\x07", State::Unknown),
    ] {
        let (mut any, mut seen) = (new("any", 80, 24), Vec::new());
        any.output(at(0), printed.as_bytes(), &mut seen);
        any.tick(at(60_000), &mut seen);
        assert_eq!((any.claim().state, any.composer()), (state, Composer::Unreadable), "{printed:?}");
    }
}

#[test]
fn a_job_that_has_the_terminal_outweighs_whatever_it_prints() {
    let (mut shell, mut seen) = (new("shell", 80, 24), Vec::new());
    let doing = |away| extractor::Doing { away, works: false, what: "cat has the terminal".into() };
    shell.processes(at(0), doing(false), &mut seen);
    shell.output(at(0), b"\x1b]133;A\x07$ \x1b]133;B\x07", &mut seen);
    shell.tick(at(1000), &mut seen);
    shell.input(at(1000), typed("\r"), &mut seen);
    shell.output(at(1010), b"\x1b]133;C\x07", &mut seen);
    shell.processes(at(1050), doing(true), &mut seen);
    shell.output(at(1100), b"\r\n\x1b]133;D;0\x07\x1b]133;B\x07\xe2\x9c\x85 complete\r\n$ ", &mut seen);
    shell.tick(at(9_000), &mut seen);
    assert_eq!((shell.claim().state, shell.claim().rule.as_str()), (State::Busy, "process.job"));
    assert_eq!(outcomes(&seen), []);
    // The shell has its terminal back before that is heard of.
    shell.output(at(9_010), b"\x1b]133;D;0\x07$ \x1b]133;B\x07", &mut seen);
    shell.processes(at(9_900), doing(false), &mut seen);
    shell.tick(at(10_000), &mut seen);
    assert_eq!(outcomes(&seen), [TurnOutcome::Completed]);
}

#[test]
fn the_end_of_the_program_ends_its_turn() {
    let (mut codex, mut seen) = (new("codex", 80, 24), Vec::new());
    codex.output(at(0), b"\x1b]7501;state=idle:app=codex\x1b\\", &mut seen);
    codex.tick(at(1000), &mut seen);
    codex.input(at(1100), typed("\r"), &mut seen);
    codex.output(at(1200), b"\x1b]7501;state=working:app=codex\x1b\\", &mut seen);
    codex.exit(at(2000), Exit::Signal(9), &mut seen);
    assert_eq!(codex.claim().state, State::Exited);
    assert_eq!(outcomes(&seen), [TurnOutcome::Failed]);
    assert_eq!(codex.due(), None);
}

#[test]
fn a_snapshot_draws_the_same_screen_on_a_fresh_terminal() {
    let mut extractor = new("claude", 40, 10);
    extractor.output(
        at(0),
        "main\x1b[?1049h\x1b[2J\x1b[3;5H\x1b[1;31mred 你\x1b[?2004h\x1b]0;t\x07".as_bytes(),
        &mut Vec::new(),
    );
    let mut copy = Extractor::new(Arc::clone(&Library::builtin().agents()[0]), 40, 10);
    copy.output(at(0), &extractor.snapshot(), &mut Vec::new());
    assert_eq!(copy.screen_text(), extractor.screen_text());
    assert!(copy.bracketed_paste());
    assert_eq!(copy.title(), "t");
    assert_eq!(copy.snapshot(), extractor.snapshot());
}

#[test]
fn a_snapshot_draws_a_character_that_became_wide_at_the_end_of_the_last_row() {
    for text in ["abcdefg4\u{fe0f}", "abcdefg4\u{fe0f}x", "abc4\u{fe0f}", "ab4\u{fe0f}cd\u{fe0f}4\u{fe0f}"] {
        let mut vt = Vt::new(4, 2);
        vt.feed(text.as_bytes());
        let mut fresh = Vt::new(4, 2);
        fresh.feed(&vt.redraw());
        assert_eq!(fresh.screen().rows, vt.screen().rows, "{text:?}");
        let shown: String = vt.screen().rows.concat();
        let written = text.replace('\u{fe0f}', "");
        assert!(written.ends_with(&shown.replace('\u{fe0f}', "")), "{shown:?} lacks a character of {text:?}");
    }
}

#[test]
fn ghost_text_is_not_a_draft_and_a_paste_placeholder_stands_for_its_text() {
    let line = "─".repeat(40);
    let draw = |text: &str| {
        let mut claude = new("claude", 40, 6);
        let screen = format!(
            "\x1b[?1049h\x1b[1;1H{line}\x1b[2;1H❯\u{a0}{text}\x1b[0m\x1b[3;1H{line}\x1b[4;1H  ? for shortcuts"
        );
        claude.output(at(0), screen.as_bytes(), &mut Vec::new());
        claude.tick(at(100), &mut Vec::new());
        claude
    };
    assert_eq!(draw("\x1b[7mO\x1b[27m\x1b[2mnce fixed, do it again").composer(), Composer::Empty);
    assert_eq!(draw("\x1b[7m \x1b[27m").composer(), Composer::Empty);
    assert_eq!(draw("my draft").composer(), Composer::Holds("my draft".into()));
    assert_eq!(draw("my draft").shows("my  draft"), Shown::Text);
    assert_eq!(draw("my draft").shows("my draft and more"), Shown::No);
    assert_eq!(draw("[Pasted text #1 +4 lines]").shows("a\nb\nc\nd\ne"), Shown::Placeholder);
    assert_eq!(draw("mine [Pasted text #1 +4 lines]").shows("a\nb\nc\nd\ne"), Shown::No);
}

/// A session whose title tells its state, with a prompt entered while the first turn runs.
#[test]
fn a_prompt_queued_during_a_turn_is_a_turn_of_its_own() {
    let line = "─".repeat(60);
    let draw = |body: &str, composer: &str| {
        format!(
            "\x1b[2J\x1b[1;1H{body}\x1b[7;1H{line}\x1b[8;1H❯\u{a0}{composer}\x1b[9;1H{line}\x1b[10;1H  esc to interrupt"
        )
    };
    let (mut claude, mut seen) = (new("claude", 60, 10), Vec::new());
    claude.output(at(0), "\x1b[?1049h\x1b]0;✳ Claude Code\x07".as_bytes(), &mut seen);
    claude.output(at(10), draw("", "").replace("esc to interrupt", "?").as_bytes(), &mut seen);
    claude.tick(at(3000), &mut seen);
    claude.input(at(3000), typed("\r"), &mut seen);
    claude.output(at(3100), "\x1b]0;◐ Claude Code\x07".as_bytes(), &mut seen);
    claude.output(at(3200), draw("❯ first", "second").as_bytes(), &mut seen);
    claude.tick(at(4000), &mut seen);
    claude.input(at(4000), typed("\r"), &mut seen);
    claude.output(at(4100), draw("❯ first\r\n● Answer\r\n❯ second", "").as_bytes(), &mut seen);
    claude.output(at(5000), "\x1b]0;✳ Claude Code\x07".as_bytes(), &mut seen);
    claude.output(at(5030), "\x1b]0;◐ Claude Code\x07".as_bytes(), &mut seen);
    claude.tick(at(8000), &mut seen);
    assert_eq!(outcomes(&seen).len(), 1, "the first turn ended");
    claude.output(at(8000), "\x1b]0;✳ Claude Code\x07".as_bytes(), &mut seen);
    claude.output(at(8010), draw("● Done", "").replace("esc to interrupt", "?").as_bytes(), &mut seen);
    claude.tick(at(9000), &mut seen);
    assert_eq!(outcomes(&seen), [TurnOutcome::Completed, TurnOutcome::Completed]);
    let began = seen.iter().filter(|o| matches!(o.what, Seen::TurnBegan { .. })).count();
    assert_eq!(began, 2);
}

#[test]
fn what_was_looked_at_is_seen_though_its_rows_have_not_settled() {
    let (mut extractor, mut out) = (new("scripted", 40, 10), Vec::new());
    extractor.output(at(0), b"\x1b[?1049h\x1b[1;1Hhello", &mut out);
    assert!(extractor.has_unseen());
    extractor.tick(at(60), &mut out);
    assert!(extractor.due().is_some(), "the row is looked at again when it has settled");
    assert!(!extractor.has_unseen());
}
