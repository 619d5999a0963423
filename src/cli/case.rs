//! `courtesy case`: the whole history of a case, each step with its rule. No names, no numbers, no
//! texts.

use crate::cli::{CommandContext, line, utc};
use crate::domain::ids::{FactId, SessionId};
use crate::domain::local_time::wall;
use crate::domain::money::policy::source;
use crate::flows::money::lists;
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

struct CaseLine {
    at: DateTime<Utc>,
    what: String,
    role: Option<String>,
    session: Option<SessionId>,
    rule: String,
    by: String,
    /// The id of the record, if it is one.
    fact: Option<FactId>,
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
        "refused_move" => "refused the centre's own move in time: no fee".into(),
        "series" => format!("a series was booked: {detail}"),
        "series_ended" => format!("a series was ended: {detail}"),
        "unbooked" => "taken back with its series; nobody had been told of it".into(),
        "terms_changed" => format!("other rules were announced for it: {detail}"),
        "date_asked" => format!("both were asked about another date: {detail}"),
        "date_answered" => format!("answered about the other date: {detail}"),
        "date_closed" => "the question about another date was closed".into(),
        "payment" => format!("a payment was received (by {detail})"),
        "note" => format!("a doctor's note came ({})", detail.replace(" -", "")),
        "attended" if detail == "both" => "both parents came".into(),
        "attended" => format!("the {detail} parent came"),
        "no_show" if matches!(detail, "both" | "unknown") => format!("did not come: {detail}"),
        "no_show" => format!("the {detail} parent did not come"),
        "ill_counted" => format!("{detail} children were ill"),
        "reinstated" => "the session is on again".into(),
        "waived" => format!("the manager waived the fee: {detail}"),
        "written_off" => format!("the manager gave the debt up: {detail}"),
        "told" => format!(
            "was told ({})",
            detail
                .split(' ')
                .next()
                .unwrap_or_default()
                .replace('_', " ")
        ),
        "informed" => format!("was told too ({})", detail.replace('_', " ")),
        "owed_again" => {
            "had been told that nothing is owed; by what was recorded since, a fee is open again"
                .into()
        }
        "voided" => format!("a wrong record was taken out: {detail}"),
        "rang" if detail.is_empty() => "was rung".into(),
        "rang" => format!("was rung: {detail}"),
        "released" => format!("a notice was released: {}", detail.replace('_', " ")),
        "new_referral" => "a new referral: the file is open again".into(),
        "decided" => format!("a person decided, {}", detail.replace('_', " ")),
        "closed" => "the centre closed that day".into(),
        "opted_out" => "wants no more texts".into(),
        "opted_in" => "wants texts again".into(),
        other => other.replace('_', " "),
    }
}

fn in_words(f: &facts::StoredFact) -> String {
    let words = fact_in_words(&f.kind, &f.detail.0);
    match &f.amount {
        Some((minor, currency)) => {
            format!("{words}: {currency} {}.{:02}", minor / 100, minor % 100)
        }
        None => words,
    }
}

pub(crate) async fn run(ctx: &CommandContext, args: Args) -> Result<()> {
    let (_, db) = ctx.open_existing().await?;
    let case = cases::find(&db, &args.case).await?;
    let now = ctx.clock_of(&db).await?.now();
    let centre = centres::all(&db)
        .await?
        .remove(&case.centre)
        .context("the centre of the case is missing")?
        .centre;
    let starts: std::collections::HashMap<SessionId, String> =
        sessions::list(&db, Some(&case.centre))
            .await?
            .into_iter()
            .map(|(s, _)| (s.id, s.start_local.format("%a %-d %b %H:%M").to_string()))
            .collect();
    let mut steps = Vec::new();
    let recorded = facts::of_case(&db, &case.id).await?;
    let voided: std::collections::HashSet<FactId> =
        recorded.iter().filter_map(|f| f.voids.clone()).collect();
    for f in recorded {
        let taken_out = if voided.contains(&f.id) {
            " (a wrong record, taken out)"
        } else {
            ""
        };
        let what = format!("{}{taken_out}", in_words(&f));
        steps.push(CaseLine {
            at: f.at,
            what,
            role: f.role.map(|r| r.to_string()),
            session: f.session_id,
            rule: f.rule,
            by: f.by,
            fact: Some(f.id),
        });
    }
    for m in messages::of_case(&db, &case.id).await? {
        let rule = if m.kind.is_answer() {
            "answer"
        } else {
            "outbox"
        };
        let reason = m
            .reason
            .map(|r| format!(" ({})", r.replace('_', " ")))
            .unwrap_or_default();
        let what = format!(
            "text {}: {}{reason}",
            m.kind.as_str().replace('_', " "),
            m.state
        );
        steps.push(CaseLine {
            at: m.sent_at.unwrap_or(m.queued_at),
            what,
            role: m.role,
            session: m.session_id,
            rule: rule.into(),
            by: "courtesy".into(),
            fact: None,
        });
    }
    for (at, intent, rule) in inbox::of_case(&db, &case.id).await? {
        steps.push(CaseLine {
            at,
            what: format!("a message came in, understood as {intent}"),
            role: None,
            session: None,
            rule,
            by: "party".into(),
            fact: None,
        });
    }
    for (s, session) in lists::steps(&db, &case.id, now).await? {
        steps.push(CaseLine {
            at: s.at,
            what: s.why.to_owned(),
            role: None,
            session: Some(session),
            rule: s.rule.into(),
            by: "the rules".into(),
            fact: None,
        });
    }
    steps.sort_by_key(|s| s.at);
    if !args.json {
        eprintln!(
            "Internal. Not for disclosure (terms: no texts for court). A text from a number does \
             not prove who wrote it."
        );
        line(format!(
            "{} at {}, {}",
            case.case_ref,
            centre.name,
            if case.archived { "archived" } else { "open" }
        ))?;
    }
    let mut said = std::collections::HashSet::new();
    for s in steps {
        if args.json {
            let rests_on = source(&s.rule);
            line(
                json!({
                    "at": utc(s.at),
                    "what": s.what,
                    "role": s.role,
                    "session": s.session,
                    "rule": s.rule,
                    "by": s.by,
                    "fact": s.fact,
                    "document": rests_on.map(|r| r.document),
                    "sentence": rests_on.map(|r| r.sentence),
                })
                .to_string(),
            )?;
        } else {
            let session = s
                .session
                .and_then(|id| starts.get(&id).cloned())
                .map(|t| format!(" [session {t}]"))
                .unwrap_or_default();
            let rule = if s.rule.is_empty() {
                String::new()
            } else {
                format!("  ({})", s.rule)
            };
            let fact = s.fact.map(|id| format!("  #{id}")).unwrap_or_default();
            line(format!(
                "{}  {:<9}{}{session}{rule}, by {}{fact}",
                wall(centre.tz, s.at).format("%a %-d %b %H:%M:%S"),
                s.role.unwrap_or_default(),
                s.what,
                s.by
            ))?;
            // Each sentence stands once, where it is used first.
            if let Some(r) = source(&s.rule).filter(|r| said.insert(r.sentence)) {
                line(format!(
                    "                       {}: {}",
                    r.document, r.sentence
                ))?;
            }
        }
    }
    if !args.json {
        lists::standing_in_words(&db, &case.id, now)
            .await?
            .into_iter()
            .try_for_each(line)?;
    }
    db.close().await;
    Ok(())
}
