//! What texts mean, and the lists held against each other.

#[cfg(test)]
use crate::domain::replies::understanding::lists::{ENGLISH, Lists, OTHERS};
use crate::domain::replies::understanding::*;
use toml::Table;

fn said(text: &str) -> &'static str {
    understand(text).intent.as_str()
}

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

/// A clause of which every word is known answers, whatever stands beside it, unless that may turn
/// it or speaks of somebody else.
#[test]
fn a_clause_answers_beside_words_that_nobody_knows() {
    for (text, want) in [
        (
            "Nursery have shut his room, he's got impetigo. Won't be in",
            "cancel_illness_child",
        ),
        (
            "Slipped a disc hoovering, can't even bend. Won't be there Saturday",
            "cancel_illness_self",
        ),
        (
            "the ferry's off with the storm so I'm stuck in Stranraer, no visit for me tomorrow",
            "cancel_transport",
        ),
        (
            "Boiler has burst gushing everywhere cant come today",
            "cancel",
        ),
        (
            "dog got run over so we're at the vet wi him, won't make it",
            "cancel",
        ),
        (
            "Yes we will be there, he's dying to see the trampoline",
            "confirm",
        ),
        ("yes still coming despite the drizzle", "confirm"),
    ] {
        let u = understand(text);
        assert_eq!(u.intent.as_str(), want, "{text}: {}", u.rule);
    }
    assert!(
        understand("Tiegan's glockenspiel broke, we can't make it").leftover
            && !understand("we can't make it").leftover
    );
    for text in [
        "not coming.. actually scrap that",
        "can't make it, oops wrong chat",
        "can't make it Saturday, can do Sunday",
        "I can't bring them, Shaz will",
        "we can't come, my sister's dropping them",
        "her dad legged it to Spain, won't be there",
        "she wrote: I can't come",
        "can't come if Tiegan's glockenspiel lesson is on",
        "will be there, he's been bailed",
        "will be there, new boyfriend bringing her",
        "I will be there, jk",
        "yes but glockenspiel",
        "yes I found the glockenspiel",
        "glockenspiel, no",
        "he said he is not coming, glockenspiel",
    ] {
        assert!(
            !matches!(understand(text).intent, Intent::Confirm | Intent::Cancel(_)),
            "{text}: {}",
            understand(text).rule
        );
    }
}

#[test]
fn a_clause_begins_where_nobody_marked_it() {
    for (text, want) in [
        ("call it off please I've had to fly to Zorkistan", "cancel"),
        (
            "broke down on zorkway not going to get there",
            "cancel_transport",
        ),
        ("we'll be there zork", "confirm"),
        ("zork we'll be there", "confirm"),
        (
            "got the neighbour minding the zorks so yes I will be over",
            "confirm",
        ),
        ("we are coming to the zorkish session", "confirm"),
        // Two answers bear what one does not.
        (
            "Yes, her stepdad has the zork so I will be there",
            "confirm",
        ),
        // The last word counts where it is said to.
        ("I thought I'd be able to come but I can't now", "cancel"),
        ("Yes I got your text but I can't come", "cancel"),
        ("just come off shift but yes will be there", "confirm"),
        (
            "Yes my partner can't come but I'll be there with the kids",
            "confirm",
        ),
        ("slapped cheek!! can't bring him", "cancel_illness_child"),
        (
            "I am not well enough to come on Saturday. Zork needs mending",
            "cancel_illness_self",
        ),
    ] {
        let u = understand(text);
        assert_eq!(u.intent.as_str(), want, "{text}: {}", u.rule);
    }
    assert!(
        understand("we'll be there zork").leftover
            && understand("Yes my partner can't come but I'll be there").leftover
            && !understand("yes we'll be there").leftover
    );
    for text in [
        "yes I will be there when the zork is back",
        "Yeah I'll be there. NOT",
        "Yes we'll be there, minus zork",
        "yes I will be there. ish",
        "yes I'll be there x. Let me ask zork",
        "Assuming the zork clears, yes we will be there",
        "I will be there, so long as zork behaves",
        "cancel my mum off the zork list",
        "not going to make it on time, zork never came",
        "Won't be there on the dot, zork exploded",
        "not bringing him, bringing her",
        "can't bring Tyler, zork, so it'll be Tyrone on his own",
        "I refuse to say I can't come",
        "apparently I'm not coming now",
        "can't come in for my shift, kids ill",
        "\"Can't come working\" is what he texted me",
        "no problem but can't come",
        "Yes. Actually we are not coming",
    ] {
        assert!(
            !matches!(understand(text).intent, Intent::Confirm | Intent::Cancel(_)),
            "{text}: {}",
            understand(text).rule
        );
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
fn stop_is_heard_in_a_sentence_of_several() {
    for text in [
        "Can you stop these reminders please, I know my own zork",
        "Stop texting me. The zork is full",
    ] {
        assert_eq!(understand(text).intent, Intent::Stop, "{text}");
    }
    // Both an answer and a STOP: a person reads which it is.
    assert_eq!(
        understand("stop these reminders. I am not coming").intent,
        Intent::Unclear
    );
    for text in [
        "Stop texting me. My new number is 07700 900111",
        "stop texting me, text his mum",
        "stop these reminders. I am not coming",
        "stop texting me until zork",
    ] {
        assert_ne!(understand(text).intent, Intent::Stop, "{text}");
    }
}

#[test]
fn a_stranger_may_say_so_in_any_sentence() {
    for text in [
        "wrong number, who is this",
        "who is this? you have the wrong number",
        "Sorry mate. Wrong number. I get these every week",
    ] {
        assert_eq!(understand(text).intent, Intent::WrongNumber, "{text}");
    }
    for text in [
        "is this the wrong number for the centre",
        "new number, it's Dwayne",
    ] {
        assert_ne!(understand(text).intent, Intent::WrongNumber, "{text}");
    }
}

#[test]
fn numbers_and_strangers() {
    for (text, n) in [("1", 1), (" 2. ", 2), ("１", 1)] {
        assert_eq!(understand(text).intent, Intent::Number(n), "{text}");
    }
    for text in [
        "You have the wrong number mate",
        "Who's this?",
        "new phone who dis",
        "Sorry, wrong number",
        "who is this please?",
    ] {
        assert_eq!(understand(text).intent, Intent::WrongNumber, "{text}");
    }
    for text in [
        "0",
        "12",
        "1 2",
        "who is this visit for",
        "wrong number of hours on my bill",
        "what is the number",
    ] {
        assert!(
            matches!(understand(text).intent, Intent::Unclear | Intent::Question),
            "{text}"
        );
    }
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

/// Whole messages that these lists allow, so that two lists can be held against each other.
fn wholes<'a>(t: &'a Table, section: &str, key: &str) -> std::collections::BTreeSet<&'a str> {
    t[section][key]
        .as_array()
        .unwrap()
        .iter()
        .map(|v| v.as_str().unwrap())
        .collect()
}

fn contradictions(english: &str, others: &[&str]) -> Vec<String> {
    let t: Table = english.parse().unwrap();
    let mut sides: Vec<(String, std::collections::BTreeSet<&str>)> = Vec::new();
    for (side, keys) in [
        (
            "agrees",
            &[
                ("reading", "yes"),
                ("reading", "agreed"),
                ("reading", "coming"),
                ("reading", "keep"),
            ][..],
        ),
        (
            "refuses",
            &[
                ("reading", "no"),
                ("reading", "refuse"),
                ("reading", "cancel"),
                ("reading", "cancelled"),
            ][..],
        ),
        (
            "is neither",
            &[
                ("reading", "fill"),
                ("reading", "soft"),
                ("reading", "so"),
                ("reading", "event"),
                ("reading", "kid_event"),
                ("reading", "sick"),
                ("reading", "ride"),
                ("reading", "name"),
            ][..],
        ),
        ("stops", &[("stop", "whole")][..]),
        ("starts", &[("start", "whole")][..]),
        ("asks for help", &[("help", "whole")][..]),
    ] {
        sides.push((
            side.to_owned(),
            keys.iter().flat_map(|(s, k)| wholes(&t, s, k)).collect(),
        ));
    }
    let tables: Vec<Table> = others.iter().map(|o| o.parse().unwrap()).collect();
    for o in &tables {
        for (key, side) in [("yes", "agrees"), ("no", "refuses")] {
            let own: Vec<&str> = o
                .get("own")
                .and_then(|v| v.as_array())
                .into_iter()
                .flatten()
                .filter_map(|v| v.as_str())
                .collect();
            let words = o[key]
                .as_array()
                .unwrap()
                .iter()
                .map(|v| v.as_str().unwrap())
                .filter(|w| !own.contains(w));
            sides.push((side.to_owned(), words.collect()));
        }
    }
    let mut found = Vec::new();
    for (i, (a, left)) in sides.iter().enumerate() {
        for (b, right) in sides[i + 1..].iter().filter(|(b, _)| b != a) {
            found.extend(
                left.intersection(right)
                    .map(|w| format!("{w:?} {a} and {b}")),
            );
        }
    }
    found
}

#[test]
fn no_word_stands_in_two_lists_that_contradict() {
    assert_eq!(contradictions(ENGLISH, &OTHERS), [] as [String; 0]);
    // It sees one.
    let broken = ENGLISH.replacen("\nno = [", "\nno = [\"aye\",", 1);
    assert_eq!(contradictions(&broken, &OTHERS).len(), 1);
    let broken = OTHERS.map(|o| {
        o.replacen("language = \"pl\"", "language = \"pl\"\n", 1)
            .replacen("\nno = [\"nie\"", "\nno = [\"tak\", \"nie\"", 1)
    });
    let broken: Vec<&str> = broken.iter().map(String::as_str).collect();
    assert_eq!(contradictions(ENGLISH, &broken).len(), 1);
    assert!(Lists::read(ENGLISH, &broken).is_err());
}

#[test]
fn lists_that_cannot_be_read_are_refused() {
    for (from, to) in [
        ("\nno = [", "\nno = [\"{nobody}\","),
        ("\nno = [", "\nno = [\"maybe?\","),
        ("\nno = [", "\nno = [\".. no\","),
        ("[stop]", "[stops]"),
        ("\nno = [", "\nno = [7,"),
    ] {
        assert!(
            Lists::read(&ENGLISH.replacen(from, to, 1), &OTHERS).is_err(),
            "{to}"
        );
    }
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

/// Nine of ten texts of danger are urgent and no more than one harmless text in fifty; none of
/// danger is an answer.
#[test]
fn danger_is_found_and_what_looks_like_it_is_not() {
    let mut urgent = std::collections::HashMap::from([('D', [0usize; 2]), ('H', [0; 2])]);
    for line in include_str!("../../../../tests/data/replies_danger.txt")
        .lines()
        .filter(|l| !l.starts_with('#'))
    {
        let (kind, text) = (line.chars().next().unwrap(), &line[2..]);
        let intent = understand(text).intent;
        let is = intent == Intent::Safeguarding;
        let count = urgent.get_mut(&kind).unwrap();
        *count = [count[0] + usize::from(is), count[1] + 1];
        assert!(
            kind == 'H' || !matches!(intent, Intent::Confirm | Intent::Start | Intent::Help),
            "{text}"
        );
    }
    let ([found, danger], [alarms, harmless]) = (urgent[&'D'], urgent[&'H']);
    assert!(danger > 600 && harmless > 1000, "{danger} {harmless}");
    assert!(found * 10 >= danger * 9, "{found} of {danger} are urgent");
    assert!(
        alarms * 50 <= harmless,
        "{alarms} of {harmless} are false alarms"
    );
}

/// Rule D4: the phone goes silent only where a person is said to read it, to hold it or to say what
/// is written.
#[test]
fn a_phone_is_watched_by_a_person_and_not_by_an_office() {
    for text in [
        "he reads my messages",
        "my husband has my phone",
        "she took my phone off me",
        "he made me write this",
        "dont reply he checks my texts",
        "use my other number",
        "its her boyfriend on her phone",
    ] {
        assert!(understand(text).watched, "{text}");
    }
    for text in [
        "the office told me to text you",
        "he has my phone no",
        "she has my phone number already",
        "I was told to reply here",
        "the girl in reception told me to text yes",
        "dont ring now im in a meeting",
        "he reads well now",
        "dont text me during work",
        "my phone is dead",
        "school is making me cancel, parents evening",
    ] {
        assert!(!understand(text).watched, "{text}");
    }
}

#[test]
fn stop_is_heard_among_courtesies_and_as_a_sign() {
    for text in [
        "ok stop",
        "stop thanks",
        "please stop",
        "Stop, thank you",
        "stop pls x",
        "🛑",
        "🛑🛑",
        "stop 🛑",
        "STOP.",
        "stop!!",
        "hi please stop now thank you",
        "stop with the texts",
    ] {
        assert_eq!(said(text), "stop", "{text}");
    }
    for text in [
        "yes stop",
        "stop no",
        "bus stop",
        "✋",
        "🛑?",
        "dont stop",
        "start again?",
        "he wont stop",
        "stop at the gate",
    ] {
        assert_ne!(said(text), "stop", "{text}");
        assert_ne!(said(text), "start", "{text}");
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

/// What a file calls a yes in one language and a no in another acts for nobody but those who speak
/// them.
#[test]
fn languages_that_contradict_each_other_keep_their_word() {
    let with = |lang: &str, yes: &str, no: &str| {
        format!("language = \"{lang}\"\nyes = [\"{yes}\"]\nno = [\"{no}\"]")
    };
    let (a, b) = (with("aa", "zumba", "wubba"), with("bb", "wubba", "zimbel"));
    let lists = Lists::read(ENGLISH, &[&a, &b]).unwrap_or_else(|e| panic!("{e}"));
    use crate::domain::replies::understanding::agreed::Means;
    assert_eq!(
        (
            lists.agreed.in_own("wubba", "aa"),
            lists.agreed.in_own("wubba", "bb-BB")
        ),
        (Some(Means::No), Some(Means::Yes))
    );
    assert_eq!(
        (
            lists.agreed.anywhere("wubba"),
            lists.agreed.anywhere("zumba"),
            lists.agreed.in_own("zumba", "en")
        ),
        (None, Some(Means::Yes), None)
    );
    // An English word is English to everybody else, listed as such or not.
    let lists =
        Lists::read(ENGLISH, &[&with("aa", "sunday", "wubba")]).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(
        (
            lists.agreed.anywhere("sunday"),
            lists.agreed.in_own("sunday", "aa")
        ),
        (None, Some(Means::Yes))
    );
    assert!(Lists::read(ENGLISH, &[&with("aa", "zumba", "zumba")]).is_err());
}

/// A small number in a pattern would be a word ever after: "2" no number, and "at 39" no time.
#[test]
fn numbers_are_no_words() {
    for n in 0..100u32 {
        let read = understand(&n.to_string());
        assert_eq!(
            read.intent,
            if (1..=9).contains(&n) {
                Intent::Number(u8::try_from(n).unwrap())
            } else {
                Intent::Unclear
            },
            "{n}"
        );
    }
    assert!(
        Lists::read(
            &ENGLISH.replacen("\nno = [", "\nno = [\"not 2\",", 1),
            &OTHERS
        )
        .is_err()
    );
}
