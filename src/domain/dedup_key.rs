//! Dedup keys: what made a message or a task. The same key makes it once, however often and by
//! however many processes its reason is seen.
//!
//! Every key is made here, and what a key says is read here and nowhere else. The column is called
//! `cause` in the database.

#![warn(missing_docs)]

use crate::domain::ids::{
    AttemptToken, CancelQuestionId, CaseId, ChoiceId, ClosureId, DateQuestionId, InboundId,
    MessageId, PartyId, SessionId, TaskId, WaitingChatId,
};
use crate::domain::outgoing::message::MessageKind;
use crate::domain::people::role::Role;
use crate::domain::task::TaskKind;
use crate::string_enum;
use chrono::{DateTime, NaiveDate, Utc};
use std::fmt;

/// The dedup key of a message.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MessageKey(String);

/// The dedup key of a task.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TaskKey(String);

string_enum! {
    /// Why a task exists, as far as the database asks: such tasks end by themselves in different
    /// ways.
    TaskOrigin {
        /// A confirmation could not be asked for.
        UnaskedConfirmation = "unasked_confirmation",
        /// The acknowledgement of a cancellation could not be sent.
        Acknowledgement = "acknowledgement",
        /// A parent began to cancel and did not finish.
        UnfinishedCancellation = "unfinished_cancellation",
        /// Anything else.
        Other = "other",
    }
}

impl MessageKey {
    /// A key as the database has it.
    pub fn stored(key: impl Into<String>) -> Self {
        MessageKey(key.into())
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The courtesy confirmation of one version of a parent's question.
    pub fn confirmation(session: &SessionId, ask_version: i64, role: Role) -> Self {
        MessageKey(format!("confirm/{session}/{ask_version}/{role}"))
    }

    /// The answer to an inbound message.
    pub fn reply(inbound: &InboundId) -> Self {
        MessageKey(format!("reply/{inbound}"))
    }

    /// Its copy to the party's other address (safety rule S3).
    pub fn reply_copy(inbound: &InboundId) -> Self {
        MessageKey(format!("reply/{inbound}/copy"))
    }

    /// The acknowledgement of a cancellation that staff recorded.
    pub fn acknowledgement(session: &SessionId, version: i64, role: Role) -> Self {
        MessageKey(format!("ack/{session}/{version}/{role}"))
    }

    /// "Will not go ahead", for the session's version in which it is off.
    pub fn session_off(session: &SessionId, version: i64, role: Role) -> Self {
        MessageKey(format!("off/{session}/{version}/{role}"))
    }

    /// "Takes place after all".
    pub fn session_on(session: &SessionId, version: i64, role: Role) -> Self {
        MessageKey(format!("on/{session}/{version}/{role}"))
    }

    /// A new day or time, for the version of the question that it puts.
    pub fn moved(session: &SessionId, ask_version: i64, role: Role) -> Self {
        MessageKey(format!("moved/{session}/{ask_version}/{role}"))
    }

    /// A closure, to one parent of one session.
    pub fn closure(closure: &ClosureId, session: &SessionId, role: Role) -> Self {
        MessageKey(format!("closure/{closure}/{session}/{role}"))
    }

    /// A question about another date.
    pub fn date_question(question: &DateQuestionId, role: Role) -> Self {
        MessageKey(format!("date/{question}/{role}"))
    }

    /// The visit stays when it was.
    pub fn date_refused(question: &DateQuestionId, role: Role) -> Self {
        MessageKey(format!("date-refused/{question}/{role}"))
    }

    /// The `n`th text of a kind about the money of a session.
    pub fn money(kind: MessageKind, session: &SessionId, role: Role, n: usize) -> Self {
        MessageKey(format!("money/{kind}/{session}/{role}/{n}"))
    }

    /// The same once more, after the `n`th time that a receipt was contradicted.
    pub fn money_again(kind: MessageKind, session: &SessionId, role: Role, n: usize) -> Self {
        MessageKey(format!("money/{kind}/{session}/{role}/again-{n}"))
    }

    /// The receipt that corrects a text.
    pub fn money_correction(session: &SessionId, role: Role, text: &MessageId) -> Self {
        let kind = MessageKind::FeeSettled;
        MessageKey(format!("money/{kind}/{session}/{role}/after-{text}"))
    }

    /// A notice to all parties that a person released, to one of them.
    pub fn released(release: &TaskKey, role: Role) -> Self {
        MessageKey(format!("{release}/{role}"))
    }

    /// The text about a milestone, for the task behind it.
    pub fn milestone(task: &TaskKey, role: Role) -> Self {
        MessageKey(format!("milestone/{task}/{role}"))
    }

    /// The answer of staff to the message of a task.
    pub fn staff_reply(task: &TaskId) -> Self {
        MessageKey(format!("staff-reply/{task}"))
    }

    /// An alert to staff at an address.
    pub fn staff_alert(at: DateTime<Utc>, address_hash: &str) -> Self {
        MessageKey(format!("alert/{}/{address_hash}", at.timestamp()))
    }

    /// The welcome to a chat whose number staff heard.
    pub fn welcome(chat: &WaitingChatId) -> Self {
        MessageKey(format!("welcome/{chat}"))
    }

    /// Whether the rules on money ask for this text by themselves.
    pub fn is_money(&self) -> bool {
        self.0.starts_with("money/")
    }

    /// Whether it was made by [`MessageKey::money_again`].
    pub fn is_money_again(&self) -> bool {
        self.0.contains("/again-")
    }

    /// The key of the task behind a text about a milestone.
    pub fn milestone_task(&self) -> Option<TaskKey> {
        let (task, _) = self.0.strip_prefix("milestone/")?.rsplit_once('/')?;
        Some(TaskKey(task.to_owned()))
    }
}

impl TaskKey {
    /// A key as the database has it.
    pub fn stored(key: impl Into<String>) -> Self {
        TaskKey(key.into())
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text of which the id of the task is made.
    pub fn id_text(&self) -> String {
        format!("task/{}", self.0)
    }

    /// Why the task exists, as far as the database asks.
    pub fn origin(&self) -> TaskOrigin {
        if self.0.starts_with("ring/") {
            TaskOrigin::UnaskedConfirmation
        } else if self.0.starts_with("ring-for/ack/") {
            TaskOrigin::Acknowledgement
        } else if self.0.starts_with("cancel-unfinished/") {
            TaskOrigin::UnfinishedCancellation
        } else {
            TaskOrigin::Other
        }
    }

    /// Ring instead of asking for a confirmation.
    pub fn unasked_confirmation(session: &SessionId, ask_version: i64, role: Role) -> Self {
        TaskKey(format!("ring/{session}/{ask_version}/{role}"))
    }

    /// Ring, because this message cannot be sent.
    pub fn ring_for(message: &MessageKey) -> Self {
        TaskKey(format!("ring-for/{message}"))
    }

    /// Whether it was made by [`TaskKey::ring_for`] for this message.
    pub fn rings_for(&self, message: &MessageKey) -> bool {
        self.0.strip_prefix("ring-for/") == Some(message.as_str())
    }

    /// A cancellation that nobody finished (safety rule S1a).
    pub fn unfinished_cancellation(question: &CancelQuestionId) -> Self {
        TaskKey(format!("cancel-unfinished/{question}"))
    }

    /// A cancellation of which it is not clear which visit it means.
    pub fn which_visit(choice: &ChoiceId) -> Self {
        TaskKey(format!("which/{choice}"))
    }

    /// What a person has to look at because of an inbound message.
    pub fn of_inbound(kind: TaskKind, inbound: &InboundId, session: Option<&SessionId>) -> Self {
        let session = session.map_or("", SessionId::as_str);
        TaskKey(format!("{kind}/{inbound}/{session}"))
    }

    /// The same, once a day for an address.
    pub fn of_address_today(kind: TaskKind, address_hash: &str, today: NaiveDate) -> Self {
        TaskKey(format!("{kind}/{address_hash}/{today}"))
    }

    /// A cancellation of a session that was off already.
    pub fn second_cancellation(
        session: &SessionId,
        version: i64,
        role: Role,
        at: DateTime<Utc>,
    ) -> Self {
        let kind = TaskKind::Cancellation;
        TaskKey(format!(
            "{kind}/{session}/{version}/{role}/{}",
            at.timestamp()
        ))
    }

    /// Both parents can come on another date.
    pub fn date_agreed(question: &DateQuestionId) -> Self {
        TaskKey(format!("date-agreed/{question}"))
    }

    /// A parent cannot come on another date.
    pub fn date_declined(question: &DateQuestionId) -> Self {
        TaskKey(format!("date-declined/{question}"))
    }

    /// A chat was blocked by its party, told by Telegram.
    pub fn chat_blocked(inbound: &InboundId, party: &PartyId) -> Self {
        TaskKey(format!("blocked/{inbound}/{party}"))
    }

    /// A chat was blocked, found when sending.
    pub fn chat_gone(address_hash: &str, today: NaiveDate) -> Self {
        TaskKey(format!("blocked/{address_hash}/{today}"))
    }

    /// A link that was refused.
    pub fn link_refused(inbound: &InboundId) -> Self {
        TaskKey(format!("link-refused/{inbound}"))
    }

    /// A chat whose number staff must hear (safety rule G1).
    pub fn confirm_chat(inbound: &InboundId) -> Self {
        TaskKey(format!("confirm-chat/{inbound}"))
    }

    /// A new number that staff must confirm (safety rule a4).
    pub fn new_number(party: &PartyId, address_hash: &str) -> Self {
        TaskKey(format!("new-number/{party}/{address_hash}"))
    }

    /// A session in a file whose case may not be booked.
    pub fn not_booked(case: &CaseId, start_local: &str) -> Self {
        TaskKey(format!("not-booked/{case}/{start_local}"))
    }

    /// Whether an attempt left is not known.
    pub fn uncertain(attempt: &AttemptToken) -> Self {
        TaskKey(format!("uncertain/{attempt}"))
    }

    /// A message that the provider gave up.
    pub fn undelivered(message: &MessageId) -> Self {
        TaskKey(format!("undelivered/{message}"))
    }

    /// A message that the provider refused.
    pub fn refused(message: &MessageId) -> Self {
        TaskKey(format!("refused/{message}"))
    }

    /// A message of which nobody knows that its reader had it.
    pub fn untold(message: &MessageId) -> Self {
        TaskKey(format!("untold/{message}"))
    }

    /// A text about money that waits for a manager (safety rule M3).
    pub fn money_paused(message: &MessageId) -> Self {
        TaskKey(format!("paused/{message}"))
    }

    /// A line that reached its daily maximum.
    pub fn daily_maximum(line: &str, today: NaiveDate) -> Self {
        TaskKey(format!("max-per-day/{line}/{today}"))
    }

    /// A channel that stopped.
    pub fn channel_stopped(at: DateTime<Utc>) -> Self {
        TaskKey(format!("channel-stopped/{}", at.to_rfc3339()))
    }

    /// Inbound messages that a service may have dropped.
    pub fn messages_lost(sender: &str, today: NaiveDate) -> Self {
        TaskKey(format!("messages-lost/{sender}/{today}"))
    }

    /// A fee that is owed again after its receipt.
    pub fn owed_again(session: &SessionId, n: usize) -> Self {
        TaskKey(format!("owed-again/{session}/{n}"))
    }

    /// A notice to all parties that waits for its release, spelled as the rules spell its kind;
    /// `again` counts the receipts that were contradicted.
    pub fn release(kind: &str, session: &SessionId, n: usize, again: usize) -> Self {
        match again {
            0 => TaskKey(format!("release/{kind}/{session}/{n}")),
            k => TaskKey(format!("release/{kind}/{session}/{n}/again-{k}")),
        }
    }

    /// The kind of the notice that waits for its release.
    pub fn released_kind(&self) -> Option<MessageKind> {
        let kind = self.0.strip_prefix("release/")?.split('/').next()?;
        kind.parse().ok()
    }

    /// A referrer who is told of a released notice.
    pub fn tell_referrer(release: &TaskKey, role: Role) -> Self {
        TaskKey(format!("{release}/{role}"))
    }

    /// What the rules on money ask a person about a session.
    pub fn review(kind: TaskKind, session: &SessionId, n: usize) -> Self {
        TaskKey(format!("review/{kind}/{session}/{n}"))
    }

    /// Money of a case that belongs to no fee.
    pub fn refund(case: &CaseId, n: usize) -> Self {
        TaskKey(format!("review/refund/{case}/{n}"))
    }

    /// Whether it was made by [`TaskKey::review`] or [`TaskKey::refund`].
    pub fn is_review(&self) -> bool {
        self.0.starts_with("review/")
    }

    /// A booked visit of a closed file.
    pub fn closed_file_visit(session: &SessionId) -> Self {
        TaskKey(format!("closed-file/{session}"))
    }

    /// A session that is to be replaced.
    pub fn replacement(session: &SessionId) -> Self {
        TaskKey(format!("replacement/{session}"))
    }

    /// The regular review after so many months.
    pub fn review_after_months(case: &CaseId, months: i64) -> Self {
        TaskKey(format!("review/{case}/months/{months}"))
    }

    /// The regular review after so many sessions.
    pub fn review_after_sessions(case: &CaseId, sessions: usize) -> Self {
        TaskKey(format!("review/{case}/sessions/{sessions}"))
    }

    /// The introduction meeting.
    pub fn introduction_meeting(case: &CaseId) -> Self {
        TaskKey(format!("introduction/{case}"))
    }

    /// The invitation to see the centre first.
    pub fn previsit(case: &CaseId) -> Self {
        TaskKey(format!("previsit/{case}"))
    }

    /// A habit of one parent: sessions missed or called off.
    pub fn habit(kind: &str, session: &SessionId, role: Role) -> Self {
        TaskKey(format!("pattern/{kind}/{session}/{role}"))
    }

    /// An announced change of rules that a family is told of.
    pub fn fee_change(case: &CaseId, from: NaiveDate, change: &str) -> Self {
        TaskKey(format!("fee_change/{case}/{from}/{change}"))
    }

    /// The first day of an announced change.
    pub fn fee_change_day(&self) -> Option<NaiveDate> {
        self.0.split('/').nth(2)?.parse().ok()
    }
}

impl fmt::Display for MessageKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for TaskKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
