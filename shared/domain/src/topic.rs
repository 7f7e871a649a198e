//! Topics: what a connection subscribes to, in the dialects whose clients choose what they hear.
//!
//! A conversation is a topic. So is a user, for personal notices, and there is one for everybody. The latter
//! two have logs of their own, of the same kind as a conversation's, under ids that no client can choose.

use crate::{ConversationId, UserId};

/// What a connection subscribes to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Topic {
    /// All that happens in a conversation.
    Conversation(ConversationId),
    /// What concerns one user.
    User(UserId),
    /// What concerns everybody.
    Global,
}

/// What the ids of logs that are no conversations begin with: a control character, which no id may have.
const OWN: char = '\u{1}';

impl Topic {
    /// The topic's name in the table.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Conversation(id) => format!("conversation:{id}"),
            Self::User(id) => format!("user:{id}"),
            Self::Global => "global".to_owned(),
        }
    }

    /// The topic of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name.split_once(':') {
            Some(("conversation", id)) => Some(Self::Conversation(ConversationId::trusted(id))),
            Some(("user", id)) => Some(Self::User(UserId::trusted(id))),
            _ => (name == "global").then_some(Self::Global),
        }
    }

    /// The id of the topic's log.
    #[must_use]
    pub fn log(&self) -> ConversationId {
        match self {
            Self::Conversation(id) => id.clone(),
            Self::User(id) => ConversationId::trusted(format!("{OWN}user:{id}")),
            Self::Global => ConversationId::trusted(format!("{OWN}global")),
        }
    }

    /// The topic of a log.
    #[must_use]
    pub fn of_log(id: &ConversationId) -> Self {
        match id.as_str().strip_prefix(OWN) {
            None => Self::Conversation(id.clone()),
            Some(own) => {
                own.strip_prefix("user:").map_or(Self::Global, |user| Self::User(UserId::trusted(user)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_says_its_topic_and_no_client_can_name_one() {
        for topic in [
            Topic::Conversation(ConversationId::trusted("global")),
            Topic::User(UserId::trusted("bob")),
            Topic::Global,
        ] {
            assert_eq!(Topic::of_log(&topic.log()), topic);
            assert_eq!(Topic::named(&topic.name()), Some(topic));
        }
        assert!(ConversationId::parse(Topic::Global.log().as_str()).is_err());
    }
}
