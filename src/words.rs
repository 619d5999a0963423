//! The words: message templates by language, strict, built into the binary and overridden file by file from a folder.

use crate::domain::keyed::Problem;
use crate::domain::message::Kind;
use crate::domain::parts::parts;
use crate::domain::say::{FinishBy, Press, Say, Speaker};
use anyhow::{Context, Result, anyhow};
use chrono::{NaiveDate, NaiveDateTime, Timelike};
use minijinja::{Environment, UndefinedBehavior, context};
use std::collections::HashMap;
use std::path::Path;

macro_rules! built_in {
    ($($kind:literal),+ $(,)?) => { &[$(($kind, include_str!(concat!("../message-templates/en/", $kind, ".txt")))),+] };
}

/// The templates that are built in.
const ENGLISH: &[(&str, &str)] = built_in![
    "confirm_request",
    "confirm_ack",
    "cancel_reason_ask",
    "cancellation_ack",
    "session_off",
    "session_moved",
    "needs_coordinator_ack",
    "unclear_reply",
    "help",
    "stop_ack",
    "start_ack",
    "unknown_sender",
    "which_session",
    "wrong_number_ack",
    "closure",
    "please_ring",
    "discreet_request",
    "welcome",
    "link_number",
    "link_refused",
    "old_button",
    "no_longer_in_use",
    "staff_alert",
    "staff_reply",
    "buttons",
];

/// More than any template needs; stops a runaway one.
const FUEL: u64 = 20_000;

/// A rendered text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// The words.
    pub body: String,
    /// SMS parts that they take.
    pub parts: u32,
}

/// All templates.
pub struct Words {
    env: Environment<'static>,
    labels: HashMap<Press, String>,
}

/// The words of the buttons, one line each: `yes: Yes`.
fn read_labels(text: &str) -> HashMap<Press, String> {
    let pairs = text.lines().filter_map(|l| l.split_once(':'));
    pairs.filter_map(|(k, v)| Some((k.trim().parse().ok()?, v.trim().to_owned()))).filter(|(_, v): &(Press, String)| !v.is_empty()).collect()
}

/// The values that a kind's template may use, and no other.
fn variables(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::ConfirmRequest => &["centre", "phone", "day", "time", "cut_off", "fee"],
        Kind::ConfirmAck | Kind::SessionOff => &["centre", "phone", "day", "time"],
        Kind::CancelReasonAsk => &["centre", "phone", "day", "time", "finish", "stem", "code", "late"],
        Kind::CancellationAck => &["centre", "phone", "day", "in_time"],
        Kind::SessionMoved => &["centre", "phone", "old_day", "old_time", "day", "time"],
        Kind::NeedsCoordinatorAck => &["centre", "phone", "emergency_number"],
        Kind::Help | Kind::StopAck | Kind::UnclearReply => &["centre", "phone"],
        Kind::StartAck => &["centre"],
        Kind::UnknownSender | Kind::WrongNumberAck | Kind::LinkRefused => &[],
        Kind::WhichSession => &["centre", "phone", "first", "second"],
        Kind::Closure => &["centre", "phone", "day", "time"],
        Kind::PleaseRing | Kind::NoLongerInUse => &["centre"],
        Kind::DiscreetRequest => &["centre", "day"],
        Kind::Welcome => &["centre", "phone"],
        Kind::LinkNumber => &["centre", "phone", "number"],
        Kind::OldButton => &["phone"],
        Kind::StaffAlert => &["count"],
        Kind::StaffReply => &["centre", "text"],
    }
}

/// `Sat 28 Nov`.
fn day(at: NaiveDateTime) -> String {
    at.format("%a %-d %b").to_string()
}

/// `10am`, `2:30pm`.
fn time(at: NaiveDateTime) -> String {
    let (pm, hour) = at.hour12();
    let half = if pm { "pm" } else { "am" };
    if at.minute() == 0 { format!("{hour}{half}") } else { format!("{hour}:{:02}{half}", at.minute()) }
}

impl Words {
    /// Loads the templates; files in `dir/<language>/<kind>.txt` replace the built-in ones.
    ///
    /// # Errors
    /// Every problem at once: a file of no known kind, a template that does not parse, or one that asks for a value its kind has not.
    pub fn load(dir: Option<&Path>) -> Result<Words, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut env = Environment::new();
        env.set_undefined_behavior(UndefinedBehavior::Strict);
        env.set_fuel(Some(FUEL));
        let problem = |key: String, what: String, mend: &str| Problem { key, what, mend: mend.to_owned() };
        for (kind, source) in ENGLISH {
            let mut source = (*source).to_owned();
            let mut from = "built in".to_owned();
            if let Some(path) = dir.map(|d| d.join("en").join(format!("{kind}.txt"))).filter(|p| p.exists()) {
                from = path.display().to_string();
                match std::fs::read_to_string(&path) {
                    Ok(text) => source = text,
                    Err(e) => problems.push(problem(from.clone(), format!("it cannot be read: {e}"), "Save it as UTF-8 text, or take it away to use the built-in words.")),
                }
            }
            if let Err(e) = env.add_template_owned(format!("en/{kind}"), source.trim_end().to_owned()) {
                problems.push(problem(
                    from,
                    format!("the template is not understood: {}", e.detail().unwrap_or("a mistake in it")),
                    "Compare it with the built-in one in message-templates/.",
                ));
            }
        }
        if let Some(dir) = dir.map(|d| d.join("en"))
            && let Ok(entries) = std::fs::read_dir(&dir)
        {
            for entry in entries.flatten() {
                let name = entry.file_name().to_string_lossy().into_owned();
                if !ENGLISH.iter().any(|(k, _)| name == format!("{k}.txt")) {
                    problems.push(problem(
                        dir.join(&name).display().to_string(),
                        "there is no such kind of message".into(),
                        "Rename it to one of the kinds in message-templates/, or take it away.",
                    ));
                }
            }
        }
        let labels = read_labels(&env.get_template("en/buttons").map(|t| t.source().to_owned()).unwrap_or_default());
        for press in Press::ALL.iter().filter(|p| !labels.contains_key(p)) {
            problems.push(problem(
                "message-templates/en/buttons.txt".into(),
                format!("the button {press} has no words"),
                "Write a line \"name: words\" for each button, as in the built-in file.",
            ));
        }
        let words = Words { env, labels };
        for kind in Kind::ALL {
            let Ok(template) = words.env.get_template(&format!("en/{kind}")) else { continue };
            let mut foreign: Vec<String> = template.undeclared_variables(false).into_iter().filter(|v| !variables(*kind).contains(&v.as_str())).map(|v| v.to_string()).collect();
            foreign.sort();
            if !foreign.is_empty() {
                let has = if variables(*kind).is_empty() { "It has none.".to_owned() } else { format!("It has: {}.", variables(*kind).join(", ")) };
                problems.push(problem(format!("message-templates/en/{kind}.txt"), format!("it asks for {}, which this kind of message does not have", foreign.join(", ")), &has));
            }
        }
        if problems.is_empty() {
            for say in samples() {
                if let Err(e) = words.render(&say, &sample_speaker(), "en") {
                    problems.push(problem(
                        format!("message-templates/en/{}.txt", say.kind()),
                        format!("{e:#}"),
                        "Use only the values that the built-in template of this kind uses.",
                    ));
                }
            }
        }
        if problems.is_empty() { Ok(words) } else { Err(problems) }
    }

    /// What a button says.
    pub fn label(&self, press: Press) -> &str {
        self.labels.get(&press).map_or("", String::as_str)
    }

    /// Renders what is to be said; a language without templates is English.
    ///
    /// # Errors
    /// A value is missing: the text is not sent.
    pub fn render(&self, say: &Say, speaker: &Speaker, _language: &str) -> Result<Text> {
        let template = self.env.get_template(&format!("en/{}", say.kind())).context("a template is missing")?;
        let Speaker { short_name: centre, phone, emergency_number } = speaker;
        let body = match say {
            Say::ConfirmRequest { arrival, cut_off, fee } => {
                let cut_off = cut_off.map(|c| format!("{} {}", time(c), day(c)));
                template.render(context! { centre, phone, day => day(*arrival), time => time(*arrival), cut_off, fee })
            }
            Say::ConfirmAck { arrival } | Say::SessionOff { arrival } => template.render(context! { centre, phone, day => day(*arrival), time => time(*arrival) }),
            Say::CancelReasonAsk { arrival, finish } => {
                let (finish, stem, code, late) = match finish {
                    FinishBy::CodeWithReason { stem } => ("code_with_reason", stem.as_str(), "", true),
                    FinishBy::Code { code, late } => ("code", "", code.as_str(), *late),
                    FinishBy::Press { reason: true, late } => ("press_reason", "", "", *late),
                    FinishBy::Press { reason: false, late } => ("press", "", "", *late),
                    FinishBy::Word { late } => ("word", "", "", *late),
                };
                template.render(context! { centre, phone, day => day(*arrival), time => time(*arrival), finish, stem, code, late })
            }
            Say::CancellationAck { arrival, in_time } => template.render(context! { centre, phone, day => day(*arrival), in_time }),
            Say::SessionMoved { from, to } => template.render(context! { centre, phone, old_day => day(*from), old_time => time(*from), day => day(*to), time => time(*to) }),
            Say::Handover => template.render(context! { centre, phone, emergency_number }),
            Say::Help | Say::StopAck | Say::Unclear => template.render(context! { centre, phone }),
            Say::StartAck => template.render(context! { centre }),
            Say::UnknownSender | Say::WrongNumberAck | Say::LinkRefused => template.render(context! {}),
            Say::WhichSession { first, second } => {
                let option = |(at_centre, arrival): &(Option<String>, NaiveDateTime)| {
                    let at_centre = at_centre.as_ref().map(|c| format!("{c}, ")).unwrap_or_default();
                    format!("{at_centre}{}, {}", day(*arrival), time(*arrival))
                };
                template.render(context! { centre, phone, first => option(first), second => option(second) })
            }
            Say::Closure { arrival } => template.render(context! { centre, phone, day => day(*arrival), time => time(*arrival) }),
            Say::PleaseRing | Say::NoLongerInUse => template.render(context! { centre }),
            Say::DiscreetRequest { arrival } => template.render(context! { centre, day => day(*arrival) }),
            Say::Welcome => template.render(context! { centre, phone }),
            Say::LinkNumber { number } => template.render(context! { centre, phone, number }),
            Say::OldButton => template.render(context! { phone }),
            Say::StaffAlert { count } => template.render(context! { count }),
            Say::StaffReply { text } => template.render(context! { centre, text }),
        }
        .map_err(|e| anyhow!("{}{}", e.kind(), e.detail().map(|d| format!(": {d}")).unwrap_or_default()))?;
        let body = body.split_whitespace().collect::<Vec<_>>().join(" ");
        let parts = parts(&body);
        Ok(Text { body, parts })
    }
}

/// A speaker for samples.
pub fn sample_speaker() -> Speaker {
    Speaker { short_name: "Birchfield".into(), phone: "020 7946 0101".into(), emergency_number: "999".into() }
}

/// One sample or more of every kind, with the longest usual values.
pub fn samples() -> Vec<Say> {
    let at = |y, m, d, h, min| NaiveDate::from_ymd_opt(y, m, d).and_then(|d| d.and_hms_opt(h, min, 0)).unwrap_or_default();
    let (arrival, cut_off) = (at(2026, 11, 28, 10, 0), at(2026, 11, 26, 10, 0));
    let mut out = Vec::new();
    for kind in Kind::ALL {
        match kind {
            Kind::ConfirmRequest => {
                out.push(Say::ConfirmRequest { arrival, cut_off: Some(cut_off), fee: true });
                out.push(Say::ConfirmRequest { arrival, cut_off: None, fee: true });
                out.push(Say::ConfirmRequest { arrival, cut_off: None, fee: false });
            }
            Kind::ConfirmAck => out.push(Say::ConfirmAck { arrival }),
            Kind::CancelReasonAsk => {
                out.push(Say::CancelReasonAsk { arrival, finish: FinishBy::CodeWithReason { stem: "527".into() } });
                for late in [true, false] {
                    out.push(Say::CancelReasonAsk { arrival, finish: FinishBy::Code { code: "5274".into(), late } });
                    out.push(Say::CancelReasonAsk { arrival, finish: FinishBy::Word { late } });
                    out.push(Say::CancelReasonAsk { arrival, finish: FinishBy::Press { late, reason: late } });
                }
            }
            Kind::CancellationAck => out.extend([true, false].map(|in_time| Say::CancellationAck { arrival, in_time })),
            Kind::SessionOff => out.push(Say::SessionOff { arrival }),
            Kind::SessionMoved => out.push(Say::SessionMoved { from: arrival, to: at(2026, 11, 29, 14, 0) }),
            Kind::NeedsCoordinatorAck => out.push(Say::Handover),
            Kind::UnclearReply => out.push(Say::Unclear),
            Kind::Help => out.push(Say::Help),
            Kind::StopAck => out.push(Say::StopAck),
            Kind::StartAck => out.push(Say::StartAck),
            Kind::UnknownSender => out.push(Say::UnknownSender),
            Kind::WhichSession => out.push(Say::WhichSession { first: (None, at(2026, 11, 28, 10, 15)), second: (None, at(2026, 11, 29, 14, 15)) }),
            Kind::WrongNumberAck => out.push(Say::WrongNumberAck),
            Kind::Closure => out.push(Say::Closure { arrival }),
            Kind::PleaseRing => out.push(Say::PleaseRing),
            Kind::DiscreetRequest => out.push(Say::DiscreetRequest { arrival }),
            Kind::Welcome => out.push(Say::Welcome),
            Kind::LinkNumber => out.push(Say::LinkNumber { number: "4821".into() }),
            Kind::LinkRefused => out.push(Say::LinkRefused),
            Kind::OldButton => out.push(Say::OldButton),
            Kind::NoLongerInUse => out.push(Say::NoLongerInUse),
            Kind::StaffReply => out.push(Say::StaffReply { text: "Yes, your visit is at 10am as usual.".into() }),
            Kind::StaffAlert => out.extend([1, 3].map(|count| Say::StaffAlert { count })),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::person::Mode;

    /// The texts of the wording guide, byte for byte, and what they cost.
    #[test]
    fn every_text_reads_as_agreed_and_fits_one_part() {
        let words = Words::load(None).unwrap();
        let said: Vec<String> = samples().iter().map(|s| words.render(s, &sample_speaker(), "en").unwrap()).map(|t| format!("{} {}", t.parts, t.body)).collect();
        let wanted = include_str!("../tests/data/texts_en.txt");
        assert_eq!(said.join("\n"), wanted.trim_end());
        assert!(said.iter().all(|t| t.starts_with("1 ")), "more than one part");
    }

    #[test]
    fn a_discreet_phone_gets_one_of_two_texts_and_a_silent_one_nothing() {
        for say in samples() {
            if matches!(say, Say::StaffAlert { .. } | Say::LinkNumber { .. } | Say::LinkRefused) {
                continue;
            }
            let discreet = say.clone().in_mode(Mode::Discreet);
            assert!(matches!(discreet.say, None | Some(Say::DiscreetRequest { .. } | Say::PleaseRing)), "{say:?}");
            assert!(say.clone().in_mode(Mode::Silent).say.is_none(), "{say:?}");
            // Whoever is not told that a visit is off is rung.
            if say.kind().calls_off() || matches!(say, Say::SessionMoved { .. }) {
                assert!(discreet.ring && say.clone().in_mode(Mode::Silent).ring, "{say:?}");
            }
            assert_eq!(say.clone().in_mode(Mode::Normal).say, Some(say));
        }
    }

    #[test]
    fn a_template_with_a_missing_value_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("en")).unwrap();
        std::fs::write(dir.path().join("en/confirm_ack.txt"), "{{ centre }}: {{ other_party }} comes too").unwrap();
        std::fs::write(dir.path().join("en/confrim_ack.txt"), "x").unwrap();
        let problems = Words::load(Some(dir.path())).err().unwrap();
        assert_eq!(problems.len(), 2, "both at once");
        std::fs::remove_file(dir.path().join("en/confrim_ack.txt")).unwrap();
        let problems = Words::load(Some(dir.path())).err().unwrap();
        assert!(problems.len() == 1 && problems[0].key.ends_with("confirm_ack.txt") && problems[0].what.contains("other_party"), "{}", problems[0]);
    }

    #[test]
    fn times_are_said_as_people_say_them() {
        let at = |s| crate::domain::local_time::parse_local(s).unwrap();
        assert_eq!([time(at("2026-11-28T00:05")), time(at("2026-11-28T12:00")), time(at("2026-11-28T14:30"))], ["12:05am", "12pm", "2:30pm"]);
    }
}
