//! A language as its `language.toml` describes it: who checked its texts, how it writes days and
//! times, and the words that its texts must not contain.

use crate::domain::config_reader::{ConfigReader, Problem};
use crate::domain::local_time::parse_time;
use crate::domain::outgoing::lint::{ForbiddenWords, entry};
use crate::domain::outgoing::message::MessageKind;
use chrono::{Datelike, Duration, NaiveDate, NaiveDateTime, NaiveTime, Timelike};
use toml::Table;

/// The words that single kinds of message must not contain.
fn in_kind(r: &mut ConfigReader<'_>) -> Vec<(MessageKind, Vec<String>)> {
    r.section("refused_in", |r| {
        MessageKind::ALL
            .iter()
            .filter_map(|k| Some((*k, r.list(k.as_str())?.iter().map(|l| entry(l)).collect())))
            .collect()
    })
}

/// A language as its `language.toml` describes it.
#[derive(Debug, Clone, Default)]
pub struct Language {
    /// Its name in English.
    pub name: String,
    /// The speaker who has checked its texts; empty if nobody has.
    pub checked_by: String,
    /// Its word for YES.
    pub yes: String,
    /// Its word for NO.
    pub no: String,
    /// The words that its texts must not contain.
    pub refused: ForbiddenWords,
    /// The most SMS segments of a text with a centre's longest values.
    pub max_segments: u32,
    weekdays: Vec<String>,
    months: Vec<String>,
    day: String,
    time: String,
    time_with_minutes: String,
    moment: String,
    parts_of_day: Vec<(NaiveTime, String)>,
    noon: Option<String>,
    midnight: Option<String>,
}

impl Language {
    /// Reads a `language.toml`.
    ///
    /// # Errors
    /// Every problem at once.
    pub fn read(text: &str) -> Result<Language, Vec<Problem>> {
        let table: Table = text.parse().map_err(|e: toml::de::Error| {
            vec![Problem {
                key: "file".into(),
                what: e.message().to_owned(),
                fix: "Compare it with the built-in one in message-templates/.".into(),
            }]
        })?;
        let mut r = ConfigReader::new(&table);
        let names = |r: &mut ConfigReader<'_>, key: &str, n: usize| {
            let list = r.list(key).unwrap_or_default();
            if list.len() != n {
                r.problem(
                    key,
                    format!("it has {} names", list.len()),
                    format!("Write {n}, in order."),
                );
                return vec![String::new(); n];
            }
            list
        };
        let name = r.text_required("name", "Write the language's name in English.");
        let (yes, no) = (
            r.text_required("yes", "Write the word that agrees."),
            r.text_required("no", "Write the word that refuses."),
        );
        let (weekdays, months) = (names(&mut r, "weekdays", 7), names(&mut r, "months", 12));
        let mut parts_of_day = Vec::new();
        for part in r.list("parts_of_day").unwrap_or_default() {
            match part
                .split_once(' ')
                .and_then(|(from, word)| Some((parse_time(from)?, word.to_owned())))
            {
                Some(p) => parts_of_day.push(p),
                None => r.problem(
                    "parts_of_day",
                    format!("{part:?} is not understood"),
                    "Write when it begins and its words, \"12:00 pm\".",
                ),
            }
        }
        let (no_reasons, closed) = r.section("said", |r| {
            let mut list = |key| {
                r.list(key)
                    .unwrap_or_default()
                    .iter()
                    .map(|l| entry(l))
                    .collect()
            };
            (list("no_reasons"), list("closed"))
        });
        let language = Language {
            name,
            checked_by: r.text("checked_by", "").trim().to_owned(),
            yes,
            no,
            weekdays,
            months,
            day: r.text("day", "{weekday} {day} {month}"),
            time: r.text("time", "{hour24}:{minute}"),
            time_with_minutes: r.text("time_with_minutes", "{hour24}:{minute}"),
            moment: r.text("moment", "{time} {day}"),
            parts_of_day,
            noon: r.text_opt("noon"),
            midnight: r.text_opt("midnight"),
            max_segments: u32::try_from(r.whole("most_parts", 2, 1, 10)).unwrap_or(2),
            refused: ForbiddenWords {
                in_kind: in_kind(&mut r),
                no_reasons,
                closed,
                ..r.section("refused", |r| {
                    let mut list = |key| {
                        r.list(key)
                            .unwrap_or_default()
                            .iter()
                            .map(|l| entry(l))
                            .collect()
                    };
                    ForbiddenWords {
                        child: list("child"),
                        reason: list("reason"),
                        court: list("court"),
                        doctor: list("doctor"),
                        other_parent: list("other_parent"),
                        place: list("place"),
                        money: list("money"),
                        no_charge: list("no_charge"),
                        amount: list("amount"),
                        reply: list("reply"),
                        cause: list("cause"),
                        tone: list("tone"),
                        ..ForbiddenWords::default()
                    }
                })
            },
        };
        r.finish(language)
    }

    /// A day in words, `Sat 28 Nov`.
    pub fn day(&self, d: NaiveDate) -> String {
        let at = |list: &[String], i: u32| list.get(i as usize).cloned().unwrap_or_default();
        self.day
            .replace(
                "{weekday}",
                &at(&self.weekdays, d.weekday().num_days_from_monday()),
            )
            .replace("{day}", &d.day().to_string())
            .replace("{month}", &at(&self.months, d.month0()))
    }

    /// A time of day in words, `10am`, `2:30pm`.
    pub fn time(&self, t: NaiveTime) -> String {
        let (hour, minute) = (t.hour(), t.minute());
        match (hour, minute) {
            (12, 0) if self.noon.is_some() => return self.noon.clone().unwrap_or_default(),
            (0, 0) if self.midnight.is_some() => return self.midnight.clone().unwrap_or_default(),
            _ => {}
        }
        let part = self
            .parts_of_day
            .iter()
            .rev()
            .find(|(from, _)| *from <= t)
            .map_or("", |(_, word)| word);
        let format = if minute == 0 {
            &self.time
        } else {
            &self.time_with_minutes
        };
        format
            .replace("{hour24}", &hour.to_string())
            .replace("{hour}", &t.hour12().1.to_string())
            .replace("{minute}", &format!("{minute:02}"))
            .replace("{part}", part)
    }

    /// The end of a period in words, `10am Thu 26 Nov`. Midnight is written as the minute before
    /// it, because people disagree on which day midnight belongs to.
    pub fn moment(&self, at: NaiveDateTime) -> String {
        let at = if at.time() == NaiveTime::MIN {
            at - Duration::minutes(1)
        } else {
            at
        };
        self.moment
            .replace("{time}", &self.time(at.time()))
            .replace("{day}", &self.day(at.date()))
    }
}
