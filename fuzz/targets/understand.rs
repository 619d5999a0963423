//! A reply in any context has one meaning, the same in every run, and is displayed safely. A text
//! with a question mark never confirms.

#![no_main]

use courtesy::domain::people::channel::Channel;
use courtesy::domain::sanitize::sanitize;
use courtesy::domain::replies::understanding::{PendingQuestion, ReadingContext, Intent, understand_in};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let (flags, text) = bytes.split_first().map_or((0, bytes), |(f, t)| (*f, t));
    let text = String::from_utf8_lossy(text);
    let context = ReadingContext {
        lang: ["en", "pl", "ro", "ga"][usize::from(flags & 3)],
        channel: if flags & 4 == 0 { Channel::Sms } else { Channel::Telegram },
        open: usize::from(flags >> 3 & 3),
        asked: if flags & 32 == 0 { PendingQuestion::Confirm } else { PendingQuestion::Numbered },
        arrivals: &[],
    };
    let meant = understand_in(&text, &context);
    assert_eq!(meant, understand_in(&text, &context));
    let asked = understand_in(&format!("{text}?"), &context);
    assert_ne!(asked.intent, Intent::Confirm, "{text:?}");
    assert!(!sanitize(&text).chars().any(|c| c.is_control() && c != '\n'));
});
