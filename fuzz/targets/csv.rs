//! An import file: any bytes lead to findings, never to a panic.
//!
//! A broken header ends the import, so input without a header is put below a valid one.

#![no_main]

use courtesy::flows::import::options::DateFormat;
use courtesy::flows::import::{COLUMNS, look};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let first = bytes.split(|b| *b == b'\n').next().unwrap_or_default();
    let whole = first.windows(11).any(|w| w == b"centre_code");
    let file = if whole { bytes.to_vec() } else { [COLUMNS.join(",").as_bytes(), b"\n", bytes].concat() };
    let dates = if bytes.len() % 2 == 0 { DateFormat::Iso } else { DateFormat::Dmy };
    let _ = look(&file, dates);
});
