//! What every flow needs: the database, the clock, the templates and the lines.

use crate::clock::Clock;
use crate::domain::people::address::Address;
use crate::flows::lines::Lines;
use crate::flows::liveness;
use crate::store::Db;
use crate::templates::Templates;
use std::sync::{Arc, RwLock};
use tokio::sync::Notify;

/// What every flow needs.
pub struct Service {
    pub db: Db,
    /// Where `now` comes from.
    pub clock: Clock,
    pub templates: Templates,
    lines: RwLock<Arc<Lines>>,
    /// Where staff are alerted.
    pub alert_to: Vec<Address>,
    /// Something may be due to be sent: every line's sender waits for it.
    pub wake_deliver: Notify,
    /// Something came in.
    pub wake_receive: Notify,
    /// A press is to be answered, or another errand waits.
    pub wake_errands: Notify,
    /// Something changed that people see.
    pub changed: Notify,
    /// Whether the loops live and the clock can be trusted.
    pub liveness: liveness::Liveness,
}

impl Service {
    /// Puts the parts together.
    pub fn new(
        db: Db,
        clock: Clock,
        templates: Templates,
        lines: Lines,
        alert_to: Vec<Address>,
    ) -> Arc<Service> {
        Arc::new(Service {
            db,
            clock,
            templates,
            lines: RwLock::new(Arc::new(lines)),
            alert_to,
            wake_deliver: Notify::new(),
            wake_receive: Notify::new(),
            wake_errands: Notify::new(),
            changed: Notify::new(),
            liveness: liveness::Liveness::default(),
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
