//! Courtesy: the messenger of a child contact centre.
//!
//! `ARCHITECTURE.md` has the map and two walkthroughs. The arrows of the house are held by `tests/tidy.rs`.
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test stops at the first surprise"))]

pub mod domain;
