//! Checks what a line says about people: names, numbers, channels, consent, arrivals.

use crate::domain::local_time::parse_time;
use crate::domain::people::channel::{Channel, Consent};
use crate::domain::people::phone::{Phone, PhoneError};
use crate::domain::people::role::Role;
use crate::flows::import::check::checker::Checker;
use crate::flows::import::finding::{Severity, shown};
use crate::flows::import::row::PartyRow;
use chrono::{DateTime, Duration, NaiveDate, Utc};
use chrono_tz::Tz;

/// ISO 639-1: whatever is no language at all is worth a warning; a language without templates is
/// simply English.
const LANGUAGES: &str = "aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce \
                         ch co cr cs cu cv cy da de dv dz ee el en eo es et eu fa ff fi fj fo fr \
                         fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is \
                         it iu ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln \
                         lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn no nr nv \
                         ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk \
                         sl sm sn so sq sr ss st su sv sw ta te tg th ti tk tl tn to tr ts tt tw \
                         ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu";

/// The zone, the day, and the start and end of a line's session.
pub(super) type Span = (Tz, NaiveDate, DateTime<Utc>, DateTime<Utc>);

/// A consent as the file gives it: the word, and the channels if it names any.
struct Agreed {
    consent: Consent,
    channels: Option<Vec<Channel>>,
}

impl Agreed {
    fn names(&self, channel: Channel) -> bool {
        self.channels.as_ref().is_some_and(|c| c.contains(&channel))
    }
}

impl Checker<'_> {
    fn phone(&mut self, column: &str, country: &str) -> Option<Phone> {
        let v = self.get(column);
        if v.is_empty() {
            return None;
        }
        // Another reading is tried only if the first is no possible number and exactly one is.
        let other = if country == "GB" { "IE" } else { "GB" };
        let read = |v: &str| {
            Phone::parse(v, country).or_else(|e| {
                if e == PhoneError::NotANumber {
                    Phone::parse(v, other).map_err(|_| e)
                } else {
                    Err(e)
                }
            })
        };
        if lost_its_zero(v, |v| read(v).is_ok()) {
            // A spreadsheet does this to a whole column: it is said once, for all lines.
            self.zeros.lost(column, self.line.number);
            self.spoilt = true;
            return None;
        }
        match read(v) {
            Ok(p) => Some(p),
            Err(e) => {
                let kind = match e {
                    PhoneError::TooShort => "phone_too_short",
                    PhoneError::TooLong => "phone_too_long",
                    PhoneError::BadCharacter => "phone_bad_character",
                    PhoneError::NotANumber => "phone_not_a_number",
                };
                self.error(
                    column,
                    kind,
                    format!("{e}; write it as 07700 900101 or +44 7700 900101"),
                );
                None
            }
        }
    }

    fn channel(&mut self, column: &str) -> Channel {
        let v = self.get(column);
        match v.parse::<Channel>() {
            Ok(c) => c,
            Err(_) if v.is_empty() => Channel::None,
            Err(_) => {
                self.error(
                    column,
                    "unknown_channel",
                    format!(
                        "{:?} is not supported; write sms, telegram, whatsapp or none",
                        shown(v)
                    ),
                );
                Channel::None
            }
        }
    }

    /// Reads `yes`, `no`, `stop`, or `yes:telegram+sms`, which names what was agreed to.
    fn consent(&mut self, column: &str, channel: Channel) -> Agreed {
        let v = self.get(column);
        let mut agreed = Agreed {
            consent: Consent::No,
            channels: None,
        };
        let (word, list) = v.split_once(':').map_or((v, None), |(w, l)| (w, Some(l)));
        match word.trim().parse::<Consent>() {
            Ok(c) => agreed.consent = c,
            Err(_) if v.is_empty() => {
                if channel != Channel::None {
                    self.error(
                        column,
                        "channel_without_consent",
                        format!("channel {channel} but consent is empty; write yes, no or stop"),
                    );
                }
                return agreed;
            }
            Err(_) => {
                self.error(
                    column,
                    "unknown_consent",
                    format!("{:?} is none of yes, no, stop", shown(v)),
                );
                return agreed;
            }
        }
        let Some(list) = list else { return agreed };
        let channels: Option<Vec<Channel>> = list
            .split('+')
            .map(|c| c.trim().parse().ok().filter(|c| *c != Channel::None))
            .collect();
        match channels {
            Some(channels) if agreed.consent == Consent::Yes => {
                if channel != Channel::None && !channels.contains(&channel) {
                    self.error(column, "channel_without_consent", format!("channel {channel} but the \
                                                                           consent does not name it; \
                                                                           write yes:{channel}+…, or \
                                                                           another channel"));
                }
                agreed.channels = Some(channels);
            }
            Some(_) => self.error(
                column,
                "unknown_consent",
                format!("only yes names channels; write {}", agreed.consent),
            ),
            None => self.error(
                column,
                "unknown_consent",
                format!(
                    "{:?} does not name channels; write yes:sms, or yes:telegram+sms",
                    shown(v)
                ),
            ),
        }
        agreed
    }

    pub(super) fn party(
        &mut self,
        role: Role,
        country: &str,
        own: Option<Span>,
        previsit: bool,
    ) -> PartyRow {
        let col = |name: &str| format!("{role}_{name}");
        let name = self.required(&col("name")).to_owned();
        let phone = self.phone(&col("phone"), country);
        let bad_phone = phone.is_none() && !self.get(&col("phone")).is_empty();
        let chat_column = col("telegram_id");
        let chat = self.get(&chat_column);
        let telegram_id = (chat
            .trim_start_matches('-')
            .bytes()
            .all(|b| b.is_ascii_digit())
            && chat.parse::<i64>().is_ok())
        .then(|| chat.to_owned());
        if telegram_id.is_none() && !chat.is_empty() {
            self.error(
                &chat_column,
                "telegram_id_not_numeric",
                "it is no chat id (a number); a parent gets one by pressing Start",
            );
        }
        let channel = self.channel(&col("channel"));
        let agreed = self.consent(&col("consent"), channel);
        let consent = agreed.consent;
        if channel == Channel::Telegram && telegram_id.is_none() && chat.is_empty() {
            self.error(
                &chat_column,
                "telegram_without_id",
                "channel telegram but no chat id (the parent must press Start first)",
            );
        }
        let wants = [Channel::Sms, Channel::Whatsapp]
            .into_iter()
            .find(|c| channel == *c || agreed.names(*c));
        if let Some(wants) = wants.filter(|_| consent == Consent::Yes && !bad_phone) {
            match &phone {
                Some(p) if !p.takes_texts() => self.error(
                    &col("phone"),
                    "sms_to_landline",
                    "it is a landline, which takes no texts; use another channel or none",
                ),
                Some(_) => {}
                None => self.error(
                    &col("phone"),
                    "missing_required",
                    format!("consent to {wants} but no phone"),
                ),
            }
        }
        let language = self.get(&col("language")).to_lowercase();
        let primary = language.split('-').next().unwrap_or("");
        if !primary.is_empty() && !LANGUAGES.split(' ').any(|l| l == primary) {
            self.find(
                &col("language"),
                "unknown_language",
                Severity::Warning,
                format!(
                    "{:?} is no language; texts will be in English",
                    shown(&language)
                ),
            );
        }
        let times = own.and_then(|own| self.own_times(role, own));
        let attends =
            !(previsit && role == Role::Contact && self.get("contact_arrival").is_empty());
        let language = self
            .words
            .shared(if language.is_empty() { "en" } else { &language });
        let named = agreed
            .channels
            .is_some()
            .then(|| agreed.names(Channel::Sms));
        let whatsapp = consent != Consent::No
            && channel != Channel::None
            && (agreed.names(Channel::Whatsapp)
                || (channel == Channel::Whatsapp && agreed.channels.is_none()));
        PartyRow {
            role,
            name,
            phone,
            telegram_id,
            channel,
            language,
            consent,
            named,
            whatsapp,
            times: times.filter(|_| attends),
            detail: String::new(),
        }
    }

    /// A parent's own arrival and departure; where the line gives none, those of the session.
    fn own_times(
        &mut self,
        role: Role,
        (tz, date, start, end): Span,
    ) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
        let (arrival, departure) = (format!("{role}_arrival"), format!("{role}_departure"));
        let mut at = |column: &str, default: DateTime<Utc>| match self.get(column) {
            "" => Some(default),
            v => match parse_time(v) {
                Some(t) => self.instant(column, tz, date, t),
                None => {
                    self.error(
                        column,
                        "invalid_time",
                        format!("{} is not a time of day; write 10:00", shown(v)),
                    );
                    None
                }
            },
        };
        let (arrives, leaves) = (at(&arrival, start)?, at(&departure, end)?);
        if arrives >= end || arrives < start - Duration::hours(3) {
            self.error(
                &arrival,
                "arrival_outside_session",
                "the arrival does not fit the session",
            );
        } else if leaves <= arrives || leaves > end + Duration::hours(3) {
            self.error(
                &departure,
                "arrival_outside_session",
                "the departure does not fit the session",
            );
        }
        Some((arrives, leaves))
    }

    pub(super) fn referrer(&mut self, country: &str) -> Option<PartyRow> {
        let role = self.get("referrer_role");
        let name = self.get("referrer_name");
        if role.is_empty() && name.is_empty() {
            return None;
        }
        const ROLES: [&str; 7] = [
            "solicitor",
            "social_worker",
            "cafcass",
            "mediator",
            "court",
            "self",
            "parent",
        ];
        if !ROLES.contains(&role) {
            self.error(
                "referrer_role",
                "unknown_referrer_role",
                format!(
                    "{:?} is not a referrer role; write one of {}",
                    shown(role),
                    ROLES.join(", ")
                ),
            );
        }
        let phone = self.phone("referrer_phone", country);
        let detail = format!("{role} {}", self.get("referrer_email"));
        Some(PartyRow {
            role: Role::Referrer,
            name: name.to_owned(),
            phone,
            telegram_id: None,
            channel: Channel::None,
            language: self.words.shared("en"),
            consent: Consent::No,
            named: None,
            whatsapp: false,
            times: None,
            detail,
        })
    }
}

/// Whether a spreadsheet took the number for a quantity: its leading 0 or plus is gone, or most of
/// its digits are (`7.7009E+09`).
fn lost_its_zero(v: &str, is_number: impl Fn(&str) -> bool) -> bool {
    let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    if let Some((mantissa, exponent)) = v.split_once(['E', 'e']) {
        let (whole, part) = mantissa.split_once(['.', ',']).unwrap_or((mantissa, "0"));
        return whole.len() == 1
            && digits(whole)
            && digits(part)
            && exponent.len() <= 3
            && digits(exponent.strip_prefix('+').unwrap_or(exponent));
    }
    (9..=13).contains(&v.len())
        && digits(v)
        && !v.starts_with('0')
        && (is_number(&format!("0{v}")) || is_number(&format!("+{v}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_a_spreadsheet_took_for_a_quantity() {
        let gb = |v: &str| lost_its_zero(v, |v| Phone::parse(v, "GB").is_ok());
        for v in [
            "7700900101",
            "447700900101",
            "2079460101",
            "7.7009E+09",
            "7,7009E+09",
            "4.47701E+11",
            "8E9",
        ] {
            assert!(gb(v), "{v}");
        }
        assert!(
            lost_its_zero("209102001", |v| Phone::parse(v, "IE").is_ok()),
            "020 910 2001"
        );
        for v in [
            "07700900101",
            "07700 900101",
            "+447700900101",
            "7700 900101",
            "7700900",
            "1234567890123456",
            "9OO311",
            "O77OO 900101",
            "E",
            "1E",
            "E9",
            "",
            "077009001010101010",
        ] {
            assert!(!gb(v), "{v}");
        }
    }
}
