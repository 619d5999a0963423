//! The sentence that each rule rests on, read from `docs/rules.md`.

use std::collections::HashMap;
use std::sync::LazyLock;

const PAGE: &str = include_str!("../../docs/rules.md");

/// A sentence and the document that holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RuleSentence {
    /// The title of the document, `Safety review` or `Choice`.
    pub(crate) document: &'static str,
    /// The sentence, without the quotation marks around it.
    pub(crate) sentence: &'static str,
}

static SENTENCES: LazyLock<HashMap<&'static str, RuleSentence>> =
    LazyLock::new(|| read(PAGE).collect());

/// The sentence that a rule rests on.
pub(crate) fn rule_sentence(rule: &str) -> Option<RuleSentence> {
    SENTENCES.get(rule).copied()
}

/// Reads the tables of rules: a row holds the rule, its sentence, its source, and how it is applied.
fn read(page: &'static str) -> impl Iterator<Item = (&'static str, RuleSentence)> {
    page.lines().filter_map(|line| {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        match cells.as_slice() {
            [_, "Rule" | "---", ..] => None,
            ["", rule, sentence, document, _, ""] => {
                let quoted = sentence.strip_prefix('“').and_then(|s| s.strip_suffix('”'));
                let sentence = quoted.unwrap_or(sentence);
                Some((*rule, RuleSentence { document, sentence }))
            }
            _ => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_stands_once_with_its_sentence_and_source() {
        let sources = [
            "Code of conduct, Derby",
            "Handbook for parents, Learning Steps",
            "Terms of use",
            "Safety review",
            "Choice",
        ];
        let mut rows = 0;
        for (rule, RuleSentence { document, sentence }) in read(PAGE) {
            rows += 1;
            assert!(sources.contains(&document), "{rule}: {document}");
            assert!(sentence.len() > 10, "{rule}: {sentence}");
            assert!(!sentence.contains('`'), "{rule}: {sentence}");
        }
        assert!(
            rows > 150 && rows == SENTENCES.len(),
            "{rows} rows, some of them twice"
        );
    }

    #[test]
    fn a_sentence_is_given_without_its_quotation_marks() {
        let late =
            "If contact is cancelled under 48 hours’ notice then the charge will be incurred.";
        let rule = rule_sentence("C01").unwrap();
        assert_eq!(
            (rule.document, rule.sentence),
            ("Handbook for parents, Learning Steps", late)
        );
        assert_eq!(rule_sentence("S1").unwrap().document, "Safety review");
        assert_eq!(rule_sentence("Rule"), None);
        assert_eq!(rule_sentence("nonsense"), None);
    }
}
