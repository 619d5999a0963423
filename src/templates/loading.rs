//! Reads templates and languages, built in or from a folder, and reads them over.

use crate::domain::centre::LANGUAGES;
use crate::domain::config_reader::{Problem, near};
use crate::domain::outgoing::lint::rules::{self, LintFinding};
use crate::domain::outgoing::message::MessageKind;
use crate::domain::outgoing::say::{Press, Speaker};
use crate::domain::replies::understanding::{Intent, ReadingContext, understand_in};
use crate::templates::built_in::{FOLDERS, Folder};
use crate::templates::fill::fill;
use crate::templates::{
    ENGLISH, Language, TemplateSource, Templates, Values, sample_speaker, samples_of,
    template_values,
};
use std::collections::HashMap;
use std::path::Path;

/// The words of the buttons, one line each: `yes: Yes`.
fn read_labels(text: &str) -> HashMap<Press, String> {
    let pairs = text.lines().filter_map(|l| l.split_once(':'));
    pairs
        .filter_map(|(k, v)| Some((k.trim().parse().ok()?, v.trim().to_owned())))
        .filter(|(_, v): &(Press, String)| !v.is_empty())
        .collect()
}

/// The values that a kind's template may use, and no other.
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

/// What a template says without its values and conditions, so that words are found in every branch
/// of it.
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

fn problem(key: impl Into<String>, what: impl Into<String>, fix: impl Into<String>) -> Problem {
    Problem {
        key: key.into(),
        what: what.into(),
        fix: fix.into(),
    }
}

/// The names in a folder; none if there is no such folder.
fn names_in(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(dir)
        .into_iter()
        .flatten()
        .flatten()
        .map(|e| e.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// Reads the templates, collecting what is wrong.
pub(super) struct Loading {
    words: Templates,
    problems: Vec<Problem>,
    thorough: bool,
}

impl Loading {
    /// Everything: what is built in, what a folder says in its place, and what single centres say.
    /// `thorough` reads over what is built in too.
    pub(super) fn all(
        words: Templates,
        dir: Option<&Path>,
        thorough: bool,
    ) -> Result<Templates, Vec<Problem>> {
        let mut loading = Loading {
            words,
            problems: Vec::new(),
            thorough,
        };
        for folder in FOLDERS {
            loading.language_folder(folder, dir);
        }
        if let Some(dir) = dir {
            for name in names_in(dir).iter().filter(|n| {
                dir.join(n).is_dir() && *n != "centres" && !LANGUAGES.contains(&n.as_str())
            }) {
                loading.unknown_language(&dir.join(name), name);
            }
            loading.centres(&dir.join("centres"));
        }
        for press in Press::ALL
            .iter()
            .filter(|p| !loading.words.labels.contains_key(&(ENGLISH, **p)))
        {
            loading.problems.push(problem(
                "message-templates/en/buttons.txt",
                format!("the button {press} has no words"),
                "Write a line \"name: words\" for each button, as in the built-in file.",
            ));
        }
        for source in loading.words.sources.clone().into_iter().filter(|s| s.own) {
            loading.lint(&source);
        }
        if loading.problems.is_empty() {
            Ok(loading.words)
        } else {
            Err(loading.problems)
        }
    }

    /// The text of an override, if there is one.
    fn read(&mut self, path: &Path) -> Option<String> {
        if !path.exists() {
            return None;
        }
        match std::fs::read_to_string(path) {
            Ok(text) => Some(text),
            Err(e) => {
                self.problems.push(problem(
                    path.display().to_string(),
                    format!("it cannot be read: {e}"),
                    "Save it as UTF-8 text, or take it away to use the built-in words.",
                ));
                None
            }
        }
    }

    fn check_language(&mut self, tag: &'static str, path: String, text: &str, own: bool) {
        match Language::read(text) {
            Ok(language) => {
                // What the texts ask for must be understood when it comes back.
                for (word, yes) in [(&language.yes, true), (&language.no, false)]
                    .into_iter()
                    .filter(|_| own)
                {
                    let heard = understand_in(
                        word,
                        &ReadingContext {
                            lang: tag,
                            ..ReadingContext::default()
                        },
                    )
                    .intent;
                    if if yes {
                        heard != Intent::Confirm
                    } else {
                        !matches!(heard, Intent::Cancel(_))
                    } {
                        let meant = if yes { "YES" } else { "NO" };
                        self.problems.push(problem(
                            path.clone(),
                            format!("{word:?} would not be understood as a {meant}"),
                            format!("Use a word of the list in understanding/{tag}.toml."),
                        ));
                    }
                }
                self.words.languages.insert(tag, language);
            }
            Err(problems) => self.problems.extend(problems.into_iter().map(|p| Problem {
                key: format!("{path}: {}", p.key),
                ..p
            })),
        }
    }

    fn template(&mut self, source: TemplateSource, text: &str) {
        match self
            .words
            .env
            .add_template_owned(source.name.clone(), template_values::mark(text.trim_end()))
        {
            Ok(()) => self.words.sources.push(source),
            Err(e) => self.problems.push(problem(
                source.path,
                format!(
                    "the template is not understood: {}",
                    e.detail().unwrap_or("a mistake in it")
                ),
                "Compare it with the built-in one in message-templates/.",
            )),
        }
    }

    /// The words of the buttons of a language.
    fn labels(&mut self, path: &str, language: &'static str, text: &str) {
        // A press is no text, but it stands below one: the same words are refused, but for the
        // reasons that are offered.
        let refused = self
            .words
            .languages
            .get(language)
            .map(|t| t.refused.clone())
            .unwrap_or_default();
        let found = rules::in_template(MessageKind::CancelReasonAsk, text, &refused);
        self.problems.extend(
            found
                .iter()
                .filter(|f| f.rule != rules::LintRule::OptOut)
                .map(|f| problem(path, f.what(), f.fix())),
        );
        self.words.labels.extend(
            read_labels(text)
                .into_iter()
                .map(|(press, label)| ((language, press), label)),
        );
    }

    /// A language: what is built in, or what a file of the folder says in its place.
    fn language_folder(&mut self, folder: &Folder, dir: Option<&Path>) {
        let tag = folder.tag;
        let own = dir.map(|d| d.join(tag));
        let built_in = |file: &str| format!("message-templates/{tag}/{file}");
        let over = |this: &mut Self, file: &str| {
            own.as_ref()
                .map(|d| d.join(file))
                .and_then(|p| this.read(&p).map(|text| (p.display().to_string(), text)))
        };
        let about = over(self, "language.toml");
        let described = about.is_some() || self.thorough;
        let (path, about) =
            about.unwrap_or_else(|| (built_in("language.toml"), folder.about.to_owned()));
        self.check_language(tag, path, &about, described);
        let built: HashMap<&str, &str> = folder.files.iter().copied().collect();
        let kinds = MessageKind::ALL
            .iter()
            .map(|k| k.as_str())
            .chain(["buttons"]);
        for kind in kinds {
            let file = format!("{kind}.txt");
            let replaced = over(self, &file);
            let own = replaced.is_some() || described;
            let Some((path, text)) =
                replaced.or_else(|| built.get(kind).map(|t| (built_in(&file), (*t).to_owned())))
            else {
                continue;
            };
            match kind.parse() {
                Ok(kind) => self.template(
                    TemplateSource {
                        name: format!("{tag}/{kind}"),
                        path,
                        language: tag,
                        kind,
                        own,
                    },
                    &text,
                ),
                Err(_) => self.labels(&path, tag, &text),
            }
        }
        if let Some(own) = &own {
            self.known_files(own, &["buttons.txt", "language.toml"]);
        }
    }

    /// The templates of single centres: `centres/<CODE>/<language>/<kind>.txt`.
    fn centres(&mut self, dir: &Path) {
        for code in names_in(dir) {
            for language in names_in(&dir.join(&code)) {
                let own = dir.join(&code).join(&language);
                let Some(tag) = LANGUAGES.iter().copied().find(|l| *l == language) else {
                    self.unknown_language(&own, &language);
                    continue;
                };
                for kind in MessageKind::ALL {
                    let path = own.join(format!("{kind}.txt"));
                    if let Some(text) = self.read(&path) {
                        let name = format!("centres/{code}/{tag}/{kind}");
                        self.template(
                            TemplateSource {
                                name,
                                path: path.display().to_string(),
                                language: tag,
                                kind: *kind,
                                own: true,
                            },
                            &text,
                        );
                    }
                }
                self.known_files(&own, &[]);
            }
            self.words.centres.insert(code);
        }
    }

    fn unknown_language(&mut self, path: &Path, name: &str) {
        let fix = match near(LANGUAGES, name) {
            Some(n) => format!("Did you mean {n}?"),
            None => format!(
                "There are: {}. Rename it, or take it away.",
                LANGUAGES.join(", ")
            ),
        };
        self.problems.push(problem(
            path.display().to_string(),
            "there are no texts in such a language",
            fix,
        ));
    }

    fn known_files(&mut self, dir: &Path, besides: &[&str]) {
        for name in names_in(dir) {
            let known = besides.contains(&name.as_str())
                || name
                    .strip_suffix(".txt")
                    .is_some_and(|k| k.parse::<MessageKind>().is_ok());
            if !known {
                self.problems.push(problem(
                    dir.join(&name).display().to_string(),
                    "there is no such kind of message",
                    "Rename it to one of the kinds in message-templates/, or take it away.",
                ));
            }
        }
    }

    /// Reads a template over: the values that it asks for, and the rules of words.
    fn lint(&mut self, source: &TemplateSource) {
        let Ok(template) = self.words.env.get_template(&source.name) else {
            return;
        };
        let has = variables(source.kind);
        let mut foreign: Vec<String> = template
            .undeclared_variables(false)
            .into_iter()
            .filter(|v| !has.contains(&v.as_str()))
            .map(|v| v.to_string())
            .collect();
        foreign.sort();
        if !foreign.is_empty() {
            let fix = if has.is_empty() {
                "It has none.".to_owned()
            } else {
                format!("It has: {}.", has.join(", "))
            };
            self.problems.push(problem(
                &source.path,
                format!(
                    "it asks for {}, which this kind of message does not have",
                    foreign.join(", ")
                ),
                fix,
            ));
            return;
        }
        let Some(language) = self.words.languages.get(source.language) else {
            return;
        };
        // A short name, so that as much as possible stands at the beginning.
        let speaker = Speaker {
            short_name: "Oak".into(),
            ..sample_speaker()
        };
        let mut found: Vec<LintFinding> = rules::in_template(
            source.kind,
            &without_values(&template_values::take(template.source()).0),
            &language.refused,
        );
        for say in samples_of(source.kind, &Values::usual()) {
            match fill(&template, language, &say, &speaker) {
                Ok(text) => found.extend({
                    let text = template_values::take(&text).0;
                    let value = |name: &str| {
                        let source = format!("{{{{ {name} }}}}");
                        let one = self.words.env.template_from_str(&source).ok()?;
                        fill(&one, language, &say, &speaker)
                            .ok()
                            .map(|v| template_values::take(&v).0)
                    };
                    rules::in_text(
                        &say,
                        &speaker.short_name,
                        &text,
                        &language.refused,
                        (&language.yes, &language.no),
                        value,
                    )
                }),
                Err(e) => {
                    self.problems.push(problem(
                        &source.path,
                        format!("{e:#}"),
                        "Use only the values that the built-in template of this kind uses.",
                    ));
                    return;
                }
            }
        }
        found.sort();
        found.dedup_by(|a, b| a.rule == b.rule);
        self.problems.extend(
            found
                .iter()
                .map(|f| problem(&source.path, f.what(), f.fix())),
        );
    }
}
