//! The built-in texts in every language.

#[cfg(test)]
use super::everywhere;
use crate::domain::centre::LANGUAGES;
use crate::domain::money::amount::Money;
use crate::domain::outgoing::message::MessageKind;
use crate::domain::outgoing::say::{Press, Say, Speaker};
use crate::templates::{ENGLISH, Templates, Values, sample_speaker, samples, samples_of};
use std::path::Path;

/// Dates and times at which people and programs slip: the first of a month, noon, five past it,
/// the end of a year, midnight.
fn awkward() -> [Values; 2] {
    let at = |s: &str| crate::domain::local_time::parse_local(s).unwrap();
    let (new_year, leap) = (at("2027-01-01T00:00").date(), at("2028-02-29T00:00").date());
    [
        Values {
            arrival: at("2026-12-01T12:00"),
            other: at("2026-12-31T12:05"),
            cut_off: at("2026-11-29T00:00"),
            next: new_year,
            ..Values::usual()
        },
        Values {
            arrival: at("2027-02-28T00:05"),
            other: at("2027-03-03T09:30"),
            cut_off: at("2026-09-30T20:59"),
            last_day: leap,
            ..Values::usual()
        },
    ]
}

/// Whether a kind of message says a day at all.
fn is_dated(kind: MessageKind) -> bool {
    samples_of(kind, &Values::usual()) != samples_of(kind, &awkward()[0])
        || samples_of(kind, &Values::usual()) != samples_of(kind, &awkward()[1])
}

/// Every language with every kind that it has, at a usual date and at awkward ones; English at
/// the awkward ones.
#[test]
fn every_language_reads_as_drafted() {
    let templates = Templates::load(None).unwrap();
    let speaker = everywhere();
    let mut said = Vec::new();
    for (tag, language) in templates.languages() {
        let draft = if templates.is_checked(tag) {
            ""
        } else {
            ", not checked by a speaker"
        };
        said.push(format!("# {} ({tag}){draft}", language.name));
        let dates = [Values::usual()]
            .into_iter()
            .filter(|_| tag != ENGLISH)
            .chain(awkward());
        for say in dates.flat_map(|v| {
            MessageKind::ALL
                .iter()
                .filter(|k| tag != ENGLISH || is_dated(**k))
                .flat_map(move |k| samples_of(*k, &v))
        }) {
            let text = templates.render(&say, &speaker, tag).unwrap();
            if text.language == tag {
                said.push(format!(
                    "{} {} {}",
                    text.segments,
                    if text.gsm { "GSM-7" } else { "UCS-2" },
                    text.body
                ));
            }
        }
    }
    assert_eq!(
        said.join("\n"),
        include_str!("../../../tests/data/texts_languages.txt").trim_end()
    );
}

/// Six kinds are in the party's language; all others, and money and notes above all, are in
/// English until a speaker has checked.
#[test]
fn a_draft_is_used_where_it_is_switched_on_and_for_its_kinds_alone() {
    let templates = Templates::load(None).unwrap();
    let off = sample_speaker();
    let drafts = [
        MessageKind::ConfirmRequest,
        MessageKind::ConfirmAck,
        MessageKind::SessionOff,
        MessageKind::SessionMoved,
        MessageKind::Closure,
        MessageKind::StopAck,
    ];
    for tag in LANGUAGES.iter().filter(|t| **t != ENGLISH) {
        assert!(
            !templates.is_checked(tag),
            "{tag}: a draft says that it is one"
        );
        let on = Speaker {
            languages: vec![(*tag).to_owned()],
            ..sample_speaker()
        };
        for say in samples() {
            let english = templates.render(&say, &off, ENGLISH).unwrap();
            assert_eq!(
                templates.render(&say, &off, tag).unwrap(),
                english,
                "{tag} is off"
            );
            let text = templates.render(&say, &on, tag).unwrap();
            assert_eq!(
                text.language,
                if drafts.contains(&say.kind()) {
                    tag
                } else {
                    ENGLISH
                },
                "{tag} {say:?}"
            );
            assert!(text.language == *tag || text == english);
        }
        assert_ne!(
            templates.label(Press::Yes, tag),
            templates.label(Press::Yes, ENGLISH)
        );
        assert_eq!(
            templates.label(Press::Keep, tag),
            templates.label(Press::Keep, ENGLISH)
        );
    }
    let polish = Speaker {
        languages: vec!["pl".into()],
        ..sample_speaker()
    };
    let of = |tag: &str| {
        templates
            .render(&Say::StopAck, &polish, tag)
            .unwrap()
            .language
    };
    assert_eq!(
        ["pl", "PL", "pl-PL", "ga", "xx", "", "en-GB"].map(of),
        ["pl", "pl", "pl", "en", "en", "en", "en"]
    );
    let urdu = Speaker {
        languages: vec!["ur-Latn".into()],
        ..sample_speaker()
    };
    let of = |tag: &str| {
        templates
            .render(&Say::StopAck, &urdu, tag)
            .unwrap()
            .language
    };
    assert_eq!(
        ["ur", "ur-latn", "ur-PK", "ur-Arab"].map(of),
        ["ur-Latn", "ur-Latn", "ur-Latn", "en"]
    );
}

#[test]
fn every_language_that_is_understood_has_texts_and_no_other() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let names = |dir: &str, end: &str| {
        let mut n: Vec<String> = std::fs::read_dir(root.join(dir))
            .unwrap()
            .flatten()
            .map(|e| e.file_name().to_string_lossy().replace(end, ""))
            .collect();
        n.retain(|n| n != "en-danger");
        n.sort();
        n
    };
    let mut ours = LANGUAGES.map(String::from).to_vec();
    ours.sort();
    assert_eq!(
        (
            names("message-templates", "."),
            names("understanding", ".toml")
        ),
        (ours.clone(), ours)
    );
}

#[test]
fn the_longest_text_of_each_language_is_within_its_budget() {
    let templates = Templates::load(None).unwrap();
    for (tag, language) in templates.languages() {
        for values in Values::longest(
            language,
            Money {
                minor: 4500,
                currency: *b"EUR",
            },
        ) {
            for say in MessageKind::ALL
                .iter()
                .flat_map(|k| samples_of(*k, &values))
            {
                let text = templates.render(&say, &everywhere(), tag).unwrap();
                assert!(
                    text.segments <= language.max_segments,
                    "{tag} {} takes {} parts: {}",
                    say.kind(),
                    text.segments,
                    text.body
                );
            }
        }
    }
}
