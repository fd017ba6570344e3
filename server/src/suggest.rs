//! What was meant by a key that nobody knows. Must not: decide anything by it; it is for the eyes.

/// The known key nearest to the one that serde did not know: its message quotes the unknown one first.
pub fn suggest(message: &str) -> Option<String> {
    let unknown =
        ["unknown field ", "unknown variant "].iter().find_map(|word| message.strip_prefix(word))?;
    let mut quoted = unknown.split('`').skip(1).step_by(2);
    let unknown = quoted.next()?;
    let near = quoted.map(|known| (strsim::jaro_winkler(unknown, known), known));
    let (likeness, best) = near.max_by(|a, b| a.0.total_cmp(&b.0))?;
    (likeness > 0.7).then(|| best.to_owned())
}

/// The same as the end of a sentence; empty when nothing is near.
pub fn hint(message: &str) -> String {
    suggest(message).map(|known| format!("; did you mean `{known}`?")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_key_is_suggested_and_a_far_one_is_not() {
        let known = "expected one of `name`, `effect`, `commands`";
        assert_eq!(suggest(&format!("unknown field `comands`, {known}")).as_deref(), Some("commands"));
        assert_eq!(suggest(&format!("unknown field `zzz`, {known}")), None);
        assert_eq!(suggest("invalid type: `name`"), None);
        assert_eq!(hint("unknown variant `aprove`, expected `approve`"), "; did you mean `approve`?");
    }
}
