//! The terms that a session keeps as of its booking, and how they change when the centre announces
//! other rules.
//!
//! Code of conduct: "We will keep all fees and charges to the minimum necessary to run the Contact
//! Centre efficiently, and will inform you of the introduction or increase of any such charge." So a
//! change is announced with its date, and families are told before it.

use crate::domain::centre::{Centre, Rules};
use crate::domain::visits::announced::AnnouncedChange;
use chrono::{Days, NaiveDate};
use std::fmt;

/// A change is announced at least so many days before its date.
pub const ANNOUNCED_DAYS: u64 = 14;

/// The terms of a session as of its booking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// Hours of notice without a fee.
    pub notice_hours: i64,
    /// The fee in minor units.
    pub fee_minor: i64,
    /// ISO 4217 code of the fee.
    pub currency: String,
    pub payer: String,
    pub payment_days: i64,
}

impl fmt::Display for Terms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Terms {
            notice_hours,
            fee_minor,
            currency,
            payer,
            payment_days,
        } = self;
        write!(
            f,
            "fee {fee_minor} {currency}, notice {notice_hours} hours, {payer} pays, {payment_days} \
             days to pay"
        )
    }
}

/// The terms of a session on a local day: the centre's rules with every change announced up to that
/// day.
pub fn terms_on(centre: &Centre, day: NaiveDate) -> Terms {
    let Rules {
        notice_hours,
        fee_minor,
        currency,
        usually_pays,
        payment_days,
        ..
    } = &centre.rules;
    let mut t = Terms {
        notice_hours: *notice_hours,
        fee_minor: *fee_minor,
        currency: currency.clone(),
        payer: usually_pays.clone(),
        payment_days: *payment_days,
    };
    for a in centre.announced.iter().filter(|a| a.from <= day) {
        t.notice_hours = a.notice_hours.unwrap_or(t.notice_hours);
        t.fee_minor = a.fee_minor.unwrap_or(t.fee_minor);
        t.payment_days = a.payment_days.unwrap_or(t.payment_days);
        t.payer = a.payer.clone().unwrap_or(t.payer);
    }
    t
}

/// The terms of a family's next session on `day`. `last` is the day and the terms of another session
/// of theirs. Notice and days to pay are the centre's. Fee and payer stay as they were for the family,
/// unless the centre announced a change between the two days. A family without a fee keeps none.
pub fn terms_for_family(
    centre: &Centre,
    last: Option<(NaiveDate, &Terms)>,
    day: NaiveDate,
) -> Terms {
    let now = terms_on(centre, day);
    let Some((last_day, had)) = last else {
        return now;
    };
    let changed = |f: fn(&AnnouncedChange) -> bool| {
        centre
            .announced
            .iter()
            .any(|a| f(a) && last_day.min(day) < a.from && a.from <= last_day.max(day))
    };
    let fee = had.fee_minor != 0 && changed(|a| a.fee_minor.is_some());
    Terms {
        fee_minor: if fee { now.fee_minor } else { had.fee_minor },
        currency: if fee {
            now.currency
        } else {
            had.currency.clone()
        },
        payer: if changed(|a| a.payer.is_some()) {
            now.payer
        } else {
            had.payer.clone()
        },
        ..now
    }
}

/// The terms of an imported session on `day`, with the fee, currency and payer of its line in the
/// file. A line that still gives what was usual before an announced change takes the announced value.
/// Another fee was agreed with the family and stays, and a session without a fee keeps none.
pub fn terms_for_line(centre: &Centre, said: (i64, &str, &str), day: NaiveDate) -> Terms {
    let (fee, currency, payer) = said;
    let now = terms_on(centre, day);
    let past = || centre.announced.iter().filter(|a| a.from <= day);
    let old_fee = past().any(|a| a.fee_minor.is_some())
        && (fee == centre.rules.fee_minor || past().any(|a| a.fee_minor == Some(fee)));
    let old_payer = past().any(|a| a.payer.is_some())
        && (payer == centre.rules.usually_pays
            || past().any(|a| a.payer.as_deref() == Some(payer)));
    let takes = old_fee && fee != 0 && currency == now.currency;
    Terms {
        fee_minor: if takes { now.fee_minor } else { fee },
        currency: currency.to_owned(),
        payer: if old_payer {
            now.payer
        } else {
            payer.to_owned()
        },
        ..now
    }
}

/// The changes that concern a session on `day`, announced in the old file or in the new one. Only
/// what they name changes in a session that is already booked.
pub fn announced_for<'a>(
    old: &'a [AnnouncedChange],
    new: &'a [AnnouncedChange],
    day: NaiveDate,
) -> impl Iterator<Item = &'a AnnouncedChange> {
    old.iter().chain(new).filter(move |a| a.from <= day)
}

/// The terms of a booked session on `day` after the announced changes went from `old` to those of
/// `centre`. `had` are its terms so far. A session without a fee keeps none.
pub fn after_change(
    had: &Terms,
    old: &[AnnouncedChange],
    centre: &Centre,
    day: NaiveDate,
) -> Terms {
    let now = terms_on(centre, day);
    let any = |f: fn(&AnnouncedChange) -> bool| announced_for(old, &centre.announced, day).any(f);
    let fee = had.fee_minor != 0 && any(|a| a.fee_minor.is_some());
    Terms {
        notice_hours: if any(|a| a.notice_hours.is_some()) {
            now.notice_hours
        } else {
            had.notice_hours
        },
        fee_minor: if fee { now.fee_minor } else { had.fee_minor },
        currency: if fee {
            now.currency
        } else {
            had.currency.clone()
        },
        payer: if any(|a| a.payer.is_some()) {
            now.payer
        } else {
            had.payer.clone()
        },
        payment_days: if any(|a| a.payment_days.is_some()) {
            now.payment_days
        } else {
            had.payment_days
        },
    }
}

/// The dates of the changes that a centre's file, applied on `today`, announces or takes back, in
/// order. Changes that the earlier file had too are history.
///
/// # Errors
/// Those that lie less than 14 days ahead, in plain English.
pub fn changes(
    old: &[AnnouncedChange],
    new: &[AnnouncedChange],
    today: NaiveDate,
) -> Result<Vec<NaiveDate>, Vec<String>> {
    let earliest = today + Days::new(ANNOUNCED_DAYS);
    let fresh = new
        .iter()
        .filter(|a| !old.contains(a))
        .map(|a| (a, "announced"));
    let gone = old
        .iter()
        .filter(|a| !new.contains(a))
        .map(|a| (a, "taken back or changed"));
    let (mut days, mut wrong) = (Vec::new(), Vec::new());
    for (a, what) in fresh.chain(gone) {
        days.push(a.from);
        if a.from < earliest {
            wrong.push(format!(
                "rules_from {}: it is too late for it to be {what} ({}). Families are told \
                 {ANNOUNCED_DAYS} days before: name {earliest} or later.",
                a.from,
                a.in_words()
            ));
        }
    }
    days.sort();
    if wrong.is_empty() {
        Ok(days)
    } else {
        Err(wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn centre(more: &str) -> Centre {
        Centre::parse(&format!(
            "code = \"BRK\"\nname = \"Birchfield Road\"\ntimezone = \
                                \"Europe/London\"\n[rules]\nfee_pence = 4500\n{more}"
        ))
        .unwrap()
    }

    fn day(s: &str) -> NaiveDate {
        s.parse().unwrap()
    }

    const TWO: &str = "[[rules_from]]\ndate = \"2027-04-01\"\nnotice_hours = \
                       72\n[[rules_from]]\ndate = \"2027-01-01\"\nfee_pence = 5000\n";

    #[test]
    fn sessions_from_the_day_on_take_the_announced_rules() {
        let c = centre(TWO);
        let fee_and_notice = |d| {
            let t = terms_on(&c, day(d));
            (t.fee_minor, t.notice_hours)
        };
        assert_eq!(
            [
                fee_and_notice("2026-12-31"),
                fee_and_notice("2027-01-01"),
                fee_and_notice("2027-04-01")
            ],
            [(4500, 48), (5000, 48), (5000, 72)]
        );
        // A booked session with a fee of its own takes what was announced and keeps the rest.
        let had = Terms {
            fee_minor: 3000,
            notice_hours: 24,
            ..terms_on(&c, day("2026-12-31"))
        };
        assert_eq!(after_change(&had, &[], &c, day("2026-12-31")), had);
        assert_eq!(
            after_change(&had, &[], &c, day("2027-02-01")),
            Terms {
                fee_minor: 5000,
                ..had.clone()
            }
        );
        // Taken back, it has what the centre's rules say.
        assert_eq!(
            after_change(&had, &c.announced, &centre(""), day("2027-02-01")),
            Terms {
                fee_minor: 4500,
                ..had.clone()
            }
        );
    }

    #[test]
    fn a_family_keeps_its_own_fee_until_another_is_announced() {
        let c = centre(TWO);
        let own = Terms {
            fee_minor: 3000,
            payer: "resident".into(),
            ..terms_on(&c, day("2026-12-05"))
        };
        let fee = |last: &str, had: &Terms, on: &str| {
            terms_for_family(&c, Some((day(last), had)), day(on)).fee_minor
        };
        assert_eq!(fee("2026-12-05", &own, "2026-12-19"), 3000);
        assert_eq!(
            fee("2026-12-05", &own, "2027-01-02"),
            5000,
            "announced for the days from January on"
        );
        assert_eq!(
            fee("2027-01-09", &own, "2027-02-06"),
            3000,
            "agreed with the family after that"
        );
        let new = Terms {
            fee_minor: 5000,
            ..own.clone()
        };
        assert_eq!(
            fee("2027-01-09", &new, "2026-12-19"),
            4500,
            "a session before the day has the fee of before"
        );
        assert_eq!(
            fee(
                "2026-12-05",
                &Terms {
                    fee_minor: 0,
                    ..own.clone()
                },
                "2027-01-02"
            ),
            0,
            "who pays nothing pays nothing"
        );
        let t = terms_for_family(&c, Some((day("2026-12-05"), &own)), day("2027-04-03"));
        assert_eq!((t.payer.as_str(), t.notice_hours), ("resident", 72));
        assert_eq!(
            terms_for_family(&c, None, day("2027-01-02")),
            terms_on(&c, day("2027-01-02"))
        );
    }

    #[test]
    fn a_line_that_says_the_old_fee_has_the_announced_one() {
        let c = centre(
            "[[rules_from]]\ndate = \"2027-01-01\"\nfee_pence = 5000\n[[rules_from]]\ndate = \
             \"2027-04-01\"\nfee_pence = 5500\nusually_pays = \"resident\"\n",
        );
        let on = |d: &str, fee| {
            let t = terms_for_line(&c, (fee, "GBP", "contact"), day(d));
            (t.fee_minor, t.payer)
        };
        let by = |fee, payer: &str| (fee, payer.to_owned());
        assert_eq!(
            on("2026-12-31", 4500),
            by(4500, "contact"),
            "before the day the line holds"
        );
        assert_eq!(on("2027-01-01", 4500), by(5000, "contact"));
        assert_eq!(
            [on("2027-04-01", 4500), on("2027-04-01", 5000)],
            [by(5500, "resident"), by(5500, "resident")],
            "whatever was usual before"
        );
        assert_eq!(
            on("2027-01-01", 3000),
            by(3000, "contact"),
            "agreed with the family"
        );
        assert_eq!(
            on("2027-01-01", 0),
            by(0, "contact"),
            "a family without a fee keeps none"
        );
        assert_eq!(
            terms_for_line(&c, (4500, "EUR", "referrer"), day("2027-04-01")),
            Terms {
                fee_minor: 4500,
                currency: "EUR".into(),
                payer: "referrer".into(),
                ..terms_on(&c, day("2027-04-01"))
            }
        );
    }

    #[test]
    fn a_change_is_announced_14_days_before() {
        let (none, two) = (centre("").announced, centre(TWO).announced);
        assert_eq!(
            changes(&none, &two, day("2026-12-18")).unwrap(),
            [day("2027-01-01"), day("2027-04-01")]
        );
        let wrong = changes(&none, &two, day("2026-12-19")).unwrap_err();
        assert!(
            wrong.len() == 1 && wrong[0].contains("2027-01-02 or later"),
            "{wrong:?}"
        );
        assert!(
            changes(&two, &two, day("2027-06-01")).unwrap().is_empty(),
            "what is past stays as history"
        );
        assert!(
            changes(&two, &none, day("2027-06-01")).is_err(),
            "and is not rewritten"
        );
    }

    #[test]
    fn problems_are_reported() {
        let file = "code = \"BRK\"\nname = \"B\"\ntimezone = \
                    \"Europe/London\"\n[[rules_from]]\ndate = \"soon\"\nfee_pence = \
                    -1\n[[rules_from]]\ndate = \"2027-01-01\"\n[[rules_from]]\nfee_penc = 1\n";
        let keys: Vec<String> = Centre::parse(file)
            .unwrap_err()
            .into_iter()
            .map(|p| p.key)
            .collect();
        assert_eq!(
            keys,
            [
                "rules_from.1.date",
                "rules_from.1.fee_pence",
                "rules_from.2.date",
                "rules_from.3.date",
                "rules_from.3.date",
                "rules_from.3.fee_penc"
            ]
        );
    }
}
