//! Which trace a prompt belongs to, and what its spans are called. Pure. Must not: send anything, or ask a clock.
//!
//! Every name is made from the installation and the prompt, so that whoever is told twice after a crash sees one span,
//! and so that a log, `assign show` and a collector speak of the same trace without asking each other.

pub mod carry;
pub mod otlp;
pub mod spans;

use sha2::{Digest, Sha256};
use wire::PromptId;
use wire::text::hex;

/// Where a prompt stands among traces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// The trace.
    pub id: [u8; 16],
    /// The span that it continues, if it does.
    pub parent: Option<[u8; 8]>,
    /// Whether it is told: whoever began it may have decided otherwise.
    pub sampled: bool,
    /// What its spans are named by.
    seed: [u8; 32],
}

impl Trace {
    /// The trace of a prompt: the one that came with it, or one of its own.
    pub fn of(install: &str, prompt: PromptId, parent: Option<&str>) -> Self {
        let seed: [u8; 32] = Sha256::digest(format!("muster trace {install} {prompt}")).into();
        match parent.and_then(read) {
            Some((id, parent, sampled)) => Self { id, parent: Some(parent), sampled, seed },
            None => {
                let mut id = [0; 16];
                id.copy_from_slice(&seed[..16]);
                Self { id, parent: None, sampled: true, seed }
            }
        }
    }

    /// The name of one of its spans.
    pub fn span(&self, what: &str, number: i64) -> [u8; 8] {
        let hash = Sha256::new_with_prefix(self.seed).chain_update(format!("{what} {number}")).finalize();
        let mut id = [0; 8];
        id.copy_from_slice(&hash[..8]);
        id
    }

    /// The trace as people and logs write it.
    pub fn hex(&self) -> String {
        hex(&self.id)
    }

    /// What continues the trace from one of its spans, as W3C writes it.
    pub fn parent_of(&self, span: [u8; 8]) -> String {
        format!("00-{}-{}-{:02x}", self.hex(), hex(&span), u8::from(self.sampled))
    }
}

/// Whether this is a `traceparent` as <https://www.w3.org/TR/trace-context/> has it.
pub fn is_parent(text: &str) -> bool {
    read(text).is_some()
}

/// Reads a `traceparent`: trace, span, and whether it is recorded. A later version may say more behind these.
fn read(text: &str) -> Option<([u8; 16], [u8; 8], bool)> {
    let mut parts = text.split('-');
    let [version] = unhex::<1>(parts.next()?)?;
    let (id, span) = (unhex::<16>(parts.next()?)?, unhex::<8>(parts.next()?)?);
    let [flags] = unhex::<1>(parts.next()?)?;
    let more = parts.next().is_some();
    let wrong = version == 0xff || (version == 0 && more) || id == [0; 16] || span == [0; 8];
    (!wrong).then_some((id, span, flags & 1 == 1))
}

fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let lower = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    if text.len() != 2 * N || !text.bytes().all(lower) {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIVEN: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_prompt_has_one_trace_for_ever_and_no_two_share_it() {
        let of = |install, n| Trace::of(install, PromptId(n), None);
        assert_eq!(of("a", 1), of("a", 1));
        assert_ne!(of("a", 1).id, of("a", 2).id);
        assert_ne!(of("a", 1).id, of("b", 1).id);
        assert_ne!(of("a", 1).span("prompt", 0), of("a", 1).span("attempt", 0));
    }

    #[test]
    fn a_trace_that_came_with_the_prompt_goes_on() {
        let trace = Trace::of("a", PromptId(1), Some(GIVEN));
        assert_eq!(trace.hex(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(trace.parent_of(trace.parent.unwrap()), GIVEN);
        let other = Trace::of("a", PromptId(2), Some(GIVEN));
        assert_ne!(trace.span("prompt", 0), other.span("prompt", 0), "spans of one trace differ by prompt");
        let silent = Trace::of("a", PromptId(1), Some(&GIVEN.replace("-01", "-00")));
        assert!(!silent.sampled, "whoever began it does not record it");
    }

    #[test]
    fn what_is_no_traceparent_is_none() {
        assert!(is_parent(GIVEN) && is_parent(&format!("01{}-more", &GIVEN[2..])));
        for wrong in [
            "",
            "00",
            &GIVEN.to_uppercase(),
            &GIVEN[..54],
            &format!("{GIVEN}-more"),
            &GIVEN.replacen("00", "ff", 1),
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473ö-00f067aa0ba902b7-01",
        ] {
            assert!(!is_parent(wrong), "{wrong}");
        }
    }
}
