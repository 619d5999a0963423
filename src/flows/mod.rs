//! The stories: a session falls due, a text goes out, a reply comes in. They fetch, let the domain
//! decide, and write.

pub mod import;
pub mod lines;
pub mod liveness;
pub mod money;
pub mod people;
pub mod receive;
pub mod scan;
pub mod send;
pub mod visits;

use crate::clock::Clock;
use crate::domain::centre::Centre;
use crate::domain::money::policy::record::REFUSED_MOVE;
use crate::domain::outgoing::message::Kind;
use crate::domain::outgoing::say::Speaker;
use crate::domain::people::person::{Address, Channel, Role};
use crate::domain::visits::notice;
use crate::flows::lines::Lines;
use crate::store::facts::{self, Fact};
use crate::store::outbox::NewMessage;
use crate::store::sessions::Seat;
use crate::store::{Db, Tx, messages};
use crate::templates::Words;
use anyhow::Result;
use chrono::{DateTime, Utc};
use std::sync::{Arc, RwLock};
use tokio::sync::Notify;

/// What every story needs.
pub struct Service {
    /// The database.
    pub db: Db,
    /// Where `now` comes from.
    pub clock: Clock,
    /// The words.
    pub words: Words,
    lines: RwLock<Arc<Lines>>,
    /// Where staff are alerted.
    pub alert_to: Vec<Address>,
    /// Something may be due to be sent: every line's sender waits for it.
    pub wake_deliver: Notify,
    /// Something came in.
    pub wake_receive: Notify,
    /// A press wants its answer, or another small errand waits.
    pub wake_errands: Notify,
    /// Something changed that people see.
    pub changed: Notify,
    /// Whether the loops live and the clock can be trusted.
    pub pulse: liveness::Pulse,
}

impl Service {
    /// Puts the parts together.
    pub fn new(
        db: Db,
        clock: Clock,
        words: Words,
        lines: Lines,
        alert_to: Vec<Address>,
    ) -> Arc<Service> {
        Arc::new(Service {
            db,
            clock,
            words,
            lines: RwLock::new(Arc::new(lines)),
            alert_to,
            wake_deliver: Notify::new(),
            wake_receive: Notify::new(),
            wake_errands: Notify::new(),
            changed: Notify::new(),
            pulse: liveness::Pulse::default(),
        })
    }

    /// The lines as they are now.
    pub fn lines(&self) -> Arc<Lines> {
        self.lines.read().unwrap_or_else(|e| e.into_inner()).clone()
    }

    /// Other lines, after a centre's file changed.
    pub fn set_lines(&self, lines: Lines) {
        *self.lines.write().unwrap_or_else(|e| e.into_inner()) = Arc::new(lines);
    }

    /// Something may be due on any line.
    pub fn wake_senders(&self) {
        self.wake_deliver.notify_waiters();
        self.wake_deliver.notify_one();
    }
}

/// The centre as it speaks in texts.
pub fn speaker(centre: &Centre) -> Speaker {
    Speaker {
        centre: centre.code.clone(),
        short_name: centre.short_name.clone(),
        phone: centre.phone.clone(),
        emergency_number: centre.emergency_number.clone(),
        languages: centre.languages.clone(),
    }
}

/// The cause of a courtesy request: two schedulers make one row.
pub fn confirm_cause(session: &str, ask_version: i64, role: Role) -> String {
    format!("confirm/{session}/{ask_version}/{role}")
}

/// When this party's news of the session's last move was accepted by the service.
async fn told_of_move(tx: &mut Tx, seat: &Seat) -> Result<Option<DateTime<Utc>>> {
    let (s, a) = (&seat.session, &seat.attendee);
    Ok(match s.moved {
        None => None,
        Some(_) => {
            messages::asked(tx, &s.id, a.role, a.ask_version)
                .await?
                .accepted_at
        }
    })
}

/// Whether a cancellation by this party that reached us at `heard` is late; a refusal of a move
/// that the centre began is free for a while.
pub async fn is_late(tx: &mut Tx, seat: &Seat, heard: DateTime<Utc>) -> Result<bool> {
    let told_at = told_of_move(tx, seat).await?;
    let s = &seat.session;
    Ok(notice::late(
        s.starts_at,
        s.notice_hours,
        s.moved.as_ref(),
        told_at,
        heard,
    ))
}

/// Whether a cancellation by this party that reached us at `heard` may cost it something: it is
/// late, and the session has a fee. Whoever cancels late is liable, whoever usually pays (seed
/// 001).
pub async fn may_cost(tx: &mut Tx, seat: &Seat, heard: DateTime<Utc>) -> Result<bool> {
    Ok(seat.session.fee_minor > 0 && is_late(tx, seat, heard).await?)
}

/// Records of a cancellation by this party that it refused a move that the centre began, if it did
/// in time: the rules on money see it.
pub async fn note_refused_move(
    tx: &mut Tx,
    seat: &Seat,
    heard: DateTime<Utc>,
    by: &str,
    now: DateTime<Utc>,
) -> Result<()> {
    let told_at = told_of_move(tx, seat).await?;
    let s = &seat.session;
    if !notice::free_after_move(s.moved.as_ref(), told_at, heard) {
        return Ok(());
    }
    let role = Some(seat.attendee.role);
    let fact = Fact {
        case_id: Some(&s.case_id),
        session_id: Some(&s.id),
        role,
        kind: REFUSED_MOVE,
        at: heard,
        by,
        rule: "free-move",
        detail: "",
    };
    facts::add(tx, now, &[fact]).await
}

/// A message about a session to one parent.
pub fn to_seat(
    seat: &Seat,
    cause: String,
    kind: Kind,
    not_before: DateTime<Utc>,
    not_after: Option<DateTime<Utc>>,
) -> NewMessage {
    NewMessage {
        cause,
        kind,
        centre: seat.session.centre.clone(),
        case_id: Some(seat.session.case_id.clone()),
        party_id: Some(seat.attendee.party_id.clone()),
        role: Some(seat.attendee.role),
        session: Some((
            seat.session.id.clone(),
            seat.session.version,
            seat.attendee.ask_version,
        )),
        to: None,
        channel: seat.route().map_or(Channel::Sms, |r| r.address.channel()),
        data: String::new(),
        not_before,
        not_after,
    }
}
