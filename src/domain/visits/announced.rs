//! Changes of the rules on money that a centre announces.

use crate::domain::config_reader::ConfigReader;
use chrono::NaiveDate;

/// A change of the rules from a day on. What is `None` does not change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnnouncedChange {
    /// The first day of sessions that it applies to, on the centre's wall clock.
    pub from: NaiveDate,
    pub notice_hours: Option<i64>,
    /// Fee in minor units.
    pub fee_minor: Option<i64>,
    pub payer: Option<String>,
    pub payment_days: Option<i64>,
}

impl AnnouncedChange {
    /// Reads one `[[rules_from]]`. `None` if its date cannot be read; that is reported as a problem.
    pub fn read(r: &mut ConfigReader<'_>) -> Option<AnnouncedChange> {
        let date = r.text_required(
            "date",
            "Write the first day that it applies to, such as \"2027-01-01\".",
        );
        let from = date.parse().ok();
        if from.is_none() && !date.is_empty() {
            r.problem(
                "date",
                format!("{date:?} is no date"),
                "Write it as \"2027-01-01\".",
            );
        }
        let payers = [
            ("", None),
            ("resident", Some("resident")),
            ("contact", Some("contact")),
            ("referrer", Some("referrer")),
            ("none", Some("none")),
        ];
        let mut whole = |key, min, max| r.has(key).then(|| r.whole(key, min, min, max));
        let (notice_hours, fee_minor, payment_days) = (
            whole("notice_hours", 0, 8760),
            whole("fee_pence", 0, 100_000_000),
            whole("payment_days", 1, 365),
        );
        let payer = r.word("usually_pays", None, &payers).map(str::to_owned);
        if notice_hours.is_none()
            && fee_minor.is_none()
            && payment_days.is_none()
            && payer.is_none()
            && !r.has("usually_pays")
        {
            r.problem(
                "date",
                "it changes nothing",
                "Add fee_pence, notice_hours, payment_days or usually_pays, or take it out.",
            );
        }
        Some(AnnouncedChange {
            from: from?,
            notice_hours,
            fee_minor,
            payer,
            payment_days,
        })
    }

    /// The change in words, for staff and for the history: `fee_pence 5000, notice_hours 72`.
    pub fn in_words(&self) -> String {
        let number = |name: &str, v: Option<i64>| v.map(|v| format!("{name} {v}"));
        let all = [
            number("fee_pence", self.fee_minor),
            number("notice_hours", self.notice_hours),
            number("payment_days", self.payment_days),
            self.payer.as_ref().map(|p| format!("usually_pays {p}")),
        ];
        all.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}
