//! Lanes: the queues of deliveries that fail together.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::ChannelKind;

/// A queue of deliveries that fail together: a channel, or one host of it where hosts fail apart.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Lane(String);

impl Lane {
    /// Returns the lane of a channel, or of one host within it.
    pub fn new(channel: &ChannelKind, host: Option<&str>) -> Self {
        Self(host.map_or_else(|| channel.to_string(), |host| format!("{channel}:{host}")))
    }

    /// Wraps a lane read from a store.
    pub fn stored(text: String) -> Self {
        Self(text)
    }

    /// Returns the lane as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the host, where hosts fail apart.
    pub fn host(&self) -> Option<&str> {
        self.0.split_once(':').map(|(_, host)| host)
    }

    /// Returns the channel.
    pub fn channel(&self) -> &str {
        self.0
            .split_once(':')
            .map_or(&*self.0, |(channel, _)| channel)
    }
}

impl fmt::Display for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_into_channel_and_host() {
        let lane = Lane::new(&ChannelKind::webhook(), Some("[::1]:80"));
        assert_eq!(
            (lane.as_str(), lane.channel()),
            ("webhook:[::1]:80", "webhook")
        );
        assert_eq!(lane.host(), Some("[::1]:80"));
        let lane = Lane::new(&ChannelKind::sms(), None);
        assert_eq!((lane.channel(), lane.host()), ("sms", None));
    }
}
