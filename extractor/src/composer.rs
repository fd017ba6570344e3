//! Finds what stands where a prompt would be typed. Must not: decide a state.

use patterns::{At, ComposerRule, Pattern};

use crate::memo::{Memo, Rule};
use crate::observation::{Composer, Shown};
use crate::vt::{Screen, Styled, Vt};

/// Most rows that are not blank under a composer that nothing closes.
const UNDER: usize = 5;

/// A composer on the screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Its first row.
    pub first: usize,
    /// Its last row.
    pub last: usize,
    /// The rows it takes with its borders: where the regions around it begin.
    pub outer: (usize, usize),
    /// Its text, visible rows joined by line breaks, empty when it is only ghost text.
    pub text: String,
}

impl Field {
    /// As told to the gate.
    pub fn composer(&self) -> Composer {
        if self.text.is_empty() { Composer::Empty } else { Composer::Holds(self.text.clone()) }
    }
}

/// Finds the composer.
pub fn find(rule: &ComposerRule, screen: &Screen, vt: &Vt, memo: &Memo) -> Option<Field> {
    let marked = |row: usize| rule.marker.is_match(trim(rule, &screen.rows[row]));
    match rule.at {
        At::Last => (0..screen.rows.len())
            .rev()
            .filter(|&row| memo.says(row, Rule::Marker, || marked(row)))
            .find_map(|row| {
                let field = boxed(rule, screen, row, memo)?;
                Some(read(rule, screen, vt, field))
            }),
        At::Cursor => {
            let mut first = screen.cursor.0;
            while first > 0 && screen.wrapped.get(first - 1) == Some(&true) {
                first -= 1;
            }
            let row = screen.rows.get(first)?;
            // A prompt ends with a blank, which the rows on the screen have lost.
            let padded = format!("{row} ");
            rule.marker.find(&padded)?;
            let last = screen.cursor.0.max(first);
            Some(read(rule, screen, vt, (first, last, (first, last))))
        }
    }
}

type Span = (usize, usize, (usize, usize));

fn boxed(rule: &ComposerRule, screen: &Screen, first: usize, memo: &Memo) -> Option<Span> {
    let rows = &screen.rows;
    let mut outer = (first, first);
    if let Some(above) = &rule.above {
        let row = first.checked_sub(1)?;
        if !memo.says(row, Rule::Above, || above.is_match(&rows[row])) {
            return None;
        }
        outer.0 = row;
    }
    let closed = rule.above.is_some() && rule.below.is_some();
    let mut last = first;
    for (row, text) in rows.iter().enumerate().skip(first + 1) {
        let below = |below: &Pattern| memo.says(row, Rule::Below, || below.is_match(text));
        if rule.below.as_ref().is_some_and(below) {
            outer.1 = if closed { row } else { last };
            return Some((first, last, outer));
        }
        if !closed && text.trim().is_empty() {
            break;
        }
        last = row;
    }
    outer.1 = last;
    let under = rows[last + 1..].iter().filter(|r| !r.trim().is_empty()).count();
    let open = !closed && (under <= UNDER || (first..=last).contains(&screen.cursor.0));
    open.then_some((first, last, outer))
}

fn read(rule: &ComposerRule, screen: &Screen, vt: &Vt, (first, last, outer): Span) -> Field {
    let mut lines = Vec::new();
    let mut typed = false;
    for row in first..=last {
        let text = format!("{} ", trim(rule, &screen.rows[row]));
        let start = if row == first { rule.marker.find(&text).map_or(0, |(_, end)| end) } else { 0 };
        let columns = width(&text[..start]);
        typed |= is_typed(&vt.styles(row, columns), row == first);
        lines.push(text[start..].trim_end().to_owned());
    }
    let mut text = lines.iter().map(|l| l.trim()).collect::<Vec<_>>().join("\n");
    text.truncate(text.trim_end().len());
    if !typed || rule.ghost.iter().any(|ghost| ghost.is_match(text.trim())) {
        text.clear();
    }
    Field { first, last, outer, text }
}

/// Whether some cell holds typed text: neither blank nor faint. One inverse cell is the program's own cursor, which
/// stands on the first character of ghost text.
fn is_typed(cells: &[Styled], first: bool) -> bool {
    let mut full = cells.iter().filter(|c| !c.blank).peekable();
    if first && full.peek().is_some_and(|c| c.inverse) {
        let rest: Vec<_> = full.clone().skip(1).collect();
        if !rest.is_empty() && rest.iter().all(|c| c.faint) {
            return false;
        }
    }
    full.any(|c| !c.faint)
}

fn trim<'t>(rule: &ComposerRule, row: &'t str) -> &'t str {
    if rule.border.is_empty() { row } else { row.trim_end_matches(|c| rule.border.contains(&c) || c == ' ') }
}

fn width(text: &str) -> usize {
    unicode_width::UnicodeWidthStr::width(text)
}

/// Whether `text` is what the field holds.
///
/// A composer wraps, indents and scrolls: only characters that are no white space count, and of a text of several
/// rows the part that is shown suffices when it is at least 40 characters.
pub fn shows(rule: &ComposerRule, field: &Field, text: &str) -> Shown {
    let (wanted, held) = (squeeze(text), squeeze(&field.text));
    if held.is_empty() || wanted.is_empty() {
        return Shown::No;
    }
    if wanted == held {
        return Shown::Text;
    }
    let mut rest = field.text.clone();
    for pasted in &rule.pasted {
        rest = pasted.remove_all(&rest);
    }
    if rest != field.text {
        let left = squeeze(&rest);
        return if left.is_empty() || wanted.contains(&left) { Shown::Placeholder } else { Shown::No };
    }
    let part = field.last > field.first && held.chars().count() >= 40 && wanted.contains(&held);
    if part { Shown::Part } else { Shown::No }
}

fn squeeze(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}
