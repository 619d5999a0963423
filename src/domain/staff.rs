//! People of the centre, and what each may record or decide.

use crate::words_enum;

words_enum! {
    /// What a person of the centre is. In the order of what they may do.
    StaffRole {
        /// On the floor on the day: who came.
        Volunteer = "volunteer",
        /// Runs the bookings: answers, moves, payments, notes, releases.
        Coordinator = "coordinator",
        /// Decides about money (seed 001: "All cancellation fees are subject to the managers discretion").
        Manager = "manager",
        /// Keeps the program.
        Admin = "admin",
    }
}

/// What somebody wants to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Record who came.
    Attendance,
    /// Record what people told the centre, payments and notes; release a notice.
    Record,
    /// Waive a fee, give a debt up, let a paused text about money go.
    Decide,
}

impl StaffRole {
    /// Whether this role is enough.
    pub fn may(self, act: Act) -> bool {
        let least = match act {
            Act::Attendance => StaffRole::Volunteer,
            Act::Record => StaffRole::Coordinator,
            Act::Decide => StaffRole::Manager,
        };
        self as u8 >= least as u8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_manager_decides_about_money() {
        let may = |act| StaffRole::ALL.iter().map(|r| r.may(act)).collect::<Vec<_>>();
        assert_eq!(may(Act::Attendance), [true, true, true, true]);
        assert_eq!(may(Act::Record), [false, true, true, true]);
        assert_eq!(may(Act::Decide), [false, false, true, true]);
    }
}
