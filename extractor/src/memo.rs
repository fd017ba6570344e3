//! What the rules said of each row of the screen, until the row changes. Must not: change what a rule says.
//!
//! A program that draws its screen changes a row or two at a time; the others need not be read again by every rule.

use std::cell::Cell;

/// Answers of one row: which rules were asked, and which of them said yes.
#[derive(Debug, Clone, Copy, Default)]
struct Answers {
    asked: u128,
    yes: u128,
}

/// A rule that looks at one row alone, by its place among the agent's.
#[derive(Debug, Clone, Copy)]
pub enum Rule {
    /// A rule over the screen.
    Screen(usize),
    /// A number on the screen.
    Metric(usize),
    /// The last row of a dialog, its text, its border above, the highlighted option.
    DialogEnd(usize),
    /// Its text.
    DialogText(usize),
    /// Its border above.
    DialogTop(usize),
    /// Its highlighted option.
    DialogCursor(usize),
    /// Where a prompt is typed.
    Marker,
    /// The border above it.
    Above,
    /// The border under it.
    Below,
    /// The beginning of a block of the agent's.
    Begin,
    /// The beginning of a user's prompt.
    Prompt,
    /// The first row of a tool call.
    Tool,
    /// The second row of a tool call.
    ToolBody,
    /// A row that is no part of an answer.
    Skip,
    /// A line of interruption.
    Interrupted,
    /// A line of failure.
    Failed,
    /// A line at the end of a turn.
    Ended,
}

impl Rule {
    /// Its bit; rules beyond those that have one are asked each time.
    fn bit(self) -> Option<u128> {
        let (first, most, at) = match self {
            Self::Screen(at) => (0, 32, at),
            Self::Metric(at) => (32, 16, at),
            Self::DialogEnd(at) => (48, 16, at),
            Self::DialogText(at) => (64, 16, at),
            Self::DialogTop(at) => (80, 16, at),
            Self::DialogCursor(at) => (96, 16, at),
            Self::Marker => (112, 1, 0),
            Self::Above => (113, 1, 0),
            Self::Below => (114, 1, 0),
            Self::Begin => (115, 1, 0),
            Self::Prompt => (116, 1, 0),
            Self::Tool => (117, 1, 0),
            Self::ToolBody => (118, 1, 0),
            Self::Skip => (119, 1, 0),
            Self::Interrupted => (120, 1, 0),
            Self::Failed => (121, 1, 0),
            Self::Ended => (122, 1, 0),
        };
        (at < most).then(|| 1 << (first + at))
    }
}

/// The answers of a screen's rows.
#[derive(Debug, Clone, Default)]
pub struct Memo {
    rows: Vec<Cell<Answers>>,
}

impl Memo {
    /// Remembers nothing, so that every rule is asked each time.
    pub const NOTHING: Self = Self { rows: Vec::new() };

    /// Takes a new look at a screen of so many rows; what is known of those that changed is forgotten.
    pub fn look(&mut self, rows: usize, changed: impl Fn(usize) -> bool) {
        self.rows.resize(rows, Cell::default());
        for (at, row) in self.rows.iter_mut().enumerate() {
            if changed(at) {
                row.take();
            }
        }
    }

    /// Whether a rule holds for a row; `ask` is how to find out.
    pub fn says(&self, row: usize, rule: Rule, ask: impl FnOnce() -> bool) -> bool {
        let (Some(row), Some(bit)) = (self.rows.get(row), rule.bit()) else { return ask() };
        let mut answers = row.get();
        if answers.asked & bit == 0 {
            answers.asked |= bit;
            if ask() {
                answers.yes |= bit;
            }
            row.set(answers);
        }
        answers.yes & bit != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_asked_once_until_it_changes() {
        let mut memo = Memo::default();
        memo.look(2, |_| true);
        assert!(memo.says(1, Rule::Marker, || true));
        assert!(memo.says(1, Rule::Marker, || panic!("asked again")));
        assert!(!memo.says(1, Rule::Begin, || false));
        memo.look(2, |row| row == 0);
        assert!(memo.says(1, Rule::Marker, || panic!("asked again")));
        memo.look(2, |row| row == 1);
        assert!(!memo.says(1, Rule::Marker, || false));
    }

    #[test]
    fn what_has_no_place_is_asked_each_time() {
        let mut memo = Memo::default();
        memo.look(1, |_| true);
        for row in [0, 7] {
            assert!(memo.says(row, Rule::Screen(99), || true));
            assert!(!memo.says(row, Rule::Screen(99), || false));
        }
    }

    #[test]
    fn no_two_rules_share_a_place() {
        let many = |rule: fn(usize) -> Rule, most: usize| (0..most).map(rule).collect::<Vec<_>>();
        let rules = [
            many(Rule::Screen, 32),
            many(Rule::Metric, 16),
            many(Rule::DialogEnd, 16),
            many(Rule::DialogText, 16),
            many(Rule::DialogTop, 16),
            many(Rule::DialogCursor, 16),
            vec![Rule::Marker, Rule::Above, Rule::Below, Rule::Begin, Rule::Prompt, Rule::Tool],
            vec![Rule::ToolBody, Rule::Skip, Rule::Interrupted, Rule::Failed, Rule::Ended],
        ];
        let bits: Vec<u128> = rules.concat().into_iter().filter_map(Rule::bit).collect();
        assert_eq!(bits.len(), 32 + 5 * 16 + 11);
        assert_eq!(bits.iter().fold(0, |all, bit| all | bit).count_ones() as usize, bits.len());
    }
}
