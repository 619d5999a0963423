//! Phone numbers.

use std::fmt;
use std::str::FromStr;

/// A phone number in E.164 form (`+447700900101`). `Debug` never prints it.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Phone(String);

impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Phone([redacted])")
    }
}

/// Why a text is not a phone number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PhoneError {
    /// Fewer digits than any number has.
    #[error("it has too few digits")]
    TooShort,
    /// More digits than any number has.
    #[error("it has too many digits")]
    TooLong,
    /// A character other than a digit, space, bracket, dash, dot or plus.
    #[error("it has a character that no phone number has")]
    BadCharacter,
    /// No number of that country.
    #[error("it is no phone number of that country")]
    NotANumber,
}

impl Phone {
    /// Reads a number as people write it; national numbers are read in `country` (`GB`, `IE`).
    pub fn parse(text: &str, country: &str) -> Result<Phone, PhoneError> {
        let text = text.trim();
        if text
            .chars()
            .any(|c| !(c.is_ascii_digit() || " \u{a0}()-./+".contains(c)))
            || text.rfind('+').is_some_and(|i| i > 0)
        {
            return Err(PhoneError::BadCharacter);
        }
        let digits = text.chars().filter(char::is_ascii_digit).count();
        match digits {
            0..=9 => return Err(PhoneError::TooShort),
            10..=16 => {}
            _ => return Err(PhoneError::TooLong),
        }
        let number = rlibphonenumber::PHONE_NUMBER_UTIL
            .parse(text, Some(region(country)))
            .map_err(|_| PhoneError::NotANumber)?;
        let e164 = number
            .format_as(rlibphonenumber::PhoneNumberFormat::E164)
            .to_string();
        let phone = Phone(e164);
        if phone.in_drama_range() || number.is_valid() {
            return Ok(phone);
        }
        Err(if digits < 11 {
            PhoneError::TooShort
        } else {
            PhoneError::NotANumber
        })
    }

    /// Reads a number in E.164 form, as providers write it; `None` if it is anything else.
    pub fn from_e164(text: &str) -> Option<Phone> {
        let digits = text.strip_prefix('+')?;
        (digits.len() >= 7
            && digits.len() <= 15
            && digits.bytes().all(|b| b.is_ascii_digit())
            && !digits.starts_with('0'))
        .then(|| Phone(text.to_owned()))
    }

    /// The number in E.164 form.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is one of the numbers that Ofcom and ComReg reserve for drama. Nobody owns them;
    /// our tests and samples use them as mobiles.
    fn in_drama_range(&self) -> bool {
        let d = &self.0;
        (d.starts_with("+447700900") && d.len() == 13)
            || (d.starts_with("+3532091") && d.len() == 13)
    }

    /// Whether it can receive texts: a mobile, or a number reserved for drama.
    pub fn takes_texts(&self) -> bool {
        use rlibphonenumber::PhoneNumberType as T;
        if self.in_drama_range() {
            return true;
        }
        rlibphonenumber::PHONE_NUMBER_UTIL
            .parse(&self.0, None)
            .is_ok_and(|n| matches!(n.get_type(), T::Mobile | T::FixedLineOrMobile))
    }
}

fn region(country: &str) -> rlibphonenumber::Region {
    match country {
        "IE" => rlibphonenumber::Region::IE,
        _ => rlibphonenumber::Region::GB,
    }
}

impl FromStr for Phone {
    type Err = PhoneError;
    fn from_str(s: &str) -> Result<Self, PhoneError> {
        Phone::from_e164(s).ok_or(PhoneError::NotANumber)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::people::private::Private;

    #[test]
    fn numbers_as_people_write_them() {
        for (text, country, want) in [
            ("07700 900101", "GB", "+447700900101"),
            ("(07700) 900107", "GB", "+447700900107"),
            ("07700-900108", "GB", "+447700900108"),
            ("+44 7700 900103", "IE", "+447700900103"),
            ("+44 (0)7700 900103", "GB", "+447700900103"),
            ("020 910 2003", "IE", "+353209102003"),
            ("+353 (0)20 910 2004", "IE", "+353209102004"),
            ("+353209102005", "IE", "+353209102005"),
        ] {
            let phone = Phone::parse(text, country).unwrap_or_else(|e| panic!("{text}: {e}"));
            assert_eq!(phone.as_str(), want);
            assert!(phone.takes_texts(), "{text}");
        }
        let landline = Phone::parse("020 7946 0101", "GB").unwrap();
        assert!(!landline.takes_texts());
    }

    #[test]
    fn a_phone_that_is_no_phone() {
        assert_eq!(Phone::parse("07700 900", "GB"), Err(PhoneError::TooShort));
        assert_eq!(
            Phone::parse("O77OO 900101", "GB"),
            Err(PhoneError::BadCharacter)
        );
        assert_eq!(
            Phone::parse("07911-123-456 (mum)", "GB"),
            Err(PhoneError::BadCharacter)
        );
        assert_eq!(
            Phone::parse("077009001010101010", "GB"),
            Err(PhoneError::TooLong)
        );
        assert!(Phone::parse("", "GB").is_err());
    }

    #[test]
    fn debug_never_shows_a_number() {
        let shown = format!(
            "{:?} {:?}",
            Phone::parse("07700 900101", "GB"),
            Private("Siobhán".into())
        );
        assert!(!shown.contains("7700") && !shown.contains("Siobh"));
    }
}
