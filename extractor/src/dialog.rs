//! Finds a dialog that has taken the keyboard. Must not: decide a state.

use patterns::DialogRule;

use crate::hash::fingerprint;
use crate::memo::{Memo, Rule};
use crate::observation::{Dialog, DialogKind, DialogOption};
use crate::vt::Screen;

/// A dialog on the screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// What it asks.
    pub dialog: Dialog,
    /// The rule that found it.
    pub rule: String,
    /// Its first row.
    pub first: usize,
}

struct Row<'r> {
    cursor: bool,
    number: Option<&'r str>,
    key: Option<&'r str>,
    label: &'r str,
    column: usize,
    at: usize,
}

/// Finds the first dialog of the agent's list that the screen shows; each rule comes with its place in it.
pub fn find<'r>(
    rules: impl Iterator<Item = (usize, &'r DialogRule)>,
    screen: &Screen,
    memo: &Memo,
) -> Option<Asked> {
    let full: Vec<usize> = (0..screen.rows.len()).filter(|&r| !screen.rows[r].trim().is_empty()).collect();
    rules.into_iter().find_map(|(place, rule)| one(rule, place, screen, &full, memo))
}

fn one(rule: &DialogRule, place: usize, screen: &Screen, full: &[usize], memo: &Memo) -> Option<Asked> {
    let ends = |r: usize| memo.says(r, Rule::DialogEnd(place), || rule.end.is_match(&screen.rows[r]));
    let last = full.iter().rev().take(rule.under + 1).copied().find(|&r| ends(r))?;
    if rule.at_cursor && screen.cursor.0 != last {
        return None;
    }
    let rows: Vec<&str> = screen.rows[..=last].iter().map(|r| trim(rule, r)).collect();
    let (mut first, mut text, mut cursor) = (last, false, !rule.needs_cursor);
    loop {
        let shown = || captures(rule, rows[first], first).is_some_and(|o| o.cursor);
        text |= memo.says(first, Rule::DialogText(place), || rule.text.is_match(rows[first]));
        cursor |= memo.says(first, Rule::DialogCursor(place), shown);
        let above = first.checked_sub(1).filter(|_| last - first + 1 < rule.rows);
        let Some(above) = above else { break };
        let top = rule.top.as_ref().is_some_and(|top| {
            memo.says(above, Rule::DialogTop(place), || top.is_match(&screen.rows[above]))
        });
        if top && text && cursor {
            break;
        }
        first = above;
    }
    if !(text && cursor) {
        return None;
    }
    if rule.top.is_none() {
        first = (first..=last).find(|&r| rule.text.is_match(rows[r])).unwrap_or(first);
    }
    Some(build(rule, &rows, first, last))
}

fn build(rule: &DialogRule, rows: &[&str], first: usize, last: usize) -> Asked {
    let mut options: Vec<Row> = (first..=last).filter_map(|r| captures(rule, rows[r], r)).collect();
    if let Some(selected) = options.iter().find(|o| o.cursor) {
        let (column, numbered) = (selected.column, selected.number.is_some());
        options.retain(|o| o.column == column && o.number.is_some() == numbered);
    }
    let until = options.first().map_or(last + 1, |o| o.at);
    let rule_line = |row: &str| !row.is_empty() && row.chars().all(|c| "─━╌╭╮╰╯│═ ".contains(c));
    let body: Vec<&str> = rows[first..until].iter().map(|r| r.trim()).filter(|r| !rule_line(r)).collect();
    let asked =
        || rows[first..=last].iter().find_map(|r| Some(rule.text.captures(r)?.name("ask")?.as_str().trim()));
    let body = asked().map_or_else(|| body.join("\n").trim().to_owned(), str::to_owned);
    let selected = options.iter().position(|o| o.cursor);
    let keys: Vec<Option<Vec<u8>>> =
        (0..options.len()).map(|i| keys(rule, &options[i], selected, i)).collect();
    let yes = rule.approve.as_ref().and_then(|yes| options.iter().position(|o| yes.is_match(o.label)));
    let approve = rule.approve_keys.clone().or_else(|| keys[yes?].clone());
    let kind = kind(rule.kind);
    let labels: Vec<&str> = options.iter().map(|o| o.label).collect();
    let id = fingerprint([kind.as_str(), body.as_str()].into_iter().chain(labels.iter().copied()));
    let title = body
        .lines()
        .find(|l| !l.trim().is_empty())
        .or(labels.first().copied())
        .unwrap_or_default()
        .to_owned();
    let options = options.iter().zip(&keys).map(|(o, keys)| DialogOption {
        label: o.label.to_owned(),
        selected: o.cursor,
        keys: keys.clone(),
    });
    let options = options.collect();
    let dialog = Dialog {
        id,
        place: 0,
        kind,
        title,
        body,
        options,
        approve,
        deny: rule.deny_keys.clone(),
        request: None,
    };
    Asked { dialog, rule: rule.id.clone(), first }
}

/// The bytes that choose an option: its own key, its number, or arrows from the highlighted one and Enter.
fn keys(rule: &DialogRule, option: &Row, selected: Option<usize>, index: usize) -> Option<Vec<u8>> {
    match option.key {
        Some("esc") => return Some(vec![0x1b]),
        Some(key) => return Some(key.as_bytes().to_vec()),
        None => {}
    }
    if rule.direct
        && let Some(number) = option.number
    {
        return Some(number.as_bytes().to_vec());
    }
    let selected = selected?;
    let (arrow, times) =
        if index >= selected { (b"\x1b[B", index - selected) } else { (b"\x1b[A", selected - index) };
    let mut bytes = arrow.repeat(times);
    bytes.push(b'\r');
    Some(bytes)
}

fn captures<'t>(rule: &DialogRule, row: &'t str, at: usize) -> Option<Row<'t>> {
    let groups = rule.option.as_ref()?.captures(row)?;
    let group = |name: &str| groups.name(name);
    let label = group("label")?;
    Some(Row {
        cursor: group("cursor").is_some(),
        number: group("number").map(|m| m.as_str()),
        key: group("key").map(|m| m.as_str()),
        column: row[..label.start()].chars().count(),
        label: label.as_str().trim(),
        at,
    })
}

fn trim<'t>(rule: &DialogRule, row: &'t str) -> &'t str {
    if rule.border.is_empty() {
        return row;
    }
    let row = row.trim_end_matches(|c: char| rule.border.contains(&c) || c == ' ');
    row.trim_start().strip_prefix(rule.border.as_slice()).unwrap_or(row)
}

fn kind(kind: patterns::DialogKind) -> DialogKind {
    match kind {
        patterns::DialogKind::Permission => DialogKind::Permission,
        patterns::DialogKind::Question => DialogKind::Question,
        patterns::DialogKind::Trust => DialogKind::Trust,
        patterns::DialogKind::Plan => DialogKind::Plan,
        patterns::DialogKind::Login => DialogKind::Login,
        patterns::DialogKind::Other => DialogKind::Other,
    }
}
