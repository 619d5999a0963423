//! Which of our senders is used for a centre. A centre without its own sender on a channel uses the
//! common one.

use crate::domain::people::channel::Channel;
use std::collections::{BTreeMap, BTreeSet};

/// Our senders by centre and channel. An opt-out holds for the sender that received it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Senders {
    common: BTreeMap<Channel, String>,
    own: BTreeMap<(String, Channel), String>,
}

impl Senders {
    /// Sets the common sender on a channel.
    pub fn set_common(&mut self, channel: Channel, sender: &str) {
        self.common.insert(channel, sender.to_owned());
    }

    /// Sets a centre's own sender on a channel.
    pub fn set_own(&mut self, centre: &str, channel: Channel, sender: &str) {
        self.own
            .insert((centre.to_owned(), channel), sender.to_owned());
    }

    /// The sender for a centre on a channel, if there is one.
    pub fn of(&self, centre: &str, channel: Channel) -> Option<&str> {
        self.own
            .get(&(centre.to_owned(), channel))
            .or_else(|| self.common.get(&channel))
            .map(String::as_str)
    }

    /// Whether this sender is used for a centre.
    pub fn speaks_for(&self, sender: &str, centre: &str, channel: Channel) -> bool {
        self.of(centre, channel) == Some(sender)
    }

    /// Whether any sender exists on a channel.
    pub fn has(&self, channel: Channel) -> bool {
        self.common.contains_key(&channel) || self.own.keys().any(|(_, c)| *c == channel)
    }

    /// Whether there is no sender at all.
    pub fn is_empty(&self) -> bool {
        self.common.is_empty() && self.own.is_empty()
    }

    /// All senders with their channels.
    pub fn all(&self) -> BTreeSet<(Channel, String)> {
        self.common
            .iter()
            .map(|(c, s)| (*c, s.clone()))
            .chain(self.own.iter().map(|((_, c), s)| (*c, s.clone())))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_centres_own_sender_goes_before_the_common_one() {
        let mut s = Senders::default();
        s.set_common(Channel::Sms, "+441");
        s.set_own("LIF", Channel::Sms, "+353");
        assert_eq!(
            (
                s.of("BRK", Channel::Sms),
                s.of("LIF", Channel::Sms),
                s.of("LIF", Channel::Telegram)
            ),
            (Some("+441"), Some("+353"), None)
        );
        assert!(
            s.speaks_for("+353", "LIF", Channel::Sms) && !s.speaks_for("+441", "LIF", Channel::Sms)
        );
        assert_eq!(s.all().len(), 2);
    }
}
