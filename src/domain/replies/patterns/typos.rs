//! Plain slips of the finger.

const KEYBOARD: [&str; 3] = ["qwertyuiop", "asdfghjkl", "zxcvbnm"];

/// A letter left out, doubled, swapped with the next one, or replaced by the key beside it.
///
/// The first letter stays: it is seldom wrong, and a word without it is often another word.
pub(super) fn typos_of(word: &str) -> Vec<String> {
    let chars: Vec<char> = word.chars().collect();
    let mut out = Vec::new();
    let join = |parts: &[&[char]]| parts.concat().iter().collect::<String>();
    for i in 0..chars.len() {
        let (before, after) = (&chars[..i], &chars[i + 1..]);
        out.push(join(&[before, after]));
        out.push(join(&[&chars[..=i], &chars[i..]]));
        if let [next, rest @ ..] = after {
            out.push(join(&[before, &[*next, chars[i]], rest]));
        }
        for key in keys_beside(chars[i]) {
            out.push(join(&[before, &[key], after]));
        }
    }
    out.retain(|typo| typo != word && typo.starts_with(chars[0]));
    out
}

fn keys_beside(letter: char) -> impl Iterator<Item = char> {
    KEYBOARD.into_iter().flat_map(move |row| {
        let at = row.chars().position(|key| key == letter);
        at.into_iter()
            .flat_map(|at| [at.wrapping_sub(1), at + 1])
            .filter_map(|beside| row.chars().nth(beside))
    })
}
