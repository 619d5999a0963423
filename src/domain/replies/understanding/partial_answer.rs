//! An answer beside words that nobody knows.
//!
//! "The wean's boaking everywhere, we can't make it": every word of the second clause is known, and
//! it refuses. The first one cannot mean that they come after all. A clause that cannot be read
//! never answers by itself: it may give a reason, or forbid to take another clause as the answer.

use crate::domain::replies::patterns::{BREAK, DATE, PHONE, TIME, Word};
use crate::domain::replies::understanding::intent::{Intent, Understood};
use crate::domain::replies::understanding::judge::{KnownWords, judge};
use crate::domain::replies::understanding::lists::Lists;
use crate::domain::replies::understanding::phrase::{Phrase, PhraseKind, has_any};
use crate::domain::replies::understanding::read::read;
use crate::domain::replies::understanding::reading::{Attendance, Reading, Wording};
use crate::domain::replies::understanding::reading_context::ReadingContext;
use crate::domain::replies::understanding::split_clauses::{Clause, split_clauses};
use crate::domain::replies::understanding::text::Text;
use crate::domain::replies::understanding::times_in_answer::times_in_answer;
use crate::domain::visits::session::Reason;

/// Reads the clauses that can be read; `None` if they do not answer, or if the others may turn the
/// answer.
pub(super) fn partial_answer(
    text: &Text<'_>,
    context: &ReadingContext<'_>,
    doubtful: bool,
) -> Option<Understood> {
    let (lists, words) = (text.lists, text.words);
    let all_phrases = text.known_phrases(0..words.len());
    if !may_answer(lists, words, &all_phrases) || is_about_something_else(lists, words) {
        return None;
    }
    let clauses = split_clauses(text);
    // "I thought I could come but I can't": the last clause counts, whatever was hoped before it.
    let ends_in_refusal = clauses.last().is_some_and(|clause| {
        clause.has_any(&[PhraseKind::Refuse]) && lists.clauses.but_no.begins(clause.words)
    });
    let mut unread = clauses.iter().filter(|clause| !clause.is_read());
    if !ends_in_refusal && unread.any(|clause| lists.clauses.turns.matches_in(clause.words)) {
        return None;
    }
    let (read_words, read_phrases) = join_read(&clauses);
    let reading = read(lists, &read_words, &read_phrases);
    let answer = PartialAnswer {
        lists,
        words,
        all_phrases: &all_phrases,
        clauses: &clauses,
        ends_in_refusal,
        known: KnownWords {
            lists,
            words: &read_words,
            phrases: &read_phrases,
        },
        context,
        doubtful,
    };
    if reading.cancels() {
        answer.refusal(reading)
    } else {
        answer.agreement(&reading)
    }
}

/// Whether any phrase answers. Most texts that cannot be read have none.
fn may_answer(lists: &Lists, words: &[Word], phrases: &[Phrase]) -> bool {
    has_any(
        phrases,
        &[
            PhraseKind::Refuse,
            PhraseKind::Cancel,
            PhraseKind::Coming,
            PhraseKind::Keep,
            PhraseKind::Yes,
            PhraseKind::Agreed,
        ],
    ) || lists.answers.too_ill.matches_in(words)
}

fn is_about_something_else(lists: &Lists, words: &[Word]) -> bool {
    lists.subjects.reschedule.is_clearly_in(words)
        || lists.answers.no_answer.matches_in(words)
        || lists.messages.stop.is_mentioned_in(words)
}

/// The words and phrases of the clauses that can be read, each clause ended by a mark.
fn join_read(clauses: &[Clause<'_>]) -> (Vec<Word>, Vec<Phrase>) {
    let (mut words, mut phrases): (Vec<Word>, Vec<Phrase>) = Default::default();
    for clause in clauses {
        let Some(read) = &clause.phrases else {
            continue;
        };
        phrases.extend(read.iter().map(|phrase| Phrase {
            kind: phrase.kind,
            start: words.len() + phrase.start,
        }));
        words.extend(clause.words);
        phrases.push(Phrase {
            kind: PhraseKind::Mark,
            start: words.len(),
        });
        words.push(Word::plain(BREAK));
    }
    (words, phrases)
}

/// Whom the clauses up to a refusal speak of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum SpokenOf {
    Writer,
    /// Him or her: the child, or not.
    ThirdPerson,
    Others,
}

struct PartialAnswer<'a> {
    lists: &'a Lists,
    words: &'a [Word],
    /// All phrases of the text, also those among unknown words.
    all_phrases: &'a [Phrase],
    clauses: &'a [Clause<'a>],
    ends_in_refusal: bool,
    /// The clauses that can be read, joined.
    known: KnownWords<'a>,
    context: &'a ReadingContext<'a>,
    doubtful: bool,
}

impl PartialAnswer<'_> {
    /// A refusal in the clauses that can be read.
    fn refusal(&self, reading: Reading) -> Option<Understood> {
        // A bare "no" may answer the unknown words.
        if !reading.refuses_in_full() {
            return None;
        }
        if !self.ends_in_refusal
            && has_any(self.all_phrases, &[PhraseKind::Coming, PhraseKind::Keep])
        {
            return None;
        }
        let others_are_named = self.lists.clauses.other_people.matches_in(self.words);
        let reading = reading.in_light_of(read(self.lists, self.words, self.all_phrases));
        let is_somebody_elses = match self.refusal_speaks_of() {
            Some(SpokenOf::Others) => true,
            Some(SpokenOf::ThirdPerson) => !reading.is_about_a_child() || others_are_named,
            Some(SpokenOf::Writer) | None => false,
        };
        if is_somebody_elses {
            return None;
        }
        let understood = judge(self.known, &reading, self.context, self.doubtful).ok()?;
        // "My mate's wean is poorly": it is not plain whose illness it is.
        let intent = match understood.intent {
            Intent::Cancel(Some(Reason::Travel)) => understood.intent,
            _ if others_are_named => Intent::Cancel(None),
            intent => intent,
        };
        Some(Understood {
            intent,
            rule: "a-clause-refuses",
            leftover: true,
            ..understood
        })
    }

    /// Whom the refusal speaks of: the nearest clause before it that says so.
    fn refusal_speaks_of(&self) -> Option<SpokenOf> {
        let lists = &self.lists.clauses;
        let refusal = self
            .clauses
            .iter()
            .position(|clause| clause.has_any(&[PhraseKind::Refuse, PhraseKind::Cancel]))?;
        self.clauses[..=refusal].iter().rev().find_map(|clause| {
            if lists.writer.matches_in(clause.words) {
                Some(SpokenOf::Writer)
            } else if lists.other_people.matches_in(clause.words) {
                Some(SpokenOf::Others)
            } else if lists.third_person.matches_in(clause.words) {
                Some(SpokenOf::ThirdPerson)
            } else {
                None
            }
        })
    }

    /// An agreement in the clauses that can be read.
    fn agreement(&self, reading: &Reading) -> Option<Understood> {
        let understood = judge(self.known, reading, self.context, self.doubtful).ok()?;
        let named = times_in_answer(self.lists, self.words, self.all_phrases, self.context).ok()?;
        if !named.are_those_of(self.context.arrivals) {
            return None;
        }
        // A YES and "we will be there" are two answers. Whatever else is said turns neither, unless
        // it takes something back.
        let says_yes_twice = reading.attendance.has(Attendance::WriterComes)
            && (reading.wording.has(Wording::YesWord) || self.a_clause_begins_with_yes());
        let turned = if says_yes_twice {
            self.may_be_turned_twice()
        } else {
            self.may_be_turned()
        };
        if turned
            || self.is_taken_back()
            || !self.is_firm()
            || has_any(
                self.all_phrases,
                &[
                    PhraseKind::Illness,
                    PhraseKind::OwnIllness,
                    PhraseKind::Refuse,
                    PhraseKind::Cancel,
                ],
            )
        {
            return None;
        }
        Some(Understood {
            named,
            rule: "a-clause-agrees",
            leftover: true,
            ..understood
        })
    }

    /// The clauses that cannot be read.
    fn unread(&self) -> impl Iterator<Item = &Clause<'_>> {
        self.clauses.iter().filter(|clause| !clause.is_read())
    }

    fn is_harmless(&self, clause: &Clause<'_>) -> bool {
        self.lists.clauses.harmless.matches_in(clause.words)
    }

    /// Whether an unread clause may turn a YES: it has a word that does, names a time, or speaks of
    /// others. "He's been bailed", "someone else is bringing him": a person reads that first.
    fn may_be_turned(&self) -> bool {
        let lists = &self.lists.clauses;
        let names_a_time = |clause: &Clause<'_>| {
            clause
                .words
                .iter()
                .any(|word| matches!(word.id, TIME | DATE | PHONE))
        };
        let turns = |clause: &Clause<'_>| {
            lists.turns_yes.matches_in(clause.words) && !self.is_harmless(clause)
        };
        let speaks_of_others = |clause: &Clause<'_>| {
            lists.other_people.matches_in(clause.words)
                || (lists.third_person.matches_in(clause.words) && !self.is_harmless(clause))
        };
        self.unread()
            .any(|clause| turns(clause) || names_a_time(clause))
            || (!self.ends_in_agreement() && self.unread().any(speaks_of_others))
    }

    /// Whether an unread clause may turn a YES beside "we will be there".
    fn may_be_turned_twice(&self) -> bool {
        let turns = &self.lists.clauses.turns_double_yes;
        self.unread()
            .any(|clause| turns.matches_in(clause.words) && !self.is_harmless(clause))
    }

    /// "Yes I'll be there. Not."
    fn is_taken_back(&self) -> bool {
        let takes_back = &self.lists.clauses.takes_back;
        self.unread()
            .any(|clause| takes_back.matches_all(clause.words))
    }

    /// "Got the neighbour minding the ewes so yes I will be over": whatever was said before, they
    /// come.
    fn ends_in_agreement(&self) -> bool {
        self.clauses.last().is_some_and(|clause| {
            clause.has_any(&[PhraseKind::Coming])
                && self.lists.clauses.conclusion.begins(clause.words)
        })
    }

    /// Whether the agreement is more than a bare YES, or all that is unknown is harmless.
    fn is_firm(&self) -> bool {
        has_any(self.known.phrases, &[PhraseKind::Coming, PhraseKind::Keep])
            || self.lists.clauses.firm.matches_in(self.known.words)
            || self.unread().all(|clause| self.is_harmless(clause))
    }

    /// Whether a clause begins with a word of YES, courtesies aside.
    fn a_clause_begins_with_yes(&self) -> bool {
        let begins_with_yes = |clause: &Clause<'_>| {
            let mut at = 0;
            while let Some((len, list)) = self.lists.phrases.longest(&clause.words[at..]) {
                match PhraseKind::of_list(list) {
                    PhraseKind::Yes => return true,
                    PhraseKind::Filler | PhraseKind::Connective => at += len,
                    _ => return false,
                }
            }
            false
        };
        self.clauses.iter().any(begins_with_yes)
    }
}
