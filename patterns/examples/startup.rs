//! How long it takes until the patterns can be used: `cargo run --release -p patterns --example startup`.

use std::time::Instant;

use patterns::Library;

fn main() {
    let start = Instant::now();
    let library = Library::builtin();
    let agents = start.elapsed();
    let mut found = 0;
    library.matcher().scan("nothing to see\nerror: could not compile `api`\n", |_| found += 1);
    let all = start.elapsed();
    println!(
        "agents {agents:?}, and the matcher of {} rules {all:?} ({found} found)",
        library.matcher().rules().len()
    );
}
