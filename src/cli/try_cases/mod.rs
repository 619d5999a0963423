//! `courtesy try`: runs cases through the very code that serves.

pub mod plan_case;
pub mod policy_case;

use crate::cli::try_cases::plan_case::{PlanCase, PlanEvent, PlanParty};
use crate::cli::try_cases::policy_case::PolicyCase;
use crate::cli::{NegativeResult, line};
use crate::domain::centre::{AskRule, Courtesy, parse_day, parse_quiet};
use crate::domain::local_time::{parse_local, parse_time};
use crate::domain::people::person::{Channel, Role};
use crate::domain::reminders::schedule::NotSent;
use crate::domain::replies::understanding::{
    PendingQuestion, ReadingContext as Known, understand_in,
};
use anyhow::{Context, Result, anyhow, bail};
use chrono::{DateTime, NaiveDateTime, Utc};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{BufRead, Write};
use std::path::PathBuf;

/// Commands of `try`.
#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Late or not, what fee, who is liable, which notices when: the rules on money
    #[command(after_help = "Example:\n  courtesy try rules policy_cases.jsonl")]
    Rules {
        /// Cases, one object a line
        file: PathBuf,
    },
    /// When courtesy confirmations go out, or why not
    #[command(after_help = "Example:\n  courtesy try plan confirmation_plan_cases.jsonl")]
    Plan {
        /// Cases, one object a line
        file: PathBuf,
    },
    /// What texts from parents mean
    #[command(after_help = "Example:\n  courtesy try replies replies.jsonl")]
    Replies {
        /// Texts, one object a line
        file: PathBuf,
        /// A table by intent and language; whatever is wrong goes to stderr
        #[arg(long)]
        table: bool,
    },
}

/// The answers on their way out, some at a time; a reader that went away is no error.
struct CaseOutput<'a>(std::io::BufWriter<std::io::StdoutLock<'a>>);

impl CaseOutput<'_> {
    fn line(&mut self, answer: &Value) -> Result<()> {
        let written = serde_json::to_writer(&mut self.0, answer)
            .map_err(std::io::Error::from)
            .and_then(|()| self.0.write_all(b"\n"));
        written_or_gone(written)
    }

    fn end(mut self) -> Result<()> {
        written_or_gone(self.0.flush())
    }
}

fn written_or_gone(written: std::io::Result<()>) -> Result<()> {
    match written {
        Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => std::process::exit(0),
        other => other.context("cannot write"),
    }
}

#[derive(Default)]
struct Totals {
    lines: usize,
    right: usize,
    wrong: usize,
    unreadable: usize,
    critical: usize,
    /// By intent and language: all, right, critical.
    table: BTreeMap<(String, String), [usize; 3]>,
}

pub(crate) fn run(command: Command) -> Result<()> {
    let (file, as_table, one): (_, _, fn(&mut Value, &mut Totals) -> Result<Value>) = match &command
    {
        Command::Rules { file } => (file, false, rules_line),
        Command::Plan { file } => (file, false, plan_line),
        Command::Replies { file, table } => (file, *table, reply_line),
    };
    let reader = std::io::BufReader::new(
        std::fs::File::open(file).with_context(|| format!("{} cannot be read", file.display()))?,
    );
    let mut sum = Totals::default();
    let mut out = CaseOutput(std::io::BufWriter::new(std::io::stdout().lock()));
    for (n, text) in reader.split(b'\n').enumerate() {
        let text = text.with_context(|| format!("{} cannot be read", file.display()))?;
        if text.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        sum.lines += 1;
        let answer = serde_json::from_slice::<Value>(&text)
            .context("it is no JSON")
            .and_then(|mut v| one(&mut v, &mut sum))
            .unwrap_or_else(|e| {
                sum.unreadable += 1;
                json!({ "id": null, "line": n + 1, "error": format!("{e:#}") })
            });
        if !as_table {
            out.line(&answer)?;
        } else if answer.get("error").is_some() || answer["ok"] == false {
            eprintln!("{answer}");
        }
    }
    out.end()?;
    if as_table {
        line(format!(
            "{:<24}{:<10}{:>6}{:>7}{:>10}",
            "intent", "language", "texts", "right", "critical"
        ))?;
        for ((intent, lang), [all, right, critical]) in &sum.table {
            line(format!(
                "{intent:<24}{lang:<10}{all:>6}{right:>7}{critical:>10}"
            ))?;
        }
    }
    let critical = if matches!(command, Command::Replies { .. }) {
        format!(", {} critical", sum.critical)
    } else {
        String::new()
    };
    eprintln!(
        "{} cases: {} right, {} differ, {} without an expectation, {} not readable{critical}",
        sum.lines,
        sum.right,
        sum.wrong,
        sum.lines - sum.right - sum.wrong - sum.unreadable,
        sum.unreadable
    );
    let failed = if matches!(command, Command::Replies { .. }) {
        sum.critical > 0
    } else {
        sum.wrong > 0
    };
    if failed || sum.unreadable > 0 {
        Err(NegativeResult.into())
    } else {
        Ok(())
    }
}

fn id_of(v: &Value) -> Value {
    v.get("id").cloned().unwrap_or(Value::Null)
}

fn plan_line(v: &mut Value, sum: &mut Totals) -> Result<Value> {
    let case = read_plan(v.get("input").unwrap_or(v))?;
    let roles: Vec<Value> = v
        .pointer("/input/parties")
        .or_else(|| v.get("parties"))
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .map(|p| p["role"].clone())
        .collect();
    let parties: Vec<Value> = case
        .outcomes()
        .iter()
        .zip(roles)
        .map(|(o, role)| {
            let sends: Vec<Value> = o
                .sends
                .iter()
                .map(|s| {
                    json!({
                        "at": crate::cli::utc(s.at),
                        "for_start_local": s.for_start.format("%Y-%m-%dT%H:%M").to_string(),
                        "via": s.via.as_str(),
                    })
                })
                .collect();
            json!({ "role": role, "sends": sends, "not_sent": o.not_sent.map(NotSent::as_str) })
        })
        .collect();
    Ok(judged(v, json!({ "parties": parties }), sum))
}

/// A line of the answer: the case's id, what came out, and whether it is what was expected.
fn judged(v: &mut Value, actual: Value, sum: &mut Totals) -> Value {
    let mut out = json!({ "id": id_of(v) });
    out["actual"] = actual;
    if let Some(expected) = v.get_mut("expected").map(Value::take) {
        let ok = expected == out["actual"];
        if ok {
            sum.right += 1
        } else {
            sum.wrong += 1
        }
        out["expected"] = expected;
        out["ok"] = ok.into();
    }
    out
}

fn rules_line(v: &mut Value, sum: &mut Totals) -> Result<Value> {
    let case = PolicyCase::read(v.get("input").unwrap_or(v)).map_err(|p| anyhow!("{p}"))?;
    Ok(judged(v, case.actual(), sum))
}

fn text<'a>(v: &'a Value, key: &str) -> Result<&'a str> {
    v.get(key)
        .and_then(Value::as_str)
        .with_context(|| format!("{key} is missing or no text"))
}

fn instant_at(v: &Value, key: &str) -> Result<Option<DateTime<Utc>>> {
    match v.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(t) => {
            let t = t.as_str().with_context(|| format!("{key} is no text"))?;
            Ok(Some(
                DateTime::parse_from_rfc3339(t)
                    .with_context(|| format!("{key}: {t:?} is no instant"))?
                    .with_timezone(&Utc),
            ))
        }
    }
}

fn local(v: &Value, key: &str) -> Result<NaiveDateTime> {
    let t = text(v, key)?;
    parse_local(t).with_context(|| format!("{key}: {t:?} is no local time"))
}

/// A span in which the provider was away; without an end it never came back.
type Outage = (DateTime<Utc>, Option<DateTime<Utc>>);

fn outage(o: &Value) -> Result<Option<Outage>> {
    let Some(down) = instant_at(o, "down_from")? else {
        return Ok(None);
    };
    Ok(Some((down, instant_at(o, "up_at")?)))
}

fn read_plan(input: &Value) -> Result<PlanCase> {
    let policy = input.get("policy").context("policy is missing")?;
    let tz_name = text(policy, "tz")?;
    let mut courtesy = Courtesy {
        quiet: None,
        ..Courtesy::default()
    };
    if let Some(rules) = policy.get("rules") {
        let rule = |name: &str, default: AskRule| -> Result<AskRule> {
            let Some(r) = rules.get(name).filter(|r| !r.is_null()) else {
                return Ok(default);
            };
            let (day, time) = (text(r, "day")?, text(r, "time")?);
            Ok(AskRule {
                day: parse_day(day).with_context(|| format!("{day:?} is no day"))?,
                time: parse_time(time).with_context(|| format!("{time:?} is no time"))?,
            })
        };
        courtesy.saturday = rule("saturday", courtesy.saturday)?;
        courtesy.sunday = rule("sunday", courtesy.sunday)?;
        courtesy.weekday = rule("weekday", courtesy.weekday)?;
    }
    if let Some(list) = policy.get("quiet_hours").and_then(Value::as_array) {
        let list: Vec<String> = list
            .iter()
            .filter_map(|t| t.as_str().map(str::to_owned))
            .collect();
        courtesy.quiet = parse_quiet(&list).map_err(|e| anyhow!("quiet_hours: {e}"))?;
    }
    if let Some(n) = policy.get("min_lead_minutes").and_then(Value::as_i64) {
        courtesy.min_lead_minutes = n;
    }
    for d in policy
        .get("bank_holidays")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        courtesy.bank_holidays.push(
            d.as_str()
                .and_then(|d| d.parse().ok())
                .context("a bank holiday is no date")?,
        );
    }
    let session = input.get("session").context("session is missing")?;
    let mut history = Vec::new();
    for h in session
        .get("history")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        let at = instant_at(h, "at")?.context("history: at is missing")?;
        let what = match text(h, "type")? {
            "moved" => PlanEvent::Moved(local(h, "new_start_local")?),
            "cancelled" => PlanEvent::Off(NotSent::Cancelled),
            "closed" => PlanEvent::Off(NotSent::Closed),
            "archived" => PlanEvent::Off(NotSent::CaseArchived),
            other => bail!("history: {other:?} is not known"),
        };
        history.push((at, what));
    }
    if let Some(at) = instant_at(input, "archived_at")? {
        history.push((at, PlanEvent::Off(NotSent::CaseArchived)));
    }
    let mut outages = Vec::new();
    match input.get("provider") {
        None | Some(Value::Null) => {}
        Some(Value::Array(list)) => {
            for o in list {
                outages.extend(outage(o)?);
            }
        }
        Some(o) => outages.extend(outage(o)?),
    }
    let mut parties = Vec::new();
    for p in input
        .get("parties")
        .and_then(Value::as_array)
        .context("parties are missing")?
    {
        let role = text(p, "role")?.parse::<Role>().unwrap_or(Role::Referrer);
        let mut channels = Vec::new();
        for c in p
            .get("channels")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            let usable = c.get("usable").and_then(Value::as_bool).unwrap_or(true);
            // A landline is never used for texts, whatever else is said of it.
            let kind = text(c, "kind")?.parse::<Channel>().unwrap_or(Channel::None);
            channels.push((kind, usable));
        }
        parties.push(PlanParty {
            role,
            channels,
            opted_out_at: instant_at(p, "opted_out_at")?,
            confirmed_at: instant_at(p, "confirmed_at")?,
            arrival: p
                .get("arrival_local")
                .and_then(Value::as_str)
                .map(|_| local(p, "arrival_local"))
                .transpose()?,
        });
    }
    Ok(PlanCase {
        courtesy,
        tz: tz_name
            .parse()
            .map_err(|_| anyhow!("tz: {tz_name:?} is no IANA zone"))?,
        archived: input
            .get("case_state")
            .and_then(Value::as_str)
            .is_some_and(|s| s != "open"),
        start: local(session, "start_local")?,
        booked_at: instant_at(session, "booked_at")?.unwrap_or(DateTime::<Utc>::MIN_UTC),
        history,
        outages,
        parties,
    })
}

/// What a case says of its text; what it does not say is not known.
fn reply_line(v: &mut Value, sum: &mut Totals) -> Result<Value> {
    let words = |key: &str| v.get(key).and_then(Value::as_str);
    let arrivals = match v.get("open_local").and_then(Value::as_array) {
        None => Vec::new(),
        Some(list) => list
            .iter()
            .map(|t| {
                t.as_str()
                    .and_then(parse_local)
                    .context("open_local: no local time")
            })
            .collect::<Result<_>>()?,
    };
    let known = Known {
        lang: words("lang").unwrap_or("en"),
        channel: words("channel")
            .and_then(|c| c.parse().ok())
            .unwrap_or(Channel::Sms),
        open: v
            .get("open_sessions")
            .and_then(Value::as_u64)
            .and_then(|n| usize::try_from(n).ok())
            .unwrap_or(1),
        asked: if words("asked") == Some("number") {
            PendingQuestion::Numbered
        } else {
            PendingQuestion::Confirm
        },
        arrivals: &arrivals,
    };
    let understood = understand_in(text(v, "text")?, &known);
    let intent = match understood.intent.as_str() {
        // A code answers our own question; without one it is for a person.
        "code" => "unclear",
        other => other,
    };
    let mut out =
        json!({ "id": id_of(v), "actual": { "intent": intent, "rule": understood.rule } });
    if let Some(expected) = v.get("intent").and_then(Value::as_str) {
        let holds = |key: &str| {
            v.get(key)
                .and_then(Value::as_array)
                .is_some_and(|a| a.iter().any(|x| x == intent))
        };
        let (ok, critical) = (intent == expected || holds("also_ok"), holds("must_not"));
        if ok {
            sum.right += 1
        } else {
            sum.wrong += 1
        }
        sum.critical += usize::from(critical);
        let row = sum
            .table
            .entry((expected.to_owned(), known.lang.to_owned()))
            .or_default();
        *row = [
            row[0] + 1,
            row[1] + usize::from(ok),
            row[2] + usize::from(critical),
        ];
        out["expected"] = json!({ "intent": expected });
        out["ok"] = ok.into();
        out["critical"] = critical.into();
    }
    Ok(out)
}
