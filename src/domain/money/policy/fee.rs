//! A late-cancellation fee: its state, and whether a doctor's note can end it.

use crate::domain::money::policy::facts::{Note, NoteSubject, Parent, Slot};
use crate::domain::visits::session::Reason;
use crate::string_enum;
use chrono::{DateTime, NaiveDate, Utc};

string_enum! {
    /// The state of a fee.
    FeeState {
        /// There is none.
        None = "none",
        /// Incurred, not yet payable: a doctor's note may end it until the end of the next contact.
        Provisional = "provisional_awaiting_note",
        /// Payable now.
        Due = "due",
        /// It no longer applies.
        Waived = "waived",
        /// Received in full.
        Paid = "paid",
        /// The manager gave the debt up. That is not the same as received (choice C19).
        WrittenOff = "written_off",
    }
}

/// The fee, the hold and the file from an instant on. Amounts are minor units; `paid + outstanding +
/// awaited + forgiven` is the charge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeeStanding {
    /// The state of the fee.
    pub fee: FeeState,
    /// Who has to pay, if there is a fee.
    pub liable: Option<Parent>,
    pub charge: i64,
    /// What was received of it.
    pub paid: i64,
    /// What is payable now.
    pub outstanding: i64,
    /// What is not payable yet because a note is awaited.
    pub awaited: i64,
    /// What was waived or written off.
    pub forgiven: i64,
    /// No new bookings (choice C09).
    pub hold: bool,
    /// The file is closed and archived.
    pub archived: bool,
}

impl FeeStanding {
    /// Before anything happened.
    pub const CLEAR: FeeStanding = FeeStanding {
        fee: FeeState::None,
        liable: None,
        charge: 0,
        paid: 0,
        outstanding: 0,
        awaited: 0,
        forgiven: 0,
        hold: false,
        archived: false,
    };

    pub(super) fn of(fee: Option<&IncurredFee>, archived: bool) -> FeeStanding {
        let Some(f) = fee else {
            return FeeStanding {
                hold: archived,
                archived,
                ..FeeStanding::CLEAR
            };
        };
        let rest = f.charge - f.paid;
        let part = |state: &[FeeState]| if state.contains(&f.state) { rest } else { 0 };
        FeeStanding {
            fee: f.state,
            liable: Some(f.liable),
            charge: f.charge,
            paid: f.paid,
            outstanding: part(&[FeeState::Due]),
            awaited: part(&[FeeState::Provisional]),
            forgiven: part(&[FeeState::Waived, FeeState::WrittenOff]),
            hold: archived || matches!(f.state, FeeState::Due | FeeState::WrittenOff),
            archived,
        }
    }
}

/// A charge and what became of it.
#[derive(Debug, Clone)]
pub(super) struct IncurredFee {
    pub(super) charge: i64,
    pub(super) liable: Parent,
    /// The session's time when the fee was incurred: a note is for that day, and deadlines lie
    /// after it.
    pub(super) slot: Slot,
    pub(super) state: FeeState,
    pub(super) paid: i64,
    pub(super) route: NoteRoute,
    pub(super) incurred_at: DateTime<Utc>,
    /// By a cancellation (choice C28 needs one), not by a no-show.
    pub(super) by_message: bool,
    /// When the present obligation began: its deadline lies after it.
    pub(super) since: DateTime<Utc>,
    /// When the note was asked for.
    pub(super) asked_at: DateTime<Utc>,
    /// Start of the contact for which the reminder went.
    pub(super) reminded: Option<DateTime<Utc>>,
    pub(super) deadline_passed: bool,
    pub(super) deadline_told: Option<DateTime<Utc>>,
}

/// Whether a doctor's note can end a fee.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoteRoute {
    /// It cannot.
    Closed,
    /// It cannot, because not all the children were ill. Another count opens the route.
    NotAll,
    /// It can, if it is about this person and names at least so many children.
    Open(NoteSubject, u32),
    /// A child of several is ill and nobody said how many (choice C16).
    Uncounted,
}

impl NoteRoute {
    /// The route after a cancellation: open for the child's illness and for the contact parent's
    /// own. Handbook for parents: "If the person having contact is unwell, the same rules apply as
    /// the child being unwell."
    pub(super) fn of(by: Parent, reason: Reason, ill: Option<u32>, children: u32) -> NoteRoute {
        match (reason, by) {
            (Reason::IllSelf, Parent::Contact) => NoteRoute::Open(NoteSubject::Contact, 0),
            (Reason::IllChild, _) if children <= 1 => NoteRoute::Open(NoteSubject::Child, 1),
            (Reason::IllChild, _) => match ill {
                None => NoteRoute::Uncounted,
                // "If multiple children attend contact and one is ill, then the others will be
                // required to be made available."
                Some(n) if n < children => NoteRoute::NotAll,
                Some(_) => NoteRoute::Open(NoteSubject::Child, children),
            },
            // The resident parent's own illness and anybody's transport included (choices C06, C27).
            _ => NoteRoute::Closed,
        }
    }

    pub(super) fn is_open(self) -> bool {
        matches!(self, NoteRoute::Open(..) | NoteRoute::Uncounted)
    }

    /// The route once staff counted the ill children; `None` if their number does not matter.
    pub(super) fn counted(self, ill: u32, children: u32) -> Option<NoteRoute> {
        let by_number = children > 1
            && matches!(
                self,
                NoteRoute::Uncounted | NoteRoute::NotAll | NoteRoute::Open(NoteSubject::Child, _)
            );
        by_number.then_some(if ill < children {
            NoteRoute::NotAll
        } else {
            NoteRoute::Open(NoteSubject::Child, children)
        })
    }

    /// Whether a note ends the fee: it must be about the right person, cover the date, and name all
    /// the children who were said to be ill (choices C16, C17).
    pub(super) fn accepts(self, note: &Note, date: NaiveDate, children: u32) -> bool {
        let (about, need, unsaid) = match self {
            NoteRoute::Closed | NoteRoute::NotAll => return false,
            NoteRoute::Open(about, need) => (about, need, true),
            NoteRoute::Uncounted => (NoteSubject::Child, children, false),
        };
        note.about == about
            && note.from <= date
            && date <= note.to
            && note.children.map_or(unsaid, |n| n >= need)
    }
}
