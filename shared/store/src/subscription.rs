//! Subscriptions of connections to topics, for the dialects whose clients choose what they hear.

use aws_sdk_dynamodb::types::{DeleteRequest, PutRequest, WriteRequest};
use domain::{Error, Timestamp, Topic, UserId};

use crate::{
    Item, Store,
    connection::{self, Connection, built},
    hold::{self, Flow},
    item::{self, find_text, get_text, is_over, number, text},
    keys, schema,
};

/// A connection that subscribes to a topic.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Subscription {
    /// The connection.
    pub connection: Connection,
    /// The name of what it subscribes to.
    pub topic: String,
    /// What the dialect wants to know when something is delivered: its own business.
    pub detail: Option<String>,
    /// What of its topic's log it is to be sent.
    pub flow: Flow,
}

/// More than one topic: conversations that nobody named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wide {
    /// Every conversation, for who may do everything.
    All,
    /// Every open conversation.
    Open,
}

impl Wide {
    /// Its name in the table, which no topic has.
    const fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Open => "open",
        }
    }
}

impl Store {
    /// Subscribes a connection to more than one topic at once.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn subscribe_widely(
        &self,
        connection: &Connection,
        wide: Wide,
        now: Timestamp,
    ) -> Result<(), Error> {
        self.put_subscription(connection, wide.name(), None, now).await
    }

    /// Ends such a subscription.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn unsubscribe_widely(&self, connection: &str, wide: Wide) -> Result<(), Error> {
        self.delete_subscription(connection, wide.name()).await
    }

    /// The connections that subscribe so, every page of them.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn wide_subscribers(&self, wide: Wide, now: Timestamp) -> Result<Vec<Subscription>, Error> {
        self.subscriptions(wide.name(), now).await
    }

    /// Subscribes a connection to a topic, once: again replaces the detail. Once it returns, whatever is written later reaches the connection.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn subscribe(
        &self,
        connection: &Connection,
        topic: &Topic,
        detail: Option<&str>,
        now: Timestamp,
    ) -> Result<(), Error> {
        self.put_subscription(connection, &topic.name(), detail, now).await
    }

    async fn put_subscription(
        &self,
        connection: &Connection,
        topic: &str,
        detail: Option<&str>,
        now: Timestamp,
    ) -> Result<(), Error> {
        let ttl = connection::ttl(now);
        let by_topic = to_item(connection, topic, detail);
        let by_connection = item::keyed(&keys::connection_topic(&connection.id, topic));
        let puts: Result<Vec<_>, _> = [by_topic, by_connection]
            .into_iter()
            .map(|mut item| {
                item.insert(schema::TTL.into(), ttl.clone());
                let put = PutRequest::builder().set_item(Some(item)).build()?;
                Ok(WriteRequest::builder().put_request(put).build())
            })
            .collect();
        self.write_batch(puts.map_err(built)?).await
    }

    /// Ends a connection's subscription to a topic.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn unsubscribe(&self, connection: &str, topic: &Topic) -> Result<(), Error> {
        self.delete_subscription(connection, &topic.name()).await
    }

    /// Removes a subscription that was found, whether its connection knows of it or not.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn remove_subscription(&self, subscription: &Subscription) -> Result<(), Error> {
        self.delete_subscription(&subscription.connection.id, &subscription.topic).await
    }

    async fn delete_subscription(&self, connection: &str, topic: &str) -> Result<(), Error> {
        let deletes: Result<Vec<_>, _> =
            [keys::subscription(topic, connection), keys::connection_topic(connection, topic)]
                .iter()
                .map(|key| {
                    let delete = DeleteRequest::builder().set_key(Some(item::keyed(key))).build()?;
                    Ok(WriteRequest::builder().delete_request(delete).build())
                })
                .collect();
        self.write_batch(deletes.map_err(built)?).await
    }

    /// The connections that subscribe to a topic, every page of them.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn subscribers(&self, topic: &Topic, now: Timestamp) -> Result<Vec<Subscription>, Error> {
        self.subscriptions(&topic.name(), now).await
    }

    async fn subscriptions(&self, topic: &str, now: Timestamp) -> Result<Vec<Subscription>, Error> {
        let items = self.query_all(keys::topic_partition(topic), "", true).await?;
        alive(&items, now)
    }
}

/// The subscriptions that these items are; those whose time is over are left out.
pub(crate) fn alive(items: &[Item], now: Timestamp) -> Result<Vec<Subscription>, Error> {
    let there = items.iter().filter(|item| !is_over(item, now));
    there.filter_map(|item| from_item(item).transpose()).collect()
}

/// A subscription, as its topic has it.
pub(crate) fn to_item(connection: &Connection, topic: &str, detail: Option<&str>) -> Item {
    let mut item = item::keyed(&keys::subscription(topic, &connection.id));
    if let Some(detail) = detail {
        item.insert("x".into(), text(detail));
    }
    item.insert("u".into(), text(connection.user.as_str()));
    item.insert("d".into(), text(connection.dialect.name()));
    item.insert("t".into(), number(connection.since.millis()));
    connection::set_arrays(&mut item, connection);
    item
}

/// The subscription that an item is; none if it is of a dialect that is not known.
pub(crate) fn from_item(item: &Item) -> Result<Option<Subscription>, Error> {
    let Some(dialect) = connection::dialect(item) else { return Ok(None) };
    let id = get_text(item, schema::SORT_KEY)?.to_owned();
    let user = UserId::trusted(get_text(item, "u")?);
    let (since, arrays) = (connection::since(item), connection::arrays(item));
    let connection = Connection { id, user, dialect, since, arrays };
    let detail = find_text(item, "x").map(str::to_owned);
    let topic = keys::topic(get_text(item, schema::PARTITION_KEY)?).to_owned();
    Ok(Some(Subscription { connection, topic, detail, flow: hold::flow(item)? }))
}
