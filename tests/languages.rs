//! A party's language: switched on by the centre, else English; answers in it; a centre's own
//! templates; the lint and the count of segments in `courtesy check`.

use crate::common::{BIRCHFIELD, Binary, LIFFEY, On, SAMPLE, TestDb, World};
use courtesy::domain::task::TaskKind;
use courtesy::flows::visits::closure::{self, ClosureRequest};
use std::path::Path;

/// Both parents of BRK-0102 have Polish; the resident parent has a phone, the contact parent a
/// chat.
const PHONE: &str = "+447700900103";
const CHAT: i64 = 5_500_100_104;
/// Has English.
const ENGLISH: &str = "+447700900101";

fn with_languages(languages: &str) -> String {
    BIRCHFIELD.replace("[rules]", &format!("languages = {languages}\n[rules]"))
}

async fn polish_where_the_centre_has_switched_it_on(on: On) {
    let w = World::new(
        on,
        "2026-11-26T09:00",
        &[&with_languages("[\"pl\"]"), LIFFEY],
        SAMPLE,
    )
    .await;
    let closed = ClosureRequest {
        centre: "BRK".into(),
        from: "2026-11-28".parse().unwrap(),
        to: "2026-11-28".parse().unwrap(),
        hours: Some(("09:00".parse().unwrap(), "11:00".parse().unwrap())),
        why: "x".into(),
    };
    let p = closure::preview(&w.svc, &closed).await.unwrap();
    let of = |tag: &str| {
        p.words
            .iter()
            .filter(|(t, _)| t.language == tag)
            .map(|(t, n)| (t.body.as_str(), t.segments, t.gsm, *n))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        of("pl"),
        [(
            "Birchfield: sob. 28 listopada jestesmy zamknieci. Panstwa wizyta nie odbedzie sie. \
             Nie ma zadnej oplaty. Zaproponujemy inny termin. Tel. 020 7946 0101",
            1,
            true,
            2
        )]
    );
    assert_eq!(
        (of("en").len(), p.words.len()),
        (1, 2),
        "who has Urdu or English gets the English words"
    );
    assert_eq!(p.words.iter().map(|(_, n)| n).sum::<usize>(), p.texts());
    w.until("2026-11-26T10:00").await;
    assert_eq!(
        w.last(PHONE),
        "Birchfield: Panstwa wizyta: sob. 28 listopada, godz. 9:40. Prosze odpisac TAK, jesli \
         Panstwo przyjda, lub NIE, jesli nie. Odwolanie teraz moze byc platne. Tel. 020 7946 0101"
    );
    assert!(
        w.last(ENGLISH)
            .starts_with("Birchfield: your visit is Sat 28 Nov, 9:45am.")
    );
    assert!(
        w.chat(CHAT)[0].starts_with("Birchfield: Panstwa wizyta: sob. 28 listopada, godz. 10:00.")
    );
    assert_eq!(
        w.buttons(CHAT)
            .1
            .iter()
            .map(|(label, _)| label.as_str())
            .collect::<Vec<_>>(),
        ["Tak", "Nie"]
    );
    w.says(PHONE, "Tak").await;
    assert_eq!(
        w.last(PHONE),
        "Birchfield: dziekujemy. Potwierdzili Panstwo wizyte: sob. 28 listopada, godz. 9:40."
    );
    w.presses(CHAT, "Nie").await;
    // The second question is not among the drafts: it is in English, and so are its buttons.
    assert!(
        w.chat(CHAT)[1].starts_with("Birchfield: to cancel Sat 28 Nov"),
        "{:?}",
        w.chat(CHAT)
    );
    assert!(
        w.buttons(CHAT)
            .1
            .iter()
            .any(|(label, _)| label == "Keep the visit")
    );
    assert_eq!(w.stands("BRK-0102").await, "booked confirmed none");
    // STOP belongs to no session, and is still answered in the sender's language.
    w.chats_in(CHAT, "STOP").await;
    let last = w.chat(CHAT).pop().unwrap();
    assert_eq!(
        last,
        "Birchfield: nie bedziemy juz wysylac SMS-ow. Panstwa wizyty pozostaja bez zmian. W ich \
         sprawie prosze dzwonic: 020 7946 0101. START wlacza SMS-y."
    );
    // The other centre has not switched the language on.
    assert!(
        w.chat(5_500_202_005)[0].starts_with("Liffey: your visit is"),
        "{:?}",
        w.chat(5_500_202_005)
    );
    w.end().await;
}

async fn english_where_it_has_not(on: On) {
    let w = World::new(
        on,
        "2026-11-26T09:00",
        &[&with_languages("[\"ga\", \"cy\"]"), LIFFEY],
        SAMPLE,
    )
    .await;
    w.until("2026-11-26T10:00").await;
    assert_eq!(
        w.last(PHONE),
        "Birchfield: your visit is Sat 28 Nov, 9:40am. Reply YES if you will come or NO if you \
         cannot. If you cancel now a fee may apply. Phone 020 7946 0101"
    );
    assert_eq!(
        w.buttons(CHAT)
            .1
            .iter()
            .map(|(label, _)| label.as_str())
            .collect::<Vec<_>>(),
        ["Yes", "No"]
    );
    w.chats_in(CHAT, "STOP").await;
    assert!(
        w.chat(CHAT)
            .pop()
            .unwrap()
            .starts_with("Birchfield: we will not text you again.")
    );
    assert!(w.tasks("BRK-0102").await.contains(&TaskKind::RingOptedOut));
    w.end().await;
}

async fn a_centres_own_words_are_sent_by_that_centre_alone(on: On) {
    let dir = tempfile::tempdir().unwrap();
    let own = dir.path().join("centres/BRK/en");
    std::fs::create_dir_all(&own).unwrap();
    std::fs::write(
        own.join("confirm_request.txt"),
        "{{ centre }}: see you on {{ day }}, {{ time }}? Please reply YES or NO.{% if cut_off %} \
         Until {{ cut_off }}.{% elif fee %} A fee may apply.{% endif %} Phone {{ phone }}",
    )
    .unwrap();
    let templates = dir.path().to_path_buf();
    let w = World::with(on, "2026-11-26T09:00", &[BIRCHFIELD, LIFFEY], SAMPLE, |s| {
        s.templates = Some(templates)
    })
    .await;
    w.until("2026-11-26T10:00").await;
    assert_eq!(
        w.last(ENGLISH),
        "Birchfield: see you on Sat 28 Nov, 9:45am? Please reply YES or NO. A fee may apply. Phone \
         020 7946 0101"
    );
    assert!(
        w.chat(5_500_202_005)[0].starts_with("Liffey: your visit is"),
        "{:?}",
        w.chat(5_500_202_005)
    );
    w.end().await;
}

crate::on_both!(
    polish_where_the_centre_has_switched_it_on,
    english_where_it_has_not,
    a_centres_own_words_are_sent_by_that_centre_alone
);

fn put(b: &Binary, file: &str, text: &str) {
    let path = b.dir.path().join(file);
    std::fs::create_dir_all(path.parent().unwrap_or(Path::new(""))).unwrap();
    std::fs::write(path, text).unwrap();
}

#[tokio::test]
async fn check_counts_the_parts_of_each_text_and_language() {
    let db = TestDb::new(On::Sqlite).await;
    let b = Binary::new(&format!("[database]\nurl = \"{}\"\n", db.url));
    put(&b, "c.toml", &with_languages("[\"GA\", \"pl\"]"));
    b.ok(&["centre", "apply", "c.toml"]);
    let (code, out, err) = b.run(&["check"]);
    assert_eq!(code, 0, "{err}");
    let row = |kind: &str| {
        out.lines()
            .find(|l| l.split_whitespace().next() == Some(kind))
            .unwrap_or_default()
            .split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(row("kind"), ["kind", "en", "ga", "pl"]);
    assert_eq!(
        row("confirm_request"),
        ["confirm_request", "1", "GSM-7", "3", "UCS-2", "2", "GSM-7"]
    );
    assert_eq!(
        row("closure"),
        ["closure", "1", "GSM-7", "2", "UCS-2", "1", "GSM-7"]
    );
    assert_eq!(
        row("fee_notice"),
        ["fee_notice", "1", "GSM-7"],
        "a draft carries no money"
    );
    for part in [
        "BRK: Polish (pl) is switched on, and no speaker has checked its words.",
        "BRK: with the longest day and time these texts in Polish take more than one SMS part: \
         confirm_request 2, session_moved 2.",
        "BRK: with the longest day and time these texts in Irish take more than one SMS part: \
         confirm_request 3",
    ] {
        assert!(err.contains(part), "{part} not in {err}");
    }
    assert!(!err.contains("texts in English take more"), "{err}");
    // A letter outside the GSM alphabet doubles the segments; a long name exceeds the limit.
    put(
        &b,
        "c.toml",
        &BIRCHFIELD.replace("\"Birchfield\"", "\"Páirc\""),
    );
    b.ok(&["centre", "apply", "c.toml"]);
    let (code, _, err) = b.run(&["check"]);
    assert!(
        code == 1
            && err.contains(
                "BRK: the text confirm_request in English can take 3 SMS \
                                       parts (UCS-2), and at most 2 are allowed."
            ),
        "{err}"
    );
    put(
        &b,
        "c.toml",
        &BIRCHFIELD.replace(
            "\"Birchfield\"",
            "\"Birchfield Road and Neighbouring Villages\"",
        ),
    );
    b.ok(&["centre", "apply", "c.toml"]);
    let (code, _, err) = b.run(&["check"]);
    assert!(
        code == 0
            && err.contains(
                "BRK: with the longest day and time these texts in English \
                                       take more than one SMS part: confirm_request 2,"
            ),
        "{err}"
    );
    // A language that does not exist.
    put(&b, "c.toml", &with_languages("[\"pol\", \"fr\"]"));
    let (code, _, err) = b.run(&["centre", "apply", "c.toml"]);
    assert!(
        code == 1
            && err.contains("languages: there are no texts in \"pol\". Did you mean \"pl\"?")
            && err.contains("there are no texts in \"fr\""),
        "{err}"
    );
}

#[tokio::test]
async fn check_refuses_a_word_with_its_file_and_its_mend() {
    let db = TestDb::new(On::Sqlite).await;
    let b = Binary::new(&format!("[database]\nurl = \"{}\"\n", db.url));
    put(
        &b,
        "message-templates/en/session_off.txt",
        "{{ centre }}: the visit on {{ day }}, {{ time }} is off, the child is ill. Phone {{ phone \
         }}",
    );
    put(
        &b,
        "message-templates/centres/BRK/pl/closure.txt",
        "{{ centre }}: {{ day }} jestesmy zamknieci, sad tak chce. Tel. {{ phone }}",
    );
    put(
        &b,
        "message-templates/en/help.txt",
        "{{ centre }}: reply CANCEL, or see www.birchfield.example. Phone {{ phone }}",
    );
    for command in ["check", "serve"] {
        let (code, _, err) = b.run(&[command]);
        assert_eq!(code, 1, "{err}");
        for part in [
            "en/session_off.txt: it names a child (\"child\"). Take it out",
            "en/session_off.txt: it names a reason (\"ill\"). Take it out",
            "centres/BRK/pl/closure.txt: it names a court, a lawyer or an authority (\"sad\"). \
             Take it out",
            "en/help.txt: it offers \"CANCEL\" as an answer",
            "en/help.txt: it contains a link (\"www.birchfield.example.\"). Take it out",
        ] {
            assert!(err.contains(part), "{part} not in {err}");
        }
    }
    for file in [
        "en/session_off.txt",
        "en/help.txt",
        "centres/BRK/pl/closure.txt",
    ] {
        std::fs::remove_file(b.dir.path().join("message-templates").join(file)).unwrap();
    }
    put(
        &b,
        "message-templates/centres/NOPE/en/help.txt",
        "{{ centre }}: reply YES or NO, STOP to end texts, or ring us on {{ phone }}",
    );
    put(
        &b,
        "message-templates/pl/case_closed.txt",
        "{{ centre }}: sprawa jest zamknieta. {{ phone }}",
    );
    let (code, _, err) = b.run(&["check"]);
    assert!(
        code == 0 && err.contains("there are texts for the centre NOPE, and no such centre"),
        "{err}"
    );
    assert!(err.contains("pl/case_closed.txt: it is not used"), "{err}");
}
