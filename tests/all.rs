//! All tests of the program in one binary. `tests/run` prepares PostgreSQL, the browser and the emulator; nothing here skips.

mod common;
mod kill;
