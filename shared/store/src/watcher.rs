//! Watchers: users who follow a conversation that is not private, without being members.

use domain::{ConversationId, Error, Timestamp, UserId};

use crate::{
    Store, Write,
    item::{self, get_text, number},
    keys, schema,
};

impl Store {
    /// Says that the user watches the conversation, or no longer.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn set_watcher(
        &self,
        conversation: &ConversationId,
        user: &UserId,
        on: bool,
        now: Timestamp,
    ) -> Result<(), Error> {
        let key = keys::watcher(conversation, user);
        let write = if on {
            let mut line = item::keyed(&key);
            line.insert("t".into(), number(now.millis()));
            Write::put(line)
        } else {
            Write::delete(key)
        };
        self.write_one(write).await.map(|_| ())
    }

    /// The users who watch the conversation, by id.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn watchers(&self, conversation: &ConversationId) -> Result<Vec<UserId>, Error> {
        let partition = keys::conversation_partition(conversation);
        let items = self.query_all(partition, keys::WATCHER, false).await?;
        let user = |item| -> Result<UserId, Error> {
            let sk = get_text(item, schema::SORT_KEY)?;
            Ok(UserId::trusted(sk.strip_prefix(keys::WATCHER).unwrap_or(sk)))
        };
        items.iter().map(user).collect()
    }
}
