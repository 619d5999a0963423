//! The lists held against each other, and lists that must be refused.

#[cfg(test)]
use super::*;
use crate::domain::replies::understanding::agreed_phrases::PhraseMeaning;
use crate::domain::replies::understanding::lists::{ENGLISH, Lists, OTHERS};
use toml::Table;

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

/// What a file calls a yes in one language and a no in another acts for nobody but those who speak
/// them.
#[test]
fn languages_that_contradict_each_other_keep_their_word() {
    let with = |lang: &str, yes: &str, no: &str| {
        format!("language = \"{lang}\"\nyes = [\"{yes}\"]\nno = [\"{no}\"]")
    };
    let (a, b) = (with("aa", "zumba", "wubba"), with("bb", "wubba", "zimbel"));
    let lists = Lists::read(ENGLISH, &[&a, &b]).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(
        (
            lists.agreed.in_language("wubba", "aa"),
            lists.agreed.in_language("wubba", "bb-BB")
        ),
        (Some(PhraseMeaning::No), Some(PhraseMeaning::Yes))
    );
    assert_eq!(
        (
            lists.agreed.in_any_language("wubba"),
            lists.agreed.in_any_language("zumba"),
            lists.agreed.in_language("zumba", "en")
        ),
        (None, Some(PhraseMeaning::Yes), None)
    );
    // An English word is English to everybody else, listed as such or not.
    let lists =
        Lists::read(ENGLISH, &[&with("aa", "sunday", "wubba")]).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(
        (
            lists.agreed.in_any_language("sunday"),
            lists.agreed.in_language("sunday", "aa")
        ),
        (None, Some(PhraseMeaning::Yes))
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
