//! YAML into a tree. Pure. Must not: know what is written.
//!
//! The parser is `saphyr-parser`: kept up, without unsafe code, and it gives events with their places instead of objects.
//! (`serde_yaml` is archived; its forks carry a translated C library.) From events a tree can be bounded while it is
//! built: aliases, with which a few lines become a billion, are refused.

use saphyr_parser::{Event, Parser, ScalarStyle, Span};
use wire::text::escape;

use super::{DEPTH_MAX, Entry, Fault, Node, PARTS_MAX, Value, twice};

/// Reads a file of one document.
pub fn parse(text: &str) -> Result<Node, Fault> {
    let mut builder = Builder::default();
    let mut documents = 0;
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|e| {
            let line = e.marker().line().max(1);
            Fault::new(line, format!("this is not YAML: {}", escape(e.info())))
        })?;
        if matches!(event, Event::DocumentStart(_)) {
            documents += 1;
            if documents > 1 {
                let text = "a second document begins here; one file has one document";
                return Err(Fault::new(span.start.line(), text));
            }
        }
        builder.take(event, span)?;
    }
    Ok(builder.root.unwrap_or(Node { line: 1, value: Value::Nothing }))
}

/// A list or a table that is not closed yet.
enum Open {
    List(usize, Vec<Node>),
    Table(usize, Vec<Entry>, Option<(String, usize)>),
}

#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    root: Option<Node>,
    parts: usize,
}

impl Builder {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Fault> {
        let line = span.start.line();
        match event {
            Event::Alias(_) => Err(Fault::new(line, "an alias (`*name`) is not taken here; write it out")),
            Event::Scalar(text, style, _, _) => {
                let plain = matches!(style, ScalarStyle::Plain);
                self.scalar(&text, plain, line)
            }
            Event::SequenceStart(..) => self.begin(Open::List(line, Vec::new()), line),
            Event::MappingStart(..) => self.begin(Open::Table(line, Vec::new(), None), line),
            Event::SequenceEnd | Event::MappingEnd => {
                let node = match self.open.pop() {
                    Some(Open::List(line, nodes)) => Node { line, value: Value::List(nodes) },
                    Some(Open::Table(line, entries, _)) => Node { line, value: Value::Table(entries) },
                    None => return Ok(()),
                };
                self.put(node)
            }
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => Ok(()),
        }
    }

    fn begin(&mut self, open: Open, line: usize) -> Result<(), Fault> {
        if let Some(Open::Table(_, _, None)) = self.open.last() {
            return Err(Fault::new(
                line,
                "a key must be a word, not a list or a table; put quotes around a text that begins with a brace",
            ));
        }
        if self.open.len() >= DEPTH_MAX {
            return Err(Fault::new(line, format!("this is nested deeper than {DEPTH_MAX} levels")));
        }
        self.open.push(open);
        Ok(())
    }

    fn scalar(&mut self, text: &str, plain: bool, line: usize) -> Result<(), Fault> {
        if let Some(Open::Table(_, _, key @ None)) = self.open.last_mut() {
            *key = Some((text.to_owned(), line));
            return Ok(());
        }
        let value = if plain { plain_value(text) } else { Value::Text(text.to_owned()) };
        self.put(Node { line, value })
    }

    fn put(&mut self, node: Node) -> Result<(), Fault> {
        self.parts += 1;
        if self.parts > PARTS_MAX {
            return Err(Fault::new(node.line, format!("the file has more than {PARTS_MAX} parts; split it")));
        }
        match self.open.last_mut() {
            None => self.root = Some(node),
            Some(Open::List(_, nodes)) => nodes.push(node),
            Some(Open::Table(_, entries, key)) => {
                let (key, line) = key.take().unwrap_or_default();
                let entry = Entry { key, line, node };
                if let Some(fault) = twice(entries, &entry) {
                    return Err(fault);
                }
                entries.push(entry);
            }
        }
        Ok(())
    }
}

/// What a word without quotes means: YAML 1.2's words, so that `no` and `on` stay words.
fn plain_value(text: &str) -> Value {
    match text {
        "" | "~" | "null" => return Value::Nothing,
        "true" => return Value::Flag(true),
        "false" => return Value::Flag(false),
        _ => {}
    }
    // Only what is written as it is printed: a version like 007 stays text.
    match text.parse::<i64>() {
        Ok(number) if number.to_string() == text => Value::Number(number),
        _ => Value::Text(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn whatever_is_written_is_a_tree_or_a_fault(text in "[-a:# \\n\\t'\"|>?&*!%@`{}\\[\\],~.0\\x00\u{85}\u{feff}é]{0,80}", any in any::<String>()) {
            let _ = (parse(&text), parse(&any), super::super::toml(&text), super::super::toml(&any));
        }
    }

    #[test]
    fn the_time_that_a_file_costs_grows_with_its_size() {
        for piece in [
            "[", "{", "- ", "? ", "a: ", "a\n", "&a ", "!a ", "\"", "#", "%a\n", "|", "a: |\n ", "- a\n",
            "\t", " ", "\n", ": ", ", ", "'a' ", "a: 'b\n",
        ] {
            let _ = parse(&piece.repeat((256 << 10) / piece.len()));
        }
    }

    #[test]
    fn each_part_knows_its_line() {
        let tree =
            parse("steps:\n  - id: x\n    env: {CI: 1, V: 007}\n    prompt: |\n      a\n      b\n").unwrap();
        let step = tree.table("file").unwrap()[0].node.list()[0].table("step").unwrap();
        assert_eq!((step[0].key.as_str(), step[0].line), ("id", 2));
        let env = vec![("CI".to_owned(), "1".to_owned()), ("V".to_owned(), "007".to_owned())];
        assert_eq!(step[1].node.named_texts("env").unwrap(), env);
        assert_eq!(step[2].node.text("prompt").unwrap(), "a\nb\n");
    }

    #[test]
    fn few_lines_do_not_become_a_billion() {
        let bomb = "a: &a [x, x]\nb: &b [*a, *a]\n";
        assert_eq!(parse(bomb).unwrap_err().line, 2);
        assert!(parse(&"[".repeat(100_000)).is_err());
        assert!(parse(&"- - ".repeat(50)).is_err());
        assert!(parse(&"- x\n".repeat(PARTS_MAX + 1)).unwrap_err().text.contains("split it"));
    }

    #[test]
    fn what_cannot_be_meant_is_told_with_its_line() {
        assert_eq!(parse("a: 1\na: 2\n").unwrap_err().line, 2);
        assert_eq!(parse("a: 1\n---\nb: 2\n").unwrap_err().line, 2);
        assert!(parse("a: [1\n").is_err());
        assert!(parse("? [a]\n: b\n").is_err());
        assert_eq!(parse("").unwrap().value, Value::Nothing);
    }
}
