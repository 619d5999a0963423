//! Courtesy: the messenger of a child contact centre.
//!
//! `ARCHITECTURE.md` has the map and two walkthroughs. `tests/tidy.rs` checks which module may
//! import which.

pub mod app;
pub mod channels;
pub mod cli;
pub mod clock;
pub mod config;
pub mod domain;
pub mod flows;
pub mod simulator;
pub mod store;
pub mod templates;
pub mod web;
