//! The words of one language that texts must not contain, and how they are found in a text.

use crate::domain::outgoing::message::MessageKind;

/// The words that texts in one language must not contain: whole words or phrases, normalized. A `*`
/// at the end matches any ending.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ForbiddenWords {
    pub child: Vec<String>,
    /// Reasons for not coming.
    pub reason: Vec<String>,
    /// Courts, lawyers and authorities.
    pub court: Vec<String>,
    pub doctor: Vec<String>,
    pub other_parent: Vec<String>,
    /// Words that say what kind of place the centre is.
    pub place: Vec<String>,
    /// Money and medical notes.
    pub money: Vec<String>,
    /// Phrases that promise that nothing is charged.
    pub no_charge: Vec<String>,
    /// Currency words that follow a number.
    pub amount: Vec<String>,
    /// Words that ask for an answer, such as "reply".
    pub reply: Vec<String>,
    /// Hints at why a visit changed, or through whom. They are refused in messages that say that a
    /// visit is off, on again or moved.
    pub cause: Vec<String>,
    /// Commands and warnings.
    pub tone: Vec<String>,
    /// Words that a single kind of message must not contain.
    pub in_kind: Vec<(MessageKind, Vec<String>)>,
    /// Required, not refused: phrases that say that no reasons are given.
    pub no_reasons: Vec<String>,
    /// Required, not refused: phrases that say that the centre is closed.
    pub closed: Vec<String>,
}

/// Normalizes one line of a list and keeps its `*`.
pub fn entry(line: &str) -> String {
    format!(
        "{}{}",
        normalize(line),
        if line.trim_end().ends_with('*') {
            "*"
        } else {
            ""
        }
    )
}

/// Whether a text contains one of these entries.
pub(super) fn says(text: &str, entries: &[String]) -> bool {
    let text = normalize(text);
    let tokens: Vec<&str> = text.split(' ').collect();
    entries.iter().any(|e| find_entry(&tokens, e).is_some())
}

/// The words that match an entry, if any do.
pub(super) fn find_entry(tokens: &[&str], entry: &str) -> Option<String> {
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

/// Lower case without accents, with single spaces; only letters and digits remain.
pub(super) fn normalize(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\'' | '’' => {}
            c if c.is_alphanumeric() => out.extend(c.to_lowercase().map(without_accent)),
            _ => out.push(' '),
        }
    }
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The letter without its accent: names keep their accents on file and often lose them in a text.
fn without_accent(c: char) -> char {
    const PLAIN: &[(&str, char)] = &[
        ("àáâãäåāăą", 'a'),
        ("çćĉċč", 'c'),
        ("ďđ", 'd'),
        ("èéêëēĕėęě", 'e'),
        ("ĝğġģ", 'g'),
        ("ìíîïĩīĭįı", 'i'),
        ("ł", 'l'),
        ("ñńņň", 'n'),
        ("òóôõöøōŏő", 'o'),
        ("śŝşšș", 's'),
        ("ţťŧț", 't'),
        ("ùúûüũūŭůűų", 'u'),
        ("ŵ", 'w'),
        ("ýÿŷ", 'y'),
        ("źżž", 'z'),
    ];
    PLAIN
        .iter()
        .find(|(from, _)| from.contains(c))
        .map_or(c, |(_, to)| *to)
}
