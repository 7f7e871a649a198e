//! Members: a user's standing in a conversation, and the user's own list of memberships.

use domain::{ConversationId, Error, Member, Number, Seq, Timestamp, UserId};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use crate::{
    Item, Store, Write,
    item::{self, find_number, get_json, get_number, get_text, json, number},
    keys,
    read_mark::ReadMark,
    schema,
};

/// Members, or watchers, that are swept at once.
pub(crate) const SWEPT_AT_ONCE: usize = 16;

/// A line of a user's own list of conversations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// The conversation.
    pub conversation: ConversationId,
    /// Its number.
    pub number: Number,
    /// The entry that brought the user in.
    pub joined: Seq,
    /// How far the user has read, where that was ever marked.
    pub read: Option<ReadMark>,
    /// Wants no notifications.
    pub muted: bool,
    /// Has taken the conversation off the own list; what comes after this entry brings it back.
    pub hidden: Option<Seq>,
}

impl Membership {
    /// The last entry that does not count as unread any more.
    #[must_use]
    pub fn read_up_to(&self) -> Seq {
        self.read.map_or(self.joined, |mark| mark.seq.max(self.joined))
    }
}

impl Store {
    /// The user's standing; none if the user never had to do with the conversation.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn member(
        &self,
        conversation: &ConversationId,
        user: &UserId,
    ) -> Result<Option<Member>, Error> {
        let found = self.get(&keys::member(conversation, user), true).await?;
        found.as_ref().map(from_item).transpose()
    }

    /// The standing of these users; those who never had to do with the conversation are left out.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn members_among(
        &self,
        conversation: &ConversationId,
        users: &[UserId],
    ) -> Result<Vec<Member>, Error> {
        let keys = users.iter().map(|user| keys::member(conversation, user)).collect();
        self.get_all(keys, true).await?.iter().map(from_item).collect()
    }

    /// The user's standing in each of these conversations, in any order; where the user never had to do with one
    /// it is left out.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn standings(
        &self,
        user: &UserId,
        conversations: &[ConversationId],
    ) -> Result<Vec<Member>, Error> {
        let keys = conversations.iter().map(|id| keys::member(id, user)).collect();
        self.get_all(keys, true).await?.iter().map(from_item).collect()
    }

    /// Everybody who ever had to do with this life of the conversation, by user id: also who left or is banned.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn members(&self, conversation: &ConversationId, life: Number) -> Result<Vec<Member>, Error> {
        let items = self.query_all(keys::conversation_partition(conversation), keys::MEMBER, true).await?;
        let members: Result<Vec<Member>, _> = items.iter().map(from_item).collect();
        Ok(members?.into_iter().filter(|member| member.number == life).collect())
    }

    /// The user's memberships, by conversation id.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn memberships(&self, user: &UserId) -> Result<Vec<Membership>, Error> {
        let items = self.query_all(keys::user_partition(user), keys::MEMBERSHIP, true).await?;
        items.iter().map(membership_from_item).collect()
    }

    /// The user's membership in one conversation.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn membership(
        &self,
        user: &UserId,
        conversation: &ConversationId,
    ) -> Result<Option<Membership>, Error> {
        let found = self.get(&keys::membership(user, conversation), true).await?;
        found.as_ref().map(membership_from_item).transpose()
    }

    /// Whether a member wants no notifications. Nobody else writes this, and no entry tells of it.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn set_muted(
        &self,
        conversation: &ConversationId,
        life: Number,
        user: &UserId,
        muted: bool,
    ) -> Result<(), Error> {
        let expression = if muted { "SET q = :n" } else { "REMOVE q" };
        let update = Write::update(keys::membership(user, conversation), expression).when("n = :n");
        self.write_one(update.with(":n", number(life))).await.map(|_| ())
    }

    /// Removes what is left of a deleted conversation's life: its members and the lines in their lists, and
    /// its watchers. What a new life of the same id has put there stays.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn sweep(&self, id: &ConversationId, life: Number) -> Result<(), Error> {
        self.sweep_watchers(id, life).await?;
        let items = self.query_all(keys::conversation_partition(id), keys::MEMBER, true).await?;
        stream::iter(items)
            .map(|found| async move {
                let member = from_item(&found)?;
                if member.number != life {
                    return Ok(());
                }
                // The standing last: by it the line of the list is found.
                for key in [keys::membership(&member.user, id), keys::member(id, &member.user)] {
                    self.write_one(Write::delete(key).when("n = :n").with(":n", number(life))).await?;
                }
                Ok(())
            })
            .buffer_unordered(SWEPT_AT_ONCE)
            .try_collect()
            .await
    }
}

/// Puts a user's standing, in one transaction with the entry that changed it.
///
/// # Errors
/// [`Error::Internal`] if it cannot be written as JSON.
pub fn put(conversation: &ConversationId, member: &Member) -> Result<Write, Error> {
    let mut item = item::keyed(&keys::member(conversation, &member.user));
    item.insert("n".into(), number(member.number));
    item.insert("x".into(), json(member)?);
    Ok(Write::put(item))
}

/// Puts a conversation on a new member's list. An old read mark does not count in a new membership.
#[must_use]
pub fn enlist(conversation: &ConversationId, member: &Member) -> Write {
    Write::update(keys::membership(&member.user, conversation), "SET n = :n, j = :j REMOVE s, t, q, w")
        .with(":n", number(member.number))
        .with(":j", number(member.joined))
}

/// Takes a conversation off a member's own list until something comes after `seq`.
#[must_use]
pub fn hide(conversation: &ConversationId, user: &UserId, seq: Seq) -> Write {
    Write::update(keys::membership(user, conversation), "SET w = :w")
        .when("attribute_exists(pk)")
        .with(":w", number(seq))
}

/// Takes a conversation off the list of somebody who is no longer a member.
#[must_use]
pub fn delist(conversation: &ConversationId, user: &UserId) -> Write {
    Write::delete(keys::membership(user, conversation))
}

pub(crate) fn from_item(item: &Item) -> Result<Member, Error> {
    get_json(item, "x")
}

fn membership_from_item(item: &Item) -> Result<Membership, Error> {
    let sk = get_text(item, schema::SORT_KEY)?;
    let seq = find_number(item, "s").map(Seq);
    let at = find_number(item, "t").map(Timestamp::from_millis);
    Ok(Membership {
        conversation: ConversationId::trusted(sk.strip_prefix(keys::MEMBERSHIP).unwrap_or(sk)),
        number: Number(get_number(item, "n")?),
        joined: Seq(get_number(item, "j")?),
        read: seq.zip(at).map(|(seq, at)| ReadMark { seq, at }),
        muted: item.contains_key("q"),
        hidden: find_number(item, "w").map(Seq),
    })
}
