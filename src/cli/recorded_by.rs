//! `--as` and `--at`: who records, and when it happened.

use crate::cli::parse_at;
use crate::domain::ids::{FeeId, SessionId, TaskId};
use crate::flows::recording::Recording;
use crate::flows::service::Service;
use crate::store::{centres, money, sessions, tasks};
use anyhow::Result;
use chrono_tz::Tz;

/// Who records, and when it happened.
#[derive(clap::Args)]
pub(crate) struct RecordedBy {
    /// The name of the person who records
    #[arg(long = "as", value_name = "USER", default_value = "staff")]
    pub(crate) user: String,
    /// When it happened (never in the future; default: now)
    #[arg(long, value_name = "TIME")]
    pub(crate) at: Option<String>,
}

impl RecordedBy {
    /// Something about a session; `--at` is local to its centre.
    pub(crate) async fn of_session(
        &self,
        svc: &Service,
        session: &SessionId,
    ) -> Result<Recording<'_>> {
        match &self.at {
            None => Ok(self.now(svc)),
            Some(at) => self.at(at, zone_of_session(svc, session).await?),
        }
    }

    /// Something about a case or a party of this centre; `--at` is local to it.
    pub(crate) async fn of_centre(&self, svc: &Service, centre: &str) -> Result<Recording<'_>> {
        let Some(at) = &self.at else {
            return Ok(self.now(svc));
        };
        let all = centres::all(&svc.db).await?;
        self.at(at, all.get(centre).map_or(Tz::UTC, |c| c.centre.tz))
    }

    /// Something about a task; `--at` is local to its centre.
    pub(crate) async fn of_task(&self, svc: &Service, task: &TaskId) -> Result<Recording<'_>> {
        match &self.at {
            None => Ok(self.now(svc)),
            Some(at) => self.at(at, zone_of_task(svc, task).await?),
        }
    }

    /// Something about a fee; `--at` is local to the centre of its session.
    pub(crate) async fn of_fee(&self, svc: &Service, fee: &FeeId) -> Result<Recording<'_>> {
        let Some(at) = &self.at else {
            return Ok(self.now(svc));
        };
        let session = money::session_of_fee(&mut svc.db.begin().await?, fee)
            .await?
            .map(|(_, session)| session);
        let zone = match session {
            Some(session) => zone_of_session(svc, &session).await?,
            None => zone(svc, None).await?,
        };
        self.at(at, zone)
    }

    fn now(&self, svc: &Service) -> Recording<'_> {
        Recording {
            by: &self.user,
            at: svc.clock.now(),
        }
    }

    fn at(&self, at: &str, zone: Tz) -> Result<Recording<'_>> {
        Ok(Recording {
            by: &self.user,
            at: parse_at(at, zone)?,
        })
    }
}

/// The zone of a centre; that of the database's first for what belongs to none.
async fn zone(svc: &Service, centre: Option<&str>) -> Result<Tz> {
    let all = centres::all(&svc.db).await?;
    Ok(centre
        .and_then(|c| all.get(c))
        .or_else(|| all.values().next())
        .map_or(Tz::UTC, |c| c.centre.tz))
}

/// The zone of the centre that a task belongs to.
pub(crate) async fn zone_of_task(svc: &Service, task: &TaskId) -> Result<Tz> {
    let centre = tasks::list(&svc.db, None)
        .await?
        .into_iter()
        .find(|t| t.id == *task)
        .and_then(|t| t.centre);
    zone(svc, centre.as_deref()).await
}

async fn zone_of_session(svc: &Service, session: &SessionId) -> Result<Tz> {
    let centre = sessions::list(&svc.db, None)
        .await?
        .into_iter()
        .find(|(s, _)| s.id == *session)
        .map(|(s, _)| s.centre);
    zone(svc, centre.as_deref()).await
}
