//! What README and GUIDE tell users to do, done: each section in a fresh home, with the real agents.
//!
//! Each section is a test of its own, so they are listed when the tests are run, not when they are compiled.
#![allow(clippy::unwrap_used)]

use e2e::document::{Act, Section, sections};
use e2e::root;
use e2e::user::User;
use libtest_mimic::{Arguments, Failed, Trial};

const DOCUMENTS: [&str; 2] = ["README.md", "GUIDE.md"];

/// Commands that stay until somebody ends them: what they begin with, what they show first, and the keys that end them.
const STAY: &[(&str, &str, &[&str])] = &[
    ("wrap claude", "/effort", &["C-\\", "d"]),
    ("wrap attach", "/api", &["C-\\", "d"]),
    ("assign watch ", "Sessions", &["Q"]),
    ("assign watch-dir tasks/", "watching tasks/", &["C-c"]),
    ("assign events -f", "\"id\"", &["C-c"]),
];

/// Commands whose exit status says something about this machine.
const MAY_FAIL: &[&str] = &["assign doctor"];

/// Commands that are not run here, and where they are instead.
const ELSEWHERE: &[(&str, &str)] = &[
    ("scripts/demo", "`demo.rs`, beside this"),
    ("scripts/test", "runs this"),
    ("scripts/build", "compiles with the same command as the demo"),
];

fn main() {
    let arguments = Arguments::from_args();
    let missing = std::env::var_os("MUSTER_TEST_AGENTS").is_none();
    let mut trials = Vec::new();
    for document in DOCUMENTS {
        let text = std::fs::read_to_string(root().join(document)).unwrap();
        for section in sections(&text) {
            let name = format!("{document}::{}", section.title.to_lowercase().replace(' ', "_"));
            trials.push(Trial::test(name, move || follow(document, section)).with_ignored_flag(missing));
        }
    }
    libtest_mimic::run(&arguments, trials).exit();
}

fn follow(document: &str, section: Section) -> Result<(), Failed> {
    let mut user = User::new().ok_or("MUSTER_TEST_AGENTS is not set; scripts/test sets it")?;
    for step in section.steps {
        let told = |why: String| Failed::from(format!("{document}:{}: {:?} {why}", step.line, step.act));
        match &step.act {
            Act::File(name, text) => user.keep(name, text),
            Act::Hidden(command) => drop(user.run(command).map_err(told)?),
            Act::Shown(command) => {
                let is = |start: &str| format!("{command} ").starts_with(start);
                if ELSEWHERE.iter().any(|(start, _)| is(start)) {
                    continue;
                }
                if let Some((_, until, keys)) = STAY.iter().find(|(start, ..)| is(start)) {
                    user.stay(command, until, keys);
                } else if let Err(why) = user.run(command)
                    && !MAY_FAIL.contains(&command.split('#').next().unwrap().trim())
                {
                    return Err(told(why));
                }
            }
        }
    }
    Ok(())
}
