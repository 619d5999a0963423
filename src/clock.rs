//! The only place that reads the time. Times are cut to microseconds, the precision that both
//! databases store.

use chrono::{DateTime, Duration, DurationRound, Utc};
use std::sync::{Arc, Mutex};
use std::time::Instant;

/// Where `now` comes from: the system, or a simulated clock that one moves by hand.
#[derive(Clone)]
pub enum Clock {
    System,
    /// A simulated clock. It runs on from where it was set.
    Simulated(Arc<Mutex<(DateTime<Utc>, Instant)>>),
}

fn cut(t: DateTime<Utc>) -> DateTime<Utc> {
    t.duration_trunc(Duration::microseconds(1)).unwrap_or(t)
}

impl Clock {
    /// A simulated clock that starts at `at`.
    pub fn simulated(at: DateTime<Utc>) -> Clock {
        Clock::Simulated(Arc::new(Mutex::new((cut(at), Instant::now()))))
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the system's clock"
    )]
    pub fn now(&self) -> DateTime<Utc> {
        match self {
            Clock::System => cut(Utc::now()),
            Clock::Simulated(at) => {
                let (set, since) = *at.lock().unwrap_or_else(|e| e.into_inner());
                cut(set + Duration::from_std(since.elapsed()).unwrap_or_default())
            }
        }
    }

    /// Sets a simulated clock. Has no effect on the system's clock.
    pub fn set(&self, to: DateTime<Utc>) {
        if let Clock::Simulated(at) = self {
            *at.lock().unwrap_or_else(|e| e.into_inner()) = (cut(to), Instant::now());
        }
    }

    /// Whether it is a simulated clock.
    pub fn is_simulated(&self) -> bool {
        matches!(self, Clock::Simulated(_))
    }
}
