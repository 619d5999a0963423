//! What the service calls us with: signed forms for inbound messages and delivery receipts.

use crate::channels::form::{parse_form_bytes, readable};
use crate::channels::twilio::client::{Twilio, WHATSAPP};
use crate::channels::twilio::status;
use crate::channels::{DeliveryReceipt, InboundEvent};
use crate::domain::ids::AttemptToken;
use crate::domain::outgoing::say::Press;
use crate::domain::people::private::Private;
use crate::domain::replies::inbound::InboundKind;
use base64::Engine;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use subtle::ConstantTimeEq;

/// The header that holds the signature.
pub const SIGNATURE_HEADER: &str = "x-twilio-signature";
/// The response to an inbound message, with its content type: the service sends nothing back.
pub const EMPTY_ANSWER: (&str, &str) = ("text/xml; charset=utf-8", "<Response/>");

/// A form as it came in. Nobody has checked yet who sent it.
pub struct UnverifiedForm(Vec<(Vec<u8>, Vec<u8>)>);

impl UnverifiedForm {
    /// Reads a request's body.
    pub fn parse(body: &[u8]) -> UnverifiedForm {
        UnverifiedForm(parse_form_bytes(body))
    }

    /// Whether the account's secret signed this form for `url`.
    pub fn is_signed_by(&self, account: &Twilio, url: &str, signature: &str) -> bool {
        let Ok(given) = base64::engine::general_purpose::STANDARD.decode(signature.trim()) else {
            return false;
        };
        sign(&account.settings.auth_token, url, &self.0)
            .as_slice()
            .ct_eq(&given)
            .into()
    }

    /// The fields as text, once the signature has been checked.
    pub fn verified(self) -> WebhookForm {
        let fields = self.0.into_iter();
        WebhookForm(fields.map(|(k, v)| (readable(k), readable(v))).collect())
    }
}

/// A form that the service has signed.
pub struct WebhookForm(Vec<(String, String)>);

impl WebhookForm {
    fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(k, _)| k == name)
            .map(|(_, v)| v.as_str())
    }

    fn text(&self, name: &str) -> String {
        self.get(name).unwrap_or("").to_owned()
    }

    /// Whether it is about this account.
    pub fn is_for_account(&self, account: &Twilio) -> bool {
        self.get("AccountSid").unwrap_or("") == account.settings.account_sid
    }

    /// Reads it as an inbound message.
    ///
    /// # Errors
    /// The message has no id.
    pub fn into_inbound(self) -> Result<InboundForm, &'static str> {
        if self.get("MessageSid").is_none_or(str::is_empty) {
            return Err("MessageSid is missing");
        }
        Ok(InboundForm(self))
    }

    /// Reads it as a delivery receipt for the attempt with this token.
    ///
    /// # Errors
    /// The message has no id or no status.
    pub fn receipt(&self, token: &str) -> Result<DeliveryReceipt, &'static str> {
        let (Some(id), Some(word)) = (self.get("MessageSid"), self.get("MessageStatus")) else {
            return Err("MessageSid or MessageStatus is missing");
        };
        let at_most = |text: &str, n| text.chars().take(n).collect::<String>();
        let status = at_most(word, 32);
        Ok(DeliveryReceipt {
            token: AttemptToken::new(at_most(token, 64)),
            provider_id: at_most(id, 64),
            receipt: status::receipt(&status),
            status,
            error: self
                .get("ErrorCode")
                .map(|code| status::delivery_error(at_most(code, 16))),
        })
    }
}

/// An inbound message whose recipient is not checked yet.
pub struct InboundForm(WebhookForm);

impl InboundForm {
    /// Whether the message is for this sender of ours.
    pub fn is_to(&self, ours: &Twilio) -> bool {
        let form = &self.0;
        ours.is_ours(
            form.get("To").unwrap_or(""),
            form.get("MessagingServiceSid"),
        )
    }

    /// The message, received by this sender of ours.
    pub fn event(&self, ours: &Twilio) -> InboundEvent {
        let form = &self.0;
        // Only WhatsApp has buttons.
        let press = (ours.prefix() == WHATSAPP).then(|| self.press()).flatten();
        InboundEvent {
            provider_id: form.text("MessageSid"),
            from: ours.number_in(form.get("From").unwrap_or("")).to_owned(),
            at: None,
            kind: press.unwrap_or_else(|| InboundKind::Text {
                body: Private(form.text("Body")),
                media: form.text("NumMedia").parse().unwrap_or(0),
                opt_out_type: form.get("OptOutType").map(str::to_owned),
            }),
        }
    }

    /// A press on a button of a content template: `token:word`, or the word alone with the id of
    /// the message that it answers. Any other payload is ignored; the button's label then counts
    /// as a text.
    fn press(&self) -> Option<InboundKind> {
        let form = &self.0;
        let payload = form.get("ButtonPayload")?.trim();
        let message: String = form
            .get("OriginalRepliedMessageSid")
            .unwrap_or("")
            .chars()
            .take(64)
            .collect();
        let (token, word) = payload.split_once(':').unwrap_or(("", payload));
        let word: Press = word.to_lowercase().parse().ok()?;
        (!token.is_empty() || !message.is_empty()).then(|| InboundKind::Press {
            query: String::new(),
            data: format!("{token}:{word}"),
            message,
        })
    }
}

/// Signs as the service does: HMAC-SHA1 over the address and the sorted parameters, empty ones
/// included.
pub fn sign<B: AsRef<[u8]> + Ord>(auth_token: &str, url: &str, fields: &[(B, B)]) -> Vec<u8> {
    let mut sorted: Vec<_> = fields.iter().collect();
    sorted.sort();
    sorted.dedup();
    let mut mac =
        Hmac::<Sha1>::new_from_slice(auth_token.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(url.as_bytes());
    for (k, v) in sorted {
        mac.update(k.as_ref());
        mac.update(v.as_ref());
    }
    mac.finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_matches_the_services_documentation() {
        let fields: Vec<(String, String)> = [
            ("CallSid", "CA1234567890ABCDE"),
            ("Caller", "+14158675309"),
            ("Digits", "1234"),
            ("From", "+14158675309"),
            ("To", "+18005551212"),
        ]
        .map(|(k, v)| (k.to_owned(), v.to_owned()))
        .into();
        let signed = sign(
            "12345",
            "https://mycompany.com/myapp.php?foo=1&bar=2",
            &fields,
        );
        assert_eq!(
            base64::engine::general_purpose::STANDARD.encode(signed),
            "RSOYDt4T1cUTdK1PDd93/VVr8B8="
        );
    }
}
