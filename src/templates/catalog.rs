//! All templates in memory: which one a party gets, and rendering it.

use crate::domain::centre::{Centre, LANGUAGES};
use crate::domain::outgoing::lint::ForbiddenWords;
use crate::domain::outgoing::message::MessageKind;
use crate::domain::outgoing::say::{Press, Say, Speaker};
use crate::domain::outgoing::segments::{is_gsm, segments};
use crate::templates::fill::fill;
use crate::templates::language::Language;
use crate::templates::template_values;
use anyhow::{Context, Result};
use minijinja::{Environment, Template, UndefinedBehavior};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The language that every other falls back on.
pub const ENGLISH: &str = LANGUAGES[0];

/// More steps than any template needs; stops a runaway one.
const FUEL: u64 = 20_000;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenderedText {
    pub body: String,
    /// The SMS segments that it takes.
    pub segments: u32,
    /// Whether it fits the GSM alphabet; otherwise a segment holds 70 characters instead of 160.
    pub gsm: bool,
    /// The language that it is in.
    pub language: &'static str,
    /// What was filled in, in order: each value and each conditional sentence.
    pub values: Vec<String>,
}

/// A template and its origin.
#[derive(Debug, Clone)]
pub(super) struct TemplateSource {
    /// Its name in the environment: `pl/closure`, `centres/BRK/pl/closure`.
    pub(super) name: String,
    /// Its file, for error messages.
    pub(super) path: String,
    pub(super) language: &'static str,
    pub(super) kind: MessageKind,
    /// It, or its language, comes from a folder and has to be checked. Built-in templates are
    /// checked by the tests.
    pub(super) own: bool,
}

/// All templates, with their languages and button labels.
pub struct Templates {
    pub(super) env: Environment<'static>,
    pub(super) languages: BTreeMap<&'static str, Language>,
    pub(super) labels: HashMap<(&'static str, Press), String>,
    pub(super) sources: Vec<TemplateSource>,
    /// Centres with templates of their own.
    pub(super) centres: BTreeSet<String>,
}

/// Finds our language for a party's language tag, ignoring the country: `pl-PL` is Polish, and `ur`
/// is our Urdu in Latin letters. A tag that names a script must match ours exactly.
fn tag_of(language: &str) -> Option<&'static str> {
    let exact = LANGUAGES.iter().find(|l| l.eq_ignore_ascii_case(language));
    let primary = |tag: &str| {
        tag.split(['-', '_'])
            .next()
            .unwrap_or("")
            .to_ascii_lowercase()
    };
    let scripted = language
        .split(['-', '_'])
        .nth(1)
        .is_some_and(|s| s.len() == 4);
    exact
        .or_else(|| {
            LANGUAGES
                .iter()
                .find(|l| !scripted && primary(l) == primary(language))
        })
        .copied()
}

impl Templates {
    pub(super) fn empty() -> Templates {
        let mut env = Environment::new();
        env.set_undefined_behavior(UndefinedBehavior::Strict);
        env.set_fuel(Some(FUEL));
        Templates {
            env,
            languages: BTreeMap::new(),
            labels: HashMap::new(),
            sources: Vec::new(),
            centres: BTreeSet::new(),
        }
    }

    /// A button's label in a language, or else in English.
    pub fn label(&self, press: Press, language: &str) -> &str {
        let of = |l: &str| tag_of(l).and_then(|tag| self.labels.get(&(tag, press)));
        of(language)
            .or_else(|| of(ENGLISH))
            .map_or("", String::as_str)
    }

    /// All languages, English first.
    pub fn languages(&self) -> impl Iterator<Item = (&'static str, &Language)> {
        LANGUAGES
            .iter()
            .filter_map(|l| Some((*l, self.languages.get(l)?)))
    }

    /// The codes of the centres that have templates of their own.
    pub fn centres(&self) -> impl Iterator<Item = &str> {
        self.centres.iter().map(String::as_str)
    }

    /// The language in which a centre writes to a party: the party's own if a speaker has checked
    /// it or the centre has switched it on, or else English.
    pub fn language_for(&self, centre: &Centre, language: &str) -> &'static str {
        self.usable(&centre.languages, language)
    }

    fn usable(&self, switched_on: &[String], language: &str) -> &'static str {
        tag_of(language)
            .filter(|tag| self.is_checked(tag) || switched_on.iter().any(|l| l == tag))
            .unwrap_or(ENGLISH)
    }

    /// Whether a speaker has checked the texts of a language.
    pub fn is_checked(&self, tag: &str) -> bool {
        tag == ENGLISH
            || self
                .languages
                .get(tag)
                .is_some_and(|t| !t.checked_by.is_empty())
    }

    /// The words that a free text to a party must not contain: those of English and of the party's
    /// language.
    pub fn refused(&self, language: &str) -> Vec<&ForbiddenWords> {
        let mut tags = vec![ENGLISH];
        tags.extend(tag_of(language).filter(|t| *t != ENGLISH));
        tags.iter()
            .filter_map(|t| Some(&self.languages.get(t)?.refused))
            .collect()
    }

    /// Templates that are never used: those about money or a note in a language that nobody has
    /// checked.
    pub fn idle(&self) -> impl Iterator<Item = &str> {
        self.sources
            .iter()
            .filter(|s| s.kind.needs_checked_words() && !self.is_checked(s.language))
            .map(|s| s.path.as_str())
    }

    /// Chooses the template for a kind, and its language: the centre's own before the common one,
    /// and the party's language before English.
    fn choose(
        &self,
        kind: MessageKind,
        speaker: &Speaker,
        language: &str,
    ) -> Result<(Template<'_, '_>, &'static str)> {
        let wanted = self.usable(&speaker.languages, language);
        let own = self.centres.contains(&speaker.centre);
        let tags = [wanted, ENGLISH]
            .into_iter()
            .filter(|t| !kind.needs_checked_words() || self.is_checked(t));
        tags.flat_map(|tag| {
            [
                own.then(|| format!("centres/{}/{tag}/{kind}", speaker.centre)),
                Some(format!("{tag}/{kind}")),
            ]
            .into_iter()
            .flatten()
            .map(move |name| (name, tag))
        })
        .find_map(|(name, tag)| Some((self.env.get_template(&name).ok()?, tag)))
        .context("a template is missing")
    }

    /// The language in which a party gets this kind of message.
    pub fn language_of(
        &self,
        kind: MessageKind,
        speaker: &Speaker,
        language: &str,
    ) -> &'static str {
        self.choose(kind, speaker, language)
            .map_or(ENGLISH, |(_, language)| language)
    }

    /// Renders a message in the party's language if that may be used and has this kind, or else in
    /// English.
    ///
    /// # Errors
    /// A value is missing. The message must not be sent.
    pub fn render(&self, say: &Say, speaker: &Speaker, language: &str) -> Result<RenderedText> {
        let (template, tag) = self.choose(say.kind(), speaker, language)?;
        let language = self.languages.get(tag).context("a language is missing")?;
        let (body, values) = template_values::take(&fill(&template, language, say, speaker)?);
        Ok(RenderedText {
            segments: segments(&body),
            gsm: is_gsm(&body),
            language: tag,
            body,
            values,
        })
    }
}
