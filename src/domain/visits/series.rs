//! Series of sessions: the date of the n-th, and which of them are to be booked now.
//!
//! Handbook for parents: "When you first come to the contact centre your referral states the
//! frequency of contact, we will automatically book your contact in on the day that contact falls
//! on, at the regularity requested or as close to as we can. We will continue to book these
//! contacts in until we are told otherwise".

use crate::domain::local_time::instant;
use chrono::{DateTime, Datelike, Days, Duration, NaiveDate, NaiveDateTime, Utc};
use chrono_tz::Tz;
use std::fmt;
use std::str::FromStr;

/// The longest distance in weeks between two sessions of a series.
const MOST_WEEKS: u32 = 26;
/// Weeks that a series is booked ahead, unless it says otherwise.
pub const WEEKS_AHEAD: i64 = 8;

/// How often a family comes, in the words of its referral.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pattern {
    /// Every so many weeks (1 is weekly, 2 fortnightly), counted from the first day.
    Weeks(u32),
    /// The first to fifth such weekday of each month; a month without a fifth has none.
    MonthlyNth(u8),
    /// The last such weekday of each month.
    MonthlyLast,
    /// The same date of each month; a month without it (the 31st, 29 February) has none.
    MonthlyDate,
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Pattern::Weeks(1) => f.write_str("weekly"),
            Pattern::Weeks(2) => f.write_str("fortnightly"),
            Pattern::Weeks(n) => write!(f, "{n}-weeks"),
            Pattern::MonthlyNth(n) => write!(f, "monthly-{}", ordinal(*n)),
            Pattern::MonthlyLast => f.write_str("monthly-last"),
            Pattern::MonthlyDate => f.write_str("monthly-date"),
        }
    }
}

fn ordinal(n: u8) -> &'static str {
    ["1st", "2nd", "3rd", "4th", "5th"]
        .get(usize::from(n).wrapping_sub(1))
        .copied()
        .unwrap_or("1st")
}

impl FromStr for Pattern {
    type Err = String;

    fn from_str(s: &str) -> Result<Pattern, String> {
        let weeks = |s: &str| {
            s.strip_suffix("-weeks")
                .and_then(|n| n.parse().ok())
                .filter(|n| (1..=MOST_WEEKS).contains(n))
        };
        match s {
            "weekly" => Ok(Pattern::Weeks(1)),
            "fortnightly" => Ok(Pattern::Weeks(2)),
            "monthly-last" => Ok(Pattern::MonthlyLast),
            "monthly-date" => Ok(Pattern::MonthlyDate),
            _ => (1..=5)
                .find(|n| s.strip_prefix("monthly-") == Some(ordinal(*n)))
                .map(Pattern::MonthlyNth)
                .or_else(|| weeks(s).map(Pattern::Weeks))
                .ok_or_else(|| {
                    format!(
                        "{s:?} is no frequency; write weekly, fortnightly, 3-weeks, \
                                        monthly-1st to monthly-5th, monthly-last or \
                                        monthly-date"
                    )
                }),
        }
    }
}

/// The first day of the month that is `n` months after that of `date`.
fn month_after(date: NaiveDate, n: i64) -> Option<NaiveDate> {
    let months = i64::from(date.year()) * 12 + i64::from(date.month0()) + n;
    NaiveDate::from_ymd_opt(
        i32::try_from(months.div_euclid(12)).ok()?,
        u32::try_from(months.rem_euclid(12)).ok()? + 1,
        1,
    )
}

/// The local date of the `n`-th occurrence (0 is the first), if there is one. Weeks are counted
/// from the first day, so a skipped week shifts nothing. Months are counted from the first month.
pub fn occurrence(pattern: Pattern, first: NaiveDate, n: i64) -> Option<NaiveDate> {
    let count = u64::try_from(n).ok()?;
    let month = || month_after(first, n);
    match pattern {
        Pattern::Weeks(weeks) => {
            first.checked_add_days(Days::new(count.checked_mul(7 * u64::from(weeks))?))
        }
        Pattern::MonthlyNth(nth) => month().and_then(|m| {
            NaiveDate::from_weekday_of_month_opt(m.year(), m.month(), first.weekday(), nth)
        }),
        Pattern::MonthlyLast => month().and_then(|m| {
            (4..=5).rev().find_map(|nth| {
                NaiveDate::from_weekday_of_month_opt(m.year(), m.month(), first.weekday(), nth)
            })
        }),
        Pattern::MonthlyDate => month().and_then(|m| m.with_day(first.day())),
    }
}

/// Checks that `first` is a day of the pattern.
pub fn fits(pattern: Pattern, first: NaiveDate) -> Result<(), String> {
    if occurrence(pattern, first, 0) == Some(first) {
        return Ok(());
    }
    let day = first.format("%A %-d %b %Y");
    let nth = ordinal(u8::try_from(first.day0() / 7 + 1).unwrap_or(1));
    Err(format!(
        "{day} is no first day for {pattern}: it is the {nth} {} of its month; write \
         monthly-{nth}, or another day",
        first.format("%A")
    ))
}

/// The dates of a series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Series {
    /// How often.
    pub pattern: Pattern,
    /// Day and time of the first, on the centre's wall clock.
    pub first: NaiveDateTime,
    /// The last day; `None` means until told otherwise.
    pub until: Option<NaiveDate>,
    /// Weeks that it is booked ahead.
    pub weeks_ahead: i64,
    /// Every n below this is settled: booked once, or skipped for good.
    pub next_n: i64,
}

/// What is to be done about a series now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ahead {
    /// To book: n and its local start.
    pub book: Vec<(i64, NaiveDateTime)>,
    /// Every n below this is settled then.
    pub next_n: i64,
    /// When to look again; `None` means that the series has ended.
    pub look_at: Option<DateTime<Utc>>,
}

/// What is to be booked at `now`. An n whose time has passed (during a hold or an outage) is
/// skipped, and none is ever returned twice: a cancelled, moved or closed n is below `next_n` and
/// is not booked again.
pub fn ahead(s: &Series, tz: Tz, now: DateTime<Utc>) -> Ahead {
    let reach = Duration::weeks(s.weeks_ahead);
    let mut book = Vec::new();
    let mut n = s.next_n;
    loop {
        // A month without that day has no session; count on.
        let day = match s.pattern {
            Pattern::Weeks(_) => occurrence(s.pattern, s.first.date(), n),
            _ => {
                occurrence(s.pattern, s.first.date(), n).or_else(|| month_after(s.first.date(), n))
            }
        };
        let ended = |book| Ahead {
            book,
            next_n: n,
            look_at: None,
        };
        let Some(day) = day.filter(|d| s.until.is_none_or(|u| *d <= u)) else {
            return ended(book);
        };
        let local = day.and_time(s.first.time());
        let at = instant(tz, local);
        if at > now + reach {
            return Ahead {
                book,
                next_n: n,
                look_at: Some(at - reach),
            };
        }
        if at > now && occurrence(s.pattern, s.first.date(), n).is_some() {
            book.push((n, local));
        }
        n += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::local_time::parse_local;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    const LONDON: Tz = chrono_tz::Europe::London;

    fn day(s: &str) -> NaiveDate {
        s.parse().unwrap()
    }

    fn days(pattern: &str, first: &str, n: i64) -> String {
        (0..n)
            .map(|n| {
                occurrence(pattern.parse().unwrap(), day(first), n)
                    .map_or("-".into(), |d| d.format("%m-%d").to_string())
            })
            .collect::<Vec<_>>()
            .join(" ")
    }

    fn at(local: &str) -> DateTime<Utc> {
        instant(LONDON, parse_local(local).unwrap())
    }

    fn series(pattern: &str, first: &str) -> Series {
        Series {
            pattern: pattern.parse().unwrap(),
            first: parse_local(first).unwrap(),
            until: None,
            weeks_ahead: 4,
            next_n: 0,
        }
    }

    #[test]
    fn golden_days() {
        assert_eq!(
            days("weekly", "2026-11-28", 6),
            "11-28 12-05 12-12 12-19 12-26 01-02"
        );
        assert_eq!(
            days("fortnightly", "2026-11-28", 4),
            "11-28 12-12 12-26 01-09"
        );
        assert_eq!(days("3-weeks", "2028-02-08", 3), "02-08 02-29 03-21");
        assert_eq!(
            days("monthly-1st", "2026-11-07", 4),
            "11-07 12-05 01-02 02-06"
        );
        assert_eq!(
            days("monthly-5th", "2026-10-31", 8),
            "10-31 - - 01-30 - - - 05-29"
        );
        assert_eq!(
            days("monthly-last", "2026-10-31", 4),
            "10-31 11-28 12-26 01-30"
        );
        assert_eq!(
            days("monthly-date", "2026-12-31", 6),
            "12-31 01-31 - 03-31 - 05-31"
        );
        assert_eq!(days("monthly-date", "2028-01-29", 3), "01-29 02-29 03-29");
        assert_eq!(days("monthly-date", "2027-01-29", 3), "01-29 - 03-29");
    }

    #[test]
    fn a_pattern_is_written_as_it_is_read_and_needs_its_own_day() {
        for p in [
            "weekly",
            "fortnightly",
            "3-weeks",
            "monthly-1st",
            "monthly-5th",
            "monthly-last",
            "monthly-date",
        ] {
            assert_eq!(p.parse::<Pattern>().unwrap().to_string(), p);
        }
        for bad in ["daily", "0-weeks", "27-weeks", "monthly", "monthly-6th", ""] {
            assert!(bad.parse::<Pattern>().is_err(), "{bad}");
        }
        assert!(
            fits(Pattern::MonthlyNth(4), day("2026-11-28")).is_ok()
                && fits(Pattern::MonthlyLast, day("2026-11-28")).is_ok()
        );
        let wrong = fits(Pattern::MonthlyNth(1), day("2026-11-28")).unwrap_err();
        assert!(wrong.contains("4th Saturday"), "{wrong}");
    }

    #[test]
    fn the_wall_clock_stays_over_clock_changes() {
        let s = Series {
            weeks_ahead: 2,
            ..series("weekly", "2027-03-20T10:00")
        };
        let a = ahead(&s, LONDON, at("2027-03-20T09:00"));
        let starts: Vec<String> = a
            .book
            .iter()
            .map(|(_, l)| instant(LONDON, *l).format("%m-%dT%H:%MZ").to_string())
            .collect();
        assert_eq!(starts, ["03-20T10:00Z", "03-27T10:00Z", "04-03T09:00Z"]);
        assert_eq!(a.look_at, Some(at("2027-04-10T10:00") - Duration::weeks(2)));
        let autumn = ahead(
            &Series {
                weeks_ahead: 1,
                ..series("weekly", "2026-10-24T01:30")
            },
            LONDON,
            at("2026-10-24T01:00"),
        );
        assert_eq!(
            (autumn.book.len(), autumn.look_at),
            (1, Some(at("2026-10-31T01:30") - Duration::weeks(1)))
        );
    }

    #[test]
    fn what_passed_is_passed_over_and_what_is_ahead_is_booked() {
        let s = series("weekly", "2026-11-28T10:00");
        let first = ahead(&s, LONDON, at("2026-11-20T12:00"));
        assert_eq!(
            first.book.iter().map(|b| b.0).collect::<Vec<_>>(),
            [0, 1, 2]
        );
        // Three weeks of hold: n = 3 passed, those ahead are booked with their own n, and the weeks
        // are not shifted.
        let held = Series {
            next_n: first.next_n,
            ..s.clone()
        };
        let later = ahead(&held, LONDON, at("2026-12-19T10:00"));
        assert_eq!(
            later
                .book
                .iter()
                .map(|(n, d)| (*n, d.to_string()))
                .collect::<Vec<_>>()[0],
            (4, "2026-12-26 10:00:00".to_owned())
        );
        assert_eq!(later.next_n, 8);
        // It ends with its last day.
        let ended = ahead(
            &Series {
                until: Some(day("2026-12-05")),
                ..s
            },
            LONDON,
            at("2026-11-20T12:00"),
        );
        assert_eq!((ended.book.len(), ended.look_at), (2, None));
    }

    fn patterns() -> impl Strategy<Value = Pattern> {
        prop_oneof![
            (1u32..6).prop_map(Pattern::Weeks),
            (1u8..=5).prop_map(Pattern::MonthlyNth),
            Just(Pattern::MonthlyLast),
            Just(Pattern::MonthlyDate)
        ]
    }

    proptest! {
        /// However often and whenever one looks, an n is given once, in order, ahead of now, and
        /// all looks together give what one look at each step would.
        #[test]
        fn no_n_is_given_twice(pattern in patterns(), first in 0u64..1500, hours in 0u32..24, weeks in 1i64..20, steps in proptest::collection::vec(0i64..2000, 1..30)) {
            let first = day("2026-01-01") + Days::new(first);
            let mut s = Series { pattern, first: first.and_hms_opt(hours, 30, 0).unwrap(), until: None, weeks_ahead: weeks, next_n: 0 };
            let mut now = at("2025-12-31T00:00");
            let mut seen = BTreeSet::new();
            for hours in steps {
                now += Duration::hours(hours);
                let a = ahead(&s, LONDON, now);
                for (n, local) in &a.book {
                    prop_assert!(seen.insert(*n) && *n >= s.next_n && *n < a.next_n);
                    prop_assert_eq!(occurrence(pattern, first, *n), Some(local.date()));
                    prop_assert!(instant(LONDON, *local) > now && instant(LONDON, *local) <= now + Duration::weeks(weeks));
                }
                prop_assert!(a.look_at.unwrap() > now, "it is not looked at again at once");
                prop_assert!(a.next_n >= s.next_n);
                s.next_n = a.next_n;
                let again = ahead(&s, LONDON, now);
                prop_assert!(again.book.is_empty() && again.next_n == s.next_n);
            }
        }

        /// Days grow with n, lie in their own month, and on the first day's weekday or date.
        #[test]
        fn days_grow(pattern in patterns(), first in 0u64..1500, n in 0i64..200) {
            let first = day("2026-01-01") + Days::new(first);
            if let (Some(a), Some(b)) = (occurrence(pattern, first, n), occurrence(pattern, first, n + 1)) {
                prop_assert!(a < b);
            }
            if let Some(d) = occurrence(pattern, first, n) {
                match pattern {
                    Pattern::Weeks(w) => prop_assert_eq!((d - first).num_days(), 7 * i64::from(w) * n),
                    Pattern::MonthlyDate => prop_assert_eq!(d.day(), first.day()),
                    _ => prop_assert_eq!(d.weekday(), first.weekday()),
                }
            }
        }
    }
}
