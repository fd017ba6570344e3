//! How long what has ended is kept, and deleting it for good: by the configuration, or because a person wants it gone.
//!
//! Owns: the folders of sessions that have ended, and the order: first the folder, from which an observer could tell
//! everything anew, then the database, then what deleting leaves in its files. Must not: touch a session that lives.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use wire::http::ErrorCode;
use wire::place::{Place, observe};
use wire::purge::{Purge, Purged};
use wire::{SessionId, UnixMillis};

use crate::clock::Cautious;
use crate::fault::Fault;
use crate::http::{App, turned};
use crate::hub::{Ask, Forgotten, Purging, now};
use crate::store::{Answered, Ended, Reader};

/// How often it is looked at what is kept too long.
const EVERY: Duration = Duration::from_secs(60 * 60);
/// How long after its start a server first looks: its wrappers are back by then.
const FIRST: Duration = Duration::from_secs(60);
/// How long after its end a session is kept however full the disk is.
const LATELY: u64 = 60 * 60_000;
/// How long one request deletes; what is left takes another.
const WORK: Duration = Duration::from_secs(10);
/// How long the wrapper of a session that was just ended may take to end as well.
const ENDING: Duration = Duration::from_secs(10);
/// How often that is looked at.
const LOOK: Duration = Duration::from_millis(50);
/// Prompts of one step.
const PROMPTS: usize = 100;

/// In milliseconds.
pub const DAY: u64 = 24 * 60 * 60_000;
/// In bytes.
pub const MEGABYTE: u64 = 1_000_000;

/// What is kept; `None` is for ever.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keep {
    /// How long recordings of sessions that have ended, in milliseconds.
    pub recordings: Option<u64>,
    /// How many bytes of recordings, the oldest going first.
    pub bytes: Option<u64>,
    /// How long prompts and what sessions reported, after their end, in milliseconds.
    pub history: Option<u64>,
}

impl Default for Keep {
    fn default() -> Self {
        Self { recordings: Some(7 * DAY), bytes: Some(2_000 * MEGABYTE), history: Some(90 * DAY) }
    }
}

/// What is on the disk for a session that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Folder {
    id: SessionId,
    bytes: u64,
    ended: UnixMillis,
}

/// Deletes what is kept too long, now and then, until the server ends. `last`: when something was last written down before.
pub async fn tend(app: App, keep: Keep, last: Option<UnixMillis>, mut ending: watch::Receiver<bool>) {
    let mut clock = Cautious::new(Instant::now(), now(), last);
    let mut every = tokio::time::interval_at(tokio::time::Instant::now() + FIRST, EVERY);
    loop {
        tokio::select! {
            _ = every.tick() => {}
            () = turned(&mut ending) => return,
        }
        tokio::select! {
            swept = sweep(&app, &keep, clock.now(Instant::now(), now())) => {
                if let Err(fault) = swept {
                    tracing::warn!(error = fault.0.message, "what is kept too long could not be deleted");
                }
            }
            () = turned(&mut ending) => return,
        }
    }
}

/// Deletes what is kept longer than it may be.
async fn sweep(app: &App, keep: &Keep, now: UnixMillis) -> Result<(), Fault> {
    let ends = app.archive.read(|reader| Ok(Ok(reader.ends_of_sessions()?))).await?;
    let (place, limits) = (app.place.clone(), keep.clone());
    let removed = off(move || {
        let mut all = 0;
        let mut ended = Vec::new();
        for (id, folder) in folders(&place)? {
            let bytes = size(&folder);
            all += bytes;
            match ends.get(&id) {
                Some(Some(at)) => ended.push(Folder { id, bytes, ended: *at }),
                // Its end is yet to be told, by whoever reads its recording.
                Some(None) => {}
                None => ended.push(Folder { id, bytes, ended: changed(&folder) }),
            }
        }
        Ok(over(ended, all, &limits, now).iter().filter_map(|id| remove(&place, id)).sum::<u64>())
    });
    let mut purged = Purged { bytes: removed.await?, ..Purged::default() };
    if let Some(history) = keep.history {
        let before = UnixMillis(now.0.saturating_sub_unsigned(history));
        let ended = app.archive.read(move |reader| Ok(Ok(reader.ended_before(before)?))).await?;
        let forgotten = forget(app, ended, None).await?;
        purged = Purged { bytes: purged.bytes + forgotten.bytes, ..forgotten };
    }
    if purged != Purged::default() {
        tracing::info!(?purged, "deleted what was kept long enough");
    }
    if purged.sessions + purged.prompts > 0 {
        app.hub.ask(|reply| Ask::Purge(Purging::Done(purged, "server".to_owned(), reply))).await?;
    }
    Ok(())
}

/// Deletes what a person wants gone, as much as fits a request.
pub async fn purge(app: &App, asked: Purge, by: String) -> Result<Purged, Fault> {
    let (named, ended) = match (asked.session, asked.older_ms) {
        (Some(name), None) => {
            let id = app.archive.read(move |reader| reader.session(&name)).await?;
            (Some(id.clone()), while_it_ends(app, &id, || app.archive.read(by_id(&id))).await?)
        }
        (None, Some(age)) => {
            let before = UnixMillis(now().0.saturating_sub_unsigned(age));
            (None, app.archive.read(move |reader| Ok(Ok(reader.ended_before(before)?))).await?)
        }
        _ => return Err(Fault::bad("either a session or an age has to be said", "give one of them")),
    };
    if asked.dry_run {
        let (sessions, prompts) = (ended.sessions.len() as u64, ended.prompts.len() as u64);
        let place = app.place.clone();
        let bytes = off(move || Ok(ended.sessions.iter().map(|id| size(&place.session(id))).sum())).await?;
        return Ok(Purged { sessions, prompts, bytes, left: false });
    }
    let until = Some(Instant::now() + WORK);
    let purged = match named {
        None => forget(app, ended, until).await?,
        Some(id) => while_it_ends(app, &id, || forget_named(app, id.clone(), ended.clone(), until)).await?,
    };
    app.hub.ask(|reply| Ask::Purge(Purging::Done(purged, by, reply))).await?;
    if !purged.left {
        let mut first = true;
        while !app.hub.ask(|reply| Ask::Purge(Purging::Scrub(first, reply))).await? {
            first = false;
        }
        if !app.archive.empty_log().await? {
            let text = "it is deleted, but something reads the database, so that its log still holds it";
            return Err(Fault::conflict(text, "do it again"));
        }
    }
    Ok(purged)
}

fn by_id(id: &SessionId) -> impl FnOnce(&Reader) -> Answered<Ended> + Send + use<> {
    let id = id.clone();
    move |reader| reader.ended_session(&id)
}

/// Asks again while a session is in the way whose program has ended: its wrapper tells that in a moment, and ends as well.
async fn while_it_ends<T, F>(app: &App, id: &SessionId, ask: impl Fn() -> F) -> Result<T, Fault>
where
    F: Future<Output = Result<T, Fault>>,
{
    let until = Instant::now() + ENDING;
    loop {
        match ask().await {
            Err(fault)
                if fault.0.code == ErrorCode::Conflict && !app.place.lives(id) && Instant::now() < until =>
            {
                tokio::time::sleep(LOOK).await;
            }
            done => return done,
        }
    }
}

/// The same of one session; that it has to stay is a fault then.
async fn forget_named(
    app: &App,
    id: SessionId,
    ended: Ended,
    until: Option<Instant>,
) -> Result<Purged, Fault> {
    let stays =
        || Fault::conflict("the session has ended, but its wrapper has not", "do it again in a moment");
    let place = app.place.clone();
    let bytes = off(move || Ok(remove(&place, &id))).await?.ok_or_else(stays)?;
    let purged = forget(app, ended, until).await?;
    if purged.sessions == 0 && !purged.left { Err(stays()) } else { Ok(Purged { bytes, ..purged }) }
}

/// Deletes, until a moment.
async fn forget(app: &App, ended: Ended, until: Option<Instant>) -> Result<Purged, Fault> {
    let late = || until.is_some_and(|until| Instant::now() > until);
    let place = app.place.clone();
    let removed = off(move || {
        let gone = |id: SessionId| remove(&place, &id).map(|bytes| (id, bytes));
        Ok(ended.sessions.into_iter().filter_map(gone).collect::<Vec<_>>())
    });
    let removed = removed.await?;
    let mut purged = Purged { bytes: removed.iter().map(|(_, bytes)| bytes).sum(), ..Purged::default() };
    for some in ended.prompts.chunks(PROMPTS) {
        if late() {
            return Ok(Purged { left: true, ..purged });
        }
        purged.prompts += app.hub.ask(|reply| Ask::Purge(Purging::Prompts(some.to_vec(), reply))).await?;
    }
    for (id, _) in removed {
        loop {
            match app.hub.ask(|reply| Ask::Purge(Purging::Session(id.clone(), reply))).await? {
                Forgotten::Partly if late() => return Ok(Purged { left: true, ..purged }),
                Forgotten::Partly => {}
                Forgotten::Wholly => {
                    purged.sessions += 1;
                    break;
                }
                Forgotten::Not => break,
            }
        }
    }
    Ok(purged)
}

/// Which folders go: those that are too old, and the oldest while there are too many bytes in all.
fn over(mut ended: Vec<Folder>, mut all: u64, keep: &Keep, now: UnixMillis) -> Vec<SessionId> {
    ended.sort_by(|a, b| (a.ended, &a.id).cmp(&(b.ended, &b.id)));
    let mut gone = Vec::new();
    for Folder { id, bytes, ended } in ended {
        let age = now.since(ended);
        let old = keep.recordings.is_some_and(|limit| age > limit);
        let full = keep.bytes.is_some_and(|limit| all > limit);
        if age > LATELY && (old || full) {
            all = all.saturating_sub(bytes);
            gone.push(id);
        }
    }
    gone
}

/// Removes the folder of a session that nobody runs or observes. Gives how many bytes there were; `None`: it has to stay.
fn remove(place: &Place, id: &SessionId) -> Option<u64> {
    let folder = place.session(id);
    if !id.is_plain() || place.lives(id) {
        return None;
    }
    // Held until the folder is gone: nobody can begin to observe what is going.
    let _held = match observed(&folder) {
        Ok(held) => held,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Some(0),
        Err(_) => return None,
    };
    let bytes = size(&folder);
    match fs::remove_dir_all(&folder) {
        Ok(()) => Some(bytes),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Some(0),
        Err(error) => {
            tracing::warn!(%error, folder = %folder.display(), "a session's folder cannot be removed");
            None
        }
    }
}

/// Takes the lock of whoever observes a session.
fn observed(folder: &Path) -> io::Result<File> {
    if !fs::symlink_metadata(folder)?.is_dir() {
        return Err(io::ErrorKind::NotADirectory.into());
    }
    observe(folder)
}

/// The folders of all sessions.
fn folders(place: &Place) -> io::Result<Vec<(SessionId, std::path::PathBuf)>> {
    let mut folders = Vec::new();
    for entry in fs::read_dir(place.sessions())? {
        let entry = entry?;
        let id = SessionId(entry.file_name().to_string_lossy().into_owned());
        if id.is_plain() && entry.file_type()?.is_dir() {
            folders.push((id, entry.path()));
        }
    }
    Ok(folders)
}

/// What a folder's files take.
fn size(folder: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    let files = entries.filter_map(|entry| entry.ok()?.metadata().ok());
    files.map(|file| file.len()).sum()
}

/// When anything in a folder last changed.
fn changed(folder: &Path) -> UnixMillis {
    let millis = |meta: fs::Metadata| {
        let since = meta.modified().ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
        i64::try_from(since.as_millis()).ok()
    };
    let entries = fs::read_dir(folder).into_iter().flatten();
    let times = entries.filter_map(|entry| millis(entry.ok()?.metadata().ok()?));
    // What cannot be read is not old.
    UnixMillis(times.chain(fs::metadata(folder).ok().and_then(millis)).max().unwrap_or(i64::MAX))
}

/// Does something with the disk, on a thread that may wait.
async fn off<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> Result<T, Fault> {
    match tokio::task::spawn_blocking(work).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => {
            tracing::error!(%error, "the folders of sessions cannot be read");
            Err(Fault::internal())
        }
        Err(_) => Err(Fault::internal()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMillis = UnixMillis(1_000 * DAY as i64);

    fn folder(id: &str, bytes: u64, age: u64) -> Folder {
        Folder { id: SessionId(id.to_owned()), bytes, ended: UnixMillis(NOW.0.saturating_sub_unsigned(age)) }
    }

    fn gone(keep: &Keep, all: u64) -> Vec<String> {
        let ended = vec![folder("new", 30, 2 * DAY), folder("old", 20, 8 * DAY), folder("now", 40, 60_000)];
        over(ended, all, keep, NOW).into_iter().map(|id| id.0).collect()
    }

    #[test]
    fn a72_what_is_too_old_goes_and_the_oldest_while_there_is_too_much() {
        let keep = Keep { recordings: Some(7 * DAY), bytes: Some(100), history: None };
        assert_eq!(gone(&keep, 90), ["old"]);
        assert_eq!(gone(&keep, 121), ["old", "new"], "101 are left with one gone");
        assert_eq!(gone(&Keep { recordings: None, ..keep.clone() }, 120), ["old"]);
        assert_eq!(
            gone(&Keep { recordings: None, bytes: Some(0), history: None }, 90),
            ["old", "new"],
            "not the latest"
        );
        assert!(gone(&Keep { recordings: None, bytes: None, history: None }, u64::MAX).is_empty());
    }

    fn place() -> (tempfile::TempDir, Place) {
        let dir = tempfile::tempdir().unwrap();
        let home = dir.path().to_owned().into_os_string();
        let place = Place::find(|name| (name == "MUSTER_HOME").then(|| home.clone())).unwrap();
        place.create().unwrap();
        (dir, place)
    }

    #[test]
    fn a72_nothing_goes_that_is_observed_or_runs_or_is_no_sessions() {
        let (_dir, place) = place();
        let make = |name: &str| {
            let id = SessionId(name.to_owned());
            fs::create_dir(place.session(&id)).unwrap();
            fs::write(place.session(&id).join("recording"), "four").unwrap();
            id
        };
        let (ended, watched, runs) = (make("ended"), make("watched"), make("runs"));
        let _observer = observed(&place.session(&watched)).unwrap();
        let _holder = std::os::unix::net::UnixListener::bind(place.session_socket(&runs)).unwrap();
        for stays in [&watched, &runs, &SessionId("..".to_owned()), &SessionId(String::new())] {
            assert_eq!(remove(&place, stays), None);
        }
        assert!(
            place.sessions().exists() && place.session(&watched).exists() && place.session(&runs).exists()
        );
        assert_eq!(remove(&place, &ended), Some(4));
        assert!(!place.session(&ended).exists());
        assert_eq!(remove(&place, &ended), Some(0), "it was gone");
    }

    #[test]
    fn a72_a_link_is_not_followed() {
        let (dir, place) = place();
        let elsewhere = dir.path().join("elsewhere");
        fs::create_dir(&elsewhere).unwrap();
        fs::write(elsewhere.join("mine"), "").unwrap();
        let id = SessionId("linked".to_owned());
        std::os::unix::fs::symlink(&elsewhere, place.session(&id)).unwrap();
        assert_eq!(folders(&place).unwrap(), []);
        assert_eq!(remove(&place, &id), None);
        assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 1);
    }
}
