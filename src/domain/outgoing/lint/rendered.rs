//! Checks a rendered text: the words of its template together with its values.

use crate::domain::outgoing::lint::finding::{LintFinding, LintRule, OPENING};
use crate::domain::outgoing::lint::forbidden_words::ForbiddenWords;
use crate::domain::outgoing::lint::required::missing;
use crate::domain::outgoing::lint::rules::{in_words, is_exempt};
use crate::domain::outgoing::message::MessageKind;
use crate::domain::outgoing::say::Say;

/// What is wrong with a rendered text. It must begin with `centre`, the centre's name; `answers`
/// are the words for YES and NO in its language; `value` renders one of its values by name.
pub fn in_text(
    say: &Say,
    centre: &str,
    text: &str,
    refused: &ForbiddenWords,
    answers: (&str, &str),
    value: impl Fn(&str) -> Option<String>,
) -> Vec<LintFinding> {
    let kind = say.kind();
    // Whoever cancels late is told nothing about money, neither a fee nor that there is none.
    let late = matches!(say, Say::CancellationAck { in_time: false, .. });
    let mut out: Vec<LintFinding> = in_words(text, refused)
        .into_iter()
        .filter(|f| {
            !is_exempt(kind, f) || (late && matches!(f.rule, LintRule::Money | LintRule::NoCharge))
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
    out.extend(missing(say, text, refused, answers, value));
    out
}
