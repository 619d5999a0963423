//! When the other parent is told that a visit is off: at a quarter hour, or at once if they may be
//! on their way (safety rules S2 and T2).

use crate::domain::centre::Centre;
use crate::domain::local_time::after_quiet;
use chrono::{DateTime, Duration, DurationRound, Utc};

/// This close to their own arrival, the other parent is told at once.
const AT_ONCE_HOURS: i64 = 3;
/// This close to their own arrival, a journey is spared even in quiet hours.
pub const SPARE_JOURNEY_HOURS: i64 = 4;

/// When a cancellation decided at `decided` is told to a parent who arrives at `arrival`.
pub fn session_off_at(
    centre: &Centre,
    decided: DateTime<Utc>,
    arrival: DateTime<Utc>,
) -> DateTime<Utc> {
    let delay = centre.rules.session_off_delay_minutes;
    let at_once = arrival - decided < Duration::hours(AT_ONCE_HOURS);
    let released = if delay == 0 || at_once {
        decided
    } else {
        next_quarter(decided + Duration::minutes(delay))
    };
    in_time(centre, released, arrival)
}

/// Moves news of a cancellation out of quiet hours, but keeps it early enough to spare the journey
/// to `arrival`.
pub fn in_time(centre: &Centre, released: DateTime<Utc>, arrival: DateTime<Utc>) -> DateTime<Utc> {
    let allowed = after_quiet(centre.courtesy.quiet, centre.tz, released);
    if allowed > released && allowed > arrival - Duration::hours(SPARE_JOURNEY_HOURS) {
        // After quiet hours it would come too late to spare the journey, so it is sent as soon as
        // the journey is near.
        return released.max(arrival - Duration::hours(SPARE_JOURNEY_HOURS));
    }
    allowed
}

/// The quarter hour at or after `t`.
pub fn next_quarter(t: DateTime<Utc>) -> DateTime<Utc> {
    let quarter = Duration::minutes(15);
    let down = t.duration_trunc(quarter).unwrap_or(t);
    if down == t { t } else { down + quarter }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn centre() -> Centre {
        Centre::parse("code = \"BRK\"\nname = \"Birchfield\"\ntimezone = \"Europe/London\"")
            .unwrap()
    }
    fn t(s: &str) -> DateTime<Utc> {
        DateTime::parse_from_rfc3339(s).unwrap().with_timezone(&Utc)
    }

    #[test]
    fn a_quarrel_and_a_text_are_not_the_same_minute() {
        let c = centre();
        let arrival = t("2026-11-28T10:00:00Z");
        assert_eq!(
            session_off_at(&c, t("2026-11-26T18:03:20Z"), arrival),
            t("2026-11-26T18:30:00Z")
        );
        assert_eq!(
            session_off_at(&c, t("2026-11-26T18:11:00Z"), arrival),
            t("2026-11-26T18:30:00Z")
        );
        assert_eq!(
            session_off_at(&c, t("2026-11-26T18:00:00Z"), arrival),
            t("2026-11-26T18:15:00Z")
        );
    }

    #[test]
    fn at_once_when_they_may_be_on_their_way_and_never_at_night_for_nothing() {
        let c = centre();
        let arrival = t("2026-11-28T10:00:00Z");
        assert_eq!(
            session_off_at(&c, t("2026-11-28T09:10:00Z"), arrival),
            t("2026-11-28T09:10:00Z")
        );
        assert_eq!(
            session_off_at(&c, t("2026-11-26T23:00:00Z"), arrival),
            t("2026-11-27T08:00:00Z")
        );
        // 03:12 for 10:00: quiet hours would end at 08:00, two hours before; the journey is spared
        // from 06:00 on.
        assert_eq!(
            session_off_at(&c, t("2026-11-28T03:12:00Z"), arrival),
            t("2026-11-28T06:00:00Z")
        );
    }
}
