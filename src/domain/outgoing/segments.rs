//! Counts the SMS segments of a text (GSM 03.38: 160 or 153 septets; UCS-2: 70 or 67 units).

const GSM: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ \
                   !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
/// Characters that take two septets.
const GSM_TWO: &str = "^{}\\[~]|€\u{c}";

/// Whether every character is in the GSM alphabet. Otherwise the whole text is sent as UCS-2.
pub fn is_gsm(text: &str) -> bool {
    text.chars().all(|c| GSM.contains(c) || GSM_TWO.contains(c))
}

/// The number of segments. An escape pair or a surrogate pair is never split. An empty text takes
/// one.
pub fn segments(text: &str) -> u32 {
    let gsm = is_gsm(text);
    let (one, many) = if gsm { (160, 153) } else { (70, 67) };
    let width = |c: char| {
        if gsm {
            1 + usize::from(GSM_TWO.contains(c))
        } else {
            c.len_utf16()
        }
    };
    if text.chars().map(width).sum::<usize>() <= one {
        return 1;
    }
    let (mut n, mut room) = (1, many);
    for w in text.chars().map(width) {
        if w > room {
            n += 1;
            room = many;
        }
        room -= w;
    }
    n
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_counted_as_the_networks_do() {
        assert_eq!(segments(&"a".repeat(160)), 1);
        assert_eq!(segments(&"a".repeat(161)), 2);
        assert_eq!(segments(&"a".repeat(306)), 2);
        assert_eq!(segments(&"a".repeat(307)), 3);
        assert_eq!(segments(&"€".repeat(80)), 1);
        assert_eq!(segments(&"€".repeat(81)), 2);
        assert_eq!(segments(&"ó".repeat(70)), 1);
        assert_eq!(segments(&"ó".repeat(71)), 2);
        assert_eq!(segments(&"😊".repeat(36)), 2);
    }
}
