//! The event rules as one extended regular expression, as `grep -E` reads it. Must not: be wider or narrower than the
//! rules where `grep` can say the same; ranges of case (`(?i)`) and lazy repetitions are the exceptions.

use std::io::Write;
use std::process::{Command, Stdio};

use anyhow::Context;
use patterns::Library;

/// All rules, an expression a line, each tried on its own examples.
pub fn all() -> anyhow::Result<Vec<String>> {
    let mut all = Vec::new();
    for rule in Library::builtin().matcher().rules() {
        let own = translate(rule.pattern.source());
        let found = count(&own, &rule.matches)?;
        anyhow::ensure!(
            found == rule.matches.len() || rule.pattern.source().contains("(?i)"),
            "{}: {own}",
            rule.id
        );
        all.push(own);
    }
    Ok(all)
}

fn count(pattern: &str, lines: &[String]) -> anyhow::Result<usize> {
    let mut grep = Command::new("grep");
    grep.args(["-E", "-c", "-e", pattern])
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut grep = grep.spawn().context("cannot run grep")?;
    let mut input = grep.stdin.take().context("a pipe was asked for")?;
    for line in lines {
        writeln!(input, "{line}")?;
    }
    drop(input);
    let out = String::from_utf8(grep.wait_with_output()?.stdout)?;
    Ok(out.trim().parse().unwrap_or_default())
}

fn translate(pattern: &str) -> String {
    let (mut out, mut rest, mut bracket) = (String::new(), pattern.trim_start_matches("(?i)"), false);
    while let Some(c) = rest.chars().next() {
        let (used, text) = match c {
            '(' if !bracket && rest.starts_with("(?P<") => (rest.find('>').unwrap_or(0) + 1, "("),
            '(' if !bracket && rest.starts_with("(?:") => (3, "("),
            '\\' => escape(rest, bracket),
            '?' if !bracket && out.ends_with(['+', '*', '?']) && !out.ends_with("\\?") => (1, ""),
            '[' if !bracket => {
                bracket = true;
                (1, "[")
            }
            // An unescaped bracket inside a list is one to grep as well.
            ']' if bracket => {
                bracket = false;
                (1, "]")
            }
            _ => (c.len_utf8(), &rest[..c.len_utf8()]),
        };
        out.push_str(text);
        rest = &rest[used..];
    }
    // A list begins with a bracket that it holds.
    for at in ["[^\u{1}", "[\u{1}"] {
        out = out.replace(at, &at.replace('\u{1}', "]"));
    }
    lists(&out)
}

/// What a backslash and the next character are, and how much they take.
fn escape(rest: &str, bracket: bool) -> (usize, &str) {
    let next = rest[1..].chars().next().unwrap_or('\\');
    let length = 1 + next.len_utf8();
    match (next, bracket) {
        ('d', false) => (length, "[0-9]"),
        ('d', true) => (length, "0-9"),
        ('s', true) => (length, "[:space:]"),
        ('w', true) => (length, "[:alnum:]_"),
        ('t', _) => (length, "\t"),
        ('p', _) => (rest.find('}').map_or(length, |end| end + 1), "[[:upper:]]"),
        (']', true) => (length, "\u{1}"),
        (_, true) => (length, &rest[1..length]),
        _ => (length, &rest[..length]),
    }
}

/// In a list of `grep` a closing bracket stands first.
fn lists(pattern: &str) -> String {
    let mut out = String::new();
    for (i, part) in pattern.split('\u{1}').enumerate() {
        if i > 0 {
            let open = out.rfind('[').filter(|at| !out[*at..].starts_with("[:"));
            let open = open.or_else(|| out[..out.rfind("[:").unwrap_or(0)].rfind('['));
            let at = open.map_or(0, |at| at + if out[at..].starts_with("[^") { 2 } else { 1 });
            out.insert(at, ']');
        }
        out.push_str(part);
    }
    out
}
