//! The folder of tasks on disk: looked at, read, written and moved in so that nothing is lost and nothing outside is touched.
//!
//! Invariant: a file of ours is there whole or not at all, whenever the process is killed.
//! Must not: know what a task says.

use std::collections::BTreeMap;
use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{Mode, OFlags};
use sha2::{Digest, Sha256};
use wire::text::{escape, hex};

use super::name::Name;
use super::rest::Sight;
use crate::failure::Failure;

/// Largest task file, in bytes.
const FILE_MAX: usize = wire::PROMPT_MAX;
/// Most tasks that are looked at at once; others have their turn when these are gone.
const FILES_MAX: usize = 10_000;
/// How files begin that are being written.
const TEMP: &str = ".muster-";
/// When one that was being written is left over.
const LEFT_OVER: Duration = Duration::from_secs(60);

/// A folder.
pub struct Folder {
    path: PathBuf,
}

/// A file that was read.
pub struct Text {
    /// What is in it.
    pub text: String,
    /// SHA-256, hexadecimal.
    pub sha256: String,
    /// What it looked like.
    pub sight: Sight,
}

/// Why a file was not read.
#[derive(Debug)]
pub enum Unread {
    /// It is none that is read.
    Refused(String),
    /// Something went wrong; it may go well another time.
    Failed(io::Error),
}

/// What is in a folder.
pub struct Listing {
    /// Tasks by name, as they look from outside.
    pub tasks: BTreeMap<Name, Sight>,
    /// Files that would be tasks but for their names, with the reason.
    pub misnamed: Vec<String>,
}

impl Folder {
    /// A folder that is there.
    pub fn open(path: &Path) -> Result<Self, Failure> {
        let bad = |e: io::Error| {
            Failure::Usage(format!("cannot use the folder {}: {e}", escape(&path.display().to_string())))
        };
        let path = fs::canonicalize(path).map_err(bad)?;
        fs::read_dir(&path).map_err(bad)?;
        Ok(Self { path })
    }

    /// Its name from the root, as bytes.
    pub fn name(&self) -> &[u8] {
        self.path.as_os_str().as_encoded_bytes()
    }

    /// The tasks in it.
    pub fn list(&self) -> io::Result<Listing> {
        let mut listing = Listing { tasks: BTreeMap::new(), misnamed: Vec::new() };
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            let file = entry.file_name();
            let name = match file.to_str().map(Name::of_file) {
                Some(None) => continue,
                Some(Some(Ok(name))) => name,
                Some(Some(Err(why))) => {
                    listing.misnamed.push(why);
                    continue;
                }
                None => {
                    if file.as_encoded_bytes().ends_with(super::name::ENDING.as_bytes()) {
                        let shown = escape(&file.to_string_lossy());
                        listing.misnamed.push(format!("'{shown}' is not taken: its name is not UTF-8"));
                    }
                    continue;
                }
            };
            // Gone again: nothing to take.
            let Ok(meta) = fs::symlink_metadata(entry.path()) else { continue };
            if meta.is_dir() {
                continue;
            }
            listing.tasks.insert(name, Sight::of(&meta));
            if listing.tasks.len() >= FILES_MAX {
                break;
            }
        }
        Ok(listing)
    }

    /// A task's text.
    pub fn read(&self, name: &Name) -> Result<Text, Unread> {
        read(&self.path.join(name.task()))
    }

    /// Writes a file whole, in the place of the one that was there.
    pub fn write(&self, file: &str, bytes: &[u8]) -> io::Result<()> {
        let temp = self.path.join(format!("{TEMP}{}-{file}.tmp", std::process::id()));
        let written = write_new(&temp, bytes).and_then(|()| fs::rename(&temp, self.path.join(file)));
        if written.is_err() {
            let _ = fs::remove_file(&temp);
        }
        written
    }

    /// Whether a file of ours holds a word.
    pub fn holds(&self, file: &str, word: &str) -> bool {
        read(&self.path.join(file)).is_ok_and(|read| read.text.contains(word))
    }

    /// Takes a file of ours away, if it is there.
    pub fn remove(&self, file: &str) -> io::Result<()> {
        match fs::remove_file(self.path.join(file)) {
            Err(e) if e.kind() != ErrorKind::NotFound => Err(e),
            _ => Ok(()),
        }
    }

    /// Moves a task into an archive, beside those of its name; where it is then. `None` when it is not there any more or
    /// is another by now.
    pub fn archive(&self, name: &Name, archive: &str, sha256: &str) -> io::Result<Option<String>> {
        match self.read(name) {
            Ok(there) if there.sha256 == sha256 => {}
            Ok(_) | Err(Unread::Refused(_)) => return Ok(None),
            Err(Unread::Failed(e)) if e.kind() == ErrorKind::NotFound => return Ok(None),
            Err(Unread::Failed(e)) => return Err(e),
        }
        let folder = self.path.join(archive);
        match fs::create_dir(&folder) {
            Err(e) if e.kind() != ErrorKind::AlreadyExists => return Err(e),
            _ => {}
        }
        if !fs::symlink_metadata(&folder)?.is_dir() {
            let text = format!("{archive}/ is no folder of its own; a link is not followed");
            return Err(io::Error::new(ErrorKind::NotADirectory, text));
        }
        let mut nth = 1;
        while fs::symlink_metadata(folder.join(name.archived(nth))).is_ok() {
            nth += 1;
        }
        let to = name.archived(nth);
        match fs::rename(self.path.join(name.task()), folder.join(&to)) {
            Ok(()) => Ok(Some(format!("{archive}/{to}"))),
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// Removes what a killed process was writing.
    pub fn sweep(&self) {
        for entry in fs::read_dir(&self.path).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let ours = name.to_str().is_some_and(|n| n.starts_with(TEMP) && n.ends_with(".tmp"));
            let old = |meta: Metadata| {
                meta.is_file()
                    && meta.modified().is_ok_and(|at| at.elapsed().is_ok_and(|age| age > LEFT_OVER))
            };
            if ours && fs::symlink_metadata(entry.path()).is_ok_and(old) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}

/// Reads a regular file that is not a link, whole or not at all.
pub fn read(path: &Path) -> Result<Text, Unread> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let mut file = match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(file) => File::from(file),
        Err(rustix::io::Errno::LOOP | rustix::io::Errno::MLINK) => {
            return Err(Unread::Refused("it is a symbolic link; put the file itself here".to_owned()));
        }
        Err(e) => return Err(Unread::Failed(e.into())),
    };
    let before = file.metadata().map_err(Unread::Failed)?;
    if !before.is_file() {
        return Err(Unread::Refused("it is no regular file".to_owned()));
    }
    let mut bytes = Vec::new();
    let most = FILE_MAX as u64 + 1;
    (&mut file).take(most).read_to_end(&mut bytes).map_err(Unread::Failed)?;
    let sight = Sight::of(&before);
    let after = file.metadata().map_err(Unread::Failed)?;
    if Sight::of(&after) != sight {
        return Err(Unread::Failed(io::Error::new(ErrorKind::ResourceBusy, "it is being written")));
    }
    if bytes.len() > FILE_MAX {
        return Err(Unread::Refused(format!("it is larger than {} KiB", FILE_MAX >> 10)));
    }
    let sha256 = hex(&Sha256::digest(&bytes));
    let text = String::from_utf8(bytes).map_err(|e| {
        let line = 1 + e.as_bytes()[..e.utf8_error().valid_up_to()].iter().filter(|b| **b == b'\n').count();
        Unread::Refused(format!("line {line}: it is not UTF-8 text"))
    })?;
    Ok(Text { text, sha256, sight })
}

fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // One of the same name was left by a process of our number that was killed.
    let _ = fs::remove_file(path);
    let mut file = fs::OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> (tempfile::TempDir, Folder) {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::open(dir.path()).unwrap();
        (dir, folder)
    }

    fn name() -> Name {
        Name::new("a").unwrap()
    }

    #[test]
    fn what_leads_out_of_the_folder_is_not_read() {
        let (dir, folder) = folder();
        let outside = tempfile::NamedTempFile::new().unwrap();
        std::os::unix::fs::symlink(outside.path(), dir.path().join("a.task.md")).unwrap();
        assert!(matches!(folder.read(&name()), Err(Unread::Refused(why)) if why.contains("link")));
        fs::remove_file(dir.path().join("a.task.md")).unwrap();
        rustix::fs::mkfifoat(rustix::fs::CWD, dir.path().join("a.task.md"), Mode::RUSR | Mode::WUSR).unwrap();
        assert!(matches!(folder.read(&name()), Err(Unread::Refused(_))), "and nobody waits for a writer");
    }

    #[test]
    fn what_is_no_text_is_refused_with_its_line() {
        let (dir, folder) = folder();
        fs::write(dir.path().join("a.task.md"), b"a\nb\xff").unwrap();
        assert!(matches!(folder.read(&name()), Err(Unread::Refused(why)) if why.starts_with("line 2")));
        fs::write(dir.path().join("a.task.md"), vec![b'x'; FILE_MAX + 1]).unwrap();
        assert!(matches!(folder.read(&name()), Err(Unread::Refused(why)) if why.contains("256 KiB")));
    }

    #[test]
    fn an_archive_keeps_all_of_one_name_and_never_one_that_changed() {
        let (dir, folder) = folder();
        let put = |text: &str| {
            fs::write(dir.path().join("a.task.md"), text).unwrap();
            folder.read(&name()).unwrap().sha256
        };
        let first = put("x");
        assert_eq!(folder.archive(&name(), "done", &first).unwrap().as_deref(), Some("done/a.task.md"));
        assert_eq!(folder.archive(&name(), "done", &first).unwrap(), None);
        put("y");
        assert_eq!(folder.archive(&name(), "done", &first).unwrap(), None);
        let same = put("x");
        assert_eq!(folder.archive(&name(), "done", &same).unwrap().as_deref(), Some("done/a.2.task.md"));
    }

    #[test]
    fn an_archive_that_is_a_link_is_not_used() {
        let (dir, folder) = folder();
        let outside = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(outside.path(), dir.path().join("done")).unwrap();
        fs::write(dir.path().join("a.task.md"), "x").unwrap();
        let hash = folder.read(&name()).unwrap().sha256;
        assert!(folder.archive(&name(), "done", &hash).is_err());
        assert!(dir.path().join("a.task.md").exists());
    }

    #[test]
    fn a_file_is_written_over_a_link_and_not_through_it() {
        let (dir, folder) = folder();
        let outside = tempfile::NamedTempFile::new().unwrap();
        std::os::unix::fs::symlink(outside.path(), dir.path().join("a.result.json")).unwrap();
        folder.write("a.result.json", b"{}").unwrap();
        assert_eq!(fs::read(outside.path()).unwrap(), b"");
        assert_eq!(fs::read(dir.path().join("a.result.json")).unwrap(), b"{}");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn only_tasks_are_listed() {
        let (dir, folder) = folder();
        for file in ["a.task.md", ".b.task.md.swp", "c.md", "d\n.task.md", "e.task.md~"] {
            fs::write(dir.path().join(file), "x").unwrap();
        }
        fs::create_dir(dir.path().join("f.task.md")).unwrap();
        let listing = folder.list().unwrap();
        assert_eq!(listing.tasks.keys().map(Name::as_str).collect::<Vec<_>>(), ["a"]);
        assert_eq!(listing.misnamed.len(), 1);
    }
}
