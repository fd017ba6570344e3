//! The patterns of rules over commands: which simple commands they match.
//!
//! Owns: how wide a pattern is. Must not: read command lines (see `argv`), or know what a command may do (see `danger`).

use super::danger;

/// One argument that is no option.
const ONE: &str = "*";
/// Any number of any arguments, at the end.
const REST: &str = "...";

/// A pattern in front of a command that it has the shape of: the words that it left open.
struct Fit<'a> {
    /// Where the first open word stands; the command's length when all are literal.
    open: usize,
    /// What `...` stands for.
    rest: &'a [String],
}

/// Whether a rule that approves matches this command: its wildcards stand for harmless arguments only.
pub(super) fn approves(pattern: &[String], argv: &[String]) -> bool {
    fit(pattern, argv).is_some_and(|fit| {
        let literal = fit.open == argv.len() && pattern.len() == argv.len();
        literal || (danger::closed(pattern).is_none() && !danger::reaches(argv, fit.open, fit.rest))
    })
}

/// Whether a rule that denies or asks matches this command: whatever the wildcards stand for.
pub(super) fn names(pattern: &[String], argv: &[String]) -> bool {
    fit(pattern, argv).is_some()
}

fn fit<'a>(pattern: &[String], argv: &'a [String]) -> Option<Fit<'a>> {
    let (fixed, rest) = match pattern.split_last() {
        Some((last, fixed)) if last == REST => (fixed, argv.get(fixed.len()..)?),
        _ => (pattern, &argv[argv.len()..]),
    };
    let whole = fixed.len() + rest.len() == argv.len();
    let same = |(p, a): (&String, &String)| if is_open(p) { p == ONE && !a.starts_with('-') } else { p == a };
    let fits = whole && fixed.iter().zip(argv).all(same);
    fits.then(|| Fit { open: fixed.iter().position(|p| is_open(p)).unwrap_or(fixed.len()), rest })
}

/// Whether a word of a pattern stands for others.
pub(super) fn is_open(word: &str) -> bool {
    word == ONE || word == REST
}

/// What is wrong with a pattern of any rule.
pub(super) fn fault(pattern: &[String]) -> Option<String> {
    let Some((first, arguments)) = pattern.split_first() else {
        return Some("a command without words matches nothing; leave it out".to_owned());
    };
    if first.contains(' ') {
        return Some(format!("`{first}` is one word; write each argument as a word of its own"));
    }
    if first.is_empty() || is_open(first) {
        return Some("its first word must name a program".to_owned());
    }
    let before_last = &pattern[..pattern.len() - 1];
    if before_last.iter().any(|word| word == REST) {
        return Some(format!("`{REST}` may only stand at the end"));
    }
    let glob = |word: &&String| !is_open(word) && word.contains('*');
    let glob = arguments.iter().find(glob);
    glob.map(|word| format!("`{word}` is no glob: `{ONE}` stands for a whole argument, and only alone"))
}

/// Why a rule that approves may not have this pattern, beyond [`fault`].
pub(super) fn too_wide(pattern: &[String]) -> Option<String> {
    let open = pattern.iter().any(|word| is_open(word));
    open.then(|| danger::closed(pattern)).flatten()
}
