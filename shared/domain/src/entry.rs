//! An entry of a conversation's log: one thing that happened.

use serde::{Deserialize, Serialize};

use crate::{
    ConversationId, Dialect, Message, MessageId, Object, Place, Role, Seq, Timestamp, UserId, Visibility,
    ids::Nonce,
    message::{Audience, Reference},
    ranges::Ranges,
};

/// One thing that happened in a conversation.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Where it stands.
    pub place: Place,
    /// When the log took it: never earlier than the entry before.
    pub at: Timestamp,
    /// Who did it; none for the application's server on its own account.
    pub actor: Option<UserId>,
    /// The dialect it was done in.
    pub dialect: Dialect,
    /// Tells this write from another at the same number.
    pub nonce: Nonce,
    /// The entry that last changed the conversation's settings, this one included.
    pub settings: Seq,
    /// What happened.
    pub event: Event,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// A message was written. Read later, it shows the message as it is then.
    #[serde(skip)]
    MessageCreated(Box<Message>),
    /// A message was given other content.
    MessageEdited(Reference),
    /// A message was recalled from everybody.
    MessageRecalled(Reference),
    /// A user deleted the own copy of messages; nobody else knows.
    CopiesDeleted {
        /// The user.
        user: UserId,
        /// The messages, by their entries.
        messages: Ranges,
    },
    /// A member pinned the conversation among the own ones, or did no longer; nobody else knows.
    ConversationPinned {
        /// The member.
        user: UserId,
        /// It is pinned now.
        on: bool,
    },
    /// A user reacted to a message.
    ReactionAdded(Reaction),
    /// A user took a reaction back.
    ReactionRemoved(Reaction),
    /// A message was pinned.
    MessagePinned(Reference),
    /// A message is no longer pinned.
    MessageUnpinned(Reference),
    /// The conversation began.
    ConversationCreated {
        /// Its title then.
        title: Option<String>,
        /// It is a one-to-one conversation.
        direct: bool,
        /// Its first members; those beyond one transaction follow as [`Event::MembersAdded`].
        members: Vec<UserId>,
    },
    /// Settings were changed.
    ConversationUpdated(Changes),
    /// The conversation ended.
    ConversationDeleted,
    /// Users became members.
    MembersAdded {
        /// Who.
        members: Vec<UserId>,
        /// How.
        how: Arrival,
        /// Whom the caller named, where that was not just those: some were members before.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        named: Vec<UserId>,
    },
    /// Users are no longer members.
    MembersRemoved {
        /// Who.
        members: Vec<UserId>,
        /// How.
        how: Departure,
        /// Whom the caller named, where that was not just those: some were no members.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        named: Vec<UserId>,
    },
    /// A member has another role.
    RoleChanged {
        /// Who.
        user: UserId,
        /// The role now.
        role: Role,
    },
    /// A user was banned.
    Banned {
        /// Who.
        user: UserId,
        /// Why.
        motive: String,
        /// When it is over by itself.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
        /// The user was a member until then.
        member: bool,
    },
    /// A user is no longer banned.
    Unbanned {
        /// Who.
        user: UserId,
        /// Why.
        motive: String,
    },
    /// Something that one user, or everybody, is told: an entry of a log that is no conversation's.
    Notice(Notice),
}

/// Which message an entry changed that stands before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Changed {
    /// None.
    Nothing,
    /// The one at this number.
    Message(Seq),
    /// It does not say which.
    Any,
}

/// What one user, or everybody, is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Notice {
    /// To the user: banned from a conversation.
    Banned {
        /// From where.
        conversation: ConversationId,
        /// Why.
        motive: String,
    },
    /// To the user: banned no longer.
    Unbanned {
        /// From where.
        conversation: ConversationId,
        /// Why.
        motive: String,
    },
    /// To the user: kicked out of a conversation.
    Kicked {
        /// Out of which.
        conversation: ConversationId,
    },
    /// To everybody: there is a new conversation that one may join.
    ConversationCreated {
        /// Which.
        conversation: ConversationId,
        /// Its title.
        title: Option<String>,
    },
}

/// A user's reaction to a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reaction {
    /// The message.
    pub message: Reference,
    /// The user.
    pub user: UserId,
    /// The reaction's type.
    pub kind: String,
}

/// How users became members.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Arrival {
    /// When the conversation was made.
    Founded,
    /// By themselves.
    Joined,
    /// By somebody else.
    Added,
}

/// How users ceased to be members.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Departure {
    /// By themselves.
    Left,
    /// By somebody who may remove.
    Removed,
    /// By a moderator.
    Kicked,
}

/// The settings that were changed; those that were not are absent.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Changes {
    /// The title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Where its picture is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_url: Option<String>,
    /// Who may come in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub visibility: Option<Visibility>,
    /// The application's own type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom_type: Option<String>,
    /// Switches of the application's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config: Option<Object>,
    /// The application's own fields.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meta: Option<Object>,
}

impl Changes {
    /// Whether nothing was changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The message that an entry is about, as far as it says who may see it.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// Its entry.
    pub seq: Seq,
    /// When the log took it, where that is known.
    pub at: Option<Timestamp>,
    /// Its author.
    pub author: &'a UserId,
    /// Who may see it.
    pub audience: &'a Audience,
}

impl Entry {
    /// The entry's number.
    #[must_use]
    pub const fn seq(&self) -> Seq {
        self.place.seq
    }

    /// The id that the entry has where it is shown as a message of its own.
    #[must_use]
    pub fn id(&self) -> MessageId {
        MessageId::mint(self.place, self.nonce)
    }

    /// Whether it ends the user's membership, or bans the user.
    #[must_use]
    pub fn sends_away(&self, user: &UserId) -> bool {
        match &self.event {
            Event::MembersRemoved { members, .. } => members.contains(user),
            Event::Banned { user: banned, .. } => banned == user,
            _ => false,
        }
    }

    /// Which message before it the entry changed.
    #[must_use]
    pub fn changed(&self) -> Changed {
        match &self.event {
            // A minted id says its own place: one that was chosen may have been taken from the message there.
            Event::MessageCreated(message) if message.id != self.id() && message.id.place().is_some() => {
                Changed::Any
            }
            Event::MessageCreated(message) => match &message.content.parent {
                Some(parent) => Changed::Message(parent.seq),
                None => Changed::Nothing,
            },
            _ => self.subject().map_or(Changed::Nothing, |subject| Changed::Message(subject.seq)),
        }
    }

    /// The message that the entry is about.
    #[must_use]
    pub fn subject(&self) -> Option<Subject<'_>> {
        fn by(it: &Reference) -> Option<Subject<'_>> {
            Some(Subject { seq: it.seq, at: it.at, author: &it.author, audience: &it.audience })
        }
        match &self.event {
            Event::MessageCreated(message) => Some(Subject {
                seq: message.place.seq,
                at: Some(message.at),
                author: &message.author,
                audience: &message.audience,
            }),
            Event::MessageEdited(it)
            | Event::MessageRecalled(it)
            | Event::MessagePinned(it)
            | Event::MessageUnpinned(it) => by(it),
            Event::ReactionAdded(it) | Event::ReactionRemoved(it) => by(&it.message),
            Event::CopiesDeleted { .. }
            | Event::ConversationPinned { .. }
            | Event::ConversationCreated { .. }
            | Event::ConversationUpdated(_)
            | Event::ConversationDeleted
            | Event::MembersAdded { .. }
            | Event::MembersRemoved { .. }
            | Event::RoleChanged { .. }
            | Event::Banned { .. }
            | Event::Unbanned { .. }
            | Event::Notice(_) => None,
        }
    }
}
