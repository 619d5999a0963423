//! Reads a golden case of the confirmation plan.

use crate::cli::try_cases::json::{
    DATE, Read, at, at_opt, below, field, item, list, parsed, problem, section, text,
};
use crate::domain::local_time::{parse_local, parse_time};
use crate::domain::people::channel::Channel;
use crate::domain::people::role::Role;
use crate::domain::reminders::courtesy::{AskRule, Courtesy, parse_day, parse_quiet};
use crate::domain::reminders::schedule::NotSent;
use chrono::{DateTime, NaiveDateTime, Utc};
use chrono_tz::Tz;
use serde_json::Value;

/// Something that happened to a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PlanEvent {
    /// It got a new local start.
    Moved(NaiveDateTime),
    /// It ended before it took place: cancelled, centre closed, file archived.
    Off(NotSent),
}

/// One party of the session.
#[derive(Debug, Clone)]
pub(super) struct PlanParty {
    /// The role as the case spells it.
    pub(super) role_as_written: String,
    /// The role; only the two parents attend.
    pub(super) role: Role,
    /// The party's addresses in order of preference, and whether each can be used.
    pub(super) channels: Vec<(Channel, bool)>,
    /// Since when it wants no messages.
    pub(super) opted_out_at: Option<DateTime<Utc>>,
    /// When it confirmed.
    pub(super) confirmed_at: Option<DateTime<Utc>>,
    /// Its own arrival for the first start; after a move it keeps the offset.
    pub(super) arrival: Option<NaiveDateTime>,
}

/// A session with its history.
#[derive(Debug, Clone)]
pub(super) struct PlanCase {
    /// The centre's rules of sending.
    pub(super) courtesy: Courtesy,
    /// The centre's wall clock.
    pub(super) tz: Tz,
    /// The file is closed from the start.
    pub(super) archived: bool,
    /// First local start.
    pub(super) start: NaiveDateTime,
    /// When it was booked.
    pub(super) booked_at: DateTime<Utc>,
    /// What happened, with its instants.
    pub(super) history: Vec<(DateTime<Utc>, PlanEvent)>,
    /// Spans `[down, up)` in which the provider was away.
    pub(super) outages: Vec<(DateTime<Utc>, Option<DateTime<Utc>>)>,
    /// The parties.
    pub(super) parties: Vec<PlanParty>,
}

impl PlanCase {
    /// Reads the `input` of a case.
    pub(super) fn read(input: &Value) -> Read<PlanCase> {
        let policy = section(input, "policy")?;
        let session = section(input, "session")?;
        let mut history = below("session", list(session, "history", event))?;
        if let Some(at) = at_opt(input, "archived_at")? {
            history.push((at, PlanEvent::Off(NotSent::CaseArchived)));
        }
        let zone = |s: &str| s.parse().ok();
        Ok(PlanCase {
            courtesy: below("policy", courtesy(policy))?,
            tz: below("policy", parsed(policy, "tz", "Write an IANA zone.", zone))?,
            archived: field(input, "case_state")
                .and_then(Value::as_str)
                .is_some_and(|s| s != "open"),
            start: below("session", local(session, "start_local"))?,
            booked_at: below("session", at_opt(session, "booked_at"))?
                .unwrap_or(DateTime::<Utc>::MIN_UTC),
            history,
            outages: outages(input)?,
            parties: list(input, "parties", party)?,
        })
    }
}

fn local(v: &Value, key: &str) -> Read<NaiveDateTime> {
    parsed(
        v,
        key,
        "Write a local time such as \"2026-11-28T10:00\".",
        parse_local,
    )
}

fn courtesy(policy: &Value) -> Read<Courtesy> {
    let usual = Courtesy::default();
    let rules = field(policy, "rules").unwrap_or(&Value::Null);
    let quiet = list(policy, "quiet_hours", |t| {
        item(t, "Write times.", |s| Some(s.to_owned()))
    })?;
    Ok(Courtesy {
        saturday: ask_rule(rules, "saturday", usual.saturday)?,
        sunday: ask_rule(rules, "sunday", usual.sunday)?,
        weekday: ask_rule(rules, "weekday", usual.weekday)?,
        min_lead_minutes: field(policy, "min_lead_minutes")
            .and_then(Value::as_i64)
            .unwrap_or(usual.min_lead_minutes),
        quiet: parse_quiet(&quiet)
            .map_err(|e| problem("quiet_hours", e, "Write two times, or [] for none."))?,
        bank_holidays: list(policy, "bank_holidays", |d| {
            item(d, DATE, |s| s.parse().ok())
        })?,
    })
}

fn ask_rule(rules: &Value, name: &str, usual: AskRule) -> Read<AskRule> {
    let Some(rule) = field(rules, name) else {
        return Ok(usual);
    };
    Ok(AskRule {
        day: parsed(rule, "day", "Write a weekday.", parse_day)?,
        time: parsed(rule, "time", "Write a time such as \"10:00\".", parse_time)?,
    })
}

fn event(v: &Value) -> Read<(DateTime<Utc>, PlanEvent)> {
    let event = match text(v, "type")? {
        "moved" => PlanEvent::Moved(local(v, "new_start_local")?),
        "cancelled" => PlanEvent::Off(NotSent::Cancelled),
        "closed" => PlanEvent::Off(NotSent::Closed),
        "archived" => PlanEvent::Off(NotSent::CaseArchived),
        other => {
            return Err(problem(
                "type",
                format!("{other:?} is not understood"),
                "Use moved, cancelled, closed or archived.",
            ));
        }
    };
    Ok((at(v, "at")?, event))
}

/// A span in which the provider was away; without an end it never came back.
type Outage = (DateTime<Utc>, Option<DateTime<Utc>>);

fn outages(input: &Value) -> Read<Vec<Outage>> {
    let spans = match field(input, "provider") {
        None => Vec::new(),
        Some(Value::Array(_)) => list(input, "provider", outage)?,
        Some(one) => vec![below("provider", outage(one))?],
    };
    Ok(spans.into_iter().flatten().collect())
}

fn outage(v: &Value) -> Read<Option<Outage>> {
    let Some(down) = at_opt(v, "down_from")? else {
        return Ok(None);
    };
    Ok(Some((down, at_opt(v, "up_at")?)))
}

fn party(v: &Value) -> Read<PlanParty> {
    let role = text(v, "role")?;
    Ok(PlanParty {
        role_as_written: role.to_owned(),
        role: role.parse().unwrap_or(Role::Referrer),
        channels: list(v, "channels", channel)?,
        opted_out_at: at_opt(v, "opted_out_at")?,
        confirmed_at: at_opt(v, "confirmed_at")?,
        arrival: field(v, "arrival_local")
            .map(|_| local(v, "arrival_local"))
            .transpose()?,
    })
}

fn channel(v: &Value) -> Read<(Channel, bool)> {
    // A landline is never used for texts, whatever else is said of it.
    let kind = text(v, "kind")?.parse().unwrap_or(Channel::None);
    let usable = field(v, "usable").and_then(Value::as_bool).unwrap_or(true);
    Ok((kind, usable))
}
