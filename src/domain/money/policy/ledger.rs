//! Several fees of one case: each has its own deadline, and money goes to the oldest unpaid (choice
//! C32).

use crate::domain::money::policy::assess::assess;
use crate::domain::money::policy::assessment::Assessment;
use crate::domain::money::policy::facts::{CaseEvent, SessionFacts, TimedEvent};
use crate::domain::money::policy::fee::{FeeStanding, FeeState};
use chrono::{DateTime, Utc};

/// Money received on a case, for no session in particular.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Payment {
    /// When it was received.
    pub at: DateTime<Utc>,
    /// Minor units of the currency of the case's fees.
    pub minor: i64,
}

/// All fees of a case together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseLedger {
    /// Each session's assessment, in the order given.
    pub sessions: Vec<Assessment>,
    /// Money beyond what was owed when it came: refund or credit is a manager's decision (choice
    /// C18).
    pub unallocated: Vec<Payment>,
}

/// What can still be paid of a fee, with its rank: payable fees first, then those written off, then
/// those that wait for a note.
fn owed(s: &FeeStanding) -> Option<(u8, i64)> {
    match s.fee {
        FeeState::Due => Some((0, s.outstanding)),
        FeeState::WrittenOff => Some((1, s.forgiven)),
        FeeState::Provisional => Some((2, s.awaited)),
        FeeState::None | FeeState::Waived | FeeState::Paid => None,
    }
}

/// Assesses the sessions of one case. Each payment goes to the fee that was the oldest unpaid one
/// when it came, and what is left of it to the next.
///
/// The sessions must have no payments among their own events, and the fees one currency.
pub fn case_ledger(sessions: &[SessionFacts], payments: &[Payment]) -> CaseLedger {
    let mut sessions = sessions.to_vec();
    let mut out: Vec<Assessment> = sessions.iter().map(assess).collect();
    let mut payments = payments.to_vec();
    payments.sort_unstable();
    let mut unallocated = Vec::new();
    for p in payments {
        let mut rest = p.minor;
        let mut open: Vec<(u8, Option<DateTime<Utc>>, usize, i64)> = out
            .iter()
            .enumerate()
            .filter_map(|(n, a)| {
                owed(&a.standing_at(p.at)).map(|(class, left)| (class, a.incurred_at, n, left))
            })
            .collect();
        open.sort_unstable();
        for (_, _, n, left) in open {
            let part = rest.min(left);
            if part > 0
                && let Some(facts) = sessions.get_mut(n)
            {
                rest -= part;
                facts.history.push(TimedEvent {
                    at: p.at,
                    event: CaseEvent::Paid(part),
                });
                out[n] = assess(facts);
            }
        }
        if rest > 0 {
            unallocated.push(Payment { minor: rest, ..p });
        }
    }
    CaseLedger {
        sessions: out,
        unallocated,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::money::policy::properties::{late_case, t};

    #[test]
    fn money_goes_to_the_oldest_unpaid_fee() {
        let mut second = late_case();
        for f in &mut second.history {
            f.at += chrono::Duration::hours(1);
        }
        let pay = |at: &str, minor| Payment { at: t(at), minor };
        let payments = [
            pay("2026-12-02T09:00:00Z", 2000),
            pay("2026-12-01T09:00:00Z", 5000),
            pay("2026-12-03T09:00:00Z", 3000),
        ];
        let l = case_ledger(&[second, late_case()], &payments);
        let at = |s| -> Vec<(i64, bool)> {
            l.sessions
                .iter()
                .map(|a| a.standing_at(t(s)))
                .map(|s| (s.outstanding, s.hold))
                .collect()
        };
        assert_eq!(at("2026-11-30T00:00:00Z"), [(4500, true), (4500, true)]);
        assert_eq!(
            at("2026-12-01T09:00:00Z"),
            [(4000, true), (0, false)],
            "5000 settle the older fee, the rest goes to the next"
        );
        assert_eq!(at("2026-12-02T09:00:00Z"), [(2000, true), (0, false)]);
        assert_eq!(at("2026-12-03T09:00:00Z"), [(0, false), (0, false)]);
        assert_eq!(l.unallocated, [pay("2026-12-03T09:00:00Z", 1000)]);
    }
}
