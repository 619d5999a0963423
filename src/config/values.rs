//! Values that several sections share: secrets and addresses.

use crate::domain::config_reader::ConfigReader;
use std::path::Path;

/// Reads a secret from `key`, or from the file that `<key>_file` names.
pub(super) fn secret(r: &mut ConfigReader<'_>, key: &str, base: &Path) -> Option<String> {
    let file_key = format!("{key}_file");
    let direct = r.text_opt(key).filter(|s| !s.trim().is_empty());
    match r.text_opt(&file_key) {
        None => direct,
        Some(_) if direct.is_some() => {
            r.problem(
                &file_key,
                format!("{key} is set too"),
                "Keep one of the two.",
            );
            None
        }
        Some(file) => match std::fs::read_to_string(base.join(&file)) {
            Ok(s) => Some(s.trim_end().to_owned()).filter(|s| !s.is_empty()),
            Err(e) => {
                r.problem(
                    &file_key,
                    format!("{file} cannot be read: {e}"),
                    "Name a file that holds nothing but the secret.",
                );
                None
            }
        },
    }
}

/// Whether it looks like the address of a web service.
pub(super) fn is_url(url: &str) -> bool {
    (url.starts_with("https://") || url.starts_with("http://"))
        && url.len() > 8
        && !url.contains(char::is_whitespace)
}
