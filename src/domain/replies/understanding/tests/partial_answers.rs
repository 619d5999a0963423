//! Answers beside words that nobody knows.

#[cfg(test)]
use super::*;

/// A clause of which every word is known answers, whatever stands beside it, unless that may turn
/// it or speaks of somebody else.
#[test]
fn a_clause_answers_beside_words_that_nobody_knows() {
    for (text, want) in [
        (
            "Nursery have shut his room, he's got impetigo. Won't be in",
            "cancel_illness_child",
        ),
        (
            "Slipped a disc hoovering, can't even bend. Won't be there Saturday",
            "cancel_illness_self",
        ),
        (
            "the ferry's off with the storm so I'm stuck in Stranraer, no visit for me tomorrow",
            "cancel_transport",
        ),
        (
            "Boiler has burst gushing everywhere cant come today",
            "cancel",
        ),
        (
            "dog got run over so we're at the vet wi him, won't make it",
            "cancel",
        ),
        (
            "Yes we will be there, he's dying to see the trampoline",
            "confirm",
        ),
        ("yes still coming despite the drizzle", "confirm"),
    ] {
        let u = understand(text);
        assert_eq!(u.intent.as_str(), want, "{text}: {}", u.rule);
    }
    assert!(
        understand("Tiegan's glockenspiel broke, we can't make it").leftover
            && !understand("we can't make it").leftover
    );
    for text in [
        "not coming.. actually scrap that",
        "can't make it, oops wrong chat",
        "can't make it Saturday, can do Sunday",
        "I can't bring them, Shaz will",
        "we can't come, my sister's dropping them",
        "her dad legged it to Spain, won't be there",
        "she wrote: I can't come",
        "can't come if Tiegan's glockenspiel lesson is on",
        "will be there, he's been bailed",
        "will be there, new boyfriend bringing her",
        "I will be there, jk",
        "yes but glockenspiel",
        "yes I found the glockenspiel",
        "glockenspiel, no",
        "he said he is not coming, glockenspiel",
    ] {
        assert!(
            !matches!(understand(text).intent, Intent::Confirm | Intent::Cancel(_)),
            "{text}: {}",
            understand(text).rule
        );
    }
}

#[test]
fn a_clause_begins_where_nobody_marked_it() {
    for (text, want) in [
        ("call it off please I've had to fly to Zorkistan", "cancel"),
        (
            "broke down on zorkway not going to get there",
            "cancel_transport",
        ),
        ("we'll be there zork", "confirm"),
        ("zork we'll be there", "confirm"),
        (
            "got the neighbour minding the zorks so yes I will be over",
            "confirm",
        ),
        ("we are coming to the zorkish session", "confirm"),
        // Two answers bear what one does not.
        (
            "Yes, her stepdad has the zork so I will be there",
            "confirm",
        ),
        // The last word counts where it is said to.
        ("I thought I'd be able to come but I can't now", "cancel"),
        ("Yes I got your text but I can't come", "cancel"),
        ("just come off shift but yes will be there", "confirm"),
        (
            "Yes my partner can't come but I'll be there with the kids",
            "confirm",
        ),
        ("slapped cheek!! can't bring him", "cancel_illness_child"),
        (
            "I am not well enough to come on Saturday. Zork needs mending",
            "cancel_illness_self",
        ),
    ] {
        let u = understand(text);
        assert_eq!(u.intent.as_str(), want, "{text}: {}", u.rule);
    }
    assert!(
        understand("we'll be there zork").leftover
            && understand("Yes my partner can't come but I'll be there").leftover
            && !understand("yes we'll be there").leftover
    );
    for text in [
        "yes I will be there when the zork is back",
        "Yeah I'll be there. NOT",
        "Yes we'll be there, minus zork",
        "yes I will be there. ish",
        "yes I'll be there x. Let me ask zork",
        "Assuming the zork clears, yes we will be there",
        "I will be there, so long as zork behaves",
        "cancel my mum off the zork list",
        "not going to make it on time, zork never came",
        "Won't be there on the dot, zork exploded",
        "not bringing him, bringing her",
        "can't bring Tyler, zork, so it'll be Tyrone on his own",
        "I refuse to say I can't come",
        "apparently I'm not coming now",
        "can't come in for my shift, kids ill",
        "\"Can't come working\" is what he texted me",
        "no problem but can't come",
        "Yes. Actually we are not coming",
    ] {
        assert!(
            !matches!(understand(text).intent, Intent::Confirm | Intent::Cancel(_)),
            "{text}: {}",
            understand(text).rule
        );
    }
}
