//! Where patterns fit.

use super::{Id, Part, REACH, Word};
use std::collections::HashMap;

/// Patterns, each with the number of its list.
#[derive(Default)]
pub(in crate::domain) struct Patterns {
    pub(super) all: Vec<(u16, Vec<Part>)>,
    pub(super) by_first: HashMap<Id, Vec<u32>>,
}

/// Where `parts` may end when they begin at the front of `words`: bit n is "after n words".
fn ends(parts: &[Part], words: &[Word]) -> u64 {
    let mut at: u64 = 1;
    for p in parts {
        let mut next: u64 = 0;
        let mut open = at;
        while open != 0 {
            let n = open.trailing_zeros() as usize;
            open &= open - 1;
            if matches!(p, Part::Choice { end: true, .. }) {
                let over = n.checked_sub(1).and_then(|last| words.get(last)).is_some_and(|last| last.ends);
                next |= u64::from(over) << n;
            }
            if n < REACH && n <= words.len() {
                next |= part_ends(p, &words[n..]) << n;
            }
        }
        at = next;
        if at == 0 {
            break;
        }
    }
    at & ((1 << (REACH + 1)) - 1)
}

fn part_ends(p: &Part, words: &[Word]) -> u64 {
    let first = words.first().map(|w| w.id);
    match p {
        Part::Word(id) => u64::from(first == Some(*id)) << 1,
        Part::Gap => (1 << (words.len().min(3) + 1)) - 1,
        Part::Choice { words: one, longer, optional, .. } => {
            let mut at = u64::from(*optional);
            if let Some(first) = first {
                at |= u64::from(one.binary_search(&first).is_ok()) << 1;
            }
            for l in longer {
                if !matches!(l.first(), Some(Part::Word(id)) if Some(*id) != first) {
                    at |= ends(l, words);
                }
            }
            at
        }
    }
}

impl Patterns {
    /// The longest match at the front of `words`: how many words, and of which list; of equals the first list.
    pub(in crate::domain) fn longest(&self, words: &[Word]) -> Option<(usize, u16)> {
        let mut best: Option<(usize, u16)> = None;
        for &n in self.by_first.get(&words.first()?.id)? {
            let (list, parts) = &self.all[n as usize];
            let reached = ends(parts, words);
            if reached > 1 {
                let len = 63 - reached.leading_zeros() as usize;
                if best.is_none_or(|(b, l)| len > b || (len == b && *list < l)) {
                    best = Some((len, *list));
                }
            }
        }
        best
    }

    /// Every length at which one matches at the front of `words`, the longest first; of equals the first list.
    pub(in crate::domain) fn lengths(&self, words: &[Word]) -> Vec<(usize, u16)> {
        let mut found: Vec<(usize, u16)> = Vec::new();
        for &n in words.first().and_then(|w| self.by_first.get(&w.id)).into_iter().flatten() {
            let (list, parts) = &self.all[n as usize];
            let reached = ends(parts, words);
            for len in (1..=REACH).filter(|len| reached >> len & 1 == 1) {
                match found.iter_mut().find(|(l, _)| *l == len) {
                    Some((_, old)) => *old = (*old).min(*list),
                    None => found.push((len, *list)),
                }
            }
        }
        found.sort_unstable_by_key(|f| std::cmp::Reverse(f.0));
        found
    }

    /// Every match of these words: from, to, list. Longest per pattern.
    pub(in crate::domain) fn all<'a>(&'a self, words: &'a [Word]) -> impl Iterator<Item = (usize, usize, u16)> + 'a {
        words.iter().enumerate().flat_map(move |(at, w)| {
            self.by_first.get(&w.id).into_iter().flatten().filter_map(move |&n| {
                let (list, parts) = &self.all[n as usize];
                let reached = ends(parts, &words[at..]);
                (reached > 1).then(|| (at, at + 63 - reached.leading_zeros() as usize, *list))
            })
        })
    }

    /// Whether any fits anywhere.
    pub(in crate::domain) fn any(&self, words: &[Word]) -> bool {
        self.all(words).next().is_some()
    }

    /// Whether one fits from the first word to the last.
    pub(in crate::domain) fn whole(&self, words: &[Word]) -> bool {
        let Some(first) = words.first() else { return false };
        if words.len() > REACH {
            return false;
        }
        self.by_first.get(&first.id).into_iter().flatten().any(|&n| ends(&self.all[n as usize].1, words) >> words.len() & 1 == 1)
    }
}
