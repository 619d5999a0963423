//! An answer beside words that nobody knows: what is said in the clauses that can be read, if
//! nothing in the others turns it.
//!
//! "The wean's boaking everywhere, we can't make it": the second clause refuses, every word of it
//! is known, and the first cannot mean that they come after all. A clause that cannot be read gives
//! no answer by itself, only a reason for one.

use crate::domain::replies::patterns::{BREAK, DATE, PHONE, TIME, UNKNOWN, Word, word};
use crate::domain::replies::understanding::answer::{hold, named, weigh};
use crate::domain::replies::understanding::lists::{Lists, Piece, READING};
use crate::domain::replies::understanding::pieces::{Pieces, Text, any_of};
use crate::domain::replies::understanding::{Intent, ReadingContext, Understood};
use crate::domain::visits::session::Reason;
use std::ops::Range;

/// One clause, and its pieces if every word of it is known.
struct Clause<'a> {
    words: &'a [Word],
    pieces: Option<Pieces>,
}

/// Reads the clauses that can be read; `None` if they give no answer, or if the others may turn it.
pub(super) fn by_clauses(
    text: &Text<'_>,
    context: &ReadingContext<'_>,
    doubtful: bool,
) -> Option<Understood> {
    let (l, words) = (text.l, text.words);
    let all = text.as_far_as_known(0..words.len());
    // Most texts that cannot be read say neither.
    let answers = any_of(
        &all,
        &[
            Piece::Refuse,
            Piece::Cancel,
            Piece::Coming,
            Piece::Keep,
            Piece::Yes,
            Piece::Agreed,
        ],
    ) || l.too_ill.any(words);
    if !answers
        || l.reschedule.clearly_in(words)
        || l.no_answer.any(words)
        || l.stop.mentioned_in(words)
    {
        return None;
    }
    let clauses = clauses(text);
    let (read, unread): (Vec<&Clause<'_>>, Vec<&Clause<'_>>) =
        clauses.iter().partition(|c| c.pieces.is_some());
    // "I thought I could come but I can't": the last word counts, whatever was hoped before it.
    let ends_in_no = clauses.last().is_some_and(|c| {
        c.pieces
            .as_ref()
            .is_some_and(|p| any_of(p, &[Piece::Refuse]))
            && l.but_no.longest(c.words).is_some()
    });
    if !ends_in_no && unread.iter().any(|c| l.turns.any(c.words)) {
        return None;
    }
    let (mut known, mut pieces): (Vec<Word>, Pieces) = Default::default();
    for c in read {
        pieces.extend(
            c.pieces
                .iter()
                .flatten()
                .map(|(p, at)| (*p, known.len() + at)),
        );
        known.extend(c.words);
        pieces.push((None, known.len()));
        known.push(word(BREAK));
    }
    let held = hold(l, &pieces, &known);
    if held.cancels() {
        // A bare "no" may answer the words that nobody knows.
        if !held.refuses() || (!ends_in_no && any_of(&all, &[Piece::Coming, Piece::Keep])) {
            return None;
        }
        let held = held.in_light_of(hold(l, &all, words));
        if whose(l, &clauses).is_some_and(|w| {
            w == Whose::Others
                || (w == Whose::Third && (!held.of_a_child() || l.others_named.any(words)))
        }) {
            return None;
        }
        let understood = weigh(l, &held, &pieces, &known, context, doubtful).ok()?;
        // "My mate's wean is poorly": whose illness it is, is not plain.
        let plain = !l.others_named.any(words)
            || matches!(understood.intent, Intent::Cancel(Some(Reason::Travel)));
        let intent = if plain {
            understood.intent.clone()
        } else {
            Intent::Cancel(None)
        };
        return Some(Understood {
            intent,
            rule: "a-clause-refuses",
            leftover: true,
            ..understood
        });
    }
    // A YES and "we will be there" are two answers; what is said beside both turns neither, if it
    // takes nothing back.
    let says_yes = || clauses.iter().any(|c| says_yes_first(l, c.words));
    let both = held.comes && (held.says_yes || says_yes());
    let understood = weigh(l, &held, &pieces, &known, context, doubtful).ok()?;
    let understood = Understood {
        named: named(l, words, &all, context)
            .ok()
            .filter(|n| n.are_of(context.arrivals))?,
        ..understood
    };
    let along = |c: &&Clause<'_>| l.along.any(c.words);
    let turned = |c: &&Clause<'_>| {
        if both {
            l.turns_both.any(c.words) && !along(c)
        } else {
            (l.turns_yes.any(c.words) && !along(c))
                || c.words.iter().any(|w| matches!(w.id, TIME | DATE | PHONE))
        }
    };
    // "Got the neighbour minding the ewes so yes I will be over": what was said before is what they
    // come in spite of, or because of.
    let concludes = clauses.last().is_some_and(|c| {
        c.pieces
            .as_ref()
            .is_some_and(|p| any_of(p, &[Piece::Coming]))
            && l.concludes.longest(c.words).is_some()
    });
    // "He's been bailed", "someone else is bringing him": of others a person reads first.
    let taken_back = |c: &&Clause<'_>| l.bare_no.whole(c.words);
    let of_others =
        |c: &&Clause<'_>| l.others_named.any(c.words) || (l.third.any(c.words) && !along(c));
    if unread.iter().any(taken_back) || (!concludes && !both && unread.iter().any(of_others)) {
        return None;
    }
    let firm = any_of(&pieces, &[Piece::Coming, Piece::Keep])
        || l.firm.any(&known)
        || unread.iter().all(along);
    (firm
        && !unread.iter().any(turned)
        && !any_of(
            &all,
            &[Piece::Sick, Piece::SickSelf, Piece::Refuse, Piece::Cancel],
        ))
    .then_some(Understood {
        rule: "a-clause-agrees",
        leftover: true,
        ..understood
    })
}

/// Whether a clause begins with a word of YES, courtesies aside.
fn says_yes_first(l: &Lists, words: &[Word]) -> bool {
    let mut at = 0;
    while at < words.len() {
        match l
            .reading
            .longest(&words[at..])
            .map(|(n, list)| (n, READING[usize::from(list)].1))
        {
            Some((_, Piece::Yes)) => return true,
            Some((n, Piece::Fill | Piece::So)) => at += n,
            _ => return false,
        }
    }
    false
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
    let refuses = clauses.iter().position(|c| {
        c.pieces
            .as_ref()
            .is_some_and(|p| any_of(p, &[Piece::Refuse, Piece::Cancel]))
    })?;
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
    let clause = |at: Range<usize>, pieces| Clause {
        words: &words[at],
        pieces,
    };
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
            if at == end
                || (!inside[at - (end - sentence.len())]
                    && l.joints.longest(&words[at..end]).is_some())
            {
                out.extend(
                    parts(text, from..at)
                        .into_iter()
                        .map(|(at, pieces)| clause(at, pieces)),
                );
                from = at;
            }
        }
    }
    out
}

/// A part of a sentence, and its pieces if it can be read.
type Part = (Range<usize>, Option<Pieces>);

/// What stands between two joints: read as a whole, or parted where a clause that can be read
/// begins or ends unmarked.
fn parts(text: &Text<'_>, part: Range<usize>) -> Vec<Part> {
    if let Some(pieces) = text.pieces(part.clone()) {
        return vec![(part, Some(pieces))];
    }
    let (start, end) = (part.start, part.end);
    if let Some((at, pieces)) = refusal_at_the_end(text, part.clone()) {
        return vec![(start..at, None), (at..end, Some(pieces))];
    }
    if let Some((at, pieces)) = refusal_at_the_start(text, part.clone()) {
        return vec![(start..at, Some(pieces)), (at..end, None)];
    }
    if let Some((from, to, pieces)) = beside_a_strange_word(text, part.clone()) {
        return vec![
            (start..from, None),
            (from..to, Some(pieces)),
            (to..end, None),
        ];
    }
    match agreement_at_the_end(text, part.clone()) {
        Some((at, pieces)) => vec![(start..at, None), (at..end, Some(pieces))],
        None => vec![(part, None)],
    }
}

/// "Boiler has burst water everywhere can't come today": where nothing marks the clauses, the place
/// at which one begins that refuses to its end. It begins where somebody says so of themselves, or
/// behind a reason; never behind a word that may be somebody else, or a quote.
fn refusal_at_the_end(text: &Text<'_>, part: Range<usize>) -> Option<(usize, Pieces)> {
    let (l, words) = (text.l, text.words);
    (part.start + 1..part.end).find_map(|at| {
        let before = &words[part.start..at];
        let speaks = l.own.whole(&words[at..=at]);
        // "Broke down on the M62": a place, and nobody.
        let is_nobody = || match before {
            [.., place, Word { id: UNKNOWN, .. }] => l.at_places.whole(&[*place]),
            [.., last] => last.id != UNKNOWN && !l.bound.whole(&[*last]),
            [] => false,
        };
        let behind_a_reason = || {
            is_nobody()
                && text.says(
                    part.start..at,
                    &[
                        Piece::Sick,
                        Piece::SickSelf,
                        Piece::Ride,
                        Piece::Event,
                        Piece::KidEvent,
                    ],
                )
        };
        if !matches!(
            text.choices(at..part.end).pop(),
            Some((Some(Piece::Refuse), _))
        ) || !(speaks || behind_a_reason())
            || l.report.any(before)
        {
            return None;
        }
        Some((at, text.pieces(at..part.end)?))
    })
}

/// "Call it off please I've had to go to Poland": a refusal that ends where somebody goes on about
/// themselves.
fn refusal_at_the_start(text: &Text<'_>, part: Range<usize>) -> Option<(usize, Pieces)> {
    let (l, words) = (text.l, text.words);
    (part.start + 1..part.end).find_map(|at| {
        let last = words[at - 1];
        if l.begins.longest(&words[at..part.end]).is_none()
            || l.leads_on.whole(&[last])
            || l.report.any(&words[part.start..at])
        {
            return None;
        }
        let pieces = text.pieces(part.start..at)?;
        any_of(&pieces, &[Piece::Refuse, Piece::Cancel]).then_some((at, pieces))
    })
}

/// "We'll be there, init": a plain agreement but for one word that nobody knows, at its end or
/// before it.
fn beside_a_strange_word(text: &Text<'_>, part: Range<usize>) -> Option<(usize, usize, Pieces)> {
    let (l, words) = (text.l, text.words);
    let (start, end) = (part.start, part.end);
    let strange = |at: usize| words[at].id == UNKNOWN;
    let agrees = |part: Range<usize>| {
        let pieces = text.pieces(part)?;
        let yes = any_of(&pieces, &[Piece::Coming, Piece::Yes])
            && !any_of(
                &pieces,
                &[Piece::Refuse, Piece::Cancel, Piece::No, Piece::Cancelled],
            );
        yes.then_some(pieces)
    };
    if part.len() < 2 {
        return None;
    }
    if strange(end - 1) && !l.bound.whole(&[words[end - 2]]) && !l.leads_on.whole(&[words[end - 2]])
    {
        return agrees(start..end - 1).map(|p| (start, end - 1, p));
    }
    if strange(start) && l.speaks.whole(&words[start + 1..start + 2]) {
        return agrees(start + 1..end).map(|p| (start + 1, end, p));
    }
    None
}

/// "Got the neighbour minding the ewes, I will be over": the same of a plain "we will be there".
fn agreement_at_the_end(text: &Text<'_>, part: Range<usize>) -> Option<(usize, Pieces)> {
    let (l, words) = (text.l, text.words);
    (part.start + 1..part.end).find_map(|at| {
        let before = &words[part.start..at];
        let comes = || {
            matches!(
                text.choices(at..part.end).pop(),
                Some((Some(Piece::Coming), _))
            )
        };
        if !l.speaks.whole(&words[at..=at])
            || l.report.any(before)
            || before.last().is_some_and(|w| l.bound.whole(&[*w]))
            || !comes()
        {
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
        let n = text
            .choices(part.start + at..part.end)
            .pop()
            .map_or(1, |(_, n)| n);
        inside[at + 1..part.len().min(at + n)].fill(true);
        at += n;
    }
    inside
}
