//! Late cancellations and missing notes, again and again.

use crate::domain::dedup_key::TaskKey;
use crate::domain::people::role::Role;
use crate::domain::reminders::milestones::case::{
    MilestoneCase, MilestoneTask, MilestoneVisit, ParentCancellation,
};
use crate::domain::task::TaskKind;
use crate::domain::visits::session::SessionState;
use chrono::{DateTime, Utc};
use std::collections::VecDeque;

/// Sessions over which late cancellations are counted (safety rule b2).
const WINDOW: usize = 6;

/// Opens a task for a person at the second open note case in a row, at three late cancellations in
/// six sessions, or at two where a court ordered contact (safety rule b2). It is never a fee, and the
/// other parent is never told.
pub(super) fn habits(
    case: &MilestoneCase,
    role: Role,
    now: DateTime<Utc>,
    due: &mut Vec<MilestoneTask>,
) {
    let limit = if case.court_ordered { 2 } else { 3 };
    let by = |v: &&MilestoneVisit| match v.state {
        SessionState::Cancelled => v.is_off(now) && v.cancelled.is_some() && !v.unbooked,
        SessionState::Booked => v.took_place(now),
        SessionState::Attended | SessionState::NoShow => true,
        SessionState::Closed => false,
    };
    let task = |kind: &str, v: &MilestoneVisit| MilestoneTask {
        session: Some(v.session.clone()),
        role: Some(role),
        ..MilestoneTask::of_case(
            TaskKey::habit(kind, &v.session, role),
            TaskKind::Pattern,
            None,
        )
    };
    let mut window: VecDeque<bool> = VecDeque::with_capacity(WINDOW);
    let mut in_a_row = 0;
    for v in case.visits.iter().filter(|v| !v.previsit).filter(by) {
        let own = v.cancelled_by(role);
        let late = own.is_some_and(|c| c.late);
        if window.len() == WINDOW {
            window.pop_front();
        }
        window.push_back(late);
        if late && window.iter().filter(|late| **late).count() >= limit {
            due.push(task("late", v));
            window.clear();
        }
        if own.is_some_and(ParentCancellation::is_open_note_case) {
            in_a_row += 1;
            if in_a_row == 2 {
                due.push(task("notes", v));
                in_a_row = 0;
            }
        } else if own.is_some() || v.cancelled.is_none() {
            in_a_row = 0;
        }
    }
}
