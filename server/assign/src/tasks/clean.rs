//! Removes archived tasks and their results. Must not: touch a task that waits, or anything that is none of ours.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use schemars::JsonSchema;
use serde::Serialize;
use wire::text::{counted, escape};

use super::folder::Folder;
use super::name::{ENDING, Name};
use super::rest::Sight;
use crate::failure::Failure;
use crate::print::Printer;

#[derive(Serialize, JsonSchema)]
pub struct Removed {
    removed: usize,
}

/// Removes what was archived longer ago than `older` milliseconds, once `agree` says so. Gives the exit code.
pub fn clean(
    print: &Printer,
    dir: &Path,
    older: u64,
    agree: impl FnOnce(&str) -> Result<bool, Failure>,
) -> Result<u8, Failure> {
    let shown = escape(&dir.display().to_string());
    let failed = |e: io::Error| Failure::failed(format!("cannot clean {shown}: {e}"));
    Folder::open(dir)?;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_millis();
    let before = i64::try_from(now).unwrap_or(i64::MAX).saturating_sub_unsigned(older);
    let files = old(dir, before).map_err(failed)?;
    let none = || print.object_or(&Removed { removed: 0 }, || "nothing was removed".to_owned()).map(|()| 0);
    if files.is_empty() || !agree(&format!("Remove {} of {shown}?", counted(files.len(), "file")))? {
        return none();
    }
    for file in &files {
        match fs::remove_file(file) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(failed(e)),
            _ => {}
        }
    }
    print.object_or(&Removed { removed: files.len() }, || {
        format!("{} removed", counted(files.len(), "file"))
    })?;
    Ok(0)
}

/// Archived tasks that were moved there before, and results of tasks of which nothing newer is there.
fn old(dir: &Path, before: i64) -> io::Result<Vec<PathBuf>> {
    let mut out = Vec::new();
    let mut kept: BTreeSet<String> = BTreeSet::new();
    let mut gone: BTreeSet<String> = BTreeSet::new();
    for archive in ["done", "failed"] {
        let folder = dir.join(archive);
        match fs::symlink_metadata(&folder) {
            Ok(meta) if meta.is_dir() => {}
            _ => continue,
        }
        for (file, changed) in files(&folder)? {
            let Some(Ok(name)) = Name::of_file(&file) else { continue };
            if changed < before {
                gone.insert(name.as_str().to_owned());
                out.push(folder.join(file));
            } else {
                kept.insert(name.as_str().to_owned());
            }
        }
    }
    for (file, changed) in files(dir)? {
        let of = [".result.json", ".summary.txt"].iter().find_map(|ending| file.strip_suffix(ending));
        let waits = |name: &str| dir.join(format!("{name}{ENDING}")).symlink_metadata().is_ok();
        if of.is_some_and(|name| {
            changed < before && gone.contains(name) && !kept.contains(name) && !waits(name)
        }) {
            out.push(dir.join(file));
        }
    }
    Ok(out)
}

/// Regular files of a folder, with when anything of them changed last, in milliseconds since the epoch.
fn files(dir: &Path) -> io::Result<Vec<(String, i64)>> {
    let mut out = Vec::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let Some(name) = entry.file_name().to_str().map(str::to_owned) else { continue };
        match fs::symlink_metadata(entry.path()) {
            Ok(meta) if meta.is_file() => out.push((name, Sight::of(&meta).changed_ms())),
            _ => {}
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_archived_is_removed_and_only_after_a_yes() {
        let dir = tempfile::tempdir().unwrap();
        let path = |file: &str| dir.path().join(file);
        fs::create_dir(path("done")).unwrap();
        let ours = ["done/a.task.md", "a.result.json", "a.summary.txt", "done/b.task.md"];
        let others = ["b.task.md", "b.result.json", "c.result.json", "done/notes.md", "a.error.txt"];
        for file in ours.iter().chain(&others) {
            fs::write(path(file), "x").unwrap();
        }
        let print = Printer::new(true);
        assert_eq!(old(dir.path(), 0).unwrap(), Vec::<PathBuf>::new(), "nothing is as old as that");
        let mut found = old(dir.path(), i64::MAX).unwrap();
        found.sort();
        let mut expected: Vec<PathBuf> = ours.iter().map(|file| path(file)).collect();
        expected.sort();
        assert_eq!(found, expected);
        clean(&print, dir.path(), 0, |_| Ok(false)).unwrap();
        assert!(ours.iter().all(|file| path(file).exists()));
        std::thread::sleep(std::time::Duration::from_millis(20));
        clean(&print, dir.path(), 0, |_| Ok(true)).unwrap();
        assert!(ours.iter().all(|file| !path(file).exists()));
        assert!(others.iter().all(|file| path(file).exists()));
    }
}
