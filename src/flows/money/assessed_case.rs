//! A case with what the rules on money make of it, and which texts follow from that.

use crate::domain::centre::Centre;
use crate::domain::ids::{CaseId, SessionId};
use crate::domain::local_time::wall;
use crate::domain::money::office_hours::money_at;
use crate::domain::money::policy::record::busy;
use crate::domain::money::policy::{self, CaseAssessment, FeeState, NoticeKind, Recipient};
use crate::domain::outgoing::message::MessageKind;
use crate::domain::people::person::Role;
use crate::domain::visits::attendee::AttendeeContext;
use crate::store::Tx;
use crate::store::centres::Centres;
use crate::store::money::{self, MoneyCase};
use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use std::collections::HashMap;

/// A case with what the rules make of it.
pub(crate) struct AssessedCase<'a> {
    /// What was recorded.
    pub(crate) case: MoneyCase,
    /// Its centre.
    pub(crate) centre: &'a Centre,
    /// What the rules make of it.
    pub(crate) assessed: CaseAssessment,
}

impl<'a> AssessedCase<'a> {
    /// Reads a case of a centre and assesses it.
    pub(crate) async fn read(
        tx: &mut Tx,
        centre: &'a Centre,
        case_id: &CaseId,
    ) -> Result<AssessedCase<'a>> {
        let case = money::case(tx, case_id).await?;
        let assessed = case.record.assess(centre);
        Ok(AssessedCase {
            case,
            centre,
            assessed,
        })
    }

    /// The same for a case of one of these centres.
    pub(crate) async fn of(
        tx: &mut Tx,
        all: &'a Centres,
        case_id: &CaseId,
    ) -> Result<AssessedCase<'a>> {
        let case = money::case(tx, case_id).await?;
        let centre = &all
            .get(&case.centre)
            .context("the centre of a case is missing")?
            .centre;
        let assessed = case.record.assess(centre);
        Ok(AssessedCase {
            case,
            centre,
            assessed,
        })
    }

    /// A fact was added.
    pub(super) fn assess_anew(&mut self) {
        self.assessed = self.case.record.assess(self.centre);
    }

    /// The present of the case: never before what was recorded last, though the clock of a list may
    /// stand behind that of the service.
    pub(crate) fn present(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        self.case
            .record
            .facts
            .iter()
            .map(|f| f.recorded_at)
            .max()
            .map_or(now, |t| t.max(now))
    }
}

/// A notice that the rules call for, as one that can be queued once: the `n`th of its kind for its
/// session.
pub(super) struct CalledNotice<'a> {
    pub(super) session: &'a SessionId,
    pub(super) kind: NoticeKind,
    pub(super) role: Option<Role>,
    pub(super) topic: Option<policy::Topic>,
    pub(super) at: DateTime<Utc>,
    pub(super) n: usize,
}

pub(super) fn called(a: &CaseAssessment, now: DateTime<Utc>) -> Vec<CalledNotice<'_>> {
    let mut counts = HashMap::new();
    let mut out: Vec<CalledNotice<'_>> = Vec::new();
    for (session, notice) in a.called_for(now) {
        // A notice to all parties is one thing to release, however many they are.
        let to_all = notice.kind.needs_release();
        if to_all
            && out
                .iter()
                .any(|c| c.session == session && c.kind == notice.kind && c.at == notice.at)
        {
            continue;
        }
        let role = match notice.to {
            Recipient::Resident if !to_all => Some(Role::Resident),
            Recipient::Contact if !to_all => Some(Role::Contact),
            _ => None,
        };
        let n: &mut usize = counts
            .entry((session, notice.kind, notice.topic, role))
            .or_default();
        *n += 1;
        out.push(CalledNotice {
            session,
            kind: notice.kind,
            role,
            topic: notice.topic,
            at: notice.at,
            n: *n,
        });
    }
    out
}

/// The text that a private notice becomes.
pub(super) fn text_kind(kind: NoticeKind) -> Option<MessageKind> {
    Some(match kind {
        NoticeKind::FeeNotice => MessageKind::FeeNotice,
        NoticeKind::NoteRequest => MessageKind::NoteRequest,
        NoticeKind::NoteReminder => MessageKind::NoteReminder,
        NoticeKind::FeeSettled => MessageKind::FeeSettled,
        _ => return None,
    })
}

/// Whether what a text to this party (`None`: to all) says about a session is still so.
pub(super) fn still_so(
    kind: MessageKind,
    assessed: &CaseAssessment,
    session: &SessionId,
    role: Option<Role>,
    now: DateTime<Utc>,
) -> bool {
    let (s, archived) = (assessed.standing(session, now), assessed.at(now).archived);
    let owes = role.is_none() || s.liable.map(|p| p.role()) == role;
    match kind {
        MessageKind::FeeNotice => owes && s.fee == FeeState::Due && s.outstanding > 0,
        MessageKind::NoteRequest | MessageKind::NoteReminder => {
            owes && s.fee == FeeState::Provisional
        }
        MessageKind::FeeSettled => {
            !owes
                || !matches!(
                    s.fee,
                    FeeState::Due | FeeState::Provisional | FeeState::WrittenOff
                )
        }
        MessageKind::AllPartiesNotice => s.fee == FeeState::Due && !archived,
        MessageKind::CaseClosed => archived,
        _ => true,
    }
}

/// The spans in which the family is at the centre: nothing about money goes to a phone then.
pub(crate) fn busy_spans(case: &MoneyCase) -> Vec<(DateTime<Utc>, DateTime<Utc>)> {
    case.record.sessions.iter().filter_map(busy).collect()
}

/// When a text about money may go to this seat, not before `at`; `None` if the hours of centre and
/// phone leave no moment.
pub(crate) fn allowed(
    centre: &Centre,
    case: &MoneyCase,
    context: &AttendeeContext,
    at: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    let quiet: Vec<_> = centre
        .courtesy
        .quiet
        .into_iter()
        .chain(context.quiet)
        .collect();
    money_at(
        centre.rules.money_hours,
        &centre.courtesy.bank_holidays,
        &quiet,
        &busy_spans(case),
        centre.tz,
        at,
    )
}

/// The end of the next contact at which a note can be brought: on a later local day than the
/// session that it is for (choice C03).
pub(super) fn next_contact(
    case: &MoneyCase,
    context: &AttendeeContext,
    centre: &Centre,
    now: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    let own = wall(centre.tz, context.session.starts_at).date();
    let booked = |s: &&policy::BookedSession| {
        s.state == crate::domain::visits::session::SessionState::Booked
            && s.end > now
            && wall(centre.tz, s.start).date() > own
    };
    case.record
        .sessions
        .iter()
        .filter(booked)
        .map(|s| s.end)
        .min()
}
