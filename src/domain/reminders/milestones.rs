//! What falls due in a case by itself: reviews, the introduction meeting, the invitation to see the
//! centre, sessions to be replaced, and habits that a person looks at. Pure: from the sessions of a
//! case to tasks, each made once for its cause.
//!
//! Seed 001: "All contacts will be reviewed every six months unless stated otherwise." Seed 002:
//! "use of the Contact Centre will be reviewed after 6-8 sessions and thereafter as necessary".
//! Seed 000: "We will expect you to attend a Mediation Information and Assessment Meeting after
//! using the Centre for six months." Seed 001: "It is advisable for you (the parent) and your child
//! or children to come and see the Centre before your first arranged visit." Seed 001: "If contact
//! is court ordered then it must take place unless good reason is provided. This policy is to
//! prevent contacts being cancelled unduly and to ensure that any sessions missed are replaced."

use crate::domain::centre::Rules;
use crate::domain::dedup_key::TaskKey;
use crate::domain::ids::{CaseId, SessionId};
use crate::domain::local_time::{instant, wall};
use crate::domain::outgoing::message::MessageKind;
use crate::domain::people::person::Role;
use crate::domain::task::TaskKind;
use crate::domain::visits::session::{Reason, SessionState};
use chrono::{DateTime, Days, Duration, Months, NaiveDate, NaiveTime, Utc};
use chrono_tz::Tz;
use std::collections::VecDeque;

/// A milestone is shown so many days before its day, so that a date can be found for it.
const SHOWN_BEFORE_DAYS: u64 = 14;
/// What fell due longer ago than this, before the case was known here, is not brought up.
const FORGOTTEN_DAYS: u64 = 60;
/// Sessions over which late cancellations are counted (safety rule b2).
const WINDOW: usize = 6;

/// One session of a case, as far as milestones and habits go.
#[derive(Debug, Clone)]
pub struct MilestoneVisit {
    /// Its id.
    pub session: SessionId,
    /// Its start and end.
    pub start: DateTime<Utc>,
    /// See `start`.
    pub end: DateTime<Utc>,
    /// Where it stands.
    pub state: SessionState,
    /// A first look at the centre.
    pub previsit: bool,
    /// Taken back before anybody was told of it, because its series changed.
    pub unbooked: bool,
    /// Another one is booked in its place.
    pub replaced: bool,
    /// It is off, and a parent hears of it only then; until then it may be taken back.
    pub released_at: Option<DateTime<Utc>>,
    /// When the cancellation that counts reached us.
    pub off_at: Option<DateTime<Utc>>,
    /// The parent who called it off.
    pub off_by: Option<Role>,
    /// That was late.
    pub late: bool,
    /// The reason that was given.
    pub reason: Option<Reason>,
    /// A note about it was handed in.
    pub note: bool,
}

/// A case as far as milestones and habits go.
#[derive(Debug, Clone)]
pub struct MilestoneCase {
    /// Its id.
    pub id: CaseId,
    /// Contact was ordered by a court.
    pub court_ordered: bool,
    /// Since when the case is known here: what was missed before is nobody's task.
    pub known_at: DateTime<Utc>,
    /// Its sessions in the order of their starts.
    pub visits: Vec<MilestoneVisit>,
}

/// A task to open, once for its cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MilestoneTask {
    /// What made it.
    pub dedup_key: TaskKey,
    /// What it is about.
    pub topic: TaskKind,
    /// The session.
    pub session: Option<SessionId>,
    /// The parent.
    pub role: Option<Role>,
    /// Its day.
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

/// A text about a milestone goes at the earliest so long after its task was opened, so that staff
/// see it before and may hold it.
const SEEN_FIRST: Duration = Duration::days(1);
/// The same where the task is due before that.
const SEEN_IN_HASTE: Duration = Duration::hours(1);
/// A reminder that did not go for so long is not sent any more.
const REMINDER_LASTS: Duration = Duration::days(14);

/// The text that tells both parents what a task tells staff; `None` if there is none.
pub fn text_of(topic: TaskKind) -> Option<MessageKind> {
    match topic {
        TaskKind::ReviewDue => Some(MessageKind::ReviewDue),
        TaskKind::IntroductionMeeting => Some(MessageKind::IntroductionMeeting),
        TaskKind::Previsit => Some(MessageKind::PrevisitInvitation),
        TaskKind::FeeChange => Some(MessageKind::FeeChange),
        _ => None,
    }
}

/// The first moment for a text whose task is seen at `now` and is due at `due`. `at_once`: the
/// centre keeps no office hours for such texts, so nobody is given time to look.
pub fn text_from(due: Option<DateTime<Utc>>, at_once: bool, now: DateTime<Utc>) -> DateTime<Utc> {
    match (at_once, due) {
        (true, _) => now,
        (false, Some(due)) if due < now + SEEN_FIRST => now + SEEN_IN_HASTE,
        _ => now + SEEN_FIRST,
    }
}

/// Until when such a text is worth sending: an invitation until the visit, a change until its day
/// (`last` is that instant), a reminder for two weeks.
pub fn text_until(
    kind: MessageKind,
    last: Option<DateTime<Utc>>,
    from: DateTime<Utc>,
) -> DateTime<Utc> {
    match (kind, last) {
        (MessageKind::PrevisitInvitation | MessageKind::FeeChange, Some(last)) => last,
        _ => from + REMINDER_LASTS,
    }
}

impl MilestoneVisit {
    fn is_off(&self, now: DateTime<Utc>) -> bool {
        self.state == SessionState::Cancelled && self.released_at.is_none_or(|t| t <= now)
    }

    fn took_place(&self, now: DateTime<Utc>) -> bool {
        !self.previsit
            && (self.state == SessionState::Attended
                || (self.state == SessionState::Booked && self.end <= now))
    }

    /// A late cancellation that a doctor's note would excuse, without the note (seed 001: the
    /// child's illness, or the contact parent's own).
    fn is_open_note_case(&self) -> bool {
        let excused = matches!(
            (self.off_by, self.reason),
            (Some(_), Some(Reason::IllChild)) | (Some(Role::Contact), Some(Reason::IllSelf))
        );
        self.late && excused && !self.note
    }
}

/// What is to be done for a case at `now` by its centre's rules and zone.
pub fn look(rules: &Rules, tz: Tz, case: &MilestoneCase, now: DateTime<Utc>) -> MilestonePlan {
    let today = wall(tz, now).date();
    let mut due = Vec::new();
    by_calendar(rules, tz, case, today, &mut due);
    by_count(rules, case, now, &mut due);
    previsit(rules, case, now, &mut due);
    if case.court_ordered {
        due.extend(
            case.visits
                .iter()
                .filter(|v| is_missed(case, v, now))
                .map(|v| MilestoneTask {
                    session: Some(v.session.clone()),
                    ..plain(
                        TaskKey::replacement(&v.session),
                        TaskKind::Replacement,
                        None,
                    )
                }),
        );
    }
    for role in Role::PARENTS {
        habits(case, role, now, &mut due);
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

fn plain(dedup_key: TaskKey, topic: TaskKind, due_at: Option<DateTime<Utc>>) -> MilestoneTask {
    MilestoneTask {
        dedup_key,
        topic,
        session: None,
        role: None,
        due_at,
    }
}

/// A session that a court ordered and that did not take place, whoever's doing it was; it is to be
/// replaced until another one is booked.
fn is_missed(case: &MilestoneCase, v: &MilestoneVisit, now: DateTime<Utc>) -> bool {
    let off = v.is_off(now) || matches!(v.state, SessionState::Closed | SessionState::NoShow);
    case.court_ordered
        && off
        && !v.unbooked
        && !v.replaced
        && !v.previsit
        && v.start > case.known_at
}

/// Reviews every so many months and the introduction meeting, counted from the first session.
fn by_calendar(
    rules: &Rules,
    tz: Tz,
    case: &MilestoneCase,
    today: NaiveDate,
    due: &mut Vec<MilestoneTask>,
) {
    let stands = |v: &&MilestoneVisit| {
        !v.previsit
            && matches!(
                v.state,
                SessionState::Booked | SessionState::Attended | SessionState::NoShow
            )
    };
    let Some(first) = case
        .visits
        .iter()
        .find(stands)
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
            .filter(stands)
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
            due.push(plain(
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
        due.push(plain(
            TaskKey::introduction_meeting(&case.id),
            TaskKind::IntroductionMeeting,
            at(day),
        ));
    }
}

/// A review after every so many sessions that took place.
fn by_count(rules: &Rules, case: &MilestoneCase, now: DateTime<Utc>, due: &mut Vec<MilestoneTask>) {
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
            due.push(plain(
                TaskKey::review_after_sessions(&case.id, count),
                TaskKind::ReviewDue,
                Some(by),
            ));
        }
    }
}

/// The invitation to come and see the centre before the first session.
fn previsit(rules: &Rules, case: &MilestoneCase, now: DateTime<Utc>, due: &mut Vec<MilestoneTask>) {
    if rules.previsit_invitation_days == 0
        || case
            .visits
            .iter()
            .any(|v| v.took_place(now) || (v.previsit && !v.is_off(now)))
    {
        return;
    }
    // What is off and not told yet is still on: the other parent's invitation must not tell.
    let on = |v: &&MilestoneVisit| {
        v.state == SessionState::Booked || (v.state == SessionState::Cancelled && !v.is_off(now))
    };
    let first = case.visits.iter().filter(on).find(|v| v.start > now);
    if let Some(first) =
        first.filter(|v| v.start - Duration::days(rules.previsit_invitation_days) <= now)
    {
        due.push(MilestoneTask {
            session: Some(first.session.clone()),
            ..plain(
                TaskKey::previsit(&case.id),
                TaskKind::Previsit,
                Some(first.start),
            )
        });
    }
}

/// Safety rule b2: at the second open note case in a row, at three late cancellations in six
/// sessions, or at the second one where contact was ordered by a court, a person looks. Never a
/// fee, and the other parent is never told.
fn habits(case: &MilestoneCase, role: Role, now: DateTime<Utc>, due: &mut Vec<MilestoneTask>) {
    let limit = if case.court_ordered { 2 } else { 3 };
    let by = |v: &&MilestoneVisit| match v.state {
        SessionState::Cancelled => v.is_off(now) && v.off_by.is_some() && !v.unbooked,
        SessionState::Booked => v.took_place(now),
        SessionState::Attended | SessionState::NoShow => true,
        SessionState::Closed => false,
    };
    let task = |kind: &str, v: &MilestoneVisit| MilestoneTask {
        session: Some(v.session.clone()),
        role: Some(role),
        ..plain(
            TaskKey::habit(kind, &v.session, role),
            TaskKind::Pattern,
            None,
        )
    };
    let mut window: VecDeque<bool> = VecDeque::with_capacity(WINDOW);
    let mut in_a_row = 0;
    for v in case.visits.iter().filter(|v| !v.previsit).filter(by) {
        let mine = v.off_by == Some(role);
        if window.len() == WINDOW {
            window.pop_front();
        }
        window.push_back(mine && v.late);
        if mine && v.late && window.iter().filter(|late| **late).count() >= limit {
            due.push(task("late", v));
            window.clear();
        }
        if mine && v.is_open_note_case() {
            in_a_row += 1;
            if in_a_row == 2 {
                due.push(task("notes", v));
                in_a_row = 0;
            }
        } else if mine || v.off_by.is_none() {
            in_a_row = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::centre::Centre;

    fn rules(more: &str) -> Rules {
        Centre::parse(&format!(
            "code = \"BRK\"\nname = \"Birchfield Road\"\ntimezone = \
                                \"Europe/London\"\n[rules]\n{more}"
        ))
        .unwrap()
        .rules
    }

    const LONDON: Tz = chrono_tz::Europe::London;

    fn t(s: &str) -> DateTime<Utc> {
        instant(LONDON, crate::domain::local_time::parse_local(s).unwrap())
    }

    /// A session every second Saturday from 6 June 2026, numbered from 0.
    fn visit(n: i64) -> MilestoneVisit {
        let start = t("2026-06-06T10:00") + Duration::weeks(2 * n);
        MilestoneVisit {
            session: SessionId::new(format!("s{n}")),
            start,
            end: start + Duration::hours(2),
            state: SessionState::Booked,
            previsit: false,
            unbooked: false,
            replaced: false,
            released_at: None,
            off_at: None,
            off_by: None,
            late: false,
            reason: None,
            note: false,
        }
    }

    fn off(n: i64, by: Option<Role>, late: bool, reason: Reason) -> MilestoneVisit {
        MilestoneVisit {
            state: SessionState::Cancelled,
            off_by: by,
            late,
            reason: by.map(|_| reason),
            ..visit(n)
        }
    }

    fn case(visits: Vec<MilestoneVisit>) -> MilestoneCase {
        MilestoneCase {
            id: CaseId::new("c"),
            court_ordered: false,
            known_at: t("2026-05-01T09:00"),
            visits,
        }
    }

    fn causes(rules: &Rules, case: &MilestoneCase, now: &str) -> Vec<String> {
        look(rules, LONDON, case, t(now))
            .due
            .into_iter()
            .map(|d| d.dedup_key.to_string())
            .collect()
    }

    #[test]
    fn staff_see_a_text_before_it_goes() {
        let (now, soon, later) = (
            t("2026-11-24T09:00"),
            t("2026-11-24T17:00"),
            t("2026-12-08T09:00"),
        );
        assert_eq!(
            [
                text_from(Some(later), false, now),
                text_from(None, false, now)
            ],
            [t("2026-11-25T09:00"); 2]
        );
        assert_eq!(
            text_from(Some(soon), false, now),
            t("2026-11-24T10:00"),
            "an hour, where a day would be too late"
        );
        assert_eq!(text_from(Some(later), true, now), now);
        assert_eq!(
            text_until(MessageKind::PrevisitInvitation, Some(soon), now),
            soon
        );
        assert_eq!(
            text_until(MessageKind::ReviewDue, Some(soon), now),
            t("2026-12-08T09:00"),
            "a review that is overdue is reminded of all the same"
        );
        assert!(
            TaskKind::ALL
                .iter()
                .filter_map(|t| text_of(*t))
                .all(MessageKind::is_milestone)
        );
        assert_eq!(
            TaskKind::ALL.iter().filter_map(|t| text_of(*t)).count(),
            MessageKind::ALL.iter().filter(|k| k.is_milestone()).count()
        );
    }

    #[test]
    fn reviews_and_the_meeting_by_the_calendar() {
        let (r, c) = (rules(""), case((0..40).map(visit).collect()));
        assert_eq!(causes(&r, &c, "2026-11-21T12:00"), [] as [&str; 0]);
        assert_eq!(
            causes(&r, &c, "2026-11-22T12:00"),
            ["review/c/months/6", "introduction/c"],
            "two weeks before the day"
        );
        assert_eq!(
            look(&r, LONDON, &c, t("2026-11-22T12:00")).due[0].due_at,
            Some(t("2026-12-06T09:00"))
        );
        assert_eq!(
            causes(&r, &c, "2027-05-24T12:00"),
            ["review/c/months/12"],
            "again and again"
        );
        assert_eq!(
            causes(
                &rules("review_after_months = 0\nintroduction_meeting_after_months = 3"),
                &c,
                "2026-09-01T12:00"
            ),
            ["introduction/c"]
        );
        // Who stopped coming in the summer is not reviewed in December.
        assert_eq!(
            causes(&r, &case((0..4).map(visit).collect()), "2026-12-06T12:00"),
            [] as [&str; 0]
        );
    }

    #[test]
    fn reviews_by_the_number_of_sessions() {
        let r = rules(
            "review_after_sessions = 8\nreview_after_months = 0\nintroduction_meeting_after_months \
             = 0",
        );
        let mut visits: Vec<MilestoneVisit> = (0..20).map(visit).collect();
        assert_eq!(
            causes(&r, &case(visits.clone()), "2026-09-12T11:59"),
            [] as [&str; 0]
        );
        assert_eq!(
            causes(&r, &case(visits.clone()), "2026-09-12T12:00"),
            ["review/c/sessions/8"]
        );
        visits[3] = off(3, Some(Role::Contact), false, Reason::Other);
        assert_eq!(
            causes(&r, &case(visits.clone()), "2026-09-12T12:00"),
            [] as [&str; 0],
            "what did not take place does not count"
        );
        assert_eq!(
            causes(&r, &case(visits), "2026-09-26T12:00"),
            ["review/c/sessions/8"]
        );
    }

    #[test]
    fn a_new_family_is_invited_where_the_centre_wants_it() {
        let r = rules("previsit_invitation_days = 21");
        assert_eq!(
            causes(&r, &case(vec![visit(0), visit(1)]), "2026-05-15T10:00"),
            [] as [&str; 0]
        );
        assert_eq!(
            causes(&r, &case(vec![visit(0), visit(1)]), "2026-05-16T10:00"),
            ["previsit/c"]
        );
        assert_eq!(
            causes(
                &r,
                &case(vec![
                    MilestoneVisit {
                        previsit: true,
                        ..visit(0)
                    },
                    visit(1)
                ]),
                "2026-06-01T10:00"
            ),
            [] as [&str; 0],
            "it is arranged"
        );
        assert_eq!(
            causes(&rules(""), &case(vec![visit(0)]), "2026-06-01T10:00"),
            [] as [&str; 0]
        );
    }

    #[test]
    fn what_a_court_ordered_is_replaced_whoever_called_it_off() {
        let court = |v: MilestoneVisit| MilestoneCase {
            court_ordered: true,
            ..case(vec![v])
        };
        let r = rules("");
        for v in [
            off(0, Some(Role::Contact), false, Reason::Other),
            off(0, Some(Role::Resident), true, Reason::IllChild),
            off(0, None, false, Reason::Other),
            MilestoneVisit {
                state: SessionState::Closed,
                ..visit(0)
            },
            MilestoneVisit {
                state: SessionState::NoShow,
                ..visit(0)
            },
        ] {
            assert_eq!(
                causes(&r, &court(v.clone()), "2026-06-08T10:00"),
                ["replacement/s0"],
                "{v:?}"
            );
            assert_eq!(
                causes(
                    &r,
                    &MilestoneCase {
                        court_ordered: false,
                        ..court(v.clone())
                    },
                    "2026-06-08T10:00"
                ),
                [] as [&str; 0]
            );
            assert_eq!(
                causes(
                    &r,
                    &court(MilestoneVisit {
                        replaced: true,
                        ..v.clone()
                    }),
                    "2026-06-08T10:00"
                ),
                [] as [&str; 0]
            );
            assert_eq!(
                causes(
                    &r,
                    &court(MilestoneVisit {
                        unbooked: true,
                        ..v.clone()
                    }),
                    "2026-06-08T10:00"
                ),
                [] as [&str; 0]
            );
        }
        // Until it is released it may be taken back.
        let hidden = court(MilestoneVisit {
            released_at: Some(t("2026-06-05T14:30")),
            ..off(0, Some(Role::Contact), false, Reason::Other)
        });
        let l = look(&r, LONDON, &hidden, t("2026-06-05T14:05"));
        assert_eq!((l.due.len(), l.again), (0, t("2026-06-05T14:30")));
        assert_eq!(causes(&r, &hidden, "2026-06-05T14:30"), ["replacement/s0"]);
    }

    #[test]
    fn habits_are_looked_at_by_a_person() {
        let r = rules("review_after_months = 0\nintroduction_meeting_after_months = 0");
        let ill = |n| off(n, Some(Role::Resident), true, Reason::IllChild);
        let late = |n| off(n, Some(Role::Contact), true, Reason::Other);
        let seen = |visits: Vec<MilestoneVisit>| causes(&r, &case(visits), "2026-12-01T10:00");
        assert_eq!(
            seen(vec![ill(0), ill(1)]),
            ["pattern/notes/s1/resident"],
            "the second open note case in a row"
        );
        assert_eq!(
            seen(vec![ill(0), visit(1), ill(2)]),
            [] as [&str; 0],
            "not in a row"
        );
        assert_eq!(
            seen(vec![
                MilestoneVisit {
                    note: true,
                    ..ill(0)
                },
                ill(1)
            ]),
            [] as [&str; 0],
            "the first one's note came"
        );
        assert_eq!(
            seen(vec![ill(0), off(1, None, false, Reason::Other), ill(2)]),
            ["pattern/notes/s2/resident"],
            "what the centre called off breaks no row"
        );
        assert_eq!(
            seen(vec![
                late(0),
                visit(1),
                late(2),
                visit(3),
                visit(4),
                late(5)
            ]),
            ["pattern/late/s5/contact"],
            "three in six"
        );
        assert_eq!(
            seen(vec![
                late(0),
                visit(1),
                late(2),
                visit(3),
                visit(4),
                visit(5),
                late(6)
            ]),
            [] as [&str; 0],
            "three in seven"
        );
        assert_eq!(
            seen(vec![late(0), ill(1), late(2)]),
            [] as [&str; 0],
            "each parent's own"
        );
        let in_time = off(0, Some(Role::Contact), false, Reason::Other);
        assert_eq!(seen(vec![in_time, late(1), late(2)]), [] as [&str; 0]);
        let court = MilestoneCase {
            court_ordered: true,
            ..case(vec![late(0), visit(1), late(2)])
        };
        assert_eq!(
            causes(&r, &court, "2026-12-01T10:00")
                .iter()
                .filter(|c| c.starts_with("pattern"))
                .collect::<Vec<_>>(),
            ["pattern/late/s2/contact"]
        );
    }
}
