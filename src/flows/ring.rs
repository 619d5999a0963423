//! Tasks for a person to ring a parent.

use crate::domain::centre::Centre;
use crate::domain::dedup_key::TaskKey;
use crate::domain::reminders::schedule;
use crate::domain::task::TaskKind;
use crate::domain::visits::attendee::AttendeeContext;
use crate::store::Tx;
use crate::store::tasks::{self, NewTask};
use anyhow::Result;
use chrono::{DateTime, Duration, Utc};

/// Opens a task to ring an attendee, due before they set out.
pub async fn ring(
    tx: &mut Tx,
    now: DateTime<Utc>,
    context: &AttendeeContext,
    topic: TaskKind,
    dedup_key: TaskKey,
) -> Result<()> {
    let task = NewTask::of_attendee(dedup_key, topic, context).due(context.attendee.arrives_at);
    tasks::open(tx, now, &task).await
}

/// Until when somebody who arrives at `arrives_at` is to be rung: the centre's lead before that, or
/// the arrival itself if the lead has all but passed.
pub fn ring_by(centre: &Centre, arrives_at: DateTime<Utc>, now: DateTime<Utc>) -> DateTime<Utc> {
    let lead = schedule::last_call(&centre.courtesy, arrives_at);
    if lead > now + ON_TIME {
        lead
    } else {
        arrives_at
    }
}

/// A scan this late is still on time; later it is a catch-up (K03).
pub(crate) const ON_TIME: Duration = Duration::minutes(10);
