//! Values for the placeholders of a statement.

use crate::domain::ids::{AttemptToken, CaseId, Id, MessageId, SessionId};
use chrono::{DateTime, Utc};
use sqlx::{AssertSqlSafe, SqlSafeStr};
use std::borrow::Cow;

/// A value bound to a placeholder. A missing value still has its type.
#[derive(Debug, Clone)]
pub enum Arg {
    Text(Option<String>),
    /// Whole number.
    Int(Option<i64>),
    Bool(bool),
    /// Instant, to the microsecond.
    Time(Option<DateTime<Utc>>),
}

macro_rules! arg_from {
    ($($t:ty => |$v:ident| $e:expr),+ $(,)?) => {
        $(impl From<$t> for Arg { fn from($v: $t) -> Arg { $e } })+
    };
}
arg_from! {
    &str => |v| Arg::Text(Some(v.to_owned())),
    &String => |v| Arg::Text(Some(v.clone())),
    String => |v| Arg::Text(Some(v)),
    Option<String> => |v| Arg::Text(v),
    &Option<String> => |v| Arg::Text(v.clone()),
    Option<&str> => |v| Arg::Text(v.map(str::to_owned)),
    i64 => |v| Arg::Int(Some(v)),
    Option<i64> => |v| Arg::Int(v),
    AttemptToken => |v| Arg::Text(Some(v.into_text())),
    CaseId => |v| Arg::Text(Some(v.into_text())),
    MessageId => |v| Arg::Text(Some(v.into_text())),
    SessionId => |v| Arg::Text(Some(v.into_text())),
    bool => |v| Arg::Bool(v),
    DateTime<Utc> => |v| Arg::Time(Some(v)),
    Option<DateTime<Utc>> => |v| Arg::Time(v),
}

impl<I: Id> From<&I> for Arg {
    fn from(id: &I) -> Arg {
        Arg::from(id.as_str())
    }
}

impl<I: Id> From<Option<&I>> for Arg {
    fn from(id: Option<&I>) -> Arg {
        Arg::from(id.map(Id::as_str))
    }
}

impl<I: Id> From<&Option<I>> for Arg {
    fn from(id: &Option<I>) -> Arg {
        Arg::from(id.as_ref())
    }
}

/// Builds a query of one database from a statement and its values.
macro_rules! bind_all {
    ($sql:expr, $args:expr, $postgres:expr) => {{
        let mut query = sqlx::query($crate::store::db::arguments::sql_for(
            $sql.into(),
            $postgres,
        ));
        for arg in $args {
            query = match arg {
                Arg::Text(v) => query.bind(v),
                Arg::Int(v) => query.bind(v),
                Arg::Bool(v) => query.bind(v),
                Arg::Time(v) => query.bind(v),
            };
        }
        query
    }};
}
pub(super) use bind_all;

/// Replaces `{skip}` and `{lock}` by the row locks of the database.
pub(super) fn sql_for(sql: Cow<'static, str>, postgres: bool) -> sqlx::SqlStr {
    if !sql.contains('{') {
        return match sql {
            Cow::Borrowed(s) => s.into_sql_str(),
            Cow::Owned(s) => AssertSqlSafe(s).into_sql_str(),
        };
    }
    let (skip, lock) = if postgres {
        ("FOR UPDATE SKIP LOCKED", "FOR UPDATE")
    } else {
        ("", "")
    };
    AssertSqlSafe(sql.replace("{skip}", skip).replace("{lock}", lock)).into_sql_str()
}

/// `($1, $2), ($3, $4)` for `rows` rows of `width` values.
pub(super) fn placeholders(rows: usize, width: usize) -> String {
    let row = |r: usize| {
        format!(
            "({})",
            (1..=width)
                .map(|c| format!("${}", r * width + c))
                .collect::<Vec<_>>()
                .join(", ")
        )
    };
    (0..rows).map(row).collect::<Vec<_>>().join(", ")
}

/// `$1, $2, …` for `n` values; the first placeholder is `$first`.
pub fn placeholder_list(first: usize, n: usize) -> String {
    (first..first + n)
        .map(|i| format!("${i}"))
        .collect::<Vec<_>>()
        .join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_numbered_through() {
        assert_eq!(placeholders(2, 3), "($1, $2, $3), ($4, $5, $6)");
        assert_eq!(placeholder_list(2, 3), "$2, $3, $4");
    }
}
