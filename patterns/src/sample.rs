//! Texts that a pattern matches, made up by a seeded generator, so that no test has to store a secret.
//! Must not: be used where numbers must not be guessed.

use regex_syntax::hir::{Class, Hir, HirKind};

/// How many more times than it must something is repeated at most.
const MORE: u32 = 12;

/// Numbers in an order that only the seed decides (SplitMix64).
#[derive(Debug, Clone)]
pub struct Numbers(u64);

impl Numbers {
    /// Begins with a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number below `end`, which is above 0.
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut value = self.0;
        value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (value ^ (value >> 31)) % end.max(1)
    }
}

/// A text of printable ASCII and newlines that the pattern matches, borders of words and lines aside.
/// `None` when the pattern does not parse.
pub fn sample(pattern: &str, numbers: &mut Numbers) -> Option<String> {
    let hir = regex_syntax::parse(pattern).ok()?;
    let mut out = String::new();
    write(&hir, numbers, &mut out);
    Some(out)
}

fn write(hir: &Hir, numbers: &mut Numbers, out: &mut String) {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => out.push_str(&String::from_utf8_lossy(&literal.0)),
        HirKind::Class(class) => out.push(character(class, numbers)),
        HirKind::Capture(capture) => write(&capture.sub, numbers, out),
        HirKind::Concat(parts) => parts.iter().for_each(|part| write(part, numbers, out)),
        HirKind::Alternation(parts) => {
            write(&parts[numbers.below(parts.len() as u64) as usize], numbers, out)
        }
        HirKind::Repetition(repetition) => {
            let most = repetition.max.unwrap_or(u32::MAX).min(repetition.min + MORE);
            let more = numbers.below(u64::from(most - repetition.min) + 1) as u32;
            (0..repetition.min + more).for_each(|_| write(&repetition.sub, numbers, out));
        }
    }
}

fn character(class: &Class, numbers: &mut Numbers) -> char {
    let holds = |c: &char| match class {
        Class::Unicode(class) => class.ranges().iter().any(|range| (range.start()..=range.end()).contains(c)),
        Class::Bytes(class) => class.ranges().iter().any(|r| (r.start()..=r.end()).contains(&(*c as u8))),
    };
    let visible: Vec<char> = ('!'..='~').filter(holds).collect();
    match visible.len() {
        0 => ' ',
        count => visible[numbers.below(count as u64) as usize],
    }
}
