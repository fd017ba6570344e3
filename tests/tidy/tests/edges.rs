//! Who may import whom. The product's crates know each other only along these edges.

use std::collections::BTreeMap;
use std::process::Command;

use tidy::{check, root};

/// Each crate with the crates of this workspace that it may use.
const ALLOWED: [(&str, &[&str]); 12] = [
    ("patterns", &[]),
    ("extractor", &["patterns"]),
    ("wire", &[]),
    ("wrapper", &["extractor", "patterns", "wire"]),
    ("server", &["wire"]),
    ("assign", &["wire"]),
    ("actors", &[]),
    ("bench", &["actors", "e2e", "extractor", "model", "patterns", "server", "wire"]),
    ("e2e", &["actors"]),
    ("model", &["patterns", "server", "wire", "wrapper"]),
    ("record", &["actors"]),
    ("tidy", &["wire"]),
];

/// Crates that reach for files, networks or runtimes: the cores must do without.
const NOT_IN_CORES: [&str; 6] = ["tokio", "hyper", "axum", "rusqlite", "rustix", "tracing"];

fn packages() -> BTreeMap<String, Vec<String>> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["metadata", "--format-version=1", "--no-deps", "--offline", "--locked"]).current_dir(root());
    let out = cargo.output().expect("cargo is there");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&out.stdout).expect("cargo writes JSON");
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let package = |p: &serde_json::Value| {
        let uses = p["dependencies"].as_array().into_iter().flatten().map(|d| text(&d["name"])).collect();
        (text(&p["name"]), uses)
    };
    metadata["packages"].as_array().into_iter().flatten().map(package).collect()
}

#[test]
fn crates_import_each_other_only_along_the_drawn_edges() {
    let packages = packages();
    let allowed: BTreeMap<_, _> = ALLOWED.into_iter().collect();
    let mut faults = Vec::new();
    for (name, uses) in &packages {
        let Some(may) = allowed.get(name.as_str()) else {
            faults.push(format!("{name} has no place in the drawing"));
            continue;
        };
        let ours = uses.iter().filter(|u| packages.contains_key(*u) && !may.contains(&u.as_str()));
        faults.extend(ours.map(|u| format!("{name} must not use {u}")));
    }
    check("import edges", faults);
}

#[test]
fn the_cores_do_no_io() {
    let packages = packages();
    let mut faults = Vec::new();
    for core in ["patterns", "extractor"] {
        let reaching = packages[core].iter().filter(|u| NOT_IN_CORES.contains(&u.as_str()));
        faults.extend(reaching.map(|u| format!("{core} must not use {u}")));
        for path in tidy::files(&[".rs"]).iter().filter(|p| p.starts_with(&format!("{core}/src/"))) {
            let text = tidy::read(path);
            let words =
                ["std::fs", "std::net", "std::process", "Instant::now", "SystemTime::now", "std::env"];
            faults.extend(words.iter().filter(|w| text.contains(**w)).map(|w| format!("{path} uses {w}")));
        }
    }
    check("pure cores", faults);
}
