//! A centre's settings for courtesy confirmations, and how they are read from its file.

use crate::domain::config_reader::ConfigReader;
use crate::domain::local_time::{Quiet, parse_time};
use chrono::{NaiveDate, NaiveTime, Weekday};

/// The day on which a courtesy confirmation is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AskDay {
    /// The nearest such weekday before the session.
    On(Weekday),
    DayBefore,
    /// The day of the session.
    SameDay,
}

/// Day and local time of a courtesy confirmation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AskRule {
    pub day: AskDay,
    /// The local time on it.
    pub time: NaiveTime,
}

/// When courtesy confirmations are sent (choices K01 to K04).
#[derive(Debug, Clone, PartialEq)]
pub struct Courtesy {
    /// For sessions on a Saturday.
    pub saturday: AskRule,
    /// For sessions on a Sunday.
    pub sunday: AskRule,
    /// For all others.
    pub weekday: AskRule,
    /// Minutes that must be left before the party's own arrival.
    pub min_lead_minutes: i64,
    /// Hours of the local day without texts.
    pub quiet: Option<Quiet>,
    /// Days on which the office is closed. They come from the centre's file and are never built in
    /// (choice K02).
    pub bank_holidays: Vec<NaiveDate>,
}

fn at_ten(day: AskDay) -> AskRule {
    AskRule {
        day,
        time: NaiveTime::from_hms_opt(10, 0, 0).unwrap_or_default(),
    }
}

impl Default for Courtesy {
    fn default() -> Self {
        Courtesy {
            saturday: at_ten(AskDay::On(Weekday::Thu)),
            sunday: at_ten(AskDay::On(Weekday::Fri)),
            weekday: at_ten(AskDay::DayBefore),
            min_lead_minutes: 120,
            quiet: parse_quiet(&["20:00".into(), "08:00".into()])
                .ok()
                .flatten(),
            bank_holidays: Vec::new(),
        }
    }
}

/// Reads a weekday, `day_before` or `same_day`.
pub fn parse_day(s: &str) -> Option<AskDay> {
    match s.trim().to_ascii_lowercase().as_str() {
        "day_before" => Some(AskDay::DayBefore),
        "same_day" => Some(AskDay::SameDay),
        other => other.parse().ok().map(AskDay::On),
    }
}

/// Reads quiet hours: two times, or none.
pub fn parse_quiet(list: &[String]) -> Result<Option<Quiet>, String> {
    match list {
        [] => Ok(None),
        [from, to] => match (parse_time(from), parse_time(to)) {
            (Some(from), Some(to)) => Ok((from != to).then_some(Quiet { from, to })),
            _ => Err(format!("{from:?} and {to:?} are not two times of day")),
        },
        _ => Err("it needs two times of day, or none".into()),
    }
}

impl Courtesy {
    /// Reads the section of a centre's file. What is left out is as usual.
    pub fn read(r: &mut ConfigReader<'_>) -> Courtesy {
        let usual = Courtesy::default();
        Courtesy {
            saturday: read_ask(r, "saturday", usual.saturday),
            sunday: read_ask(r, "sunday", usual.sunday),
            weekday: read_ask(r, "weekday", usual.weekday),
            min_lead_minutes: r.whole("min_lead_minutes", usual.min_lead_minutes, 0, 7 * 24 * 60),
            quiet: read_quiet(r, usual.quiet),
            bank_holidays: read_bank_holidays(r),
        }
    }
}

fn read_ask(r: &mut ConfigReader<'_>, name: &str, default: AskRule) -> AskRule {
    r.section(name, |r| AskRule {
        day: r.parsed(
            "day",
            default.day,
            "a weekday, \"day_before\" or \"same_day\"",
            parse_day,
        ),
        time: r.parsed("time", default.time, "a time such as \"10:00\"", parse_time),
    })
}

fn read_quiet(r: &mut ConfigReader<'_>, usual: Option<Quiet>) -> Option<Quiet> {
    match r.list("quiet_hours").map(|l| parse_quiet(&l)) {
        None => usual,
        Some(Ok(quiet)) => quiet,
        Some(Err(what)) => {
            r.problem(
                "quiet_hours",
                what,
                "Write [\"20:00\", \"08:00\"], or [] for none.",
            );
            None
        }
    }
}

fn read_bank_holidays(r: &mut ConfigReader<'_>) -> Vec<NaiveDate> {
    let mut out = Vec::new();
    for text in r.list("bank_holidays").unwrap_or_default() {
        match text.parse::<NaiveDate>() {
            Ok(day) => out.push(day),
            Err(_) => r.problem(
                "bank_holidays",
                format!("{text:?} is no date"),
                "Write dates as \"2026-12-25\".",
            ),
        }
    }
    out
}
