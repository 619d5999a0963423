//! How a text becomes words: spelling, numbers, dates and times of day.

use crate::domain::local_time::parse_time;
use crate::domain::replies::patterns::slips::slips_of;
use crate::domain::replies::patterns::{
    ASK, BREAK, DATE, FIRST_WORD, Id, MONEY, NUM, PHONE, TIME, UNKNOWN, Word, strings, table, word,
};
use chrono::{NaiveTime, Timelike, Weekday};
use rustc_hash::FxHashMap as HashMap;
use toml::Table;

const DAYS: [(&str, Weekday); 7] = [
    ("monday", Weekday::Mon),
    ("tuesday", Weekday::Tue),
    ("wednesday", Weekday::Wed),
    ("thursday", Weekday::Thu),
    ("friday", Weekday::Fri),
    ("saturday", Weekday::Sat),
    ("sunday", Weekday::Sun),
];
const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// The words of a language with their other spellings.
#[derive(Default)]
pub(in crate::domain) struct Vocabulary {
    ids: HashMap<Box<str>, Id>,
    pub(super) expand: HashMap<Box<str>, Vec<Id>>,
    pub(super) join: HashMap<(Id, Id), Id>,
    pub(super) days: HashMap<Id, Weekday>,
    months: Vec<(Id, u16)>,
    s: Id,
    letters: HashMap<Id, char>,
    clock: Vec<Id>,
    /// "2" between one of these and one of those is "to".
    before_two: Vec<Id>,
    after_two: Vec<Id>,
    to: Id,
    next: Id,
}

/// Plain small letter of a character: full-width forms and the letters of mathematics are letters;
/// `None` is nothing at all.
fn plain(c: char) -> Option<char> {
    match c {
        ' '..='_' | 'a'..='~' => Some(c),
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(c as u32 - 0xfee0),
        '\u{1d400}'..='\u{1d6a3}' => char::from_u32(match (c as u32 - 0x1d400) % 52 {
            n @ 0..=25 => 'a' as u32 + n,
            n => 'a' as u32 + n - 26,
        }),
        'Ⓐ'..='Ⓩ' => char::from_u32(c as u32 - 'Ⓐ' as u32 + 'a' as u32),
        'ⓐ'..='ⓩ' => char::from_u32(c as u32 - 'ⓐ' as u32 + 'a' as u32),
        '’' | '‘' | '`' | '´' | 'ʼ' => Some('\''),
        '\0'
        | '\u{ad}'
        | '\u{300}'..='\u{36f}'
        | '\u{1ab0}'..='\u{1aff}'
        | '\u{20d0}'..='\u{20ff}' => None,
        '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{2069}'
        | '\u{feff}'
        | '\u{fe00}'..='\u{fe0f}' => None,
        c => Some(c),
    }
}

impl Vocabulary {
    /// Reads the spelling of a language.
    ///
    /// # Errors
    /// What is wrong with the lists.
    pub(in crate::domain) fn read(t: &Table) -> Result<Self, String> {
        let mut v = Self {
            next: FIRST_WORD,
            ..Self::default()
        };
        v.s = v.intern("s");
        for c in 'a'..='z' {
            let id = v.intern(c.encode_utf8(&mut [0; 4]));
            v.letters.insert(id, c);
        }
        for (name, day) in DAYS {
            let id = v.intern(name);
            v.days.insert(id, day);
        }
        for (name, n) in MONTHS.into_iter().zip(1..) {
            let id = v.intern(name);
            let short = v.ids.get(name).copied().unwrap_or(id);
            v.ids.entry(name[..3].into()).or_insert(short);
            // "may" is a doubt before it is a month.
            if name != "may" {
                v.months.push((id, n));
            }
        }
        v.ids.insert("spoken-stop".into(), BREAK);
        v.ids.insert("spoken-question".into(), ASK);
        v.ids.insert("£".into(), MONEY);
        v.ids.insert("€".into(), MONEY);
        for name in ["oclock", "am", "pm"] {
            let id = v.intern(name);
            v.clock.push(id);
        }
        for (right, others) in table(t, "same")? {
            let id = v.intern(right);
            for other in strings(others, right)? {
                let letter = v
                    .ids
                    .get(other.as_str())
                    .copied()
                    .filter(|old| v.letters.contains_key(old));
                if let Some(letter) = letter {
                    v.letters.remove(&letter).map(|c| v.letters.insert(id, c));
                }
                if v.ids
                    .insert(other.as_str().into(), id)
                    .is_some_and(|old| old != id && Some(old) != letter)
                {
                    return Err(format!("same: {other:?} stands for two words"));
                }
            }
        }
        for (short, long) in table(t, "expand")? {
            let long = long
                .as_str()
                .ok_or_else(|| format!("expand: {short} is no text"))?;
            let ids = long.split(' ').map(|w| v.intern(w)).collect();
            v.expand.insert(short.as_str().into(), ids);
        }
        let two = table(t, "two")?;
        for (key, before) in [("before", true), ("after", false)] {
            for w in strings(
                two.get(key)
                    .ok_or_else(|| format!("two.{key} is missing"))?,
                key,
            )? {
                let id = v.intern(&w);
                if before {
                    v.before_two.push(id)
                } else {
                    v.after_two.push(id)
                }
            }
        }
        v.to = v.intern("to");
        for (pair, one) in table(t, "join")? {
            let (a, b) = pair
                .split_once(' ')
                .ok_or_else(|| format!("join: {pair:?} is not two words"))?;
            let one = one
                .as_str()
                .ok_or_else(|| format!("join: {pair} is no text"))?;
            let key = (v.intern(a), v.intern(b));
            let one = v.intern(one);
            v.join.insert(key, one);
        }
        Ok(v)
    }

    pub(super) fn intern(&mut self, w: &str) -> Id {
        if let Some(id) = self.ids.get(w) {
            return *id;
        }
        let id = self.next;
        self.next += 1;
        self.ids.insert(w.into(), id);
        id
    }

    /// Every plain slip of the finger in these words is understood, unless it is a word itself.
    pub(in crate::domain) fn add_slips(&mut self, t: &Table) -> Result<(), String> {
        let slips = table(t, "slips")?;
        let list = |key: &str| slips.get(key).map_or(Ok(Vec::new()), |l| strings(l, key));
        let never = list("never")?;
        for w in list("words")? {
            let Some(&id) = self.ids.get(w.as_str()) else {
                return Err(format!("slips: {w:?} is in no list"));
            };
            for slip in slips_of(&w) {
                if !never.contains(&slip) && !self.expand.contains_key(slip.as_str()) {
                    self.ids.entry(slip.into()).or_insert(id);
                }
            }
        }
        Ok(())
    }

    /// The weekday that a word names.
    pub(in crate::domain) fn day(&self, id: Id) -> Option<Weekday> {
        self.days.get(&id).copied()
    }

    /// The single letter that a word is.
    pub(in crate::domain) fn letter(&self, id: Id) -> Option<char> {
        self.letters.get(&id).copied()
    }

    fn id_of(&self, w: &str) -> Option<Id> {
        self.ids.get(w).copied()
    }

    /// The words of a text.
    pub(in crate::domain) fn words(&self, text: &str) -> Vec<Word> {
        let mut out: Vec<Word> = Vec::with_capacity(text.len() / 5 + 2);
        let mut current = String::new();
        let mut chars = text.chars().filter_map(plain).peekable();
        while let Some(c) = chars.next() {
            let next_is = |chars: &mut std::iter::Peekable<_>, f: fn(&char) -> bool| {
                chars.peek().is_some_and(f)
            };
            match c {
                c if c.is_ascii_alphanumeric() => current.push(c.to_ascii_lowercase()),
                c if c.is_alphanumeric() => current.extend(c.to_lowercase()),
                '\'' if !current.is_empty() && next_is(&mut chars, |c| c.is_alphabetic()) => {
                    current.push('\'')
                }
                '\'' => {}
                ':' | '.' | '/'
                    if current.bytes().last().is_some_and(|b| b.is_ascii_digit())
                        && next_is(&mut chars, char::is_ascii_digit) =>
                {
                    current.push(c)
                }
                '-' | '‐' | '‑' | '*' | '_'
                    if !current.is_empty() && next_is(&mut chars, |c| c.is_alphanumeric()) =>
                {
                    self.flush(&mut current, &mut out)
                }
                c if c.is_whitespace() && c != '\n' => self.flush(&mut current, &mut out),
                '?' => {
                    self.flush(&mut current, &mut out);
                    out.push(word(ASK));
                }
                // "yes/no", "y/n": one or the other.
                '/' if !current.is_empty() && next_is(&mut chars, |c| c.is_alphabetic()) => {
                    self.flush(&mut current, &mut out);
                    out.push(word(self.id_of("or").unwrap_or(UNKNOWN)));
                }
                '%' => {
                    self.flush(&mut current, &mut out);
                    out.push(word(self.id_of("percent").unwrap_or(UNKNOWN)));
                }
                '&' | '£' | '€' => {
                    self.flush(&mut current, &mut out);
                    out.push(word(
                        self.id_of(c.encode_utf8(&mut [0; 4])).unwrap_or(UNKNOWN),
                    ));
                }
                // A picture that stands for a word.
                c if !c.is_ascii() && self.ids.contains_key(c.encode_utf8(&mut [0; 4]) as &str) => {
                    self.flush(&mut current, &mut out);
                    self.spell(c.encode_utf8(&mut [0; 4]), &mut out);
                }
                _ => {
                    self.flush(&mut current, &mut out);
                    if out.last().is_some_and(|w| w.id != BREAK) {
                        out.push(word(BREAK));
                    }
                }
            }
        }
        self.flush(&mut current, &mut out);
        out
    }

    fn flush(&self, current: &mut String, out: &mut Vec<Word>) {
        if !current.is_empty() {
            self.spell(current, out);
            current.clear();
        }
    }

    fn push(&self, out: &mut Vec<Word>, w: Word) {
        // "need 2 cancel": the number is a word.
        if let [
            ..,
            before,
            two @ Word {
                id: NUM, value: 2, ..
            },
        ] = out.as_mut_slice()
            && self.before_two.contains(&before.id)
            && self.after_two.contains(&w.id)
        {
            *two = word(self.to);
        }
        let last = out.last().copied().unwrap_or(word(BREAK));
        if let Some(&one) = self.join.get(&(last.id, w.id)) {
            out.pop();
            out.push(word(one));
        } else if self.clock.contains(&w.id)
            && (last.id == TIME || (last.id == NUM && last.value <= 24))
        {
            out.pop();
            out.push(Word {
                id: TIME,
                value: if last.id == TIME {
                    last.value
                } else {
                    last.value * 60
                },
                ..last
            });
        } else if let Some(month) = self.month(w.id).filter(|_| matches!(last.id, NUM | DATE)) {
            out.pop();
            out.push(Word {
                id: DATE,
                value: month + last.value % 100,
                ..last
            });
        } else if let Some(month) = self.month(last.id).filter(|_| matches!(w.id, NUM | DATE)) {
            out.pop();
            out.push(Word {
                id: DATE,
                value: month + w.value % 100,
                ..w
            });
        } else if let Some(month) = self.month(w.id)
            && let [
                ..,
                Word {
                    id: DATE, value, ..
                },
                of,
            ] = out.as_mut_slice()
            && self.id_of("of") == Some(of.id)
        {
            *value = month + *value % 100;
            out.pop();
        } else {
            out.push(w);
        }
    }

    /// A hundred for each month up to the one that a word names.
    fn month(&self, id: Id) -> Option<u16> {
        self.months
            .iter()
            .find(|(m, _)| *m == id)
            .map(|(_, n)| n * 100)
    }

    fn known(&self, w: &str, out: &mut Vec<Word>) -> bool {
        if let Some(ids) = self.expand.get(w) {
            ids.iter().for_each(|id| self.push(out, word(*id)));
            return true;
        }
        if let Some(id) = self.id_of(w) {
            self.push(out, word(id));
            return true;
        }
        false
    }

    fn spell(&self, w: &str, out: &mut Vec<Word>) {
        if w.as_bytes().first().is_some_and(u8::is_ascii_digit) && self.id_of(w).is_none() {
            return self.figures(w, out);
        }
        if w.len() > 40 {
            return out.push(word(UNKNOWN));
        }
        if self.known(w, out) {
            return;
        }
        if w.contains('\'') {
            if let Some(base) = w.strip_suffix("'s")
                && !self.expand.contains_key(w.replace('\'', "").as_str())
            {
                self.spell(base, out);
                return self.push(out, word(self.s));
            }
            return self.spell(&w.replace('\'', ""), out);
        }
        // "hittin", "followin".
        if w.len() > 4 && w.ends_with("in") && self.known(&format!("{w}g"), out) {
            return;
        }
        // "yesssss", "nooo": a letter that stands three times or more was leaned on.
        for keep in [1, 2] {
            let squeezed = squeeze(w, keep);
            if squeezed != w && self.known(&squeezed, out) {
                return;
            }
        }
        out.push(word(UNKNOWN));
    }

    fn figures(&self, w: &str, out: &mut Vec<Word>) {
        let n = w.bytes().take_while(u8::is_ascii_digit).count();
        let (digits, rest) = w.split_at(n);
        let number: u16 = digits.parse().unwrap_or(u16::MAX);
        let id_value = match rest {
            "" if n >= 5 => Some((PHONE, 0)),
            "" => Some((NUM, number)),
            "st" | "nd" | "rd" | "th" if number <= 31 => Some((DATE, number)),
            "am" | "ish" if number <= 12 => Some((TIME, number % 12 * 60)),
            "pm" if number <= 12 => Some((TIME, (number % 12 + 12) * 60)),
            // "28/11", "28/11/26": the day, and the month if it is one.
            _ if rest.starts_with('/') && number <= 31 => {
                let month: u16 = rest[1..]
                    .split(['/', '.'])
                    .next()
                    .and_then(|m| m.parse().ok())
                    .unwrap_or(99);
                Some((DATE, number + 100 * month.min(99)))
            }
            _ if rest.starts_with('/') => Some((DATE, u16::MAX)),
            _ => None,
        };
        if let Some((id, value)) = id_value {
            return self.push(
                out,
                Word {
                    id,
                    value,
                    ends: false,
                },
            );
        }
        if rest.starts_with([':', '.']) {
            let (clock, half) = match w.strip_suffix("pm") {
                Some(c) => (c, 12),
                None => (w.strip_suffix("am").unwrap_or(w), 0),
            };
            let clock = if n == 1 {
                format!("0{}", clock.replace('.', ":"))
            } else {
                clock.replace('.', ":")
            };
            let Some(t): Option<NaiveTime> = parse_time(&clock) else {
                return out.push(word(UNKNOWN));
            };
            let hour = u16::try_from(t.hour()).unwrap_or(0);
            let hour = if half == 12 && hour < 12 {
                hour + 12
            } else {
                hour
            };
            return out.push(Word {
                id: TIME,
                value: hour * 60 + u16::try_from(t.minute()).unwrap_or(0),
                ends: false,
            });
        }
        // "10mins": a number and its unit.
        self.push(
            out,
            Word {
                id: if n >= 5 { PHONE } else { NUM },
                value: number,
                ends: false,
            },
        );
        if rest.bytes().all(|b| b.is_ascii_alphabetic()) {
            self.spell(rest, out)
        } else {
            out.push(word(UNKNOWN))
        }
    }
}

fn squeeze(w: &str, keep: usize) -> String {
    let chars: Vec<char> = w.chars().collect();
    let mut out = String::with_capacity(w.len());
    let mut i = 0;
    while i < chars.len() {
        let run = chars[i..].iter().take_while(|c| **c == chars[i]).count();
        out.extend(std::iter::repeat_n(
            chars[i],
            if run >= 3 { keep } else { run },
        ));
        i += run;
    }
    out
}
