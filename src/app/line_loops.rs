//! Starts and stops the loops of each line as the centres' files change.

use crate::app::lines::lines;
use crate::app::loops::Loops;
use crate::config::Settings;
use crate::domain::ids::WorkerId;
use crate::domain::people::channel::Channel;
use crate::flows::lines::{Line, Lines};
use crate::flows::receive::chats;
use crate::flows::send::engine::Engine;
use crate::flows::service::Service;
use crate::store::{centres, inbox, outbox};
use anyhow::Result;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration as Span;
use tokio_util::sync::CancellationToken;

/// How often the centres' files are checked for changed senders.
const CHECK_CENTRES: Span = Span::from_millis(1000);

/// Follows a change of senders. A STOP to a centre's old sender holds for the new one, and messages
/// waiting on a channel without a line move to a channel that has one.
pub(super) async fn follow_senders(svc: &Service) -> Result<()> {
    let lines = svc.lines();
    let now = svc.clock.now();
    let mut tx = svc.db.begin().await?;
    for centre in centres::all_in(&mut tx).await?.keys() {
        let channels = [Channel::Sms, Channel::Telegram, Channel::Whatsapp];
        for channel in channels {
            let Some(line) = lines.of(centre, channel) else {
                if let Some(other) = channels
                    .into_iter()
                    .find(|c| lines.of(centre, *c).is_some())
                {
                    outbox::move_channel(&mut tx, centre, channel, other).await?;
                }
                continue;
            };
            let key = format!("sender/{centre}/{channel}");
            let before = centres::setting(&svc.db, &key).await?;
            if before.as_deref() != Some(&line.sender) {
                if let Some(old) = &before {
                    inbox::copy_opt_outs(&mut tx, now, centre, channel, old, &line.sender).await?;
                }
                centres::set(&mut tx, &key, &line.sender).await?;
            }
        }
    }
    tx.commit().await
}

/// Tries a channel that the provider refused as a whole again once its settings have changed.
pub(super) async fn retry_fixed_channels(svc: &Service) -> Result<()> {
    let mut tx = svc.db.begin().await?;
    for line in svc.lines().all() {
        if centres::restart_if_changed(&mut tx, &line.name(), &line.fingerprint()).await? > 0 {
            tracing::info!(
                "the settings of {} have changed: it is tried again",
                line.in_words()
            );
        }
    }
    tx.commit().await
}

/// The loops of every line, started and stopped as the centres' files say.
pub(super) struct LineLoops {
    pub(super) svc: Arc<Service>,
    pub(super) settings: Settings,
    pub(super) listen: SocketAddr,
    pub(super) worker: WorkerId,
    pub(super) receives: bool,
    pub(super) loops: Loops,
    /// By the line's name: what it was made of, and the token that stops its loops.
    pub(super) running: BTreeMap<String, (String, CancellationToken)>,
}

impl LineLoops {
    /// Starts the loops of new lines and stops those of lines that are gone or have changed.
    pub(super) fn follow(&mut self) {
        let lines = self.svc.lines();
        let made_of = |l: &Line| {
            format!(
                "{} {:?} {:?} {} {} {:?} {:?} {:?} {:?}",
                l.fingerprint(),
                l.centres,
                l.not,
                l.rate_per_second,
                l.max_per_day,
                l.settle,
                l.look_again,
                l.only_to,
                l.content
            )
        };
        let wanted: BTreeMap<String, String> =
            lines.all().iter().map(|l| (l.name(), made_of(l))).collect();
        self.running.retain(|name, (of, token)| {
            let stays = wanted.get(name) == Some(of);
            if !stays {
                token.cancel();
            }
            stays
        });
        for line in lines.all() {
            if self.running.contains_key(&line.name()) {
                continue;
            }
            let token = self.loops.stop.child_token();
            let engine = Engine::new(self.svc.clone(), line.clone(), self.worker.clone());
            self.loops.spawn("deliver", engine.run(token.clone()));
            if self.receives && line.telegram().is_some() {
                self.loops.spawn(
                    "telegram",
                    crate::flows::receive::polling::poll(
                        self.svc.clone(),
                        line.clone(),
                        token.clone(),
                    ),
                );
                self.loops.spawn(
                    "errands",
                    chats::run_errands(self.svc.clone(), line.clone(), token.clone()),
                );
            }
            self.running.insert(line.name(), (made_of(line), token));
        }
    }

    /// Follows changes until the program stops.
    pub(super) async fn run(mut self) -> Result<()> {
        let mut seen = centres::last_change(&self.svc.db).await.unwrap_or(None);
        let mut reported = None;
        while !self.loops.stop.is_cancelled() {
            tokio::select! {
                () = self.loops.stop.cancelled() => break,
                () = tokio::time::sleep(CHECK_CENTRES) => {}
            }
            let Ok(changed) = centres::last_change(&self.svc.db).await else {
                continue;
            };
            if changed == seen {
                continue;
            }
            match self.lines_now().await {
                Ok(lines) => {
                    if self.switch_to(lines).await {
                        seen = changed;
                    }
                }
                Err(e) if reported != changed => {
                    tracing::error!("{e:#}; the lines stay as they were");
                    reported = changed;
                }
                Err(_) => {}
            }
        }
        Ok(())
    }

    async fn lines_now(&self) -> Result<Lines> {
        let centres = centres::all(&self.svc.db).await?;
        lines(&self.settings, &centres, self.listen)
    }

    /// Switches to other lines; false if that has to be tried again.
    async fn switch_to(&mut self, lines: Lines) -> bool {
        self.svc.set_lines(lines);
        let followed = async {
            follow_senders(&self.svc).await?;
            retry_fixed_channels(&self.svc).await
        };
        if let Err(e) = followed.await {
            tracing::warn!("a change of senders was not followed yet: {e:#}");
            return false;
        }
        self.follow();
        true
    }
}
