//! Writes a recording from a thread of its own. Must not: make the holder wait for a disk.
//!
//! The holder fills one buffer while the thread writes the other, again and again if the disk is full. When the disk
//! takes nothing for longer than [`BUFFER_MAX`] lasts, output is not recorded and a gap says how much; the program
//! never waits and never notices.

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
use crate::log;

/// Bytes that may wait for the disk.
const BUFFER_MAX: usize = 8 << 20;

/// How soon a disk that failed is tried again.
const RETRY: Duration = Duration::from_millis(250);

/// How soon the thread may have written what it has.
const SOON: Duration = Duration::from_millis(5);

/// Pause between two hand-overs while output keeps coming. Each wakes the thread and then the observer, which would
/// take the processor from a program that writes without end as often as it writes.
const GATHER: Duration = Duration::from_millis(3);

/// Output bytes that are handed over at once.
const ENOUGH: usize = 64 << 10;

/// Output that comes within this time of the first is one record, so that a flood is not read in crumbs.
const BURST: Duration = Duration::from_millis(1);

/// Longest such record, in bytes, apart from what one read brings.
const BURST_MAX: usize = 16 << 10;

/// The holder's end.
pub struct Writer {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
    /// Records since the last hand-over.
    batch: Batch,
    /// Output that the next may join: no record yet.
    burst: Burst,
    /// Output bytes that found no room.
    lost: u64,
    /// Whether any ever did not.
    gaps: bool,
    /// Where a segment would begin that began now.
    here: Start,
    /// When something was handed over last.
    handed: Option<Instant>,
}

/// Where a segment begins.
#[derive(Debug, Clone, Copy, Default)]
struct Start {
    at: Duration,
    offset: u64,
    cols: u16,
    rows: u16,
}

/// Output of one moment.
#[derive(Default)]
struct Burst {
    at: Duration,
    bytes: Vec<u8>,
}

/// Records that go to the disk together.
#[derive(Default)]
struct Batch {
    bytes: Vec<u8>,
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
    /// The disk took nothing when it was tried last.
    failing: bool,
    closing: bool,
}

impl Writer {
    /// Begins a recording in `dir`, which exists. A byte is written to `wake` after each write to the disk, if it
    /// has room. Nothing is written here: a bad disk shows later, as gaps.
    pub fn start(dir: &Path, header: Header, wake: OwnedFd) -> io::Result<Self> {
        let shared = Arc::new(Shared { slot: Mutex::default(), changed: Condvar::new() });
        let here = Start { cols: header.cols, rows: header.rows, ..Start::default() };
        let dir = dir.to_owned();
        let disk = Disk { dir, header, file: None, number: 0, size: 0, sizes: Vec::new(), wake };
        let theirs = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("recording".into()).stack_size(128 << 10);
        let thread = thread.spawn(move || disk.run(&theirs))?;
        let batch = Batch { start: here, ..Batch::default() };
        let burst = Burst::default();
        Ok(Self { shared, thread: Some(thread), batch, burst, lost: 0, gaps: false, here, handed: None })
    }

    /// Records output at `at`.
    pub fn output(&mut self, at: Duration, bytes: &[u8]) {
        if self.batch.bytes.len() > BUFFER_MAX {
            self.lost += bytes.len() as u64;
            self.gaps = true;
        } else {
            if at.saturating_sub(self.burst.at) > BURST || self.burst.bytes.len() + bytes.len() > BURST_MAX {
                self.end_burst();
            }
            if self.burst.bytes.is_empty() {
                self.burst.at = at;
            }
            self.burst.bytes.extend_from_slice(bytes);
        }
        self.here.offset += bytes.len() as u64;
    }

    /// Records anything else. Such records are few and small: they always find room.
    pub fn record(&mut self, at: Duration, record: &Record) {
        if let Record::Resize(cols, rows) = record {
            (self.here.cols, self.here.rows) = (*cols, *rows);
        }
        self.end_burst();
        let delta = self.delta(at);
        record.encode(delta, &mut self.batch.bytes);
    }

    /// Makes a record of the burst.
    fn end_burst(&mut self) {
        if !self.burst.bytes.is_empty() {
            let delta = self.delta(self.burst.at);
            put_output(&mut self.batch.bytes, delta, &self.burst.bytes);
            self.burst.bytes.clear();
        }
    }

    /// How long what waits may be gathered on before it is to be handed over; `None` when nothing waits.
    pub fn gathers(&self) -> Option<Duration> {
        let bytes = self.batch.bytes.len() + self.burst.bytes.len();
        if bytes == 0 {
            return None;
        }
        let rests =
            self.handed.filter(|_| bytes < ENOUGH).map(|handed| GATHER.saturating_sub(handed.elapsed()));
        Some(rests.unwrap_or_default())
    }

    /// When to hand over again what the thread was not free to take.
    pub fn pause(&self) -> Duration {
        if lock(&self.shared.slot).failing { RETRY } else { SOON }
    }

    /// Hands over what waits, if the thread is free to take it; never blocks on the disk. `false` when it is busy.
    pub fn flush(&mut self) -> bool {
        self.end_burst();
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
        self.handed = Some(Instant::now());
        self.batch.bytes.clear();
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

    /// The same; says whether all output that there was is in the recording then.
    pub fn holds_all(&mut self, patience: Duration) -> bool {
        self.settle(patience) && !self.gaps
    }

    /// Ends the recording; a disk that hangs longer than `patience` loses the rest. Says whether it holds all output.
    pub fn finish(mut self, patience: Duration) -> bool {
        let settled = self.settle(patience);
        lock(&self.shared.slot).closing = true;
        self.shared.changed.notify_all();
        if let (Some(thread), true) = (self.thread.take(), settled) {
            let _ = thread.join();
        }
        settled && !self.gaps
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
            self.write_at_last(&batch, shared);
            batch.bytes.clear();
            let _ = rustix::io::write(&self.wake, b"w");
            lock(&shared.slot).busy = false;
            shared.changed.notify_all();
        }
    }

    /// Writes a batch as soon as the disk takes it; what is never taken is lost when the recording ends.
    fn write_at_last(&mut self, batch: &Batch, shared: &Shared) {
        let mut failing = false;
        while let Err(fault) = self.write(batch) {
            if !failing {
                log::line(format_args!("recording in {} pauses: {fault}", self.dir.display()));
            }
            failing = true;
            let mut slot = lock(&shared.slot);
            slot.failing = true;
            if slot.closing {
                break;
            }
            drop(shared.changed.wait_timeout(slot, RETRY));
        }
        if failing {
            lock(&shared.slot).failing = false;
        }
    }

    /// Writes a batch whole, or nothing of it.
    fn write(&mut self, batch: &Batch) -> io::Result<()> {
        if self.file.is_none() || self.size + batch.bytes.len() as u64 > SEGMENT_MAX {
            self.begin(batch.start)?;
        }
        let Some(file) = self.file.as_mut() else { return Ok(()) };
        if let Err(fault) = file.write_all(&batch.bytes) {
            // A later segment starts clean; this one ends at its last whole record.
            let _ = file.set_len(self.size);
            self.close();
            return Err(fault);
        }
        self.size += batch.bytes.len() as u64;
        Ok(())
    }

    fn begin(&mut self, start: Start) -> io::Result<()> {
        self.close();
        let path = segment_path(&self.dir, self.number + 1);
        self.header.at_us = start.at.as_micros() as u64;
        self.header.offset = start.offset;
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

#[cfg(test)]
mod tests {
    use super::super::Reader;
    use super::super::testing::writer;
    use super::*;

    /// The output that the recording in a folder holds, and how much it lacks.
    fn read(dir: &Path) -> (Vec<u8>, u64) {
        let mut all = (Vec::new(), 0);
        for moment in Reader::open(dir).map_while(Result::ok) {
            match moment.record {
                Record::Output(bytes) => all.0.extend(bytes),
                Record::Gap(lost) => all.1 += lost,
                _ => {}
            }
        }
        all
    }

    #[test]
    fn g9_what_a_bad_disk_did_not_take_is_written_when_it_does_although_nothing_follows() {
        let folder = tempfile::tempdir().unwrap();
        // A folder that is not there yet takes nothing, for root as well.
        let dir = folder.path().join("later");
        let (mut writer, mut grown) = writer(&dir);
        writer.output(Duration::ZERO, b"before ");
        assert!(writer.flush());
        while writer.pause() != RETRY {
            std::thread::yield_now();
        }
        writer.output(Duration::ZERO, b"meanwhile");
        assert!(!writer.flush(), "it waits for the disk");
        std::fs::create_dir(&dir).unwrap();
        io::Read::read_exact(&mut grown, &mut [0]).unwrap();
        assert!(writer.settle(Duration::from_secs(60)));
        assert_eq!(read(&dir), (b"before meanwhile".to_vec(), 0));
    }

    #[test]
    fn what_comes_after_a_rest_is_handed_over_at_once_and_what_follows_within_a_moment() {
        let dir = tempfile::tempdir().unwrap();
        let (mut writer, _grown) = writer(dir.path());
        assert_eq!(writer.gathers(), None, "nothing waits");
        writer.output(Duration::ZERO, b"first");
        assert_eq!(writer.gathers(), Some(Duration::ZERO));
        assert!(writer.settle(Duration::from_secs(60)));
        writer.output(Duration::ZERO, b"second");
        assert!(writer.gathers().is_some_and(|rest| rest <= GATHER));
        writer.output(Duration::ZERO, &[b'x'; ENOUGH]);
        assert_eq!(writer.gathers(), Some(Duration::ZERO), "so much does not wait for time to pass");
    }

    #[test]
    fn output_of_one_moment_is_one_record_and_what_comes_between_or_later_ends_it() {
        let dir = tempfile::tempdir().unwrap();
        let (mut writer, _grown) = writer(dir.path());
        writer.output(Duration::ZERO, b"a ");
        writer.output(BURST, b"flood");
        writer.output(BURST + Duration::from_micros(1), b"later");
        writer.record(BURST * 2, &Record::Resize(80, 24));
        writer.output(BURST * 2, b"after");
        writer.output(BURST * 2, &[b'x'; BURST_MAX]);
        writer.finish(Duration::from_secs(60));
        let all = Reader::open(dir.path()).map_while(Result::ok).skip(1);
        let all: Vec<_> = all.map(|moment| (moment.at, moment.record)).collect();
        let output = |bytes: &[u8]| Record::Output(bytes.to_vec());
        assert_eq!(
            all,
            [
                (Duration::ZERO, output(b"a flood")),
                (BURST + Duration::from_micros(1), output(b"later")),
                (BURST * 2, Record::Resize(80, 24)),
                (BURST * 2, output(b"after")),
                (BURST * 2, output(&[b'x'; BURST_MAX])),
            ]
        );
    }

    #[test]
    fn g9_a_recording_ends_although_the_disk_never_takes_it() {
        let folder = tempfile::tempdir().unwrap();
        let (mut writer, _grown) = writer(&folder.path().join("never"));
        writer.output(Duration::ZERO, b"lost");
        writer.finish(Duration::from_millis(1));
    }

    #[test]
    fn g9_what_finds_no_room_while_the_disk_takes_nothing_is_counted() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("later");
        let (mut writer, _grown) = writer(&dir);
        writer.output(Duration::ZERO, b"first");
        assert!(writer.flush());
        let block = vec![b'x'; 1 << 20];
        for _ in 0..12 {
            writer.output(Duration::ZERO, &block);
        }
        std::fs::create_dir(&dir).unwrap();
        assert!(writer.settle(Duration::from_secs(60)));
        let (kept, lost) = read(&dir);
        assert!(lost > 0 && kept.len() > BUFFER_MAX);
        assert_eq!(kept.len() as u64 + lost, 5 + (12 << 20));
    }
}
