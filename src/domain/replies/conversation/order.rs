//! The order in which a party spoke counts, and not the order in which its messages reach us: what
//! was sent before something that is known already changes nothing any more, and a person sees it
//! if it says otherwise.

use crate::domain::ids::SessionId;
use crate::domain::replies::conversation::*;

/// The visits about which an effect decides something for this party.
pub fn decides<'a>(h: &'a InboundContext, effect: &'a Effect) -> Vec<&'a SessionId> {
    match effect {
        Effect::Confirm { session }
        | Effect::CancelAsked { session, .. }
        | Effect::Cancel { session, .. }
        | Effect::TakeBack { session }
        | Effect::IllnessTold { session, .. }
        | Effect::SomeChildren { session, .. } => vec![session],
        Effect::CloseQuestion { question } => h
            .open
            .iter()
            .filter(|o| o.question.as_ref().is_some_and(|q| q.id == *question))
            .map(|o| &o.session)
            .collect(),
        Effect::DateAnswer { question, .. } => h
            .dates
            .iter()
            .filter(|d| d.question == *question)
            .map(|d| &d.session)
            .collect(),
        Effect::AskWhich { options, .. } => options.iter().map(|(session, _)| session).collect(),
        _ => Vec::new(),
    }
}

/// Whether an effect settles what is to become of its visits, or begins a cancellation of one: a
/// numbered question about them is over.
pub fn settles(effect: &Effect) -> bool {
    matches!(
        effect,
        Effect::Confirm { .. }
            | Effect::CancelAsked { .. }
            | Effect::Cancel { .. }
            | Effect::TakeBack { .. }
            | Effect::CloseQuestion { .. }
    )
}

/// The decision as it is, or what is left of it when the party said something newer before this
/// message reached us.
pub(super) fn kept(h: &InboundContext, d: Decision) -> Decision {
    let newer = |t: Option<DateTime<Utc>>| t.is_some_and(|t| t > h.sent_by);
    if h.known && matches!(h.understood.intent, Intent::Stop | Intent::Start) && newer(h.opted_at) {
        // A STOP before a START, or the other way round: the newer one stands.
        let other = h.opted_out == (h.understood.intent == Intent::Start);
        return decision(
            "overtaken",
            if other {
                vec![task(TaskKind::ReadMessage, next_visit(h))]
            } else {
                vec![]
            },
            None,
        );
    }
    let mut about: Vec<&SessionId> = d.effects.iter().flat_map(|e| decides(h, e)).collect();
    let thanks = d.reply.as_ref().filter(|r| {
        matches!(
            r.kind,
            MessageKind::ConfirmAck | MessageKind::CancellationAck | MessageKind::ConfirmRequest
        )
    });
    about.extend(thanks.and_then(|r| r.session.as_ref()));
    if about.is_empty() {
        return d;
    }
    // A code and a press belong to their question. Words that name no visit may be about any that
    // was decided since.
    let bound = h.pressed.is_some()
        || !h.understood.named.is_empty()
        || matches!(h.understood.intent, Intent::Code(_));
    let is_overtaken =
        |o: &&KnownVisit| newer(o.decided_at) && (!bound || about.contains(&&o.session));
    let Some(decided) = h.open.iter().find(is_overtaken) else {
        return d;
    };
    let other = d.effects.iter().any(|e| match e {
        Effect::CancelAsked { session, .. } => !h.open.iter().any(|o| {
            o.session == *session && (o.answer == Answer::Cancelled || o.question.is_some())
        }),
        e => !decides(h, e).is_empty(),
    });
    decision(
        "overtaken",
        if other {
            vec![task(TaskKind::ReadMessage, Some(decided))]
        } else {
            vec![]
        },
        None,
    )
}
