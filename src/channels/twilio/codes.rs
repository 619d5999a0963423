//! The service's error codes and what each means for us.

use crate::channels::ErrorMeaning::{self, ChannelRefused, NumberRefused, OptedOut, OutsideWindow};

const CONTENT_TEMPLATE: &str = "the content template is not there, or has other variables";
const OUR_SENDER: &str = "our own sender cannot send";

/// Every code that we know, with our own words for it: the service's words may quote the number.
const CODES: &[(i64, ErrorMeaning, &str)] = &[
    // Who we are.
    (20003, ChannelRefused, "the account or its token is wrong"),
    (20005, ChannelRefused, "the account is not active"),
    (
        20008,
        ChannelRefused,
        "these are the service's test credentials",
    ),
    (
        20404,
        ChannelRefused,
        "the account or messaging service does not exist",
    ),
    // Who we send as.
    (21212, ChannelRefused, "our own sender is no number"),
    (21603, ChannelRefused, OUR_SENDER),
    (21606, ChannelRefused, OUR_SENDER),
    (21660, ChannelRefused, OUR_SENDER),
    (21703, ChannelRefused, "the messaging service has no number"),
    (63007, ChannelRefused, "our own sender is not on WhatsApp"),
    // Who we send to.
    (21211, NumberRefused, "it is no phone number"),
    (
        21408,
        NumberRefused,
        "texts to that country are not switched on",
    ),
    (21610, OptedOut, "the number has opted out at the service"),
    (
        21612,
        NumberRefused,
        "the number cannot be reached from ours",
    ),
    (21614, NumberRefused, "the number takes no texts"),
    (63024, NumberRefused, "it is no number on WhatsApp"),
    // What we send.
    (
        63016,
        OutsideWindow,
        "free text came too late: more than 24 hours after the last message from that number",
    ),
    (21617, NumberRefused, "the text is too long"),
    (21655, NumberRefused, CONTENT_TEMPLATE),
    (21656, NumberRefused, CONTENT_TEMPLATE),
    (63027, NumberRefused, CONTENT_TEMPLATE),
    (63028, NumberRefused, CONTENT_TEMPLATE),
];

fn find(code: i64) -> Option<&'static (i64, ErrorMeaning, &'static str)> {
    CODES.iter().find(|(known, ..)| *known == code)
}

/// What a code means. An unknown code is a refusal of that one number.
pub(super) fn meaning(code: i64) -> ErrorMeaning {
    find(code).map_or(NumberRefused, |(_, meaning, _)| *meaning)
}

/// A code in our words.
pub(super) fn in_words(code: i64) -> String {
    let words = find(code).map_or("refused by the service", |(.., words)| words);
    format!("{code}: {words}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_is_listed_once() {
        assert!(
            CODES
                .iter()
                .all(|(code, ..)| CODES.iter().filter(|(c, ..)| c == code).count() == 1)
        );
    }

    #[test]
    fn an_unknown_code_concerns_one_number_only() {
        assert_eq!(meaning(99999), NumberRefused);
        assert_eq!(in_words(99999), "99999: refused by the service");
    }
}
