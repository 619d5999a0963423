//! When a courtesy confirmation is sent to a party, and until when it is worth sending (choices K01
//! to K12).
//!
//! Handbook for parents: "If you have a contact on a Saturday or Sunday then it is likely that you
//! will receive a call on the Thursday or Friday to confirm your contact"; "We do try to confirm
//! your contact session with you the day before they are due".

use crate::domain::centre::Centre;
use crate::domain::local_time::{after_quiet, instant};
use crate::domain::reminders::courtesy::{AskDay, AskRule, Courtesy};
use crate::string_enum;
use anyhow::Result;
use chrono::{DateTime, Datelike, Days, Duration, NaiveDate, NaiveDateTime, Utc, Weekday};
use chrono_tz::Tz;

string_enum! {
    /// Why a party gets no courtesy confirmation. If several reasons hold, the first of these is
    /// given.
    NotSent {
        /// Referrers do not attend (K07).
        NotAnAttendee = "not_an_attendee",
        /// The file is closed (K06).
        CaseArchived = "case_archived",
        /// The centre is closed that day.
        Closed = "closed",
        /// The session was called off.
        Cancelled = "cancelled",
        /// The party wants no messages.
        OptedOut = "opted_out",
        /// No agreed address that takes messages (K11): the centre rings.
        NoUsableChannel = "no_usable_channel",
        /// This session is confirmed already (K05).
        AlreadyConfirmed = "already_confirmed",
        /// The provider was away until it was too late (K09).
        ProviderDownTooLong = "provider_down_too_long",
        /// Booked or moved too close to the party's own arrival (K03).
        TooLate = "too_late",
    }
}

impl NotSent {
    /// The reason in plain words.
    pub fn in_words(self) -> &'static str {
        match self {
            NotSent::NotAnAttendee => "a referrer does not attend",
            NotSent::CaseArchived => "the file is closed",
            NotSent::Closed => "the centre is closed that day",
            NotSent::Cancelled => "the session is called off",
            NotSent::OptedOut => "this party wants no messages: ring",
            NotSent::NoUsableChannel => "there is no agreed address that takes texts: ring",
            NotSent::AlreadyConfirmed => "this party has confirmed already",
            NotSent::ProviderDownTooLong => "the texting service was away until it was too late",
            NotSent::TooLate => "too little time is left before the arrival: ring if it matters",
        }
    }
}

/// The moment of a courtesy confirmation, and the rule that gave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    pub at: DateTime<Utc>,
    /// `K01`; `K02` if a bank holiday moved it, `K04` if quiet hours did, `K03` if it is sent at
    /// once.
    pub rule: &'static str,
}

fn rule_for(c: &Courtesy, day: Weekday) -> AskRule {
    match day {
        Weekday::Sat => c.saturday,
        Weekday::Sun => c.sunday,
        _ => c.weekday,
    }
}

fn back(date: NaiveDate, days: u64) -> NaiveDate {
    date.checked_sub_days(Days::new(days)).unwrap_or(date)
}

fn back_to(date: NaiveDate, day: Weekday) -> NaiveDate {
    let ahead = (date.weekday().num_days_from_monday() + 7 - day.num_days_from_monday()) % 7;
    back(date, u64::from(if ahead == 0 { 7 } else { ahead }))
}

/// The courtesy moment of a session that starts at local time `start`. It is the same for both
/// parents (K01).
pub fn moment(c: &Courtesy, tz: Tz, start: NaiveDateTime) -> Moment {
    let date = start.date();
    let rule = rule_for(c, date.weekday());
    let holiday = |d: &NaiveDate| c.bank_holidays.contains(d);
    let wanted = match rule.day {
        AskDay::On(day) => back_to(date, day),
        AskDay::DayBefore => back(date, 1),
        AskDay::SameDay => date,
    };
    let weekend = matches!(date.weekday(), Weekday::Sat | Weekday::Sun);
    let earlier = |from: NaiveDate| {
        (0..3660)
            .map(|n| back(from, n))
            .find(|d| !holiday(d))
            .unwrap_or(from)
    };
    let day = if !holiday(&wanted) {
        wanted
    } else {
        match (weekend, rule.day) {
            (true, AskDay::On(Weekday::Thu | Weekday::Fri)) => {
                // K02: the other of Thursday and Friday. If both are holidays, back from the
                // earlier one.
                let (thursday, friday) = (back_to(date, Weekday::Thu), back_to(date, Weekday::Fri));
                let other = if wanted == thursday { friday } else { thursday };
                if holiday(&other) {
                    earlier(thursday.min(friday))
                } else {
                    other
                }
            }
            _ => earlier(wanted),
        }
    };
    let at = instant(tz, day.and_time(rule.time));
    let allowed = after_quiet(c.quiet, tz, at);
    let rule = if allowed != at {
        "K04"
    } else if day != wanted {
        "K02"
    } else {
        "K01"
    };
    Moment { at: allowed, rule }
}

/// The last instant at which a confirmation to a party that arrives at `arrival` is still planned.
/// That instant itself is in time (K03).
pub fn last_call(c: &Courtesy, arrival: DateTime<Utc>) -> DateTime<Utc> {
    arrival - Duration::minutes(c.min_lead_minutes)
}

/// When to send a confirmation that could not be sent before `known` (a booking, a move, a restart,
/// the end of an outage): at its moment, or at once outside quiet hours. `Err(TooLate)` if less
/// than the lead is left then.
pub fn ask_at(
    c: &Courtesy,
    tz: Tz,
    start: NaiveDateTime,
    arrival: DateTime<Utc>,
    known: DateTime<Utc>,
) -> Result<Moment, NotSent> {
    let m = moment(c, tz, start);
    let ask = if known > m.at {
        Moment {
            at: after_quiet(c.quiet, tz, known),
            rule: "K03",
        }
    } else {
        m
    };
    if ask.at > last_call(c, arrival) {
        Err(NotSent::TooLate)
    } else {
        Ok(ask)
    }
}

/// Until when a confirmation planned for `not_before` may still be sent: until the last call, or
/// ten minutes after `not_before` if that is later, and never after the arrival.
pub fn not_after(c: &Courtesy, arrival: DateTime<Utc>, not_before: DateTime<Utc>) -> DateTime<Utc> {
    last_call(c, arrival)
        .max(not_before + Duration::minutes(10))
        .min(arrival)
}

/// When the scheduler first looks at a session that starts at `start` and was booked at `known`.
pub fn first_look(
    centre: &Centre,
    start: chrono::NaiveDateTime,
    known: DateTime<Utc>,
) -> DateTime<Utc> {
    moment(&centre.courtesy, centre.tz, start).at.max(known)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::local_time::parse_local;

    fn at(c: &Courtesy, start: &str) -> String {
        let m = moment(c, chrono_tz::Europe::London, parse_local(start).unwrap());
        format!("{} {}", m.rule, m.at.format("%a %Y-%m-%dT%H:%MZ"))
    }

    #[test]
    fn both_thursday_and_friday_are_holidays() {
        let mut c = Courtesy {
            bank_holidays: ["2026-12-24", "2026-12-25"]
                .map(|d| d.parse().unwrap())
                .into(),
            ..Courtesy::default()
        };
        assert_eq!(at(&c, "2026-12-26T10:00"), "K02 Wed 2026-12-23T10:00Z");
        assert_eq!(at(&c, "2026-12-27T10:00"), "K02 Wed 2026-12-23T10:00Z");
        c.bank_holidays.push("2026-12-23".parse().unwrap());
        assert_eq!(at(&c, "2026-12-27T10:00"), "K02 Tue 2026-12-22T10:00Z");
    }

    #[test]
    fn a_rule_time_in_quiet_hours_moves_to_their_end() {
        let mut c = Courtesy::default();
        c.weekday.time = "21:00:00".parse().unwrap();
        assert_eq!(at(&c, "2026-11-26T10:00"), "K04 Thu 2026-11-26T08:00Z");
    }

    #[test]
    fn a_configured_day_that_is_a_holiday_goes_back() {
        let mut c = Courtesy::default();
        c.saturday.day = AskDay::On(Weekday::Wed);
        c.bank_holidays = vec!["2026-11-25".parse().unwrap()];
        assert_eq!(at(&c, "2026-11-28T10:00"), "K02 Tue 2026-11-24T10:00Z");
        c.weekday.day = AskDay::SameDay;
        assert_eq!(at(&c, "2026-11-26T15:00"), "K01 Thu 2026-11-26T10:00Z");
    }

    #[test]
    fn worth_sending_until() {
        let c = Courtesy::default();
        let t = |s: &str| DateTime::parse_from_rfc3339(s).unwrap().with_timezone(&Utc);
        let arrival = t("2026-11-28T10:00:00Z");
        assert_eq!(
            not_after(&c, arrival, t("2026-11-26T10:00:00Z")),
            t("2026-11-28T08:00:00Z")
        );
        assert_eq!(
            not_after(&c, arrival, t("2026-11-28T08:00:00Z")),
            t("2026-11-28T08:10:00Z")
        );
        assert_eq!(not_after(&c, arrival, t("2026-11-28T09:58:00Z")), arrival);
    }
}
