//! Decides what an answer means, once it is read.

use crate::domain::replies::patterns::{PatternSet, Word};
use crate::domain::replies::understanding::intent::{Intent, Understood};
use crate::domain::replies::understanding::lists::Lists;
use crate::domain::replies::understanding::named_times::NamedTimes;
use crate::domain::replies::understanding::phrase::{Phrase, PhraseKind, has_any};
use crate::domain::replies::understanding::reading::{Answer, Attendance, Reading};
use crate::domain::replies::understanding::reading_context::ReadingContext;
use crate::domain::replies::understanding::times_in_answer::times_in_answer;
use crate::domain::visits::session::Reason;

/// Words of which every one is known, and the phrases that they form.
#[derive(Clone, Copy)]
pub(super) struct KnownWords<'a> {
    pub(super) lists: &'a Lists,
    pub(super) words: &'a [Word],
    pub(super) phrases: &'a [Phrase],
}

/// Decides what an answer means. `doubtful` says that it has a sign that agrees with nothing.
///
/// # Errors
/// The rule that says why it is no answer.
pub(super) fn judge(
    known: KnownWords<'_>,
    reading: &Reading,
    context: &ReadingContext<'_>,
    doubtful: bool,
) -> Result<Understood, &'static str> {
    let KnownWords {
        lists,
        words,
        phrases,
    } = known;
    if lists.answers.no_answer.matches_in(words) {
        return Err("no-answer");
    }
    let named = times_in_answer(lists, words, phrases, context)?;
    let agrees = reading.agrees() && !agrees_with_something_else(known, reading);
    let cancels = reading.cancels() && !reading.only_others_stay_away();
    match (agrees, cancels) {
        (true, true) => Err("mixed"),
        (true, false) => judge_agreement(known, reading, named, context, doubtful),
        (false, true) => judge_cancellation(known, reading, named, context),
        (false, false) if reading.reasons.is_empty() => Err("no-answer"),
        (false, false) => Err("a-reason-and-no-answer"),
    }
}

/// "Yes I got your text but I can't come": the YES is not about the visit.
fn agrees_with_something_else(known: KnownWords<'_>, reading: &Reading) -> bool {
    reading.answers.has(Answer::Refuse)
        && !reading.answers.has(Answer::Agreed)
        && !reading.attendance.has(Attendance::SomebodyComes)
        && ends_in_refusal(known)
}

fn judge_agreement(
    known: KnownWords<'_>,
    reading: &Reading,
    named: NamedTimes,
    context: &ReadingContext<'_>,
    doubtful: bool,
) -> Result<Understood, &'static str> {
    if doubtful {
        return Err("sign");
    }
    let says_more = reading.says_more_than_yes();
    let is_sure_all_the_same =
        || reading.says_yes_twice() || (!reading.is_anybody_ill() && ends_in_agreement(known));
    if says_more && !is_sure_all_the_same() {
        return Err("more-than-a-yes");
    }
    if !named.are_those_of(context.arrivals) {
        return Err("names-a-time");
    }
    Ok(Understood {
        named,
        plain_yes: reading.answers.has(Answer::Yes),
        leftover: says_more,
        ..Understood::new(Intent::Confirm, "all-words-agree")
    })
}

fn judge_cancellation(
    known: KnownWords<'_>,
    reading: &Reading,
    named: NamedTimes,
    context: &ReadingContext<'_>,
) -> Result<Understood, &'static str> {
    if reading.attendance.has(Attendance::AboutOthers) {
        return Err("another-person");
    }
    if let Some(why) = refuses_something_else(known, reading) {
        return Err(why);
    }
    if names_another_time(reading, &named, context) {
        return Err("names-a-time");
    }
    let reason = reading.reason();
    let rule = match reason {
        Some(Reason::IllChild) => "all-words-ill-child",
        Some(Reason::IllSelf) => "all-words-ill-self",
        Some(Reason::Travel) => "all-words-travel",
        _ if reading
            .answers
            .has_any(&[Answer::Cancel, Answer::Cancelled]) =>
        {
            "all-words-cancel"
        }
        _ => "all-words-refuse",
    };
    Ok(Understood {
        named,
        ..Understood::new(Intent::Cancel(reason), rule)
    })
}

/// Whether what is refused is not the visit: the rule that says so.
fn refuses_something_else(known: KnownWords<'_>, reading: &Reading) -> Option<&'static str> {
    let KnownWords {
        lists,
        words,
        phrases,
    } = known;
    let answers = &lists.answers;
    let gives_no_reason = reading.reasons.is_empty();
    if reading.is_only_no()
        && (answers.no_of_something.matches_in(words)
            || (gives_no_reason && answers.no_that_agrees.matches_in(words)))
    {
        return Some("no-of-something");
    }
    if answers.not_in_time.matches_in(words)
        || (gives_no_reason && answers.refuses_a_part.matches_in(words))
    {
        return Some("not-the-visit");
    }
    let says_more_than_cancelled = || {
        phrases.iter().any(|phrase| {
            !matches!(
                phrase.kind,
                PhraseKind::Mark | PhraseKind::Cancelled | PhraseKind::Filler
            )
        })
    };
    if reading.answers.has(Answer::Cancelled) && says_more_than_cancelled() {
        return Some("what-was-cancelled");
    }
    None
}

/// Whether it names a date or time that is not that of an open visit.
///
/// If the visits are not known, a date is taken as it is; but "not 10am" may ask for another hour.
fn names_another_time(reading: &Reading, named: &NamedTimes, context: &ReadingContext<'_>) -> bool {
    if context.arrivals.is_empty() {
        return named.has_time() && !reading.answers.has(Answer::Cancel);
    }
    !named.are_those_of(context.arrivals)
}

/// "Just come off shift but yes will be there": whatever is said before, they come.
fn ends_in_agreement(known: KnownWords<'_>) -> bool {
    let Some(end) = last_that_begins(known, &known.lists.clauses.conclusion) else {
        return false;
    };
    let agrees_plainly = |phrase: &Phrase| {
        matches!(
            phrase.kind,
            PhraseKind::Mark
                | PhraseKind::Connective
                | PhraseKind::CancelFiller
                | PhraseKind::Yes
                | PhraseKind::Agreed
                | PhraseKind::Coming
                | PhraseKind::I
                | PhraseKind::We
                | PhraseKind::Filler
                | PhraseKind::Glad
        )
    };
    end.iter().all(agrees_plainly) && has_any(end, &[PhraseKind::Coming])
}

/// "But I can't": the last thing said about coming is a refusal.
fn ends_in_refusal(known: KnownWords<'_>) -> bool {
    let agrees = [
        PhraseKind::Yes,
        PhraseKind::Agreed,
        PhraseKind::Keep,
        PhraseKind::Coming,
    ];
    last_that_begins(known, &known.lists.clauses.but_no).is_some_and(|end| !has_any(end, &agrees))
}

/// The phrases from the last one at which one of the patterns begins.
fn last_that_begins<'a>(known: KnownWords<'a>, patterns: &PatternSet) -> Option<&'a [Phrase]> {
    let from = known
        .phrases
        .iter()
        .rposition(|phrase| patterns.begins(&known.words[phrase.start..]))?;
    Some(&known.phrases[from..])
}
