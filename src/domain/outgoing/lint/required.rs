//! What each kind of message must say: its values, the words to answer with, and its point.

use crate::domain::outgoing::lint::finding::{LintFinding, LintRule};
use crate::domain::outgoing::lint::forbidden_words::{ForbiddenWords, says};
use crate::domain::outgoing::message::MessageKind;
use crate::domain::outgoing::say::{FinishBy, Say};

/// The values that a text must show, by their names in templates.
fn values(say: &Say) -> &'static [&'static str] {
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

/// The words to answer with that a text must print.
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

/// What a text fails to say although its kind must. `value` renders one of its values by name.
pub(super) fn missing(
    say: &Say,
    text: &str,
    refused: &ForbiddenWords,
    yes_and_no: (&str, &str),
    value: impl Fn(&str) -> Option<String>,
) -> Vec<LintFinding> {
    let printed = |word: &str| {
        text.match_indices(word).any(|(i, w)| {
            !text[..i].ends_with(char::is_alphanumeric)
                && !text[i + w.len()..].starts_with(char::is_alphanumeric)
        })
    };
    let mut out: Vec<LintFinding> = answers(say, yes_and_no)
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
    // A language without such a list is not checked.
    for (wanted, list, what) in [
        (
            mentions_money(say),
            &refused.money,
            "that a fee may apply or is due",
        ),
        (
            promises_no_charge(say),
            &refused.no_charge,
            "that nothing is charged",
        ),
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

/// Whether the text must say that a fee may apply or is due.
fn mentions_money(say: &Say) -> bool {
    match say {
        Say::ConfirmRequest { fee, cut_off, .. } => *fee && cut_off.is_none(),
        Say::CancelReasonAsk { finish, .. } => match finish {
            FinishBy::CodeWithReason { .. } => true,
            FinishBy::Code { late, .. }
            | FinishBy::Press { late, .. }
            | FinishBy::Word { late } => *late,
        },
        _ => matches!(
            say.kind(),
            MessageKind::FeeNotice
                | MessageKind::NoteReminder
                | MessageKind::AllPartiesNotice
                | MessageKind::FeeSettled
        ),
    }
}

/// Whether the text must say that nothing is charged.
fn promises_no_charge(say: &Say) -> bool {
    matches!(
        say,
        Say::CancellationAck { in_time: true, .. } | Say::Closure { .. }
    )
}
