//! Looks at the checkout. The promises are in `tests/`; see each file's head.
//! Must not: run the product.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The checkout.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Files under version control (and new ones that are not ignored) with one of these endings, as paths from the root.
pub fn files(endings: &[&str]) -> Vec<String> {
    let mut git = Command::new("git");
    git.args(["ls-files", "--cached", "--others", "--exclude-standard"]).current_dir(root());
    let out = git.output().expect("git is there");
    let text = String::from_utf8(out.stdout).expect("names are UTF-8");
    let wanted = |path: &&str| endings.iter().any(|e| path.ends_with(e)) && root().join(path).is_file();
    text.lines().filter(wanted).map(str::to_owned).collect()
}

/// The text of a file of the checkout.
pub fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// Fails with all faults at once, a line each.
#[track_caller]
pub fn check(promise: &str, faults: Vec<String>) {
    assert!(faults.is_empty(), "{promise}:\n  {}", faults.join("\n  "));
}
