//! Checks the templates and languages that come from a folder: the values that they use, the rules
//! of wording, and whether the answers that they ask for are understood.

use crate::domain::config_reader::Problem;
use crate::domain::outgoing::lint::{self, LintFinding, LintRule};
use crate::domain::outgoing::message::MessageKind;
use crate::domain::outgoing::say::{Say, Speaker};
use crate::domain::replies::understanding::{Intent, ReadingContext, understand_in};
use crate::templates::catalog::{TemplateSource, Templates};
use crate::templates::fill::fill;
use crate::templates::language::Language;
use crate::templates::samples::{Values, sample_speaker, samples_of};
use crate::templates::template_values;
use anyhow::Result;
use minijinja::Template;

/// Checks that the words for YES and NO that the texts print are understood when they come back.
pub(super) fn check_answers(tag: &str, path: &str, language: &Language) -> Vec<Problem> {
    let intent = |word: &str| {
        let context = ReadingContext {
            lang: tag,
            ..ReadingContext::default()
        };
        understand_in(word, &context).intent
    };
    let mut problems = Vec::new();
    let mut not_understood = |word: &str, meaning: &str| {
        problems.push(Problem::new(
            path,
            format!("{word:?} would not be understood as a {meaning}"),
            format!("Use a word of the list in understanding/{tag}.toml."),
        ));
    };
    if intent(&language.yes) != Intent::Confirm {
        not_understood(&language.yes, "YES");
    }
    if !matches!(intent(&language.no), Intent::Cancel(_)) {
        not_understood(&language.no, "NO");
    }
    problems
}

/// Checks the labels of the buttons. They may offer reasons and opt-out words, as a press is no
/// text.
pub(super) fn check_labels(path: &str, text: &str, language: Option<&Language>) -> Vec<Problem> {
    let refused = language.map(|l| l.refused.clone()).unwrap_or_default();
    lint::in_template(MessageKind::CancelReasonAsk, text, &refused)
        .iter()
        .filter(|f| f.rule != LintRule::OptOut)
        .map(|f| Problem::new(path, f.what(), f.fix()))
        .collect()
}

pub(super) fn check_template(templates: &Templates, source: &TemplateSource) -> Vec<Problem> {
    let Ok(template) = templates.env.get_template(&source.name) else {
        return Vec::new();
    };
    if let Some(problem) = foreign_values(&template, source) {
        return vec![problem];
    }
    let Some(language) = templates.languages.get(source.language) else {
        return Vec::new();
    };
    let own_words = without_values(&template_values::take(template.source()).0);
    let mut found: Vec<LintFinding> = lint::in_template(source.kind, &own_words, &language.refused);
    for say in samples_of(source.kind, &Values::usual()) {
        match check_sample(templates, &template, language, &say) {
            Ok(more) => found.extend(more),
            Err(e) => {
                return vec![Problem::new(
                    &source.path,
                    format!("{e:#}"),
                    "Use only the values that the built-in template of this kind uses.",
                )];
            }
        }
    }
    found.sort();
    found.dedup_by(|a, b| a.rule == b.rule);
    found
        .iter()
        .map(|f| Problem::new(&source.path, f.what(), f.fix()))
        .collect()
}

/// Values that the template uses although its kind does not have them.
fn foreign_values(template: &Template<'_, '_>, source: &TemplateSource) -> Option<Problem> {
    let known = variables(source.kind);
    let mut foreign: Vec<String> = template
        .undeclared_variables(false)
        .into_iter()
        .filter(|v| !known.contains(&v.as_str()))
        .map(|v| v.to_string())
        .collect();
    if foreign.is_empty() {
        return None;
    }
    foreign.sort();
    let fix = if known.is_empty() {
        "It has none.".to_owned()
    } else {
        format!("It has: {}.", known.join(", "))
    };
    Some(Problem::new(
        &source.path,
        format!(
            "it asks for {}, which this kind of message does not have",
            foreign.join(", ")
        ),
        fix,
    ))
}

/// Renders one sample and checks the text.
fn check_sample(
    templates: &Templates,
    template: &Template<'_, '_>,
    language: &Language,
    say: &Say,
) -> Result<Vec<LintFinding>> {
    // A short name, so that as much of the text as possible fits into its opening.
    let speaker = Speaker {
        short_name: "Oak".into(),
        ..sample_speaker()
    };
    let text = template_values::take(&fill(template, language, say, &speaker)?).0;
    let value = |name: &str| {
        let source = format!("{{{{ {name} }}}}");
        let one = templates.env.template_from_str(&source).ok()?;
        let filled = fill(&one, language, say, &speaker).ok()?;
        Some(template_values::take(&filled).0)
    };
    Ok(lint::in_text(
        say,
        &speaker.short_name,
        &text,
        &language.refused,
        (&language.yes, &language.no),
        value,
    ))
}

/// The only values that a template of this kind may use.
fn variables(kind: MessageKind) -> &'static [&'static str] {
    match kind {
        MessageKind::ConfirmRequest => &["centre", "phone", "day", "time", "cut_off", "fee"],
        MessageKind::ConfirmAck
        | MessageKind::SessionOff
        | MessageKind::SessionOn
        | MessageKind::DateRefused
        | MessageKind::Closure => &["centre", "phone", "day", "time"],
        MessageKind::CancelReasonAsk => &[
            "centre", "phone", "day", "time", "finish", "stem", "code", "late",
        ],
        MessageKind::CancellationAck => &["centre", "phone", "day", "in_time"],
        MessageKind::SessionMoved | MessageKind::DateQuestion => {
            &["centre", "phone", "old_day", "old_time", "day", "time"]
        }
        MessageKind::NeedsCoordinatorAck => &["centre", "phone", "emergency_number"],
        MessageKind::Help
        | MessageKind::StopAck
        | MessageKind::Welcome
        | MessageKind::CaseClosed
        | MessageKind::UnclearReply => &["centre", "phone"],
        MessageKind::ReviewDue | MessageKind::IntroductionMeeting => &["centre", "phone"],
        MessageKind::PrevisitInvitation | MessageKind::FeeChange => &["centre", "phone", "day"],
        MessageKind::StartAck | MessageKind::PleaseRing | MessageKind::NoLongerInUse => &["centre"],
        MessageKind::UnknownSender | MessageKind::WrongNumberAck | MessageKind::LinkRefused => &[],
        MessageKind::WhichSession => &["centre", "phone", "first", "second"],
        MessageKind::DiscreetRequest => &["centre", "day"],
        MessageKind::LinkNumber => &["centre", "phone", "number"],
        MessageKind::OldButton => &["phone"],
        MessageKind::StaffAlert => &["count"],
        MessageKind::StaffReply => &["centre", "text"],
        MessageKind::FeeNotice => &["centre", "phone", "amount", "day"],
        MessageKind::NoteRequest => &["centre", "phone", "day"],
        MessageKind::NoteReminder => &["centre", "phone", "day", "bring_on"],
        MessageKind::FeeSettled => &["centre", "phone", "day", "file_closed"],
        MessageKind::AllPartiesNotice => &["centre", "phone", "last_day"],
    }
}

/// A template's own words in all of its branches, without values and conditions.
fn without_values(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(open) = rest.find('{') {
        out.push_str(&rest[..open]);
        let close = match rest.as_bytes().get(open + 1) {
            Some(b'{') => "}}",
            Some(b'%') => "%}",
            Some(b'#') => "#}",
            _ => "{",
        };
        out.push(' ');
        rest = rest[open..]
            .split_once(close)
            .map_or("", |(_, after)| after);
    }
    out.push_str(rest);
    out
}
