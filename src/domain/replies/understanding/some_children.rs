//! "One of them is ill, I'll bring the other": no cancellation.

use crate::domain::replies::patterns::{PatternSet, Word};
use crate::domain::replies::understanding::intent::SomeChildren;

/// The lists of `[some_children]`, in the order of the patterns' list numbers.
pub(super) const SOME_CHILDREN_LISTS: [&str; 4] = ["ill", "stays", "comes", "extra"];

/// What such a message says, if every word of it is in a list.
pub(super) fn some_children(lists: &PatternSet, words: &[Word]) -> Option<SomeChildren> {
    let (mut at, mut said) = (0, [false; SOME_CHILDREN_LISTS.len()]);
    while at < words.len() {
        let (len, list) = lists.longest(&words[at..])?;
        said[usize::from(list)] = true;
        at += len;
    }
    let [ill, stays, comes, _] = said;
    (comes && (ill || stays)).then_some(SomeChildren { ill })
}
