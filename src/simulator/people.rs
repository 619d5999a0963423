//! The people of the cases, with the phones and chats that they hold.

use crate::domain::people::channel::Channel;
use crate::domain::people::role::Role;
use crate::flows::service::Service;
use crate::store::cases;
use anyhow::Result;
use serde::Serialize;

/// One screen: the text messages of a number, or a Telegram chat.
#[derive(Serialize)]
pub(super) struct PhoneCard {
    /// The number, or the chat's id.
    id: String,
    telegram: bool,
    name: String,
    whose: String,
}

/// What one person holds: one screen or two.
struct PhoneOwner {
    case_ref: String,
    role: Role,
    name: String,
    cards: Vec<PhoneCard>,
}

#[derive(Default)]
struct People(Vec<PhoneOwner>);

impl People {
    /// Adds a screen to a person. A screen that several people share is shown once.
    fn add(&mut self, id: String, telegram: bool, owner: PhoneOwner, note: &str) {
        let whose = format!("{} of {}{note}", role_in_words(owner.role), owner.case_ref);
        let mut cards = self.0.iter_mut().flat_map(|p| &mut p.cards);
        if let Some(card) = cards.find(|c| c.id == id) {
            card.whose = format!("{}; {whose}", card.whose);
            return;
        }
        let card = PhoneCard {
            id,
            telegram,
            name: owner.name.clone(),
            whose,
        };
        let same = |p: &&mut PhoneOwner| {
            (&p.case_ref, p.role, &p.name) == (&owner.case_ref, owner.role, &owner.name)
        };
        match self.0.iter_mut().find(same) {
            Some(person) => person.cards.push(card),
            None => self.0.push(PhoneOwner {
                cards: vec![card],
                ..owner
            }),
        }
    }
}

/// The screens of each person, in the order of the cases.
pub(super) async fn screens(svc: &Service) -> Result<Vec<Vec<PhoneCard>>> {
    let owner = |case_ref, role, name| PhoneOwner {
        case_ref,
        role,
        name,
        cards: Vec::new(),
    };
    let mut people = People::default();
    for (phone, case_ref, role, name, channel) in cases::simulator_phones(&svc.db).await? {
        let note = match channel {
            Channel::Sms => "",
            Channel::Telegram => ", wants Telegram",
            Channel::Whatsapp => ", wants WhatsApp, which practice has not",
            Channel::None => ", by phone only",
        };
        let number = phone.as_str().to_owned();
        people.add(number, false, owner(case_ref, role, name.0), note);
    }
    for (chat, case_ref, role, name) in cases::simulator_chats(&svc.db).await? {
        people.add(chat.to_string(), true, owner(case_ref, role, name.0), "");
    }
    Ok(people.0.into_iter().map(|p| p.cards).collect())
}

fn role_in_words(role: Role) -> &'static str {
    match role {
        Role::Resident => "resident parent",
        Role::Contact => "contact parent",
        Role::Referrer => "referrer",
    }
}
