//! Text to intent: one pure, total function. What is not clearly understood is `Unclear`, a value and not an error; a person reads it.
//!
//! A message is understood only if every word of it is known: a word of agreement or refusal, and around it nothing but words that
//! change nothing. So "yes but I am not paying" is no YES and "he says he's not coming" is nobody's NO.

use super::session::Reason;
use chrono::Weekday;

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
    /// Not clearly any of these: for a person.
    Unclear,
}

impl Intent {
    /// The word of the intent in lists and cases.
    pub fn as_str(&self) -> &'static str {
        match self {
            Intent::Confirm => "confirm",
            Intent::Cancel(Some(Reason::IllChild)) | Intent::ReasonWord(Reason::IllChild) => "cancel_illness_child",
            Intent::Cancel(Some(Reason::IllSelf)) | Intent::ReasonWord(Reason::IllSelf) => "cancel_illness_self",
            Intent::Cancel(Some(Reason::Travel)) | Intent::ReasonWord(Reason::Travel) => "cancel_transport",
            Intent::Cancel(_) | Intent::ReasonWord(_) => "cancel",
            Intent::Code(_) => "code",
            Intent::Stop => "stop",
            Intent::Start => "start",
            Intent::Help => "help",
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
    /// The day that was named, if one was.
    pub day: Option<Weekday>,
    /// A word of YES, and not only words of courtesy such as "no problem".
    pub plain_yes: bool,
}

/// Texts longer than this are for a person, whatever they say.
const LONGEST: usize = 320;

const STOP: &[&str] = &[
    "stop",
    "stop all",
    "stopall",
    "unsubscribe",
    "end",
    "quit",
    "revoke",
    "optout",
    "opt out",
    "stop texts",
    "stop texting me",
    "please stop texting me",
    "stop please",
    "please stop",
];
const START: &[&str] = &["start", "unstop", "start texts"];
const HELP: &[&str] = &["help", "info", "help please", "please help me with this"];

/// What strangers write who have a parent's old number, or one that was mistyped; courtesies around it count for nothing (rule d3).
const WRONG_NUMBER: &[&str] = &[
    "wrong number",
    "wrong person",
    "you have the wrong number",
    "you have got the wrong number",
    "you got the wrong number",
    "youve got the wrong number",
    "youve the wrong number",
    "think you have the wrong number",
    "i think you have the wrong number",
    "i think youve got the wrong number",
    "i think you have the wrong person",
    "this is the wrong number",
    "its the wrong number",
    "thats the wrong number",
    "who is this",
    "whos this",
    "who is it",
    "who are you",
    "who dis",
    "whos dis",
    "new phone who dis",
    "new phone who this",
    "new phone whos this",
    "new phone who is this",
    "new number who dis",
    "new number who is this",
    "i dont know who you are",
    "dont know who this is",
    "you texted the wrong number",
    "this number belongs to someone else",
];

/// Whole messages of agreement that hold a word of refusal: a closed list.
const AGREED_PHRASES: &[&str] = &["no problem", "no bother", "not a bother", "no worries", "nae bother", "all good"];
/// Words of agreement, with their plain misspellings.
const YES: &[&str] =
    &["yes", "yess", "yesss", "yea", "yeah", "yeh", "yep", "yup", "yer", "ye", "y", "aye", "yss", "yesd", "eys", "confirm", "confirmed", "confirming", "conferm", "confirmd"];
/// Phrases of agreement.
const YES_PHRASES: &[&str] = &[
    "will be there",
    "well be there",
    "ill be there",
    "i will be there",
    "we will be there",
    "will come",
    "i will come",
    "we will come",
    "ill come",
    "well come",
    "im coming",
    "i am coming",
    "were coming",
    "we are coming",
    "will attend",
    "i will attend",
    "we will attend",
    "i will be coming",
    "we will be coming",
    "not cancelling",
    "to confirm",
    "i confirm",
];
/// Words of refusal.
const NO: &[&str] = &["no", "nope", "nah", "noo", "nooo", "naw"];
/// Ways to call it off.
const CANCEL: &[&str] = &["cancel", "cancell", "cancle", "cancelling", "canceling", "cancelled"];
/// Phrases of refusal; apostrophes are gone by then.
const NO_PHRASES: &[&str] = &[
    "cant come",
    "cannot come",
    "can not come",
    "cant make it",
    "cannot make it",
    "can not make it",
    "cant make this",
    "not coming",
    "wont be there",
    "will not be there",
    "wont make it",
    "will not make it",
    "wont be coming",
    "will not be coming",
    "cant attend",
    "cannot attend",
    "can not attend",
    "wont come",
    "will not come",
    "unable to come",
    "unable to attend",
    "unable to make it",
    "not able to come",
    "not able to attend",
    "not able to make it",
    "cant do it",
    "cant do",
    "cannot do",
    "have to cancel",
    "need to cancel",
    "want to cancel",
    "got to cancel",
    "not going to make it",
    "not gonna make it",
    "not attending",
    "cant be there",
    "cannot be there",
];
/// Words that change nothing around an answer.
const FILLER: &[&str] = &[
    "thanks",
    "thank",
    "you",
    "thx",
    "thnx",
    "ta",
    "cheers",
    "please",
    "pls",
    "plz",
    "x",
    "xx",
    "xxx",
    "ok",
    "okay",
    "hi",
    "hello",
    "hiya",
    "hey",
    "morning",
    "good",
    "afternoon",
    "evening",
    "sorry",
    "soz",
    "i",
    "we",
    "im",
    "were",
    "ill",
    "well",
    "will",
    "be",
    "there",
    "see",
    "then",
    "the",
    "a",
    "for",
    "to",
    "on",
    "at",
    "it",
    "this",
    "and",
    "of",
    "so",
    "very",
    "much",
    "many",
    "kind",
    "regards",
    "mate",
    "again",
    "grand",
    "great",
    "fine",
    "perfect",
    "lovely",
    "sure",
    "definitely",
    "am",
    "are",
    "both",
    "visit",
    "contact",
    "session",
    "appointment",
    "weekend",
    "week",
    "afraid",
    "im afraid",
];
/// Words that name a day: an answer to another day is no answer to this one.
const DAYS: &[&str] = &["saturday", "sat", "sunday", "sun", "monday", "mon", "tuesday", "tue", "wednesday", "wed", "thursday", "thu", "friday", "fri"];

/// Lower case, plain letters: full-width forms and curly quotes folded, apostrophes and invisible characters gone, all else that is
/// no letter or digit a space. Question marks survive as their own word.
fn normalise(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        let c = match c {
            '\u{ff01}'..='\u{ff5e}' => char::from_u32(c as u32 - 0xfee0).unwrap_or(c),
            _ => c,
        };
        match c {
            '\'' | '’' | '‘' | '`' | '´' | '\u{200b}'..='\u{200f}' | '\u{feff}' | '\u{2060}' | '\u{ad}' => {}
            '?' => out.push_str(" ? "),
            c if c.is_alphanumeric() => out.extend(c.to_lowercase()),
            _ => out.push(' '),
        }
    }
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Signs of agreement or refusal that are no words; anything else that is no letter counts for nothing.
fn has_refusing_sign(text: &str) -> bool {
    text.chars().any(|c| matches!(c, '👎' | '❌' | '✖' | '🚫' | '🖕' | '🤷' | '😡' | '🙄'))
}

/// Takes the longest known phrase off the front of `words`, if there is one.
fn take_phrase(words: &[&str], phrases: &[&str]) -> Option<usize> {
    phrases
        .iter()
        .filter_map(|p| {
            let parts: Vec<&str> = p.split(' ').collect();
            words.starts_with(parts.as_slice()).then_some(parts.len())
        })
        .max()
}

/// A whole message that is one small number.
fn small_number(plain: &str) -> Option<u8> {
    plain.parse().ok().filter(|n| (1..=9).contains(n) && plain.len() == 1)
}

/// Whether a whole message says that this is somebody else's phone.
fn is_wrong_number(plain: &str) -> bool {
    const AROUND: &[&str] = &["mate", "sorry", "hi", "hello", "hey", "pal", "love", "please", "thanks", "er", "um", "eh", "?"];
    let words: Vec<&str> = plain.split(' ').collect();
    let start = words.iter().position(|w| !AROUND.contains(w)).unwrap_or(words.len());
    let end = words.iter().rposition(|w| !AROUND.contains(w)).map_or(start, |i| i + 1);
    WRONG_NUMBER.contains(&words[start..end].join(" ").as_str())
}

/// What the words of a message hold, if every one of them is known.
#[derive(Default)]
struct Holds {
    yes: bool,
    agreed: bool,
    no: bool,
    cancel: bool,
}

fn read_words(words: &[&str]) -> Option<Holds> {
    let mut holds = Holds::default();
    let mut rest = words;
    while let Some(first) = rest.first() {
        let n = if let Some(n) = take_phrase(rest, NO_PHRASES) {
            holds.no = true;
            n
        } else if let Some(n) = take_phrase(rest, YES_PHRASES) {
            holds.yes = true;
            n
        } else if let Some(n) = take_phrase(rest, AGREED_PHRASES) {
            holds.agreed = true;
            n
        } else if YES.contains(first) {
            holds.yes = true;
            1
        } else if NO.contains(first) {
            holds.no = true;
            1
        } else if CANCEL.contains(first) {
            holds.cancel = true;
            1
        } else if FILLER.contains(first) || DAYS.contains(first) {
            1
        } else {
            return None;
        };
        rest = &rest[n..];
    }
    Some(holds)
}

/// Understands one message. Total: every text has an intent, and the same text has always the same.
pub fn understand(text: &str) -> Understood {
    let is = |intent, rule| Understood { intent, rule, day: None, plain_yes: false };
    if text.len() > LONGEST {
        return is(Intent::Unclear, "long");
    }
    let trimmed = text.trim();
    if trimmed.len() == 4 && trimmed.bytes().all(|b| b.is_ascii_digit()) {
        return is(Intent::Code(trimmed.to_owned()), "code");
    }
    let plain = normalise(text);
    if plain.is_empty() {
        return is(Intent::Unclear, "no-words");
    }
    if has_refusing_sign(text) {
        return is(Intent::Unclear, "sign");
    }
    if let Some(n) = small_number(&plain) {
        return is(Intent::Number(n), "number");
    }
    if is_wrong_number(&plain) {
        return is(Intent::WrongNumber, "wrong-number");
    }
    if plain.contains('?') {
        return is(Intent::Unclear, "question");
    }
    match plain.as_str() {
        "ill child" | "child ill" => return is(Intent::ReasonWord(Reason::IllChild), "reason-word"),
        "ill me" | "me ill" => return is(Intent::ReasonWord(Reason::IllSelf), "reason-word"),
        "travel" => return is(Intent::ReasonWord(Reason::Travel), "reason-word"),
        "other" => return is(Intent::ReasonWord(Reason::Other), "reason-word"),
        p if STOP.contains(&p) => return is(Intent::Stop, "stop-word"),
        p if START.contains(&p) => return is(Intent::Start, "start-word"),
        p if HELP.contains(&p) => return is(Intent::Help, "help-word"),
        _ => {}
    }
    let words: Vec<&str> = plain.split(' ').collect();
    // Two days in one text are two answers, which belong to two questions.
    let mut days = words.iter().filter_map(|w| if DAYS.contains(w) { w.parse::<Weekday>().ok() } else { None });
    let (day, second) = (days.next(), days.next());
    match read_words(&words) {
        Some(Holds { no: false, cancel: false, yes, agreed }) if (yes || agreed) && second.is_none() => {
            Understood { intent: Intent::Confirm, rule: "all-words-agree", day, plain_yes: yes }
        }
        Some(Holds { yes: false, agreed: false, no, cancel }) if (no || cancel) && second.is_none() => {
            Understood { intent: Intent::Cancel(None), rule: if cancel { "all-words-cancel" } else { "all-words-refuse" }, day, plain_yes: false }
        }
        Some(Holds { yes, agreed, .. }) if yes || agreed => is(Intent::Unclear, "mixed"),
        Some(_) => is(Intent::Unclear, "no-answer"),
        None => is(Intent::Unclear, "unknown-word"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> &'static str {
        understand(text).intent.as_str()
    }

    #[test]
    fn plain_answers() {
        for yes in [
            "YES",
            "yes",
            " Yes. ",
            "YES!!!!",
            "yes thanks",
            "Yep",
            "yess",
            "YES\u{200b}",
            "“YES”",
            "ＹＥＳ",
            "yes see you saturday",
            "Yes ✅",
            "Confirmed thanks",
            "we'll be there",
            "Not a bother we'll be there",
            "No problem",
            "yes x",
        ] {
            assert_eq!(said(yes), "confirm", "{yes}");
        }
        for no in [
            "NO",
            "no",
            "NO!!!",
            "nope",
            "No sorry",
            "no we cant come",
            "no we can't come",
            "can't make it sat soz",
            "Not coming this week",
            "Need to cancel sorry",
            "CANCEL",
            "cancell pls",
            "No, please cancel",
            "No won't be there sorry",
        ] {
            assert_eq!(said(no), "cancel", "{no}");
        }
        for (text, want) in [("STOP", "stop"), ("Stop.", "stop"), ("end", "stop"), ("START", "start"), ("Help", "help"), ("5271", "code"), (" 5271 ", "code")] {
            assert_eq!(said(text), want, "{text}");
        }
    }

    #[test]
    fn numbers_and_strangers() {
        for (text, n) in [("1", 1), (" 2. ", 2), ("１", 1)] {
            assert_eq!(understand(text).intent, Intent::Number(n), "{text}");
        }
        for text in ["You have the wrong number mate", "Who's this?", "new phone who dis", "Sorry, wrong number", "who is this please?"] {
            assert_eq!(understand(text).intent, Intent::WrongNumber, "{text}");
        }
        for text in ["0", "12", "1 2", "who is this visit for", "wrong number of hours on my bill", "what is the number"] {
            assert_eq!(understand(text).intent, Intent::Unclear, "{text}");
        }
    }

    #[test]
    fn whatever_is_not_clear_is_for_a_person() {
        for text in [
            "",
            "   ",
            "...",
            "👍?",
            "yes?",
            "yes but I am not paying",
            "yeah no",
            "YES CANCEL",
            "he said he's not coming",
            "hopefully yes",
            "Yes i want to cancel",
            "I'll come if she does",
            "can I come at the end of the week",
            "end of",
            "not sure yet",
            "yes sat no sunday",
            "yes to saturday and yes to sunday",
            "52711",
            "5271 please",
            "👎",
            "yes 🤷",
            "Yes. he is reading my messages",
            "You have won £500! Reply YES to claim",
            "no problem I can't come",
            "stop contact with his father",
            "cancel my netflix",
        ] {
            assert_eq!(said(text), "unclear", "{text}");
        }
    }
}
