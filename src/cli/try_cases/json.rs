//! Reads the values of a golden case. A problem names the key, what is wrong and how to fix it.

use crate::domain::config_reader::Problem;
use chrono::{DateTime, NaiveDate, Utc};
use serde_json::Value;

pub(super) type Read<T> = Result<T, Problem>;

pub(super) fn problem(key: &str, what: impl Into<String>, fix: impl Into<String>) -> Problem {
    Problem {
        key: key.to_owned(),
        what: what.into(),
        fix: fix.into(),
    }
}

/// Puts the key of a section before that of a problem in it.
pub(super) fn below<T>(key: &str, r: Read<T>) -> Read<T> {
    r.map_err(|p| Problem {
        key: format!("{key}.{}", p.key),
        ..p
    })
}

pub(super) fn field<'a>(v: &'a Value, key: &str) -> Option<&'a Value> {
    v.get(key).filter(|v| !v.is_null())
}

pub(super) fn section<'a>(v: &'a Value, key: &str) -> Read<&'a Value> {
    match field(v, key) {
        None => Err(problem(key, "it is missing", "Give it as an object.")),
        Some(o) if o.is_object() => Ok(o),
        Some(other) => Err(problem(
            key,
            format!("{other} is no object"),
            "Write it in curly braces.",
        )),
    }
}

pub(super) fn text<'a>(v: &'a Value, key: &str) -> Read<&'a str> {
    match field(v, key) {
        None => Err(problem(key, "it is missing", "Give it as a text.")),
        Some(Value::String(s)) => Ok(s),
        Some(other) => Err(problem(
            key,
            format!("{other} is no text"),
            "Put it in quotes.",
        )),
    }
}

pub(super) fn parsed<T>(
    v: &Value,
    key: &str,
    fix: &str,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Read<T> {
    let s = text(v, key)?;
    parse(s).ok_or_else(|| problem(key, format!("{s:?} is not understood"), fix))
}

pub(super) const INSTANT: &str = "Write an instant such as \"2026-11-26T10:00:00Z\".";
pub(super) const DATE: &str = "Write a date of the calendar such as \"2026-11-28\".";

pub(super) fn to_instant(s: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(s)
        .ok()
        .map(|t| t.with_timezone(&Utc))
}

pub(super) fn at(v: &Value, key: &str) -> Read<DateTime<Utc>> {
    parsed(v, key, INSTANT, to_instant)
}

pub(super) fn at_opt(v: &Value, key: &str) -> Read<Option<DateTime<Utc>>> {
    field(v, key).map(|_| at(v, key)).transpose()
}

pub(super) fn date(v: &Value, key: &str) -> Read<NaiveDate> {
    parsed(v, key, DATE, |s| s.parse().ok())
}

pub(super) fn whole(v: &Value, key: &str, default: Option<i64>, min: i64, max: i64) -> Read<i64> {
    let n = match (field(v, key), default) {
        (None, Some(d)) => return Ok(d),
        (None, None) => {
            return Err(problem(
                key,
                "it is missing",
                format!("Give a whole number from {min} to {max}."),
            ));
        }
        (Some(n), _) => n,
    };
    n.as_i64()
        .filter(|n| (min..=max).contains(n))
        .ok_or_else(|| {
            problem(
                key,
                format!("{n} is no whole number from {min} to {max}"),
                format!("Give one from {min} to {max}."),
            )
        })
}

pub(super) fn flag(v: &Value, key: &str) -> Read<bool> {
    match field(v, key) {
        None => Ok(false),
        Some(Value::Bool(b)) => Ok(*b),
        Some(other) => Err(problem(
            key,
            format!("{other} is neither true nor false"),
            "Write true or false.",
        )),
    }
}

pub(super) fn list<T>(v: &Value, key: &str, one: impl Fn(&Value) -> Read<T>) -> Read<Vec<T>> {
    match field(v, key) {
        None => Ok(Vec::new()),
        Some(Value::Array(items)) => items
            .iter()
            .enumerate()
            .map(|(n, item)| {
                one(item).map_err(|p| match p.key.as_str() {
                    "" => Problem {
                        key: format!("{key}[{n}]"),
                        ..p
                    },
                    inner => Problem {
                        key: format!("{key}[{n}].{inner}"),
                        ..p
                    },
                })
            })
            .collect(),
        Some(other) => Err(problem(
            key,
            format!("{other} is no list"),
            "Write it in square brackets.",
        )),
    }
}

/// Reads a text in a list. Its problem has no key of its own.
pub(super) fn item<T>(v: &Value, fix: &str, parse: impl FnOnce(&str) -> Option<T>) -> Read<T> {
    v.as_str()
        .and_then(parse)
        .ok_or_else(|| problem("", format!("{v} is not understood"), fix))
}

pub(super) fn count(v: &Value, key: &str, default: Option<i64>) -> Read<Option<u32>> {
    if field(v, key).is_none() && default.is_none() {
        return Ok(None);
    }
    Ok(u32::try_from(whole(v, key, default, 1, 99)?).ok())
}
