//! Courtesy: the messenger of a child contact centre.
//!
//! `ARCHITECTURE.md` has the map and two walkthroughs. The arrows of the house are held by
//! `tests/tidy.rs`.

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
