//! What texts mean.

mod commands;
mod danger;
mod lists_agree;
mod partial_answers;
mod whole_answers;

#[cfg(test)]
use super::*;

fn said(text: &str) -> &'static str {
    understand(text).intent.as_str()
}
