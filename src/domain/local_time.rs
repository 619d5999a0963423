//! Local times and quiet hours. Only here a wall-clock time becomes an instant, also where clocks
//! change.

use chrono::{DateTime, Duration, LocalResult, NaiveDateTime, NaiveTime, TimeZone, Utc};
use chrono_tz::Tz;

/// The instant or instants of a wall-clock time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolved {
    /// It happens once.
    Once(DateTime<Utc>),
    /// Clocks go back over it, so it happens twice; this is the first.
    Twice(DateTime<Utc>),
    /// Clocks go forward over it; this is the first instant after the gap.
    Never(DateTime<Utc>),
}

impl Resolved {
    /// The instant to act at (choice K10: first instant after a gap, first of the two in a fold).
    pub fn instant(self) -> DateTime<Utc> {
        match self {
            Resolved::Once(t) | Resolved::Twice(t) | Resolved::Never(t) => t,
        }
    }
}

/// Resolves the local wall-clock time `local` in `tz` and says whether it exists once, twice or
/// never.
pub fn resolve(tz: Tz, local: NaiveDateTime) -> Resolved {
    match tz.from_local_datetime(&local) {
        LocalResult::Single(t) => Resolved::Once(t.with_timezone(&Utc)),
        LocalResult::Ambiguous(a, b) => Resolved::Twice(a.min(b).with_timezone(&Utc)),
        LocalResult::None => {
            let mut probe = local;
            // The longest gap in the zone database is a day (Samoa, 2011), and gaps end on a full
            // minute.
            for _ in 0..(26 * 60) {
                probe += Duration::minutes(1);
                if let Some(t) = tz.from_local_datetime(&probe).earliest() {
                    return Resolved::Never(t.with_timezone(&Utc));
                }
            }
            Resolved::Never(Utc.from_utc_datetime(&local))
        }
    }
}

/// The instant of a local wall-clock time, by choice K10.
pub fn instant(tz: Tz, local: NaiveDateTime) -> DateTime<Utc> {
    resolve(tz, local).instant()
}

/// The wall clock of an instant.
pub fn wall(tz: Tz, at: DateTime<Utc>) -> NaiveDateTime {
    at.with_timezone(&tz).naive_local()
}

/// A span `[from, to)` of the local day in which nobody is texted. It may go over midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quiet {
    /// First quiet moment of the local day (20:00:00 is quiet, choice K04).
    pub from: NaiveTime,
    /// First moment after it (08:00:00 is allowed, choice K04).
    pub to: NaiveTime,
}

impl Quiet {
    fn holds(self, t: NaiveTime) -> bool {
        if self.from < self.to {
            t >= self.from && t < self.to
        } else if self.from > self.to {
            t >= self.from || t < self.to
        } else {
            false
        }
    }

    /// Whether `at` is quiet on the wall clock of `tz`.
    pub fn covers(self, tz: Tz, at: DateTime<Utc>) -> bool {
        self.holds(wall(tz, at).time())
    }

    /// `at` itself if it is allowed, or else the end of the quiet span around it.
    pub fn after(self, tz: Tz, at: DateTime<Utc>) -> DateTime<Utc> {
        let local = wall(tz, at);
        if !self.holds(local.time()) {
            return at;
        }
        let day = if local.time() < self.to {
            local.date()
        } else {
            local.date() + Duration::days(1)
        };
        instant(tz, day.and_time(self.to)).max(at)
    }

    /// The start of the quiet span around `at`, or `at` itself if it is allowed.
    pub fn before(self, tz: Tz, at: DateTime<Utc>) -> DateTime<Utc> {
        let local = wall(tz, at);
        if !self.holds(local.time()) {
            return at;
        }
        let day = if local.time() >= self.from {
            local.date()
        } else {
            local.date() - Duration::days(1)
        };
        instant(tz, day.and_time(self.from)).min(at)
    }
}

/// `at`, or the end of the quiet hours around it if there are any.
pub fn after_quiet(quiet: Option<Quiet>, tz: Tz, at: DateTime<Utc>) -> DateTime<Utc> {
    quiet.map_or(at, |q| q.after(tz, at))
}

/// The first instant from `at` on that none of the quiet spans covers; `None` if they leave no hour
/// of a day.
pub fn after_all_quiet(quiet: &[Quiet], tz: Tz, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let mut t = at;
    // Each round goes to the end of one span. Two spans that leave an hour free need three rounds.
    for _ in 0..4 * quiet.len().max(1) {
        let next = quiet.iter().fold(t, |t, q| q.after(tz, t));
        if next == t {
            return Some(t);
        }
        t = next;
    }
    None
}

/// Reads allowed hours such as `09:00-15:00` as the quiet hours around them.
pub fn parse_hours(s: &str) -> Option<Quiet> {
    let (from, to) = s.split_once('-')?;
    let (from, to) = (parse_time(from.trim())?, parse_time(to.trim())?);
    (from != to).then_some(Quiet { from: to, to: from })
}

/// Reads `2026-11-26T10:00`, `2026-11-26T10:00:00` or `2026-11-26 10:00` as a local wall-clock
/// time.
pub fn parse_local(s: &str) -> Option<NaiveDateTime> {
    let s = s.trim().replace(' ', "T");
    ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]
        .iter()
        .find_map(|f| NaiveDateTime::parse_from_str(&s, f).ok())
}

/// Reads `H:MM`, `HH:MM` or `HH:MM:SS`.
pub fn parse_time(s: &str) -> Option<NaiveTime> {
    let s = s.trim();
    let mut fields = s.split(':');
    let hours = fields.next()?;
    if !(1..=2).contains(&hours.len()) || !s.chars().all(|c| c.is_ascii_digit() || c == ':') {
        return None;
    }
    ["%H:%M", "%H:%M:%S"]
        .iter()
        .find_map(|f| NaiveTime::parse_from_str(s, f).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utc(s: &str) -> DateTime<Utc> {
        DateTime::parse_from_rfc3339(s).unwrap().with_timezone(&Utc)
    }

    #[test]
    fn gaps_and_folds_are_decided_once() {
        let tz = chrono_tz::Europe::London;
        let l = |s| parse_local(s).unwrap();
        assert_eq!(
            resolve(tz, l("2027-03-28T01:30")),
            Resolved::Never(utc("2027-03-28T01:00:00Z"))
        );
        assert_eq!(
            resolve(tz, l("2026-10-25T01:30")),
            Resolved::Twice(utc("2026-10-25T00:30:00Z"))
        );
        assert_eq!(
            resolve(tz, l("2026-11-28T10:00")),
            Resolved::Once(utc("2026-11-28T10:00:00Z"))
        );
    }

    #[test]
    fn quiet_hours_go_over_midnight_and_over_a_clock_change() {
        let tz = chrono_tz::Europe::London;
        let q = Quiet {
            from: parse_time("20:00").unwrap(),
            to: parse_time("8:00").unwrap(),
        };
        assert_eq!(
            q.after(tz, utc("2026-11-27T20:00:00Z")),
            utc("2026-11-28T08:00:00Z")
        );
        assert_eq!(
            q.after(tz, utc("2026-11-27T19:59:59Z")),
            utc("2026-11-27T19:59:59Z")
        );
        assert_eq!(
            q.after(tz, utc("2026-11-27T08:00:00Z")),
            utc("2026-11-27T08:00:00Z")
        );
        assert_eq!(
            q.after(tz, utc("2026-10-24T22:00:00Z")),
            utc("2026-10-25T08:00:00Z")
        );
        assert_eq!(
            q.before(tz, utc("2026-11-28T06:00:00Z")),
            utc("2026-11-27T20:00:00Z")
        );
    }

    #[test]
    fn a_partys_own_hours_and_the_centres_are_kept_together() {
        let tz = chrono_tz::Europe::London;
        let centre = Quiet {
            from: parse_time("20:00").unwrap(),
            to: parse_time("8:00").unwrap(),
        };
        let own = parse_hours("09:30-15:00").unwrap();
        assert_eq!(
            after_all_quiet(&[centre, own], tz, utc("2026-11-26T10:00:00Z")),
            Some(utc("2026-11-26T10:00:00Z"))
        );
        assert_eq!(
            after_all_quiet(&[centre, own], tz, utc("2026-11-26T15:00:00Z")),
            Some(utc("2026-11-27T09:30:00Z"))
        );
        assert_eq!(
            after_all_quiet(&[own, centre], tz, utc("2026-11-26T21:00:00Z")),
            Some(utc("2026-11-27T09:30:00Z"))
        );
        assert_eq!(
            after_all_quiet(
                &[centre, parse_hours("21:00-23:00").unwrap()],
                tz,
                utc("2026-11-26T10:00:00Z")
            ),
            None,
            "no hour is left"
        );
        assert!(
            parse_hours("9-15").is_none()
                && parse_hours("09:00").is_none()
                && parse_hours("09:00-09:00").is_none()
        );
    }

    #[test]
    fn times_of_day() {
        assert!(parse_time("9:05").is_some() && parse_time("09:05:30").is_some());
        for bad in ["25:00", "9", "9.30", "+9:30", "009:30", ""] {
            assert!(parse_time(bad).is_none(), "{bad}");
        }
    }
}
