//! From text to intent: one pure, total function.

use crate::domain::replies::patterns::{
    DATE, NUMBER, QUESTION_MARK, Word, sentences, without_marks,
};
use crate::domain::replies::understanding::agreed_phrases::PhraseMeaning;
use crate::domain::replies::understanding::answer::answer;
use crate::domain::replies::understanding::intent::{Intent, Understood};
use crate::domain::replies::understanding::lists::{LISTS, Lists};
use crate::domain::replies::understanding::normalize::normalize;
use crate::domain::replies::understanding::reading_context::{PendingQuestion, ReadingContext};
use crate::domain::replies::understanding::some_children::some_children;

/// In longer texts (characters) only danger is looked for. A person reads them.
const LONGEST: usize = 480;

/// Asks for an emoji and not for the plain sign.
const EMOJI_VARIANT: char = '\u{fe0f}';

/// Reads the lists, which takes about a tenth of a second. Otherwise the first message waits for
/// it.
pub fn load_lists() {
    std::sync::LazyLock::force(&LISTS);
}

/// Understands a message of which nothing else is known.
pub fn understand(text: &str) -> Understood {
    understand_in(text, &ReadingContext::default())
}

/// Understands a message. Every text has an intent, and the same text in the same context always
/// has the same one.
pub fn understand_in(text: &str, context: &ReadingContext<'_>) -> Understood {
    if let Some(code) = cancel_code(text) {
        return Understood::new(Intent::Code(code.to_owned()), "code");
    }
    let message = Message::new(&LISTS, text, context);
    message
        .danger()
        .or_else(|| message.unreadable())
        .or_else(|| message.number())
        .or_else(|| message.wrong_number())
        .or_else(|| message.not_written_by_sender())
        .or_else(|| message.reason_word())
        .or_else(|| message.command())
        .or_else(|| message.some_children())
        .unwrap_or_else(|| message.answer())
}

fn cancel_code(text: &str) -> Option<&str> {
    let text = text.trim();
    (text.len() == 4 && text.bytes().all(|b| b.is_ascii_digit())).then_some(text)
}

/// A message, and what several steps need to know of it.
struct Message<'a> {
    lists: &'a Lists,
    text: &'a str,
    context: &'a ReadingContext<'a>,
    words: Vec<Word>,
    /// The words without marks.
    spoken: Vec<Word>,
    has_question_mark: bool,
    /// It has a sign that agrees with nothing.
    is_doubtful: bool,
}

impl<'a> Message<'a> {
    fn new(lists: &'a Lists, text: &'a str, context: &'a ReadingContext<'a>) -> Self {
        let words = lists.vocabulary.words(text);
        Message {
            lists,
            text,
            context,
            spoken: without_marks(&words),
            has_question_mark: words.iter().any(|word| word.id == QUESTION_MARK),
            is_doubtful: has_sign(text, &lists.signs.doubtful),
            words,
        }
    }

    /// Danger comes first, in texts of any length and beside any answer.
    fn danger(&self) -> Option<Understood> {
        if self.lists.watched.is_in(&self.spoken) {
            return Some(Understood {
                watched: true,
                ..Understood::new(Intent::Safeguarding, "watched")
            });
        }
        if self.lists.danger.is_in(&self.spoken) {
            return understood(Intent::Safeguarding, "danger");
        }
        if has_sign(self.text, &self.lists.signs.danger) {
            return understood(Intent::Safeguarding, "danger-sign");
        }
        None
    }

    /// Insulting signs, texts that are too long, and texts without words.
    fn unreadable(&self) -> Option<Understood> {
        if has_sign(self.text, &self.lists.signs.abuse) {
            return understood(Intent::Abuse, "abuse-sign");
        }
        if self.text.chars().nth(LONGEST).is_some() {
            return understood(Intent::Unclear, "long");
        }
        if !self.spoken.is_empty() {
            return None;
        }
        if self.is_stop_sign() {
            return understood(Intent::Stop, "stop-sign");
        }
        understood(Intent::Unclear, "no-words")
    }

    /// A stop sign means STOP without any word.
    fn is_stop_sign(&self) -> bool {
        let is_sign = |c: char| self.lists.signs.stop_alone.contains(c);
        self.text.chars().any(is_sign)
            && self
                .text
                .chars()
                .all(|c| is_sign(c) || c.is_whitespace() || c == EMOJI_VARIANT)
    }

    /// A small number alone. While a numbered question waits, "2nd" is one too.
    fn number(&self) -> Option<Understood> {
        let [word] = self.spoken.as_slice() else {
            return None;
        };
        let is_number = match word.id {
            NUMBER => !self.has_question_mark,
            DATE => self.context.asked == PendingQuestion::Numbered && !self.text.contains('/'),
            _ => false,
        };
        if !is_number || !(1..=9).contains(&word.value) {
            return None;
        }
        let number = u8::try_from(word.value).ok()?;
        understood(Intent::Number(number), "number")
    }

    fn wrong_number(&self) -> Option<Understood> {
        let stranger = &self.lists.messages.stranger;
        let is_stranger = stranger.matches_all(&self.spoken)
            || stranger.matches_all(self.without_courtesies())
            || self.a_sentence_is_a_strangers();
        is_stranger.then(|| Understood::new(Intent::WrongNumber, "wrong-number"))
    }

    /// "Wrong number, who is this?": every sentence is a stranger's, or one says for certain that
    /// the number is wrong.
    fn a_sentence_is_a_strangers(&self) -> bool {
        let lists = &self.lists.messages;
        let is_courtesy = |sentence: &[Word]| sentence.iter().all(|w| lists.courtesy.has(*w));
        let (mut only_strangers, mut any_stranger) = (true, false);
        for sentence in sentences(&self.words) {
            if lists.wrong_number.matches_all(sentence) {
                return true;
            }
            let is_strangers = lists.stranger.matches_all(sentence);
            any_stranger |= is_strangers;
            only_strangers &= is_strangers || is_courtesy(sentence);
        }
        only_strangers && any_stranger
    }

    /// Sent by a machine, forwarded or quoted.
    fn not_written_by_sender(&self) -> Option<Understood> {
        if self.lists.messages.machine.matches_in(&self.spoken) {
            return understood(Intent::Unclear, "sent-by-a-machine");
        }
        let is_forwarded = self.lists.messages.forwarded.matches_in(&self.spoken)
            || has_quotation(self.text)
            || self.text.lines().any(|line| {
                let line = line.trim_start();
                line.starts_with('>') || line.starts_with("---")
            });
        is_forwarded.then(|| Understood::new(Intent::Unclear, "forwarded"))
    }

    fn reason_word(&self) -> Option<Understood> {
        if self.has_question_mark {
            return None;
        }
        let (_, reason) = self
            .lists
            .messages
            .reasons
            .iter()
            .find(|(words, _)| words.matches_all(&self.spoken))?;
        understood(Intent::ReasonWord(*reason), "reason-word")
    }

    /// STOP, START or HELP.
    fn command(&self) -> Option<Understood> {
        let lists = &self.lists.messages;
        let core = self.without_courtesies();
        let says_stop = lists.stop.is(&self.spoken, core)
            || lists
                .stop
                .is_a_sentence_of(&self.words, &lists.against_stop);
        let may_be_stop = (!self.is_doubtful || self.has_only_stop_signs())
            && (!self.has_question_mark || self.spoken.len() > 1);
        if says_stop && may_be_stop {
            return understood(Intent::Stop, "stop-words");
        }
        if lists.start.is(&self.spoken, core) && !self.asks() {
            return understood(Intent::Start, "start-words");
        }
        if lists.help.is(&self.spoken, core) {
            return understood(Intent::Help, "help-words");
        }
        None
    }

    /// Whether all doubtful signs are signs of STOP.
    fn has_only_stop_signs(&self) -> bool {
        let signs = &self.lists.signs;
        self.text
            .chars()
            .all(|c| !signs.doubtful.contains(c) || signs.stop.contains(c))
    }

    fn some_children(&self) -> Option<Understood> {
        if self.has_question_mark || self.is_doubtful {
            return None;
        }
        let some = some_children(&self.lists.some_children, &self.spoken)?;
        Some(Understood {
            some_children: Some(some),
            ..Understood::new(Intent::Unclear, "some-children")
        })
    }

    /// An answer: a phrase of the party's own language, English, or a phrase of another language.
    fn answer(&self) -> Understood {
        let whole = normalize(self.text);
        let is_plain = !self.has_question_mark && !self.is_doubtful;
        if let Some(meaning) = self.lists.agreed.in_language(&whole, self.context.lang) {
            return agreed_phrase(if is_plain {
                meaning
            } else {
                PhraseMeaning::Neither
            });
        }
        let why_not = match self.english_answer() {
            Ok(understood) => return understood,
            Err(why) => why,
        };
        match self.lists.agreed.in_any_language(&whole) {
            Some(meaning) if is_plain => agreed_phrase(meaning),
            _ => self.for_a_person(why_not),
        }
    }

    fn english_answer(&self) -> Result<Understood, &'static str> {
        if self.asks() {
            return Err("question");
        }
        answer(self.lists, &self.words, self.context, self.is_doubtful)
    }

    /// No answer. What it is about changes nothing, but sorts the messages that a person reads.
    fn for_a_person(&self, why: &'static str) -> Understood {
        let (subjects, words) = (&self.lists.subjects, self.spoken.as_slice());
        let is_english_question = self.has_question_mark && self.context.lang == "en";
        if subjects.abuse.is_hinted_in(words) {
            Understood::new(Intent::Abuse, "abuse")
        } else if subjects.reschedule.is_clearly_in(words) {
            Understood::new(Intent::Reschedule, "another-time")
        } else if subjects.details.is_clearly_in(words) {
            Understood::new(Intent::DetailsChange, "details")
        } else if subjects.late.is_clearly_in(words) {
            Understood::new(Intent::RunningLate, "late")
        } else if is_english_question || subjects.question.is_hinted_in(words) {
            Understood::new(Intent::Question, "question")
        } else {
            Understood::new(Intent::Unclear, why)
        }
    }

    /// Whether it asks something, and is no polite request such as "can you cancel please?".
    fn asks(&self) -> bool {
        self.has_question_mark && !self.lists.messages.polite_request.matches_in(&self.spoken)
    }

    /// The words without the courtesies at both ends.
    fn without_courtesies(&self) -> &[Word] {
        let courtesy = &self.lists.messages.courtesy;
        let mut core = self.spoken.as_slice();
        while let [first, rest @ ..] = core
            && courtesy.has(*first)
        {
            core = rest;
        }
        while let [rest @ .., last] = core
            && courtesy.has(*last)
        {
            core = rest;
        }
        core
    }
}

fn understood(intent: Intent, rule: &'static str) -> Option<Understood> {
    Some(Understood::new(intent, rule))
}

/// A whole message in another language.
fn agreed_phrase(meaning: PhraseMeaning) -> Understood {
    match meaning {
        PhraseMeaning::Yes => Understood {
            plain_yes: true,
            ..Understood::new(Intent::Confirm, "agreed-word")
        },
        PhraseMeaning::No => Understood::new(Intent::Cancel(None), "agreed-word"),
        PhraseMeaning::Neither => Understood::new(Intent::Unclear, "word-of-two-languages"),
    }
}

/// Whether the text has one of these pictures.
fn has_sign(text: &str, signs: &str) -> bool {
    !text.is_ascii() && text.chars().any(|c| !c.is_ascii() && signs.contains(c))
}

/// Whether several words stand between quotation marks: somebody else said them, or the writer at
/// another time.
fn has_quotation(text: &str) -> bool {
    let parts: Vec<&str> = text.split(['"', '“', '”', '„', '«', '»']).collect();
    // The last part is not closed by a mark.
    parts.iter().enumerate().any(|(n, part)| {
        n % 2 == 1 && n + 1 < parts.len() && part.split_whitespace().nth(1).is_some()
    })
}
