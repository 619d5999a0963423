//! People of the centre, and what each may record or decide: one table, asked by every command that
//! takes `--as`.

use crate::string_enum;

string_enum! {
    /// What a person of the centre is. In the order of what they may do.
    StaffRole {
        /// On the floor on the day: who came.
        Volunteer = "volunteer",
        /// Runs the bookings: answers, moves, payments, notes, releases.
        Coordinator = "coordinator",
        /// Decides about money (seed 001: "All cancellation fees are subject to the managers
        /// discretion").
        Manager = "manager",
        /// Keeps the program.
        Admin = "admin",
    }
}

string_enum! {
    /// What somebody wants to do.
    Act {
        /// Record who came.
        Attendance = "record who came",
        /// Stop sending: of everything, of a centre, of one text.
        Stop = "stop sending",
        /// Let what was stopped leave again.
        LetGo = "let texts leave again",
        /// Record what people told the centre, bookings and moves, payments and notes; release a
        /// notice.
        Record = "record this",
        /// Answer a message in one's own words.
        Reply = "answer a message",
        /// Change what is on file of a party: its phone, number and chat, what they may show and
        /// when.
        Family = "change what is on file of a party",
        /// Make a link for a chat, or say that its number was heard.
        Link = "link a chat",
        /// Close the centre for a day.
        Close = "close the centre",
        /// Waive a fee, give a debt up, let a paused text about money go.
        Decide = "decide about money",
    }
}

/// Who may do what: the least role for each act. A higher role may do what a lower one may.
///
/// Anybody of the centre may stop what goes wrong; whoever has to be rung then is on a list (safety
/// rule f10). A volunteer sees neither numbers nor messages (rule c2), so what is on file of a
/// party, its chats and answers to it are the co-ordinator's (rules a4, a10), as are bookings and
/// closures (seed 001: the Centre Co-ordinator; rule c5). Money is decided by the manager (seed
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
    /// Whether this role is enough, by [`WHO_MAY`]; what does not stand there is the
    /// administrator's.
    pub fn may(self, act: Act) -> bool {
        let least = WHO_MAY
            .iter()
            .find(|(a, _)| *a == act)
            .map_or(StaffRole::Admin, |(_, least)| *least);
        self as u8 >= least as u8
    }
}

/// Somebody who was named here, as far as rights go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// As in `--as`.
    pub name: String,
    /// What they are.
    pub role: StaffRole,
    /// They left: they may do nothing more, and what they recorded stays (safety rule c4).
    pub left: bool,
}

/// Whether somebody who says to be `name` may do this, where `people` are all who were ever named.
///
/// While nobody was ever named, everybody may, so that a small centre can begin. Once somebody was,
/// that never comes back: if all have left, nobody may until another one is named.
///
/// # Errors
/// Why not, in plain words.
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
            "everybody who was named here has left, so nobody may do this; `courtesy user add \
                 NAME --role coordinator` names somebody. Nothing was recorded"
                .into(),
        ),
        None => Err(format!(
            "{name:?} is no person of this centre; say --as NAME (`courtesy user \
                             list` shows who may). Nothing was recorded"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_says_who_may_do_what() {
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
            "each act stands in the table once"
        );
    }

    #[test]
    fn nobody_ever_named_is_not_everybody_gone() {
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
