//! A good line of a file, and its print: what is remembered of it, so that the next import knows
//! what the file changed.

use crate::domain::people::channel::{Channel, Consent};
use crate::domain::people::phone::Phone;
use crate::domain::people::role::Role;
use crate::store::sealed::Sealed;
use chrono::{DateTime, Duration, NaiveDateTime, Utc};
use std::sync::Arc;

/// One party of a line.
pub(super) struct PartyRow {
    pub(super) role: Role,
    pub(super) name: String,
    pub(super) phone: Option<Phone>,
    pub(super) telegram_id: Option<String>,
    pub(super) channel: Channel,
    pub(super) language: Arc<str>,
    pub(super) consent: Consent,
    /// Whether the consent names its channels (`yes:telegram+sms`), and whether texts are among
    /// them.
    pub(super) named: Option<bool>,
    /// Whether WhatsApp was agreed: it is the channel, or the consent names it.
    pub(super) whatsapp: bool,
    /// Own arrival and departure; `None` for who does not attend.
    pub(super) times: Option<(DateTime<Utc>, DateTime<Utc>)>,
    pub(super) detail: String,
}

impl PartyRow {
    /// Whether the phone is agreed for texts; else it is for ringing.
    pub(super) fn texts(&self) -> bool {
        let agreed = match self.named {
            Some(sms) => sms && self.channel != Channel::None,
            None => self.channel == Channel::Sms && self.consent != Consent::No,
        };
        agreed && self.phone.as_ref().is_some_and(Phone::takes_texts)
    }

    /// The number and the chat of the line: (channel, value, look-up hash). A number that is agreed
    /// for WhatsApp stands there twice.
    pub(super) fn addresses(&self, seal: &Sealed) -> Vec<(&'static str, String, String)> {
        let mut out = Vec::new();
        if let Some(phone) = &self.phone {
            out.push((
                if self.texts() { "sms" } else { "ring" },
                phone.as_str().to_owned(),
                seal.number_hash(phone),
            ));
            if self.whatsapp && phone.takes_texts() {
                out.push((
                    "whatsapp",
                    phone.as_str().to_owned(),
                    seal.number_hash(phone),
                ));
            }
        }
        if let Some(chat) = &self.telegram_id {
            out.push((
                "telegram",
                chat.clone(),
                seal.id_of(&format!("telegram/{chat}")),
            ));
        }
        out
    }
}

/// One good line. Words that stand on many lines are shared, so that a large file stays small.
pub(super) struct SessionRow {
    pub(super) line: u64,
    pub(super) centre: Arc<str>,
    pub(super) centre_name: Arc<str>,
    pub(super) timezone: Arc<str>,
    pub(super) case_ref: String,
    pub(super) session_ref: Option<String>,
    pub(super) court_ordered: bool,
    pub(super) children: i64,
    pub(super) start_local: NaiveDateTime,
    pub(super) starts_at: DateTime<Utc>,
    pub(super) ends_at: DateTime<Utc>,
    pub(super) contact_type: &'static str,
    pub(super) fee_minor: i64,
    pub(super) currency: Arc<str>,
    pub(super) usually_pays: &'static str,
    pub(super) status: &'static str,
    pub(super) booked_at: DateTime<Utc>,
    pub(super) parties: Vec<PartyRow>,
}

impl SessionRow {
    /// What of the line concerns the session.
    pub(super) fn print(&self) -> String {
        use std::fmt::Write as _;
        let mut out = format!(
            "{}|{}|{}|{}|{}|{}|{}|{}",
            self.starts_at,
            self.ends_at,
            self.contact_type,
            self.fee_minor,
            self.currency,
            self.usually_pays,
            self.status,
            self.booked_at
        );
        for p in &self.parties {
            if let Some((a, d)) = p.times {
                let _ = write!(out, "|{} {a}/{d}", p.role);
            }
        }
        out
    }

    /// A digest of what the line says about the parties. It is keyed, so nothing can be read from
    /// it.
    pub(super) fn digest(&self, seal: &Sealed) -> String {
        use std::fmt::Write as _;
        let mut all = String::from("row");
        for p in &self.parties {
            let phone = p.phone.as_ref().map_or("", Phone::as_str);
            let chat = p.telegram_id.as_deref().unwrap_or("");
            let _ = write!(
                all,
                "\u{1f}{}\u{1e}{}\u{1e}{phone}\u{1e}{chat}\u{1e}{}\u{1e}{}\u{1e}{}\u{1e}{:?}\u{1e}{}",
                p.role, p.name, p.channel, p.language, p.consent, p.named, p.detail
            );
            if p.whatsapp {
                all.push_str("\u{1e}whatsapp");
            }
        }
        seal.id_of(&all)
    }
}

/// What is remembered of a line: its print and its digest.
pub(super) fn remembered(print: &str, digest: &str) -> String {
    format!("{print}#{digest}")
}

/// Takes what was remembered apart again. What an older program wrote has no digest.
pub(super) fn recall(imported: &str) -> (&str, &str) {
    imported.rsplit_once('#').unwrap_or((imported, ""))
}

/// Where the fee stands in what a print says beside times and status.
const FEE: usize = 1;

/// A print taken apart, to see what of it changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RowFingerprint<'a> {
    times: Vec<DateTime<Utc>>,
    rest: Vec<&'a str>,
    /// `booked` or `cancelled`.
    pub(super) status: &'a str,
}

impl<'a> RowFingerprint<'a> {
    /// Takes a print apart; `None` if it is none.
    pub(super) fn parse(print: &'a str) -> Option<RowFingerprint<'a>> {
        let time = |s: &str| {
            NaiveDateTime::parse_from_str(s, "%Y-%m-%d %H:%M:%S UTC")
                .ok()
                .map(|t| t.and_utc())
        };
        let mut fields = print.split('|');
        let mut times = vec![time(fields.next()?)?, time(fields.next()?)?];
        let mut rest: Vec<&str> = fields.by_ref().take(4).collect();
        let status = fields.next()?;
        rest.push(fields.next()?);
        for place in fields {
            let (role, span) = place.split_once(' ')?;
            let (from, to) = span.split_once('/')?;
            rest.push(role);
            times.extend([time(from)?, time(to)?]);
        }
        Some(RowFingerprint {
            times,
            rest,
            status,
        })
    }

    /// The start that the line gave.
    pub(super) fn start(&self) -> DateTime<Utc> {
        self.times[0]
    }

    /// Whether the other line is this one at another time: every time shifted alike and nothing
    /// else changed.
    pub(super) fn shifted_by(&self, by: Duration, other: &RowFingerprint<'_>) -> bool {
        self.rest == other.rest
            && self.status == other.status
            && self.times.len() == other.times.len()
            && self
                .times
                .iter()
                .zip(&other.times)
                .all(|(a, b)| *a + by == *b)
    }

    /// Whether the other line differs in its fee only.
    pub(super) fn same_but_fee(&self, other: &RowFingerprint<'_>) -> bool {
        let but = |rest: &[&'a str]| {
            rest.iter()
                .enumerate()
                .filter(|(i, _)| *i != FEE)
                .map(|(_, f)| *f)
                .collect::<Vec<_>>()
        };
        let theirs: Vec<&str> = other
            .rest
            .iter()
            .enumerate()
            .filter(|(i, _)| *i != FEE)
            .map(|(_, f)| *f)
            .collect();
        but(&self.rest) == theirs && self.times == other.times && self.status == other.status
    }

    /// Whether the other line differs in its status only.
    pub(super) fn same_but_status(&self, other: &RowFingerprint<'_>) -> bool {
        self.rest == other.rest && self.times == other.times
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRINT: &str = "2026-11-28 10:00:00 UTC|2026-11-28 12:00:00 \
                         UTC|supported|4500|GBP|contact|booked|2026-11-07 09:30:00 UTC|resident \
                         2026-11-28 09:45:00 UTC/2026-11-28 12:15:00 UTC";

    #[test]
    fn a_print_says_what_changed() {
        let a = RowFingerprint::parse(PRINT).unwrap();
        let later = PRINT
            .replace("10:00:00", "11:00:00")
            .replace("12:00:00", "13:00:00")
            .replace("09:45", "10:45")
            .replace("12:15", "13:15");
        let b = RowFingerprint::parse(&later).unwrap();
        assert!(
            a.shifted_by(Duration::hours(1), &b)
                && !a.shifted_by(Duration::hours(2), &b)
                && !a.same_but_status(&b)
        );
        let longer = PRINT.replace("10:00:00", "11:00:00");
        assert!(
            !a.shifted_by(Duration::hours(1), &RowFingerprint::parse(&longer).unwrap()),
            "the end stayed"
        );
        let off = PRINT.replace("|booked|", "|cancelled|");
        assert!(a.same_but_status(&RowFingerprint::parse(&off).unwrap()));
        assert!(RowFingerprint::parse("").is_none() && RowFingerprint::parse("2026|x|y").is_none());
        assert_eq!(recall(&remembered(PRINT, "d")), (PRINT, "d"));
        assert_eq!(recall(PRINT), (PRINT, ""));
    }
}
