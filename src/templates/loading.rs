//! Loads templates and languages: the built-in ones, overridden file by file from a folder.

use crate::domain::centre::LANGUAGES;
use crate::domain::config_reader::{Problem, near};
use crate::domain::outgoing::message::MessageKind;
use crate::domain::outgoing::say::Press;
use crate::templates::built_in::{FOLDERS, Folder};
use crate::templates::catalog::{ENGLISH, TemplateSource, Templates};
use crate::templates::language::Language;
use crate::templates::{lint, template_values};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

impl Templates {
    /// Loads the templates and checks them. Files in `dir/<language>/<kind>.txt` replace the
    /// built-in ones for all centres, those in `dir/centres/<CODE>/<language>/<kind>.txt` for one.
    ///
    /// # Errors
    /// Every problem at once: a file of an unknown kind or language, a template that does not
    /// parse, one that uses a value its kind does not have, one that breaks a rule of wording.
    pub fn load(dir: Option<&Path>) -> Result<Templates, Vec<Problem>> {
        Templates::load_from(dir, false)
    }

    /// Loads the templates and checks the built-in ones as well if `check_built_in` says so.
    pub(super) fn load_from(
        dir: Option<&Path>,
        check_built_in: bool,
    ) -> Result<Templates, Vec<Problem>> {
        let mut loader = Loader {
            templates: Templates::empty(),
            problems: Vec::new(),
            check_built_in,
        };
        for folder in FOLDERS {
            loader.language(folder, dir);
        }
        if let Some(dir) = dir {
            loader.unknown_languages(dir);
            loader.centres(&dir.join("centres"));
        }
        loader.missing_labels();
        loader.check_templates();
        if loader.problems.is_empty() {
            Ok(loader.templates)
        } else {
            Err(loader.problems)
        }
    }
}

/// Reads the labels of the buttons, one a line: `yes: Yes`.
fn read_labels(text: &str) -> HashMap<Press, String> {
    let pairs = text.lines().filter_map(|l| l.split_once(':'));
    pairs
        .filter_map(|(k, v)| Some((k.trim().parse().ok()?, v.trim().to_owned())))
        .filter(|(_, v): &(Press, String)| !v.is_empty())
        .collect()
}

/// The names in a folder, sorted; empty if there is no such folder.
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

/// The templates read so far, and what is wrong with them.
struct Loader {
    templates: Templates,
    problems: Vec<Problem>,
    check_built_in: bool,
}

impl Loader {
    /// Reads a file that may override a built-in one.
    fn read(&mut self, path: &Path) -> Option<String> {
        if !path.exists() {
            return None;
        }
        match std::fs::read_to_string(path) {
            Ok(text) => Some(text),
            Err(e) => {
                self.problems.push(Problem::new(
                    path.display().to_string(),
                    format!("it cannot be read: {e}"),
                    "Save it as UTF-8 text, or remove it to use the built-in texts.",
                ));
                None
            }
        }
    }

    /// A language with its templates, each from the folder or else built in.
    fn language(&mut self, folder: &Folder, dir: Option<&Path>) {
        let tag = folder.tag;
        let overrides: Option<PathBuf> = dir.map(|d| d.join(tag));
        let built_in = |file: &str| format!("message-templates/{tag}/{file}");
        let read_override = |this: &mut Self, file: &str| {
            let path = overrides.as_ref()?.join(file);
            let text = this.read(&path)?;
            Some((path.display().to_string(), text))
        };
        let description = read_override(self, "language.toml");
        let check = description.is_some() || self.check_built_in;
        let (path, text) =
            description.unwrap_or_else(|| (built_in("language.toml"), folder.about.to_owned()));
        self.describe(tag, &path, &text, check);
        let kinds = MessageKind::ALL
            .iter()
            .map(|k| k.as_str())
            .chain(["buttons"]);
        for name in kinds {
            let file = format!("{name}.txt");
            let own = read_override(self, &file);
            let check = own.is_some() || check;
            let built = folder.files.iter().find(|(n, _)| *n == name);
            let Some((path, text)) =
                own.or_else(|| built.map(|(_, text)| (built_in(&file), (*text).to_owned())))
            else {
                continue;
            };
            match name.parse() {
                Ok(kind) => {
                    let source = TemplateSource {
                        name: format!("{tag}/{kind}"),
                        path,
                        language: tag,
                        kind,
                        own: check,
                    };
                    self.template(source, &text);
                }
                Err(_) => self.labels(&path, tag, &text),
            }
        }
        if let Some(dir) = &overrides {
            self.unknown_files(dir, &["buttons.txt", "language.toml"]);
        }
    }

    fn describe(&mut self, tag: &'static str, path: &str, text: &str, check: bool) {
        match Language::read(text) {
            Ok(language) => {
                if check {
                    self.problems
                        .extend(lint::check_answers(tag, path, &language));
                }
                self.templates.languages.insert(tag, language);
            }
            Err(problems) => self.problems.extend(problems.into_iter().map(|p| Problem {
                key: format!("{path}: {}", p.key),
                ..p
            })),
        }
    }

    fn template(&mut self, source: TemplateSource, text: &str) {
        let marked = template_values::mark(text.trim_end());
        match self
            .templates
            .env
            .add_template_owned(source.name.clone(), marked)
        {
            Ok(()) => self.templates.sources.push(source),
            Err(e) => self.problems.push(Problem::new(
                source.path,
                format!(
                    "the template is not understood: {}",
                    e.detail().unwrap_or("a mistake in it")
                ),
                "Compare it with the built-in one in message-templates/.",
            )),
        }
    }

    fn labels(&mut self, path: &str, tag: &'static str, text: &str) {
        let language = self.templates.languages.get(tag);
        self.problems
            .extend(lint::check_labels(path, text, language));
        self.templates.labels.extend(
            read_labels(text)
                .into_iter()
                .map(|(press, label)| ((tag, press), label)),
        );
    }

    /// The templates of single centres: `centres/<CODE>/<language>/<kind>.txt`.
    fn centres(&mut self, dir: &Path) {
        for code in names_in(dir) {
            for language in names_in(&dir.join(&code)) {
                let folder = dir.join(&code).join(&language);
                match LANGUAGES.iter().copied().find(|l| *l == language) {
                    Some(tag) => self.centre(&code, tag, &folder),
                    None => self.unknown_language(&folder, &language),
                }
            }
            self.templates.centres.insert(code);
        }
    }

    /// The templates of one centre in one language.
    fn centre(&mut self, code: &str, tag: &'static str, folder: &Path) {
        for kind in MessageKind::ALL {
            let path = folder.join(format!("{kind}.txt"));
            if let Some(text) = self.read(&path) {
                let source = TemplateSource {
                    name: format!("centres/{code}/{tag}/{kind}"),
                    path: path.display().to_string(),
                    language: tag,
                    kind: *kind,
                    own: true,
                };
                self.template(source, &text);
            }
        }
        self.unknown_files(folder, &[]);
    }

    fn unknown_languages(&mut self, dir: &Path) {
        let known = |name: &String| name == "centres" || LANGUAGES.contains(&name.as_str());
        for name in names_in(dir) {
            if dir.join(&name).is_dir() && !known(&name) {
                self.unknown_language(&dir.join(&name), &name);
            }
        }
    }

    fn unknown_language(&mut self, path: &Path, name: &str) {
        let fix = match near(LANGUAGES, name) {
            Some(n) => format!("Did you mean {n}?"),
            None => format!(
                "There are: {}. Rename it, or remove it.",
                LANGUAGES.join(", ")
            ),
        };
        self.problems.push(Problem::new(
            path.display().to_string(),
            "there are no texts in such a language",
            fix,
        ));
    }

    fn unknown_files(&mut self, dir: &Path, besides: &[&str]) {
        for name in names_in(dir) {
            let known = besides.contains(&name.as_str())
                || name
                    .strip_suffix(".txt")
                    .is_some_and(|k| k.parse::<MessageKind>().is_ok());
            if !known {
                self.problems.push(Problem::new(
                    dir.join(&name).display().to_string(),
                    "there is no such kind of message",
                    "Rename it to one of the kinds in message-templates/, or remove it.",
                ));
            }
        }
    }

    /// Every button needs a label in English, which the other languages fall back on.
    fn missing_labels(&mut self) {
        for press in Press::ALL
            .iter()
            .filter(|p| !self.templates.labels.contains_key(&(ENGLISH, **p)))
        {
            self.problems.push(Problem::new(
                "message-templates/en/buttons.txt",
                format!("the button {press} has no label"),
                "Write a line \"name: label\" for each button, as in the built-in file.",
            ));
        }
    }

    fn check_templates(&mut self) {
        for source in self.templates.sources.iter().filter(|s| s.own) {
            self.problems
                .extend(lint::check_template(&self.templates, source));
        }
    }
}
