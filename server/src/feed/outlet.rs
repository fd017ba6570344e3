//! The two queues of one viewer. Must not: wait; whoever sends never blocks.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use axum::body::Bytes;
use axum::extract::ws::Utf8Bytes;
use tokio::sync::{Notify, mpsc};

/// The sending side.
#[derive(Debug, Clone)]
pub struct Outlet {
    /// Which viewer.
    pub viewer: u64,
    control: mpsc::Sender<Utf8Bytes>,
    terminal: mpsc::Sender<Bytes>,
    marks: Arc<Marks>,
}

/// The receiving side.
#[derive(Debug)]
pub struct Inlet {
    /// Feed messages.
    pub control: mpsc::Receiver<Utf8Bytes>,
    /// Terminal frames.
    pub terminal: mpsc::Receiver<Bytes>,
    marks: Arc<Marks>,
}

#[derive(Debug, Default)]
struct Marks {
    missed_control: AtomicBool,
    missed_terminal: AtomicBool,
    queued: AtomicUsize,
    /// Wakes the reader when something was dropped: it may have emptied its queue just before the mark was set, and
    /// would otherwise wait for a message that never comes.
    nudge: Notify,
}

impl Outlet {
    /// How many feed messages may wait.
    pub const CONTROL: usize = 256;
    /// How many terminal frames may wait.
    pub const TERMINAL: usize = 256;
    /// How many bytes of terminal frames may wait.
    pub const BYTES: usize = 4 << 20;

    /// The queues of a new viewer.
    pub fn new(viewer: u64) -> (Self, Inlet) {
        let (control, control_from) = mpsc::channel(Self::CONTROL);
        let (terminal, terminal_from) = mpsc::channel(Self::TERMINAL);
        let marks = Arc::new(Marks::default());
        let inlet = Inlet { control: control_from, terminal: terminal_from, marks: marks.clone() };
        (Self { viewer, control, terminal, marks }, inlet)
    }

    /// Queues a feed message. False when it was dropped: the viewer is behind.
    pub fn say(&self, message: Utf8Bytes) -> bool {
        let sent = self.control.try_send(message).is_ok();
        if !sent {
            self.marks.missed_control.store(true, Ordering::SeqCst);
            self.marks.nudge.notify_one();
        }
        sent
    }

    /// Queues a terminal frame. False when it was dropped: the viewer needs a new snapshot.
    pub fn show(&self, frame: Bytes) -> bool {
        let len = frame.len();
        // Counted before it is sent: the reader must never take off what was not yet added.
        let before = self.marks.queued.fetch_add(len, Ordering::SeqCst);
        let sent = before + len <= Self::BYTES && self.terminal.try_send(frame).is_ok();
        if !sent {
            self.marks.queued.fetch_sub(len, Ordering::SeqCst);
            self.marks.missed_terminal.store(true, Ordering::SeqCst);
            self.marks.nudge.notify_one();
        }
        sent
    }
}

impl Inlet {
    /// What wakes the reader when something was dropped; it then asks both questions below.
    pub fn nudge(&self) -> impl Future<Output = ()> + use<> {
        let marks = self.marks.clone();
        async move { marks.nudge.notified().await }
    }

    /// To be called after each feed message: whether the queue was read and something had been dropped.
    pub fn caught_up(&self) -> bool {
        self.control.is_empty() && self.marks.missed_control.swap(false, Ordering::SeqCst)
    }

    /// To be called after each terminal frame: whether a snapshot is to be asked for.
    pub fn wants_snapshot(&self, frame: usize) -> bool {
        self.marks.queued.fetch_sub(frame, Ordering::SeqCst);
        self.terminal.is_empty() && self.marks.missed_terminal.swap(false, Ordering::SeqCst)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_viewer_that_does_not_read_misses_messages_and_is_told_once() {
        let (outlet, mut inlet) = Outlet::new(1);
        for _ in 0..Outlet::CONTROL {
            assert!(outlet.say("x".into()));
        }
        assert!(!outlet.say("dropped".into()));
        assert!(!inlet.caught_up());
        while inlet.control.try_recv().is_ok() {}
        assert!(inlet.caught_up());
        assert!(!inlet.caught_up());
    }

    #[tokio::test]
    async fn a_reader_that_emptied_its_queue_just_before_the_drop_is_woken() {
        let (outlet, mut inlet) = Outlet::new(1);
        let _ = (0..=Outlet::CONTROL).all(|_| outlet.say("x".into()));
        while inlet.control.try_recv().is_ok() {}
        inlet.nudge().await;
        assert!(inlet.caught_up());
    }

    #[test]
    fn g11_terminal_bytes_that_wait_are_bounded() {
        let (outlet, mut inlet) = Outlet::new(1);
        let frame = Bytes::from(vec![0; 1 << 20]);
        assert!((0..4).all(|_| outlet.show(frame.clone())));
        assert!(!outlet.show(frame.clone()));
        assert!(outlet.say("control still passes".into()));
        while let Ok(frame) = inlet.terminal.try_recv() {
            inlet.wants_snapshot(frame.len());
        }
        assert!(outlet.show(frame));
    }
}
