//! The centre does not open: its sessions are closed together, both parents are told, nobody is
//! charged (choice C22), and whoever cannot be texted is on the list of those to be rung.

use crate::domain::centre::Centre;
use crate::domain::ids::{ClosureId, SessionId};
use crate::domain::local_time::{instant, wall};
use crate::domain::outgoing::message::{EndReason, MessageKind};
use crate::domain::outgoing::say::Say;
use crate::domain::people::person::{Channel, Consent, Mode, Role};
use crate::domain::people::staff::Act;
use crate::domain::reminders::release::in_time;
use crate::domain::task::TaskKind;
use crate::flows::compose::{message_to, speaker};
use crate::flows::error::{Error, Result, refuse};
use crate::flows::service::Service;
use crate::store::closures::{self, families};
use crate::store::facts::{self, Fact};
use crate::store::outbox::{self, NewMessage};
use crate::store::sealed::random_id;
use crate::store::sessions::{self, AttendeeContext};
use crate::store::tasks::{self, NewTask};
use crate::store::{Tx, centres, money, staff};
use crate::templates::RenderedText;
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use std::collections::BTreeMap;

/// The most days that one closure may cover.
const LONGEST: i64 = 62;

/// What is to be closed.
#[derive(Debug, Clone)]
pub struct ClosureRequest {
    /// The centre's code.
    pub centre: String,
    /// First day, on the centre's wall clock.
    pub from: NaiveDate,
    /// Last day.
    pub to: NaiveDate,
    /// Only sessions that overlap these hours of a day.
    pub hours: Option<(NaiveTime, NaiveTime)>,
    /// Why; for staff only, it stands in no text.
    pub why: String,
}

/// Notification one parent hears of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notification {
    /// By a text on this channel.
    RenderedText(Channel),
    /// By a call: no address that takes texts, no consent, opted out, or a phone that may show
    /// nothing.
    Ring,
}

/// One parent of one session.
#[derive(Debug, Clone)]
pub struct NotifiedParent {
    /// The case.
    pub case_ref: String,
    /// Which parent.
    pub role: Role,
    /// The session's start on the centre's wall clock.
    pub start: NaiveDateTime,
    /// Notification they hear.
    pub how: Notification,
}

/// What a closure would do, or did.
#[derive(Debug, Clone)]
pub struct ClosurePreview {
    /// The centre's name.
    pub centre: String,
    /// Sessions.
    pub sessions: usize,
    /// Families: cases.
    pub families: usize,
    /// Each parent.
    pub told: Vec<NotifiedParent>,
    /// The exact words in each language, each once, with how many parents get them.
    pub words: Vec<(RenderedText, usize)>,
    /// The centre is on hold: nothing is texted, everybody is rung.
    pub held: bool,
}

impl ClosurePreview {
    /// Notification many parents hear by text.
    pub fn texts(&self) -> usize {
        self.told
            .iter()
            .filter(|t| matches!(t.how, Notification::RenderedText(_)))
            .count()
    }
}

fn how(context: &AttendeeContext) -> Notification {
    match context.route() {
        Some(r)
            if context.consent == Consent::Yes
                && context.mode == Mode::Normal
                && !context.archived =>
        {
            Notification::RenderedText(r.address.channel())
        }
        _ => Notification::Ring,
    }
}

/// The places that a closure concerns: sessions that are booked and not over.
async fn concerned(
    svc: &Service,
    tx: &mut Tx,
    c: &ClosureRequest,
    centre: &Centre,
    now: DateTime<Utc>,
) -> Result<Vec<AttendeeContext>> {
    if c.to < c.from {
        refuse!(
            "--to {} lies before --from {}; name the last day that is closed",
            c.to,
            c.from
        );
    }
    if (c.to - c.from).num_days() > LONGEST {
        refuse!(
            "{} to {} is more than {LONGEST} days; close in parts",
            c.from,
            c.to
        );
    }
    let day_after =
        c.to.succ_opt()
            .ok_or_else(|| Error::refused("--to is no usable date"))?;
    let (from, to) = (
        instant(centre.tz, c.from.and_time(NaiveTime::MIN)),
        instant(centre.tz, day_after.and_time(NaiveTime::MIN)),
    );
    if to <= now {
        refuse!(
            "{} is past; only sessions that are not over can be closed",
            c.to
        );
    }
    let mut contexts =
        sessions::booked_between(tx, svc.lines().senders(), &c.centre, from.max(now), to).await?;
    if let Some((opens, closes)) = c.hours {
        contexts.retain(|s| {
            let (start, end) = (s.session.start_local, wall(centre.tz, s.session.ends_at));
            // A session over midnight overlaps every evening hour.
            start.time() < closes && (end.time() > opens || end.date() > start.date())
        });
    }
    Ok(contexts)
}

fn preview_of(
    svc: &Service,
    centre: &Centre,
    contexts: &[AttendeeContext],
    held: bool,
) -> Result<ClosurePreview> {
    let mut words: BTreeMap<String, (RenderedText, usize)> = BTreeMap::new();
    let mut told = Vec::with_capacity(contexts.len());
    for context in contexts {
        let how = how(context);
        if let (Notification::RenderedText(_), false) = (&how, held) {
            let say = Say::Closure {
                arrival: wall(centre.tz, context.attendee.arrives_at),
            };
            let text = svc
                .words
                .render(&say, &speaker(centre), &context.language)?;
            words.entry(text.body.clone()).or_insert((text, 0)).1 += 1;
        }
        told.push(NotifiedParent {
            case_ref: context.session.case_ref.clone(),
            role: context.attendee.role,
            start: context.session.start_local,
            how: if held { Notification::Ring } else { how },
        });
    }
    let mut sessions: Vec<&str> = contexts.iter().map(|s| s.session.id.as_str()).collect();
    sessions.dedup();
    Ok(ClosurePreview {
        centre: centre.name.clone(),
        sessions: sessions.len(),
        families: families(contexts),
        told,
        words: words.into_values().collect(),
        held,
    })
}

async fn centre_in(tx: &mut Tx, code: &str) -> Result<(Centre, bool)> {
    let stored = centres::all_in(tx).await?.remove(code).ok_or_else(|| {
        Error::not_found(format!(
            "there is no centre {code}; `courtesy centre list` shows all"
        ))
    })?;
    Ok((stored.centre, stored.held))
}

/// What a closure would do. Nothing is written.
pub async fn preview(svc: &Service, c: &ClosureRequest) -> Result<ClosurePreview> {
    let mut tx = svc.db.begin().await?;
    let (centre, held) = centre_in(&mut tx, &c.centre).await?;
    let contexts = concerned(svc, &mut tx, c, &centre, svc.clock.now()).await?;
    preview_of(svc, &centre, &contexts, held)
}

/// Closes, if the number of families is still the one that was previewed. Everything is one
/// transaction; what is said to one parent never stands or falls with another's.
///
/// # Errors
/// In plain words: somebody who may not, another number of families, no session at all, no such
/// centre.
pub async fn send(
    svc: &Service,
    c: &ClosureRequest,
    expected: usize,
    by: &str,
) -> Result<ClosurePreview> {
    let now = svc.clock.now();
    let mut tx = svc.db.begin().await?;
    staff::allow(&mut tx, by, Act::Close).await?;
    let (centre, held) = centre_in(&mut tx, &c.centre).await?;
    let mut contexts = concerned(svc, &mut tx, c, &centre, now).await?;
    let mut sessions: Vec<(SessionId, i64)> = contexts
        .iter()
        .map(|s| (s.session.id.clone(), s.session.version))
        .collect();
    sessions.dedup();
    if tx.is_postgres() {
        sessions::lock(
            &mut tx,
            &sessions
                .iter()
                .map(|(id, _)| id.clone())
                .collect::<Vec<_>>(),
        )
        .await?;
        contexts = concerned(svc, &mut tx, c, &centre, now).await?;
        sessions = contexts
            .iter()
            .map(|s| (s.session.id.clone(), s.session.version))
            .collect();
        sessions.dedup();
    }
    let n = families(&contexts);
    if n == 0 {
        refuse!(
            "no session of {} is booked then; nothing was changed",
            c.centre
        );
    }
    if n != expected {
        return Err(Error::changed(format!(
            "{n} families are concerned now, not {expected}; nothing was changed. Look at the \
             preview again"
        )));
    }
    let untold_moves = outbox::untold_moves(&mut tx, &c.centre).await?;
    closures::no_way_back(
        &mut tx,
        &c.centre,
        now,
        instant(
            centre.tz,
            c.to.succ_opt().unwrap_or(c.to).and_time(NaiveTime::MIN),
        ),
    )
    .await?;
    let closed = closures::close(
        &mut tx,
        now,
        &sessions,
        &[
            MessageKind::ConfirmRequest.as_str(),
            MessageKind::SessionMoved.as_str(),
        ],
        EndReason::SessionOff.as_str(),
    )
    .await?;
    if closed != sessions.len() as u64 {
        return Err(Error::changed(
            "a session was changed by somebody else just now; nothing was closed. Look at the \
             preview again",
        ));
    }
    tasks::moot_of_sessions(&mut tx, now, &sessions, TaskKind::RingSessionOn).await?;
    let id = ClosureId::new(random_id());
    let at = |d: NaiveDate, t: NaiveTime| d.and_time(t);
    let (opens, closes) = c.hours.unwrap_or((
        NaiveTime::MIN,
        NaiveTime::from_hms_opt(23, 59, 0).unwrap_or_default(),
    ));
    let row = closures::Closure {
        id: &id,
        centre: &c.centre,
        from: at(c.from, opens),
        to: at(c.to, closes),
        why: &c.why,
        families: n as i64,
        by,
    };
    closures::add(&mut tx, now, &row).await?;
    let mut messages = Vec::with_capacity(contexts.len());
    let mut rings = Vec::new();
    for context in &contexts {
        let (s, a) = (&context.session, &context.attendee);
        let dedup_key = format!("closure/{id}/{}/{}", s.id, a.role);
        let not_before = in_time(&centre, now, a.arrives_at);
        let untold = untold_moves.get(&(s.id.clone(), a.role));
        let ring = how(context) == Notification::Ring;
        if ring || held || untold.is_some() {
            // Rule f10: nothing leaves while on hold, so a person rings.
            let task = NewTask {
                centre: Some(&s.centre),
                case_id: Some(&s.case_id),
                session_id: Some(&s.id),
                role: Some(a.role),
                due_at: Some(a.arrives_at),
                ..NewTask::new(format!("ring-for/{dedup_key}"), TaskKind::RingSessionOff)
            };
            rings.push(task);
        }
        if let Some(old_arrival) = untold.filter(|_| !ring) {
            // They know the visit at its old time only: that one is called off, and a person rings.
            messages.push(NewMessage {
                session: Some((s.id.clone(), s.version + 1, a.ask_version)),
                payload: old_arrival.clone(),
                ..message_to(
                    context,
                    dedup_key,
                    MessageKind::SessionOff,
                    not_before,
                    Some(s.ends_at),
                )
            });
        } else if !ring || context.mode == Mode::Discreet {
            messages.push(NewMessage {
                session: Some((s.id.clone(), s.version + 1, a.ask_version)),
                ..message_to(
                    context,
                    dedup_key,
                    MessageKind::Closure,
                    not_before,
                    Some(s.ends_at),
                )
            });
        }
    }
    outbox::enqueue(&mut tx, now, &messages).await?;
    tasks::open_many(&mut tx, now, &rings).await?;
    let mut facts_of: Vec<Fact<'_>> = Vec::with_capacity(sessions.len());
    let mut last: Option<&SessionId> = None;
    for s in contexts.iter().map(|s| &s.session) {
        if last != Some(&s.id) {
            facts_of.push(Fact::new("closed", "C22", by, now).of_session(&s));
            last = Some(&s.id);
        }
    }
    // A fee for a session of that day that a party had cancelled falls with it (choice C13).
    let off = closures::cancelled_within(&mut tx, now, &c.centre, c.from, c.to, c.hours).await?;
    facts_of.extend(off.iter().map(|(case, session)| {
        Fact::new("closed", "C13", by, now)
            .case(case)
            .session(session)
    }));
    facts::add(&mut tx, now, &facts_of).await?;
    money::look_again(&mut tx, now, facts_of.iter().filter_map(|f| f.case_id)).await?;
    tx.commit().await?;
    svc.wake_senders();
    svc.changed.notify_waiters();
    preview_of(svc, &centre, &contexts, held)
}
