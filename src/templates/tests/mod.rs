//! The built-in templates, and templates that override them.

mod languages;
mod overrides;
mod texts;
mod wording;

#[cfg(test)]
use crate::domain::centre::LANGUAGES;
use crate::domain::outgoing::say::Speaker;
use crate::templates::samples::sample_speaker;

/// A folder of templates that holds one file.
pub(super) fn folder(file: &str, text: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(file);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
    dir
}

/// A speaker for a centre that has switched every language on.
pub(super) fn everywhere() -> Speaker {
    Speaker {
        languages: LANGUAGES.map(String::from).to_vec(),
        ..sample_speaker()
    }
}
