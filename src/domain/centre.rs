//! A centre and its rules, read from its file. The rules on sending apply as they are now; a session
//! keeps the rules on money that were in force when it was booked.

use crate::domain::config_reader::{ConfigReader, Problem, near};
use crate::domain::money::office_hours::MoneyHours;
use crate::domain::outgoing::message::MessageKind;
use crate::domain::reminders::courtesy::Courtesy;
use crate::domain::visits::announced::AnnouncedChange;
use chrono_tz::Tz;
use toml::Table;

/// The languages in which there are texts (BCP 47), English first. Each has a folder in
/// `message-templates/` and a file in `understanding/`.
pub const LANGUAGES: [&str; 6] = ["en", "ga", "cy", "pl", "ro", "ur-Latn"];

#[derive(Debug, Clone, PartialEq)]
pub struct Centre {
    /// Short code, first part of its case references.
    pub code: String,
    /// Full name, for staff.
    pub name: String,
    /// First word of every text. It must be neutral on a lock screen.
    pub short_name: String,
    /// `GB` or `IE`: decides how national numbers are read and which emergency number is usual.
    pub country: String,
    /// The centre's wall clock.
    pub tz: Tz,
    /// The office's number, as texts give it.
    pub phone: String,
    /// When the office answers, in words.
    pub office_hours: String,
    /// How a fee is paid, in words.
    pub how_to_pay: String,
    /// `999`, or `112 or 999`.
    pub emergency_number: String,
    /// Languages that are switched on although no speaker has checked their texts.
    pub languages: Vec<String>,
    /// Whether a new centre starts on hold.
    pub starts_on_hold: bool,
    /// Notice, fees, answers.
    pub rules: Rules,
    /// Announced changes of the rules by date, including past ones.
    pub announced: Vec<AnnouncedChange>,
    /// When courtesy confirmations are sent.
    pub courtesy: Courtesy,
    /// Milestones that are texted to both parents as well as given to staff as tasks; see
    /// [`MessageKind::is_milestone`].
    pub milestone_texts: Vec<MessageKind>,
    /// The sections of the centre's file for its own senders: `sms`, `whatsapp`, `telegram`.
    pub own_senders: Vec<(&'static str, Table)>,
}

/// How a cancellation by SMS is finished (safety rule S1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CancelAnswer {
    /// By a code that only the phone on file sees.
    Code,
    Word,
}

/// The centre's rules on notice, money and answers.
#[derive(Debug, Clone, PartialEq)]
pub struct Rules {
    /// Hours of notice without a fee (usually 48).
    pub notice_hours: i64,
    /// The late-cancellation fee in minor units.
    pub fee_minor: i64,
    /// ISO 4217 code of the fee.
    pub currency: String,
    /// Who usually pays for contact.
    pub usually_pays: String,
    /// Days to pay after all parties were told (usually 7).
    pub payment_days: i64,
    /// How a cancellation by SMS is finished.
    pub cancel_answer: CancelAnswer,
    /// The other parent is told at the next quarter hour after this many minutes; 0 = at once (safety
    /// rule S2).
    pub session_off_delay_minutes: i64,
    /// Minutes between two unprompted texts to one number; 0 = none.
    pub spacing_minutes: i64,
    /// Unprompted texts to one number in 24 hours; 0 = no limit.
    pub max_texts_per_day: i64,
    /// When texts about money and notes may be sent (safety rule M2); `None` = whenever other texts
    /// may.
    pub money_hours: Option<MoneyHours>,
    /// A review falls due each time so many sessions took place; 0 = never. Terms of use: "after 6-8
    /// sessions".
    pub review_after_sessions: i64,
    /// A review falls due every so many months; 0 = never. Handbook for parents: "every six months".
    pub review_after_months: i64,
    /// The introduction meeting falls due after so many months; 0 = never. Code of conduct: "after
    /// using the Centre for six months".
    pub introduction_meeting_after_months: i64,
    /// A family is invited to see the centre so many days before its first session; 0 = never.
    /// Handbook for parents: "before your first arranged visit".
    pub previsit_invitation_days: i64,
}

impl Rules {
    fn read(r: &mut ConfigReader<'_>, country: &str) -> Rules {
        let payers = ["resident", "contact", "referrer", "none"].map(|p| (p, p));
        let usual_currency = if country == "IE" { "EUR" } else { "GBP" };
        let mut rules = Rules {
            notice_hours: r.whole("notice_hours", 48, 0, 8760),
            fee_minor: r.whole("fee_pence", 0, 0, 100_000_000),
            currency: r.text("currency", usual_currency),
            usually_pays: r.word("usually_pays", "contact", &payers).to_owned(),
            payment_days: r.whole("payment_days", 7, 1, 365),
            cancel_answer: r.word(
                "cancel_answer",
                CancelAnswer::Code,
                &[("code", CancelAnswer::Code), ("word", CancelAnswer::Word)],
            ),
            session_off_delay_minutes: r.whole("session_off_delay_minutes", 15, 0, 24 * 60),
            spacing_minutes: r.whole("spacing_minutes", 10, 0, 24 * 60),
            max_texts_per_day: r.whole("max_texts_per_day", 4, 0, 1000),
            money_hours: Some(MoneyHours::default()),
            review_after_sessions: r.whole("review_after_sessions", 0, 0, 1000),
            review_after_months: r.whole("review_after_months", 6, 0, 120),
            introduction_meeting_after_months: r.whole(
                "introduction_meeting_after_months",
                6,
                0,
                120,
            ),
            previsit_invitation_days: r.whole("previsit_invitation_days", 0, 0, 365),
        };
        match r.list("money_hours") {
            None => {}
            Some(none) if none.is_empty() => rules.money_hours = None,
            Some(hours) => match MoneyHours::read(&hours) {
                Some(read) => rules.money_hours = Some(read),
                None => r.problem(
                    "money_hours",
                    format!("{hours:?} is not understood"),
                    "Write [\"Mon-Fri\", \"10:00-16:00\"], or [] for none.",
                ),
            },
        }
        if rules.currency.len() != 3 || !rules.currency.chars().all(|c| c.is_ascii_uppercase()) {
            let what = format!("{:?} is no currency code", rules.currency);
            r.problem("currency", what, "Write three letters, such as \"GBP\".");
        }
        rules
    }
}

impl Centre {
    /// Reads a centre's file. Reports every problem at once, each with its fix.
    pub fn read(table: &Table) -> Result<Centre, Vec<Problem>> {
        let mut r = ConfigReader::new(table);
        let code = r.text_required("code", "Give the centre a short code, such as \"BRK\".");
        if code.len() > 12 || !code.chars().all(|c| c.is_ascii_alphanumeric()) {
            r.problem(
                "code",
                format!("{code:?} is no code"),
                "Use up to 12 letters and digits.",
            );
        }
        let name = r.text_required("name", "Give the centre's full name.");
        let short_name = r.text(
            "short_name",
            name.split_whitespace()
                .next()
                .unwrap_or("")
                .trim_end_matches(','),
        );
        let country = r
            .word("country", "GB", &[("GB", "GB"), ("IE", "IE")])
            .to_owned();
        let tz = read_timezone(&mut r);
        let phone = r.text("phone", "");
        let office_hours = r.text("office_hours", "");
        let how_to_pay = r.text("how_to_pay", "at the desk");
        let emergency_number = r.text(
            "emergency_number",
            if country == "IE" { "112 or 999" } else { "999" },
        );
        let languages = read_languages(&mut r);
        let starts_on_hold = r.word("start", true, &[("hold", true), ("sending", false)]);
        let rules = r.section("rules", |r| Rules::read(r, &country));
        let mut announced: Vec<AnnouncedChange> = r
            .tables("rules_from", AnnouncedChange::read)
            .into_iter()
            .flatten()
            .collect();
        announced.sort_by_key(|a| a.from);
        let courtesy = r.section("courtesy", Courtesy::read);
        let milestone_texts = r.section("milestones", |r| read_kinds(r, "texts"));
        // They are read together with the other settings of senders.
        let mut own_senders = Vec::new();
        for sender in ["sms", "whatsapp", "telegram"] {
            if let Some(own) = r.raw_section(sender) {
                own_senders.push((sender, own));
            }
        }
        r.finish(Centre {
            code,
            name,
            short_name,
            country,
            tz,
            phone,
            office_hours,
            how_to_pay,
            emergency_number,
            languages,
            starts_on_hold,
            rules,
            announced,
            courtesy,
            milestone_texts,
            own_senders,
        })
    }

    /// Reads a centre's file from its text.
    pub fn parse(text: &str) -> Result<Centre, Vec<Problem>> {
        let table: Table = text.parse().map_err(|e: toml::de::Error| {
            vec![Problem {
                key: "file".into(),
                what: e.message().to_owned(),
                fix: format!(
                    "It is no TOML: {}",
                    e.to_string().lines().take(3).collect::<Vec<_>>().join(" ")
                ),
            }]
        })?;
        Centre::read(&table)
    }
}

fn read_timezone(r: &mut ConfigReader<'_>) -> Tz {
    let name = r.text_required("timezone", "Write an IANA zone, such as \"Europe/London\".");
    if name.is_empty() {
        return Tz::UTC;
    }
    name.parse().unwrap_or_else(|_| {
        r.problem(
            "timezone",
            format!("{name:?} is no IANA time zone"),
            "Write one such as \"Europe/London\".",
        );
        Tz::UTC
    })
}

/// The milestones that a centre texts to both parents.
fn read_kinds(r: &mut ConfigReader<'_>, key: &str) -> Vec<MessageKind> {
    let names = || {
        MessageKind::ALL
            .iter()
            .copied()
            .filter(|k| k.is_milestone())
    };
    let mut out = Vec::new();
    for text in r.list(key).unwrap_or_default() {
        match names().find(|k| k.as_str() == text) {
            Some(k) if out.contains(&k) => {}
            Some(k) => out.push(k),
            None => {
                let all = || names().map(MessageKind::as_str);
                let fix = near(all(), &text).map_or_else(
                    || format!("There are: {}.", all().collect::<Vec<_>>().join(", ")),
                    |n| format!("Did you mean {n:?}?"),
                );
                r.problem(key, format!("there is no text for {text:?}"), fix);
            }
        }
    }
    out
}

/// The languages that a centre switches on.
fn read_languages(r: &mut ConfigReader<'_>) -> Vec<String> {
    let mut out = Vec::new();
    for text in r.list("languages").unwrap_or_default() {
        match LANGUAGES.iter().find(|l| l.eq_ignore_ascii_case(&text)) {
            Some(l) => out.push((*l).to_owned()),
            None => {
                let fix = near(LANGUAGES, &text).map_or_else(
                    || format!("There are: {}.", LANGUAGES.join(", ")),
                    |n| format!("Did you mean {n:?}?"),
                );
                r.problem("languages", format!("there are no texts in {text:?}"), fix);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_problem_is_reported_at_once() {
        let problems = Centre::parse(
            "code = \"B K\"\nname = \"Birchfield\"\ntimezone = \"Europe/Londn\"\nshort_nam = \
             \"x\"\n[rules]\nnotice_hours = -1\n[courtesy]\nquiet_hours = [\"20:00\"]\nsaturday = \
             { day = \"thirsday\", time = \"10:00\" }\n",
        )
        .unwrap_err();
        let keys: Vec<_> = problems.iter().map(|p| p.key.as_str()).collect();
        assert_eq!(
            keys,
            [
                "code",
                "timezone",
                "rules.notice_hours",
                "courtesy.saturday.day",
                "courtesy.quiet_hours",
                "short_nam"
            ]
        );
        assert!(
            problems
                .iter()
                .any(|p| p.fix.contains("Did you mean short_name?"))
        );
    }

    #[test]
    fn milestones_are_texted_where_the_centre_says_so() {
        let texts = |list: &str| {
            Centre::parse(&format!(
                "code = \"BRK\"\nname = \"Birchfield Road\"\ntimezone = \
                                    \"Europe/London\"\n[milestones]\ntexts = {list}"
            ))
            .map(|c| c.milestone_texts)
        };
        assert_eq!(texts("[]").unwrap(), []);
        assert_eq!(
            texts("[\"fee_change\", \"review_due\"]").unwrap(),
            [MessageKind::FeeChange, MessageKind::ReviewDue]
        );
        let wrong = texts("[\"reviews_due\", \"fee_notice\"]").unwrap_err();
        assert!(
            wrong.len() == 2 && wrong.iter().all(|p| p.key == "milestones.texts"),
            "{wrong:?}"
        );
        assert!(
            wrong[0].fix.contains("Did you mean \"review_due\"?")
                && wrong[1]
                    .fix
                    .contains("There are: review_due, introduction_meeting"),
            "{wrong:?}"
        );
    }

    #[test]
    fn a_file_with_the_least() {
        let c = Centre::parse(
            "code = \"BRK\"\nname = \"Birchfield Road\"\ntimezone = \"Europe/London\"",
        )
        .unwrap();
        assert_eq!(
            (
                c.short_name.as_str(),
                c.rules.notice_hours,
                c.courtesy.min_lead_minutes,
                c.starts_on_hold
            ),
            ("Birchfield", 48, 120, true)
        );
    }
}
