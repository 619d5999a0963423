//! What the built-in texts say in English, and how amounts, days and times are written.

#[cfg(test)]
use crate::domain::money::amount::Money;
use crate::domain::outgoing::say::Say;
use crate::domain::people::channel::Mode;
use crate::templates::{ENGLISH, Templates, fill, sample_speaker, samples};

/// The texts of the wording guide, byte for byte, and what they cost.
#[test]
fn every_text_reads_as_agreed_and_fits_one_part() {
    let templates = Templates::load(None).unwrap();
    let said: Vec<String> = samples()
        .iter()
        .map(|s| templates.render(s, &sample_speaker(), "en").unwrap())
        .map(|t| format!("{} {}", t.segments, t.body))
        .collect();
    let wanted = include_str!("../../../tests/data/texts_en.txt");
    assert_eq!(said.join("\n"), wanted.trim_end());
    assert!(
        said.iter().all(|t| t.starts_with("1 ")),
        "more than one part"
    );
}

#[test]
fn a_discreet_phone_gets_one_of_two_texts_and_a_silent_one_nothing() {
    for say in samples() {
        if matches!(
            say,
            Say::StaffAlert { .. } | Say::LinkNumber { .. } | Say::LinkRefused
        ) {
            continue;
        }
        let discreet = say.clone().in_mode(Mode::Discreet);
        assert!(
            matches!(
                discreet.say,
                None | Some(Say::DiscreetRequest { .. } | Say::PleaseRing)
            ),
            "{say:?}"
        );
        assert!(say.clone().in_mode(Mode::Silent).say.is_none(), "{say:?}");
        // Whoever is not told that a visit is off, on again or moved, or what is owed, is rung.
        let news = matches!(
            say,
            Say::SessionMoved { .. }
                | Say::SessionOn { .. }
                | Say::DateQuestion { .. }
                | Say::DateRefused { .. }
        );
        if say.kind().calls_off() || say.kind().is_money() || news {
            assert!(
                discreet.ring && say.clone().in_mode(Mode::Silent).ring,
                "{say:?}"
            );
        }
        assert_eq!(say.clone().in_mode(Mode::Normal).say, Some(say));
    }
}

/// Reading age nine: one idea in a sentence, at most sixteen words, none of them stiff, and
/// nobody is shouted at.
#[test]
fn english_is_plain() {
    let templates = Templates::load(None).unwrap();
    for say in samples() {
        let text = templates
            .render(&say, &sample_speaker(), ENGLISH)
            .unwrap()
            .body;
        // The codes of a cancellation are a list to choose from.
        let list = matches!(say, Say::CancelReasonAsk { .. });
        let longest = text
            .replace(": ", ". ")
            .split(['.', '?'])
            .map(|s| s.split_whitespace().count())
            .max();
        assert!(
            list || longest <= Some(16),
            "{longest:?} words in a sentence of: {text}"
        );
        let lower = text.to_lowercase();
        for stiff in [
            "liable",
            "pursuant",
            "forthwith",
            "provisional",
            "must",
            "failure",
            "warning",
            "!",
            "regarding",
            "prior to",
        ] {
            assert!(!lower.contains(stiff), "{stiff:?} in: {text}");
        }
    }
}

#[test]
fn amounts_are_said_as_people_say_them() {
    let said = |minor, currency: &str| {
        fill::money(&Money {
            minor,
            currency: Money::currency(currency).unwrap(),
        })
    };
    assert_eq!(
        [
            said(4500, "GBP"),
            said(4550, "GBP"),
            said(4505, "EUR"),
            said(50, "EUR"),
            said(100_000, "USD")
        ],
        ["£45", "£45.50", "€45.05", "€0.50", "1000 USD"]
    );
}

#[test]
fn times_and_days_are_said_as_people_say_them() {
    let templates = Templates::load(None).unwrap();
    let at = |s: &str| crate::domain::local_time::parse_local(s).unwrap();
    let times = |tag: &str| {
        [
            "00:00", "00:05", "09:30", "12:00", "12:05", "14:00", "20:59",
        ]
        .map(|t| templates.languages[tag].time(at(&format!("2026-11-28T{t}")).time()))
    };
    assert_eq!(
        times("en"),
        [
            "midnight", "12:05am", "9:30am", "12 noon", "12:05pm", "2pm", "8:59pm"
        ]
    );
    assert_eq!(
        times("ga"),
        [
            "meán oíche",
            "12:05 r.n.",
            "9:30 r.n.",
            "meán lae",
            "12:05 i.n.",
            "2 i.n.",
            "8:59 i.n."
        ]
    );
    assert_eq!(
        times("cy"),
        [
            "hanner nos",
            "12.05yb",
            "9.30yb",
            "hanner dydd",
            "12.05yp",
            "2yp",
            "8.59yp"
        ]
    );
    assert_eq!(
        times("pl"),
        [
            "godz. 0:00",
            "godz. 0:05",
            "godz. 9:30",
            "godz. 12:00",
            "godz. 12:05",
            "godz. 14:00",
            "godz. 20:59"
        ]
    );
    assert_eq!(
        times("ro"),
        [
            "ora 0:00",
            "ora 0:05",
            "ora 9:30",
            "ora 12:00",
            "ora 12:05",
            "ora 14:00",
            "ora 20:59"
        ]
    );
    assert_eq!(
        times("ur-Latn"),
        [
            "raat 12 baje",
            "raat 12:05 baje",
            "subah 9:30 baje",
            "dopahar 12 baje",
            "dopahar 12:05 baje",
            "dopahar 2 baje",
            "raat 8:59 baje"
        ]
    );
    let day = |tag: &str, d: &str| templates.languages[tag].day(at(&format!("{d}T00:00")).date());
    for (tag, first, leap) in [
        ("en", "Tue 1 Dec", "Tue 29 Feb"),
        ("ga", "Máirt 1 Noll", "Máirt 29 Feabh"),
        ("cy", "Mawrth 1 Rhag", "Mawrth 29 Chwef"),
        ("pl", "wt. 1 grudnia", "wt. 29 lutego"),
        ("ro", "marti 1 dec", "marti 29 feb"),
        ("ur-Latn", "Mangal 1 December", "Mangal 29 February"),
    ] {
        assert_eq!(
            [day(tag, "2026-12-01"), day(tag, "2028-02-29")],
            [first, leap]
        );
    }
}
