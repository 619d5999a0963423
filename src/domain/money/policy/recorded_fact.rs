//! A fact as it is recorded: its kinds, and how notes, moves and calls are written in it.

use crate::domain::ids::{FactId, SessionId};
use crate::domain::money::policy::facts::Note;
use crate::domain::people::role::Role;
use crate::domain::visits::notice::Origin;
use chrono::{DateTime, Utc};
use std::collections::HashSet;

/// The kind of a cancellation that refused the centre's own move, in time for it to be free.
pub const REFUSED_MOVE: &str = "refused_move";

/// The kind of the fact that a party owes a fee again after being told that nothing is owed. It is
/// dated when that party was told so. What they were told of the fee before starts no clock.
pub const OWED_AGAIN: &str = "owed_again";

/// The rule of a no-show at a session before which the file had been closed.
pub const NO_SHOW_OF_CLOSED_FILE: &str = "C20";

/// A fact as it was recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedFact {
    pub id: FactId,
    /// The fact that it voids, if it is of the kind `voided`.
    pub voids: Option<FactId>,
    /// The session, if it is about one.
    pub session: Option<SessionId>,
    /// The party, if it is about one.
    pub role: Option<Role>,
    /// Its kind: `cancelled`, `closed`, `taken_back`, `reinstated`, `note`, `payment` …
    pub kind: String,
    pub at: DateTime<Utc>,
    /// When it was recorded.
    pub recorded_at: DateTime<Utc>,
    /// The rule it rests on.
    pub rule: String,
    /// What its kind needs: a reason, a note, a deadline.
    pub detail: String,
    /// An amount in minor units.
    pub amount: Option<i64>,
}

/// The facts that were not voided. A voided fact is as if it had never been recorded.
pub fn not_voided(mut facts: Vec<RecordedFact>) -> Vec<RecordedFact> {
    let voided: HashSet<FactId> = facts.iter().filter_map(|f| f.voids.clone()).collect();
    facts.retain(|f| !voided.contains(&f.id));
    facts
}

/// The rule that the fact of a move is recorded with: it says who asked for the move.
pub fn move_rule(origin: Origin) -> &'static str {
    match origin {
        Origin::Centre => "by-centre",
        Origin::Parent => "by-parent",
    }
}

/// Writes a note as the detail of a fact.
pub fn write_note(n: &Note) -> String {
    let children = n.children.map_or_else(|| "-".to_owned(), |c| c.to_string());
    format!(
        "{} {} {} {children} {}",
        n.about,
        n.from,
        n.to,
        if n.brought { "brought" } else { "received" }
    )
}

/// Reads a note from the detail of a fact.
pub(super) fn read_note(s: &str) -> Option<Note> {
    let mut words = s.split(' ');
    let note = Note {
        about: words.next()?.parse().ok()?,
        from: words.next()?.parse().ok()?,
        to: words.next()?.parse().ok()?,
        children: match words.next()? {
            "-" => None,
            n => Some(n.parse().ok()?),
        },
        brought: words.next()? == "brought",
    };
    Some(note)
}

/// Writes the detail of the fact that a party was told of an obligation: by which text or call, and
/// the deadline that it named, if any.
pub fn write_told(what: &str, deadline: Option<DateTime<Utc>>) -> String {
    format!(
        "{what} {}",
        deadline.map_or_else(|| "-".to_owned(), |d| d.to_rfc3339())
    )
}
