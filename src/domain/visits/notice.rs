//! Whether notice is in time: which start it is counted against, and when a refusal of the centre's
//! own move is free.
//!
//! Handbook for parents: "Bookings are provisional if booked by ourselves … Bookings are subject to
//! time change by ourselves if/when necessary" and "With notice you can move your contact to a
//! different week, day or time (subject to availability and with consent from the other party)". A
//! parent whom the centre gives another time may refuse it. A parent who asked for it has the usual
//! notice (safety rule b5).

use crate::domain::visits::session::is_late;
use crate::string_enum;
use chrono::{DateTime, Duration, Utc};

/// Hours after the news of the centre's own move in which a refusal is free.
const FREE_HOURS: i64 = 48;

string_enum! {
    /// Who asked for a move. Staff know it; no text says it.
    Origin {
        Centre = "centre",
        Parent = "parent",
    }
}

/// The last move of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Move {
    /// Who asked for it.
    pub origin: Origin,
    /// When it was recorded.
    pub at: DateTime<Utc>,
    /// The start before it.
    pub from: DateTime<Utc>,
}

/// The start that was in force when a message reached us at `heard`: lateness is judged against it.
/// `start` is the present one.
pub fn start_in_force(
    start: DateTime<Utc>,
    moved: Option<&Move>,
    heard: DateTime<Utc>,
) -> DateTime<Utc> {
    moved.filter(|m| heard < m.at).map_or(start, |m| m.from)
}

/// Until when a refusal is free because the centre moved the session; `None` if it did not. That is
/// 48 hours after `told_at`, when the provider accepted this party's news of the move. Until then
/// the party has not been told, and the hours have not begun.
pub fn free_until(moved: Option<&Move>, told_at: Option<DateTime<Utc>>) -> Option<DateTime<Utc>> {
    let m = moved.filter(|m| m.origin == Origin::Centre)?;
    Some(told_at.map_or(DateTime::<Utc>::MAX_UTC, |t| {
        t.max(m.at) + Duration::hours(FREE_HOURS)
    }))
}

/// Whether a refusal at `heard` is free by [`free_until`]. A message from before the move does not
/// refuse it.
pub fn free_after_move(
    moved: Option<&Move>,
    told_at: Option<DateTime<Utc>>,
    heard: DateTime<Utc>,
) -> bool {
    moved.is_some_and(|m| heard >= m.at) && free_until(moved, told_at).is_some_and(|t| heard <= t)
}

/// Whether a cancellation that reached us at `heard` is late. `told_at` as in [`free_after_move`];
/// `notice_hours` are those of the booking.
pub fn late(
    start: DateTime<Utc>,
    notice_hours: i64,
    moved: Option<&Move>,
    told_at: Option<DateTime<Utc>>,
    heard: DateTime<Utc>,
) -> bool {
    !free_after_move(moved, told_at, heard)
        && is_late(start_in_force(start, moved, heard), heard, notice_hours)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn t(s: &str) -> DateTime<Utc> {
        DateTime::parse_from_rfc3339(&format!("2026-11-{s}:00Z"))
            .unwrap()
            .with_timezone(&Utc)
    }

    fn moved(origin: Origin) -> Move {
        Move {
            origin,
            at: t("27T09:00"),
            from: t("28T10:00"),
        }
    }

    #[test]
    fn a_refusal_of_the_centres_move_is_free_for_48_hours_from_its_news() {
        let (start, told) = (t("29T14:00"), Some(t("27T10:00")));
        let late_at = |origin, told, heard| late(start, 48, Some(&moved(origin)), told, t(heard));
        assert!(
            !late_at(Origin::Centre, told, "27T10:00")
                && !late_at(Origin::Centre, told, "29T10:00")
        );
        assert!(
            late_at(Origin::Centre, told, "29T10:01"),
            "then the usual notice"
        );
        assert!(
            !late_at(Origin::Centre, None, "29T13:00"),
            "who was not told is not late"
        );
        assert!(
            late_at(Origin::Parent, told, "28T10:00") && late_at(Origin::Parent, None, "28T10:00"),
            "a wish of one's own has the usual notice (safety b5)"
        );
        assert!(
            late(start, 48, None, None, t("28T10:00"))
                && !late(start, 48, None, None, t("27T14:00"))
        );
    }

    #[test]
    fn what_came_before_a_move_is_judged_by_the_start_of_then() {
        for origin in [Origin::Centre, Origin::Parent] {
            // In time for Sunday the 29th, late for Saturday the 28th, which was in force.
            assert!(
                late(t("29T14:00"), 48, Some(&moved(origin)), None, t("26T11:00")),
                "{origin}"
            );
            assert!(
                !late(t("29T14:00"), 48, Some(&moved(origin)), None, t("26T10:00")),
                "{origin}"
            );
        }
    }
}
