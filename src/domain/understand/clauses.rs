//! An answer beside words that nobody knows: what is said in the clauses that can be read, if nothing in the others turns it.
//!
//! "The wean's boaking everywhere, we can't make it": the second clause refuses, every word of it is known, and the first cannot mean that
//! they come after all. A clause that cannot be read gives no answer by itself, only a reason for one.

use super::super::patterns::{BREAK, DATE, PHONE, TIME, UNKNOWN, Word, word};
use super::super::session::Reason;
use super::answer::{hold, weigh};
use super::lists::{Lists, Piece};
use super::pieces::{Pieces, Text, any_of};
use super::{Context, Intent, Understood};
use std::ops::Range;

/// One clause, and its pieces if every word of it is known.
struct Clause<'a> {
    words: &'a [Word],
    pieces: Option<Pieces>,
}

/// Reads the clauses that can be read; `None` if they give no answer, or if the others may turn it.
pub(super) fn by_clauses(text: &Text<'_>, context: &Context<'_>, doubtful: bool) -> Option<Understood> {
    let (l, words) = (text.l, text.words);
    let all = text.as_far_as_known(0..words.len());
    // Most texts that cannot be read say neither.
    if !any_of(&all, &[Piece::Refuse, Piece::Cancel, Piece::Coming, Piece::Keep, Piece::Yes, Piece::Agreed]) || l.reschedule.core.any(words) {
        return None;
    }
    let clauses = clauses(text);
    let (read, unread): (Vec<&Clause<'_>>, Vec<&Clause<'_>>) = clauses.iter().partition(|c| c.pieces.is_some());
    if unread.iter().any(|c| l.turns.any(c.words)) {
        return None;
    }
    let (mut known, mut pieces): (Vec<Word>, Pieces) = Default::default();
    for c in read {
        pieces.extend(c.pieces.iter().flatten().map(|(p, at)| (*p, known.len() + at)));
        known.extend(c.words);
        pieces.push((None, known.len()));
        known.push(word(BREAK));
    }
    let held = hold(l, &pieces, &known);
    if held.cancels() {
        // A bare "no" may answer the words that nobody knows.
        if !any_of(&pieces, &[Piece::Refuse, Piece::Cancel]) || any_of(&all, &[Piece::Coming, Piece::Keep]) {
            return None;
        }
        let held = held.in_light_of(hold(l, &all, words));
        if whose(l, &clauses).is_some_and(|w| w == Whose::Others || (w == Whose::Third && (!held.of_a_child() || l.others_named.any(words)))) {
            return None;
        }
        let understood = weigh(l, &held, &pieces, &known, context, doubtful).ok()?;
        // "My mate's wean is poorly": whose illness it is, is not plain.
        let plain = !l.others_named.any(words) || matches!(understood.intent, Intent::Cancel(Some(Reason::Travel)));
        let intent = if plain { understood.intent.clone() } else { Intent::Cancel(None) };
        return Some(Understood { intent, rule: "a-clause-refuses", leftover: true, ..understood });
    }
    let understood = weigh(l, &held, &pieces, &known, context, doubtful).ok()?;
    let along = |c: &&Clause<'_>| l.along.any(c.words);
    let turned = |c: &&Clause<'_>| (l.turns_yes.any(c.words) && !along(c)) || c.words.iter().any(|w| matches!(w.id, TIME | DATE | PHONE));
    // "He's been bailed", "someone else is bringing him": of others a person reads first.
    let of_others = |c: &&Clause<'_>| l.others_named.any(c.words) || (l.third.any(c.words) && !along(c));
    if unread.iter().any(of_others) {
        return None;
    }
    let firm = any_of(&pieces, &[Piece::Coming, Piece::Keep]) || l.firm.any(&known) || unread.iter().all(along);
    (firm && !unread.iter().any(turned) && !any_of(&all, &[Piece::Sick, Piece::SickSelf, Piece::Refuse, Piece::Cancel])).then_some(Understood {
        rule: "a-clause-agrees",
        leftover: true,
        ..understood
    })
}

/// Of whom the clauses before a refusal speak, where the refusal itself does not say.
#[derive(PartialEq)]
enum Whose {
    Own,
    /// Him or her: the child, or not.
    Third,
    Others,
}

fn whose(l: &Lists, clauses: &[Clause<'_>]) -> Option<Whose> {
    let refuses = clauses.iter().position(|c| c.pieces.as_ref().is_some_and(|p| any_of(p, &[Piece::Refuse, Piece::Cancel])))?;
    clauses[..=refuses].iter().rev().find_map(|c| match () {
        () if l.own.any(c.words) => Some(Whose::Own),
        () if l.others_named.any(c.words) => Some(Whose::Others),
        () if l.third.any(c.words) => Some(Whose::Third),
        () => None,
    })
}

/// The sentences, and of one that cannot be read its clauses.
fn clauses<'a>(text: &Text<'a>) -> Vec<Clause<'a>> {
    let (l, words) = (text.l, text.words);
    let clause = |at: Range<usize>, pieces| Clause { words: &words[at], pieces };
    let mut out = Vec::new();
    let mut start = 0;
    for sentence in words.split(|w| w.id == BREAK) {
        let from = start;
        let end = from + sentence.len();
        start = end + 1;
        if sentence.is_empty() {
            continue;
        }
        if let Some(pieces) = text.pieces(from..end) {
            out.push(clause(from..end, Some(pieces)));
            continue;
        }
        let inside = inside_of_a_piece(text, from..end);
        let mut from = from;
        for at in from + 1..=end {
            if at == end || (!inside[at - (end - sentence.len())] && l.joints.longest(&words[at..end]).is_some()) {
                match text.pieces(from..at) {
                    Some(pieces) => out.push(clause(from..at, Some(pieces))),
                    None => match refusal_at_the_end(text, from..at) {
                        Some((n, pieces)) => out.extend([clause(from..n, None), clause(n..at, Some(pieces))]),
                        None => out.push(clause(from..at, None)),
                    },
                }
                from = at;
            }
        }
    }
    out
}

/// "Boiler has burst water everywhere can't come today": where nothing marks the clauses, the place at which one begins that refuses to
/// its end. It begins where somebody says so of themselves, or behind a reason; never behind a word that may be somebody else, or a quote.
fn refusal_at_the_end(text: &Text<'_>, part: Range<usize>) -> Option<(usize, Pieces)> {
    let (l, words) = (text.l, text.words);
    (part.start + 1..part.end).find_map(|at| {
        let before = &words[part.start..at];
        let speaks = l.own.whole(&words[at..=at]);
        let behind_a_reason = || {
            before.last().is_some_and(|w| w.id != UNKNOWN && !l.bound.whole(&[*w]))
                && text.says(part.start..at, &[Piece::Sick, Piece::SickSelf, Piece::Ride, Piece::Event, Piece::KidEvent])
        };
        if !matches!(text.choices(at..part.end).pop(), Some((Some(Piece::Refuse), _))) || !(speaks || behind_a_reason()) || l.report.any(before) {
            return None;
        }
        Some((at, text.pieces(at..part.end)?))
    })
}

/// Which places of a part are in the middle of a piece: "hand foot and mouth" is one illness.
fn inside_of_a_piece(text: &Text<'_>, part: Range<usize>) -> Vec<bool> {
    let mut inside = vec![false; part.len()];
    let mut at = 0;
    while at < part.len() {
        let n = text.choices(part.start + at..part.end).pop().map_or(1, |(_, n)| n);
        inside[at + 1..part.len().min(at + n)].fill(true);
        at += n;
    }
    inside
}
