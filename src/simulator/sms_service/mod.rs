//! A simulated texting service in the wire format of Twilio-style services: messages, status
//! callbacks and inbound webhooks, all signed. Loopback only; everything is in memory.

mod percent;
mod rest_api;
mod server;
mod service;

pub use crate::simulator::sms_service::service::{SmsMessage, SmsService};
