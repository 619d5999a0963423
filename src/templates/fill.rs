//! Fills a template with the values of what is said. Which values a template may ask for is a
//! matter of its kind.

use crate::domain::money::amount::Money;
use crate::domain::outgoing::say::{FinishBy, Say, Speaker};
use crate::templates::Language;
use anyhow::{Result, anyhow};
use chrono::{NaiveDate, NaiveDateTime};
use minijinja::{Template, context};

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

/// What a template says of this, its values still marked.
pub(super) fn fill(
    template: &Template<'_, '_>,
    language: &Language,
    say: &Say,
    speaker: &Speaker,
) -> Result<String> {
    let Speaker {
        short_name: centre,
        phone,
        emergency_number,
        ..
    } = speaker;
    let day = |at: &NaiveDateTime| language.day(at.date());
    let time = |at: &NaiveDateTime| language.time(at.time());
    let date = |d: &NaiveDate| language.day(*d);
    let body = match say {
        Say::ConfirmRequest { arrival, cut_off, fee } => {
            let cut_off = cut_off.map(|c| language.moment(c));
            template.render(context! { centre, phone, day => day(arrival), time => time(arrival), cut_off, fee })
        }
        Say::ConfirmAck { arrival } | Say::SessionOff { arrival } | Say::SessionOn { arrival } | Say::DateRefused { arrival } | Say::Closure { arrival } => {
            template.render(context! { centre, phone, day => day(arrival), time => time(arrival) })
        }
        Say::CancelReasonAsk { arrival, finish } => {
            let (finish, code_prefix, code, late) = match finish {
                FinishBy::CodeWithReason { code_prefix } => ("code_with_reason", code_prefix.as_str(), "", true),
                FinishBy::Code { code, late } => ("code", "", code.as_str(), *late),
                FinishBy::Press { reason: true, late } => ("press_reason", "", "", *late),
                FinishBy::Press { reason: false, late } => ("press", "", "", *late),
                FinishBy::Word { late } => ("word", "", "", *late),
            };
            template.render(context! { centre, phone, day => day(arrival), time => time(arrival), finish, stem => code_prefix, code, late })
        }
        Say::CancellationAck { arrival, in_time } => template.render(context! { centre, phone, day => day(arrival), in_time }),
        Say::SessionMoved { from, to } | Say::DateQuestion { from, to } => {
            template.render(context! { centre, phone, old_day => day(from), old_time => time(from), day => day(to), time => time(to) })
        }
        Say::Handover => template.render(context! { centre, phone, emergency_number }),
        Say::Help | Say::StopAck | Say::Welcome | Say::CaseClosed | Say::Unclear => template.render(context! { centre, phone }),
        Say::ReviewDue | Say::IntroductionMeeting => template.render(context! { centre, phone }),
        Say::PrevisitInvitation { arrival } => template.render(context! { centre, phone, day => day(arrival) }),
        Say::FeeChange { from } => template.render(context! { centre, phone, day => date(from) }),
        Say::StartAck | Say::PleaseRing | Say::NoLongerInUse => template.render(context! { centre }),
        Say::UnknownSender | Say::WrongNumberAck | Say::LinkRefused => template.render(context! {}),
        Say::WhichSession { first, second } => {
            let option = |(at_centre, arrival): &(Option<String>, NaiveDateTime)| {
                let at_centre = at_centre.as_ref().map(|c| format!("{c}, ")).unwrap_or_default();
                format!("{at_centre}{}, {}", day(arrival), time(arrival))
            };
            template.render(context! { centre, phone, first => option(first), second => option(second) })
        }
        Say::DiscreetRequest { arrival } => template.render(context! { centre, day => day(arrival) }),
        Say::LinkNumber { number } => template.render(context! { centre, phone, number }),
        Say::OldButton => template.render(context! { phone }),
        Say::StaffAlert { count } => template.render(context! { count }),
        Say::StaffReply { text } => template.render(context! { centre, text }),
        Say::FeeNotice { amount, date: d } => template.render(context! { centre, phone, amount => money(amount), day => date(d) }),
        Say::NoteRequest { date: d } => template.render(context! { centre, phone, day => date(d) }),
        Say::NoteReminder { date: d, bring_on } => template.render(context! { centre, phone, day => date(d), bring_on => date(bring_on) }),
        Say::FeeSettled { date: d, file_closed } => template.render(context! { centre, phone, day => date(d), file_closed }),
        Say::AllPartiesNotice { last_day } => template.render(context! { centre, phone, last_day => date(last_day) }),
    }
    .map_err(|e| anyhow!("{}{}", e.kind(), e.detail().map(|d| format!(": {d}")).unwrap_or_default()))?;
    Ok(body)
}
