//! Senders that a centre's file sets for that centre alone.

use crate::channels::telegram::TelegramSettings;
use crate::config::settings::Settings;
use crate::config::sms::{SmsSection, read_sms};
use crate::config::telegram::read_telegram;
use crate::config::whatsapp::{WhatsappSection, read_content, read_whatsapp};
use crate::domain::centre::Centre;
use crate::domain::config_reader::{ConfigReader, Problem};
use crate::domain::outgoing::whatsapp::ContentSids;
use toml::{Table, Value};

/// The senders that a centre has for itself.
#[derive(Clone, Default)]
pub struct OwnSenders {
    pub sms: Option<SmsSection>,
    /// Its number on WhatsApp.
    pub whatsapp: Option<WhatsappSection>,
    /// Its content templates, for its own number or for the common one.
    pub content: ContentSids,
    pub telegram: Option<TelegramSettings>,
}

impl Settings {
    /// Reads the senders in a centre's file. Relative paths in it start at the folder of the
    /// settings.
    pub fn own_senders(&self, centre: &Centre) -> Result<OwnSenders, Vec<Problem>> {
        let mut own = OwnSenders::default();
        let table: Table = centre
            .own_senders
            .iter()
            .map(|(name, t)| ((*name).to_owned(), Value::Table(t.clone())))
            .collect();
        let mut r = ConfigReader::new(&table);
        if r.has("sms") {
            own.sms = Some(r.section("sms", |r| read_sms(r, &self.base)));
        }
        if r.has("whatsapp") {
            self.own_whatsapp(&mut r, &table, &mut own);
        }
        if r.has("telegram") {
            own.telegram = Some(r.section("telegram", |r| read_telegram(r, &self.base)));
        }
        r.finish(own)
    }

    /// A section without `from` only adds content templates to the common number.
    fn own_whatsapp(&self, r: &mut ConfigReader<'_>, table: &Table, own: &mut OwnSenders) {
        let has_number = table["whatsapp"].get("from").is_some();
        if !has_number && self.whatsapp.is_some() {
            own.content = r.section("whatsapp", read_content);
            return;
        }
        let common = own
            .sms
            .as_ref()
            .or(self.whatsapp.as_ref().map(|w| &w.sms))
            .or(self.sms.as_ref());
        let section = r.section("whatsapp", |r| read_whatsapp(r, &self.base, common));
        own.content = section.content.clone();
        own.whatsapp = Some(section);
    }
}
