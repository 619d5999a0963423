//! `courtesy plan`: which messages will go, when, to whom and why; and which will not, and why not.

use crate::cli::{CommandContext, line, parse_at, utc};
use crate::domain::local_time::wall;
use crate::domain::people::role::Role;
use crate::domain::reminders::schedule::{self, NotSent};
use crate::domain::visits::attendee::AttendeeContext;
use crate::flows::money::lists::{self, PlannedNotice};
use crate::flows::scan::confirmations::decide;
use crate::store::centres::{Centres, StoredCentre};
use crate::store::messages::ListedMessage;
use crate::store::{centres, messages, sessions};
use anyhow::Result;
use chrono::{DateTime, Duration, Utc};
use serde_json::json;

/// Arguments of `plan`.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  courtesy plan --days 7")]
pub(crate) struct Args {
    /// As if it were this time
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// Sessions of so many days ahead
    #[arg(long, default_value_t = 14)]
    days: i64,
    /// One object a line
    #[arg(long)]
    json: bool,
}

struct PlannedMessage {
    at: Option<DateTime<Utc>>,
    not_after: Option<DateTime<Utc>>,
    rule: &'static str,
    send: bool,
    reason: Option<String>,
}

/// What is planned for a parent of a session: what was settled already, or what the rules say now.
fn planned(
    centre: &crate::domain::centre::Centre,
    context: &AttendeeContext,
    now: DateTime<Utc>,
) -> PlannedMessage {
    let a = &context.attendee;
    let none = |rule, why: &str| PlannedMessage {
        at: None,
        not_after: None,
        rule,
        send: false,
        reason: Some(why.to_owned()),
    };
    match decide(centre, context, now) {
        Err(why) => none(rule_of(why), why.as_str()),
        Ok(_) if a.asked == "queued" => none("K05", "queued_already"),
        Ok(_) if a.asked == "moved" => none("K05", "asked_by_the_move"),
        Ok(_) if a.ask_at.is_none() => none("K05", "settled_already"),
        Ok(m) => PlannedMessage {
            at: Some(m.at),
            not_after: Some(schedule::not_after(&centre.courtesy, a.arrives_at, m.at)),
            rule: m.rule,
            send: true,
            reason: None,
        },
    }
}

fn rule_of(why: NotSent) -> &'static str {
    match why {
        NotSent::NotAnAttendee => "K07",
        NotSent::CaseArchived => "K06",
        NotSent::AlreadyConfirmed => "K05",
        NotSent::NoUsableChannel | NotSent::OptedOut => "K11",
        NotSent::TooLate => "K03",
        NotSent::ProviderDownTooLong => "K09",
        NotSent::Closed | NotSent::Cancelled => "K12",
    }
}

fn rule_in_words(rule: &str) -> &'static str {
    match rule {
        "K01" => "the usual courtesy moment",
        "K02" => "the usual day is a bank holiday",
        "K03" => "the usual moment has passed, so at once",
        "K04" => "the usual moment lies in quiet hours",
        _ => "",
    }
}

pub(crate) async fn run(ctx: &CommandContext, args: Args) -> Result<()> {
    let (settings, db) = ctx.open_existing().await?;
    let all = centres::all(&db).await?;
    let tz = all
        .values()
        .next()
        .map_or(chrono_tz::Tz::UTC, |c| c.centre.tz);
    let now = match &args.at {
        Some(t) => parse_at(t, tz)?,
        None => ctx.clock_of(&db).await?.now(),
    };
    let contexts = sessions::contexts_between(
        &db,
        CommandContext::lines(&settings, &db).await?.senders(),
        now,
        now + Duration::days(args.days),
    )
    .await?;
    let mut entries: Vec<(&AttendeeContext, PlannedMessage)> = contexts
        .iter()
        .filter_map(|context| {
            all.get(&context.session.centre)
                .map(|c| (context, planned(&c.centre, context, now)))
        })
        .collect();
    entries.sort_by_key(|(context, p)| {
        (
            p.at.unwrap_or(DateTime::<Utc>::MAX_UTC),
            context.session.starts_at,
        )
    });
    for (context, p) in &entries {
        if args.json {
            asked_as_json(context, p)?;
        } else if let Some(c) = all.get(&context.session.centre) {
            asked_in_words(c, context, p, now)?;
        }
    }
    // What was decided already and waits: "will not go ahead", a move, an answer.
    for m in messages::waiting(&db).await? {
        print_waiting(&all, m, args.json)?;
    }
    // What follows by the rules on money if nothing else happens.
    for n in lists::planned(&db, now, now + Duration::days(args.days)).await? {
        print_notice(&all, n, args.json)?;
    }
    if !args.json {
        let send = entries.iter().filter(|(_, p)| p.send).count();
        eprintln!(
            "{send} texts planned for the next {} days, {} attendees without one",
            args.days,
            entries.len() - send
        );
    }
    db.close().await;
    Ok(())
}

fn asked_as_json(context: &AttendeeContext, p: &PlannedMessage) -> Result<()> {
    let (s, a) = (&context.session, &context.attendee);
    line(
        json!({
            "at": p.at.map(utc),
            "not_after": p.not_after.map(utc),
            "kind": "confirm_request",
            "case_ref": s.case_ref,
            "session": s.id,
            "session_version": s.version,
            "role": a.role.as_str(),
            "channel": context.route().filter(|_| p.send).map(|r| r.address.channel().as_str()),
            "rule": p.rule,
            "send": p.send,
            "reason": p.reason,
        })
        .to_string(),
    )
}

fn asked_in_words(
    c: &StoredCentre,
    context: &AttendeeContext,
    p: &PlannedMessage,
    now: DateTime<Utc>,
) -> Result<()> {
    let (s, a) = (&context.session, &context.attendee);
    let local = |t: DateTime<Utc>| wall(c.centre.tz, t).format("%a %-d %b %H:%M").to_string();
    let who = format!("{} {} of {}", s.centre, a.role, s.case_ref);
    match (p.at, &p.reason) {
        (Some(at), _) => {
            let late = if at < now {
                ", as soon as possible"
            } else {
                ""
            };
            let held = if c.held { "; on hold, so it waits" } else { "" };
            line(format!(
                "{}{late}  to {who}: will you come {}?  ({}, {}; until {}{held})",
                local(at),
                local(a.arrives_at),
                rule_in_words(p.rule),
                p.rule,
                p.not_after.map(local).unwrap_or_default()
            ))?;
        }
        (None, Some(why)) => {
            let words = why
                .parse::<NotSent>()
                .map_or_else(|_| why.replace('_', " "), |w| w.in_words().to_owned());
            line(format!(
                "not sent         to {who} for {}: {words}  ({})",
                local(s.starts_at),
                p.rule
            ))?;
        }
        (None, None) => {}
    }
    Ok(())
}

fn print_waiting(all: &Centres, m: ListedMessage, as_json: bool) -> Result<()> {
    if as_json {
        line(
            json!({
                "at": utc(m.not_before),
                "not_after": m.not_after.map(utc),
                "kind": m.kind.as_str(),
                "case_ref": m.case_ref,
                "session": m.session_id,
                "session_version": m.session_version,
                "role": m.role,
                "channel": m.channel,
                "rule": "outbox",
                "send": !m.held,
                "reason": m.held.then_some("held"),
            })
            .to_string(),
        )?;
    } else if let Some(c) = all.get(&m.centre) {
        let at = wall(c.centre.tz, m.not_before).format("%a %-d %b %H:%M");
        let held = match (c.held, m.held) {
            (true, _) => "; on hold, so it waits",
            (_, true) => "; held back alone",
            _ => "",
        };
        line(format!(
            "{at}  to {} {} of {}: {}  (decided already{held})",
            m.centre,
            m.role.unwrap_or_default(),
            m.case_ref.unwrap_or_default(),
            m.kind.as_str().replace('_', " ")
        ))?;
    }
    Ok(())
}

fn print_notice(all: &Centres, n: PlannedNotice, as_json: bool) -> Result<()> {
    let by_hand = n.needs_release;
    let reason = by_hand.then_some("waits_for_release");
    if as_json {
        line(
            json!({
                "at": utc(n.at),
                "not_after": null,
                "kind": n.kind.as_str(),
                "case_ref": n.case_ref,
                "session": n.session,
                "session_version": n.session_version,
                "role": n.role.map(Role::as_str),
                "channel": null,
                "rule": n.rule,
                "send": !by_hand,
                "reason": reason,
            })
            .to_string(),
        )?;
    } else if let Some(c) = all.get(&n.centre) {
        let at = wall(c.centre.tz, n.at).format("%a %-d %b %H:%M");
        let how = if by_hand {
            "if a person releases it"
        } else {
            "in the next office hours"
        };
        let who = n.role.map_or("all parties".to_owned(), |r| r.to_string());
        line(format!(
            "{at}  to {} {who} of {}: {}  ({how}, {})",
            n.centre,
            n.case_ref,
            n.kind.as_str().replace('_', " "),
            n.rule
        ))?;
    }
    Ok(())
}
