//! Search by words. Must not: take what people type for the index's own language.

use rusqlite::{Connection, named_params, params};
use wire::search::{Found, Hit, HitKind, Piece};
use wire::{PromptId, SessionId, UnixMillis};

use super::archive::{Answered, Reader};
use super::rows::word;
use super::{StoreError, Stored};
use crate::fault::Fault;

/// Longest query, in characters, and most words of it.
const QUERY: usize = 1_000;
const WORDS: usize = 32;
/// Words around a hit in its excerpt.
const AROUND: i64 = 24;
/// Marks around what was looked for; the texts hold neither, as control characters are cleaned away.
const MARKS: (&str, &str) = ("\u{1}", "\u{2}");

/// What is looked for, and where.
#[derive(Debug, Clone, Default)]
pub struct Query {
    /// Words that must all be there; the last may be the beginning of one.
    pub words: String,
    /// Only there.
    pub kind: Option<HitKind>,
    /// Only of this session; name or id.
    pub session: Option<String>,
    /// Where the page before ended.
    pub cursor: Option<i64>,
    /// At most.
    pub limit: u32,
}

struct Row {
    id: i64,
    hit: Hit,
    text: String,
}

impl Reader {
    /// Where all the words stand, newest first.
    pub fn search(&self, query: &Query) -> Answered<Found> {
        let expression = match expression(&query.words) {
            Ok(expression) => expression,
            Err(fault) => return Ok(Err(fault)),
        };
        let session = match query.session.as_deref().map(|name| self.session(name)).transpose()? {
            Some(Err(fault)) => return Ok(Err(fault)),
            session => session.and_then(Result::ok).map(|id| id.0),
        };
        let limit = usize::try_from(query.limit).unwrap_or(usize::MAX);
        let mut rows = self.rows(&expression, session, query)?;
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows.last().filter(|_| more).map(|row| row.id.to_string());
        let hits = excerpts(rows, &expression)?;
        Ok(Ok(Found { hits, next }))
    }

    /// One more than asked for, to know whether there is another page.
    fn rows(&self, expression: &str, session: Option<String>, query: &Query) -> Stored<Vec<Row>> {
        let mut sql = self.db.prepare(
            "SELECT f.id, f.kind, f.at, coalesce(v.session, t.session, p.session) AS session, s.name AS session_name,
                p.id AS prompt, coalesce(v.byte_offset, t.byte_offset) AS byte_offset,
                CASE f.kind WHEN 'prompt' THEN p.asked ->> '$.text' WHEN 'event' THEN v.text
                    WHEN 'text' THEN t.text
                    ELSE (SELECT text FROM result_texts WHERE thing = f.thing) END AS text
             FROM words w CROSS JOIN found f ON f.id = w.rowid
                LEFT JOIN ends e ON f.kind = 'result' AND e.id = f.thing
                LEFT JOIN prompts p ON p.id = CASE f.kind WHEN 'prompt' THEN f.thing ELSE e.prompt END
                LEFT JOIN events v ON f.kind = 'event' AND v.id = f.thing
                LEFT JOIN texts t ON f.kind = 'text' AND t.id = f.thing
                LEFT JOIN sessions s ON s.id = coalesce(v.session, t.session, p.session)
             WHERE words MATCH :words AND w.rowid < :cursor AND (:kind IS NULL OR f.kind = :kind)
                AND (:session IS NULL OR s.id = :session)
             ORDER BY w.rowid DESC LIMIT :limit",
        )?;
        let rows = sql.query_map(
            named_params! {
                ":words": expression, ":cursor": query.cursor.unwrap_or(i64::MAX),
                ":kind": query.kind.map(HitKind::as_str), ":session": session,
                ":limit": i64::from(query.limit) + 1,
            },
            |row| Ok(read(row)),
        )?;
        rows.map(|row| row?).collect()
    }
}

fn read(row: &rusqlite::Row<'_>) -> Stored<Row> {
    let offset: Option<i64> = row.get("byte_offset")?;
    let hit = Hit {
        kind: word(row, "kind")?,
        at: UnixMillis(row.get("at")?),
        session: row.get::<_, Option<String>>("session")?.map(SessionId),
        session_name: row.get("session_name")?,
        prompt: row.get::<_, Option<i64>>("prompt")?.map(PromptId),
        offset: offset.and_then(|offset| u64::try_from(offset).ok()),
        excerpt: Vec::new(),
    };
    Ok(Row { id: row.get("id")?, hit, text: row.get::<_, Option<String>>("text")?.unwrap_or_default() })
}

/// The words as the index understands them: each a literal, the last a beginning.
fn expression(words: &str) -> Result<String, Fault> {
    if words.chars().count() > QUERY {
        return Err(Fault::bad(format!("more than {QUERY} characters to look for"), "look for fewer words"));
    }
    let clean = words.replace(|c: char| c.is_control(), " ");
    let words: Vec<String> = clean
        .split_whitespace()
        .filter(|word| word.chars().any(char::is_alphanumeric))
        .map(|word| format!("\"{}\"", word.replace('"', "\"\"")))
        .collect();
    if words.is_empty() {
        return Err(Fault::bad("there is no word to look for", "give one with a letter or a digit"));
    }
    if words.len() > WORDS {
        return Err(Fault::bad(format!("more than {WORDS} words to look for"), "look for fewer"));
    }
    Ok(words.join(" ") + " *")
}

/// Cuts out what stands around the words. The index holds no text, so the page's texts are indexed once more, in memory:
/// by the same rules, so that what is marked is what was found.
fn excerpts(rows: Vec<Row>, expression: &str) -> Stored<Vec<Hit>> {
    let db = Connection::open_in_memory()?;
    db.execute_batch(
        "CREATE VIRTUAL TABLE page USING fts5 (text, tokenize='unicode61 remove_diacritics 2')",
    )?;
    let mut insert = db.prepare("INSERT INTO page (rowid, text) VALUES (?1, ?2)")?;
    for row in &rows {
        insert.execute(params![row.id, row.text.replace(char::is_control, " ")])?;
    }
    let mut cut =
        db.prepare("SELECT snippet(page, 0, ?1, ?2, '…', ?3) FROM page WHERE page MATCH ?4 AND rowid = ?5")?;
    rows.into_iter()
        .map(|mut row| {
            let marked = params![MARKS.0, MARKS.1, AROUND, expression, row.id];
            let excerpt: Result<String, _> = cut.query_row(marked, |r| r.get(0));
            row.hit.excerpt = match excerpt {
                Ok(text) => pieces(&text),
                // Changed between the index and the text: it is a hit all the same.
                Err(rusqlite::Error::QueryReturnedNoRows) => {
                    vec![Piece { text: wire::text::cut(&row.text, 200), hit: false }]
                }
                Err(error) => return Err(StoreError::from(error)),
            };
            Ok(row.hit)
        })
        .collect()
}

fn pieces(marked: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for (number, part) in marked.split(MARKS.0).enumerate() {
        let (hit, rest) = match part.split_once(MARKS.1) {
            Some((hit, rest)) if number > 0 => (hit, rest),
            Some(_) | None => ("", part),
        };
        for (text, hit) in [(hit, true), (rest, false)] {
            if !text.is_empty() {
                pieces.push(Piece { text: text.to_owned(), hit });
            }
        }
    }
    pieces
}
