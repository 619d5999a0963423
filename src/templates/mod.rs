//! The words: message templates by language, strict, built into the binary and overridden file by
//! file from a folder, for all centres or for one.

mod built_in;
mod fill;
mod language;
mod loading;
mod samples;
mod template_values;

pub use crate::templates::language::Language;
pub use crate::templates::samples::{Values, sample_speaker, samples, samples_of};

use crate::domain::centre::{Centre, LANGUAGES};
use crate::domain::config_reader::Problem;
use crate::domain::outgoing::lint::ForbiddenWords;
use crate::domain::outgoing::message::MessageKind;
use crate::domain::outgoing::say::{Press, Say, Speaker};
use crate::domain::outgoing::segments::{is_gsm, parts};
use crate::templates::fill::fill;
use crate::templates::loading::Loading;
use anyhow::{Context, Result};
use minijinja::{Environment, Template, UndefinedBehavior};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

/// The language on which every other falls back.
pub const ENGLISH: &str = LANGUAGES[0];

/// More than any template needs; stops a runaway one.
const FUEL: u64 = 20_000;

/// A rendered text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenderedText {
    /// The words.
    pub body: String,
    /// SMS parts that they take.
    pub parts: u32,
    /// Whether they stand in the GSM alphabet; otherwise a part holds 70 letters and not 160.
    pub gsm: bool,
    /// The language that they are in.
    pub language: &'static str,
    /// What was put in between the fixed words, in order: each value, and each sentence that stands
    /// only sometimes.
    pub values: Vec<String>,
}

/// A template and where it comes from.
#[derive(Debug, Clone)]
struct TemplateSource {
    /// As the environment knows it: `pl/closure`, `centres/BRK/pl/closure`.
    name: String,
    /// Its file, for people.
    path: String,
    language: &'static str,
    kind: MessageKind,
    /// It or its language stands in a folder: it has to be read over. What is built in was read
    /// over by the tests.
    own: bool,
}

/// All templates.
pub struct Templates {
    env: Environment<'static>,
    languages: BTreeMap<&'static str, Language>,
    labels: HashMap<(&'static str, Press), String>,
    sources: Vec<TemplateSource>,
    /// Centres with templates of their own.
    centres: BTreeSet<String>,
}

/// The language of ours that a party's tag means: itself, or the one of the same name without
/// script and country. `pl-PL` is Polish, `ur` is Urdu as we have it; Urdu in its own letters is
/// none of ours.
fn tag_of(language: &str) -> Option<&'static str> {
    let exact = LANGUAGES.iter().find(|l| l.eq_ignore_ascii_case(language));
    let primary = |tag: &str| {
        tag.split(['-', '_'])
            .next()
            .unwrap_or("")
            .to_ascii_lowercase()
    };
    let scripted = language
        .split(['-', '_'])
        .nth(1)
        .is_some_and(|s| s.len() == 4);
    exact
        .or_else(|| {
            LANGUAGES
                .iter()
                .find(|l| !scripted && primary(l) == primary(language))
        })
        .copied()
}

impl Templates {
    fn empty() -> Templates {
        let mut env = Environment::new();
        env.set_undefined_behavior(UndefinedBehavior::Strict);
        env.set_fuel(Some(FUEL));
        Templates {
            env,
            languages: BTreeMap::new(),
            labels: HashMap::new(),
            sources: Vec::new(),
            centres: BTreeSet::new(),
        }
    }

    /// Loads the templates and reads them over. Files in `dir/<language>/<kind>.txt` replace the
    /// built-in ones for all centres, those in `dir/centres/<CODE>/<language>/<kind>.txt` for one.
    ///
    /// # Errors
    /// Every problem at once: a file of no known kind or language, a template that does not parse,
    /// one that asks for a value its kind has not, one that breaks a rule of words.
    pub fn load(dir: Option<&Path>) -> Result<Templates, Vec<Problem>> {
        Loading::all(Templates::empty(), dir, false)
    }

    /// What a button says in a language; without words of its own, in English.
    pub fn label(&self, press: Press, language: &str) -> &str {
        let of = |l: &str| tag_of(l).and_then(|tag| self.labels.get(&(tag, press)));
        of(language)
            .or_else(|| of(ENGLISH))
            .map_or("", String::as_str)
    }

    /// The languages, English first.
    pub fn languages(&self) -> impl Iterator<Item = (&'static str, &Language)> {
        LANGUAGES
            .iter()
            .filter_map(|l| Some((*l, self.languages.get(l)?)))
    }

    /// The codes of the centres that have templates of their own.
    pub fn centres(&self) -> impl Iterator<Item = &str> {
        self.centres.iter().map(String::as_str)
    }

    /// The language in which a centre speaks with a party: the party's, if a speaker has checked it
    /// or the centre has switched it on, else English. Answers in any other language are nobody's
    /// agreed words.
    pub fn language_for(&self, centre: &Centre, language: &str) -> &'static str {
        self.usable(&centre.languages, language)
    }

    fn usable(&self, switched_on: &[String], language: &str) -> &'static str {
        tag_of(language)
            .filter(|tag| self.is_checked(tag) || switched_on.iter().any(|l| l == tag))
            .unwrap_or(ENGLISH)
    }

    /// Whether a speaker has checked the words of a language.
    pub fn is_checked(&self, tag: &str) -> bool {
        tag == ENGLISH
            || self
                .languages
                .get(tag)
                .is_some_and(|t| !t.checked_by.is_empty())
    }

    /// What free words to a party may not hold: the lists of English and of the party's language.
    pub fn refused(&self, language: &str) -> Vec<&ForbiddenWords> {
        let mut tags = vec![ENGLISH];
        tags.extend(tag_of(language).filter(|t| *t != ENGLISH));
        tags.iter()
            .filter_map(|t| Some(&self.languages.get(t)?.refused))
            .collect()
    }

    /// Templates that are there and never used: about money or a note, in a language that nobody
    /// has checked.
    pub fn idle(&self) -> impl Iterator<Item = &str> {
        self.sources
            .iter()
            .filter(|s| s.kind.needs_checked_words() && !self.is_checked(s.language))
            .map(|s| s.path.as_str())
    }

    /// The template for a kind, with its language: the centre's own before everybody's, the party's
    /// language before English.
    fn choose(
        &self,
        kind: MessageKind,
        speaker: &Speaker,
        language: &str,
    ) -> Result<(Template<'_, '_>, &'static str)> {
        let wanted = self.usable(&speaker.languages, language);
        let own = self.centres.contains(&speaker.centre);
        let tags = [wanted, ENGLISH]
            .into_iter()
            .filter(|t| !kind.needs_checked_words() || self.is_checked(t));
        tags.flat_map(|tag| {
            [
                own.then(|| format!("centres/{}/{tag}/{kind}", speaker.centre)),
                Some(format!("{tag}/{kind}")),
            ]
            .into_iter()
            .flatten()
            .map(move |name| (name, tag))
        })
        .find_map(|(name, tag)| Some((self.env.get_template(&name).ok()?, tag)))
        .context("a template is missing")
    }

    /// The language in which a kind of text stands for a party.
    pub fn language_of(
        &self,
        kind: MessageKind,
        speaker: &Speaker,
        language: &str,
    ) -> &'static str {
        self.choose(kind, speaker, language)
            .map_or(ENGLISH, |(_, language)| language)
    }

    /// Renders what is to be said, in the party's language if it may be used and has this kind,
    /// else in English.
    ///
    /// # Errors
    /// A value is missing: the text is not sent.
    pub fn render(&self, say: &Say, speaker: &Speaker, language: &str) -> Result<RenderedText> {
        let (template, tag) = self.choose(say.kind(), speaker, language)?;
        let language = self.languages.get(tag).context("a language is missing")?;
        let (body, values) = template_values::take(&fill(&template, language, say, speaker)?);
        Ok(RenderedText {
            parts: parts(&body),
            gsm: is_gsm(&body),
            language: tag,
            body,
            values,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::money::amount::Money;
    use crate::domain::outgoing::lint::rules::LintRule;
    use crate::domain::people::person::Mode;

    /// The texts of the wording guide, byte for byte, and what they cost.
    #[test]
    fn every_text_reads_as_agreed_and_fits_one_part() {
        let words = Templates::load(None).unwrap();
        let said: Vec<String> = samples()
            .iter()
            .map(|s| words.render(s, &sample_speaker(), "en").unwrap())
            .map(|t| format!("{} {}", t.parts, t.body))
            .collect();
        let wanted = include_str!("../../tests/data/texts_en.txt");
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

    #[test]
    fn a_template_with_a_missing_value_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("en")).unwrap();
        std::fs::write(
            dir.path().join("en/confirm_ack.txt"),
            "{{ centre }}: {{ other_party }} comes too",
        )
        .unwrap();
        std::fs::write(dir.path().join("en/confrim_ack.txt"), "x").unwrap();
        let problems = Templates::load(Some(dir.path())).err().unwrap();
        assert_eq!(problems.len(), 2, "both at once");
        std::fs::remove_file(dir.path().join("en/confrim_ack.txt")).unwrap();
        let problems = Templates::load(Some(dir.path())).err().unwrap();
        assert!(
            problems.len() == 1
                && problems[0].key.ends_with("confirm_ack.txt")
                && problems[0].what.contains("other_party"),
            "{}",
            problems[0]
        );
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
        let words = Templates::load(None).unwrap();
        let at = |s: &str| crate::domain::local_time::parse_local(s).unwrap();
        let times = |tag: &str| {
            [
                "00:00", "00:05", "09:30", "12:00", "12:05", "14:00", "20:59",
            ]
            .map(|t| words.languages[tag].time(at(&format!("2026-11-28T{t}")).time()))
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
        let day = |tag: &str, d: &str| words.languages[tag].day(at(&format!("{d}T00:00")).date());
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

    /// Reading age nine: one idea in a sentence, at most sixteen words, none of them stiff, and
    /// nobody is shouted at.
    #[test]
    fn english_is_plain() {
        let words = Templates::load(None).unwrap();
        for say in samples() {
            let text = words.render(&say, &sample_speaker(), ENGLISH).unwrap().body;
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

    /// Every language with every kind that it has, at a usual date and at awkward ones; English at
    /// the awkward ones.
    #[test]
    fn every_language_reads_as_drafted() {
        let words = Templates::load(None).unwrap();
        let speaker = everywhere();
        let mut said = Vec::new();
        for (tag, language) in words.languages() {
            let draft = if words.is_checked(tag) {
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
                let text = words.render(&say, &speaker, tag).unwrap();
                if text.language == tag {
                    said.push(format!(
                        "{} {} {}",
                        text.parts,
                        if text.gsm { "GSM-7" } else { "UCS-2" },
                        text.body
                    ));
                }
            }
        }
        assert_eq!(
            said.join("\n"),
            include_str!("../../tests/data/texts_languages.txt").trim_end()
        );
    }

    /// Six kinds are in the party's language; all others, and money and notes above all, are in
    /// English until a speaker has checked.
    #[test]
    fn a_draft_is_used_where_it_is_switched_on_and_for_its_kinds_alone() {
        let words = Templates::load(None).unwrap();
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
            assert!(!words.is_checked(tag), "{tag}: a draft says that it is one");
            let on = Speaker {
                languages: vec![(*tag).to_owned()],
                ..sample_speaker()
            };
            for say in samples() {
                let english = words.render(&say, &off, ENGLISH).unwrap();
                assert_eq!(
                    words.render(&say, &off, tag).unwrap(),
                    english,
                    "{tag} is off"
                );
                let text = words.render(&say, &on, tag).unwrap();
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
                words.label(Press::Yes, tag),
                words.label(Press::Yes, ENGLISH)
            );
            assert_eq!(
                words.label(Press::Keep, tag),
                words.label(Press::Keep, ENGLISH)
            );
        }
        let polish = Speaker {
            languages: vec!["pl".into()],
            ..sample_speaker()
        };
        let of = |tag: &str| words.render(&Say::StopAck, &polish, tag).unwrap().language;
        assert_eq!(
            ["pl", "PL", "pl-PL", "ga", "xx", "", "en-GB"].map(of),
            ["pl", "pl", "pl", "en", "en", "en", "en"]
        );
        let urdu = Speaker {
            languages: vec!["ur-Latn".into()],
            ..sample_speaker()
        };
        let of = |tag: &str| words.render(&Say::StopAck, &urdu, tag).unwrap().language;
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
        let words = Templates::load(None).unwrap();
        for (tag, language) in words.languages() {
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
                    let text = words.render(&say, &everywhere(), tag).unwrap();
                    assert!(
                        text.parts <= language.most_parts,
                        "{tag} {} takes {} parts: {}",
                        say.kind(),
                        text.parts,
                        text.body
                    );
                }
            }
        }
    }

    /// A folder of templates with one file in it.
    fn folder(file: &str, text: &str) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        dir
    }

    fn everywhere() -> Speaker {
        Speaker {
            languages: LANGUAGES.map(String::from).to_vec(),
            ..sample_speaker()
        }
    }

    #[test]
    fn what_is_built_in_keeps_every_rule_of_words() {
        let problems = Loading::all(Templates::empty(), None, true)
            .err()
            .unwrap_or_default();
        assert!(problems.is_empty(), "{problems:#?}");
    }

    /// Every rule of words can fail, in a template for all centres and in one centre's, with file,
    /// word and mend.
    #[test]
    fn each_rule_of_words_refuses_a_planted_word() {
        let built_in = |tag: &str, kind: MessageKind| {
            let folder = built_in::FOLDERS.iter().find(|f| f.tag == tag).unwrap();
            folder
                .files
                .iter()
                .find(|(name, _)| *name == kind.as_str())
                .unwrap_or_else(|| panic!("{tag} has no {kind}"))
                .1
                .trim_end()
        };
        let more = |tag: &str, kind: MessageKind, sentence: &str| {
            format!("{} {sentence}", built_in(tag, kind))
        };
        let but = |tag: &str, kind: MessageKind, from: &str, to: &str| {
            assert!(
                built_in(tag, kind).contains(from),
                "{tag} {kind} does not say {from}"
            );
            built_in(tag, kind).replace(from, to)
        };
        use MessageKind as K;
        let planted = [
            (
                LintRule::Child,
                "en",
                K::Help,
                more("en", K::Help, "Your daughter is well."),
                "daughter",
            ),
            (
                LintRule::Child,
                "pl",
                K::StopAck,
                more("pl", K::StopAck, "Dziecko czeka."),
                "dziecko",
            ),
            (
                LintRule::Reason,
                "en",
                K::Help,
                more("en", K::Help, "You were poorly."),
                "poorly",
            ),
            (
                LintRule::Reason,
                "cy",
                K::SessionOff,
                more("cy", K::SessionOff, "Mae rhywun yn sâl."),
                "sal",
            ),
            (
                LintRule::Court,
                "en",
                K::Help,
                more("en", K::Help, "The Court asks."),
                "court",
            ),
            (
                LintRule::Court,
                "ro",
                K::Closure,
                more("ro", K::Closure, "Tribunalul cere."),
                "tribunalul",
            ),
            (
                LintRule::Doctor,
                "en",
                K::NoteReminder,
                more("en", K::NoteReminder, "Bring the doctor's note."),
                "doctors",
            ),
            (
                LintRule::Doctor,
                "ga",
                K::SessionOff,
                more("ga", K::SessionOff, "Tá dochtúir anseo."),
                "dochtuir",
            ),
            (
                LintRule::OtherParent,
                "en",
                K::Help,
                more("en", K::Help, "Dad knows."),
                "dad",
            ),
            (
                LintRule::OtherParent,
                "pl",
                K::ConfirmAck,
                more("pl", K::ConfirmAck, "Tata wie."),
                "tata",
            ),
            (
                LintRule::Place,
                "en",
                K::Help,
                more("en", K::Help, "Your contact centre."),
                "contact centre",
            ),
            (
                LintRule::Place,
                "cy",
                K::ConfirmAck,
                more("cy", K::ConfirmAck, "Eich canolfan gyswllt."),
                "canolfan gyswllt",
            ),
            (
                LintRule::Money,
                "en",
                K::SessionOff,
                more("en", K::SessionOff, "A fee may apply."),
                "fee",
            ),
            (
                LintRule::Money,
                "en",
                K::ConfirmAck,
                more("en", K::ConfirmAck, "You owe nothing."),
                "owe",
            ),
            (
                LintRule::Money,
                "ur-Latn",
                K::ConfirmAck,
                more("ur-Latn", K::ConfirmAck, "Fee lag sakti hai."),
                "fee",
            ),
            (
                LintRule::Money,
                "pl",
                K::SessionOff,
                more("pl", K::SessionOff, "Opłata czeka."),
                "oplata",
            ),
            (
                LintRule::Money,
                "ro",
                K::ConfirmAck,
                more("ro", K::ConfirmAck, "Taxă."),
                "taxa",
            ),
            (
                LintRule::Money,
                "cy",
                K::StopAck,
                more("cy", K::StopAck, "Mae ffi."),
                "ffi",
            ),
            (
                LintRule::Money,
                "ga",
                K::SessionMoved,
                more("ga", K::SessionMoved, "Táille."),
                "taille",
            ),
            (
                LintRule::NoCharge,
                "en",
                K::SessionOff,
                more("en", K::SessionOff, "There is no charge."),
                "no charge",
            ),
            (
                LintRule::NoCharge,
                "ro",
                K::SessionOff,
                more("ro", K::SessionOff, "Este gratuit."),
                "gratuit",
            ),
            (
                LintRule::NoCharge,
                "en",
                K::CancellationAck,
                but(
                    "en",
                    K::CancellationAck,
                    "{% else %}",
                    "{% else %}There is no charge. ",
                ),
                "no charge",
            ),
            (
                LintRule::Amount,
                "en",
                K::NoteRequest,
                more("en", K::NoteRequest, "It is £45."),
                "£",
            ),
            (
                LintRule::Amount,
                "en",
                K::NoteRequest,
                more("en", K::NoteRequest, "It is 45 pounds."),
                "45 pounds",
            ),
            (
                LintRule::Amount,
                "pl",
                K::Closure,
                more("pl", K::Closure, "45 funtow."),
                "45 funtow",
            ),
            (
                LintRule::OptOut,
                "en",
                K::Help,
                more("en", K::Help, "Reply CANCEL if you cannot."),
                "CANCEL",
            ),
            (
                LintRule::OptOut,
                "en",
                K::SessionOff,
                more("en", K::SessionOff, "Reply STOP if you cannot."),
                "STOP",
            ),
            (
                LintRule::OptOut,
                "en",
                K::Help,
                more("en", K::Help, "Reply cancel if you cannot."),
                "cancel",
            ),
            (
                LintRule::OptOut,
                "pl",
                K::StopAck,
                more("pl", K::StopAck, "Prosze odpisac quit."),
                "quit",
            ),
            (
                LintRule::Link,
                "en",
                K::Help,
                more("en", K::Help, "See https://visits.example"),
                "https://visits.example",
            ),
            (
                LintRule::Link,
                "en",
                K::Help,
                more("en", K::Help, "See birchfield.org.uk/visits for more."),
                "birchfield.org.uk/visits",
            ),
            (
                LintRule::Link,
                "en",
                K::ConfirmAck,
                more("en", K::ConfirmAck, "Write to us on (t.me/birchfield)."),
                "t.me/birchfield",
            ),
            (
                LintRule::Link,
                "ro",
                K::ConfirmAck,
                more("ro", K::ConfirmAck, "Vedeti www.birchfield.scot"),
                "www.birchfield.scot",
            ),
            (
                LintRule::Link,
                "cy",
                K::ConfirmAck,
                more("cy", K::ConfirmAck, "Gweler birchfield.cymru."),
                "birchfield.cymru",
            ),
            (
                LintRule::Opening,
                "en",
                K::FeeNotice,
                "{{ centre }}: a fee of {{ amount }} is due for {{ day }}. {{ phone }}".into(),
                "fee",
            ),
            (
                LintRule::Opening,
                "en",
                K::Help,
                more("en", K::Help, "").replacen("{{ centre }}", "Hello from {{ centre }}", 1),
                "Hello",
            ),
            (
                LintRule::Opening,
                "pl",
                K::ConfirmAck,
                more("pl", K::ConfirmAck, "").replacen("{{ centre }}", "Tu {{ centre }}", 1),
                "Tu",
            ),
            (
                LintRule::Answers,
                "en",
                K::ConfirmRequest,
                but("en", K::ConfirmRequest, "or NO if", "or not if"),
                "NO",
            ),
            (
                LintRule::Answers,
                "en",
                K::Welcome,
                but("en", K::Welcome, "STOP", "that word"),
                "STOP",
            ),
            (
                LintRule::Answers,
                "en",
                K::Help,
                but("en", K::Help, "STOP to", "nothing to"),
                "STOP",
            ),
            (
                LintRule::Answers,
                "en",
                K::UnclearReply,
                but("en", K::UnclearReply, "YES", "yes"),
                "YES",
            ),
            (
                LintRule::Answers,
                "pl",
                K::SessionMoved,
                but("pl", K::SessionMoved, "TAK", "Tak"),
                "TAK",
            ),
            (
                LintRule::Missing,
                "en",
                K::SessionOff,
                but(
                    "en",
                    K::SessionOff,
                    " on {{ day }}, {{ time }}",
                    " at {{ time }}",
                ),
                "{{ day }}",
            ),
            (
                LintRule::Missing,
                "en",
                K::SessionOff,
                but("en", K::SessionOff, "We do not give reasons. ", ""),
                "no reasons",
            ),
            (
                LintRule::Missing,
                "en",
                K::SessionMoved,
                but("en", K::SessionMoved, "{{ old_time }} ", ""),
                "{{ old_time }}",
            ),
            (
                LintRule::Missing,
                "en",
                K::ConfirmRequest,
                but(
                    "en",
                    K::ConfirmRequest,
                    "After {{ cut_off }} a fee",
                    "Later a fee",
                ),
                "{{ cut_off }}",
            ),
            (
                LintRule::Missing,
                "en",
                K::ConfirmRequest,
                but(
                    "en",
                    K::ConfirmRequest,
                    "If you cancel now a fee may apply.",
                    "Thank you.",
                ),
                "fee may apply",
            ),
            (
                LintRule::Missing,
                "en",
                K::CancelReasonAsk,
                but(
                    "en",
                    K::CancelReasonAsk,
                    "reply {{ code }}. A fee may apply.",
                    "reply with the number. A fee may apply.",
                ),
                "{{ code }}",
            ),
            (
                LintRule::Missing,
                "en",
                K::FeeNotice,
                but("en", K::FeeNotice, " of {{ amount }}", ""),
                "{{ amount }}",
            ),
            (
                LintRule::Missing,
                "en",
                K::Closure,
                but("en", K::Closure, "There is no charge. ", ""),
                "nothing is charged",
            ),
            (
                LintRule::Missing,
                "en",
                K::Closure,
                but("en", K::Closure, "are closed on", "will miss you on"),
                "closed",
            ),
            (
                LintRule::Missing,
                "en",
                K::CancellationAck,
                but("en", K::CancellationAck, "There is no charge. ", ""),
                "nothing is charged",
            ),
            (
                LintRule::Missing,
                "en",
                K::NeedsCoordinatorAck,
                but(
                    "en",
                    K::NeedsCoordinatorAck,
                    "{{ emergency_number }}",
                    "for help",
                ),
                "{{ emergency_number }}",
            ),
            (
                LintRule::Missing,
                "en",
                K::StopAck,
                but("en", K::StopAck, "{{ phone }}", "us"),
                "{{ phone }}",
            ),
            (
                LintRule::Missing,
                "en",
                K::AllPartiesNotice,
                but("en", K::AllPartiesNotice, "{{ last_day }}", "then"),
                "{{ last_day }}",
            ),
            (
                LintRule::Missing,
                "pl",
                K::ConfirmAck,
                but("pl", K::ConfirmAck, ", {{ time }}", ""),
                "{{ time }}",
            ),
            (
                LintRule::Missing,
                "ga",
                K::SessionOff,
                but("ga", K::SessionOff, "Ní thugaimid fáthanna. ", ""),
                "no reasons",
            ),
            (
                LintRule::Missing,
                "ro",
                K::Closure,
                but("ro", K::Closure, "Nu se percepe nicio taxa. ", ""),
                "nothing is charged",
            ),
            (
                LintRule::Cause,
                "en",
                K::SessionOff,
                more("en", K::SessionOff, "Sorry for the short notice."),
                "short notice",
            ),
            (
                LintRule::Cause,
                "en",
                K::SessionOff,
                more(
                    "en",
                    K::SessionOff,
                    "It was because the other family is away.",
                ),
                "because",
            ),
            (
                LintRule::Cause,
                "en",
                K::Closure,
                more("en", K::Closure, "Another family is told too."),
                "another family",
            ),
            (
                LintRule::Cause,
                "en",
                K::SessionMoved,
                more("en", K::SessionMoved, "You were asked for this."),
                "asked for",
            ),
            (
                LintRule::Cause,
                "ro",
                K::SessionOff,
                more("ro", K::SessionOff, "La cererea cuiva."),
                "la cererea",
            ),
            (
                LintRule::Cause,
                "ur-Latn",
                K::Closure,
                more("ur-Latn", K::Closure, "Doosri family ko bhi."),
                "doosri family",
            ),
            (
                LintRule::NotHere,
                "en",
                K::FeeSettled,
                more("en", K::FeeSettled, "Thank you."),
                "thank",
            ),
            (
                LintRule::NotHere,
                "en",
                K::Closure,
                more("en", K::Closure, "Please reply no."),
                "reply no",
            ),
            (
                LintRule::NotHere,
                "en",
                K::NeedsCoordinatorAck,
                more("en", K::NeedsCoordinatorAck, "We have told the staff."),
                "told",
            ),
            (
                LintRule::NotHere,
                "pl",
                K::ConfirmAck,
                more("pl", K::ConfirmAck, "Oboje."),
                "oboje",
            ),
            (
                LintRule::Tone,
                "en",
                K::Help,
                more("en", K::Help, "You must answer."),
                "must",
            ),
            (
                LintRule::Tone,
                "en",
                K::ConfirmAck,
                more("en", K::ConfirmAck, "See you!"),
                "!",
            ),
            (
                LintRule::Tone,
                "cy",
                K::ConfirmAck,
                more("cy", K::ConfirmAck, "Rhaid dod."),
                "rhaid",
            ),
            (
                LintRule::Tone,
                "pl",
                K::ConfirmAck,
                more("pl", K::ConfirmAck, "Do zobaczenia 😀"),
                "😀",
            ),
        ];
        let elsewhere: BTreeSet<LintRule> = planted
            .iter()
            .filter(|p| p.1 != ENGLISH)
            .map(|p| p.0)
            .collect();
        let english: BTreeSet<LintRule> = planted
            .iter()
            .filter(|p| p.1 == ENGLISH)
            .map(|p| p.0)
            .collect();
        assert_eq!(
            (english.len(), elsewhere.len()),
            (LintRule::ALL.len(), LintRule::ALL.len()),
            "each rule in English and in another language"
        );
        for (rule, tag, kind, text, word) in &planted {
            for file in [
                format!("{tag}/{kind}.txt"),
                format!("centres/BRK/{tag}/{kind}.txt"),
            ] {
                let dir = folder(&file, text);
                let problems = Templates::load(Some(dir.path()))
                    .err()
                    .unwrap_or_else(|| panic!("{rule:?} passes: {text}"));
                assert_eq!(problems.len(), 1, "{rule:?}: {problems:?}");
                let p = &problems[0];
                assert!(
                    p.key.ends_with(&file) && p.what.contains(word) && p.fix.len() > 20,
                    "{rule:?}: {p}"
                );
            }
        }
        let failed: BTreeSet<LintRule> = planted.iter().map(|p| p.0).collect();
        assert_eq!(
            failed.len(),
            LintRule::ALL.len(),
            "a rule that no test lets fail"
        );
        // In every branch, also one that no sample takes, and within a value.
        for text in [
            "{{ centre }}: hello, this is about {% if false %}the court{% endif %} {{ phone }}",
            "{{ centre }}: hello there, how are you today? {{ \"the court\" }}",
        ] {
            assert!(
                Templates::load(Some(folder("en/help.txt", text).path())).is_err(),
                "{text}"
            );
        }
        // What is allowed where it belongs.
        let fine = [
            (
                MessageKind::Help,
                more(
                    "en",
                    MessageKind::Help,
                    "Text STOP to end texts. Please stop at the gate, and cancel nothing.",
                ),
            ),
            (
                MessageKind::NoteRequest,
                more(
                    "en",
                    MessageKind::NoteRequest,
                    "Bring a doctor's note, then there is no fee.",
                ),
            ),
            (
                MessageKind::FeeNotice,
                more(
                    "en",
                    MessageKind::FeeNotice,
                    "Please pay {{ amount }} for {{ day }}.",
                ),
            ),
            (
                MessageKind::UnclearReply,
                more(
                    "en",
                    MessageKind::UnclearReply,
                    "We ask because we want to be sure. Are both of you well?Thank you.",
                ),
            ),
        ];
        for (kind, text) in fine {
            assert!(
                Templates::load(Some(folder(&format!("en/{kind}.txt"), &text).path())).is_ok(),
                "{text}"
            );
        }
    }

    #[test]
    fn a_centres_own_text_is_used_for_that_centre_alone() {
        let dir = folder(
            "centres/BRK/en/confirm_ack.txt",
            "{{ centre }}: lovely, until {{ day }}, {{ time }}.",
        );
        std::fs::create_dir_all(dir.path().join("centres/BRK/pl")).unwrap();
        std::fs::write(
            dir.path().join("centres/BRK/pl/stop_ack.txt"),
            "{{ centre }}: dobrze. {{ phone }}",
        )
        .unwrap();
        let words = Templates::load(Some(dir.path())).unwrap();
        assert_eq!(words.centres().collect::<Vec<_>>(), ["BRK"]);
        let arrival = Values::usual().arrival;
        let said = |code: &str, say: &Say, tag: &str| {
            words
                .render(
                    say,
                    &Speaker {
                        centre: code.into(),
                        languages: vec!["pl".into()],
                        ..sample_speaker()
                    },
                    tag,
                )
                .unwrap()
                .body
        };
        assert_eq!(
            said("BRK", &Say::ConfirmAck { arrival }, "en"),
            "Birchfield: lovely, until Sat 28 Nov, 10am."
        );
        assert_eq!(
            said("LIF", &Say::ConfirmAck { arrival }, "en"),
            "Birchfield: thank you. You have confirmed Sat 28 Nov, 10am."
        );
        assert_eq!(
            said("BRK", &Say::ConfirmAck { arrival }, "pl"),
            "Birchfield: dziekujemy. Potwierdzili Panstwo wizyte: sob. 28 listopada, godz. 10:00.",
            "their language first"
        );
        assert_eq!(
            said("BRK", &Say::StopAck, "pl"),
            "Birchfield: dobrze. 020 7946 0101"
        );
        assert_ne!(
            said("LIF", &Say::StopAck, "pl"),
            "Birchfield: dobrze. 020 7946 0101"
        );
    }

    #[test]
    fn a_language_that_a_speaker_has_checked_needs_no_switch_and_may_carry_money() {
        let about = include_str!("../../message-templates/pl/language.toml");
        let money =
            "{{ centre }}: w sprawie wizyty {{ day }}. Prosze zaplacic {{ amount }}. {{ phone }}";
        let dir = folder("pl/fee_notice.txt", money);
        let fee = samples_of(MessageKind::FeeNotice, &Values::usual()).remove(0);
        let polish = Speaker {
            languages: vec!["pl".into()],
            ..sample_speaker()
        };
        let words = Templates::load(Some(dir.path())).unwrap();
        assert_eq!(
            words.render(&fee, &polish, "pl").unwrap().language,
            "en",
            "a draft carries no money"
        );
        assert!(
            words
                .idle()
                .eq([dir.path().join("pl/fee_notice.txt").display().to_string()])
        );
        std::fs::write(
            dir.path().join("pl/language.toml"),
            about.replace("checked_by = \"\"", "checked_by = \"A. Nowak\""),
        )
        .unwrap();
        let words = Templates::load(Some(dir.path())).unwrap();
        let text = words.render(&fee, &sample_speaker(), "pl").unwrap();
        assert_eq!(
            (text.language, text.body.as_str()),
            (
                "pl",
                "Birchfield: w sprawie wizyty sob. 28 listopada. Prosze zaplacic £45. 020 7946 0101"
            )
        );
        assert_eq!(words.idle().count(), 0);
        // What the texts ask for must be understood.
        for (broken, part) in [
            (
                about.replace("yes = \"TAK\"", "yes = \"OWSZEM\""),
                "would not be understood as a YES",
            ),
            (
                about.replace("no = \"NIE\"", "no = \"TAK\""),
                "would not be understood as a NO",
            ),
            (about.replace("\"wt.\", ", ""), "it has 6 names"),
            (
                about.replace("checked_by", "chekced_by"),
                "Did you mean checked_by?",
            ),
        ] {
            std::fs::write(dir.path().join("pl/language.toml"), broken).unwrap();
            let problems = Templates::load(Some(dir.path())).err().unwrap();
            assert!(
                problems
                    .iter()
                    .any(|p| p.to_string().contains(part) && p.key.contains("pl/language.toml")),
                "{problems:?}"
            );
        }
        for (file, part) in [
            ("po/help.txt", "Did you mean"),
            ("centres/BRK/p/help.txt", "Did you mean pl?"),
            ("centres/BRK/en/hepl.txt", "no such kind"),
        ] {
            let problems = Templates::load(Some(folder(file, "x").path()))
                .err()
                .unwrap();
            assert!(
                problems.len() == 1 && problems[0].to_string().contains(part),
                "{problems:?}"
            );
        }
    }
}
