//! Lists the files of `agents/` and `sets/`, so that a new agent is a new file and no line of code.
//! Must not: read what is in them.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let here = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    let mut code = String::new();
    for (folder, name, about) in [
        ("agents", "AGENTS", "Agents: file name and text."),
        ("sets", "SETS", "Sets of event rules: file name and text."),
    ] {
        // A folder's time changes when a file comes or goes; the compiler itself tracks what is included.
        println!("cargo::rerun-if-changed={folder}");
        let list = list(&here.join(folder))?;
        let _ = writeln!(code, "/// {about}\npub const {name}: &[(&str, &str)] = &[{list}];");
    }
    fs::write(out.join("files.rs"), code)
}

/// The files of a folder by name: what is known does not depend on the order of a directory.
fn list(folder: &Path) -> io::Result<String> {
    let mut paths = fs::read_dir(folder)?.map(|e| Ok(e?.path())).collect::<io::Result<Vec<_>>>()?;
    paths.retain(|path| path.extension().is_some_and(|e| e == "toml"));
    paths.sort();
    let mut list = String::new();
    for path in &paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let _ = write!(list, "({name:?}, include_str!({path:?})),");
    }
    Ok(list)
}
