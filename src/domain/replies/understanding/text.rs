//! Splits a text into phrases, each as long as it can be.

use crate::domain::replies::patterns::{BREAK, DATE, TIME, UNKNOWN, Word};
use crate::domain::replies::understanding::lists::Lists;
use crate::domain::replies::understanding::phrase::{Phrase, PhraseKind};
use std::cell::OnceCell;
use std::ops::Range;

/// A name may stand this many words before the illness that shows that it is one.
const NAME_TO_ILLNESS: usize = 4;

/// The words of a text, and the phrases that may begin at each of them. They are looked up once.
pub(super) struct Text<'a> {
    pub(super) lists: &'a Lists,
    pub(super) words: &'a [Word],
    /// Lengths and lists of the phrases at each word.
    listed: Vec<OnceCell<Vec<(usize, u16)>>>,
}

/// A phrase that may stand at some place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Candidate {
    pub(super) kind: PhraseKind,
    pub(super) len: usize,
}

impl<'a> Text<'a> {
    pub(super) fn new(lists: &'a Lists, words: &'a [Word]) -> Self {
        Text {
            lists,
            words,
            listed: words.iter().map(|_| OnceCell::new()).collect(),
        }
    }

    /// Splits a range into phrases, with their places in the range; `None` if a word belongs to no
    /// phrase.
    ///
    /// A shorter phrase is taken if the longest one leaves a word over: "I am not going | to make
    /// it".
    pub(super) fn phrases(&self, range: Range<usize>) -> Option<Vec<Phrase>> {
        let end = range.len();
        let mut is_dead_end = vec![false; end + 1];
        let mut phrases: Vec<Phrase> = Vec::with_capacity(end);
        // For each phrase, the shorter ones that are still to be tried in its place.
        let mut untried: Vec<Vec<Candidate>> = Vec::with_capacity(end);
        let mut at = 0;
        while at < end {
            let mut candidates = if is_dead_end[at] {
                Vec::new()
            } else {
                self.candidates(range.start + at..range.end)
            };
            loop {
                if let Some(Candidate { kind, len }) = candidates.pop() {
                    phrases.push(Phrase { kind, start: at });
                    untried.push(candidates);
                    at += len;
                    break;
                }
                is_dead_end[at] = true;
                (at, candidates) = (phrases.pop()?.start, untried.pop()?);
            }
        }
        Some(phrases)
    }

    /// The phrases in a range, with their places in it. Words that belong to none are skipped.
    pub(super) fn known_phrases(&self, range: Range<usize>) -> Vec<Phrase> {
        let (mut at, mut out) = (range.start, Vec::new());
        while at < range.end {
            match self.longest(at..range.end) {
                Some(Candidate { kind, len }) => {
                    out.push(Phrase {
                        kind,
                        start: at - range.start,
                    });
                    at += len;
                }
                None => at += 1,
            }
        }
        out
    }

    /// The longest phrase at the front of a range.
    pub(super) fn longest(&self, range: Range<usize>) -> Option<Candidate> {
        self.candidates(range).pop()
    }

    /// The phrases that may stand at the front of a range, the longest last.
    fn candidates(&self, range: Range<usize>) -> Vec<Candidate> {
        let words = &self.words[range.clone()];
        let Some(first) = words.first() else {
            return Vec::new();
        };
        if first.is_mark() {
            return vec![Candidate {
                kind: PhraseKind::Mark,
                len: 1,
            }];
        }
        let listed = self.listed[range.start]
            .get_or_init(|| self.lists.phrases.lengths(&self.words[range.start..]));
        let mut found: Vec<Candidate> = listed
            .iter()
            .rev()
            .filter(|(len, _)| *len <= words.len())
            .map(|(len, list)| Candidate {
                kind: PhraseKind::of_list(*list),
                len: *len,
            })
            .collect();
        found.extend(self.refusal_at_end(words, &found));
        if found.is_empty() {
            let kind = self.kind_by_place(range, *first);
            found.extend(kind.map(|kind| Candidate { kind, len: 1 }));
        }
        found
    }

    /// "No, I can't." A bare verb refuses only where nothing follows that it could belong to.
    fn refusal_at_end(&self, words: &[Word], found: &[Candidate]) -> Option<Candidate> {
        let (len, _) = self.lists.answers.refusal_at_end.longest(words)?;
        let ends_there = words.get(len).is_none_or(|next| next.id == BREAK);
        let is_longest = found.iter().all(|candidate| candidate.len < len);
        (ends_there && is_longest).then_some(Candidate {
            kind: PhraseKind::Refuse,
            len,
        })
    }

    /// What a word in no list is by its place.
    fn kind_by_place(&self, range: Range<usize>, word: Word) -> Option<PhraseKind> {
        let is_when =
            self.lists.vocabulary.day(word.id).is_some() || matches!(word.id, TIME | DATE);
        if is_when {
            return Some(PhraseKind::Filler);
        }
        if word.id != UNKNOWN {
            return None;
        }
        if self.is_name_of_the_ill(range.clone()) {
            Some(PhraseKind::Name)
        } else if self.describes_a_visit(range) {
            Some(PhraseKind::Filler)
        } else {
            None
        }
    }

    /// "Tiegan has chickenpox".
    fn is_name_of_the_ill(&self, range: Range<usize>) -> bool {
        let is_illness = |at: usize| {
            self.lists
                .phrases
                .longest(&self.words[at..range.end])
                .is_some_and(|(_, list)| PhraseKind::of_list(list) == PhraseKind::Illness)
        };
        let after = range.start + 1..range.end;
        self.words[after.clone()]
            .first()
            .is_some_and(|next| self.lists.answers.verb_before_illness.has(*next))
            && after.take(NAME_TO_ILLNESS).any(is_illness)
    }

    /// "The forthcoming session": anything between "the" and the visit.
    fn describes_a_visit(&self, range: Range<usize>) -> bool {
        let answers = &self.lists.answers;
        range.start > 0
            && answers.determiner.has(self.words[range.start - 1])
            && answers
                .visit
                .begins(&self.words[range.start + 1..range.end])
    }
}
