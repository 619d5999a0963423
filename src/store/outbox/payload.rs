//! Reading the sealed payload of a message.

use crate::domain::outgoing::message::MessageKind;
use crate::domain::outgoing::payload::Payload;
use crate::store::sealed::Sealed;

pub(in crate::store) fn read_payload(seal: &Sealed, kind: MessageKind, sealed: &str) -> Payload {
    Payload::read(kind, &seal.open(sealed).0)
}
