//! SMS and WhatsApp through any Twilio-style REST service: everything about that service.

mod client;
mod codes;
mod status;
mod webhook;

pub use crate::channels::twilio::client::{Sender, SmsSettings, Twilio, WHATSAPP};
pub use crate::channels::twilio::webhook::{
    EMPTY_ANSWER, InboundForm, SIGNATURE_HEADER, UnverifiedForm, WebhookForm, sign,
};
