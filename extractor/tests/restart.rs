//! Another program in the place of the one that was watched: nothing of the one is believed of the other.

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use extractor::{Extractor, Keys, Observation, Seen, State};

const FIRST: &[u8] = b"\x1b]2;old title\x07\x1b[?2004hsh$ ";

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn states(seen: &[Observation]) -> Vec<State> {
    let state = |seen: &Observation| match &seen.what {
        Seen::State(claim) => Some(claim.state),
        _ => None,
    };
    seen.iter().filter_map(state).collect()
}

#[test]
fn a_program_that_is_started_anew_is_watched_from_its_own_beginning() {
    let agent = patterns::Library::builtin().agent("shell").unwrap();
    let mut extractor = Extractor::new(agent, 90, 30);
    let mut seen = Vec::new();
    extractor.output(ms(10), FIRST, &mut seen);
    extractor.tick(ms(2_000), &mut seen);
    assert_eq!(extractor.claim().state, State::Idle);
    extractor.input(ms(2_100), Keys { enter: true, ..Keys::default() }, &mut seen);
    extractor.output(ms(2_110), b"\r\n\x1b[?2004lworking", &mut seen);
    extractor.tick(ms(4_000), &mut seen);
    seen.clear();
    let before = FIRST.len() as u64;

    extractor.restart(ms(5_000), &mut seen);
    assert_eq!(states(&seen), [State::Starting]);
    assert_eq!((extractor.claim().since, extractor.size()), (ms(5_000), (90, 30)));
    assert_eq!((extractor.title(), extractor.bracketed_paste()), ("", false));
    assert!(extractor.screen_text().iter().all(|row| row.trim().is_empty()));
    seen.clear();
    extractor.output(ms(5_100), b"\x1b[?2004hsh$ ", &mut seen);
    extractor.tick(ms(8_000), &mut seen);
    assert_eq!(states(&seen), [State::Idle]);
    let turns = seen.iter().filter(|s| matches!(s.what, Seen::TurnBegan { .. } | Seen::TurnEnded { .. }));
    assert_eq!(turns.count(), 0, "the turn of the one before does not end in the next");
    assert!(seen.iter().all(|s| s.offset > before), "offsets go on: {:?}", seen[0].offset);
}
