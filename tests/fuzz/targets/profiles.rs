//! Profiles, as users write them. Promises: any text is a profile or is refused with the file's name; one without faults is read, and
//! can be used on a session, which it sees the same however the output was cut; a set of event rules likewise.

#![no_main]

use std::sync::Arc;
use std::time::Duration;

use extractor::{Exit, Extractor, Keys, Observation};
use libfuzzer_sys::fuzz_target;
use patterns::fact::From;
use patterns::{Agent, check, library};

/// Something of everything that rules look at.
const SHOWN: &str = "\x1b[2J\x1b[H\x1b]0;\u{2733} title\x07\x1b]133;A\x07$ \x1b]133;B\x07hello\r\n> Do it? (y/n)\r\n  1. Yes\r\n\u{276f} 2. No\r\n\
                     \u{2500}\u{2500}\u{2500}\u{2500}\r\n\u{276f} text\r\n\u{2500}\u{2500}\u{2500}\u{2500}\r\n  esc to interrupt  12k tokens v1.2.3\r\nerror: it failed\r\n";

fn run(agent: &Arc<Agent>, cut: usize) -> (Vec<Observation>, Vec<String>, String) {
    let (mut extractor, mut seen) = (Extractor::new(Arc::clone(agent), 40, 12), Vec::new());
    let at = Duration::from_millis;
    let mut time = 0;
    for _ in 0..2 {
        SHOWN.as_bytes().chunks(cut).for_each(|piece| extractor.output(at(time), piece, &mut seen));
        time += 2_000;
        extractor.input(at(time), Keys { enter: true, text: true, ..Keys::default() }, &mut seen);
        for from in [From::Hook, From::Transcript, From::Telemetry] {
            let payload = br#"{"hook_event_name":"Stop","type":"a","tool_name":"Bash","tool_input":{"command":"ls"},"value":1}"#;
            extractor.fact(at(time), from, payload, &mut seen);
        }
    }
    let answer = extractor.answer_to("hello");
    extractor.exit(at(time + 60_000), Exit::Code(0), &mut seen);
    (seen, extractor.screen_text(), answer)
}

fuzz_target!(|text: &str| {
    let file = "mine.toml";
    let faults = check::agent(file, text);
    match library::agent(file, text) {
        Ok(agent) if faults.is_empty() => {
            let agent = Arc::new(agent);
            assert_eq!(run(&agent, usize::MAX), run(&agent, 3));
        }
        Ok(_) => {}
        Err(error) => assert!(!faults.is_empty() && error.to_string().contains(file)),
    }
    assert!(faults.iter().all(|fault| fault.contains(file)), "{faults:?}");
    if let Err(error) = library::set(file, text) {
        assert!(error.to_string().contains(file));
    }
});
