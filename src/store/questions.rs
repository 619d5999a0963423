//! Cancel questions that wait for their code.

use super::db::Tx;
use super::sealed::random_id;
use crate::args;
use crate::domain::cancel::Question;
use crate::domain::conversation::{Choosing, Wanted};
use crate::domain::person::{Channel, Role};
use anyhow::Result;
use chrono::{DateTime, Duration, Utc};

/// What is known about the cancelling of one session by one party.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// The newest open question for the session's present version.
    pub open: Option<Question>,
    /// Where it was asked: the channel (on any, if it is not known) and the address.
    pub place: Option<(Option<Channel>, String)>,
    /// Questions asked in the last 24 hours.
    pub today: i64,
    /// Wrong codes in all.
    pub wrong: i64,
    /// Whether three wrong codes ended a question: a person took over.
    pub blocked: bool,
}

impl Asked {
    /// Whether the open question was asked in this place: only there it is finished.
    pub fn is_of(&self, channel: Channel, hash: &str) -> bool {
        self.place.as_ref().is_some_and(|(c, h)| c.is_none_or(|c| c == channel) && h == hash)
    }
}

/// Reads it. A question belongs to the party, wherever it was asked.
pub async fn of(tx: &mut Tx, session_id: &str, role: Role, ask_version: i64, now: DateTime<Utc>) -> Result<Asked> {
    let seal = tx.seal();
    let rows = tx
        .all(
            "SELECT id, session_version, channel, number_hash, stem, offered, first_no_at, asked_at, tries, state FROM cancel_question WHERE session_id = $1 AND role = $2 ORDER BY asked_at",
            args![session_id, role.as_str()],
        )
        .await?;
    let mut out = Asked::default();
    for r in rows {
        let tries = r.int("tries")?;
        out.wrong += tries;
        out.blocked |= tries >= crate::domain::cancel::TRIES_A_QUESTION;
        out.today += i64::from(r.time("asked_at")? > now - Duration::hours(24));
        if r.text("state")? == "open" && r.int("session_version")? == ask_version {
            out.place = Some((r.word_opt("channel")?, r.text("number_hash")?));
            out.open = Some(Question {
                id: r.text("id")?,
                stem: seal.open(&r.text("stem")?).0,
                offered: r.text("offered")?.split(' ').filter_map(|w| w.parse().ok()).collect(),
                asked_at: r.time("asked_at")?,
                first_no_at: r.time("first_no_at")?,
                tries,
            });
        }
    }
    Ok(out)
}

/// A question to write.
pub struct NewQuestion<'a> {
    /// The session.
    pub session_id: &'a str,
    /// Who asked to cancel.
    pub role: Role,
    /// The version of the question of attendance that it belongs to.
    pub ask_version: i64,
    /// The channel by which it was asked, and the address that asked.
    pub channel: Channel,
    /// See `channel`.
    pub number_hash: &'a str,
    /// Stem and reasons.
    pub stem: &'a str,
    /// The offered reasons.
    pub offered: &'a [crate::domain::session::Reason],
    /// When the first NO came.
    pub first_no_at: DateTime<Utc>,
    /// When a person rings.
    pub nag_at: DateTime<Utc>,
}

/// Writes a question; the earlier ones for the same session and party end.
pub async fn add(tx: &mut Tx, now: DateTime<Utc>, q: &NewQuestion<'_>) -> Result<String> {
    let id = random_id();
    let offered: Vec<&str> = q.offered.iter().map(|r| r.as_str()).collect();
    tx.exec("UPDATE cancel_question SET state = 'void' WHERE session_id = $1 AND role = $2 AND state = 'open'", args![q.session_id, q.role.as_str()]).await?;
    let stem = tx.seal().seal(q.stem);
    tx.exec(
        "INSERT INTO cancel_question (id, session_id, role, session_version, number_hash, stem, offered, first_no_at, asked_at, nag_at, tries, state, channel)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0, 'open', $11)",
        args![&id, q.session_id, q.role.as_str(), q.ask_version, q.number_hash, stem, offered.join(" "), q.first_no_at, now, q.nag_at, q.channel.as_str()],
    )
    .await?;
    Ok(id)
}

/// Ends a question.
pub async fn end(tx: &mut Tx, id: &str, done: bool) -> Result<()> {
    tx.exec("UPDATE cancel_question SET state = $1 WHERE id = $2 AND state = 'open'", args![if done { "done" } else { "void" }, id]).await?;
    Ok(())
}

/// Ends all questions about a session that gets another time.
pub async fn end_all(tx: &mut Tx, session_id: &str) -> Result<()> {
    tx.exec("UPDATE cancel_question SET state = 'void' WHERE session_id = $1 AND state = 'open'", args![session_id]).await?;
    Ok(())
}

/// Counts a wrong code.
pub async fn wrong(tx: &mut Tx, id: &str) -> Result<()> {
    tx.exec("UPDATE cancel_question SET tries = tries + 1 WHERE id = $1", args![id]).await?;
    Ok(())
}

/// A question that nobody finished in time.
pub struct Unfinished {
    /// The question.
    pub id: String,
    /// The session.
    pub session_id: String,
    /// Its case.
    pub case_id: String,
    /// Who asked.
    pub role: Role,
    /// The start of the session.
    pub starts_at: DateTime<Utc>,
}

/// Questions over which a person has to ring by now; each is given once.
pub async fn take_unfinished(tx: &mut Tx, now: DateTime<Utc>) -> Result<Vec<Unfinished>> {
    let rows = tx
        .all(
            "SELECT q.id, q.session_id, s.case_id, q.role, s.starts_at FROM cancel_question q JOIN session s ON s.id = q.session_id
             WHERE q.state = 'open' AND q.nag_at IS NOT NULL AND q.nag_at <= $1 ORDER BY q.nag_at LIMIT 500",
            args![now],
        )
        .await?;
    let mut out = Vec::new();
    for r in rows {
        let id = r.text("id")?;
        tx.exec("UPDATE cancel_question SET nag_at = NULL WHERE id = $1", args![&id]).await?;
        out.push(Unfinished { id, session_id: r.text("session_id")?, case_id: r.text("case_id")?, role: r.word("role")?, starts_at: r.time("starts_at")? });
    }
    Ok(out)
}

/// The numbered question that waits at an address, if it is not older than a day.
pub async fn choosing(tx: &mut Tx, at: (Channel, &str), number_hash: &str, now: DateTime<Utc>) -> Result<Option<Choosing>> {
    let row = tx
        .one(
            "SELECT id, wanted, options, asked_at, said_at FROM choice WHERE state = 'open' AND channel = $1 AND sender = $2 AND number_hash = $3 AND asked_at > $4 ORDER BY asked_at DESC LIMIT 1",
            args![at.0.as_str(), at.1, number_hash, now - Duration::hours(24)],
        )
        .await?;
    row.map(|r| read_choosing(&r)).transpose()
}

/// A numbered question by its id, while it waits.
pub async fn choosing_by_id(tx: &mut Tx, id: &str) -> Result<Option<Choosing>> {
    let row = tx.one("SELECT id, wanted, options, asked_at, said_at FROM choice WHERE id = $1 AND state = 'open'", args![id]).await?;
    row.map(|r| read_choosing(&r)).transpose()
}

fn read_choosing(r: &super::db::Row) -> Result<Choosing> {
    let wanted = match r.text("wanted")?.as_str() {
        "confirm" => Wanted::Confirm,
        "cancel" => Wanted::Cancel(None),
        reason => Wanted::Cancel(reason.parse().ok()),
    };
    let options = r.text("options")?.split(' ').filter_map(|o| o.split_once(':')).filter_map(|(s, v)| Some((s.to_owned(), v.parse().ok()?))).collect();
    let said_at = r.time_opt("said_at")?.map_or_else(|| r.time("asked_at"), Ok)?;
    Ok(Choosing { id: r.text("id")?, wanted, options, said_at })
}

/// Asks a message of `said_at` back with a numbered question to its address (channel, our sender and hash); an earlier question there
/// ends, and one about the same wish passes its own `said_at` on. Gives the id.
pub async fn ask_which(tx: &mut Tx, now: DateTime<Utc>, place: (Channel, &str, &str), said_at: DateTime<Utc>, wanted: Wanted, options: &[(String, i64)]) -> Result<String> {
    let id = random_id();
    let (channel, sender, number_hash) = place;
    let before = choosing(tx, (channel, sender), number_hash, now).await?;
    let same = before.filter(|c| c.options == options && matches!((c.wanted, wanted), (Wanted::Cancel(_), Wanted::Cancel(_))));
    let said_at = same.map_or(said_at, |c| c.said_at.min(said_at));
    let wanted = match wanted {
        Wanted::Confirm => "confirm",
        Wanted::Cancel(None) => "cancel",
        Wanted::Cancel(Some(reason)) => reason.as_str(),
    };
    let options: Vec<String> = options.iter().map(|(s, v)| format!("{s}:{v}")).collect();
    tx.exec("UPDATE choice SET state = 'done' WHERE state = 'open' AND channel = $1 AND sender = $2 AND number_hash = $3", args![channel.as_str(), sender, number_hash]).await?;
    tx.exec(
        "INSERT INTO choice (id, channel, sender, number_hash, wanted, options, asked_at, said_at, state) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'open')",
        args![&id, channel.as_str(), sender, number_hash, wanted, options.join(" "), now, said_at],
    )
    .await?;
    Ok(id)
}

/// Ends a numbered question.
pub async fn chosen(tx: &mut Tx, id: &str) -> Result<()> {
    tx.exec("UPDATE choice SET state = 'done' WHERE id = $1", args![id]).await?;
    Ok(())
}
