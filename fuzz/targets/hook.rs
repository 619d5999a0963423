//! The request body of an inbound SMS: parsing the form and understanding the text.

#![no_main]

use courtesy::channels::form::{parse_form, parse_form_bytes, readable};
use courtesy::domain::replies::understanding::understand;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    for (_, value) in parse_form_bytes(bytes) {
        let _ = understand(&readable(value));
    }
    for (key, value) in parse_form(bytes).unwrap_or_default() {
        if key == "Body" {
            let _ = understand(&value);
        }
    }
});
