//! The five dialects.

use serde::{Deserialize, Serialize};

/// A wire dialect that Switchboard speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dialect {
    /// Channelize's v2 REST API.
    Channelize,
    /// Topics `channel:{id}`, `user:{id}`, `global`.
    Channels,
    /// Channelstream's server API and frames.
    Channelstream,
    /// Virola's Web API and event stream.
    Events,
    /// NetComposer nkchat's commands.
    Nkchat,
}

impl Dialect {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Channelize, Self::Channels, Self::Channelstream, Self::Events, Self::Nkchat];

    /// The dialect's name, in lower case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Channelize => "channelize",
            Self::Channels => "channels",
            Self::Channelstream => "channelstream",
            Self::Events => "events",
            Self::Nkchat => "nkchat",
        }
    }

    /// The dialect of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|dialect| dialect.name() == name)
    }
}
