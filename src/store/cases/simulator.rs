//! Whom the simulated phones and chats belong to.

use crate::args;
use crate::domain::people::channel::Channel;
use crate::domain::people::phone::Phone;
use crate::domain::people::private::Private;
use crate::domain::people::role::Role;
use crate::store::db::Db;
use anyhow::Result;

/// Every number on file for the simulated phones: number, case, role, name, preferred channel.
pub async fn simulator_phones(db: &Db) -> Result<Vec<(Phone, String, Role, Private, Channel)>> {
    let seal = db.seal();
    let rows = db
        .all(
            "SELECT a.number, c.case_ref, p.role, p.name, p.channel
             FROM address a
             JOIN party p ON p.id = a.party_id
             JOIN case_file c ON c.id = p.case_id
             WHERE a.channel IN ('sms', 'ring') AND a.state = 'current' AND p.role <> 'referrer'
             ORDER BY c.centre, c.case_ref, p.role DESC",
            args![],
        )
        .await?;
    let mut out = Vec::new();
    for r in rows {
        if let Some(phone) = Phone::from_e164(&seal.open(&r.text("number")?).0) {
            out.push((
                phone,
                r.text("case_ref")?,
                r.parsed("role")?,
                seal.open(&r.text("name")?),
                r.parsed("channel")?,
            ));
        }
    }
    Ok(out)
}

/// Every Telegram chat on file for the simulated phones: chat id, case, role, name.
pub async fn simulator_chats(db: &Db) -> Result<Vec<(i64, String, Role, Private)>> {
    let seal = db.seal();
    let rows = db
        .all(
            "SELECT a.number, c.case_ref, p.role, p.name
             FROM address a
             JOIN party p ON p.id = a.party_id
             JOIN case_file c ON c.id = p.case_id
             WHERE a.channel = 'telegram' AND a.state = 'current'
             ORDER BY c.centre, c.case_ref, p.role DESC",
            args![],
        )
        .await?;
    let mut out = Vec::new();
    for r in rows {
        if let Ok(chat) = seal.open(&r.text("number")?).0.parse() {
            out.push((
                chat,
                r.text("case_ref")?,
                r.parsed("role")?,
                seal.open(&r.text("name")?),
            ));
        }
    }
    Ok(out)
}
