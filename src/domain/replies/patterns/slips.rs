//! Slips of the finger.

/// A letter twice, left out, swapped with the next, or replaced by the key beside it.
pub(super) fn slips_of(w: &str) -> Vec<String> {
    const KEYS: [&str; 3] = ["qwertyuiop", "asdfghjkl", "zxcvbnm"];
    let c: Vec<char> = w.chars().collect();
    let mut out = Vec::new();
    let join = |parts: &[&[char]]| parts.concat().iter().collect::<String>();
    for i in 0..c.len() {
        out.push(join(&[&c[..i], &c[i + 1..]]));
        out.push(join(&[&c[..=i], &c[i..]]));
        if i + 1 < c.len() {
            out.push(join(&[&c[..i], &[c[i + 1], c[i]], &c[i + 2..]]));
        }
        for row in KEYS {
            let Some(at) = row.chars().position(|k| k == c[i]) else {
                continue;
            };
            for beside in [at.wrapping_sub(1), at + 1] {
                if let Some(k) = row.chars().nth(beside) {
                    out.push(join(&[&c[..i], &[k], &c[i + 1..]]));
                }
            }
        }
    }
    // The first letter is seldom wrong, and a word without it is often another word.
    out.retain(|s| s != w && s.starts_with(c[0]));
    out
}
