//! Office hours for texts about money and notes: they are sent when somebody answers the phone
//! (safety rule M2).

use crate::domain::local_time::{Quiet, after_all_quiet, instant, parse_time, wall};
use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime, Utc, Weekday};
use chrono_tz::Tz;

/// The hours and days of the week in which such texts are sent, on the centre's wall clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MoneyHours {
    /// First day of the week.
    pub first: Weekday,
    /// Last day of the week, included. If it is before `first`, the span goes over Sunday.
    pub last: Weekday,
    /// First moment of such a day.
    pub from: NaiveTime,
    /// First moment that is too late (16:00:00 itself is).
    pub to: NaiveTime,
}

impl Default for MoneyHours {
    fn default() -> Self {
        let at = |h| NaiveTime::from_hms_opt(h, 0, 0).unwrap_or_default();
        MoneyHours {
            first: Weekday::Mon,
            last: Weekday::Fri,
            from: at(10),
            to: at(16),
        }
    }
}

impl MoneyHours {
    /// Reads `["Mon-Fri", "10:00-16:00"]`; one day alone (`"Tue"`) is fine.
    pub fn read(list: &[String]) -> Option<MoneyHours> {
        let [days, hours] = list else { return None };
        let (first, last) = days.split_once('-').unwrap_or((days, days));
        let (from, to) = hours.split_once('-')?;
        let (from, to) = (parse_time(from)?, parse_time(to)?);
        (from < to).then_some(MoneyHours {
            first: first.trim().parse().ok()?,
            last: last.trim().parse().ok()?,
            from,
            to,
        })
    }

    fn holds_day(&self, day: Weekday) -> bool {
        let from_first = |d: Weekday| d.days_since(self.first);
        from_first(day) <= from_first(self.last)
    }

    /// The first instant from `at` on that is in these hours and not on a bank holiday.
    pub fn next(&self, tz: Tz, holidays: &[NaiveDate], at: DateTime<Utc>) -> DateTime<Utc> {
        let local = wall(tz, at);
        for n in 0..400 {
            let Some(day) = local.date().checked_add_days(Days::new(n)) else {
                break;
            };
            if !self.holds_day(day.weekday())
                || holidays.contains(&day)
                || (n == 0 && local.time() >= self.to)
            {
                continue;
            }
            return instant(tz, day.and_time(self.from)).max(at);
        }
        at
    }
}

/// The first moment from `at` on at which a text about money or a note may be sent, if the hours
/// leave one: in the money hours (`None` means whenever other texts may), outside all quiet hours,
/// and not while the family's own session runs. Handbook for parents: "Mobile phones are not to be
/// used whilst contact is taking place". `busy` holds these spans, end excluded.
pub fn money_at(
    hours: Option<MoneyHours>,
    holidays: &[NaiveDate],
    quiet: &[Quiet],
    busy: &[(DateTime<Utc>, DateTime<Utc>)],
    tz: Tz,
    at: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    let mut t = at;
    for _ in 0..60 {
        let mut next = hours.map_or(t, |h| h.next(tz, holidays, t));
        next = after_all_quiet(quiet, tz, next)?;
        next = busy
            .iter()
            .filter(|(from, to)| *from <= next && next < *to)
            .map(|(_, to)| *to)
            .fold(next, DateTime::max);
        if next == t {
            return Some(t);
        }
        t = next;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn t(s: &str) -> DateTime<Utc> {
        DateTime::parse_from_rfc3339(s).unwrap().with_timezone(&Utc)
    }

    fn read(days: &str, hours: &str) -> Option<MoneyHours> {
        MoneyHours::read(&[days.to_owned(), hours.to_owned()])
    }

    #[test]
    fn office_hours_of_a_working_day() {
        let tz = chrono_tz::Europe::London;
        let holiday: Vec<NaiveDate> =
            vec!["2026-12-25".parse().unwrap(), "2026-12-28".parse().unwrap()];
        let next = |at| {
            MoneyHours::default()
                .next(tz, &holiday, t(at))
                .to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
        };
        assert_eq!(
            next("2026-11-27T18:00:00Z"),
            "2026-11-30T10:00:00Z",
            "Friday evening: Monday at ten"
        );
        assert_eq!(next("2026-11-27T15:59:59Z"), "2026-11-27T15:59:59Z");
        assert_eq!(next("2026-11-27T16:00:00Z"), "2026-11-30T10:00:00Z");
        assert_eq!(
            next("2026-12-24T17:00:00Z"),
            "2026-12-29T10:00:00Z",
            "over two bank holidays"
        );
        assert_eq!(
            next("2026-07-01T08:00:00Z"),
            "2026-07-01T09:00:00Z",
            "ten in summer time"
        );
    }

    #[test]
    fn other_spans_and_what_is_none() {
        let tz = chrono_tz::Europe::London;
        let weekend = read("Sat-Mon", "09:30-12:00").unwrap();
        assert_eq!(
            weekend.next(tz, &[], t("2026-11-27T12:00:00Z")),
            t("2026-11-28T09:30:00Z")
        );
        assert_eq!(
            weekend.next(tz, &[], t("2026-11-30T12:00:00Z")),
            t("2026-12-05T09:30:00Z")
        );
        assert_eq!(
            read("Tue", "10:00-11:00")
                .unwrap()
                .next(tz, &[], t("2026-11-26T12:00:00Z")),
            t("2026-12-01T10:00:00Z")
        );
        assert!(
            read("Mon-Fry", "10:00-16:00").is_none()
                && read("Mon-Fri", "16:00-10:00").is_none()
                && read("Mon-Fri", "10-16").is_none()
        );
        assert!(MoneyHours::read(&[]).is_none());
    }

    #[test]
    fn never_in_quiet_hours_nor_while_the_family_is_there() {
        let tz = chrono_tz::Europe::London;
        let busy = [(t("2026-11-30T09:00:00Z"), t("2026-11-30T11:00:00Z"))];
        let own = crate::domain::local_time::parse_hours("11:30-15:00").unwrap();
        assert_eq!(
            money_at(
                Some(MoneyHours::default()),
                &[],
                &[],
                &busy,
                tz,
                t("2026-11-27T18:00:00Z")
            ),
            Some(t("2026-11-30T11:00:00Z"))
        );
        assert_eq!(
            money_at(
                Some(MoneyHours::default()),
                &[],
                &[own],
                &busy,
                tz,
                t("2026-11-27T18:00:00Z")
            ),
            Some(t("2026-11-30T11:30:00Z"))
        );
        assert_eq!(
            money_at(None, &[], &[], &busy, tz, t("2026-11-27T18:00:00Z")),
            Some(t("2026-11-27T18:00:00Z"))
        );
        let never = crate::domain::local_time::parse_hours("17:00-18:00").unwrap();
        assert_eq!(
            money_at(
                Some(MoneyHours::default()),
                &[],
                &[never],
                &busy,
                tz,
                t("2026-11-27T18:00:00Z")
            ),
            None
        );
    }
}
