//! Prints the screen after some bytes: `screen COLS ROWS < bytes`.

use std::io::Read;
use std::time::Duration;

use extractor::Extractor;
use patterns::Library;

fn main() {
    let size: Vec<u16> = std::env::args().skip(1).filter_map(|word| word.parse().ok()).collect();
    let (cols, rows) = (size.first().copied().unwrap_or(120), size.get(1).copied().unwrap_or(40));
    let mut bytes = Vec::new();
    if let Err(fault) = std::io::stdin().read_to_end(&mut bytes) {
        eprintln!("cannot read: {fault}");
    }
    let mut extractor = Extractor::new(Library::builtin().agent_for_command(""), cols, rows);
    extractor.output(Duration::ZERO, &bytes, &mut Vec::new());
    for row in extractor.screen_text() {
        println!("{row}");
    }
}
