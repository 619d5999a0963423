//! What may be said on WhatsApp, and how: free words for 24 hours after the last message from
//! there, at any other time only a text that stands at the service (a content template). Pure.

use crate::domain::ids::AttemptToken;
use crate::domain::outgoing::message::MessageKind;
use crate::domain::outgoing::say::{FinishBy, Say};
use chrono::{DateTime, Duration, Utc};
use std::collections::BTreeMap;

/// How long free words may go after the last message from a number (WhatsApp's customer service
/// window).
const WINDOW: Duration = Duration::hours(24);
/// What is taken off it for the way there and for clocks that differ.
const MARGIN: Duration = Duration::minutes(1);
/// The question of a late cancellation has other buttons than that of one in time, so it is a
/// content template of its own.
pub const CANCEL_REASON_ASK_LATE: &str = "cancel_reason_ask_late";
/// What stands for a sentence that does not apply: the service takes no empty value.
const NOTHING: &str = "-";

/// The content templates that one file sets: the service's id, by the language of its words (empty:
/// for every party, its words English) and the name of the text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ContentSids(BTreeMap<(String, String), String>);

impl ContentSids {
    /// Sets one; `language` is empty for the one that serves all.
    pub fn set(&mut self, language: &str, name: &str, sid: String) {
        self.0.insert((language.to_owned(), name.to_owned()), sid);
    }

    /// The one that is set for exactly this.
    pub fn get(&self, language: &str, name: &str) -> Option<&str> {
        self.0
            .get(&(language.to_owned(), name.to_owned()))
            .map(String::as_str)
    }
}

/// The content templates of a line: those of all centres, and those that a centre's own file sets,
/// by its code.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contents {
    /// Of all centres.
    pub all: ContentSids,
    /// Of one centre.
    pub of: BTreeMap<String, ContentSids>,
}

/// A content template that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContentTemplate {
    /// The service's id.
    pub sid: String,
    /// It is the one for every party: its words are English, and so are its values.
    pub english: bool,
}

impl Contents {
    /// The content template of a text: the centre's for the language, the centre's for every party,
    /// that of all centres for the language, that of all centres for every party.
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

/// For whom a text is rendered: the centre's code, and the language in which its words would stand.
#[derive(Debug, Clone, Copy)]
pub struct TemplateReader<'a> {
    /// The centre.
    pub centre: &'a str,
    /// The language.
    pub language: &'a str,
}

/// How a text goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// As it is written.
    Free,
    /// As this content template.
    Content(ContentTemplate),
    /// Not by WhatsApp.
    Not,
}

/// The names under which a content template may be set: every kind of message, and the question of
/// a late cancellation.
pub fn names() -> impl Iterator<Item = &'static str> {
    MessageKind::ALL
        .iter()
        .map(|k| k.as_str())
        .chain([CANCEL_REASON_ASK_LATE])
}

/// The name under which the content template of a text is set.
pub fn name_of(say: &Say) -> &'static str {
    match say {
        Say::CancelReasonAsk {
            finish: FinishBy::Press { reason: true, .. },
            ..
        } => CANCEL_REASON_ASK_LATE,
        other => other.kind().as_str(),
    }
}

/// Whether free words may go: `wrote` is the last message from that number to our sender.
pub fn is_open(wrote: Option<DateTime<Utc>>, now: DateTime<Utc>) -> bool {
    wrote.is_some_and(|t| now < t + WINDOW - MARGIN)
}

/// How a text goes. Buttons need a content template; without one the same text asks for words.
pub fn way(say: &Say, open: bool, contents: &Contents, reader: TemplateReader<'_>) -> Delivery {
    match contents.find(reader.centre, reader.language, name_of(say)) {
        Some(content) if !open || !say.buttons().is_empty() => Delivery::Content(content),
        _ if open => Delivery::Free,
        _ => Delivery::Not,
    }
}

/// How a cancellation is finished there: by a second press if a content template has its buttons,
/// else by a word (safety rule S1d: the sender is known, so there is no code).
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

/// The values of a content template's variables: those of the text, in the order in which they
/// stand in it, and for one with buttons the token that its buttons bring back.
pub fn variables(values: &[String], say: &Say, token: &AttemptToken) -> Vec<String> {
    let filled = values.iter().map(|v| {
        if v.is_empty() {
            NOTHING.to_owned()
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
    fn words_are_free_for_a_day_after_the_last_message() {
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

    /// ContentTemplate templates, each by its centre (empty: all), language (empty: every party), name and
    /// id.
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
                way(&request, true, &set, BRK),
                way(&request, false, &set, BRK)
            ],
            [one(), one()]
        );
        assert_eq!(
            [way(&off, true, &set, BRK), way(&off, false, &set, BRK)],
            [Delivery::Free, Delivery::Not]
        );
        assert_eq!(
            [
                way(&request, true, &Contents::default(), BRK),
                way(&request, false, &Contents::default(), BRK)
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
