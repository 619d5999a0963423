//! An answer beside words that nobody knows: what is said in the clauses that can be read, if nothing in the others turns it.
//!
//! "The wean's boaking everywhere, we can't make it": the second clause refuses, every word of it is known, and the first cannot mean that
//! they come after all. A clause that cannot be read gives no answer by itself, only a reason for one.

use super::super::patterns::{BREAK, DATE, PHONE, TIME, Word};
use super::answer::{choices, hold, judge, pieces};
use super::lists::{Lists, Piece};
use super::{Context, Intent, Understood};

/// One clause and whether every word of it is known.
struct Clause<'a> {
    words: &'a [Word],
    read: bool,
}

/// Reads the clauses that can be read; `None` if they give no answer, or if the others may turn it.
pub(super) fn by_clauses(l: &Lists, words: &[Word], context: &Context<'_>, doubtful: bool) -> Option<Understood> {
    if l.reschedule.core.any(words) {
        return None;
    }
    let clauses = clauses(l, words);
    let (read, unread): (Vec<&Clause<'_>>, Vec<&Clause<'_>>) = clauses.iter().partition(|c| c.read);
    if unread.iter().any(|c| l.turns.any(c.words)) {
        return None;
    }
    let known: Vec<Word> = read.iter().flat_map(|c| c.words.iter().copied().chain([Word { id: BREAK, value: 0 }])).collect();
    let understood = judge(l, &pieces(l, &known)?, &known, context, doubtful).ok()?;
    let all = as_far_as_known(l, words);
    let says = |of: &[Piece]| all.iter().any(|(p, _)| p.is_some_and(|p| of.contains(&p)));
    match understood.intent {
        Intent::Confirm => {
            let turned = |c: &&Clause<'_>| l.turns_yes.any(c.words) || c.words.iter().any(|w| matches!(w.id, TIME | DATE | PHONE));
            let firm = says_of(l, &known, &[Piece::Coming, Piece::Keep]);
            (firm && !unread.iter().any(turned) && !says(&[Piece::Sick, Piece::SickSelf, Piece::Refuse, Piece::Cancel])).then(|| Understood { rule: "a-clause-agrees", ..understood })
        }
        Intent::Cancel(_) => {
            // A bare "no" may answer the words that nobody knows.
            if !says_of(l, &known, &[Piece::Refuse, Piece::Cancel]) || says(&[Piece::Coming, Piece::Keep]) {
                return None;
            }
            let held = hold(l, &all, words);
            let mine = read.iter().any(|c| l.own.any(c.words) && says_of(l, c.words, &[Piece::Refuse, Piece::Cancel]));
            let theirs = |c: &&Clause<'_>| l.third.any(c.words) && !says_of(l, c.words, &[Piece::Sick]);
            if held.about_third || (!mine && unread.iter().any(theirs)) {
                return None;
            }
            Some(Understood { intent: Intent::Cancel(held.reason_in_short()), rule: "a-clause-refuses", ..understood })
        }
        _ => None,
    }
}

fn says_of(l: &Lists, words: &[Word], of: &[Piece]) -> bool {
    as_far_as_known(l, words).iter().any(|(p, _)| p.is_some_and(|p| of.contains(&p)))
}

/// The sentences, and of one that cannot be read its clauses.
fn clauses<'a>(l: &Lists, words: &'a [Word]) -> Vec<Clause<'a>> {
    let mut out = Vec::new();
    for sentence in words.split(|w| w.id == BREAK).filter(|s| !s.is_empty()) {
        if pieces(l, sentence).is_some() {
            out.push(Clause { words: sentence, read: true });
            continue;
        }
        let mut from = 0;
        for at in 1..=sentence.len() {
            if at == sentence.len() || l.joints.longest(&sentence[at..]).is_some() {
                let words = &sentence[from..at];
                out.push(Clause { words, read: pieces(l, words).is_some() });
                from = at;
            }
        }
    }
    out
}

/// The pieces of what is known, whatever stands between them.
fn as_far_as_known(l: &Lists, words: &[Word]) -> Vec<(Option<Piece>, usize)> {
    let (mut at, mut out) = (0, Vec::new());
    while at < words.len() {
        match choices(l, &words[at..]).pop() {
            Some((piece, n)) => {
                out.push((piece, at));
                at += n;
            }
            None => at += 1,
        }
    }
    out
}
