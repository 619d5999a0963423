//! The confirmation plan of one session from its whole history, by the same rules of
//! [`crate::domain::reminders::schedule`] that the service follows.

use crate::cli::try_cases::plan_input::{PlanCase, PlanEvent, PlanParty};
use crate::cli::utc;
use crate::domain::local_time::{after_quiet, instant};
use crate::domain::people::channel::Channel;
use crate::domain::people::role::Role;
use crate::domain::reminders::courtesy::Courtesy;
use crate::domain::reminders::schedule::{NotSent, ask_at, last_call};
use chrono::{DateTime, NaiveDateTime, Utc};
use chrono_tz::Tz;
use serde_json::{Value, json};

/// One confirmation that goes out.
#[derive(Debug, Clone, PartialEq, Eq)]
struct PlannedSend {
    /// When.
    at: DateTime<Utc>,
    /// For which local start of the session.
    for_start: NaiveDateTime,
    /// By which channel.
    via: Channel,
}

/// What becomes of one party's confirmations.
#[derive(Debug, Clone, PartialEq, Eq)]
struct PartyOutcome {
    /// What goes out.
    sends: Vec<PlannedSend>,
    /// What became of the rest, if something was owed.
    not_sent: Option<NotSent>,
}

impl PlanCase {
    /// The plan of each party, in the shape of `expected`.
    pub(super) fn actual(&self) -> Value {
        let parties: Vec<Value> = self
            .parties
            .iter()
            .map(|p| {
                let outcome = self.outcome(p);
                let sends: Vec<Value> = outcome
                    .sends
                    .iter()
                    .map(|s| {
                        json!({
                            "at": utc(s.at),
                            "for_start_local": s.for_start.format("%Y-%m-%dT%H:%M").to_string(),
                            "via": s.via.as_str(),
                        })
                    })
                    .collect();
                json!({
                    "role": p.role_as_written,
                    "sends": sends,
                    "not_sent": outcome.not_sent.map(NotSent::as_str),
                })
            })
            .collect();
        json!({ "parties": parties })
    }

    fn outcome(&self, p: &PlanParty) -> PartyOutcome {
        let none = |why| PartyOutcome {
            sends: Vec::new(),
            not_sent: Some(why),
        };
        if p.role == Role::Referrer {
            return none(NotSent::NotAnAttendee);
        }
        if self.archived {
            return none(NotSent::CaseArchived);
        }
        let (versions, off) = self.versions();
        let offset = p
            .arrival
            .map_or(chrono::Duration::zero(), |a| a - self.start);
        let mut out = PartyOutcome {
            sends: Vec::new(),
            not_sent: None,
        };
        for (n, (start, known)) in versions.iter().enumerate() {
            let replaced = versions.get(n + 1).map(|v| v.1);
            let confirmed = p
                .confirmed_at
                .filter(|c| (n == 0 || c >= known) && replaced.is_none_or(|r| *c < r));
            let decided = self.decide(p, *start, *known, *start + offset, off, confirmed);
            out.not_sent = match decided {
                // A move at the very instant of a decision wins (K12): the new start is what is
                // asked about.
                Decided { at, .. } if replaced.is_some_and(|r| r <= at) => continue,
                Decided {
                    at,
                    result: Ok(via),
                } => {
                    out.sends.push(PlannedSend {
                        at,
                        for_start: *start,
                        via,
                    });
                    None
                }
                Decided {
                    result: Err(why), ..
                } => Some(why),
            };
        }
        out
    }

    /// The versions of the session, each with its start and when it was known, and the end of the
    /// session before it took place, if it came to that. A later version replaces the one before it
    /// when it becomes known.
    fn versions(&self) -> (Vec<(NaiveDateTime, DateTime<Utc>)>, Option<Ended>) {
        let mut history = self.history.clone();
        history.sort_by_key(|(at, event)| (*at, matches!(event, PlanEvent::Off(_))));
        let off = history.iter().find_map(|(at, event)| match event {
            PlanEvent::Off(why) => Some((*at, *why)),
            PlanEvent::Moved(_) => None,
        });
        let mut versions = vec![(self.start, self.booked_at)];
        for (at, event) in &history {
            if let PlanEvent::Moved(start) = event
                && off.is_none_or(|(off_at, _)| *at < off_at)
            {
                versions.push((*start, *at));
            }
        }
        (versions, off)
    }

    /// Decides about one version of the session, and says when.
    fn decide(
        &self,
        p: &PlanParty,
        start: NaiveDateTime,
        known: DateTime<Utc>,
        arrival: NaiveDateTime,
        off: Option<Ended>,
        confirmed: Option<DateTime<Utc>>,
    ) -> Decided {
        let arrival = instant(self.tz, arrival);
        let (at, obstacle) = match ask_at(&self.courtesy, self.tz, start, arrival, known) {
            Err(why) => (known, Some(why)),
            Ok(m) => {
                let up = self.provider_up(m.at);
                if up.is_some_and(|t| t <= last_call(&self.courtesy, arrival)) {
                    (up.unwrap_or(m.at), None)
                } else {
                    (
                        hopeless_from(&self.courtesy, self.tz, arrival).max(m.at),
                        Some(NotSent::ProviderDownTooLong),
                    )
                }
            }
        };
        // At the deciding instant, an event at exactly that instant included (K12), the first
        // reason in order holds.
        let by = |t: Option<DateTime<Utc>>| t.is_some_and(|t| t <= at);
        let via = p
            .channels
            .iter()
            .find(|(c, usable)| *usable && *c != Channel::None)
            .map(|(c, _)| *c);
        let result = if let Some((_, why)) = off.filter(|(t, _)| *t <= at) {
            Err(why)
        } else if by(p.opted_out_at) {
            Err(NotSent::OptedOut)
        } else if let Some(via) = via {
            if by(confirmed) {
                Err(NotSent::AlreadyConfirmed)
            } else {
                obstacle.map_or(Ok(via), Err)
            }
        } else {
            Err(NotSent::NoUsableChannel)
        };
        Decided { at, result }
    }

    /// `at`, or when the provider is back and texts are allowed; `None` if it never is.
    fn provider_up(&self, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let mut t = at;
        for _ in 0..=self.outages.len() {
            match self
                .outages
                .iter()
                .find(|(down, up)| *down <= t && up.is_none_or(|u| t < u))
            {
                None => return Some(t),
                Some((_, up)) => t = after_quiet(self.courtesy.quiet, self.tz, (*up)?),
            }
        }
        Some(t)
    }
}

/// When and how a session ended before it took place.
type Ended = (DateTime<Utc>, NotSent);

/// The decision about one version of the session, and when it is certain.
struct Decided {
    at: DateTime<Utc>,
    result: Result<Channel, NotSent>,
}

/// From when on no allowed instant is left before the last call: the moment at which "too long"
/// becomes certain.
fn hopeless_from(c: &Courtesy, tz: Tz, arrival: DateTime<Utc>) -> DateTime<Utc> {
    let last = last_call(c, arrival);
    c.quiet.map_or(last, |q| q.before(tz, last))
}
