//! Channels: how Channelstream delivers conversations.

use domain::{ConversationId, Error, Number, Timestamp, channel::Channel};

use crate::{
    Item, Store, Write,
    item::{self, get_json, get_number, get_text, json, number},
    keys, schema,
    write::Written,
};

impl Store {
    /// The channel that this life of a conversation is; none if Channelstream has had nothing to do with it.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn channel(&self, id: &ConversationId, life: Number) -> Result<Option<Channel>, Error> {
        let Some(found) = self.get(&keys::channel(id), true).await? else { return Ok(None) };
        Ok(Some(from_item(&found)?.1).filter(|channel| channel.number == life))
    }

    /// These channels, in any order, of whichever life; those that are none are left out.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn channels(&self, ids: &[ConversationId]) -> Result<Vec<(ConversationId, Channel)>, Error> {
        let items = self.get_all(ids.iter().map(keys::channel).collect(), true).await?;
        items.iter().map(from_item).collect()
    }

    /// The ids of all channels, in their order.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn all_channels(&self) -> Result<Vec<ConversationId>, Error> {
        let ids = self.listed(keys::ALL_CHANNELS).await?;
        Ok(ids.into_iter().map(ConversationId::trusted).collect())
    }

    /// Makes a conversation's channel. Says whether it was made: not if there is one.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn create_channel(&self, id: &ConversationId, channel: &Channel) -> Result<bool, Error> {
        let put = Write::put(to_item(id, channel)?)
            .when("attribute_not_exists(pk) OR n <> :n")
            .with(":n", number(channel.number));
        let list = Write::put(item::keyed(&keys::listed(keys::ALL_CHANNELS, id.as_str())));
        Ok(matches!(self.write_all(vec![put, list]).await?, Written::Done))
    }

    /// Puts a channel that has changed: the last one to change it wins.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn put_channel(&self, id: &ConversationId, channel: &Channel) -> Result<(), Error> {
        self.write_one(Write::put(to_item(id, channel)?)).await.map(|_| ())
    }

    /// Marks that something happened in a channel that is no entry of its log.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn touch_channel(&self, id: &ConversationId, now: Timestamp) -> Result<(), Error> {
        let touch = Write::update(keys::channel(id), "SET a = :a").when("attribute_exists(pk)");
        self.write_one(touch.with(":a", number(now.millis()))).await.map(|_| ())
    }
}

pub(crate) fn to_item(id: &ConversationId, channel: &Channel) -> Result<Item, Error> {
    let mut item = item::keyed(&keys::channel(id));
    item.insert("n".into(), number(channel.number));
    item.insert("x".into(), json(channel)?);
    item.insert("a".into(), number(channel.active.millis()));
    Ok(item)
}

pub(crate) fn from_item(item: &Item) -> Result<(ConversationId, Channel), Error> {
    let pk = get_text(item, schema::PARTITION_KEY)?;
    let mut channel: Channel = get_json(item, "x")?;
    channel.number = Number(get_number(item, "n")?);
    channel.active = Timestamp::from_millis(get_number(item, "a")?);
    Ok((keys::conversation_id(pk), channel))
}
