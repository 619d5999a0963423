//! The lists in `understanding/`, read once.

use crate::domain::replies::patterns::{PatternSet, Vocabulary, optional_strings, table};
use crate::domain::replies::understanding::agreed_phrases::AgreedPhrases;
use crate::domain::replies::understanding::answer_lists::AnswerLists;
use crate::domain::replies::understanding::clause_lists::ClauseLists;
use crate::domain::replies::understanding::indicator::Indicator;
use crate::domain::replies::understanding::list_reader::ListReader;
use crate::domain::replies::understanding::phrase::PHRASE_LISTS;
use crate::domain::replies::understanding::some_children::SOME_CHILDREN_LISTS;
use crate::domain::replies::understanding::whole_message::WholeMessage;
use crate::domain::visits::session::Reason;
use std::sync::LazyLock;
use toml::Table;

/// Two files that are read as one: what parents answer, and what they write in danger.
pub(super) const ENGLISH: &str = concat!(
    include_str!("../../../../understanding/en.toml"),
    "\n",
    include_str!("../../../../understanding/en-danger.toml")
);

/// Languages of which only whole messages are known.
pub(super) const OTHERS: [&str; 5] = [
    include_str!("../../../../understanding/cy.toml"),
    include_str!("../../../../understanding/ga.toml"),
    include_str!("../../../../understanding/pl.toml"),
    include_str!("../../../../understanding/ro.toml"),
    include_str!("../../../../understanding/ur-Latn.toml"),
];

pub(super) static LISTS: LazyLock<Lists> = LazyLock::new(|| {
    Lists::read(ENGLISH, &OTHERS).unwrap_or_else(|e| panic!("understanding: {e}"))
});

/// Everything that is known about what parents write.
pub(super) struct Lists {
    pub(super) vocabulary: Vocabulary,
    pub(super) danger: Indicator,
    /// Somebody else reads the phone.
    pub(super) watched: Indicator,
    pub(super) messages: MessageLists,
    pub(super) some_children: PatternSet,
    /// The phrases of an answer; the list numbers are those of [`PHRASE_LISTS`].
    pub(super) phrases: PatternSet,
    pub(super) answers: AnswerLists,
    pub(super) clauses: ClauseLists,
    pub(super) subjects: SubjectLists,
    pub(super) signs: Signs,
    /// Whole messages in other languages.
    pub(super) agreed: AgreedPhrases,
}

/// Messages that are understood as a whole.
pub(super) struct MessageLists {
    pub(super) stop: WholeMessage,
    /// If one sentence says STOP, no other may say one of these.
    pub(super) against_stop: PatternSet,
    pub(super) start: WholeMessage,
    pub(super) help: WholeMessage,
    pub(super) stranger: PatternSet,
    /// A sentence that says for certain that the number is somebody else's.
    pub(super) wrong_number: PatternSet,
    /// Courtesies around such messages.
    pub(super) courtesy: PatternSet,
    /// The words offered where codes are off.
    pub(super) reasons: [(PatternSet, Reason); 4],
    /// Asks for something in the form of a question. The question mark changes nothing.
    pub(super) polite_request: PatternSet,
    pub(super) forwarded: PatternSet,
    /// Sent by a machine.
    pub(super) machine: PatternSet,
}

/// What a message that is no answer is about. This only sorts the messages that a person reads.
pub(super) struct SubjectLists {
    pub(super) abuse: Indicator,
    pub(super) reschedule: Indicator,
    pub(super) details: Indicator,
    pub(super) late: Indicator,
    pub(super) question: Indicator,
}

/// Pictures, one character each.
pub(super) struct Signs {
    pub(super) danger: String,
    pub(super) abuse: String,
    /// Signs that say STOP, beside words that say it too.
    pub(super) stop: String,
    /// Signs that say STOP without any word.
    pub(super) stop_alone: String,
    /// A message with one of these agrees with nothing.
    pub(super) doubtful: String,
}

impl Lists {
    /// Reads the English lists and those of other languages.
    ///
    /// # Errors
    /// What is wrong with a list.
    pub(super) fn read(english: &str, others: &[&str]) -> Result<Self, String> {
        let english: Table = english.parse().map_err(|e| format!("en: {e}"))?;
        let others = others
            .iter()
            .map(|text| text.parse::<Table>().map_err(|e| e.to_string()))
            .collect::<Result<Vec<_>, _>>()?;
        let classes = all_classes(&english)?;
        let names = optional_strings(table(&english, "reading")?, "name")?;
        let mut reader = ListReader::new(&english, &classes, names)?;
        let mut lists = Lists {
            danger: reader.danger()?,
            watched: reader.indicator("watched")?,
            messages: MessageLists::read(&mut reader)?,
            some_children: reader.lists("some_children", &SOME_CHILDREN_LISTS)?,
            phrases: reader.lists("reading", &PHRASE_LISTS.map(|(name, _)| name))?,
            answers: AnswerLists::read(&mut reader)?,
            clauses: ClauseLists::read(&mut reader)?,
            subjects: SubjectLists::read(&mut reader)?,
            signs: Signs::read(&reader)?,
            agreed: AgreedPhrases::default(),
            vocabulary: Vocabulary::default(),
        };
        // Phrases are compared with English before words of other languages join the vocabulary.
        for file in &others {
            let lang = file
                .get("language")
                .and_then(|lang| lang.as_str())
                .ok_or("a file names no language")?;
            lists.agreed.add(lang, file, reader.vocabulary())?;
        }
        for file in &others {
            for pattern in optional_strings(file, "danger")? {
                reader.add(&mut lists.danger.signs, u16::MAX, &pattern)?;
            }
        }
        lists.vocabulary = reader.into_vocabulary();
        lists.vocabulary.add_typos(&english)?;
        Ok(lists)
    }
}

/// The lists that patterns may name.
fn all_classes(english: &Table) -> Result<Table, String> {
    let mut classes = table(english, "classes")?.clone();
    for (name, words) in table(english, "danger_classes")? {
        if classes.insert(name.clone(), words.clone()).is_some() {
            return Err(format!("there are two lists of classes called {name}"));
        }
    }
    Ok(classes)
}

impl MessageLists {
    fn read(reader: &mut ListReader<'_>) -> Result<Self, String> {
        Ok(MessageLists {
            stop: reader.whole_message("stop")?,
            against_stop: reader.list("stop", "against")?,
            start: reader.whole_message("start")?,
            help: reader.whole_message("help")?,
            stranger: reader.list("stranger", "whole")?,
            wrong_number: reader.list("stranger", "sure")?,
            courtesy: reader.list("stranger", "around")?,
            reasons: [
                (reader.list("reason", "ill_child")?, Reason::IllChild),
                (reader.list("reason", "ill_me")?, Reason::IllSelf),
                (reader.list("reason", "travel")?, Reason::Travel),
                (reader.list("reason", "other")?, Reason::Other),
            ],
            polite_request: reader.list("notes", "polite")?,
            forwarded: reader.list("notes", "forwarded")?,
            machine: reader.list("notes", "machine")?,
        })
    }
}

impl SubjectLists {
    fn read(reader: &mut ListReader<'_>) -> Result<Self, String> {
        Ok(SubjectLists {
            abuse: reader.indicator("abuse")?,
            reschedule: reader.indicator("reschedule")?,
            details: reader.indicator("details")?,
            late: reader.indicator("late")?,
            question: reader.indicator("question")?,
        })
    }
}

impl Signs {
    fn read(reader: &ListReader<'_>) -> Result<Self, String> {
        Ok(Signs {
            danger: reader.characters("signs", "danger")?,
            abuse: reader.characters("abuse", "signs")?,
            stop: reader.characters("signs", "stop")?,
            stop_alone: reader.characters("signs", "stop_alone")?,
            doubtful: reader.characters("signs", "doubtful")?,
        })
    }
}
