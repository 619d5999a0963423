//! The message templates by language. They are built into the program; single files can be
//! overridden from a folder, for all centres or for one. Every template is checked when it is
//! loaded.

mod built_in;
mod catalog;
mod fill;
mod language;
mod lint;
mod loading;
mod samples;
mod template_values;
#[cfg(test)]
mod tests;

pub use crate::templates::catalog::{ENGLISH, RenderedText, Templates};
pub use crate::templates::language::Language;
pub use crate::templates::samples::{Values, sample_speaker, samples, samples_of};
