//! Which days, dates and times an answer names.

use crate::domain::replies::patterns::{DATE, TIME, Word};
use crate::domain::replies::understanding::lists::Lists;
use crate::domain::replies::understanding::named_times::NamedTimes;
use crate::domain::replies::understanding::phrase::{Phrase, PhraseKind};
use crate::domain::replies::understanding::reading_context::ReadingContext;
use chrono::Weekday;

/// The days, dates and times in these words. If they name several days and one visit is open, only
/// days beside an answer count: "my operation is on Friday so I won't be fit for Sunday".
///
/// # Errors
/// They name two days, and one visit is open.
pub(super) fn times_in_answer(
    lists: &Lists,
    words: &[Word],
    phrases: &[Phrase],
    context: &ReadingContext<'_>,
) -> Result<NamedTimes, &'static str> {
    let several_visits = context.open >= 2;
    let mut days = days_in(lists, words);
    if days.len() > 1 && !several_visits {
        let answered = days_beside_answers(lists, words, phrases);
        if !answered.is_empty() {
            days = answered;
        }
    }
    if days.len() > 1 && !several_visits {
        return Err("two-days");
    }
    // "Sick since 4am" names no visit.
    let follows_since = |at: usize| at > 0 && lists.answers.since.has(words[at - 1]);
    let moments = words
        .iter()
        .enumerate()
        .filter(|(at, word)| matches!(word.id, DATE | TIME) && !follows_since(*at))
        .map(|(_, word)| *word)
        .collect();
    Ok(NamedTimes { days, moments })
}

fn days_in(lists: &Lists, words: &[Word]) -> Vec<Weekday> {
    let mut days: Vec<Weekday> = Vec::new();
    for day in words
        .iter()
        .filter_map(|word| lists.vocabulary.day(word.id))
    {
        if !days.contains(&day) {
            days.push(day);
        }
    }
    days
}

/// The days in those clauses that have an answer.
fn days_beside_answers(lists: &Lists, words: &[Word], phrases: &[Phrase]) -> Vec<Weekday> {
    let begins_clause = |phrase: &&Phrase| {
        matches!(phrase.kind, PhraseKind::Mark | PhraseKind::Connective)
            || words
                .get(phrase.start)
                .is_some_and(|word| lists.clauses.starts.has(*word))
    };
    let ends = phrases
        .iter()
        .skip(1)
        .filter(begins_clause)
        .map(|phrase| phrase.start)
        .chain([words.len()]);
    let mut beside: Vec<Word> = Vec::new();
    let mut start = 0;
    for end in ends {
        let has_answer = phrases
            .iter()
            .any(|phrase| (start..end).contains(&phrase.start) && phrase.kind.is_answer());
        if has_answer {
            beside.extend(&words[start..end]);
        }
        start = end;
    }
    days_in(lists, &beside)
}
