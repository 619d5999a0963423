//! Lines: a channel with one of our senders.

use crate::domain::people::channel::Channel;
use crate::store::db::{Arg, placeholder_list};

/// A line: its channel, its sender, and the centres that it serves.
#[derive(Debug, Clone, Copy)]
pub struct LineScope<'a> {
    pub channel: Channel,
    pub sender: &'a str,
    /// The centres; `None` for all but those in `except`.
    pub centres: Option<&'a [String]>,
    /// Centres with a line of their own on this channel.
    pub except: &'a [String],
}

impl LineScope<'_> {
    /// The condition on `m.centre` and its values, which start at placeholder `first`.
    pub(in crate::store) fn filter(&self, first: usize) -> (String, Vec<Arg>) {
        match self.centres {
            Some(list) => (
                format!("AND m.centre IN ({})", placeholder_list(first, list.len())),
                list.iter().map(Arg::from).collect(),
            ),
            None if self.except.is_empty() => (String::new(), Vec::new()),
            None => (
                format!(
                    "AND m.centre NOT IN ({})",
                    placeholder_list(first, self.except.len())
                ),
                self.except.iter().map(Arg::from).collect(),
            ),
        }
    }
}

/// The name of a line in counts and stops: channel and sender. WhatsApp senders name their channel
/// already.
pub fn line_name(channel: Channel, sender: &str) -> String {
    let bare = sender
        .strip_prefix(channel.as_str())
        .and_then(|s| s.strip_prefix(':'))
        .unwrap_or(sender);
    format!("{channel}:{bare}")
}
