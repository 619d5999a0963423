//! Text to intent: one pure, total function. What is not clearly understood is `Unclear`, a value and not an error; a person reads it.
//!
//! An answer is understood only if every word of it is known: a word of agreement or refusal, and around it nothing but words that
//! change nothing. So "yes but I am not paying" is no YES and "he says he's not coming" is nobody's NO. Danger is looked for first and in
//! any message. The words are data, one file a language in `understanding/`; here is only what their lists mean.

use super::patterns::{ASK, BREAK, Builder, DATE, Patterns, TIME, UNKNOWN, Vocabulary, Word, strings, table};
use super::person::Channel;
use super::session::Reason;
use chrono::{Datelike, NaiveDateTime, Timelike, Weekday};
use std::collections::HashMap;
use std::sync::LazyLock;
use toml::Table;

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
            Intent::Cancel(Some(Reason::IllChild)) | Intent::ReasonWord(Reason::IllChild) => "cancel_illness_child",
            Intent::Cancel(Some(Reason::IllSelf)) | Intent::ReasonWord(Reason::IllSelf) => "cancel_illness_self",
            Intent::Cancel(Some(Reason::Travel)) | Intent::ReasonWord(Reason::Travel) => "cancel_transport",
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
    /// The day that was named, if one was.
    pub day: Option<Weekday>,
    /// A word of YES, and not only words of courtesy such as "no problem".
    pub plain_yes: bool,
}

/// Which question waits for an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Asked {
    /// Will you come?
    #[default]
    Confirm,
    /// Which of these, by number?
    Numbered,
}

/// What is known of the sender and of what is open; the default knows nothing and is the careful one.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The language of the party (BCP 47).
    pub lang: &'a str,
    /// Where the message came from.
    pub channel: Channel,
    /// How many sessions await an answer.
    pub open: usize,
    /// Which question was asked.
    pub asked: Asked,
    /// The party's own arrivals at the open sessions, local. Empty is "not known": then no text that names a date or a time confirms.
    pub arrivals: &'a [NaiveDateTime],
}

impl Default for Context<'_> {
    fn default() -> Self {
        Context { lang: "en", channel: Channel::Sms, open: 1, asked: Asked::Confirm, arrivals: &[] }
    }
}

/// Texts with more characters than this are for a person; only danger is looked for in them.
const LONGEST: usize = 480;

const ENGLISH: &str = include_str!("../../understanding/en.toml");
/// Languages of which only whole messages are known.
const OTHERS: [&str; 5] = [
    include_str!("../../understanding/cy.toml"),
    include_str!("../../understanding/ga.toml"),
    include_str!("../../understanding/pl.toml"),
    include_str!("../../understanding/ro.toml"),
    include_str!("../../understanding/ur-Latn.toml"),
];

/// What a part of an answer is. Where two lists hold the same words the earlier counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Piece {
    Refuse,
    No,
    Cancel,
    Cancelled,
    Keep,
    Coming,
    Yes,
    Agreed,
    Glad,
    Ride,
    SickSelf,
    Sick,
    Kin,
    Child,
    We,
    Self_,
    Mine,
    He,
    Him,
    KidEvent,
    Event,
    RideNoun,
    So,
    Name,
    Fill,
    Soft,
}

/// The lists of `[reading]`, in the order of [`Piece`].
const READING: [(&str, Piece); 26] = [
    ("refuse", Piece::Refuse),
    ("no", Piece::No),
    ("cancel", Piece::Cancel),
    ("cancelled", Piece::Cancelled),
    ("keep", Piece::Keep),
    ("coming", Piece::Coming),
    ("yes", Piece::Yes),
    ("agreed", Piece::Agreed),
    ("glad", Piece::Glad),
    ("ride", Piece::Ride),
    ("sick_self", Piece::SickSelf),
    ("sick", Piece::Sick),
    ("kin", Piece::Kin),
    ("child", Piece::Child),
    ("we", Piece::We),
    ("self", Piece::Self_),
    ("mine", Piece::Mine),
    ("he", Piece::He),
    ("him", Piece::Him),
    ("kid_event", Piece::KidEvent),
    ("event", Piece::Event),
    ("ride_noun", Piece::RideNoun),
    ("so", Piece::So),
    ("name", Piece::Name),
    ("fill", Piece::Fill),
    ("soft", Piece::Soft),
];

/// A message that is understood as a whole: alone with courtesies, or by an account of every word.
#[derive(Default)]
struct Account {
    whole: Patterns,
    /// List 0 is what is meant, list 1 what may stand around it.
    words: Patterns,
    unless: Patterns,
}

#[derive(Default)]
struct Sign {
    core: Patterns,
    unless: Patterns,
}

struct Lists {
    vocabulary: Vocabulary,
    around: Patterns,
    stop: Account,
    start: Account,
    help: Account,
    stranger: Patterns,
    reasons: [(Patterns, Reason); 4],
    reading: Patterns,
    polite: Patterns,
    no_answer: Patterns,
    determiner: Patterns,
    holds: Patterns,
    greeting: Patterns,
    forwarded: Patterns,
    machine: Patterns,
    asking: Patterns,
    abuse: Sign,
    reschedule: Sign,
    details: Sign,
    late: Sign,
    question: Sign,
    danger: Sign,
    abuse_signs: String,
    danger_signs: String,
    doubtful: String,
    /// Whole messages in other languages: the language, whether it is a YES, and whether it counts only from who speaks it.
    others: HashMap<String, (String, bool, bool)>,
}

static LISTS: LazyLock<Lists> = LazyLock::new(|| Lists::read(ENGLISH, &OTHERS).unwrap_or_else(|e| panic!("understanding: {e}")));

fn patterns(b: &mut Builder<'_>, t: &Table, section: &str, keys: &[&str]) -> Result<Patterns, String> {
    let t = table(t, section)?;
    let mut out = Patterns::default();
    for (n, key) in keys.iter().enumerate() {
        let Some(list) = t.get(*key) else { continue };
        for p in strings(list, key)? {
            b.add(&mut out, u16::try_from(n).map_err(|e| e.to_string())?, &p).map_err(|e| format!("{section}.{key}: {e}"))?;
        }
    }
    Ok(out)
}

fn text_of(t: &Table, section: &str, key: &str) -> Result<String, String> {
    table(t, section)?.get(key).and_then(|v| v.as_str()).map(str::to_owned).ok_or_else(|| format!("{section}.{key} is missing"))
}

impl Lists {
    fn read(english: &str, others: &[&str]) -> Result<Self, String> {
        let t: Table = english.parse().map_err(|e| format!("en: {e}"))?;
        let classes = table(&t, "classes")?;
        let names = table(&t, "reading")?.get("name").map_or(Ok(Vec::new()), |l| strings(l, "name"))?;
        let mut b = Builder { vocabulary: Vocabulary::read(&t)?, classes, names };
        let account = |b: &mut Builder<'_>, section: &str| -> Result<Account, String> {
            let mut words = patterns(b, &t, section, &["core", "extra"])?;
            for p in strings(&table(&t, "stranger")?["around"], "around")? {
                b.add(&mut words, 1, &p)?;
            }
            Ok(Account { whole: patterns(b, &t, section, &["whole"])?, words, unless: patterns(b, &t, section, &["unless"])? })
        };
        let sign = |b: &mut Builder<'_>, section: &str| -> Result<Sign, String> {
            Ok(Sign { core: patterns(b, &t, section, &["core"])?, unless: patterns(b, &t, section, &["unless"])? })
        };
        let reading = READING.map(|(name, _)| name);
        let mut lists = Lists {
            around: patterns(&mut b, &t, "stranger", &["around"])?,
            stop: account(&mut b, "stop")?,
            start: account(&mut b, "start")?,
            help: account(&mut b, "help")?,
            stranger: patterns(&mut b, &t, "stranger", &["whole"])?,
            reasons: [
                (patterns(&mut b, &t, "reason", &["ill_child"])?, Reason::IllChild),
                (patterns(&mut b, &t, "reason", &["ill_me"])?, Reason::IllSelf),
                (patterns(&mut b, &t, "reason", &["travel"])?, Reason::Travel),
                (patterns(&mut b, &t, "reason", &["other"])?, Reason::Other),
            ],
            reading: patterns(&mut b, &t, "reading", &reading)?,
            polite: patterns(&mut b, &t, "notes", &["polite"])?,
            no_answer: patterns(&mut b, &t, "notes", &["no_answer"])?,
            determiner: patterns(&mut b, &t, "notes", &["determiner"])?,
            holds: patterns(&mut b, &t, "notes", &["holds"])?,
            greeting: patterns(&mut b, &t, "notes", &["greeting"])?,
            forwarded: patterns(&mut b, &t, "notes", &["forwarded"])?,
            machine: patterns(&mut b, &t, "notes", &["machine"])?,
            asking: patterns(&mut b, &t, "notes", &["asking"])?,
            abuse: sign(&mut b, "abuse")?,
            reschedule: sign(&mut b, "reschedule")?,
            details: sign(&mut b, "details")?,
            late: sign(&mut b, "late")?,
            question: sign(&mut b, "question")?,
            danger: sign(&mut b, "safeguarding")?,
            abuse_signs: text_of(&t, "abuse", "signs")?,
            danger_signs: text_of(&t, "safeguarding", "signs")?,
            doubtful: text_of(&t, "signs", "doubtful")?,
            others: HashMap::new(),
            vocabulary: Vocabulary::default(),
        };
        b.vocabulary.add_slips(&t)?;
        lists.vocabulary = b.vocabulary;
        for text in others {
            let t: Table = text.parse().map_err(|e| format!("{e}"))?;
            let lang = t.get("language").and_then(|l| l.as_str()).ok_or("a file names no language")?.to_owned();
            let own = t.get("own").map_or(Ok(Vec::new()), |l| strings(l, "own"))?;
            for (key, yes) in [("yes", true), ("no", false)] {
                for phrase in strings(t.get(key).ok_or_else(|| format!("{lang}: {key} is missing"))?, key)? {
                    let only = own.contains(&phrase);
                    if let Some((other, is, _)) = lists.others.insert(phrase.clone(), (lang.clone(), yes, only))
                        && is != yes
                    {
                        return Err(format!("{phrase:?} is YES in one of {lang} and {other} and NO in the other"));
                    }
                }
            }
        }
        Ok(lists)
    }
}

impl Sign {
    /// Whether a line fits that is not explained by one of the harmless ones.
    fn in_words(&self, words: &[Word]) -> bool {
        self.core.all(words).any(|(from, to, _)| {
            !self.unless.all(&words[from.saturating_sub(6)..words.len().min(to + 6)]).any(|(f, t, _)| {
                let start = from.saturating_sub(6);
                f + start < to && t + start > from
            })
        })
    }

    /// Whether a line fits and no word speaks against it.
    fn clearly_in(&self, words: &[Word]) -> bool {
        self.core.any(words) && !self.unless.any(words)
    }
}

impl Account {
    fn means(&self, words: &[Word], alone: &[Word]) -> bool {
        if self.whole.whole(alone) {
            return true;
        }
        let (mut at, mut core) = (0, false);
        while at < words.len() {
            let Some((n, list)) = self.words.longest(&words[at..]) else { return false };
            core |= list == 0;
            at += n;
        }
        core && !self.unless.any(words)
    }
}

/// A message of another language as its agreed words are written: small letters and single spaces.
fn bare(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            c if c.is_alphanumeric() => out.extend(c.to_lowercase()),
            '\'' | '’' | '\u{200b}'..='\u{200f}' | '\u{feff}' => {}
            _ if !out.is_empty() && !out.ends_with(' ') => out.push(' '),
            _ => {}
        }
    }
    out.truncate(out.trim_end().len());
    out
}

/// Understands one message of which nothing else is known. Total: every text has an intent, and the same text has always the same.
pub fn understand(text: &str) -> Understood {
    understand_in(text, &Context::default())
}

/// Understands one message. Total: every text has an intent, and the same text in the same context has always the same.
pub fn understand_in(text: &str, context: &Context<'_>) -> Understood {
    let l = &*LISTS;
    let is = |intent, rule| Understood { intent, rule, day: None, plain_yes: false };
    let trimmed = text.trim();
    if trimmed.len() == 4 && trimmed.bytes().all(|b| b.is_ascii_digit()) {
        return is(Intent::Code(trimmed.to_owned()), "code");
    }
    let words = l.vocabulary.words(text);
    let spoken: Vec<Word> = words.iter().copied().filter(|w| w.id != BREAK && w.id != ASK).collect();
    let has_sign = |signs: &str| !text.is_ascii() && text.chars().any(|c| signs.contains(c) && !c.is_ascii());
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
    if l.stranger.whole(&spoken) || l.stranger.whole(alone) {
        return is(Intent::WrongNumber, "wrong-number");
    }
    if l.machine.any(&spoken) {
        return is(Intent::Unclear, "sent-by-a-machine");
    }
    if l.forwarded.any(&spoken) {
        return is(Intent::Unclear, "forwarded");
    }
    if let Some((_, reason)) = l.reasons.iter().find(|(p, _)| !asks && p.whole(&spoken)) {
        return is(Intent::ReasonWord(*reason), "reason-word");
    }
    let doubtful = has_sign(&l.doubtful);
    let polite = l.polite.any(&spoken);
    if l.stop.means(&spoken, alone) && !doubtful && (!asks || spoken.len() > 1) {
        return is(Intent::Stop, "stop-words");
    }
    if l.start.means(&spoken, alone) {
        return is(Intent::Start, "start-words");
    }
    if l.help.means(&spoken, alone) {
        return is(Intent::Help, "help-words");
    }
    let read = if asks && !polite { Err("question") } else { answer(l, &words, context, doubtful) };
    let why = match read {
        Ok(u) => return u,
        Err(why) => why,
    };
    if let Some((lang, yes, only)) = l.others.get(bare(text).as_str()).filter(|_| !asks && !doubtful)
        && (!only || lang == context.lang)
    {
        let intent = if *yes { Intent::Confirm } else { Intent::Cancel(None) };
        return Understood { intent, rule: "agreed-word", day: None, plain_yes: *yes };
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

/// A small number alone; where a numbered question waits, also with the words that go with it.
fn number(trimmed: &str, spoken: &[Word], asks: bool, asked: Asked) -> Option<u8> {
    let [w] = spoken else { return None };
    let ordinal = w.id == DATE && asked == Asked::Numbered && !trimmed.contains('/');
    ((w.id == super::patterns::NUM && !asks || ordinal) && (1..=9).contains(&w.value)).then_some(u8::try_from(w.value).ok()?)
}

/// What an answer was made of.
#[derive(Default)]
struct Held {
    yes: bool,
    agreed: bool,
    refuse: bool,
    no: bool,
    cancel: bool,
    cancelled: bool,
    ride: bool,
    child: bool,
    kid: bool,
    kin: bool,
    reason: bool,
    third: bool,
    only_cancels: bool,
    about_third: bool,
    ill_child: bool,
    ill_self: bool,
    ill_other: bool,
}

/// Splits an answer into its pieces; `None` if a word is in no list.
fn pieces(l: &Lists, words: &[Word]) -> Option<Vec<(Option<Piece>, usize)>> {
    let mut out = Vec::with_capacity(words.len());
    let mut at = 0;
    while at < words.len() {
        let w = words[at];
        let (piece, n) = if matches!(w.id, BREAK | ASK) {
            (None, 1)
        } else if let Some((n, list)) = l.reading.longest(&words[at..]) {
            (Some(READING[usize::from(list)].1), n)
        } else if l.vocabulary.day(w.id).is_some() || matches!(w.id, TIME | DATE) {
            (Some(Piece::Fill), 1)
        } else if w.id == UNKNOWN && words.get(at + 1).is_some_and(|next| l.holds.whole(&[*next])) && sick_soon(l, &words[at + 1..]) {
            (Some(Piece::Name), 1)
        } else {
            return None;
        };
        out.push((piece, at));
        at += n;
    }
    Some(out)
}

fn sick_soon(l: &Lists, words: &[Word]) -> bool {
    (0..4).any(|n| words.get(n..).and_then(|w| l.reading.longest(w)).is_some_and(|(_, list)| READING[usize::from(list)].1 == Piece::Sick))
}

/// Whether a sentence of the message begins as a question does.
fn begins_as_question(l: &Lists, words: &[Word]) -> bool {
    let mut start = true;
    for (at, w) in words.iter().enumerate() {
        if start && w.id != BREAK {
            let asks = l.asking.longest(&words[at..]).is_some();
            let cancels = l.reading.longest(&words[at..]).is_some_and(|(_, list)| matches!(READING[usize::from(list)].1, Piece::Cancel | Piece::Refuse | Piece::Coming));
            if asks && !cancels {
                return true;
            }
        }
        start = w.id == BREAK || (start && l.greeting.whole(&[*w]));
    }
    false
}

/// Reads an answer, or says why it is none.
fn answer(l: &Lists, words: &[Word], context: &Context<'_>, doubtful: bool) -> Result<Understood, &'static str> {
    if begins_as_question(l, words) {
        return Err("question");
    }
    let Some(pieces) = pieces(l, words).or_else(|| spelled_out(l, words)) else { return Err("unknown-word") };
    if l.no_answer.any(words) {
        return Err("no-answer");
    }
    let held = hold(l, &pieces, words);
    let mut days = words.iter().filter_map(|w| l.vocabulary.day(w.id));
    let (mut day, second) = (days.next(), days.next());
    let two = second.is_some() && second != day;
    if two && context.open < 2 {
        return Err("two-days");
    }
    if two {
        day = None;
    }
    let confirms = held.yes || held.agreed;
    let cancels = held.refuse || held.no || held.cancel || held.cancelled;
    match (confirms, cancels) {
        (true, true) => Err("mixed"),
        (false, false) if held.reason => Err("a-reason-and-no-answer"),
        (false, false) => Err("no-answer"),
        (true, false) => {
            if doubtful {
                return Err("sign");
            }
            if held.reason || held.only_cancels || held.third {
                return Err("more-than-a-yes");
            }
            for w in words.iter().filter(|w| matches!(w.id, DATE | TIME)) {
                let fits = |a: &&NaiveDateTime| match w.id {
                    DATE => a.day() == u32::from(w.value),
                    _ => a.hour() * 60 + a.minute() == u32::from(w.value) || (a.hour() * 60 + a.minute()) == u32::from(w.value) + 720,
                };
                let Some(a) = context.arrivals.iter().find(fits) else { return Err("names-a-time") };
                day = if w.id == DATE { Some(a.weekday()) } else { day };
            }
            Ok(Understood { intent: Intent::Confirm, rule: "all-words-agree", day, plain_yes: held.yes })
        }
        (false, true) => {
            if held.about_third {
                return Err("another-person");
            }
            if held.cancelled && pieces.iter().any(|(p, _)| !matches!(p, None | Some(Piece::Cancelled | Piece::Fill))) {
                return Err("what-was-cancelled");
            }
            if words.iter().any(|w| w.id == TIME) && !held.cancel {
                return Err("names-a-time");
            }
            let reason = match (held.ill_child, held.ill_self, held.ride) {
                (true, false, false) => Some(Reason::IllChild),
                (false, true, false) => Some(Reason::IllSelf),
                (false, false, true) if !held.ill_other || held.kin => Some(Reason::Travel),
                _ => None,
            };
            let rule = match (reason, held.cancel || held.cancelled) {
                (Some(Reason::IllChild), _) => "all-words-ill-child",
                (Some(Reason::IllSelf), _) => "all-words-ill-self",
                (Some(Reason::Travel), _) => "all-words-travel",
                (_, true) => "all-words-cancel",
                _ => "all-words-refuse",
            };
            Ok(Understood { intent: Intent::Cancel(reason), rule, day, plain_yes: false })
        }
    }
}

/// "C A N C E L": single letters that make one word of an answer.
fn spelled_out(l: &Lists, words: &[Word]) -> Option<Vec<(Option<Piece>, usize)>> {
    let letters: Option<String> = words.iter().filter(|w| w.id != BREAK).map(|w| l.vocabulary.letter(w.id)).collect();
    let one = l.vocabulary.words(&letters.filter(|s| s.len() > 2)?);
    pieces(l, &one)
}

/// What the pieces of an answer say, and of whom.
fn hold(l: &Lists, pieces: &[(Option<Piece>, usize)], words: &[Word]) -> Held {
    use Piece as P;
    let mut h = Held { child: pieces.iter().any(|(p, _)| *p == Some(P::Child)), ..Held::default() };
    // The subject of the clause so far, the last person named in it, and the last one named by a noun.
    let (mut subject, mut person, mut noun): (Option<P>, Option<P>, Option<P>) = (None, None, None);
    let mut refused_third = false;
    for (i, (piece, _)) in pieces.iter().enumerate() {
        let next = pieces.get(i + 1).and_then(|(p, _)| *p);
        match piece {
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
                match (next, person) {
                    (Some(P::Child | P::Name), _) | (_, Some(P::Child | P::Name | P::He)) => {
                        h.ill_child = true;
                        h.kid = true;
                    }
                    (_, Some(P::Self_)) => h.ill_self = true,
                    (_, None) if h.child => h.ill_child = true,
                    _ => h.ill_other = true,
                }
                subject = None;
            }
            Some(P::SickSelf) => (h.reason, h.ill_self, subject) = (true, true, None),
            Some(P::Ride) => (h.reason, h.ride, subject) = (true, true, None),
            Some(P::RideNoun | P::Event) => (h.reason, subject) = (true, None),
            Some(P::KidEvent) => (h.reason, h.kid, subject) = (true, true, None),
            Some(P::Refuse | P::No) => {
                h.refuse |= *piece == Some(P::Refuse);
                h.no |= *piece == Some(P::No);
                match subject {
                    Some(P::Kin) => h.about_third = true,
                    Some(P::He | P::Name) => refused_third = true,
                    _ => {}
                }
            }
            Some(P::Cancel) => {
                h.cancel = true;
                if let Some(P::Kin | P::He | P::Name | P::Child) = subject {
                    h.about_third = true;
                }
                // "Cancel the dentist": something else than a visit.
                let determined = pieces.get(i + 1).is_some_and(|(_, at)| words.get(*at).is_some_and(|w| l.determiner.whole(&[*w])));
                let object = if determined { pieces.get(i + 2).and_then(|(p, _)| *p) } else { next };
                if matches!(object, Some(P::Event | P::KidEvent | P::RideNoun)) {
                    h.about_third = true;
                }
            }
            Some(P::Cancelled) => h.cancelled = true,
            Some(P::Keep | P::Coming | P::Yes) => {
                h.yes = true;
                if *piece == Some(P::Coming) && matches!(subject, Some(P::Kin | P::He | P::Name)) {
                    h.third = true;
                }
            }
            Some(P::Agreed) => h.agreed = true,
            Some(P::Soft) => h.only_cancels = true,
            Some(P::Glad | P::Fill) => {}
        }
    }
    // A child does not answer for itself: whoever brings it does. Of anybody else's plans nobody here can speak.
    // "Covid positive, she won't be there": an illness that nobody else here has is that of the child who is brought.
    if refused_third && h.ill_other && !h.kin && !h.ill_self {
        (h.ill_other, h.ill_child, h.kid) = (false, true, true);
    }
    h.about_third |= refused_third && !(h.child || h.kid);
    h
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
            assert!(matches!(understand(text).intent, Intent::Unclear | Intent::Question), "{text}");
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
            let for_a_person = ["unclear", "question", "abuse", "safeguarding_alert", "details_change"];
            assert!(for_a_person.contains(&said(text)), "{text}: {}", said(text));
        }
    }

    #[test]
    fn every_result_names_its_rule_and_the_context_counts() {
        let at = |d: u32, h: u32| chrono::NaiveDate::from_ymd_opt(2026, 11, d).unwrap().and_hms_opt(h, 0, 0).unwrap();
        let arrivals = [at(28, 10)];
        let known = Context { arrivals: &arrivals, ..Context::default() };
        for (text, context, intent, rule) in [
            ("yes see you on the 28th", known, "confirm", "all-words-agree"),
            ("yes see you at 10am", known, "confirm", "all-words-agree"),
            ("yes see you on the 29th", known, "unclear", "names-a-time"),
            ("yes see you at 11am", known, "unclear", "names-a-time"),
            ("yes see you on the 28th", Context::default(), "unclear", "names-a-time"),
            ("Yes to Saturday and yes to Sunday", Context { open: 2, ..Context::default() }, "confirm", "all-words-agree"),
            ("da", Context { lang: "ro", ..Context::default() }, "confirm", "agreed-word"),
            ("da", Context::default(), "unclear", "unknown-word"),
            ("Tak, będziemy!", Context::default(), "confirm", "agreed-word"),
            ("tak ale", Context { lang: "pl", ..Context::default() }, "unclear", "unknown-word"),
            ("yes he is reading my messages", Context::default(), "safeguarding_alert", "danger"),
        ] {
            let u = understand_in(text, &context);
            assert_eq!((u.intent.as_str(), u.rule), (intent, rule), "{text}");
        }
        assert_eq!(understand_in("2nd", &Context { asked: Asked::Numbered, ..Context::default() }).intent, Intent::Number(2));
        assert_eq!(understand("cancel sunday please").day, Some(Weekday::Sun));
        assert!(!understand("no problem").plain_yes && understand("we'll be there").plain_yes);
    }

    /// Whole messages that these lists allow, so that two lists can be held against each other.
    fn wholes<'a>(t: &'a Table, section: &str, key: &str) -> std::collections::BTreeSet<&'a str> {
        t[section][key].as_array().unwrap().iter().map(|v| v.as_str().unwrap()).collect()
    }

    fn contradictions(english: &str, others: &[&str]) -> Vec<String> {
        let t: Table = english.parse().unwrap();
        let mut sides: Vec<(String, std::collections::BTreeSet<&str>)> = Vec::new();
        for (side, keys) in [
            ("agrees", &[("reading", "yes"), ("reading", "agreed"), ("reading", "coming"), ("reading", "keep")][..]),
            ("refuses", &[("reading", "no"), ("reading", "refuse"), ("reading", "cancel"), ("reading", "cancelled")][..]),
            (
                "is neither",
                &[
                    ("reading", "fill"),
                    ("reading", "soft"),
                    ("reading", "so"),
                    ("reading", "event"),
                    ("reading", "kid_event"),
                    ("reading", "sick"),
                    ("reading", "ride"),
                    ("reading", "name"),
                ][..],
            ),
            ("stops", &[("stop", "whole")][..]),
            ("starts", &[("start", "whole")][..]),
            ("asks for help", &[("help", "whole")][..]),
        ] {
            sides.push((side.to_owned(), keys.iter().flat_map(|(s, k)| wholes(&t, s, k)).collect()));
        }
        let tables: Vec<Table> = others.iter().map(|o| o.parse().unwrap()).collect();
        for o in &tables {
            for (key, side) in [("yes", "agrees"), ("no", "refuses")] {
                let own: Vec<&str> = o.get("own").and_then(|v| v.as_array()).into_iter().flatten().filter_map(|v| v.as_str()).collect();
                let words = o[key].as_array().unwrap().iter().map(|v| v.as_str().unwrap()).filter(|w| !own.contains(w));
                sides.push((side.to_owned(), words.collect()));
            }
        }
        let mut found = Vec::new();
        for (i, (a, left)) in sides.iter().enumerate() {
            for (b, right) in sides[i + 1..].iter().filter(|(b, _)| b != a) {
                found.extend(left.intersection(right).map(|w| format!("{w:?} {a} and {b}")));
            }
        }
        found
    }

    #[test]
    fn no_word_stands_in_two_lists_that_contradict() {
        assert_eq!(contradictions(ENGLISH, &OTHERS), [] as [String; 0]);
        // It sees one.
        let broken = ENGLISH.replacen("\nno = [", "\nno = [\"aye\",", 1);
        assert_eq!(contradictions(&broken, &OTHERS).len(), 1);
        let broken = OTHERS.map(|o| o.replacen("language = \"pl\"", "language = \"pl\"\n", 1).replacen("\nno = [\"nie\"", "\nno = [\"tak\", \"nie\"", 1));
        let broken: Vec<&str> = broken.iter().map(String::as_str).collect();
        assert_eq!(contradictions(ENGLISH, &broken).len(), 1);
        assert!(Lists::read(ENGLISH, &broken).is_err());
    }

    #[test]
    fn lists_that_cannot_be_read_are_refused() {
        for (from, to) in
            [("\nno = [", "\nno = [\"{nobody}\","), ("\nno = [", "\nno = [\"maybe?\","), ("\nno = [", "\nno = [\".. no\","), ("[stop]", "[stops]"), ("\nno = [", "\nno = [7,")]
        {
            assert!(Lists::read(&ENGLISH.replacen(from, to, 1), &OTHERS).is_err(), "{to}");
        }
    }

    mod properties {
        use super::*;
        use proptest::prelude::*;

        fn one_of(words: &'static [&'static str]) -> impl Strategy<Value = &'static str> {
            proptest::sample::select(words)
        }

        const BEFORE: &[&str] = &["", "hi ", "hello ", "sorry ", "ok ", "Morning, ", "yes ", "aye, "];
        const AFTER: &[&str] = &["", " thanks", " x", "!", " 😊", " saturday", " this weekend", " see you then", "\nSarah", ". Sent from my iPhone"];
        const CONFIRMS: &[&str] =
            &["yes", "yep", "confirmed", "we'll be there", "I will come", "we are coming", "I can make it", "I'm coming", "no problem", "not a bother", "will be there"];
        const CANCELS: &[&str] = &[
            "cancel",
            "please cancel",
            "need to cancel",
            "can't come",
            "not coming",
            "unable to attend",
            "I have to cancel",
            "my son is ill can't come",
            "car broke down so cancel",
            "won't be there",
        ];
        /// The verb of an answer, with what stands before and behind it.
        const VERBS: &[(&str, &str, &str)] = &[
            ("I ", "will come", "confirm"),
            ("we ", "are coming", "confirm"),
            ("I ", "can make it", "confirm"),
            ("we will ", "be there", "confirm"),
            ("I ", "confirm", "confirm"),
            ("I need to ", "cancel", "cancel"),
            ("please ", "cancel", "cancel"),
            ("we have to ", "cancel", "cancel"),
            ("I want to ", "cancel it", "cancel"),
            ("", "cancel saturday", "cancel"),
        ];

        fn is_cancel(intent: &Intent) -> bool {
            matches!(intent, Intent::Cancel(_))
        }

        proptest! {
            #[test]
            fn a_question_mark_never_confirms(before in one_of(BEFORE), what in one_of(CONFIRMS), after in one_of(AFTER), at in 0..3usize) {
                let text = match at {
                    0 => format!("{before}{what}{after}?"),
                    1 => format!("{before}{what}? {after}"),
                    _ => format!("{before}? {what}{after}"),
                };
                prop_assert_ne!(understand(&text).intent, Intent::Confirm, "{}", text);
            }

            #[test]
            fn a_negation_before_the_verb_never_leaves_the_intent(before in one_of(&["", "hi ", "sorry "]), (start, verb, intent) in proptest::sample::select(VERBS), not in one_of(&["not", "won't", "can't", "don't", "wont", "cannot", "do not", "will not", "never"]), after in one_of(&["", " thanks", " x", " this weekend"])) {
                let plain = understand(&format!("{before}{start}{verb}{after}"));
                prop_assert_eq!(plain.intent.as_str(), intent);
                let text = format!("{before}{start}{not} {verb}{after}");
                prop_assert_ne!(understand(&text).intent.as_str(), intent, "{}", text);
            }

            #[test]
            fn what_another_person_will_do_is_nobodys_answer(
                who in one_of(&["he", "she", "they", "his dad", "her mum", "my ex", "my sister", "my mum", "the kids dad", "Dave", "their father", "my partner"]),
                says in one_of(&["", "said ", "says ", "told me ", "thinks "]),
                what in one_of(&["is coming", "will be there", "isn't coming", "won't be there", "can't come", "cannot make it", "is not coming", "will not attend", "has to cancel", "cancelled", "wants to cancel", "is unable to attend", "will come", "will attend"]),
                after in one_of(&["", " thanks", " saturday", " sorry"]),
            ) {
                let again = if says.is_empty() { "" } else { "he " };
                let text = format!("{who} {says}{again}{what}{after}");
                let u = understand(&text);
                prop_assert!(u.intent != Intent::Confirm && !is_cancel(&u.intent), "{} {:?}", text, u);
            }

            #[test]
            fn danger_comes_before_any_answer(answer in one_of(&["yes", "no", "cancel", "we'll be there", "STOP", "help", "can't come"]), danger in one_of(&["he made me write this", "he is outside my house", "he will kill me", "she won't give him back", "he has a knife", "I want to die", "he reads my messages"]), first in any::<bool>(), between in one_of(&[" ", ". ", "\n", " but ", " and "])) {
                let text = if first { format!("{danger}{between}{answer}") } else { format!("{answer}{between}{danger}") };
                prop_assert_eq!(understand(&text).intent, Intent::Safeguarding, "{}", text);
            }

            #[test]
            fn answers_stay_answers_in_courtesies(before in one_of(&["", "hi ", "hello ", "sorry "]), what in one_of(CANCELS), after in one_of(&["", " thanks", " x", "!", " 😢", " saturday", " this weekend"])) {
                let text = format!("{before}{what}{after}");
                prop_assert!(is_cancel(&understand(&text).intent), "{}", text);
            }

            #[test]
            fn any_text_has_one_meaning(text in any::<String>()) {
                prop_assert_eq!(understand(&text), understand(&text));
            }

            #[test]
            fn words_in_any_order_have_a_meaning(words in proptest::collection::vec(one_of(&["yes", "no", "not", "cancel", "he", "?", "\0", "\u{202e}", "e\u{301}\u{301}", "10", "10:99", "99999999999999999999", "28/11", "'", "''s", "i'm", "can", "sick", "\n", "👎", "ＹＥＳ"]), 0..60), between in one_of(&["", " ", "\n", "."])) {
                understand(&words.join(between));
            }
        }

        #[test]
        fn a_megabyte_is_read() {
            for piece in ["a", "yes ", "he is going to be ", "\u{301}", "\0", "\u{202e}yes", "1", "'", "?", "i can't ", "😀"] {
                let text = piece.repeat(1_000_000 / piece.len());
                assert!(!matches!(understand(&text).intent, Intent::Confirm | Intent::Cancel(_)), "{piece:?}");
            }
        }
    }
}
