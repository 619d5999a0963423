//! All tests of the program in one binary. `tests/run` prepares PostgreSQL, the browser and the emulator; nothing here skips.

#![expect(unreachable_pub, reason = "the modules of a test binary are its whole world")]
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod apart;
mod bookings;
mod browser;
mod chats;
mod closures;
mod commands;
mod common;
mod conversations;
mod doors;
mod golden;
mod imports;
mod kill;
mod languages;
mod money;
mod people;
mod store;
mod stories;
mod understanding;
mod whatsapp;
mod wire;
mod workers;
