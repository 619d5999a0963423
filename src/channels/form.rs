//! URL-encoded forms, read and written.

pub(super) fn encode_form(pairs: &[(&str, &str)]) -> String {
    let mut out = String::with_capacity(512);
    for (key, value) in pairs {
        if !out.is_empty() {
            out.push('&');
        }
        out.push_str(key);
        out.push('=');
        percent_encode(value, &mut out);
    }
    out
}

fn percent_encode(text: &str, out: &mut String) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for b in text.bytes() {
        match b {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'*' => {
                out.push(char::from(b))
            }
            b' ' => out.push('+'),
            _ => {
                out.push('%');
                out.push(char::from(HEX[usize::from(b >> 4)]));
                out.push(char::from(HEX[usize::from(b & 15)]));
            }
        }
    }
}

/// Reads a form; `None` if it is not UTF-8.
pub fn parse_form(body: &[u8]) -> Option<Vec<(String, String)>> {
    parse_form_bytes(body)
        .into_iter()
        .map(|(k, v)| Some((String::from_utf8(k).ok()?, String::from_utf8(v).ok()?)))
        .collect()
}

/// Reads a form as bytes, so that a signature can be checked over exactly what was sent.
pub fn parse_form_bytes(body: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
    body.split(|b| *b == b'&')
        .filter(|p| !p.is_empty())
        .map(|pair| {
            let at = pair.iter().position(|b| *b == b'=').unwrap_or(pair.len());
            (
                percent_decode(&pair[..at]),
                percent_decode(pair.get(at + 1..).unwrap_or(&[])),
            )
        })
        .collect()
}

fn percent_decode(part: &[u8]) -> Vec<u8> {
    let hex = |b: Option<&u8>| b.and_then(|b| char::from(*b).to_digit(16));
    let mut out = Vec::with_capacity(part.len());
    let mut i = 0;
    while i < part.len() {
        match part[i] {
            b'+' => out.push(b' '),
            b'%' => match (hex(part.get(i + 1)), hex(part.get(i + 2))) {
                (Some(h), Some(l)) => {
                    out.push((h * 16 + l) as u8);
                    i += 2;
                }
                _ => out.push(b'%'),
            },
            b => out.push(b),
        }
        i += 1;
    }
    out
}

/// Bytes as text. Invalid UTF-8 is written as `\xFF`: nothing of a message is lost, and no broken
/// byte is mistaken for part of a word.
pub fn readable(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|e| {
        e.as_bytes()
            .utf8_chunks()
            .fold(String::new(), |mut out, chunk| {
                out.push_str(chunk.valid());
                chunk
                    .invalid()
                    .iter()
                    .for_each(|b| out.push_str(&format!("\\x{b:02X}")));
                out
            })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_survive_a_round_trip() {
        let text = "Séan & \"Co\" = 100% +1 £ 😊\n";
        let parsed = parse_form(encode_form(&[("Body", text), ("Empty", "")]).as_bytes()).unwrap();
        assert_eq!(
            parsed,
            [
                ("Body".to_owned(), text.to_owned()),
                ("Empty".to_owned(), String::new())
            ]
        );
        assert_eq!(parse_form(b"a=%ff"), None);
        assert_eq!(readable(b"YES\xff\xfe ok".to_vec()), "YES\\xFF\\xFE ok");
        assert_eq!(
            parse_form(b"a=%4&b").unwrap(),
            [("a".into(), "%4".into()), ("b".into(), String::new())]
        );
    }
}
