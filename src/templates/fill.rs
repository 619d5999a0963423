//! Fills a template with the values of one message. Each kind of message has its own values.

use crate::domain::money::amount::Money;
use crate::domain::outgoing::say::{FinishBy, Say, Speaker};
use crate::templates::language::Language;
use anyhow::{Result, anyhow};
use chrono::{NaiveDate, NaiveDateTime};
use minijinja::{Template, Value, context};

/// `£45`, `£45.50`, `€45`; another currency by its code.
pub(super) fn money(m: &Money) -> String {
    let (whole, rest) = (m.minor / 100, m.minor % 100);
    let number = if rest == 0 {
        whole.to_string()
    } else {
        format!("{whole}.{rest:02}")
    };
    match m.code() {
        "GBP" => format!("£{number}"),
        "EUR" => format!("€{number}"),
        other => format!("{number} {other}"),
    }
}

/// Renders a template. The values in the result are still marked.
pub(super) fn fill(
    template: &Template<'_, '_>,
    language: &Language,
    say: &Say,
    speaker: &Speaker,
) -> Result<String> {
    template
        .render(values(language, say, speaker))
        .map_err(|e| {
            let detail = e.detail().map(|d| format!(": {d}")).unwrap_or_default();
            anyhow!("{}{detail}", e.kind())
        })
}

fn values(language: &Language, say: &Say, speaker: &Speaker) -> Value {
    let Speaker {
        short_name: centre,
        phone,
        emergency_number,
        ..
    } = speaker;
    let day = |at: &NaiveDateTime| language.day(at.date());
    let time = |at: &NaiveDateTime| language.time(at.time());
    let date = |d: &NaiveDate| language.day(*d);
    match say {
        Say::ConfirmRequest {
            arrival,
            cut_off,
            fee,
        } => context! {
            centre, phone, fee,
            day => day(arrival),
            time => time(arrival),
            cut_off => cut_off.map(|c| language.moment(c)),
        },
        Say::ConfirmAck { arrival }
        | Say::SessionOff { arrival }
        | Say::SessionOn { arrival }
        | Say::DateRefused { arrival }
        | Say::Closure { arrival } => {
            context! { centre, phone, day => day(arrival), time => time(arrival) }
        }
        Say::CancelReasonAsk { arrival, finish } => {
            let Finish {
                how,
                code_prefix,
                code,
                late,
            } = finish_values(finish);
            context! {
                centre, phone, code, late,
                day => day(arrival),
                time => time(arrival),
                finish => how,
                stem => code_prefix,
            }
        }
        Say::CancellationAck { arrival, in_time } => {
            context! { centre, phone, day => day(arrival), in_time }
        }
        Say::SessionMoved { from, to } | Say::DateQuestion { from, to } => context! {
            centre, phone,
            old_day => day(from),
            old_time => time(from),
            day => day(to),
            time => time(to),
        },
        Say::Handover => context! { centre, phone, emergency_number },
        Say::Help
        | Say::StopAck
        | Say::Welcome
        | Say::CaseClosed
        | Say::Unclear
        | Say::ReviewDue
        | Say::IntroductionMeeting => context! { centre, phone },
        Say::PrevisitInvitation { arrival } => context! { centre, phone, day => day(arrival) },
        Say::FeeChange { from } => context! { centre, phone, day => date(from) },
        Say::StartAck | Say::PleaseRing | Say::NoLongerInUse => context! { centre },
        Say::UnknownSender | Say::WrongNumberAck | Say::LinkRefused => context! {},
        Say::WhichSession { first, second } => {
            let option = |(at_centre, arrival): &(Option<String>, NaiveDateTime)| {
                let at_centre = at_centre.as_ref().map(|c| format!("{c}, "));
                let at_centre = at_centre.unwrap_or_default();
                format!("{at_centre}{}, {}", day(arrival), time(arrival))
            };
            context! { centre, phone, first => option(first), second => option(second) }
        }
        Say::DiscreetRequest { arrival } => context! { centre, day => day(arrival) },
        Say::LinkNumber { number } => context! { centre, phone, number },
        Say::OldButton => context! { phone },
        Say::StaffAlert { count } => context! { count },
        Say::StaffReply { text } => context! { centre, text },
        Say::FeeNotice { amount, date: d } => {
            context! { centre, phone, amount => money(amount), day => date(d) }
        }
        Say::NoteRequest { date: d } => context! { centre, phone, day => date(d) },
        Say::NoteReminder { date: d, bring_on } => {
            context! { centre, phone, day => date(d), bring_on => date(bring_on) }
        }
        Say::FeeSettled {
            date: d,
            file_closed,
        } => context! { centre, phone, day => date(d), file_closed },
        Say::AllPartiesNotice { last_day } => {
            context! { centre, phone, last_day => date(last_day) }
        }
    }
}

/// How a parent finishes a cancellation, as templates see it.
struct Finish<'a> {
    how: &'static str,
    code_prefix: &'a str,
    code: &'a str,
    late: bool,
}

fn finish_values(finish: &FinishBy) -> Finish<'_> {
    let by = |how, late| Finish {
        how,
        code_prefix: "",
        code: "",
        late,
    };
    match finish {
        FinishBy::CodeWithReason { code_prefix } => Finish {
            code_prefix,
            ..by("code_with_reason", true)
        },
        FinishBy::Code { code, late } => Finish {
            code,
            ..by("code", *late)
        },
        FinishBy::Press { reason: true, late } => by("press_reason", *late),
        FinishBy::Press {
            reason: false,
            late,
        } => by("press", *late),
        FinishBy::Word { late } => by("word", *late),
    }
}
