//! A message: what was said, to whom, and what has become of it since.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{Dialect, MessageId, Object, Place, Seq, Timestamp, UserId};

/// A message in its current state. It is kept in its own creation entry.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// The id, minted or the client's.
    pub id: MessageId,
    /// Where it stands.
    pub place: Place,
    /// Who wrote it.
    pub author: UserId,
    /// The dialect it was written in.
    pub dialect: Dialect,
    /// When the log took it.
    pub at: Timestamp,
    /// What was said, and how it is to be shown.
    pub content: Content,
    /// Who may see it.
    pub audience: Audience,
    /// What has become of it.
    pub state: State,
}

/// What was said, and how it is to be shown.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Content {
    /// The text.
    #[serde(skip)]
    pub text: Option<String>,
    /// The other keys of a free-form payload, beside its text.
    #[serde(rename = "p", skip_serializing_if = "Object::is_empty")]
    pub payload: Object,
    /// What kind of message it is.
    #[serde(rename = "k", skip_serializing_if = "is_default")]
    pub kind: Kind,
    /// The application's own type.
    #[serde(rename = "ct", skip_serializing_if = "Option::is_none")]
    pub custom_type: Option<String>,
    /// The message it replies to.
    #[serde(rename = "re", skip_serializing_if = "Option::is_none")]
    pub parent: Option<Parent>,
    /// A reply that is shown in its thread only.
    #[serde(rename = "th", skip_serializing_if = "is_default")]
    pub thread_only: bool,
    /// Users it mentions.
    #[serde(rename = "me", skip_serializing_if = "Vec::is_empty")]
    pub mentions: Vec<Mention>,
    /// Its attachments: JSON objects of the application's own.
    #[serde(rename = "at", skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Object>,
    /// No push notification is to be sent for it.
    #[serde(rename = "np", skip_serializing_if = "is_default")]
    pub no_push: bool,
    /// It is not to count as unread.
    #[serde(rename = "nu", skip_serializing_if = "is_default")]
    pub no_unread: bool,
    /// The application encrypted it.
    #[serde(rename = "en", skip_serializing_if = "is_default")]
    pub encrypted: bool,
    /// The application's own fields.
    #[serde(rename = "md", skip_serializing_if = "Object::is_empty")]
    pub meta: Object,
    /// The message it is a copy of.
    #[serde(rename = "fw", skip_serializing_if = "Option::is_none")]
    pub forwarded_from: Option<MessageId>,
    /// The time it claims to be from, where the client said one.
    #[serde(rename = "ca", skip_serializing_if = "Option::is_none")]
    pub claimed_at: Option<Timestamp>,
    /// It is told to all who listen and to those who resume, and stands in no history and no count.
    #[serde(rename = "nh", skip_serializing_if = "is_default")]
    pub unlisted: bool,
    /// What the dialect it was written in must say again in its own spelling; no other one shows it.
    #[serde(rename = "w", skip_serializing_if = "Object::is_empty")]
    pub wire: Object,
}

/// What kind of message it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A message.
    #[default]
    Normal,
    /// A copy of another.
    Forward,
    /// A reply to another.
    Reply,
    /// Something the application says about the conversation.
    Admin,
}

/// The message that another replies to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parent {
    /// Its id.
    #[serde(rename = "i")]
    pub id: MessageId,
    /// Its entry, in the same log.
    #[serde(rename = "s")]
    pub seq: Seq,
}

/// A user mentioned in a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mention {
    /// The user.
    #[serde(rename = "u")]
    pub user: UserId,
    /// How many words of the text the name takes.
    #[serde(rename = "w")]
    pub words: i64,
    /// Which of the mentions it is.
    #[serde(rename = "o")]
    pub order: i64,
}

/// Who may see a message, of those who may see its conversation.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Audience {
    /// Nobody but these and the author; empty: everybody.
    #[serde(rename = "o", skip_serializing_if = "BTreeSet::is_empty")]
    pub only: BTreeSet<UserId>,
    /// Not these. An author among them misses only the live frame.
    #[serde(rename = "x", skip_serializing_if = "BTreeSet::is_empty")]
    pub except: BTreeSet<UserId>,
}

impl Audience {
    /// Whether it is everybody.
    #[must_use]
    pub fn is_everybody(&self) -> bool {
        self.only.is_empty() && self.except.is_empty()
    }
}

/// What has become of a message since it was written.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct State {
    /// Who reacted, by the reaction's type, in their order. A user stands once under a type.
    #[serde(rename = "r", skip_serializing_if = "BTreeMap::is_empty")]
    pub reactions: BTreeMap<String, Vec<UserId>>,
    /// It is pinned.
    #[serde(rename = "p", skip_serializing_if = "is_default")]
    pub pinned: bool,
    /// Replies to it.
    #[serde(rename = "n", skip_serializing_if = "is_default")]
    pub replies: u64,
    /// Its last edit.
    #[serde(rename = "e", skip_serializing_if = "Option::is_none")]
    pub edited: Option<Edit>,
    /// It was recalled: its content is gone, its place is kept.
    #[serde(rename = "d", skip_serializing_if = "is_default")]
    pub recalled: bool,
    /// The fingerprint of what was said first, if something else is said now or nothing any more, and the client chose
    /// the id: who sends that again is not told that the id is taken.
    #[serde(rename = "f", skip_serializing_if = "Option::is_none")]
    pub first: Option<u64>,
}

/// An edit of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edit {
    /// The edit's own entry.
    #[serde(rename = "s")]
    pub seq: Seq,
    /// When it was.
    #[serde(rename = "t")]
    pub at: Timestamp,
}

impl Content {
    /// What a repeated message must say to be the same. The ids of attachments may have been minted; a parent is
    /// compared by its id.
    fn plain(&self) -> Self {
        let mut content = Self { parent: None, ..self.clone() };
        for attachment in &mut content.attachments {
            attachment.remove("id");
        }
        content
    }

    fn fingerprint(&self) -> Option<u64> {
        let plain = self.plain();
        let said = serde_json::to_vec(&(&plain.text, &plain)).ok()?;
        Sha256::digest(said).first_chunk().map(|bytes| u64::from_be_bytes(*bytes))
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl Message {
    /// When it was made, as its author says.
    #[must_use]
    pub fn created_at(&self) -> Timestamp {
        self.content.claimed_at.unwrap_or(self.at)
    }

    /// When it was last written, by the log's clock: reactions, pins, replies and recalls do not count.
    #[must_use]
    pub fn updated_at(&self) -> Timestamp {
        self.state.edited.map_or(self.at, |edit| edit.at)
    }

    /// The entry that last wrote it: its place in an order by [`Message::updated_at`].
    #[must_use]
    pub fn updated_seq(&self) -> Seq {
        self.state.edited.map_or(self.place.seq, |edit| edit.seq)
    }

    /// Whether histories and counts show it.
    #[must_use]
    pub const fn is_listed(&self) -> bool {
        !self.content.unlisted
    }

    /// What a later entry about this message repeats of it.
    #[must_use]
    pub fn reference(&self) -> Reference {
        Reference {
            id: self.id.clone(),
            seq: self.place.seq,
            at: Some(self.at),
            author: self.author.clone(),
            parent: self.content.parent.clone(),
            audience: self.audience.clone(),
            told: None,
            wire: Object::new(),
        }
    }

    /// Whether this is what the message said first, whatever it says now. The parents are not compared.
    #[must_use]
    pub fn said_first(&self, content: &Content) -> bool {
        match self.state.first {
            Some(first) => content.fingerprint() == Some(first),
            None => content.plain() == self.content.plain(),
        }
    }

    /// Changes what is said.
    pub fn rewrite(&mut self, change: impl FnOnce(&mut Content)) {
        self.remember_first();
        change(&mut self.content);
    }

    /// A minted id is never sent for a message that is not there yet: only a chosen one is sent again.
    fn remember_first(&mut self) {
        let minted = self.id.place().is_some_and(|(place, _)| place == self.place);
        if !minted && !self.state.recalled && self.state.first.is_none() {
            self.state.first = self.content.fingerprint();
        }
    }

    /// Takes what was said away, keeping that something was said.
    pub fn recall(&mut self) {
        self.remember_first();
        self.state.recalled = true;
        self.content.text = None;
        self.content.payload.clear();
        self.content.attachments.clear();
        self.content.mentions.clear();
        self.content.meta.clear();
        self.content.wire.clear();
    }
}

/// What an entry about a message repeats of it, so that nobody must be asked who may see the entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reference {
    /// The message's id.
    #[serde(rename = "i")]
    pub id: MessageId,
    /// Its entry.
    #[serde(rename = "s")]
    pub seq: Seq,
    /// When the log took it: a ban that ended by itself before that hides nothing of it. None in entries that were
    /// written before this was kept.
    #[serde(rename = "t", default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// Its author.
    #[serde(rename = "u")]
    pub author: UserId,
    /// The message it replies to.
    #[serde(rename = "re", default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Parent>,
    /// Who may see it.
    #[serde(rename = "a", default, skip_serializing_if = "Audience::is_everybody")]
    pub audience: Audience,
    /// Whom the dialect that did it is to tell of it, among those who may see it; none: all of them.
    #[serde(rename = "to", default, skip_serializing_if = "Option::is_none")]
    pub told: Option<Audience>,
    /// What the dialect that did it must say of it in its own spelling.
    #[serde(rename = "w", default, skip_serializing_if = "Object::is_empty")]
    pub wire: Object,
}
