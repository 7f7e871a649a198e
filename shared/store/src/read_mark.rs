//! Read marks: how far each member has read. A mark never goes back.
//!
//! A mark stands twice: on the user's own list, where unread counts read it, and under the conversation's
//! number, where the others read it and the stream announces it. Both are written in one transaction.

use domain::{ConversationId, Error, Number, Seq, Timestamp, UserId};
use serde::{Deserialize, Serialize};

use crate::{
    Item, Store, Write,
    item::{self, get_number, get_text, number},
    keys, schema,
    write::Written,
};

/// How far somebody has read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadMark {
    /// The last entry that is read.
    pub seq: Seq,
    /// The time that was marked.
    pub at: Timestamp,
}

impl Store {
    /// Sets a member's mark. Says whether it moved: a mark that is not ahead of the one that stands, and a
    /// mark of somebody who is not a member, change nothing.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn mark_read(
        &self,
        conversation: &ConversationId,
        life: Number,
        user: &UserId,
        mark: ReadMark,
    ) -> Result<bool, Error> {
        let own = Write::update(keys::membership(user, conversation), "SET s = :s, t = :t")
            .when("n = :n AND (attribute_not_exists(s) OR s < :s OR (s = :s AND t < :t))")
            .with(":n", number(life))
            .with(":s", number(mark.seq))
            .with(":t", number(mark.at.millis()));
        let mut shown = item::keyed(&keys::read_mark(life, user));
        shown.insert("s".into(), number(mark.seq));
        shown.insert("t".into(), number(mark.at.millis()));
        let written = self.write_all(vec![own, Write::put(shown)]).await?;
        Ok(matches!(written, Written::Done))
    }

    /// The marks of all members of a conversation, by user id.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn read_marks(&self, life: Number) -> Result<Vec<(UserId, ReadMark)>, Error> {
        let items = self.query_all(keys::read_partition(life), "", false).await?;
        items.iter().map(of_user).collect()
    }

    /// The marks of these members, where they have one.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn read_marks_of(
        &self,
        life: Number,
        users: impl IntoIterator<Item = &UserId>,
    ) -> Result<Vec<(UserId, ReadMark)>, Error> {
        let keys: Vec<_> = users.into_iter().map(|user| keys::read_mark(life, user)).collect();
        self.get_all(keys, false).await?.iter().map(of_user).collect()
    }
}

pub(crate) fn of_user(item: &Item) -> Result<(UserId, ReadMark), Error> {
    Ok((UserId::trusted(get_text(item, schema::SORT_KEY)?), from_item(item)?))
}

pub(crate) fn from_item(item: &Item) -> Result<ReadMark, Error> {
    Ok(ReadMark { seq: Seq(get_number(item, "s")?), at: Timestamp::from_millis(get_number(item, "t")?) })
}
