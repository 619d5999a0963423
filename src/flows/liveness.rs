//! Whether the loops of this process live, and whether its clock can be trusted.

use chrono::{DateTime, Utc};
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// A loop that has not ticked for this long is late.
const LATE: Duration = Duration::from_secs(60);
/// Messages that came in while nobody listened are delivered within this time after we listen
/// again.
const STILL_COMING: Duration = Duration::from_secs(600);
/// A wall clock that jumps further than this is not trusted.
const JUMP: chrono::Duration = chrono::Duration::seconds(60);

/// The last tick of each loop, and why sending stopped, if it did.
#[derive(Default)]
pub struct Liveness {
    ticks: Mutex<BTreeMap<&'static str, Option<Instant>>>,
    stopped: Mutex<Option<String>>,
    /// Since when nobody may have listened, and when that was noticed.
    away: Mutex<Option<(DateTime<Utc>, Instant)>>,
}

impl Liveness {
    /// Registers a loop that has not ticked yet.
    pub fn watch(&self, name: &'static str) {
        self.ticks
            .lock()
            .unwrap_or_else(|e| e.into_inner())
            .entry(name)
            .or_insert(None);
    }

    /// Notes that a loop is alive.
    pub fn tick(&self, name: &'static str) {
        self.ticks
            .lock()
            .unwrap_or_else(|e| e.into_inner())
            .insert(name, Some(Instant::now()));
    }

    /// Seconds since each loop's last tick; -1 if it never did.
    pub fn ages(&self) -> Vec<(&'static str, i64)> {
        let ticks = self.ticks.lock().unwrap_or_else(|e| e.into_inner());
        ticks
            .iter()
            .map(|(n, t)| (*n, t.map_or(-1, |t| t.elapsed().as_secs() as i64)))
            .collect()
    }

    /// Which loops are late, in words.
    pub fn late(&self) -> Vec<String> {
        self.ages()
            .into_iter()
            .filter_map(|(name, age)| match age {
                -1 => Some(format!("{name}: it has not begun yet")),
                s if s as u64 > LATE.as_secs() => Some(format!("{name}: last tick {s} s ago")),
                _ => None,
            })
            .collect()
    }

    /// Stops all sending of this process, with the reason; `None` lets it go on.
    pub fn stop(&self, why: Option<String>) {
        *self.stopped.lock().unwrap_or_else(|e| e.into_inner()) = why;
    }

    /// Nobody may have listened since then, until now.
    pub fn was_away(&self, since: DateTime<Utc>) {
        *self.away.lock().unwrap_or_else(|e| e.into_inner()) = Some((since, Instant::now()));
    }

    /// Since when nobody may have listened, while what came in meanwhile may still be on its way to
    /// us.
    pub fn away_since(&self) -> Option<DateTime<Utc>> {
        self.away
            .lock()
            .unwrap_or_else(|e| e.into_inner())
            .filter(|(_, noticed)| noticed.elapsed() < STILL_COMING)
            .map(|(since, _)| since)
    }

    /// Why sending is stopped, if it is.
    pub fn stopped(&self) -> Option<String> {
        self.stopped
            .lock()
            .unwrap_or_else(|e| e.into_inner())
            .clone()
    }
}

/// Watches the wall clock against the monotonic one.
pub struct ClockWatch {
    base: (DateTime<Utc>, Duration),
}

impl ClockWatch {
    /// Begins with a reading of both clocks; `elapsed` is monotonic.
    pub fn new(wall: DateTime<Utc>, elapsed: Duration) -> ClockWatch {
        ClockWatch {
            base: (wall, elapsed),
        }
    }

    /// How far the wall clock is off, if that is more than a minute. Small steps are followed.
    pub fn jumped(&mut self, wall: DateTime<Utc>, elapsed: Duration) -> Option<chrono::Duration> {
        let passed =
            chrono::Duration::from_std(elapsed.saturating_sub(self.base.1)).unwrap_or_default();
        let off = wall - (self.base.0 + passed);
        if off.abs() > JUMP {
            return Some(off);
        }
        self.base = (wall, elapsed);
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_jumps_is_seen_and_one_that_comes_back_is_trusted_again() {
        let t = |s: i64| DateTime::from_timestamp(1_800_000_000 + s, 0).unwrap();
        let e = Duration::from_secs;
        let mut watch = ClockWatch::new(t(0), e(100));
        assert_eq!(watch.jumped(t(10), e(110)), None);
        assert_eq!(
            watch.jumped(t(50), e(120)),
            None,
            "a step of 30 s is followed"
        );
        assert_eq!(
            watch.jumped(t(3660), e(130)),
            Some(chrono::Duration::seconds(3600))
        );
        assert_eq!(
            watch.jumped(t(3670), e(140)),
            Some(chrono::Duration::seconds(3600)),
            "it stays wrong"
        );
        assert_eq!(watch.jumped(t(80), e(150)), None, "it came back");
        assert_eq!(
            watch.jumped(t(-200), e(160)),
            Some(chrono::Duration::seconds(-290))
        );
    }
}
