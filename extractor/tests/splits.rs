//! What is observed does not depend on how the bytes were cut: every position of every short recording is a cut in one
//! of the runs, and every position of made-up streams is the only cut of a run.

#![allow(clippy::unwrap_used)]

mod case;

use std::sync::Arc;
use std::time::Duration;

use case::{Case, Record, apply, cases, load, replay};
use extractor::{Exit, Extractor, Observation};
use patterns::Library;

/// Distance of the cuts of one run.
const STRIDE: usize = 64;

/// Bytes of a recording that is short.
const SHORT: u64 = 8 << 10;

/// Replays with output cut where its offset leaves this rest when divided by the stride.
fn cut(case: &Case, rest: usize) -> Vec<Observation> {
    let agent = Library::builtin().agent(&case.agent).unwrap();
    let mut extractor = Extractor::new(agent, case.cols, case.rows);
    let (mut seen, mut offset) = (Vec::new(), 0);
    for (at, record) in &case.records {
        match record {
            Record::Output(bytes) => {
                let first = (STRIDE + rest - offset % STRIDE) % STRIDE;
                let (head, tail) = bytes.split_at(first.min(bytes.len()));
                for piece in [head].into_iter().chain(tail.chunks(STRIDE)) {
                    extractor.output(*at, piece, &mut seen);
                }
                offset += bytes.len();
            }
            other => apply(&mut extractor, *at, other, &mut seen),
        }
    }
    seen
}

#[track_caller]
fn same(what: &str, whole: &[Observation], split: &[Observation]) {
    let differs = whole.iter().zip(split).find(|(a, b)| a != b);
    assert!(differs.is_none() && whole.len() == split.len(), "{what}: {differs:?}");
}

/// One test an agent, so that they run beside each other.
fn every_position(agent: &str) {
    let mut found = 0;
    for folder in cases().iter().filter(|folder| folder.to_string_lossy().contains(&format!("/{agent}/"))) {
        let case = load(folder);
        let whole = replay(&case, usize::MAX);
        // The short ones show every position there is; of the long ones each run would take its time.
        let length = std::fs::metadata(folder.join("session.cast")).unwrap().len();
        for rest in (0..STRIDE).step_by(if length < SHORT { 1 } else { 16 }) {
            same(&format!("{} cut at {rest}", folder.display()), &whole, &cut(&case, rest));
        }
        found += 1;
    }
    assert!(found > 0, "no recordings of {agent}");
}

#[test]
fn every_position_of_every_recording_of_claude_can_be_a_cut() {
    every_position("claude");
}

#[test]
fn every_position_of_every_recording_of_codex_can_be_a_cut() {
    every_position("codex");
}

#[test]
fn every_position_of_every_recording_of_gemini_can_be_a_cut() {
    every_position("gemini");
}

#[test]
fn every_position_of_every_recording_of_qwen_can_be_a_cut() {
    every_position("qwen");
}

#[test]
fn every_position_of_every_recording_of_aider_can_be_a_cut() {
    every_position("aider");
}

/// Streams with everything that can be cut in two.
fn streams() -> Vec<(&'static str, Vec<u8>)> {
    let plain: String =
        (0..16).map(|i| format!("line {i} of a build\twith é, 你好 and 👍🏽 in it\r\n")).collect();
    let coloured: String = (0..12)
        .map(|i| format!("\x1b[1;32m   Compiling\x1b[0m part-{i} v0.{i}.1\x1b[38;5;{i}m (done)\x1b[m\r\n"))
        .collect();
    let events = "error[E0382]: borrow of moved value: `x`\r\n  File \"/a/b.py\", line 3, in test\r\n\
        test a::b ... FAILED\r\n```rust\r\nfn main() {}\r\n```\r\n[main 741384d] Let it be\r\n"
        .repeat(2);
    let told = "\x1b]0;✳ Claude Code\x07\x1b]7501;state=working:app=x\x1b\\\x1b[c\x1b[6n\x1b[?2026h\x1b[?2026$p\
        \x1b]8;;http://x/?a;b\x07link\x1b]8;;\x1b\\\x1bPdcs\x1b\\\x1b_apc\x1b\\\x1b]133;D;1\x07\x1b]133;A\x07$ \
        \x1b]133;B\x07\x1b[?2026l\x1b]7501;state=idle\x07\x1b]9;notice\x07\x1b(B\x1b[4:3;58:2::1:2:3m\x1b[0m"
        .to_owned();
    let drawn = "\x1b[?1049h\x1b[2J\x1b[H┌──────┐\r\n│ ❯ hi │\x1b[3;1H└──────┘\x1b[2;5r\x1b[5;1H\n\n\x1b[r\
        \x1b[?1049l50%\r60%\r\x1b[K70%\r\n\x1b[2Ae\u{301}\u{301}⚠\u{fe0f}👩\u{200d}💻\x1b[5b\x1b7\x1b[1;1Hx\x1b8"
        .to_owned();
    let mut broken = b"\xe4\xbd\xa0\xe4\xbd\xff\xf0\x9f\x91\x8d\xf0\x9f\xc3\x28\xed\xa0\x80\x80\x1b[3\x18x\x1b]0;t\x1b[31m".to_vec();
    broken.extend_from_slice(b"\xc3\r\n\xe2\x94\r\n\x1b\r\n[0mok\r\n");
    let long = format!("{}\r\n{}\n", "x".repeat(300), "你".repeat(90));
    let mixed = [plain.as_bytes(), told.as_bytes(), coloured.as_bytes(), &broken, events.as_bytes()].concat();
    vec![
        ("plain", plain.into_bytes()),
        ("coloured", coloured.into_bytes()),
        ("events", events.into_bytes()),
        ("told", told.into_bytes()),
        ("drawn", drawn.into_bytes()),
        ("broken", broken.repeat(3)),
        ("long", long.into_bytes()),
        ("mixed", mixed),
    ]
}

#[test]
fn every_position_of_a_made_up_stream_can_be_the_only_cut() {
    for agent in ["any", "claude"] {
        let agent = Library::builtin().agent(agent).unwrap();
        for (name, bytes) in streams() {
            let run = |at: usize| {
                let (mut extractor, mut seen) = (Extractor::new(Arc::clone(&agent), 34, 4), Vec::new());
                let time = Duration::from_millis;
                extractor.output(time(0), b"$ ls\r\n\r\n\r\n\r\n", &mut seen);
                let (head, tail) = bytes.split_at(at);
                extractor.output(time(10), head, &mut seen);
                extractor.output(time(10), tail, &mut seen);
                extractor.tick(time(700), &mut seen);
                extractor.output(time(800), b"\r\nend\r\n", &mut seen);
                extractor.exit(time(2_000), Exit::Code(0), &mut seen);
                (seen, extractor.snapshot(), extractor.screen_text())
            };
            let whole = run(0);
            for at in 1..bytes.len() {
                let split = run(at);
                same(&format!("{name} cut at {at}"), &whole.0, &split.0);
                assert_eq!((&whole.1, &whole.2), (&split.1, &split.2), "{name} cut at {at}");
            }
        }
    }
}
