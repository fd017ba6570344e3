//! What watching promises.

use super::*;
use crate::feed::Inlet;
use tokio::sync::mpsc::Receiver;

fn frame(kind: Kind, offset: u64, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    Frame { kind, offset, cols: 80, rows: 24, payload }.encode(&mut bytes);
    bytes
}

fn said(from: &mut Receiver<ToWrapper>) -> Vec<ToWrapper> {
    std::iter::from_fn(|| from.try_recv().ok()).collect()
}

fn shown(inlet: &mut Inlet) -> Vec<Vec<u8>> {
    std::iter::from_fn(|| inlet.terminal.try_recv().ok())
        .map(|b| b[4 + wire::frame::HEADER..].to_vec())
        .collect()
}

#[test]
fn many_viewers_are_one_watch_and_the_last_ends_it() {
    let terminals = Terminals::default();
    let session = SessionId("s".into());
    let (line, mut wrapper, _closed) = Line::new(1);
    terminals.wrapper_up(&session, &line);
    let (one, _inlet) = Outlet::new(1);
    let (two, _inlet2) = Outlet::new(2);
    terminals.watch(&session, &one, 7).unwrap();
    terminals.watch(&session, &two, 7).unwrap();
    assert!(terminals.watch(&session, &two, 7).is_err());
    assert_eq!(said(&mut wrapper), [ToWrapper::Watch]);
    terminals.unwatch(1, 7);
    assert_eq!(said(&mut wrapper), []);
    terminals.leave(2);
    assert_eq!(said(&mut wrapper), [ToWrapper::Unwatch]);
}

#[test]
fn bytes_reach_a_viewer_only_after_its_snapshot() {
    let terminals = Terminals::default();
    let session = SessionId("s".into());
    let (line, mut wrapper, _closed) = Line::new(1);
    terminals.wrapper_up(&session, &line);
    let (one, mut first) = Outlet::new(1);
    terminals.watch(&session, &one, 1).unwrap();
    terminals.frame(&session, 1, &frame(Kind::Bytes, 0, b"early")).unwrap();
    terminals.frame(&session, 1, &frame(Kind::Snapshot, 5, b"screen")).unwrap();
    let (two, mut second) = Outlet::new(2);
    terminals.watch(&session, &two, 1).unwrap();
    terminals.frame(&session, 1, &frame(Kind::Bytes, 5, b"a")).unwrap();
    terminals.frame(&session, 1, &frame(Kind::Snapshot, 6, b"again")).unwrap();
    terminals.frame(&session, 1, &frame(Kind::Bytes, 6, b"b")).unwrap();
    assert_eq!(shown(&mut first), [&b"screen"[..], b"a", b"b"]);
    assert_eq!(shown(&mut second), [&b"again"[..], b"b"]);
    assert_eq!(said(&mut wrapper), [ToWrapper::Watch, ToWrapper::Snapshot]);
}

#[test]
fn g11_a_slow_viewer_gets_a_new_snapshot_and_the_others_miss_nothing() {
    let terminals = Terminals::default();
    let session = SessionId("s".into());
    let (line, mut wrapper, _closed) = Line::new(1);
    terminals.wrapper_up(&session, &line);
    let (slow, mut slow_inlet) = Outlet::new(1);
    let (quick, mut quick_inlet) = Outlet::new(2);
    terminals.watch(&session, &slow, 1).unwrap();
    terminals.watch(&session, &quick, 1).unwrap();
    terminals.frame(&session, 1, &frame(Kind::Snapshot, 0, b"s")).unwrap();
    let mut seen = shown(&mut quick_inlet).len();
    let bytes = Outlet::TERMINAL as u64 * 2;
    for offset in 0..bytes {
        terminals.frame(&session, 1, &frame(Kind::Bytes, offset, b"x")).unwrap();
        seen += shown(&mut quick_inlet).len();
    }
    assert_eq!(seen, Outlet::TERMINAL * 2 + 1);
    assert_eq!(shown(&mut slow_inlet).len(), Outlet::TERMINAL);
    assert!(slow_inlet.wants_snapshot(0));
    said(&mut wrapper);
    terminals.caught_up(1);
    assert_eq!(said(&mut wrapper), [ToWrapper::Snapshot]);
    terminals.frame(&session, 1, &frame(Kind::Snapshot, bytes, b"new")).unwrap();
    assert_eq!(shown(&mut slow_inlet), [b"new"]);
    assert_eq!(shown(&mut quick_inlet), [] as [Vec<u8>; 0]);
}

#[test]
fn g11_what_a_wrapper_left_out_before_a_snapshot_is_shown_to_all() {
    let terminals = Terminals::default();
    let session = SessionId("s".into());
    let (line, _wrapper, _closed) = Line::new(1);
    terminals.wrapper_up(&session, &line);
    let (one, mut inlet) = Outlet::new(1);
    terminals.watch(&session, &one, 1).unwrap();
    let mut told = |frame: Vec<u8>| {
        terminals.frame(&session, 1, &frame).unwrap();
        shown(&mut inlet).pop()
    };
    assert!(told(frame(Kind::Snapshot, 0, b"screen")).is_some());
    assert!(told(frame(Kind::Bytes, 0, b"ab")).is_some());
    assert!(told(frame(Kind::Snapshot, 2, b"the same")).is_none(), "somebody else was behind");
    assert_eq!(told(frame(Kind::Snapshot, 5, b"screen with cde")).unwrap(), b"screen with cde");
    assert!(told(frame(Kind::Bytes, 5, b"f")).is_some());
    let mut smaller = Vec::new();
    Frame { kind: Kind::Snapshot, offset: 6, cols: 40, rows: 10, payload: b"small" }.encode(&mut smaller);
    assert_eq!(told(smaller).unwrap(), b"small", "another size");
}

#[test]
fn frames_of_a_replaced_connection_are_ignored_and_broken_ones_are_refused() {
    let terminals = Terminals::default();
    let session = SessionId("s".into());
    let (line, _wrapper, _closed) = Line::new(2);
    terminals.wrapper_up(&session, &line);
    let (one, mut inlet) = Outlet::new(1);
    terminals.watch(&session, &one, 1).unwrap();
    terminals.frame(&session, 1, &frame(Kind::Snapshot, 0, b"old")).unwrap();
    assert_eq!(shown(&mut inlet), [] as [Vec<u8>; 0]);
    assert!(terminals.frame(&session, 2, b"short").is_err());
}
