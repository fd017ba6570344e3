//! A command line, read as a shell would read it, or not at all.
//!
//! Owns: which lines are simple enough to be certain of. Must not: judge what they do.
//!
//! A rule compares words, and a shell makes words of text in ways that differ from shell to shell. So this reads only
//! what bash, zsh, dash and fish read alike: words, quoted or not, and simple commands one after the other. A line with
//! anything else that some shell gives a meaning to (a variable, a substitution, a redirection, a glob, a reserved word)
//! is not read, and a person looks at it. Invariant: no character is skipped; each one is in a word, a blank between
//! words, a quote around a part of one, or one of the four operators.

/// One simple command: its words, the quotes taken off.
pub type Argv = Vec<String>;

/// What has a meaning to some shell wherever it stands outside of quotes.
const SPECIAL: &str = "$`\\<>(){}*?[]!^";

/// What keeps its meaning inside of double quotes.
const SPECIAL_QUOTED: &str = "$`\\!";

/// Words that begin something else than a simple command where a command may begin; of any common shell.
const RESERVED: &str = "
    and begin case coproc do done elif else end esac fi for foreach function if in nocorrect noglob not or
    repeat select switch then time until while - declare export typeset
";

/// The simple commands of a line, which `&&`, `||`, `;` or `|` join; `None` when it cannot be read with certainty.
pub fn read(line: &str) -> Option<Vec<Argv>> {
    // A person who wrote a rule did not mean what cannot be seen.
    if line.chars().any(wire::text::is_unseen) {
        return None;
    }
    let mut reader = Reader::default();
    let mut rest = line.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\'' | '"' => reader.quoted(c, &mut rest)?,
            ' ' => reader.end_word()?,
            ';' => reader.end_command()?,
            '|' => {
                rest.next_if_eq(&'|');
                reader.end_command()?;
            }
            '&' => {
                rest.next_if_eq(&'&')?;
                reader.end_command()?;
            }
            c => reader.plain(c)?,
        }
    }
    reader.end_command()?;
    Some(reader.commands)
}

#[derive(Default)]
struct Reader {
    commands: Vec<Argv>,
    words: Argv,
    /// The word that is being read; there is one, perhaps empty, from its first character or quote on.
    word: Option<String>,
}

impl Reader {
    /// A character outside of quotes.
    fn plain(&mut self, c: char) -> Option<()> {
        let before = self.word.as_ref().map(|word| word.chars().next_back());
        let meant = match c {
            // A comment, a home directory, a program's path (zsh): at a word's beginning. A word that begins with an
            // empty quote is treated as if it had not begun.
            '#' | '=' => before.flatten().is_none(),
            // Also after what makes the word look like an assignment: bash expands it there.
            '~' => before.flatten().is_none_or(|b| matches!(b, '=' | ':')),
            c => SPECIAL.contains(c),
        };
        (!meant).then(|| self.word.get_or_insert_default().push(c))
    }

    /// From after an opening quote to its end.
    fn quoted(&mut self, quote: char, rest: &mut impl Iterator<Item = char>) -> Option<()> {
        let word = self.word.get_or_insert_default();
        loop {
            match rest.next()? {
                c if c == quote => return Some(()),
                c if quote == '"' && SPECIAL_QUOTED.contains(c) => return None,
                // Fish alone takes it for an escape inside of single quotes.
                '\\' => return None,
                c => word.push(c),
            }
        }
    }

    fn end_word(&mut self) -> Option<()> {
        let Some(word) = self.word.take() else { return Some(()) };
        // The first word is the command: neither an assignment before it, nor the head of a loop.
        let first = self.words.is_empty();
        if first
            && (word.is_empty() || word.contains('=') || RESERVED.split_ascii_whitespace().any(|w| w == word))
        {
            return None;
        }
        self.words.push(word);
        Some(())
    }

    fn end_command(&mut self) -> Option<()> {
        self.end_word()?;
        let words = std::mem::take(&mut self.words);
        // `a ;; b`, `a |`, nothing at all.
        (!words.is_empty()).then(|| self.commands.push(words))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, commands: &[&[&str]]) {
        let read = read(line).unwrap_or_else(|| panic!("{line:?} can be read"));
        assert_eq!(read, commands.iter().map(|c| c.to_vec()).collect::<Vec<_>>(), "{line:?}");
    }

    #[test]
    fn plain_lines_are_read_as_a_shell_reads_them() {
        check("cargo test", &[&["cargo", "test"]]);
        check("  cargo   test  ", &[&["cargo", "test"]]);
        check("cargo \"test\" 'a b'c\"d e\" ''", &[&["cargo", "test", "a bcd e", ""]]);
        check("a&&b||c;d|e", &[&["a"], &["b"], &["c"], &["d"], &["e"]]);
        check("echo 'a && $(b) > c' \"; * ~\"", &[&["echo", "a && $(b) > c", "; * ~"]]);
        check("git diff HEAD~1 -- a#b --x=y", &[&["git", "diff", "HEAD~1", "--", "a#b", "--x=y"]]);
        check("ls größe", &[&["ls", "größe"]]);
    }

    #[test]
    fn a_line_with_anything_else_that_a_shell_gives_a_meaning_to_is_not_read() {
        let mut lines: Vec<String> = [
            "",
            " ",
            ";",
            "a;",
            "a;;b",
            "a &",
            "a & b",
            "&& a",
            "a &&",
            "a ||| b",
            "a |& b",
            "a &&& b",
            "a | | b",
            "'a",
            "\"a",
            "a '",
            "a #b",
            "#a",
            "a ''#b",
            "~ a",
            "a ~/b",
            "a x=~/b",
            "a x:~b",
            "=ls",
            "a =b",
            "X=1 a",
            "X=1",
            "a; X=1 b",
            "'X=1' a",
            "a\\ b",
            "a 'b\\'",
            "a \"$b\"",
            "a \"`b`\"",
            "a \"b\\\"\"",
            "a \"!b\"",
            "if a; then b",
            "while a",
            "time a",
            "! a",
            "'' a",
            "a\nb",
            "a 'b\nc'",
            "a\tb",
            "a\rb",
            "a\0b",
            "a\u{a0}b",
            "a\u{3000}b",
            "a\u{2028}b",
            "a\u{200b}b",
            "a\u{202e}b",
            "a\u{85}b",
            "a \u{feff}b",
            "a \u{200d}b",
            "a \u{fe0f}b",
            "a \u{e0069}b",
            "a\x1bb",
            "a\u{7f}",
        ]
        .map(str::to_owned)
        .into();
        lines.extend(SPECIAL.chars().flat_map(|c| [format!("a {c}"), format!("a b{c}c"), format!("{c}a")]));
        for line in lines {
            assert_eq!(read(&line), None, "{line:?}");
        }
    }
}
