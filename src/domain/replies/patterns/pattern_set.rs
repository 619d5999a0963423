//! A set of patterns, and where they match.

use crate::domain::replies::patterns::pattern::{
    AnyOf, Part, Phrases, first_words, next_words, rarest_words,
};
use crate::domain::replies::patterns::word::{Word, WordId};
use crate::domain::replies::patterns::word_filter::WordFilter;
use rustc_hash::FxHashMap as HashMap;

/// No match is longer than this: where a pattern may end is one `u64`.
const LONGEST_MATCH: usize = 40;

/// Patterns, each with the number of its list.
#[derive(Default)]
pub(crate) struct PatternSet {
    patterns: Vec<Pattern>,
    by_first: HashMap<WordId, Vec<u32>>,
    /// The words of `by_first`.
    firsts: WordFilter,
    /// What the second, third and fourth words of each pattern may be. Not a field of the pattern,
    /// because it is looked up far more often than the rest.
    next: Vec<[WordFilter; 3]>,
}

struct Pattern {
    list: u16,
    parts: Vec<Part>,
    /// A text must have one of these words.
    rarest: WordFilter,
}

/// Where a pattern matches.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Match {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) list: u16,
}

impl PatternSet {
    /// Adds a pattern to a list.
    ///
    /// # Errors
    /// It may be empty, or begins with any word.
    pub(super) fn push(&mut self, list: u16, parts: Vec<Part>) -> Result<(), &'static str> {
        let mut firsts = first_words(&parts).unwrap_or_default();
        if firsts.is_empty() {
            return Err("may be empty, or begins with a gap");
        }
        firsts.sort_unstable();
        firsts.dedup();
        let n = u32::try_from(self.patterns.len()).unwrap_or(u32::MAX);
        for word in firsts {
            self.by_first.entry(word).or_default().push(n);
            self.firsts.add(WordFilter::of(word));
        }
        self.next.push(next_words(&parts));
        self.patterns.push(Pattern {
            list,
            rarest: rarest_words(&parts),
            parts,
        });
        Ok(())
    }

    /// The longest match at the front of `words`: how many words, and of which list. Of equally
    /// long ones, the first list.
    pub(crate) fn longest(&self, words: &[Word]) -> Option<(usize, u16)> {
        let mut best: Option<(usize, u16)> = None;
        for pattern in self.candidates(words) {
            if let Some(len) = longest_end(ends(&pattern.parts, words))
                && best.is_none_or(|(l, list)| len > l || (len == l && pattern.list < list))
            {
                best = Some((len, pattern.list));
            }
        }
        best
    }

    /// Every length of a match at the front of `words`, the longest first. Of equally long ones,
    /// the first list.
    pub(crate) fn lengths(&self, words: &[Word]) -> Vec<(usize, u16)> {
        let mut found: Vec<(usize, u16)> = Vec::new();
        for pattern in self.candidates(words) {
            let ends = ends(&pattern.parts, words);
            for len in (1..=LONGEST_MATCH).filter(|len| ends >> len & 1 == 1) {
                match found.iter_mut().find(|(l, _)| *l == len) {
                    Some((_, list)) => *list = (*list).min(pattern.list),
                    None => found.push((len, pattern.list)),
                }
            }
        }
        found.sort_unstable_by_key(|(len, _)| std::cmp::Reverse(*len));
        found
    }

    /// Every match anywhere in these words; of each pattern and start, the longest.
    pub(crate) fn matches<'a>(&'a self, words: &'a [Word]) -> impl Iterator<Item = Match> + 'a {
        let in_text: WordFilter = words.iter().map(|word| word.id).collect();
        // In most texts no pattern of most lists can begin.
        let starts = if self.firsts.may_share(in_text) {
            words.len()
        } else {
            0
        };
        (0..starts).flat_map(move |start| {
            self.candidates(&words[start..])
                .filter(move |pattern| pattern.rarest.may_share(in_text))
                .filter_map(move |pattern| {
                    let len = longest_end(ends(&pattern.parts, &words[start..]))?;
                    Some(Match {
                        start,
                        end: start + len,
                        list: pattern.list,
                    })
                })
        })
    }

    /// Whether a pattern matches anywhere.
    pub(crate) fn matches_in(&self, words: &[Word]) -> bool {
        self.matches(words).next().is_some()
    }

    /// Whether a pattern matches at the front.
    pub(crate) fn begins(&self, words: &[Word]) -> bool {
        self.longest(words).is_some()
    }

    /// Whether a pattern matches from the first word to the last.
    pub(crate) fn matches_all(&self, words: &[Word]) -> bool {
        !words.is_empty()
            && words.len() <= LONGEST_MATCH
            && self
                .candidates(words)
                .any(|pattern| ends(&pattern.parts, words) >> words.len() & 1 == 1)
    }

    /// Whether a pattern matches this word alone.
    pub(crate) fn has(&self, word: Word) -> bool {
        self.matches_all(&[word])
    }

    /// The patterns that may match at the front of these words.
    fn candidates<'a>(&'a self, words: &[Word]) -> impl Iterator<Item = &'a Pattern> + use<'a> {
        let filter_at = |n: usize| {
            words
                .get(n)
                .map_or(WordFilter::NO_WORD, |word| WordFilter::of(word.id))
        };
        let next = [filter_at(1), filter_at(2), filter_at(3)];
        let first = words
            .first()
            .filter(|word| self.firsts.may_share(WordFilter::of(word.id)));
        let beginning = first
            .and_then(|word| self.by_first.get(&word.id))
            .map_or(&[][..], Vec::as_slice);
        beginning
            .iter()
            .map(|n| *n as usize)
            .filter(move |n| {
                let [second, third, fourth] = self.next[*n];
                second.may_share(next[0]) && third.may_share(next[1]) && fourth.may_share(next[2])
            })
            .map(|n| &self.patterns[n])
    }
}

/// The longest length among these ends, if any is longer than nothing.
fn longest_end(ends: u64) -> Option<usize> {
    (ends > 1).then(|| 63 - ends.leading_zeros() as usize)
}

/// Where `parts` may end if they begin at the front of `words`: bit n stands for "after n words".
fn ends(parts: &[Part], words: &[Word]) -> u64 {
    let mut reached: u64 = 1;
    for part in parts {
        let mut next: u64 = 0;
        let mut open = reached;
        while open != 0 {
            let n = open.trailing_zeros() as usize;
            open &= open - 1;
            if matches!(part, Part::AnyOf(any) if any.end) {
                let sentence_is_over = n
                    .checked_sub(1)
                    .and_then(|last| words.get(last))
                    .is_some_and(|last| last.ends);
                next |= u64::from(sentence_is_over) << n;
            }
            if n < LONGEST_MATCH && n <= words.len() {
                next |= ends_of_part(part, &words[n..]) << n;
            }
        }
        reached = next;
        if reached == 0 {
            break;
        }
    }
    reached & ((1 << (LONGEST_MATCH + 1)) - 1)
}

fn ends_of_part(part: &Part, words: &[Word]) -> u64 {
    let first = words.first().map(|word| word.id);
    match part {
        Part::Word(id) => u64::from(first == Some(*id)) << 1,
        Part::Gap => (1 << (words.len().min(3) + 1)) - 1,
        Part::AnyOf(any) => ends_of_any(any, first, words),
    }
}

fn ends_of_any(any: &AnyOf, first: Option<WordId>, words: &[Word]) -> u64 {
    let filter = first.map_or(WordFilter::NO_WORD, WordFilter::of);
    let mut ends = u64::from(any.optional);
    if let Some(first) = first {
        let is_one = any.word_filter.may_share(filter) && any.words.binary_search(&first).is_ok();
        ends |= u64::from(is_one) << 1;
    }
    if any.phrase_filter.may_share(filter) {
        for phrases in &any.phrases {
            ends |= ends_of_phrases(phrases, first, filter, words);
        }
    }
    ends
}

fn ends_of_phrases(
    phrases: &Phrases,
    first: Option<WordId>,
    filter: WordFilter,
    words: &[Word],
) -> u64 {
    if !phrases.filter.may_share(filter) {
        return 0;
    }
    let from = first.map_or(phrases.by_first.len(), |first| {
        phrases.by_first.partition_point(|(id, _)| *id < first)
    });
    let beginning = phrases.by_first[from..]
        .iter()
        .take_while(|(id, _)| Some(*id) == first)
        .map(|(_, n)| n);
    beginning
        .chain(&phrases.anywhere)
        .fold(0, |all, n| all | ends(&phrases.all[*n as usize], words))
}
