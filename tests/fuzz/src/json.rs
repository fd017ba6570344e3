//! JSON made of words that the readers know: plain bytes seldom get past the first brace.

use arbitrary::{Arbitrary, Result, Unstructured};
use serde_json::{Map, Value};

/// How deep a value is nested at most.
const DEEPEST: usize = 6;

/// A value whose names and texts are these words, or others.
pub fn value(u: &mut Unstructured<'_>, words: &[&str], depth: usize) -> Result<Value> {
    let deep = depth < DEEPEST;
    Ok(match u.int_in_range(0..=if deep { 9 } else { 6 })? {
        0 => Value::Null,
        1 => bool::arbitrary(u)?.into(),
        2 => i64::arbitrary(u)?.into(),
        3 => f64::arbitrary(u)?.into(),
        4 | 5 => (*u.choose(words)?).into(),
        6 => String::arbitrary(u)?.into(),
        7 => {
            let length = u.int_in_range(0..=4)?;
            Value::Array((0..length).map(|_| value(u, words, depth + 1)).collect::<Result<_>>()?)
        }
        _ => object(u, words, depth)?,
    })
}

/// The same, at least an object.
pub fn object(u: &mut Unstructured<'_>, words: &[&str], depth: usize) -> Result<Value> {
    let length = u.int_in_range(0..=8)?;
    let mut members = Map::new();
    for _ in 0..length {
        let name = if u.ratio(15, 16)? { (*u.choose(words)?).to_owned() } else { String::arbitrary(u)? };
        members.insert(name, value(u, words, depth + 1)?);
    }
    Ok(Value::Object(members))
}
