//! Reads the last turn off its rows: the answer, the agent's own words on how it ended. Must not: decide an outcome.

use patterns::{Agent, AnswerRule, LineRule};

use crate::memo::{Memo, Rule};
use crate::observation::Origin;
use crate::turn::Verdict;

/// How many characters of a prompt tell it from others on the screen.
const PROMPT_SEEN: usize = 60;
/// Longest answer that is kept, in characters.
const LONGEST: usize = 20_000;

/// What the rows of a turn hold.
#[derive(Debug, Clone, Default)]
pub struct Read {
    /// How it ended.
    pub verdict: Verdict,
    /// The answer's plain text.
    pub answer: String,
}

/// Reads the rows above the composer, the last user's prompt and everything after it.
pub fn read(agent: &Agent, rows: &[String]) -> Read {
    let Some(rule) = &agent.answer else { return Read::default() };
    let start = rows.iter().rposition(|row| rule.prompt.is_match(row)).map_or(0, |at| at + 1);
    after(agent, rule, &rows[start..])
}

/// The answer to the last prompt that begins as this one does; without one on the screen, the last answer.
pub fn to(agent: &Agent, rows: &[String], prompt: &str) -> String {
    let Some(rule) = &agent.answer else { return String::new() };
    let wanted: String = squeeze(prompt).chars().take(PROMPT_SEEN).collect();
    let asks = |at: &usize| {
        let Some((_, end)) = rule.prompt.find(&rows[*at]) else { return false };
        let shown =
            rows[at + 1..].iter().take(3).fold(squeeze(&rows[*at][end..]), |all, row| all + &squeeze(row));
        !wanted.is_empty() && shown.starts_with(&wanted)
    };
    match (0..rows.len()).rev().find(asks) {
        Some(at) => {
            let rest = &rows[at + 1..];
            let next = rest.iter().position(|row| rule.prompt.is_match(row) && rule.begin.is_some());
            after(agent, rule, &rest[..next.unwrap_or(rest.len())]).answer
        }
        None => read(agent, rows).answer,
    }
}

/// Whether these rows end with this prompt and the end of its turn.
pub fn ends_with(agent: &Agent, rows: &[String], prompt: &str) -> bool {
    let Some(rule) = &agent.answer else { return false };
    let Some(at) = rows.iter().rposition(|row| rule.prompt.is_match(row)) else { return false };
    begins(rule, &rows[at], prompt) && is_over(agent, &rows[at + 1..], &Memo::NOTHING)
}

/// The characters of the last prompt in these rows.
pub fn last_prompt(agent: &Agent, rows: &[String]) -> Option<String> {
    let rule = agent.answer.as_ref()?;
    rows.iter().rev().find_map(|row| prompt(rule, row))
}

/// The characters of the prompt that a row shows.
fn prompt(rule: &AnswerRule, row: &str) -> Option<String> {
    let (_, end) = rule.prompt.find(row)?;
    // The pattern may take the prompt's first letter with it.
    let last = row[..end].char_indices().next_back().filter(|(_, c)| *c != ' ');
    Some(squeeze(&row[last.map_or(end, |(at, _)| at)..]))
}

/// Whether a row shows this prompt's beginning.
fn begins(rule: &AnswerRule, row: &str, wanted: &str) -> bool {
    prompt(rule, row).is_some_and(|shown| !shown.is_empty() && wanted.starts_with(&shown))
}

/// The answer above the last prompt, when the mark of a turn's end stands right above it and it is not `own`.
pub fn before_prompt(agent: &Agent, own: &str, rows: &[String]) -> Option<String> {
    let rule = agent.answer.as_ref()?;
    let at =
        rows.iter().rposition(|row| rule.prompt.is_match(row)).filter(|at| !begins(rule, &rows[*at], own))?;
    let above = &rows[..at];
    let last = above.iter().rev().find(|row| !row.trim().is_empty())?;
    matched(&agent.turn_ends, last).map(|_| read(agent, above).answer)
}

/// The characters that are not blank.
pub fn squeeze(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

fn after(agent: &Agent, rule: &AnswerRule, rows: &[String]) -> Read {
    let mut verdict = last_block(agent, rule, rows, &Memo::NOTHING);
    let answer = answer(agent, rule, rows);
    verdict.refused = refusal(agent, &answer);
    Read { verdict, answer }
}

/// The sentence of an answer that says that the task is not done, of an agent that speaks.
pub fn refusal(agent: &Agent, answer: &str) -> Option<String> {
    agent.answer.as_ref().filter(|rule| rule.always)?;
    let flat = answer.split_whitespace().collect::<Vec<_>>().join(" ");
    let (start, end) = patterns::cause::refusal(&flat)?;
    let from = flat[..start].rfind(['.', '!', '?']).map_or(0, |at| at + 1);
    let to = flat[end..].find(['.', '!', '?']).map_or(flat.len(), |at| end + at + 1);
    Some(flat[from..to].trim().to_owned())
}

/// Whether the last thing in these rows is the mark of a turn's end: done, failed, interrupted. `memo` is of the screen
/// that begins with these rows, or knows nothing.
pub fn is_over(agent: &Agent, rows: &[String], memo: &Memo) -> bool {
    let Some(rule) = &agent.answer else { return false };
    let verdict = last_block(agent, rule, rows, memo);
    verdict.ended || verdict.failed.is_some() || verdict.interrupted.is_some()
}

/// Who says each row of a screen.
pub fn origins(rule: Option<&AnswerRule>, rows: &[String], memo: &Memo) -> Vec<Origin> {
    let Some(rule) = rule else { return vec![Origin::Unknown; rows.len()] };
    let mut now = Origin::Unknown;
    let mut all = Vec::with_capacity(rows.len());
    for (at, row) in rows.iter().enumerate() {
        let skipped = || rule.skip.iter().any(|skip| skip.is_match(row));
        if is_tool(rule, rows, at, memo) || memo.says(at, Rule::Skip, skipped) {
            now = Origin::Tool;
        } else if begins_block(rule, rows, at, memo) {
            now = Origin::Agent;
        } else if memo.says(at, Rule::Prompt, || rule.prompt.is_match(row)) {
            now = Origin::User;
        }
        all.push(now);
    }
    all
}

/// Whether a tool call begins in this row.
fn is_tool(rule: &AnswerRule, rows: &[String], at: usize, memo: &Memo) -> bool {
    let next = || rows.get(at + 1).filter(|next| !next.trim().is_empty());
    let body = |next: &String| {
        let holds = || rule.tool_body.as_ref().is_some_and(|body| body.is_match(next));
        memo.says(at + 1, Rule::ToolBody, holds)
    };
    memo.says(at, Rule::Tool, || rule.tool.iter().any(|tool| tool.is_match(&rows[at])))
        || (begins_block(rule, rows, at, memo) && next().is_some_and(body))
}

/// Whether a block of the agent's begins in this row.
fn begins_block(rule: &AnswerRule, rows: &[String], at: usize, memo: &Memo) -> bool {
    memo.says(at, Rule::Begin, || rule.begin.as_ref().is_some_and(|begin| begin.is_match(&rows[at])))
}

/// The last block that tells how the turn ended, from the bottom up to the first block of other kind.
fn last_block(agent: &Agent, rule: &AnswerRule, rows: &[String], memo: &Memo) -> Verdict {
    let mut verdict = Verdict::default();
    for (at, row) in rows.iter().enumerate().rev().filter(|(_, row)| !row.trim().is_empty()) {
        let matched = |which, rules: &[LineRule]| {
            let any = || rules.iter().any(|rule| rule.pattern.is_match(row));
            memo.says(at, which, any).then(|| matched(rules, row)).flatten()
        };
        if let Some(reason) = matched(Rule::Interrupted, &agent.interruptions) {
            verdict.interrupted = Some(reason);
            return verdict;
        }
        if let Some(reason) = matched(Rule::Failed, &agent.failures).filter(|_| counts(agent, row, rows)) {
            verdict.failed = Some(reason);
            return verdict;
        }
        if matched(Rule::Ended, &agent.turn_ends).is_some() {
            // A failed turn may have the same mark under its error.
            verdict.ended = true;
            continue;
        }
        let prompt = || memo.says(at, Rule::Prompt, || rule.prompt.is_match(row));
        if begins_block(rule, rows, at, memo) || prompt() {
            return verdict;
        }
    }
    verdict
}

/// Whether a line of failure counts: some do only when nothing else came of the turn.
fn counts(agent: &Agent, row: &str, rows: &[String]) -> bool {
    let rule = agent.failures.iter().find(|rule| rule.pattern.is_match(row));
    let alone = || rows.iter().filter(|row| !row.trim().is_empty()).count() == 1;
    rule.is_none_or(|rule| !rule.alone) || alone()
}

fn matched(rules: &[LineRule], row: &str) -> Option<String> {
    rules.iter().find_map(|rule| {
        let groups = rule.pattern.captures(row)?;
        let reason = ["reason", "reason2"].iter().find_map(|name| groups.name(name));
        Some(reason.map_or(row, |m| m.as_str()).trim().to_owned())
    })
}

/// The blocks after the last tool call, their marks cut and their indent removed.
fn answer(agent: &Agent, rule: &AnswerRule, rows: &[String]) -> String {
    let mut blocks: Vec<Vec<&str>> = Vec::new();
    let mut open = rule.begin.is_none();
    if open {
        blocks.push(Vec::new());
    }
    for (at, row) in rows.iter().enumerate() {
        if rule.end.iter().any(|end| end.is_match(row)) && blocks.iter().any(|block| !block.is_empty()) {
            break;
        }
        let ends = matched(&agent.failures, row).is_some() || matched(&agent.interruptions, row).is_some();
        if is_tool(rule, rows, at, &Memo::NOTHING) {
            blocks.clear();
            open = false;
        } else if ends || rule.skip.iter().any(|skip| skip.is_match(row)) {
            // A rule or summary inside an answer does not end it; what follows still belongs to it.
            open = open && !ends;
        } else if let Some((_, end)) = rule.begin.as_ref().and_then(|begin| begin.find(row)) {
            blocks.push(vec![&row[end..]]);
            open = true;
        } else if open && let Some(block) = blocks.last_mut() {
            block.push(row);
        }
    }
    let text = blocks.iter().map(|block| plain(block)).collect::<Vec<_>>().join("\n\n");
    text.trim().chars().take(LONGEST).collect()
}

fn plain(block: &[&str]) -> String {
    let indent = |row: &&str| row.chars().take_while(|c| *c == ' ').count();
    let least =
        block.iter().skip(1).filter(|row| !row.trim().is_empty()).map(indent).min().unwrap_or(0).min(2);
    let mut lines: Vec<&str> = Vec::new();
    for (i, row) in block.iter().enumerate() {
        let cut = if i == 0 { 0 } else { least.min(indent(row)) };
        let row = row[cut..].trim_end();
        if row.is_empty() && lines.last().is_none_or(|last| last.is_empty()) {
            continue;
        }
        lines.push(row);
    }
    lines.join("\n").trim_end().to_owned()
}
