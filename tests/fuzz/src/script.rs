//! A session as one line of bytes: what a program writes, with marks in it for what else happens.
//!
//! Terminal output stands as it is, so that recordings are seeds and a mutated byte is a mutated byte of output. The marks are
//! bytes that never stand in UTF-8; what they would be as output is written after [`LITERAL`].

use std::time::Duration;

/// The next byte is output, whatever it is.
pub const LITERAL: u8 = 0xff;
/// Two bytes follow: columns and rows.
pub const SIZE: u8 = 0xfe;
/// One byte follows: so many hundredths of a second pass.
pub const LATER: u8 = 0xfd;
/// One byte follows: which keys were pressed, a bit each.
pub const KEYS: u8 = 0xfc;
/// Somebody looks.
pub const LOOK: u8 = 0xfb;
/// A line of JSON follows, which the agent tells outside its terminal; its first byte says where.
pub const FACT: u8 = 0xfa;

/// A session.
#[derive(Debug)]
pub struct Script {
    /// Which of several, for the target to decide.
    pub which: u8,
    /// Columns of the terminal.
    pub cols: u16,
    /// Rows.
    pub rows: u16,
    /// Length of the pieces that output is cut into.
    pub cut: usize,
    /// What happens.
    pub steps: Vec<Step>,
}

/// What can happen.
#[derive(Debug)]
pub enum Step {
    /// The program writes.
    Output(Vec<u8>),
    /// The terminal gets a new size.
    Size(u16, u16),
    /// Time passes.
    Later(Duration),
    /// Keys are pressed.
    Keys(u8),
    /// Somebody looks.
    Look,
    /// The agent tells something outside its terminal.
    Fact(u8, Vec<u8>),
}

impl Script {
    /// Reads a session; `None` when there are too few bytes for one.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let ([which, cols, rows, cut], mut rest) = bytes.split_first_chunk::<4>().map(|(h, r)| (*h, r))?;
        let mut steps = Vec::new();
        let mut output = Vec::new();
        while let Some((&byte, after)) = rest.split_first() {
            rest = after;
            let step = match (byte, rest) {
                (LITERAL, [literal, after @ ..]) => {
                    output.push(*literal);
                    rest = after;
                    continue;
                }
                (SIZE, [cols, rows, after @ ..]) => {
                    rest = after;
                    Step::Size((*cols).into(), (*rows).into())
                }
                (LATER, [hundredths, after @ ..]) => {
                    rest = after;
                    Step::Later(Duration::from_millis(10 * u64::from(*hundredths)))
                }
                (KEYS, [keys, after @ ..]) => {
                    rest = after;
                    Step::Keys(*keys)
                }
                (LOOK, _) => Step::Look,
                (FACT, [from, after @ ..]) => {
                    let end = after.iter().position(|byte| *byte == b'\n').unwrap_or(after.len());
                    rest = after.get(end + 1..).unwrap_or_default();
                    Step::Fact(*from, after[..end].to_vec())
                }
                _ => {
                    output.push(byte);
                    continue;
                }
            };
            if !output.is_empty() {
                steps.push(Step::Output(std::mem::take(&mut output)));
            }
            steps.push(step);
        }
        if !output.is_empty() {
            steps.push(Step::Output(output));
        }
        Some(Self { which, cols: cols.into(), rows: rows.into(), cut: usize::from(cut).max(1), steps })
    }
}
