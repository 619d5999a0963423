//! What a text of a kind must hold: its values, the words to answer with, and what it is there to
//! say.

use crate::domain::outgoing::lint::ForbiddenWords;
use crate::domain::outgoing::lint::rules::{LintFinding, LintRule, says};
use crate::domain::outgoing::message::MessageKind;
use crate::domain::outgoing::say::{FinishBy, Say};

/// The values without which a text does not say what it is for, by their names in templates.
pub fn values(say: &Say) -> &'static [&'static str] {
    match say {
        Say::ConfirmRequest {
            fee: true,
            cut_off: Some(_),
            ..
        } => &["day", "time", "cut_off"],
        Say::ConfirmRequest { .. }
        | Say::ConfirmAck { .. }
        | Say::SessionOff { .. }
        | Say::SessionOn { .. }
        | Say::DateRefused { .. } => &["day", "time"],
        Say::SessionMoved { .. } | Say::DateQuestion { .. } => {
            &["old_day", "old_time", "day", "time"]
        }
        Say::CancelReasonAsk {
            finish: FinishBy::CodeWithReason { .. },
            ..
        } => &["day", "stem"],
        Say::CancelReasonAsk {
            finish: FinishBy::Code { .. },
            ..
        } => &["day", "code"],
        Say::CancelReasonAsk { .. }
        | Say::CancellationAck { in_time: true, .. }
        | Say::DiscreetRequest { .. } => &["day"],
        Say::CancellationAck { .. }
        | Say::Closure { .. }
        | Say::NoteRequest { .. }
        | Say::FeeSettled { .. } => &["day", "phone"],
        Say::FeeNotice { .. } => &["amount", "day", "phone"],
        Say::NoteReminder { .. } => &["day", "bring_on", "phone"],
        Say::AllPartiesNotice { .. } => &["last_day", "phone"],
        Say::WhichSession { .. } => &["first", "second"],
        Say::Handover => &["emergency_number", "phone"],
        Say::PrevisitInvitation { .. } | Say::FeeChange { .. } => &["day", "phone"],
        Say::ReviewDue | Say::IntroductionMeeting => &["phone"],
        Say::CaseClosed | Say::Unclear | Say::Help | Say::StopAck | Say::OldButton => &["phone"],
        Say::LinkNumber { .. } => &["number"],
        Say::StaffReply { .. } => &["text"],
        Say::StaffAlert { .. } => &["count"],
        Say::Welcome
        | Say::StartAck
        | Say::PleaseRing
        | Say::NoLongerInUse
        | Say::UnknownSender
        | Say::WrongNumberAck
        | Say::LinkRefused => &[],
    }
}

/// The words to answer with that a text prints: `yes` and `no` are those of its language.
fn answers<'a>(say: &Say, (yes, no): (&'a str, &'a str)) -> Vec<&'a str> {
    match say.kind() {
        MessageKind::ConfirmRequest
        | MessageKind::DiscreetRequest
        | MessageKind::DateQuestion
        | MessageKind::UnclearReply => {
            vec![yes, no]
        }
        MessageKind::Help => vec![yes, no, "STOP"],
        MessageKind::Welcome => vec!["STOP"],
        MessageKind::SessionMoved | MessageKind::SessionOn => vec![yes],
        MessageKind::CancelReasonAsk => match say {
            Say::CancelReasonAsk {
                finish: FinishBy::Press { .. },
                ..
            } => Vec::new(),
            _ => vec![yes],
        },
        _ => Vec::new(),
    }
}

/// What a text does not hold though its kind must. `value` renders one of its values.
pub fn missing(
    say: &Say,
    text: &str,
    refused: &ForbiddenWords,
    words: (&str, &str),
    value: impl Fn(&str) -> Option<String>,
) -> Vec<LintFinding> {
    let printed = |word: &str| {
        text.match_indices(word).any(|(i, w)| {
            !text[..i].ends_with(char::is_alphanumeric)
                && !text[i + w.len()..].starts_with(char::is_alphanumeric)
        })
    };
    let mut out: Vec<LintFinding> = answers(say, words)
        .into_iter()
        .filter(|w| !printed(w))
        .map(|w| LintFinding::new(LintRule::Answers, w))
        .collect();
    for name in values(say) {
        if value(name).is_none_or(|v| v.is_empty() || !text.contains(&v)) {
            out.push(LintFinding::new(
                LintRule::Missing,
                format!("{{{{ {name} }}}}"),
            ));
        }
    }
    // What it is there to say, in the words of its language; a language without such a list is not
    // asked.
    let charged_later = matches!(
        say,
        Say::ConfirmRequest {
            fee: true,
            cut_off: None,
            ..
        } | Say::CancelReasonAsk {
            finish: FinishBy::CodeWithReason { .. },
            ..
        }
    ) || matches!(
        say,
        Say::CancelReasonAsk {
            finish: FinishBy::Code { late: true, .. }
                | FinishBy::Press { late: true, .. }
                | FinishBy::Word { late: true },
            ..
        }
    );
    let money = charged_later
        || matches!(
            say.kind(),
            MessageKind::FeeNotice
                | MessageKind::NoteReminder
                | MessageKind::AllPartiesNotice
                | MessageKind::FeeSettled
        );
    let free = matches!(
        say,
        Say::CancellationAck { in_time: true, .. } | Say::Closure { .. }
    );
    for (wanted, list, what) in [
        (money, &refused.money, "that a fee may apply or is due"),
        (free, &refused.no_charge, "that nothing is charged"),
        (
            say.kind() == MessageKind::SessionOff,
            &refused.no_reasons,
            "that no reasons are given",
        ),
        (
            say.kind() == MessageKind::Closure,
            &refused.closed,
            "that the centre is closed",
        ),
    ] {
        if wanted && !list.is_empty() && !says(text, list) {
            out.push(LintFinding::new(LintRule::Missing, what));
        }
    }
    out
}
