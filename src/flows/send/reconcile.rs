//! Asks the provider what became of attempts whose end nobody recorded.
//!
//! An attempt that the provider lists is adopted; one that is surely not there is due again; one
//! that cannot be told apart is for a person.

use crate::channels::ProviderMessage;
use crate::domain::dedup_key::TaskKey;
use crate::domain::ids::WorkerId;
use crate::domain::outgoing::message::MessageState;
use crate::domain::outgoing::receipt::Receipt;
use crate::domain::people::address::Address;
use crate::domain::task::TaskKind;
use crate::flows::lines::Line;
use crate::flows::receive::went_elsewhere;
use crate::flows::service::Service;
use crate::store::attempts::{self, OpenAttempt};
use crate::store::outbox::{self, AttemptResult};
use crate::store::{Tx, tasks, workers};
use anyhow::Result;
use chrono::{DateTime, Duration, Utc};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

/// Attempts looked at in one round.
const BATCH: i64 = 1000;
/// Looks that must not find an attempt before it counts as not sent.
const LOOKS: i64 = 2;
/// How far the provider's clock may differ from ours.
const SKEW: Duration = Duration::minutes(5);
/// An attempt that nobody could look up for this long is for a person.
const GIVE_UP: Duration = Duration::hours(24);

/// What a look found.
#[derive(Debug, PartialEq, Eq)]
enum LookResult {
    Adopted(String, Option<Receipt>),
    NotThere,
    CannotTell,
}

/// One round; `me` is this process's worker id. Returns how many attempts are still open and ours to
/// look at.
///
/// # Errors
/// The database failed. A provider that does not answer is no error: the attempts stay open and are
/// looked at again.
pub async fn round(svc: &Service, me: &WorkerId) -> Result<usize> {
    let lines = svc.lines();
    let now = svc.clock.now();
    let Some(shortest) = lines.all().iter().map(|l| l.settle).min() else {
        return Ok(0);
    };
    let open = attempts::open_attempts(
        &svc.db,
        now - Duration::from_std(shortest).unwrap_or_default(),
        BATCH,
    )
    .await?;
    if open.is_empty() {
        return Ok(0);
    }
    let mut alive: HashMap<WorkerId, bool> = HashMap::new();
    let mut lookups = Lookups::default();
    for attempt in open {
        if !alive.contains_key(&attempt.worker) {
            let lives = attempt.worker == *me || workers::is_alive(&svc.db, &attempt.worker).await;
            alive.insert(attempt.worker.clone(), lives);
        }
        match lines.by_sender(attempt.channel, &attempt.sender) {
            Some(line) => {
                let lives = alive[&attempt.worker];
                lookups.add(line, attempt, lives, now);
            }
            // Another sender's service may not know it, and to take that for "not there" would
            // send it twice: without its line a person decides in the end.
            None => give_up_old(svc, vec![attempt]).await?,
        }
    }
    let waiting = lookups.waiting;
    for (line, number, attempts) in lookups.now() {
        look(svc, &line, &number, attempts).await?;
    }
    Ok(waiting)
}

/// The attempts of one round, sorted into those to look up now and those that wait.
#[derive(Default)]
struct Lookups {
    /// Attempts to look up, by the name of their line and their number.
    by_number: BTreeMap<(String, Address), (Arc<Line>, Vec<OpenAttempt>)>,
    /// Words on their way to a number just now: a text with these words that the provider lists
    /// could be that one.
    on_the_way: HashSet<(String, String)>,
    /// Numbers with an attempt that waits: a text that cannot be told by its words waits with it.
    not_now: HashSet<String>,
    /// How many attempts have a line of ours.
    waiting: usize,
}

impl Lookups {
    fn add(&mut self, line: &Arc<Line>, attempt: OpenAttempt, lives: bool, now: DateTime<Utc>) {
        let look_again = Duration::from_std(line.look_again).unwrap_or_default();
        let number = attempt.number.as_str().to_owned();
        self.waiting += 1;
        if !settled(line, &attempt, lives, now) {
            self.not_now.insert(number.clone());
            self.on_the_way.insert((number, attempt.body.0.clone()));
        } else if attempt.looked_at.is_some_and(|t| t + look_again > now) {
            self.not_now.insert(number);
        } else {
            self.by_number
                .entry((line.name(), attempt.number.clone()))
                .or_insert_with(|| (line.clone(), Vec::new()))
                .1
                .push(attempt);
        }
    }

    /// The attempts to look up now, together for each number.
    fn now(self) -> Vec<(Arc<Line>, Address, Vec<OpenAttempt>)> {
        let (on_the_way, not_now) = (self.on_the_way, self.not_now);
        self.by_number
            .into_iter()
            .map(|((_, number), (line, mut attempts))| {
                attempts.retain(|a| {
                    if a.content {
                        !not_now.contains(number.as_str())
                    } else {
                        !on_the_way.contains(&(number.as_str().to_owned(), a.body.0.clone()))
                    }
                });
                (line, number, attempts)
            })
            .filter(|(_, _, attempts)| !attempts.is_empty())
            .collect()
    }
}

/// Whether the provider must know of the attempt by now, if it ever will. While its process lives
/// and has not recorded its end, the request is on its way, unless that lasts longer than any
/// request can. Pure.
fn settled(line: &Line, attempt: &OpenAttempt, lives: bool, now: DateTime<Utc>) -> bool {
    let settle = Duration::from_std(line.settle).unwrap_or_default();
    let longest = Duration::from_std(line.timeout() * 2).unwrap_or_default();
    match attempt.ended_at {
        Some(ended) => ended + settle <= now,
        None if lives => attempt.started_at + settle + Duration::seconds(60) + longest <= now,
        None => true,
    }
}

/// Looks up the attempts to one number at the line's provider, and records what was found.
async fn look(
    svc: &Service,
    line: &Line,
    number: &Address,
    attempts: Vec<OpenAttempt>,
) -> Result<()> {
    let Some(sms) = line.sms() else {
        // Nobody can be asked: a person decides.
        return ask_a_person(svc, &attempts).await;
    };
    let listed = match sms.list_to(number.as_str()).await {
        Ok(listed) => listed,
        Err(e) => {
            tracing::warn!("an attempt cannot be looked up yet: {e:#}");
            return give_up_old(svc, attempts).await;
        }
    };
    let ids: Vec<String> = listed.iter().map(|l| l.provider_id.clone()).collect();
    let mut taken = attempts::own_provider_ids(&svc.db, &ids).await?;
    let now = svc.clock.now();
    let mut tx = svc.db.begin().await?;
    // What can be told by its words is looked for first.
    let (mut in_order, content): (Vec<_>, Vec<_>) = attempts.into_iter().partition(|a| !a.content);
    let mut open_content = content.len();
    in_order.extend(content);
    for a in in_order {
        let result = if a.content {
            find_content(&a, &listed, &taken, open_content)
        } else {
            find(&a.sender, &a, &listed, &taken)
        };
        if let LookResult::Adopted(provider_id, _) = &result {
            open_content -= usize::from(a.content);
            taken.insert(provider_id.clone());
        }
        record(&mut tx, now, line, a, &listed, result).await?;
    }
    tx.commit().await?;
    svc.wake_senders();
    svc.changed.notify_waiters();
    Ok(())
}

/// Writes down what a look found of the attempt `a`.
async fn record(
    tx: &mut Tx,
    now: DateTime<Utc>,
    line: &Line,
    a: OpenAttempt,
    listed: &[ProviderMessage],
    result: LookResult,
) -> Result<()> {
    match result {
        LookResult::Adopted(provider_id, receipt) => {
            adopt(tx, now, line, a, listed, (provider_id, receipt)).await
        }
        LookResult::NotThere if a.looks + 1 >= LOOKS => {
            tracing::info!("an attempt in doubt is surely not at the provider: it is due again");
            let end = AttemptResult::NotSent {
                error: "not found at the provider".into(),
                retry_at: now,
            };
            outbox::record_results(tx, &line.name(), now, vec![(a.token, end)]).await?;
            Ok(())
        }
        LookResult::NotThere => {
            let look_again = Duration::from_std(line.look_again).unwrap_or_default();
            attempts::record_lookups(tx, now, look_again, &[a.token]).await
        }
        LookResult::CannotTell => uncertain(tx, now, &a).await,
    }
}

/// Takes the listed message for the attempt's own, with the receipt that it already has.
async fn adopt(
    tx: &mut Tx,
    now: DateTime<Utc>,
    line: &Line,
    a: OpenAttempt,
    listed: &[ProviderMessage],
    (provider_id, receipt): (String, Option<Receipt>),
) -> Result<()> {
    let of_listed = listed.iter().find(|l| l.provider_id == provider_id);
    let error = of_listed.and_then(|l| l.error.as_ref());
    let token = a.token.clone();
    let end = AttemptResult::Accepted {
        provider_id,
        receipt,
    };
    outbox::record_results(tx, &line.name(), now, vec![(a.token, end)]).await?;
    let elsewhere = went_elsewhere(tx, now, &token, error).await?;
    if !elsewhere && receipt.is_some_and(|r| r.message_state() == MessageState::Undelivered) {
        let key = TaskKey::undelivered(&a.message_id);
        tasks::open_for_message(tx, now, key, TaskKind::BadNumber, &a.message_id).await?;
    }
    tracing::info!("an attempt in doubt was found at the provider");
    Ok(())
}

async fn ask_a_person(svc: &Service, attempts: &[OpenAttempt]) -> Result<()> {
    let now = svc.clock.now();
    let mut tx = svc.db.begin().await?;
    for a in attempts {
        uncertain(&mut tx, now, a).await?;
    }
    tx.commit().await?;
    svc.changed.notify_waiters();
    Ok(())
}

async fn uncertain(tx: &mut Tx, now: DateTime<Utc>, a: &OpenAttempt) -> Result<()> {
    if attempts::mark_uncertain(tx, now, &a.token).await? {
        tasks::open_for_message(
            tx,
            now,
            TaskKey::uncertain(&a.token),
            TaskKind::Uncertain,
            &a.message_id,
        )
        .await?;
    }
    Ok(())
}

/// Hands to a person what nobody could look up for [`GIVE_UP`].
async fn give_up_old(svc: &Service, mut attempts: Vec<OpenAttempt>) -> Result<()> {
    let now = svc.clock.now();
    attempts.retain(|a| a.started_at + GIVE_UP < now);
    if attempts.is_empty() {
        return Ok(());
    }
    ask_a_person(svc, &attempts).await
}

/// The messages of the list that could be this attempt, whatever their words, the nearest in time
/// first. Pure.
fn could_be<'a>(
    sender: &str,
    a: &OpenAttempt,
    listed: &'a [ProviderMessage],
    taken: &HashSet<String>,
) -> Vec<&'a ProviderMessage> {
    let ours = |l: &&ProviderMessage| {
        !l.inbound
            && l.to == a.number.as_str()
            && (l.from.as_deref() == Some(sender) || l.service.as_deref() == Some(sender))
            && !taken.contains(&l.provider_id)
            && l.created_at.is_none_or(|t| t >= a.started_at - SKEW)
    };
    let mut out: Vec<&ProviderMessage> = listed.iter().filter(ours).collect();
    out.sort_by_key(|l| {
        l.created_at
            .map_or(i64::MAX, |t| (t - a.started_at).num_milliseconds().abs())
    });
    out
}

fn adopted(l: &ProviderMessage) -> LookResult {
    LookResult::Adopted(l.provider_id.clone(), l.receipt)
}

/// Looks for an attempt among the provider's messages to its number. Pure.
fn find(
    sender: &str,
    a: &OpenAttempt,
    listed: &[ProviderMessage],
    taken: &HashSet<String>,
) -> LookResult {
    let ours = could_be(sender, a, listed, taken);
    // Two texts with the same words to one number are two attempts; each takes one, the nearest in
    // time first.
    if let Some(l) = ours.iter().find(|l| l.body == a.body.0) {
        return adopted(l);
    }
    // A body that was emptied could be this one.
    if ours.iter().any(|l| l.body.is_empty()) {
        LookResult::CannotTell
    } else {
        LookResult::NotThere
    }
}

/// The same for a text that stands at the service; `open` of them to this number are in doubt.
/// Nothing to be found: not there. As many as are in doubt: each took one. Anything else cannot be
/// told. Pure.
fn find_content(
    a: &OpenAttempt,
    listed: &[ProviderMessage],
    taken: &HashSet<String>,
    open: usize,
) -> LookResult {
    let ours = could_be(&a.sender, a, listed, taken);
    match (ours.iter().find(|l| l.body == a.body.0), ours.as_slice()) {
        (_, []) => LookResult::NotThere,
        _ if a.beside_uncertain => LookResult::CannotTell,
        (Some(same), _) => adopted(same),
        (None, [nearest, ..]) if ours.len() == open => adopted(nearest),
        _ => LookResult::CannotTell,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::{AttemptToken, MessageId};
    use crate::domain::people::channel::Channel;
    use crate::domain::people::phone::Phone;
    use crate::domain::people::private::Private;

    fn attempt() -> OpenAttempt {
        OpenAttempt {
            token: AttemptToken::new("t"),
            message_id: MessageId::new("m"),
            worker: WorkerId::new("w"),
            channel: Channel::Sms,
            sender: "+15005550006".into(),
            number: Address::sms(&Phone::from_e164("+447700900101").unwrap()),
            body: Private("hello".into()),
            started_at: DateTime::from_timestamp(1_000_000, 0).unwrap(),
            ended_at: None,
            looks: 0,
            looked_at: None,
            not_after: None,
            content: false,
            beside_uncertain: false,
        }
    }

    fn listed(id: &str, body: &str, at: i64) -> ProviderMessage {
        ProviderMessage {
            provider_id: id.into(),
            body: body.into(),
            to: "+447700900101".into(),
            from: Some("+15005550006".into()),
            service: None,
            inbound: false,
            created_at: DateTime::from_timestamp(at, 0),
            receipt: Some(Receipt::Delivered),
            error: None,
            media: 0,
        }
    }

    #[test]
    fn only_our_own_unowned_text_of_that_time_is_adopted() {
        let find = |l: &[ProviderMessage], taken: &[&str]| {
            find(
                "+15005550006",
                &attempt(),
                l,
                &taken.iter().map(|s| s.to_string()).collect(),
            )
        };
        let good = listed("SM1", "hello", 1_000_001);
        assert_eq!(
            find(std::slice::from_ref(&good), &[]),
            LookResult::Adopted("SM1".into(), Some(Receipt::Delivered))
        );
        assert_eq!(
            find(std::slice::from_ref(&good), &["SM1"]),
            LookResult::NotThere
        );
        assert_eq!(
            find(&[listed("SM1", "other words", 1_000_001)], &[]),
            LookResult::NotThere
        );
        assert_eq!(
            find(&[listed("SM1", "hello", 990_000)], &[]),
            LookResult::NotThere
        );
        assert_eq!(
            find(
                &[ProviderMessage {
                    inbound: true,
                    ..good.clone()
                }],
                &[]
            ),
            LookResult::NotThere
        );
        assert_eq!(
            find(
                &[ProviderMessage {
                    from: Some("+15005550000".into()),
                    ..good.clone()
                }],
                &[]
            ),
            LookResult::NotThere
        );
        assert_eq!(
            find(&[listed("SM1", "", 1_000_001)], &[]),
            LookResult::CannotTell
        );
        assert_eq!(
            find(
                &[
                    listed("SM2", "hello", 1_000_090),
                    listed("SM1", "hello", 1_000_002)
                ],
                &[]
            ),
            LookResult::Adopted("SM1".into(), Some(Receipt::Delivered))
        );
    }

    #[test]
    fn a_text_that_stands_at_the_service_is_told_by_its_number_alone() {
        let content = || OpenAttempt {
            content: true,
            ..attempt()
        };
        let find = |a: &OpenAttempt, l: &[ProviderMessage], taken: &[&str], open| {
            find_content(a, l, &taken.iter().map(|s| s.to_string()).collect(), open)
        };
        let bare = |id: &str, at| listed(id, "", at);
        assert_eq!(find(&content(), &[], &[], 1), LookResult::NotThere);
        assert_eq!(
            find(&content(), &[bare("SM1", 1_000_001)], &[], 1),
            LookResult::Adopted("SM1".into(), Some(Receipt::Delivered))
        );
        assert_eq!(
            find(
                &content(),
                &[listed("SM1", "its own words", 1_000_001)],
                &[],
                1
            ),
            LookResult::Adopted("SM1".into(), Some(Receipt::Delivered))
        );
        assert_eq!(
            find(&content(), &[bare("SM1", 1_000_001)], &["SM1"], 1),
            LookResult::NotThere,
            "it is another's"
        );
        assert_eq!(
            find(&content(), &[bare("SM1", 990_000)], &[], 1),
            LookResult::NotThere,
            "long before"
        );
        // Two in doubt and one there: whose it is cannot be told, unless its words tell it. Two in
        // doubt and two there: each took one.
        assert_eq!(
            find(&content(), &[bare("SM1", 1_000_001)], &[], 2),
            LookResult::CannotTell
        );
        assert_eq!(
            find(&content(), &[listed("SM1", "hello", 1_000_001)], &[], 2),
            LookResult::Adopted("SM1".into(), Some(Receipt::Delivered))
        );
        assert_eq!(
            find(
                &content(),
                &[bare("SM1", 1_000_090), bare("SM2", 1_000_001)],
                &[],
                2
            ),
            LookResult::Adopted("SM2".into(), Some(Receipt::Delivered))
        );
        assert_eq!(
            find(
                &content(),
                &[bare("SM1", 1_000_001), bare("SM2", 1_000_002)],
                &[],
                1
            ),
            LookResult::CannotTell
        );
        let beside = OpenAttempt {
            beside_uncertain: true,
            ..content()
        };
        assert_eq!(
            (
                find(&beside, &[bare("SM1", 1_000_001)], &[], 1),
                find(&beside, &[], &[], 1)
            ),
            (LookResult::CannotTell, LookResult::NotThere)
        );
    }
}
