//! What viewers see and may do, with the real server.

mod support;

use serde_json::json;
use support::peer::{Peer, Wrapper, now};
use support::{Home, Server};
use tokio_tungstenite::tungstenite::Message;
use wire::SessionId;
use wire::event::{Event, EventKind, Origin, Severity};
use wire::feed::{FromViewer, ToViewer};
use wire::frame::{Frame, Kind};
use wire::prompt::PromptState;
use wire::session::{Link, State};
use wire::wrapper::{Report, ToServer, ToWrapper};

struct Viewer {
    peer: Peer,
    name: String,
}

impl Viewer {
    /// Joins, and takes hello and everything.
    fn join(server: &Server) -> (Self, ToViewer) {
        let mut peer = Peer::connect(server, "/v1/cli", &server.cli_token(), &[]).expect("it may connect");
        let Some(ToViewer::Hello { viewer, .. }) = peer.hear() else { panic!("no hello") };
        let everything = peer.hear().expect("everything");
        assert!(matches!(everything, ToViewer::Everything { .. }));
        (Self { peer, name: viewer }, everything)
    }

    fn until(&mut self, what: impl Fn(&ToViewer) -> bool) -> ToViewer {
        loop {
            match self.peer.next() {
                Some(Message::Text(text)) => {
                    let message: ToViewer = serde_json::from_str(&text).expect("the wire's words");
                    if what(&message) {
                        return message;
                    }
                }
                Some(_) => {}
                None => panic!("the feed ended"),
            }
        }
    }

    fn frame(&mut self) -> (u32, Vec<u8>) {
        loop {
            match self.peer.next() {
                Some(Message::Binary(bytes)) => {
                    let stream = u32::from_be_bytes(bytes[..4].try_into().expect("four bytes"));
                    let frame = Frame::decode(&bytes[4..]).expect("a frame");
                    return (stream, frame.payload.to_vec());
                }
                Some(_) => {}
                None => panic!("the feed ended"),
            }
        }
    }

    fn refused(&mut self) -> String {
        match self.until(|m| matches!(m, ToViewer::Refused { .. })) {
            ToViewer::Refused { why, .. } => why,
            _ => unreachable!(),
        }
    }
}

fn session(wrapper: &Wrapper) -> SessionId {
    wrapper.hello.session.clone()
}

fn frame(kind: Kind, offset: u64, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    Frame { kind, offset, cols: 80, rows: 24, payload }.encode(&mut bytes);
    bytes
}

#[test]
fn a_viewer_gets_everything_and_then_each_change() {
    let home = Home::new();
    let server = home.serve();
    let mut wrapper = Wrapper::start(&server, "one");
    let (mut viewer, everything) = Viewer::join(&server);
    let ToViewer::Everything { sessions, prompts, .. } = everything else { unreachable!() };
    assert_eq!((sessions.len(), prompts.len()), (1, 0));
    wrapper.state(State::Busy);
    viewer.until(|m| matches!(m, ToViewer::Session { session } if session.claim.state == State::Busy));
    let event = Event {
        at: wire::UnixMillis(1),
        kind: EventKind::Error,
        severity: Severity::Error,
        origin: Origin::Tool,
        rule: "r".into(),
        text: "boom".into(),
        fields: Default::default(),
        offset: 1,
        fingerprint: "f".into(),
    };
    wrapper.report(Report::Event { event });
    viewer.until(|m| matches!(m, ToViewer::Event { seq: 2, event, .. } if event.text == "boom"));
    let id = server.enqueue(&json!({ "text": "x".repeat(100_000) }));
    let new = viewer.until(|m| matches!(m, ToViewer::Prompt { .. }));
    let ToViewer::Prompt { prompt } = new else { unreachable!() };
    assert_eq!((prompt.id.0, prompt.state), (id, PromptState::Pending));
    assert!(
        prompt.asked.text.len() < 2_000 && prompt.asked.text.ends_with('…'),
        "long texts are cut in the feed"
    );
    assert_eq!(server.detail(id).prompt.asked.text.len(), 100_000);
    drop(wrapper.peer);
    let gone =
        viewer.until(|m| matches!(m, ToViewer::Session { session } if session.link == Link::Disconnected));
    let ToViewer::Session { session } = gone else { unreachable!() };
    assert_eq!(session.claim.state, State::Busy, "the state is not touched by the link");
}

#[test]
fn everything_fits_a_message_however_much_there_is() {
    let home = Home::new();
    let server = home.serve();
    for n in 0..400 {
        server.enqueue(&json!({ "text": format!("{n} {}", "\"\\".repeat(2_000)) }));
    }
    let (_, everything) = Viewer::join(&server);
    let ToViewer::Everything { prompts, .. } = everything else { unreachable!() };
    assert_eq!(prompts.len(), 400);
}

#[test]
fn a17_a_viewer_types_only_with_the_keyboard_and_nobody_else_meanwhile() {
    let home = Home::new();
    let server = home.serve();
    let mut wrapper = Wrapper::start(&server, "one");
    let id = session(&wrapper);
    let (mut one, _) = Viewer::join(&server);
    let (mut two, _) = Viewer::join(&server);
    let keys = |text: &str| FromViewer::Keys { session: id.clone(), text: text.into() };
    one.peer.say(&keys("early"));
    assert!(one.refused().contains("take the keyboard"));
    one.peer.say(&FromViewer::TakeKeyboard { session: id.clone() });
    let name = one.name.clone();
    two.until(|m| matches!(m, ToViewer::Session { session } if session.keyboard.as_ref() == Some(&name)));
    two.peer.say(&FromViewer::TakeKeyboard { session: id.clone() });
    assert!(two.refused().contains("another viewer"));
    two.peer.say(&keys("stolen"));
    two.refused();
    one.peer.say(&keys("\u{1b}[Aok"));
    let Some(ToWrapper::Keys { text, .. }) = wrapper.next() else { panic!("no keys") };
    assert_eq!(text, "\u{1b}[Aok", "only what the holder typed arrives, as it is");
    // While a person has the keyboard, no prompt is offered; it comes when the viewer is gone.
    let waiting = server.enqueue(&json!({ "text": "x" }));
    let scores = server.detail(waiting).scores;
    assert!(scores[0].refused.as_ref().is_some_and(|r| r.contains("keyboard")), "{scores:?}");
    drop(one.peer);
    assert_eq!(wrapper.offer().prompt.0, waiting);
}

#[test]
fn a44_keys_beyond_the_limits_are_refused_whole() {
    let home = Home::new();
    let server = home.serve();
    let wrapper = Wrapper::start(&server, "one");
    let (mut viewer, _) = Viewer::join(&server);
    let id = session(&wrapper);
    viewer.peer.say(&FromViewer::TakeKeyboard { session: id.clone() });
    viewer.peer.say(&FromViewer::Keys { session: id, text: "x".repeat(70_000) });
    assert!(viewer.refused().contains("too much"));
}

#[test]
fn a_terminal_is_asked_for_once_and_reaches_every_stream_that_watches() {
    let home = Home::new();
    let server = home.serve();
    let mut wrapper = Wrapper::start(&server, "one");
    let id = session(&wrapper);
    let (mut one, _) = Viewer::join(&server);
    one.peer.say(&FromViewer::Watch { session: id.clone(), stream: 5 });
    assert_eq!(wrapper.next(), Some(ToWrapper::Watch));
    wrapper.peer.send(frame(Kind::Snapshot, 7, b"screen"));
    wrapper.peer.send(frame(Kind::Bytes, 7, b"more"));
    assert_eq!(one.frame(), (5, b"screen".to_vec()));
    assert_eq!(one.frame(), (5, b"more".to_vec()));
    let (mut two, _) = Viewer::join(&server);
    two.peer.say(&FromViewer::Watch { session: id.clone(), stream: 9 });
    assert_eq!(wrapper.next(), Some(ToWrapper::Snapshot));
    wrapper.peer.send(frame(Kind::Snapshot, 11, b"again"));
    wrapper.peer.send(frame(Kind::Bytes, 11, b"both"));
    assert_eq!(two.frame(), (9, b"again".to_vec()));
    assert_eq!(two.frame(), (9, b"both".to_vec()));
    assert_eq!(one.frame(), (5, b"both".to_vec()));
    one.peer.say(&FromViewer::Unwatch { stream: 5 });
    drop(two.peer);
    assert_eq!(wrapper.next(), Some(ToWrapper::Unwatch));
    // A wrapper that comes back is asked again by itself while someone watches.
    let (mut three, _) = Viewer::join(&server);
    three.peer.say(&FromViewer::Watch { session: id, stream: 1 });
    assert_eq!(wrapper.next(), Some(ToWrapper::Watch));
    let mut wrapper = wrapper.again(&server);
    assert_eq!(wrapper.next(), Some(ToWrapper::Watch));
    wrapper.peer.send(frame(Kind::Snapshot, 15, b"back"));
    assert_eq!(three.frame(), (1, b"back".to_vec()));
}

#[test]
fn g11_a_viewer_that_reads_nothing_holds_nobody_up() {
    let home = Home::new();
    let server = home.serve();
    let mut wrapper = Wrapper::start(&server, "one");
    let id = session(&wrapper);
    let (mut quick, _) = Viewer::join(&server);
    quick.peer.say(&FromViewer::Watch { session: id.clone(), stream: 2 });
    assert_eq!(wrapper.next(), Some(ToWrapper::Watch));
    wrapper.peer.send(frame(Kind::Snapshot, 7, b"screen"));
    assert_eq!(quick.frame(), (2, b"screen".to_vec()));
    let (mut deaf, _) = Viewer::join(&server);
    deaf.peer.say(&FromViewer::Watch { session: id, stream: 1 });
    assert_eq!(wrapper.next(), Some(ToWrapper::Snapshot));
    wrapper.peer.send(frame(Kind::Snapshot, 7, b"screen"));
    let chunk = vec![b'x'; 60_000];
    for _ in 0..300 {
        wrapper.peer.send(frame(Kind::Bytes, 7, &chunk));
        assert_eq!(quick.frame().1.len(), chunk.len());
    }
    for n in 0..600 {
        let mut present = now(State::Idle);
        present.last_line = format!("line {n}");
        wrapper.peer.say(&ToServer::Now(present));
    }
    // A viewer that misses changes gets the whole present instead; the deaf one hears again in the same way.
    let last = |m: &ToViewer| match m {
        ToViewer::Session { session } => session.last_line == "line 599",
        ToViewer::Everything { sessions, .. } => sessions[0].last_line == "line 599",
        _ => false,
    };
    quick.until(last);
    deaf.until(last);
}
