//! Everything recorded of a case, and its assessment: which facts concern which session, in which
//! order.

use crate::domain::centre::Centre;
use crate::domain::ids::SessionId;
use crate::domain::local_time::{instant, parse_local};
use crate::domain::money::amount::Money;
use crate::domain::money::policy::case_assessment::{Assessed, CaseAssessment};
use crate::domain::money::policy::facts::{
    CalledOff, CaseEvent, CaseFacts, FeeRules, LaterSession, PayClock, Recipient, SessionFacts,
    Slot,
};
use crate::domain::money::policy::history::history;
use crate::domain::money::policy::ledger::{CaseLedger, Payment, case_ledger};
use crate::domain::money::policy::recorded_fact::{
    NO_SHOW_OF_CLOSED_FILE, OWED_AGAIN, REFUSED_MOVE, RecordedFact, move_rule,
};
use crate::domain::people::role::Role;
use crate::domain::visits::notice::Origin;
use crate::domain::visits::session::{CancelledBy, SessionState};
use chrono::{DateTime, Duration, Utc};

/// A session of the case with the rules in force for it.
#[derive(Debug, Clone)]
pub struct BookedSession {
    pub id: SessionId,
    /// Its start as it is booked now.
    pub start: DateTime<Utc>,
    pub end: DateTime<Utc>,
    pub state: SessionState,
    /// When it was booked.
    pub booked_at: DateTime<Utc>,
    /// Who called it off, and when that reached us.
    pub off: Option<(CancelledBy, DateTime<Utc>)>,
    /// Hours of notice without a fee.
    pub notice_hours: i64,
    pub fee: Money,
    pub payment_days: u32,
}

/// Everything recorded of a case.
#[derive(Debug, Clone)]
pub struct CaseRecord {
    pub case: CaseFacts,
    pub sessions: Vec<BookedSession>,
    /// Its facts that were not voided, in the order in which they were recorded.
    pub facts: Vec<RecordedFact>,
}

impl CaseRecord {
    /// Whether staff recorded that somebody did not come to a session.
    pub fn missed(&self, session: &SessionId) -> bool {
        history(&self.facts, session)
            .iter()
            .any(|f| matches!(f.event, CaseEvent::NoShow(_)))
    }

    /// The facts of a session since its fee was last owed again after a receipt. What was told or
    /// released before no longer counts.
    fn since_receipt(&self, session: &SessionId) -> impl Iterator<Item = &RecordedFact> {
        let of = move |f: &&RecordedFact| f.session.as_ref() == Some(session);
        let from = self
            .facts
            .iter()
            .rposition(|f| of(&f) && f.kind == OWED_AGAIN)
            .map_or(0, |n| n + 1);
        self.facts[from..].iter().filter(of)
    }

    /// Whether a person ever released this notice for a session.
    pub fn ever_released(&self, session: &SessionId, notice: &str) -> bool {
        self.facts.iter().any(|f| {
            f.session.as_ref() == Some(session) && f.kind == "released" && f.detail == notice
        })
    }

    /// Whether a person released this notice for a session, since its fee was last owed again after
    /// a receipt.
    pub fn released(&self, session: &SessionId, notice: &str) -> bool {
        self.released_at(session, notice).is_some()
    }

    /// When a person last released it.
    pub fn released_at(&self, session: &SessionId, notice: &str) -> Option<DateTime<Utc>> {
        self.since_receipt(session)
            .filter(|f| f.kind == "released" && f.detail == notice)
            .map(|f| f.recorded_at)
            .max()
    }

    /// Whether it is recorded that a party was told one of these things about a session.
    pub fn told(&self, session: &SessionId, what: &[&str]) -> bool {
        self.since_receipt(session)
            .any(|f| f.kind == "told" && what.iter().any(|w| f.detail.starts_with(w)))
    }

    /// The times that a session had before each of its moves, with the fact of the move.
    fn moved(
        &self,
        s: &BookedSession,
        centre: &Centre,
    ) -> impl Iterator<Item = (Slot, &RecordedFact)> {
        let length = s.end - s.start;
        self.facts
            .iter()
            .filter(|f| f.kind == "moved" && f.session.as_ref() == Some(&s.id))
            .filter_map(move |f| {
                let start = instant(
                    centre.tz,
                    f.detail.split(" -> ").next().and_then(parse_local)?,
                );
                Some((
                    Slot {
                        start,
                        end: start + length,
                    },
                    f,
                ))
            })
    }

    /// The other sessions of the case. A move counts as one session called off, by the centre or by a
    /// party, and another one booked.
    fn others(&self, than: &SessionId, centre: &Centre) -> Vec<LaterSession> {
        let mut out = Vec::with_capacity(self.sessions.len());
        for s in self.sessions.iter().filter(|s| s.id != *than) {
            let mut booked_at = s.booked_at;
            for (slot, f) in self.moved(s, centre) {
                out.push(LaterSession {
                    start: slot.start,
                    end: slot.end,
                    booked_at: Some(booked_at),
                    // Whoever owes gains no time by asking for another date: the old date stays a
                    // deadline for the fee (choice C03).
                    called_off: Some(CalledOff {
                        by_party: f.rule == move_rule(Origin::Parent),
                        at: Some(f.at),
                    }),
                });
                booked_at = f.at;
            }
            out.push(LaterSession {
                start: s.start,
                end: s.end,
                booked_at: Some(booked_at),
                called_off: called_off(s),
            });
        }
        out
    }

    fn facts_of(
        &self,
        s: &BookedSession,
        centre: &Centre,
        pay_clock: PayClock,
    ) -> Option<SessionFacts> {
        let history = history(&self.facts, &s.id);
        if history.is_empty() {
            return None;
        }
        // A refusal of the centre's own move is free, whatever the hours. A fact of its own says
        // so.
        let is_free = |f: &&RecordedFact| {
            f.kind == REFUSED_MOVE || (f.kind == "no_show" && f.rule == NO_SHOW_OF_CLOSED_FILE)
        };
        let free = self
            .facts
            .iter()
            .filter(|f| f.session.as_ref() == Some(&s.id))
            .filter(is_free)
            .map(|f| f.at)
            .collect();
        Some(SessionFacts {
            rules: FeeRules {
                notice_hours: s.notice_hours,
                fee: s.fee,
                payment_days: s.payment_days,
                pay_clock,
                tz: centre.tz,
                courtesy: centre.courtesy.clone(),
            },
            case: self.case.clone(),
            session: Slot {
                start: s.start,
                end: s.end,
            },
            // The old time was in force until the move was recorded: before that nobody could know.
            moved: self
                .moved(s, centre)
                .map(|(slot, f)| (f.recorded_at, slot))
                .collect(),
            free,
            later: self.others(&s.id, centre),
            history,
        })
    }

    /// Assesses the case by its centre's rules, as the running service does: deadlines count from
    /// when a party was really told.
    pub fn assess(&self, centre: &Centre) -> CaseAssessment {
        let (ids, facts): (Vec<SessionId>, Vec<SessionFacts>) = self
            .sessions
            .iter()
            .filter_map(|s| Some((s.id.clone(), self.facts_of(s, centre, PayClock::WhenTold)?)))
            .unzip();
        let payments: Vec<Payment> = self
            .facts
            .iter()
            .filter(|f| f.kind == "payment")
            .filter_map(|f| {
                Some(Payment {
                    at: f.at,
                    minor: f.amount?,
                })
            })
            .collect();
        let CaseLedger {
            sessions,
            unallocated,
        } = case_ledger(&facts, &payments);
        let sessions = ids
            .into_iter()
            .zip(sessions)
            .map(|(session, result)| Assessed { session, result })
            .collect();
        let referrals = self
            .facts
            .iter()
            .filter(|f| f.kind == "new_referral")
            .map(|f| f.at)
            .collect();
        CaseAssessment {
            sessions,
            unallocated,
            referrals,
        }
    }
}

fn called_off(s: &BookedSession) -> Option<CalledOff> {
    matches!(s.state, SessionState::Cancelled | SessionState::Closed).then(|| CalledOff {
        by_party: s.off.is_some_and(|(by, _)| by != CancelledBy::Centre),
        at: s.off.map(|(_, at)| at),
    })
}

/// The parties of a case as recipients of notices.
pub fn recipients(roles: &[Role]) -> Vec<Recipient> {
    roles
        .iter()
        .map(|r| match r {
            Role::Resident => Recipient::Resident,
            Role::Contact => Recipient::Contact,
            Role::Referrer => Recipient::Referrer(1),
        })
        .collect()
}

/// The span in which the family is at the centre for a session, with the journey there. No text
/// about money is sent then.
pub fn busy(s: &BookedSession) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
    let takes_place = matches!(
        s.state,
        SessionState::Booked | SessionState::Attended | SessionState::NoShow
    );
    takes_place.then_some((s.start - Duration::minutes(30), s.end))
}
