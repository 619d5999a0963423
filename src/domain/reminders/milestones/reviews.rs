//! Reviews, the introduction meeting, and the invitation to see the centre.
//!
//! Handbook for parents: "All contacts will be reviewed every six months unless stated otherwise." "It
//! is advisable for you (the parent) and your child or children to come and see the Centre before
//! your first arranged visit." Terms of use: "use of the Contact Centre will be reviewed after 6-8
//! sessions and thereafter as necessary". Code of conduct: "We will expect you to attend a Mediation
//! Information and Assessment Meeting after using the Centre for six months."

use crate::domain::centre::Rules;
use crate::domain::dedup_key::TaskKey;
use crate::domain::local_time::{instant, wall};
use crate::domain::reminders::milestones::case::{MilestoneCase, MilestoneTask, MilestoneVisit};
use crate::domain::task::TaskKind;
use crate::domain::visits::session::SessionState;
use chrono::{DateTime, Days, Duration, Months, NaiveDate, NaiveTime, Utc};
use chrono_tz::Tz;

/// A milestone is shown so many days before its date, so that an appointment can be found.
const SHOWN_BEFORE_DAYS: u64 = 14;
/// What fell due longer ago than this, before the case was known here, is not brought up.
const FORGOTTEN_DAYS: u64 = 60;

/// Reviews every so many months and the introduction meeting, counted from the first session.
pub(super) fn by_calendar(
    rules: &Rules,
    tz: Tz,
    case: &MilestoneCase,
    today: NaiveDate,
    due: &mut Vec<MilestoneTask>,
) {
    let counts = |v: &&MilestoneVisit| {
        !v.previsit
            && matches!(
                v.state,
                SessionState::Booked | SessionState::Attended | SessionState::NoShow
            )
    };
    let Some(first) = case
        .visits
        .iter()
        .find(counts)
        .map(|v| wall(tz, v.start).date())
    else {
        return;
    };
    let after = |months: i64| {
        u32::try_from(months)
            .ok()
            .and_then(|m| first.checked_add_months(Months::new(m)))
    };
    let at = |day: NaiveDate| {
        Some(instant(
            tz,
            day.and_time(NaiveTime::from_hms_opt(9, 0, 0).unwrap_or_default()),
        ))
    };
    let shown = |day: &NaiveDate| {
        *day - Days::new(SHOWN_BEFORE_DAYS) <= today && today <= *day + Days::new(FORGOTTEN_DAYS)
    };
    // A family that has stopped coming needs no review.
    let comes = |day: &NaiveDate| {
        case.visits
            .iter()
            .filter(counts)
            .any(|v| wall(tz, v.start).date() + Days::new(FORGOTTEN_DAYS) >= *day)
    };
    if rules.review_after_months > 0 {
        let days = (1..)
            .map(|k| k * rules.review_after_months)
            .map_while(|m| after(m).map(|day| (m, day)));
        let last = days
            .take_while(|(_, day)| *day - Days::new(SHOWN_BEFORE_DAYS) <= today)
            .last();
        if let Some((months, day)) = last.filter(|(_, day)| shown(day) && comes(day)) {
            due.push(MilestoneTask::of_case(
                TaskKey::review_after_months(&case.id, months),
                TaskKind::ReviewDue,
                at(day),
            ));
        }
    }
    if rules.introduction_meeting_after_months > 0
        && let Some(day) =
            after(rules.introduction_meeting_after_months).filter(|day| shown(day) && comes(day))
    {
        due.push(MilestoneTask::of_case(
            TaskKey::introduction_meeting(&case.id),
            TaskKind::IntroductionMeeting,
            at(day),
        ));
    }
}

/// A review after every so many sessions that took place.
pub(super) fn by_count(
    rules: &Rules,
    case: &MilestoneCase,
    now: DateTime<Utc>,
    due: &mut Vec<MilestoneTask>,
) {
    let Some(every) = usize::try_from(rules.review_after_sessions)
        .ok()
        .filter(|n| *n > 0)
    else {
        return;
    };
    let held: Vec<&MilestoneVisit> = case.visits.iter().filter(|v| v.took_place(now)).collect();
    let count = held.len() / every * every;
    if let Some(last) = count.checked_sub(1).and_then(|i| held.get(i)) {
        let by = last.end + Duration::days(SHOWN_BEFORE_DAYS as i64);
        if now <= last.end + Duration::days(FORGOTTEN_DAYS as i64) {
            due.push(MilestoneTask::of_case(
                TaskKey::review_after_sessions(&case.id, count),
                TaskKind::ReviewDue,
                Some(by),
            ));
        }
    }
}

/// The invitation to come and see the centre before the first session.
pub(super) fn previsit(
    rules: &Rules,
    case: &MilestoneCase,
    now: DateTime<Utc>,
    due: &mut Vec<MilestoneTask>,
) {
    if rules.previsit_invitation_days == 0
        || case
            .visits
            .iter()
            .any(|v| v.took_place(now) || (v.previsit && !v.is_off(now)))
    {
        return;
    }
    // A visit that is off and not told yet counts as on: the invitation must not give it away.
    let on = |v: &&MilestoneVisit| {
        v.state == SessionState::Booked || (v.state == SessionState::Cancelled && !v.is_off(now))
    };
    let first = case.visits.iter().filter(on).find(|v| v.start > now);
    if let Some(first) =
        first.filter(|v| v.start - Duration::days(rules.previsit_invitation_days) <= now)
    {
        due.push(MilestoneTask {
            session: Some(first.session.clone()),
            ..MilestoneTask::of_case(
                TaskKey::previsit(&case.id),
                TaskKind::Previsit,
                Some(first.start),
            )
        });
    }
}
