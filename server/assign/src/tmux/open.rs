//! A fleet as a file says it: what does not run yet is started, what runs unseen is shown. Must not: end anything.

use std::path::Path;

use wire::text::escape;

use super::layout::{self, Place, Window};
use super::pane::{self, Live, Pane, PaneId, one};
use super::server::Server;
use super::start::Start;
use crate::failure::Failure;
use crate::print::Printer;
use crate::sending::{absolute, directory};
use crate::tree;

/// Opens it; a second time does only what is left to do.
pub fn open(server: &Server, print: &Printer, path: &Path) -> Result<(), Failure> {
    let windows = read(path)?;
    let folder = absolute(path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new(".")))?;
    let at = |place: &Place| match &place.dir {
        Some(dir) => directory(dir, Path::new(&folder)),
        None => Ok(folder.clone()),
    };
    // All of them are looked at before anything is started.
    for place in windows.iter().flat_map(|window| &window.panes) {
        let dir = at(place)?;
        if !Path::new(&dir).is_dir() {
            let (name, dir) = (escape(&place.name), escape(&dir));
            return Err(Failure::Usage(format!(
                "{name} cannot work in {dir}: there is no such folder; make it first"
            )));
        }
    }
    let live = pane::live();
    let mut shown: Vec<Pane> = Vec::new();
    for window in &windows {
        let mut first: Option<PaneId> = None;
        for place in &window.panes {
            let dir = at(place)?;
            let Some(start) = start(place, &dir, &live) else { continue };
            let id = match &first {
                None => start.window(server, Some(&window.name)),
                Some(first) => start.split(server, first),
            };
            let id = id.map_err(|failure| of(failure, &place.name))?;
            let first = first.get_or_insert_with(|| id.clone());
            server.run(&["select-layout", "-t", first.as_str(), &window.layout])?;
            shown.push(one(server, &id)?);
        }
    }
    print.objects_or(&shown, || match shown.len() {
        0 => "all of it is open already".to_owned(),
        1 => "1 pane opened".to_owned(),
        n => format!("{n} panes opened"),
    })
}

/// How its session comes to be seen; `None` when some terminal shows it.
fn start<'a>(place: &'a Place, dir: &'a str, live: &[Live]) -> Option<Start<'a>> {
    match live.iter().find(|live| live.name == place.name) {
        Some(live) if live.attached => None,
        Some(_) => Some(Start::Attach { name: &place.name }),
        None => Some(Start::Run {
            name: Some(&place.name),
            dir,
            role: place.role.as_deref(),
            command: &place.command,
        }),
    }
}

fn of(failure: Failure, name: &str) -> Failure {
    match failure {
        Failure::Failed(text) => Failure::Failed(format!(
            "{}: {text}; what was opened before stays, and is left alone the next time",
            escape(name)
        )),
        other => other,
    }
}

fn read(path: &Path) -> Result<Vec<Window>, Failure> {
    let shown = escape(&path.display().to_string());
    let text = std::fs::read_to_string(path).map_err(|e| {
        Failure::Usage(format!("cannot read {shown}: {e}; write it as `assign tmux open --help` says"))
    })?;
    let read = tree::toml(&text).map_err(|fault| vec![fault]).and_then(|tree| layout::read(&tree));
    read.map_err(|faults| {
        let lines: Vec<String> = faults.iter().map(|fault| format!("\n  {fault}")).collect();
        Failure::Usage(format!("nothing was opened; {shown} has to be mended:{}", lines.concat()))
    })
}
