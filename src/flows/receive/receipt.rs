//! Applies delivery receipts.

use crate::channels::twilio::OUTSIDE_WINDOW;
use crate::domain::ids::AttemptToken;
use crate::domain::outgoing::message::MessageState;
use crate::domain::task::TaskKind;
use crate::flows::service::Service;
use crate::store::{Tx, attempts, inbox, money, tasks};
use anyhow::Result;
use chrono::{DateTime, Utc};

/// Applies one delivery receipt.
pub async fn receipt(svc: &Service, r: &attempts::ReceiptIn) -> Result<()> {
    let now = svc.clock.now();
    let mut tx = svc.db.begin().await?;
    let touched = attempts::receipt(&mut tx, now, r)
        .await?
        .filter(|t| t.changed);
    if let Some(t) = touched
        .as_ref()
        .filter(|t| t.state == MessageState::Delivered)
    {
        money::look_after(&mut tx, now, &t.message_id).await?;
    }
    if let Some(t) = touched.filter(|t| t.state == MessageState::Undelivered)
        && !went_elsewhere(&mut tx, now, &r.token, r.error_code.as_deref()).await?
    {
        let opted_out = r.error_code.as_deref() == Some("21610");
        if opted_out {
            inbox::set_opt_out(
                &mut tx,
                (t.channel, &t.sender),
                &t.number_hash,
                true,
                None,
                now,
            )
            .await?;
        }
        let topic = if opted_out {
            TaskKind::RingOptedOut
        } else {
            TaskKind::BadNumber
        };
        tasks::open_for_message(
            &mut tx,
            now,
            format!("undelivered/{}", t.message_id),
            topic,
            &t.message_id,
        )
        .await?;
    }
    tx.commit().await?;
    if r.error_code.as_deref() == Some(OUTSIDE_WINDOW) {
        svc.wake_senders();
    }
    svc.changed.notify_waiters();
    Ok(())
}

/// WhatsApp accepted a message and now reports that the window for free text was closed. Nothing
/// reached the phone, so the message goes to the party's next address.
pub(crate) async fn went_elsewhere(
    tx: &mut Tx,
    now: DateTime<Utc>,
    token: &AttemptToken,
    error_code: Option<&str>,
) -> Result<bool> {
    Ok(error_code == Some(OUTSIDE_WINDOW)
        && attempts::not_brought(tx, now, token, OUTSIDE_WINDOW).await?)
}
