//! Words, and patterns of words. Knows no meaning: the lists in `understanding/` are data.
//!
//! A [`Vocabulary`] turns a text into words, a [`PatternBuilder`] reads patterns, and a
//! [`PatternSet`] finds where they match. Everything is linear in the length of the text, because
//! no match is longer than a fixed number of words. Nothing is learned from texts.

mod numbers;
mod pattern;
mod pattern_builder;
mod pattern_set;
mod tokenizer;
mod toml_lists;
mod typos;
mod vocabulary;
mod word;
mod word_filter;

pub(super) use pattern_builder::PatternBuilder;
pub(super) use pattern_set::PatternSet;
pub(super) use toml_lists::{optional_strings, strings, table};
pub(super) use vocabulary::Vocabulary;
pub(super) use word::{
    BREAK, DATE, NUMBER, PHONE, QUESTION_MARK, TIME, UNKNOWN, Word, sentences, without_marks,
};
