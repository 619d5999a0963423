//! Messages that are understood only as a whole: STOP, START and HELP.

use crate::domain::replies::patterns::{PatternSet, Word, sentences};

/// What a message may consist of to mean one thing.
#[derive(Default)]
pub(super) struct WholeMessage {
    pub(super) whole: PatternSet,
    /// What may stand before or after it and changes nothing: "okay", "thank you".
    pub(super) courtesy: PatternSet,
    /// The words of other messages that mean it: list [`WholeMessage::CORE`] says it, list
    /// [`WholeMessage::EXTRA`] may stand around it.
    pub(super) words: PatternSet,
    /// What must not be in such a message.
    pub(super) unless: PatternSet,
}

impl WholeMessage {
    const CORE: u16 = 0;
    pub(super) const EXTRA: u16 = 1;

    /// Whether a message means it. `core` is the message without the courtesies at its ends.
    pub(super) fn is(&self, words: &[Word], core: &[Word]) -> bool {
        self.whole.matches_all(core)
            || self.is_whole_with_courtesies(words)
            || self.consists_of_its_words(words)
    }

    /// Whether one of several sentences means it, and no other says anything in `against`.
    pub(super) fn is_a_sentence_of(&self, words: &[Word], against: &PatternSet) -> bool {
        let sentences: Vec<&[Word]> = sentences(words).collect();
        let means_it = |s: &[Word]| self.consists_of_its_words(s);
        sentences.len() > 1
            && sentences.iter().any(|s| means_it(s))
            && sentences
                .iter()
                .all(|s| means_it(s) || !against.matches_in(s))
    }

    /// Whether it is said anywhere, among anything else.
    pub(super) fn is_mentioned_in(&self, words: &[Word]) -> bool {
        self.words.matches(words).any(|m| m.list == Self::CORE)
    }

    /// Whether it is the whole message, once, with nothing but courtesies around it.
    fn is_whole_with_courtesies(&self, words: &[Word]) -> bool {
        let (mut at, mut said) = (0, 0);
        while at < words.len() {
            let rest = &words[at..];
            if let Some((len, _)) = self.whole.longest(rest) {
                said += 1;
                at += len;
            } else if let Some((len, _)) = self.courtesy.longest(rest) {
                at += len;
            } else {
                return false;
            }
        }
        said == 1
    }

    /// Whether every word belongs to it, and one phrase says it.
    fn consists_of_its_words(&self, words: &[Word]) -> bool {
        let (mut at, mut said) = (0, false);
        while at < words.len() {
            let Some((len, list)) = self.words.longest(&words[at..]) else {
                return false;
            };
            said |= list == Self::CORE;
            at += len;
        }
        said && !self.unless.matches_in(words)
    }
}
