//! What no text to a parent may say. Each language lists its own words in
//! `message-templates/<language>/language.toml`; what each list means, and where it does not apply,
//! is decided here. Templates are checked when they are loaded, texts by staff before they are
//! sent.

mod finding;
mod forbidden_words;
mod rendered;
mod required;
mod rules;
mod staff_text;

pub use crate::domain::outgoing::lint::finding::{LintFinding, LintRule};
pub use crate::domain::outgoing::lint::forbidden_words::{ForbiddenWords, entry};
pub use crate::domain::outgoing::lint::rendered::in_text;
pub use crate::domain::outgoing::lint::rules::in_template;
pub use crate::domain::outgoing::lint::staff_text::{MAX_SEGMENTS, OtherParties, check};
