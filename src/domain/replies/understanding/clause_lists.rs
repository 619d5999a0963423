//! The lists that help to read an answer clause by clause: `[clauses]`.

use crate::domain::replies::patterns::PatternSet;
use crate::domain::replies::understanding::list_reader::ListReader;

pub(super) struct ClauseLists {
    /// A clause may begin before one of these.
    pub(super) starts: PatternSet,
    /// A new clause may begin with one of these although nothing marks it.
    pub(super) unmarked_starts: PatternSet,
    /// A word after one of these belongs to it.
    pub(super) leads_on: PatternSet,
    /// A refusal after one of these belongs to it.
    pub(super) bound: PatternSet,
    /// Stands before the name of a place.
    pub(super) before_place: PatternSet,
    /// Reports or quotes what somebody says.
    pub(super) reported: PatternSet,
    /// People who speak of themselves, at the start of a clause.
    pub(super) speaker: PatternSet,
    pub(super) writer: PatternSet,
    /// "his", "her".
    pub(super) his: PatternSet,
    /// The child or somebody else.
    pub(super) third_person: PatternSet,
    /// Certainly somebody else.
    pub(super) other_people: PatternSet,
    /// In a clause that cannot be read: it may turn the answer of another clause.
    pub(super) turns: PatternSet,
    /// It may turn a YES.
    pub(super) turns_yes: PatternSet,
    /// It may turn a YES beside "we will be there".
    pub(super) turns_double_yes: PatternSet,
    /// A clause that takes back what was agreed.
    pub(super) takes_back: PatternSet,
    /// Makes a YES firm beside unknown words.
    pub(super) firm: PatternSet,
    /// Unknown words with one of these are harmless beside any YES.
    pub(super) harmless: PatternSet,
    /// How a plain agreement at the end begins: "so yes I will".
    pub(super) conclusion: PatternSet,
    /// How a refusal at the end begins: "but I can't".
    pub(super) but_no: PatternSet,
}

impl ClauseLists {
    pub(super) fn read(reader: &mut ListReader<'_>) -> Result<Self, String> {
        let mut list = |key| reader.list("clauses", key);
        Ok(ClauseLists {
            starts: list("joints")?,
            unmarked_starts: list("begins")?,
            leads_on: list("leads_on")?,
            bound: list("bound")?,
            before_place: list("at_places")?,
            reported: list("report")?,
            speaker: list("speaks")?,
            writer: list("own")?,
            his: list("his")?,
            third_person: list("third")?,
            other_people: list("others")?,
            turns: list("turns")?,
            turns_yes: list("turns_yes")?,
            turns_double_yes: list("turns_both")?,
            takes_back: list("bare_no")?,
            firm: list("firm")?,
            harmless: list("along")?,
            conclusion: list("concludes")?,
            but_no: list("but_no")?,
        })
    }
}
