//! How a text becomes words.

use crate::domain::replies::patterns::numbers::{Figures, read_figures};
use crate::domain::replies::patterns::vocabulary::Vocabulary;
use crate::domain::replies::patterns::word::{
    BREAK, DATE, NUMBER, QUESTION_MARK, TIME, UNKNOWN, Word,
};

/// No word is longer than this, in bytes.
const LONGEST_WORD: usize = 40;

impl Vocabulary {
    /// The words of a text.
    pub(crate) fn words(&self, text: &str) -> Vec<Word> {
        let mut tokenizer = Tokenizer {
            vocabulary: self,
            current: String::new(),
            out: Vec::with_capacity(text.len() / 5 + 2),
        };
        let mut chars = text.chars().filter_map(plain_char).peekable();
        while let Some(c) = chars.next() {
            tokenizer.read_char(c, chars.peek().copied());
        }
        tokenizer.end_word();
        tokenizer.out
    }
}

struct Tokenizer<'a> {
    vocabulary: &'a Vocabulary,
    /// The word that is being read.
    current: String,
    out: Vec<Word>,
}

impl Tokenizer<'_> {
    fn read_char(&mut self, c: char, next: Option<char>) {
        let in_word = !self.current.is_empty();
        let before = |is: fn(char) -> bool| next.is_some_and(is);
        match c {
            c if c.is_ascii_alphanumeric() => self.current.push(c.to_ascii_lowercase()),
            c if c.is_alphanumeric() => self.current.extend(c.to_lowercase()),
            '\'' if in_word && before(char::is_alphabetic) => self.current.push('\''),
            '\'' => {}
            ':' | '.' | '/' if self.is_in_a_number() && before(|next| next.is_ascii_digit()) => {
                self.current.push(c);
            }
            '-' | '‐' | '‑' | '*' | '_' if in_word && before(char::is_alphanumeric) => {
                self.end_word();
            }
            c if c.is_whitespace() && c != '\n' => self.end_word(),
            '?' => {
                self.end_word();
                self.out.push(Word::plain(QUESTION_MARK));
            }
            // "yes/no", "y/n": one or the other.
            '/' if in_word && before(char::is_alphabetic) => self.push_sign("or"),
            '%' => self.push_sign("percent"),
            '&' | '£' | '€' => self.push_sign(c.encode_utf8(&mut [0; 4])),
            c if !c.is_ascii() && self.is_picture_with_a_word(c) => {
                self.end_word();
                self.spell(c.encode_utf8(&mut [0; 4]));
            }
            _ => self.end_sentence(),
        }
    }

    fn is_in_a_number(&self) -> bool {
        self.current
            .bytes()
            .last()
            .is_some_and(|b| b.is_ascii_digit())
    }

    fn is_picture_with_a_word(&self, c: char) -> bool {
        self.vocabulary.id_of(c.encode_utf8(&mut [0; 4])).is_some()
    }

    /// A sign that stands for a word.
    fn push_sign(&mut self, word: &str) {
        self.end_word();
        let id = self.vocabulary.id_or_unknown(word);
        self.out.push(Word::plain(id));
    }

    fn end_word(&mut self) {
        if !self.current.is_empty() {
            let word = std::mem::take(&mut self.current);
            self.spell(&word);
            // The buffer is used again.
            self.current = word;
            self.current.clear();
        }
    }

    fn end_sentence(&mut self) {
        self.end_word();
        if self.out.last().is_some_and(|word| word.id != BREAK) {
            self.out.push(Word::plain(BREAK));
        }
    }

    /// Finds the word that is spelled like this.
    fn spell(&mut self, spelling: &str) {
        let is_number = spelling.starts_with(|c: char| c.is_ascii_digit())
            && self.vocabulary.id_of(spelling).is_none();
        if is_number {
            return self.spell_figures(spelling);
        }
        if spelling.len() > LONGEST_WORD {
            return self.out.push(Word::plain(UNKNOWN));
        }
        if self.push_known(spelling) {
            return;
        }
        if spelling.contains('\'') {
            return self.spell_with_apostrophe(spelling);
        }
        // "hittin", "followin".
        let lacks_a_g = spelling.len() > 4 && spelling.ends_with("in");
        if lacks_a_g && self.push_known(&format!("{spelling}g")) {
            return;
        }
        // "yesssss", "nooo".
        for keep in [1, 2] {
            let shorter = shorten_runs(spelling, keep);
            if shorter != spelling && self.push_known(&shorter) {
                return;
            }
        }
        self.out.push(Word::plain(UNKNOWN));
    }

    fn push_known(&mut self, spelling: &str) -> bool {
        let vocabulary = self.vocabulary;
        if let Some(ids) = vocabulary.expanded(spelling) {
            ids.iter().for_each(|id| self.push(Word::plain(*id)));
            return true;
        }
        let Some(id) = vocabulary.id_of(spelling) else {
            return false;
        };
        self.push(Word::plain(id));
        true
    }

    fn spell_with_apostrophe(&mut self, spelling: &str) {
        let without = spelling.replace('\'', "");
        match spelling.strip_suffix("'s") {
            Some(base) if self.vocabulary.expanded(&without).is_none() => {
                self.spell(base);
                self.push(Word::plain(self.vocabulary.possessive()));
            }
            _ => self.spell(&without),
        }
    }

    fn spell_figures(&mut self, spelling: &str) {
        match read_figures(spelling) {
            Figures::Word(word) => self.push(word),
            Figures::NumberAndUnit(number, unit) => {
                self.push(number);
                if unit.bytes().all(|b| b.is_ascii_alphabetic()) {
                    self.spell(unit);
                } else {
                    self.out.push(Word::plain(UNKNOWN));
                }
            }
            Figures::Unreadable => self.out.push(Word::plain(UNKNOWN)),
        }
    }

    /// Adds a word, or joins it with those before it.
    fn push(&mut self, word: Word) {
        self.read_two_as_to(word);
        let last = self.out.last().copied().unwrap_or(Word::plain(BREAK));
        if let Some(joined) = self.vocabulary.joined(last.id, word.id) {
            self.replace_last(Word::plain(joined));
        } else if let Some(time) = self.clock_time(last, word) {
            self.replace_last(time);
        } else if let Some(date) = self.date(last, word) {
            self.replace_last(date);
        } else if !self.add_month_to_date(word) {
            self.out.push(word);
        }
    }

    fn replace_last(&mut self, word: Word) {
        self.out.pop();
        self.out.push(word);
    }

    /// "need 2 cancel": the number is a word.
    fn read_two_as_to(&mut self, next: Word) {
        if let [.., before, two] = self.out.as_mut_slice()
            && (two.id, two.value) == (NUMBER, 2)
            && let Some(to) = self.vocabulary.two_between(before.id, next.id)
        {
            *two = Word::plain(to);
        }
    }

    /// "10 am", "10 o'clock".
    fn clock_time(&self, last: Word, word: Word) -> Option<Word> {
        if !self.vocabulary.is_clock_word(word.id) {
            return None;
        }
        match last.id {
            TIME => Some(last),
            NUMBER if last.value <= 24 => Some(Word::with_value(TIME, last.value * 60)),
            _ => None,
        }
    }

    /// "28 November", "November 28th".
    fn date(&self, last: Word, word: Word) -> Option<Word> {
        let is_day = |word: Word| matches!(word.id, NUMBER | DATE);
        let (month, day) = match (
            self.vocabulary.month(word.id),
            self.vocabulary.month(last.id),
        ) {
            (Some(month), _) if is_day(last) => (month, last),
            (_, Some(month)) if is_day(word) => (month, word),
            _ => return None,
        };
        Some(Word::with_value(DATE, month * 100 + day.value % 100))
    }

    /// "28th of November".
    fn add_month_to_date(&mut self, word: Word) -> bool {
        if let Some(month) = self.vocabulary.month(word.id)
            && let [.., date, of] = self.out.as_mut_slice()
            && date.id == DATE
            && self.vocabulary.id_of("of") == Some(of.id)
        {
            date.value = month * 100 + date.value % 100;
            self.out.pop();
            return true;
        }
        false
    }
}

/// The plain letter of a character: full-width and mathematical letters are letters too. `None` for
/// characters that show nothing.
fn plain_char(c: char) -> Option<char> {
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

/// The word with each run of three or more equal letters cut to `keep`.
fn shorten_runs(word: &str, keep: usize) -> String {
    let chars: Vec<char> = word.chars().collect();
    let mut out = String::with_capacity(word.len());
    for run in chars.chunk_by(|a, b| a == b) {
        let n = if run.len() >= 3 { keep } else { run.len() };
        out.extend(&run[..n]);
    }
    out
}
