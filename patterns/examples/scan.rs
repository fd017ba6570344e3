//! Bytes a second through the matcher alone: `cargo run --release -p patterns --example scan`.

use std::time::Instant;

use patterns::Library;

fn main() {
    let matcher = Library::builtin().matcher();
    let last = [" served in 12 ms", " served"];
    let shares = [("0.1 %", 1_000), ("1 %", 100), ("10 %", 10)];
    for ((name, every), last) in last.into_iter().flat_map(|last| shares.map(|share| (share, last))) {
        let text: String = (0..8_000)
            .map(|i| match i % every {
                1 => format!("error[E0382]: borrow of moved value: `x{i}` in a function\n"),
                _ => format!(
                    "2026-11-21T07:00:{:02}Z INFO worker-{} request {i}{last} after a while\n",
                    i % 60,
                    i % 8
                ),
            })
            .collect();
        let (mut found, mut fed, start) = (0, 0, Instant::now());
        while fed < 1_000_000_000 {
            for chunk in text.as_bytes().chunks(64 << 10) {
                matcher.scan(std::str::from_utf8(chunk).unwrap_or_default(), |_| found += 1);
                fed += chunk.len();
            }
        }
        let rate = fed as f64 / 1e9 / start.elapsed().as_secs_f64();
        println!("{name:>6} of lines match: {rate:.2} GB/s, {found} found");
    }
}
