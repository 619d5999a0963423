//! Reading the sealed payload of a message.

use crate::domain::outgoing::message::MessageKind;
use crate::domain::outgoing::payload::Payload;
use crate::store::sealed::Sealed;

/// Opens and reads what a message carries.
pub(in crate::store) fn read_payload(seal: &Sealed, kind: MessageKind, sealed: &str) -> Payload {
    Payload::read(kind, &seal.open(sealed).0)
}
