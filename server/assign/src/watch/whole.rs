//! One item as text, with all there is to say of it. Must not: cut, or leave anything from elsewhere unescaped.

use wire::approval::Approval;
use wire::prompt::Prompt;
use wire::session::Session;
use wire::text::{escape, escape_lines};

use super::board::Board;
use super::draw;
use super::inbox::Mark;
use crate::result;
use crate::tables::{age, reasoned};

/// All lines, none longer than so many columns.
pub fn lines(board: &Board, mark: &Mark, width: u16) -> Vec<String> {
    let told = match mark {
        Mark::Approval(id) => board.approvals.get(id).map(request),
        Mark::Session(id) => board.sessions.get(id).map(|s| session(board, s)),
        Mark::Prompt(id) => board.prompts.get(id).map(|p| prompt(board, p)),
    };
    let told = told.unwrap_or_else(|| vec!["It is over: answered elsewhere, or gone.".to_owned()]);
    told.iter().flat_map(|line| draw::wrap(line, width)).collect()
}

/// What is asked, as `assign approve` shows it before it answers.
fn request(approval: &Approval) -> Vec<String> {
    let dialog = &approval.dialog;
    let mut out = vec![format!("{}: {}", dialog.kind, escape(&dialog.title))];
    // Most bodies begin with the title.
    let title = escape_lines(&dialog.title);
    let body = escape_lines(&dialog.body);
    out.extend(body.lines().skip_while(|line| *line == title).map(str::to_owned));
    if let Some(request) = &dialog.request {
        let detail = escape_lines(&request.detail);
        out.extend(format!("{}: {detail}", escape(&request.tool)).lines().map(str::to_owned));
    }
    for option in &dialog.options {
        let mark = if option.selected { '>' } else { ' ' };
        out.push(format!("{mark} {}. {}", option.index + 1, escape(&option.label)));
    }
    if approval.asked_by.is_some() {
        out.push(format!("in your own words: assign answer {} --text '…'", approval.id));
    }
    out.extend(approval.refused.as_ref().map(|why| format!("the last answer was refused: {}", escape(why))));
    out.extend(approval.rule.as_ref().map(|rule| format!("rules say: {}", escape(rule))));
    out
}

fn session(board: &Board, s: &Session) -> Vec<String> {
    let claim = &s.claim;
    let since = age(claim.since, board.now());
    let mut out = vec![
        format!("{}: {} since {since} by {}", escape(&s.name), claim.state, claim.source),
        format!("evidence: {} ({})", escape(&claim.evidence), escape(&claim.rule)),
        format!("agent: {} on {}", escape(&s.agent), escape(&s.host_name)),
        format!(
            "place: {} {}",
            escape(&s.context.dir),
            escape(s.context.branch.as_deref().unwrap_or_default())
        ),
    ];
    if let Some(dialog) = &s.dialog {
        out.push(format!("{}: {}", dialog.kind, escape(&dialog.title)));
        out.extend(escape_lines(&dialog.body).lines().map(str::to_owned));
    }
    if !s.last_line.is_empty() {
        out.push(format!("last line: {}", escape(&s.last_line)));
    }
    out.push(format!("its terminal: wrap attach {}", escape(&s.name)));
    out
}

fn prompt(board: &Board, p: &Prompt) -> Vec<String> {
    let now = board.now();
    let (changed, created) = (age(p.changed, now), age(p.created, now));
    let mut out = vec![format!(
        "prompt {}: {} since {changed}, queued {created} ago, priority {}, {} of {} tries",
        p.id, p.state, p.asked.priority, p.tried, p.attempts
    )];
    let session = p.session.as_ref().map(|id| board.name(id).unwrap_or(&id.0));
    for (what, value) in [
        ("session", session),
        ("target", p.asked.target.as_deref()),
        ("directory", p.asked.dir.as_deref()),
        ("branch", p.asked.branch.as_deref()),
        ("verified by", p.asked.verify.as_deref()),
    ] {
        out.extend(value.map(|value| format!("{what}: {}", escape(value))));
    }
    out.extend(p.hold.as_ref().map(|h| format!("{}: {}", h.code, escape(&h.text))));
    out.push(String::new());
    out.extend(escape_lines(&p.asked.text).lines().map(str::to_owned));
    if let Some(result) = &p.result {
        out.push(String::new());
        let what = format!("{} ({})", result.outcome, escape(&result.source));
        out.push(reasoned(&what, &escape(&result.reason)));
        out.extend(result::facts(result));
        out.extend(escape_lines(&result.answer).lines().map(str::to_owned));
    }
    out.push(String::new());
    out.push(format!("Long texts are cut here; `assign show {}` prints all.", p.id));
    out
}
