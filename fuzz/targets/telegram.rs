//! An update of the Bot API, as it comes by the webhook.

#![no_main]

use libfuzzer_sys::fuzz_target;
use teloxide::types::Update;

fuzz_target!(|bytes: &[u8]| {
    // ---- TELEGRAM: becomes `courtesy::channels::telegram::read_update(bytes)` as soon as that exists.
    let _ = serde_json::from_slice::<Update>(bytes);
});
