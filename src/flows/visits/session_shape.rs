//! What a session of a case is like: its length, kind of contact and own arrivals.

use crate::domain::centre::Centre;
use crate::domain::ids::SessionId;
use crate::domain::local_time::{instant, wall};
use crate::domain::people::role::Role;
use crate::domain::reminders::schedule::first_look;
use crate::domain::visits::session::{ContactType, SessionState};
use crate::domain::visits::terms::terms_for_family;
use crate::flows::error::{Result, refuse};
use crate::flows::visits::booking::Booking;
use crate::store::bookings::{CaseFile, Offset, StoredSeries, UsualSession};
use crate::store::cases::{NewAttendee, NewSession};
use crate::store::sealed::random_id;
use crate::store::sessions::local_text;
use chrono::{DateTime, Duration, NaiveDateTime, NaiveTime, Utc};

const LONGEST_MINUTES: i64 = 24 * 60;

/// A case for which sessions are booked.
pub(super) struct CaseToBook<'a> {
    pub(super) file: &'a CaseFile,
    pub(super) centre: &'a Centre,
    /// Its last session, if it had one.
    pub(super) usual: Option<&'a UsualSession>,
}

/// A session but for its day.
pub(super) struct SessionShape {
    pub(super) minutes: i64,
    pub(super) contact_type: String,
    pub(super) attendees: Vec<(Role, Offset)>,
}

impl CaseToBook<'_> {
    /// The shape of a booking: as it was said, else as in the series that it takes the place of, else
    /// as at the last session. Own arrivals are never guessed, or two parents who must not meet would
    /// meet at the door.
    pub(super) fn shape(&self, like: Option<&StoredSeries>, b: &Booking) -> Result<SessionShape> {
        let (case, usual) = (self.file, self.usual);
        let Some(minutes) = b
            .minutes
            .or(like.map(|l| l.minutes))
            .or(usual.map(|u| u.minutes))
        else {
            refuse!(
                "{} has no session yet that says how long one is; write --minutes",
                case.case_ref
            )
        };
        if !(1..=LONGEST_MINUTES).contains(&minutes) {
            refuse!("--minutes: a session lasts between 1 and {LONGEST_MINUTES} minutes");
        }
        let attendees = self.attendees(like, b, minutes)?;
        let said = b.contact_type.map(|t| t.as_str().to_owned());
        let contact_type = said
            .or(like.map(|l| l.contact_type.clone()))
            .or(usual.map(|u| u.contact_type.clone()))
            .unwrap_or_else(|| ContactType::Supported.as_str().to_owned());
        Ok(SessionShape {
            minutes,
            contact_type,
            attendees,
        })
    }

    /// When each parent arrives and leaves.
    fn attendees(
        &self,
        like: Option<&StoredSeries>,
        b: &Booking,
        minutes: i64,
    ) -> Result<Vec<(Role, Offset)>> {
        let case = self.file;
        let known = like
            .map(|l| &l.attendees)
            .or(self.usual.map(|u| &u.attendees));
        let mut attendees = Vec::with_capacity(2);
        for (role, _) in &case.parents {
            let said = if *role == Role::Resident {
                b.resident_arrives
            } else {
                b.contact_arrives
            };
            let last = known
                .and_then(|attendees| attendees.iter().find(|p| p.0 == *role))
                .map(|p| p.1);
            let Some(from) = said
                .map(|t| offset(b.start.time(), t))
                .or(last.map(|o| o.from))
            else {
                refuse!(
                    "no session of {} says when the {role} parent arrives; write --{role}-arrives",
                    case.case_ref
                )
            };
            if from >= minutes || from < -LONGEST_MINUTES / 2 {
                refuse!(
                    "the {role} parent would arrive {from} minutes after the start of a session of \
                 {minutes}; look at the times again"
                );
            }
            attendees.push((
                *role,
                Offset {
                    from,
                    to: last.map_or(0, |o| o.to),
                },
            ));
        }
        Ok(attendees)
    }

    /// A session of this shape that starts at this local time.
    pub(super) fn new_session(
        &self,
        shape: &SessionShape,
        local: NaiveDateTime,
        now: DateTime<Utc>,
    ) -> NewSession {
        let (case, centre, usual) = (self.file, self.centre, self.usual);
        let starts_at = instant(centre.tz, local);
        // A time that clocks go over is the first moment after it (choice K10), here and on the wall
        // clock.
        let local = wall(centre.tz, starts_at);
        let ends_at = starts_at + Duration::minutes(shape.minutes);
        let place = |(role, o): &(Role, Offset)| {
            let party_id = case.parents.iter().find(|p| p.0 == *role)?.1.clone();
            let (arrives_at, leaves_at) = (
                starts_at + Duration::minutes(o.from),
                ends_at + Duration::minutes(o.to),
            );
            Some(NewAttendee {
                role: *role,
                party_id,
                arrives_at,
                leaves_at: leaves_at.max(arrives_at),
                ask_known: now,
                ask_at: Some(first_look(centre, local, now)),
            })
        };
        let terms = terms_for_family(centre, usual.map(|u| (u.day, &u.terms)), local.date());
        NewSession {
            id: SessionId::new(random_id()),
            case_id: case.id.clone(),
            session_ref: None,
            starts_at,
            ends_at,
            start_local: local_text(local),
            timezone: centre.tz.name().to_owned(),
            contact_type: shape.contact_type.clone(),
            state: SessionState::Booked.as_str(),
            booked_at: now,
            notice_hours: terms.notice_hours,
            fee_minor: terms.fee_minor,
            currency: terms.currency,
            payer: terms.payer,
            payment_days: terms.payment_days,
            imported: String::new(),
            attendees: shape.attendees.iter().filter_map(place).collect(),
        }
    }
}

/// The minutes from `start` to an own arrival at a time of the same day.
fn offset(start: NaiveTime, arrives: NaiveTime) -> i64 {
    (arrives - start).num_minutes()
}
