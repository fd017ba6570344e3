//! The file of a fleet: windows with their panes. Pure. Must not: start anything.

use super::marks::plain;
use crate::tree::{Entry, Fault, Node};

/// Most panes of a file.
const PANES_MAX: usize = 200;
/// How tmux may lay the panes of a window out.
const LAYOUTS: [&str; 5] = ["even-horizontal", "even-vertical", "main-horizontal", "main-vertical", "tiled"];

/// A window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// Its name.
    pub name: String,
    /// How its panes are laid out.
    pub layout: String,
    /// At least one.
    pub panes: Vec<Place>,
}

/// What one pane is to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Name of its session, unique in the file.
    pub name: String,
    /// Where it works, as it is written; `None`: the file's own folder.
    pub dir: Option<String>,
    /// What is run.
    pub command: Vec<String>,
    /// Role that it declares.
    pub role: Option<String>,
}

/// Reads a file, or says all that is wrong with it.
pub fn read(root: &Node) -> Result<Vec<Window>, Vec<Fault>> {
    let mut reader = Reader { names: Vec::new(), faults: Vec::new() };
    let windows = reader.file(root);
    if reader.faults.is_empty() {
        return Ok(windows);
    }
    reader.faults.sort();
    Err(reader.faults)
}

struct Reader {
    names: Vec<String>,
    faults: Vec<Fault>,
}

impl Reader {
    fn file(&mut self, root: &Node) -> Vec<Window> {
        let mut windows = Vec::new();
        for entry in self.entries(root, "file") {
            match entry.name().as_str() {
                "window" => windows.extend(entry.node.list().iter().map(|node| self.window(node))),
                _ => self.faults.push(entry.unknown(&["window"])),
            }
        }
        if windows.is_empty() {
            self.faults.push(Fault::new(root.line, "the file has no windows; write them as [[window]]"));
        }
        if self.names.len() > PANES_MAX {
            let text = format!("the file has more than {PANES_MAX} panes; split it");
            self.faults.push(Fault::new(root.line, text));
        }
        windows
    }

    fn window(&mut self, node: &Node) -> Window {
        let mut window = Window { name: String::new(), layout: "tiled".to_owned(), panes: Vec::new() };
        for entry in self.entries(node, "window") {
            match entry.name().as_str() {
                "name" => window.name = self.name(entry),
                "layout" => {
                    window.layout = self.or(entry.node.text("layout")).unwrap_or_default();
                    if !LAYOUTS.contains(&window.layout.as_str()) {
                        let text = format!("`layout` must be one of {}", LAYOUTS.join(", "));
                        self.faults.push(Fault::new(entry.line, text));
                    }
                }
                "pane" => window.panes = entry.node.list().iter().map(|node| self.pane(node)).collect(),
                _ => self.faults.push(entry.unknown(&["name", "layout", "pane"])),
            }
        }
        if window.panes.is_empty() {
            let text = "the window has no panes; write them as [[window.pane]]";
            self.faults.push(Fault::new(node.line, text));
        }
        if window.name.is_empty() {
            window.name = window.panes.first().map(|pane| pane.name.clone()).unwrap_or_default();
        }
        window
    }

    fn pane(&mut self, node: &Node) -> Place {
        let mut place = Place { name: String::new(), dir: None, command: Vec::new(), role: None };
        for entry in self.entries(node, "pane") {
            match entry.name().as_str() {
                "name" => place.name = self.name(entry),
                "dir" => place.dir = self.or(entry.node.text("dir")),
                "role" => place.role = Some(self.name(entry)),
                "agent" => place.command = self.or(entry.node.text("agent")).into_iter().collect(),
                "command" => place.command = self.or(entry.node.texts("command")).unwrap_or_default(),
                _ => self.faults.push(entry.unknown(&["name", "dir", "agent", "command", "role"])),
            }
        }
        if place.name.is_empty() {
            self.faults.push(Fault::new(node.line, "the pane has no `name`; its session is found by it"));
        } else if self.names.contains(&place.name) {
            self.faults.push(Fault::new(node.line, format!("there are two panes called {}", place.name)));
        }
        if place.command.first().is_none_or(String::is_empty) {
            let text = "say what the pane runs: agent = \"NAME\", or command = [\"make\", \"watch\"]";
            self.faults.push(Fault::new(node.line, text));
        }
        self.names.push(place.name.clone());
        place
    }

    /// A word in which tmux finds no format.
    fn name(&mut self, entry: &Entry) -> String {
        let name = self.or(entry.node.text(&entry.name())).unwrap_or_default();
        if !plain(&name) {
            let text = format!(
                "`{}` must be 1 to 64 letters, digits, '.', '_' or '-', not beginning with '-' or '.'",
                entry.name()
            );
            self.faults.push(Fault::new(entry.line, text));
            return String::new();
        }
        name
    }

    fn entries<'a>(&mut self, node: &'a Node, what: &str) -> &'a [Entry] {
        self.or(node.table(what)).unwrap_or_default()
    }

    fn or<T>(&mut self, read: Result<T, Fault>) -> Option<T> {
        read.map_err(|fault| self.faults.push(fault)).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<Window>, Vec<usize>> {
        let tree = crate::tree::toml(text).unwrap();
        super::read(&tree).map_err(|faults| faults.iter().map(|fault| fault.line).collect())
    }

    #[test]
    fn a_fleet_is_windows_of_panes() {
        let text = "[[window]]\nname = 'work'\nlayout = 'even-vertical'\n[[window.pane]]\nname = 'api'\ndir = '~/api'\n\
                    agent = 'claude'\nrole = 'worker'\n[[window.pane]]\nname = 'tests'\ncommand = ['make', 'watch']\n";
        let windows = read(text).unwrap();
        assert_eq!((windows.len(), windows[0].layout.as_str()), (1, "even-vertical"));
        assert_eq!(windows[0].panes[0].command, ["claude"]);
        assert_eq!((windows[0].panes[1].command.len(), &windows[0].panes[1].dir), (2, &None));
        let unnamed = read("[[window]]\n[[window.pane]]\nname = 'a'\nagent = 'x'\n").unwrap();
        assert_eq!(unnamed[0].name, "a");
    }

    #[test]
    fn all_that_is_wrong_is_told_with_its_line() {
        let text = "[[window]]\nname = '#(touch x)'\nlayot = 'tiled'\n[[window.pane]]\nname = 'a'\n[[window.pane]]\n\
                    name = 'a'\nagent = 'x'\n";
        let faults = read(text).unwrap_err();
        assert!([2, 3, 4, 6].iter().all(|line| faults.contains(line)), "{faults:?}");
        for bad in
            ["", "[[window]]\n", "[[window]]\nlayout = 'round'\n[[window.pane]]\nname='a'\nagent='x'\n"]
        {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
