//! The rules of words, one by one, with the kinds of message in which each does not count.

use crate::domain::outgoing::lint::required::missing;
use crate::domain::outgoing::lint::{ForbiddenWords, plain};
use crate::domain::outgoing::message::MessageKind;
use crate::domain::outgoing::say::Say;

/// The first characters of a text, which a locked phone shows in any case.
pub const OPENING: usize = 40;

/// Words by which a text service takes a phone off for good. Whoever is asked to answer with one of
/// them gets nothing more.
const OPT_OUT: [&str; 8] = [
    "CANCEL",
    "END",
    "QUIT",
    "STOP",
    "STOPALL",
    "UNSUBSCRIBE",
    "REVOKE",
    "OPTOUT",
];

/// What a text breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LintRule {
    /// It names a child.
    Child,
    /// It names a reason.
    Reason,
    /// It names a court, a lawyer or an authority.
    Court,
    /// It names a doctor.
    Doctor,
    /// It names the other parent.
    OtherParent,
    /// It names what kind of place this is.
    Place,
    /// It speaks of money or a note where neither belongs.
    Money,
    /// It says that nothing is charged where that is not known.
    NoCharge,
    /// It names an amount.
    Amount,
    /// It offers a word to answer with that takes the phone off.
    OptOut,
    /// It holds a link.
    Link,
    /// Its first characters do not say who writes, or say more than that.
    Opening,
    /// It asks, and does not print the words to answer with.
    Answers,
    /// It does not say what its kind is there to say.
    Missing,
    /// It names a cause where none is given.
    Cause,
    /// It says what its kind of message may not say.
    NotHere,
    /// It commands, warns or shouts.
    Tone,
}

impl LintRule {
    /// Every rule.
    pub const ALL: [LintRule; 17] = [
        LintRule::Child,
        LintRule::Reason,
        LintRule::Court,
        LintRule::Doctor,
        LintRule::OtherParent,
        LintRule::Place,
        LintRule::Money,
        LintRule::NoCharge,
        LintRule::Amount,
        LintRule::OptOut,
        LintRule::Link,
        LintRule::Opening,
        LintRule::Answers,
        LintRule::Missing,
        LintRule::Cause,
        LintRule::NotHere,
        LintRule::Tone,
    ];
}

/// A rule that a text breaks, and by which words.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LintFinding {
    /// The rule.
    pub rule: LintRule,
    /// The words.
    pub word: String,
}

impl LintFinding {
    pub(super) fn new(rule: LintRule, word: impl Into<String>) -> LintFinding {
        LintFinding {
            rule,
            word: word.into(),
        }
    }

    /// What is wrong.
    pub fn what(&self) -> String {
        let w = &self.word;
        match self.rule {
            LintRule::Child => format!("it names a child ({w:?})"),
            LintRule::Reason => format!("it names a reason ({w:?})"),
            LintRule::Court => format!("it names a court, a lawyer or an authority ({w:?})"),
            LintRule::Doctor => format!("it names a doctor ({w:?})"),
            LintRule::OtherParent => format!("it names the other parent ({w:?})"),
            LintRule::Place => format!("it names what kind of place this is ({w:?})"),
            LintRule::Money => format!("it speaks of money or a note ({w:?})"),
            LintRule::NoCharge => format!("it says that nothing is charged ({w:?})"),
            LintRule::Amount => format!("it names an amount ({w:?})"),
            LintRule::OptOut => {
                format!("it offers {w:?} as an answer, which takes the phone off all texts")
            }
            LintRule::Link => format!("it holds a link ({w:?})"),
            LintRule::Opening => format!("its first {OPENING} characters are not neutral ({w:?})"),
            LintRule::Answers => format!("it asks, and does not print {w:?} to answer with"),
            LintRule::Missing => format!("it does not say {w}"),
            LintRule::Cause => format!("it hints at a cause or at who it was ({w:?})"),
            LintRule::NotHere => format!("it says {w:?}, which this kind of message may not"),
            LintRule::Tone => format!("it commands, warns or shouts ({w:?})"),
        }
    }

    /// How a template is mended.
    pub fn fix(&self) -> &'static str {
        match self.rule {
            LintRule::Child | LintRule::Reason => {
                "Take it out; only cancel_reason_ask may offer such words to choose from."
            }
            LintRule::Court | LintRule::OtherParent | LintRule::Place => {
                "Take it out; no text to a parent says so."
            }
            LintRule::Doctor => {
                "Take it out or say \"the note\"; only note_request says whose note it is."
            }
            LintRule::Money => {
                "Take it out; only the texts about money, a change of the fees, closure, the \
                 confirmation and one's own cancellation speak of it."
            }
            LintRule::NoCharge => {
                "Take it out; only closure, note_request and an acknowledgement in time may \
                 promise it."
            }
            LintRule::Amount => "Take it out; only fee_notice names an amount.",
            LintRule::OptOut => {
                "Offer the language's words for YES and NO; only welcome, help and start_ack name \
                 STOP, as the way to end texts."
            }
            LintRule::Link => "Take it out; texts from the centre never hold a link.",
            LintRule::Opening => {
                "Begin with {{ centre }}: and the visit, and say the rest after that; a locked \
                 phone shows the beginning."
            }
            LintRule::Answers => "Print it in capitals, as in the built-in text.",
            LintRule::Missing => "Say it as the built-in text does.",
            LintRule::Cause => {
                "Take it out; that a visit is off, on again or moved is said without any cause."
            }
            LintRule::NotHere => "Take it out; wording of this kind stands in the built-in text.",
            LintRule::Tone => "Say it as a courtesy: please, and no exclamation mark or picture.",
        }
    }

    /// What is wrong with words of staff, and how they are mended.
    pub fn in_staffs_words(&self) -> String {
        match self.rule {
            LintRule::Link => format!("{}; texts from the centre never do", self.what()),
            LintRule::OptOut => format!("{}; leave it out", self.what()),
            _ => format!(
                "{}, which may be read over a shoulder; say it on the phone",
                self.what()
            ),
        }
    }
}

/// The lists of words with their rules.
fn lists(refused: &ForbiddenWords) -> [(LintRule, &[String]); 8] {
    [
        (LintRule::Child, &refused.child),
        (LintRule::Reason, &refused.reason),
        (LintRule::Court, &refused.court),
        (LintRule::Doctor, &refused.doctor),
        (LintRule::OtherParent, &refused.other_parent),
        (LintRule::Place, &refused.place),
        (LintRule::Money, &refused.money),
        (LintRule::NoCharge, &refused.no_charge),
    ]
}

/// A line of a list as it is compared: plain, and with its `*`.
pub fn entry(line: &str) -> String {
    format!(
        "{}{}",
        plain(line),
        if line.trim_end().ends_with('*') {
            "*"
        } else {
            ""
        }
    )
}

/// Whether a text holds one of these entries.
pub(super) fn says(text: &str, entries: &[String]) -> bool {
    let text = plain(text);
    let tokens: Vec<&str> = text.split(' ').collect();
    entries.iter().any(|e| hit(&tokens, e).is_some())
}

/// The words of `text` that an entry stands for.
fn hit(tokens: &[&str], entry: &str) -> Option<String> {
    let (entry, open) = entry
        .strip_suffix('*')
        .map_or((entry, false), |e| (e, true));
    let wanted: Vec<&str> = entry.split(' ').collect();
    let (last, before) = wanted.split_last().filter(|(last, _)| !last.is_empty())?;
    let found = tokens.windows(wanted.len()).find(|w| {
        let (end, start) = (w[w.len() - 1], &w[..w.len() - 1]);
        start == before
            && if open {
                end.starts_with(last)
            } else {
                end == *last
            }
    })?;
    Some(found.join(" "))
}

/// Everything in a text that one of the rules of words refuses, wherever it may stand.
pub fn in_words(text: &str, refused: &ForbiddenWords) -> Vec<LintFinding> {
    let text_plain = plain(text);
    let tokens: Vec<&str> = text_plain.split(' ').collect();
    let mut out = Vec::new();
    for (rule, list) in lists(refused) {
        out.extend(
            list.iter()
                .find_map(|e| hit(&tokens, e))
                .map(|word| LintFinding::new(rule, word)),
        );
    }
    // What says that nothing is charged speaks of money anyway.
    if out.iter().any(|f| f.rule == LintRule::NoCharge) {
        out.retain(|f| f.rule != LintRule::Money);
    }
    out.extend(amount(text, &tokens, refused).map(|word| LintFinding::new(LintRule::Amount, word)));
    out.extend(
        opt_out(text, refused)
            .into_iter()
            .map(|word| LintFinding::new(LintRule::OptOut, word)),
    );
    out.extend(link(text).map(|word| LintFinding::new(LintRule::Link, word)));
    out
}

fn amount(text: &str, tokens: &[&str], refused: &ForbiddenWords) -> Option<String> {
    let sign = text
        .chars()
        .find(|c| matches!(c, '£' | '€' | '$'))
        .map(String::from);
    let number = |t: &str| t.chars().all(|c| c.is_ascii_digit()) && !t.is_empty();
    sign.or_else(|| {
        tokens.windows(2).filter(|w| number(w[0])).find_map(|w| {
            let code = matches!(w[1], "gbp" | "eur" | "pln" | "ron");
            (code || refused.amount.iter().any(|e| hit(&w[1..], e).is_some())).then(|| w.join(" "))
        })
    })
}

/// Every word of opting out that is offered as an answer, once each.
fn opt_out(text: &str, refused: &ForbiddenWords) -> Vec<String> {
    let words: Vec<&str> = text
        .split(|c: char| !c.is_alphanumeric())
        .filter(|w| !w.is_empty())
        .collect();
    let offered = words.iter().enumerate().filter(|(i, w)| {
        let is = OPT_OUT.contains(&w.to_uppercase().as_str());
        let asked = i
            .checked_sub(1)
            .is_some_and(|b| refused.reply.contains(&plain(words[b])));
        is && (asked || w.chars().all(char::is_uppercase))
    });
    let mut found: Vec<String> = offered.map(|(_, w)| (*w).to_owned()).collect();
    found.sort();
    found.dedup();
    found
}

/// Ends of names of hosts. Some that are words of sentences are left out: after a full stop without
/// a space they would be found in any text.
const TOPS: [&str; 42] = [
    "com", "org", "net", "uk", "ie", "me", "ly", "co", "info", "io", "app", "link", "page", "site",
    "online", "eu", "scot", "wales", "cymru", "london", "gl", "gd", "tk", "xyz", "biz", "gov",
    "edu", "example", "im", "cc", "tv", "pl", "ro", "pk", "goo", "dev", "care", "chat", "club",
    "shop", "support", "click",
];

fn link(text: &str) -> Option<String> {
    let lower = text.to_lowercase();
    let is = |w: &&str| {
        let bare = w.trim_matches(|c: char| !c.is_alphanumeric());
        let host = bare.split(['/', '?', '#', ':']).next().unwrap_or("");
        let named = host
            .rsplit_once('.')
            .is_some_and(|(name, top)| name.contains(char::is_alphanumeric) && TOPS.contains(&top));
        w.contains("://")
            || bare.starts_with("http")
            || bare.starts_with("hxxp")
            || bare.starts_with("www.")
            || bare.starts_with("mailto:")
            || named
    };
    lower.split_whitespace().find(is).map(str::to_owned)
}

/// An exclamation mark, a picture, or words that command.
fn tone(text: &str, refused: &ForbiddenWords) -> Option<String> {
    let loud = text.chars().find(|c| {
        *c == '!'
            || ('\u{2600}'..='\u{27bf}').contains(c)
            || ('\u{1f000}'..='\u{1faff}').contains(c)
    });
    let text = plain(text);
    let tokens: Vec<&str> = text.split(' ').collect();
    loud.map(String::from)
        .or_else(|| refused.tone.iter().find_map(|e| hit(&tokens, e)))
}

/// What the kind of a template refuses beside what is refused in every text.
fn in_kind(kind: MessageKind, text: &str, refused: &ForbiddenWords) -> Vec<LintFinding> {
    let plain_text = plain(text);
    let tokens: Vec<&str> = plain_text.split(' ').collect();
    let mut out: Vec<LintFinding> = Vec::new();
    if matches!(
        kind,
        MessageKind::SessionOff
            | MessageKind::SessionOn
            | MessageKind::SessionMoved
            | MessageKind::Closure
    ) {
        out.extend(
            refused
                .dedup_key
                .iter()
                .find_map(|e| hit(&tokens, e))
                .map(|w| LintFinding::new(LintRule::Cause, w)),
        );
    }
    let own = refused
        .in_kind
        .iter()
        .filter(|(k, _)| *k == kind)
        .flat_map(|(_, list)| list);
    out.extend(
        own.filter_map(|e| hit(&tokens, e))
            .next()
            .map(|w| LintFinding::new(LintRule::NotHere, w)),
    );
    if !matches!(kind, MessageKind::StaffReply | MessageKind::StaffAlert) {
        out.extend(tone(text, refused).map(|w| LintFinding::new(LintRule::Tone, w)));
    }
    out
}

/// Whether a kind of message may hold what a rule refuses.
fn may(kind: MessageKind, finding: &LintFinding) -> bool {
    match finding.rule {
        LintRule::Child | LintRule::Reason => kind == MessageKind::CancelReasonAsk,
        LintRule::Doctor => kind == MessageKind::NoteRequest,
        LintRule::Amount => kind == MessageKind::FeeNotice,
        LintRule::NoCharge => matches!(
            kind,
            MessageKind::CancellationAck | MessageKind::Closure | MessageKind::NoteRequest
        ),
        LintRule::Money => {
            kind.is_money()
                || matches!(
                    kind,
                    MessageKind::ConfirmRequest
                        | MessageKind::CancelReasonAsk
                        | MessageKind::CancellationAck
                        | MessageKind::Closure
                        | MessageKind::FeeChange
                )
        }
        LintRule::OptOut => {
            finding.word == "STOP"
                && matches!(
                    kind,
                    MessageKind::Welcome | MessageKind::Help | MessageKind::StartAck
                )
        }
        _ => false,
    }
}

/// What is wrong with the words of a template, taken without its values.
pub fn in_template(kind: MessageKind, words: &str, refused: &ForbiddenWords) -> Vec<LintFinding> {
    let mut out: Vec<LintFinding> = in_words(words, refused)
        .into_iter()
        .filter(|f| !may(kind, f))
        .collect();
    out.extend(in_kind(kind, words, refused));
    out
}

/// What is wrong with a rendered text. `centre` is the name that it begins with, `words` the words
/// for YES and NO of its language, and `value` renders one of its values by name.
pub fn in_text(
    say: &Say,
    centre: &str,
    text: &str,
    refused: &ForbiddenWords,
    words: (&str, &str),
    value: impl Fn(&str) -> Option<String>,
) -> Vec<LintFinding> {
    let kind = say.kind();
    // A late cancellation hears nothing of money either way.
    let late = matches!(say, Say::CancellationAck { in_time: false, .. });
    let mut out: Vec<LintFinding> = in_words(text, refused)
        .into_iter()
        .filter(|f| {
            !may(kind, f) || (late && matches!(f.rule, LintRule::Money | LintRule::NoCharge))
        })
        .collect();
    let opening: String = text.chars().take(OPENING).collect();
    let nameless = matches!(
        kind,
        MessageKind::UnknownSender
            | MessageKind::WrongNumberAck
            | MessageKind::LinkRefused
            | MessageKind::OldButton
            | MessageKind::StaffAlert
    );
    if !nameless && !text.starts_with(&format!("{centre}: ")) {
        out.push(LintFinding::new(LintRule::Opening, opening.clone()));
    }
    let loud = in_words(&opening, refused)
        .into_iter()
        .find(|f| !matches!(f.rule, LintRule::OptOut | LintRule::NoCharge));
    out.extend(loud.map(|f| LintFinding::new(LintRule::Opening, f.word)));
    out.extend(missing(say, text, refused, words, value));
    out
}
