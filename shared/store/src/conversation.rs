//! Conversations: settings by id, ids by number.

use domain::{Conversation, ConversationId, Error, Number, UserId};

use crate::{
    Item, Store, Write, directory, fault,
    item::{self, get_json, get_text, json, number, text},
    keys,
};

impl Store {
    /// The conversation's settings; none if it never was. A deleted one is its tombstone.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn conversation(
        &self,
        id: &ConversationId,
        consistent: bool,
    ) -> Result<Option<Conversation>, Error> {
        let Some(found) = self.get(&keys::conversation(id), consistent).await? else { return Ok(None) };
        self.remember(&found).map(Some)
    }

    /// The conversation's settings as this process last saw them. Not to be relied on before the log's tail
    /// has said that they are still true.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn conversation_seen(&self, id: &ConversationId) -> Result<Option<Conversation>, Error> {
        if let Some(seen) = self.conversations.get(id) {
            return Ok(Some(seen));
        }
        match self.conversation(id, false).await? {
            Some(found) => Ok(Some(found)),
            // It may be so young that the reader which answered has not heard of it.
            None => self.conversation(id, true).await,
        }
    }

    /// The settings of these conversations, in any order; those that never were are left out.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn conversations(&self, ids: &[ConversationId]) -> Result<Vec<Conversation>, Error> {
        let items = self.get_all(ids.iter().map(keys::conversation).collect(), false).await?;
        items.iter().map(|item| self.remember(item)).collect()
    }

    fn remember(&self, item: &Item) -> Result<Conversation, Error> {
        let conversation: Conversation = get_json(item, "x")?;
        self.conversations.insert(conversation.id.clone(), conversation.clone());
        Ok(conversation)
    }

    /// Forgets what this process has seen of the conversation.
    pub fn forget_conversation(&self, id: &ConversationId) {
        self.conversations.remove(id);
    }

    /// The conversation that a number names; none if it names none.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn conversation_of(&self, number: Number) -> Result<Option<ConversationId>, Error> {
        if let Some(known) = self.numbers.get(&number) {
            return Ok(Some(known));
        }
        let Some(found) = self.get(&keys::number(number), true).await? else { return Ok(None) };
        let id = ConversationId::trusted(get_text(&found, "c")?);
        self.numbers.insert(number, id.clone());
        Ok(Some(id))
    }

    /// The one-to-one conversation of two users; none if they never had one.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn direct(&self, one: &UserId, other: &UserId) -> Result<Option<ConversationId>, Error> {
        let Some(found) = self.get(&keys::direct(one, other), true).await? else { return Ok(None) };
        get_text(&found, "c").map(ConversationId::trusted).map(Some)
    }

    /// Draws a number for a new conversation.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn draw_conversation_number(&self) -> Result<Number, Error> {
        self.draw("ADD c :one", "c").await
    }

    pub(crate) async fn draw(&self, expression: &str, name: &str) -> Result<Number, Error> {
        let answer = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(item::keyed(&keys::counter())))
            .update_expression(expression)
            .expression_attribute_values(":one", number(1))
            .return_values(aws_sdk_dynamodb::types::ReturnValue::UpdatedNew)
            .send()
            .await
            .map_err(|error| fault::of("UpdateItem", &error))?;
        let drawn = answer.attributes().map(|attributes| item::get_number(attributes, name));
        drawn.unwrap_or_else(|| Err(Error::Internal("the counter did not answer".into()))).map(Number)
    }

    /// A name for one life of a log.
    ///
    /// # Errors
    /// [`Error::Internal`] where the system has no randomness.
    pub fn epoch() -> Result<String, Error> {
        crate::random().map(|random| format!("{random:016x}"))
    }
}

/// Puts a new conversation, its number's name and its line in the list of all. Refused (first write) if there
/// is one of that id that is not deleted.
///
/// # Errors
/// [`Error::Internal`] if it cannot be written as JSON.
pub fn create(conversation: &Conversation) -> Result<Vec<Write>, Error> {
    let mut writes = create_unlisted(conversation)?;
    writes.push(directory::list_conversation(conversation));
    Ok(writes)
}

/// Puts a new log that is no conversation, and its number's name. Refused (first write) if there is one.
///
/// # Errors
/// [`Error::Internal`] if it cannot be written as JSON.
pub fn create_unlisted(conversation: &Conversation) -> Result<Vec<Write>, Error> {
    let settings =
        Write::put(to_item(conversation)?).when("attribute_not_exists(pk) OR attribute_exists(gone)");
    let mut name = item::keyed(&keys::number(conversation.number));
    name.insert("c".into(), text(conversation.id.as_str()));
    Ok(vec![settings, Write::put(name).when("attribute_not_exists(pk)")])
}

/// Names a new conversation as the one-to-one conversation of two users. Refused if they have another one than
/// `instead_of`, a deleted one.
#[must_use]
pub fn name_direct(
    one: &UserId,
    other: &UserId,
    conversation: &ConversationId,
    instead_of: Option<&ConversationId>,
) -> Write {
    let mut line = item::keyed(&keys::direct(one, other));
    line.insert("c".into(), text(conversation.as_str()));
    match instead_of {
        None => Write::put(line).when("attribute_not_exists(pk)"),
        Some(gone) => Write::put(line).when("c = :c").with(":c", text(gone.as_str())),
    }
}

/// Puts the settings of a conversation, in one transaction with the entry that changed them.
///
/// # Errors
/// [`Error::Internal`] if it cannot be written as JSON.
pub fn put(conversation: &Conversation) -> Result<Write, Error> {
    Ok(Write::put(to_item(conversation)?)
        .when("n = :n AND attribute_not_exists(gone)")
        .with(":n", number(conversation.number)))
}

pub(crate) fn to_item(conversation: &Conversation) -> Result<Item, Error> {
    let mut item = item::keyed(&keys::conversation(&conversation.id));
    item.insert("n".into(), number(conversation.number));
    item.insert("x".into(), json(conversation)?);
    if conversation.deleted {
        item.insert("gone".into(), aws_sdk_dynamodb::types::AttributeValue::Bool(true));
    }
    Ok(item)
}
