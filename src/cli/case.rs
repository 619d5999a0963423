//! `courtesy case`: the whole history of a case, each step with its rule. No names, no numbers, no
//! texts.

use crate::cli::rule_sentences::rule_sentence;
use crate::cli::{CommandContext, line, utc};
use crate::domain::ids::CaseId;
use crate::domain::ids::{FactId, SessionId};
use crate::domain::local_time::wall;
use crate::flows::money::lists;
use crate::store::cases::Case;
use crate::store::facts::StoredFact;
use crate::store::{Db, cases, centres, facts, inbox, messages, sessions};
use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde_json::json;
use std::collections::{HashMap, HashSet};

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

fn stored_fact_in_words(f: &StoredFact) -> String {
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
    let steps = history(&db, &case.id, now).await?;
    if args.json {
        steps.iter().try_for_each(|s| line(as_json(s)))?;
    } else {
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
        print(&steps, centre.tz, &starts(&db, &case).await?)?;
        lists::standing_in_words(&db, &case.id, now)
            .await?
            .into_iter()
            .try_for_each(line)?;
    }
    db.close().await;
    Ok(())
}

/// The local start of each session of the case's centre.
async fn starts(db: &Db, case: &Case) -> Result<HashMap<SessionId, String>> {
    let all = sessions::list(db, Some(&case.centre)).await?;
    Ok(all
        .into_iter()
        .map(|(s, _)| (s.id, s.start_local.format("%a %-d %b %H:%M").to_string()))
        .collect())
}

/// Everything that happened in a case, by instant: what was recorded, what was sent, what came in,
/// and the steps of the rules on money.
async fn history(db: &Db, case_id: &CaseId, now: DateTime<Utc>) -> Result<Vec<CaseLine>> {
    let mut out = recorded(db, case_id).await?;
    out.extend(sent(db, case_id).await?);
    for (at, intent, rule) in inbox::of_case(db, case_id).await? {
        out.push(CaseLine {
            at,
            what: format!("a message came in, understood as {intent}"),
            role: None,
            session: None,
            rule,
            by: "party".into(),
            fact: None,
        });
    }
    for (step, session) in lists::steps(db, case_id, now).await? {
        out.push(CaseLine {
            at: step.at,
            what: step.why.to_owned(),
            role: None,
            session: Some(session),
            rule: step.rule.into(),
            by: "the rules".into(),
            fact: None,
        });
    }
    out.sort_by_key(|s| s.at);
    Ok(out)
}

async fn recorded(db: &Db, case_id: &CaseId) -> Result<Vec<CaseLine>> {
    let facts = facts::of_case(db, case_id).await?;
    let voided: HashSet<FactId> = facts.iter().filter_map(|f| f.voids.clone()).collect();
    Ok(facts
        .into_iter()
        .map(|f| {
            let taken_out = if voided.contains(&f.id) {
                " (a wrong record, taken out)"
            } else {
                ""
            };
            CaseLine {
                at: f.at,
                what: format!("{}{taken_out}", stored_fact_in_words(&f)),
                role: f.role.map(|r| r.to_string()),
                session: f.session_id,
                rule: f.rule,
                by: f.by,
                fact: Some(f.id),
            }
        })
        .collect())
}

async fn sent(db: &Db, case_id: &CaseId) -> Result<Vec<CaseLine>> {
    let messages = messages::of_case(db, case_id).await?;
    Ok(messages
        .into_iter()
        .map(|m| {
            let rule = if m.kind.is_answer() {
                "answer"
            } else {
                "outbox"
            };
            let reason = m
                .reason
                .map(|r| format!(" ({})", r.replace('_', " ")))
                .unwrap_or_default();
            CaseLine {
                at: m.sent_at.unwrap_or(m.queued_at),
                what: format!(
                    "text {}: {}{reason}",
                    m.kind.as_str().replace('_', " "),
                    m.state
                ),
                role: m.role,
                session: m.session_id,
                rule: rule.into(),
                by: "courtesy".into(),
                fact: None,
            }
        })
        .collect())
}

fn as_json(s: &CaseLine) -> String {
    let rests_on = rule_sentence(&s.rule);
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
    .to_string()
}

/// Prints the steps for people. Each sentence is printed once, below the first step that rests on
/// it.
fn print(steps: &[CaseLine], tz: Tz, starts: &HashMap<SessionId, String>) -> Result<()> {
    let mut printed = HashSet::new();
    for s in steps {
        let session = s
            .session
            .as_ref()
            .and_then(|id| starts.get(id))
            .map(|t| format!(" [session {t}]"))
            .unwrap_or_default();
        let rule = if s.rule.is_empty() {
            String::new()
        } else {
            format!("  ({})", s.rule)
        };
        let fact = s
            .fact
            .as_ref()
            .map(|id| format!("  #{id}"))
            .unwrap_or_default();
        line(format!(
            "{}  {:<9}{}{session}{rule}, by {}{fact}",
            wall(tz, s.at).format("%a %-d %b %H:%M:%S"),
            s.role.as_deref().unwrap_or_default(),
            s.what,
            s.by
        ))?;
        if let Some(r) = rule_sentence(&s.rule).filter(|r| printed.insert(r.sentence)) {
            line(format!(
                "                       {}: {}",
                r.document, r.sentence
            ))?;
        }
    }
    Ok(())
}
