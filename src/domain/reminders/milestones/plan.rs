//! What falls due in a case by itself: reviews, the introduction meeting, the invitation to see the
//! centre, sessions to be replaced, and habits that a person looks at.
//!
//! Handbook for parents: "If contact is court ordered then it must take place unless good reason is
//! provided. This policy is to prevent contacts being cancelled unduly and to ensure that any sessions
//! missed are replaced."

use crate::domain::centre::Rules;
use crate::domain::dedup_key::TaskKey;
use crate::domain::local_time::{instant, wall};
use crate::domain::people::role::Role;
use crate::domain::reminders::milestones::case::{
    MilestoneCase, MilestonePlan, MilestoneTask, MilestoneVisit,
};
use crate::domain::reminders::milestones::{habits, reviews};
use crate::domain::task::TaskKind;
use crate::domain::visits::session::SessionState;
use chrono::{DateTime, Days, Duration, NaiveTime, Utc};
use chrono_tz::Tz;

/// What is to be done for a case at `now`, by its centre's rules.
pub fn look(rules: &Rules, tz: Tz, case: &MilestoneCase, now: DateTime<Utc>) -> MilestonePlan {
    let today = wall(tz, now).date();
    let mut due = Vec::new();
    reviews::by_calendar(rules, tz, case, today, &mut due);
    reviews::by_count(rules, case, now, &mut due);
    reviews::previsit(rules, case, now, &mut due);
    if case.court_ordered {
        due.extend(
            case.visits
                .iter()
                .filter(|v| is_missed(case, v, now))
                .map(|v| MilestoneTask {
                    session: Some(v.session.clone()),
                    ..MilestoneTask::of_case(
                        TaskKey::replacement(&v.session),
                        TaskKind::Replacement,
                        None,
                    )
                }),
        );
    }
    for role in Role::PARENTS {
        habits::habits(case, role, now, &mut due);
    }
    let tomorrow = instant(tz, (today + Days::new(1)).and_time(NaiveTime::MIN));
    let released = case
        .visits
        .iter()
        .filter_map(|v| v.released_at)
        .filter(|t| *t > now);
    MilestonePlan {
        due,
        again: released
            .fold(tomorrow, DateTime::min)
            .max(now + Duration::seconds(1)),
    }
}

/// Whether a court-ordered session did not take place, whoever's doing that was, and no other one is
/// booked in its place.
fn is_missed(case: &MilestoneCase, v: &MilestoneVisit, now: DateTime<Utc>) -> bool {
    let off = v.is_off(now) || matches!(v.state, SessionState::Closed | SessionState::NoShow);
    case.court_ordered
        && off
        && !v.unbooked
        && !v.replaced
        && !v.previsit
        && v.start > case.known_at
}
