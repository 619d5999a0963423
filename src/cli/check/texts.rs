//! What the texts cost: the SMS parts of each with the longest values that a centre has, and the
//! languages that are switched on.

use crate::cli::check::Findings;
use crate::cli::line;
use crate::domain::centre::Centre;
use crate::domain::money::amount::Money;
use crate::domain::outgoing::message::MessageKind;
use crate::domain::outgoing::say::Speaker;
use crate::flows::compose::speaker;
use crate::store::centres::Centres;
use crate::templates::{
    ENGLISH, Language, RenderedText, Templates, Values, sample_speaker, samples_of,
};
use anyhow::Result;
use std::collections::BTreeMap;

/// The dearest text of a kind in a language.
type LongestText = BTreeMap<(&'static str, MessageKind), (u32, bool)>;

fn alphabet(gsm: bool) -> &'static str {
    if gsm { "GSM-7" } else { "UCS-2" }
}

/// The dearest text of each kind that this speaker can say in a language.
fn dearest(
    words: &Templates,
    speaker: &Speaker,
    tag: &'static str,
    values: &[Values],
    found: &mut Findings,
) -> LongestText {
    let mut out = LongestText::new();
    for say in values
        .iter()
        .flat_map(|v| MessageKind::ALL.iter().flat_map(move |k| samples_of(*k, v)))
    {
        // What staff write is checked and counted when they write it.
        if say.kind() == MessageKind::StaffReply {
            continue;
        }
        match words.render(&say, speaker, tag) {
            Ok(RenderedText {
                segments: parts,
                gsm,
                language,
                ..
            }) if language == tag => {
                let entry = out.entry((tag, say.kind())).or_insert((parts, gsm));
                *entry = (*entry).max((parts, gsm));
            }
            Ok(_) => {}
            Err(e) => found.wrong(format!(
                "{}: the text {}: {e:#}.",
                speaker.centre,
                say.kind()
            )),
        }
    }
    out
}

/// Reads the texts of all centres over with their own values, and shows what each can take.
pub(super) fn check(words: &Templates, all: &Centres, found: &mut Findings) -> Result<()> {
    let mut dear = LongestText::new();
    for (code, stored) in all {
        let c = &stored.centre;
        for (tag, language) in words
            .languages()
            .filter(|(tag, _)| words.language_for(c, tag) == *tag)
        {
            if !words.is_checked(tag) {
                found.warn(format!(
                    "{code}: {} ({tag}) is switched on, and no speaker has checked its words. Have \
                     them read, and write who did into checked_by of its language.toml.",
                    language.name
                ));
            }
            of_centre(words, all, c, (tag, language), &mut dear, found);
        }
    }
    if all.is_empty() {
        let usual = [Values::usual()];
        dear = dearest(words, &sample_speaker(), ENGLISH, &usual, found);
    }
    for code in words.centres().filter(|code| !all.contains_key(*code)) {
        found.warn(format!(
            "templates: there are texts for the centre {code}, and no such centre. \
                            `courtesy centre list` shows all."
        ));
    }
    for path in words.idle() {
        found.warn(format!(
            "{path}: it is not used, because texts about money and notes are said \
                            only in a language that a speaker has checked."
        ));
    }
    show(&dear)
}

fn of_centre(
    words: &Templates,
    all: &Centres,
    c: &Centre,
    (tag, language): (&'static str, &Language),
    dear: &mut LongestText,
    found: &mut Findings,
) {
    let code = &c.code;
    let fee = Money {
        minor: c.rules.fee_minor,
        currency: Money::currency(&c.rules.currency).unwrap_or(*b"GBP"),
    };
    // Two centres that share a phone are told apart by their names.
    let at_centre = all
        .values()
        .map(|s| &s.centre.short_name)
        .max_by_key(|n| n.chars().count())
        .filter(|_| all.len() > 1);
    let values: Vec<Values> = Values::longest(language, fee)
        .into_iter()
        .map(|v| Values {
            at_centre: at_centre.cloned(),
            ..v
        })
        .collect();
    let costs = dearest(words, &speaker(c), tag, &values, found);
    let mut more = Vec::new();
    for ((_, kind), (parts, gsm)) in &costs {
        if *parts > language.max_segments {
            found.wrong(format!(
                "{code}: the text {kind} in {} can take {parts} SMS parts ({}), and at most {} are \
                 allowed. Say it shorter, or choose a shorter short_name.",
                language.name,
                alphabet(*gsm),
                language.max_segments
            ));
        } else if *parts > 1 {
            more.push(format!("{kind} {parts}"));
        }
    }
    if !more.is_empty() {
        found.warn(format!(
            "{code}: with the longest day and time these texts in {} take more than \
                            one SMS part: {}.",
            language.name,
            more.join(", ")
        ));
    }
    for (key, cost) in costs {
        let entry = dear.entry(key).or_insert(cost);
        *entry = (*entry).max(cost);
    }
}

/// A table: each kind, and in each language that is in use the most SMS parts and the alphabet.
fn show(dear: &LongestText) -> Result<()> {
    let mut tags: Vec<&str> = dear.keys().map(|(tag, _)| *tag).collect();
    tags.dedup();
    tags.sort_by_key(|t| *t != ENGLISH);
    line("the most SMS parts that a text can take:")?;
    line(
        format!(
            "  {:<24}{}",
            "kind",
            tags.iter().map(|t| format!("{t:<12}")).collect::<String>()
        )
        .trim_end(),
    )?;
    for kind in MessageKind::ALL
        .iter()
        .filter(|k| **k != MessageKind::StaffReply)
    {
        let cell = |tag: &&str| {
            dear.iter()
                .find(|((t, k), _)| t == tag && k == kind)
                .map_or_else(String::new, |(_, (parts, gsm))| {
                    format!("{parts} {}", alphabet(*gsm))
                })
        };
        line(
            format!(
                "  {:<24}{}",
                kind.as_str(),
                tags.iter()
                    .map(|t| format!("{:<12}", cell(t)))
                    .collect::<String>()
            )
            .trim_end(),
        )?;
    }
    Ok(())
}
