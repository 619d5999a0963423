//! The plan of notices: what is said to whom at which instant, and by which rule.
//!
//! An instant here is when the rules call for a notice. Quiet hours, office hours and a person's
//! release are matters of sending.

use crate::domain::money::policy::assess::Run;
use crate::domain::money::policy::facts::{Parent, Recipient};
use crate::string_enum;
use chrono::{DateTime, Utc};

string_enum! {
    /// What a notice of the rules is. In the order of the words, in which notices of one instant
    /// are listed.
    NoticeKind {
        /// To every party on the case: a payment is outstanding. No name, amount or reason (choice
        /// C14).
        AllPartiesNotice = "all_parties_notice",
        /// To the sender: the cancellation is recorded.
        CancellationAck = "cancellation_ack",
        /// To every party on the case: the file is closed.
        CaseClosed = "case_closed",
        /// To both parents: the centre is closed.
        Closure = "closure",
        /// To the sender: thanks for the YES.
        ConfirmAck = "confirm_ack",
        /// To the co-ordinator: somebody cancelled.
        CoordinatorCancellation = "coordinator_cancellation",
        /// To the co-ordinator: something to decide, see the topic.
        CoordinatorReview = "coordinator_review",
        /// To the liable parent: a fee is due.
        FeeNotice = "fee_notice",
        /// To the liable parent: nothing is owed any more.
        FeeSettled = "fee_settled",
        /// To the sender: a person decides.
        NeedsCoordinatorAck = "needs_coordinator_ack",
        /// To the liable parent: bring the note to the next contact.
        NoteReminder = "note_reminder",
        /// To the liable parent: a doctor's note ends the fee.
        NoteRequest = "note_request",
        /// To an attending parent: the session does not take place.
        SessionOff = "session_off",
        /// To an attending parent: the session takes place after all.
        SessionOn = "session_on",
    }
}

impl NoticeKind {
    /// Whether a person has to release it (safety rule M4).
    pub fn needs_release(self) -> bool {
        matches!(self, NoticeKind::AllPartiesNotice | NoticeKind::CaseClosed)
    }

    /// Whether it is about the money or the note of one parent; such a notice goes to nobody else.
    pub fn is_private(self) -> bool {
        matches!(
            self,
            NoticeKind::FeeNotice
                | NoticeKind::FeeSettled
                | NoticeKind::NoteReminder
                | NoticeKind::NoteRequest
        )
    }
}

string_enum! {
    /// What the co-ordinator is asked to look at.
    Topic {
        /// How many children are ill (choice C16).
        ChildrenCount = "children_count",
        /// A party cancelled contact that a court ordered (choice C21).
        CourtOrder = "court_order",
        /// A note after the file was closed (choice C05).
        LateNote = "late_note",
        /// Somebody did not come (choice C12).
        NoShow = "no_show",
        /// A note for another date, person or number of children (choice C17).
        NoteMismatch = "note_mismatch",
        /// A note where none can help (choice C06).
        NoteNoEffect = "note_no_effect",
        /// A YES after a cancellation (choice C11).
        Reconfirm = "reconfirm",
        /// Money beyond what is owed (choice C18).
        Refund = "refund",
        /// The centre called off contact that a court ordered.
        Replacement = "replacement",
        /// Only some of the children stay away.
        SomeChildren = "some_children",
        /// Both parents cancelled at the same instant (choice C10).
        Tie = "tie",
    }
}

/// A notice that the rules call for. Ordered by instant, kind, recipient, topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Notice {
    /// The instant the rules call for.
    pub at: DateTime<Utc>,
    /// What it is.
    pub kind: NoticeKind,
    /// To whom.
    pub to: Recipient,
    /// What is to be looked at, for a review.
    pub topic: Option<Topic>,
    /// The choice or rule that calls for it.
    pub rule: &'static str,
}

impl Run<'_> {
    /// Adds a notice to a party.
    pub(super) fn tell(
        &mut self,
        at: DateTime<Utc>,
        kind: NoticeKind,
        to: impl Into<Recipient>,
        rule: &'static str,
    ) {
        self.notices.push(Notice {
            at,
            kind,
            to: to.into(),
            topic: None,
            rule,
        });
    }

    /// Asks the co-ordinator to look at something.
    pub(super) fn review(&mut self, at: DateTime<Utc>, topic: Topic, rule: &'static str) {
        self.notices.push(Notice {
            at,
            kind: NoticeKind::CoordinatorReview,
            to: Recipient::Coordinator,
            topic: Some(topic),
            rule,
        });
    }

    /// Tells both attending parents.
    pub(super) fn tell_both(&mut self, at: DateTime<Utc>, kind: NoticeKind, rule: &'static str) {
        for parent in Parent::ALL {
            if self.attends(*parent) {
                self.tell(at, kind, *parent, rule);
            }
        }
    }

    /// Tells every party on the case (choice C14).
    pub(super) fn tell_all(&mut self, at: DateTime<Utc>, kind: NoticeKind, rule: &'static str) {
        let parties = &self.facts.case.parties;
        for (n, party) in parties.iter().enumerate() {
            if !parties[..n].contains(party) {
                self.tell(at, kind, *party, rule);
            }
        }
    }

    /// The other parent hears that the session is off: before its start, and only who has not
    /// cancelled as well.
    pub(super) fn tell_off(&mut self, at: DateTime<Utc>, sender: Parent) {
        let other = sender.other();
        if at < self.slot(at).start && self.attends(other) {
            self.tell(at, NoticeKind::SessionOff, other, "session_off");
        }
    }

    /// Whether the parent is on the case.
    fn attends(&self, parent: Parent) -> bool {
        self.facts.case.parties.contains(&parent.into())
    }
}
