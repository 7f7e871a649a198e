//! A conversation as a channel of the Channelstream dialect: how it is announced there, what its history keeps,
//! and what an application says about its users.

use serde::{Deserialize, Serialize};

use crate::{Number, Object, Seq, Timestamp};

/// How a channel behaves. The defaults are Channelstream's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// Tells its listeners who comes and goes.
    pub notify_presence: bool,
    /// Keeps a history of its own.
    pub store_history: bool,
    /// How many messages that history holds; 0: all of them.
    pub history_size: u64,
    /// Tells with every coming and going who is there.
    pub broadcast_presence_with_user_lists: bool,
    /// Tells its listeners when a user's public state changes.
    pub notify_state: bool,
    /// Keeps what a connection misses while it has no socket.
    pub store_frames: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            notify_presence: false,
            store_history: false,
            history_size: 10,
            broadcast_presence_with_user_lists: false,
            notify_state: false,
            store_frames: true,
        }
    }
}

/// A channel: the settings, and which part of the log its history is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Channel {
    /// The conversation's number.
    #[serde(skip, default = "nowhere")]
    pub number: Number,
    /// How it behaves.
    pub settings: Settings,
    /// From which entry, and before which, a history was kept; the last one is open while one is.
    kept: Vec<(Seq, Option<Seq>)>,
    /// From which entry on how many messages it held.
    #[serde(default)]
    sizes: Vec<(Seq, u64)>,
    /// When something last happened in it that is no entry of the log.
    #[serde(skip)]
    pub active: Timestamp,
}

/// So many changes of its settings a channel remembers.
const MOST_CHANGES: usize = 100;

const fn nowhere() -> Number {
    Number(0)
}

impl Channel {
    /// A channel whose conversation's next entry will be `next`.
    #[must_use]
    pub fn new(number: Number, settings: Settings, next: Seq, now: Timestamp) -> Self {
        let mut channel =
            Self { number, settings: Settings::default(), kept: Vec::new(), sizes: Vec::new(), active: now };
        channel.configure(settings, next);
        channel
    }

    /// Gives it other settings from the entry `next` on. What the history has it keeps.
    pub fn configure(&mut self, settings: Settings, next: Seq) {
        let open = self.kept.last().is_some_and(|(_, until)| until.is_none());
        if settings.store_history && !open {
            self.kept.push((next, None));
        }
        if let Some((_, until @ None)) = self.kept.last_mut()
            && !settings.store_history
        {
            *until = Some(next);
        }
        if self.sizes.last().is_none_or(|(_, size)| *size != settings.history_size) {
            self.sizes.push((next, settings.history_size));
        }
        // Who changes them for ever does not make them grow for ever.
        self.kept.drain(..self.kept.len().saturating_sub(MOST_CHANGES));
        self.sizes.drain(..self.sizes.len().saturating_sub(MOST_CHANGES));
        self.settings = settings;
    }

    /// How many messages the history held when this entry came to it; none: all of them.
    #[must_use]
    pub fn size_at(&self, seq: Seq) -> Option<u64> {
        let size = self.sizes.iter().rev().find(|(from, _)| *from <= seq).map(|(_, size)| *size);
        Some(size.unwrap_or(self.settings.history_size)).filter(|size| *size > 0)
    }

    /// Whether the history keeps the message at this entry.
    #[must_use]
    pub fn keeps(&self, seq: Seq) -> bool {
        self.kept.iter().any(|&(from, until)| from <= seq && until.is_none_or(|until| seq < until))
    }

    /// Whether there ever was a history.
    #[must_use]
    pub fn has_history(&self) -> bool {
        !self.kept.is_empty()
    }
}

/// What an application says about a user: keys and values, some of which every listener may know.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct UserState {
    /// All of it.
    pub state: Object,
    /// The keys that every listener may know.
    pub public_keys: Vec<String>,
}

impl UserState {
    /// Takes new values. Says what has changed: null is what a key has that is not there.
    pub fn merge(&mut self, values: Object) -> Vec<(String, serde_json::Value)> {
        let mut changed = Vec::new();
        for (key, value) in values {
            if self.state.get(&key).unwrap_or(&serde_json::Value::Null) != &value {
                self.state.insert(key.clone(), value.clone());
                changed.push((key, value));
            }
        }
        changed
    }

    /// What every listener may know.
    #[must_use]
    pub fn public(&self) -> Object {
        let public = self.state.iter().filter(|(key, _)| self.public_keys.contains(key));
        public.map(|(key, value)| (key.clone(), value.clone())).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_history_keeps_what_was_written_while_it_was_kept() {
        let on = Settings { store_history: true, ..Settings::default() };
        let mut channel = Channel::new(Number(1), on, Seq(2), Timestamp::default());
        channel.configure(on, Seq(4));
        channel.configure(Settings::default(), Seq(6));
        channel.configure(on, Seq(9));
        let kept: Vec<u64> = (1..12).filter(|&seq| channel.keeps(Seq(seq))).collect();
        assert_eq!(kept, [2, 3, 4, 5, 9, 10, 11]);
        assert!(!Channel::new(Number(1), Settings::default(), Seq(2), Timestamp::default()).has_history());
    }

    #[test]
    fn a_change_of_the_size_is_for_what_comes_after_it() {
        let size = |history_size| Settings { history_size, ..Settings::default() };
        let mut channel = Channel::new(Number(1), size(5), Seq(2), Timestamp::default());
        channel.configure(size(0), Seq(4));
        channel.configure(size(3), Seq(7));
        assert_eq!(
            [1, 2, 3, 4, 6, 7].map(|seq| channel.size_at(Seq(seq))),
            [Some(3), Some(5), Some(5), None, None, Some(3)]
        );
        for seq in 8..500 {
            channel.configure(size(seq), Seq(seq));
        }
        assert_eq!(channel.sizes.len(), MOST_CHANGES);
    }

    #[test]
    fn a_null_makes_no_key_and_the_same_value_changes_nothing() {
        let mut user = UserState { public_keys: vec!["a".into()], ..UserState::default() };
        let values = |value| serde_json::from_value::<Object>(value).unwrap();
        assert_eq!(user.merge(values(json!({"a": 1, "b": null}))), [("a".to_owned(), json!(1))]);
        assert!(user.merge(values(json!({"a": 1}))).is_empty());
        assert_eq!(user.merge(values(json!({"a": null, "c": 2}))).len(), 2);
        assert_eq!(user.public(), values(json!({"a": null})));
    }
}
