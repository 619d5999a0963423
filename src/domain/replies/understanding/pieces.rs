//! What a text is made of: its pieces, each as long as it can be. What may stand at a place is
//! looked up once.

use crate::domain::replies::patterns::{ASK, BREAK, DATE, TIME, UNKNOWN, Word};
use crate::domain::replies::understanding::lists::{Lists, Piece, READING};
use std::cell::OnceCell;
use std::ops::Range;

/// Pieces, each with the place at which it begins; `None` is a mark between sentences.
pub(super) type Pieces = Vec<(Option<Piece>, usize)>;

/// The words of a text, and what is known of what may stand at each place.
pub(super) struct Text<'a> {
    pub(super) l: &'a Lists,
    pub(super) words: &'a [Word],
    found: Vec<OnceCell<Vec<(usize, u16)>>>,
}

impl<'a> Text<'a> {
    /// Of these words nothing is known yet.
    pub(super) fn new(l: &'a Lists, words: &'a [Word]) -> Self {
        Text {
            l,
            words,
            found: words.iter().map(|_| OnceCell::new()).collect(),
        }
    }

    /// Splits a part of an answer into its pieces, with their places in the part; `None` if a word
    /// is in no list. Where the longest piece leaves a word over that a shorter one would not, the
    /// shorter one is meant: "I am not going | to make it".
    pub(super) fn pieces(&self, part: Range<usize>) -> Option<Pieces> {
        let end = part.len();
        let mut dead = vec![false; end + 1];
        // The pieces so far, and for each place which shorter ones are left to try.
        let mut out: Pieces = Vec::with_capacity(end);
        let mut left: Vec<Pieces> = Vec::with_capacity(end);
        let mut at = 0;
        while at < end {
            let mut choices = if dead[at] {
                Vec::new()
            } else {
                self.choices(part.start + at..part.end)
            };
            loop {
                if let Some((piece, n)) = choices.pop() {
                    out.push((piece, at));
                    left.push(choices);
                    at += n;
                    break;
                }
                dead[at] = true;
                (at, choices) = (out.pop()?.1, left.pop()?);
            }
        }
        Some(out)
    }

    /// What may stand at the front of a part and how many words that is, the longest last.
    pub(super) fn choices(&self, part: Range<usize>) -> Pieces {
        let l = self.l;
        let words = &self.words[part.clone()];
        let Some(w) = words.first() else {
            return Vec::new();
        };
        if matches!(w.id, BREAK | ASK) {
            return vec![(None, 1)];
        }
        let lengths =
            self.found[part.start].get_or_init(|| l.reading.lengths(&self.words[part.start..]));
        let mut found: Pieces = lengths
            .iter()
            .rev()
            .filter(|(n, _)| *n <= words.len())
            .map(|(n, list)| (Some(READING[usize::from(*list)].1), *n))
            .collect();
        // "No, I can't." A bare verb refuses only where nothing follows that it could belong to.
        if let Some((n, _)) = l.at_end.longest(words)
            && words.get(n).is_none_or(|w| w.id == BREAK)
            && found.iter().all(|(_, m)| *m < n)
        {
            found.push((Some(Piece::Refuse), n));
        }
        if found.is_empty() && (l.vocabulary.day(w.id).is_some() || matches!(w.id, TIME | DATE)) {
            found.push((Some(Piece::Fill), 1));
        } else if found.is_empty()
            && w.id == UNKNOWN
            && words.get(1).is_some_and(|next| l.holds.whole(&[*next]))
            && self.sick_soon(part.start + 1..part.end)
        {
            found.push((Some(Piece::Name), 1));
        } else if found.is_empty() && w.id == UNKNOWN && self.describes_a_visit(part) {
            found.push((Some(Piece::Fill), 1));
        }
        found
    }

    /// "The forthcoming session": whatever stands between "the" and the visit.
    fn describes_a_visit(&self, part: Range<usize>) -> bool {
        let the = part
            .start
            .checked_sub(1)
            .is_some_and(|before| self.l.determiner.whole(&self.words[before..part.start]));
        the && self
            .l
            .visit
            .longest(&self.words[part.start + 1..part.end])
            .is_some()
    }

    fn sick_soon(&self, part: Range<usize>) -> bool {
        part.clone().take(4).any(|at| {
            self.l
                .reading
                .longest(&self.words[at..part.end])
                .is_some_and(|(_, list)| READING[usize::from(list)].1 == Piece::Sick)
        })
    }

    /// The pieces of what is known in a part, whatever stands between them, with their places in
    /// the part.
    pub(super) fn as_far_as_known(&self, part: Range<usize>) -> Pieces {
        let (mut at, mut out) = (part.start, Vec::new());
        while at < part.end {
            match self.choices(at..part.end).pop() {
                Some((piece, n)) => {
                    out.push((piece, at - part.start));
                    at += n;
                }
                None => at += 1,
            }
        }
        out
    }

    /// Whether a part says one of these, whatever else it says.
    pub(super) fn says(&self, part: Range<usize>, of: &[Piece]) -> bool {
        any_of(&self.as_far_as_known(part), of)
    }
}

/// Whether one of these is among the pieces.
pub(super) fn any_of(pieces: &Pieces, of: &[Piece]) -> bool {
    pieces
        .iter()
        .any(|(p, _)| p.is_some_and(|p| of.contains(&p)))
}
