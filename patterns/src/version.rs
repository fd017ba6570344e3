//! Version ranges of rules. Must not: guess at versions that are not dotted numbers.

/// A range such as `>=2.1.300, <3`: every comparison must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Versions(Vec<(Comparison, Vec<u64>)>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    AtLeast,
    Above,
    AtMost,
    Below,
    Same,
}

impl Versions {
    /// Reads a range; `None` when it cannot be read. An empty text allows every version.
    pub fn parse(text: &str) -> Option<Self> {
        let mut all = Vec::new();
        for part in text.split(',').map(str::trim).filter(|p| !p.is_empty()) {
            let table = [
                (">=", Comparison::AtLeast),
                ("<=", Comparison::AtMost),
                (">", Comparison::Above),
                ("<", Comparison::Below),
                ("=", Comparison::Same),
            ];
            let (sign, comparison) = table.into_iter().find(|(sign, _)| part.starts_with(sign))?;
            all.push((comparison, numbers(part.get(sign.len()..)?.trim())?));
        }
        Some(Self(all))
    }

    /// Whether a rule with this range holds for `version`. An unreadable version is allowed: better a rule too
    /// many than none.
    pub fn allow(&self, version: &str) -> bool {
        let Some(version) = numbers(version) else { return true };
        self.0.iter().all(|(comparison, bound)| {
            let len = version.len().max(bound.len());
            let padded = |v: &[u64]| (0..len).map(|i| v.get(i).copied().unwrap_or(0)).collect::<Vec<_>>();
            let order = padded(&version).cmp(&padded(bound));
            match comparison {
                Comparison::AtLeast => order.is_ge(),
                Comparison::Above => order.is_gt(),
                Comparison::AtMost => order.is_le(),
                Comparison::Below => order.is_lt(),
                Comparison::Same => order.is_eq(),
            }
        })
    }
}

fn numbers(text: &str) -> Option<Vec<u64>> {
    let core = text.split(['-', '+']).next()?;
    core.split('.').map(|n| n.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_compares_numbers_not_text() {
        let range = Versions::parse(">=2.1.9, <3").unwrap();
        assert!(range.allow("2.1.10"));
        assert!(range.allow("2.2"));
        assert!(!range.allow("2.1.8"));
        assert!(!range.allow("3.0.0"));
        assert!(range.allow("nightly"), "an unreadable version is allowed");
        assert!(Versions::parse("2.1").is_none());
        assert!(Versions::parse("").unwrap().allow("0.1"));
    }
}
