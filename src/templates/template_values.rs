//! Finds the values in a rendered text. Each `{{ value }}` and each `{% if %}` sentence of a
//! template is marked before rendering, so that the result shows what was filled in, in order.

/// Enclose a value; no text contains these characters.
const MARKS: [char; 2] = ['\u{1}', '\u{2}'];

/// Marks the values and the conditional sentences of a template. A nested one belongs to the outer.
pub(super) fn mark(source: &str) -> String {
    let mut out = String::with_capacity(source.len() + 16);
    let mut depth = 0usize;
    let mut rest = source;
    while let Some(at) = rest.find("{{").into_iter().chain(rest.find("{%")).min() {
        let close = if rest[at..].starts_with("{{") {
            "}}"
        } else {
            "%}"
        };
        let Some(len) = rest[at..].find(close).map(|n| n + close.len()) else {
            break;
        };
        let (before, tag) = (&rest[..at], &rest[at..at + len]);
        let word = tag[2..]
            .trim_start_matches(['-', '+'])
            .split_whitespace()
            .next()
            .unwrap_or("");
        let (opens, ends) = (
            close == "%}" && matches!(word, "if" | "for" | "with" | "filter"),
            close == "%}" && word.starts_with("end"),
        );
        let is_value = depth == 0 && close == "}}";
        out.push_str(before);
        if is_value || (opens && depth == 0) {
            out.push(MARKS[0]);
        }
        depth = (depth + usize::from(opens)).saturating_sub(usize::from(ends));
        out.push_str(tag);
        if is_value || (ends && depth == 0) {
            out.push(MARKS[1]);
        }
        rest = &rest[at + len..];
    }
    out.push_str(rest);
    out
}

fn single_spaces(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Splits a rendered text into the text to send and its values, in order.
pub(super) fn take(rendered: &str) -> (String, Vec<String>) {
    let values = rendered
        .split(MARKS[0])
        .skip(1)
        .map(|v| single_spaces(v.split(MARKS[1]).next().unwrap_or("")))
        .collect();
    (single_spaces(&rendered.replace(MARKS, "")), values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_and_sentences_are_found_in_their_order() {
        let marked = mark(
            "{{ a }}: on {{- b }}. {% if c %}After {{ c }}{% if d %} x{% endif %}. {% else %}Now. \
             {% endif %}Phone {{ e }} end",
        );
        assert_eq!(
            marked,
            "\u{1}{{ a }}\u{2}: on \u{1}{{- b }}\u{2}. \u{1}{% if c %}After {{ c }}{% if d %} x{% \
             endif %}. {% else %}Now. {% endif %}\u{2}Phone \u{1}{{ e }}\u{2} end"
        );
        let (words, values) =
            take("\u{1}Birchfield\u{2}: on \u{1}Sat\u{2}. \u{1}\u{2}Phone \u{1} 020 \u{2}\n end");
        assert_eq!(words, "Birchfield: on Sat. Phone 020 end");
        assert_eq!(values, ["Birchfield", "Sat", "", "020"]);
    }

    /// `docs/whatsapp.md` names the values of each kind; every variant of a text has as many.
    #[test]
    fn every_variant_of_a_text_has_the_values_that_are_documented() {
        let documented: std::collections::HashMap<&str, usize> =
            include_str!("../../docs/whatsapp.md")
                .lines()
                .filter_map(|l| l.strip_prefix("| `")?.split_once("` | "))
                .map(|(name, rest)| {
                    (
                        name,
                        rest.split('|').next().unwrap_or("").split(", ").count(),
                    )
                })
                .collect();
        let templates = crate::templates::Templates::load(None).unwrap();
        let mut seen = std::collections::HashSet::new();
        for say in crate::templates::samples() {
            let text = templates
                .render(&say, &crate::templates::sample_speaker(), "en")
                .unwrap();
            let name = crate::domain::outgoing::whatsapp::name_of(&say);
            let is_code = text.body.contains("527");
            if let Some(n) = documented.get(name).filter(|_| !is_code) {
                let token = usize::from(!say.buttons().is_empty());
                // A word takes the place of buttons in free words only.
                let by_word = usize::from(text.body.contains("ILL CHILD"));
                assert_eq!(
                    text.values.len() + token + by_word,
                    *n,
                    "{name}: {:?}",
                    text.values
                );
                seen.insert(name);
            }
        }
        assert_eq!(seen.len(), documented.len(), "a name that no text has");
    }

    #[test]
    fn what_is_no_template_stays_as_it_is() {
        for text in ["", "yes: Yes\nno: No", "a {{ b", "}} {", "{% if x"] {
            assert_eq!(mark(text), text);
        }
        assert_eq!(take("plain  words"), ("plain words".to_owned(), Vec::new()));
    }
}
