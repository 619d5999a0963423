//! A golden case of the rules on money: reads it from JSON, and writes what the rules make of it in
//! the shape of its `expected`.

use crate::cli::try_cases::json::{
    DATE, INSTANT, Read, at, at_opt, below, count, date, field, flag, item, list, parsed, problem,
    section, text, to_instant, whole,
};
use crate::cli::try_cases::visit_notices::{VisitEvent, visit_notices};
use crate::domain::config_reader::Problem;
use crate::domain::local_time::{instant, parse_local};
use crate::domain::money::amount::Money;
use crate::domain::money::policy::{
    Absent, Assessment, CalledOff, CaseEvent, CaseFacts, FeeRules, LaterSession, Note, NoteSubject,
    Notice, NoticeKind, Parent, PayClock, Recipient, SessionFacts, Slot, TimedEvent, assess,
};
use crate::domain::reminders::courtesy::Courtesy;
use crate::domain::task::TaskKind;
use crate::domain::visits::session::Reason;
use chrono::{DateTime, SecondsFormat, Utc};
use chrono_tz::Tz;
use serde_json::{Value, json};

/// A case with the instants at which it is looked at.
#[derive(Debug, Clone)]
pub struct PolicyCase {
    /// What the rules on money look at.
    pub facts: SessionFacts,
    /// What happened to the visit.
    visit: Vec<(DateTime<Utc>, VisitEvent)>,
    /// When the states are wanted, in the order given.
    evaluate_at: Vec<DateTime<Utc>>,
}

fn slot(v: &Value, tz: Tz) -> Read<Slot> {
    let local = |key| {
        parsed(
            v,
            key,
            "Write a local time such as \"2026-11-28T10:00\".",
            parse_local,
        )
        .map(|l| instant(tz, l))
    };
    let (start, end) = (local("start_local")?, local("end_local")?);
    if end <= start {
        return Err(problem(
            "end_local",
            "it is not after the start",
            "Give the end of the session.",
        ));
    }
    Ok(Slot { start, end })
}

fn rules(v: &Value) -> Read<FeeRules> {
    let currency = parsed(
        v,
        "currency",
        "Write three letters, such as \"GBP\".",
        Money::currency,
    )?;
    let bank_holidays = list(v, "bank_holidays", |d| item(d, DATE, |s| s.parse().ok()))?;
    Ok(FeeRules {
        notice_hours: whole(v, "notice_hours", None, 0, 8760)?,
        fee: Money {
            minor: whole(v, "fee_pence", None, 0, 100_000_000)?,
            currency,
        },
        payment_days: whole(v, "payment_days", Some(7), 1, 365)?
            .unsigned_abs()
            .try_into()
            .unwrap_or(7),
        pay_clock: PayClock::AsPlanned,
        tz: parsed(
            v,
            "tz",
            "Write an IANA zone such as \"Europe/London\".",
            |s| s.parse().ok(),
        )?,
        courtesy: Courtesy {
            bank_holidays,
            ..Courtesy::default()
        },
    })
}

/// Reads a party of a case: `resident`, `contact`, `referrer`, `referrer2` to `referrer9`.
fn party(word: &str) -> Option<Recipient> {
    match word {
        "contact" => Some(Recipient::Contact),
        "resident" => Some(Recipient::Resident),
        "referrer" => Some(Recipient::Referrer(1)),
        other => other
            .strip_prefix("referrer")
            .and_then(|n| n.parse().ok())
            .filter(|n| (2..=9).contains(n))
            .map(Recipient::Referrer),
    }
}

const PARTIES: &str = "Use resident, contact, referrer, referrer2 to referrer9.";

fn case(v: &Value) -> Read<CaseFacts> {
    let parties = list(v, "parties", |p| item(p, PARTIES, party))?;
    if parties.is_empty() {
        return Err(problem("parties", "it is empty or missing", PARTIES));
    }
    Ok(CaseFacts {
        court_ordered: flag(v, "court_ordered")?,
        children: count(v, "children", Some(1))?.unwrap_or(1),
        parties,
    })
}

fn later(v: &Value, tz: Tz) -> Read<LaterSession> {
    let Slot { start, end } = slot(v, tz)?;
    let by_party = |s: &str| match s {
        "centre" => Some(false),
        other => party(other).map(|_| true),
    };
    let called_off = match field(v, "cancelled_by") {
        None => None,
        Some(_) => Some(CalledOff {
            by_party: parsed(
                v,
                "cancelled_by",
                "Use resident, contact or centre.",
                by_party,
            )?,
            at: at_opt(v, "cancelled_at")?,
        }),
    };
    Ok(LaterSession {
        start,
        end,
        booked_at: at_opt(v, "booked_at")?,
        called_off,
    })
}

fn parent(v: &Value, key: &str) -> Read<Parent> {
    parsed(v, key, "Use resident or contact.", |s| s.parse().ok())
}

/// An event with what it is to the visit, if it is anything to it.
type BothEvents = (TimedEvent, Option<VisitEvent>);

fn cancellation(v: &Value) -> Read<BothEvents> {
    let at = at(v, "at")?;
    if text(v, "by")? == "centre" {
        let closure = field(v, "reason").is_some_and(|r| r == "closure");
        return Ok((
            TimedEvent {
                at,
                event: CaseEvent::CentreCancelled,
            },
            Some(VisitEvent::CentreCancelled { closure }),
        ));
    }
    let by = parsed(v, "by", "Use resident, contact or centre.", |s| {
        s.parse().ok()
    })?;
    let (reason, only_some) = (reason(v)?, only_some(v)?);
    let event = CaseEvent::Cancelled {
        by,
        reason,
        ill: count(v, "children_ill", None)?,
        only_some,
    };
    Ok((
        TimedEvent { at, event },
        Some(VisitEvent::Cancelled { by, only_some }),
    ))
}

fn reason(v: &Value) -> Read<Reason> {
    match field(v, "reason") {
        None => Ok(Reason::Other),
        Some(_) => parsed(
            v,
            "reason",
            "Use none, other, transport, child_ill or self_ill.",
            |s| match s {
                "none" | "other" => Some(Reason::Other),
                "transport" => Some(Reason::Travel),
                "child_ill" => Some(Reason::IllChild),
                "self_ill" => Some(Reason::IllSelf),
                _ => None,
            },
        ),
    }
}

fn only_some(v: &Value) -> Read<bool> {
    match field(v, "scope") {
        None => Ok(false),
        Some(_) => parsed(
            v,
            "scope",
            "Use \"some_children\", \"all\", or leave it out.",
            |s| match s {
                "some_children" => Some(true),
                "all" | "all_children" | "session" => Some(false),
                _ => None,
            },
        ),
    }
}

fn note(v: &Value) -> Read<TimedEvent> {
    let from = date(v, "covers_date")?;
    let to = if field(v, "covers_to").is_some() {
        date(v, "covers_to")?
    } else {
        from
    };
    if to < from {
        return Err(problem(
            "covers_to",
            "it lies before covers_date",
            "Give the last day that the note covers.",
        ));
    }
    let about = parsed(v, "about", "Use child, contact or resident.", |s| {
        s.parse::<NoteSubject>().ok()
    })?;
    let note = Note {
        about,
        from,
        to,
        children: count(v, "children", None)?,
        brought: flag(v, "brought_to_next_contact")?,
    };
    Ok(TimedEvent {
        at: at(v, "received_at")?,
        event: CaseEvent::Note(note),
    })
}

fn payment(v: &Value) -> Read<TimedEvent> {
    if field(v, "by").is_some() {
        parsed(v, "by", "Use resident, contact, referrer or other.", |s| {
            (s == "other" || party(s).is_some()).then_some(())
        })?;
    }
    Ok(TimedEvent {
        at: at(v, "at")?,
        event: CaseEvent::Paid(whole(v, "pence", None, 1, 1_000_000_000)?),
    })
}

fn decision(v: &Value) -> Read<TimedEvent> {
    let event = parsed(v, "action", "Use waive or write_off.", |s| match s {
        "waive" => Some(CaseEvent::ManagerWaived),
        "write_off" => Some(CaseEvent::ManagerWroteOff),
        _ => None,
    })?;
    Ok(TimedEvent {
        at: at(v, "at")?,
        event,
    })
}

fn no_show(v: &Value) -> Read<BothEvents> {
    let absent = parsed(v, "party", "Use resident, contact, both or unknown.", |s| {
        s.parse::<Absent>().ok()
    })?;
    Ok((
        TimedEvent {
            at: at(v, "recorded_at")?,
            event: CaseEvent::NoShow(absent),
        },
        Some(VisitEvent::NoShow(absent)),
    ))
}

impl PolicyCase {
    /// Reads the `input` of a case. A problem names the key and how to fix it.
    pub fn read(v: &Value) -> Result<PolicyCase, Problem> {
        let rules = below("policy", rules(section(v, "policy")?))?;
        let tz = rules.tz;
        let mut events = list(v, "cancellations", cancellation)?;
        let confirmed = list(v, "reconfirmations", |y| {
            Ok((at(y, "at")?, VisitEvent::Yes(parent(y, "by")?)))
        })?;
        events.append(&mut list(v, "reinstatements", |r| {
            let event = CaseEvent::Reinstated;
            let at = at(r, "at")?;
            Ok((TimedEvent { at, event }, Some(VisitEvent::Reinstated)))
        })?);
        let money_only = |e| (e, None);
        events.extend(list(v, "notes", note)?.into_iter().map(money_only));
        events.extend(list(v, "payments", payment)?.into_iter().map(money_only));
        events.extend(list(v, "manager", decision)?.into_iter().map(money_only));
        if let Some(absent) = field(v, "no_show") {
            events.push(below("no_show", no_show(absent))?);
        }
        let facts = SessionFacts {
            case: below("case", case(section(v, "case")?))?,
            session: below("session", slot(section(v, "session")?, tz))?,
            moved: Vec::new(),
            free: Vec::new(),
            later: list(v, "later_sessions", |l| later(l, tz))?,
            rules,
            history: events.iter().map(|(e, _)| *e).collect(),
        };
        let visit = events
            .iter()
            .filter_map(|(e, visit)| Some((e.at, (*visit)?)))
            .chain(confirmed)
            .collect();
        let evaluate_at = list(v, "evaluate_at", |t| item(t, INSTANT, to_instant))?;
        Ok(PolicyCase {
            facts,
            visit,
            evaluate_at,
        })
    }

    /// The result, in the shape of `expected`.
    pub fn actual(&self) -> Value {
        let assessment = assess(&self.facts);
        let mut notices = visit_notices(&self.facts, &self.visit);
        notices.extend(&assessment.notices);
        shape(&assessment, &notices, &self.evaluate_at)
    }
}

fn shape(a: &Assessment, notices: &[Notice], evaluate_at: &[DateTime<Utc>]) -> Value {
    let timeline: Vec<Value> = evaluate_at
        .iter()
        .map(|at| {
            let s = a.standing_at(*at);
            json!({
                "at": utc(*at),
                "fee_state": s.fee.as_str(),
                "outstanding_pence": s.outstanding,
                "bookings_hold": s.hold,
                "case_state": if s.archived { "archived" } else { "open" },
            })
        })
        .collect();
    json!({
        "late": a.late,
        "fee_pence": a.charge.minor,
        "liable_party": a.liable.map(Parent::as_str),
        "timeline": timeline,
        "escalation": {
            "all_parties_notice_at": a.escalation.all_parties_notice_at.map(utc),
            "close_at": a.escalation.close_at.map(utc),
            "new_referral_required": a.escalation.close_at.is_some(),
        },
        "notices": listed(notices),
    })
}

fn utc(t: DateTime<Utc>) -> String {
    t.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// The notices as a case spells them, by instant, kind, recipient and topic.
fn listed(notices: &[Notice]) -> Vec<Value> {
    let mut rows: Vec<_> = notices
        .iter()
        .map(|n| {
            let (kind, topic) = match n.kind {
                NoticeKind::Message(kind) => (kind.as_str(), None),
                NoticeKind::Task(TaskKind::Cancellation) => ("coordinator_cancellation", None),
                NoticeKind::Task(topic) => ("coordinator_review", Some(topic.as_str())),
            };
            (n.at, kind, n.to, topic)
        })
        .collect();
    rows.sort_unstable();
    rows.into_iter()
        .map(|(at, kind, to, topic)| {
            let mut row = json!({ "kind": kind, "to": to.to_string(), "at": utc(at) });
            if let Some(topic) = topic {
                row["topic"] = topic.into();
            }
            row
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case() -> Value {
        json!({
            "policy": { "notice_hours": 48, "fee_pence": 4500, "currency": "GBP", "tz": "Europe/London" },
            "case": { "children": 2, "parties": ["resident", "contact", "referrer2"] },
            "session": { "start_local": "2026-11-28T10:00", "end_local": "2026-11-28T12:00" },
            "cancellations": [{ "at": "2026-11-27T18:00:00Z", "by": "resident", "reason": "none" }],
            "notes": [{ "received_at": "2026-12-01T09:00:00Z", "about": "child", "covers_date": "2026-11-28" }],
            "no_show": null,
            "evaluate_at": ["2026-11-27T18:00:00Z"],
        })
    }

    #[test]
    fn a_bad_value_is_named_with_its_key_and_fix() {
        assert_eq!(
            PolicyCase::read(&case()).unwrap().actual()["timeline"][0]["fee_state"],
            "due"
        );
        for (at, bad, said) in [
            (
                "/policy/fee_pence",
                json!(-1),
                "policy.fee_pence: -1 is no whole number from 0 to 100000000. Give one from 0 to \
                 100000000.",
            ),
            (
                "/policy/tz",
                json!("Europe/Londn"),
                "policy.tz: \"Europe/Londn\" is not understood. Write an IANA zone such as \
                 \"Europe/London\".",
            ),
            (
                "/policy/currency",
                json!("pounds"),
                "policy.currency: \"pounds\" is not understood. Write three letters, such as \
                 \"GBP\".",
            ),
            (
                "/case/parties/1",
                json!("grandma"),
                "case.parties[1]: \"grandma\" is not understood. Use resident, contact, referrer, \
                 referrer2 to referrer9.",
            ),
            (
                "/session/end_local",
                json!("2026-11-28T10:00"),
                "session.end_local: it is not after the start. Give the end of the session.",
            ),
            (
                "/cancellations/0/by",
                json!("grandma"),
                "cancellations[0].by: \"grandma\" is not understood. Use resident, contact or \
                 centre.",
            ),
            (
                "/cancellations/0/reason",
                json!("child_il"),
                "cancellations[0].reason: \"child_il\" is not understood. Use none, other, \
                 transport, child_ill or self_ill.",
            ),
            (
                "/notes/0/covers_date",
                json!("2026-02-30"),
                "notes[0].covers_date: \"2026-02-30\" is not understood. Write a date of the \
                 calendar such as \"2026-11-28\".",
            ),
            (
                "/no_show",
                json!({ "recorded_at": "2026-11-28T10:40:00Z", "party": "nobody" }),
                "no_show.party: \"nobody\" is not understood. Use resident, contact, both or \
                 unknown.",
            ),
            (
                "/evaluate_at/0",
                json!("noon"),
                "evaluate_at[0]: \"noon\" is not understood. Write an instant such as \
                 \"2026-11-26T10:00:00Z\".",
            ),
            (
                "/session",
                json!(null),
                "session: it is missing. Give it as an object.",
            ),
        ] {
            let mut v = case();
            *v.pointer_mut(at).unwrap() = bad;
            assert_eq!(PolicyCase::read(&v).unwrap_err().to_string(), said);
        }
    }
}
