//! A Bot API update, as the webhook receives it.

#![no_main]

use courtesy::channels::telegram::read_update;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = read_update(bytes);
});
