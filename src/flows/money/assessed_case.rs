//! A case with its assessment, and the texts that follow from it.

use crate::domain::centre::Centre;
use crate::domain::ids::{CaseId, SessionId};
use crate::domain::local_time::wall;
use crate::domain::money::office_hours::money_at;
use crate::domain::money::policy::record::busy;
use crate::domain::money::policy::{self, CaseAssessment, FeeState, NoticeKind, Recipient};
use crate::domain::outgoing::message::MessageKind;
use crate::domain::people::role::Role;
use crate::domain::visits::attendee::AttendeeContext;
use crate::store::Tx;
use crate::store::centres::Centres;
use crate::store::money::{self, MoneyCase};
use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use std::collections::HashMap;

/// A case with its assessment.
pub(crate) struct AssessedCase<'a> {
    /// What is stored of it.
    pub(crate) case: MoneyCase,
    pub(crate) centre: &'a Centre,
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

    /// The same for a case of any of these centres.
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

    /// Assesses the case again, after a fact was added.
    pub(super) fn assess_anew(&mut self) {
        self.assessed = self.case.record.assess(self.centre);
    }

    /// The present of the case. It is never before the last recorded fact, even if the clock of a
    /// list is behind that of the service.
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

/// A notice that the rules call for: the `n`th of its kind for its session, so that it is queued
/// once.
pub(super) struct CalledNotice<'a> {
    pub(super) session: &'a SessionId,
    pub(super) kind: NoticeKind,
    pub(super) role: Option<Role>,
    pub(super) at: DateTime<Utc>,
    pub(super) n: usize,
}

pub(super) fn called(a: &CaseAssessment, now: DateTime<Utc>) -> Vec<CalledNotice<'_>> {
    let mut counts = HashMap::new();
    let mut out: Vec<CalledNotice<'_>> = Vec::new();
    for (session, notice) in a.called_for(now) {
        // A notice to all parties is released once, however many they are.
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
        let n: &mut usize = counts.entry((session, notice.kind, role)).or_default();
        *n += 1;
        out.push(CalledNotice {
            session,
            kind: notice.kind,
            role,
            at: notice.at,
            n: *n,
        });
    }
    out
}

/// Whether a text to this party (`None` means all) about a session still says the truth.
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

/// The spans in which the family is at the centre. No text about money is sent then.
pub(crate) fn busy_spans(case: &MoneyCase) -> Vec<(DateTime<Utc>, DateTime<Utc>)> {
    case.record.sessions.iter().filter_map(busy).collect()
}

/// The earliest moment from `at` on for a text about money to this attendee; `None` if the hours of
/// centre and phone leave none.
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

/// The end of the next contact to which a note can be brought: one on a later local day than the
/// session that the note is for (choice C03).
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
