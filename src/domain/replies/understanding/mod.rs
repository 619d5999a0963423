//! Text to intent: one pure, total function. What is not clearly understood is `Unclear`, a value
//! and not an error; a person reads it.
//!
//! An answer is understood only if every word of it is known: a word of agreement or refusal, and
//! around it nothing but words that change nothing. So "yes but I am not paying" is no YES and "he
//! says he's not coming" is nobody's NO. Danger is looked for first and in any message. The words
//! are data, one file a language in `understanding/`; here is only what their lists mean.

mod agreed;
mod answer;
mod clauses;
mod lists;
mod pieces;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

use crate::domain::people::person::Channel;
use crate::domain::replies::patterns::{self, ASK, DATE, NUM, TIME, Word};
use crate::domain::replies::understanding::agreed::Means;
use crate::domain::replies::understanding::answer::answer;
use crate::domain::replies::understanding::lists::LISTS;
use crate::domain::visits::session::Reason;
use chrono::{Datelike, NaiveDateTime, Timelike, Weekday};

/// What a parent's message means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Intent {
    /// Will come.
    Confirm,
    /// Cannot come, with the reason if it was said.
    Cancel(Option<Reason>),
    /// Four digits: the code of a cancellation.
    Code(String),
    /// A small number: the answer to a numbered question, where there is one.
    Number(u8),
    /// Somebody else has this phone.
    WrongNumber,
    /// One of the words offered where codes are off.
    ReasonWord(Reason),
    /// No more texts.
    Stop,
    /// Texts on again.
    Start,
    /// How does it work?
    Help,
    /// Will come, but not on time.
    RunningLate,
    /// Wants another time or day.
    Reschedule,
    /// Asks something.
    Question,
    /// Another number, address, name, order.
    DetailsChange,
    /// Insults, and nothing that is an answer.
    Abuse,
    /// Signs of danger: a person is told at once.
    Safeguarding,
    /// Not clearly any of these: for a person.
    Unclear,
}

impl Intent {
    /// The word of the intent in lists and cases.
    pub fn as_str(&self) -> &'static str {
        match self {
            Intent::Confirm => "confirm",
            Intent::Cancel(Some(Reason::IllChild)) | Intent::ReasonWord(Reason::IllChild) => {
                "cancel_illness_child"
            }
            Intent::Cancel(Some(Reason::IllSelf)) | Intent::ReasonWord(Reason::IllSelf) => {
                "cancel_illness_self"
            }
            Intent::Cancel(Some(Reason::Travel)) | Intent::ReasonWord(Reason::Travel) => {
                "cancel_transport"
            }
            Intent::Cancel(_) | Intent::ReasonWord(_) => "cancel",
            Intent::Code(_) => "code",
            Intent::Stop => "stop",
            Intent::Start => "start",
            Intent::Help => "help",
            Intent::RunningLate => "running_late",
            Intent::Reschedule => "reschedule_request",
            Intent::Question => "question",
            Intent::DetailsChange => "details_change",
            Intent::Abuse => "abuse",
            Intent::Safeguarding => "safeguarding_alert",
            // Without its question a number says nothing, and a stranger's words are no answer.
            Intent::Number(_) | Intent::WrongNumber | Intent::Unclear => "unclear",
        }
    }
}

/// An intent and the rule that gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Understood {
    /// The intent.
    pub intent: Intent,
    /// The name of the rule.
    pub rule: &'static str,
    /// What it says of which visit.
    pub named: NamedTimes,
    /// A word of YES, and not only words of courtesy such as "no problem".
    pub plain_yes: bool,
    /// A hint that somebody else reads this phone or says what is written on it (safety rule D4).
    pub watched: bool,
    /// Other words of it could not be read: they turn nothing, but a person reads them.
    pub leftover: bool,
    /// Said for certain: some of the children stay away, and the visit goes on with the others.
    pub some_children: Option<SomeChildren>,
}

/// That only some of the children stay away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SomeChildren {
    /// Those who stay away are ill.
    pub ill: bool,
}

impl Understood {
    fn new(intent: Intent, rule: &'static str) -> Self {
        Understood {
            intent,
            rule,
            named: NamedTimes::default(),
            plain_yes: false,
            watched: false,
            leftover: false,
            some_children: None,
        }
    }
}

/// The days of the week, dates and times of day that an answer names. Where nothing is named every
/// visit fits.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NamedTimes {
    days: Vec<Weekday>,
    moments: Vec<Word>,
}

impl NamedTimes {
    /// Whether nothing is named.
    pub fn is_empty(&self) -> bool {
        self.days.is_empty() && self.moments.is_empty()
    }

    /// Whether a visit with this own arrival (local) is one that is named: of each sort that is
    /// named, one holds.
    pub fn fits(&self, arrival: NaiveDateTime) -> bool {
        let of = |id| {
            let mut all = self.moments.iter().filter(|w| w.id == id).peekable();
            all.peek().is_none() || all.any(|w| is_of(w, &arrival))
        };
        (self.days.is_empty() || self.days.contains(&arrival.weekday())) && of(DATE) && of(TIME)
    }

    /// Whether each date and time is that of one of these arrivals, and all that is named that of
    /// one visit at least.
    fn are_of(&self, arrivals: &[NaiveDateTime]) -> bool {
        self.moments.is_empty()
            || (self
                .moments
                .iter()
                .all(|w| arrivals.iter().any(|a| is_of(w, a)))
                && arrivals.iter().any(|a| self.fits(*a)))
    }
}

/// Whether a date or a time of day is that of this arrival.
fn is_of(w: &Word, arrival: &NaiveDateTime) -> bool {
    let minute = arrival.hour() * 60 + arrival.minute();
    let value = u32::from(w.value);
    match w.id {
        DATE => arrival.day() == value % 100 && (value < 100 || arrival.month() == value / 100),
        _ => minute == value || minute == value + 720,
    }
}

/// Which question waits for an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PendingQuestion {
    /// Will you come?
    #[default]
    Confirm,
    /// Which of these, by number?
    Numbered,
}

/// What is known of the sender and of what is open; the default knows nothing and is the careful
/// one.
#[derive(Debug, Clone, Copy)]
pub struct ReadingContext<'a> {
    /// The language of the party (BCP 47).
    pub lang: &'a str,
    /// Where the message came from.
    pub channel: Channel,
    /// How many sessions await an answer.
    pub open: usize,
    /// Which question was asked.
    pub asked: PendingQuestion,
    /// The party's own arrivals at the open sessions, local. Empty is "not known": then no text
    /// that names a date or a time confirms.
    pub arrivals: &'a [NaiveDateTime],
}

impl Default for ReadingContext<'_> {
    fn default() -> Self {
        ReadingContext {
            lang: "en",
            channel: Channel::Sms,
            open: 1,
            asked: PendingQuestion::Confirm,
            arrivals: &[],
        }
    }
}

/// Texts with more characters than this are for a person; only danger is looked for in them.
const LONGEST: usize = 480;

/// A message in small letters and single spaces, as the agreed words of other languages and the
/// quiet words of parents are kept.
pub fn bare(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            c if c.is_ascii_alphanumeric() => out.push(c.to_ascii_lowercase()),
            c if c.is_alphanumeric() => out.extend(c.to_lowercase()),
            '\'' | '’' | '\u{200b}'..='\u{200f}' | '\u{feff}' => {}
            _ if !out.is_empty() && !out.ends_with(' ') => out.push(' '),
            _ => {}
        }
    }
    out.truncate(out.trim_end().len());
    out
}

/// Reads the lists, which the first message would otherwise wait for: about a tenth of a second.
pub fn get_ready() {
    std::sync::LazyLock::force(&LISTS);
}

/// Understands one message of which nothing else is known. Total: every text has an intent, and the
/// same text has always the same.
pub fn understand(text: &str) -> Understood {
    understand_in(text, &ReadingContext::default())
}

/// Understands one message. Total: every text has an intent, and the same text in the same context
/// has always the same.
pub fn understand_in(text: &str, context: &ReadingContext<'_>) -> Understood {
    let l = &*LISTS;
    let is = Understood::new;
    let trimmed = text.trim();
    if trimmed.len() == 4 && trimmed.bytes().all(|b| b.is_ascii_digit()) {
        return is(Intent::Code(trimmed.to_owned()), "code");
    }
    let words = l.vocabulary.words(text);
    let spoken = patterns::spoken(&words);
    let has_sign =
        |signs: &str| !text.is_ascii() && text.chars().any(|c| signs.contains(c) && !c.is_ascii());
    if l.watched.in_words(&spoken) {
        return Understood {
            watched: true,
            ..is(Intent::Safeguarding, "watched")
        };
    }
    if l.danger.in_words(&spoken) {
        return is(Intent::Safeguarding, "danger");
    }
    if has_sign(&l.danger_signs) {
        return is(Intent::Safeguarding, "danger-sign");
    }
    if has_sign(&l.abuse_signs) {
        return is(Intent::Abuse, "abuse-sign");
    }
    if text.chars().nth(LONGEST).is_some() {
        return is(Intent::Unclear, "long");
    }
    if spoken.is_empty() {
        // A red sign alone says what it says on every road.
        let stop = text.chars().any(|c| l.stop_alone.contains(c))
            && text
                .chars()
                .all(|c| l.stop_alone.contains(c) || c.is_whitespace() || c == '\u{fe0f}');
        if stop {
            return is(Intent::Stop, "stop-sign");
        }
        return is(Intent::Unclear, "no-words");
    }
    let asks = words.iter().any(|w| w.id == ASK);
    if let Some(n) = number(trimmed, &spoken, asks, context.asked) {
        return is(Intent::Number(n), "number");
    }
    // Courtesies at both ends count for nothing.
    let alone = {
        let mut alone = spoken.as_slice();
        while let [first, rest @ ..] = alone
            && l.around.whole(&[*first])
        {
            alone = rest;
        }
        while let [rest @ .., last] = alone
            && l.around.whole(&[*last])
        {
            alone = rest;
        }
        alone
    };
    if l.stranger.whole(&spoken) || l.stranger.whole(alone) || in_sentences(l, &words) {
        return is(Intent::WrongNumber, "wrong-number");
    }
    if l.machine.any(&spoken) {
        return is(Intent::Unclear, "sent-by-a-machine");
    }
    if l.forwarded.any(&spoken)
        || quotes(text)
        || text
            .lines()
            .any(|line| line.trim_start().starts_with('>') || line.trim_start().starts_with("---"))
    {
        return is(Intent::Unclear, "forwarded");
    }
    if let Some((_, reason)) = l.reasons.iter().find(|(p, _)| !asks && p.whole(&spoken)) {
        return is(Intent::ReasonWord(*reason), "reason-word");
    }
    let doubtful = has_sign(&l.doubtful);
    let polite = l.polite.any(&spoken);
    let only_stop_signs = doubtful
        && text
            .chars()
            .all(|c| !l.doubtful.contains(c) || l.stop_signs.contains(c));
    if (l.stop.means(&spoken, alone) || l.stop.in_a_sentence(&words, &l.against_stop))
        && (!doubtful || only_stop_signs)
        && (!asks || spoken.len() > 1)
    {
        return is(Intent::Stop, "stop-words");
    }
    if l.start.means(&spoken, alone) && (!asks || polite) {
        return is(Intent::Start, "start-words");
    }
    if l.help.means(&spoken, alone) {
        return is(Intent::Help, "help-words");
    }
    if let Some(some) = l.some.read(&spoken).filter(|_| !asks && !doubtful) {
        return Understood {
            some_children: Some(some),
            ..is(Intent::Unclear, "some-children")
        };
    }
    // A word of the party's own language is that word, whatever it is in English.
    let message = bare(text);
    if let Some(means) = l.agreed.in_own(&message, context.lang) {
        let for_a_person = asks || doubtful;
        return agreed_word(if for_a_person { Means::Neither } else { means });
    }
    let read = if asks && !polite {
        Err("question")
    } else {
        answer(l, &words, context, doubtful)
    };
    let why = match read {
        Ok(u) => return u,
        Err(why) => why,
    };
    if let Some(means) = l.agreed.anywhere(&message).filter(|_| !asks && !doubtful) {
        return agreed_word(means);
    }
    // Nothing of what follows changes anything: the names sort the pile that a person reads.
    if l.abuse.core.any(&spoken) {
        is(Intent::Abuse, "abuse")
    } else if l.reschedule.clearly_in(&spoken) {
        is(Intent::Reschedule, "another-time")
    } else if l.details.clearly_in(&spoken) {
        is(Intent::DetailsChange, "details")
    } else if l.late.clearly_in(&spoken) {
        is(Intent::RunningLate, "late")
    } else if (asks && context.lang == "en") || l.question.core.any(&spoken) {
        is(Intent::Question, "question")
    } else {
        is(Intent::Unclear, why)
    }
}

/// A whole message of another language.
fn agreed_word(means: Means) -> Understood {
    match means {
        Means::Yes => Understood {
            plain_yes: true,
            ..Understood::new(Intent::Confirm, "agreed-word")
        },
        Means::No => Understood::new(Intent::Cancel(None), "agreed-word"),
        Means::Neither => Understood::new(Intent::Unclear, "word-of-two-languages"),
    }
}

/// "Wrong number, who is this?": each sentence is a stranger's, or one says for certain that the
/// number is wrong.
fn in_sentences(l: &lists::Lists, words: &[Word]) -> bool {
    let mut sentences = words
        .split(|w| matches!(w.id, patterns::BREAK | ASK))
        .filter(|s| !s.is_empty())
        .peekable();
    let (mut all, mut any) = (sentences.peek().is_some(), false);
    for s in sentences {
        if l.wrong_number.whole(s) {
            return true;
        }
        let of_a_stranger = l.stranger.whole(s);
        any |= of_a_stranger;
        all &= of_a_stranger || s.iter().all(|w| l.around.whole(&[*w]));
    }
    all && any
}

/// Whether several words stand between quotation marks: somebody else's, or the writer's of another
/// time.
fn quotes(text: &str) -> bool {
    let parts: Vec<&str> = text.split(['"', '“', '”', '„', '«', '»']).collect();
    // Behind the last mark nothing is closed.
    parts.iter().enumerate().any(|(n, part)| {
        n % 2 == 1 && n + 1 < parts.len() && part.split_whitespace().nth(1).is_some()
    })
}

/// A small number alone; where a numbered question waits, also with the words that go with it.
fn number(trimmed: &str, spoken: &[Word], asks: bool, asked: PendingQuestion) -> Option<u8> {
    let [w] = spoken else { return None };
    let ordinal = w.id == DATE && asked == PendingQuestion::Numbered && !trimmed.contains('/');
    ((w.id == NUM && !asks || ordinal) && (1..=9).contains(&w.value))
        .then_some(u8::try_from(w.value).ok()?)
}
