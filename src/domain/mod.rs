//! The rules of the centre as pure functions: values in, values out. No IO, no clock, no async; `now` is always an argument.

pub mod cancel;
pub mod centre;
pub mod conversation;
pub mod courtesy;
pub mod keyed;
pub mod lint;
pub mod local_time;
pub mod message;
pub mod parts;
mod patterns;
pub mod person;
pub mod plan_case;
pub mod policy;
pub mod policy_case;
pub mod receipt;
pub mod release;
pub mod say;
pub mod senders;
pub mod session;
pub mod shown;
pub mod understand;
