//! Answers of which every word is known.

#[cfg(test)]
use super::*;
use chrono::Weekday;

#[test]
fn plain_answers() {
    for yes in [
        "YES",
        "yes",
        " Yes. ",
        "YES!!!!",
        "yes thanks",
        "Yep",
        "yess",
        "YES\u{200b}",
        "“YES”",
        "ＹＥＳ",
        "yes see you saturday",
        "Yes ✅",
        "Confirmed thanks",
        "we'll be there",
        "Not a bother we'll be there",
        "No problem",
        "yes x",
    ] {
        assert_eq!(said(yes), "confirm", "{yes}");
    }
    for no in [
        "NO",
        "no",
        "NO!!!",
        "nope",
        "No sorry",
        "no we cant come",
        "no we can't come",
        "can't make it sat soz",
        "Not coming this week",
        "Need to cancel sorry",
        "CANCEL",
        "cancell pls",
        "No, please cancel",
        "No won't be there sorry",
    ] {
        assert_eq!(said(no), "cancel", "{no}");
    }
    for (text, want) in [
        ("STOP", "stop"),
        ("Stop.", "stop"),
        ("end", "stop"),
        ("START", "start"),
        ("Help", "help"),
        ("5271", "code"),
        (" 5271 ", "code"),
    ] {
        assert_eq!(said(text), want, "{text}");
    }
}

#[test]
fn of_two_days_the_one_beside_the_answer_counts() {
    let days = |text: &str| understand(text).named.days.clone();
    assert_eq!(
        days("my operation is on Friday so I won't be fit to come Sunday"),
        [Weekday::Sun]
    );
    assert_eq!(
        understand("can't come Saturday, can't come Sunday").intent,
        Intent::Unclear
    );
}

#[test]
fn whatever_is_not_clear_is_for_a_person() {
    for text in [
        "",
        "   ",
        "...",
        "👍?",
        "yes?",
        "yes but I am not paying",
        "yeah no",
        "YES CANCEL",
        "he said he's not coming",
        "hopefully yes",
        "Yes i want to cancel",
        "I'll come if she does",
        "can I come at the end of the week",
        "end of",
        "not sure yet",
        "yes sat no sunday",
        "yes to saturday and yes to sunday",
        "52711",
        "5271 please",
        "👎",
        "yes 🤷",
        "Yes. he is reading my messages",
        "You have won £500! Reply YES to claim",
        "no problem I can't come",
        "stop contact with his father",
        "cancel my netflix",
    ] {
        let for_a_person = [
            "unclear",
            "question",
            "abuse",
            "safeguarding_alert",
            "details_change",
        ];
        assert!(for_a_person.contains(&said(text)), "{text}: {}", said(text));
    }
}

#[test]
fn every_result_names_its_rule_and_the_context_counts() {
    let at = |d: u32, h: u32| {
        chrono::NaiveDate::from_ymd_opt(2026, 11, d)
            .unwrap()
            .and_hms_opt(h, 0, 0)
            .unwrap()
    };
    let arrivals = [at(28, 10)];
    let known = ReadingContext {
        arrivals: &arrivals,
        ..ReadingContext::default()
    };
    for (text, context, intent, rule) in [
        (
            "yes see you on the 28th",
            known,
            "confirm",
            "all-words-agree",
        ),
        ("yes see you at 10am", known, "confirm", "all-words-agree"),
        ("yes see you on the 29th", known, "unclear", "names-a-time"),
        ("yes see you at 11am", known, "unclear", "names-a-time"),
        (
            "yes see you on the 28th",
            ReadingContext::default(),
            "unclear",
            "names-a-time",
        ),
        (
            "Yes to Saturday and yes to Sunday",
            ReadingContext {
                open: 2,
                ..ReadingContext::default()
            },
            "confirm",
            "all-words-agree",
        ),
        (
            "da",
            ReadingContext {
                lang: "ro",
                ..ReadingContext::default()
            },
            "confirm",
            "agreed-word",
        ),
        ("da", ReadingContext::default(), "unclear", "unknown-word"),
        (
            "Tak, będziemy!",
            ReadingContext::default(),
            "confirm",
            "agreed-word",
        ),
        (
            "tak ale",
            ReadingContext {
                lang: "pl",
                ..ReadingContext::default()
            },
            "unclear",
            "unknown-word",
        ),
        (
            "yes he is reading my messages",
            ReadingContext::default(),
            "safeguarding_alert",
            "watched",
        ),
        (
            "he is outside my house",
            ReadingContext::default(),
            "safeguarding_alert",
            "danger",
        ),
    ] {
        let u = understand_in(text, &context);
        assert_eq!((u.intent.as_str(), u.rule), (intent, rule), "{text}");
    }
    assert_eq!(
        understand_in(
            "2nd",
            &ReadingContext {
                asked: PendingQuestion::Numbered,
                ..ReadingContext::default()
            }
        )
        .intent,
        Intent::Number(2)
    );
    let named = understand("cancel sunday please").named;
    assert!(
        !named.fits(at(28, 10))
            && named.fits(at(29, 10))
            && understand("cancel please").named.fits(at(28, 10))
    );
    assert!(!understand("no problem").plain_yes && understand("we'll be there").plain_yes);
}

#[test]
fn a_number_that_is_no_hour_is_no_time_of_day() {
    for text in [
        "5005 pm",
        "65535 o'clock",
        "yes 9999pm",
        "25 pm",
        "yes 30000 am 30000",
    ] {
        assert_ne!(understand(text).intent, Intent::Confirm, "{text}");
    }
}

#[test]
fn answers_in_other_words() {
    for text in [
        "you bet",
        "Yes you bet",
        "yep all good",
        "yeah man",
        "Too right I'll be there",
        "Yes I will not miss it",
    ] {
        assert_eq!(said(text), "confirm", "{text}");
    }
    for text in [
        "A) yes",
        "B. yes",
        "will do my best",
        "yes 😅",
        "I won't go to court",
        "I'm not going to the funeral",
    ] {
        assert!(["unclear", "question"].contains(&said(text)), "{text}");
    }
}

/// A word that two languages share means what it means in the party's own; to everybody else
/// English alone holds.
#[test]
fn a_word_of_two_languages_is_that_of_the_party() {
    let means = |text: &str, lang: &str| {
        understand_in(
            text,
            &ReadingContext {
                lang,
                ..ReadingContext::default()
            },
        )
        .intent
        .as_str()
    };
    for (text, lang, want) in [
        ("No", "pl", "unclear"),
        ("no!", "pl-PL", "unclear"),
        ("No", "en", "cancel"),
        ("No", "ga", "unclear"),
        ("nie", "pl", "cancel"),
        ("no sorry", "pl", "cancel"),
        ("da", "ro", "confirm"),
        ("da", "en", "unclear"),
        ("da", "pl", "unclear"),
        ("do", "cy", "unclear"),
        ("na", "cy", "cancel"),
        ("na", "ur-Latn", "unclear"),
        ("na", "ur", "unclear"),
        ("na", "en", "unclear"),
        ("ta", "ga", "unclear"),
        ("tak", "en", "confirm"),
        ("tak", "ro", "confirm"),
        ("tak?", "pl", "unclear"),
        ("yes", "pl", "confirm"),
        ("nahi", "en", "cancel"),
    ] {
        assert_eq!(means(text, lang), want, "{text} of {lang}");
    }
    // Danger in another language is told, whoever writes it.
    for text in [
        "boję się go",
        "mnie bije",
        "mi-e frica de el",
        "wo mujhe maarta hai",
        "tá eagla orm",
    ] {
        assert_eq!(means(text, "en"), "safeguarding_alert", "{text}");
    }
}
