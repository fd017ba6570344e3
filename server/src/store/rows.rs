//! Columns to values. Must not: contain SQL.

use std::str::FromStr;

use rusqlite::Row;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{StoreError, Stored};

/// A word of a closed set.
pub fn word<T: FromStr<Err: std::fmt::Display>>(row: &Row<'_>, column: &'static str) -> Stored<T> {
    let text: String = row.get(column)?;
    text.parse().map_err(|e: T::Err| StoreError::Unreadable(column, e.to_string()))
}

/// A JSON column.
pub fn json<T: DeserializeOwned>(row: &Row<'_>, column: &'static str) -> Stored<T> {
    let text: String = row.get(column)?;
    parse(column, &text)
}

/// A JSON column that may be null.
pub fn json_or_none<T: DeserializeOwned>(row: &Row<'_>, column: &'static str) -> Stored<Option<T>> {
    let text: Option<String> = row.get(column)?;
    text.map(|t| parse(column, &t)).transpose()
}

/// The text of a JSON column.
pub fn to_json<T: Serialize>(column: &'static str, value: &T) -> Stored<String> {
    serde_json::to_string(value).map_err(|e| StoreError::Unreadable(column, e.to_string()))
}

/// The same for a value that may be missing.
pub fn to_json_or_none<T: Serialize>(column: &'static str, value: Option<&T>) -> Stored<Option<String>> {
    value.map(|v| to_json(column, v)).transpose()
}

/// A number that SQLite keeps signed.
pub fn unsigned(row: &Row<'_>, column: &'static str) -> Stored<u64> {
    let number: i64 = row.get(column)?;
    u64::try_from(number).map_err(|e| StoreError::Unreadable(column, e.to_string()))
}

/// A number for SQLite; what does not fit becomes the largest.
pub fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn parse<T: DeserializeOwned>(column: &'static str, text: &str) -> Stored<T> {
    serde_json::from_str(text).map_err(|e| StoreError::Unreadable(column, e.to_string()))
}
