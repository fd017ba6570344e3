//! A session's recording: what its program wrote, and when.
//!
//! Owns: the format, writing without ever making the holder wait for the disk, reading while it grows.
//! Must not: interpret the bytes.
//!
//! A recording is a folder of segments `000001.mrec`, `000002.mrec`, …, each at most [`SEGMENT_MAX`] long (give or
//! take one record) and readable alone. A segment is [`MAGIC`] and then records: `kind u8 · delta · length · payload`,
//! where `delta` (microseconds since the record before it) and `length` (bytes of payload) are LEB128 numbers.
//! The first record of a segment is its [`Header`].

mod reader;
mod record;
#[cfg(test)]
pub mod testing;
mod writer;

pub use reader::{Follow, ReadError, Reader};
pub use record::{Begun, From, Header, Moment, Record};
pub use writer::Writer;

use std::path::{Path, PathBuf};

/// First bytes of a segment: name and version of the format.
pub const MAGIC: &[u8; 8] = b"MUSTREC1";

/// Bytes after which a new segment is begun.
pub const SEGMENT_MAX: u64 = 16 << 20;

/// Bytes of recording kept for one session; the oldest segments go first.
pub const SESSION_MAX: u64 = 512 << 20;

/// The file of segment `number`, from 1.
fn segment_path(dir: &Path, number: u32) -> PathBuf {
    dir.join(format!("{number:06}.mrec"))
}

/// Numbers of the segments in `dir`, ascending. A folder that is not there holds none.
fn segments(dir: &Path) -> std::io::Result<Vec<u32>> {
    let entries = match std::fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(e),
    };
    let mut numbers = Vec::new();
    for entry in entries {
        let name = entry?.file_name();
        let number = name.to_str().and_then(|n| n.strip_suffix(".mrec")).and_then(|n| n.parse::<u32>().ok());
        numbers.extend(number);
    }
    numbers.sort_unstable();
    Ok(numbers)
}
