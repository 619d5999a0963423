//! Imports a centre's file: it is read and checked as a whole, and written in one transaction or not
//! at all. An import never undoes what happened since the last one.

mod check;
mod compare;
mod finding;
mod gather;
pub mod options;
mod parties;
mod read;
mod report;
mod row;
mod write;

use crate::domain::centre::Centre;
use crate::flows::import::check::{OnFile, checker};
use crate::flows::import::finding::any_error;
pub use crate::flows::import::finding::{Finding, Severity};
use crate::flows::import::options::{Counts, DateFormat, ImportOptions, Imported};
pub use crate::flows::import::read::COLUMNS;
use crate::flows::import::report::{Covered, ImportReport};
use crate::flows::import::row::SessionRow;
use crate::store::centres::{self, Centres};
use crate::store::{Db, Tx, imports};
use anyhow::{Result, anyhow};
use chrono::{DateTime, NaiveDate, Utc};
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

/// Cases that are compared and written at a time: enough for quick statements, and few enough to
/// stay small.
const AT_ONCE: usize = 128;

/// Reads and checks a file by itself, without any database: every finding in the order of the
/// lines. It takes any bytes, and time in proportion to their number.
pub fn look(bytes: &[u8], dates: DateFormat) -> Vec<Finding> {
    let (mut findings, _) = checked(bytes, dates, &OnFile::default(), &|_, _| ());
    findings.sort_by_key(|f| f.line);
    findings
}

/// Imports the bytes of a file. With any error nothing is written.
///
/// # Errors
/// The database failed. What is wrong with the file is a finding, not an error.
pub async fn import(
    db: &Db,
    bytes: &[u8],
    how: &ImportOptions<'_>,
    now: DateTime<Utc>,
) -> Result<Imported> {
    // Checked before the transaction is opened: on SQLite nobody else could write meanwhile.
    let stored = centres::all(db).await?;
    let on_file = OnFile {
        countries: stored
            .iter()
            .map(|(code, c)| (code.clone(), c.centre.country.clone()))
            .collect(),
        zones: stored
            .iter()
            .map(|(code, c)| (code.clone(), c.centre.tz.name().to_owned()))
            .collect(),
    };
    let (mut findings, mut rows) = checked(bytes, how.dates, &on_file, how.progress);
    let mut counts = Counts {
        sessions: rows.len(),
        ..Counts::default()
    };
    let mut off = Vec::new();
    if !any_error(&findings) {
        rows.sort_by(|a, b| {
            (&a.centre, &a.case_ref, a.line).cmp(&(&b.centre, &b.case_ref, b.line))
        });
        let mut tx = db.begin().await?;
        write_all(
            &mut tx,
            &rows,
            how,
            now,
            &mut ImportReport {
                counts: &mut counts,
                findings: &mut findings,
                off: &mut off,
            },
        )
        .await?;
        if !how.dry_run && !any_error(&findings) {
            tx.commit().await?;
        }
    }
    findings.sort_by_key(|f| f.line);
    off.sort_by_key(|f| f.line);
    off.append(&mut findings);
    let counts = Some(counts).filter(|_| !any_error(&off));
    Ok(Imported {
        findings: off,
        counts,
    })
}

fn checked(
    bytes: &[u8],
    dates: DateFormat,
    on_file: &OnFile,
    progress: &dyn Fn(u64, u64),
) -> (Vec<Finding>, Vec<SessionRow>) {
    match read::read(bytes) {
        Err(finding) => (vec![*finding], Vec::new()),
        Ok(file) => {
            // Each line is checked and then written: half of the way.
            let total = 2 * file.about();
            check::check(&file, dates, on_file, &|n| progress(n, total))
        }
    }
}

/// A centre that the file names and the database lacks: made from the file's columns, on hold.
fn centre_of(row: &SessionRow) -> Result<(Centre, String)> {
    let mut table = toml::Table::new();
    let country = checker::country_of(&row.timezone);
    for (k, v) in [
        ("code", &*row.centre),
        ("name", &*row.centre_name),
        ("timezone", &*row.timezone),
        ("country", country),
        ("start", "hold"),
    ] {
        table.insert(k.into(), v.into());
    }
    let rules = toml::Table::from_iter([("currency".to_owned(), (&*row.currency).into())]);
    table.insert("rules".into(), rules.into());
    let file = toml::to_string(&table)?;
    let centre = Centre::parse(&file).map_err(|p| anyhow!("line {}: {}", row.line, p[0]))?;
    Ok((centre, file))
}

/// The centres of the file's lines; those that are new are written.
async fn centres_of(
    tx: &mut Tx,
    rows: &[SessionRow],
    now: DateTime<Utc>,
    counts: &mut Counts,
) -> Result<Centres> {
    let mut all = centres::all_in(tx).await?;
    let mut new = false;
    for row in rows
        .chunk_by(|a, b| a.centre == b.centre)
        .filter_map(|of_centre| of_centre.iter().min_by_key(|r| r.line))
    {
        if !all.contains_key(&*row.centre) {
            let (centre, file) = centre_of(row)?;
            centres::save(tx, &centre, &file, now).await?;
            counts.new_centres += 1;
            new = true;
        }
    }
    if new {
        all = centres::all_in(tx).await?;
    }
    Ok(all)
}

/// Compares and writes all lines, sorted by centre and case.
async fn write_all(
    tx: &mut Tx,
    rows: &[SessionRow],
    how: &ImportOptions<'_>,
    now: DateTime<Utc>,
    report: &mut ImportReport<'_>,
) -> Result<()> {
    let all = centres_of(tx, rows, now, report.counts).await?;
    let mut days: BTreeMap<Arc<str>, (NaiveDate, NaiveDate)> = BTreeMap::new();
    for row in rows {
        let day = row.start_local.date();
        let span = days.entry(row.centre.clone()).or_insert((day, day));
        *span = (span.0.min(day), span.1.max(day));
    }
    imports::lock_centres(tx, &days.keys().map(|c| &**c).collect::<Vec<_>>()).await?;
    let mut done = rows.len() as u64;
    for of_centre in rows.chunk_by(|a, b| a.centre == b.centre) {
        let Some((centre, days)) = of_centre
            .first()
            .and_then(|r| Some((&all.get(&*r.centre)?.centre, *days.get(&r.centre)?)))
        else {
            continue;
        };
        let at = Covered { centre, days };
        let cases: Vec<&[SessionRow]> = of_centre
            .chunk_by(|a, b| a.case_ref == b.case_ref)
            .collect();
        for some in cases.chunks(AT_ONCE) {
            write::some_cases(tx, &at, some, how, now, report).await?;
            done += some.iter().map(|c| c.len() as u64).sum::<u64>();
            (how.progress)(done, 2 * rows.len() as u64);
        }
        if !any_error(report.findings) {
            let in_file: HashSet<&str> = cases
                .iter()
                .filter_map(|c| c.first())
                .map(|r| r.case_ref.as_str())
                .collect();
            write::missing_cases(tx, &at, &in_file, report).await?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::{Duration, Instant};

    const SAMPLE: &str = include_str!("../../../tests/data/sample_centre.csv");
    const MEGABYTE: usize = 1 << 20;

    fn kinds(bytes: &[u8]) -> Vec<&'static str> {
        let mut kinds: Vec<&'static str> = look(bytes, DateFormat::Dmy)
            .into_iter()
            .map(|f| f.kind)
            .collect();
        kinds.dedup();
        kinds
    }

    #[test]
    fn a_megabyte_of_anything_is_read_in_its_time() {
        let header = SAMPLE.lines().next().unwrap();
        let good = SAMPLE.lines().nth(1).unwrap();
        let under = |rest: &str| format!("{header}\n{}", rest.repeat(MEGABYTE / rest.len()));
        let one_case: String = (0..3000)
            .map(|i| {
                good.replace(
                    "2026-11-28",
                    &format!(
                        "{}-{:02}-{:02}",
                        2026 + i / 336,
                        1 + i / 28 % 12,
                        1 + i % 28
                    ),
                )
                .replace("2026-11-07T", "2025-11-07T")
                    + "\n"
            })
            .collect();
        for (name, text) in [
            ("quotes", "\"".repeat(MEGABYTE)),
            ("commas", ",".repeat(MEGABYTE)),
            ("semicolons and quotes", ";\"".repeat(MEGABYTE / 2)),
            ("one huge line", "x".repeat(MEGABYTE)),
            ("a thousand columns and more", "a,".repeat(MEGABYTE / 2)),
            (
                "columns that are nearly right",
                "case_reff,".repeat(MEGABYTE / 10),
            ),
            ("one column again and again", "notes,".repeat(MEGABYTE / 6)),
            ("line ends", "\n".repeat(MEGABYTE)),
            ("nothing but NUL", "\0".repeat(MEGABYTE)),
            ("quotes under a header", under("\"")),
            ("an open quote on each line", under("a,\"b\n")),
            (
                "an open quote on each full line",
                under(&format!("{}\n", good.replace("BRK-0101", "\"BRK-0101"))),
            ),
            (
                "a huge field",
                format!(
                    "{header}\n{}\n",
                    good.replace("Dwayne", &"D".repeat(MEGABYTE))
                ),
            ),
            (
                "a huge number",
                format!(
                    "{header}\n{}\n",
                    good.replace("07700 900101", &"7".repeat(MEGABYTE))
                ),
            ),
            ("too many fields", under(&format!("{good},\n"))),
            (
                "one line with too many fields",
                format!("{header}\n{good}{}", ",x".repeat(MEGABYTE / 2)),
            ),
            ("the same line", under(&format!("{good}\n"))),
            ("one case", format!("{header}\n{one_case}")),
        ] {
            let started = Instant::now();
            let found = kinds(text.as_bytes());
            // Half a second here; whatever grows with the square takes minutes.
            assert!(
                started.elapsed() < Duration::from_secs(20),
                "{name}: {:?}",
                started.elapsed()
            );
            assert_eq!(
                found.is_empty(),
                matches!(name, "one case" | "a huge field"),
                "{name}: {found:?}"
            );
        }
    }

    #[test]
    fn long_fields_and_many_columns_do_not_flood_the_reader() {
        let found = look("a,".repeat(1000).as_bytes(), DateFormat::Iso);
        assert!(found.len() < 80, "{}", found.len());
        let header = SAMPLE.lines().next().unwrap();
        let line = SAMPLE
            .lines()
            .nth(1)
            .unwrap()
            .replace("supported", &"s".repeat(5000));
        assert!(
            look(format!("{header}\n{line}\n").as_bytes(), DateFormat::Iso)
                .iter()
                .all(|f| f.what.len() < 200)
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_looked_at(bytes in prop::collection::vec(any::<u8>(), 0..2000), dmy: bool) {
            look(&bytes, if dmy { DateFormat::Dmy } else { DateFormat::Iso });
        }

        #[test]
        fn a_damaged_file_is_looked_at(at in 0..SAMPLE.len(), cut in 0..400_usize, put in "[\"',;\n\r:+0-9A-Za-z=@éÃ\u{0}\u{feff}.-]{0,60}") {
            let mut bytes = SAMPLE.as_bytes().to_vec();
            let end = (at + cut).min(bytes.len());
            bytes.splice(at..end, put.into_bytes());
            look(&bytes, DateFormat::Dmy);
        }
    }
}
