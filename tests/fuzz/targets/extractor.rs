//! What is concluded from a session, by the profiles that are part of the program. Promises: the same observations, the same screen
//! and the same snapshot however the output was cut; what is told is no longer than its documentation says, its figures are
//! numbers, and its times and offsets never go back.

#![no_main]

use std::sync::Arc;
use std::time::Duration;

use extractor::{Exit, Extractor, Keys, Observation, Seen};
use fuzz::script::{Script, Step};
use libfuzzer_sys::fuzz_target;
use patterns::Library;
use patterns::fact::From;

/// Everything that can be asked afterwards.
#[derive(Debug, PartialEq)]
struct Seeing {
    seen: Vec<Observation>,
    screen: Vec<String>,
    snapshot: Vec<u8>,
    offset: u64,
    composer: extractor::Composer,
    last_line: String,
    answer: String,
}

fn keys(bits: u8) -> Keys {
    let bit = |n: u8| bits >> n & 1 == 1;
    Keys { queue: bit(0), reply: bit(1), enter: bit(2), escape: bit(3), interrupt: bit(4), text: bit(5) }
}

fn run(script: &Script, cut: usize) -> Option<Seeing> {
    let agents = Library::builtin().agents();
    let agent = Arc::clone(&agents[usize::from(script.which) % agents.len()]);
    let mut extractor = Extractor::new(agent, script.cols, script.rows);
    let (mut seen, mut now) = (Vec::new(), Duration::ZERO);
    for step in &script.steps {
        match step {
            Step::Output(bytes) => {
                bytes.chunks(cut).for_each(|piece| extractor.output(now, piece, &mut seen));
            }
            Step::Size(cols, rows) => extractor.resize(now, *cols, *rows, &mut seen),
            Step::Later(time) => now += *time,
            Step::Keys(bits) => extractor.input(now, keys(*bits), &mut seen),
            Step::Look => extractor.tick(now, &mut seen),
            Step::Fact(from, payload) => {
                let from = [From::Hook, From::Transcript, From::Telemetry][usize::from(*from) % 3];
                extractor.fact(now, from, payload, &mut seen);
            }
        }
    }
    extractor.tick(now + Duration::from_secs(20), &mut seen);
    let answer = extractor.answer_to("hello");
    extractor.exit(now + Duration::from_secs(21), Exit::Code(0), &mut seen);
    assert!(extractor.metrics().values().all(|figure| figure.is_finite()), "{:?}", extractor.metrics());
    // Where the emulator fails, what stands afterwards depends on what it was given at once.
    (!extractor.has_failed()).then(|| Seeing {
        seen,
        screen: extractor.screen_text(),
        snapshot: extractor.snapshot(),
        offset: extractor.offset(),
        composer: extractor.composer(),
        last_line: extractor.last_line().to_owned(),
        answer,
    })
}

fn short(text: &str, most: usize) {
    assert!(text.chars().count() <= most, "longer than {most}: {text:?}");
}

fn bounded(seen: &[Observation]) {
    for pair in seen.windows(2) {
        assert!(pair[0].at <= pair[1].at && pair[0].offset <= pair[1].offset, "{pair:?}");
    }
    for observation in seen {
        match &observation.what {
            Seen::State(claim) => short(&claim.evidence, 200),
            Seen::Title(title) => {
                short(title, 400);
                assert!(!title.contains(char::is_control), "{title:?}");
            }
            Seen::Event(event) => {
                let most = if event.kind == extractor::EventKind::CodeBlock { 4_000 } else { 500 };
                short(&event.text, most);
                assert_eq!(event.fingerprint.len(), 16);
            }
            Seen::Dialog(Some(dialog)) => {
                assert_eq!(dialog.id.len(), 16);
                if let Some(request) = &dialog.request {
                    short(&request.arguments, 16_000);
                    assert!(request.paths.len() <= 100);
                }
            }
            Seen::TurnEnded { answer, .. } => short(answer, 200_000),
            Seen::Dialog(None) | Seen::TurnBegan { .. } | Seen::Query(_) => {}
        }
    }
}

fuzz_target!(|bytes: &[u8]| {
    let Some(script) = Script::read(bytes) else { return };
    let whole = run(&script, usize::MAX);
    if let Some(whole) = &whole {
        bounded(&whole.seen);
    }
    let cut = run(&script, script.cut);
    if let (Some(whole), Some(cut)) = (whole, cut) {
        assert_eq!(whole, cut);
    }
});
