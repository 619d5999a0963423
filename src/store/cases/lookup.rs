//! Finding a case, and the list of parties.

use crate::args;
use crate::domain::ids::{CaseId, PartyId};
use crate::domain::people::channel::{Channel, Consent};
use crate::domain::people::role::Role;
use crate::domain::people::senders::Senders;
use crate::store::db::Db;
use crate::store::inbox;
use crate::store::lookup_error::LookupError;
use anyhow::Result;
use std::collections::HashMap;

#[derive(Debug, Clone)]
pub struct Case {
    pub id: CaseId,
    pub centre: String,
    pub case_ref: String,
    pub archived: bool,
}

/// Finds a case by `BRK-0101`, or by `BRK/BRK-0101` where two centres use the same reference.
///
/// # Errors
/// No such case, or more than one.
pub async fn find(db: &Db, case: &str) -> Result<Case> {
    let (centre, case_ref) = match case.split_once('/') {
        Some((c, r)) => (Some(c), r),
        None => (None, case),
    };
    let rows = db
        .all(
            "SELECT id, centre, case_ref, state
             FROM case_file
             WHERE case_ref = $1 AND ($2 IS NULL OR centre = $2)
             ORDER BY centre",
            args![case_ref, centre],
        )
        .await?;
    match rows.as_slice() {
        [] => Err(LookupError::NotFound(format!(
            "there is no case {case}; `courtesy list parties` shows all"
        ))
        .into()),
        [r] => Ok(Case {
            id: r.id("id")?,
            centre: r.text("centre")?,
            case_ref: r.text("case_ref")?,
            archived: r.text("state")? == "archived",
        }),
        many => {
            let names: Vec<_> = many
                .iter()
                .map(|r| Ok(format!("{}/{}", r.text("centre")?, r.text("case_ref")?)))
                .collect::<Result<_>>()?;
            Err(LookupError::Unclear(format!(
                "{case} exists at several centres: write {}",
                names.join(" or ")
            ))
            .into())
        }
    }
}

/// A party for lists, without name and number.
#[derive(Debug, Clone)]
pub struct ListedParty {
    pub case_ref: String,
    pub centre: String,
    pub role: Role,
    pub channel: Channel,
    /// Consent; `stop` also if its address is opted out.
    pub consent: Consent,
    /// Whether a Telegram chat is linked.
    pub linked: bool,
    /// Whether a message can be sent to it now.
    pub usable: bool,
}

/// The parties of one centre or of all.
pub async fn parties(db: &Db, senders: &Senders, centre: Option<&str>) -> Result<Vec<ListedParty>> {
    let rows = db
        .all(
            "SELECT p.id, c.case_ref, c.centre, p.role, p.channel, p.consent, p.mode
             FROM party p
             JOIN case_file c ON c.id = p.case_id
             WHERE $1 IS NULL OR c.centre = $1
             ORDER BY c.centre, c.case_ref, p.role DESC",
            args![centre],
        )
        .await?;
    let addresses = db
        .all(
            "SELECT a.party_id, a.channel, a.number_hash, a.safe, a.blocked_at, a.paused_at
             FROM address a
             JOIN party p ON p.id = a.party_id
             JOIN case_file c ON c.id = p.case_id
             WHERE a.state = 'current' AND a.channel <> 'ring' AND ($1 IS NULL OR c.centre = $1)",
            args![centre],
        )
        .await?;
    // By party: channel, hash, and whether messages may go there apart from opt-outs.
    let mut by_party: HashMap<PartyId, Vec<(Channel, String, bool)>> = HashMap::new();
    let mut hashes = Vec::with_capacity(addresses.len());
    for a in addresses {
        let open = a.text("safe")? == "safe"
            && a.time_opt("blocked_at")?.is_none()
            && a.time_opt("paused_at")?.is_none();
        let hash = a.text("number_hash")?;
        hashes.push(hash.clone());
        by_party
            .entry(a.id("party_id")?)
            .or_default()
            .push((a.parsed("channel")?, hash, open));
    }
    let stopped = inbox::opted_out_among_in(db, &hashes).await?;
    rows.iter()
        .map(|r| {
            let at_centre = r.text("centre")?;
            let routes = by_party.remove(&r.id("id")?).unwrap_or_default();
            let is_stopped = |(channel, hash, _): &(Channel, String, bool)| {
                senders
                    .of(&at_centre, *channel)
                    .is_some_and(|s| stopped.contains(&(*channel, s.to_owned(), hash.clone())))
            };
            let has_sender = |channel: Channel| {
                channel == Channel::Sms || senders.of(&at_centre, channel).is_some()
            };
            let usable = routes
                .iter()
                .any(|r| r.2 && has_sender(r.0) && !is_stopped(r));
            let consent: Consent = r.parsed("consent")?;
            Ok(ListedParty {
                case_ref: r.text("case_ref")?,
                role: r.parsed("role")?,
                channel: r.parsed("channel")?,
                consent: if !usable && routes.iter().any(is_stopped) {
                    Consent::Stop
                } else {
                    consent
                },
                linked: routes.iter().any(|(c, ..)| *c == Channel::Telegram),
                usable: consent == Consent::Yes && usable && r.text("mode")? != "silent",
                centre: at_centre,
            })
        })
        .collect()
}
