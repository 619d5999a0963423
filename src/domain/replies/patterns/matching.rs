//! Where patterns fit.

use crate::domain::replies::patterns::{Choice, Group, Id, Part, REACH, Sieve, Word};
use rustc_hash::FxHashMap as HashMap;

/// Patterns, each with the number of its list.
#[derive(Default)]
pub(in crate::domain) struct Patterns {
    all: Vec<(u16, Vec<Part>)>,
    by_first: HashMap<Id, Vec<u32>>,
    /// The words of `by_first`.
    firsts: Sieve,
    /// Of each pattern, what its second, third and fourth words may be.
    behind: Vec<[Sieve; 3]>,
    /// Of each pattern, words of which one must be in a text.
    rarest: Vec<Sieve>,
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
            Part::Choice(choice) => {
                let Choice {
                    words,
                    longer,
                    optional,
                    end,
                    ..
                } = &**choice;
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

/// Adds the words that may stand `far` words behind the first of these parts. Gives how many words
/// the parts may be, up to `far`: bit n is "n words".
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
                Part::Choice(choice) => {
                    let Choice {
                        sieve,
                        words,
                        longer,
                        optional,
                        end,
                        ..
                    } = &**choice;
                    if n == far {
                        out.add(*sieve);
                    }
                    let single = u64::from(!words.is_empty()) << 1;
                    longer
                        .iter()
                        .flat_map(|group| &group.all)
                        .fold(single | u64::from(*optional || *end), |all, l| {
                            all | words_at(l, far - n, out)
                        })
                }
            };
            next |= one << n;
        }
        at = next & ((1 << (far + 1)) - 1);
    }
    at
}

/// What the second, third and fourth words may be, or that there may be none.
fn behind(parts: &[Part]) -> [Sieve; 3] {
    [1, 2, 3].map(|far| {
        let mut out = Sieve::default();
        if words_at(parts, far, &mut out) == 0 {
            out
        } else {
            Sieve::ALL
        }
    })
}

/// The words of that part of a pattern that can be fewest words.
fn rarest(parts: &[Part]) -> Sieve {
    let alone = |part: &Part| {
        let mut words = Vec::new();
        firsts_of(std::slice::from_ref(part), &mut words).then_some(words)
    };
    // What can be nothing needs no word of its own.
    parts
        .iter()
        .filter_map(alone)
        .min_by_key(Vec::len)
        .map_or(Sieve::ALL, |words| words.into_iter().collect())
}

impl Group {
    /// Sorts alternatives by their first words.
    pub(super) fn of(all: Vec<Vec<Part>>) -> Self {
        let mut out = Group::default();
        for (n, parts) in (0u32..).zip(&all) {
            let mut firsts = Vec::new();
            if firsts_of(parts, &mut firsts) {
                out.by_first
                    .extend(firsts.into_iter().map(|word| (word, n)));
            } else {
                out.anywhere.push(n);
            }
        }
        out.by_first.sort_unstable();
        out.by_first.dedup();
        out.by_first.shrink_to_fit();
        out.sieve = if out.anywhere.is_empty() {
            out.by_first.iter().map(|(word, _)| *word).collect()
        } else {
            Sieve::ALL
        };
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
        let from = first.map_or(self.by_first.len(), |first| {
            self.by_first.partition_point(|(id, _)| *id < first)
        });
        let beginning = self.by_first[from..]
            .iter()
            .take_while(|(id, _)| Some(*id) == first)
            .map(|(_, n)| n);
        beginning
            .chain(&self.anywhere)
            .fold(0, |at, n| at | ends(&self.all[*n as usize], words))
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
            if matches!(p, Part::Choice(choice) if choice.end) {
                let over = n
                    .checked_sub(1)
                    .and_then(|last| words.get(last))
                    .is_some_and(|last| last.ends);
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
        Part::Choice(choice) => {
            let Choice {
                words: one,
                sieve,
                longer,
                begins,
                optional,
                ..
            } = &**choice;
            let mut at = u64::from(*optional);
            if let Some(first) = first {
                at |= u64::from(
                    sieve.lets_through(Sieve::of(first)) && one.binary_search(&first).is_ok(),
                ) << 1;
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
        let behind = behind(&parts);
        for w in firsts {
            self.by_first.entry(*w).or_default().push(n);
            self.firsts.add(Sieve::of(*w));
        }
        self.behind.push(behind);
        self.rarest.push(rarest(&parts));
        self.all.push((list, parts));
    }

    /// The patterns that may begin at the front of these words.
    fn beginning(&self, words: &[Word]) -> impl Iterator<Item = u32> + '_ {
        let at = |n: usize| words.get(n).map_or(Sieve::NONE, |w| Sieve::of(w.id));
        let (second, third, fourth) = (at(1), at(2), at(3));
        let first = words
            .first()
            .filter(|w| self.firsts.lets_through(Sieve::of(w.id)));
        let beginning = first
            .and_then(|w| self.by_first.get(&w.id))
            .map_or(&[][..], Vec::as_slice);
        beginning.iter().copied().filter(move |n| {
            let [a, b, c] = self.behind[*n as usize];
            a.lets_through(second) && b.lets_through(third) && c.lets_through(fourth)
        })
    }

    /// The longest match at the front of `words`: how many words, and of which list; of equals the
    /// first list.
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

    /// Every length at which one matches at the front of `words`, the longest first; of equals the
    /// first list.
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

    /// Every match of these words: from, to, list. Longest per pattern.
    pub(in crate::domain) fn all<'a>(
        &'a self,
        words: &'a [Word],
    ) -> impl Iterator<Item = (usize, usize, u16)> + 'a {
        let held: Sieve = words.iter().map(|w| w.id).collect();
        // In most texts nothing of most lists can begin.
        let places = if self.firsts.lets_through(held) {
            words.len()
        } else {
            0
        };
        (0..places).flat_map(move |at| {
            self.beginning(&words[at..])
                .filter(move |n| self.rarest[*n as usize].lets_through(held))
                .filter_map(move |n| {
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
        !words.is_empty()
            && words.len() <= REACH
            && self
                .beginning(words)
                .any(|n| ends(&self.all[n as usize].1, words) >> words.len() & 1 == 1)
    }
}
