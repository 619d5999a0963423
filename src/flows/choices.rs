//! Numbered questions to one phone: which of two visits is meant.

use crate::domain::dedup_key::TaskKey;
use crate::domain::visits::attendee::AttendeeContext;
use crate::store::{Tx, questions, tasks};
use anyhow::Result;
use chrono::{DateTime, Utc};

/// Ends the numbered questions to a party about this visit, on every address, and their tasks to
/// ring: something newer was said about it (rule S1b). `from` is the hash of the address that said
/// it, empty if none.
pub(crate) async fn end_choices(
    tx: &mut Tx,
    context: &AttendeeContext,
    from: &str,
    now: DateTime<Utc>,
) -> Result<()> {
    let hashes: Vec<String> = std::iter::once(from.to_owned())
        .chain(
            context
                .routes
                .iter()
                .map(|r| r.hash.clone())
                .filter(|h| h != from),
        )
        .collect();
    for choice in questions::end_choices(tx, &context.session.id, &hashes).await? {
        tasks::mark_obsolete(tx, now, &TaskKey::which_visit(&choice)).await?;
    }
    Ok(())
}
