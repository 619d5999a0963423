//! Makes text from strangers safe to display: nothing in it controls the terminal or the page,
//! reverses the reading direction, or hides.

/// The most combining marks on one letter; no language needs more.
const MAX_MARKS: usize = 3;
/// Longer texts are cut.
const MAX_LENGTH: usize = 4_000;

fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}')
}

fn is_control(c: char) -> bool {
    (c.is_control() && c != '\n')
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// The text as it may be displayed. Line breaks stay; controls and invisible characters are named
/// (`<U+202E>`); excess combining marks and overlong texts are cut, with a note that says how much.
pub fn sanitize(text: &str) -> String {
    let mut out = String::with_capacity(text.len().min(MAX_LENGTH * 2));
    let (mut marks, mut heaped, mut n) = (0, 0, 0);
    let mut rest = text.chars();
    for c in rest.by_ref() {
        if is_mark(c) {
            marks += 1;
            if marks > MAX_MARKS {
                heaped += 1;
                continue;
            }
        } else {
            marks = 0;
        }
        if is_control(c) && c != '\r' {
            out.push_str(&format!("<U+{:04X}>", u32::from(c)));
        } else if c != '\r' {
            out.push(c);
        }
        n += 1;
        if n == MAX_LENGTH {
            break;
        }
    }
    let left = rest.count();
    if heaped > 0 {
        out.push_str(&format!(" <{heaped} marks left out>"));
    }
    if left > 0 {
        out.push_str(&format!(" <{left} more characters>"));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_steers_turns_or_hides() {
        for (text, want) in [
            ("Which door?\r\nThanks", "Which door?\nThanks"),
            ("", ""),
            ("a\0b", "a<U+0000>b"),
            ("\u{1b}[2Jyes", "<U+001B>[2Jyes"),
            ("\u{202e}sey", "<U+202E>sey"),
            ("ye\u{200b}s", "ye<U+200B>s"),
            ("Siobha\u{301}n 👍 👨‍👩‍👧", "Siobha\u{301}n 👍 👨‍👩‍👧"),
        ] {
            assert_eq!(sanitize(text), want);
        }
        assert_eq!(
            sanitize(&format!("o{}", "\u{301}".repeat(10_000))),
            "o\u{301}\u{301}\u{301} <9997 marks left out>"
        );
        let long = sanitize(&"x".repeat(100_000));
        assert!(long.ends_with(" <96000 more characters>") && long.len() < 5_000);
    }
}
