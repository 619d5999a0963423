//! `courtesy try`: runs golden cases through the same code that serves.

mod json;
mod plan_case;
mod plan_input;
pub mod policy_case;
mod reply_case;
mod visit_notices;

use crate::cli::try_cases::plan_input::PlanCase;
use crate::cli::try_cases::policy_case::PolicyCase;
use crate::cli::try_cases::reply_case::understand_case;
use crate::cli::{NegativeResult, line};
use anyhow::{Context, Result, anyhow};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};

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

/// Buffered output. A reader that went away is no error.
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

/// The results of all cases together.
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

impl Totals {
    fn count(&mut self, right: bool) {
        if right {
            self.right += 1;
        } else {
            self.wrong += 1;
        }
    }

    fn print_table(&self) -> Result<()> {
        line(format!(
            "{:<24}{:<10}{:>6}{:>7}{:>10}",
            "intent", "language", "texts", "right", "critical"
        ))?;
        for ((intent, lang), [all, right, critical]) in &self.table {
            line(format!(
                "{intent:<24}{lang:<10}{all:>6}{right:>7}{critical:>10}"
            ))?;
        }
        Ok(())
    }

    fn summary(&self) -> String {
        format!(
            "{} cases: {} right, {} differ, {} without an expectation, {} not readable",
            self.lines,
            self.right,
            self.wrong,
            self.lines - self.right - self.wrong - self.unreadable,
            self.unreadable
        )
    }
}

/// Runs one case: gives its line of output and counts it.
type RunCase = fn(&mut Value, &mut Totals) -> Result<Value>;

pub(crate) fn run(command: Command) -> Result<()> {
    let (totals, failures) = match command {
        Command::Rules { file } => without_table(&file, rules_line)?,
        Command::Plan { file } => without_table(&file, plan_line)?,
        Command::Replies { file, table } => {
            let totals = run_cases(&file, table, reply_line)?;
            if table {
                totals.print_table()?;
            }
            eprintln!("{}, {} critical", totals.summary(), totals.critical);
            let critical = totals.critical;
            (totals, critical)
        }
    };
    if failures > 0 || totals.unreadable > 0 {
        return Err(NegativeResult.into());
    }
    Ok(())
}

/// Runs cases that are right or wrong and nothing else; gives how many are wrong too.
fn without_table(file: &Path, run_case: RunCase) -> Result<(Totals, usize)> {
    let totals = run_cases(file, false, run_case)?;
    eprintln!("{}", totals.summary());
    let wrong = totals.wrong;
    Ok((totals, wrong))
}

/// Runs the cases of a file, one object a line. With `only_problems` what is wrong goes to stderr,
/// and nothing else is written.
fn run_cases(file: &Path, only_problems: bool, run_case: RunCase) -> Result<Totals> {
    let unreadable = || format!("{} cannot be read", file.display());
    let reader = std::io::BufReader::new(std::fs::File::open(file).with_context(unreadable)?);
    let mut totals = Totals::default();
    let mut out = CaseOutput(std::io::BufWriter::new(std::io::stdout().lock()));
    for (n, text) in reader.split(b'\n').enumerate() {
        let text = text.with_context(unreadable)?;
        if text.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        totals.lines += 1;
        let answer = serde_json::from_slice::<Value>(&text)
            .context("it is no JSON")
            .and_then(|mut v| run_case(&mut v, &mut totals))
            .unwrap_or_else(|e| {
                totals.unreadable += 1;
                json!({ "id": null, "line": n + 1, "error": format!("{e:#}") })
            });
        if !only_problems {
            out.line(&answer)?;
        } else if answer.get("error").is_some() || answer["ok"] == false {
            eprintln!("{answer}");
        }
    }
    out.end()?;
    Ok(totals)
}

fn id_of(v: &Value) -> Value {
    v.get("id").cloned().unwrap_or(Value::Null)
}

/// Compares a result with what the case expects, if it expects anything.
fn judged(v: &mut Value, actual: Value, totals: &mut Totals) -> Value {
    let mut out = json!({ "id": id_of(v) });
    out["actual"] = actual;
    if let Some(expected) = v.get_mut("expected").map(Value::take) {
        let ok = expected == out["actual"];
        totals.count(ok);
        out["expected"] = expected;
        out["ok"] = ok.into();
    }
    out
}

fn rules_line(v: &mut Value, totals: &mut Totals) -> Result<Value> {
    let case = PolicyCase::read(v.get("input").unwrap_or(v)).map_err(|p| anyhow!("{p}"))?;
    Ok(judged(v, case.actual(), totals))
}

fn plan_line(v: &mut Value, totals: &mut Totals) -> Result<Value> {
    let case = PlanCase::read(v.get("input").unwrap_or(v)).map_err(|p| anyhow!("{p}"))?;
    Ok(judged(v, case.actual(), totals))
}

fn reply_line(v: &mut Value, totals: &mut Totals) -> Result<Value> {
    let result = understand_case(v)?;
    let mut out = json!({
        "id": id_of(v),
        "actual": { "intent": result.intent, "rule": result.rule },
    });
    if let Some(j) = result.judgement {
        totals.count(j.right);
        totals.critical += usize::from(j.critical);
        out["expected"] = json!({ "intent": j.expected });
        out["ok"] = j.right.into();
        out["critical"] = j.critical.into();
        let [all, right, critical] = totals
            .table
            .entry((j.expected, result.language))
            .or_default();
        *all += 1;
        *right += usize::from(j.right);
        *critical += usize::from(j.critical);
    }
    Ok(out)
}
