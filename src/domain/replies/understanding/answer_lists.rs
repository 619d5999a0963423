//! The lists that help to read a whole answer: `[notes]`.

use crate::domain::replies::patterns::PatternSet;
use crate::domain::replies::understanding::list_reader::ListReader;

pub(super) struct AnswerLists {
    /// Words that together are no answer, although each is known.
    pub(super) no_answer: PatternSet,
    /// How a question begins.
    pub(super) question_start: PatternSet,
    /// What may stand before that.
    pub(super) greeting: PatternSet,
    pub(super) plain_no: PatternSet,
    /// A "no" before words that agree.
    pub(super) no_that_agrees: PatternSet,
    /// A "no" that belongs to the next word: "no temperature".
    pub(super) no_of_something: PatternSet,
    /// Refuses a part of a visit or a way to get there, not the visit.
    pub(super) refuses_a_part: PatternSet,
    /// Comes, but not in time.
    pub(super) not_in_time: PatternSet,
    /// A refusal only at the end of a sentence: "no, I can't".
    pub(super) refusal_at_end: PatternSet,
    /// A refusal because there is no way to get there.
    pub(super) no_way_there: PatternSet,
    /// A refusal because of an illness.
    pub(super) too_ill: PatternSet,
    /// What people say of their own illness.
    pub(super) own_illness: PatternSet,
    /// "have" before an illness.
    pub(super) have: PatternSet,
    /// What stands between a name and an illness.
    pub(super) verb_before_illness: PatternSet,
    /// Somebody brings a child, or does not.
    pub(super) brings_a_child: PatternSet,
    /// Cancel fillers that may also stand beside "we will be there".
    pub(super) mild: PatternSet,
    /// "the", "my".
    pub(super) determiner: PatternSet,
    /// What a visit is called.
    pub(super) visit: PatternSet,
    /// A time of day after one of these is not that of a visit: "sick since 4am".
    pub(super) since: PatternSet,
}

impl AnswerLists {
    pub(super) fn read(reader: &mut ListReader<'_>) -> Result<Self, String> {
        let mut list = |key| reader.list("notes", key);
        Ok(AnswerLists {
            no_answer: list("no_answer")?,
            question_start: list("asking")?,
            greeting: list("greeting")?,
            plain_no: list("no")?,
            no_that_agrees: list("no_agrees")?,
            no_of_something: list("no_of")?,
            refuses_a_part: list("no_refusal")?,
            not_in_time: list("not_in_time")?,
            refusal_at_end: list("at_end")?,
            no_way_there: list("no_way")?,
            too_ill: list("too_ill")?,
            own_illness: list("own_illness")?,
            have: list("have")?,
            verb_before_illness: list("holds")?,
            brings_a_child: list("brings")?,
            mild: list("mild")?,
            determiner: list("determiner")?,
            visit: list("visit")?,
            since: list("since")?,
        })
    }
}
