//! Reads one line as a session with its parties.

use crate::domain::local_time::{Resolved, resolve};
use crate::domain::people::role::Role;
use crate::domain::visits::session::ContactType;
use crate::flows::import::check::checker::{Checker, country_of};
use crate::flows::import::check::party::Span;
use crate::flows::import::finding::{any_error, shown};
use crate::flows::import::read::SESSION_REF;
use crate::flows::import::row::{PartyRow, SessionRow};
use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use chrono_tz::Tz;
use std::collections::HashMap;

const PAYERS: [&str; 4] = ["resident", "contact", "referrer", "none"];

impl<'a> Checker<'a> {
    /// The session of the line; `None` with any error. Findings come in the order of the columns.
    pub(super) fn row(&mut self, countries: &HashMap<String, String>) -> Option<SessionRow> {
        self.characters();
        let centre = self.required("centre_code");
        let centre_name = self.required("centre_name");
        let tz_text = self.required("timezone");
        let tz = self.zone(tz_text);
        let case_ref = self.required("case_ref").to_owned();
        let court_ordered = self.yes_no("court_ordered");
        let children = self.children();
        let (date, start, end) = (
            self.date("session_date"),
            self.time("start_time"),
            self.time("end_time"),
        );
        let span = self.span(tz, date, start, end);
        let contact_type = self.contact_type();
        let fee_minor = self.fee();
        let currency = self.currency();
        let usually_pays = self.payer();
        let country = countries
            .get(centre)
            .map_or_else(|| country_of(tz_text), String::as_str);
        let previsit = contact_type == Some(ContactType::Previsit);
        let mut parties = vec![
            self.party(Role::Resident, country, span, previsit),
            self.party(Role::Contact, country, span, previsit),
        ];
        self.addresses_differ(&parties);
        parties.extend(self.referrer(country));
        let status = self.status();
        let booked_at = self.booked_at(span);
        if self.spoilt || any_error(&self.findings) {
            return None;
        }
        let (_, _, starts_at, ends_at) = span?;
        let session_ref = Some(self.get(SESSION_REF))
            .filter(|s| !s.is_empty())
            .map(str::to_owned);
        Some(SessionRow {
            line: self.line.number,
            centre: self.words.shared(centre),
            centre_name: self.words.shared(centre_name),
            timezone: self.words.shared(tz_text),
            case_ref,
            session_ref,
            court_ordered,
            children,
            start_local: date?.and_time(start?),
            starts_at,
            ends_at,
            contact_type: contact_type?.as_str(),
            fee_minor,
            currency: self.words.shared(currency),
            usually_pays: usually_pays?,
            status,
            booked_at: booked_at?,
            parties,
        })
    }

    fn zone(&mut self, tz_text: &str) -> Option<Tz> {
        let tz = tz_text.parse::<Tz>().ok();
        if tz.is_none() && !tz_text.is_empty() {
            self.error(
                "timezone",
                "unknown_timezone",
                format!(
                    "{} is not an IANA time zone; write Europe/London",
                    shown(tz_text)
                ),
            );
        }
        tz
    }

    /// When the session starts and ends.
    fn span(
        &mut self,
        tz: Option<Tz>,
        date: Option<NaiveDate>,
        start: Option<NaiveTime>,
        end: Option<NaiveTime>,
    ) -> Option<Span> {
        let mut span = None;
        if let (Some(tz), Some(date), Some(start), Some(end)) = (tz, date, start, end) {
            if end <= start {
                self.error(
                    "end_time",
                    "end_not_after_start",
                    format!(
                        "the session ends {} and starts {}",
                        end.format("%H:%M"),
                        start.format("%H:%M")
                    ),
                );
            } else if let Some(s) = self.instant("start_time", tz, date, start) {
                span = self
                    .instant("end_time", tz, date, end)
                    .map(|e| (tz, date, s, e));
            }
        }
        span
    }

    pub(super) fn instant(
        &mut self,
        column: &str,
        tz: Tz,
        date: NaiveDate,
        time: NaiveTime,
    ) -> Option<DateTime<Utc>> {
        let local = date.and_time(time);
        match resolve(tz, local) {
            Resolved::Once(t) => Some(t),
            Resolved::Never(_) => {
                self.error(
                    column,
                    "nonexistent_local_time",
                    format!(
                        "{} does not exist in {tz} (clocks go forward)",
                        local.format("%Y-%m-%d %H:%M")
                    ),
                );
                None
            }
            Resolved::Twice(_) => {
                self.error(
                    column,
                    "ambiguous_local_time",
                    format!(
                        "{} happens twice in {tz} (clocks go back)",
                        local.format("%Y-%m-%d %H:%M")
                    ),
                );
                None
            }
        }
    }

    fn contact_type(&mut self) -> Option<ContactType> {
        let type_text = self.required("contact_type");
        let contact_type = type_text.parse::<ContactType>().ok();
        if !type_text.is_empty() && contact_type.is_none() {
            self.error(
                "contact_type",
                "unknown_contact_type",
                format!(
                    "{:?} is not offered; write supported, supervised, handover or previsit",
                    shown(type_text)
                ),
            );
        }
        contact_type
    }

    fn currency(&mut self) -> &'a str {
        let currency = self.required("currency");
        if !currency.is_empty()
            && (currency.len() != 3 || !currency.bytes().all(|b| b.is_ascii_uppercase()))
        {
            self.error(
                "currency",
                "unknown_currency",
                format!(
                    "{:?} is no currency code; write GBP or EUR",
                    shown(currency)
                ),
            );
        }
        currency
    }

    fn payer(&mut self) -> Option<&'static str> {
        let payer_text = self.required("usually_pays");
        let usually_pays = PAYERS.into_iter().find(|p| *p == payer_text);
        if !payer_text.is_empty() && usually_pays.is_none() {
            self.error(
                "usually_pays",
                "invalid_usually_pays",
                format!(
                    "{:?} must be resident, contact, referrer or none",
                    shown(payer_text)
                ),
            );
        }
        usually_pays
    }

    /// No address may be that of both parents.
    fn addresses_differ(&mut self, parties: &[PartyRow]) {
        let same_phone = parties[0].phone.is_some() && parties[0].phone == parties[1].phone;
        let same_chat =
            parties[0].telegram_id.is_some() && parties[0].telegram_id == parties[1].telegram_id;
        if same_phone || same_chat {
            let column = if same_phone {
                "contact_phone"
            } else {
                "contact_telegram_id"
            };
            self.error(
                column,
                "shared_number_between_parties",
                "resident and contact parent have the same: messages would reach the other party",
            );
        }
    }

    fn status(&mut self) -> &'static str {
        match self.required("status") {
            "booked" | "" => "booked",
            "cancelled" => "cancelled",
            other => {
                self.error(
                    "status",
                    "unknown_status",
                    format!(
                        "{:?} is not a status; write booked or cancelled",
                        shown(other)
                    ),
                );
                "booked"
            }
        }
    }

    fn booked_at(&mut self, span: Option<Span>) -> Option<DateTime<Utc>> {
        let booked_text = self.required("booked_at");
        let booked_at = DateTime::parse_from_rfc3339(booked_text)
            .ok()
            .map(|t| t.with_timezone(&Utc));
        if booked_at.is_none() && !booked_text.is_empty() {
            self.error(
                "booked_at",
                "invalid_booked_at",
                format!(
                    "{:?} is no instant; write 2026-11-07T09:30:00Z",
                    shown(booked_text)
                ),
            );
        }
        if let (Some(b), Some((.., s, _))) = (booked_at, span)
            && b > s
        {
            self.error(
                "booked_at",
                "booked_after_start",
                "it was booked after it starts",
            );
        }
        booked_at
    }
}
