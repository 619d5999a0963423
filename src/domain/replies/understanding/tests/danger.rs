//! Danger, and who else reads the phone.

#[cfg(test)]
use super::*;

/// Nine of ten texts of danger are urgent and no more than one harmless text in fifty; none of
/// danger is an answer.
#[test]
fn danger_is_found_and_what_looks_like_it_is_not() {
    let mut urgent = std::collections::HashMap::from([('D', [0usize; 2]), ('H', [0; 2])]);
    for line in include_str!("../../../../../tests/data/replies_danger.txt")
        .lines()
        .filter(|l| !l.starts_with('#'))
    {
        let (kind, text) = (line.chars().next().unwrap(), &line[2..]);
        let intent = understand(text).intent;
        let is = intent == Intent::Safeguarding;
        let count = urgent.get_mut(&kind).unwrap();
        *count = [count[0] + usize::from(is), count[1] + 1];
        assert!(
            kind == 'H' || !matches!(intent, Intent::Confirm | Intent::Start | Intent::Help),
            "{text}"
        );
    }
    let ([found, danger], [alarms, harmless]) = (urgent[&'D'], urgent[&'H']);
    assert!(danger > 600 && harmless > 1000, "{danger} {harmless}");
    assert!(found * 10 >= danger * 9, "{found} of {danger} are urgent");
    assert!(
        alarms * 50 <= harmless,
        "{alarms} of {harmless} are false alarms"
    );
}

/// Rule D4: the phone goes silent only where a person is said to read it, to hold it or to say what
/// is written.
#[test]
fn a_phone_is_watched_by_a_person_and_not_by_an_office() {
    for text in [
        "he reads my messages",
        "my husband has my phone",
        "she took my phone off me",
        "he made me write this",
        "dont reply he checks my texts",
        "use my other number",
        "its her boyfriend on her phone",
    ] {
        assert!(understand(text).watched, "{text}");
    }
    for text in [
        "the office told me to text you",
        "he has my phone no",
        "she has my phone number already",
        "I was told to reply here",
        "the girl in reception told me to text yes",
        "dont ring now im in a meeting",
        "he reads well now",
        "dont text me during work",
        "my phone is dead",
        "school is making me cancel, parents evening",
    ] {
        assert!(!understand(text).watched, "{text}");
    }
}
