//! What milestones are made from: a case with its sessions. And what they become: tasks.

use crate::domain::dedup_key::TaskKey;
use crate::domain::ids::CaseId;
use crate::domain::ids::SessionId;
use crate::domain::people::role::Role;
use crate::domain::task::TaskKind;
use crate::domain::visits::session::{Reason, SessionState};
use chrono::{DateTime, Utc};

/// One session of a case.
#[derive(Debug, Clone)]
pub struct MilestoneVisit {
    pub session: SessionId,
    /// Its start and end.
    pub start: DateTime<Utc>,
    /// See `start`.
    pub end: DateTime<Utc>,
    pub state: SessionState,
    /// A first visit to see the centre.
    pub previsit: bool,
    /// Taken back before anybody was told of it, because its series changed.
    pub unbooked: bool,
    /// Another one is booked in its place.
    pub replaced: bool,
    /// It is off, and the other parent is told at this instant. Until then it may be taken back.
    pub released_at: Option<DateTime<Utc>>,
    /// When the cancellation that counts reached us.
    pub off_at: Option<DateTime<Utc>>,
    /// The cancellation by a parent that counts, if there was one.
    pub cancelled: Option<ParentCancellation>,
}

/// A session that a parent called off.
#[derive(Debug, Clone)]
pub struct ParentCancellation {
    pub role: Role,
    /// It came with less than the notice hours.
    pub late: bool,
    /// The reason that was given.
    pub reason: Option<Reason>,
    /// A note about it was handed in.
    pub note: bool,
}

/// A case with its sessions.
#[derive(Debug, Clone)]
pub struct MilestoneCase {
    pub id: CaseId,
    /// Contact was ordered by a court.
    pub court_ordered: bool,
    /// Since when the case is known here. What was missed before is nobody's task.
    pub known_at: DateTime<Utc>,
    /// Its sessions in the order of their starts.
    pub visits: Vec<MilestoneVisit>,
}

/// A task to open, once for its dedup key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MilestoneTask {
    pub dedup_key: TaskKey,
    /// What it is about.
    pub topic: TaskKind,
    pub session: Option<SessionId>,
    pub role: Option<Role>,
    pub due_at: Option<DateTime<Utc>>,
}

/// What there is to do for a case, and when to look again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MilestonePlan {
    /// Tasks that must be there.
    pub due: Vec<MilestoneTask>,
    /// When to look again.
    pub again: DateTime<Utc>,
}

impl MilestoneVisit {
    pub(super) fn is_off(&self, now: DateTime<Utc>) -> bool {
        self.state == SessionState::Cancelled && self.released_at.is_none_or(|t| t <= now)
    }

    pub(super) fn took_place(&self, now: DateTime<Utc>) -> bool {
        !self.previsit
            && (self.state == SessionState::Attended
                || (self.state == SessionState::Booked && self.end <= now))
    }

    /// The parent's own cancellation of this session.
    pub(super) fn cancelled_by(&self, role: Role) -> Option<&ParentCancellation> {
        self.cancelled.as_ref().filter(|c| c.role == role)
    }
}

impl ParentCancellation {
    /// A late cancellation that a doctor's note would excuse, without the note: the child's illness,
    /// or the contact parent's own.
    pub(super) fn is_open_note_case(&self) -> bool {
        let excused = matches!(
            (self.role, self.reason),
            (_, Some(Reason::IllChild)) | (Role::Contact, Some(Reason::IllSelf))
        );
        self.late && excused && !self.note
    }
}

impl MilestoneTask {
    /// A task about the case as a whole.
    pub(super) fn of_case(
        dedup_key: TaskKey,
        topic: TaskKind,
        due_at: Option<DateTime<Utc>>,
    ) -> MilestoneTask {
        MilestoneTask {
            dedup_key,
            topic,
            session: None,
            role: None,
            due_at,
        }
    }
}
