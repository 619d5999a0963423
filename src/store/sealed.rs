//! The single place where names, numbers, chat ids and texts enter and leave the database. They are
//! stored in plain text for now; encryption at rest is a change to this file. Lookups use a keyed
//! hash.

use crate::domain::ids::PartyId;
use crate::domain::people::address::Address;
use crate::domain::people::phone::Phone;
use crate::domain::people::private::Private;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Seals, opens and hashes with the keys of one database.
#[derive(Clone)]
pub struct Sealed {
    lookup: Vec<u8>,
}

impl Sealed {
    /// With the lookup key of a database.
    pub fn new(lookup_key: &str) -> Self {
        Sealed {
            lookup: lookup_key.as_bytes().to_vec(),
        }
    }

    /// The stored form of a private text.
    pub fn seal(&self, text: &str) -> String {
        text.to_owned()
    }

    /// The private text of a stored value.
    pub fn open(&self, stored: &str) -> Private {
        Private(stored.to_owned())
    }

    fn mac(&self, kind: &str, value: &str) -> String {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&self.lookup).expect("HMAC takes keys of any length");
        mac.update(kind.as_bytes());
        mac.update(b"\0");
        mac.update(value.as_bytes());
        mac.finalize()
            .into_bytes()
            .iter()
            .take(16)
            .map(|b| format!("{b:02x}"))
            .collect()
    }

    /// The lookup hash of a phone number.
    pub fn number_hash(&self, phone: &Phone) -> String {
        self.mac("number", phone.as_str())
    }

    /// The lookup hash of an address. A number has the same hash on every channel, so that a number
    /// of the other party is found wherever it is stored.
    pub fn address_hash(&self, address: &Address) -> String {
        match address.phone() {
            Some(phone) => self.number_hash(&phone),
            None => self.id_of(&format!("telegram/{}", address.as_str())),
        }
    }

    /// The hash of a secret of which only the hash is stored, such as a link code.
    pub fn secret_hash(&self, secret: &str) -> String {
        self.mac("secret", secret)
    }

    /// The hash of a party's private word. It cannot be reversed, and the same word of two parties
    /// has two hashes.
    pub fn quiet_word_hash(&self, party_id: &PartyId, word: &str) -> String {
        self.mac("quiet-word", &format!("{party_id}/{word}"))
    }

    /// The id for a dedup key: always the same for one key, and it does not reveal the key.
    pub fn id_of(&self, dedup_key: &str) -> String {
        self.mac("cause", dedup_key).chars().take(20).collect()
    }
}

/// A random id, which reveals nothing, not even the order of creation.
pub fn random_id() -> String {
    let mut bytes = [0u8; 12];
    getrandom::fill(&mut bytes).expect("the system gives random numbers");
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// A random token of 128 bits.
pub fn random_token() -> String {
    let mut bytes = [0u8; 16];
    getrandom::fill(&mut bytes).expect("the system gives random numbers");
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

pub fn random_u32() -> u32 {
    getrandom::u32().expect("the system gives random numbers")
}
