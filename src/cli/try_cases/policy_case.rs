//! A golden case of the rules on money: reads it from JSON and gives what [`crate::domain::money::policy`] makes
//! of it in the shape of `expected`.

use crate::domain::centre::Courtesy;
use crate::domain::config_reader::Problem;
use crate::domain::local_time::{instant, parse_local};
use crate::domain::money::policy::{
    About, Absent, Assessment, CaseFacts, Fact, Facts, FeeState, LaterSession, Money, Note, OffBy,
    Parent, PayClock, Recipient, Rules, Slot, What, assess,
};
use crate::domain::visits::session::Reason;
use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use chrono_tz::Tz;
use serde_json::{Value, json};

/// A case with the instants at which it is looked at.
#[derive(Debug, Clone)]
pub struct PolicyCase {
    /// The facts.
    pub facts: Facts,
    /// When the states are wanted, in the order given.
    pub evaluate_at: Vec<DateTime<Utc>>,
}

type Read<T> = Result<T, Problem>;

fn problem(key: &str, what: impl Into<String>, fix: impl Into<String>) -> Problem {
    Problem {
        key: key.to_owned(),
        what: what.into(),
        fix: fix.into(),
    }
}

/// Puts a problem below a key.
fn below<T>(key: &str, r: Read<T>) -> Read<T> {
    r.map_err(|p| Problem {
        key: format!("{key}.{}", p.key),
        ..p
    })
}

fn field<'a>(v: &'a Value, key: &str) -> Option<&'a Value> {
    v.get(key).filter(|v| !v.is_null())
}

fn section<'a>(v: &'a Value, key: &str) -> Read<&'a Value> {
    match field(v, key) {
        None => Err(problem(key, "it is missing", "Give it as an object.")),
        Some(o) if o.is_object() => Ok(o),
        Some(other) => Err(problem(
            key,
            format!("{other} is no object"),
            "Write it in curly braces.",
        )),
    }
}

fn text<'a>(v: &'a Value, key: &str) -> Read<&'a str> {
    match field(v, key) {
        None => Err(problem(key, "it is missing", "Give it as a text.")),
        Some(Value::String(s)) => Ok(s),
        Some(other) => Err(problem(
            key,
            format!("{other} is no text"),
            "Put it in quotes.",
        )),
    }
}

fn parsed<T>(v: &Value, key: &str, fix: &str, parse: impl FnOnce(&str) -> Option<T>) -> Read<T> {
    let s = text(v, key)?;
    parse(s).ok_or_else(|| problem(key, format!("{s:?} is not understood"), fix))
}

const INSTANT: &str = "Write an instant such as \"2026-11-26T10:00:00Z\".";
const DATE: &str = "Write a date of the calendar such as \"2026-11-28\".";

fn to_instant(s: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(s)
        .ok()
        .map(|t| t.with_timezone(&Utc))
}

fn at(v: &Value, key: &str) -> Read<DateTime<Utc>> {
    parsed(v, key, INSTANT, to_instant)
}

fn at_opt(v: &Value, key: &str) -> Read<Option<DateTime<Utc>>> {
    field(v, key).map(|_| at(v, key)).transpose()
}

fn date(v: &Value, key: &str) -> Read<NaiveDate> {
    parsed(v, key, DATE, |s| s.parse().ok())
}

fn whole(v: &Value, key: &str, default: Option<i64>, min: i64, max: i64) -> Read<i64> {
    let n = match (field(v, key), default) {
        (None, Some(d)) => return Ok(d),
        (None, None) => {
            return Err(problem(
                key,
                "it is missing",
                format!("Give a whole number from {min} to {max}."),
            ));
        }
        (Some(n), _) => n,
    };
    n.as_i64()
        .filter(|n| (min..=max).contains(n))
        .ok_or_else(|| {
            problem(
                key,
                format!("{n} is no whole number from {min} to {max}"),
                format!("Give one from {min} to {max}."),
            )
        })
}

fn flag(v: &Value, key: &str) -> Read<bool> {
    match field(v, key) {
        None => Ok(false),
        Some(Value::Bool(b)) => Ok(*b),
        Some(other) => Err(problem(
            key,
            format!("{other} is neither true nor false"),
            "Write true or false.",
        )),
    }
}

fn list<T>(v: &Value, key: &str, one: impl Fn(&Value) -> Read<T>) -> Read<Vec<T>> {
    match field(v, key) {
        None => Ok(Vec::new()),
        Some(Value::Array(items)) => items
            .iter()
            .enumerate()
            .map(|(n, item)| {
                one(item).map_err(|p| match p.key.as_str() {
                    "" => Problem {
                        key: format!("{key}[{n}]"),
                        ..p
                    },
                    inner => Problem {
                        key: format!("{key}[{n}].{inner}"),
                        ..p
                    },
                })
            })
            .collect(),
        Some(other) => Err(problem(
            key,
            format!("{other} is no list"),
            "Write it in square brackets.",
        )),
    }
}

/// A text in a list: its problem has no key of its own.
fn item<T>(v: &Value, fix: &str, parse: impl FnOnce(&str) -> Option<T>) -> Read<T> {
    v.as_str()
        .and_then(parse)
        .ok_or_else(|| problem("", format!("{v} is not understood"), fix))
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

fn rules(v: &Value) -> Read<Rules> {
    let currency = parsed(
        v,
        "currency",
        "Write three letters, such as \"GBP\".",
        Money::currency,
    )?;
    let bank_holidays = list(v, "bank_holidays", |d| item(d, DATE, |s| s.parse().ok()))?;
    Ok(Rules {
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

const PARTIES: &str = "Use resident, contact, referrer, referrer2 to referrer9.";

fn case(v: &Value) -> Read<CaseFacts> {
    let parties = list(v, "parties", |p| item(p, PARTIES, Recipient::party))?;
    if parties.is_empty() {
        return Err(problem("parties", "it is empty or missing", PARTIES));
    }
    Ok(CaseFacts {
        court_ordered: flag(v, "court_ordered")?,
        children: count(v, "children", Some(1))?.unwrap_or(1),
        parties,
    })
}

fn count(v: &Value, key: &str, default: Option<i64>) -> Read<Option<u32>> {
    if field(v, key).is_none() && default.is_none() {
        return Ok(None);
    }
    Ok(u32::try_from(whole(v, key, default, 1, 99)?).ok())
}

fn later(v: &Value, tz: Tz) -> Read<LaterSession> {
    let Slot { start, end } = slot(v, tz)?;
    let by = |s: &str| match s {
        "centre" => Some(OffBy::Centre),
        other => Recipient::party(other).map(|_| OffBy::Party),
    };
    let off = match field(v, "cancelled_by") {
        None => None,
        Some(_) => Some((
            parsed(v, "cancelled_by", "Use resident, contact or centre.", by)?,
            at_opt(v, "cancelled_at")?,
        )),
    };
    Ok(LaterSession {
        start,
        end,
        booked_at: at_opt(v, "booked_at")?,
        off,
    })
}

fn parent(v: &Value, key: &str) -> Read<Parent> {
    parsed(v, key, "Use resident or contact.", |s| s.parse().ok())
}

fn cancellation(v: &Value) -> Read<Fact> {
    let at = at(v, "at")?;
    if text(v, "by")? == "centre" {
        let closure = field(v, "reason").is_some_and(|r| r == "closure");
        return Ok(Fact {
            at,
            what: What::CentreCancelled { closure },
        });
    }
    let by = parsed(v, "by", "Use resident, contact or centre.", |s| {
        s.parse().ok()
    })?;
    let reason = match field(v, "reason") {
        None => Reason::Other,
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
        )?,
    };
    let only_some = match field(v, "scope") {
        None => false,
        Some(_) => parsed(
            v,
            "scope",
            "Use \"some_children\", \"all\", or leave it out.",
            |s| match s {
                "some_children" => Some(true),
                "all" | "all_children" | "session" => Some(false),
                _ => None,
            },
        )?,
    };
    Ok(Fact {
        at,
        what: What::Cancelled {
            by,
            reason,
            ill: count(v, "children_ill", None)?,
            only_some,
        },
    })
}

fn note(v: &Value) -> Read<Fact> {
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
        s.parse::<About>().ok()
    })?;
    let note = Note {
        about,
        from,
        to,
        children: count(v, "children", None)?,
        brought: flag(v, "brought_to_next_contact")?,
    };
    Ok(Fact {
        at: at(v, "received_at")?,
        what: What::Note(note),
    })
}

fn payment(v: &Value) -> Read<Fact> {
    if field(v, "by").is_some() {
        parsed(v, "by", "Use resident, contact, referrer or other.", |s| {
            (s == "other" || Recipient::party(s).is_some()).then_some(())
        })?;
    }
    Ok(Fact {
        at: at(v, "at")?,
        what: What::Paid(whole(v, "pence", None, 1, 1_000_000_000)?),
    })
}

fn decision(v: &Value) -> Read<Fact> {
    let what = parsed(v, "action", "Use waive or write_off.", |s| match s {
        "waive" => Some(What::ManagerWaived),
        "write_off" => Some(What::ManagerWroteOff),
        _ => None,
    })?;
    Ok(Fact {
        at: at(v, "at")?,
        what,
    })
}

fn no_show(v: &Value) -> Read<Fact> {
    let absent = parsed(v, "party", "Use resident, contact, both or unknown.", |s| {
        s.parse::<Absent>().ok()
    })?;
    Ok(Fact {
        at: at(v, "recorded_at")?,
        what: What::NoShow(absent),
    })
}

impl PolicyCase {
    /// Reads the `input` of a case. A problem names the key and how to mend it.
    pub fn read(v: &Value) -> Result<PolicyCase, Problem> {
        let rules = below("policy", rules(section(v, "policy")?))?;
        let tz = rules.tz;
        let mut history = list(v, "cancellations", cancellation)?;
        history.append(&mut list(v, "reconfirmations", |y| {
            Ok(Fact {
                at: at(y, "at")?,
                what: What::Yes(parent(y, "by")?),
            })
        })?);
        history.append(&mut list(v, "reinstatements", |r| {
            Ok(Fact {
                at: at(r, "at")?,
                what: What::Reinstated,
            })
        })?);
        history.append(&mut list(v, "notes", note)?);
        history.append(&mut list(v, "payments", payment)?);
        history.append(&mut list(v, "manager", decision)?);
        if let Some(absent) = field(v, "no_show") {
            history.push(below("no_show", no_show(absent))?);
        }
        let facts = Facts {
            case: below("case", case(section(v, "case")?))?,
            session: below("session", slot(section(v, "session")?, tz))?,
            moved: Vec::new(),
            free: Vec::new(),
            later: list(v, "later_sessions", |l| later(l, tz))?,
            rules,
            history,
        };
        let evaluate_at = list(v, "evaluate_at", |t| item(t, INSTANT, to_instant))?;
        Ok(PolicyCase { facts, evaluate_at })
    }

    /// What the rules make of it, in the shape of `expected`.
    pub fn actual(&self) -> Value {
        shape(&assess(&self.facts), &self.evaluate_at)
    }
}

fn utc(t: DateTime<Utc>) -> String {
    t.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

fn shape(a: &Assessment, evaluate_at: &[DateTime<Utc>]) -> Value {
    let timeline: Vec<Value> = evaluate_at
        .iter()
        .map(|at| {
            let s = a.standing_at(*at);
            json!({
                "at": utc(*at),
                "fee_state": FeeState::as_str(s.fee),
                "outstanding_pence": s.outstanding,
                "bookings_hold": s.hold,
                "case_state": if s.archived { "archived" } else { "open" },
            })
        })
        .collect();
    let notices: Vec<Value> = a
        .notices
        .iter()
        .map(|n| {
            let mut out =
                json!({ "kind": n.kind.as_str(), "to": n.to.to_string(), "at": utc(n.at) });
            if let Some(topic) = n.topic {
                out["topic"] = topic.as_str().into();
            }
            out
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
            "new_referral_required": a.escalation.new_referral_required,
        },
        "notices": notices,
    })
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
    fn a_bad_value_is_named_with_its_key_and_mend() {
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
