//! Moves the simulated clock. It stops at everything that falls due on the way, so that each
//! message is sent at its own moment.

use crate::flows::receive;
use crate::flows::scan::confirmations;
use crate::flows::service::Service;
use crate::store::{bookings, centres, errands, inbox, messages, money, sessions};
use anyhow::{Result, bail};
use chrono::{DateTime, Duration, Utc};
use std::time::Duration as Span;

/// The most stops in one move.
const MAX_STOPS: usize = 10_000;
/// How long one stop waits for the receipt of a message about money.
const RECEIPT_TIMEOUT: Span = Span::from_millis(600);
/// A stop that takes longer than this is stuck.
const STOP_TIMEOUT: Span = Span::from_secs(30);

/// The next instant at which something falls due.
pub async fn next_event(svc: &Service) -> Result<Option<DateTime<Utc>>> {
    let now = svc.clock.now();
    let ask = sessions::next_ask_at(&svc.db).await?;
    let text = messages::load(&svc.db, now).await?.next;
    let look = bookings::next_scan_at(&svc.db).await?;
    let case = money::next_scan_at(&svc.db).await?;
    Ok([ask, text, look, case]
        .into_iter()
        .flatten()
        .filter(|t| *t > now)
        .min())
}

/// Does everything that is due now, and waits until nothing is in flight.
pub async fn settle(svc: &Service) -> Result<()> {
    let end = std::time::Instant::now() + STOP_TIMEOUT;
    let mut quiet_since = None;
    loop {
        let now = svc.clock.now();
        confirmations::scan(svc, now).await?;
        receive::apply_all(svc).await?;
        svc.wake_deliver.notify_one();
        // In the order in which one leads to the next: inbound, due, waiting, in flight.
        svc.wake_errands.notify_one();
        let upstream = inbox::anything_new(&svc.db).await?
            || errands::waiting(&svc.db, now).await? > 0
            || sessions::anything_due(&svc.db, now).await?;
        // The clock runs on: a message delayed for a moment, because its session was being changed,
        // is due as well.
        let load = messages::load(&svc.db, svc.clock.now() + Duration::milliseconds(300)).await?;
        if !upstream && load.due == 0 && load.open == 0 {
            // A receipt takes a moment of real time. On the simulated clock it must come at once,
            // because the days to pay count from it.
            let quiet = *quiet_since.get_or_insert_with(std::time::Instant::now);
            if quiet.elapsed() > RECEIPT_TIMEOUT
                || money::count_pending_receipts(&svc.db, now).await? == 0
            {
                return Ok(());
            }
        } else {
            quiet_since = None;
        }
        if std::time::Instant::now() > end {
            bail!(
                "the simulator does not come to rest: {} due, {} in flight",
                load.due,
                load.open
            );
        }
        tokio::time::sleep(Span::from_millis(10)).await;
    }
}

/// Moves the clock to `to`, stopping at everything that falls due.
///
/// # Errors
/// The clock only goes forward.
pub async fn move_to(svc: &Service, to: DateTime<Utc>) -> Result<()> {
    if to < svc.clock.now() {
        bail!("the practice clock only goes forward; start a new demo to go back");
    }
    if to > svc.clock.now() + Duration::days(366) {
        bail!("that is more than a year ahead");
    }
    for _ in 0..MAX_STOPS {
        settle(svc).await?;
        match next_event(svc).await? {
            Some(t) if t <= to => svc.clock.set(t),
            _ => break,
        }
    }
    svc.clock.set(to.max(svc.clock.now()));
    settle(svc).await?;
    let mut tx = svc.db.begin().await?;
    centres::set(&mut tx, "practice_clock", &svc.clock.now().to_rfc3339()).await?;
    tx.commit().await?;
    svc.changed.notify_waiters();
    Ok(())
}
