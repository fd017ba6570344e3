//! What a tool answers: words of ours, then data of others, fenced. Pure. Must not: ask the server.

use rmcp::model::{CallToolResult, ContentBlock};
use serde_json::{Value, json};
use wire::prompt::Prompt;
use wire::session::Session;

use super::fence::{fence, mark, page};
use crate::failure::Failure;
use crate::result;

/// Characters of others in one answer: what models take in without trouble.
pub const PAGE: usize = 12_000;

/// What a tool answers.
#[derive(Debug)]
pub struct Answer {
    /// Our own words.
    head: String,
    /// From whom, and what.
    data: Option<(String, String)>,
}

impl Answer {
    /// Only words of ours.
    pub fn plain(head: impl Into<String>) -> Self {
        Self { head: head.into(), data: None }
    }

    /// Words of ours, and what others wrote, cut to a page.
    pub fn with(head: impl Into<String>, origin: impl Into<String>, data: &str) -> Self {
        let (page, more) = page(data, 0, PAGE);
        let cut = if more.is_some() { "\n[cut here]" } else { "" };
        Self { head: head.into(), data: Some((origin.into(), format!("{page}{cut}"))) }
    }

    /// A list of what others wrote, a line for each, as many as a page holds; and how many are left out.
    pub fn list(what: &str, origin: impl Into<String>, lines: &[String], more: &str) -> Self {
        let (mut data, mut shown) = (String::new(), 0);
        for line in lines {
            let length = data.chars().count() + line.chars().count();
            if length > PAGE && shown > 0 {
                break;
            }
            data.push_str(line);
            data.push('\n');
            shown += 1;
        }
        let head = match lines.len() - shown {
            0 => format!("{shown} {what}, a JSON object for each."),
            left => format!("{shown} {what}, a JSON object for each; {left} more are left out: {more}."),
        };
        Self::with(head, origin, data.trim_end())
    }

    /// As one text.
    pub fn text(&self) -> String {
        match &self.data {
            None => self.head.clone(),
            Some((origin, data)) => format!("{}\n{}", self.head, fence(&mark(), origin, data)),
        }
    }
}

/// As the protocol has it: what went wrong is for the model to read, too.
pub fn result(answer: Result<Answer, Failure>) -> CallToolResult {
    match answer {
        Ok(answer) => CallToolResult::success(vec![ContentBlock::text(answer.text())]),
        Err(failure) => {
            let why = failure.text().unwrap_or("the connection is closed");
            CallToolResult::error(vec![ContentBlock::text(why)])
        }
    }
}

/// A session in a list.
pub fn session(session: &Session, own: bool) -> Value {
    json!({
        "name": session.name, "id": session.id, "this_is_you": own, "agent": session.agent, "role": session.role,
        "capabilities": session.caps, "state": session.claim.state, "connected": session.link.as_str() == "connected",
        "paused": session.paused, "works_on_prompt": session.prompt, "directory": session.context.dir,
        "branch": session.context.branch, "title": session.title, "last_line": session.last_line,
        "asks": session.dialog.as_ref().map(|dialog| &dialog.title), "ended": session.exit.map(|exit| exit.status()),
    })
}

/// A prompt in a list.
pub fn prompt(prompt: &Prompt) -> Value {
    let progress = prompt.attempt.as_ref().and_then(|attempt| attempt.progress.as_ref());
    json!({
        "prompt": prompt.id, "state": prompt.state, "session": prompt.session, "target": prompt.asked.target,
        "text": wire::text::cut(&prompt.asked.text, 200), "held_because": prompt.hold.as_ref().map(|hold| &hold.text),
        "outcome": prompt.result.as_ref().map(|result| result.outcome), "tags": prompt.asked.tags,
        "progress": progress.map(|said| json!({ "text": said.text, "percent": said.percent })),
    })
}

/// Where a prompt stands, and what came of it, from a character of its answer on.
pub fn outcome(prompt: &Prompt, from: usize) -> Answer {
    let (id, state) = (prompt.id, prompt.state);
    let origin =
        prompt.session.as_ref().map_or("a person or the server".to_owned(), |s| format!("session {s}"));
    let Some(result) = &prompt.result else {
        let progress = prompt.attempt.as_ref().and_then(|attempt| attempt.progress.as_ref());
        let mut lines: Vec<String> = Vec::new();
        lines.extend(prompt.hold.iter().map(|hold| format!("{}: {}", hold.code, hold.text)));
        lines.extend(progress.map(|said| match said.percent {
            Some(percent) => format!("progress: {percent}%: {}", said.text),
            None => format!("progress: {}", said.text),
        }));
        let head = format!("Prompt {id} is {state}; it has no result yet.");
        return if lines.is_empty() {
            Answer::plain(head)
        } else {
            Answer::with(head, origin, &lines.join("\n"))
        };
    };
    let reason = (!result.reason.is_empty()).then(|| format!("how it ended: {}", result.reason));
    // What changed may be far longer than the answer, and comes last.
    let parts = [reason.unwrap_or_default(), result.answer.clone(), result::facts(result).join("\n")];
    let whole = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n\n");
    let (data, next) = page(&whole, from, PAGE);
    let mut head = format!("Prompt {id} is {state} (outcome: {}, tries: {}).", result.outcome, prompt.tried);
    match next {
        Some(next) => head.push_str(&format!(" This goes on: read_result with from = {next}.")),
        None if data.is_empty() => head.push_str(&format!(" There is nothing from {from} on.")),
        None => {}
    }
    Answer { head, data: Some((origin, data)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_ends_with_a_whole_line_and_says_what_is_missing() {
        let line = "x".repeat(PAGE / 3);
        let text = Answer::list("things", "somebody", &vec![line.clone(); 5], "ask for fewer").text();
        assert!(text.starts_with("2 things") || text.starts_with("3 things"), "{text}");
        assert!(text.contains("left out: ask for fewer") && !text.contains("cut here"));
        let whole = Answer::list("things", "somebody", &[line], "ask for fewer").text();
        assert!(whole.starts_with("1 things, a JSON object for each.\n"));
    }

    #[test]
    fn a74_what_is_long_is_cut_and_says_so() {
        let text = Answer::with("head", "session x", &"\u{1b}".repeat(PAGE + 1)).text();
        assert_eq!(text.matches("\\x1b").count(), PAGE);
        assert!(text.contains("[cut here]"));
    }
}
