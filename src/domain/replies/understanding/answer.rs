//! An answer, read word by word: what it is made of, and of whom it speaks.

use crate::domain::replies::patterns::{BREAK, DATE, TIME, Word};
use crate::domain::replies::understanding::clauses::by_clauses;
use crate::domain::replies::understanding::lists::{Lists, Piece, READING};
use crate::domain::replies::understanding::pieces::{Pieces, Text};
use crate::domain::replies::understanding::{Intent, NamedTimes, ReadingContext, Understood};
use crate::domain::visits::session::Reason;
use chrono::Weekday;

/// What an answer was made of.
#[derive(Default)]
pub(super) struct Held {
    yes: bool,
    /// A word of YES itself.
    pub(super) says_yes: bool,
    agreed: bool,
    refuse: bool,
    /// Somebody who is not another refuses.
    refuses_for_us: bool,
    no: bool,
    cancel: bool,
    cancelled: bool,
    ride: bool,
    vehicle: bool,
    event: bool,
    child: bool,
    kid: bool,
    kin: bool,
    reason: bool,
    third: bool,
    only_cancels: bool,
    /// Words that only a plain "we will be there" bears beside it.
    mild: bool,
    coming: bool,
    /// The same, and nobody else is the one who does.
    pub(super) comes: bool,
    pub(super) about_third: bool,
    ill_child: bool,
    ill_self: bool,
    ill_other: bool,
}

impl Held {
    /// Whether it refuses or calls off.
    pub(super) fn cancels(&self) -> bool {
        self.refuse || self.no || self.cancel || self.cancelled
    }

    /// The answer of these words, and of whom others speak.
    pub(super) fn in_light_of(self, all: Held) -> Held {
        let Held {
            yes,
            agreed,
            refuse,
            no,
            cancel,
            cancelled,
            ..
        } = self;
        Held {
            yes,
            agreed,
            refuse,
            no,
            cancel,
            cancelled,
            ..all
        }
    }

    fn ill(&self) -> bool {
        self.ill_child || self.ill_self || self.ill_other
    }

    /// Whether it agrees.
    pub(super) fn confirms(&self) -> bool {
        self.yes || self.agreed
    }

    /// Whether it says so in words of its own, and not by a bare "no".
    pub(super) fn refuses(&self) -> bool {
        self.refuse || self.cancel
    }

    /// A child is spoken of.
    pub(super) fn of_a_child(&self) -> bool {
        self.child || self.kid || self.ill_child
    }

    /// The one reason that was given.
    pub(super) fn reason_in_short(&self) -> Option<Reason> {
        match (self.ill_child, self.ill_self, self.ride) {
            // "My mate's wean is poorly": whose child it is, is not plain.
            (true, false, false) if !self.kin => Some(Reason::IllChild),
            (false, true, false) => Some(Reason::IllSelf),
            (false, false, true) if !self.ill_other || self.kin => Some(Reason::Travel),
            // A car or a road, and nothing else that could be the reason.
            (false, false, false)
                if self.vehicle && !(self.ill_other || self.event || self.kid || self.kin) =>
            {
                Some(Reason::Travel)
            }
            _ => None,
        }
    }
}

/// Whether a sentence of the message begins as a question does.
fn begins_as_question(l: &Lists, words: &[Word]) -> bool {
    let mut start = true;
    for (at, w) in words.iter().enumerate() {
        if start && w.id != BREAK {
            let asks = l.asking.longest(&words[at..]).is_some();
            let cancels = l.reading.longest(&words[at..]).is_some_and(|(_, list)| {
                matches!(
                    READING[usize::from(list)].1,
                    Piece::Cancel | Piece::Refuse | Piece::Coming
                )
            });
            if asks && !cancels {
                return true;
            }
        }
        start = w.id == BREAK || (start && l.greeting.whole(&[*w]));
    }
    false
}

/// Reads an answer, or says why it is none.
pub(super) fn answer(
    l: &Lists,
    words: &[Word],
    context: &ReadingContext<'_>,
    doubtful: bool,
) -> Result<Understood, &'static str> {
    if begins_as_question(l, words) {
        return Err("question");
    }
    // "A) yes": one of several, and nobody knows which.
    if let [first, second, ..] = words
        && second.id == BREAK
        && l.vocabulary
            .letter(first.id)
            .is_some_and(|c| ('a'..='e').contains(&c))
    {
        return Err("lettered");
    }
    let text = Text::new(l, words);
    match text
        .pieces(0..words.len())
        .or_else(|| spelled_out(l, words))
    {
        Some(pieces) => judge(l, &pieces, words, context, doubtful),
        None => by_clauses(&text, context, doubtful).ok_or("unknown-word"),
    }
}

/// What these words mean, of which every one is known.
pub(super) fn judge(
    l: &Lists,
    pieces: &Pieces,
    words: &[Word],
    context: &ReadingContext<'_>,
    doubtful: bool,
) -> Result<Understood, &'static str> {
    weigh(l, &hold(l, pieces, words), pieces, words, context, doubtful)
}

/// The same, of whom it speaks being known already.
pub(super) fn weigh(
    l: &Lists,
    held: &Held,
    pieces: &Pieces,
    words: &[Word],
    context: &ReadingContext<'_>,
    doubtful: bool,
) -> Result<Understood, &'static str> {
    if l.no_answer.any(words) {
        return Err("no-answer");
    }
    let named = named(l, words, pieces, context)?;
    // "Yes I got your text but I can't come": what was agreed with is not the visit.
    let refused_after = held.refuse && !held.coming && !held.agreed && ends_in_no(l, pieces, words);
    // "My mother can't come but me and the twins will be there": another's plans.
    let of_others =
        held.about_third && !(held.refuses_for_us || held.cancel) && held.comes && !held.ill();
    let confirms = held.confirms() && !refused_after;
    let cancels = held.cancels() && !of_others;
    match (confirms, cancels) {
        (true, true) => Err("mixed"),
        (false, false) if held.reason => Err("a-reason-and-no-answer"),
        (false, false) => Err("no-answer"),
        (true, false) => {
            if doubtful {
                return Err("sign");
            }
            let more =
                held.reason || held.only_cancels || held.third || (held.mild && !held.coming);
            // A YES and "we will be there": whatever else is said beside both.
            let both = held.says_yes && held.comes && !held.ill();
            if more && !both && !concludes(l, held, pieces, words) {
                return Err("more-than-a-yes");
            }
            if !named.are_of(context.arrivals) {
                return Err("names-a-time");
            }
            // What more was said a person reads.
            Ok(Understood {
                named,
                plain_yes: held.yes,
                leftover: more,
                ..Understood::new(Intent::Confirm, "all-words-agree")
            })
        }
        (false, true) => {
            if held.about_third {
                return Err("another-person");
            }
            let only_no = !held.refuse && !held.cancel && !held.cancelled;
            if only_no && (l.no_of.any(words) || (!held.reason && l.no_agrees.any(words))) {
                return Err("no-of-something");
            }
            if l.not_in_time.any(words) || (!held.reason && l.no_refusal.any(words)) {
                return Err("not-the-visit");
            }
            if held.cancelled
                && pieces
                    .iter()
                    .any(|(p, _)| !matches!(p, None | Some(Piece::Cancelled | Piece::Fill)))
            {
                return Err("what-was-cancelled");
            }
            // A date or time that is none of those that are open is about something else. Without
            // them a date is taken as it is, and "not 10am" may be a wish for another hour.
            let known = !context.arrivals.is_empty();
            if if known {
                !named.are_of(context.arrivals)
            } else {
                named.moments.iter().any(|w| w.id == TIME) && !held.cancel
            } {
                return Err("names-a-time");
            }
            let reason = held.reason_in_short();
            let rule = match (reason, held.cancel || held.cancelled) {
                (Some(Reason::IllChild), _) => "all-words-ill-child",
                (Some(Reason::IllSelf), _) => "all-words-ill-self",
                (Some(Reason::Travel), _) => "all-words-travel",
                (_, true) => "all-words-cancel",
                _ => "all-words-refuse",
            };
            Ok(Understood {
                named,
                ..Understood::new(Intent::Cancel(reason), rule)
            })
        }
    }
}

/// The days, dates and times of these words. Where more than one day is named, those that stand
/// beside an answer count: "my operation is on Friday so I won't be fit for Sunday".
///
/// # Errors
/// Two days are named, and one visit is open.
pub(super) fn named(
    l: &Lists,
    words: &[Word],
    pieces: &Pieces,
    context: &ReadingContext<'_>,
) -> Result<NamedTimes, &'static str> {
    let mut days = days_of(l, words);
    if days.len() > 1 && context.open < 2 {
        let joins = |p: &(Option<Piece>, usize)| {
            matches!(p.0, None | Some(Piece::So))
                || words.get(p.1).is_some_and(|w| l.joints.whole(&[*w]))
        };
        let ends = pieces[1.min(pieces.len())..]
            .iter()
            .filter(|p| joins(p))
            .map(|(_, at)| *at)
            .chain([words.len()]);
        let mut beside: Vec<Word> = Vec::new();
        let mut from = 0;
        for end in ends {
            let answers = pieces
                .iter()
                .filter(|(_, at)| (from..end).contains(at))
                .any(|(p, _)| p.is_some_and(Piece::answers));
            if answers && from < end {
                beside.extend(&words[from..end]);
            }
            from = end;
        }
        let answered = days_of(l, &beside);
        if !answered.is_empty() {
            days = answered;
        }
    }
    if days.len() > 1 && context.open < 2 {
        return Err("two-days");
    }
    // "Sick since 4am" names no visit.
    let since = |at: usize| {
        at.checked_sub(1)
            .is_some_and(|b| l.since.whole(&words[b..at]))
    };
    let moments = words
        .iter()
        .enumerate()
        .filter(|(at, w)| matches!(w.id, DATE | TIME) && !since(*at))
        .map(|(_, w)| *w)
        .collect();
    Ok(NamedTimes { days, moments })
}

fn days_of(l: &Lists, words: &[Word]) -> Vec<Weekday> {
    let mut days: Vec<Weekday> = Vec::new();
    for day in words.iter().filter_map(|w| l.vocabulary.day(w.id)) {
        if !days.contains(&day) {
            days.push(day);
        }
    }
    days
}

/// "Just come off shift but yes will be there": whatever is said first, nobody being ill, they
/// come.
fn concludes(l: &Lists, held: &Held, pieces: &Pieces, words: &[Word]) -> bool {
    let last = pieces
        .iter()
        .rposition(|(_, at)| l.concludes.longest(&words[*at..]).is_some());
    let plain = |(p, _): &(Option<Piece>, usize)| {
        matches!(
            p,
            None | Some(
                Piece::So
                    | Piece::Soft
                    | Piece::Yes
                    | Piece::Agreed
                    | Piece::Coming
                    | Piece::Self_
                    | Piece::We
                    | Piece::Fill
                    | Piece::Glad
            )
        )
    };
    !held.ill()
        && last.is_some_and(|from| {
            pieces[from..].iter().all(plain)
                && pieces[from..]
                    .iter()
                    .any(|(p, _)| *p == Some(Piece::Coming))
        })
}

/// "But I can't": the last thing said of coming is a refusal.
fn ends_in_no(l: &Lists, pieces: &Pieces, words: &[Word]) -> bool {
    let last = pieces
        .iter()
        .rposition(|(_, at)| l.but_no.longest(&words[*at..]).is_some());
    let agrees = |(p, _): &(Option<Piece>, usize)| {
        matches!(
            p,
            Some(Piece::Yes | Piece::Agreed | Piece::Keep | Piece::Coming)
        )
    };
    last.is_some_and(|from| !pieces[from..].iter().any(agrees))
}

/// "C A N C E L": single letters that make one word of an answer.
fn spelled_out(l: &Lists, words: &[Word]) -> Option<Pieces> {
    let letters: Option<String> = words
        .iter()
        .filter(|w| w.id != BREAK)
        .map(|w| l.vocabulary.letter(w.id))
        .collect();
    let one = l.vocabulary.words(&letters.filter(|s| s.len() > 2)?);
    Text::new(l, &one).pieces(0..one.len())
}

/// Whether the words before or at an illness say that it is the writer's own.
fn says_so_of_oneself(l: &Lists, words: &[Word], at: usize) -> bool {
    l.own_illness.longest(&words[at..]).is_some()
        || at
            .checked_sub(1)
            .is_some_and(|before| l.have.whole(&words[before..at]))
}

/// What the pieces of an answer say, and of whom.
pub(super) fn hold(l: &Lists, pieces: &Pieces, words: &[Word]) -> Held {
    use Piece as P;
    // "Slapped cheek, can't bring him": whom one brings is a child.
    let child = pieces.iter().any(|(p, at)| {
        *p == Some(P::Child) || (*p == Some(P::Refuse) && l.brings.longest(&words[*at..]).is_some())
    });
    let mut h = Held {
        child,
        ..Held::default()
    };
    // The subject of the clause so far, the last person named in it, and the last one named by a
    // noun.
    let (mut subject, mut person, mut noun): (Option<P>, Option<P>, Option<P>) = (None, None, None);
    let mut refused_third = false;
    let alone = !pieces.iter().any(|(p, _)| {
        matches!(
            p,
            Some(P::Child | P::Kin | P::Name | P::He | P::Him | P::KidEvent | P::We)
        )
    });
    for (i, (piece, at)) in pieces.iter().enumerate() {
        let next = pieces.get(i + 1).and_then(|(p, _)| *p);
        match piece {
            // "I am so sick": how sick, and not a consequence.
            Some(P::So) if next == Some(P::Sick) => {}
            None | Some(P::So) => (subject, person) = (None, None),
            Some(p @ (P::Self_ | P::We)) => (subject, person) = (Some(*p), Some(*p)),
            Some(P::Mine) => person = Some(P::Self_),
            Some(p @ (P::Child | P::Kin | P::Name)) => {
                (subject, person, noun) = (Some(*p), Some(*p), Some(*p));
                h.kin |= *p == P::Kin;
                h.third |= *p == P::Kin;
            }
            Some(P::He) => {
                let who = if noun == Some(P::Kin) { P::Kin } else { P::He };
                (subject, person) = (Some(who), Some(who));
                h.third = true;
            }
            Some(P::Him) => {
                person = Some(if noun == Some(P::Kin) { P::Kin } else { P::He });
                h.third = true;
            }
            Some(P::Sick) => {
                h.reason = true;
                // "Burnt his hand": the illness names whose it is.
                let end = pieces.get(i + 1).map_or(words.len(), |(_, at)| *at);
                let person = person.or_else(|| l.his.any(&words[*at..end]).then_some(P::He));
                // "Isn't well enough to come."
                if l.too_ill.longest(&words[*at..]).is_some() {
                    h.refuse = true;
                    h.about_third |= person == Some(P::Kin);
                }
                match (next, person) {
                    (Some(P::Child | P::Name), _) | (_, Some(P::Child | P::Name | P::He)) => {
                        h.ill_child = true;
                        h.kid = true;
                    }
                    (_, Some(P::Self_)) => h.ill_self = true,
                    (_, None) if h.child => h.ill_child = true,
                    // "Feeling rough, can't come": whoever writes so without naming anybody speaks
                    // of themselves.
                    (_, None) if alone && says_so_of_oneself(l, words, *at) => h.ill_self = true,
                    _ => h.ill_other = true,
                }
                subject = None;
            }
            // "Ella has a migraine": what nobody says of a child without naming it.
            Some(P::SickSelf) if matches!(person, Some(P::Child | P::Name | P::He)) => {
                (h.reason, h.ill_child, h.kid, subject) = (true, true, true, None);
            }
            Some(P::SickSelf) => {
                (h.reason, h.ill_self, subject) = (true, true, None);
                h.no |= words.get(*at).is_some_and(|w| l.no.whole(&[*w]));
            }
            Some(P::Ride) => (h.reason, h.ride, subject) = (true, true, None),
            Some(P::RideNoun) => (h.reason, h.vehicle, subject) = (true, true, None),
            Some(P::Event) => (h.reason, h.event, subject) = (true, true, None),
            Some(P::KidEvent) => {
                (h.reason, h.kid, subject) = (true, true, None);
                // "Nursery sent him home with a rash."
                person = person.or(Some(P::He));
            }
            Some(P::Refuse | P::No) => {
                if l.no_way.longest(&words[*at..]).is_some() {
                    (h.reason, h.ride) = (true, true);
                }
                h.refuse |= *piece == Some(P::Refuse);
                h.no |= *piece == Some(P::No);
                match subject {
                    Some(P::Kin) => h.about_third = true,
                    Some(P::He | P::Name) => refused_third = true,
                    _ => h.refuses_for_us = true,
                }
            }
            Some(P::Cancel) => {
                h.cancel = true;
                if let Some(P::Kin | P::He | P::Name | P::Child) = subject {
                    h.about_third = true;
                }
                // "Cancel the dentist": something else than a visit.
                let determined = pieces.get(i + 1).is_some_and(|(_, at)| {
                    words.get(*at).is_some_and(|w| l.determiner.whole(&[*w]))
                });
                let object = if determined {
                    pieces.get(i + 2).and_then(|(p, _)| *p)
                } else {
                    next
                };
                // "Cancel him": no visit at all.
                let person = matches!(next, Some(P::Him))
                    && pieces.get(i + 2).is_none_or(|(p, _)| p.is_none());
                if person || matches!(object, Some(P::Event | P::KidEvent | P::RideNoun)) {
                    h.about_third = true;
                }
            }
            Some(P::Cancelled) => h.cancelled = true,
            Some(P::Keep | P::Coming | P::Yes) => {
                h.yes = true;
                h.coming |= *piece == Some(P::Coming);
                if *piece == Some(P::Coming) {
                    // "My partner can't come but I will be there."
                    let end = pieces.get(i + 1).map_or(words.len(), |(_, at)| *at);
                    let other = matches!(subject, Some(P::Kin | P::He | P::Name))
                        && !l.own.any(&words[*at..end]);
                    h.third |= other;
                    h.comes |= !other;
                }
                h.says_yes |= *piece == Some(P::Yes);
            }
            Some(P::Agreed) => h.agreed = true,
            Some(P::Soft) => {
                let end = pieces.get(i + 1).map_or(words.len(), |(_, at)| *at);
                if l.mild.whole(&words[*at..end]) {
                    h.mild = true
                } else {
                    h.only_cancels = true
                }
            }
            Some(P::Glad | P::Fill) => {}
        }
    }
    // A child does not answer for itself: whoever brings it does. Of anybody else's plans nobody
    // here can speak. "Covid positive, she won't be there": an illness that nobody else here has is
    // that of the child who is brought.
    if refused_third && h.ill_other && !h.kin && !h.ill_self {
        (h.ill_other, h.ill_child, h.kid) = (false, true, true);
    }
    h.about_third |= refused_third && !(h.child || h.kid);
    h
}
