//! The lists of all users and of all conversations, and the reads that every aggregate shares.

use aws_sdk_dynamodb::{
    operation::query::builders::QueryFluentBuilder,
    types::{AttributeValue, KeysAndAttributes},
};
use domain::{Conversation, ConversationId, Error, User, UserId};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use crate::{
    Item, Store, Write, fault,
    item::{self, get_text, number, text},
    keys::{self, Key},
    schema,
};

/// Keys of one `BatchGetItem`.
const KEYS_PER_BATCH: usize = 100;
/// Requests of one call under way at once.
pub const PARALLEL: usize = 16;

pub(crate) fn list_conversation(conversation: &Conversation) -> Write {
    let mut line = item::keyed(&keys::listed(keys::ALL_CONVERSATIONS, conversation.id.as_str()));
    line.insert("n".into(), number(conversation.number));
    Write::put(line)
}

/// Takes a deleted conversation off the list of all.
#[must_use]
pub fn unlist_conversation(id: &ConversationId) -> Write {
    Write::delete(keys::listed(keys::ALL_CONVERSATIONS, id.as_str()))
}

pub(crate) fn list_user(user: &User) -> Write {
    let mut line = item::keyed(&keys::listed(keys::ALL_USERS, user.id.as_str()));
    line.insert("n".into(), number(user.number));
    Write::put(line)
}

pub(crate) fn unlist_user(id: &UserId) -> Write {
    Write::delete(keys::listed(keys::ALL_USERS, id.as_str()))
}

impl Store {
    /// The ids of all users, in their order.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn all_users(&self) -> Result<Vec<UserId>, Error> {
        self.listed(keys::ALL_USERS).await.map(|ids| ids.into_iter().map(UserId::trusted).collect())
    }

    /// The ids of all conversations that are not deleted, in their order.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn all_conversations(&self) -> Result<Vec<ConversationId>, Error> {
        self.listed(keys::ALL_CONVERSATIONS)
            .await
            .map(|ids| ids.into_iter().map(ConversationId::trusted).collect())
    }

    /// The user of that number, by the list of all.
    pub(crate) async fn listed_user(&self, wanted: domain::Number) -> Result<Option<UserId>, Error> {
        let items = self.query_all(keys::ALL_USERS.to_owned(), "", false).await?;
        let found = items.iter().find(|item| item::find_number(item, "n") == Some(wanted.0));
        found.map(|item| get_text(item, schema::SORT_KEY).map(UserId::trusted)).transpose()
    }

    pub(crate) async fn listed(&self, list: &str) -> Result<Vec<String>, Error> {
        let items = self.query_all(list.to_owned(), "", false).await?;
        items.iter().map(|item| get_text(item, schema::SORT_KEY).map(str::to_owned)).collect()
    }

    pub(crate) async fn get(&self, key: &Key, consistent: bool) -> Result<Option<Item>, Error> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(item::keyed(key)))
            .consistent_read(consistent)
            .send()
            .await
            .map_err(|error| fault::of("GetItem", &error))?;
        Ok(answer.item)
    }

    /// Gets all these items, in any order; keys that do not exist are left out. What DynamoDB leaves
    /// unprocessed is asked for again.
    pub(crate) async fn get_all(&self, mut keys: Vec<Key>, consistent: bool) -> Result<Vec<Item>, Error> {
        keys.sort();
        keys.dedup();
        if let [key] = keys.as_slice() {
            return Ok(self.get(key, consistent).await?.into_iter().collect());
        }
        let batches: Vec<Vec<Item>> =
            keys.chunks(KEYS_PER_BATCH).map(|chunk| chunk.iter().map(item::keyed).collect()).collect();
        let found: Vec<Vec<Item>> = stream::iter(batches)
            .map(|batch| self.get_batch(batch, consistent))
            .buffered(PARALLEL)
            .try_collect()
            .await?;
        Ok(found.into_iter().flatten().collect())
    }

    async fn get_batch(&self, mut keys: Vec<Item>, consistent: bool) -> Result<Vec<Item>, Error> {
        let mut found = Vec::with_capacity(keys.len());
        for attempt in 0..crate::retry::ATTEMPTS {
            let wanted = KeysAndAttributes::builder()
                .set_keys(Some(std::mem::take(&mut keys)))
                .consistent_read(consistent)
                .build()
                .map_err(|error| Error::Internal(format!("BatchGetItem: {error}")))?;
            let answer = self
                .client
                .batch_get_item()
                .request_items(&self.table, wanted)
                .send()
                .await
                .map_err(|error| fault::of("BatchGetItem", &error))?;
            found.extend(answer.responses.into_iter().flatten().flat_map(|(_, items)| items));
            let left = answer.unprocessed_keys.into_iter().flatten().flat_map(|(_, rest)| rest.keys);
            keys.extend(left);
            if keys.is_empty() {
                return Ok(found);
            }
            crate::retry::pause(attempt).await;
        }
        Err(Error::Busy)
    }

    /// All items of a partition whose sort key begins so, every page of them.
    pub(crate) async fn query_all(
        &self,
        partition: String,
        prefix: &str,
        consistent: bool,
    ) -> Result<Vec<Item>, Error> {
        let query = self.client.query().consistent_read(consistent);
        let query = query.expression_attribute_values(":pk", text(partition));
        let query = if prefix.is_empty() {
            query.key_condition_expression("pk = :pk")
        } else {
            query
                .key_condition_expression("pk = :pk AND begins_with(sk, :sk)")
                .expression_attribute_values(":sk", AttributeValue::S(prefix.to_owned()))
        };
        self.every_page(query).await
    }

    /// What a Query of the table finds, every page of it.
    pub(crate) async fn every_page(&self, query: QueryFluentBuilder) -> Result<Vec<Item>, Error> {
        let query = query.table_name(&self.table);
        let mut found = Vec::new();
        let mut start: Option<Item> = None;
        loop {
            let page = query.clone().set_exclusive_start_key(start.take());
            let answer = page.send().await.map_err(|error| fault::of("Query", &error))?;
            found.extend(answer.items.unwrap_or_default());
            start = answer.last_evaluated_key;
            if start.is_none() {
                return Ok(found);
            }
        }
    }
}
