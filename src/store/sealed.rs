//! The one place that names, numbers, chat ids and texts pass on their way into the database and
//! out of it. For now they are kept as they are; encryption at rest is a change in this file.
//! Look-ups go through a keyed hash.

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
    /// With the look-up key of a database.
    pub fn new(lookup_key: &str) -> Self {
        Sealed {
            lookup: lookup_key.as_bytes().to_vec(),
        }
    }

    /// What is stored for a private text.
    pub fn seal(&self, text: &str) -> String {
        text.to_owned()
    }

    /// The private text of what is stored.
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

    /// The look-up hash of an address.
    pub fn number_hash(&self, phone: &Phone) -> String {
        self.mac("number", phone.as_str())
    }

    /// The look-up hash of an address: a number has the same one on every channel, so that a number
    /// of the other party is found wherever it stands.
    pub fn address_hash(&self, address: &Address) -> String {
        match address.phone() {
            Some(phone) => self.number_hash(&phone),
            None => self.id_of(&format!("telegram/{}", address.as_str())),
        }
    }

    /// The hash of a secret that is kept as its hash only, such as a link's code.
    pub fn secret_hash(&self, secret: &str) -> String {
        self.mac("secret", secret)
    }

    /// The hash of a party's private word: nobody can read it, and the same word of two parties has
    /// two hashes.
    pub fn quiet_word_hash(&self, party_id: &PartyId, words: &str) -> String {
        self.mac("quiet-word", &format!("{party_id}/{words}"))
    }

    /// The id that a cause makes: the same cause always the same id, and nobody can read the cause
    /// from it.
    pub fn id_of(&self, dedup_key: &str) -> String {
        self.mac("cause", dedup_key).chars().take(20).collect()
    }
}

/// A random id: nothing can be read from it, not even the order.
pub fn random_id() -> String {
    let mut bytes = [0u8; 12];
    getrandom::fill(&mut bytes).expect("the system gives random numbers");
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// A random token of 128 bit.
pub fn random_token() -> String {
    let mut bytes = [0u8; 16];
    getrandom::fill(&mut bytes).expect("the system gives random numbers");
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// A random number.
pub fn random_u32() -> u32 {
    getrandom::u32().expect("the system gives random numbers")
}
