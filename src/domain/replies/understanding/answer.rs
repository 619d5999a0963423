//! Reads a message as an answer to "will you come?".

use crate::domain::replies::patterns::{BREAK, Word};
use crate::domain::replies::understanding::intent::Understood;
use crate::domain::replies::understanding::judge::{KnownWords, judge};
use crate::domain::replies::understanding::lists::Lists;
use crate::domain::replies::understanding::partial_answer::partial_answer;
use crate::domain::replies::understanding::phrase::{Phrase, PhraseKind};
use crate::domain::replies::understanding::read::read;
use crate::domain::replies::understanding::reading_context::ReadingContext;
use crate::domain::replies::understanding::text::Text;

/// Reads an answer.
///
/// # Errors
/// The rule that says why it is none.
pub(super) fn answer(
    lists: &Lists,
    words: &[Word],
    context: &ReadingContext<'_>,
    doubtful: bool,
) -> Result<Understood, &'static str> {
    if begins_as_question(lists, words) {
        return Err("question");
    }
    if is_lettered(lists, words) {
        return Err("lettered");
    }
    let text = Text::new(lists, words);
    let phrases = text
        .phrases(0..words.len())
        .or_else(|| spelled_out(lists, words));
    let Some(phrases) = phrases else {
        return partial_answer(&text, context, doubtful).ok_or("unknown-word");
    };
    let known = KnownWords {
        lists,
        words,
        phrases: &phrases,
    };
    judge(known, &read(lists, words, &phrases), context, doubtful)
}

/// Whether a sentence of the message begins as a question does.
fn begins_as_question(lists: &Lists, words: &[Word]) -> bool {
    let mut at_start = true;
    for (at, word) in words.iter().enumerate() {
        if at_start && word.id != BREAK && asks(lists, &words[at..]) {
            return true;
        }
        at_start = word.id == BREAK || (at_start && lists.answers.greeting.has(*word));
    }
    false
}

fn asks(lists: &Lists, words: &[Word]) -> bool {
    let answers = || {
        lists.phrases.longest(words).is_some_and(|(_, list)| {
            matches!(
                PhraseKind::of_list(list),
                PhraseKind::Cancel | PhraseKind::Refuse | PhraseKind::Coming
            )
        })
    };
    lists.answers.question_start.begins(words) && !answers()
}

/// "A) yes": one answer of several, and nobody knows which.
fn is_lettered(lists: &Lists, words: &[Word]) -> bool {
    matches!(words, [first, mark, ..] if mark.id == BREAK
        && lists
            .vocabulary
            .letter(first.id)
            .is_some_and(|letter| ('a'..='e').contains(&letter)))
}

/// "C A N C E L": single letters that make one word of an answer.
fn spelled_out(lists: &Lists, words: &[Word]) -> Option<Vec<Phrase>> {
    let letters: Option<String> = words
        .iter()
        .filter(|word| word.id != BREAK)
        .map(|word| lists.vocabulary.letter(word.id))
        .collect();
    let spelled = letters.filter(|letters| letters.len() > 2)?;
    let words = lists.vocabulary.words(&spelled);
    Text::new(lists, &words).phrases(0..words.len())
}
