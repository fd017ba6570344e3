//! TOML into a tree. Pure. Must not: know what is written.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};
use wire::text::escape;

use super::{DEPTH_MAX, Entry, Fault, Node, PARTS_MAX, Value, twice};

/// Reads a whole file.
pub fn parse(text: &str) -> Result<Node, Fault> {
    let table = DeTable::parse(text).map_err(|e| {
        let at = e.span().unwrap_or_default().start;
        Fault::new(super::line_of(text, at), format!("this is not TOML: {}", escape(e.message())))
    })?;
    let mut reader = Reader { lines: Lines::of(text), parts: 0 };
    reader.table(table.get_ref(), 1, 0)
}

/// Where lines begin.
struct Lines(Vec<usize>);

impl Lines {
    fn of(text: &str) -> Self {
        Self(text.bytes().enumerate().filter(|(_, b)| *b == b'\n').map(|(at, _)| at).collect())
    }

    fn at(&self, span: &Range<usize>) -> usize {
        1 + self.0.partition_point(|end| *end < span.start)
    }
}

struct Reader {
    lines: Lines,
    parts: usize,
}

impl Reader {
    fn node(&mut self, value: &Spanned<DeValue<'_>>, depth: usize) -> Result<Node, Fault> {
        let line = self.lines.at(&value.span());
        self.parts += 1;
        if self.parts > PARTS_MAX {
            return Err(Fault::new(line, format!("the file has more than {PARTS_MAX} parts; split it")));
        }
        if depth > DEPTH_MAX {
            return Err(Fault::new(line, format!("this is nested deeper than {DEPTH_MAX} levels")));
        }
        let value = match value.get_ref() {
            DeValue::String(text) => Value::Text(text.to_string()),
            DeValue::Boolean(flag) => Value::Flag(*flag),
            DeValue::Integer(number) => {
                let plain = number.as_str().replace('_', "");
                let read = i64::from_str_radix(&plain, number.radix());
                Value::Number(read.map_err(|_| Fault::new(line, "this number is too large"))?)
            }
            DeValue::Float(number) => Value::Text(number.as_str().to_owned()),
            DeValue::Datetime(time) => Value::Text(time.to_string()),
            DeValue::Array(values) => {
                Value::List(values.iter().map(|v| self.node(v, depth + 1)).collect::<Result<_, _>>()?)
            }
            DeValue::Table(table) => return self.table(table, line, depth + 1),
        };
        Ok(Node { line, value })
    }

    fn table(&mut self, table: &DeTable<'_>, line: usize, depth: usize) -> Result<Node, Fault> {
        let mut entries: Vec<Entry> = Vec::with_capacity(table.len());
        for (key, value) in table {
            let line = self.lines.at(&key.span());
            let entry = Entry { key: key.get_ref().to_string(), line, node: self.node(value, depth)? };
            if let Some(fault) = twice(&entries, &entry) {
                return Err(fault);
            }
            entries.push(entry);
        }
        // The reader sorts them; people are told of them in the order in which they wrote them.
        entries.sort_by_key(|entry| entry.line);
        Ok(Node { line, value: Value::Table(entries) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_knows_its_line() {
        let tree = parse("a = 1\n\n[[steps]]\nid = 'x'\nat = 2026-05-01T09:00:00\n").unwrap();
        let entries = tree.table("file").unwrap();
        assert_eq!((entries[0].key.as_str(), entries[0].line), ("a", 1));
        let step = entries[1].node.list()[0].table("step").unwrap();
        assert_eq!((step[0].key.as_str(), step[0].line), ("id", 4));
        assert_eq!(step[1].node.text("at").unwrap(), "2026-05-01T09:00:00");
    }

    #[test]
    fn what_is_no_toml_is_told_with_its_line() {
        assert_eq!(parse("a = 1\nb =\n").unwrap_err().line, 2);
        assert_eq!(parse("a-b = 1\na_b = 2\n").unwrap_err().line, 2);
        let deep = format!("a = {}{}", "[".repeat(40), "]".repeat(40));
        assert!(parse(&deep).is_err());
    }
}
