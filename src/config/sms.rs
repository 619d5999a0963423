//! The section `[sms]`: the texting service.

use crate::channels::twilio::{Sender, SmsSettings};
use crate::config::values::{is_url, secret};
use crate::domain::config_reader::ConfigReader;
use crate::domain::people::phone::Phone;
use std::path::Path;
use std::time::Duration;

#[derive(Clone)]
pub struct SmsSection {
    /// How to reach the service.
    pub service: SmsSettings,
    /// Messages per second; 0 means no limit.
    pub rate_per_second: u32,
    /// Messages per day (UTC); 0 means no limit.
    pub max_per_day: i64,
    /// How long to wait before the service is asked about an unknown outcome.
    pub settle: Duration,
    /// How long to wait before it is asked again.
    pub look_again: Duration,
    /// Only these numbers get messages; empty means all.
    pub only_to: Vec<String>,
}

pub(super) fn read_sms(r: &mut ConfigReader<'_>, base: &Path) -> SmsSection {
    read_service(r, base, None, sms_sender)
}

fn sms_sender(r: &mut ConfigReader<'_>) -> Sender {
    let (from, service) = (r.text_opt("from"), r.text_opt("messaging_service_sid"));
    match (from, service) {
        (Some(n), None) if Phone::from_e164(&n).is_some() => Sender::Number(n),
        (Some(n), None) => {
            r.problem(
                "from",
                format!("{n:?} is not a number in the form +44…"),
                "A name cannot receive answers: use one of the service's numbers.",
            );
            Sender::Number(String::new())
        }
        (None, Some(s)) => Sender::Service(s),
        (Some(_), Some(_)) => {
            r.problem(
                "from",
                "messaging_service_sid is set too",
                "Keep one of the two.",
            );
            Sender::Number(String::new())
        }
        (None, None) => {
            r.problem(
                "from",
                "it is missing",
                "Set our number, from = \"+44…\", or messaging_service_sid = \"MG…\".",
            );
            Sender::Number(String::new())
        }
    }
}

/// Reads how to reach the service. Whatever is not set is taken from `common`, the section of the
/// same service for SMS.
pub(super) fn read_service(
    r: &mut ConfigReader<'_>,
    base: &Path,
    common: Option<&SmsSection>,
    sender: impl FnOnce(&mut ConfigReader<'_>) -> Sender,
) -> SmsSection {
    let default_url = common
        .map_or("https://api.twilio.com", |c| c.service.base_url.as_str())
        .to_owned();
    let base_url = r.parsed(
        "base_url",
        default_url,
        "an address such as \"https://api.twilio.com\"",
        |s| is_url(s).then(|| s.to_owned()),
    );
    let (account_sid, auth_token) = read_account(r, base, common);
    let sender = sender(r);
    let seconds = |n: i64| Duration::from_secs(n.unsigned_abs());
    let common_seconds = |of: fn(&SmsSection) -> Duration, default: i64| {
        common.map_or(default, |c| {
            i64::try_from(of(c).as_secs()).unwrap_or(i64::MAX)
        })
    };
    let rate = common.map_or(10, |c| c.rate_per_second.into());
    let daily = common.map_or(500, |c| c.max_per_day);
    let settle = common_seconds(|c| c.settle, 120);
    let look_again = common_seconds(|c| c.look_again, 60);
    let timeout = common_seconds(|c| c.service.timeout, 15);
    SmsSection {
        rate_per_second: r.whole("rate_per_second", rate, 0, 10_000) as u32,
        max_per_day: r.whole("max_per_day", daily, 0, 10_000_000),
        settle: seconds(r.whole("settle_seconds", settle, 1, 86_400)),
        look_again: seconds(r.whole("look_again_seconds", look_again, 1, 86_400)),
        only_to: r
            .list("only_to")
            .unwrap_or_else(|| common.map(|c| c.only_to.clone()).unwrap_or_default()),
        service: SmsSettings {
            base_url,
            account_sid,
            auth_token,
            sender,
            timeout: seconds(r.whole("timeout_seconds", timeout, 1, 300)),
        },
    }
}

/// Reads the account, or takes that of `common` if nothing of it is set.
fn read_account(
    r: &mut ConfigReader<'_>,
    base: &Path,
    common: Option<&SmsSection>,
) -> (String, String) {
    let (account, token) = (r.text_opt("account_sid"), secret(r, "auth_token", base));
    match common.filter(|_| account.is_none() && token.is_none()) {
        Some(c) => (c.service.account_sid.clone(), c.service.auth_token.clone()),
        None => {
            if account.as_ref().is_none_or(|s| s.trim().is_empty()) {
                r.problem(
                    "account_sid",
                    "it is missing",
                    "Take it from the service's console; it begins with AC.",
                );
            }
            if token.is_none() {
                r.problem(
                    "auth_token",
                    "it is missing",
                    "Take it from the service's console, or name its file with auth_token_file.",
                );
            }
            (account.unwrap_or_default(), token.unwrap_or_default())
        }
    }
}
