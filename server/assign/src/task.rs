//! A task file as a prompt. Pure. Must not: read it, or send it.

use std::fmt;

use jiff::Zoned;
use schemars::JsonSchema;
use serde::Serialize;
use wire::prompt::NewPrompt;

use crate::asked;
use crate::tree::{self, Entry, Fault, Node, Value, unknown};

/// A task to begin with.
pub const TEMPLATE: &str = include_str!("template.task.md");
/// Sections that mean something.
const SECTIONS: [&str; 4] = ["target files", "prompt", "success criteria", "context"];
/// Which of them is the one that must be filled.
const PROMPT: &str = "prompt";

/// What kind of task it is. Its word becomes a tag: records of success are kept by tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Something is to be mended.
    Fix,
    /// A change is to be judged.
    CodeReview,
    /// Something is to be found out.
    Analyze,
    /// Something is to be told shortly.
    Summarize,
}

const KINDS: [(&str, Kind); 4] = [
    ("fix", Kind::Fix),
    ("code_review", Kind::CodeReview),
    ("analyze", Kind::Analyze),
    ("summarize", Kind::Summarize),
];

/// A task that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Task {
    /// What its writer calls it.
    pub id: Option<String>,
    /// What kind it is.
    pub kind: Option<Kind>,
    /// When it was written, as its writer put it.
    pub created: Option<String>,
    /// What is asked; its directory is as written.
    pub prompt: NewPrompt,
    /// What was not understood and does no harm.
    pub warnings: Vec<String>,
}

/// Why a file is no task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Broken {
    /// Its front matter has no end: it may still be written.
    CutOff,
    /// Something in it is wrong.
    Wrong(Vec<Fault>),
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Broken::CutOff => {
                write!(f, "line 1: the front matter begins with `---` and has no end: close it with `---`")
            }
            Broken::Wrong(faults) => {
                let lines: Vec<String> = faults.iter().map(Fault::to_string).collect();
                f.write_str(&lines.join("\n"))
            }
        }
    }
}

/// Reads a task. Times in it count from `now`.
pub fn parse(text: &str, now: &Zoned) -> Result<Task, Broken> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if let Some(at) = text.find('\0') {
        let line = 1 + text[..at].matches('\n').count();
        return Err(Broken::Wrong(vec![Fault::new(line, "a NUL byte stands here; a task is text")]));
    }
    let (front, body, line) = split(text)?;
    let mut task =
        Task { id: None, kind: None, created: None, prompt: NewPrompt::new(""), warnings: Vec::new() };
    let mut faults = Vec::new();
    match front.map(tree::yaml) {
        None => {}
        Some(Err(fault)) => faults.push(fault),
        Some(Ok(root)) => match root.table_with("front matter", asked::FORMS) {
            Err(fault) => faults.push(fault),
            Ok(entries) => faults.extend(entries.iter().filter_map(|entry| task.take(entry, now).err())),
        },
    }
    match prose(body) {
        Ok(prose) => task.prompt.text = prose,
        Err(why) => faults.push(Fault::new(line, why)),
    }
    if faults.is_empty() { Ok(task) } else { Err(Broken::Wrong(faults)) }
}

/// Front matter with the lines before it as empty ones, what follows, and the line where that begins.
fn split(text: &str) -> Result<(Option<&str>, &str, usize), Broken> {
    let is_fence = |line: &str| matches!(line.trim_end(), "---");
    let mut lines = text.split_inclusive('\n');
    let Some(first) = lines.next().filter(|line| is_fence(line)) else { return Ok((None, text, 1)) };
    // Its line break stays, so that the lines of faults are those of the file.
    let start = first.trim_end().len();
    let mut at = first.len();
    for (number, line) in lines.enumerate() {
        if is_fence(line) || line.trim_end() == "..." {
            return Ok((Some(&text[start..at]), &text[at + line.len()..], number + 3));
        }
        at += line.len();
    }
    Err(Broken::CutOff)
}

impl Task {
    fn take(&mut self, entry: &Entry, now: &Zoned) -> Result<(), Fault> {
        let Entry { key, node, .. } = entry;
        match entry.name().as_str() {
            "id" => self.id = some(node, key)?,
            "created" => self.created = some(node, key)?,
            "type" => {
                let word = node.text(key)?.to_lowercase().replace(['-', ' '], "_");
                let kind = KINDS.iter().find(|(known, _)| *known == word);
                let (tag, kind) = kind.ok_or_else(|| {
                    Fault::new(node.line, unknown("type", &word, &KINDS.map(|(known, _)| known)))
                })?;
                self.kind = Some(*kind);
                self.prompt.tags.push((*tag).to_owned());
            }
            "priority" => self.prompt.priority = priority(node)?,
            _ => {
                if !asked::option(&mut self.prompt, entry, now)? {
                    let known = [&["id", "type", "created"], asked::NAMES].concat();
                    self.warnings.push(entry.unknown(&known).to_string());
                }
            }
        }
        Ok(())
    }
}

fn some(node: &Node, what: &str) -> Result<Option<String>, Fault> {
    if node.value == Value::Nothing { Ok(None) } else { node.text(what).map(Some) }
}

fn priority(node: &Node) -> Result<u8, Fault> {
    match &node.value {
        Value::Number(_) => Ok(node.number("priority", 0, 10)? as u8),
        _ => match node.text("priority")?.to_lowercase().as_str() {
            "high" => Ok(8),
            "medium" => Ok(wire::prompt::default_priority()),
            "low" => Ok(2),
            word => Err(Fault::new(node.line, unknown("priority", word, &["high", "medium", "low"]))),
        },
    }
}

/// The prompt: the text without comments and without known sections that are empty.
fn prose(body: &str) -> Result<String, String> {
    let body = without_comments(body);
    let sections = sections(&body);
    let mut out = String::with_capacity(body.len());
    let (mut prompted, mut known) = (false, false);
    for Section { heading, name, text } in &sections {
        let filled = !text.trim().is_empty();
        if let Some(name) = name {
            known = true;
            prompted |= filled && *name == PROMPT;
            if !filled {
                continue;
            }
        }
        prompted |= filled && heading.is_empty();
        out.push_str(heading);
        out.push_str(text);
    }
    let out = wire::text::clean_prompt(out.trim());
    if out.is_empty() {
        return Err("there is no prompt: write below the front matter what is to be done".to_owned());
    }
    if known && !prompted {
        return Err("the section Prompt is missing or empty: write there what is to be done".to_owned());
    }
    if out.len() > wire::PROMPT_MAX {
        return Err(format!("the prompt is longer than {} KiB", wire::PROMPT_MAX >> 10));
    }
    Ok(out)
}

/// A heading with what stands below it; the first has none.
struct Section<'a> {
    heading: &'a str,
    name: Option<&'static str>,
    text: &'a str,
}

fn sections(body: &str) -> Vec<Section<'_>> {
    let mut sections = Vec::new();
    let mut fenced = Fenced::default();
    let (mut heading, mut name, mut start, mut at) = ("", None, 0, 0);
    for line in body.split_inclusive('\n') {
        if !fenced.within(line)
            && let Some(title) = title(line)
        {
            sections.push(Section { heading, name, text: &body[start..at] });
            (heading, start) = (line, at + line.len());
            name = SECTIONS.into_iter().find(|known| title.eq_ignore_ascii_case(known));
        }
        at += line.len();
    }
    sections.push(Section { heading, name, text: &body[start..] });
    sections
}

/// The title of a line that is a heading.
fn title(line: &str) -> Option<&str> {
    let rest = line.trim_start_matches('#');
    let level = line.len() - rest.len();
    let title = rest.strip_prefix([' ', '\t'])?.trim().trim_end_matches(':');
    (1..=6).contains(&level).then_some(title)
}

/// Whether a line belongs to a block of code, which holds neither headings nor comments.
#[derive(Default)]
struct Fenced(Option<(char, usize)>);

impl Fenced {
    fn within(&mut self, line: &str) -> bool {
        let line = line.trim();
        let fence = line.chars().next().filter(|c| matches!(c, '`' | '~'));
        let length = fence.map_or(0, |fence| line.chars().take_while(|c| *c == fence).count());
        match (self.0, fence) {
            (None, Some(fence)) if length >= 3 => {
                self.0 = Some((fence, length));
                true
            }
            (Some((open, least)), Some(fence))
                if open == fence && length >= least && line.len() == length =>
            {
                self.0 = None;
                true
            }
            (open, _) => open.is_some(),
        }
    }
}

/// Leaves out `<!-- … -->` outside of blocks of code; one without an end is text.
fn without_comments(body: &str) -> String {
    let mut out = String::with_capacity(body.len());
    let mut fenced = Fenced::default();
    let mut from = 0;
    let mut at = 0;
    // Nobody looks for an end where there is none: each of many beginnings would be a search through all that follows.
    let last = body.rfind("-->");
    let close = |open: usize| {
        let text = open + 4;
        last.filter(|last| *last >= text)?;
        Some((open, text + body[text..].find("-->")? + 3))
    };
    for line in body.split_inclusive('\n') {
        let end = at + line.len();
        let skipped = from >= end;
        if !skipped && from <= at && fenced.within(line) {
            from = end;
            out.push_str(line);
        }
        while from < end {
            let begin = from.max(at);
            let found = body[begin..end].find("<!--").map(|open| begin + open);
            let Some((open, closed)) = found.and_then(close) else {
                out.push_str(&body[begin..end]);
                from = end;
                break;
            };
            out.push_str(&body[begin..open]);
            from = closed;
        }
        at = end;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(text: &str) -> Result<Task, Broken> {
        parse(text, &Zoned::now())
    }

    fn why(text: &str) -> String {
        task(text).unwrap_err().to_string()
    }

    #[test]
    fn plain_prose_is_a_task() {
        assert_eq!(task("Fix the login.\n").unwrap().prompt.text, "Fix the login.");
        assert_eq!(task("\u{feff}Fix it\r\nnow\r\n").unwrap().prompt.text, "Fix it\nnow");
    }

    #[test]
    fn front_matter_says_what_is_asked() {
        let text = "---\nid: T-1\ntype: code_review\npriority: high\ncreated: 2026-05-01T09:00:00Z\ntarget: api\ndir: /a\n\
                    branch: b\nverify: make\ntags: [x]\n---\nReview it.\n";
        let task = task(text).unwrap();
        assert_eq!((task.id.as_deref(), task.kind), (Some("T-1"), Some(Kind::CodeReview)));
        assert_eq!((task.prompt.priority, task.prompt.target.as_deref()), (8, Some("api")));
        assert_eq!(task.prompt.tags, ["code_review", "x"]);
        assert_eq!(task.prompt.text, "Review it.");
        assert_eq!(task.created.as_deref(), Some("2026-05-01T09:00:00Z"));
    }

    #[test]
    fn sections_that_are_empty_and_comments_are_left_out() {
        let text = "## Target files\n\n<!-- which -->\n## Prompt\nDo it.\n```\n<!-- kept -->\n# not a heading\n```\n\
                    ## Success criteria:\n<!--\n# x\n-->\n## Context\nThere.\n";
        let expected = "## Prompt\nDo it.\n```\n<!-- kept -->\n# not a heading\n```\n## Context\nThere.";
        assert_eq!(task(text).unwrap().prompt.text, expected);
        assert_eq!(task("a <!-- b").unwrap().prompt.text, "a <!-- b");
        assert_eq!(task("a <!-- b --> c <!-- d\ne --> f\n").unwrap().prompt.text, "a  c  f");
    }

    /// Each piece with no other after it that would end it: the longest files are read at once, not in minutes.
    #[test]
    fn the_time_that_a_task_costs_grows_with_its_size() {
        for piece in ["<!--\n", "<!-- ", "-->\n", "<!---->", "# a\n", "```\n", "~~~\n", "## Prompt\n"] {
            let _ = task(&format!("x\n{}", piece.repeat((256 << 10) / piece.len())));
        }
    }

    #[test]
    fn the_template_must_be_filled_in() {
        assert!(why(TEMPLATE).contains("there is no prompt"), "{}", why(TEMPLATE));
        let filled = TEMPLATE.replace("## Prompt\n", "## Prompt\n\nFix it.\n");
        let task = task(&filled).unwrap();
        assert_eq!((task.prompt.text.as_str(), &task.warnings[..]), ("## Prompt\n\nFix it.", &[][..]));
        assert!(why("## Prompt\n\n## Context\nx\n").contains("section Prompt"));
    }

    #[test]
    fn unknown_keys_are_warned_of_and_wrong_values_are_not_guessed() {
        let odd = task("---\nprioritty: high\n---\nx\n").unwrap();
        assert!(
            odd.warnings[0].contains("line 2: unknown key 'prioritty'; did you mean 'priority'?"),
            "{odd:?}"
        );
        assert!(why("---\ntype: fxi\n---\nx\n").starts_with("line 2: unknown type 'fxi'"));
        assert!(why("---\n\npriority: urgent\n---\nx\n").starts_with("line 3: unknown priority 'urgent'"));
        assert!(why("---\na: [\n---\nx\n").contains("not YAML"));
        assert!(why("---\n- a\n---\nx\n").contains("must be a table"));
        assert!(why("---\ntype: fix\n---\n\n").starts_with("line 4: there is no prompt"));
        assert!(why("").contains("no prompt") && why("a\n\0").starts_with("line 2: a NUL byte"));
        assert_eq!(task("---\ntype: fix\nprio"), Err(Broken::CutOff));
    }
}
