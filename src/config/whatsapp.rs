//! The section `[whatsapp]`: our number on WhatsApp and its content templates.

use crate::channels::twilio::{Sender, WHATSAPP};
use crate::config::sms::{SmsSection, read_service};
use crate::domain::centre::LANGUAGES;
use crate::domain::config_reader::ConfigReader;
use crate::domain::outgoing::whatsapp::{self, ContentSids};
use crate::domain::people::phone::Phone;
use std::path::Path;

#[derive(Clone)]
pub struct WhatsappSection {
    /// How to reach the service and how to send; our number begins with `whatsapp:`.
    pub sms: SmsSection,
    pub content: ContentSids,
}

/// Reads `[whatsapp]`: the same service as `[sms]` with another sender, and the content templates
/// that are stored there.
pub(super) fn read_whatsapp(
    r: &mut ConfigReader<'_>,
    base: &Path,
    common: Option<&SmsSection>,
) -> WhatsappSection {
    let sms = read_service(r, base, common, |r| {
        let from = r.text_required(
            "from",
            "Set our number on WhatsApp, from = \"whatsapp:+44…\".",
        );
        if !from.is_empty()
            && from
                .strip_prefix(WHATSAPP)
                .is_none_or(|n| Phone::from_e164(n).is_none())
        {
            r.problem(
                "from",
                format!("{from:?} is not a number on WhatsApp"),
                "Write it as \"whatsapp:+44…\".",
            );
        }
        Sender::Number(from)
    });
    let content = read_content(r);
    WhatsappSection { sms, content }
}

/// Reads `[whatsapp.content_sid]`: ids by kind of message, and a table of them for each language.
pub(super) fn read_content(r: &mut ConfigReader<'_>) -> ContentSids {
    let mut content = ContentSids::default();
    let mut kinds = |r: &mut ConfigReader<'_>, language: &str| {
        for name in whatsapp::names() {
            let Some(sid) = r.text_opt(name) else {
                continue;
            };
            if is_content_sid(&sid) {
                content.set(language, name, sid);
            } else {
                r.problem(
                    name,
                    format!("{sid:?} is no content template"),
                    "Write HX and the 32 digits and letters a to f that the service's console shows.",
                );
            }
        }
    };
    r.section("content_sid", |r| {
        kinds(r, "");
        for language in LANGUAGES {
            r.section(language, |r| kinds(r, language));
        }
    });
    content
}

fn is_content_sid(sid: &str) -> bool {
    let hex = |rest: &str| rest.bytes().all(|b| b.is_ascii_hexdigit());
    sid.len() == 34 && sid.strip_prefix("HX").is_some_and(hex)
}
