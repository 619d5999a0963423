//! Asks Telegram for updates and stores them. Only the next request tells Telegram that it may forget
//! them.

use crate::channels::telegram::{FetchedUpdates, Telegram, UpdateMode};
use crate::domain::dedup_key::TaskKey;
use crate::domain::task::TaskKind;
use crate::flows::lines::Line;
use crate::flows::receive::chats::received;
use crate::flows::receive::inbox;
use crate::flows::service::Service;
use crate::store::centres;
use crate::store::inbox::NewInbound;
use crate::store::tasks::{self, NewTask};
use anyhow::Result;
use chrono::{DateTime, Duration, Utc};
use std::sync::Arc;
use std::time::Duration as Span;
use tokio_util::sync::CancellationToken;

/// Telegram keeps updates for this long.
const KEPT: Duration = Duration::hours(24);

/// Fetches and stores updates until `stop`.
pub async fn poll(svc: Arc<Service>, line: Arc<Line>, stop: CancellationToken) -> Result<()> {
    let Some(bot) = line.telegram() else {
        return Ok(());
    };
    let mut poller = Poller::new(&svc, &line, bot).await;
    while !stop.is_cancelled() {
        let fetched = tokio::select! {
            () = stop.cancelled() => return Ok(()),
            fetched = poller.fetch() => fetched,
        };
        let pause = match fetched {
            // Telegram calls us; nothing is left to do here.
            Ok(None) => {
                svc.liveness.tick("telegram");
                Span::from_secs(30)
            }
            Ok(Some(updates)) => {
                poller.store(updates).await;
                poller.pause()
            }
            Err(e) => {
                tracing::warn!("Telegram does not answer: {e:#}");
                poller.failures += 1;
                poller.pause()
            }
        };
        if !pause.is_zero() {
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }
    Ok(())
}

/// Where a bot stands with its updates.
struct Poller<'a> {
    svc: &'a Service,
    line: &'a Line,
    bot: &'a Telegram,
    /// Telegram knows whether to call us.
    prepared: bool,
    offset: Option<i32>,
    /// When we last listened; `None` where gaps mean nothing.
    since: Option<DateTime<Utc>>,
    failures: u32,
}

impl<'a> Poller<'a> {
    async fn new(svc: &'a Service, line: &'a Line, bot: &'a Telegram) -> Poller<'a> {
        // A simulated clock is moved by hand: its gaps are no outages.
        let since = if svc.clock.is_simulated() {
            None
        } else {
            listened_last(svc, line).await
        };
        Poller {
            svc,
            line,
            bot,
            prepared: false,
            offset: None,
            since,
            failures: 0,
        }
    }

    /// Asks for updates; `None` where Telegram calls us.
    async fn fetch(&mut self) -> Result<Option<FetchedUpdates>> {
        if !self.prepared {
            let hook = format!("{}/hooks/telegram", self.line.public_url);
            self.bot.receive_at(&hook).await?;
        }
        let updates = match self.bot.mode() {
            UpdateMode::Webhook { .. } => None,
            UpdateMode::Polling { .. } => Some(self.bot.fetch(self.offset).await?),
        };
        self.prepared = true;
        Ok(updates)
    }

    /// Stores updates. Until that succeeds they are asked for again, and those stored twice are
    /// recognized.
    async fn store(&mut self, fetched: FetchedUpdates) {
        let now = self.svc.clock.now();
        if self.since.is_some_and(|s| now - s > KEPT)
            && let Err(e) = open_lost_task(self.svc, self.line, now).await
        {
            tracing::warn!("the task about lost messages could not be opened yet: {e:#}");
        }
        let rows: Vec<NewInbound> = fetched
            .events
            .into_iter()
            .map(|u| received(self.line, u, now, self.since))
            .collect();
        if let Err(e) = store_rows(self.svc, self.line, &rows, now).await {
            tracing::warn!("Telegram updates could not be stored yet: {e:#}");
            self.failures += 1;
            return;
        }
        self.offset = fetched.next;
        // The rest of a backlog came in the same gap.
        if !fetched.more {
            self.since = Some(now).filter(|_| !self.svc.clock.is_simulated());
        }
        self.failures = 0;
        self.svc.liveness.tick("telegram");
    }

    fn pause(&self) -> Span {
        match self.failures {
            0 => Span::ZERO,
            n => Span::from_millis(250 << n.min(7)),
        }
    }
}

async fn store_rows(
    svc: &Service,
    line: &Line,
    rows: &[NewInbound],
    now: DateTime<Utc>,
) -> Result<()> {
    if !rows.is_empty() {
        inbox::store(svc, rows).await?;
    }
    let mut tx = svc.db.begin().await?;
    centres::set(&mut tx, &polled_key(line), &now.to_rfc3339()).await?;
    tx.commit().await
}

fn polled_key(line: &Line) -> String {
    format!("polled/{}", line.sender)
}

/// When updates were last asked for, in this process or an earlier one.
async fn listened_last(svc: &Service, line: &Line) -> Option<DateTime<Utc>> {
    let text = centres::setting(&svc.db, &polled_key(line))
        .await
        .ok()
        .flatten()?;
    DateTime::parse_from_rfc3339(&text)
        .ok()
        .map(|t| t.with_timezone(&Utc))
}

async fn open_lost_task(svc: &Service, line: &Line, now: DateTime<Utc>) -> Result<()> {
    let mut tx = svc.db.begin().await?;
    tasks::open(
        &mut tx,
        now,
        &NewTask::new(
            TaskKey::messages_lost(&line.sender, now.date_naive()),
            TaskKind::MessagesLost,
        ),
    )
    .await?;
    tx.commit().await
}
