//! An answer beside words that nobody knows: what is said in the clauses that can be read, if nothing in the others turns it.
//!
//! "The wean's boaking everywhere, we can't make it": the second clause refuses, every word of it is known, and the first cannot mean that
//! they come after all. A clause that cannot be read gives no answer by itself, only a reason for one.

use super::super::patterns::{BREAK, DATE, PHONE, TIME, UNKNOWN, Word, word};
use super::super::session::Reason;
use super::answer::{choices, hold, pieces, weigh};
use super::lists::{Lists, Piece};
use super::{Context, Intent, Understood};

/// One clause and whether every word of it is known.
struct Clause<'a> {
    words: &'a [Word],
    read: bool,
}

/// Reads the clauses that can be read; `None` if they give no answer, or if the others may turn it.
pub(super) fn by_clauses(l: &Lists, words: &[Word], context: &Context<'_>, doubtful: bool) -> Option<Understood> {
    let all = as_far_as_known(l, words);
    let says = |of: &[Piece]| all.iter().any(|(p, _)| p.is_some_and(|p| of.contains(&p)));
    // Most texts that cannot be read say neither.
    if !says(&[Piece::Refuse, Piece::Cancel, Piece::Coming, Piece::Keep, Piece::Yes, Piece::Agreed]) || l.reschedule.core.any(words) {
        return None;
    }
    let clauses = clauses(l, words);
    let (read, unread): (Vec<&Clause<'_>>, Vec<&Clause<'_>>) = clauses.iter().partition(|c| c.read);
    if unread.iter().any(|c| l.turns.any(c.words)) {
        return None;
    }
    let known: Vec<Word> = read.iter().flat_map(|c| c.words.iter().copied().chain([word(BREAK)])).collect();
    let pieces = pieces(l, &known)?;
    let held = hold(l, &pieces, &known);
    if held.cancels() {
        // A bare "no" may answer the words that nobody knows.
        if !says_of(l, &known, &[Piece::Refuse, Piece::Cancel]) || says(&[Piece::Coming, Piece::Keep]) {
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
    let firm = says_of(l, &known, &[Piece::Coming, Piece::Keep]) || l.firm.any(&known) || unread.iter().all(along);
    (firm && !unread.iter().any(turned) && !says(&[Piece::Sick, Piece::SickSelf, Piece::Refuse, Piece::Cancel])).then_some(Understood {
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
    let refuses = clauses.iter().position(|c| c.read && says_of(l, c.words, &[Piece::Refuse, Piece::Cancel]))?;
    clauses[..=refuses].iter().rev().find_map(|c| match () {
        () if l.own.any(c.words) => Some(Whose::Own),
        () if l.others_named.any(c.words) => Some(Whose::Others),
        () if l.third.any(c.words) => Some(Whose::Third),
        () => None,
    })
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
        let inside = inside_of_a_piece(l, sentence);
        let mut from = 0;
        for at in 1..=sentence.len() {
            if at == sentence.len() || (!inside[at] && l.joints.longest(&sentence[at..]).is_some()) {
                let words = &sentence[from..at];
                match refusal_at_the_end(l, words) {
                    Some(n) => out.extend([Clause { words: &words[..n], read: false }, Clause { words: &words[n..], read: true }]),
                    None => out.push(Clause { words, read: pieces(l, words).is_some() }),
                }
                from = at;
            }
        }
    }
    out
}

/// "Boiler has burst water everywhere can't come today": where nothing marks the clauses, the place at which one begins that refuses to
/// its end. It begins where somebody says so of themselves, or behind a reason; never behind a word that may be somebody else, or a quote.
fn refusal_at_the_end(l: &Lists, words: &[Word]) -> Option<usize> {
    if pieces(l, words).is_some() {
        return None;
    }
    (1..words.len()).find(|&at| {
        let (before, rest) = words.split_at(at);
        let refuses = || matches!(choices(l, rest).pop(), Some((Some(Piece::Refuse), _)));
        let clear = || !l.report.any(before) && pieces(l, rest).is_some();
        let speaks = l.own.whole(&rest[..1]);
        let behind_a_reason = || {
            says_of(l, before, &[Piece::Sick, Piece::SickSelf, Piece::Ride, Piece::Event, Piece::KidEvent])
                && before.last().is_some_and(|w| w.id != UNKNOWN && !l.bound.whole(&[*w]))
        };
        refuses() && (speaks || behind_a_reason()) && clear()
    })
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

/// Which places are in the middle of a piece: "hand foot and mouth" is one illness.
fn inside_of_a_piece(l: &Lists, words: &[Word]) -> Vec<bool> {
    let mut inside = vec![false; words.len()];
    let mut at = 0;
    while at < words.len() {
        let n = choices(l, &words[at..]).pop().map_or(1, |(_, n)| n);
        inside[at + 1..words.len().min(at + n)].fill(true);
        at += n;
    }
    inside
}
