//! The parties of a line against those on file: what is new, what a file may change, and what it
//! may not.

use crate::domain::ids::{CaseId, PartyId};
use crate::domain::people::channel::{Channel, Consent};
use crate::domain::people::private::Private;
use crate::domain::people::role::Role;
use crate::flows::import::finding::Finding;
use crate::flows::import::row::{PartyRow, SessionRow};
use crate::store::cases::{NewAddress, NewParty};
use crate::store::imports::{KnownAddress, KnownCase, KnownParty};
use crate::store::sealed::{Sealed, random_id};
use std::collections::HashSet;

/// What lines change about parties.
#[derive(Default)]
pub(super) struct PartyChanges {
    pub(super) parties: Vec<NewParty>,
    pub(super) addresses: Vec<NewAddress>,
    /// Numbers and chats that wait for a person: (case, party, role, hash).
    pub(super) pending: Vec<(CaseId, PartyId, Role, String)>,
    /// Other names: (case, party, role, name).
    pub(super) renamed: Vec<(CaseId, PartyId, Role, String)>,
    /// Wishes for less: (case, party, role, before, after).
    pub(super) lowered: Vec<(CaseId, PartyId, Role, Consent, Consent)>,
    /// Numbers to which no more texts go by a channel: (case, party, role, hash, channel).
    pub(super) ring_only: Vec<(CaseId, PartyId, Role, String, Channel)>,
}

/// Compares the parties of lines with those of one case, and keeps what the lines change in mind
/// for the lines after.
pub(super) struct PartyComparison<'a> {
    pub(super) seal: &'a Sealed,
    pub(super) case: &'a mut KnownCase,
    /// Names may be changed.
    pub(super) rename: bool,
    pub(super) changes: &'a mut PartyChanges,
    pub(super) findings: &'a mut Vec<Finding>,
    /// What was said of this case already: (column, kind). It is not said again on every line.
    pub(super) said: HashSet<(String, &'static str)>,
}

impl PartyComparison<'_> {
    fn say(&mut self, finding: Finding) {
        if self.said.insert((finding.column.clone(), finding.kind)) {
            self.findings.push(finding);
        }
    }

    fn differs(&mut self, row: &SessionRow, role: Role, column: &str, why: &str) -> bool {
        self.say(Finding::warning(
            row.line,
            format!("{role}_{column}"),
            "differs",
            why,
        ));
        true
    }

    /// Compares all parties of a line; returns whether something differs and was left.
    pub(super) fn line(&mut self, row: &SessionRow) -> bool {
        if self.swapped_or_shared(row) {
            return false;
        }
        let names_stand_exchanged = self.holds_name(row, Role::Resident, Role::Contact)
            && self.holds_name(row, Role::Contact, Role::Resident);
        let mut differs = false;
        for party in &row.parties {
            if !self.case.parties.contains_key(&party.role) {
                self.add(party);
                continue;
            }
            differs |= self.name(row, party, names_stand_exchanged);
            differs |= self.addresses(row, party);
            if party.role != Role::Referrer {
                differs |= self.wishes(row, party);
            }
        }
        differs
    }

    /// Whether the line gives `role` the name that `other` has on file, and that is not the name of
    /// `role`.
    fn holds_name(&self, row: &SessionRow, role: Role, other: Role) -> bool {
        let name = row
            .parties
            .iter()
            .find(|p| p.role == role)
            .map(|p| p.name.as_str());
        let on_file = |role| self.case.parties.get(&role).map(|p| p.name.0.as_str());
        name.is_some() && name == on_file(other) && name != on_file(role)
    }

    /// Rule a9: a number or chat that the other party of the case has or ever had is a hard error.
    fn swapped_or_shared(&mut self, row: &SessionRow) -> bool {
        let crossed = |role: Role| {
            let other = role.other().and_then(|o| self.case.parties.get(&o))?;
            let party = row.parties.iter().find(|p| p.role == role)?;
            let (channel, ..) = party
                .addresses(self.seal)
                .into_iter()
                .find(|(_, _, hash)| other.addresses.iter().any(|a| a.hash == *hash))?;
            Some(if channel == "telegram" {
                "telegram_id"
            } else {
                "phone"
            })
        };
        let (resident, contact) = (crossed(Role::Resident), crossed(Role::Contact));
        match (resident, contact) {
            (None, None) => return false,
            (Some(_), Some(column)) => {
                let what = "the two parents' numbers stand exchanged: each would get the other's \
                            messages; put each number back to its own parent";
                self.say(Finding::error(
                    row.line,
                    format!("contact_{column}"),
                    "swapped_numbers",
                    what,
                ));
            }
            (resident, contact) => {
                let (role, column) = resident
                    .map(|c| (Role::Resident, c))
                    .or(contact.map(|c| (Role::Contact, c)))
                    .unwrap_or((Role::Contact, "phone"));
                let what = "a number that the other party has or had: messages would reach the \
                            other party; find out whose it is";
                self.say(Finding::error(
                    row.line,
                    format!("{role}_{column}"),
                    "shared_number_between_parties",
                    what,
                ));
            }
        }
        true
    }

    fn add(&mut self, party: &PartyRow) {
        let id = PartyId::new(random_id());
        let mut on_file = Vec::new();
        for (channel, value, hash) in party.addresses(self.seal) {
            on_file.push(KnownAddress {
                channel: channel.to_owned(),
                hash: hash.clone(),
                state: "current".into(),
                stopped: false,
            });
            let safe = if channel == "ring" {
                "ring_first"
            } else {
                "safe"
            };
            self.changes.addresses.push(NewAddress {
                party_id: id.clone(),
                channel,
                value,
                hash,
                safe,
                state: "current",
            });
        }
        self.changes.parties.push(NewParty {
            id: id.clone(),
            case_id: self.case.id.clone(),
            role: party.role,
            name: party.name.clone(),
            language: party.language.to_string(),
            channel: party.channel,
            consent: party.consent,
            detail: party.detail.clone(),
        });
        let known = KnownParty {
            id,
            name: Private(party.name.clone()),
            channel: party.channel,
            language: party.language.to_string(),
            consent: party.consent,
            addresses: on_file,
        };
        self.case.parties.insert(party.role, known);
    }

    fn name(&mut self, row: &SessionRow, party: &PartyRow, exchanged: bool) -> bool {
        let role = party.role;
        let Some(on_file) = self
            .case
            .parties
            .get_mut(&role)
            .filter(|p| p.name.0 != party.name)
        else {
            return false;
        };
        if self.rename && !exchanged {
            on_file.name = Private(party.name.clone());
            let id = on_file.id.clone();
            self.changes
                .renamed
                .push((self.case.id.clone(), id, role, party.name.clone()));
            self.say(Finding::warning(
                row.line,
                format!("{role}_name"),
                "renamed",
                "the case has another name on file in this place; it was changed, as --rename asks",
            ));
            return false;
        }
        if role == Role::Referrer {
            return self.differs(
                row,
                role,
                "name",
                "the case has another referrer on file, who was left; `--rename` changes the name",
            );
        }
        let what = if exchanged {
            "the two parents' names stand exchanged; put each back to its place"
        } else {
            "the case has another person on file in this place; if it is the same person with a \
             new name, import with --rename"
        };
        self.say(Finding::error(
            row.line,
            format!("{role}_name"),
            "case_conflict",
            what,
        ));
        false
    }

    /// A number or chat that is not on file waits until staff have confirmed it (rule a4).
    fn addresses(&mut self, row: &SessionRow, party: &PartyRow) -> bool {
        let (role, mut differs) = (party.role, false);
        let mut new = HashSet::new();
        for (channel, value, hash) in party.addresses(self.seal) {
            let column = if channel == "telegram" {
                "telegram_id"
            } else {
                "phone"
            };
            let Some(on_file) = self.case.parties.get_mut(&role) else {
                continue;
            };
            let states: Vec<&str> = on_file
                .addresses
                .iter()
                .filter(|a| a.hash == hash)
                .map(|a| a.state.as_str())
                .collect();
            // A new number that is agreed for WhatsApp too is in two rows, which wait together.
            if states.is_empty() || new.contains(&hash) {
                new.insert(hash.clone());
                on_file.addresses.push(KnownAddress {
                    channel: channel.to_owned(),
                    hash: hash.clone(),
                    state: "pending".into(),
                    stopped: false,
                });
                let id = on_file.id.clone();
                self.changes.addresses.push(NewAddress {
                    party_id: id.clone(),
                    channel,
                    value,
                    hash: hash.clone(),
                    safe: "ring_first",
                    state: "pending",
                });
                self.changes
                    .pending
                    .push((self.case.id.clone(), id, role, hash));
                let what = if channel == "telegram" {
                    "another chat than the one on file"
                } else {
                    "another number than the one on file"
                };
                self.say(Finding::warning(
                    row.line,
                    format!("{role}_{column}"),
                    "pending_number",
                    format!("{what}: it waits until staff confirm it"),
                ));
            } else if states.iter().all(|s| *s == "past") {
                differs |= self.differs(
                    row,
                    role,
                    column,
                    "it was replaced since, and the one that replaced it stays",
                );
            }
        }
        let current = |p: &KnownParty| {
            p.addresses
                .iter()
                .any(|a| a.state == "current" && a.channel != "telegram")
        };
        if party.phone.is_none() && self.case.parties.get(&role).is_some_and(current) {
            differs |= self.differs(
                row,
                role,
                "phone",
                "the file has no number here; the one on file stays",
            );
        }
        differs
    }

    /// Consent, channel and language. A wish for less is always honoured; anything else on file
    /// stays.
    fn wishes(&mut self, row: &SessionRow, party: &PartyRow) -> bool {
        let (role, case) = (party.role, self.case.id.clone());
        let Some(on_file) = self.case.parties.get_mut(&role) else {
            return false;
        };
        let (id, before, channel, language) = (
            on_file.id.clone(),
            on_file.consent,
            on_file.channel,
            on_file.language.clone(),
        );
        let mut differs = false;
        if less(before, party.consent) {
            on_file.consent = party.consent;
            self.changes
                .lowered
                .push((case, id, role, before, party.consent));
            let what = format!(
                "consent goes from {before} to {}: this party gets no more texts",
                party.consent
            );
            self.say(Finding::warning(
                row.line,
                format!("{role}_consent"),
                "consent_lowered",
                what,
            ));
        } else if before != party.consent {
            differs |= self.differs(
                row,
                role,
                "consent",
                &format!(
                    "consent on file is {before} \
                                                                    and stays so: a file takes \
                                                                    consent away, and never gives \
                                                                    it back"
                ),
            );
        } else if party.consent == Consent::Yes && channel == party.channel {
            differs |= self.texts(row, party, case.clone(), id.clone());
            self.no_whatsapp(row, party, case, id);
        }
        if channel != party.channel {
            differs |= self.differs(
                row,
                role,
                "channel",
                &format!("the channel on file is {channel} and stays so"),
            );
        }
        if *language != *party.language {
            differs |= self.differs(
                row,
                role,
                "language",
                &format!("the language on file is {language} and stays so"),
            );
        }
        differs
    }

    /// Whether the phone is agreed for texts, in the file and on file.
    fn texts(&mut self, row: &SessionRow, party: &PartyRow, case: CaseId, id: PartyId) -> bool {
        let Some((_, _, hash)) = party
            .addresses(self.seal)
            .into_iter()
            .find(|(c, ..)| *c != "telegram")
        else {
            return false;
        };
        let Some(on_file) = self.case.parties.get_mut(&party.role) else {
            return false;
        };
        let Some(address) = on_file.addresses.iter_mut().find(|a| {
            a.hash == hash && a.state == "current" && matches!(a.channel.as_str(), "sms" | "ring")
        }) else {
            return false;
        };
        if party.texts() && address.stopped {
            return self.differs(
                row,
                party.role,
                "consent",
                "STOP came from this phone; it gets no texts until START comes from it",
            );
        }
        if party.texts() && address.channel == "ring" {
            return self.differs(
                row,
                party.role,
                "consent",
                "the phone on file is for ringing only and stays so",
            );
        }
        // Texts are taken away only by a consent that names its channels and not them.
        if party.named == Some(false) && party.channel != Channel::Sms && address.channel == "sms" {
            address.channel = "ring".into();
            self.changes
                .ring_only
                .push((case, id, party.role, hash, Channel::Sms));
            let what = "the consent no longer names texts: the phone is for ringing only";
            self.say(Finding::warning(
                row.line,
                format!("{}_consent", party.role),
                "consent_lowered",
                what,
            ));
        }
        false
    }

    /// WhatsApp is taken away only by a consent that names its channels and not it.
    fn no_whatsapp(&mut self, row: &SessionRow, party: &PartyRow, case: CaseId, id: PartyId) {
        if party.named.is_none() || party.whatsapp {
            return;
        }
        let Some(phone) = &party.phone else { return };
        let hash = self.seal.number_hash(phone);
        let Some(on_file) = self.case.parties.get_mut(&party.role) else {
            return;
        };
        let before = on_file.addresses.len();
        on_file
            .addresses
            .retain(|a| !(a.hash == hash && a.state == "current" && a.channel == "whatsapp"));
        if on_file.addresses.len() < before {
            self.changes
                .ring_only
                .push((case, id, party.role, hash, Channel::Whatsapp));
            let what = "the consent no longer names WhatsApp: nothing more goes there";
            self.say(Finding::warning(
                row.line,
                format!("{}_consent", party.role),
                "consent_lowered",
                what,
            ));
        }
    }
}

/// Whether a consent asks for less than the one before.
fn less(before: Consent, after: Consent) -> bool {
    matches!(
        (before, after),
        (Consent::Yes, Consent::No | Consent::Stop) | (Consent::No, Consent::Stop)
    )
}
