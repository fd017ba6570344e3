//! How files look: a head that says what the file owns, a length that can be read, no agent's name in code, unsafe
//! code in one place, and nothing of one machine.

use tidy::{check, files, read};

/// Longest source file, in lines.
const LINES_MAX: usize = 500;

/// Files that are longer, with the reason.
const LONGER: [(&str, &str); 0] = [];

/// Tests, examples and what stands in for agents: they may name agents.
fn is_test(path: &str) -> bool {
    path.starts_with("tests/")
        || path.contains("/tests/")
        || path.ends_with("tests.rs")
        || path.ends_with("/sample.rs")
        || path.contains("/examples/")
}

/// The part of a file before its unit tests.
fn code(text: &str) -> &str {
    text.split("\n#[cfg(test)]").next().unwrap_or(text)
}

#[test]
fn every_source_file_begins_by_saying_what_it_is() {
    let mut faults = Vec::new();
    for path in files(&[".rs"]) {
        if !read(&path).starts_with("//! ") {
            faults.push(format!("{path} has no module doc"));
        }
    }
    for path in files(&[".ts", ".mjs"]).iter().filter(|p| !p.contains(".gen.") && !p.ends_with(".d.ts")) {
        if !read(path).trim_start().starts_with("//") && !read(path).trim_start().starts_with("/*") {
            faults.push(format!("{path} has no comment at its head"));
        }
    }
    check("module docs", faults);
}

#[test]
fn files_are_short_enough_to_be_read() {
    let mut faults = Vec::new();
    for path in files(&[".rs", ".ts", ".svelte", ".mjs", ".sh"]).iter().filter(|p| !p.contains(".gen.")) {
        let text = read(path);
        let lines = code(&text).lines().count();
        if lines > LINES_MAX && !LONGER.iter().any(|(longer, _)| longer == path) {
            faults.push(format!("{path} has {lines} lines, {LINES_MAX} are allowed"));
        }
    }
    check("file lengths", faults);
}

#[test]
fn an_agent_is_a_file_and_not_a_word_in_the_code() {
    let agents: Vec<String> = files(&[".toml"])
        .into_iter()
        .filter_map(|p| Some(p.strip_prefix("patterns/agents/")?.strip_suffix(".toml")?.to_owned()))
        // Plain words of the language.
        .filter(|name| !["any", "shell", "scripted"].contains(&name.as_str()))
        .collect();
    assert!(agents.len() > 4);
    let mut faults = Vec::new();
    for path in files(&[".rs"]).iter().filter(|p| !is_test(p) && *p != "patterns/src/builtin.rs") {
        let text = read(path);
        for (number, line) in code(&text).lines().enumerate() {
            let line = line.trim_start();
            // Examples in what people read are welcome.
            if line.starts_with("//")
                || line.contains("for example")
                || line.contains("`wrap ")
                || line.contains("example:")
            {
                continue;
            }
            let words: Vec<_> = line.split(|c: char| !c.is_ascii_alphanumeric()).collect();
            for agent in agents.iter().filter(|a| words.iter().any(|w| w.eq_ignore_ascii_case(a))) {
                faults.push(format!("{path}:{}: {agent}", number + 1));
            }
        }
    }
    check("agents are data", faults);
}

#[test]
fn unsafe_code_is_in_one_file_and_each_block_says_why() {
    let mut faults = Vec::new();
    for path in files(&[".rs"]).into_iter().filter(|p| !p.starts_with("tests/tidy/")) {
        let text = read(&path);
        let mut reason = false;
        for (number, line) in text.lines().enumerate() {
            let line = line.trim_start();
            if line.starts_with("unsafe ") || line.contains(" unsafe {") {
                if path != "wrapper/src/pty.rs" {
                    faults
                        .push(format!("{path}:{}: unsafe code belongs into wrapper/src/pty.rs", number + 1));
                } else if !reason {
                    faults.push(format!("{path}:{}: no SAFETY comment before the block", number + 1));
                }
            }
            reason = line.starts_with("// SAFETY:") || (reason && line.starts_with("//"));
        }
    }
    check("unsafe code", faults);
}

#[test]
fn nothing_is_unfinished_or_of_one_machine() {
    let mut faults = Vec::new();
    let marks = [
        ["to", "do!("].concat(),
        ["unimpl", "emented!("].concat(),
        ["FIX", "ME"].concat(),
        ["#[ign", "ore"].concat(),
    ];
    let places = [["/ro", "ot/"].concat(), ["/wo", "rk/"].concat(), ["/far", "m/"].concat()];
    for path in files(&[".rs", ".ts", ".svelte", ".toml", ".md", ".mjs", ".json", ".jsonl", ".cast", ".sh"]) {
        let text = read(&path);
        let unfinished = marks.iter().filter(|m| !path.ends_with(".cast") && text.contains(m.as_str()));
        faults.extend(unfinished.map(|m| format!("{path} holds {m}")));
        faults.extend(
            places.iter().filter(|p| text.contains(p.as_str())).map(|p| format!("{path} holds a path {p}")),
        );
    }
    check("nothing unfinished, no paths of one machine", faults);
}
