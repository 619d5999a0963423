//! Applies delivery receipts.

use crate::channels::{DeliveryError, DeliveryReceipt, ErrorMeaning};
use crate::domain::dedup_key::TaskKey;
use crate::domain::ids::AttemptToken;
use crate::domain::outgoing::message::MessageState;
use crate::domain::task::TaskKind;
use crate::flows::service::Service;
use crate::store::{Tx, attempts, inbox, money, tasks};
use anyhow::Result;
use chrono::{DateTime, Utc};

/// Applies one delivery receipt.
pub async fn receipt(svc: &Service, r: DeliveryReceipt) -> Result<()> {
    let now = svc.clock.now();
    let mut tx = svc.db.begin().await?;
    let error = r.error;
    let meaning = error.as_ref().map(|e| e.meaning);
    let row = attempts::NewReceipt {
        token: r.token,
        provider_id: r.provider_id,
        status: r.status,
        receipt: r.receipt,
        error_code: error.as_ref().map(|e| e.code.clone()),
    };
    let touched = attempts::record_receipt(&mut tx, now, &row)
        .await?
        .filter(|t| t.changed);
    if let Some(t) = touched
        .as_ref()
        .filter(|t| t.state == MessageState::Delivered)
    {
        money::rescan_case_of_message(&mut tx, now, &t.message_id).await?;
    }
    if let Some(t) = touched.filter(|t| t.state == MessageState::Undelivered)
        && !went_elsewhere(&mut tx, now, &row.token, error.as_ref()).await?
    {
        let opted_out = meaning == Some(ErrorMeaning::OptedOut);
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
            TaskKey::undelivered(&t.message_id),
            topic,
            &t.message_id,
        )
        .await?;
    }
    tx.commit().await?;
    if meaning == Some(ErrorMeaning::OutsideWindow) {
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
    error: Option<&DeliveryError>,
) -> Result<bool> {
    match error {
        Some(e) if e.meaning == ErrorMeaning::OutsideWindow => {
            attempts::reroute_undelivered(tx, now, token, &e.code).await
        }
        _ => Ok(false),
    }
}
