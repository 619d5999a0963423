//! Writes down what was decided about claimed messages, and makes the texts that leave.

use super::snapshot::{Gathered, template_language};
use crate::channels::{Button, ContentMessage};
use crate::domain::dedup_key::TaskKey;
use crate::domain::ids::{AttemptToken, MessageId};
use crate::domain::outgoing::claimed::ClaimedMessage;
use crate::domain::outgoing::decide::{Decision, Text, Verdict, decide};
use crate::domain::outgoing::message::{MessageKind, MessageState};
use crate::domain::outgoing::say::Say;
use crate::domain::outgoing::whatsapp::{self, Delivery};
use crate::domain::people::channel::Channel;
use crate::domain::task::TaskKind;
use crate::flows::compose::speaker;
use crate::flows::lines::Line;
use crate::flows::money::recheck as money;
use crate::flows::ring::ring;
use crate::flows::service::Service;
use crate::store::outbox::{self, Attempt, Rerouted};
use crate::store::sealed::random_token;
use crate::store::{Tx, tasks};
use crate::templates::RenderedText;
use anyhow::Result;
use chrono::{DateTime, Duration, Utc};

/// A text that cannot be rendered is tried again after this, so that somebody can correct the
/// template.
const TRY_TO_RENDER_AGAIN: Duration = Duration::minutes(5);

/// A text to send once this transaction has been committed.
pub(super) struct Ready {
    pub(super) attempt: Attempt,
    pub(super) buttons: Vec<Vec<Button>>,
    pub(super) content: Option<ContentMessage>,
    pub(super) kind: MessageKind,
    pub(super) not_after: Option<DateTime<Utc>>,
    pub(super) tries: i64,
}

/// What became of everything that was claimed together.
#[derive(Default)]
struct Outcome {
    ready: Vec<Ready>,
    ended: Vec<(MessageId, MessageState, Option<String>, DateTime<Utc>)>,
    rerouted: Vec<Rerouted>,
}

/// Decides about everything that was claimed, in the transaction that claims it. Returns the texts
/// that leave, and whether another line has got something to send.
pub(super) async fn decide_all(
    svc: &Service,
    tx: &mut Tx,
    line: &Line,
    claimed: Vec<ClaimedMessage>,
    now: DateTime<Utc>,
) -> Result<(Vec<Ready>, bool)> {
    let mut gathered = Gathered::read(svc, tx, line, &claimed, now).await?;
    let mut outcome = Outcome::default();
    for message in claimed {
        let details = gathered.details(tx, &message, now).await?;
        let decision = {
            let language = template_language(svc, gathered.centre(&message));
            decide(&gathered.snapshot(line, &message, details, &language, now))
        };
        if let Verdict::Send(text) = &decision.verdict
            && text.unprompted
        {
            gathered.count(&text.to.1, now);
        }
        carry_out(
            svc,
            tx,
            line,
            &gathered,
            message,
            decision,
            &mut outcome,
            now,
        )
        .await?;
    }
    let elsewhere = !outcome.rerouted.is_empty();
    outbox::reroute(tx, outcome.rerouted).await?;
    outbox::end_claims(tx, outcome.ended).await?;
    Ok((outcome.ready, elsewhere))
}

#[expect(
    clippy::too_many_arguments,
    reason = "the message, what was decided about it, and where that is written"
)]
async fn carry_out(
    svc: &Service,
    tx: &mut Tx,
    line: &Line,
    gathered: &Gathered,
    message: ClaimedMessage,
    decision: Decision,
    outcome: &mut Outcome,
    now: DateTime<Utc>,
) -> Result<()> {
    if let Some(kind) = decision.task {
        open_task(tx, gathered, &message, kind, now).await?;
    }
    let waits = |until| (message.id.clone(), MessageState::Waiting, None, until);
    match decision.verdict {
        Verdict::Later(at) => outcome.ended.push(waits(at)),
        Verdict::AskManager => outcome.ended.push(waits(message.not_before)),
        Verdict::Reroute {
            channel,
            to,
            excluded,
        } => outcome.rerouted.push(Rerouted {
            id: message.id,
            channel,
            to,
            excluded_channel: excluded,
        }),
        Verdict::End(state, why) => {
            let why = Some(why.as_str().to_owned());
            outcome
                .ended
                .push((message.id, state, why, message.not_before));
        }
        Verdict::Send(text) => match render(svc, gathered, &message, &text) {
            Ok(rendered) => {
                note_move_told(tx, gathered, &message, now).await?;
                let ready = make_ready(svc, line, message, *text, rendered);
                outcome.ready.push(ready);
            }
            // One text that cannot be rendered must not hold up the others.
            Err(e) => {
                tracing::error!("the text {} cannot be rendered: {e:#}", message.kind);
                outcome.ended.push(waits(now + TRY_TO_RENDER_AGAIN));
            }
        },
    }
    Ok(())
}

async fn open_task(
    tx: &mut Tx,
    gathered: &Gathered,
    message: &ClaimedMessage,
    kind: TaskKind,
    now: DateTime<Utc>,
) -> Result<()> {
    let key = || TaskKey::ring_for(&message.dedup_key);
    match gathered.attendee(message) {
        Some(attendee) if kind == TaskKind::MoneyPaused => {
            money::pause(tx, attendee, &message.id, now).await
        }
        Some(attendee) => ring(tx, now, attendee, kind, key()).await,
        None => tasks::open_for_message(tx, now, key(), kind, &message.id).await,
    }
}

fn render(
    svc: &Service,
    gathered: &Gathered,
    message: &ClaimedMessage,
    text: &Text,
) -> Result<RenderedText> {
    let centre = gathered
        .centre(message)
        .ok_or_else(|| anyhow::anyhow!("there is no centre"))?;
    svc.templates
        .render(&text.say, &speaker(centre), &text.language)
}

/// This parent is told of a move, and does not know yet that the visit is off. The text that will
/// say so has to name the new time.
async fn note_move_told(
    tx: &mut Tx,
    gathered: &Gathered,
    message: &ClaimedMessage,
    now: DateTime<Utc>,
) -> Result<()> {
    match gathered.attendee(message) {
        Some(a) if message.kind == MessageKind::SessionMoved && a.is_hidden(now) => {
            outbox::forget_unsent_move(tx, &a.session.id, a.attendee.role).await
        }
        _ => Ok(()),
    }
}

fn make_ready(
    svc: &Service,
    line: &Line,
    message: ClaimedMessage,
    text: Text,
    rendered: RenderedText,
) -> Ready {
    let token = AttemptToken::new(random_token());
    let buttons = match line.channel {
        Channel::Telegram => buttons(svc, &text.say, rendered.language, &token),
        _ => Vec::new(),
    };
    let content = match text.delivery {
        Delivery::Content(template) => Some(ContentMessage {
            sid: template.sid,
            variables: whatsapp::variables(&rendered.values, &text.say, &token),
        }),
        Delivery::Free | Delivery::Not => None,
    };
    let parts = match line.channel {
        Channel::Sms => rendered.segments,
        _ => 1,
    };
    let attempt = Attempt {
        token,
        message_id: message.id,
        number: text.to,
        body: rendered.body,
        is_reply: !text.unprompted,
        parts,
        content: content.is_some(),
    };
    Ready {
        attempt,
        buttons,
        content,
        kind: message.kind,
        not_after: message.not_after,
        tries: message.tries,
    }
}

/// The buttons below a text, each with the token of the attempt.
fn buttons(
    svc: &Service,
    say: &Say,
    language: &'static str,
    token: &AttemptToken,
) -> Vec<Vec<Button>> {
    let label = |press| svc.templates.label(press, language).to_owned();
    say.buttons()
        .into_iter()
        .map(|row| {
            row.into_iter()
                .map(|press| (label(press), format!("{token}:{press}")))
                .collect()
        })
        .collect()
}
