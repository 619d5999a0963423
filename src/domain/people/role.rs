//! A party's part in a case.

use crate::string_enum;

string_enum! {
    /// A party's part in a case.
    Role {
        /// The adult the child lives with.
        Resident = "resident",
        /// The adult who visits the child at the centre.
        Contact = "contact",
        /// Who made the referral; does not attend (choice K07).
        Referrer = "referrer",
    }
}

impl Role {
    /// The two parents, who attend.
    pub const PARENTS: [Role; 2] = [Role::Resident, Role::Contact];

    /// The other parent; a referrer has none.
    pub fn other(self) -> Option<Role> {
        match self {
            Role::Resident => Some(Role::Contact),
            Role::Contact => Some(Role::Resident),
            Role::Referrer => None,
        }
    }
}
