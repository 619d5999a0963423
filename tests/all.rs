//! All tests of the program in one binary. `tests/run` prepares PostgreSQL, the browser and the
//! emulator; nothing here skips.

#![expect(
    unreachable_pub,
    reason = "the modules of a test binary are its whole world"
)]
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]
#![expect(
    clippy::too_many_lines,
    clippy::cognitive_complexity,
    reason = "a test tells its story from beginning to end"
)]

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
mod milestones;
mod money;
mod money_again;
mod people;
mod record_times;
mod staff;
mod store;
mod stories;
mod terms;
mod understanding;
mod update;
mod whatsapp;
mod wire;
mod workers;
mod wrong_records;
