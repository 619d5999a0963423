//! Staff and their permissions. Every command that takes `--as` checks them here.

use crate::string_enum;

string_enum! {
    /// A staff role. Each role may do everything that the ones before it may do.
    StaffRole {
        /// Helps on the day and records who came.
        Volunteer = "volunteer",
        /// Runs the bookings: answers, moves, payments, notes and releases.
        Coordinator = "coordinator",
        /// Decides about money (seed 001: "All cancellation fees are subject to the managers
        /// discretion").
        Manager = "manager",
        /// Administers the program.
        Admin = "admin",
    }
}

string_enum! {
    /// Something that staff can do.
    Act {
        Attendance = "record who came",
        /// Stop sending: everything, for one centre, or one message.
        Stop = "stop sending",
        /// Allow sending again.
        LetGo = "let texts leave again",
        /// Record what people told the centre, bookings, moves, payments and notes; release a
        /// notice.
        Record = "record this",
        /// Answer a message in free text.
        Reply = "answer a message",
        /// Change a party's file: its number and chat, and what its phone may show and when.
        Family = "change what is on file of a party",
        /// Make a link for a chat, or confirm the number that it shows.
        Link = "link a chat",
        /// Close the centre for a day.
        Close = "close the centre",
        /// Waive a fee, write off a debt, or send a paused message about money.
        Decide = "decide about money",
    }
}

/// The lowest role that may do each act.
///
/// Any member of staff may stop sending when something goes wrong; a list then shows whom to ring
/// (safety rule f10). A volunteer sees neither numbers nor messages (rule c2), so a party's file,
/// its chats and answers to it belong to the co-ordinator (rules a4, a10), as do bookings and
/// closures (seed 001: the Centre Co-ordinator; rule c5). The manager decides about money (seed
/// 001).
pub const WHO_MAY: &[(Act, StaffRole)] = &[
    (Act::Attendance, StaffRole::Volunteer),
    (Act::Stop, StaffRole::Volunteer),
    (Act::LetGo, StaffRole::Coordinator),
    (Act::Record, StaffRole::Coordinator),
    (Act::Reply, StaffRole::Coordinator),
    (Act::Family, StaffRole::Coordinator),
    (Act::Link, StaffRole::Coordinator),
    (Act::Close, StaffRole::Coordinator),
    (Act::Decide, StaffRole::Manager),
];

impl StaffRole {
    /// Whether this role may do that, by [`WHO_MAY`]. An act that is not listed needs an
    /// administrator.
    pub fn may(self, act: Act) -> bool {
        let least = WHO_MAY
            .iter()
            .find(|(a, _)| *a == act)
            .map_or(StaffRole::Admin, |(_, least)| *least);
        self as u8 >= least as u8
    }
}

/// A member of staff.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The name given with `--as`.
    pub name: String,
    pub role: StaffRole,
    /// Whether they have left. They may then do nothing more, and what they recorded stays (safety
    /// rule c4).
    pub left: bool,
}

/// Checks whether the user `name` may do this; `people` are all users that ever existed.
///
/// As long as no user has ever existed, everybody may do everything, so that a small centre can
/// begin. Afterwards that never comes back: if all users have left, nobody may do anything until
/// another one is added.
///
/// # Errors
/// The reason in plain words.
pub fn may(people: &[Person], name: &str, act: Act) -> Result<(), String> {
    if people.is_empty() {
        return Ok(());
    }
    let here = |p: &&Person| !p.left && p.name == name;
    match people.iter().find(here) {
        Some(p) if p.role.may(act) => Ok(()),
        Some(p) if act == Act::Decide => Err(format!(
            "{name} is a {}; this is for a manager to decide, so nothing was recorded",
            p.role
        )),
        Some(p) => Err(format!(
            "{name} is a {} and may not {act}; nothing was recorded",
            p.role
        )),
        None if people.iter().all(|p| p.left) => Err(
            "everybody who was named here has left, so nobody may do this; `courtesy user add NAME \
             --role coordinator` names somebody. Nothing was recorded"
                .into(),
        ),
        None => Err(format!(
            "{name:?} is no person of this centre; say --as NAME (`courtesy user list` shows who \
             may). Nothing was recorded"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_act_has_its_lowest_role() {
        let may = |act| StaffRole::ALL.iter().filter(|r| r.may(act)).count();
        let all: Vec<(&str, usize)> = Act::ALL.iter().map(|a| (a.as_str(), may(*a))).collect();
        assert_eq!(
            all,
            [
                ("record who came", 4),
                ("stop sending", 4),
                ("let texts leave again", 3),
                ("record this", 3),
                ("answer a message", 3),
                ("change what is on file of a party", 3),
                ("link a chat", 3),
                ("close the centre", 3),
                ("decide about money", 2),
            ]
        );
        assert!(
            Act::ALL
                .iter()
                .all(|a| WHO_MAY.iter().filter(|(b, _)| a == b).count() == 1),
            "each act is in the table once"
        );
    }

    #[test]
    fn no_user_ever_is_not_the_same_as_all_users_gone() {
        let person = |name: &str, role, left| Person {
            name: name.into(),
            role,
            left,
        };
        assert_eq!(may(&[], "anybody", Act::Decide), Ok(()));
        let people = [
            person("Vera", StaffRole::Volunteer, false),
            person("Mary", StaffRole::Coordinator, false),
            person("Otto", StaffRole::Admin, true),
        ];
        assert_eq!(may(&people, "Vera", Act::Stop), Ok(()));
        assert_eq!(may(&people, "Mary", Act::Close), Ok(()));
        for (name, act, part) in [
            (
                "Vera",
                Act::Reply,
                "Vera is a volunteer and may not answer a message",
            ),
            ("Mary", Act::Decide, "for a manager to decide"),
            (
                "Otto",
                Act::Attendance,
                "\"Otto\" is no person of this centre",
            ),
            ("staff", Act::Record, "--as NAME"),
        ] {
            let e = may(&people, name, act).unwrap_err();
            assert!(
                e.contains(part) && e.ends_with("othing was recorded"),
                "{e}"
            );
        }
        let e = may(&people[2..], "Otto", Act::Attendance).unwrap_err();
        assert!(e.contains("everybody who was named here has left"), "{e}");
    }
}
