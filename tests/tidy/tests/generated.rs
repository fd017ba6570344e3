//! Generated files are what their generator makes. `MUSTER_WRITE=1 cargo test -p tidy` writes them.

use std::path::Path;

fn check(path: &str, made: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path);
    if std::env::var_os("MUSTER_WRITE").is_some() {
        std::fs::write(&path, made).expect("the checkout is writable");
        return;
    }
    let there = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        there == made,
        "{} is out of date; write it with: MUSTER_WRITE=1 cargo test -p tidy",
        path.display()
    );
}

#[test]
fn the_dashboards_types_are_the_wires() {
    check("web/src/wire.gen.ts", &wire::typescript::module());
}

#[test]
fn what_the_dashboard_takes_for_hidden_is_what_the_server_does() {
    check("web/src/hidden.gen.ts", &wire::typescript::hidden());
}
