//! Numbers, dates and times of day in figures.

use crate::domain::local_time::parse_time;
use crate::domain::replies::patterns::word::{DATE, NUMBER, PHONE, TIME, Word};
use chrono::{NaiveTime, Timelike};

/// A number with this many digits or more is no amount, date or time.
const LONG_NUMBER: usize = 5;

/// What a spelling that begins with a digit is.
pub(super) enum Figures<'a> {
    /// A number, date or time.
    Word(Word),
    /// "10mins".
    NumberAndUnit(Word, &'a str),
    Unreadable,
}

/// Reads a spelling that begins with a digit.
pub(super) fn read_figures(spelling: &str) -> Figures<'_> {
    let digits = spelling.bytes().take_while(u8::is_ascii_digit).count();
    let (number, rest) = spelling.split_at(digits);
    let number: u16 = number.parse().unwrap_or(u16::MAX);
    let plain = if digits >= LONG_NUMBER {
        Word::with_value(PHONE, 0)
    } else {
        Word::with_value(NUMBER, number)
    };
    match rest {
        "" => Figures::Word(plain),
        "st" | "nd" | "rd" | "th" if number <= 31 => Figures::Word(Word::with_value(DATE, number)),
        "am" | "ish" if number <= 12 => Figures::Word(Word::with_value(TIME, number % 12 * 60)),
        "pm" if number <= 12 => Figures::Word(Word::with_value(TIME, (number % 12 + 12) * 60)),
        _ if rest.starts_with('/') => Figures::Word(slashed_date(number, &rest[1..])),
        _ if rest.starts_with([':', '.']) => match clock_time(spelling, digits) {
            Some(time) => Figures::Word(time),
            None => Figures::Unreadable,
        },
        unit => Figures::NumberAndUnit(
            Word {
                value: number,
                ..plain
            },
            unit,
        ),
    }
}

/// "28/11", "28/11/26": the day, and the month if it can be read.
fn slashed_date(day: u16, rest: &str) -> Word {
    if day > 31 {
        return Word::with_value(DATE, u16::MAX);
    }
    let month: u16 = rest
        .split(['/', '.'])
        .next()
        .and_then(|month| month.parse().ok())
        .unwrap_or(99);
    Word::with_value(DATE, day + 100 * month.min(99))
}

/// "9.45", "2:55pm".
fn clock_time(spelling: &str, digits: usize) -> Option<Word> {
    let (clock, afternoon) = match spelling.strip_suffix("pm") {
        Some(clock) => (clock, true),
        None => (spelling.strip_suffix("am").unwrap_or(spelling), false),
    };
    let mut clock = clock.replace('.', ":");
    if digits == 1 {
        clock.insert(0, '0');
    }
    let time: NaiveTime = parse_time(&clock)?;
    let hour = if afternoon && time.hour() < 12 {
        time.hour() + 12
    } else {
        time.hour()
    };
    let minute = u16::try_from(hour * 60 + time.minute()).ok()?;
    Some(Word::with_value(TIME, minute))
}
