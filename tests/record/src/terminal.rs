//! What a terminal answers to the questions in a program's output. Must not: write it.

use regex::bytes::Regex;

use crate::scenario::Profile;

/// Finds questions in a stream of bytes, whatever way it was split.
pub struct Terminal {
    profile: Profile,
    questions: Regex,
    /// The end of what was read, in which a question may have begun.
    tail: Vec<u8>,
}

/// A question and what was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The question's bytes, as text.
    pub question: String,
    /// The answer; empty when there is none.
    pub answer: String,
}

/// Longest question that is waited for.
const QUESTION_MAX: usize = 64;

impl Terminal {
    /// A terminal of this kind.
    pub fn new(profile: Profile) -> Self {
        let questions = concat!(
            r"(?-u)\x1b\[(?P<csi>[>=?]?[0-9;]*(?:\$p|[cnqtu]))",
            r"|\x1b\](?P<osc>(?:1[0-9]|4;[0-9]+|7501);\?)(?:\x07|\x1b\\)",
            r"|\x1bP\+q(?P<dcs>[0-9A-Fa-f;]*)\x1b\\"
        );
        Self { profile, questions: Regex::new(questions).expect("it was tried"), tail: Vec::new() }
    }

    /// The questions in the next bytes; `cursor` and `size` are row or columns first as the answers want them.
    pub fn asked(&mut self, bytes: &[u8], cursor: (u16, u16), size: (u16, u16)) -> Vec<Asked> {
        let mut all = std::mem::take(&mut self.tail);
        let old = all.len();
        all.extend_from_slice(bytes);
        let mut asked = Vec::new();
        for found in self.questions.captures_iter(&all) {
            let whole = found.get(0).expect("group 0 is the match");
            if whole.end() <= old {
                continue;
            }
            let word =
                |name: &str| found.name(name).map(|m| String::from_utf8_lossy(m.as_bytes()).into_owned());
            let answer = match (word("csi"), word("osc"), word("dcs")) {
                (Some(csi), _, _) => self.csi(&csi, cursor, size),
                (_, Some(osc), _) => self.osc(&osc),
                _ => Some("\x1bP0+r\x1b\\".to_owned()),
            };
            // What is no question is none (`CSI ... t` and `u` have other uses).
            if let Some(answer) = answer {
                let answer = if self.profile == Profile::None { String::new() } else { answer };
                let question = String::from_utf8_lossy(whole.as_bytes()).into_owned();
                asked.push(Asked { question, answer });
            }
        }
        self.tail = all.split_off(all.len().saturating_sub(QUESTION_MAX));
        asked
    }

    fn csi(&self, question: &str, (row, col): (u16, u16), (cols, rows): (u16, u16)) -> Option<String> {
        Some(match question {
            "c" | "0c" => "\x1b[?64;1;2;6;9;15;18;21;22c".to_owned(),
            ">c" | ">0c" => "\x1b[>41;379;0c".to_owned(),
            "5n" => "\x1b[0n".to_owned(),
            "6n" => format!("\x1b[{row};{col}R"),
            "?6n" => format!("\x1b[?{row};{col};1R"),
            ">q" | ">0q" => "\x1bP>|XTerm(379)\x1b\\".to_owned(),
            "14t" => format!("\x1b[4;{};{}t", rows * 16, cols * 8),
            "16t" => "\x1b[6;16;8t".to_owned(),
            "18t" => format!("\x1b[8;{rows};{cols}t"),
            // xterm does not know the keyboard protocol that is asked for here.
            "?u" => String::new(),
            mode => {
                let mode = mode.strip_prefix('?')?.strip_suffix("$p")?;
                format!("\x1b[?{mode};0$y")
            }
        })
    }

    fn osc(&self, question: &str) -> Option<String> {
        Some(match question.strip_suffix(";?")? {
            "10" | "12" => format!("\x1b]{};rgb:d0d0/d0d0/d0d0\x1b\\", &question[..2]),
            "11" => "\x1b]11;rgb:1e1e/1e1e/1e1e\x1b\\".to_owned(),
            "7501" if self.profile == Profile::Psp => "\x1b]7501;?\x1b\\".to_owned(),
            palette if palette.starts_with("4;") => format!("\x1b]{palette};rgb:8080/8080/8080\x1b\\"),
            _ => String::new(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers(profile: Profile, pieces: &[&str]) -> Vec<String> {
        let mut terminal = Terminal::new(profile);
        let asked = pieces.iter().flat_map(|p| terminal.asked(p.as_bytes(), (3, 5), (80, 24)));
        asked.map(|a| a.answer).collect()
    }

    #[test]
    fn a_question_is_answered_once_however_it_is_split() {
        let whole = answers(Profile::Xterm, &["a\x1b[6n\x1b]11;?\x07b"]);
        assert_eq!(whole, ["\x1b[3;5R", "\x1b]11;rgb:1e1e/1e1e/1e1e\x1b\\"]);
        assert_eq!(answers(Profile::Xterm, &["a\x1b[", "6n\x1b]1", "1;?\x07b", "c"]), whole);
    }

    #[test]
    fn only_a_terminal_that_knows_the_status_protocol_says_so() {
        assert_eq!(answers(Profile::Psp, &["\x1b]7501;?\x07"]), ["\x1b]7501;?\x1b\\"]);
        assert_eq!(answers(Profile::Xterm, &["\x1b]7501;?\x07"]), [""]);
        assert_eq!(answers(Profile::None, &["\x1b[c"]), [""]);
    }
}
