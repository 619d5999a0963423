//! InboundKind comes in is stored first, then understood and decided, then recorded together with the
//! answer it causes.

pub mod chats;
pub(crate) mod decision_writer;
pub(crate) mod preferences;

use crate::channels::{DeliveryError, DeliveryReceipt, ErrorMeaning, InboundEvent};
use crate::domain::centre::{CancelAnswer, Centre};
use crate::domain::dedup_key::TaskKey;
use crate::domain::ids::AttemptToken;
use crate::domain::local_time::wall;
use crate::domain::outgoing::message::MessageKind;
use crate::domain::people::channel::Channel;
use crate::domain::people::private::Private;
use crate::domain::replies::conversation::{
    self, ButtonPress, InboundContext, KnownDateQuestion, KnownVisit, OpenChoice, OptOut,
    PromptRef, RecentExchange, Sender,
};
use crate::domain::replies::understanding::{self, Understood, understand_in};
use crate::domain::task::TaskKind;
use crate::domain::visits::session::{Answer, SessionState};
use crate::flows::lines::{Line, Lines};
use crate::flows::people::link;
use crate::flows::receive::decision_writer::DecisionWriter;
use crate::flows::service::Service;
use crate::store::centres::{self, Centres};
use crate::domain::replies::inbound::InboundKind;
use crate::store::inbox::{self, Inbound, NewInbound, Owner};
use crate::domain::visits::attendee::AttendeeContext;
use crate::store::sessions::{self, PartyFilter};
use crate::store::tasks::{self, NewTask};
use crate::store::{Tx, attempts, dates, errands, messages, questions};
use crate::templates::{ENGLISH, Templates};
use anyhow::Result;
use chrono::{DateTime, Duration, Utc};

/// A listed message bears the service's time, cut to the second and by another clock than ours.
const CLOCKS_DIFFER: Duration = Duration::seconds(5);

/// A message that reaches us within this time was not held up.
const AT_ONCE: Duration = Duration::seconds(30);

/// Stores what came in and wakes who applies it; gives how many were new.
pub async fn store(svc: &Service, received: &[NewInbound]) -> Result<u64> {
    let mut tx = svc.db.begin().await?;
    let n = inbox::store(&mut tx, svc.clock.now(), received).await?;
    tx.commit().await?;
    if n > 0 {
        svc.wake_receive.notify_one();
    }
    Ok(n)
}

/// Stores an event that a texting service brought to a webhook of ours.
pub async fn from_webhook(svc: &Service, line: &Line, event: InboundEvent) -> Result<()> {
    let received = NewInbound {
        provider: "sms".into(),
        provider_message_id: event.provider_id,
        channel: line.channel,
        sender: line.sender.clone(),
        from: event.from,
        what: event.kind,
        at: svc.clock.now(),
        earliest_at: None,
        found_by: "hook",
    };
    store(svc, &[received]).await?;
    Ok(())
}

/// Applies everything that was stored and not applied yet; gives how many.
pub async fn apply_all(svc: &Service) -> Result<u64> {
    let mut n = 0;
    while apply_next(svc).await? {
        n += 1;
    }
    Ok(n)
}

async fn apply_next(svc: &Service) -> Result<bool> {
    let now = svc.clock.now();
    let mut tx = svc.db.begin().await?;
    let Some(inbound) = inbox::next(&mut tx).await? else {
        return Ok(false);
    };
    let lines = svc.lines();
    let (intent, rule) = match &inbound.what {
        InboundKind::Blocked | InboundKind::Unblocked | InboundKind::Group => {
            (inbound_event(svc, &mut tx, &inbound, now).await?, "chat")
        }
        InboundKind::Text { body, .. }
            if inbound.channel == Channel::Telegram && link::code_in(&body.0).is_some() =>
        {
            link::start(
                svc,
                &mut tx,
                &lines,
                &inbound,
                link::code_in(&body.0).unwrap_or_default(),
                now,
            )
            .await?
        }
        _ => apply(svc, &mut tx, &lines, &inbound, now).await?,
    };
    inbox::mark_applied(&mut tx, &inbound.id, intent, rule).await?;
    tx.commit().await?;
    svc.wake_senders();
    svc.wake_errands.notify_waiters();
    svc.wake_errands.notify_one();
    svc.changed.notify_waiters();
    Ok(true)
}

/// The bot was blocked or let in again, or it stands in a group, where it has no business.
async fn inbound_event(
    svc: &Service,
    tx: &mut Tx,
    inbound: &Inbound,
    now: DateTime<Utc>,
) -> Result<&'static str> {
    match &inbound.what {
        InboundKind::Group => {
            if let Some(chat) = &inbound.from {
                errands::add(
                    tx,
                    now,
                    &errands::NewErrand {
                        sender: &inbound.sender,
                        what: "leave",
                        chat,
                        target: "",
                        words: "",
                    },
                    Duration::hours(24),
                )
                .await?;
                svc.wake_errands.notify_one();
            }
            Ok("group")
        }
        InboundKind::Blocked => {
            inbox::set_blocked(tx, &inbound.number_hash, Some(now)).await?;
            let lines = svc.lines();
            for p in inbox::parties_with(tx, lines.senders(), inbound.line(), &inbound.number_hash)
                .await?
            {
                let task = NewTask {
                    centre: Some(&p.centre),
                    case_id: Some(&p.case_id),
                    role: Some(p.role),
                    ..NewTask::new(
                        TaskKey::chat_blocked(&inbound.id, &p.party_id),
                        TaskKind::ChatBlocked,
                    )
                };
                tasks::open(tx, now, &task).await?;
            }
            Ok("blocked")
        }
        _ => {
            inbox::set_blocked(tx, &inbound.number_hash, None).await?;
            Ok("unblocked")
        }
    }
}

/// The words of a bot's menu mean what the same words mean in a text; a stranger's Start without a
/// code means nothing.
fn words_of(inbound: &Inbound, known: bool) -> &str {
    match inbound.words().trim() {
        "/start" if !known => "",
        "/start" if inbound.channel == Channel::Telegram => "START",
        "/stop" if inbound.channel == Channel::Telegram => "STOP",
        "/help" if inbound.channel == Channel::Telegram => "HELP",
        _ => inbound.words(),
    }
}

async fn apply(
    svc: &Service,
    tx: &mut Tx,
    lines: &Lines,
    inbound: &Inbound,
    now: DateTime<Utc>,
) -> Result<(&'static str, &'static str)> {
    let all = centres::all_in(tx).await?;
    // A sender that we had once speaks through the line that has taken its place.
    let line = lines
        .by_sender(inbound.channel, &inbound.sender)
        .or_else(|| lines.all().iter().find(|l| l.channel == inbound.channel));
    let line = line.map_or((inbound.channel, inbound.sender.as_str()), |l| l.at());
    let mut parties = inbox::parties_with(tx, lines.senders(), line, &inbound.number_hash).await?;
    let here = !parties.is_empty();
    if !here {
        // Another centre's parent at a sender that does not speak for it: not a stranger, and not
        // answered.
        parties = inbox::parties_anywhere(tx, &inbound.number_hash).await?;
    }
    let agreed = parties.is_empty()
        || (here && inbox::is_agreed(tx, line.0, &inbound.number_hash, &parties).await?);
    // InboundKind comes by a channel that was not agreed on decides nothing; whose visit is next is known
    // all the same to who reads it.
    let whose = match inbound.what {
        InboundKind::Press { .. } => PartyFilter::Agreed,
        _ if agreed => PartyFilter::Agreed,
        _ if here => PartyFilter::OnFile,
        _ => PartyFilter::Any,
    };
    let contexts = sessions::contexts_of_address(
        tx,
        lines.senders(),
        line,
        &inbound.number_hash,
        inbound.at,
        whose,
    )
    .await?;
    sessions::lock(
        tx,
        &contexts
            .iter()
            .map(|s| s.session.id.clone())
            .collect::<Vec<_>>(),
    )
    .await?;
    // InboundKind another process recorded while this one waited for the lock is seen now.
    let contexts = if tx.is_postgres() {
        sessions::contexts_of_address(
            tx,
            lines.senders(),
            line,
            &inbound.number_hash,
            inbound.at,
            whose,
        )
        .await?
    } else {
        contexts
    };
    if inbound.channel == Channel::Telegram {
        // Who writes or presses has not blocked the bot.
        inbox::set_blocked(tx, &inbound.number_hash, None).await?;
    }
    let opt_out = inbox::opt_out_of(tx, line, &inbound.number_hash).await?;
    let mut open = Vec::with_capacity(contexts.len());
    for context in &contexts {
        if let Some(c) = all.get(&context.session.centre) {
            open.push(as_known_to(tx, &c.centre, context, inbound, now).await?);
        }
    }
    // A question about another date stands as long as this party knows the visit as on.
    let on =
        |s: &&AttendeeContext| s.session.state == SessionState::Booked || s.is_hidden(inbound.at);
    let places: Vec<_> = contexts
        .iter()
        .filter(on)
        .map(|s| (s.session.id.clone(), s.attendee.role))
        .collect();
    let media = matches!(&inbound.what, InboundKind::Text { media, .. } if *media > 0);
    let choosing = questions::open_choice(tx, line, &inbound.number_hash, now).await?;
    let mut dates = dates::answerable(tx, &places, &inbound.number_hash, inbound.at).await?;
    for d in &mut dates {
        if let Some(s) = contexts
            .iter()
            .find(|s| s.session.id == d.session && s.attendee.role == d.role)
            && let Some(c) = all.get(&s.session.centre)
        {
            d.arrives += wall(c.centre.tz, s.attendee.arrives_at) - s.session.start_local;
        }
    }
    let text = words_of(inbound, !parties.is_empty());
    let heard = InboundContext {
        at: inbound.at,
        // InboundKind comes at once comes in the order in which it was sent, whatever the clocks of two
        // services say.
        sent_by: if now - inbound.at < AT_ONCE {
            inbound.at + CLOCKS_DIFFER
        } else {
            inbound.at
        },
        earliest: inbound.earliest_at.unwrap_or(inbound.at).min(inbound.at),
        understood: understood(
            text,
            language_of(&svc.templates, &all, &parties),
            &open,
            &dates,
            choosing.as_ref(),
            inbound,
        ),
        pressed: pressed(tx, inbound, now).await?,
        media,
        quiet_word: is_quiet_word(tx, inbound, &parties),
        provider_stopped: inbound.what.is_provider_stop(),
        sender: if parties.is_empty() {
            Sender::Stranger
        } else if inbox::unusable_among(tx, line.0, std::slice::from_ref(&inbound.number_hash))
            .await?
            .contains(&inbound.number_hash)
        {
            Sender::Paused
        } else if agreed {
            Sender::Party
        } else {
            Sender::NotAgreedHere
        },
        opt_out: OptOut {
            active: opt_out.is_some_and(|(_, stopped)| stopped),
            changed_at: opt_out.map(|(at, _)| at),
        },
        asked_last: messages::last_asked_session_start(tx, &inbound.number_hash).await?,
        recent: RecentExchange {
            clarified: messages::answers_since(tx, &inbound.number_hash, now - Duration::hours(24))
                .await?
                .iter()
                .any(|(kind, ..)| *kind == MessageKind::UnclearReply),
            ..lately(tx, inbound).await?
        },
        open_choice: choosing,
        visits: open,
        date_questions: dates,
    };
    let decision = conversation::decide(&heard);
    let mut teller = DecisionWriter {
        svc,
        tx,
        all: &all,
        lines,
        contexts: &contexts,
        parties: &parties,
        inbound,
        line,
        now,
        before: None,
    };
    teller.carry_out(&heard, decision.clone()).await?;
    let intent = if heard.pressed.is_some() {
        "press"
    } else {
        heard.understood.intent.as_str()
    };
    Ok((intent, decision.rule))
}

/// InboundKind the words mean, read with all that is known: in which language and by which channel, what
/// was asked, and for when.
fn understood(
    text: &str,
    lang: &str,
    open: &[KnownVisit],
    dates: &[KnownDateQuestion],
    choosing: Option<&OpenChoice>,
    inbound: &Inbound,
) -> Understood {
    let on: Vec<&KnownVisit> = open
        .iter()
        .filter(|o| o.state == SessionState::Booked && o.starts_at > inbound.at)
        .collect();
    let awaited = on
        .iter()
        .filter(|o| o.asked.at.is_some() && o.answer == Answer::None)
        .count();
    // A visit that this party may still take back can be named too (rule S2).
    let undoable = open
        .iter()
        .filter(|o| o.cancelled_by_me && o.release_at.is_some_and(|t| inbound.at < t));
    let arrivals: Vec<_> = on
        .iter()
        .copied()
        .chain(undoable)
        .map(|o| o.arrives)
        .chain(dates.iter().filter(|d| !d.answered).map(|d| d.arrives))
        .collect();
    let context = understanding::ReadingContext {
        lang,
        channel: inbound.channel,
        open: if awaited > 0 { awaited } else { on.len() },
        asked: if choosing.is_some() {
            understanding::PendingQuestion::Numbered
        } else {
            understanding::PendingQuestion::Confirm
        },
        arrivals: &arrivals,
    };
    understand_in(text, &context)
}

/// The language in which the centres speak with all the parties of this number, if it is one;
/// otherwise English.
fn language_of(templates: &Templates, all: &Centres, parties: &[Owner]) -> &'static str {
    let mut of = parties.iter().map(|p| {
        all.get(&p.centre)
            .map_or(ENGLISH, |c| templates.language_for(&c.centre, &p.language))
    });
    let first = of.next().unwrap_or(ENGLISH);
    if of.all(|l| l == first) {
        first
    } else {
        ENGLISH
    }
}

/// InboundKind came from the same number shortly before.
async fn lately(tx: &mut Tx, inbound: &Inbound) -> Result<RecentExchange> {
    let InboundKind::Text { body, .. } = &inbound.what else {
        return Ok(RecentExchange::default());
    };
    let hour = inbox::recent_texts(
        tx,
        &inbound.number_hash,
        &inbound.id,
        inbound.at - Duration::hours(1),
    )
    .await?;
    let said = understanding::normalize(&body.0);
    Ok(RecentExchange {
        same_words: !body.0.trim().is_empty()
            && hour.iter().any(|(_, b)| {
                *b == *body || (!said.is_empty() && understanding::normalize(&b.0) == said)
            }),
        in_a_minute: hour
            .iter()
            .filter(|(at, _)| *at > inbound.at - Duration::minutes(1))
            .count()
            + 1,
        clarified: false,
    })
}

/// Whether the whole message is the private word of a party with this number.
fn is_quiet_word(tx: &Tx, inbound: &Inbound, parties: &[Owner]) -> bool {
    let said = understanding::normalize(inbound.words());
    !said.is_empty()
        && parties.iter().any(|p| {
            p.quiet_word
                .as_ref()
                .is_some_and(|hash| *hash == tx.seal().quiet_word_hash(&p.party_id, &said))
        })
}

/// The button that was pressed, with the text below which it stood: only if that text went to this
/// very chat, and it is still the party's. A press proves that its text arrived.
async fn pressed(
    tx: &mut Tx,
    inbound: &Inbound,
    now: DateTime<Utc>,
) -> Result<Option<ButtonPress>> {
    let InboundKind::Press { data, message, .. } = &inbound.what else {
        return Ok(None);
    };
    let foreign = |press| Ok(Some(ButtonPress { press, below: None }));
    let (token, word) = data.split_once(':').unwrap_or(("", data));
    let Ok(press) = word.parse() else {
        return foreign(crate::domain::outgoing::say::Press::Yes);
    };
    // A button without a token is known by the message that it answers.
    let token = match token {
        "" => attempts::token_of(tx, message, &inbound.number_hash).await?,
        token => Some(AttemptToken::new(token)),
    };
    let Some(token) = token else {
        return foreign(press);
    };
    let Some(under) = attempts::prompt_of(tx, &token)
        .await?
        .filter(|u| u.number_hash == inbound.number_hash)
    else {
        return foreign(press);
    };
    let provider_id = match inbound.channel {
        Channel::Telegram => Some(crate::flows::lines::in_chat(&inbound.number_hash, message)),
        _ => Some(message.clone()).filter(|m| !m.is_empty()),
    };
    attempts::confirm_by_press(tx, now, &token, provider_id.as_deref()).await?;
    tasks::mark_obsolete(tx, now, &TaskKey::uncertain(&token)).await?;
    let (session, ask_version) = under.session.unzip();
    let question = under.payload.question().to_owned();
    Ok(Some(ButtonPress {
        press,
        below: Some(PromptRef {
            kind: under.kind,
            session,
            ask_version: ask_version.unwrap_or_default(),
            question,
        }),
    }))
}

/// The session as this party may know it: what the other did and nobody released does not exist.
async fn as_known_to(
    tx: &mut Tx,
    centre: &Centre,
    context: &AttendeeContext,
    inbound: &Inbound,
    now: DateTime<Utc>,
) -> Result<KnownVisit> {
    let (s, a) = (&context.session, &context.attendee);
    let mut asked = messages::question_state(tx, &s.id, a.role, a.ask_version).await?;
    // A message that came before the question left does not answer it.
    asked.at = asked.at.filter(|t| *t <= inbound.at + CLOCKS_DIFFER);
    let q = questions::history(tx, &s.id, a.role, a.ask_version, now).await?;
    Ok(KnownVisit {
        session: s.id.clone(),
        case: s.case_id.clone(),
        starts_at: s.starts_at,
        ask_version: a.ask_version,
        arrives: wall(centre.tz, a.arrives_at),
        notice_hours: s.notice_hours,
        moved: s.moved,
        // The sender is known there, so a word is enough (safety rule S1d).
        cancel_answer: if inbound.channel == Channel::Whatsapp {
            CancelAnswer::Word
        } else {
            centre.rules.cancel_answer
        },
        state: if context.is_hidden(inbound.at) {
            SessionState::Booked
        } else {
            s.state
        },
        cancelled_by_me: s.state == SessionState::Cancelled && a.answer == Answer::Cancelled,
        release_at: a
            .undo_until
            .filter(|_| a.undo_from.as_deref() == Some(&inbound.number_hash)),
        answer: a.answer,
        asked,
        decided_at: a.decided_at.max(a.answered_at),
        question_here: q.was_asked_at(inbound.channel, &inbound.number_hash),
        question: q.open,
        questions_today: q.today,
        wrong_tries: q.wrong,
        cancel_blocked: q.blocked,
    })
}

/// Applies one delivery receipt.
pub async fn receipt(svc: &Service, r: DeliveryReceipt) -> Result<()> {
    let now = svc.clock.now();
    let mut tx = svc.db.begin().await?;
    let error = r.error;
    let meaning = error.as_ref().map(|e| e.meaning);
    let row = attempts::NewReceipt {
        token: r.token,
        provider_id: r.provider_id,
        status: r.status,
        receipt: r.receipt,
        error_code: error.as_ref().map(|e| e.code.clone()),
    };
    let touched = attempts::record_receipt(&mut tx, now, &row)
        .await?
        .filter(|t| t.changed);
    if let Some(t) = touched
        .as_ref()
        .filter(|t| t.state == crate::domain::outgoing::message::MessageState::Delivered)
    {
        crate::store::money::rescan_case_of_message(&mut tx, now, &t.message_id).await?;
    }
    if let Some(t) =
        touched.filter(|t| t.state == crate::domain::outgoing::message::MessageState::Undelivered)
        && !went_elsewhere(&mut tx, now, &row.token, error.as_ref()).await?
    {
        let opted_out = meaning == Some(ErrorMeaning::OptedOut);
        if opted_out {
            inbox::set_opt_out(
                &mut tx,
                (t.channel, &t.sender),
                &t.number_hash,
                true,
                None,
                now,
            )
            .await?;
        }
        let topic = if opted_out {
            TaskKind::RingOptedOut
        } else {
            TaskKind::BadNumber
        };
        tasks::open_for_message(
            &mut tx,
            now,
            TaskKey::undelivered(&t.message_id),
            topic,
            &t.message_id,
        )
        .await?;
    }
    tx.commit().await?;
    if meaning == Some(ErrorMeaning::OutsideWindow) {
        svc.wake_senders();
    }
    svc.changed.notify_waiters();
    Ok(())
}

/// WhatsApp took it and says now that it came too late for free words: nothing reached the phone,
/// and the party's next address takes it.
pub(super) async fn went_elsewhere(
    tx: &mut Tx,
    now: DateTime<Utc>,
    token: &AttemptToken,
    error: Option<&DeliveryError>,
) -> Result<bool> {
    match error {
        Some(e) if e.meaning == ErrorMeaning::OutsideWindow => {
            attempts::reroute_undelivered(tx, now, token, &e.code).await
        }
        _ => Ok(false),
    }
}

/// Lists what came to our numbers since `since` and stores what no hook brought: after a start, a
/// gap, and now and then.
///
/// # Errors
/// The provider or the database did not answer; nothing is lost by that, it is listed again.
pub async fn catch_up(svc: &Service, since: DateTime<Utc>) -> Result<u64> {
    let mut n = 0;
    let mut failed = None;
    for line in svc.lines().all() {
        let Some(sms) = line.sms() else { continue };
        let listed = match sms.list_inbound(since).await {
            Ok(listed) => listed,
            // The other lines are listed all the same; this one is listed again.
            Err(e) => {
                failed = Some(e);
                continue;
            }
        };
        let ids: Vec<String> = listed.iter().map(|l| l.provider_id.clone()).collect();
        let known = inbox::known(&svc.db, "sms", &ids).await?;
        let now = svc.clock.now();
        let mut missed: Vec<NewInbound> = listed
            .into_iter()
            .filter(|l| !known.contains(&l.provider_id))
            .map(|l| NewInbound {
                provider: "sms".into(),
                provider_message_id: l.provider_id,
                channel: line.channel,
                sender: line.sender.clone(),
                from: l.from.unwrap_or_default(),
                what: InboundKind::Text {
                    body: Private(l.body),
                    media: l.media,
                    opt_out_type: None,
                },
                at: l.created_at.unwrap_or(now).min(now),
                earliest_at: None,
                found_by: "listing",
            })
            .collect();
        missed.sort_by_key(|r| r.at);
        if !missed.is_empty() {
            n += store(svc, &missed).await?;
        }
    }
    if n > 0 {
        tracing::info!("{n} messages had come in while nobody listened");
    }
    failed.map_or(Ok(n), Err)
}

/// Waits for what comes in and applies it until the token ends.
pub async fn run(svc: &Service, stop: tokio_util::sync::CancellationToken) -> Result<()> {
    let mut failures = 0u32;
    while !stop.is_cancelled() {
        // Nothing of a message is remembered outside the database, so it is simply tried again.
        if let Err(e) = apply_all(svc).await {
            tracing::warn!("a message could not be applied yet: {e:#}");
            failures = (failures + 1).min(6);
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(std::time::Duration::from_millis(100 << failures)) => {}
            }
            continue;
        }
        failures = 0;
        svc.liveness.tick("receive");
        tokio::select! {
            () = stop.cancelled() => {}
            () = svc.wake_receive.notified() => {}
            () = tokio::time::sleep(std::time::Duration::from_secs(1)) => {}
        }
    }
    Ok(())
}
