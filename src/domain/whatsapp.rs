//! What may be said on WhatsApp, and how: free words for 24 hours after the last message from there, at any other time only a text that
//! stands at the service (a content template). Pure.

use super::message::Kind;
use super::say::{FinishBy, Say};
use chrono::{DateTime, Duration, Utc};
use std::collections::BTreeMap;

/// How long free words may go after the last message from a number (WhatsApp's customer service window).
const WINDOW: Duration = Duration::hours(24);
/// What is taken off it for the way there and for clocks that differ.
const MARGIN: Duration = Duration::minutes(1);
/// The question of a late cancellation has other buttons than that of one in time, so it is a content template of its own.
pub const CANCEL_REASON_ASK_LATE: &str = "cancel_reason_ask_late";
/// What stands for a sentence that does not apply: the service takes no empty value.
const NOTHING: &str = "-";

/// The content templates that are set: by the name of the text, the service's id.
pub type ContentSids = BTreeMap<String, String>;

/// How a text goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// As it is written.
    Free,
    /// As the content template with this id.
    Content(String),
    /// Not by WhatsApp.
    Not,
}

/// The names under which a content template may be set: every kind of message, and the question of a late cancellation.
pub fn names() -> impl Iterator<Item = &'static str> {
    Kind::ALL.iter().map(|k| k.as_str()).chain([CANCEL_REASON_ASK_LATE])
}

/// The name under which the content template of a text is set.
pub fn name_of(say: &Say) -> &'static str {
    match say {
        Say::CancelReasonAsk { finish: FinishBy::Press { reason: true, .. }, .. } => CANCEL_REASON_ASK_LATE,
        other => other.kind().as_str(),
    }
}

/// Whether free words may go: `wrote` is the last message from that number to our sender.
pub fn is_open(wrote: Option<DateTime<Utc>>, now: DateTime<Utc>) -> bool {
    wrote.is_some_and(|t| now < t + WINDOW - MARGIN)
}

/// How a text goes. Buttons need a content template; without one the same text asks for words.
pub fn way(say: &Say, open: bool, sids: &ContentSids) -> Way {
    match sids.get(name_of(say)) {
        Some(sid) if !open || !say.buttons().is_empty() => Way::Content(sid.clone()),
        _ if open => Way::Free,
        _ => Way::Not,
    }
}

/// How a cancellation is finished there: by a second press if a content template has its buttons, else by a word (safety rule S1d: the
/// sender is known, so there is no code).
pub fn finish(late: bool, reason: bool, sids: &ContentSids) -> FinishBy {
    let name = if reason { CANCEL_REASON_ASK_LATE } else { Kind::CancelReasonAsk.as_str() };
    if sids.contains_key(name) { FinishBy::Press { late, reason } } else { FinishBy::Word { late } }
}

/// The values of a content template's variables: those of the text, in the order in which they stand in it, and for one with buttons the
/// token that its buttons bring back.
pub fn variables(values: &[String], say: &Say, token: &str) -> Vec<String> {
    let filled = values.iter().map(|v| if v.is_empty() { NOTHING.to_owned() } else { v.clone() });
    filled.chain((!say.buttons().is_empty()).then(|| token.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(s: &str) -> DateTime<Utc> {
        s.parse().unwrap()
    }

    #[test]
    fn words_are_free_for_a_day_after_the_last_message() {
        let wrote = Some(at("2026-11-25T10:00:00Z"));
        assert!(is_open(wrote, at("2026-11-25T10:00:00Z")) && is_open(wrote, at("2026-11-26T09:58:59Z")));
        assert!(!is_open(wrote, at("2026-11-26T09:59:00Z")) && !is_open(None, at("2026-11-25T10:00:00Z")));
    }

    #[test]
    fn buttons_and_late_texts_need_a_content_template() {
        let arrival = crate::domain::local_time::parse_local("2026-11-28T10:00").unwrap();
        let request = Say::ConfirmRequest { arrival, cut_off: None, fee: false };
        let off = Say::SessionOff { arrival };
        let sids: ContentSids = [("confirm_request".to_owned(), "HX1".to_owned())].into();
        assert_eq!([way(&request, true, &sids), way(&request, false, &sids)], [Way::Content("HX1".into()), Way::Content("HX1".into())]);
        assert_eq!([way(&off, true, &sids), way(&off, false, &sids)], [Way::Free, Way::Not]);
        assert_eq!([way(&request, true, &ContentSids::new()), way(&request, false, &ContentSids::new())], [Way::Free, Way::Not]);
        assert_eq!(variables(&["Birchfield".into(), String::new()], &request, "t"), ["Birchfield", "-", "t"]);
        assert_eq!(variables(&["Birchfield".into()], &off, "t"), ["Birchfield"]);
    }

    #[test]
    fn a_cancellation_is_finished_by_a_press_or_a_word_and_never_by_a_code() {
        let sids: ContentSids = [("cancel_reason_ask".to_owned(), "HX1".to_owned())].into();
        assert_eq!(finish(false, false, &sids), FinishBy::Press { late: false, reason: false });
        assert_eq!(finish(true, true, &sids), FinishBy::Word { late: true });
        let late = Say::CancelReasonAsk { arrival: Default::default(), finish: FinishBy::Press { late: true, reason: true } };
        assert_eq!(name_of(&late), "cancel_reason_ask_late");
        assert!(names().all(|n| names().filter(|m| *m == n).count() == 1));
    }
}
