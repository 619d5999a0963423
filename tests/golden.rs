//! Golden cases: the rules about money, the plan of confirmations, the meaning of replies, and
//! imported files.

use crate::common::{Binary, On, SAMPLE, TestDb, at};
use courtesy::domain::people::channel::Consent;
use courtesy::flows::import::options::ImportOptions;
use courtesy::flows::import::{Finding, Severity, import};
use courtesy::store::{cases, sessions};
use serde_json::Value;

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data");

#[test]
fn all_plan_cases() {
    let b = Binary::new("");
    let (code, out, err) = b.run(&[
        "try",
        "plan",
        &format!("{DATA}/confirmation_plan_cases.jsonl"),
    ]);
    let wrong: Vec<&str> = out.lines().filter(|l| !l.contains("\"ok\":true")).collect();
    assert_eq!(
        (code, wrong.as_slice(), out.lines().count()),
        (0, &[] as &[&str], 40),
        "{err}"
    );
}

#[test]
fn more_plan_cases_of_the_same_kinds() {
    let b = Binary::new("");
    let (code, out, err) = b.run(&["try", "plan", &format!("{DATA}/plan_cases_own.jsonl")]);
    let wrong: Vec<&str> = out.lines().filter(|l| !l.contains("\"ok\":true")).collect();
    assert_eq!((code, wrong.as_slice()), (0, &[] as &[&str]), "{err}");
}

#[test]
fn all_cases_of_the_rules_on_money() {
    let b = Binary::new("");
    let (code, out, err) = b.run(&["try", "rules", &format!("{DATA}/policy_cases.jsonl")]);
    let wrong: Vec<&str> = out.lines().filter(|l| !l.contains("\"ok\":true")).collect();
    assert_eq!(
        (code, wrong.as_slice(), out.lines().count()),
        (0, &[] as &[&str], 80),
        "{err}"
    );
}

#[test]
fn a_bad_case_of_the_rules_is_named_and_the_rest_goes_on() {
    let b = Binary::new("");
    let good = std::fs::read_to_string(format!("{DATA}/policy_cases.jsonl"))
        .unwrap()
        .lines()
        .next()
        .unwrap()
        .to_owned();
    let bad = good.replacen("\"fee_pence\": 4500", "\"fee_pence\": -4500", 1);
    std::fs::write(
        b.dir.path().join("x.jsonl"),
        format!("{good}\n{bad}\n{{}}\n{good}\n"),
    )
    .unwrap();
    let (code, out, err) = b.run(&["try", "rules", "x.jsonl"]);
    let lines: Vec<Value> = out
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    let errors: Vec<(&Value, &Value)> = lines
        .iter()
        .filter(|l| l["id"].is_null())
        .map(|l| (&l["line"], &l["error"]))
        .collect();
    assert_eq!((code, lines.len(), errors.len()), (1, 4, 2), "{err}");
    assert_eq!(
        errors[0],
        (
            &2.into(),
            &"policy.fee_pence: -4500 is no whole number from 0 to \
                                        100000000. Give one from 0 to 100000000."
                .into()
        )
    );
    assert_eq!(errors[1].0, &3);
}

#[test]
fn no_reply_is_understood_as_what_it_must_not_be() {
    let b = Binary::new("");
    let (code, out, err) = b.run(&["try", "replies", &format!("{DATA}/replies.jsonl")]);
    assert!(!out.contains("\"critical\":true"), "{err}");
    assert_eq!(code, 0, "{err}");
}

#[test]
fn nearly_every_plain_answer_is_understood() {
    let b = Binary::new("");
    let (code, out, err) = b.run(&[
        "try",
        "replies",
        "--table",
        &format!("{DATA}/replies.jsonl"),
    ]);
    assert_eq!(code, 0, "{err}");
    let rows: Vec<(&str, &str, f64, f64)> = out
        .lines()
        .skip(1)
        .map(|l| l.split_whitespace().collect::<Vec<_>>())
        .map(|c| (c[0], c[1], c[2].parse().unwrap(), c[3].parse().unwrap()))
        .collect();
    let share = |wanted: fn(&str) -> bool| {
        let rows: Vec<_> = rows.iter().filter(|r| r.1 == "en" && wanted(r.0)).collect();
        rows.iter().map(|r| r.3).sum::<f64>() / rows.iter().map(|r| r.2).sum::<f64>()
    };
    assert!(
        share(|i| i == "confirm" || i == "stop" || i.starts_with("cancel")) >= 0.97,
        "{out}"
    );
    assert!(share(|i| i == "safeguarding_alert") >= 0.9, "{out}");
    let alarms = std::fs::read_to_string(format!("{DATA}/replies.jsonl"))
        .unwrap()
        .lines()
        .map(|l| serde_json::from_str::<Value>(l).unwrap())
        .filter(|v| {
            v["intent"] != "safeguarding_alert"
                && !v["also_ok"]
                    .as_array()
                    .unwrap()
                    .contains(&"safeguarding_alert".into())
        })
        .filter(|v| {
            courtesy::domain::replies::understanding::understand(v["text"].as_str().unwrap())
                .intent
                .as_str()
                == "safeguarding_alert"
        })
        .count();
    assert!(
        alarms * 50 <= 263,
        "{alarms} harmless texts are called danger"
    );
}

/// Texts by people who had not seen the lists; some were written to be misunderstood.
///
/// docs/decisions/0012 has the results of the first reading. The lists were improved with these
/// texts since, so the numbers here are lower limits for changes, and say nothing about new texts.
#[test]
fn what_people_wrote_who_did_not_know_the_lists_is_understood_as_before() {
    // For the first 2,460 texts, and for those after them: plain answers and how many are right;
    // danger and how much is urgent; harmless texts and how many are false alarms.
    let mut lots = [[0; 6]; 2];
    for line in std::fs::read_to_string(format!("{DATA}/replies_people.jsonl"))
        .unwrap()
        .lines()
    {
        let v: Value = serde_json::from_str(line).unwrap();
        let has = |key: &str, intent: &str| v[key].as_array().unwrap().contains(&intent.into());
        let (text, wanted) = (v["text"].as_str().unwrap(), v["intent"].as_str().unwrap());
        let open = usize::try_from(v["open_sessions"].as_u64().unwrap()).unwrap();
        let context = courtesy::domain::replies::understanding::ReadingContext {
            lang: v["lang"].as_str().unwrap(),
            open,
            ..Default::default()
        };
        let read = courtesy::domain::replies::understanding::understand_in(text, &context)
            .intent
            .as_str();
        assert!(!has("must_not", read), "{text}: {read}");
        let [answers, right, danger, urgent, harmless, alarms] =
            &mut lots[usize::from(v["id"].as_str().unwrap().starts_with('e'))];
        if v["lang"] == "en"
            && (wanted == "confirm" || wanted == "stop" || wanted.starts_with("cancel"))
        {
            (*answers, *right) = (
                *answers + 1,
                *right + usize::from(read == wanted || has("also_ok", read)),
            );
        }
        if wanted == "safeguarding_alert" {
            (*danger, *urgent) = (*danger + 1, *urgent + usize::from(read == wanted));
        } else if !has("also_ok", "safeguarding_alert") {
            (*harmless, *alarms) = (
                *harmless + 1,
                *alarms + usize::from(read == "safeguarding_alert"),
            );
        }
    }
    // Percent, percent and per mille. Many of the later texts were written to look like danger, or
    // to describe danger in ways that nobody had used before.
    for ([answers, right, danger, urgent, harmless, alarms], (plain, told, at_most)) in
        lots.into_iter().zip([(87, 90, 10), (87, 80, 26)])
    {
        assert!(
            right * 100 >= answers * plain,
            "{right} of {answers} plain answers"
        );
        assert!(
            urgent * 100 >= danger * told,
            "{urgent} of {danger} texts of danger"
        );
        assert!(
            alarms * 1000 <= harmless * at_most,
            "{alarms} of {harmless} harmless texts are called danger"
        );
    }
}

#[test]
fn no_text_of_our_own_is_understood_as_what_it_must_not_be() {
    let b = Binary::new("");
    let made = std::process::Command::new("python3")
        .args([
            concat!(env!("CARGO_MANIFEST_DIR"), "/tests/replies_own.py"),
            "all",
        ])
        .output()
        .unwrap();
    assert!(made.status.success());
    std::fs::write(b.dir.path().join("own.jsonl"), made.stdout).unwrap();
    let (code, _, err) = b.run(&["try", "replies", "--table", "own.jsonl"]);
    assert_eq!(code, 0, "{err}");
}

#[test]
fn a_line_that_cannot_be_read_is_named_and_the_rest_goes_on() {
    let b = Binary::new("");
    std::fs::write(
        b.dir.path().join("x.jsonl"),
        "{\"id\":\"a\",\"text\":\"YES\"}\nnonsense\n\n{\"id\":\"b\",\"text\":\"no\"}\n",
    )
    .unwrap();
    let (code, out, _) = b.run(&["try", "replies", "x.jsonl"]);
    let lines: Vec<Value> = out
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    assert_eq!(code, 1);
    assert_eq!(
        (
            lines.len(),
            &lines[0]["actual"]["intent"],
            &lines[1]["id"],
            &lines[1]["line"],
            &lines[2]["id"]
        ),
        (3, &"confirm".into(), &Value::Null, &2.into(), &"b".into())
    );
}

async fn imported(on: On, csv: &[u8]) -> (TestDb, Vec<Finding>) {
    let db = TestDb::new(on).await;
    let store = db.open().await;
    let i = import(
        &store,
        csv,
        &ImportOptions::default(),
        at("2026-11-21T12:00"),
    )
    .await
    .unwrap();
    store.close().await;
    (db, i.findings)
}

async fn the_sample_and_its_excel_twin(on: On) {
    for file in [
        SAMPLE.as_bytes(),
        include_bytes!("data/sample_centre_excel.csv"),
    ] {
        let (db, findings) = imported(on, file).await;
        assert_eq!(findings, []);
        let store = db.open().await;
        let all = sessions::list(&store, None).await.unwrap();
        assert_eq!(all.len(), 23);
        assert_eq!(all.iter().filter(|(s, _)| s.centre == "LIF").count(), 8);
        let parties = cases::parties(&store, &Default::default(), None)
            .await
            .unwrap();
        assert!(
            parties
                .iter()
                .any(|p| p.case_ref == "BRK-0103" && p.consent == Consent::Stop && !p.usable)
        );
        let names: Vec<String> = cases::simulator_phones(&store)
            .await
            .unwrap()
            .into_iter()
            .map(|(phone, _, _, name, _)| format!("{} {}", phone.as_str(), name.0))
            .collect();
        assert!(
            names.contains(&"+353209102001 Aoife Ní Bhriain".to_owned()),
            "{names:?}"
        );
        assert!(names.contains(&"+447700900117 Robert \"Robbie\" Tranter".to_owned()));
        assert!(names.contains(&"+353209102004 Cathal Mac Lochlainn".to_owned()));
        // The same file again changes nothing.
        let again = import(
            &store,
            file,
            &ImportOptions::default(),
            at("2026-11-22T12:00"),
        )
        .await
        .unwrap();
        let c = again.counts.unwrap();
        assert_eq!(
            (
                c.new_sessions,
                c.unchanged,
                c.differs,
                c.new_cases,
                again.findings.len()
            ),
            (0, 23, 0, 0, 0)
        );
    }
}

async fn a_dirty_file_gives_its_findings_and_writes_nothing(on: On) {
    let (db, findings) = imported(on, include_bytes!("data/sample_centre_dirty.csv")).await;
    let got: Vec<String> = findings
        .iter()
        .map(|f| format!("{} {} {} {}", f.line, f.column, f.kind, f.severity))
        .collect();
    let wanted: Vec<String> = include_str!("data/sample_centre_dirty_expected_errors.jsonl")
        .lines()
        .map(|l| serde_json::from_str::<Value>(l).unwrap())
        .map(|v| {
            format!(
                "{} {} {} {}",
                v["line"],
                v["column"].as_str().unwrap(),
                v["kind"].as_str().unwrap(),
                v["severity"].as_str().unwrap()
            )
        })
        .collect();
    assert_eq!(got, wanted);
    let store = db.open().await;
    assert!(sessions::list(&store, None).await.unwrap().is_empty());
    assert!(
        courtesy::store::centres::all(&store)
            .await
            .unwrap()
            .is_empty()
    );
}

async fn a_second_file_never_guesses_a_move(on: On) {
    let (db, _) = imported(on, SAMPLE.as_bytes()).await;
    let store = db.open().await;
    let later = SAMPLE.replace(
        "BRK-0104,no,3,2026-11-28,13:00,15:00",
        "BRK-0104,no,3,2026-11-28,13:30,15:00",
    );
    let i = import(
        &store,
        later.as_bytes(),
        &ImportOptions::default(),
        at("2026-11-22T12:00"),
    )
    .await
    .unwrap();
    assert!(i.counts.is_none());
    assert_eq!(
        i.findings
            .iter()
            .map(|f| (f.line, f.kind, f.severity))
            .collect::<Vec<_>>(),
        [(5, "looks_like_a_move", Severity::Error)]
    );
    // Another number waits until staff confirm it; a number of the other party is refused.
    let phone = SAMPLE.replace("Dwayne Carver,07700 900102", "Dwayne Carver,07700 900191");
    let i = import(
        &store,
        phone.as_bytes(),
        &ImportOptions::default(),
        at("2026-11-22T12:00"),
    )
    .await
    .unwrap();
    assert!(i.counts.is_some() && i.findings.iter().any(|f| f.kind == "pending_number"));
    let numbers = cases::simulator_phones(&store).await.unwrap();
    assert!(numbers.iter().all(|(p, ..)| p.as_str() != "+447700900191"));
    let swapped = SAMPLE
        .replace(
            "Maire-Claire D'Arcy,(07700) 900107",
            "Maire-Claire D'Arcy,07700 900108",
        )
        .replace(
            "Featherstonehaugh-Cholmondeley,07700-900108",
            "Featherstonehaugh-Cholmondeley,07700 900107",
        );
    let i = import(
        &store,
        swapped.as_bytes(),
        &ImportOptions::default(),
        at("2026-11-22T12:00"),
    )
    .await
    .unwrap();
    assert_eq!(
        i.findings
            .iter()
            .map(|f| (f.line, f.kind, f.severity))
            .collect::<Vec<_>>(),
        [(5, "swapped_numbers", Severity::Error)]
    );
}

async fn a_session_with_a_reference_is_moved_by_the_file_and_never_moved_back(on: On) {
    let with_ref = |start: &str, end: &str| {
        let mut lines = SAMPLE.lines();
        let header = format!("{},session_ref", lines.next().unwrap());
        let row = lines
            .find(|l| l.contains("BRK-0104"))
            .unwrap()
            .replace(
                ",13:00,15:00,supported",
                &format!(",{start},{end},supported"),
            )
            .replace(",12:45,15:15,", ",,,")
            .replace(",13:00,15:00,,", ",,,,");
        format!("{header}\n{row},S-1\n")
    };
    let (db, findings) = imported(on, with_ref("13:00", "15:00").as_bytes()).await;
    assert_eq!(findings, []);
    let store = db.open().await;
    let again = |csv: String| {
        let store = store.clone();
        async move {
            import(
                &store,
                csv.as_bytes(),
                &ImportOptions::default(),
                at("2026-11-22T12:00"),
            )
            .await
            .unwrap()
        }
    };
    let moved = again(with_ref("14:00", "16:00")).await;
    assert_eq!((moved.counts.unwrap().moved, moved.findings.len()), (1, 0));
    let (s, _) = sessions::list(&store, None).await.unwrap().remove(0);
    assert_eq!(
        (s.version, s.start_local.format("%H:%M").to_string()),
        (2, "14:00".to_owned())
    );
    assert_eq!(
        again(with_ref("14:00", "16:00"))
            .await
            .counts
            .unwrap()
            .unchanged,
        1
    );
}

crate::on_both!(
    a_session_with_a_reference_is_moved_by_the_file_and_never_moved_back,
    the_sample_and_its_excel_twin,
    a_dirty_file_gives_its_findings_and_writes_nothing,
    a_second_file_never_guesses_a_move,
);
