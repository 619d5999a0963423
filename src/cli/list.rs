//! `courtesy list`: the state, for scripts. Never a body, a name or a number.

use crate::cli::{CommandContext, line, utc};
use crate::domain::ids::TaskId;
use crate::domain::outgoing::message::MessageState;
use crate::domain::people::role::Role;
use crate::domain::visits::attendee;
use crate::flows::money::lists;
use crate::store::messages::{self, ListedMessage};
use crate::store::{Db, cases, milestones, sessions, tasks};
use anyhow::Result;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use std::collections::HashMap;

/// Arguments of `list`.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  courtesy list messages --centre BRK --json")]
pub(crate) struct Args {
    /// What to list
    #[arg(value_parser = ["sessions", "parties", "messages", "tasks", "fees"])]
    what: String,
    /// One centre only
    #[arg(long, value_name = "CODE")]
    centre: Option<String>,
    /// One object a line
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(ctx: &CommandContext, args: Args) -> Result<()> {
    let (settings, db) = ctx.open_existing().await?;
    let centre = args.centre.as_deref();
    let rows: Vec<Value> = match args.what.as_str() {
        "sessions" => sessions::list(&db, centre)
            .await?
            .iter()
            .map(|(s, places)| session(s, places))
            .collect(),
        "parties" => cases::parties(
            &db,
            CommandContext::lines(&settings, &db).await?.senders(),
            centre,
        )
        .await?
        .iter()
        .map(party)
        .collect(),
        "messages" => messages::list(&db, centre)
            .await?
            .iter()
            .map(message)
            .collect(),
        "fees" => lists::fees(&db, centre, ctx.clock_of(&db).await?.now())
            .await?
            .iter()
            .map(fee)
            .collect(),
        _ => tasks::list(&db, centre)
            .await?
            .iter()
            .map(|t| {
                json!({
                    "task": t.id,
                    "topic": t.topic.as_str(),
                    "case_ref": t.case_ref,
                    "opened_at": utc(t.opened_at),
                    "due_at": t.due_at.map(utc),
                    "state": t.state,
                })
            })
            .collect(),
    };
    let texts = if args.what == "tasks" && !args.json {
        texts_in_words(&db).await?
    } else {
        HashMap::new()
    };
    for row in &rows {
        let of_task = row["task"]
            .as_str()
            .and_then(|t| texts.get(&TaskId::new(t)))
            .map(|t| format!("  text: {}", t.join(", ")))
            .unwrap_or_default();
        line(if args.json {
            row.to_string()
        } else {
            in_words(row) + &of_task
        })?;
    }
    db.close().await;
    Ok(())
}

/// What becomes of the texts of tasks, for people: `resident goes 2026-11-25T10:00:00Z`.
async fn texts_in_words(db: &Db) -> Result<HashMap<TaskId, Vec<String>>> {
    let mut out: HashMap<TaskId, Vec<String>> = HashMap::new();
    let mut roles: HashMap<TaskId, Vec<Role>> = HashMap::new();
    for t in milestones::texts_of_tasks(db).await? {
        let what = match t.state {
            MessageState::Waiting if t.held => "is held back".to_owned(),
            MessageState::Waiting => format!("goes {}", utc(t.at)),
            MessageState::Sending => "is leaving".to_owned(),
            MessageState::Sent | MessageState::Delivered => format!("was sent {}", utc(t.at)),
            MessageState::Uncertain => "may have been sent".to_owned(),
            MessageState::Undelivered
            | MessageState::Refused
            | MessageState::Expired
            | MessageState::Withdrawn => "was not sent: ring".to_owned(),
        };
        out.entry(t.task.clone())
            .or_default()
            .push(format!("{} {what}", t.role));
        roles.entry(t.task).or_default().push(t.role);
    }
    for (task, words) in &mut out {
        let untexted = Role::PARENTS
            .iter()
            .filter(|r| !roles.get(task).is_some_and(|told| told.contains(r)));
        words.extend(untexted.map(|r| format!("{r} gets none: ring")));
    }
    Ok(out)
}

/// The values of an object side by side; lists and nested objects are for `--json`.
fn in_words(row: &Value) -> String {
    let Some(object) = row.as_object() else {
        return String::new();
    };
    let show = |v: &Value| match v {
        Value::Null => "-".to_owned(),
        Value::String(s) => s.clone(),
        Value::Object(o) => o
            .iter()
            .map(|(k, v)| format!("{k}={}", v.as_str().unwrap_or("-")))
            .collect::<Vec<_>>()
            .join(" "),
        Value::Array(a) => format!("{} tries", a.len()),
        other => other.to_string(),
    };
    object.values().map(show).collect::<Vec<_>>().join("  ")
}

fn session(s: &attendee::Session, places: &[attendee::Attendee]) -> Value {
    let answer = |role: &str| {
        places
            .iter()
            .find(|p| p.role.as_str() == role)
            .map_or("none", |p| p.answer.as_str())
    };
    json!({
        "session": s.id,
        "case_ref": s.case_ref,
        "centre": s.centre,
        "starts_at": utc(s.starts_at),
        "ends_at": utc(s.ends_at),
        "starts_local": sessions::local_text(s.start_local),
        "contact_type": s.contact_type,
        "state": s.state.as_str(),
        "version": s.version,
        "answers": { "resident": answer("resident"), "contact": answer("contact") },
    })
}

fn party(p: &cases::ListedParty) -> Value {
    json!({
        "party": format!("{}:{}", p.case_ref, p.role),
        "case_ref": p.case_ref,
        "centre": p.centre,
        "role": p.role.as_str(),
        "channel": p.channel.as_str(),
        "consent": p.consent.as_str(), "linked": p.linked, "usable": p.usable,
    })
}

fn fee(f: &lists::ListedFee) -> Value {
    json!({
        "fee": f.id,
        "case_ref": f.case_ref,
        "session": f.session,
        "liable": f.liable.map(Role::as_str),
        "amount_pence": f.charge.minor,
        "state": f.standing.fee.as_str(),
        "due_at": f.due_at.map(utc),
    })
}

fn message(m: &ListedMessage) -> Value {
    let time = |t: Option<DateTime<Utc>>| t.map(utc);
    let attempts: Vec<Value> = m
        .attempts
        .iter()
        .map(|a| {
            json!({
                "token": a.token,
                "channel": a.channel,
                "outcome": a.outcome,
                "provider_id": a.provider_id,
                "started_at": utc(a.started_at),
                "ended_at": time(a.ended_at),
                "error": a.error,
            })
        })
        .collect();
    let state: MessageState = m.state;
    json!({
        "message": m.id,
        "kind": m.kind.as_str(),
        "centre": m.centre,
        "case_ref": m.case_ref,
        "party": m.case_ref.as_ref().zip(m.role.as_ref()).map(|(c, r)| format!("{c}:{r}")),
        "role": m.role,
        "session": m.session_id,
        "session_version": m.session_version,
        "channel": m.channel,
        "state": state.as_str(),
        "reason": m.reason,
        "parts": m.parts,
        "not_before": utc(m.not_before),
        "not_after": time(m.not_after),
        "queued_at": utc(m.queued_at),
        "sent_at": time(m.sent_at),
        "provider_id": m.provider_id,
        "attempts": attempts,
    })
}
