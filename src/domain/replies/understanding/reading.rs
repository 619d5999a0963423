//! What the words of an answer say, and about whom.

use crate::domain::replies::understanding::flag_set::{FlagSet, flags};
use crate::domain::visits::session::Reason;

flags! {
    /// A word that answers.
    enum Answer {
        /// "yes", "we will be there", "keep it".
        Yes,
        /// "no problem": agrees, but may be mere courtesy.
        Agreed,
        /// "can't come".
        Refuse,
        No,
        Cancel,
        Cancelled,
    }

    /// Who comes, and who does not.
    enum Attendance {
        SomebodyComes,
        /// The writer's own side comes.
        WriterComes,
        /// The writer's own side does not come.
        WriterRefuses,
        /// The answer is about what somebody else does, or about something else than a visit.
        AboutOthers,
    }

    /// A reason that is given.
    enum GivenReason {
        ChildIll,
        WriterIll,
        /// Somebody is ill who is neither the writer nor, for certain, the child.
        OtherIll,
        /// No way to get there.
        NoTransport,
        /// A car, a bus or a road is mentioned.
        Vehicle,
        /// Something with the child, such as a school play.
        ChildEvent,
        Event,
    }

    /// Somebody who is mentioned.
    enum Mention {
        Child,
        Relative,
        /// A relative, "he" or "she", or somebody else who comes.
        ThirdPerson,
    }

    /// Wording that matters to a YES.
    enum Wording {
        /// The word YES itself.
        YesWord,
        /// Words that stand in cancellations only.
        CancelFiller,
        /// Words that stand in cancellations, and beside "we will be there".
        Mild,
    }
}

/// What the words of an answer say.
#[derive(Debug, Default)]
pub(super) struct Reading {
    pub(super) answers: FlagSet<Answer>,
    pub(super) attendance: FlagSet<Attendance>,
    pub(super) reasons: FlagSet<GivenReason>,
    pub(super) mentions: FlagSet<Mention>,
    pub(super) wording: FlagSet<Wording>,
}

impl Reading {
    /// The answers of this reading, and everything else as `all` has it.
    pub(super) fn in_light_of(self, all: Reading) -> Reading {
        Reading {
            answers: self.answers,
            ..all
        }
    }

    /// Whether it agrees.
    pub(super) fn agrees(&self) -> bool {
        self.answers.has_any(&[Answer::Yes, Answer::Agreed])
    }

    /// Whether it says no in any way.
    pub(super) fn cancels(&self) -> bool {
        self.refuses_in_full() || self.answers.has_any(&[Answer::No, Answer::Cancelled])
    }

    /// Whether it refuses or cancels in more than a bare "no".
    pub(super) fn refuses_in_full(&self) -> bool {
        self.answers.has_any(&[Answer::Refuse, Answer::Cancel])
    }

    /// Whether a bare "no" is all that refuses.
    pub(super) fn is_only_no(&self) -> bool {
        !self.refuses_in_full() && !self.answers.has(Answer::Cancelled)
    }

    /// A YES and "we will be there": two answers, so that more may stand beside them. Not if
    /// anybody is ill.
    pub(super) fn says_yes_twice(&self) -> bool {
        self.wording.has(Wording::YesWord)
            && self.attendance.has(Attendance::WriterComes)
            && !self.is_anybody_ill()
    }

    /// Whether only other people stay away, and the writer comes: "My mother can't come but I
    /// will".
    pub(super) fn only_others_stay_away(&self) -> bool {
        let writer_stays_away = self.attendance.has(Attendance::WriterRefuses)
            || self.answers.has(Answer::Cancel)
            || self.is_anybody_ill();
        self.attendance.has(Attendance::AboutOthers)
            && self.attendance.has(Attendance::WriterComes)
            && !writer_stays_away
    }

    /// Whether it says more than a YES needs. A person reads that.
    pub(super) fn says_more_than_yes(&self) -> bool {
        let mild_without_coming =
            self.wording.has(Wording::Mild) && !self.attendance.has(Attendance::SomebodyComes);
        !self.reasons.is_empty()
            || self.wording.has(Wording::CancelFiller)
            || self.mentions.has(Mention::ThirdPerson)
            || mild_without_coming
    }

    pub(super) fn is_anybody_ill(&self) -> bool {
        self.reasons.has_any(&[
            GivenReason::ChildIll,
            GivenReason::WriterIll,
            GivenReason::OtherIll,
        ])
    }

    pub(super) fn is_about_a_child(&self) -> bool {
        self.mentions.has(Mention::Child)
            || self
                .reasons
                .has_any(&[GivenReason::ChildIll, GivenReason::ChildEvent])
    }

    /// The reason, if one was given and no other could be meant.
    pub(super) fn reason(&self) -> Option<Reason> {
        let is = |reason| self.reasons.has(reason);
        let relative = self.mentions.has(Mention::Relative);
        match (
            is(GivenReason::ChildIll),
            is(GivenReason::WriterIll),
            is(GivenReason::NoTransport),
        ) {
            // "My mate's wean is poorly": it is not plain whose child that is.
            (true, false, false) if !relative => Some(Reason::IllChild),
            (false, true, false) => Some(Reason::IllSelf),
            (false, false, true) if !is(GivenReason::OtherIll) || relative => Some(Reason::Travel),
            (false, false, false) if is(GivenReason::Vehicle) && !self.may_have_another_cause() => {
                Some(Reason::Travel)
            }
            _ => None,
        }
    }

    /// Whether something else than a vehicle could be the reason.
    fn may_have_another_cause(&self) -> bool {
        self.mentions.has(Mention::Relative)
            || self.reasons.has_any(&[
                GivenReason::OtherIll,
                GivenReason::Event,
                GivenReason::ChildEvent,
            ])
    }
}
