//! What may be sent on WhatsApp: free text for 24 hours after the last message from that number, and
//! content templates stored at the provider at any time.

use crate::domain::ids::AttemptToken;
use crate::domain::outgoing::message::MessageKind;
use crate::domain::outgoing::say::{FinishBy, Say};
use chrono::{DateTime, Duration, Utc};
use std::collections::BTreeMap;

/// How long free text may be sent after the last message from a number: WhatsApp's customer service
/// window.
const WINDOW: Duration = Duration::hours(24);
/// Taken off the window for delivery time and clock differences.
const MARGIN: Duration = Duration::minutes(1);
/// The question after a late cancellation has its own buttons and so its own content template.
pub const CANCEL_REASON_ASK_LATE: &str = "cancel_reason_ask_late";
/// Stands in for a sentence that does not apply, as the provider takes no empty value.
const EMPTY_VALUE: &str = "-";

/// The ids of the content templates in one file, by language and name. The empty language serves every
/// party, in English.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ContentSids(BTreeMap<(String, String), String>);

impl ContentSids {
    /// Sets an id. `language` is empty for the template that serves every party.
    pub fn set(&mut self, language: &str, name: &str, sid: String) {
        self.0.insert((language.to_owned(), name.to_owned()), sid);
    }

    /// The id for exactly this language and name.
    pub fn get(&self, language: &str, name: &str) -> Option<&str> {
        self.0
            .get(&(language.to_owned(), name.to_owned()))
            .map(String::as_str)
    }
}

/// The content templates of a line: those for all centres, and those in a centre's own file, by its
/// code.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contents {
    /// For all centres.
    pub all: ContentSids,
    /// For single centres.
    pub of: BTreeMap<String, ContentSids>,
}

/// A content template that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContentTemplate {
    pub sid: String,
    /// Whether it serves every party: it is in English, and its values must be too.
    pub english: bool,
}

impl Contents {
    /// Finds the content template of a message: first the centre's own for the language, then the
    /// centre's own for every party, then the common ones in the same order.
    pub fn find(&self, centre: &str, language: &str, name: &str) -> Option<ContentTemplate> {
        let files = [self.of.get(centre), Some(&self.all)].into_iter().flatten();
        files
            .flat_map(|f| [language, ""].map(|l| (l, f.get(l, name))))
            .find_map(|(l, sid)| {
                Some(ContentTemplate {
                    sid: sid?.to_owned(),
                    english: l.is_empty(),
                })
            })
    }
}

/// Whom a message is rendered for.
#[derive(Debug, Clone, Copy)]
pub struct TemplateReader<'a> {
    pub centre: &'a str,
    /// The language that the text would be in.
    pub language: &'a str,
}

/// How a message is delivered on WhatsApp.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// As free text.
    Free,
    /// As this content template.
    Content(ContentTemplate),
    /// Not on WhatsApp.
    Not,
}

/// The names of content templates: every kind of message, and the question after a late cancellation.
pub fn names() -> impl Iterator<Item = &'static str> {
    MessageKind::ALL
        .iter()
        .map(|k| k.as_str())
        .chain([CANCEL_REASON_ASK_LATE])
}

/// The name of a message's content template.
pub fn name_of(say: &Say) -> &'static str {
    match say {
        Say::CancelReasonAsk {
            finish: FinishBy::Press { reason: true, .. },
            ..
        } => CANCEL_REASON_ASK_LATE,
        other => other.kind().as_str(),
    }
}

/// Whether the 24-hour window is open; `wrote` is the time of the last message from that number to our
/// sender.
pub fn is_open(wrote: Option<DateTime<Utc>>, now: DateTime<Utc>) -> bool {
    wrote.is_some_and(|t| now < t + WINDOW - MARGIN)
}

/// Decides how a message is delivered. Buttons need a content template; without one the text asks for
/// words instead.
pub fn delivery(
    say: &Say,
    open: bool,
    contents: &Contents,
    reader: TemplateReader<'_>,
) -> Delivery {
    match contents.find(reader.centre, reader.language, name_of(say)) {
        Some(content) if !open || !say.buttons().is_empty() => Delivery::Content(content),
        _ if open => Delivery::Free,
        _ => Delivery::Not,
    }
}

/// How a cancellation is finished on WhatsApp: by a second press if a content template has the buttons,
/// else by a word (safety rule S1d: the sender is known, so no code is needed).
pub fn finish(
    late: bool,
    reason: bool,
    contents: &Contents,
    reader: TemplateReader<'_>,
) -> FinishBy {
    let name = if reason {
        CANCEL_REASON_ASK_LATE
    } else {
        MessageKind::CancelReasonAsk.as_str()
    };
    if contents
        .find(reader.centre, reader.language, name)
        .is_some()
    {
        FinishBy::Press { late, reason }
    } else {
        FinishBy::Word { late }
    }
}

/// The values of a content template's variables: the values of the text in order, then the token that
/// the buttons send back, if it has buttons.
pub fn variables(values: &[String], say: &Say, token: &AttemptToken) -> Vec<String> {
    let filled = values.iter().map(|v| {
        if v.is_empty() {
            EMPTY_VALUE.to_owned()
        } else {
            v.clone()
        }
    });
    filled
        .chain((!say.buttons().is_empty()).then(|| token.as_str().to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(s: &str) -> DateTime<Utc> {
        s.parse().unwrap()
    }

    #[test]
    fn free_text_is_allowed_for_a_day_after_the_last_message() {
        let wrote = Some(at("2026-11-25T10:00:00Z"));
        assert!(
            is_open(wrote, at("2026-11-25T10:00:00Z"))
                && is_open(wrote, at("2026-11-26T09:58:59Z"))
        );
        assert!(
            !is_open(wrote, at("2026-11-26T09:59:00Z"))
                && !is_open(None, at("2026-11-25T10:00:00Z"))
        );
    }

    const BRK: TemplateReader<'_> = TemplateReader {
        centre: "BRK",
        language: "pl",
    };

    /// Content templates by centre (empty: all), language (empty: every party), name and id.
    fn contents(set: &[(&str, &str, &str, &str)]) -> Contents {
        let mut out = Contents::default();
        for (centre, language, name, sid) in set {
            let file = if centre.is_empty() {
                &mut out.all
            } else {
                out.of.entry((*centre).to_owned()).or_default()
            };
            file.set(language, name, (*sid).to_owned());
        }
        out
    }

    #[test]
    fn the_centres_own_goes_before_that_of_all_and_the_language_before_every_party() {
        let all = [
            ("BRK", "pl", "session_off", "HX1"),
            ("BRK", "", "session_off", "HX2"),
            ("", "pl", "session_off", "HX3"),
            ("", "", "session_off", "HX4"),
        ];
        for from in 0..4 {
            let set = contents(&all[from..]);
            assert_eq!(
                set.find("BRK", "pl", "session_off").unwrap(),
                ContentTemplate {
                    sid: all[from].3.into(),
                    english: all[from].1.is_empty()
                }
            );
        }
        let set = contents(&all);
        assert_eq!(set.find("LIF", "pl", "session_off").unwrap().sid, "HX3");
        assert_eq!(set.find("BRK", "ro", "session_off").unwrap().sid, "HX2");
        assert_eq!(
            (
                set.find("LIF", "ro", "session_off").unwrap().sid.as_str(),
                set.find("LIF", "ro", "closure")
            ),
            ("HX4", None)
        );
    }

    #[test]
    fn buttons_and_late_texts_need_a_content_template() {
        let arrival = crate::domain::local_time::parse_local("2026-11-28T10:00").unwrap();
        let request = Say::ConfirmRequest {
            arrival,
            cut_off: None,
            fee: false,
        };
        let off = Say::SessionOff { arrival };
        let set = contents(&[("", "", "confirm_request", "HX1")]);
        let one = || {
            Delivery::Content(ContentTemplate {
                sid: "HX1".into(),
                english: true,
            })
        };
        assert_eq!(
            [
                delivery(&request, true, &set, BRK),
                delivery(&request, false, &set, BRK)
            ],
            [one(), one()]
        );
        assert_eq!(
            [
                delivery(&off, true, &set, BRK),
                delivery(&off, false, &set, BRK)
            ],
            [Delivery::Free, Delivery::Not]
        );
        assert_eq!(
            [
                delivery(&request, true, &Contents::default(), BRK),
                delivery(&request, false, &Contents::default(), BRK)
            ],
            [Delivery::Free, Delivery::Not]
        );
        assert_eq!(
            variables(
                &["Birchfield".into(), String::new()],
                &request,
                &AttemptToken::new("t")
            ),
            ["Birchfield", "-", "t"]
        );
        assert_eq!(
            variables(&["Birchfield".into()], &off, &AttemptToken::new("t")),
            ["Birchfield"]
        );
    }

    #[test]
    fn a_cancellation_is_finished_by_a_press_or_a_word_and_never_by_a_code() {
        let set = contents(&[("", "", "cancel_reason_ask", "HX1")]);
        assert_eq!(
            finish(false, false, &set, BRK),
            FinishBy::Press {
                late: false,
                reason: false
            }
        );
        assert_eq!(finish(true, true, &set, BRK), FinishBy::Word { late: true });
        let late = Say::CancelReasonAsk {
            arrival: Default::default(),
            finish: FinishBy::Press {
                late: true,
                reason: true,
            },
        };
        assert_eq!(name_of(&late), "cancel_reason_ask_late");
        assert!(names().all(|n| names().filter(|m| *m == n).count() == 1));
    }
}
