//! The assessment of a case: its sessions together.

use crate::domain::ids::SessionId;
use crate::domain::money::policy::assessment::Assessment;
use crate::domain::money::policy::fee::{FeeStanding, FeeState};
use crate::domain::money::policy::ledger::Payment;
use crate::domain::money::policy::notices::Notice;
use chrono::{DateTime, Utc};

/// The assessment of one session of a case.
#[derive(Debug, Clone)]
pub struct Assessed {
    pub session: SessionId,
    pub result: Assessment,
}

/// The assessment of a case.
#[derive(Debug, Clone)]
pub struct CaseAssessment {
    /// The sessions with an event that concerns money.
    pub sessions: Vec<Assessed>,
    /// Money beyond what was owed when it came (choice C18).
    pub unallocated: Vec<Payment>,
    /// When a new referral opened the file again.
    pub(super) referrals: Vec<DateTime<Utc>>,
}

/// The hold and the file of a case as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CaseStanding {
    /// Minor units payable now.
    pub outstanding: i64,
    /// No new bookings (choice C09).
    pub hold: bool,
    /// The file is closed and archived.
    pub archived: bool,
}

impl CaseAssessment {
    /// The assessment of one session.
    pub fn of(&self, session: &SessionId) -> Option<&Assessment> {
        self.sessions
            .iter()
            .find(|s| s.session == *session)
            .map(|s| &s.result)
    }

    /// The standing of one session at an instant.
    pub fn standing(&self, session: &SessionId, at: DateTime<Utc>) -> FeeStanding {
        self.of(session)
            .map_or(FeeStanding::CLEAR, |a| a.standing_at(at))
    }

    /// The standing of the case at an instant. A new referral opens the file again and ends the holds
    /// from before it; what is owed stays owed.
    pub fn at(&self, at: DateTime<Utc>) -> CaseStanding {
        let referral = self.referrals.iter().filter(|t| **t <= at).max().copied();
        let mut out = CaseStanding {
            outstanding: 0,
            hold: false,
            archived: false,
        };
        for a in self.sessions.iter().map(|s| &s.result) {
            let s = a.standing_at(at);
            let since_referral =
                |t: Option<DateTime<Utc>>| referral.is_none_or(|r| t.is_none_or(|t| t > r));
            out.outstanding += s.outstanding;
            out.archived |= s.archived && since_referral(a.escalation.close_at);
            out.hold |= s.fee == FeeState::Due
                || (s.fee == FeeState::WrittenOff && since_referral(a.incurred_at));
        }
        out.hold |= out.archived;
        out
    }

    /// The notices that the rules call for up to an instant, session by session.
    pub fn called_for(&self, at: DateTime<Utc>) -> impl Iterator<Item = (&SessionId, &Notice)> {
        self.sessions.iter().flat_map(move |s| {
            s.result
                .notices
                .iter()
                .filter(move |n| n.at <= at)
                .map(|n| (&s.session, n))
        })
    }

    /// The next instant after `now` at which something happens by itself.
    pub fn next_after(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let states = self
            .sessions
            .iter()
            .flat_map(|s| s.result.states.iter().map(|(t, _)| *t));
        let notices = self
            .sessions
            .iter()
            .flat_map(|s| s.result.notices.iter().map(|n| n.at));
        states.chain(notices).filter(|t| *t > now).min()
    }
}
