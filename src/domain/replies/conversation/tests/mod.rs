//! What messages do.

mod cancelling;
mod confirming;
mod date_questions;
mod handing_over;
mod numbered;
mod ordering;
mod pressing;

use super::*;
use crate::domain::centre::CancelAnswer;
use crate::domain::ids::CancelQuestionId;
use crate::domain::ids::CaseId;
use crate::domain::ids::ChoiceId;
#[cfg(test)]
use crate::domain::ids::SessionId;
use crate::domain::outgoing::message::MessageKind;
use crate::domain::outgoing::say::Press;
use crate::domain::people::role::Role;
use crate::domain::replies::cancel_code::CancelQuestion;
use crate::domain::replies::understanding::understand;
use crate::domain::task::TaskKind;
use crate::domain::visits::session::{Answer, Reason, SessionState};
use chrono::{DateTime, NaiveDateTime, Utc};

fn t(s: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(&format!("2026-11-{s}Z"))
        .unwrap()
        .with_timezone(&Utc)
}

fn local(s: &str) -> NaiveDateTime {
    crate::domain::local_time::parse_local(&format!("2026-11-{s}")).unwrap()
}

fn visit(session: &str) -> KnownVisit {
    KnownVisit {
        session: SessionId::new(session),
        case: CaseId::new("c"),
        starts_at: t("28T10:00:00"),
        ask_version: 1,
        arrives: local("28T10:00"),
        notice_hours: 48,
        moved: None,
        cancel_answer: CancelAnswer::Code,
        state: SessionState::Booked,
        cancelled_by_me: false,
        release_at: None,
        answer: Answer::None,
        asked: QuestionState {
            at: Some(t("26T10:00:00")),
            accepted_at: Some(t("26T10:00:00")),
            older: false,
        },
        decided_at: None,
        question: None,
        question_here: true,
        questions_today: 0,
        wrong_tries: 0,
        cancel_blocked: false,
    }
}

fn message(text: &str, at: &str, visits: Vec<KnownVisit>) -> InboundContext {
    InboundContext {
        at: t(at),
        earliest: t(at),
        sent_by: t(at),
        understood: understand(text),
        pressed: None,
        media: false,
        quiet_word: false,
        provider_stopped: false,
        sender: Sender::Party,
        opt_out: OptOut::default(),
        recent: RecentExchange::default(),
        asked_last: None,
        open_choice: None,
        visits,
        date_questions: Vec::new(),
    }
}

fn question(at: &str) -> CancelQuestion {
    CancelQuestion {
        id: CancelQuestionId::new("q"),
        code_prefix: "527".into(),
        offered: vec![Reason::IllChild, Reason::Other],
        asked_at: t(at),
        first_no_at: t(at),
        tries: 0,
    }
}

fn kind(d: &Decision) -> Option<MessageKind> {
    d.reply.as_ref().map(|r| r.kind)
}

fn sunday() -> KnownVisit {
    KnownVisit {
        starts_at: t("29T14:00:00"),
        arrives: local("29T13:45"),
        ..visit("b")
    }
}

fn which_visit(wanted: AmbiguousWish, said_at: &str) -> Option<OpenChoice> {
    Some(OpenChoice {
        id: ChoiceId::new("c"),
        wanted,
        options: vec![(SessionId::new("a"), 1), (SessionId::new("b"), 1)],
        said_at: t(said_at),
    })
}

fn first_no(d: &Decision) -> Option<DateTime<Utc>> {
    d.effects.iter().find_map(|e| {
        if let Effect::CancelAsked { first_no_at, .. } = e {
            Some(*first_no_at)
        } else {
            None
        }
    })
}
