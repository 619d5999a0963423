//! What a closure of the centre would do: whom it concerns, how each parent hears of it, and the exact
//! words.

use crate::domain::centre::Centre;
use crate::domain::local_time::{instant, wall};
use crate::domain::outgoing::say::Say;
use crate::domain::people::channel::{Channel, Consent, Mode};
use crate::domain::people::role::Role;
use crate::domain::visits::attendee::AttendeeContext;
use crate::flows::compose::speaker;
use crate::flows::error::{Error, Result, refuse};
use crate::flows::service::Service;
use crate::store::closures::families;
use crate::store::sessions;
use crate::store::{Tx, centres};
use crate::templates::RenderedText;
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use std::collections::BTreeMap;

/// The most days that one closure may cover.
const LONGEST: i64 = 62;

/// What is to be closed.
#[derive(Debug, Clone)]
pub struct ClosureRequest {
    pub centre: String,
    /// First day, on the centre's wall clock.
    pub from: NaiveDate,
    /// Last day.
    pub to: NaiveDate,
    /// Only sessions that overlap these hours of a day.
    pub hours: Option<(NaiveTime, NaiveTime)>,
    /// Why; for staff only, it never appears in a text.
    pub why: String,
}

/// How one parent hears of a closure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notification {
    /// By a text on this channel.
    Text(Channel),
    /// By a call: no address that takes texts, no consent, opted out, or a phone that may show
    /// nothing.
    Ring,
}

/// One parent of one session.
#[derive(Debug, Clone)]
pub struct NotifiedParent {
    pub case_ref: String,
    pub role: Role,
    /// The session's start on the centre's wall clock.
    pub start: NaiveDateTime,
    /// How they hear of it.
    pub how: Notification,
}

/// What a closure would do, or did.
#[derive(Debug, Clone)]
pub struct ClosurePreview {
    pub centre: String,
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
    /// How many parents hear by text.
    pub fn texts(&self) -> usize {
        self.told
            .iter()
            .filter(|t| matches!(t.how, Notification::Text(_)))
            .count()
    }
}

pub(super) fn how(context: &AttendeeContext) -> Notification {
    match context.route() {
        Some(r)
            if context.consent == Consent::Yes
                && context.mode == Mode::Normal
                && !context.archived =>
        {
            Notification::Text(r.address.channel())
        }
        _ => Notification::Ring,
    }
}

/// The attendees of the sessions that a closure concerns: those that are booked and not over.
pub(super) async fn concerned(
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

pub(super) fn preview_of(
    svc: &Service,
    centre: &Centre,
    contexts: &[AttendeeContext],
    held: bool,
) -> Result<ClosurePreview> {
    let mut words: BTreeMap<String, (RenderedText, usize)> = BTreeMap::new();
    let mut told = Vec::with_capacity(contexts.len());
    for context in contexts {
        let how = how(context);
        if let (Notification::Text(_), false) = (&how, held) {
            let say = Say::Closure {
                arrival: wall(centre.tz, context.attendee.arrives_at),
            };
            let text = svc
                .templates
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

pub(super) async fn centre_in(tx: &mut Tx, code: &str) -> Result<(Centre, bool)> {
    let stored = centres::all_in(tx).await?.remove(code).ok_or_else(|| {
        Error::not_found(format!(
            "there is no centre {code}; `courtesy centre list` shows all"
        ))
    })?;
    Ok((stored.centre, stored.held))
}

/// What a closure would do. Nothing is written.
///
/// # Errors
/// An unknown centre, or days that make no sense.
pub async fn preview(svc: &Service, c: &ClosureRequest) -> Result<ClosurePreview> {
    let mut tx = svc.db.begin().await?;
    let (centre, held) = centre_in(&mut tx, &c.centre).await?;
    let contexts = concerned(svc, &mut tx, c, &centre, svc.clock.now()).await?;
    preview_of(svc, &centre, &contexts, held)
}
