//! `courtesy case`: the whole history of a case, each step with its rule. No names, no numbers, no texts.

use super::{Ctx, line, utc};
use crate::domain::local_time::wall;
use crate::store::{cases, centres, facts, inbox, messages, sessions};
use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use serde_json::json;

/// Arguments of `case`.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  courtesy case BRK-0101")]
pub(crate) struct Args {
    /// The case, BRK-0101 or BRK/BRK-0101
    case: String,
    /// One object a line
    #[arg(long)]
    json: bool,
}

struct Step {
    at: DateTime<Utc>,
    what: String,
    role: Option<String>,
    session: Option<String>,
    rule: String,
    by: String,
}

fn fact_in_words(kind: &str, detail: &str) -> String {
    match kind {
        "booked" => "the session was booked".into(),
        "confirmed" => "confirmed".into(),
        "cancel_asked" => "asked to cancel; nothing changed yet".into(),
        "cancelled" if detail.is_empty() => "the centre called the session off".into(),
        "cancelled" => format!("called the session off ({})", detail.replace('_', " ")),
        "taken_back" => "took the cancellation back before anybody was told".into(),
        "moved" => format!("the session was moved: {detail}"),
        "series" => format!("a series was booked: {detail}"),
        "series_ended" => format!("a series was ended: {detail}"),
        "unbooked" => "taken back with its series; nobody had been told of it".into(),
        "terms_changed" => format!("other rules were announced for it: {detail}"),
        "date_asked" => format!("both were asked about another date: {detail}"),
        "date_answered" => format!("answered about the other date: {detail}"),
        "date_closed" => "the question about another date was closed".into(),
        "opted_out" => "wants no more texts".into(),
        "opted_in" => "wants texts again".into(),
        other => other.replace('_', " "),
    }
}

pub(crate) async fn run(ctx: &Ctx, args: Args) -> Result<()> {
    let (_, db) = ctx.open_existing().await?;
    let case = cases::find(&db, &args.case).await?;
    let centre = centres::all(&db).await?.remove(&case.centre).context("the centre of the case is missing")?.centre;
    let starts: std::collections::HashMap<String, String> =
        sessions::list(&db, Some(&case.centre)).await?.into_iter().map(|(s, _)| (s.id, s.start_local.format("%a %-d %b %H:%M").to_string())).collect();
    let mut steps = Vec::new();
    for f in facts::of_case(&db, &case.id).await? {
        steps.push(Step { at: f.at, what: fact_in_words(&f.kind, &f.detail.0), role: f.role.map(|r| r.to_string()), session: f.session_id, rule: f.rule, by: f.by });
    }
    for m in messages::of_case(&db, &case.id).await? {
        let rule = if m.kind.is_answer() { "answer" } else { "outbox" };
        let reason = m.reason.map(|r| format!(" ({})", r.replace('_', " "))).unwrap_or_default();
        let what = format!("text {}: {}{reason}", m.kind.as_str().replace('_', " "), m.state);
        steps.push(Step { at: m.sent_at.unwrap_or(m.queued_at), what, role: m.role, session: m.session_id, rule: rule.into(), by: "courtesy".into() });
    }
    for (at, intent, rule) in inbox::of_case(&db, &case.id).await? {
        steps.push(Step { at, what: format!("a message came in, understood as {intent}"), role: None, session: None, rule, by: "party".into() });
    }
    steps.sort_by_key(|s| s.at);
    if !args.json {
        eprintln!("Internal. Not for disclosure (terms: no texts for court). A text from a number does not prove who wrote it.");
        line(format!("{} at {}, {}", case.case_ref, centre.name, if case.archived { "archived" } else { "open" }))?;
    }
    for s in steps {
        if args.json {
            line(json!({ "at": utc(s.at), "what": s.what, "role": s.role, "session": s.session, "rule": s.rule, "by": s.by }).to_string())?;
        } else {
            let session = s.session.and_then(|id| starts.get(&id).cloned()).map(|t| format!(" [session {t}]")).unwrap_or_default();
            let rule = if s.rule.is_empty() { String::new() } else { format!("  ({})", s.rule) };
            line(format!("{}  {:<9}{}{session}{rule}, by {}", wall(centre.tz, s.at).format("%a %-d %b %H:%M:%S"), s.role.unwrap_or_default(), s.what, s.by))?;
        }
    }
    db.close().await;
    Ok(())
}
