//! How long it takes until the patterns can be used: `cargo run --release -p patterns --example startup`.

use std::time::Instant;

use patterns::prefilter::{Guard, guard};
use patterns::{Library, builtin, library};

fn main() {
    let start = Instant::now();
    let library = Library::builtin();
    let agents = start.elapsed();
    let mut found = 0;
    library.matcher().scan("nothing to see\n", |_| found += 1);
    let all = start.elapsed();
    library.matcher().scan("error: could not compile `api`\n", |_| found += 1);
    let first = start.elapsed() - all;
    let matcher = library.matcher();
    println!(
        "agents {agents:?}, and the matcher of {} rules {all:?}, the first find {first:?} ({found} found), {} passes",
        matcher.rules().len(),
        matcher.passes()
    );
    if std::env::args().len() < 2 {
        return;
    }
    let start = Instant::now();
    for (file, text) in builtin::SETS {
        assert!(library::set(file, text).is_ok());
    }
    println!("reading the sets {:?}", start.elapsed());
    let start = Instant::now();
    let guards: Vec<_> = matcher
        .rules()
        .iter()
        .map(|rule| guard(&regex_syntax::parse(rule.pattern.source()).expect("tests compile it")))
        .collect();
    println!("finding the guards {:?}", start.elapsed());
    for (rule, guard) in matcher.rules().iter().zip(guards) {
        match guard {
            Guard::Texts(texts) => {
                let texts: Vec<_> = texts.iter().map(|text| String::from_utf8_lossy(text)).collect();
                println!("{:<28} {texts:?}", rule.id);
            }
            Guard::Start(start) => {
                let texts: Vec<_> = start.prefixes.iter().map(|text| String::from_utf8_lossy(text)).collect();
                println!("{:<28} starts with {texts:?}", rule.id);
            }
            Guard::None => println!("{:<28} is run over every line", rule.id),
        }
    }
}
