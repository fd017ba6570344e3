//! Short input that stands for long text: what is quadratic shows only there, and mutated bytes are few.

/// Writes a text with `{N*piece}` repeated N times, up to a length.
pub fn stretched(text: &str, most: usize) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(open) = rest.find('{') {
        out.push_str(&rest[..open]);
        rest = &rest[open + 1..];
        let piece = rest.find('}').and_then(|end| {
            let (times, piece) = rest[..end].split_once('*')?;
            Some((times.parse::<usize>().ok()?, piece, end))
        });
        match piece {
            Some((times, piece, end)) => {
                let room = most.saturating_sub(out.len()) / piece.len().max(1);
                out.push_str(&piece.repeat(times.min(room)));
                rest = &rest[end + 1..];
            }
            None => out.push('{'),
        }
    }
    out.push_str(rest);
    out
}
