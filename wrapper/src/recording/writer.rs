//! Writes a recording from a thread of its own. Must not: make the holder wait for a disk.
//!
//! The holder fills one buffer while the thread writes the other. When the disk is slower than the program for
//! longer than [`BUFFER_MAX`] lasts, or full, output is not recorded and a gap says how much; the program never
//! waits and never notices.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::record::{Header, Record, put_output};
use super::{MAGIC, SEGMENT_MAX, SESSION_MAX, segment_path};

/// Bytes that may wait for the disk.
const BUFFER_MAX: usize = 8 << 20;

/// The holder's end.
pub struct Writer {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
    /// Records since the last hand-over.
    batch: Batch,
    /// Output bytes that found no room.
    lost: u64,
    /// Where a segment would begin that began now.
    here: Start,
}

/// Where a segment begins.
#[derive(Debug, Clone, Copy, Default)]
struct Start {
    at: Duration,
    offset: u64,
    cols: u16,
    rows: u16,
}

/// Records that go to the disk together.
#[derive(Default)]
struct Batch {
    bytes: Vec<u8>,
    /// Output bytes among them.
    output: u64,
    /// Where it begins.
    start: Start,
}

struct Shared {
    slot: Mutex<Slot>,
    changed: Condvar,
}

#[derive(Default)]
struct Slot {
    batch: Batch,
    busy: bool,
    closing: bool,
}

impl Writer {
    /// Begins a recording in `dir`, which exists. A byte is written to `wake` after each write to the disk, if it
    /// has room. Nothing is written here: a bad disk shows later, as gaps.
    pub fn start(dir: &Path, header: Header, wake: OwnedFd) -> io::Result<Self> {
        let shared = Arc::new(Shared { slot: Mutex::default(), changed: Condvar::new() });
        let here = Start { cols: header.cols, rows: header.rows, ..Start::default() };
        let dir = dir.to_owned();
        let disk = Disk { dir, header, file: None, number: 0, size: 0, sizes: Vec::new(), lost: 0, wake };
        let theirs = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("recording".into()).stack_size(128 << 10);
        let thread = thread.spawn(move || disk.run(&theirs))?;
        let batch = Batch { start: here, ..Batch::default() };
        Ok(Self { shared, thread: Some(thread), batch, lost: 0, here })
    }

    /// Records output at `at`.
    pub fn output(&mut self, at: Duration, bytes: &[u8]) {
        if self.batch.bytes.len() > BUFFER_MAX {
            self.lost += bytes.len() as u64;
        } else {
            let delta = self.delta(at);
            put_output(&mut self.batch.bytes, delta, bytes);
            self.batch.output += bytes.len() as u64;
        }
        self.here.offset += bytes.len() as u64;
    }

    /// Records anything else. Such records are few and small: they always find room.
    pub fn record(&mut self, at: Duration, record: &Record) {
        if let Record::Resize(cols, rows) = record {
            (self.here.cols, self.here.rows) = (*cols, *rows);
        }
        let delta = self.delta(at);
        record.encode(delta, &mut self.batch.bytes);
    }

    /// Bytes that wait to be handed over.
    pub fn pending(&self) -> usize {
        self.batch.bytes.len()
    }

    /// Hands over what waits, if the thread is free to take it; never blocks on the disk. `false` when it is busy.
    pub fn flush(&mut self) -> bool {
        if self.batch.bytes.is_empty() {
            return true;
        }
        let mut slot = lock(&self.shared.slot);
        if slot.busy {
            return false;
        }
        std::mem::swap(&mut slot.batch, &mut self.batch);
        slot.busy = true;
        drop(slot);
        self.shared.changed.notify_all();
        self.batch.bytes.clear();
        self.batch.output = 0;
        let lost = std::mem::take(&mut self.lost);
        self.batch.start = Start { offset: self.here.offset - lost, ..self.here };
        if lost > 0 {
            self.record(self.here.at, &Record::Gap(lost));
        }
        true
    }

    /// Hands over the rest and waits until it is written, at most `patience`. `false` when the disk hangs longer.
    pub fn settle(&mut self, patience: Duration) -> bool {
        let deadline = Instant::now() + patience;
        loop {
            let handed = self.flush();
            let slot = lock(&self.shared.slot);
            let left = deadline.saturating_duration_since(Instant::now());
            if handed && !slot.busy && self.batch.bytes.is_empty() {
                return true;
            }
            if left.is_zero() {
                return false;
            }
            if slot.busy {
                drop(self.shared.changed.wait_timeout(slot, left));
            }
        }
    }

    /// Ends the recording; a disk that hangs longer than `patience` loses the rest.
    pub fn finish(mut self, patience: Duration) {
        let settled = self.settle(patience);
        lock(&self.shared.slot).closing = true;
        self.shared.changed.notify_all();
        if let (Some(thread), true) = (self.thread.take(), settled) {
            let _ = thread.join();
        }
    }

    fn delta(&mut self, at: Duration) -> Duration {
        let delta = at.saturating_sub(self.here.at);
        self.here.at += delta;
        delta
    }
}

/// The thread's end.
struct Disk {
    dir: PathBuf,
    header: Header,
    file: Option<File>,
    number: u32,
    size: u64,
    /// Sizes of the segments that are kept, oldest first, with their numbers.
    sizes: Vec<(u32, u64)>,
    /// Output bytes that could not be written.
    lost: u64,
    wake: OwnedFd,
}

impl Disk {
    fn run(mut self, shared: &Shared) {
        let mut batch = Batch::default();
        loop {
            let mut slot = lock(&shared.slot);
            while slot.batch.bytes.is_empty() && !slot.closing {
                slot = shared.changed.wait(slot).unwrap_or_else(PoisonError::into_inner);
            }
            if slot.batch.bytes.is_empty() {
                return;
            }
            std::mem::swap(&mut slot.batch, &mut batch);
            drop(slot);
            if let Err(fault) = self.write(&batch) {
                if self.lost == 0 {
                    eprintln!("recording in {} pauses: {fault}", self.dir.display());
                }
                self.lost += batch.output;
            }
            batch.bytes.clear();
            let _ = rustix::io::write(&self.wake, b"w");
            lock(&shared.slot).busy = false;
            shared.changed.notify_all();
        }
    }

    /// Writes a batch whole, or nothing of it.
    fn write(&mut self, batch: &Batch) -> io::Result<()> {
        if self.file.is_none() || self.size + batch.bytes.len() as u64 > SEGMENT_MAX {
            self.begin(batch.start)?;
        }
        let Some(file) = self.file.as_mut() else { return Ok(()) };
        let mut size = self.size;
        let mut all = || -> io::Result<()> {
            if self.lost > 0 {
                let mut gap = Vec::new();
                Record::Gap(self.lost).encode(Duration::ZERO, &mut gap);
                file.write_all(&gap)?;
                size += gap.len() as u64;
            }
            file.write_all(&batch.bytes)
        };
        if let Err(fault) = all() {
            // A later segment starts clean; this one ends at its last whole record.
            let _ = file.set_len(self.size);
            self.close();
            return Err(fault);
        }
        self.size = size + batch.bytes.len() as u64;
        self.lost = 0;
        Ok(())
    }

    fn begin(&mut self, start: Start) -> io::Result<()> {
        self.close();
        let path = segment_path(&self.dir, self.number + 1);
        self.header.at_us = start.at.as_micros() as u64;
        self.header.offset = start.offset - self.lost;
        (self.header.cols, self.header.rows) = (start.cols, start.rows);
        let mut head = MAGIC.to_vec();
        Record::Header(Box::new(self.header.clone())).encode(Duration::ZERO, &mut head);
        let mut file = OpenOptions::new().create_new(true).append(true).mode(0o600).open(&path)?;
        if let Err(fault) = file.write_all(&head) {
            drop(std::fs::remove_file(&path));
            return Err(fault);
        }
        self.number += 1;
        self.size = head.len() as u64;
        self.file = Some(file);
        Ok(())
    }

    fn close(&mut self) {
        if self.file.take().is_none() {
            return;
        }
        self.sizes.push((self.number, self.size));
        while self.sizes.iter().map(|(_, size)| size).sum::<u64>() > SESSION_MAX - SEGMENT_MAX {
            let (oldest, _) = self.sizes.remove(0);
            let _ = std::fs::remove_file(segment_path(&self.dir, oldest));
        }
    }
}

/// A panic of the other side must not become ours: the data is whole either way.
fn lock(slot: &Mutex<Slot>) -> MutexGuard<'_, Slot> {
    slot.lock().unwrap_or_else(PoisonError::into_inner)
}
