//! Everything that is known when a message is read: who sent it, which visits they know of and how,
//! what they were asked, and what the words mean.

use crate::domain::centre::{CancelAnswer, Centre};
use crate::domain::dedup_key::TaskKey;
use crate::domain::ids::AttemptToken;
use crate::domain::local_time::wall;
use crate::domain::outgoing::message::MessageKind;
use crate::domain::outgoing::say::Press;
use crate::domain::people::channel::Channel;
use crate::domain::replies::conversation::{
    self, ButtonPress, InboundContext, KnownDateQuestion, KnownVisit, OpenChoice, OptOut,
    PromptRef, RecentExchange,
};
use crate::domain::replies::inbound::InboundKind;
use crate::domain::replies::understanding::{self, Understood, understand_in};
use crate::domain::visits::attendee::AttendeeContext;
use crate::domain::visits::session::{Answer, SessionState};
use crate::flows::lines::{Lines, in_chat};
use crate::flows::service::Service;
use crate::store::centres::Centres;
use crate::store::inbox::{self, Inbound, Owner};
use crate::store::sessions::{self, PartyFilter};
use crate::store::{Tx, attempts, dates, messages, questions, tasks};
use crate::templates::{ENGLISH, Templates};
use anyhow::Result;
use chrono::{DateTime, Duration, Utc};

/// A listed message bears the provider's time, cut to the second and by another clock than ours.
const CLOCKS_DIFFER: Duration = Duration::seconds(5);

/// A message that reaches us within this time was not held up.
const AT_ONCE: Duration = Duration::seconds(30);

/// Whoever has the address that a message came from.
pub(super) struct Sender<'a> {
    /// The line it came by: channel and our sender.
    pub(super) line: (Channel, &'a str),
    /// Everybody on file with this address; nobody for a stranger.
    pub(super) parties: Vec<Owner>,
    /// They are parties of a centre that speaks by this line.
    here: bool,
    /// They agreed to this channel, or nobody is on file.
    agreed: bool,
}

impl<'a> Sender<'a> {
    /// Looks up who sent a message.
    pub(super) async fn find(
        tx: &mut Tx,
        lines: &'a Lines,
        inbound: &'a Inbound,
    ) -> Result<Sender<'a>> {
        // A sender that we had once speaks through the line that has taken its place.
        let line = lines
            .by_sender(inbound.channel, &inbound.sender)
            .or_else(|| lines.all().iter().find(|l| l.channel == inbound.channel));
        let line = line.map_or((inbound.channel, inbound.sender.as_str()), |l| l.at());
        let hash = &inbound.number_hash;
        let mut parties = inbox::parties_with(tx, lines.senders(), line, hash).await?;
        let here = !parties.is_empty();
        if !here {
            // Another centre's parent at a sender that does not speak for it: not a stranger, and
            // not answered.
            parties = inbox::parties_anywhere(tx, hash).await?;
        }
        let agreed =
            parties.is_empty() || (here && inbox::is_agreed(tx, line.0, hash, &parties).await?);
        Ok(Sender {
            line,
            parties,
            here,
            agreed,
        })
    }

    /// Locks the sender's sessions and reads them.
    pub(super) async fn lock_sessions(
        &self,
        tx: &mut Tx,
        lines: &Lines,
        inbound: &Inbound,
    ) -> Result<Vec<AttendeeContext>> {
        let contexts = self.sessions(tx, lines, inbound).await?;
        let ids: Vec<_> = contexts.iter().map(|c| c.session.id.clone()).collect();
        sessions::lock(tx, &ids).await?;
        // On PostgreSQL another process may have written while this one waited for the lock.
        if tx.is_postgres() {
            self.sessions(tx, lines, inbound).await
        } else {
            Ok(contexts)
        }
    }

    async fn sessions(
        &self,
        tx: &mut Tx,
        lines: &Lines,
        inbound: &Inbound,
    ) -> Result<Vec<AttendeeContext>> {
        // A message by a channel that was not agreed on decides nothing; whoever reads it still
        // sees whose visit is next.
        let whose = match inbound.kind {
            InboundKind::Press { .. } => PartyFilter::Agreed,
            _ if self.agreed => PartyFilter::Agreed,
            _ if self.here => PartyFilter::OnFile,
            _ => PartyFilter::Any,
        };
        let (hash, at) = (&inbound.number_hash, inbound.at);
        sessions::contexts_of_address(tx, lines.senders(), self.line, hash, at, whose).await
    }

    fn is_known(&self) -> bool {
        !self.parties.is_empty()
    }
}

/// Reads everything that the decision about a message needs.
pub(super) async fn read_context(
    svc: &Service,
    tx: &mut Tx,
    centres: &Centres,
    sender: &Sender<'_>,
    contexts: &[AttendeeContext],
    inbound: &Inbound,
    now: DateTime<Utc>,
) -> Result<InboundContext> {
    let (hash, line) = (&inbound.number_hash, sender.line);
    let opt_out = inbox::opt_out_of(tx, line, hash).await?;
    let mut open = Vec::with_capacity(contexts.len());
    for context in contexts {
        if let Some(c) = centres.get(&context.session.centre) {
            open.push(as_known_to(tx, &c.centre, context, inbound, now).await?);
        }
    }
    let choosing = questions::open_choice(tx, line, hash, now).await?;
    let dates = asked_dates(tx, centres, contexts, inbound).await?;
    let media = matches!(&inbound.kind, InboundKind::Text { media, .. } if *media > 0);
    let text = words_of(inbound, sender.is_known());
    let language = language_of(&svc.templates, centres, &sender.parties);
    let pressed = pressed(tx, inbound, now).await?;
    let resting = inbox::unusable_among(tx, line.0, std::slice::from_ref(hash)).await?;
    let answers = messages::answers_since(tx, hash, now - Duration::hours(24)).await?;
    Ok(InboundContext {
        at: inbound.at,
        // What arrives at once arrives in the order in which it was sent, whatever the clocks of
        // two services say.
        sent_by: if now - inbound.at < AT_ONCE {
            inbound.at + CLOCKS_DIFFER
        } else {
            inbound.at
        },
        earliest: inbound.earliest_at.unwrap_or(inbound.at).min(inbound.at),
        understood: understood(text, language, &open, &dates, choosing.as_ref(), inbound),
        pressed,
        open_choice: choosing,
        media,
        sender: if !sender.is_known() {
            conversation::Sender::Stranger
        } else if resting.contains(hash) {
            conversation::Sender::Paused
        } else if sender.agreed {
            conversation::Sender::Party
        } else {
            conversation::Sender::NotAgreedHere
        },
        opt_out: OptOut {
            active: opt_out.is_some_and(|(_, stopped)| stopped),
            changed_at: opt_out.map(|(at, _)| at),
        },
        provider_stopped: inbound.kind.is_provider_stop(),
        asked_last: messages::last_asked_session_start(tx, hash).await?,
        recent: RecentExchange {
            clarified: answers
                .iter()
                .any(|(kind, ..)| *kind == MessageKind::UnclearReply),
            ..recent_exchange(tx, inbound).await?
        },
        quiet_word: is_quiet_word(tx, inbound, &sender.parties),
        visits: open,
        date_questions: dates,
    })
}

/// The questions about another date that this party may answer, with the party's own arrival.
async fn asked_dates(
    tx: &mut Tx,
    centres: &Centres,
    contexts: &[AttendeeContext],
    inbound: &Inbound,
) -> Result<Vec<KnownDateQuestion>> {
    // Such a question is open while this party knows the visit as on.
    let places: Vec<_> = contexts
        .iter()
        .filter(|s| s.session.state == SessionState::Booked || s.is_hidden(inbound.at))
        .map(|s| (s.session.id.clone(), s.attendee.role))
        .collect();
    let mut dates = dates::answerable(tx, &places, &inbound.number_hash, inbound.at).await?;
    for d in &mut dates {
        if let Some(s) = contexts
            .iter()
            .find(|s| s.session.id == d.session && s.attendee.role == d.role)
            && let Some(c) = centres.get(&s.session.centre)
        {
            d.arrives += wall(c.centre.tz, s.attendee.arrives_at) - s.session.start_local;
        }
    }
    Ok(dates)
}

/// The text of a message. The commands of a bot's menu mean the same as these words in a text; a
/// stranger's Start without a code means nothing.
fn words_of(inbound: &Inbound, known: bool) -> &str {
    match inbound.text().trim() {
        "/start" if !known => "",
        "/start" if inbound.channel == Channel::Telegram => "START",
        "/stop" if inbound.channel == Channel::Telegram => "STOP",
        "/help" if inbound.channel == Channel::Telegram => "HELP",
        _ => inbound.text(),
    }
}

/// What the words mean, given the language, the channel, what was asked and for when.
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

/// The language in which the centres write to all parties of this number; English if they differ.
fn language_of(words: &Templates, centres: &Centres, parties: &[Owner]) -> &'static str {
    let mut of = parties.iter().map(|p| {
        centres
            .get(&p.centre)
            .map_or(ENGLISH, |c| words.language_for(&c.centre, &p.language))
    });
    let first = of.next().unwrap_or(ENGLISH);
    if of.all(|l| l == first) {
        first
    } else {
        ENGLISH
    }
}

/// What came from the same number in the last hour.
async fn recent_exchange(tx: &mut Tx, inbound: &Inbound) -> Result<RecentExchange> {
    let InboundKind::Text { body, .. } = &inbound.kind else {
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

/// Whether the whole message is the quiet word of a party with this number (rule D5).
fn is_quiet_word(tx: &Tx, inbound: &Inbound, parties: &[Owner]) -> bool {
    let said = understanding::normalize(inbound.text());
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
    let InboundKind::Press { data, message, .. } = &inbound.kind else {
        return Ok(None);
    };
    let foreign = |press| Ok(Some(ButtonPress { press, below: None }));
    let (token, word) = data.split_once(':').unwrap_or(("", data));
    let Ok(press) = word.parse() else {
        return foreign(Press::Yes);
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
        Channel::Telegram => Some(in_chat(&inbound.number_hash, message)),
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

/// The session as this party may know it: without what the other party did and nobody released.
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
