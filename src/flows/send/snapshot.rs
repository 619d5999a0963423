//! Reads, in the transaction that claims messages, all that the decision about each looks at.

use crate::domain::centre::Centre;
use crate::domain::ids::{CancelQuestionId, SessionId};
use crate::domain::outgoing::claimed::ClaimedMessage;
use crate::domain::outgoing::decide::{
    LineFacts, MilestoneFacts, OpenCancelQuestion, ReplyAddress, Snapshot,
};
use crate::domain::outgoing::message::MessageKind;
use crate::domain::outgoing::pace::Pace;
use crate::domain::outgoing::payload::Payload;
use crate::domain::people::channel::{Channel, Mode};
use crate::domain::people::role::Role;
use crate::domain::replies::cancel_code::digit;
use crate::domain::visits::attendee::AttendeeContext;
use crate::flows::compose::speaker;
use crate::flows::lateness::may_cost;
use crate::flows::lines::Line;
use crate::flows::money::recheck as money;
use crate::flows::service::Service;
use crate::flows::visits::milestones;
use crate::store::centres::{self, Centres};
use crate::store::{Tx, dates, inbox, messages, questions, sessions};
use anyhow::Result;
use chrono::{DateTime, Duration, Utc};
use std::collections::{HashMap, HashSet};

/// What is read once for everything that was claimed together.
pub(super) struct Gathered {
    centres: Centres,
    /// Sessions that nobody else is changing at this moment.
    free_sessions: HashSet<SessionId>,
    attendees: HashMap<(SessionId, Role), AttendeeContext>,
    /// The quietest mode of the parties with an address, by its hash.
    modes: HashMap<String, Mode>,
    /// Addresses that must not be used any more.
    closed: HashSet<String>,
    /// The language of the parties with an address.
    languages: HashMap<String, String>,
    /// On WhatsApp: when somebody last wrote from an address.
    last_inbound: HashMap<String, DateTime<Utc>>,
    pace: Pace,
}

/// What is read for one message.
#[derive(Default)]
pub(super) struct Details {
    cancel_question: Option<OpenCancelQuestion>,
    question_open: bool,
    money: Option<crate::domain::outgoing::decide::MoneyFacts>,
    milestone: Option<MilestoneFacts>,
}

impl Gathered {
    pub(super) async fn read(
        svc: &Service,
        tx: &mut Tx,
        line: &Line,
        claimed: &[ClaimedMessage],
        now: DateTime<Utc>,
    ) -> Result<Gathered> {
        let centres = centres::all_in(tx).await?;
        let session_of = |c: &ClaimedMessage| c.session.as_ref().map(|s| s.0.clone());
        let ids = sorted(claimed.iter().filter_map(session_of));
        let free_sessions = sessions::lock_available(tx, &ids).await?;
        let places = sorted(
            claimed
                .iter()
                .filter_map(|c| Some((session_of(c)?, c.role?))),
        );
        let attendees: HashMap<(SessionId, Role), AttendeeContext> =
            sessions::contexts_of_attendees(tx, svc.lines().senders(), &places)
                .await?
                .into_iter()
                .map(|a| ((a.session.id.clone(), a.attendee.role), a))
                .collect();
        let reply_hashes: Vec<String> = claimed
            .iter()
            .filter_map(|c| c.to.as_ref().map(|(_, hash)| hash.clone()))
            .collect();
        let pace = read_pace(tx, &centres, claimed, &attendees, now).await?;
        Ok(Gathered {
            modes: inbox::modes_of(tx, &reply_hashes).await?,
            closed: inbox::unusable_among(tx, line.channel, &reply_hashes).await?,
            languages: inbox::languages_of(tx, &reply_hashes).await?,
            last_inbound: read_last_inbound(tx, line, reply_hashes, &attendees, now).await?,
            centres,
            free_sessions,
            attendees,
            pace,
        })
    }

    /// Reads what the decision needs to know about this message in addition.
    pub(super) async fn details(
        &self,
        tx: &mut Tx,
        message: &ClaimedMessage,
        now: DateTime<Utc>,
    ) -> Result<Details> {
        let mut details = Details {
            question_open: match &message.payload {
                Payload::WhichVisit { choice, .. } => {
                    questions::open_choice_by_id(tx, choice).await?.is_some()
                }
                Payload::AnotherDate { question, .. } => {
                    dates::session_of(tx, question).await?.is_some()
                }
                _ => false,
            },
            ..Details::default()
        };
        let (Some(attendee), Some(centre)) = (self.attendee(message), self.centre(message)) else {
            return Ok(details);
        };
        if self.is_busy(message) {
            return Ok(details);
        }
        if let Payload::CancelQuestion(question) = &message.payload {
            details.cancel_question = cancel_question(tx, attendee, question, now).await?;
        } else if message.kind.is_milestone() {
            let facts = milestones::facts(tx, centre, message, attendee, now).await?;
            details.milestone = Some(facts);
        } else if message.kind.is_money() {
            details.money = Some(money::facts(tx, centre, message, attendee, now).await?);
        }
        Ok(details)
    }

    /// Everything that the decision about one message looks at.
    pub(super) fn snapshot<'a>(
        &'a self,
        line: &'a Line,
        message: &'a ClaimedMessage,
        details: Details,
        template_language: &'a dyn Fn(MessageKind, &str) -> &'static str,
        now: DateTime<Utc>,
    ) -> Snapshot<'a> {
        let reply_hash = message.to.as_ref().map_or("", |(_, hash)| hash.as_str());
        Snapshot {
            now,
            message,
            centre: self.centre(message),
            line: LineFacts {
                channel: line.channel,
                only_to: &line.only_to,
                contents: &line.content,
            },
            attendee: self.attendee(message),
            session_busy: self.is_busy(message),
            reply_to: ReplyAddress {
                closed: self.closed.contains(reply_hash),
                mode: self.modes.get(reply_hash).copied(),
                language: self.languages.get(reply_hash).map(String::as_str),
            },
            cancel_question: details.cancel_question,
            question_open: details.question_open,
            money: details.money,
            milestone: details.milestone,
            pace: &self.pace,
            last_inbound: &self.last_inbound,
            template_language,
        }
    }

    /// The message's centre, or any centre if it has none.
    pub(super) fn centre(&self, message: &ClaimedMessage) -> Option<&Centre> {
        let own = self.centres.get(&message.centre);
        own.or_else(|| self.centres.values().next())
            .map(|stored| &stored.centre)
    }

    pub(super) fn attendee(&self, message: &ClaimedMessage) -> Option<&AttendeeContext> {
        let (session, ..) = message.session.as_ref()?;
        self.attendees.get(&(session.clone(), message.role?))
    }

    fn is_busy(&self, message: &ClaimedMessage) -> bool {
        message
            .session
            .as_ref()
            .is_some_and(|(id, ..)| !self.free_sessions.contains(id))
    }

    /// Counts an unprompted text to this phone, so that the next one is spaced from it.
    pub(super) fn count(&mut self, phone: &str, now: DateTime<Utc>) {
        self.pace.count(phone, now);
    }
}

/// The language in which the templates say a kind of message for this centre.
pub(super) fn template_language<'a>(
    svc: &'a Service,
    centre: Option<&'a Centre>,
) -> impl Fn(MessageKind, &str) -> &'static str + 'a {
    let speaker = centre.map(speaker);
    move |kind, language| match &speaker {
        Some(speaker) => svc.templates.language_of(kind, speaker, language),
        None => crate::templates::ENGLISH,
    }
}

fn sorted<T: Ord>(items: impl Iterator<Item = T>) -> Vec<T> {
    let mut items: Vec<T> = items.collect();
    items.sort();
    items.dedup();
    items
}

/// What was sent lately to the phones of centres that limit how often they text.
async fn read_pace(
    tx: &mut Tx,
    centres: &Centres,
    claimed: &[ClaimedMessage],
    attendees: &HashMap<(SessionId, Role), AttendeeContext>,
    now: DateTime<Utc>,
) -> Result<Pace> {
    let limited = |c: &ClaimedMessage| {
        centres.get(&c.centre).is_some_and(|s| {
            s.centre.rules.spacing_minutes > 0 || s.centre.rules.max_texts_per_day > 0
        })
    };
    let phones = claimed
        .iter()
        .filter(|c| !c.kind.is_answer() && limited(c))
        .filter_map(|c| attendees.get(&(c.session.as_ref()?.0.clone(), c.role?)))
        .flat_map(|a| a.routes.iter().map(|r| r.hash.clone()));
    Ok(Pace::new(
        messages::unprompted(tx, now, &sorted(phones)).await?,
    ))
}

/// On WhatsApp: when somebody last wrote from each address that a text may go to.
async fn read_last_inbound(
    tx: &mut Tx,
    line: &Line,
    mut hashes: Vec<String>,
    attendees: &HashMap<(SessionId, Role), AttendeeContext>,
    now: DateTime<Utc>,
) -> Result<HashMap<String, DateTime<Utc>>> {
    if line.channel != Channel::Whatsapp {
        return Ok(HashMap::new());
    }
    let routes = attendees.values().flat_map(|a| &a.routes);
    hashes.extend(
        routes
            .filter(|r| r.address.channel() == line.channel)
            .map(|r| r.hash.clone()),
    );
    inbox::last_inbound(tx, line.at(), &hashes, now - Duration::days(1)).await
}

/// The cancel question that a text asks, while it is open.
async fn cancel_question(
    tx: &mut Tx,
    attendee: &AttendeeContext,
    id: &CancelQuestionId,
    now: DateTime<Utc>,
) -> Result<Option<OpenCancelQuestion>> {
    let (session, own) = (&attendee.session, &attendee.attendee);
    let history = questions::history(tx, &session.id, own.role, own.ask_version, now).await?;
    let open = history
        .open
        .filter(|q| q.id == *id && q.is_open(now, session.starts_at));
    let Some(q) = open else {
        return Ok(None);
    };
    Ok(Some(OpenCancelQuestion {
        late: may_cost(tx, attendee, q.first_no_at).await?,
        only_code: match q.offered.as_slice() {
            [only] => Some(format!("{}{}", q.code_prefix, digit(*only))),
            _ => None,
        },
        asks_reason: q.offered.len() > 1,
        code_prefix: q.code_prefix,
    }))
}
