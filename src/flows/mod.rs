//! The stories: a session falls due, a text goes out, a reply comes in. They fetch, let the domain decide, and write.

pub mod deliver;
pub mod import;
pub mod plan;
pub mod pulse;
pub mod receive;
mod recheck;
pub mod reconcile;
pub mod record;

use crate::channels::sms::Sms;
use crate::clock::Clock;
use crate::domain::centre::Centre;
use crate::domain::message::Kind;
use crate::domain::person::Role;
use crate::domain::say::Speaker;
use crate::store::Db;
use crate::store::outbox::NewMessage;
use crate::store::sessions::Seat;
use crate::words::Words;
use chrono::{DateTime, Utc};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;

/// The line by which texts leave, with the settings of sending.
pub struct Line {
    /// The service.
    pub sms: Sms,
    /// Texts a second; 0 = no limit.
    pub rate_per_second: u32,
    /// Texts in 24 hours; 0 = no limit.
    pub max_per_day: i64,
    /// How long an unknown outcome is left before the service is asked.
    pub settle: Duration,
    /// Between two looks.
    pub look_again: Duration,
    /// Only these numbers get texts; empty = all.
    pub only_to: Vec<String>,
    /// What the service calls.
    pub public_url: String,
}

/// What every story needs.
pub struct Service {
    /// The database.
    pub db: Db,
    /// Where `now` comes from.
    pub clock: Clock,
    /// The words.
    pub words: Words,
    /// The line, if one is set.
    pub line: Option<Line>,
    /// Our sender of texts, also where no line is open: opt-outs are per sender.
    pub sender: String,
    /// Something may be due to be sent.
    pub wake_deliver: Notify,
    /// Something came in.
    pub wake_receive: Notify,
    /// Something changed that people see.
    pub changed: Notify,
    /// Whether the loops live and the clock can be trusted.
    pub pulse: pulse::Pulse,
}

impl Service {
    /// Puts the parts together.
    pub fn new(db: Db, clock: Clock, words: Words, line: Option<Line>, sender: String) -> Arc<Service> {
        Arc::new(Service { db, clock, words, line, sender, wake_deliver: Notify::new(), wake_receive: Notify::new(), changed: Notify::new(), pulse: pulse::Pulse::default() })
    }
}

/// The centre as it speaks in texts.
pub fn speaker(centre: &Centre) -> Speaker {
    Speaker { short_name: centre.short_name.clone(), phone: centre.phone.clone(), emergency_number: centre.emergency_number.clone() }
}

/// The cause of a courtesy request: two schedulers make one row.
pub fn confirm_cause(session: &str, ask_version: i64, role: Role) -> String {
    format!("confirm/{session}/{ask_version}/{role}")
}

/// A message about a session to one parent.
pub fn to_seat(seat: &Seat, cause: String, kind: Kind, not_before: DateTime<Utc>, not_after: Option<DateTime<Utc>>) -> NewMessage {
    NewMessage {
        cause,
        kind,
        centre: seat.session.centre.clone(),
        case_id: Some(seat.session.case_id.clone()),
        party_id: Some(seat.attendee.party_id.clone()),
        role: Some(seat.attendee.role),
        session: Some((seat.session.id.clone(), seat.session.version, seat.attendee.ask_version)),
        to: None,
        data: String::new(),
        not_before,
        not_after,
    }
}
