//! The second look, in the transaction that claims: is what was decided still so, is the address
//! still right, and may it be said now?

use crate::channels::{Button, Content};
use crate::domain::centre::Centre;
use crate::domain::local_time::{Quiet, after_all_quiet, wall};
use crate::domain::outgoing::message::{Ended, Kind, MessageState};
use crate::domain::outgoing::say::{FinishBy, Say};
use crate::domain::outgoing::whatsapp::{self, Reader, Way};
use crate::domain::people::person::{Address, Channel, Consent, Mode, Role};
use crate::domain::reminders::release::SPARE_JOURNEY_HOURS;
use crate::domain::task::Topic;
use crate::domain::visits::session::{Answer, SessionState, cut_off};
use crate::flows::lines::Line;
use crate::flows::money::recheck as money_recheck;
use crate::flows::scan::confirmations::ring;
use crate::flows::visits::ask_date::DateData;
use crate::flows::visits::milestones::{self, Again};
use crate::flows::{Service, may_cost, speaker};
use crate::store::centres::Centres;
use crate::store::outbox::{self, Attempt, Claimed, Rerouted};
use crate::store::sealed::random_token;
use crate::store::sessions::{self, Seat};
use crate::store::{Tx, centres, dates, inbox, messages, questions, tasks};
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
    pub(crate) content: Option<Content>,
    pub(crate) kind: Kind,
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
        not_by: Option<Channel>,
    },
    End(MessageState, Ended),
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
        claimed: &[Claimed],
        seats: &HashMap<(String, Role), Seat>,
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
                seats
                    .values()
                    .flat_map(|s| &s.routes)
                    .filter(|r| r.address.channel() == line.channel)
                    .map(|r| r.hash.clone()),
            );
            known.wrote =
                inbox::last_wrote(tx, line.at(), &hashes, now - Duration::days(1)).await?;
        }
        for c in claimed.iter().filter(|c| c.kind == Kind::WhichSession) {
            let id = WhichData::read(&c.data.0)
                .map(|d| d.choice)
                .unwrap_or_default();
            if questions::choosing_by_id(tx, &id).await?.is_some() {
                known.waiting.insert(id);
            }
        }
        for c in claimed.iter().filter(|c| c.kind == Kind::DateQuestion) {
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
    claimed: Vec<Claimed>,
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
    let seats: HashMap<(String, Role), Seat> =
        sessions::seats_of(tx, svc.lines().senders(), &places)
            .await?
            .into_iter()
            .map(|s| ((s.session.id.clone(), s.attendee.role), s))
            .collect();
    let known = Known::read(tx, line, &claimed, &seats, now).await?;
    let mut pace = Pace::read(tx, &all, &claimed, &seats, now).await?;
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
        let seat = match (&c.session, c.role) {
            (Some((id, _, _)), Some(role)) => seats.get(&(id.clone(), role)),
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
                Some(Ended::NoAddress.as_str().to_owned()),
                c.not_before,
            ));
            continue;
        };
        let question = match c.kind {
            Kind::CancelReasonAsk => finish_by(svc, tx, line, centre, &c, seat, now).await?,
            _ => None,
        };
        let (mut about_money, mut over) = (None, None);
        if let Some(seat) = seat.filter(|_| c.kind.is_milestone()) {
            match milestones::again(tx, centre, &c, seat, now).await? {
                Again::Look(look) => about_money = Some(look),
                Again::Ended(why) => over = Some(Verdict::End(MessageState::Withdrawn, why)),
            }
        } else if let Some(seat) = seat.filter(|_| c.kind.is_money()) {
            about_money =
                Some(money_recheck::look(tx, centre, c.kind, &c.data.0, seat, now).await?);
        }
        let mut verdict =
            over.unwrap_or_else(|| verdict(centre, &c, seat, question, about_money, &known, now));
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
                && c.kind != Kind::StaffAlert
                && !line.only_to.iter().any(|n| n == to.0.as_str());
            if let Some(allowed) = in_mode.say.filter(|_| !only_to) {
                *say = allowed;
                let (channel, hash) = (to.0.channel(), to.1.clone());
                if channel != line.channel {
                    verdict = Verdict::Reroute {
                        channel,
                        to: None,
                        not_by: None,
                    };
                    must_ring = false;
                } else if not_by_whatsapp(
                    line,
                    &c,
                    say,
                    &hash,
                    svc.words
                        .language_of(say.kind(), &speaker(centre), language),
                    &known,
                    now,
                ) {
                    verdict = by_the_next(&c, seat, channel);
                    must_ring = matches!(verdict, Verdict::End(..));
                } else if !c.kind.is_answer()
                    && c.to.is_none()
                    && let Some(at) = pace.next(centre, c.kind, &hash, seat, now)
                {
                    verdict = Verdict::Later(at);
                    must_ring = false;
                }
            } else {
                verdict = Verdict::End(
                    MessageState::Withdrawn,
                    if only_to {
                        Ended::NoAddress
                    } else {
                        Ended::Mode
                    },
                );
                must_ring &= !only_to;
            }
        } else if let Verdict::End(
            MessageState::Withdrawn,
            Ended::OptedOut | Ended::NoAddress | Ended::Mode,
        ) = verdict
        {
            must_ring = true;
        } else if let Verdict::End(MessageState::Withdrawn, Ended::Archived) = verdict {
            // A closed file gets no texts; but nobody makes a journey for nothing.
            must_ring = c.kind.calls_off();
        } else if let Verdict::End(MessageState::Expired, _) = verdict {
            // Who was not told whether there is a visit is rung, if it is not over.
            must_ring = (c.kind.calls_off() || c.kind.calls_on())
                && seat.is_some_and(|s| s.session.ends_at > now);
        }
        // Its task stands in any case.
        must_ring &= !c.kind.is_milestone();
        if let Some(seat) = seat.filter(|_| must_ring) {
            let topic = match (c.kind, &verdict) {
                (kind, _) if kind.calls_off() => Topic::RingSessionOff,
                (kind, _) if kind.calls_on() => Topic::RingSessionOn,
                (kind, _) if kind.is_money() => Topic::TellByPhone,
                (Kind::CancelReasonAsk, _) => Topic::CancelByPhone,
                (_, Verdict::End(_, Ended::OptedOut)) => Topic::RingOptedOut,
                _ => Topic::RingNoAddress,
            };
            ring(tx, now, seat, topic, format!("ring-for/{}", c.cause)).await?;
        } else if must_ring && line.channel == Channel::Whatsapp && c.case_id.is_some() {
            tasks::open_for_message(
                tx,
                now,
                format!("ring-for/{}", c.cause),
                Topic::RingNoAddress,
                &c.id,
            )
            .await?;
        }
        match verdict {
            Verdict::Later(at) => ended.push((c.id, MessageState::Waiting, None, at)),
            Verdict::Hold => {
                if let Some(seat) = seat {
                    money_recheck::pause(tx, seat, &c.id, now).await?;
                }
                ended.push((c.id, MessageState::Waiting, None, c.not_before));
            }
            Verdict::Reroute {
                channel,
                to,
                not_by,
            } => rerouted.push(Rerouted {
                id: c.id,
                channel,
                to,
                not_by,
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
                    svc.words
                        .language_of(say.kind(), &speaker(centre), &language),
                    &known,
                    now,
                );
                // The values of a content template stand in the language of its words.
                let language = if matches!(&way, Way::Content(content) if content.english) {
                    ENGLISH.to_owned()
                } else {
                    language
                };
                let text = match svc.words.render(&say, &speaker(centre), &language) {
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
                if let Some(s) = seat.filter(|s| c.kind == Kind::SessionMoved && s.is_hidden(now)) {
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
                                        svc.words.label(p, text.language).to_owned(),
                                        format!("{token}:{p}"),
                                    )
                                })
                                .collect()
                        })
                        .collect(),
                    _ => Vec::new(),
                };
                let content = match way {
                    Way::Content(content) => Some(Content {
                        sid: content.sid,
                        variables: whatsapp::variables(&text.values, &say, &token),
                    }),
                    Way::Free | Way::Not => None,
                };
                let prompted = c.kind.is_answer() || c.to.is_some();
                let parts = if line.channel == Channel::Sms {
                    text.parts
                } else {
                    1
                };
                let attempt = Attempt {
                    token,
                    message_id: c.id,
                    number: to,
                    body: text.body,
                    prompted,
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
    c: &Claimed,
    say: &Say,
    hash: &str,
    language: &str,
    known: &Known,
    now: DateTime<Utc>,
) -> Way {
    if line.channel != Channel::Whatsapp {
        return Way::Free;
    }
    whatsapp::way(
        say,
        whatsapp::is_open(known.wrote.get(hash).copied(), now),
        &line.content,
        Reader {
            centre: &c.centre,
            language,
        },
    )
}

/// Whether WhatsApp did not take it, or will not.
fn not_by_whatsapp(
    line: &Line,
    c: &Claimed,
    say: &Say,
    hash: &str,
    language: &str,
    known: &Known,
    now: DateTime<Utc>,
) -> bool {
    line.channel == Channel::Whatsapp
        && (c.not_by == Some(line.channel)
            || way(line, c, say, hash, language, known, now) == Way::Not)
}

/// What this channel does not take goes to the party's next address that was agreed and is safe
/// (choice K11), before anything was sent. A question that only this channel can finish does not.
fn by_the_next(c: &Claimed, seat: Option<&Seat>, channel: Channel) -> Verdict {
    let bound = matches!(
        c.kind,
        Kind::CancelReasonAsk | Kind::WhichSession | Kind::OldButton
    );
    match seat
        .filter(|s| s.consent == Consent::Yes && !bound)
        .and_then(|s| s.route_without(Some(channel)))
    {
        Some(next) => Verdict::Reroute {
            channel: next.address.channel(),
            to: c
                .to
                .is_some()
                .then(|| (next.address.clone(), next.hash.clone())),
            not_by: Some(channel),
        },
        None => Verdict::End(MessageState::Withdrawn, Ended::NoAddress),
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
        claimed: &[Claimed],
        seats: &HashMap<(String, Role), Seat>,
        now: DateTime<Utc>,
    ) -> Result<Pace> {
        let bound = |c: &Claimed| {
            all.get(&c.centre).is_some_and(|s| {
                s.centre.rules.spacing_minutes > 0 || s.centre.rules.max_texts_per_day > 0
            })
        };
        let mut hashes: Vec<String> = claimed
            .iter()
            .filter(|c| !c.kind.is_answer() && bound(c))
            .filter_map(|c| seats.get(&(c.session.as_ref()?.0.clone(), c.role?)))
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
        kind: Kind,
        hash: &str,
        seat: Option<&Seat>,
        now: DateTime<Utc>,
    ) -> Option<DateTime<Utc>> {
        let (spacing, most) = (
            Duration::minutes(centre.rules.spacing_minutes),
            centre.rules.max_texts_per_day,
        );
        // News that spares a journey waits for nothing.
        let urgent =
            kind.calls_off() && seat.is_some_and(|s| s.attendee.arrives_at - now < SPARE_JOURNEY);
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
    c: &Claimed,
    seat: Option<&Seat>,
    now: DateTime<Utc>,
) -> Result<Option<FinishBy>> {
    let Some(seat) = seat else { return Ok(None) };
    let asked = questions::of(
        tx,
        &seat.session.id,
        seat.attendee.role,
        seat.attendee.ask_version,
        now,
    )
    .await?;
    let Some(q) = asked
        .open
        .filter(|q| q.id == c.data.0 && q.is_open(now, seat.session.starts_at))
    else {
        return Ok(None);
    };
    let late = may_cost(tx, seat, q.first_no_at).await?;
    let reason = q.offered.len() > 1;
    match c.to.as_ref().map(|(to, _)| to.channel()) {
        Some(Channel::Telegram) => return Ok(Some(FinishBy::Press { late, reason })),
        Some(Channel::Whatsapp) => {
            let language = svc
                .words
                .language_of(c.kind, &speaker(centre), &seat.language);
            return Ok(Some(whatsapp::finish(
                late,
                reason,
                &line.content,
                Reader {
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
                    q.stem,
                    crate::domain::replies::cancel_code::digit(*only)
                ),
                late,
            },
            _ => FinishBy::CodeWithReason { stem: q.stem },
        },
    ))
}

/// Decides about one claimed message. Pure.
fn verdict(
    centre: &Centre,
    c: &Claimed,
    seat: Option<&Seat>,
    question: Option<FinishBy>,
    about_money: Option<money_recheck::Look>,
    known: &Known,
    now: DateTime<Utc>,
) -> Verdict {
    let withdrawn = |why| Verdict::End(MessageState::Withdrawn, why);
    if c.not_after.is_some_and(|t| t - now < SHORTEST_USE) {
        return Verdict::End(MessageState::Expired, Ended::TooLate);
    }
    let own = |at: DateTime<Utc>| wall(centre.tz, at);
    // Answers go back to the address that asked; its own STOP and START are answered in any case.
    if c.kind.is_answer() || c.to.is_some() {
        let Some(to) = c.to.clone() else {
            return withdrawn(Ended::NoAddress);
        };
        if c.to_opted_out && !matches!(c.kind, Kind::StopAck | Kind::LinkNumber | Kind::LinkRefused)
        {
            return withdrawn(Ended::OptedOut);
        }
        // What was decided for an address may wait; the address must still be the party's and safe
        // when it leaves.
        let to_anybody = matches!(
            c.kind,
            Kind::LinkNumber
                | Kind::LinkRefused
                | Kind::StopAck
                | Kind::WrongNumberAck
                | Kind::UnknownSender
                | Kind::StaffAlert
        );
        if known.closed.contains(&to.1) && !to_anybody {
            return withdrawn(Ended::NoAddress);
        }
        let arrival = seat.map(|s| own(s.attendee.arrives_at));
        // What is confirmed or asked must still be the question that was answered.
        let present = seat.is_some_and(|s| {
            let on = s.session.state == SessionState::Booked || s.is_hidden(now);
            on && c
                .session
                .as_ref()
                .is_some_and(|(_, _, ask)| *ask == s.attendee.ask_version)
        });
        let say = match (c.kind, seat, arrival) {
            (Kind::ConfirmAck, _, Some(arrival)) if present => Say::ConfirmAck { arrival },
            (Kind::CancellationAck, _, Some(arrival)) => Say::CancellationAck {
                arrival,
                in_time: c.data.0 == "in_time",
            },
            (Kind::CancelReasonAsk, _, Some(arrival)) if present => match question {
                Some(finish) => Say::CancelReasonAsk { arrival, finish },
                None => return withdrawn(Ended::Answered),
            },
            (Kind::ConfirmRequest, Some(s), Some(_)) if present => confirm_request(centre, s, now),
            (Kind::WhichSession, ..) => {
                match WhichData::read(&c.data.0).filter(|d| known.waiting.contains(&d.choice)) {
                    Some(WhichData {
                        options: [first, second],
                        ..
                    }) => Say::WhichSession { first, second },
                    None => return withdrawn(Ended::Answered),
                }
            }
            (Kind::NeedsCoordinatorAck, ..) => Say::Handover,
            (Kind::UnclearReply, ..) => Say::Unclear,
            (Kind::Help, ..) => Say::Help,
            (Kind::StopAck, ..) => Say::StopAck,
            (Kind::StartAck, ..) => Say::StartAck,
            (Kind::OldButton, ..) => Say::OldButton,
            (Kind::UnknownSender, ..) => Say::UnknownSender,
            (Kind::WrongNumberAck, ..) => Say::WrongNumberAck,
            (Kind::Welcome, ..) => Say::Welcome,
            (Kind::LinkNumber, ..) => Say::LinkNumber {
                number: c.data.0.clone(),
            },
            (Kind::LinkRefused, ..) => Say::LinkRefused,
            (Kind::StaffReply, ..) => Say::StaffReply {
                text: c.data.0.clone(),
            },
            (Kind::StaffAlert, ..) => Say::StaffAlert {
                count: c.data.0.parse().unwrap_or(1),
            },
            _ => return withdrawn(Ended::Moved),
        };
        let language = seat
            .map(|s| &s.language)
            .or_else(|| known.languages.get(&to.1))
            .map_or_else(|| "en".to_owned(), String::clone);
        let now_shown = seat
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
    let (Some(seat), Some((_, _, ask_version))) = (seat, &c.session) else {
        return withdrawn(Ended::NoAddress);
    };
    if let Some(look) = about_money {
        return money_verdict(c, seat, look, now);
    }
    let (s, a) = (&seat.session, &seat.attendee);
    // What is said must still be so.
    match (c.kind, s.state) {
        (Kind::SessionOff | Kind::Closure, SessionState::Booked) => {
            return withdrawn(Ended::TakenBack);
        }
        (Kind::Closure, SessionState::Closed) => {}
        (Kind::Closure, _) => return withdrawn(Ended::SessionOff),
        (Kind::SessionOff, _) if a.answer == Answer::Cancelled => {
            return withdrawn(Ended::Answered);
        }
        (Kind::SessionOff, _) => {}
        (_, SessionState::Booked) => {}
        // They have not heard of it yet: for them it is on, to the minute.
        _ if seat.is_hidden(now) => {}
        _ => return withdrawn(Ended::SessionOff),
    }
    if !c.kind.calls_off() && a.ask_version != *ask_version {
        return withdrawn(Ended::Moved);
    }
    if c.kind == Kind::ConfirmRequest && a.answer == Answer::Confirmed {
        return withdrawn(Ended::Answered);
    }
    if seat.archived {
        return withdrawn(Ended::Archived);
    }
    // To whom it is said must still be right.
    if seat.opted_out() || seat.consent == Consent::Stop {
        return withdrawn(Ended::OptedOut);
    }
    let Some(route) = seat
        .route_without(c.not_by)
        .filter(|_| seat.consent == Consent::Yes)
    else {
        return withdrawn(Ended::NoAddress);
    };
    // And now must be a time at which it may be said: by the centre's hours and by the party's own.
    let spare_journey = c.kind.calls_off() && a.arrives_at - now <= SPARE_JOURNEY;
    let centres_quiet = centre.courtesy.quiet.filter(|_| !spare_journey);
    let quiet: Vec<Quiet> = centres_quiet.into_iter().chain(seat.quiet).collect();
    match after_all_quiet(&quiet, centre.tz, now) {
        Some(allowed) if allowed <= now => {}
        // A phone that may show nothing now is never used for haste, and news that would come too
        // late to spare a journey is no news: a person rings.
        _ if spare_journey => return withdrawn(Ended::Mode),
        Some(allowed) if c.kind.calls_off() && allowed > a.arrives_at - SPARE_JOURNEY => {
            return withdrawn(Ended::Mode);
        }
        None => return withdrawn(Ended::Mode),
        Some(allowed) if c.not_after.is_none_or(|t| allowed <= t) => {
            return Verdict::Later(allowed);
        }
        _ => return Verdict::End(MessageState::Expired, Ended::TooLate),
    }
    let say = match c.kind {
        Kind::ConfirmRequest => confirm_request(centre, seat, now),
        Kind::SessionOff => Say::SessionOff {
            arrival: own(c.data.0.parse().unwrap_or(a.arrives_at)),
        },
        Kind::Closure => Say::Closure {
            arrival: own(a.arrives_at),
        },
        Kind::SessionOn => Say::SessionOn {
            arrival: own(a.arrives_at),
        },
        Kind::SessionMoved => match c.data.0.parse::<DateTime<Utc>>() {
            Ok(from) => Say::SessionMoved {
                from: own(from),
                to: own(a.arrives_at),
            },
            Err(_) => return withdrawn(Ended::Moved),
        },
        Kind::DateQuestion => {
            match DateData::read(&c.data.0).filter(|d| known.waiting.contains(&d.question)) {
                Some(d) => Say::DateQuestion {
                    from: own(a.arrives_at),
                    to: own(d.arrival),
                },
                None => return withdrawn(Ended::Answered),
            }
        }
        Kind::DateRefused => Say::DateRefused {
            arrival: own(a.arrives_at),
        },
        _ => return withdrawn(Ended::NoAddress),
    };
    Verdict::Send {
        say,
        to: (route.address.clone(), route.hash.clone()),
        language: seat.language.clone(),
        mode: seat.mode,
    }
}

/// The same about a text on money, a note or a milestone: it does not hang on the session's state
/// but on what is owed or due.
fn money_verdict(
    c: &Claimed,
    seat: &Seat,
    look: money_recheck::Look,
    now: DateTime<Utc>,
) -> Verdict {
    let withdrawn = |why| Verdict::End(MessageState::Withdrawn, why);
    let Some(say) = look.say else {
        return withdrawn(Ended::NoLongerDue);
    };
    if look.unsafe_now {
        return Verdict::Hold;
    }
    if seat.opted_out() || seat.consent == Consent::Stop {
        return withdrawn(Ended::OptedOut);
    }
    let Some(route) = seat
        .route_without(c.not_by)
        .filter(|_| seat.consent == Consent::Yes)
    else {
        return withdrawn(Ended::NoAddress);
    };
    // A discreet phone shows no money and a silent one nothing: a person tells the party.
    match look.allowed.filter(|_| seat.mode == Mode::Normal) {
        None => withdrawn(Ended::Mode),
        Some(at) if at > now && c.not_after.is_some_and(|t| at > t) => {
            Verdict::End(MessageState::Expired, Ended::TooLate)
        }
        Some(at) if at > now => Verdict::Later(at),
        Some(_) => Verdict::Send {
            say,
            to: (route.address.clone(), route.hash.clone()),
            language: seat.language.clone(),
            mode: seat.mode,
        },
    }
}

/// With the answer to a message that made the phone quieter: what the phone might show before. Else
/// the answer would tell of the change.
pub(crate) fn as_before(mode: Mode) -> String {
    format!("as {mode}")
}

fn answered_as(kind: Kind, data: &str) -> Option<Mode> {
    let handed_over = matches!(kind, Kind::NeedsCoordinatorAck | Kind::UnclearReply);
    data.strip_prefix("as ")
        .filter(|_| handed_over)?
        .parse()
        .ok()
}

fn confirm_request(centre: &Centre, seat: &Seat, now: DateTime<Utc>) -> Say {
    let (start, own) = (seat.session.starts_at, seat.attendee.arrives_at);
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
    let cut = cut_off(counted_from, seat.session.notice_hours);
    Say::ConfirmRequest {
        arrival: wall(centre.tz, own),
        cut_off: (cut > now).then(|| wall(centre.tz, cut)),
        fee: seat.session.fee_minor > 0,
    }
}
