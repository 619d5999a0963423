//! A person lets a waiting notice go: to all parties that a payment is open, that the file is
//! closed, or a text about money that stopped for somebody's safety. What each reader will infer is
//! shown before (safety rule M4).

use crate::domain::centre::Centre;
use crate::domain::ids::TaskId;
use crate::domain::local_time::wall;
use crate::domain::money::policy::Recipient;
use crate::domain::money::policy::record::OWED_AGAIN;
use crate::domain::outgoing::message::MessageKind;
use crate::domain::outgoing::say::Say;
use crate::domain::people::person::{Consent, Mode, Role};
use crate::domain::people::staff::Act;
use crate::domain::task::TaskKind;
use crate::domain::visits::session::SessionState;
use crate::flows::compose::{message_to, speaker};
use crate::flows::error::{Error, Result, refuse};
use crate::flows::money::settle;
use crate::flows::recording::Recording;
use crate::flows::service::Service;
use crate::store::facts::{self, Fact};
use crate::store::outbox::{self, NewMessage};
use crate::store::sessions::{self, AttendeeContext};
use crate::store::tasks::{self, NewTask};
use crate::store::{Tx, centres, money as ledger, staff};
use anyhow::Context;
use chrono::{DateTime, Days, Duration, Utc};

/// Every act of staff that causes a text leaves time to take it back (safety rule f1).
const SECOND_THOUGHTS: Duration = Duration::minutes(10);

/// What a release would do, or did: lines for the person who releases.
#[derive(Debug, Default)]
pub struct ReleaseForm {
    /// What goes to whom, and who will infer what.
    pub lines: Vec<String>,
    /// When it goes.
    pub at: Option<DateTime<Utc>>,
}

/// Lets the notice of a task go. `rang` says that the liable party was rung just now, and what came
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
    let form = match t.topic {
        TaskKind::MoneyPaused => {
            staff::allow(&mut tx, rec.by, Act::Decide).await?;
            let (Some(message), Some(case), Some(role)) = (&t.message_id, &t.case_id, t.role)
            else {
                refuse!("task {task} holds no text")
            };
            if ledger::safety_open(&mut tx, case, role).await? {
                refuse!(
                    "a task about this party's safety is open; deal with that one first. Nothing \
                     was released"
                );
            }
            ledger::free_text(&mut tx, message, now).await?;
            fact(&mut tx, &t, rec, now, "M3", "money text let go").await?;
            tasks::done(&mut tx, now, task).await?;
            ReleaseForm {
                lines: vec!["the text goes in the next office hours, if it is still so".into()],
                at: None,
            }
        }
        TaskKind::OwedAgain => {
            staff::allow(&mut tx, rec.by, Act::Decide).await?;
            owed_again(svc, &mut tx, &t, show, rec, now).await?
        }
        TaskKind::ReleaseAllParties | TaskKind::ReleaseCaseClosed => {
            staff::allow(&mut tx, rec.by, Act::Record).await?;
            let kind = if t.topic == TaskKind::ReleaseAllParties {
                MessageKind::AllPartiesNotice
            } else {
                MessageKind::CaseClosed
            };
            to_all(svc, &mut tx, &t, kind, rang, show, rec, now).await?
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

/// Who was told that nothing is owed is asked again.
async fn owed_again(
    svc: &Service,
    tx: &mut Tx,
    t: &tasks::TaskContext,
    show: bool,
    rec: &Recording<'_>,
    now: DateTime<Utc>,
) -> Result<ReleaseForm> {
    let (Some(case), Some(role)) = (&t.case_id, t.role) else {
        refuse!("the task names no party")
    };
    if ledger::safety_open(tx, case, role).await? {
        refuse!(
            "a task about the safety of the {role} is open; deal with that one first. Nothing was \
             released"
        );
    }
    let lines = vec![
        format!("the {role} was told that nothing is owed; by what was recorded since, a fee is \
                 open again (`courtesy case` shows it)"),
        "it is asked for again in the next office hours, and its clock starts when they were told; \
         to let it go, `courtesy record waive` it instead".into(),
    ];
    if !show {
        fact(tx, t, rec, now, "C18", OWED_AGAIN).await?;
        tasks::done(tx, now, &tasks_id(tx, &t.dedup_key)).await?;
        let all = centres::all_in(tx).await?;
        settle::settle(svc.lines().senders(), tx, &all, case, now).await?;
    }
    Ok(ReleaseForm { lines, at: None })
}

async fn fact(
    tx: &mut Tx,
    t: &tasks::TaskContext,
    rec: &Recording<'_>,
    now: DateTime<Utc>,
    rule: &str,
    detail: &str,
) -> anyhow::Result<()> {
    let f = Fact {
        case_id: t.case_id.as_ref(),
        session_id: t.session_id.as_ref(),
        role: None,
        kind: "released",
        at: now,
        by: rec.by,
        rule,
        detail,
    };
    facts::add(tx, now, &[f]).await
}

#[expect(
    clippy::too_many_arguments,
    reason = "each is one plain part of the release"
)]
async fn to_all(
    svc: &Service,
    tx: &mut Tx,
    t: &tasks::TaskContext,
    kind: MessageKind,
    rang: Option<&str>,
    show: bool,
    rec: &Recording<'_>,
    now: DateTime<Utc>,
) -> Result<ReleaseForm> {
    let (case_id, session_id) = (
        t.case_id.as_ref().context("the task has no case")?,
        t.session_id.as_ref().context("the task has no session")?,
    );
    let all = centres::all_in(tx).await?;
    let lines = svc.lines();
    let assessed = settle::settle(lines.senders(), tx, &all, case_id, now).await?;
    let case = ledger::case(tx, case_id).await?;
    let centre = &all
        .get(&case.centre)
        .context("the case's centre is missing")?
        .centre;
    // What was paid or waived meanwhile closed the task.
    if tasks::get(tx, &tasks_id(tx, &t.dedup_key))
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
    if ledger::safety_open(tx, case_id, liable).await? {
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
    let rung = case
        .record
        .facts
        .iter()
        .rfind(|f| f.kind == "rang" && f.role == Some(liable) && f.at >= since);
    if rung.is_none() && rang.is_none() && !show {
        refuse!(
            "ring the {liable} first, and say what came of it: `courtesy release TASK --rang \"no \
             answer at 14:10\"`, or `courtesy record call {} --party {liable}`. Nothing was \
             released",
            case.case_ref
        );
    }
    let mut form = ReleaseForm::default();
    let contexts = sessions::contexts(tx, lines.senders(), session_id).await?;
    let mut messages = Vec::new();
    for party in &case.record.case.parties {
        let role = match party {
            Recipient::Resident => Role::Resident,
            Recipient::Contact => Role::Contact,
            _ => Role::Referrer,
        };
        let context = contexts.iter().find(|s| s.attendee.role == role);
        let how = how(context);
        form.lines.push(match (role == liable, context) {
            (true, _) => {
                format!("  {role} ({how}): owes the fee; will know that all parties hear of it")
            }
            (false, Some(_)) => format!(
                "  {role} ({how}): owes nothing; will know that the \
                                         payment is not theirs, and so whose it is"
            ),
            (false, None) => format!(
                "  {role} ({how}): will know that a payment on this case is open, not whose"
            ),
        });
        match context {
            Some(context) => {
                let at = crate::flows::money::assessed_case::allowed(
                    centre,
                    &case,
                    context,
                    if centre.rules.money_hours.is_some() {
                        now + SECOND_THOUGHTS
                    } else {
                        now
                    },
                )
                .unwrap_or(now);
                form.at = [form.at, Some(at)].into_iter().flatten().max();
                messages.push(message_to(
                    context,
                    format!("{}/{role}", t.dedup_key),
                    kind,
                    at,
                    None,
                ));
            }
            None if !show => {
                let task = NewTask {
                    centre: Some(&case.centre),
                    case_id: Some(case_id),
                    session_id: Some(session_id),
                    role: Some(role),
                    ..NewTask::new(format!("{}/{role}", t.dedup_key), TaskKind::TellReferrer)
                };
                tasks::open(tx, now, &task).await?;
            }
            None => {}
        }
    }
    // Both parents read it at the same moment.
    let at = form.at.unwrap_or(now);
    messages
        .iter_mut()
        .for_each(|m: &mut NewMessage| m.not_before = at);
    // The last day counts from the day on which it goes, as in the text itself.
    let days = case
        .record
        .sessions
        .iter()
        .find(|s| s.id == *session_id)
        .map_or(7, |s| s.payment_days);
    let last_day = wall(centre.tz, at)
        .date()
        .checked_add_days(Days::new(u64::from(days)))
        .context("a date")?;
    let say = if kind == MessageKind::AllPartiesNotice {
        Say::AllPartiesNotice { last_day }
    } else {
        Say::CaseClosed
    };
    let words = svc.words.render(&say, &speaker(centre), "en")?.body;
    form.lines.insert(
        0,
        format!(
            "{} {}: {}",
            case.case_ref,
            kind.as_str().replace('_', " "),
            words
        ),
    );
    if kind == MessageKind::CaseClosed {
        booked_still(tx, &case, centre, show, now, &mut form).await?;
    }
    match rung {
        None if rang.is_some() => form.lines.push(format!(
            "  the {liable} was rung: {}",
            rang.unwrap_or_default()
        )),
        Some(f) => form.lines.push(format!(
            "  the {liable} was rung {}",
            wall(centre.tz, f.at).format("on %a %-d %b at %H:%M")
        )),
        None => form.lines.push(format!("  the {liable} was not rung yet")),
    }
    if show {
        return Ok(form);
    }
    if let Some(what) = rang {
        let f = rec
            .fact("rang", "M4")
            .case(case_id)
            .session(session_id)
            .role(liable)
            .detail(what);
        facts::add(tx, now, &[f]).await?;
    }
    outbox::enqueue(tx, now, &messages).await?;
    let rule = if kind == MessageKind::AllPartiesNotice {
        "C14"
    } else {
        "C07"
    };
    fact(tx, t, rec, now, rule, kind.as_str()).await?;
    tasks::done(tx, now, &tasks_id(tx, &t.dedup_key)).await?;
    ledger::look_again(tx, now, std::iter::once(case_id)).await?;
    Ok(form)
}

/// The visits that are still booked on a closed file: shown, and a task for each. Nothing is called
/// off by itself (choice C09), and a closed file gets no texts, so a person rings.
async fn booked_still(
    tx: &mut Tx,
    case: &ledger::MoneyCase,
    centre: &Centre,
    show: bool,
    now: DateTime<Utc>,
    form: &mut ReleaseForm,
) -> Result<()> {
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
        if show {
            continue;
        }
        let dedup_key = format!("closed-file/{}", s.id);
        let task = NewTask {
            centre: Some(&case.centre),
            case_id: Some(&case.id),
            session_id: Some(&s.id),
            due_at: Some(s.start),
            ..NewTask::new(dedup_key.clone(), TaskKind::ClosedFileVisit)
        };
        tasks::open(tx, now, &task).await?;
        tasks::open_again(tx, &dedup_key).await?;
    }
    Ok(())
}

fn tasks_id(tx: &Tx, dedup_key: &str) -> TaskId {
    TaskId::new(tx.seal().id_of(&format!("task/{dedup_key}")))
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
