//! Hostile output: text that imitates every sign of every agent, printed where its tools and its model print.
//!
//! What Muster shows of each case stands in `fixtures/spoofs.md`, which `MUSTER_WRITE=1 cargo test -p extractor` writes.
//! It is compared with what it shows when nothing is printed: the same states, dialogs and ends of turns, at the same
//! time. What cannot be told from the stream alone is listed in `known.rs`, with what saves the user from it.

#![allow(clippy::unwrap_used)]

#[path = "../case/mod.rs"]
mod case;
mod draw;
mod hostile;
mod known;
mod list;
mod run;
mod site;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use draw::Block;
use hostile::Spoof;
use run::{Plan, Shown, Trace, run};
use site::{Place, SITES, Site, Stage};

/// What a case showed.
pub struct Tried {
    spoof: Spoof,
    place: Place,
    /// While it worked, while it rested.
    shown: [Shown; 2],
    /// What was other than without it; nothing else.
    changes: [String; 2],
    /// What was other while it worked when the process tree is known, as it is in a live session.
    live: Option<String>,
}

/// All cases, some at a time.
fn all() -> Vec<Vec<Tried>> {
    let stages: Vec<_> = SITES
        .iter()
        .map(|site| {
            let stage = site.stage();
            let (base, spoofs) = (run(&stage, &Plan::default()), hostile::all(&stage.case.agent));
            (site, stage, base, spoofs)
        })
        .collect();
    let items: Vec<_> =
        (0..stages.len()).flat_map(|at| stages[at].3.iter().map(move |spoof| (at, spoof))).collect();
    let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some((number, &(at, spoof))) =
                    Some(next.fetch_add(1, Relaxed)).and_then(|n| Some((n, items.get(n)?)))
                {
                    let (site, stage, base, _) = &stages[at];
                    let tried = one(site, stage, base, spoof);
                    done.lock().unwrap().push((number, at, tried));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap();
    done.sort_by_key(|(number, ..)| *number);
    let mut all: Vec<Vec<Tried>> = SITES.iter().map(|_| Vec::new()).collect();
    done.into_iter().for_each(|(_, at, tried)| all[at].extend(tried));
    all
}

/// A text at all its places. What changes nothing together changes nothing alone: it is tried at all places at once
/// first, except whole dialogs, which are looked for at the bottom.
fn one(site: &Site, stage: &Stage, base: &Trace, spoof: &Spoof) -> Vec<Tried> {
    let all = if spoof.asks() { None } else { together(site, stage, base, spoof, site.places) };
    all.unwrap_or_else(|| site.places.iter().map(|place| alone(site, stage, base, spoof, *place)).collect())
}

fn together(site: &Site, stage: &Stage, base: &Trace, spoof: &Spoof, places: &[Place]) -> Option<Vec<Tried>> {
    let pieces = places.iter().map(|place| (spoof.rows.as_slice(), *place)).collect();
    let block = Block { pieces, manner: site.manner };
    let seen = run(stage, &Plan { idle: Some(block.clone()), busy: Some(block), processes: false });
    let tried = |place: &Place| Tried {
        spoof: spoof.clone(),
        place: *place,
        shown: [seen.busy.clone(), seen.idle.clone()],
        changes: [String::new(), String::new()],
        live: None,
    };
    seen.changes(base).is_empty().then(|| places.iter().map(tried).collect())
}

fn alone(site: &Site, stage: &Stage, base: &Trace, spoof: &Spoof, place: Place) -> Tried {
    if let Some(tried) = together(site, stage, base, spoof, &[place]) {
        return tried.into_iter().next().unwrap();
    }
    let block = Block { pieces: vec![(&spoof.rows, place)], manner: site.manner };
    let busy = run(stage, &Plan { busy: Some(block.clone()), ..Plan::default() });
    let idle = run(stage, &Plan { idle: Some(block.clone()), ..Plan::default() });
    let changes = [busy.changes(base), idle.changes(base)];
    assert!(changes.iter().any(|c| !c.is_empty()), "only twice, {} {}: {spoof:?}", site.name, place.name);
    let live = stage.jobs().then(|| {
        let run = |busy| run(stage, &Plan { busy, processes: true, ..Plan::default() });
        run(Some(block)).changes(&run(None))
    });
    Tried { spoof: spoof.clone(), place, shown: [busy.busy, idle.idle], changes, live }
}

#[test]
fn a59_hostile_output_changes_nothing_but_what_is_listed() {
    let all = all();
    let (mut found, mut new) = (BTreeSet::new(), Vec::new());
    for (site, case) in SITES.iter().zip(&all).flat_map(|(site, tried)| tried.iter().map(move |t| (site, t)))
    {
        for (changes, rests) in case.changes.iter().zip([false, true]).filter(|(c, _)| !c.is_empty()) {
            let known = known::find(site.name, case, rests);
            let live = case.live.as_deref().unwrap_or_default();
            if known.is_none_or(|at| !known::holds(at, live, rests)) {
                let when = if rests { "rests" } else { "works" };
                let Spoof { of, rows } = &case.spoof;
                new.push(format!(
                    "{} {when}, {}, {of}: {changes}; live: {live}; {rows:?}",
                    site.name, case.place.name
                ));
            }
            found.extend(known.map(|at| (at, !live.is_empty())));
        }
    }
    assert!(new.is_empty(), "{} cases change something:\n{}", new.len(), new.join("\n"));
    let stale = known::stale(&found);
    assert!(stale.is_empty(), "these change nothing any more, take them out of known.rs: {stale:#?}");
    written("fixtures/spoofs.md", &list::markdown(&all));
    let (cases, changed) = list::counts(&all);
    let security = std::fs::read_to_string(root().join("SECURITY.md")).unwrap();
    let told = [format!("{cases} cases"), format!("{changed} of them")];
    assert!(told.iter().all(|count| security.contains(count)), "SECURITY.md does not say {told:?}");
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn written(path: &str, made: &str) {
    let path = root().join(path);
    if std::env::var_os("MUSTER_WRITE").is_some() {
        std::fs::write(&path, made).unwrap();
        return;
    }
    let there = std::fs::read_to_string(&path).unwrap_or_default();
    let path = path.display();
    assert!(
        there == made,
        "{path} is out of date; write it with: MUSTER_WRITE=1 cargo test -p extractor --test spoofs"
    );
}
