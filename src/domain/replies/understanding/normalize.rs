//! One spelling of a message, for comparing whole messages.

/// A message in small letters and single spaces, without marks. The phrases of other languages and
/// the private words of parents are compared in this form.
pub fn normalize(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            c if c.is_ascii_alphanumeric() => out.push(c.to_ascii_lowercase()),
            c if c.is_alphanumeric() => out.extend(c.to_lowercase()),
            '\'' | '’' | '\u{200b}'..='\u{200f}' | '\u{feff}' => {}
            _ if !out.is_empty() && !out.ends_with(' ') => out.push(' '),
            _ => {}
        }
    }
    out.truncate(out.trim_end().len());
    out
}
