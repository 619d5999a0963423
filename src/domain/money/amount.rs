//! Amounts of money.

use std::fmt;

/// An amount with its currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Money {
    /// Minor units (pence, cent).
    pub minor: i64,
    /// ISO 4217 code, three capital letters.
    pub currency: [u8; 3],
}

impl Money {
    /// Parses a currency code; `None` if it is not three capital letters.
    pub fn currency(code: &str) -> Option<[u8; 3]> {
        code.as_bytes()
            .try_into()
            .ok()
            .filter(|c: &[u8; 3]| c.iter().all(u8::is_ascii_uppercase))
    }

    /// The currency code as text.
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.currency).unwrap_or_default()
    }

    /// Another amount in the same currency.
    pub fn with(self, minor: i64) -> Money {
        Money { minor, ..self }
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = self.code();
        let sign = if self.minor < 0 { "-" } else { "" };
        let minor = self.minor.unsigned_abs();
        write!(f, "{code} {sign}{}.{:02}", minor / 100, minor % 100)
    }
}
