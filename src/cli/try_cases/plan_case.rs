//! The confirmation plan of one session from its whole history: the story that `courtesy try plan`
//! tells, with the very rules of [`crate::domain::reminders::schedule`] that serve.

use crate::domain::centre::Courtesy;
use crate::domain::local_time::{after_quiet, instant};
use crate::domain::people::person::{Channel, Role};
use crate::domain::reminders::schedule::{NotSent, ask_at, hopeless_from, last_call};
use chrono::{DateTime, NaiveDateTime, Utc};
use chrono_tz::Tz;

/// Something that happened to a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlanEvent {
    /// It got a new local start.
    Moved(NaiveDateTime),
    /// It ended before it took place: cancelled, centre closed, file archived.
    Off(NotSent),
}

/// One party of the session, as far as the plan asks.
#[derive(Debug, Clone)]
pub struct PlanParty {
    /// The role as written; only the two parents attend.
    pub role: Role,
    /// The party's addresses in its order of preference, and whether each can be used.
    pub channels: Vec<(Channel, bool)>,
    /// Since when it wants no messages.
    pub opted_out_at: Option<DateTime<Utc>>,
    /// When it confirmed.
    pub confirmed_at: Option<DateTime<Utc>>,
    /// Its own arrival for the first start; after a move it keeps the offset.
    pub arrival: Option<NaiveDateTime>,
}

/// A session with its history.
#[derive(Debug, Clone)]
pub struct PlanCase {
    /// The centre's rules of sending.
    pub courtesy: Courtesy,
    /// The centre's wall clock.
    pub tz: Tz,
    /// The file is closed from the start.
    pub archived: bool,
    /// First local start.
    pub start: NaiveDateTime,
    /// When it was booked.
    pub booked_at: DateTime<Utc>,
    /// What happened, with its instants.
    pub history: Vec<(DateTime<Utc>, PlanEvent)>,
    /// Spans `[down, up)` in which the provider was away.
    pub outages: Vec<(DateTime<Utc>, Option<DateTime<Utc>>)>,
    /// The parties.
    pub parties: Vec<PlanParty>,
}

/// One confirmation that goes out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedSend {
    /// When.
    pub at: DateTime<Utc>,
    /// For which local start of the session.
    pub for_start: NaiveDateTime,
    /// By which channel.
    pub via: Channel,
}

/// What becomes of one party's confirmations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartyOutcome {
    /// What goes out.
    pub sends: Vec<PlannedSend>,
    /// What became of the rest, if something was owed.
    pub not_sent: Option<NotSent>,
}

impl PlanCase {
    /// The plan of each party, in the order of the parties.
    pub fn outcomes(&self) -> Vec<PartyOutcome> {
        self.parties.iter().map(|p| self.outcome(p)).collect()
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
        let mut history = self.history.clone();
        history.sort_by_key(|(at, h)| (*at, matches!(h, PlanEvent::Off(_))));
        let off = history.iter().find_map(|(at, h)| {
            if let PlanEvent::Off(why) = h {
                Some((*at, *why))
            } else {
                None
            }
        });
        let offset = p
            .arrival
            .map_or(chrono::Duration::zero(), |a| a - self.start);
        // Versions of the session: each with its start, when it was known, and when the next one
        // replaced it.
        let mut versions = vec![(self.start, self.booked_at)];
        for (at, h) in &history {
            if let PlanEvent::Moved(start) = h
                && off.is_none_or(|(off_at, _)| *at < off_at)
            {
                versions.push((*start, *at));
            }
        }
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

    /// What is decided about one version of the session, and when.
    fn decide(
        &self,
        p: &PlanParty,
        start: NaiveDateTime,
        known: DateTime<Utc>,
        arrival: NaiveDateTime,
        off: Option<(DateTime<Utc>, NotSent)>,
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

struct Decided {
    at: DateTime<Utc>,
    result: Result<Channel, NotSent>,
}
