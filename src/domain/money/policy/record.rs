//! From what was recorded of a case to what the rules make of it: which facts concern which
//! session, in which order, and how the case stands as a whole.

use crate::domain::centre::Centre;
use crate::domain::ids::{FactId, SessionId};
use crate::domain::local_time::{instant, parse_local};
use crate::domain::money::policy::assess::Assessment;
use crate::domain::money::policy::facts::{
    Absent, CaseFacts, Fact, Facts, LaterSession, Money, Note, OffBy, Parent, PayClock, Recipient,
    Rules, Slot, What,
};
use crate::domain::money::policy::ledger::{CaseLedger, Payment, case_ledger};
use crate::domain::money::policy::notices::Notice;
use crate::domain::money::policy::timeline::{FeeState, Standing};
use crate::domain::people::person::Role;
use crate::domain::visits::notice::Origin;
use crate::domain::visits::session::{CancelledBy, Reason, SessionState};
use chrono::{DateTime, Duration, Utc};
use std::collections::HashSet;

/// The fact that a cancellation refused a move that the centre began, in time for it to be free.
pub const REFUSED_MOVE: &str = "refused_move";

/// The fact that a party was told that nothing is owed, and then something recorded later made them
/// owe it, dated when it was settled for them: from that instant on what they were told of that fee
/// before is told no more.
pub const OWED_AGAIN: &str = "owed_again";

/// The rule of a no-show before which the file had been closed.
pub const NO_SHOW_OF_CLOSED_FILE: &str = "C20";

/// A fact as it was recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Its id.
    pub id: FactId,
    /// The fact that it takes out of the reckoning, for one that is `voided`.
    pub voids: Option<FactId>,
    /// The session, if it is about one.
    pub session: Option<SessionId>,
    /// The party, if it is about one.
    pub role: Option<Role>,
    /// What: `cancelled`, `closed`, `taken_back`, `reinstated`, `note`, `payment` …
    pub kind: String,
    /// When it happened.
    pub at: DateTime<Utc>,
    /// When it was recorded.
    pub recorded_at: DateTime<Utc>,
    /// The rule it rests on.
    pub rule: String,
    /// What its kind needs: a reason, a note, a deadline.
    pub detail: String,
    /// An amount in minor units.
    pub amount: Option<i64>,
}

/// A session of the case with the rules in force for it.
#[derive(Debug, Clone)]
pub struct BookedSession {
    /// Its id.
    pub id: SessionId,
    /// Its start as it is booked now.
    pub start: DateTime<Utc>,
    /// Its end.
    pub end: DateTime<Utc>,
    /// Where it stands.
    pub state: SessionState,
    /// Since when it is booked.
    pub booked_at: DateTime<Utc>,
    /// Who called it off, and when that reached us.
    pub off: Option<(CancelledBy, DateTime<Utc>)>,
    /// Hours of notice without a fee.
    pub notice_hours: i64,
    /// The fee.
    pub fee: Money,
    /// Days to pay.
    pub payment_days: u32,
}

/// All that was recorded of a case.
#[derive(Debug, Clone)]
pub struct CaseRecord {
    /// The case.
    pub case: CaseFacts,
    /// Its sessions.
    pub sessions: Vec<BookedSession>,
    /// Its facts that stand, in the order in which they were recorded.
    pub facts: Vec<Recorded>,
}

/// What the rules make of one session.
#[derive(Debug, Clone)]
pub struct Assessed {
    /// The session.
    pub session: SessionId,
    /// What they make of it.
    pub result: Assessment,
}

/// What the rules make of a case.
#[derive(Debug, Clone)]
pub struct CaseAssessment {
    /// The sessions about which anything was recorded that concerns money.
    pub sessions: Vec<Assessed>,
    /// Money beyond what was owed when it came (choice C18).
    pub unallocated: Vec<Payment>,
    referrals: Vec<DateTime<Utc>>,
}

/// The rule of a move, as its fact keeps it: who began it.
pub fn move_rule(origin: Origin) -> &'static str {
    match origin {
        Origin::Centre => "by-centre",
        Origin::Parent => "by-parent",
    }
}

/// Of facts those that stand: a fact that was voided is as if it had never been recorded.
pub fn standing(mut facts: Vec<Recorded>) -> Vec<Recorded> {
    let voided: HashSet<FactId> = facts.iter().filter_map(|f| f.voids.clone()).collect();
    facts.retain(|f| !voided.contains(&f.id));
    facts
}

/// A note as it is kept in a fact.
pub fn write_note(n: &Note) -> String {
    let children = n.children.map_or_else(|| "-".to_owned(), |c| c.to_string());
    format!(
        "{} {} {} {children} {}",
        n.about,
        n.from,
        n.to,
        if n.brought { "brought" } else { "received" }
    )
}

fn read_note(s: &str) -> Option<Note> {
    let mut words = s.split(' ');
    let note = Note {
        about: words.next()?.parse().ok()?,
        from: words.next()?.parse().ok()?,
        to: words.next()?.parse().ok()?,
        children: match words.next()? {
            "-" => None,
            n => Some(n.parse().ok()?),
        },
        brought: words.next()? == "brought",
    };
    Some(note)
}

/// The fact that a party was told of an obligation: which text or call it was, and the deadline
/// that it named, if it named one.
pub fn write_told(what: &str, deadline: Option<DateTime<Utc>>) -> String {
    format!(
        "{what} {}",
        deadline.map_or_else(|| "-".to_owned(), |d| d.to_rfc3339())
    )
}

fn parent(role: Option<Role>) -> Option<Parent> {
    match role {
        Some(Role::Resident) => Some(Parent::Resident),
        Some(Role::Contact) => Some(Parent::Contact),
        _ => None,
    }
}

/// What a fact about a session means to the rules on money; `None` for one that means nothing to
/// them.
fn meaning(f: &Recorded) -> Option<What> {
    Some(match f.kind.as_str() {
        "cancelled" => match parent(f.role) {
            Some(by) => What::Cancelled {
                by,
                reason: f.detail.parse().unwrap_or(Reason::Other),
                ill: None,
                only_some: false,
            },
            None => What::CentreCancelled { closure: false },
        },
        "some_children" => What::Cancelled {
            by: parent(f.role)?,
            reason: Reason::IllChild,
            ill: f.detail.parse().ok(),
            only_some: true,
        },
        "closed" => What::CentreCancelled { closure: true },
        "no_show" => What::NoShow(f.detail.parse::<Absent>().ok()?),
        "reinstated" => What::Reinstated,
        "ill_counted" => What::IllCounted(f.detail.parse().ok()?),
        "note" => What::Note(read_note(&f.detail)?),
        "waived" => What::ManagerWaived,
        "written_off" => What::ManagerWroteOff,
        "told" => match f.detail.split_once(' ') {
            Some(("all_parties_notice", _)) => What::AllPartiesTold,
            Some((_, deadline)) => What::DeadlineTold(deadline.parse().unwrap_or(f.at)),
            None => What::DeadlineTold(f.at),
        },
        "informed" if f.detail == "all_parties_notice" && parent(f.role).is_some() => {
            What::OtherPartyTold
        }
        _ => return None,
    })
}

impl CaseRecord {
    /// What happened to one session, as the rules on money see it.
    fn history(&self, session: &SessionId) -> Vec<Fact> {
        let mut out: Vec<Fact> = Vec::new();
        for f in self
            .facts
            .iter()
            .filter(|f| f.session.as_ref() == Some(session))
        {
            match f.kind.as_str() {
                // Taken back before anybody was told: as if it had not been (safety rule S2).
                "taken_back" => {
                    let by = parent(f.role);
                    let from = out
                        .iter()
                        .rposition(|f| f.what == What::Reinstated)
                        .map_or(0, |n| n + 1);
                    let mut n = 0;
                    out.retain(|f| {
                        n += 1;
                        n <= from || !matches!(f.what, What::Cancelled { by: who, only_some: false, .. } if Some(who) == by)
                    });
                }
                OWED_AGAIN => {
                    // What was in the air then and arrived later tells nothing more either.
                    out.retain(|x| {
                        x.at <= f.at
                            || !matches!(
                                x.what,
                                What::DeadlineTold(_) | What::AllPartiesTold | What::OtherPartyTold
                            )
                    });
                    out.push(Fact {
                        at: f.at,
                        what: What::OwedAgain,
                    });
                }
                // The later record of who came takes the place of the earlier one about the same
                // parent.
                "attended" => {
                    for fact in &mut out {
                        if let What::NoShow(absent) = fact.what {
                            match (absent, f.detail.as_str()) {
                                (Absent::Both, "resident") => {
                                    fact.what = What::NoShow(Absent::Contact)
                                }
                                (Absent::Both, "contact") => {
                                    fact.what = What::NoShow(Absent::Resident)
                                }
                                _ => {}
                            }
                        }
                    }
                    out.retain(|x| !matches!(x.what, What::NoShow(absent) if f.detail == "both" || absent.as_str() == f.detail));
                }
                _ => {
                    if let Some(what) = meaning(f) {
                        match what {
                            What::NoShow(_) => out.retain(|f| !matches!(f.what, What::NoShow(_))),
                            // A number that is corrected for the same moment or an earlier one.
                            What::IllCounted(_) => out
                                .retain(|x| !matches!(x.what, What::IllCounted(_)) || x.at < f.at),
                            _ => {}
                        }
                        out.push(Fact { at: f.at, what });
                    }
                }
            }
        }
        out
    }

    /// Whether staff's record says that somebody did not come to a session, as it stands now.
    pub fn missed(&self, session: &SessionId) -> bool {
        self.history(session)
            .iter()
            .any(|f| matches!(f.what, What::NoShow(_)))
    }

    /// The facts of a session since its fee was last owed again after a receipt: what was told or
    /// released before counts no more.
    fn since_receipt(&self, session: &SessionId) -> impl Iterator<Item = &Recorded> {
        let of = move |f: &&Recorded| f.session.as_ref() == Some(session);
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

    /// When a person last did.
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
    fn moved(&self, s: &BookedSession, centre: &Centre) -> impl Iterator<Item = (Slot, &Recorded)> {
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

    /// The other sessions of the case as deadlines see them: a move is one called off, by the
    /// centre or by a party, and another one booked.
    fn others(&self, than: &SessionId, centre: &Centre) -> Vec<LaterSession> {
        let mut out = Vec::with_capacity(self.sessions.len());
        for s in self.sessions.iter().filter(|s| s.id != *than) {
            let mut booked_at = s.booked_at;
            for (slot, f) in self.moved(s, centre) {
                // Who owes gains no time by asking for another date (choice C03): the old one stays
                // what it was for the fee.
                let by = if f.rule == move_rule(Origin::Parent) {
                    OffBy::Party
                } else {
                    OffBy::Centre
                };
                out.push(LaterSession {
                    start: slot.start,
                    end: slot.end,
                    booked_at: Some(booked_at),
                    off: Some((by, Some(f.at))),
                });
                booked_at = f.at;
            }
            let by = |b| {
                if b == CancelledBy::Centre {
                    OffBy::Centre
                } else {
                    OffBy::Party
                }
            };
            let off = match s.state {
                SessionState::Cancelled | SessionState::Closed => {
                    s.off.map_or(Some((OffBy::Centre, None)), |(b, at)| {
                        Some((by(b), Some(at)))
                    })
                }
                _ => None,
            };
            out.push(LaterSession {
                start: s.start,
                end: s.end,
                booked_at: Some(booked_at),
                off,
            });
        }
        out
    }

    fn facts_of(&self, s: &BookedSession, centre: &Centre, pay_clock: PayClock) -> Option<Facts> {
        let history = self.history(&s.id);
        if history.is_empty() {
            return None;
        }
        // A refusal of a move that the centre began is free, whatever the hours: that it was one is
        // a fact of its own, recorded with it.
        let is_free = |f: &&Recorded| {
            f.kind == REFUSED_MOVE || (f.kind == "no_show" && f.rule == NO_SHOW_OF_CLOSED_FILE)
        };
        let free = self
            .facts
            .iter()
            .filter(|f| f.session.as_ref() == Some(&s.id))
            .filter(is_free)
            .map(|f| f.at)
            .collect();
        Some(Facts {
            rules: Rules {
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
            // What nobody had recorded nobody could know: the time was in force until then.
            moved: self
                .moved(s, centre)
                .map(|(slot, f)| (f.recorded_at, slot))
                .collect(),
            free,
            later: self.others(&s.id, centre),
            history,
        })
    }

    /// Assesses the case by its centre's rules as the running service does: the clock of a step
    /// starts at a recorded telling.
    pub fn assess(&self, centre: &Centre) -> CaseAssessment {
        let (ids, facts): (Vec<SessionId>, Vec<Facts>) = self
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

/// How a case stands as a whole.
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
    /// What the rules make of one session.
    pub fn of(&self, session: &SessionId) -> Option<&Assessment> {
        self.sessions
            .iter()
            .find(|s| s.session == *session)
            .map(|s| &s.result)
    }

    /// How one session stands at an instant.
    pub fn standing(&self, session: &SessionId, at: DateTime<Utc>) -> Standing {
        self.of(session)
            .map_or(Standing::CLEAR, |a| a.standing_at(at))
    }

    /// How the case stands at an instant. A new referral opens the file again and leaves what lay
    /// before it behind; what is owed stays owed.
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

    /// The notices of a session that the rules call for up to an instant, in their order.
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
        // What lies "at" an instant has happened from that instant on; a deadline is passed just
        // after it.
        states.chain(notices).filter(|t| *t > now).min()
    }
}

/// The parties of a case as the rules name them.
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

/// The span in which the family is at the centre for a session, with the way there: nothing about
/// money goes to a phone then.
pub fn busy(s: &BookedSession) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
    let takes_place = matches!(
        s.state,
        SessionState::Booked | SessionState::Attended | SessionState::NoShow
    );
    takes_place.then_some((s.start - Duration::minutes(30), s.end))
}
