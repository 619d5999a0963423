//! What was recorded of a case for the rules on money, and the texts that follow from it.

use crate::args;
use crate::domain::ids::{CaseId, FeeId, MessageId, SessionId};
use crate::domain::money::policy::record::{recipients, standing};
use crate::domain::money::policy::{BookedSession, CaseFacts, CaseRecord, Money, Recorded};
use crate::domain::outgoing::message::{EndReason, MessageKind, MessageState};
use crate::domain::people::person::{Channel, Role};
use crate::store::db::{Db, Tx};
use anyhow::{Context, Result};
use chrono::{DateTime, NaiveDate, Utc};

/// The facts that can make a fee, as a list of SQL.
const FEEABLE: &str = "('cancelled', 'no_show')";

/// A case that has something to do with money.
#[derive(Debug, Clone)]
pub struct MoneyCase {
    /// Its id.
    pub id: CaseId,
    /// Its reference.
    pub case_ref: String,
    /// The centre's code.
    pub centre: String,
    /// What was recorded.
    pub record: CaseRecord,
}

/// Keeps others from looking at the case until the end of the transaction (PostgreSQL; SQLite has
/// one writer anyway).
pub async fn lock(tx: &mut Tx, case_id: &CaseId) -> Result<()> {
    tx.one(
        "SELECT id FROM case_file WHERE id = $1 {lock}",
        args![case_id],
    )
    .await?;
    Ok(())
}

/// All that the rules on money look at for one case.
///
/// # Errors
/// The case does not exist.
pub async fn case(tx: &mut Tx, case_id: &CaseId) -> Result<MoneyCase> {
    let row = tx
        .one(
            "SELECT id, case_ref, centre, court_ordered, children
             FROM case_file
             WHERE id = $1",
            args![case_id],
        )
        .await?
        .context("there is no such case")?;
    let roles: Vec<Role> = tx
        .all(
            "SELECT role
             FROM party
             WHERE case_id = $1
             ORDER BY role",
            args![case_id],
        )
        .await?
        .iter()
        .map(|r| r.word("role"))
        .collect::<Result<_>>()?;
    let sessions = tx
        .all(
            "SELECT id, starts_at, ends_at, state, booked_at, cancelled_by, cancelled_at,
               notice_hours, fee_minor, currency, payment_days
             FROM session
             WHERE case_id = $1
             ORDER BY starts_at, id",
            args![case_id],
        )
        .await?
        .iter()
        .map(|r| {
            Ok(BookedSession {
                id: r.id("id")?,
                start: r.time("starts_at")?,
                end: r.time("ends_at")?,
                state: r.word("state")?,
                booked_at: r.time("booked_at")?,
                off: r.word_opt("cancelled_by")?.zip(r.time_opt("cancelled_at")?),
                notice_hours: r.int("notice_hours")?,
                fee: Money {
                    minor: r.int("fee_minor")?,
                    currency: Money::currency(&r.text("currency")?)
                        .context("the currency of a session")?,
                },
                payment_days: u32::try_from(r.int("payment_days")?)?,
            })
        })
        .collect::<Result<Vec<_>>>()?;
    let seal = tx.seal();
    let facts = tx
        .all(
            "SELECT id, voids, session_id, role, kind, at, recorded_at, rule, detail, amount
             FROM fact
             WHERE case_id = $1
             ORDER BY recorded_at, at, id",
            args![case_id],
        )
        .await?
        .iter()
        .map(|r| {
            Ok(Recorded {
                id: r.id("id")?,
                voids: r.id_opt("voids")?,
                session: r.id_opt("session_id")?,
                role: r.word_opt("role")?,
                kind: r.text("kind")?,
                at: r.time("at")?,
                recorded_at: r.time("recorded_at")?,
                rule: r.text("rule")?,
                detail: seal.open(&r.text("detail")?).0,
                amount: r.int_opt("amount")?,
            })
        })
        .collect::<Result<Vec<_>>>()?;
    Ok(MoneyCase {
        id: row.id("id")?,
        case_ref: row.text("case_ref")?,
        centre: row.text("centre")?,
        record: CaseRecord {
            case: CaseFacts {
                court_ordered: row.flag("court_ordered")?,
                children: u32::try_from(row.int("children")?)?,
                parties: recipients(&roles),
            },
            sessions,
            facts: standing(facts),
        },
    })
}

/// The cases of a centre or of all in which something was recorded that can make a fee.
pub async fn cases_with_fees(tx: &mut Tx, centre: Option<&str>) -> Result<Vec<CaseId>> {
    tx.all(
        format!(
            "SELECT DISTINCT f.case_id, c.case_ref, c.centre
             FROM fact f
             JOIN case_file c ON c.id = f.case_id
             WHERE f.kind IN {FEEABLE} AND ($1 IS NULL OR c.centre = $1)
             ORDER BY c.centre, c.case_ref"
        ),
        args![centre],
    )
    .await?
    .iter()
    .map(|r| r.id("case_id"))
    .collect()
}

/// The session whose fee has this id.
pub async fn session_of_fee(tx: &mut Tx, fee: &FeeId) -> Result<Option<(CaseId, SessionId)>> {
    let seal = tx.seal();
    for r in tx
        .all(
            format!(
                "SELECT DISTINCT case_id, session_id
                 FROM fact
                 WHERE kind IN {FEEABLE} AND session_id IS NOT NULL"
            ),
            args![],
        )
        .await?
    {
        let session = r.id("session_id")?;
        if seal.id_of(&fee_cause(&session)) == fee.as_str() {
            return Ok(Some((r.id("case_id")?, session)));
        }
    }
    Ok(None)
}

fn fee_cause(session: &SessionId) -> String {
    format!("fee/{session}")
}

/// The id of the fee of a session, as lists show it.
pub fn fee_id(tx: &Tx, session: &SessionId) -> FeeId {
    FeeId::new(tx.seal().id_of(&fee_cause(session)))
}

/// The case of a session.
pub async fn case_of_session(tx: &mut Tx, session: &SessionId) -> Result<Option<CaseId>> {
    tx.one("SELECT case_id FROM session WHERE id = $1", args![session])
        .await?
        .map(|r| r.id("case_id"))
        .transpose()
}

/// Cases at which something happens by itself by `now`, at most `limit`.
pub async fn due(db: &Db, now: DateTime<Utc>, limit: i64) -> Result<Vec<CaseId>> {
    db.all(
        "SELECT id
         FROM case_file
         WHERE look_at IS NOT NULL AND look_at <= $1
         ORDER BY look_at
         LIMIT $2",
        args![now, limit],
    )
    .await?
    .iter()
    .map(|r| r.id("id"))
    .collect()
}

/// When the next case has to be looked at.
pub async fn next_look(db: &Db) -> Result<Option<DateTime<Utc>>> {
    let row = db
        .one(
            "SELECT min(look_at) AS at FROM case_file WHERE look_at IS NOT NULL",
            args![],
        )
        .await?;
    row.map_or(Ok(None), |r| r.time_opt("at"))
}

/// How many texts about money that the texting service took just now have no receipt yet.
pub async fn receipts_to_come(db: &Db, now: DateTime<Utc>) -> Result<i64> {
    let sql = "SELECT count(*) AS n
        FROM message
        WHERE rank = 3 AND state = 'sent' AND channel = 'sms' AND sent_at > $1";
    db.one(sql, args![now - chrono::Duration::seconds(5)])
        .await?
        .map_or(Ok(0), |r| r.int("n"))
}

/// Lets the next scan look at those of the cases that have something to do with money: their
/// sessions changed.
pub async fn look_again<'a>(
    tx: &mut Tx,
    now: DateTime<Utc>,
    cases: impl Iterator<Item = &'a CaseId>,
) -> Result<()> {
    let mut ids: Vec<&CaseId> = cases.collect();
    ids.sort_unstable();
    ids.dedup();
    let rows = ids.into_iter().map(|c| args![c, now]).collect();
    tx.with_many(
        "id, at",
        &format!(
            "UPDATE case_file
             SET look_at = v.at
             FROM v
             WHERE case_file.id = v.id
               AND EXISTS (SELECT 1 FROM fact f WHERE f.case_id = v.id AND f.kind IN {FEEABLE})"
        ),
        rows,
    )
    .await?;
    Ok(())
}

/// Lets the next scan look at the case of a text about money: it is proven that it arrived, or it
/// may go on.
pub async fn look_after(tx: &mut Tx, now: DateTime<Utc>, message_id: &MessageId) -> Result<()> {
    tx.exec(
        "UPDATE case_file
         SET look_at = $1
         WHERE id = (SELECT case_id FROM message WHERE id = $2 AND rank = 3)",
        args![now, message_id],
    )
    .await?;
    Ok(())
}

/// Writes down how the case stands and when to look again.
pub async fn stand(
    tx: &mut Tx,
    case_id: &CaseId,
    hold: bool,
    archived: bool,
    look_at: Option<DateTime<Utc>>,
) -> Result<()> {
    let state = if archived { "archived" } else { "open" };
    tx.exec(
        "UPDATE case_file
         SET bookings_hold = $1, state = $2, look_at = $3
         WHERE id = $4",
        args![hold, state, look_at, case_id],
    )
    .await?;
    Ok(())
}

/// A text about money or a note that was queued.
#[derive(Debug, Clone)]
pub struct MoneyText {
    /// The message.
    pub id: MessageId,
    /// Its cause.
    pub dedup_key: String,
    /// What it says.
    pub kind: MessageKind,
    /// About which session.
    pub session: Option<SessionId>,
    /// To whom.
    pub role: Option<Role>,
    /// On which channel.
    pub channel: Channel,
    /// Where it stands.
    pub state: MessageState,
    /// Why it ended.
    pub reason: Option<String>,
    /// When it was called for, last.
    pub queued_at: DateTime<Utc>,
    /// Earliest instant.
    pub not_before: DateTime<Utc>,
    /// When it was accepted.
    pub sent_at: Option<DateTime<Utc>>,
    /// When it was proven that it reached the phone.
    pub delivered_at: Option<DateTime<Utc>>,
    /// A person holds it back.
    pub held: bool,
    /// The day of the visit that it names.
    pub date: Option<NaiveDate>,
}

impl MoneyText {
    /// Whether it left, or may have left.
    pub fn left(&self) -> bool {
        matches!(
            self.state,
            MessageState::Sending
                | MessageState::Sent
                | MessageState::Delivered
                | MessageState::Uncertain
        )
    }

    /// Whether it left, or ended so that it will not leave any more and a person says it instead.
    pub fn is_said(&self) -> bool {
        let withdrawn = self.state == MessageState::Withdrawn
            && self.reason.as_deref() == Some(EndReason::NoLongerDue.as_str());
        self.state != MessageState::Waiting && !withdrawn
    }

    /// When its party was told by it: a network says when the phone has a text; Telegram says no
    /// more than that it took it for a chat, and shows it there.
    pub fn told_at(&self) -> Option<DateTime<Utc>> {
        match (self.state, self.channel) {
            (MessageState::Sent | MessageState::Delivered, Channel::Telegram) => self.sent_at,
            (MessageState::Delivered, _) => self.delivered_at.or(self.sent_at),
            _ => None,
        }
    }
}

/// The texts of a case about money and notes.
pub async fn texts(tx: &mut Tx, case_id: &CaseId) -> Result<Vec<MoneyText>> {
    // The rank of texts about money stands in `outbox::enqueue`.
    let sql = "
        SELECT id, cause, kind, session_id, role, channel, state, reason, queued_at, not_before,
          sent_at, delivered_at, held_at, data
        FROM message
        WHERE case_id = $1 AND rank = 3
        ORDER BY queued_at, id";
    let args = args![case_id];
    let seal = tx.seal();
    tx.all(sql, args)
        .await?
        .iter()
        .map(|r| {
            Ok(MoneyText {
                id: r.id("id")?,
                dedup_key: r.text("cause")?,
                kind: r.word("kind")?,
                session: r.id_opt("session_id")?,
                role: r.word_opt("role")?,
                channel: r.word("channel")?,
                state: r.word("state")?,
                reason: r.text_opt("reason")?,
                queued_at: r.time("queued_at")?,
                not_before: r.time("not_before")?,
                sent_at: r.time_opt("sent_at")?,
                delivered_at: r.time_opt("delivered_at")?,
                held: r.time_opt("held_at")?.is_some(),
                date: seal.open(&r.text("data")?).0.parse().ok(),
            })
        })
        .collect()
}

/// Withdraws a text that still waits; false if it left meanwhile.
pub async fn withdraw(tx: &mut Tx, message_id: &MessageId, reason: &str) -> Result<bool> {
    Ok(tx
        .exec(
            "UPDATE message
             SET state = 'withdrawn', reason = $1, held_at = NULL, held_by = NULL
             WHERE id = $2 AND state = 'waiting'",
            args![reason, message_id],
        )
        .await?
        == 1)
}

/// Lets a text wait again that was withdrawn: it is called for from `now` on.
pub async fn wait_again(
    tx: &mut Tx,
    message_id: &MessageId,
    not_before: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<()> {
    let sql = "UPDATE message
        SET state = 'waiting', reason = NULL, queued_at = $1, not_before = $2
        WHERE id = $3 AND state = 'withdrawn'";
    tx.exec(sql, args![now, not_before, message_id]).await?;
    Ok(())
}

/// A person holds one text back that waits; false if it does not wait, or is held already.
pub async fn hold_text(
    tx: &mut Tx,
    message_id: &MessageId,
    by: &str,
    now: DateTime<Utc>,
) -> Result<bool> {
    Ok(tx
        .exec(
            "UPDATE message
             SET held_at = $1, held_by = $2
             WHERE id = $3 AND state = 'waiting' AND held_at IS NULL",
            args![now, by, message_id],
        )
        .await?
        == 1)
}

/// A claimed text does not leave but waits for a manager (safety rule M3).
pub async fn pause_text(tx: &mut Tx, message_id: &MessageId, now: DateTime<Utc>) -> Result<()> {
    tx.exec(
        "UPDATE message SET held_at = $1, held_by = 'M3' WHERE id = $2",
        args![now, message_id],
    )
    .await?;
    Ok(())
}

/// Lets a text go that a person held back, not before `at`; false if it was not held.
pub async fn free_text(tx: &mut Tx, message_id: &MessageId, at: DateTime<Utc>) -> Result<bool> {
    let n = tx
        .exec(
            "UPDATE message
             SET held_at = NULL, held_by = NULL,
               not_before = CASE WHEN not_before > $1 THEN not_before ELSE $1 END
             WHERE id = $2 AND state = 'waiting' AND held_at IS NOT NULL",
            args![at, message_id],
        )
        .await?;
    look_after(tx, at, message_id).await?;
    Ok(n == 1)
}

/// Whether a text waits for a manager, because of the safety of the party that it goes to (safety
/// rule M3).
pub async fn is_paused(tx: &mut Tx, message_id: &MessageId) -> Result<bool> {
    Ok(tx
        .one(
            "SELECT id FROM message WHERE id = $1 AND held_by = 'M3'",
            args![message_id],
        )
        .await?
        .is_some())
}

/// Whether a task about this party's own safety is open: written by them, or about their phone
/// (safety rule M3).
pub async fn safety_open(tx: &mut Tx, case_id: &CaseId, role: Role) -> Result<bool> {
    let row = tx
        .one(
            "SELECT t.id
             FROM task t
             LEFT JOIN inbound i ON i.id = t.inbound_id
             WHERE t.state = 'open'
               AND t.topic IN ('safeguarding', 'quiet_word')
               AND (
                 (t.case_id = $1 AND t.role = $2)
                 OR i.number_hash IN (
                   SELECT a.number_hash
                   FROM address a
                   JOIN party p ON p.id = a.party_id
                   WHERE p.case_id = $1 AND p.role = $2 AND a.state = 'current'
                 )
               )
             LIMIT 1",
            args![case_id, role.as_str()],
        )
        .await?;
    Ok(row.is_some())
}

/// Until when this party may take a cancellation of the session back, if they may.
pub async fn undo_until(
    tx: &mut Tx,
    session: &SessionId,
    role: Role,
) -> Result<Option<DateTime<Utc>>> {
    let row = tx
        .one(
            "SELECT undo_until FROM attendee WHERE session_id = $1 AND role = $2",
            args![session, role.as_str()],
        )
        .await?;
    row.map_or(Ok(None), |r| r.time_opt("undo_until"))
}
