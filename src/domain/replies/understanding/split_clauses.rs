//! Splits a text that cannot be read as a whole into clauses.

use crate::domain::replies::patterns::{BREAK, UNKNOWN, Word};
use crate::domain::replies::understanding::phrase::{Phrase, PhraseKind, has_any};
use crate::domain::replies::understanding::text::Text;
use std::ops::Range;

/// A clause, and its phrases if every word of it is known.
pub(super) struct Clause<'a> {
    pub(super) words: &'a [Word],
    pub(super) phrases: Option<Vec<Phrase>>,
}

impl Clause<'_> {
    pub(super) fn is_read(&self) -> bool {
        self.phrases.is_some()
    }

    /// Whether it can be read, and has a phrase of one of these kinds.
    pub(super) fn has_any(&self, kinds: &[PhraseKind]) -> bool {
        self.phrases
            .as_ref()
            .is_some_and(|phrases| has_any(phrases, kinds))
    }
}

/// A range of words, and its phrases if it can be read.
type Part = (Range<usize>, Option<Vec<Phrase>>);

/// A range that can be read, and its phrases.
type ReadPart = (Range<usize>, Vec<Phrase>);

/// The sentences; of a sentence that cannot be read, its clauses.
pub(super) fn split_clauses<'a>(text: &Text<'a>) -> Vec<Clause<'a>> {
    let words = text.words;
    let mut parts: Vec<Part> = Vec::new();
    let mut start = 0;
    for sentence in words.split(|word| word.id == BREAK) {
        let range = start..start + sentence.len();
        start = range.end + 1;
        if sentence.is_empty() {
            continue;
        }
        match text.phrases(range.clone()) {
            Some(phrases) => parts.push((range, Some(phrases))),
            None => split_sentence(text, range, &mut parts),
        }
    }
    parts
        .into_iter()
        .map(|(range, phrases)| Clause {
            words: &words[range],
            phrases,
        })
        .collect()
}

/// Splits a sentence where a word such as "and" or "but" begins a clause.
fn split_sentence(text: &Text<'_>, sentence: Range<usize>, out: &mut Vec<Part>) {
    let inside = inside_phrases(text, sentence.clone());
    let begins_clause = |at: usize| {
        !inside[at - sentence.start]
            && text
                .lists
                .clauses
                .starts
                .begins(&text.words[at..sentence.end])
    };
    let mut from = sentence.start;
    for at in sentence.start + 1..=sentence.end {
        if at == sentence.end || begins_clause(at) {
            out.extend(split_unmarked(text, from..at));
            from = at;
        }
    }
}

/// Splits a clause that cannot be read where another one begins or ends unmarked.
fn split_unmarked(text: &Text<'_>, range: Range<usize>) -> Vec<Part> {
    if let Some(phrases) = text.phrases(range.clone()) {
        return vec![(range, Some(phrases))];
    }
    let found = refusal_at_end(text, range.clone())
        .or_else(|| refusal_at_start(text, range.clone()))
        .or_else(|| agreement_beside_unknown_word(text, range.clone()))
        .or_else(|| agreement_at_end(text, range.clone()));
    let Some((read, phrases)) = found else {
        return vec![(range, None)];
    };
    [
        (range.start..read.start, None),
        (read.clone(), Some(phrases)),
        (read.end..range.end, None),
    ]
    .into_iter()
    .filter(|(part, _)| !part.is_empty())
    .collect()
}

/// "Boiler has burst water everywhere | can't come today": a refusal up to the end.
///
/// It begins where somebody speaks of themselves, or after a reason. It never begins after a word
/// that may be somebody else, or after words that report what somebody says.
fn refusal_at_end(text: &Text<'_>, range: Range<usize>) -> Option<ReadPart> {
    let clauses = &text.lists.clauses;
    (range.start + 1..range.end).find_map(|at| {
        let before = &text.words[range.start..at];
        let rest = at..range.end;
        let refuses = || {
            text.longest(rest.clone())
                .is_some_and(|phrase| phrase.kind == PhraseKind::Refuse)
        };
        let begins_there =
            || clauses.writer.has(text.words[at]) || follows_a_reason(text, range.start..at);
        if !refuses() || !begins_there() || clauses.reported.matches_in(before) {
            return None;
        }
        Some((rest.clone(), text.phrases(rest)?))
    })
}

/// Whether these words give a reason, and do not end in a word that may be somebody.
fn follows_a_reason(text: &Text<'_>, before: Range<usize>) -> bool {
    let clauses = &text.lists.clauses;
    let ends_in_nobody = match &text.words[before.clone()] {
        // "Broke down on the M62": a place.
        [.., place, last] if last.id == UNKNOWN => clauses.before_place.has(*place),
        [.., last] => last.id != UNKNOWN && !clauses.bound.has(*last),
        [] => false,
    };
    let reasons = [
        PhraseKind::Illness,
        PhraseKind::OwnIllness,
        PhraseKind::TravelTrouble,
        PhraseKind::Event,
        PhraseKind::ChildEvent,
    ];
    ends_in_nobody && has_any(&text.known_phrases(before), &reasons)
}

/// "Call it off please | I've had to go to Poland": a refusal that ends where people go on about
/// themselves.
fn refusal_at_start(text: &Text<'_>, range: Range<usize>) -> Option<ReadPart> {
    let clauses = &text.lists.clauses;
    (range.start + 1..range.end).find_map(|at| {
        let front = range.start..at;
        let ends_there = clauses.unmarked_starts.begins(&text.words[at..range.end])
            && !clauses.leads_on.has(text.words[at - 1]);
        if !ends_there || clauses.reported.matches_in(&text.words[front.clone()]) {
            return None;
        }
        let phrases = text.phrases(front.clone())?;
        has_any(&phrases, &[PhraseKind::Refuse, PhraseKind::Cancel]).then_some((front, phrases))
    })
}

/// "We'll be there | init": a plain agreement but for one unknown word, at its end or before it.
fn agreement_beside_unknown_word(text: &Text<'_>, range: Range<usize>) -> Option<ReadPart> {
    let (clauses, words) = (&text.lists.clauses, text.words);
    if range.len() < 2 {
        return None;
    }
    let is_unknown = |at: usize| words[at].id == UNKNOWN;
    let (last, before_last) = (range.end - 1, words[range.end - 2]);
    if is_unknown(last) && !clauses.bound.has(before_last) && !clauses.leads_on.has(before_last) {
        return plain_agreement(text, range.start..last);
    }
    if is_unknown(range.start) && clauses.speaker.has(words[range.start + 1]) {
        return plain_agreement(text, range.start + 1..range.end);
    }
    None
}

fn plain_agreement(text: &Text<'_>, range: Range<usize>) -> Option<ReadPart> {
    let phrases = text.phrases(range.clone())?;
    let agrees = has_any(&phrases, &[PhraseKind::Coming, PhraseKind::Yes])
        && !has_any(
            &phrases,
            &[
                PhraseKind::Refuse,
                PhraseKind::Cancel,
                PhraseKind::No,
                PhraseKind::Cancelled,
            ],
        );
    agrees.then_some((range, phrases))
}

/// "Got the neighbour minding the ewes | I will be over": a plain "we will be there" at the end.
fn agreement_at_end(text: &Text<'_>, range: Range<usize>) -> Option<ReadPart> {
    let clauses = &text.lists.clauses;
    (range.start + 1..range.end).find_map(|at| {
        let before = &text.words[range.start..at];
        let rest = at..range.end;
        let comes = || {
            text.longest(rest.clone())
                .is_some_and(|phrase| phrase.kind == PhraseKind::Coming)
        };
        let belongs_to_the_word_before =
            || before.last().is_some_and(|word| clauses.bound.has(*word));
        if !clauses.speaker.has(text.words[at])
            || clauses.reported.matches_in(before)
            || belongs_to_the_word_before()
            || !comes()
        {
            return None;
        }
        Some((rest.clone(), text.phrases(rest)?))
    })
}

/// Which words are inside a phrase, so that no clause begins there: "hand foot and mouth" is one
/// illness.
fn inside_phrases(text: &Text<'_>, range: Range<usize>) -> Vec<bool> {
    let mut inside = vec![false; range.len()];
    let mut at = 0;
    while at < range.len() {
        let len = text
            .longest(range.start + at..range.end)
            .map_or(1, |phrase| phrase.len);
        inside[at + 1..range.len().min(at + len)].fill(true);
        at += len;
    }
    inside
}
