//! STOP, numbers and strangers.

#[cfg(test)]
use super::*;

#[test]
fn stop_is_heard_in_a_sentence_of_several() {
    for text in [
        "Can you stop these reminders please, I know my own zork",
        "Stop texting me. The zork is full",
    ] {
        assert_eq!(understand(text).intent, Intent::Stop, "{text}");
    }
    // Both an answer and a STOP: a person reads which it is.
    assert_eq!(
        understand("stop these reminders. I am not coming").intent,
        Intent::Unclear
    );
    for text in [
        "Stop texting me. My new number is 07700 900111",
        "stop texting me, text his mum",
        "stop these reminders. I am not coming",
        "stop texting me until zork",
    ] {
        assert_ne!(understand(text).intent, Intent::Stop, "{text}");
    }
}

#[test]
fn a_stranger_may_say_so_in_any_sentence() {
    for text in [
        "wrong number, who is this",
        "who is this? you have the wrong number",
        "Sorry mate. Wrong number. I get these every week",
    ] {
        assert_eq!(understand(text).intent, Intent::WrongNumber, "{text}");
    }
    for text in [
        "is this the wrong number for the centre",
        "new number, it's Dwayne",
    ] {
        assert_ne!(understand(text).intent, Intent::WrongNumber, "{text}");
    }
}

#[test]
fn numbers_and_strangers() {
    for (text, n) in [("1", 1), (" 2. ", 2), ("１", 1)] {
        assert_eq!(understand(text).intent, Intent::Number(n), "{text}");
    }
    for text in [
        "You have the wrong number mate",
        "Who's this?",
        "new phone who dis",
        "Sorry, wrong number",
        "who is this please?",
    ] {
        assert_eq!(understand(text).intent, Intent::WrongNumber, "{text}");
    }
    for text in [
        "0",
        "12",
        "1 2",
        "who is this visit for",
        "wrong number of hours on my bill",
        "what is the number",
    ] {
        assert!(
            matches!(understand(text).intent, Intent::Unclear | Intent::Question),
            "{text}"
        );
    }
}

#[test]
fn stop_is_heard_among_courtesies_and_as_a_sign() {
    for text in [
        "ok stop",
        "stop thanks",
        "please stop",
        "Stop, thank you",
        "stop pls x",
        "🛑",
        "🛑🛑",
        "stop 🛑",
        "STOP.",
        "stop!!",
        "hi please stop now thank you",
        "stop with the texts",
    ] {
        assert_eq!(said(text), "stop", "{text}");
    }
    for text in [
        "yes stop",
        "stop no",
        "bus stop",
        "✋",
        "🛑?",
        "dont stop",
        "start again?",
        "he wont stop",
        "stop at the gate",
    ] {
        assert_ne!(said(text), "stop", "{text}");
        assert_ne!(said(text), "start", "{text}");
    }
}
