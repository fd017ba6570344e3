//! Names of tasks, and of the files that belong to one. Pure. Must not: look at a folder.

use std::fmt;

use wire::text::{cut, escape};

/// How a task's file ends.
pub const ENDING: &str = ".task.md";
/// Longest name, in bytes: with what is put before and after it, it is still a file's name.
const NAME_MAX: usize = 180;

/// A name that is one plain file in one folder, and shown as it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name(String);

impl Name {
    /// Judges a name without its ending.
    pub fn new(name: &str) -> Result<Self, String> {
        let why = if name.is_empty() {
            "it has no name"
        } else if name.len() > NAME_MAX {
            "its name is longer than 180 bytes"
        } else if name.starts_with(['.', '#', '-']) || name.ends_with('~') {
            "its name begins with `.`, `#` or `-`, or ends with `~`"
        } else if name.contains(['/', '\\']) || escape(name) != name {
            "its name holds a slash or what cannot be seen"
        } else {
            return Ok(Self(name.to_owned()));
        };
        Err(why.to_owned())
    }

    /// A task's name from its file's; `None` when the file is none of ours, an error when it should not be named so.
    pub fn of_file(file: &str) -> Option<Result<Self, String>> {
        let name = file.strip_suffix(ENDING)?;
        // Editors' and other programs' own files.
        if name.is_empty() || name.starts_with(['.', '#']) {
            return None;
        }
        Some(Self::new(name).map_err(|why| format!("'{}' is not taken: {why}", escape(&cut(file, 100)))))
    }

    /// As it is shown.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The task itself.
    pub fn task(&self) -> String {
        format!("{}{ENDING}", self.0)
    }

    /// The same in an archive that has so many of them.
    pub fn archived(&self, nth: usize) -> String {
        if nth < 2 { self.task() } else { format!("{}.{nth}{ENDING}", self.0) }
    }

    /// What came of it, for programs.
    pub fn result(&self) -> String {
        format!("{}.result.json", self.0)
    }

    /// What came of it, for people.
    pub fn summary(&self) -> String {
        format!("{}.summary.txt", self.0)
    }

    /// What is wrong with it.
    pub fn error(&self) -> String {
        format!("{}.error.txt", self.0)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn editors_own_files_are_none_of_ours() {
        for file in [
            ".a.task.md.swp",
            ".a.task.md",
            "#a.task.md#",
            ".#a.task.md",
            "a.task.md~",
            "a.md",
            ".task.md",
            "4913",
        ] {
            assert_eq!(Name::of_file(file), None, "{file}");
        }
        assert_eq!(Name::of_file("fix login.task.md"), Some(Ok(Name("fix login".into()))));
    }

    #[test]
    fn a_name_leaves_no_folder_and_moves_no_cursor() {
        for name in
            ["", "../a", "a/b", "a\nb", "a\u{1b}[2J", "a\u{202e}b", "-rf", ".", "..", &"x".repeat(181)]
        {
            assert!(Name::new(name).is_err(), "{name:?}");
        }
        assert!(matches!(Name::of_file("a\tb.task.md"), Some(Err(_))));
    }
}
