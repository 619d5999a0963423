//! What a text means. What is not clearly understood is `Unclear`, a value and not an error: a
//! person reads it.
//!
//! An answer is understood only if every word of it is known: words that agree or refuse, and
//! around them only words that change nothing. So "yes but I am not paying" is no YES, and "he says
//! he's not coming" is nobody's NO. Danger is looked for first, in any message. The words are data
//! in `understanding/`, one file for each language.

mod agreed_phrases;
mod answer;
mod answer_lists;
mod clause_lists;
mod flag_set;
mod indicator;
mod intent;
mod judge;
mod list_reader;
mod lists;
mod named_times;
mod normalize;
mod partial_answer;
mod phrase;
#[cfg(test)]
mod properties;
mod read;
mod reading;
mod reading_context;
mod some_children;
mod split_clauses;
#[cfg(test)]
mod tests;
mod text;
mod times_in_answer;
mod understand;
mod whole_message;

pub use intent::{Intent, SomeChildren, Understood};
pub use named_times::NamedTimes;
pub use normalize::normalize;
pub use reading_context::{PendingQuestion, ReadingContext};
pub use understand::{load_lists, understand, understand_in};
