//! Tables for people. Must not: print, or leave any text from elsewhere unescaped.

use comfy_table::{Cell, ContentArrangement, Row, Table, presets};
use wire::UnixMillis;
use wire::approval::{Approval, Verdict};
use wire::http::{AuditEntry, ContextRow};
use wire::prompt::{Prompt, Score};
use wire::session::{Link, Session};
use wire::text::{cut, escape};

use crate::tmux::Pane;

/// The clock.
pub fn now() -> UnixMillis {
    UnixMillis(jiff::Timestamp::now().as_millisecond())
}

/// How long ago, in its largest unit.
pub fn age(then: UnixMillis, now: UnixMillis) -> String {
    let seconds = now.since(then) / 1000;
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m", seconds / 60),
        3600..86_400 => format!("{}h", seconds / 3600),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// What came of a thing, and why if that is known.
pub fn reasoned(what: &str, why: &str) -> String {
    if why.is_empty() { what.to_owned() } else { format!("{what}: {why}") }
}

/// Sessions.
pub fn sessions(sessions: &[Session], now: UnixMillis) -> String {
    if sessions.is_empty() {
        return "no sessions; `wrap claude` starts one".to_owned();
    }
    let mut table = table(&["name", "agent", "state", "since", "prompt", "directory", "branch", "last line"]);
    for s in sessions {
        let state = match s.link {
            Link::Connected if s.kept => format!("{} (kept)", s.claim.state),
            Link::Connected => s.claim.state.to_string(),
            Link::Disconnected => format!("{} (disconnected)", s.claim.state),
        };
        let asks = s.dialog.as_ref().map_or(&s.last_line, |d| &d.title);
        table.add_row(row([
            &s.name,
            &s.agent,
            &state,
            &age(s.claim.since, now),
            &s.prompt.map(|p| p.to_string()).unwrap_or_default(),
            &s.context.dir,
            s.context.branch.as_deref().unwrap_or_default(),
            &cut(asks, 60),
        ]));
    }
    table.trim_fmt()
}

/// Prompts.
pub fn prompts(prompts: &[Prompt], sessions: &[Session], now: UnixMillis) -> String {
    if prompts.is_empty() {
        return "no prompts".to_owned();
    }
    let mut table = table(&["id", "state", "pri", "session", "tries", "age", "text", "note"]);
    for p in prompts {
        let named = |id: &wire::SessionId| {
            sessions.iter().find(|s| s.id == *id).map_or_else(|| id.0.clone(), |s| s.name.clone())
        };
        let session = p.session.as_ref().map(named).or_else(|| p.asked.target.clone()).unwrap_or_default();
        let note = match (&p.result, &p.hold) {
            (Some(result), _) => result.reason.clone(),
            (None, Some(hold)) => format!("{}: {}", hold.code, hold.text),
            (None, None) => String::new(),
        };
        table.add_row(row([
            &p.id.to_string(),
            p.state.as_str(),
            &p.asked.priority.to_string(),
            &session,
            &format!("{}/{}", p.tried, p.attempts),
            &age(p.created, now),
            &cut(&p.asked.text.replace('\n', " "), 60),
            &cut(&note, 60),
        ]));
    }
    table.trim_fmt()
}

/// Scores of a routing.
pub fn scores(scores: &[Score]) -> String {
    if scores.is_empty() {
        return "no session was looked at; `wrap claude` starts one".to_owned();
    }
    let mut table = table(&["session", "score", "why"]);
    for score in scores {
        let why = match &score.refused {
            Some(refused) => refused.clone(),
            None => {
                let points: Vec<String> =
                    score.points.iter().map(|p| format!("{} {:+}", p.what, p.points)).collect();
                points.join(", ")
            }
        };
        let total = if score.refused.is_some() { "-".to_owned() } else { score.total.to_string() };
        table.add_row(row([&score.name, &total, &why]));
    }
    table.trim_fmt()
}

/// What agents ask.
pub fn approvals(approvals: &[Approval], sessions: &[Session], now: UnixMillis) -> String {
    if approvals.is_empty() {
        return "nothing is asked".to_owned();
    }
    let mut table = table(&["id", "session", "state", "age", "tool", "asks", "by", "note"]);
    for a in approvals {
        let session = sessions.iter().find(|s| s.id == a.session).map_or(&a.session.0, |s| &s.name);
        let request = a.dialog.request.as_ref();
        let asks = request.map_or(&a.dialog.title, |r| &r.detail);
        table.add_row(row([
            &a.id.to_string(),
            session,
            a.state.as_str(),
            &age(a.opened, now),
            request.map_or(a.dialog.kind.as_str(), |r| &r.tool),
            &cut(&asks.replace('\n', " "), 60),
            a.by.as_deref().unwrap_or_default(),
            a.refused.as_deref().or(a.rule.as_deref()).unwrap_or_default(),
        ]));
    }
    table.trim_fmt()
}

/// What rules say of the past.
pub fn verdicts(verdicts: &[Verdict], now: UnixMillis) -> String {
    if verdicts.is_empty() {
        return "nothing was asked yet that rules could be tried on".to_owned();
    }
    let mut table = table(&["id", "age", "tool", "asks", "was", "would be", "by"]);
    for v in verdicts {
        let request = v.approval.dialog.request.as_ref();
        let asks = request.map_or(&v.approval.dialog.title, |r| &r.detail);
        let by = v.rule.as_ref().or(v.why.as_ref()).map(String::as_str).unwrap_or_default();
        table.add_row(row([
            &v.approval.id.to_string(),
            &age(v.approval.opened, now),
            request.map_or(v.approval.dialog.kind.as_str(), |r| &r.tool),
            &cut(&asks.replace('\n', " "), 60),
            v.approval.state.as_str(),
            v.effect.as_str(),
            &cut(by, 60),
        ]));
    }
    table.trim_fmt()
}

/// Who did what.
pub fn audit(entries: &[AuditEntry], now: UnixMillis) -> String {
    let mut table = table(&["nr", "age", "by", "what", "on", "detail"]);
    for e in entries {
        let detail = cut(&e.detail, 80);
        table.add_row(row([&e.seq.to_string(), &age(e.at, now), &e.by, &e.what, &e.on, &detail]));
    }
    table.trim_fmt()
}

/// Where a session worked.
pub fn contexts(contexts: &[ContextRow], now: UnixMillis) -> String {
    let mut table = table(&["age", "directory", "branch", "environment", "hash"]);
    for ContextRow { at, context } in contexts {
        let env: Vec<String> = context.env.iter().map(|(name, value)| format!("{name}={value}")).collect();
        table.add_row(row([
            &age(*at, now),
            &context.dir,
            context.branch.as_deref().unwrap_or_default(),
            &cut(&env.join(" "), 80),
            &context.hash,
        ]));
    }
    table.trim_fmt()
}

/// Panes of tmux.
pub fn panes(panes: &[Pane]) -> String {
    let mut table = table(&["pane", "at", "size", "session", "send", "command", "directory"]);
    for p in panes {
        table.add_row(row([
            p.pane.as_str(),
            &cut(&p.at, 40),
            &format!("{}x{}", p.cols, p.rows),
            p.session.as_deref().or(p.adopted.as_deref()).unwrap_or_default(),
            if p.may_type { "allowed" } else { "" },
            &cut(&p.command, 40),
            &p.dir,
        ]));
    }
    table.trim_fmt()
}

fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(header.iter().map(|h| Cell::new(h.to_uppercase())));
    table
}

fn row<const N: usize>(cells: [&str; N]) -> Row {
    let mut row = Row::from(cells.iter().map(|text| Cell::new(escape(text))).collect::<Vec<_>>());
    row.max_height(2);
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_has_one_unit() {
        let ago = |s: i64| age(UnixMillis(0), UnixMillis(s * 1000));
        assert_eq!([ago(5), ago(65), ago(7200), ago(200_000)], ["5s", "1m", "2h", "2d"]);
        assert_eq!(age(UnixMillis(5000), UnixMillis(0)), "0s");
    }

    #[test]
    fn a56_no_cell_can_move_a_cursor() {
        let score = Score {
            session: wire::SessionId("s".into()),
            name: "a\u{1b}[2J\rb\u{202e}".into(),
            refused: Some("x\u{9b}31m".into()),
            points: Vec::new(),
            total: 0,
        };
        let shown = scores(&[score]);
        assert!(shown.chars().all(|c| c == '\n' || !c.is_control()), "{shown:?}");
        assert!(!shown.contains('\u{202e}'));
    }
}
