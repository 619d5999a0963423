//! Words and patterns of words: how a text becomes words, and where a list of patterns fits. Knows no meaning; the lists are data.
//!
//! Everything is linear in the length of the text: a pattern is at most [`REACH`] words long, and what it can reach is one `u64`.

use super::local_time::parse_time;
use chrono::{NaiveTime, Weekday};
use std::collections::HashMap;
use toml::{Table, Value};

/// No match is longer than this.
const REACH: usize = 40;

/// A word as a number.
pub(super) type Id = u32;
pub(super) const UNKNOWN: Id = 0;
/// The end of a sentence or line, a bracket, a picture.
pub(super) const BREAK: Id = 1;
pub(super) const ASK: Id = 2;
pub(super) const NUM: Id = 3;
pub(super) const TIME: Id = 4;
pub(super) const DATE: Id = 5;
pub(super) const PHONE: Id = 6;
const MONEY: Id = 7;
const FIRST_WORD: Id = 8;

const DAYS: [(&str, Weekday); 7] = [
    ("monday", Weekday::Mon),
    ("tuesday", Weekday::Tue),
    ("wednesday", Weekday::Wed),
    ("thursday", Weekday::Thu),
    ("friday", Weekday::Fri),
    ("saturday", Weekday::Sat),
    ("sunday", Weekday::Sun),
];
const MONTHS: [&str; 12] = ["january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"];

/// A word of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) id: Id,
    /// Of a date: the day of the month, and a hundred for each month where one is named; of a time: the minute of the day, if both can be read.
    pub(super) value: u16,
}

const fn word(id: Id) -> Word {
    Word { id, value: 0 }
}

/// The words of a language with their other spellings.
#[derive(Default)]
pub(super) struct Vocabulary {
    ids: HashMap<Box<str>, Id>,
    expand: HashMap<Box<str>, Vec<Id>>,
    join: HashMap<(Id, Id), Id>,
    days: HashMap<Id, Weekday>,
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

enum Part {
    /// One of these words.
    Word(Id),
    /// Up to three words of any kind.
    Gap,
    Choice {
        words: Vec<Id>,
        longer: Vec<Vec<Part>>,
        optional: bool,
    },
}

/// Patterns, each with the number of its list.
#[derive(Default)]
pub(super) struct Patterns {
    all: Vec<(u16, Vec<Part>)>,
    by_first: HashMap<Id, Vec<u32>>,
}

/// Plain small letter of a character: full-width forms and the letters of mathematics are letters; `None` is nothing at all.
fn plain(c: char) -> Option<char> {
    match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(c as u32 - 0xfee0),
        '\u{1d400}'..='\u{1d6a3}' => char::from_u32(match (c as u32 - 0x1d400) % 52 {
            n @ 0..=25 => 'a' as u32 + n,
            n => 'a' as u32 + n - 26,
        }),
        'Ⓐ'..='Ⓩ' => char::from_u32(c as u32 - 'Ⓐ' as u32 + 'a' as u32),
        'ⓐ'..='ⓩ' => char::from_u32(c as u32 - 'ⓐ' as u32 + 'a' as u32),
        '’' | '‘' | '`' | '´' | 'ʼ' => Some('\''),
        '\0' | '\u{ad}' | '\u{300}'..='\u{36f}' | '\u{1ab0}'..='\u{1aff}' | '\u{20d0}'..='\u{20ff}' => None,
        '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{fe00}'..='\u{fe0f}' => None,
        c => Some(c),
    }
}

impl Vocabulary {
    /// Reads the spelling of a language.
    ///
    /// # Errors
    /// What is wrong with the lists.
    pub(super) fn read(t: &Table) -> Result<Self, String> {
        let mut v = Self { next: FIRST_WORD, ..Self::default() };
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
                let letter = v.ids.get(other.as_str()).copied().filter(|old| v.letters.contains_key(old));
                if let Some(letter) = letter {
                    v.letters.remove(&letter).map(|c| v.letters.insert(id, c));
                }
                if v.ids.insert(other.as_str().into(), id).is_some_and(|old| old != id && Some(old) != letter) {
                    return Err(format!("same: {other:?} stands for two words"));
                }
            }
        }
        for (short, long) in table(t, "expand")? {
            let long = long.as_str().ok_or_else(|| format!("expand: {short} is no text"))?;
            let ids = long.split(' ').map(|w| v.intern(w)).collect();
            v.expand.insert(short.as_str().into(), ids);
        }
        let two = table(t, "two")?;
        for (key, before) in [("before", true), ("after", false)] {
            for w in strings(two.get(key).ok_or_else(|| format!("two.{key} is missing"))?, key)? {
                let id = v.intern(&w);
                if before { v.before_two.push(id) } else { v.after_two.push(id) }
            }
        }
        v.to = v.intern("to");
        for (pair, one) in table(t, "join")? {
            let (a, b) = pair.split_once(' ').ok_or_else(|| format!("join: {pair:?} is not two words"))?;
            let one = one.as_str().ok_or_else(|| format!("join: {pair} is no text"))?;
            let key = (v.intern(a), v.intern(b));
            let one = v.intern(one);
            v.join.insert(key, one);
        }
        Ok(v)
    }

    fn intern(&mut self, w: &str) -> Id {
        if let Some(id) = self.ids.get(w) {
            return *id;
        }
        let id = self.next;
        self.next += 1;
        self.ids.insert(w.into(), id);
        id
    }

    /// Every plain slip of the finger in these words is understood, unless it is a word itself.
    pub(super) fn add_slips(&mut self, t: &Table) -> Result<(), String> {
        let slips = table(t, "slips")?;
        let list = |key: &str| slips.get(key).map_or(Ok(Vec::new()), |l| strings(l, key));
        let never = list("never")?;
        for w in list("words")? {
            let Some(&id) = self.ids.get(w.as_str()) else { return Err(format!("slips: {w:?} is in no list")) };
            for slip in slips_of(&w) {
                if !never.contains(&slip) && !self.expand.contains_key(slip.as_str()) {
                    self.ids.entry(slip.into()).or_insert(id);
                }
            }
        }
        Ok(())
    }

    /// The weekday that a word names.
    pub(super) fn day(&self, id: Id) -> Option<Weekday> {
        self.days.get(&id).copied()
    }

    /// The single letter that a word is.
    pub(super) fn letter(&self, id: Id) -> Option<char> {
        self.letters.get(&id).copied()
    }

    fn id_of(&self, w: &str) -> Option<Id> {
        self.ids.get(w).copied()
    }

    /// The words of a text.
    pub(super) fn words(&self, text: &str) -> Vec<Word> {
        let mut out: Vec<Word> = Vec::with_capacity(text.len() / 5 + 2);
        let mut current = String::new();
        let mut chars = text.chars().filter_map(plain).peekable();
        while let Some(c) = chars.next() {
            let next_is = |chars: &mut std::iter::Peekable<_>, f: fn(&char) -> bool| chars.peek().is_some_and(f);
            match c {
                c if c.is_alphanumeric() => current.extend(c.to_lowercase()),
                '\'' if !current.is_empty() && next_is(&mut chars, |c| c.is_alphabetic()) => current.push('\''),
                '\'' => {}
                ':' | '.' | '/' if current.bytes().last().is_some_and(|b| b.is_ascii_digit()) && next_is(&mut chars, char::is_ascii_digit) => current.push(c),
                '-' | '‐' | '‑' | '*' | '_' if !current.is_empty() && next_is(&mut chars, |c| c.is_alphanumeric()) => self.flush(&mut current, &mut out),
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
                    out.push(word(self.id_of(c.encode_utf8(&mut [0; 4])).unwrap_or(UNKNOWN)));
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
        if let [.., before, two @ Word { id: NUM, value: 2 }] = out.as_mut_slice()
            && self.before_two.contains(&before.id)
            && self.after_two.contains(&w.id)
        {
            *two = word(self.to);
        }
        let last = out.last().copied().unwrap_or(word(BREAK));
        if let Some(&one) = self.join.get(&(last.id, w.id)) {
            out.pop();
            out.push(word(one));
        } else if self.clock.contains(&w.id) && (last.id == TIME || (last.id == NUM && last.value <= 24)) {
            out.pop();
            out.push(Word { id: TIME, value: if last.id == TIME { last.value } else { last.value * 60 } });
        } else if let Some(value) = self.date(self.month(w.id), last).or_else(|| self.date(self.month(last.id), w)) {
            out.pop();
            out.push(Word { id: DATE, value });
        } else if let Some(month) = self.month(w.id)
            && let [.., Word { id: DATE, value }, of] = out.as_mut_slice()
            && self.id_of("of") == Some(of.id)
        {
            *value = month + *value % 100;
            out.pop();
        } else {
            out.push(w);
        }
    }

    /// The date that a number in figures is beside a month; a small number may be a word of its own in a list.
    fn date(&self, month: Option<u16>, day: Word) -> Option<u16> {
        let month = month?;
        match day.id {
            NUM | DATE => Some(month + day.value % 100),
            id if id < FIRST_WORD => None,
            id => (1..=31).find(|n: &u16| self.id_of(&n.to_string()) == Some(id)).map(|n| month + n),
        }
    }

    /// A hundred for each month up to the one that a word names.
    fn month(&self, id: Id) -> Option<u16> {
        self.months.iter().find(|(m, _)| *m == id).map(|(_, n)| n * 100)
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
                let month: u16 = rest[1..].split(['/', '.']).next().and_then(|m| m.parse().ok()).unwrap_or(99);
                Some((DATE, number + 100 * month.min(99)))
            }
            _ if rest.starts_with('/') => Some((DATE, u16::MAX)),
            _ => None,
        };
        if let Some((id, value)) = id_value {
            return self.push(out, Word { id, value });
        }
        if rest.starts_with([':', '.']) {
            let (clock, half) = match w.strip_suffix("pm") {
                Some(c) => (c, 12),
                None => (w.strip_suffix("am").unwrap_or(w), 0),
            };
            use chrono::Timelike;
            let clock = if n == 1 { format!("0{}", clock.replace('.', ":")) } else { clock.replace('.', ":") };
            let Some(t): Option<NaiveTime> = parse_time(&clock) else { return out.push(word(UNKNOWN)) };
            let hour = u16::try_from(t.hour()).unwrap_or(0);
            let hour = if half == 12 && hour < 12 { hour + 12 } else { hour };
            return out.push(Word { id: TIME, value: hour * 60 + u16::try_from(t.minute()).unwrap_or(0) });
        }
        // "10mins": a number and its unit.
        self.push(out, Word { id: if n >= 5 { PHONE } else { NUM }, value: number });
        if rest.bytes().all(|b| b.is_ascii_alphabetic()) { self.spell(rest, out) } else { out.push(word(UNKNOWN)) }
    }
}

fn squeeze(w: &str, keep: usize) -> String {
    let chars: Vec<char> = w.chars().collect();
    let mut out = String::with_capacity(w.len());
    let mut i = 0;
    while i < chars.len() {
        let run = chars[i..].iter().take_while(|c| **c == chars[i]).count();
        out.extend(std::iter::repeat_n(chars[i], if run >= 3 { keep } else { run }));
        i += run;
    }
    out
}

/// A letter twice, left out, swapped with the next, or replaced by the key beside it.
fn slips_of(w: &str) -> Vec<String> {
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
            let Some(at) = row.chars().position(|k| k == c[i]) else { continue };
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

pub(super) fn table<'a>(t: &'a Table, key: &str) -> Result<&'a Table, String> {
    t.get(key).and_then(Value::as_table).ok_or_else(|| format!("{key} is missing"))
}

pub(super) fn strings(v: &Value, at: &str) -> Result<Vec<String>, String> {
    let list = v.as_array().ok_or_else(|| format!("{at} is no list"))?;
    list.iter().map(|x| x.as_str().map(str::to_owned).ok_or_else(|| format!("{at} holds something that is no text"))).collect()
}

/// Builds patterns of a language.
pub(super) struct Builder<'a> {
    pub(super) vocabulary: Vocabulary,
    pub(super) classes: &'a Table,
    /// First names, for `<name>`.
    pub(super) names: Vec<String>,
}

impl Builder<'_> {
    /// Adds a pattern of a list.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn add(&mut self, to: &mut Patterns, list: u16, pattern: &str) -> Result<(), String> {
        let parts = self.parts(pattern, 0)?;
        let mut firsts = Vec::new();
        if !self.firsts(&parts, &mut firsts) || firsts.is_empty() {
            return Err(format!("{pattern:?} can be nothing, or begins with a gap"));
        }
        firsts.sort_unstable();
        firsts.dedup();
        let n = u32::try_from(to.all.len()).map_err(|e| e.to_string())?;
        to.all.push((list, parts));
        for f in firsts {
            to.by_first.entry(f).or_default().push(n);
        }
        Ok(())
    }

    fn parts(&mut self, pattern: &str, deep: usize) -> Result<Vec<Part>, String> {
        if deep > 6 {
            return Err(format!("{pattern:?}: a list of classes names itself"));
        }
        let mut out: Vec<Part> = Vec::new();
        for token in pattern.split(' ').filter(|t| !t.is_empty()) {
            if token == ".." {
                out.push(Part::Gap);
                continue;
            }
            let (token, optional) = token.strip_suffix('?').map_or((token, false), |t| (t, true));
            if !optional && !token.contains(['|', '{', '<']) {
                for id in self.plain_word(token) {
                    // Texts are joined as they are read; so are patterns.
                    let joined = match out.last() {
                        Some(Part::Word(last)) => self.vocabulary.join.get(&(*last, id)).copied(),
                        _ => None,
                    };
                    match joined {
                        Some(one) => {
                            out.pop();
                            out.push(Part::Word(one));
                        }
                        None => out.push(Part::Word(id)),
                    }
                }
                continue;
            }
            let (mut words, mut longer) = (Vec::new(), Vec::new());
            for alternative in alternatives(token) {
                self.alternative(&alternative, &mut words, &mut longer, deep)?;
            }
            words.sort_unstable();
            words.dedup();
            out.push(Part::Choice { words, longer, optional });
        }
        Ok(out)
    }

    fn plain_word(&mut self, w: &str) -> Vec<Id> {
        if let Some(ids) = self.vocabulary.expand.get(w) {
            return ids.clone();
        }
        vec![self.vocabulary.intern(w)]
    }

    fn alternative(&mut self, a: &str, words: &mut Vec<Id>, longer: &mut Vec<Vec<Part>>, deep: usize) -> Result<(), String> {
        if let Some(special) = a.strip_prefix('<').and_then(|a| a.strip_suffix('>')) {
            match special {
                "num" => words.push(NUM),
                "time" => words.push(TIME),
                "date" => words.push(DATE),
                "phone" => words.push(PHONE),
                "unknown" => words.push(UNKNOWN),
                "day" => words.extend(self.vocabulary.days.keys()),
                "name" => {
                    for name in self.names.clone() {
                        words.extend(self.plain_word(&name));
                    }
                }
                other => return Err(format!("<{other}> is nothing")),
            }
            return Ok(());
        }
        if let Some(inner) = a.strip_prefix('{').and_then(|a| a.strip_suffix('}')) {
            for name in inner.split('|') {
                match self.classes.get(name) {
                    Some(list) => {
                        for entry in strings(list, name)? {
                            let parts = self.parts(&entry, deep + 1)?;
                            match parts.as_slice() {
                                [Part::Word(id)] => words.push(*id),
                                _ => longer.push(parts),
                            }
                        }
                    }
                    None if inner.contains('|') => words.extend(self.plain_word(name)),
                    None => return Err(format!("{{{name}}} is no list of classes")),
                }
            }
            return Ok(());
        }
        // "the_dark" is two words that stand for one alternative.
        if a.contains('_') {
            longer.push(self.parts(&a.replace('_', " "), deep + 1)?);
            return Ok(());
        }
        match self.plain_word(a).as_slice() {
            [one] => words.push(*one),
            many => longer.push(many.iter().map(|id| Part::Word(*id)).collect()),
        }
        Ok(())
    }

    /// The words with which these parts may begin; false if they may be nothing at all or anything.
    fn firsts(&self, parts: &[Part], out: &mut Vec<Id>) -> bool {
        for p in parts {
            match p {
                Part::Word(id) => {
                    out.push(*id);
                    return true;
                }
                Part::Gap => return false,
                Part::Choice { words, longer, optional } => {
                    out.extend(words);
                    for l in longer {
                        if !self.firsts(l, out) {
                            return false;
                        }
                    }
                    if !optional {
                        return true;
                    }
                }
            }
        }
        false
    }
}

/// Splits at `|` outside braces.
fn alternatives(token: &str) -> Vec<String> {
    let mut out = vec![String::new()];
    let mut inside = false;
    for c in token.chars() {
        match c {
            '{' => inside = true,
            '}' => inside = false,
            _ => {}
        }
        if c == '|' && !inside {
            out.push(String::new());
        } else if let Some(last) = out.last_mut() {
            last.push(c);
        }
    }
    out
}

/// Where `parts` may end when they begin at the front of `words`: bit n is "after n words".
fn ends(parts: &[Part], words: &[Word]) -> u64 {
    let mut at: u64 = 1;
    for p in parts {
        let mut next: u64 = 0;
        let mut open = at;
        while open != 0 {
            let n = open.trailing_zeros() as usize;
            open &= open - 1;
            if n < REACH && n <= words.len() {
                next |= part_ends(p, &words[n..]) << n;
            }
        }
        at = next;
        if at == 0 {
            break;
        }
    }
    at & ((1 << (REACH + 1)) - 1)
}

fn part_ends(p: &Part, words: &[Word]) -> u64 {
    let first = words.first().map(|w| w.id);
    match p {
        Part::Word(id) => u64::from(first == Some(*id)) << 1,
        Part::Gap => (1 << (words.len().min(3) + 1)) - 1,
        Part::Choice { words: one, longer, optional } => {
            let mut at = u64::from(*optional);
            if let Some(first) = first {
                at |= u64::from(one.binary_search(&first).is_ok()) << 1;
            }
            for l in longer {
                if !matches!(l.first(), Some(Part::Word(id)) if Some(*id) != first) {
                    at |= ends(l, words);
                }
            }
            at
        }
    }
}

impl Patterns {
    /// The longest match at the front of `words`: how many words, and of which list; of equals the first list.
    pub(super) fn longest(&self, words: &[Word]) -> Option<(usize, u16)> {
        let mut best: Option<(usize, u16)> = None;
        for &n in self.by_first.get(&words.first()?.id)? {
            let (list, parts) = &self.all[n as usize];
            let reached = ends(parts, words);
            if reached > 1 {
                let len = 63 - reached.leading_zeros() as usize;
                if best.is_none_or(|(b, l)| len > b || (len == b && *list < l)) {
                    best = Some((len, *list));
                }
            }
        }
        best
    }

    /// Every length at which one matches at the front of `words`, the longest first; of equals the first list.
    pub(super) fn lengths(&self, words: &[Word]) -> Vec<(usize, u16)> {
        let mut found: Vec<(usize, u16)> = Vec::new();
        for &n in words.first().and_then(|w| self.by_first.get(&w.id)).into_iter().flatten() {
            let (list, parts) = &self.all[n as usize];
            let reached = ends(parts, words);
            for len in (1..=REACH).filter(|len| reached >> len & 1 == 1) {
                match found.iter_mut().find(|(l, _)| *l == len) {
                    Some((_, old)) => *old = (*old).min(*list),
                    None => found.push((len, *list)),
                }
            }
        }
        found.sort_unstable_by_key(|f| std::cmp::Reverse(f.0));
        found
    }

    /// Every match of these words: from, to, list. Longest per pattern.
    pub(super) fn all<'a>(&'a self, words: &'a [Word]) -> impl Iterator<Item = (usize, usize, u16)> + 'a {
        words.iter().enumerate().flat_map(move |(at, w)| {
            self.by_first.get(&w.id).into_iter().flatten().filter_map(move |&n| {
                let (list, parts) = &self.all[n as usize];
                let reached = ends(parts, &words[at..]);
                (reached > 1).then(|| (at, at + 63 - reached.leading_zeros() as usize, *list))
            })
        })
    }

    /// Whether any fits anywhere.
    pub(super) fn any(&self, words: &[Word]) -> bool {
        self.all(words).next().is_some()
    }

    /// Whether one fits from the first word to the last.
    pub(super) fn whole(&self, words: &[Word]) -> bool {
        let Some(first) = words.first() else { return false };
        if words.len() > REACH {
            return false;
        }
        self.by_first.get(&first.id).into_iter().flatten().any(|&n| ends(&self.all[n as usize].1, words) >> words.len() & 1 == 1)
    }
}
