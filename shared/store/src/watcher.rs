//! Watchers: users who follow a conversation that is not private, without being members. Of one life of it: who watched
//! a conversation that was deleted does not watch the next one of the same id.

use domain::{ConversationId, Error, Number, Timestamp, UserId};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use crate::{
    Item, Store, Write,
    item::{self, find_number, get_text, number},
    keys,
    member::SWEPT_AT_ONCE,
    schema,
};

impl Store {
    /// Says that the user watches this life of the conversation.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn start_watching(
        &self,
        conversation: &ConversationId,
        life: Number,
        user: &UserId,
        now: Timestamp,
    ) -> Result<(), Error> {
        let mut line = item::keyed(&keys::watcher(conversation, user));
        line.insert("n".into(), number(life));
        line.insert("t".into(), number(now.millis()));
        self.write_one(Write::put(line)).await.map(|_| ())
    }

    /// Says that the user watches the conversation no longer.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn stop_watching(&self, conversation: &ConversationId, user: &UserId) -> Result<(), Error> {
        self.write_one(Write::delete(keys::watcher(conversation, user))).await.map(|_| ())
    }

    /// The users who watch this life of the conversation, by id.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn watchers(&self, conversation: &ConversationId, life: Number) -> Result<Vec<UserId>, Error> {
        let partition = keys::conversation_partition(conversation);
        let mut items = self.query_all(partition, keys::WATCHER, false).await?;
        items.retain(|item| is_of(item, life));
        items.iter().map(watcher).collect()
    }

    /// Removes those who watched a life of the conversation that has ended.
    pub(crate) async fn sweep_watchers(&self, id: &ConversationId, life: Number) -> Result<(), Error> {
        let mut items = self.query_all(keys::conversation_partition(id), keys::WATCHER, true).await?;
        items.retain(|item| is_of(item, life));
        stream::iter(items)
            .map(|item| async move {
                // Perhaps they watch the next life by now.
                let gone = Write::delete(keys::watcher(id, &watcher(&item)?)).when("n = :n");
                self.write_one(gone.with(":n", number(life))).await.map(|_| ())
            })
            .buffer_unordered(SWEPT_AT_ONCE)
            .try_collect()
            .await
    }
}

fn is_of(item: &Item, life: Number) -> bool {
    find_number(item, "n").map(Number) == Some(life)
}

fn watcher(item: &Item) -> Result<UserId, Error> {
    let sk = get_text(item, schema::SORT_KEY)?;
    Ok(UserId::trusted(sk.strip_prefix(keys::WATCHER).unwrap_or(sk)))
}
