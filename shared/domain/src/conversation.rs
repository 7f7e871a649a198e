//! A conversation's settings.

use serde::{Deserialize, Serialize};

use crate::{ConversationId, Number, Object, Seq, Timestamp, UserId};

/// Who may come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Visibility {
    /// Members only, added by others.
    Private,
    /// Anyone signed in may join; members read, write and subscribe.
    Public,
    /// Anyone signed in and not banned reads, writes and subscribes without joining.
    Open,
}

/// A conversation: its settings as they are now. What happened in it is its log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Conversation {
    /// The id.
    pub id: ConversationId,
    /// The number of this life of it; names the log.
    pub number: Number,
    /// Names this life of the log: another one when it is deleted and made again.
    pub epoch: String,
    /// The title; none for a one-to-one conversation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Who may come in, now and before.
    #[serde(flatten)]
    pub openness: Openness,
    /// The two users of a one-to-one conversation, which nobody joins or leaves; none of any other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peers: Option<(UserId, UserId)>,
    /// Who made it, or whom it was handed to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<UserId>,
    /// The application's own type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custom_type: Option<String>,
    /// Where its picture is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_url: Option<String>,
    /// Switches of the application's own (`read_events`, `typing_events`, …), kept and returned.
    #[serde(default, skip_serializing_if = "Object::is_empty")]
    pub config: Object,
    /// The application's own fields.
    #[serde(default, skip_serializing_if = "Object::is_empty")]
    pub meta: Object,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its settings were last changed.
    pub updated_at: Timestamp,
    /// Active members.
    pub members: u64,
    /// The entry that last changed these settings. Every later entry repeats it, which is how a reader of the
    /// log's tail knows whether the settings in its hand are still true.
    pub changed: Seq,
    /// It was deleted: only the tombstone is left.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deleted: bool,
}

impl Conversation {
    /// Who may come in.
    #[must_use]
    pub const fn visibility(&self) -> Visibility {
        self.openness.visibility
    }

    /// Whether it is a one-to-one conversation.
    #[must_use]
    pub const fn is_direct(&self) -> bool {
        self.peers.is_some()
    }

    /// The other one of a one-to-one conversation.
    #[must_use]
    pub fn peer_of(&self, user: &UserId) -> Option<&UserId> {
        self.peers.as_ref().map(|(one, other)| if one == user { other } else { one })
    }
}

/// Who may come in, now and before: what was written while nobody was let in stays closed to those who were
/// away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Openness {
    /// Who may come in now.
    pub visibility: Visibility,
    /// What it has been, `(first entry, visibility)`, ascending; empty if it was never changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    past: Vec<(Seq, Visibility)>,
}

impl Openness {
    /// One that has not been changed.
    #[must_use]
    pub const fn new(visibility: Visibility) -> Self {
        Self { visibility, past: Vec::new() }
    }

    /// Who could come in when the entry `seq` was written.
    #[must_use]
    pub fn at(&self, seq: Seq) -> Visibility {
        self.past.iter().rev().find(|(since, _)| *since <= seq).map_or(self.visibility, |&(_, then)| then)
    }

    /// Changes who may come in from the entry `seq` on, keeping what was before.
    pub fn set(&mut self, visibility: Visibility, seq: Seq) {
        if self.visibility == visibility {
            return;
        }
        if self.past.is_empty() {
            self.past.push((Seq(0), self.visibility));
        }
        self.past.push((seq, visibility));
        self.visibility = visibility;
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn conversation(visibility: Visibility) -> Conversation {
        Conversation {
            id: ConversationId::trusted("c"),
            number: Number(1),
            epoch: "e".into(),
            title: None,
            description: None,
            openness: Openness::new(visibility),
            peers: None,
            owner: None,
            custom_type: None,
            image_url: None,
            config: Object::new(),
            meta: Object::new(),
            created_at: Timestamp::from_millis(0),
            updated_at: Timestamp::from_millis(0),
            members: 0,
            changed: Seq(1),
            deleted: false,
        }
    }

    #[test]
    fn visibility_is_remembered_by_entry() {
        let mut it = Openness::new(Visibility::Open);
        assert_eq!(it.at(Seq(5)), Visibility::Open);
        it.set(Visibility::Private, Seq(10));
        it.set(Visibility::Private, Seq(11));
        it.set(Visibility::Public, Seq(20));
        let at = |seq| it.at(Seq(seq));
        assert_eq!(
            [at(9), at(10), at(19), at(20), at(99)].map(|v| v == Visibility::Open),
            [true, false, false, false, false]
        );
        assert_eq!(at(19), Visibility::Private);
        assert_eq!(at(20), Visibility::Public);
    }
}
