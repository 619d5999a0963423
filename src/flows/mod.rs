//! What happens: a session falls due, a message goes out, a reply comes in. Each flow reads, lets the
//! domain decide, and writes.

pub mod choices;
pub mod compose;
pub mod error;
pub mod import;
pub mod lateness;
pub mod lines;
pub mod liveness;
pub mod money;
pub mod people;
pub mod receive;
pub mod recording;
pub mod ring;
pub mod scan;
pub mod send;
pub mod service;
pub mod visits;
