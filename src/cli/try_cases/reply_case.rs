//! A text of a parent with the intent that it is expected to have.

use crate::domain::local_time::parse_local;
use crate::domain::people::channel::Channel;
use crate::domain::replies::understanding::{PendingQuestion, ReadingContext, understand_in};
use anyhow::{Context, Result};
use chrono::NaiveDateTime;
use serde_json::Value;

/// What was understood, and how it compares with what was expected.
pub(super) struct ReplyResult {
    pub(super) intent: String,
    /// The rule that gave the intent.
    pub(super) rule: &'static str,
    pub(super) language: String,
    pub(super) judgement: Option<Judgement>,
}

/// How an intent compares with the expected one.
pub(super) struct Judgement {
    pub(super) expected: String,
    pub(super) right: bool,
    /// It is an intent that the text must never have.
    pub(super) critical: bool,
}

/// Understands the text of a case. What the case does not say is not known.
pub(super) fn understand_case(v: &Value) -> Result<ReplyResult> {
    let field = |key: &str| v.get(key).and_then(Value::as_str);
    let arrivals = arrivals(v)?;
    let context = ReadingContext {
        lang: field("lang").unwrap_or("en"),
        channel: field("channel")
            .and_then(|c| c.parse().ok())
            .unwrap_or(Channel::Sms),
        open: v
            .get("open_sessions")
            .and_then(Value::as_u64)
            .and_then(|n| usize::try_from(n).ok())
            .unwrap_or(1),
        asked: if field("asked") == Some("number") {
            PendingQuestion::Numbered
        } else {
            PendingQuestion::Confirm
        },
        arrivals: &arrivals,
    };
    let text = field("text").context("text is missing or no text")?;
    let understood = understand_in(text, &context);
    let intent = match understood.intent.as_str() {
        // A code answers our own question; without one it is for a person.
        "code" => "unclear",
        other => other,
    };
    let lists = |key: &str| {
        v.get(key)
            .and_then(Value::as_array)
            .is_some_and(|a| a.iter().any(|x| x == intent))
    };
    Ok(ReplyResult {
        intent: intent.to_owned(),
        rule: understood.rule,
        language: context.lang.to_owned(),
        judgement: field("intent").map(|expected| Judgement {
            expected: expected.to_owned(),
            right: intent == expected || lists("also_ok"),
            critical: lists("must_not"),
        }),
    })
}

fn arrivals(v: &Value) -> Result<Vec<NaiveDateTime>> {
    v.get("open_local")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .map(|t| {
            t.as_str()
                .and_then(parse_local)
                .context("open_local: no local time")
        })
        .collect()
}
