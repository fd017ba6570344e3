//! What is taken for a secret in files: `cargo run --release -p extractor --example alarms FILE...`. Prints kind and
//! place, never the secret, and how many there are in a megabyte.

use std::collections::BTreeMap;

use extractor::Redactor;
use patterns::Secrets;

fn main() {
    let redactor = Redactor::new(Secrets::builtin(), [], [0; 16]);
    let (mut size, mut kinds) = (0, BTreeMap::<&str, usize>::new());
    let start = std::time::Instant::now();
    for file in std::env::args().skip(1) {
        let Ok(bytes) = std::fs::read(&file) else { continue };
        let Ok(text) = std::str::from_utf8(&bytes) else { continue };
        size += text.len();
        for span in redactor.spans(text) {
            *kinds.entry(span.kind).or_default() += 1;
            let line = text[..span.secret.start].matches('\n').count() + 1;
            println!("{file}:{line}: {}", span.kind);
        }
    }
    let found: usize = kinds.values().sum();
    let megabytes = size as f64 / 1e6;
    println!("{found} in {megabytes:.1} MB, {:.2} in one: {kinds:?}", found as f64 / megabytes);
    println!("{:.0} MB/s", megabytes / start.elapsed().as_secs_f64());
}
