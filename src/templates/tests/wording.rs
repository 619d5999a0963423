//! Every rule of wording is kept by the built-in templates and can fail.

#[cfg(test)]
use super::folder;
use crate::domain::outgoing::lint::LintRule;
use crate::domain::outgoing::message::MessageKind;
use crate::templates::{ENGLISH, Templates, built_in};
use std::collections::BTreeSet;

#[test]
fn the_built_in_templates_keep_every_rule() {
    let problems = Templates::load_from(None, true).err().unwrap_or_default();
    assert!(problems.is_empty(), "{problems:#?}");
}

fn built_in(tag: &str, kind: &str) -> &'static str {
    let folder = built_in::FOLDERS.iter().find(|f| f.tag == tag).unwrap();
    let file = folder.files.iter().find(|(name, _)| *name == kind);
    file.unwrap_or_else(|| panic!("{tag} has no {kind}"))
        .1
        .trim_end()
}

/// A built-in template with a change, as `planted_words.txt` writes it.
fn changed(tag: &str, kind: &str, change: &str) -> String {
    let text = built_in(tag, kind);
    if let Some(sentence) = change.strip_prefix("+ ") {
        return format!("{text} {sentence}");
    }
    if let Some(other) = change.strip_prefix("= ") {
        return other.to_owned();
    }
    let (from, to) = change.split_once(" => ").unwrap();
    let (from, to) = (from.trim_matches('"'), to.trim_matches('"'));
    assert!(text.contains(from), "{tag} {kind} does not say {from}");
    text.replace(from, to)
}

/// One line of `planted_words.txt`.
struct Planted {
    rule: LintRule,
    tag: &'static str,
    kind: &'static str,
    text: String,
    word: &'static str,
}

fn planted() -> Vec<Planted> {
    include_str!("../../../tests/data/planted_words.txt")
        .lines()
        .filter(|l| !l.starts_with('#'))
        .map(|line| {
            let fields: Vec<&str> = line.split(" | ").collect();
            let [rule, tag, kind, change, word] = fields[..] else {
                panic!("{line}")
            };
            let by_name = |r: &&LintRule| format!("{r:?}") == rule;
            Planted {
                rule: *LintRule::ALL.iter().find(by_name).unwrap(),
                tag,
                kind,
                text: changed(tag, kind, change),
                word,
            }
        })
        .collect()
}

#[test]
fn each_rule_is_broken_in_english_and_in_another_language() {
    let rules = |english: bool| -> BTreeSet<LintRule> {
        planted()
            .iter()
            .filter(|p| (p.tag == ENGLISH) == english)
            .map(|p| p.rule)
            .collect()
    };
    assert_eq!(
        (rules(true).len(), rules(false).len()),
        (LintRule::ALL.len(), LintRule::ALL.len())
    );
}

/// In a template for all centres and in one centre's, with file, word and fix.
#[test]
fn each_planted_word_is_refused() {
    for p in planted() {
        let (rule, tag, kind) = (p.rule, p.tag, p.kind);
        for file in [
            format!("{tag}/{kind}.txt"),
            format!("centres/BRK/{tag}/{kind}.txt"),
        ] {
            let dir = folder(&file, &p.text);
            let problems = Templates::load(Some(dir.path()))
                .err()
                .unwrap_or_else(|| panic!("{rule:?} passes: {}", p.text));
            assert_eq!(problems.len(), 1, "{rule:?}: {problems:?}");
            let found = &problems[0];
            assert!(
                found.key.ends_with(&file) && found.what.contains(p.word) && found.fix.len() > 20,
                "{rule:?}: {found}"
            );
        }
    }
}

#[test]
fn every_branch_and_value_is_checked() {
    for text in [
        "{{ centre }}: hello, this is about {% if false %}the court{% endif %} {{ phone }}",
        "{{ centre }}: hello there, how are you today? {{ \"the court\" }}",
    ] {
        assert!(
            Templates::load(Some(folder("en/help.txt", text).path())).is_err(),
            "{text}"
        );
    }
}

#[test]
fn words_are_allowed_where_they_belong() {
    for (kind, change) in [
        (
            MessageKind::Help,
            "+ Text STOP to end texts. Please stop at the gate, and cancel nothing.",
        ),
        (
            MessageKind::NoteRequest,
            "+ Bring a doctor's note, then there is no fee.",
        ),
        (
            MessageKind::FeeNotice,
            "+ Please pay {{ amount }} for {{ day }}.",
        ),
        (
            MessageKind::UnclearReply,
            "+ We ask because we want to be sure. Are both of you well?Thank you.",
        ),
    ] {
        let text = changed("en", kind.as_str(), change);
        assert!(
            Templates::load(Some(folder(&format!("en/{kind}.txt"), &text).path())).is_ok(),
            "{text}"
        );
    }
}
