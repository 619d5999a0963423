//! The rules of wording, with the kinds of message in which each does not apply.

use crate::domain::outgoing::lint::finding::{LintFinding, LintRule};
use crate::domain::outgoing::lint::forbidden_words::{ForbiddenWords, find_entry, normalize};
use crate::domain::outgoing::message::MessageKind;

/// Words on which a texting service opts a phone out. Anybody asked to answer with one of them
/// would get no more messages.
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

/// Everything that the word lists refuse in a text, wherever it stands.
pub(super) fn in_words(text: &str, refused: &ForbiddenWords) -> Vec<LintFinding> {
    let normalized = normalize(text);
    let tokens: Vec<&str> = normalized.split(' ').collect();
    let mut out = Vec::new();
    for (rule, list) in lists(refused) {
        out.extend(
            list.iter()
                .find_map(|e| find_entry(&tokens, e))
                .map(|word| LintFinding::new(rule, word)),
        );
    }
    // A phrase that promises no charge usually mentions money as well.
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
            (code
                || refused
                    .amount
                    .iter()
                    .any(|e| find_entry(&w[1..], e).is_some()))
            .then(|| w.join(" "))
        })
    })
}

/// Every opt-out word that is offered as an answer, once each.
fn opt_out(text: &str, refused: &ForbiddenWords) -> Vec<String> {
    let words: Vec<&str> = text
        .split(|c: char| !c.is_alphanumeric())
        .filter(|w| !w.is_empty())
        .collect();
    let offered = words.iter().enumerate().filter(|(i, w)| {
        let is = OPT_OUT.contains(&w.to_uppercase().as_str());
        let asked = i
            .checked_sub(1)
            .is_some_and(|b| refused.reply.contains(&normalize(words[b])));
        is && (asked || w.chars().all(char::is_uppercase))
    });
    let mut found: Vec<String> = offered.map(|(_, w)| (*w).to_owned()).collect();
    found.sort();
    found.dedup();
    found
}

/// Top-level domains that mark a link. Some that are also English words are left out: a full stop
/// without a space would make a link of them.
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

/// An exclamation mark, an emoji, or a command.
fn tone(text: &str, refused: &ForbiddenWords) -> Option<String> {
    let loud = text.chars().find(|c| {
        *c == '!'
            || ('\u{2600}'..='\u{27bf}').contains(c)
            || ('\u{1f000}'..='\u{1faff}').contains(c)
    });
    let text = normalize(text);
    let tokens: Vec<&str> = text.split(' ').collect();
    loud.map(String::from)
        .or_else(|| refused.tone.iter().find_map(|e| find_entry(&tokens, e)))
}

/// What this kind of message refuses beyond what every text refuses.
fn in_kind(kind: MessageKind, text: &str, refused: &ForbiddenWords) -> Vec<LintFinding> {
    let normalized = normalize(text);
    let tokens: Vec<&str> = normalized.split(' ').collect();
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
                .cause
                .iter()
                .find_map(|e| find_entry(&tokens, e))
                .map(|w| LintFinding::new(LintRule::Cause, w)),
        );
    }
    let own = refused
        .in_kind
        .iter()
        .filter(|(k, _)| *k == kind)
        .flat_map(|(_, list)| list);
    out.extend(
        own.filter_map(|e| find_entry(&tokens, e))
            .next()
            .map(|w| LintFinding::new(LintRule::NotHere, w)),
    );
    if !matches!(kind, MessageKind::StaffReply | MessageKind::StaffAlert) {
        out.extend(tone(text, refused).map(|w| LintFinding::new(LintRule::Tone, w)));
    }
    out
}

/// Whether this kind of message is exempt from the rule.
pub(super) fn is_exempt(kind: MessageKind, finding: &LintFinding) -> bool {
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

/// What is wrong with a template's own words, without its values.
pub fn in_template(kind: MessageKind, text: &str, refused: &ForbiddenWords) -> Vec<LintFinding> {
    let mut out: Vec<LintFinding> = in_words(text, refused)
        .into_iter()
        .filter(|f| !is_exempt(kind, f))
        .collect();
    out.extend(in_kind(kind, text, refused));
    out
}
