//! A person releases a waiting text: to all parties that a payment is open or that the file is
//! closed, or a text about money that stopped for somebody's safety. The form shows first what each
//! reader will infer (safety rule M4).

use crate::domain::centre::Centre;
use crate::domain::dedup_key::MessageKey;
use crate::domain::dedup_key::TaskKey;
use crate::domain::ids::SessionId;
use crate::domain::ids::TaskId;
use crate::domain::local_time::wall;
use crate::domain::money::policy::Recipient;
use crate::domain::money::policy::recorded_fact::OWED_AGAIN;
use crate::domain::outgoing::message::MessageKind;
use crate::domain::outgoing::say::Say;
use crate::domain::people::channel::{Consent, Mode};
use crate::domain::people::role::Role;
use crate::domain::people::staff::Act;
use crate::domain::task::TaskKind;
use crate::domain::visits::attendee::AttendeeContext;
use crate::domain::visits::session::SessionState;
use crate::flows::compose::{message_to, speaker};
use crate::flows::error::{Error, Result, refuse};
use crate::flows::money::assessed_case::allowed;
use crate::flows::money::settle;
use crate::flows::recording::Recording;
use crate::flows::service::Service;
use crate::store::facts::{self, Fact};
use crate::store::outbox::{self, NewMessage};
use crate::store::sessions;
use crate::store::tasks::{self, NewTask};
use crate::store::{Tx, centres, money as ledger, staff};
use anyhow::Context;
use chrono::{DateTime, Days, Duration, Utc};

/// Every act of staff that causes a text leaves this much time to take it back (safety rule f1).
const SECOND_THOUGHTS: Duration = Duration::minutes(10);

/// What a release would do, or did: lines for the person who releases.
#[derive(Debug, Default)]
pub struct ReleaseForm {
    /// What goes to whom, and who will infer what.
    pub lines: Vec<String>,
    /// When it is sent.
    pub at: Option<DateTime<Utc>>,
}

/// One request to release what a task holds back.
struct Request<'a> {
    svc: &'a Service,
    task: &'a tasks::TaskContext,
    /// What came of ringing the liable party just now.
    rang: Option<&'a str>,
    /// Only show what would happen.
    show: bool,
    rec: &'a Recording<'a>,
    now: DateTime<Utc>,
}

/// Releases the notice of a task. `rang` says that the liable party was rung just now, and what came
/// of it; `show` writes nothing.
///
/// # Errors
/// In plain words: no such task or another one, a notice that is not called for any more, no logged
/// attempt to ring the liable party, a party that was never told what is owed, an open task about
/// that party's safety, somebody who may not.
pub async fn release(
    svc: &Service,
    task: &TaskId,
    rang: Option<&str>,
    show: bool,
    rec: &Recording<'_>,
) -> Result<ReleaseForm> {
    let now = svc.clock.now();
    let mut tx = svc.db.begin().await?;
    let Some(t) = tasks::get(&mut tx, task).await? else {
        return Err(Error::no_task(task));
    };
    if t.state != "open" {
        refuse!("task {task} is done already; nothing was released");
    }
    let request = Request {
        svc,
        task: &t,
        rang,
        show,
        rec,
        now,
    };
    let form = match t.topic {
        TaskKind::MoneyPaused => {
            staff::allow(&mut tx, rec.by, Act::Decide).await?;
            paused_text(&request, &mut tx, task).await?
        }
        TaskKind::OwedAgain => {
            staff::allow(&mut tx, rec.by, Act::Decide).await?;
            owed_again(&request, &mut tx).await?
        }
        TaskKind::ReleaseAllParties => {
            staff::allow(&mut tx, rec.by, Act::Record).await?;
            to_all(&request, &mut tx, MessageKind::AllPartiesNotice).await?
        }
        TaskKind::ReleaseCaseClosed => {
            staff::allow(&mut tx, rec.by, Act::Record).await?;
            to_all(&request, &mut tx, MessageKind::CaseClosed).await?
        }
        other => refuse!(
            "task {task} ({other}) holds no notice; `courtesy reply` or `courtesy record decision` \
             deals with it"
        ),
    };
    if show {
        return Ok(form);
    }
    tx.commit().await?;
    svc.wake_senders();
    svc.changed.notify_waiters();
    Ok(form)
}

/// Releases a text that stopped for its party's safety.
async fn paused_text(request: &Request<'_>, tx: &mut Tx, task: &TaskId) -> Result<ReleaseForm> {
    let t = request.task;
    let (Some(message), Some(case), Some(role)) = (&t.message_id, &t.case_id, t.role) else {
        refuse!("task {task} holds no text")
    };
    if ledger::has_open_safety_task(tx, case, role).await? {
        refuse!(
            "a task about this party's safety is open; deal with that one first. Nothing was \
             released"
        );
    }
    ledger::release_text(tx, message, request.now).await?;
    record_release(request, tx, "M3", "money text let go").await?;
    tasks::mark_done(tx, request.now, task).await?;
    Ok(ReleaseForm {
        lines: vec!["the text goes in the next office hours, if it is still so".into()],
        at: None,
    })
}

/// Asks again for a fee of which the party was told that nothing is owed.
async fn owed_again(request: &Request<'_>, tx: &mut Tx) -> Result<ReleaseForm> {
    let t = request.task;
    let (Some(case), Some(role)) = (&t.case_id, t.role) else {
        refuse!("the task names no party")
    };
    if ledger::has_open_safety_task(tx, case, role).await? {
        refuse!(
            "a task about the safety of the {role} is open; deal with that one first. Nothing was \
             released"
        );
    }
    let lines = vec![
        format!(
            "the {role} was told that nothing is owed; by what was recorded since, a fee is open \
             again (`courtesy case` shows it)"
        ),
        "it is asked for again in the next office hours, and its clock starts when they were told; \
         to let it go, `courtesy record waive` it instead"
            .into(),
    ];
    if !request.show {
        record_release(request, tx, "C18", OWED_AGAIN).await?;
        tasks::mark_done(tx, request.now, &task_id(tx, &t.dedup_key)).await?;
        let all = centres::all_in(tx).await?;
        let senders = request.svc.lines();
        settle::settle(senders.senders(), tx, &all, case, request.now).await?;
    }
    Ok(ReleaseForm { lines, at: None })
}

/// Records that a person released something.
async fn record_release(
    request: &Request<'_>,
    tx: &mut Tx,
    rule: &str,
    detail: &str,
) -> anyhow::Result<()> {
    let f = Fact {
        case_id: request.task.case_id.as_ref(),
        session_id: request.task.session_id.as_ref(),
        role: None,
        kind: "released",
        at: request.now,
        by: request.rec.by,
        rule,
        detail,
    };
    facts::add(tx, request.now, &[f]).await
}

/// A notice to all parties that may be released.
struct ReadyNotice<'a> {
    kind: MessageKind,
    session_id: &'a SessionId,
    case: ledger::MoneyCase,
    centre: &'a Centre,
    liable: Role,
    /// When the liable party was rung about it.
    rung_at: Option<DateTime<Utc>>,
}

/// Shows who reads a notice to all parties and what each will infer, and sends it unless it is only
/// shown.
async fn to_all(request: &Request<'_>, tx: &mut Tx, kind: MessageKind) -> Result<ReleaseForm> {
    let all = centres::all_in(tx).await?;
    let notice = check(request, tx, kind, &all).await?;
    let (mut form, mut messages) = recipients(request, tx, &notice).await?;
    // Both parents read it at the same moment.
    let at = form.at.unwrap_or(request.now);
    for message in &mut messages {
        message.not_before = at;
    }
    let text = text_of(request, &notice, at)?;
    form.lines.insert(0, text);
    if kind == MessageKind::CaseClosed {
        visits_still_booked(request, tx, &notice, &mut form).await?;
    }
    let liable = notice.liable;
    form.lines.push(match (notice.rung_at, request.rang) {
        (None, Some(what)) => format!("  the {liable} was rung: {what}"),
        (Some(at), _) => format!(
            "  the {liable} was rung {}",
            wall(notice.centre.tz, at).format("on %a %-d %b at %H:%M")
        ),
        (None, None) => format!("  the {liable} was not rung yet"),
    });
    if !request.show {
        send(request, tx, &notice, &messages).await?;
    }
    Ok(form)
}

/// Checks that the notice is still called for, that it endangers nobody, and that the liable party
/// was told of the fee and rung.
async fn check<'a>(
    request: &Request<'a>,
    tx: &mut Tx,
    kind: MessageKind,
    all: &'a centres::Centres,
) -> Result<ReadyNotice<'a>> {
    let t = request.task;
    let (case_id, session_id) = (
        t.case_id.as_ref().context("the task has no case")?,
        t.session_id.as_ref().context("the task has no session")?,
    );
    let lines = request.svc.lines();
    let assessed = settle::settle(lines.senders(), tx, all, case_id, request.now).await?;
    let case = ledger::case(tx, case_id).await?;
    let centre = &all
        .get(&case.centre)
        .context("the case's centre is missing")?
        .centre;
    // What was paid or waived meanwhile closed the task.
    if tasks::get(tx, &task_id(tx, &t.dedup_key))
        .await?
        .is_none_or(|t| t.state != "open")
    {
        refuse!(
            "this notice is not called for any more: the fee was settled meanwhile. Nothing was \
             released"
        );
    }
    let result = assessed.of(session_id).context("the session has no fee")?;
    let liable = result.liable.context("nobody is liable")?.role();
    if ledger::has_open_safety_task(tx, case_id, liable).await? {
        refuse!(
            "a task about the safety of the {liable} is open; no notice goes before it is dealt \
             with"
        );
    }
    if kind == MessageKind::AllPartiesNotice
        && !case
            .record
            .told(session_id, &["fee_notice", "note_request", "note_reminder"])
    {
        refuse!(
            "it is not proven that the {liable} was ever told of the fee: ring, then `courtesy \
             record told {} --party {liable}`. Nothing was released",
            case.case_ref
        );
    }
    let since = if kind == MessageKind::AllPartiesNotice {
        result.escalation.all_parties_notice_at
    } else {
        result.escalation.close_at
    }
    .unwrap_or(t.opened_at);
    let rung_at = case
        .record
        .facts
        .iter()
        .rfind(|f| f.kind == "rang" && f.role == Some(liable) && f.at >= since)
        .map(|f| f.at);
    if rung_at.is_none() && request.rang.is_none() && !request.show {
        refuse!(
            "ring the {liable} first, and say what came of it: `courtesy release TASK --rang \"no \
             answer at 14:10\"`, or `courtesy record call {} --party {liable}`. Nothing was \
             released",
            case.case_ref
        );
    }
    Ok(ReadyNotice {
        kind,
        session_id,
        case,
        centre,
        liable,
        rung_at,
    })
}

/// A line and a text for each party; whoever takes no texts becomes a task.
async fn recipients(
    request: &Request<'_>,
    tx: &mut Tx,
    notice: &ReadyNotice<'_>,
) -> Result<(ReleaseForm, Vec<NewMessage>)> {
    let ReadyNotice { case, centre, .. } = notice;
    let t = request.task;
    let lines = request.svc.lines();
    let contexts = sessions::contexts_of_session(tx, lines.senders(), notice.session_id).await?;
    let mut form = ReleaseForm::default();
    let mut messages = Vec::new();
    for party in &case.record.case.parties {
        let role = match party {
            Recipient::Resident => Role::Resident,
            Recipient::Contact => Role::Contact,
            _ => Role::Referrer,
        };
        let context = contexts.iter().find(|s| s.attendee.role == role);
        form.lines.push(inference(role, notice.liable, context));
        match context {
            Some(context) => {
                let earliest = if centre.rules.money_hours.is_some() {
                    request.now + SECOND_THOUGHTS
                } else {
                    request.now
                };
                let at = allowed(centre, case, context, earliest).unwrap_or(request.now);
                form.at = form.at.max(Some(at));
                let key = MessageKey::released(&t.dedup_key, role);
                messages.push(message_to(context, key, notice.kind, at, None));
            }
            None if request.show => {}
            None => {
                let key = TaskKey::tell_referrer(&t.dedup_key, role);
                let task = NewTask::of_case(key, TaskKind::TellReferrer, &case.centre, &case.id)
                    .session(notice.session_id)
                    .role(Some(role));
                tasks::open(tx, request.now, &task).await?;
            }
        }
    }
    Ok((form, messages))
}

/// What a party will infer from the notice, for the person who releases it.
fn inference(role: Role, liable: Role, context: Option<&AttendeeContext>) -> String {
    let how = how(context);
    match (role == liable, context) {
        (true, _) => {
            format!("  {role} ({how}): owes the fee; will know that all parties hear of it")
        }
        (false, Some(_)) => format!(
            "  {role} ({how}): owes nothing; will know that the payment is not theirs, and so whose \
             it is"
        ),
        (false, None) => {
            format!("  {role} ({how}): will know that a payment on this case is open, not whose")
        }
    }
}

/// The text of the notice, as it is sent at `at`.
fn text_of(request: &Request<'_>, notice: &ReadyNotice<'_>, at: DateTime<Utc>) -> Result<String> {
    let ReadyNotice { case, centre, .. } = notice;
    // The last day counts from the day on which it is sent, as in the text itself.
    let days = case
        .record
        .sessions
        .iter()
        .find(|s| s.id == *notice.session_id)
        .map_or(7, |s| s.payment_days);
    let last_day = wall(centre.tz, at)
        .date()
        .checked_add_days(Days::new(u64::from(days)))
        .context("a date")?;
    let say = if notice.kind == MessageKind::AllPartiesNotice {
        Say::AllPartiesNotice { last_day }
    } else {
        Say::CaseClosed
    };
    let text = request
        .svc
        .templates
        .render(&say, &speaker(centre), "en")?
        .body;
    Ok(format!(
        "{} {}: {text}",
        case.case_ref,
        notice.kind.as_str().replace('_', " ")
    ))
}

/// Queues the texts, and records the call and the release.
async fn send(
    request: &Request<'_>,
    tx: &mut Tx,
    notice: &ReadyNotice<'_>,
    messages: &[NewMessage],
) -> anyhow::Result<()> {
    let now = request.now;
    let case_id = &notice.case.id;
    if let Some(what) = request.rang {
        let f = Fact {
            case_id: Some(case_id),
            session_id: Some(notice.session_id),
            role: Some(notice.liable),
            kind: "rang",
            at: request.rec.at,
            by: request.rec.by,
            rule: "M4",
            detail: what,
        };
        facts::add(tx, now, &[f]).await?;
    }
    outbox::enqueue(tx, now, messages).await?;
    let rule = if notice.kind == MessageKind::AllPartiesNotice {
        "C14"
    } else {
        "C07"
    };
    record_release(request, tx, rule, notice.kind.as_str()).await?;
    tasks::mark_done(tx, now, &task_id(tx, &request.task.dedup_key)).await?;
    ledger::rescan(tx, now, std::iter::once(case_id)).await
}

/// Shows the visits that are still booked on a closed file, and opens a task for each. Nothing is
/// called off by itself (choice C09), and a closed file gets no texts, so a person rings.
async fn visits_still_booked(
    request: &Request<'_>,
    tx: &mut Tx,
    notice: &ReadyNotice<'_>,
    form: &mut ReleaseForm,
) -> Result<()> {
    let ReadyNotice { case, centre, .. } = notice;
    let now = request.now;
    for s in case
        .record
        .sessions
        .iter()
        .filter(|s| s.state == SessionState::Booked && s.start > now)
    {
        form.lines.push(format!(
            "  still booked: {}; call it off with `courtesy record cancel {}`, and ring both \
             parents",
            wall(centre.tz, s.start).format("%a %-d %b %H:%M"),
            s.id
        ));
        if request.show {
            continue;
        }
        let dedup_key = TaskKey::closed_file_visit(&s.id);
        let task = NewTask {
            centre: Some(&case.centre),
            case_id: Some(&case.id),
            session_id: Some(&s.id),
            due_at: Some(s.start),
            ..NewTask::new(dedup_key.clone(), TaskKind::ClosedFileVisit)
        };
        tasks::open(tx, now, &task).await?;
        tasks::reopen(tx, &dedup_key).await?;
    }
    Ok(())
}

fn task_id(tx: &Tx, dedup_key: &TaskKey) -> TaskId {
    TaskId::new(tx.seal().id_of(&dedup_key.id_text()))
}

fn how(context: Option<&AttendeeContext>) -> &'static str {
    match context {
        Some(s) if s.mode == Mode::Normal && s.consent == Consent::Yes && s.route().is_some() => {
            "by text"
        }
        Some(_) => "to be rung",
        None => "by letter or e-mail",
    }
}
