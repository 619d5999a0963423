//! What no text to a parent holds. The words are a language's own
//! (`message-templates/<language>/language.toml`); what each list means and where it does not count
//! is here. Templates are read over when they are loaded ([`rules`]), what staff write before it
//! leaves ([`check`], safety rule f7).

pub mod required;
pub mod rules;

use crate::domain::outgoing::lint::rules::LintFinding;
use crate::domain::outgoing::message::MessageKind;
use crate::domain::outgoing::segments::segments;

/// The most SMS parts of a text that staff write.
pub const MAX_SEGMENTS: u32 = 3;

/// The words of one language that texts may not hold. Whole words or phrases; `*` at the end stands
/// for any ending.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ForbiddenWords {
    /// A child.
    pub child: Vec<String>,
    /// A reason why somebody does not come.
    pub reason: Vec<String>,
    /// Courts, lawyers, authorities.
    pub court: Vec<String>,
    /// Doctors.
    pub doctor: Vec<String>,
    /// The other parent.
    pub other_parent: Vec<String>,
    /// What kind of place the centre is.
    pub place: Vec<String>,
    /// Money and notes.
    pub money: Vec<String>,
    /// That nothing is charged.
    pub no_charge: Vec<String>,
    /// What follows the number of an amount.
    pub amount: Vec<String>,
    /// What comes before a word to answer with.
    pub reply: Vec<String>,
    /// Why a visit does not take place, or through whom: not in what says that it is off, on again
    /// or moved.
    pub dedup_key: Vec<String>,
    /// A tone that is not ours.
    pub tone: Vec<String>,
    /// Words that one kind of message alone may not hold.
    pub in_kind: Vec<(MessageKind, Vec<String>)>,
    /// Not refused but asked for: that no reasons are given, and that the centre is closed.
    pub no_reasons: Vec<String>,
    /// As above.
    pub closed: Vec<String>,
}

/// What a text to one party must not hold: facts of the others of the case.
#[derive(Debug, Clone, Default)]
pub struct OtherParties {
    /// Their names, as on file.
    pub names: Vec<String>,
    /// Their numbers, in E.164 form.
    pub numbers: Vec<String>,
    /// Their arrivals on the centre's wall clock, where they differ from the reader's own: hour and
    /// minute.
    pub arrivals: Vec<(u32, u32)>,
}

/// Small letters without accents, single spaces and nothing else but digits.
pub(crate) fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\'' | '’' => {}
            c if c.is_alphanumeric() => out.extend(c.to_lowercase().map(without_accent)),
            _ => out.push(' '),
        }
    }
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The letter as a hurried person types it: names keep their accents on file and lose them in a
/// text.
fn without_accent(c: char) -> char {
    const PLAIN: &[(&str, char)] = &[
        ("àáâãäåāăą", 'a'),
        ("çćĉċč", 'c'),
        ("ďđ", 'd'),
        ("èéêëēĕėęě", 'e'),
        ("ĝğġģ", 'g'),
        ("ìíîïĩīĭįı", 'i'),
        ("ł", 'l'),
        ("ñńņň", 'n'),
        ("òóôõöøōŏő", 'o'),
        ("śŝşšș", 's'),
        ("ţťŧț", 't'),
        ("ùúûüũūŭůűų", 'u'),
        ("ŵ", 'w'),
        ("ýÿŷ", 'y'),
        ("źżž", 'z'),
    ];
    PLAIN
        .iter()
        .find(|(from, _)| from.contains(c))
        .map_or(c, |(_, to)| *to)
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

/// Everything that is wrong with a text of staff to one party, each in words that say how to mend
/// it. Empty if it may leave. `lists` are those of English and of the party's language: nobody
/// knows in which of them it is written.
pub fn check(text: &str, lists: &[&ForbiddenWords], others: &OtherParties) -> Vec<String> {
    let mut wrong = Vec::new();
    let plain_text = format!(" {} ", plain(text));
    if plain_text.trim().is_empty() {
        wrong.push("it is empty".to_owned());
    }
    for name in &others.names {
        // Short parts such as "de" stand in every language; the whole name is looked for in any
        // case.
        let whole = plain(name);
        let hit = whole
            .split(' ')
            .filter(|w| w.chars().count() >= 3)
            .chain([whole.as_str()])
            .any(|w| !w.is_empty() && plain_text.contains(&format!(" {w} ")));
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
        wrong.push("it holds another person's number; leave it out".to_owned());
    }
    let lower = text.to_lowercase();
    if others
        .arrivals
        .iter()
        .any(|(h, m)| ways_of(*h, *m).iter().any(|w| holds_time(&lower, w)))
    {
        wrong.push("it holds the time at which another person arrives; leave it out".to_owned());
    }
    let mut found: Vec<LintFinding> = lists
        .iter()
        .flat_map(|list| rules::in_words(text, list))
        .collect();
    found.sort();
    found.dedup();
    wrong.extend(found.iter().map(LintFinding::in_staffs_words));
    if text.chars().any(|c| c.is_control() && c != '\n') {
        wrong.push("it has a control character; type it anew".to_owned());
    }
    if segments(text) > MAX_SEGMENTS {
        wrong.push(format!(
            "it takes {} SMS parts; at most {MAX_SEGMENTS}, so say it shorter",
            segments(text)
        ));
    }
    wrong
}

fn holds_time(text: &str, time: &str) -> bool {
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

    /// As a text of staff to a party of this language is read over.
    fn check(text: &str, others: &OtherParties) -> Vec<String> {
        let words = crate::templates::Templates::load(None).unwrap_or_else(|p| panic!("{p:?}"));
        super::check(text, &words.refused("pl"), others)
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
        // A word of Polish is refused to whom texts go in Polish.
        let words = crate::templates::Templates::load(None).unwrap_or_else(|p| panic!("{p:?}"));
        assert!(super::check("Dziecko czeka", &words.refused("en"), &others()).is_empty());
        assert!(
            check(&"word ".repeat(200), &OtherParties::default())
                .iter()
                .any(|w| w.contains("parts"))
        );
    }
}
