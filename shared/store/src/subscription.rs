//! Subscriptions of connections to topics, for the dialects whose clients choose what they hear.

use aws_sdk_dynamodb::types::{DeleteRequest, PutRequest, WriteRequest};
use domain::{Error, Timestamp, UserId};

use crate::{
    Store,
    connection::{self, Connection, built},
    item::{self, get_text, is_over, text},
    keys, schema,
};

impl Store {
    /// Subscribes a connection to a topic. Once it returns, whatever is written later reaches the connection.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn subscribe(&self, connection: &Connection, topic: &str, now: Timestamp) -> Result<(), Error> {
        let ttl = connection::ttl(now);
        let mut by_topic = item::keyed(&keys::subscription(topic, &connection.id));
        by_topic.insert("u".into(), text(connection.user.as_str()));
        by_topic.insert("d".into(), text(connection.dialect.name()));
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
    pub async fn unsubscribe(&self, connection: &str, topic: &str) -> Result<(), Error> {
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
    pub async fn subscribers(&self, topic: &str, now: Timestamp) -> Result<Vec<Connection>, Error> {
        let items = self.query_all(keys::topic_partition(topic), "", true).await?;
        let mut connections = Vec::with_capacity(items.len());
        for item in items.iter().filter(|item| !is_over(item, now)) {
            if let Some(dialect) = connection::dialect(item) {
                let id = get_text(item, schema::SORT_KEY)?.to_owned();
                connections.push(Connection { id, user: UserId::trusted(get_text(item, "u")?), dialect });
            }
        }
        Ok(connections)
    }
}
