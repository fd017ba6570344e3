//! Whether what a request works on lies under a directory: by components, never by letters.
//!
//! Owns: reading paths in arguments. Must not: look at the disk. What a link inside of the directory leads to is known
//! only for files that the wrapper resolved; of a command, the arguments are all there is.

use std::path::{Component, Path};

use super::argv::Argv;

/// What may be glued to a path in an argument: `if=/dev/x`, `-v /a:/b`, `@/a/file`, `a,../b`.
const GLUE: [char; 4] = ['=', ':', ',', '@'];

/// Commands that change what later paths of the line are relative to.
const MOVERS: [&str; 4] = ["cd", "chdir", "popd", "pushd"];

/// Whether a real path lies under a root.
pub(super) fn is_under(path: &str, root: &str) -> bool {
    is_plain(path) && is_plain(root) && Path::new(path).starts_with(root)
}

/// Whether a file below a root is hidden, or in a hidden directory.
pub(super) fn is_hidden(path: &str, root: &str) -> bool {
    let below = Path::new(path).strip_prefix(root).unwrap_or(Path::new(path));
    below.components().any(|c| c.as_os_str().as_encoded_bytes().starts_with(b"."))
}

/// Whether all that looks like a path in a line's arguments lies under the root, seen from `dir`.
pub(super) fn all_under(line: &[Argv], dir: &str, root: &str) -> bool {
    is_under(dir, root)
        && line.iter().all(|argv| {
            let (program, arguments) = argv.split_first().map_or(("", argv.as_slice()), |(p, a)| (p, a));
            // Two that climb may add up: `-C .. ../x`.
            let climbing = arguments.iter().filter(|a| candidates(a).any(climbs)).count();
            !MOVERS.contains(&program) && climbing < 2 && arguments.iter().all(|a| lies(a, dir, root))
        })
}

/// Whether an argument is no path outside of the root.
fn lies(argument: &str, dir: &str, root: &str) -> bool {
    let name = argument.split(GLUE).next().unwrap_or(argument);
    // A value that is glued to an option's letters (`-I/usr`, `-C..`) begins nobody knows where.
    let glued = name.starts_with('-') && ["/", "..", "~"].iter().any(|part| name.contains(part));
    let mut paths = candidates(argument).filter(|part| looks_like_a_path(part));
    !glued && paths.all(|path| resolves(path, dir, root))
}

/// An argument, and what follows each character that may glue a path to something.
fn candidates(argument: &str) -> impl Iterator<Item = &str> {
    let whole = Some(argument).filter(|a| !a.starts_with('-'));
    whole.into_iter().chain(argument.match_indices(GLUE).map(|(at, glue)| &argument[at + glue.len()..]))
}

fn looks_like_a_path(part: &str) -> bool {
    part.contains('/') || part == ".." || part.starts_with('~')
}

fn climbs(part: &str) -> bool {
    Path::new(part).components().any(|c| c == Component::ParentDir)
}

/// Whether a path, seen from `dir`, stays under the root. Only its beginning may climb: behind a name, `..` is where the
/// name leads to, if that is a link.
fn resolves(path: &str, dir: &str, root: &str) -> bool {
    if path.starts_with('~') {
        return false;
    }
    if path.starts_with('/') {
        return is_under(path, root);
    }
    let mut at = Path::new(dir).to_owned();
    let mut named = false;
    for component in Path::new(path).components() {
        match component {
            Component::Normal(name) => {
                named = true;
                at.push(name);
            }
            Component::CurDir => {}
            Component::ParentDir if named || !at.pop() => return false,
            Component::ParentDir => {}
            Component::RootDir | Component::Prefix(_) => return false,
        }
    }
    at.starts_with(root)
}

/// An absolute path without steps back.
fn is_plain(path: &str) -> bool {
    path.starts_with('/') && Path::new(path).components().all(|c| c != Component::ParentDir)
}
