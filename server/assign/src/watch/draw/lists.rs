//! The rows of the three lists. Must not: leave any text from elsewhere unescaped.

use ratatui::style::Style;
use ratatui::text::{Line, Span};
use wire::prompt::{Prompt, PromptState};
use wire::session::{Link, Session, State};
use wire::text::escape;

use super::super::board::Board;
use super::super::inbox::Item;
use super::look::Look;
use super::pad;
use crate::tables::age;

/// A line of the inbox.
pub fn item(board: &Board, item: &Item<'_>, look: Look) -> Line<'static> {
    let since = age(item.since(), board.now());
    let (word, style, who, what) = match item {
        Item::Ask(session, approval) => {
            let request = approval.dialog.request.as_ref();
            let what = match request {
                Some(request) => format!("{}: {}", request.tool, request.detail),
                None => approval.dialog.title.clone(),
            };
            (approval.dialog.kind.as_str(), look.asks(), session.name.clone(), what)
        }
        Item::Stuck(session) => {
            ("asks", look.asks(), session.name.clone(), format!("{}; see its terminal", session.claim.state))
        }
        Item::Held(prompt) => ("held", look.asks(), number(prompt), note(prompt)),
        Item::Failed(prompt) => ("failed", look.bad(), number(prompt), note(prompt)),
        Item::Done(prompt) => ("done", look.good(), number(prompt), prompt.asked.text.clone()),
    };
    spans(vec![
        (pad(word, 11), style),
        (pad(&since, 4), look.faint()),
        (pad(&who, 12), look.strong()),
        (escape(&what), Style::new()),
    ])
}

/// A line of the sessions: never a state without its source and its age.
pub fn session(board: &Board, s: &Session, look: Look) -> Line<'static> {
    let (word, style) = match (s.link, s.claim.state) {
        (Link::Disconnected, State::Exited) | (Link::Connected, State::Exited) => ("exited", look.faint()),
        (Link::Disconnected, _) => ("away", look.bad()),
        (Link::Connected, State::WaitingPermission) => ("permission", look.asks()),
        (Link::Connected, State::WaitingInput) => ("input", look.asks()),
        (Link::Connected, State::Busy) => ("busy", look.busy()),
        (Link::Connected, State::Starting) => ("starting", look.busy()),
        (Link::Connected, State::Idle) if s.claim.background => ("idle+work", look.good()),
        (Link::Connected, State::Idle) => ("idle", look.good()),
        (Link::Connected, State::Unknown) => ("unknown", look.bad()),
    };
    let since = match s.link {
        Link::Connected => s.claim.since,
        Link::Disconnected => s.link_since,
    };
    let task = s.prompt.map(|id| format!("#{id}")).unwrap_or_default();
    let branch = s.context.branch.as_deref().unwrap_or_default();
    let paused = if s.paused { "paused " } else { "" };
    let kept = if s.kept { "kept " } else { "" };
    spans(vec![
        (pad(&s.name, 12), look.strong()),
        (pad(word, 10), style),
        (pad(s.claim.source.as_str(), 8), look.faint()),
        (pad(&age(since, board.now()), 4), look.faint()),
        (pad(&s.agent, 8), Style::new()),
        (pad(&task, 6), Style::new()),
        (format!("{paused}{kept}{} {}", escape(place(&s.context.dir)), escape(branch)), Style::new()),
    ])
}

/// A line of the queue.
pub fn prompt(board: &Board, p: &Prompt, look: Look) -> Line<'static> {
    let style = match p.state {
        PromptState::Held => look.asks(),
        PromptState::InProgress | PromptState::Assigned => look.busy(),
        PromptState::Pending => Style::new(),
        PromptState::Failed => look.bad(),
        PromptState::Completed => look.good(),
        PromptState::Cancelled => look.faint(),
    };
    let session = p.session.as_ref().map(|id| board.name(id).unwrap_or(&id.0));
    let target = session.or(p.asked.target.as_deref()).unwrap_or_default();
    spans(vec![
        (pad(&number(p), 6), look.strong()),
        (pad(p.state.as_str(), 11), style),
        (pad(&format!("p{}", p.asked.priority), 3), look.faint()),
        (pad(&age(p.created, board.now()), 4), look.faint()),
        (pad(target, 10), Style::new()),
        (escape(&note(p)), Style::new()),
    ])
}

fn number(prompt: &Prompt) -> String {
    format!("#{}", prompt.id)
}

/// Why it stands where it stands, and what it is.
fn note(p: &Prompt) -> String {
    let text = p.asked.text.replace('\n', " ");
    match (&p.result, &p.hold) {
        (Some(result), _) if p.state != PromptState::Completed => format!("{} · {text}", result.reason),
        (None, Some(hold)) => format!("{}: {} · {text}", hold.code, hold.text),
        _ => text,
    }
}

/// The end of a path tells more than its beginning.
fn place(dir: &str) -> &str {
    let mut parts = dir.rmatch_indices('/');
    match (parts.next(), parts.next()) {
        (Some(_), Some((at, _))) if at > 0 => &dir[at + 1..],
        _ => dir,
    }
}

fn spans(parts: Vec<(String, Style)>) -> Line<'static> {
    let mut spans = Vec::with_capacity(parts.len() * 2);
    for (text, style) in parts {
        spans.push(Span::styled(text, style));
        spans.push(Span::raw(" "));
    }
    Line::from(spans)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_told_by_its_end() {
        assert_eq!([place("/home/u/api"), place("/api"), place("/"), place("")], ["u/api", "/api", "/", ""]);
    }
}
