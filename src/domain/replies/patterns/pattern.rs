//! What a pattern is made of, and what can be said in advance about the words that it fits.

use crate::domain::replies::patterns::word::WordId;
use crate::domain::replies::patterns::word_filter::WordFilter;
use std::sync::Arc;

/// A part of a pattern.
pub(super) enum Part {
    Word(WordId),
    /// Up to three words of any kind.
    Gap,
    /// One of several alternatives.
    AnyOf(Box<AnyOf>),
}

/// Alternatives at one place of a pattern.
pub(super) struct AnyOf {
    /// Alternatives of one word, sorted.
    pub(super) words: Vec<WordId>,
    pub(super) word_filter: WordFilter,
    /// Alternatives of several words.
    pub(super) phrases: Vec<SharedPhrases>,
    /// The first words of `phrases`.
    pub(super) phrase_filter: WordFilter,
    /// There may be no word.
    pub(super) optional: bool,
    /// There may be no word if a sentence, a line or the text ends here.
    pub(super) end: bool,
}

/// Several patterns share the phrases of a `[classes]` list.
pub(super) type SharedPhrases = Arc<Phrases>;

/// Alternatives of several words, indexed by their first words.
#[derive(Default)]
pub(super) struct Phrases {
    pub(super) all: Vec<Vec<Part>>,
    /// First words with the index of the phrase, sorted.
    pub(super) by_first: Vec<(WordId, u32)>,
    pub(super) filter: WordFilter,
    /// Phrases that may be empty, or begin with any word.
    pub(super) anywhere: Vec<u32>,
}

impl Phrases {
    pub(super) fn new(all: Vec<Vec<Part>>) -> Self {
        let mut out = Phrases::default();
        for (n, parts) in (0u32..).zip(&all) {
            match first_words(parts) {
                Some(firsts) => out
                    .by_first
                    .extend(firsts.into_iter().map(|word| (word, n))),
                None => out.anywhere.push(n),
            }
        }
        out.by_first.sort_unstable();
        out.by_first.dedup();
        out.by_first.shrink_to_fit();
        out.filter = if out.anywhere.is_empty() {
            out.by_first.iter().map(|(word, _)| *word).collect()
        } else {
            WordFilter::ALL
        };
        out.all = all;
        out
    }

    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }
}

/// The words with which these parts may begin; `None` if they may be empty, or begin with any word.
pub(super) fn first_words(parts: &[Part]) -> Option<Vec<WordId>> {
    let mut firsts = Vec::new();
    add_first_words(parts, &mut firsts).then_some(firsts)
}

fn add_first_words(parts: &[Part], out: &mut Vec<WordId>) -> bool {
    for part in parts {
        match part {
            Part::Word(id) => {
                out.push(*id);
                return true;
            }
            Part::Gap => return false,
            Part::AnyOf(any) => {
                out.extend(&any.words);
                for phrase in any.phrases.iter().flat_map(|phrases| &phrases.all) {
                    if !add_first_words(phrase, out) {
                        return false;
                    }
                }
                if !any.optional && !any.end {
                    return true;
                }
            }
        }
    }
    false
}

/// What the second, third and fourth words of a pattern may be.
pub(super) fn next_words(parts: &[Part]) -> [WordFilter; 3] {
    [1, 2, 3].map(|distance| {
        let mut out = WordFilter::default();
        let may_be_shorter = add_words_at(parts, distance, &mut out) != 0;
        if may_be_shorter { WordFilter::ALL } else { out }
    })
}

/// Adds the words that may follow the first word of these parts at this distance.
///
/// Returns the lengths, up to `distance`, that the parts may have: bit n stands for n words.
fn add_words_at(parts: &[Part], distance: usize, out: &mut WordFilter) -> u64 {
    let mut lengths: u64 = 1;
    for part in parts {
        let mut next: u64 = 0;
        for n in (0..=distance).filter(|n| lengths >> n & 1 == 1) {
            next |= add_words_of_part(part, distance - n, out) << n;
        }
        lengths = next & ((1 << (distance + 1)) - 1);
    }
    lengths
}

fn add_words_of_part(part: &Part, distance: usize, out: &mut WordFilter) -> u64 {
    match part {
        Part::Word(id) => {
            if distance == 0 {
                out.add(WordFilter::of(*id));
            }
            1 << 1
        }
        Part::Gap => {
            if distance < 3 {
                *out = WordFilter::ALL;
            }
            0b1111
        }
        Part::AnyOf(any) => {
            if distance == 0 {
                out.add(any.word_filter);
            }
            let of_words = u64::from(!any.words.is_empty()) << 1;
            let empty = u64::from(any.optional || any.end);
            any.phrases
                .iter()
                .flat_map(|phrases| &phrases.all)
                .fold(of_words | empty, |lengths, phrase| {
                    lengths | add_words_at(phrase, distance, out)
                })
        }
    }
}

/// The words of the part that has the fewest alternatives: a text without any of them cannot fit.
pub(super) fn rarest_words(parts: &[Part]) -> WordFilter {
    parts
        .iter()
        .filter_map(|part| first_words(std::slice::from_ref(part)))
        .min_by_key(Vec::len)
        .map_or(WordFilter::ALL, |words| words.into_iter().collect())
}
