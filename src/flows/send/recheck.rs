//! The second look, in the transaction that claims: is what was decided still so, is the address
//! still right, and may it be said now?

use crate::channels::{Button, ContentMessage};
use crate::domain::centre::Centre;
use crate::domain::local_time::{Quiet, after_all_quiet, wall};
use crate::domain::outgoing::message::{EndReason, MessageKind, MessageState};
use crate::domain::outgoing::say::{FinishBy, Say};
use crate::domain::outgoing::whatsapp::{self, Delivery, TemplateReader};
use crate::domain::people::person::{Address, Channel, Consent, Mode, Role};
use crate::domain::reminders::release::SPARE_JOURNEY_HOURS;
use crate::domain::task::TaskKind;
use crate::domain::visits::session::{Answer, SessionState, cut_off};
use crate::flows::compose::speaker;
use crate::flows::lateness::may_cost;
use crate::flows::lines::Line;
use crate::flows::money::recheck as money_recheck;
use crate::flows::ring::ring;
use crate::flows::service::Service;
use crate::flows::visits::ask_date::DateData;
use crate::flows::visits::milestones::{self, MilestoneCheck};
use crate::store::centres::{self, Centres};
use crate::store::outbox::{self, Attempt, ClaimedMessage, Rerouted};
use crate::store::sealed::random_token;
use crate::store::sessions::{self, AttendeeContext};
use crate::store::{Tx, dates, inbox, messages, questions, tasks};
use crate::templates::ENGLISH;
use anyhow::Result;
use chrono::{DateTime, Duration, DurationRound, NaiveDateTime, Utc};
use std::collections::{HashMap, HashSet};

/// Below this the service would not try: not sent.
const SHORTEST_USE: Duration = Duration::seconds(60);
/// A "will not go ahead" this near to the arrival goes also in quiet hours.
const SPARE_JOURNEY: Duration = Duration::hours(SPARE_JOURNEY_HOURS);

/// A text that may leave, for its committed intent.
pub(crate) struct Ready {
    pub(crate) attempt: Attempt,
    pub(crate) buttons: Vec<Vec<Button>>,
    pub(crate) content: Option<ContentMessage>,
    pub(crate) kind: MessageKind,
    pub(crate) not_after: Option<DateTime<Utc>>,
    pub(crate) tries: i64,
}

/// What the re-check says of a claimed message.
#[derive(Debug)]
enum Verdict {
    Send {
        say: Say,
        to: (Address, String),
        language: String,
        mode: Mode,
    },
    Later(DateTime<Utc>),
    /// A manager decides first (safety rule M3).
    Hold,
    /// The party's other address is the right one now; named for what was decided for an address.
    Reroute {
        channel: Channel,
        to: Option<(Address, String)>,
        excluded_channel: Option<Channel>,
    },
    End(MessageState, EndReason),
}

/// What is known about the addresses that answers go back to, and what those answers need.
#[derive(Default)]
struct Known {
    /// The quietest mode of the parties with an address.
    modes: HashMap<String, Mode>,
    /// Addresses that must not be used any more.
    closed: HashSet<String>,
    /// Numbered questions and questions about another date that still wait.
    waiting: HashSet<String>,
    /// The language of the parties with an address.
    languages: HashMap<String, String>,
    /// On WhatsApp: when somebody last wrote from an address.
    wrote: HashMap<String, DateTime<Utc>>,
}

impl Known {
    async fn read(
        tx: &mut Tx,
        line: &Line,
        claimed: &[ClaimedMessage],
        contexts: &HashMap<(String, Role), AttendeeContext>,
        now: DateTime<Utc>,
    ) -> Result<Known> {
        let mut hashes: Vec<String> = claimed
            .iter()
            .filter_map(|c| c.to.as_ref().map(|t| t.1.clone()))
            .collect();
        let mut known = Known {
            modes: inbox::modes_of(tx, &hashes).await?,
            closed: inbox::closed_among(tx, line.channel, &hashes).await?,
            languages: inbox::languages_of(tx, &hashes).await?,
            ..Known::default()
        };
        if line.channel == Channel::Whatsapp {
            hashes.extend(
                contexts
                    .values()
                    .flat_map(|s| &s.routes)
                    .filter(|r| r.address.channel() == line.channel)
                    .map(|r| r.hash.clone()),
            );
            known.wrote =
                inbox::last_wrote(tx, line.at(), &hashes, now - Duration::days(1)).await?;
        }
        for c in claimed
            .iter()
            .filter(|c| c.kind == MessageKind::WhichSession)
        {
            let id = WhichData::read(&c.data.0)
                .map(|d| d.choice)
                .unwrap_or_default();
            if questions::choosing_by_id(tx, &id).await?.is_some() {
                known.waiting.insert(id);
            }
        }
        for c in claimed
            .iter()
            .filter(|c| c.kind == MessageKind::DateQuestion)
        {
            let id = DateData::read(&c.data.0)
                .map(|d| d.question)
                .unwrap_or_default();
            if dates::session_of(tx, &id).await?.is_some() {
                known.waiting.insert(id);
            }
        }
        Ok(known)
    }
}

/// What the text of a numbered question needs: the question and the party's own arrivals, each with
/// its centre's name if they differ.
pub(crate) struct WhichData {
    pub(crate) choice: String,
    pub(crate) options: [(Option<String>, NaiveDateTime); 2],
}

impl WhichData {
    /// The form in which it is kept with the message.
    pub(crate) fn write(&self) -> String {
        let option = |(centre, at): &(Option<String>, NaiveDateTime)| {
            format!(
                "{}|{}",
                at.format("%Y-%m-%dT%H:%M:%S"),
                centre.as_deref().unwrap_or("")
            )
        };
        format!(
            "{}\n{}\n{}",
            self.choice,
            option(&self.options[0]),
            option(&self.options[1])
        )
    }

    fn read(data: &str) -> Option<WhichData> {
        let mut lines = data.lines();
        let choice = lines.next()?.to_owned();
        let mut option = || {
            let (at, centre) = lines.next()?.split_once('|')?;
            Some((
                Some(centre.to_owned()).filter(|c| !c.is_empty()),
                at.parse().ok()?,
            ))
        };
        Some(WhichData {
            choice,
            options: [option()?, option()?],
        })
    }
}

/// Looks again at everything that was claimed, in the transaction that claims it; says too whether
/// something goes to another line.
pub(crate) async fn check(
    svc: &Service,
    tx: &mut Tx,
    line: &Line,
    claimed: Vec<ClaimedMessage>,
    now: DateTime<Utc>,
) -> Result<(Vec<Ready>, bool)> {
    let all = centres::all_in(tx).await?;
    let mut ids: Vec<String> = claimed
        .iter()
        .filter_map(|c| c.session.as_ref().map(|s| s.0.clone()))
        .collect();
    ids.sort();
    ids.dedup();
    let free = sessions::lock_free(tx, &ids).await?;
    let mut places: Vec<(String, Role)> = claimed
        .iter()
        .filter_map(|c| Some((c.session.as_ref()?.0.clone(), c.role?)))
        .collect();
    places.sort();
    places.dedup();
    let contexts: HashMap<(String, Role), AttendeeContext> =
        sessions::contexts_of(tx, svc.lines().senders(), &places)
            .await?
            .into_iter()
            .map(|s| ((s.session.id.clone(), s.attendee.role), s))
            .collect();
    let known = Known::read(tx, line, &claimed, &contexts, now).await?;
    let mut pace = Pace::read(tx, &all, &claimed, &contexts, now).await?;
    let mut jobs = Vec::with_capacity(claimed.len());
    let mut ended = Vec::new();
    let mut rerouted = Vec::new();
    for c in claimed {
        if c.session
            .as_ref()
            .is_some_and(|(id, ..)| !free.contains(id))
        {
            // Somebody records something about this session just now: what it is must be known
            // first.
            ended.push((
                c.id,
                MessageState::Waiting,
                None,
                now + Duration::milliseconds(200),
            ));
            continue;
        }
        let context = match (&c.session, c.role) {
            (Some((id, _, _)), Some(role)) => contexts.get(&(id.clone(), role)),
            _ => None,
        };
        let Some(centre) = all
            .get(&c.centre)
            .map(|s| &s.centre)
            .or_else(|| all.values().next().map(|s| &s.centre))
        else {
            ended.push((
                c.id,
                MessageState::Withdrawn,
                Some(EndReason::NoAddress.as_str().to_owned()),
                c.not_before,
            ));
            continue;
        };
        let question = match c.kind {
            MessageKind::CancelReasonAsk => {
                finish_by(svc, tx, line, centre, &c, context, now).await?
            }
            _ => None,
        };
        let (mut about_money, mut over) = (None, None);
        if let Some(context) = context.filter(|_| c.kind.is_milestone()) {
            match milestones::again(tx, centre, &c, context, now).await? {
                MilestoneCheck::Look(look) => about_money = Some(look),
                MilestoneCheck::EndReason(why) => {
                    over = Some(Verdict::End(MessageState::Withdrawn, why))
                }
            }
        } else if let Some(context) = context.filter(|_| c.kind.is_money()) {
            about_money =
                Some(money_recheck::look(tx, centre, c.kind, &c.data.0, context, now).await?);
        }
        let mut verdict = over
            .unwrap_or_else(|| verdict(centre, &c, context, question, about_money, &known, now));
        let mut must_ring = false;
        if let Verdict::Send {
            to,
            say,
            mode,
            language,
        } = &mut verdict
        {
            let in_mode = say.clone().in_mode(*mode);
            must_ring = in_mode.ring;
            let only_to = !line.only_to.is_empty()
                && to.0.channel() == line.channel
                && c.kind != MessageKind::StaffAlert
                && !line.only_to.iter().any(|n| n == to.0.as_str());
            if let Some(allowed) = in_mode.say.filter(|_| !only_to) {
                *say = allowed;
                let (channel, hash) = (to.0.channel(), to.1.clone());
                if channel != line.channel {
                    verdict = Verdict::Reroute {
                        channel,
                        to: None,
                        excluded_channel: None,
                    };
                    must_ring = false;
                } else if not_by_whatsapp(
                    line,
                    &c,
                    say,
                    &hash,
                    svc.templates
                        .language_of(say.kind(), &speaker(centre), language),
                    &known,
                    now,
                ) {
                    verdict = by_the_next(&c, context, channel);
                    must_ring = matches!(verdict, Verdict::End(..));
                } else if !c.kind.is_answer()
                    && c.to.is_none()
                    && let Some(at) = pace.next(centre, c.kind, &hash, context, now)
                {
                    verdict = Verdict::Later(at);
                    must_ring = false;
                }
            } else {
                verdict = Verdict::End(
                    MessageState::Withdrawn,
                    if only_to {
                        EndReason::NoAddress
                    } else {
                        EndReason::Mode
                    },
                );
                must_ring &= !only_to;
            }
        } else if let Verdict::End(
            MessageState::Withdrawn,
            EndReason::OptedOut | EndReason::NoAddress | EndReason::Mode,
        ) = verdict
        {
            must_ring = true;
        } else if let Verdict::End(MessageState::Withdrawn, EndReason::Archived) = verdict {
            // A closed file gets no texts; but nobody makes a journey for nothing.
            must_ring = c.kind.calls_off();
        } else if let Verdict::End(MessageState::Expired, _) = verdict {
            // Who was not told whether there is a visit is rung, if it is not over.
            must_ring = (c.kind.calls_off() || c.kind.calls_on())
                && context.is_some_and(|s| s.session.ends_at > now);
        }
        // Its task stands in any case.
        must_ring &= !c.kind.is_milestone();
        if let Some(context) = context.filter(|_| must_ring) {
            let topic = match (c.kind, &verdict) {
                (kind, _) if kind.calls_off() => TaskKind::RingSessionOff,
                (kind, _) if kind.calls_on() => TaskKind::RingSessionOn,
                (kind, _) if kind.is_money() => TaskKind::TellByPhone,
                (MessageKind::CancelReasonAsk, _) => TaskKind::CancelByPhone,
                (_, Verdict::End(_, EndReason::OptedOut)) => TaskKind::RingOptedOut,
                _ => TaskKind::RingNoAddress,
            };
            ring(tx, now, context, topic, format!("ring-for/{}", c.dedup_key)).await?;
        } else if must_ring && line.channel == Channel::Whatsapp && c.case_id.is_some() {
            tasks::open_for_message(
                tx,
                now,
                format!("ring-for/{}", c.dedup_key),
                TaskKind::RingNoAddress,
                &c.id,
            )
            .await?;
        }
        match verdict {
            Verdict::Later(at) => ended.push((c.id, MessageState::Waiting, None, at)),
            Verdict::Hold => {
                if let Some(context) = context {
                    money_recheck::pause(tx, context, &c.id, now).await?;
                }
                ended.push((c.id, MessageState::Waiting, None, c.not_before));
            }
            Verdict::Reroute {
                channel,
                to,
                excluded_channel,
            } => rerouted.push(Rerouted {
                id: c.id,
                channel,
                to,
                excluded_channel,
            }),
            Verdict::End(state, why) => {
                ended.push((c.id, state, Some(why.as_str().to_owned()), c.not_before))
            }
            Verdict::Send {
                say, to, language, ..
            } => {
                let way = way(
                    line,
                    &c,
                    &say,
                    &to.1,
                    svc.templates
                        .language_of(say.kind(), &speaker(centre), &language),
                    &known,
                    now,
                );
                // The values of a content template stand in the language of its words.
                let language = if matches!(&way, Delivery::Content(content) if content.english) {
                    ENGLISH.to_owned()
                } else {
                    language
                };
                let text = match svc.templates.render(&say, &speaker(centre), &language) {
                    Ok(text) => text,
                    Err(e) => {
                        // One text that cannot be rendered must not hold up the others.
                        tracing::error!("the text {} cannot be rendered: {e:#}", c.kind);
                        ended.push((
                            c.id,
                            MessageState::Waiting,
                            None,
                            now + Duration::minutes(5),
                        ));
                        continue;
                    }
                };
                if let Some(s) =
                    context.filter(|s| c.kind == MessageKind::SessionMoved && s.is_hidden(now))
                {
                    outbox::told_of_move(tx, &s.session.id, s.attendee.role).await?;
                }
                let token = random_token();
                let buttons = match line.channel {
                    Channel::Telegram => say
                        .buttons()
                        .into_iter()
                        .map(|row| {
                            row.into_iter()
                                .map(|p| {
                                    (
                                        svc.templates.label(p, text.language).to_owned(),
                                        format!("{token}:{p}"),
                                    )
                                })
                                .collect()
                        })
                        .collect(),
                    _ => Vec::new(),
                };
                let content = match way {
                    Delivery::Content(content) => Some(ContentMessage {
                        sid: content.sid,
                        variables: whatsapp::variables(&text.values, &say, &token),
                    }),
                    Delivery::Free | Delivery::Not => None,
                };
                let is_reply = c.kind.is_answer() || c.to.is_some();
                let parts = if line.channel == Channel::Sms {
                    text.segments
                } else {
                    1
                };
                let attempt = Attempt {
                    token,
                    message_id: c.id,
                    number: to,
                    body: text.body,
                    is_reply,
                    parts,
                    content: content.is_some(),
                };
                jobs.push(Ready {
                    attempt,
                    buttons,
                    content,
                    kind: c.kind,
                    not_after: c.not_after,
                    tries: c.tries,
                });
            }
        }
    }
    let elsewhere = !rerouted.is_empty();
    outbox::reroute(tx, rerouted).await?;
    outbox::end_claims(tx, ended).await?;
    Ok((jobs, elsewhere))
}

/// How a text goes by this line.
fn way(
    line: &Line,
    c: &ClaimedMessage,
    say: &Say,
    hash: &str,
    language: &str,
    known: &Known,
    now: DateTime<Utc>,
) -> Delivery {
    if line.channel != Channel::Whatsapp {
        return Delivery::Free;
    }
    whatsapp::delivery(
        say,
        whatsapp::is_open(known.wrote.get(hash).copied(), now),
        &line.content,
        TemplateReader {
            centre: &c.centre,
            language,
        },
    )
}

/// Whether WhatsApp did not take it, or will not.
fn not_by_whatsapp(
    line: &Line,
    c: &ClaimedMessage,
    say: &Say,
    hash: &str,
    language: &str,
    known: &Known,
    now: DateTime<Utc>,
) -> bool {
    line.channel == Channel::Whatsapp
        && (c.excluded_channel == Some(line.channel)
            || way(line, c, say, hash, language, known, now) == Delivery::Not)
}

/// What this channel does not take goes to the party's next address that was agreed and is safe
/// (choice K11), before anything was sent. A question that only this channel can finish does not.
fn by_the_next(c: &ClaimedMessage, context: Option<&AttendeeContext>, channel: Channel) -> Verdict {
    let bound = matches!(
        c.kind,
        MessageKind::CancelReasonAsk | MessageKind::WhichSession | MessageKind::OldButton
    );
    match context
        .filter(|s| s.consent == Consent::Yes && !bound)
        .and_then(|s| s.route_without(Some(channel)))
    {
        Some(next) => Verdict::Reroute {
            channel: next.address.channel(),
            to: c
                .to
                .is_some()
                .then(|| (next.address.clone(), next.hash.clone())),
            excluded_channel: Some(channel),
        },
        None => Verdict::End(MessageState::Withdrawn, EndReason::NoAddress),
    }
}

/// The spacing and the daily number of unprompted texts to one phone.
struct Pace {
    last: HashMap<String, (DateTime<Utc>, i64)>,
}

impl Pace {
    async fn read(
        tx: &mut Tx,
        all: &Centres,
        claimed: &[ClaimedMessage],
        contexts: &HashMap<(String, Role), AttendeeContext>,
        now: DateTime<Utc>,
    ) -> Result<Pace> {
        let bound = |c: &ClaimedMessage| {
            all.get(&c.centre).is_some_and(|s| {
                s.centre.rules.spacing_minutes > 0 || s.centre.rules.max_texts_per_day > 0
            })
        };
        let mut hashes: Vec<String> = claimed
            .iter()
            .filter(|c| !c.kind.is_answer() && bound(c))
            .filter_map(|c| contexts.get(&(c.session.as_ref()?.0.clone(), c.role?)))
            .flat_map(|s| s.routes.iter().map(|r| r.hash.clone()))
            .collect();
        hashes.sort();
        hashes.dedup();
        Ok(Pace {
            last: messages::unprompted(tx, now, &hashes).await?,
        })
    }

    /// When the text may go if not now; otherwise it is counted.
    fn next(
        &mut self,
        centre: &Centre,
        kind: MessageKind,
        hash: &str,
        context: Option<&AttendeeContext>,
        now: DateTime<Utc>,
    ) -> Option<DateTime<Utc>> {
        let (spacing, most) = (
            Duration::minutes(centre.rules.spacing_minutes),
            centre.rules.max_texts_per_day,
        );
        // News that spares a journey waits for nothing.
        let urgent = kind.calls_off()
            && context.is_some_and(|s| s.attendee.arrives_at - now < SPARE_JOURNEY);
        if let Some((last, n)) = self.last.get(hash).copied()
            && !urgent
        {
            if now < last + spacing {
                return Some(last + spacing);
            }
            if most > 0 && n >= most && !kind.calls_off() {
                return Some(now + Duration::hours(1));
            }
        }
        let entry = self.last.entry(hash.to_owned()).or_insert((now, 0));
        *entry = (now, entry.1 + 1);
        None
    }
}

async fn finish_by(
    svc: &Service,
    tx: &mut Tx,
    line: &Line,
    centre: &Centre,
    c: &ClaimedMessage,
    context: Option<&AttendeeContext>,
    now: DateTime<Utc>,
) -> Result<Option<FinishBy>> {
    let Some(context) = context else {
        return Ok(None);
    };
    let asked = questions::of(
        tx,
        &context.session.id,
        context.attendee.role,
        context.attendee.ask_version,
        now,
    )
    .await?;
    let Some(q) = asked
        .open
        .filter(|q| q.id == c.data.0 && q.is_open(now, context.session.starts_at))
    else {
        return Ok(None);
    };
    let late = may_cost(tx, context, q.first_no_at).await?;
    let reason = q.offered.len() > 1;
    match c.to.as_ref().map(|(to, _)| to.channel()) {
        Some(Channel::Telegram) => return Ok(Some(FinishBy::Press { late, reason })),
        Some(Channel::Whatsapp) => {
            let language = svc
                .templates
                .language_of(c.kind, &speaker(centre), &context.language);
            return Ok(Some(whatsapp::finish(
                late,
                reason,
                &line.content,
                TemplateReader {
                    centre: &c.centre,
                    language,
                },
            )));
        }
        _ => {}
    }
    Ok(Some(
        match (centre.rules.cancel_answer, q.offered.as_slice()) {
            (crate::domain::centre::CancelAnswer::Word, _) => FinishBy::Word { late },
            (_, [only]) => FinishBy::Code {
                code: format!(
                    "{}{}",
                    q.code_prefix,
                    crate::domain::replies::cancel_code::digit(*only)
                ),
                late,
            },
            _ => FinishBy::CodeWithReason {
                code_prefix: q.code_prefix,
            },
        },
    ))
}

/// Decides about one claimed message. Pure.
fn verdict(
    centre: &Centre,
    c: &ClaimedMessage,
    context: Option<&AttendeeContext>,
    question: Option<FinishBy>,
    about_money: Option<money_recheck::MoneyCheck>,
    known: &Known,
    now: DateTime<Utc>,
) -> Verdict {
    let withdrawn = |why| Verdict::End(MessageState::Withdrawn, why);
    if c.not_after.is_some_and(|t| t - now < SHORTEST_USE) {
        return Verdict::End(MessageState::Expired, EndReason::TooLate);
    }
    let own = |at: DateTime<Utc>| wall(centre.tz, at);
    // Answers go back to the address that asked; its own STOP and START are answered in any case.
    if c.kind.is_answer() || c.to.is_some() {
        let Some(to) = c.to.clone() else {
            return withdrawn(EndReason::NoAddress);
        };
        if c.to_opted_out
            && !matches!(
                c.kind,
                MessageKind::StopAck | MessageKind::LinkNumber | MessageKind::LinkRefused
            )
        {
            return withdrawn(EndReason::OptedOut);
        }
        // What was decided for an address may wait; the address must still be the party's and safe
        // when it leaves.
        let to_anybody = matches!(
            c.kind,
            MessageKind::LinkNumber
                | MessageKind::LinkRefused
                | MessageKind::StopAck
                | MessageKind::WrongNumberAck
                | MessageKind::UnknownSender
                | MessageKind::StaffAlert
        );
        if known.closed.contains(&to.1) && !to_anybody {
            return withdrawn(EndReason::NoAddress);
        }
        let arrival = context.map(|s| own(s.attendee.arrives_at));
        // What is confirmed or asked must still be the question that was answered.
        let present = context.is_some_and(|s| {
            let on = s.session.state == SessionState::Booked || s.is_hidden(now);
            on && c
                .session
                .as_ref()
                .is_some_and(|(_, _, ask)| *ask == s.attendee.ask_version)
        });
        let say = match (c.kind, context, arrival) {
            (MessageKind::ConfirmAck, _, Some(arrival)) if present => Say::ConfirmAck { arrival },
            (MessageKind::CancellationAck, _, Some(arrival)) => Say::CancellationAck {
                arrival,
                in_time: c.data.0 == "in_time",
            },
            (MessageKind::CancelReasonAsk, _, Some(arrival)) if present => match question {
                Some(finish) => Say::CancelReasonAsk { arrival, finish },
                None => return withdrawn(EndReason::Answered),
            },
            (MessageKind::ConfirmRequest, Some(s), Some(_)) if present => {
                confirm_request(centre, s, now)
            }
            (MessageKind::WhichSession, ..) => {
                match WhichData::read(&c.data.0).filter(|d| known.waiting.contains(&d.choice)) {
                    Some(WhichData {
                        options: [first, second],
                        ..
                    }) => Say::WhichSession { first, second },
                    None => return withdrawn(EndReason::Answered),
                }
            }
            (MessageKind::NeedsCoordinatorAck, ..) => Say::Handover,
            (MessageKind::UnclearReply, ..) => Say::Unclear,
            (MessageKind::Help, ..) => Say::Help,
            (MessageKind::StopAck, ..) => Say::StopAck,
            (MessageKind::StartAck, ..) => Say::StartAck,
            (MessageKind::OldButton, ..) => Say::OldButton,
            (MessageKind::UnknownSender, ..) => Say::UnknownSender,
            (MessageKind::WrongNumberAck, ..) => Say::WrongNumberAck,
            (MessageKind::Welcome, ..) => Say::Welcome,
            (MessageKind::LinkNumber, ..) => Say::LinkNumber {
                number: c.data.0.clone(),
            },
            (MessageKind::LinkRefused, ..) => Say::LinkRefused,
            (MessageKind::StaffReply, ..) => Say::StaffReply {
                text: c.data.0.clone(),
            },
            (MessageKind::StaffAlert, ..) => Say::StaffAlert {
                count: c.data.0.parse().unwrap_or(1),
            },
            _ => return withdrawn(EndReason::Moved),
        };
        let language = context
            .map(|s| &s.language)
            .or_else(|| known.languages.get(&to.1))
            .map_or_else(|| "en".to_owned(), String::clone);
        let now_shown = context
            .map_or(Mode::Normal, |s| s.mode)
            .max(known.modes.get(&to.1).copied().unwrap_or(Mode::Normal));
        let mode = answered_as(c.kind, &c.data.0).unwrap_or(now_shown);
        return Verdict::Send {
            say,
            to,
            language,
            mode,
        };
    }
    let (Some(context), Some((_, _, ask_version))) = (context, &c.session) else {
        return withdrawn(EndReason::NoAddress);
    };
    if let Some(look) = about_money {
        return money_verdict(c, context, look, now);
    }
    let (s, a) = (&context.session, &context.attendee);
    // What is said must still be so.
    match (c.kind, s.state) {
        (MessageKind::SessionOff | MessageKind::Closure, SessionState::Booked) => {
            return withdrawn(EndReason::TakenBack);
        }
        (MessageKind::Closure, SessionState::Closed) => {}
        (MessageKind::Closure, _) => return withdrawn(EndReason::SessionOff),
        (MessageKind::SessionOff, _) if a.answer == Answer::Cancelled => {
            return withdrawn(EndReason::Answered);
        }
        (MessageKind::SessionOff, _) => {}
        (_, SessionState::Booked) => {}
        // They have not heard of it yet: for them it is on, to the minute.
        _ if context.is_hidden(now) => {}
        _ => return withdrawn(EndReason::SessionOff),
    }
    if !c.kind.calls_off() && a.ask_version != *ask_version {
        return withdrawn(EndReason::Moved);
    }
    if c.kind == MessageKind::ConfirmRequest && a.answer == Answer::Confirmed {
        return withdrawn(EndReason::Answered);
    }
    if context.archived {
        return withdrawn(EndReason::Archived);
    }
    // To whom it is said must still be right.
    if context.opted_out() || context.consent == Consent::Stop {
        return withdrawn(EndReason::OptedOut);
    }
    let Some(route) = context
        .route_without(c.excluded_channel)
        .filter(|_| context.consent == Consent::Yes)
    else {
        return withdrawn(EndReason::NoAddress);
    };
    // And now must be a time at which it may be said: by the centre's hours and by the party's own.
    let spare_journey = c.kind.calls_off() && a.arrives_at - now <= SPARE_JOURNEY;
    let centres_quiet = centre.courtesy.quiet.filter(|_| !spare_journey);
    let quiet: Vec<Quiet> = centres_quiet.into_iter().chain(context.quiet).collect();
    match after_all_quiet(&quiet, centre.tz, now) {
        Some(allowed) if allowed <= now => {}
        // A phone that may show nothing now is never used for haste, and news that would come too
        // late to spare a journey is no news: a person rings.
        _ if spare_journey => return withdrawn(EndReason::Mode),
        Some(allowed) if c.kind.calls_off() && allowed > a.arrives_at - SPARE_JOURNEY => {
            return withdrawn(EndReason::Mode);
        }
        None => return withdrawn(EndReason::Mode),
        Some(allowed) if c.not_after.is_none_or(|t| allowed <= t) => {
            return Verdict::Later(allowed);
        }
        _ => return Verdict::End(MessageState::Expired, EndReason::TooLate),
    }
    let say = match c.kind {
        MessageKind::ConfirmRequest => confirm_request(centre, context, now),
        MessageKind::SessionOff => Say::SessionOff {
            arrival: own(c.data.0.parse().unwrap_or(a.arrives_at)),
        },
        MessageKind::Closure => Say::Closure {
            arrival: own(a.arrives_at),
        },
        MessageKind::SessionOn => Say::SessionOn {
            arrival: own(a.arrives_at),
        },
        MessageKind::SessionMoved => match c.data.0.parse::<DateTime<Utc>>() {
            Ok(from) => Say::SessionMoved {
                from: own(from),
                to: own(a.arrives_at),
            },
            Err(_) => return withdrawn(EndReason::Moved),
        },
        MessageKind::DateQuestion => {
            match DateData::read(&c.data.0).filter(|d| known.waiting.contains(&d.question)) {
                Some(d) => Say::DateQuestion {
                    from: own(a.arrives_at),
                    to: own(d.arrival),
                },
                None => return withdrawn(EndReason::Answered),
            }
        }
        MessageKind::DateRefused => Say::DateRefused {
            arrival: own(a.arrives_at),
        },
        _ => return withdrawn(EndReason::NoAddress),
    };
    Verdict::Send {
        say,
        to: (route.address.clone(), route.hash.clone()),
        language: context.language.clone(),
        mode: context.mode,
    }
}

/// The same about a text on money, a note or a milestone: it does not hang on the session's state
/// but on what is owed or due.
fn money_verdict(
    c: &ClaimedMessage,
    context: &AttendeeContext,
    look: money_recheck::MoneyCheck,
    now: DateTime<Utc>,
) -> Verdict {
    let withdrawn = |why| Verdict::End(MessageState::Withdrawn, why);
    let Some(say) = look.say else {
        return withdrawn(EndReason::NoLongerDue);
    };
    if look.unsafe_now {
        return Verdict::Hold;
    }
    if context.opted_out() || context.consent == Consent::Stop {
        return withdrawn(EndReason::OptedOut);
    }
    let Some(route) = context
        .route_without(c.excluded_channel)
        .filter(|_| context.consent == Consent::Yes)
    else {
        return withdrawn(EndReason::NoAddress);
    };
    // A discreet phone shows no money and a silent one nothing: a person tells the party.
    match look.allowed.filter(|_| context.mode == Mode::Normal) {
        None => withdrawn(EndReason::Mode),
        Some(at) if at > now && c.not_after.is_some_and(|t| at > t) => {
            Verdict::End(MessageState::Expired, EndReason::TooLate)
        }
        Some(at) if at > now => Verdict::Later(at),
        Some(_) => Verdict::Send {
            say,
            to: (route.address.clone(), route.hash.clone()),
            language: context.language.clone(),
            mode: context.mode,
        },
    }
}

/// With the answer to a message that made the phone quieter: what the phone might show before. Else
/// the answer would tell of the change.
pub(crate) fn as_before(mode: Mode) -> String {
    format!("as {mode}")
}

fn answered_as(kind: MessageKind, data: &str) -> Option<Mode> {
    let handed_over = matches!(
        kind,
        MessageKind::NeedsCoordinatorAck | MessageKind::UnclearReply
    );
    data.strip_prefix("as ")
        .filter(|_| handed_over)?
        .parse()
        .ok()
}

fn confirm_request(centre: &Centre, context: &AttendeeContext, now: DateTime<Utc>) -> Say {
    let (start, own) = (context.session.starts_at, context.attendee.arrives_at);
    // The printed cut-off is made of the party's own arrival, never later than the real one: the
    // session's start is often when the other parent arrives. Who arrives after the start reads the
    // full hour before it.
    let counted_from = if own <= start {
        own
    } else {
        (start - Duration::hours(1))
            .duration_trunc(Duration::hours(1))
            .unwrap_or(start)
    };
    let cut = cut_off(counted_from, context.session.notice_hours);
    Say::ConfirmRequest {
        arrival: wall(centre.tz, own),
        cut_off: (cut > now).then(|| wall(centre.tz, cut)),
        fee: context.session.fee_minor > 0,
    }
}
