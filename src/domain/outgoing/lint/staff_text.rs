//! Checks a text that staff wrote before it is sent to a parent (safety rule f7).

use crate::domain::outgoing::lint::finding::LintFinding;
use crate::domain::outgoing::lint::forbidden_words::{ForbiddenWords, normalize};
use crate::domain::outgoing::lint::rules::in_words;
use crate::domain::outgoing::segments::segments;

/// The most SMS segments of a text by staff.
pub const MAX_SEGMENTS: u32 = 3;

/// What a text to one party must not reveal about the other parties of the case.
#[derive(Debug, Clone, Default)]
pub struct OtherParties {
    /// Their names, as on file.
    pub names: Vec<String>,
    /// Their numbers, in E.164 form.
    pub numbers: Vec<String>,
    /// Their arrival times as hour and minute, local to the centre, where they differ from the
    /// reader's own.
    pub arrivals: Vec<(u32, u32)>,
}

/// The ways in which people write a time of day.
fn ways_of(hour: u32, minute: u32) -> Vec<String> {
    let half = if hour >= 12 { "pm" } else { "am" };
    let twelve = if hour.is_multiple_of(12) {
        12
    } else {
        hour % 12
    };
    let mut out = vec![
        format!("{hour}:{minute:02}"),
        format!("{hour:02}:{minute:02}"),
        format!("{twelve}:{minute:02}"),
        format!("{hour}.{minute:02}"),
        format!("{hour:02}.{minute:02}"),
        format!("{twelve}.{minute:02}"),
        format!("{hour:02} {minute:02}"),
        format!("{twelve} {minute:02}"),
    ];
    if minute == 0 {
        out.extend([
            format!("{twelve}{half}"),
            format!("{twelve} {half}"),
            format!("{twelve} o'clock"),
        ]);
    }
    match (hour, minute) {
        (12, 0) => out.extend(["noon", "midday"].map(String::from)),
        (0, 0) => out.push("midnight".into()),
        _ => {}
    }
    out
}

/// Everything that is wrong with a text by staff to one party, each with its fix. Empty if it may
/// be sent. `lists` are those of English and of the party's language, as it may be written in
/// either.
pub fn check(text: &str, lists: &[&ForbiddenWords], others: &OtherParties) -> Vec<String> {
    let mut wrong = Vec::new();
    let normalized = format!(" {} ", normalize(text));
    if normalized.trim().is_empty() {
        wrong.push("it is empty".to_owned());
    }
    for name in &others.names {
        // Parts of fewer than three letters, such as "de", are ordinary words and are skipped; the
        // whole name is always looked for.
        let whole = normalize(name);
        let hit = whole
            .split(' ')
            .filter(|w| w.chars().count() >= 3)
            .chain([whole.as_str()])
            .any(|w| !w.is_empty() && normalized.contains(&format!(" {w} ")));
        if hit {
            wrong.push("it names another person of the case; leave the name out".to_owned());
            break;
        }
    }
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    if others
        .numbers
        .iter()
        .filter_map(|n| n.get(n.len().saturating_sub(9)..))
        .any(|tail| digits.contains(tail))
    {
        wrong.push("it contains another person's number; leave it out".to_owned());
    }
    let lower = text.to_lowercase();
    if others
        .arrivals
        .iter()
        .any(|(h, m)| ways_of(*h, *m).iter().any(|w| contains_time(&lower, w)))
    {
        wrong.push("it contains the time at which another person arrives; leave it out".to_owned());
    }
    let mut found: Vec<LintFinding> = lists.iter().flat_map(|list| in_words(text, list)).collect();
    found.sort();
    found.dedup();
    wrong.extend(found.iter().map(LintFinding::for_staff));
    if text.chars().any(|c| c.is_control() && c != '\n') {
        wrong.push("it has a control character; type it again".to_owned());
    }
    if segments(text) > MAX_SEGMENTS {
        wrong.push(format!(
            "it takes {} SMS parts; at most {MAX_SEGMENTS}, so say it shorter",
            segments(text)
        ));
    }
    wrong
}

fn contains_time(text: &str, time: &str) -> bool {
    text.match_indices(time).any(|(i, _)| {
        let before = text[..i].chars().next_back();
        let after = text[i + time.len()..].chars().next();
        !before.is_some_and(|c| c.is_ascii_digit() || c == ':' || c == '.')
            && !after.is_some_and(|c| c.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks a text to a party that reads Polish.
    fn check(text: &str, others: &OtherParties) -> Vec<String> {
        let templates = crate::templates::Templates::load(None).unwrap_or_else(|p| panic!("{p:?}"));
        super::check(text, &templates.refused("pl"), others)
    }

    fn others() -> OtherParties {
        OtherParties {
            names: vec!["Siobhán O'Connell".into(), "Li de Wu".into()],
            numbers: vec!["+447700900101".into()],
            arrivals: vec![(9, 45), (13, 0), (12, 0)],
        }
    }

    #[test]
    fn nothing_of_the_other_leaves_in_free_words() {
        for text in [
            "Siobhán will be there",
            "ring o'connell",
            "siobhan is here",
            "OCONNELL says hello",
            "her number is 07700 900101",
            "they come at 9:45",
            "come after 9.45 please",
            "come after 09.45 please",
            "she is here from 1pm",
            "your ex is late",
            "the court wants a letter",
            "see www.example.org",
            "you owe £45",
            "it is 45 pounds",
            "there is no charge",
            "your daughter was here",
            "we hope she is not ill any more",
            "please ask your doctor",
            "reply CANCEL to cancel",
            "answer stop if you do not come",
            "see example.org/visit",
            "come at noon",
            "She said yes",
            "we are waiting for his answer",
            "Dziecko czeka",
            "prosze przyniesc zaswiadczenie od lekarza",
            "",
            "   ",
        ] {
            assert!(!check(text, &others()).is_empty(), "{text:?}");
        }
        for text in [
            "We are open on Sunday from 2pm. Please ring us.",
            "Yes, your visit is at 10am as usual.",
            "Please come to the side door at 19:45.",
            "Thank you, we have made a change.",
            "Delivered at 11pm",
            "If you cannot come, please reply NO.",
            "Please stop at the gate.",
        ] {
            assert_eq!(check(text, &others()), Vec::<String>::new(), "{text:?}");
        }
        // Polish words are refused only in texts to a party that reads Polish.
        let templates = crate::templates::Templates::load(None).unwrap_or_else(|p| panic!("{p:?}"));
        assert!(super::check("Dziecko czeka", &templates.refused("en"), &others()).is_empty());
        assert!(
            check(&"word ".repeat(200), &OtherParties::default())
                .iter()
                .any(|w| w.contains("parts"))
        );
    }
}
