//! Attendees with everything that decides whether a message reaches them: consent, mode, language,
//! hours and addresses.

use crate::args;
use crate::domain::ids::{CaseId, SessionId};
use crate::domain::local_time::parse_hours;
use crate::domain::people::address::Address;
use crate::domain::people::channel::{Channel, Consent, Mode};
use crate::domain::people::role::Role;
use crate::domain::people::senders::Senders;
use crate::domain::visits::attendee::{AttendeeContext, Route};
use crate::store::db::{Arg, Db, Row, Tx};
use crate::store::inbox::{self, OptOuts};
use crate::store::sealed::Sealed;
use crate::store::session_rows::{ATTENDEE, SESSION, read_attendee, read_session};
use anyhow::Result;
use chrono::{DateTime, Utc};
use std::fmt::Write as _;

fn attendee_sql(senders: &Senders, filter: &str) -> String {
    attendee_sql_from(senders, "attendee t", filter)
}

/// The channels to read addresses of: SMS always, so that a plan can be made before a sender is
/// configured, others only if we have a sender.
fn channels(senders: &Senders) -> Vec<Channel> {
    [Channel::Sms, Channel::Telegram, Channel::Whatsapp]
        .into_iter()
        .filter(|c| *c == Channel::Sms || senders.has(*c))
        .collect()
}

fn attendee_sql_from(senders: &Senders, source: &str, filter: &str) -> String {
    let mut sql = format!(
        "SELECT {SESSION}, {ATTENDEE}, c.state AS case_state, p.consent, p.mode, p.language,
           p.channel AS wanted, p.safe_hours"
    );
    let mut joins = String::new();
    for channel in channels(senders) {
        let _ = write!(
            sql,
            ", {channel}.number AS {channel}_number, {channel}.number_hash AS {channel}_hash"
        );
        let _ = write!(
            joins,
            " LEFT JOIN address {channel}
               ON {channel}.party_id = p.id
                 AND {channel}.channel = '{channel}'
                 AND {channel}.state = 'current'
                 AND {channel}.safe = 'safe'
                 AND {channel}.blocked_at IS NULL
                 AND {channel}.paused_at IS NULL"
        );
    }
    let _ = write!(
        sql,
        "
         FROM {source}
         JOIN session s ON s.id = t.session_id
         JOIN case_file c ON c.id = s.case_id
         JOIN party p ON p.id = t.party_id
         {joins}
         {filter}"
    );
    sql
}

fn read_context(r: &Row, channels: &[Channel], seal: &Sealed) -> Result<AttendeeContext> {
    let mut routes = Vec::new();
    for channel in channels.iter().copied() {
        if let (Some(n), Some(hash)) = (
            r.text_opt(&format!("{channel}_number"))?,
            r.text_opt(&format!("{channel}_hash"))?,
        ) && let Some(address) = Address::read(channel, &seal.open(&n).0)
        {
            routes.push(Route {
                address,
                hash,
                opted_out: false,
            });
        }
    }
    let preferred: Channel = r.parsed("wanted")?;
    routes.sort_by_key(|r| r.address.channel() != preferred);
    Ok(AttendeeContext {
        session: read_session(r)?,
        attendee: read_attendee(r)?,
        archived: r.text("case_state")? == "archived",
        consent: r.parsed("consent")?,
        mode: r.parsed("mode")?,
        language: r.text("language")?,
        quiet: r.text_opt("safe_hours")?.as_deref().and_then(parse_hours),
        routes,
    })
}

/// Reads attendees and marks routes that are opted out at their centre's sender. Channels without a
/// sender of ours are left out.
async fn read_contexts(
    tx: &mut Tx,
    senders: &Senders,
    rows: &[Row],
) -> Result<Vec<AttendeeContext>> {
    let seal = tx.seal();
    let channels = channels(senders);
    let mut contexts: Vec<AttendeeContext> = rows
        .iter()
        .map(|r| read_context(r, &channels, &seal))
        .collect::<Result<_>>()?;
    let opted_out = inbox::opted_out_among(tx, &hashes_of(&contexts)).await?;
    mark_opted_out(&mut contexts, senders, &opted_out);
    Ok(contexts)
}

/// [`read_contexts`] outside a transaction.
async fn read_contexts_from_db(
    db: &Db,
    senders: &Senders,
    rows: &[Row],
) -> Result<Vec<AttendeeContext>> {
    let seal = db.seal();
    let channels = channels(senders);
    let mut contexts: Vec<AttendeeContext> = rows
        .iter()
        .map(|r| read_context(r, &channels, &seal))
        .collect::<Result<_>>()?;
    let opted_out = inbox::opted_out_among_in(db, &hashes_of(&contexts)).await?;
    mark_opted_out(&mut contexts, senders, &opted_out);
    Ok(contexts)
}

fn hashes_of(contexts: &[AttendeeContext]) -> Vec<String> {
    let mut hashes: Vec<String> = contexts
        .iter()
        .flat_map(|s| s.routes.iter().map(|r| r.hash.clone()))
        .collect();
    hashes.sort();
    hashes.dedup();
    hashes
}

fn mark_opted_out(contexts: &mut [AttendeeContext], senders: &Senders, opted_out: &OptOuts) {
    for context in contexts {
        let centre = &context.session.centre;
        // Without any sender, plan for SMS.
        context.routes.retain(|r| {
            senders.of(centre, r.address.channel()).is_some()
                || (senders.is_empty() && r.address.channel() == Channel::Sms)
        });
        for route in &mut context.routes {
            let channel = route.address.channel();
            let sender = senders.of(centre, channel).unwrap_or_default();
            route.opted_out = !opted_out.is_empty()
                && opted_out.contains(&(channel, sender.to_owned(), route.hash.clone()));
        }
    }
}

/// Attendees parties question is due at `now`, at most `limit`.
pub async fn due_to_ask(
    tx: &mut Tx,
    senders: &Senders,
    now: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<AttendeeContext>> {
    let rows = tx
        .all(
            attendee_sql(
                senders,
                "WHERE (t.session_id, t.role) IN (
                   SELECT session_id, role
                   FROM attendee
                   WHERE ask_at IS NOT NULL AND ask_at <= $1
                   ORDER BY ask_at
                   LIMIT $2 {skip}
                 )",
            ),
            args![now, limit],
        )
        .await?;
    read_contexts(tx, senders, &rows).await
}

/// Both attendees of a session.
pub async fn contexts_of_session(
    tx: &mut Tx,
    senders: &Senders,
    session_id: &SessionId,
) -> Result<Vec<AttendeeContext>> {
    let rows = tx
        .all(
            attendee_sql(senders, "WHERE s.id = $1 ORDER BY t.role DESC"),
            args![session_id],
        )
        .await?;
    read_contexts(tx, senders, &rows).await
}

/// Some attendees, by session and role.
pub async fn contexts_of_attendees(
    tx: &mut Tx,
    senders: &Senders,
    attendees: &[(SessionId, Role)],
) -> Result<Vec<AttendeeContext>> {
    let mut out = Vec::with_capacity(attendees.len());
    for chunk in attendees.chunks(128) {
        let pairs: Vec<String> = (0..chunk.len())
            .map(|i| format!("(${}, ${})", 2 * i + 1, 2 * i + 2))
            .collect();
        let sql = format!(
            "WITH v (session_id, role) AS (VALUES {}) {}",
            pairs.join(", "),
            attendee_sql_from(
                senders,
                "v JOIN attendee t ON t.session_id = v.session_id AND t.role = v.role",
                ""
            )
        );
        let args: Vec<Arg> = chunk
            .iter()
            .flat_map(|(s, r)| [Arg::from(s), Arg::from(r.as_str())])
            .collect();
        out.extend(tx.all(sql, args).await?);
    }
    read_contexts(tx, senders, &out).await
}

/// Attendees of the sessions that start within a span, for the plan and the desk.
pub async fn contexts_between(
    db: &Db,
    senders: &Senders,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
) -> Result<Vec<AttendeeContext>> {
    let rows = db
        .all(
            attendee_sql(
                senders,
                "WHERE s.starts_at >= $1 AND s.starts_at < $2
                 ORDER BY s.starts_at, c.case_ref, t.role DESC",
            ),
            args![from, to],
        )
        .await?;
    read_contexts_from_db(db, senders, &rows).await
}

/// The attendees of sessions that end after `since`, among all parties with an address, at the
/// centres that `sender` serves.
pub async fn contexts_of_address(
    tx: &mut Tx,
    senders: &Senders,
    at: (Channel, &str),
    hash: &str,
    since: DateTime<Utc>,
    parties: PartyFilter,
) -> Result<Vec<AttendeeContext>> {
    let (channel, sender) = at;
    let of = if parties == PartyFilter::Agreed {
        "channel = $2"
    } else {
        "($2 <> '')"
    };
    let sql = format!(
        "WHERE t.party_id IN (
           SELECT party_id
           FROM address
           WHERE number_hash = $1 AND {of} AND state = 'current'
         )
           AND s.ends_at > $3
         ORDER BY s.starts_at, s.id"
    );
    let rows = tx
        .all(
            attendee_sql(senders, &sql),
            args![hash, channel.as_str(), since],
        )
        .await?;
    let mut contexts = read_contexts(tx, senders, &rows).await?;
    contexts.retain(|s| {
        parties == PartyFilter::Any || senders.speaks_for(sender, &s.session.centre, channel)
    });
    Ok(contexts)
}

/// Which parties of an address to look for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartyFilter {
    /// Those who agreed to it for this channel, at the centres that our sender serves.
    Agreed,
    /// Those who have it on file for any use, at these centres.
    OnFile,
    /// Those who have it on file at any centre.
    Any,
}

/// Attendees of a centre who are still to be asked, for a change of its settings.
pub async fn unasked(
    tx: &mut Tx,
    senders: &Senders,
    centre: &str,
    now: DateTime<Utc>,
) -> Result<Vec<AttendeeContext>> {
    let rows = tx
        .all(
            attendee_sql(
                senders,
                "WHERE c.centre = $1 AND t.ask_at IS NOT NULL AND s.starts_at > $2",
            ),
            args![centre, now],
        )
        .await?;
    read_contexts(tx, senders, &rows).await
}

/// How many questions are due until `until` to parties who can be sent one, at one centre or at
/// all.
pub async fn count_asks_until(
    db: &Db,
    senders: &Senders,
    centre: Option<&str>,
    now: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<i64> {
    let rows = db
        .all(
            attendee_sql(
                senders,
                "WHERE t.ask_at IS NOT NULL
                   AND t.ask_at <= $1
                   AND s.state = 'booked'
                   AND s.starts_at > $2
                   AND ($3 IS NULL OR c.centre = $3)",
            ),
            args![until, now, centre],
        )
        .await?;
    let contexts = read_contexts_from_db(db, senders, &rows).await?;
    Ok(contexts
        .iter()
        .filter(|s| s.consent == Consent::Yes && s.mode != Mode::Silent && s.route().is_some())
        .count() as i64)
}

/// The attendees of a case's sessions that end after `since`.
pub async fn contexts_of_case(
    tx: &mut Tx,
    senders: &Senders,
    case_id: &CaseId,
    since: DateTime<Utc>,
) -> Result<Vec<AttendeeContext>> {
    let rows = tx
        .all(
            attendee_sql(
                senders,
                "WHERE s.case_id = $1 AND s.ends_at > $2 ORDER BY s.starts_at",
            ),
            args![case_id, since],
        )
        .await?;
    read_contexts(tx, senders, &rows).await
}

/// The attendees of a centre's booked sessions that overlap a span.
pub async fn booked_between(
    tx: &mut Tx,
    senders: &Senders,
    centre: &str,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
) -> Result<Vec<AttendeeContext>> {
    let rows = tx
        .all(
            attendee_sql(
                senders,
                "WHERE c.centre = $1
                   AND s.state = 'booked'
                   AND s.starts_at < $3
                   AND s.ends_at > $2
                 ORDER BY s.starts_at, c.case_ref, t.role DESC",
            ),
            args![centre, from, to],
        )
        .await?;
    read_contexts(tx, senders, &rows).await
}
