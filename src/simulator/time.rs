//! Moving the practice clock: it stops at everything that falls due on the way, so that each text
//! goes at its own moment.

use crate::flows::receive;
use crate::flows::scan::confirmations;
use crate::flows::service::Service;
use crate::store::{bookings, centres, errands, inbox, messages, money, sessions};
use anyhow::{Result, bail};
use chrono::{DateTime, Duration, Utc};
use std::time::Duration as Span;

/// The most stops on one way.
const STOPS: usize = 10_000;
/// How long a receipt of a text about money is waited for at one stop.
const RECEIPT_TAKES: Span = Span::from_millis(600);
/// How long one stop may take before something is wrong.
const STOP_TAKES: Span = Span::from_secs(30);

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

/// Does all that is due now, and waits until nothing is in the air.
pub async fn settle(svc: &Service) -> Result<()> {
    let end = std::time::Instant::now() + STOP_TAKES;
    let mut quiet_since = None;
    loop {
        let now = svc.clock.now();
        confirmations::scan(svc, now).await?;
        receive::apply_all(svc).await?;
        svc.wake_deliver.notify_one();
        // In the order in which one makes the next: what came in, what falls due, what waits, what
        // is in the air.
        svc.wake_errands.notify_one();
        let upstream = inbox::anything_new(&svc.db).await?
            || errands::waiting(&svc.db, now).await? > 0
            || sessions::anything_due(&svc.db, now).await?;
        // What was put off for a moment, because somebody records something about its session, is
        // due as well: the clock runs on.
        let load = messages::load(&svc.db, svc.clock.now() + Duration::milliseconds(300)).await?;
        if !upstream && load.due == 0 && load.open == 0 {
            // A receipt takes a moment here; on the practice clock a text reaches its phone at
            // once, and the days to pay count from there.
            let rest = *quiet_since.get_or_insert_with(std::time::Instant::now);
            if rest.elapsed() > RECEIPT_TAKES
                || money::count_pending_receipts(&svc.db, now).await? == 0
            {
                return Ok(());
            }
        } else {
            quiet_since = None;
        }
        if std::time::Instant::now() > end {
            bail!(
                "something does not come to rest: {} due, {} in the air",
                load.due,
                load.open
            );
        }
        tokio::time::sleep(Span::from_millis(10)).await;
    }
}

/// Moves the clock to `to`, stopping at everything on the way.
///
/// # Errors
/// The clock only goes forward.
pub async fn move_to(svc: &Service, to: DateTime<Utc>) -> Result<()> {
    if to < svc.clock.now() {
        bail!("the practice clock only goes forward; start a new practice to go back");
    }
    if to > svc.clock.now() + Duration::days(366) {
        bail!("that is more than a year ahead");
    }
    for _ in 0..STOPS {
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
