//! What the server tells of channels and users.

use std::collections::BTreeMap;

use domain::{Object, Timestamp, channel::Settings};
use serde::Serialize;

use super::{order::Echo, time};

/// A channel.
#[derive(Debug, Clone, Serialize)]
pub struct ChannelInfo {
    uuid: String,
    name: String,
    long_name: Option<String>,
    settings: Settings,
    history: Vec<Echo>,
    last_active: String,
    total_connections: usize,
    total_users: usize,
    users: Vec<String>,
}

/// What is known of a channel.
#[derive(Debug)]
pub struct Facts {
    /// Names this life of it.
    pub uuid: String,
    /// Its name.
    pub name: String,
    /// Its title, where it has one.
    pub title: Option<String>,
    /// How it behaves.
    pub settings: Settings,
    /// Its history, oldest first.
    pub history: Vec<Echo>,
    /// When something last happened.
    pub active: Timestamp,
    /// How many listen.
    pub connections: usize,
    /// Who listens, where that is to be told.
    pub users: Vec<String>,
}

/// A channel, as it is told.
#[must_use]
pub fn channel(facts: Facts) -> ChannelInfo {
    ChannelInfo {
        uuid: facts.uuid,
        name: facts.name,
        long_name: facts.title,
        settings: facts.settings,
        history: facts.history,
        last_active: time::naive(facts.active),
        total_connections: facts.connections,
        total_users: facts.users.len(),
        users: facts.users,
    }
}

impl ChannelInfo {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Who listens.
    #[must_use]
    pub fn users(&self) -> &[String] {
        &self.users
    }
}

/// Channels, and the users who listen to them.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ChannelsInfo {
    /// The channels, by name.
    pub channels: BTreeMap<String, ChannelInfo>,
    /// Their users.
    pub users: Vec<UserInfo>,
}

/// A user.
#[derive(Debug, Clone, Serialize)]
pub struct UserInfo {
    /// The name.
    pub user: String,
    /// The state, or what every listener may know of it.
    pub state: Object,
}
