//! Where patterns fit.

use super::{Group, Id, Part, REACH, Sieve, Word};
use std::collections::HashMap;
use std::sync::OnceLock;

/// Patterns by a word, which is their place in the list.
#[derive(Default)]
pub(super) struct ByWord(Vec<Vec<u32>>);

impl ByWord {
    pub(super) fn add(&mut self, word: Id, pattern: u32) {
        let at = word as usize;
        if self.0.len() <= at {
            self.0.resize_with(at + 1, Vec::new);
        }
        self.0[at].push(pattern);
    }

    fn of(&self, word: Id) -> &[u32] {
        self.0.get(word as usize).map_or(&[], Vec::as_slice)
    }
}

/// So many patterns are many.
const MANY: usize = 200;

/// Patterns, each with the number of its list.
#[derive(Default)]
pub(in crate::domain) struct Patterns {
    all: Vec<(u16, Vec<Part>)>,
    by_first: ByWord,
    /// Of each pattern, what its second and its third word may be.
    behind: Vec<[Sieve; 2]>,
    /// By the words of its two rarest parts: without a word of each a pattern fits nowhere in a text. Made when it is first asked for.
    rarest: OnceLock<[ByWord; 2]>,
}

/// The words with which these parts may begin; false if they may be nothing at all or anything.
pub(super) fn firsts_of(parts: &[Part], out: &mut Vec<Id>) -> bool {
    for p in parts {
        match p {
            Part::Word(id) => {
                out.push(*id);
                return true;
            }
            Part::Gap => return false,
            Part::Choice { words, longer, optional, end, .. } => {
                out.extend(words);
                for l in longer.iter().flat_map(|group| &group.all) {
                    if !firsts_of(l, out) {
                        return false;
                    }
                }
                if !optional && !end {
                    return true;
                }
            }
        }
    }
    false
}

/// Adds the words that may stand `far` words behind the first of these parts. Gives how many words the parts may be, up to `far`: bit n is
/// "n words".
fn words_at(parts: &[Part], far: usize, out: &mut Sieve) -> u64 {
    let mut at: u64 = 1;
    for p in parts {
        let mut next: u64 = 0;
        for n in (0..=far).filter(|n| at >> n & 1 == 1) {
            let one = match p {
                Part::Word(id) => {
                    if n == far {
                        out.add(Sieve::of(*id));
                    }
                    1 << 1
                }
                Part::Gap => {
                    if n + 3 > far {
                        *out = Sieve::ALL;
                    }
                    0b1111
                }
                Part::Choice { sieve, words, longer, optional, end, .. } => {
                    if n == far {
                        out.add(*sieve);
                    }
                    let single = u64::from(!words.is_empty()) << 1;
                    longer.iter().flat_map(|group| &group.all).fold(single | u64::from(*optional || *end), |all, l| all | words_at(l, far - n, out))
                }
            };
            next |= one << n;
        }
        at = next & ((1 << (far + 1)) - 1);
    }
    at
}

/// What the second and the third word may be, or that there may be none.
fn behind(parts: &[Part]) -> [Sieve; 2] {
    [1, 2].map(|far| {
        let mut out = Sieve::default();
        if words_at(parts, far, &mut out) == 0 { out } else { Sieve::ALL }
    })
}

/// The two parts of each pattern that fewest texts can hold, judged by how often their words stand in all of them.
fn rarest(all: &[(u16, Vec<Part>)]) -> [ByWord; 2] {
    let needed: Vec<Vec<Vec<Id>>> = all
        .iter()
        .map(|(_, parts)| {
            let alone = |part: &Part| {
                let mut words = Vec::new();
                firsts_of(std::slice::from_ref(part), &mut words).then_some(words)
            };
            parts.iter().filter_map(alone).collect()
        })
        .collect();
    let mut often: HashMap<Id, usize> = HashMap::new();
    for word in needed.iter().flatten().flatten() {
        *often.entry(*word).or_default() += 1;
    }
    let mut out = [ByWord::default(), ByWord::default()];
    for (n, mut parts) in (0u32..).zip(needed) {
        parts.sort_by_key(|words| words.iter().map(|w| often.get(w).copied().unwrap_or(0)).sum::<usize>());
        // What can be nothing and then something needs no word of its own; it is looked for wherever it may begin.
        for (which, to) in out.iter_mut().enumerate() {
            for word in parts.get(which).or(parts.first()).into_iter().flatten() {
                to.add(*word, n);
            }
        }
    }
    out
}

impl Group {
    /// Sorts alternatives by their first words.
    pub(super) fn of(all: Vec<Vec<Part>>) -> Self {
        let mut out = Group::default();
        for (n, parts) in (0u32..).zip(&all) {
            let mut firsts = Vec::new();
            if firsts_of(parts, &mut firsts) {
                out.by_first.extend(firsts.into_iter().map(|word| (word, n)));
            } else {
                out.anywhere.push(n);
            }
        }
        out.by_first.sort_unstable();
        out.by_first.dedup();
        out.sieve = if out.anywhere.is_empty() { out.by_first.iter().map(|(word, _)| *word).collect() } else { Sieve::ALL };
        out.all = all;
        out
    }

    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The words with which one may begin.
    pub(super) fn begins(&self) -> Sieve {
        self.sieve
    }

    /// Where an alternative may end that begins at the front of `words`.
    fn ends(&self, first: Option<Id>, word: Sieve, words: &[Word]) -> u64 {
        if !self.sieve.lets_through(word) {
            return 0;
        }
        let from = first.map_or(self.by_first.len(), |first| self.by_first.partition_point(|(id, _)| *id < first));
        let beginning = self.by_first[from..].iter().take_while(|(id, _)| Some(*id) == first).map(|(_, n)| n);
        beginning.chain(&self.anywhere).fold(0, |at, n| at | ends(&self.all[*n as usize], words))
    }
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
        Part::Choice { words: one, sieve, longer, begins, optional, .. } => {
            let mut at = u64::from(*optional);
            if let Some(first) = first {
                at |= u64::from(sieve.lets_through(Sieve::of(first)) && one.binary_search(&first).is_ok()) << 1;
            }
            let word = first.map_or(Sieve::NONE, Sieve::of);
            if begins.lets_through(word) {
                for group in longer {
                    at |= group.ends(first, word, words);
                }
            }
            at
        }
    }
}

impl Patterns {
    /// Adds a pattern of a list that begins with one of these words.
    pub(super) fn push(&mut self, list: u16, parts: Vec<Part>, firsts: &[Id]) {
        let n = u32::try_from(self.all.len()).unwrap_or(u32::MAX);
        firsts.iter().for_each(|w| self.by_first.add(*w, n));
        self.behind.push(behind(&parts));
        self.all.push((list, parts));
    }

    /// The patterns that may begin at the front of these words.
    fn beginning(&self, words: &[Word]) -> impl Iterator<Item = u32> + '_ {
        let at = |n: usize| words.get(n).map_or(Sieve::NONE, |w| Sieve::of(w.id));
        let (second, third) = (at(1), at(2));
        words.first().map_or(&[][..], |w| self.by_first.of(w.id)).iter().copied().filter(move |n| {
            let [a, b] = self.behind[*n as usize];
            a.lets_through(second) && b.lets_through(third)
        })
    }

    /// The longest match at the front of `words`: how many words, and of which list; of equals the first list.
    pub(in crate::domain) fn longest(&self, words: &[Word]) -> Option<(usize, u16)> {
        let mut best: Option<(usize, u16)> = None;
        for n in self.beginning(words) {
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
        for n in self.beginning(words) {
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

    /// The patterns that may fit somewhere in these words, a bit each.
    fn possible(&self, words: &[Word]) -> Vec<u64> {
        let [first, second] = self.rarest.get_or_init(|| rarest(&self.all));
        let held = |by: &ByWord| {
            let mut out = vec![0u64; self.all.len().div_ceil(64)];
            for n in words.iter().flat_map(|w| by.of(w.id)) {
                out[*n as usize / 64] |= 1 << (n % 64);
            }
            out
        };
        let mut out = held(first);
        if out.iter().all(|bits| *bits == 0) {
            return out;
        }
        out.iter_mut().zip(held(second)).for_each(|(a, b)| *a &= b);
        out
    }

    /// Every match of these words: from, to, list. Longest per pattern.
    pub(in crate::domain) fn all<'a>(&'a self, words: &'a [Word]) -> impl Iterator<Item = (usize, usize, u16)> + 'a {
        // To look where a few patterns begin is quicker than to ask first which of them are possible.
        let possible = (self.all.len() >= MANY).then(|| std::rc::Rc::new(self.possible(words)));
        (0..words.len()).flat_map(move |at| {
            let possible = possible.clone();
            let fits = move |n: &u32| possible.as_ref().is_none_or(|p| p[*n as usize / 64] >> (*n % 64) & 1 == 1);
            self.beginning(&words[at..]).filter(fits).filter_map(move |n| {
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
        !words.is_empty() && words.len() <= REACH && self.beginning(words).any(|n| ends(&self.all[n as usize].1, words) >> words.len() & 1 == 1)
    }
}
