//! Blanks in texts: `{{vars.NAME}}`, `{{item}}`, `{{steps.ID.output}}`, `.fenced`, `.status`. Pure.
//!
//! What is filled in is put in as it is, and is not looked at for blanks again: an agent's output cannot ask for more.
//! `\{{` is two braces. Must not: know which blanks a place allows.

use std::borrow::Cow;

use wire::text::{cut, escape};

/// A part of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part<'a> {
    /// Text as it is.
    Text(&'a str),
    /// What the step is repeated for.
    Item,
    /// A value of the file or the command line.
    Var(&'a str),
    /// Something of another step.
    Step(&'a str, Told),
}

/// What another step tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// The agent's answer, as it is.
    Output,
    /// The answer between fences that are longer than any in it.
    Fenced,
    /// How it ended, in one word.
    Status,
}

/// The parts of a text, or what is wrong with a blank.
pub fn parts(text: &str) -> Result<Vec<Part<'_>>, String> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("{{") {
        if let Some(before) = rest[..at].strip_suffix('\\') {
            parts.extend([Part::Text(before), Part::Text("{{")]);
            rest = &rest[at + 2..];
            continue;
        }
        parts.push(Part::Text(&rest[..at]));
        let inner = &rest[at + 2..];
        let end = inner.find("}}").filter(|end| !inner[..*end].contains('\n'));
        let end = end.ok_or_else(|| {
            let shown = escape(&cut(inner.lines().next().unwrap_or_default(), 40));
            format!("`{{{{{shown}` has no end; write `\\{{{{` for two braces")
        })?;
        parts.push(blank(inner[..end].trim())?);
        rest = &inner[end + 2..];
    }
    parts.push(Part::Text(rest));
    parts.retain(|part| *part != Part::Text(""));
    Ok(parts)
}

fn blank(word: &str) -> Result<Part<'_>, String> {
    if word == "item" {
        return Ok(Part::Item);
    }
    let part = match word.strip_prefix("vars.") {
        Some(name) => Some(Part::Var(name)),
        None => word.strip_prefix("steps.").and_then(|rest| rest.rsplit_once('.')).and_then(|(id, told)| {
            Some(Part::Step(
                id,
                match told {
                    "output" => Told::Output,
                    "fenced" => Told::Fenced,
                    "status" => Told::Status,
                    _ => return None,
                },
            ))
        }),
    };
    part.ok_or_else(|| {
        format!(
            "`{{{{{}}}}}` is not known; there are {{{{item}}}}, {{{{vars.NAME}}}}, {{{{steps.ID.output}}}}, \
             {{{{steps.ID.fenced}}}} and {{{{steps.ID.status}}}}; write `\\{{{{` for two braces",
            escape(&cut(word, 40))
        )
    })
}

/// The text with its blanks filled in. `value` gives what stands for a blank, or why nothing does.
pub fn fill<'v>(
    text: &str,
    value: impl Fn(Part<'_>) -> Result<Cow<'v, str>, String>,
) -> Result<String, String> {
    let mut out = String::with_capacity(text.len());
    for part in parts(text)? {
        match part {
            Part::Text(text) => out.push_str(text),
            blank => out.push_str(&value(blank)?),
        }
    }
    Ok(out)
}

/// A text between fences that nothing in it can end.
pub fn fenced(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest.max(2) + 1);
    let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    format!("{fence}\n{text}{end}{fence}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_are_found_and_braces_can_be_written() {
        let found =
            parts("a {{ vars.x }}{{item}} {{steps.b-1.output}}{{steps.b.status}} \\{{item}} }}").unwrap();
        assert_eq!(
            found,
            [
                Part::Text("a "),
                Part::Var("x"),
                Part::Item,
                Part::Text(" "),
                Part::Step("b-1", Told::Output),
                Part::Step("b", Told::Status),
                Part::Text(" "),
                Part::Text("{{"),
                Part::Text("item}} }}"),
            ]
        );
        for bad in ["{{x}}", "{{steps.a}}", "{{steps.a.prompt}}", "{{item", "{{item\n}}", "{{}}"] {
            assert!(parts(bad).unwrap_err().contains("\\{{"), "{bad}");
        }
    }

    #[test]
    fn what_is_filled_in_is_not_looked_at_again() {
        let filled = fill("<{{item}}>", |_| Ok(Cow::Borrowed("{{vars.secret}}"))).unwrap();
        assert_eq!(filled, "<{{vars.secret}}>");
    }

    #[test]
    fn a_fence_cannot_be_ended_from_within() {
        assert_eq!(fenced("a"), "```\na\n```");
        assert_eq!(fenced("```\n`````\nx\n"), "``````\n```\n`````\nx\n``````");
    }
}
