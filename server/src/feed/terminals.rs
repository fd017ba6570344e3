//! Who watches which terminal: relays a wrapper's frames to its viewers.
//!
//! Owns: the list of watchers, the asking for snapshots. Must not: read the frames' bytes, or wait for anyone: the
//! lock is held for copying into queues only, never across an await.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::body::Bytes;
use wire::SessionId;
use wire::frame::{Frame, FrameError, Kind};
use wire::wrapper::ToWrapper;

use super::Outlet;
use crate::hub::Line;

/// Streams one viewer may have open.
pub const STREAMS_MAX: usize = 64;

/// All terminals that are watched or could be.
#[derive(Default)]
pub struct Terminals {
    screens: Mutex<HashMap<SessionId, Screen>>,
}

#[derive(Default)]
struct Screen {
    line: Option<Line>,
    watchers: Vec<Watcher>,
    asked: bool,
    /// Where what was relayed last ends, with the terminal's columns and rows.
    stands: Option<(u64, u16, u16)>,
}

struct Watcher {
    outlet: Outlet,
    stream: u32,
    /// Whether it has a snapshot that what follows can be added to.
    fresh: bool,
}

impl Terminals {
    /// A session's wrapper is connected: if someone watches already, it is asked at once.
    pub fn wrapper_up(&self, session: &SessionId, line: &Line) {
        let mut screens = self.lock();
        let screen = screens.entry(session.clone()).or_default();
        screen.line = Some(line.clone());
        screen.asked = false;
        screen.watchers.iter_mut().for_each(|w| w.fresh = false);
        if !screen.watchers.is_empty() {
            screen.asked = true;
            line.say(ToWrapper::Watch);
        }
    }

    /// A session's wrapper is gone; its watchers stay, for when it is back.
    pub fn wrapper_down(&self, session: &SessionId, conn: u64) {
        let mut screens = self.lock();
        if let Some(screen) = screens.get_mut(session)
            && screen.line.as_ref().is_some_and(|l| l.conn == conn)
        {
            screen.line = None;
            screen.asked = false;
            if screen.watchers.is_empty() {
                screens.remove(session);
            }
        }
    }

    /// A viewer wants a terminal on a stream. Errors with what to tell it.
    pub fn watch(&self, session: &SessionId, outlet: &Outlet, stream: u32) -> Result<(), &'static str> {
        let mut screens = self.lock();
        let mine = screens.values().flat_map(|s| &s.watchers).filter(|w| w.outlet.viewer == outlet.viewer);
        let streams: Vec<u32> = mine.map(|w| w.stream).collect();
        if streams.contains(&stream) {
            return Err("the stream is in use; end it first or choose another number");
        }
        if streams.len() >= STREAMS_MAX {
            return Err("too many streams on one connection; end some first");
        }
        let screen = screens.entry(session.clone()).or_default();
        let first = screen.watchers.is_empty();
        screen.watchers.push(Watcher { outlet: outlet.clone(), stream, fresh: false });
        if first && let Some(line) = &screen.line {
            screen.asked = true;
            line.say(ToWrapper::Watch);
        } else {
            screen.ask_snapshot();
        }
        Ok(())
    }

    /// A viewer ends a stream.
    pub fn unwatch(&self, viewer: u64, stream: u32) {
        self.drop_watchers(|w| w.outlet.viewer == viewer && w.stream == stream);
    }

    /// A viewer is gone.
    pub fn leave(&self, viewer: u64) {
        self.drop_watchers(|w| w.outlet.viewer == viewer);
    }

    /// A viewer has read its queue after frames were dropped.
    pub fn caught_up(&self, viewer: u64) {
        for screen in self.lock().values_mut() {
            if screen.watchers.iter().any(|w| w.outlet.viewer == viewer && !w.fresh) {
                screen.ask_snapshot();
            }
        }
    }

    /// Relays a frame. Errors when it cannot be read: the wrapper is broken.
    pub fn frame(&self, session: &SessionId, conn: u64, bytes: &[u8]) -> Result<(), FrameError> {
        let Frame { kind, offset, cols, rows, payload } = Frame::decode(bytes)?;
        let snapshot = kind == Kind::Snapshot;
        let end = if snapshot { offset } else { offset.saturating_add(payload.len() as u64) };
        let mut screens = self.lock();
        let Some(screen) = screens.get_mut(session) else { return Ok(()) };
        if screen.line.as_ref().is_none_or(|l| l.conn != conn) {
            return Ok(());
        }
        if snapshot {
            screen.asked = false;
        }
        // What the wrapper left out before it, or another size, is nowhere but in the snapshot.
        let news = snapshot && screen.stands != Some((end, cols, rows));
        screen.stands = Some((end, cols, rows));
        // Those who chose the same number share the bytes: many that are slow keep them once.
        let mut numbered: HashMap<u32, Bytes> = HashMap::new();
        for watcher in &mut screen.watchers {
            // A snapshot goes to those who wait for one; what follows goes to those who have one.
            if news || snapshot != watcher.fresh {
                let with_number = || [&watcher.stream.to_be_bytes(), bytes].concat().into();
                let frame = numbered.entry(watcher.stream).or_insert_with(with_number);
                watcher.fresh = watcher.outlet.show(frame.clone());
            }
        }
        Ok(())
    }

    fn drop_watchers(&self, gone: impl Fn(&Watcher) -> bool) {
        self.lock().retain(|_, screen| {
            let before = screen.watchers.len();
            screen.watchers.retain(|w| !gone(w));
            if screen.watchers.is_empty() && before > 0 {
                screen.asked = false;
                if let Some(line) = &screen.line {
                    line.say(ToWrapper::Unwatch);
                }
            }
            screen.line.is_some() || !screen.watchers.is_empty()
        });
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<SessionId, Screen>> {
        // Every change under the lock is whole before anything can panic.
        self.screens.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Screen {
    /// Asks for one snapshot, however many wait for it.
    fn ask_snapshot(&mut self) {
        if let Some(line) = &self.line
            && !self.asked
        {
            self.asked = true;
            line.say(ToWrapper::Snapshot);
        }
    }
}

#[cfg(test)]
#[path = "terminals_tests.rs"]
mod tests;
